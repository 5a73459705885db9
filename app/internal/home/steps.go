package home

import "io"

// A Step is a part of a backup, or of putting one back.
type Step string

// The steps, in their order.
const (
	StepSealing   Step = "sealing"   // of a backup: what the log holds is sealed
	StepCopying   Step = "copying"   // of a backup: the log is copied; its pages, or positions
	StepVault     Step = "vault"     // of a backup: the vault is encrypted
	StepSums      Step = "sums"      // of a backup: every file gets its SHA-256
	StepChecking  Step = "checking"  // of putting one back: its files are read
	StepOpening   Step = "opening"   // the vault in it is decrypted and looked through; bytes
	StepLog       Step = "log"       // the log is put back
	StepRows      Step = "rows"      // the vault is put back; bytes
	StepComparing Step = "comparing" // the log is compared with its seal; positions
	StepReading   Step = "reading"   // the home is opened, and reads its log
)

// A Progress is told when a step begins and how far it is; 0 of 0 is not known.
type Progress func(s Step, done, total int64)

// tell is Progress, or nothing where there is none.
func (p Progress) tell(s Step, done, total int64) {
	if p != nil {
		p(s, done, total)
	}
}

// of returns what tells how far one step is, which begins.
func (p Progress) of(s Step) func(done, total int64) {
	p.tell(s, 0, 0)
	return func(done, total int64) { p.tell(s, done, total) }
}

// reading returns a reader that tells how much of a total was read.
func (p Progress) reading(s Step, r io.Reader, total int64) io.Reader {
	p.tell(s, 0, total)
	return &toldReader{r: r, tell: func(done int64) { p.tell(s, done, total) }}
}

type toldReader struct {
	r    io.Reader
	done int64
	tell func(done int64)
}

// Read implements io.Reader.
func (t *toldReader) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.done += int64(n)
	t.tell(t.done)
	return n, err
}

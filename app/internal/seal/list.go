package seal

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// A line is one of the checkpoints file.
type line struct {
	At   time.Time `json:"at"` // when it was written here
	Note string    `json:"note"`
}

// maxLine is how long a line can be at most: a note of which every character is escaped.
const maxLine = 6*proof.MaxNote + 256

// eachLine gives the whole lines of a part of the list that begins at an offset, and
// where each begins. What stands behind the last one was not written to its end. Lines
// are the receiver's until the next one; one that is too long is empty.
func eachLine(r io.Reader, at int64, yield func(b []byte, at int64) error) error {
	in := bufio.NewReaderSize(r, maxLine)
	for {
		b, err := in.ReadSlice('\n')
		n := int64(len(b))
		for errors.Is(err, bufio.ErrBufferFull) {
			b, err = in.ReadSlice('\n')
			n, b = n+int64(len(b)), nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := yield(b, at); err != nil {
			return err
		}
		at += n
	}
}

// glance reads of how many leaves a line is, and its time, as fast as can be. It is for
// finding checkpoints, and not for believing them.
func glance(b []byte) (size int64, at time.Time, err error) {
	_, rest, _ := bytes.Cut(b, []byte(`"note":"`))
	var fields [5][]byte // origin, size, root, index, time
	for i := range fields {
		fields[i], rest, _ = bytes.Cut(rest, []byte(`\n`))
	}
	size, err = strconv.ParseInt(string(fields[1]), 10, 64)
	if err == nil {
		at, err = time.Parse(`time 2006-01-02T15:04:05Z`, string(fields[4]))
	}
	if err != nil { // written by somebody else
		c, err := parseLine(b)
		return c.Size, c.At, err
	}
	return size, at, nil
}

// openAll opens the checkpoints of lines, on all processors.
func (k keys) openAll(lines [][]byte) ([]proof.Checkpoint, []error) {
	all, errs := make([]proof.Checkpoint, len(lines)), make([]error, len(lines))
	part := (len(lines) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	var hands sync.WaitGroup
	for from := 0; from < len(lines); from += part {
		hands.Go(func() {
			for i := from; i < min(from+part, len(lines)); i++ {
				all[i], errs[i] = k.openLine(lines[i])
			}
		})
	}
	hands.Wait()
	return all, errs
}

func (k keys) openLine(b []byte) (proof.Checkpoint, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return proof.Checkpoint{}, fmt.Errorf("%w: %w", proof.ErrBadCheckpoint, err)
	}
	return k.open([]byte(l.Note))
}

// tail is how much of the end of the checkpoints is looked at for the newest: a
// witness may have cosigned an older one after it.
const tail = 1 << 20

// lastListed finds the newest checkpoint in the list. A line that was not written
// to its end does not count.
func (f folder) lastListed(keys keys) (proof.Checkpoint, bool, error) {
	file, end, err := f.openList()
	if err != nil || file == nil {
		return proof.Checkpoint{}, false, err
	}
	defer file.Close() //nolint:errcheck // only read
	from := max(0, end-tail)
	b, err := io.ReadAll(io.NewSectionReader(file, from, end-from))
	if err != nil {
		return proof.Checkpoint{}, false, err
	}
	if from > 0 {
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	var newest []byte
	size := int64(-1)
	for one := range bytes.Lines(b) {
		c, err := parseLine(one)
		if err != nil {
			return proof.Checkpoint{}, false, fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
		}
		if c.Size >= size {
			newest, size = c.Note, c.Size
		}
	}
	if size < 0 {
		return proof.Checkpoint{}, false, nil
	}
	c, err := keys.open(newest)
	if err != nil {
		return proof.Checkpoint{}, false, fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
	}
	return c, true, nil
}

// parseLine reads a line of the checkpoints file, and believes the signatures.
func parseLine(b []byte) (proof.Checkpoint, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return proof.Checkpoint{}, fmt.Errorf("%w: %w", proof.ErrBadCheckpoint, err)
	}
	text, _, _ := strings.Cut(l.Note, "\n\n")
	c, err := proof.ParseText(text + "\n")
	c.Note = []byte(l.Note)
	return c, err
}

// openList opens the list to be read, and says how long it is; nil: there is none.
func (f folder) openList() (*os.File, int64, error) {
	file, err := os.Open(f.path(checkpointsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// hasLine says whether the list holds something.
func hasLine(list *os.File, end int64) bool {
	if list == nil {
		return false
	}
	enough := errors.New("enough")
	return eachLine(io.NewSectionReader(list, 0, end), 0, func([]byte, int64) error { return enough }) != nil
}

// newest finds the newest checkpoint that is signed, in the first bytes of the list. It
// reads them from the end, and stops where it has found one: a witness may have cosigned
// older ones after it, but not so many.
func (k keys) newest(file io.ReaderAt, end int64) (proof.Checkpoint, bool, error) {
	for until := end; until > 0; {
		from := max(0, until-tail)
		b := make([]byte, until-from)
		if _, err := file.ReadAt(b, from); err != nil {
			return proof.Checkpoint{}, false, err
		}
		whole := 0 // lines begin there
		if from > 0 {
			whole = bytes.IndexByte(b, '\n') + 1
		}
		for _, one := range bySize(b[whole : bytes.LastIndexByte(b, '\n')+1]) {
			if c, err := k.openLine(one); err == nil {
				return c, true, nil
			}
		}
		if until = from + int64(whole); whole == len(b) {
			until = from // a line that is none
		}
	}
	return proof.Checkpoint{}, false, nil
}

// bySize returns the lines that can be read, those of the most leaves first, and of the
// same the last one.
func bySize(b []byte) [][]byte {
	type sized struct {
		line []byte
		size int64
	}
	var all []sized
	for one := range bytes.Lines(b) {
		if size, _, err := glance(one); err == nil {
			all = append(all, sized{one, size})
		}
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b sized) int { return cmp.Compare(b.size, a.size) })
	lines := make([][]byte, len(all))
	for i := range all {
		lines[i] = all[i].line
	}
	return lines
}

// list adds a checkpoint to the list, on disk.
func (f folder) list(at time.Time, c proof.Checkpoint, fault func(string) error) (err error) {
	b, err := json.Marshal(line{At: at.UTC(), Note: string(c.Note)})
	if err != nil {
		return err
	}
	b = append(b, '\n')
	file, err := os.OpenFile(f.path(checkpointsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if fault != nil { // a test wants half of it
		if err := fault("list half"); err != nil {
			_, _ = file.Write(b[:len(b)/2])
			return err
		}
	}
	if _, err := file.Write(b); err != nil {
		return err
	}
	return file.Sync()
}

// cutList cuts off a line that was not written to its end.
func (f folder) cutList() error {
	file, err := os.OpenFile(f.path(checkpointsFile), os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it is cut, or that failed
	info, err := file.Stat()
	if err != nil {
		return err
	}
	from := max(0, info.Size()-tail)
	b, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil || len(b) == 0 || b[len(b)-1] == '\n' {
		return err
	}
	end := len(b)
	for end > 0 && b[end-1] != '\n' {
		end--
	}
	return file.Truncate(from + int64(end))
}

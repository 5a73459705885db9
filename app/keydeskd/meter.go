package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"
)

// A meter shows whoever sits at a terminal what a command is doing and how far it is, in
// one line of stderr, which is written over, and taken away before anything else is
// written. Elsewhere it shows nothing, and nowhere in the first second. Its methods may be
// called concurrently, and those of none show nothing.
type meter struct {
	out io.Writer // the terminal; nil: nobody looks
	now func() time.Time

	mu     sync.Mutex
	step   step
	began  time.Time // the first of the steps that followed each other at once
	shown  bool
	ending chan struct{} // nil: nothing is drawn by itself
	ended  chan struct{}
}

// A step is what a command is doing. The zero step is none.
type step struct {
	what  string // "copying the log"
	unit  string // "events"; inBytes; "" where numbers mean nothing, and only their share is shown
	far   func() (done, total int64)
	began time.Time
}

// inBytes is the unit of what is counted in bytes.
const inBytes = "bytes"

const (
	meterAfter = time.Second
	meterEvery = time.Second / 4
	meterWidth = 79 // a line that does not fit would not be taken away whole
)

// newMeter returns the meter of a command that writes its errors to errs.
func newMeter(errs io.Writer, parsed *kong.Context) *meter {
	m := &meter{now: time.Now}
	if isTerminal(errs) && os.Getenv("TERM") != "dumb" && !asJSON(parsed) {
		m.out, m.ending, m.ended = errs, make(chan struct{}), make(chan struct{})
		go m.run()
	}
	return m
}

// asJSON says whether a program is to read the answer.
func asJSON(parsed *kong.Context) bool {
	for _, f := range parsed.Flags() {
		if asked, is := reflect.TypeAssert[bool](f.Target); is && asked && f.Name == "json" {
			return true
		}
	}
	return false
}

// isTerminal says whether somebody sits at the other end of a reader or a writer.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (m *meter) run() {
	defer close(m.ended)
	tick := time.NewTicker(meterEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.draw()
		case <-m.ending:
			return
		}
	}
}

// close takes the line away for good.
func (m *meter) close() {
	m.rest()
	if m.ending != nil {
		close(m.ending)
		<-m.ended
	}
}

// begin begins a step, in the place of the one before, and returns what is to be told how
// far it is, as often as one likes. A total of 0 is not known.
func (m *meter) begin(what, unit string) (tell func(done, total int64)) {
	var done, total atomic.Int64
	m.watch(what, unit, func() (int64, int64) { return done.Load(), total.Load() })
	return func(d, t int64) {
		done.Store(d)
		total.Store(t)
	}
}

// watch is begin for what can be asked how far it is.
func (m *meter) watch(what, unit string, far func() (done, total int64)) {
	if m == nil || m.out == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if m.step.far == nil {
		m.began = now
	}
	m.step = step{what, unit, far, now}
}

// rest ends the step, and takes the line away.
func (m *meter) rest() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step = step{}
	m.wipe()
}

// wipe is called with m.mu held.
func (m *meter) wipe() {
	if m.shown {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.shown = false
	}
}

func (m *meter) draw() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if m.step.far == nil || now.Sub(m.began) < meterAfter {
		return
	}
	line := []rune(m.step.line(now))
	fmt.Fprint(m.out, "\r\x1b[K"+string(line[:min(len(line), meterWidth)]))
	m.shown = true
}

// line tells how far a step is.
func (s step) line(now time.Time) string {
	done, total := s.far()
	spent := now.Sub(s.began)
	line := s.what
	switch {
	case s.unit == inBytes && total > 0:
		line += fmt.Sprintf(": %.1f of %s,", float64(done)/1e6, megabytes(total))
	case s.unit != "" && total > 0:
		line += fmt.Sprintf(": %d of %d %s,", done, total, s.unit)
	case total > 0:
		line += ":"
	case s.unit != "" && s.unit != inBytes && done > 0:
		return line + fmt.Sprintf(": %d %s", done, s.unit)
	default: // at least one sees that it lives
		return line + fmt.Sprintf(": %s", spent.Truncate(time.Second))
	}
	done = min(done, total)
	line += fmt.Sprintf(" %d%%", int(100*float64(done)/float64(total)))
	if done > 0 && done < total && spent >= 2*time.Second { // before that it is a guess
		left := time.Duration(float64(spent) / float64(done) * float64(total-done))
		line += fmt.Sprintf(", %s to go", max(left.Round(time.Second), time.Second))
	}
	return line
}

// over returns a writer to the terminal of the meter, perhaps: what is written through it
// never stands behind the line.
func (m *meter) over(w io.Writer) io.Writer {
	if m == nil || m.out == nil {
		return w
	}
	return aside{m, w}
}

type aside struct {
	m *meter
	w io.Writer
}

// Write implements io.Writer.
func (a aside) Write(b []byte) (int, error) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	a.m.wipe()
	return a.w.Write(b)
}

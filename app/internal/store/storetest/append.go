package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keydesk/keydesk/domain"
)

func appendExact(s store) {
	t := s.t
	l := s.open()
	ms := messages(4)
	first := mustAppend(t, l, "enrolment-a", domain.NoStream, ms[0])
	second := mustAppend(t, l, "enrolment-a", 0, ms[1:3]...)
	third := mustAppend(t, l, "enrolment-a", 2, ms[3])
	other := mustAppend(t, l, "enrolment-b", domain.NoStream, message("EnrolmentStarted"))
	if first.Position >= second.Position || second.Position >= third.Position || third.Position >= other.Position {
		t.Fatalf("positions do not grow: %v %v %v %v", first, second, third, other)
	}
	wantStream(t, l, "enrolment-a", ms...)
	if head, err := l.Head(t.Context()); err != nil || head < other.Position {
		t.Fatalf("head %d, %v before %d", head, err, other.Position)
	}
}

func appendConflicts(s store) {
	t := s.t
	l := s.open()
	ms := messages(3)
	wantConflict(t, l, "enrolment-b", 0, domain.NoStream, message("NameSet"))
	mustAppend(t, l, "enrolment-a", domain.NoStream, ms...)
	for _, expected := range []domain.Revision{domain.NoStream, 0, 1, 3, 9} {
		wantConflict(t, l, "enrolment-a", expected, 2, message("NameSet"))
	}
	wantStream(t, l, "enrolment-a", ms...)
	mustAppend(t, l, "enrolment-a", 2, message("NameSet"))
}

func appendRetry(s store) {
	t := s.t
	l := s.open()
	ms := messages(5)
	const stream = "enrolment-a"
	start := mustAppend(t, l, stream, domain.NoStream, ms[:2]...)
	again := func(want domain.Appended, expected domain.Revision, ms ...domain.Message) {
		t.Helper()
		if got := mustAppend(t, l, stream, expected, ms...); got != want {
			t.Fatalf("the retry stands at %v instead of %v", got, want)
		}
	}
	again(start, domain.NoStream, ms[:2]...)
	next := mustAppend(t, l, stream, 1, ms[2:4]...)
	again(start, domain.NoStream, ms[:2]...) // though the stream has moved on
	again(next, 1, ms[2:4]...)
	again(domain.Appended{Revision: 0, Position: all(t, l, domain.Query{})[0].Position}, domain.NoStream, ms[0])

	wantConflict(t, l, stream, domain.NoStream, 3, ms[1], ms[0])        // another order
	wantConflict(t, l, stream, domain.NoStream, 3, message("X"), ms[1]) // the first differs
	wantConflict(t, l, stream, domain.NoStream, 3, ms[0], message("X")) // the second differs
	wantConflict(t, l, stream, 1, 3, ms[2], ms[3], ms[4])               // only a part is there
	wantConflict(t, l, stream, 4, 3, ms[4])                             // expectation above
	wantConflict(t, l, stream, 7, 3, ms[0])                             // above, with an id that is there
	wantConflict(t, l, stream, 0, 3, ms[0])                             // there, but not right behind
	wantStream(t, l, stream, ms[:4]...)

	// Ids are compared within their stream.
	mustAppend(t, l, "enrolment-b", domain.NoStream, ms[:2]...)
	wantStream(t, l, "enrolment-b", ms[:2]...)
}

func appendAllOrNothing(s store) {
	t := s.t
	l := s.open()
	ms := messages(3)
	mustAppend(t, l, "enrolment-a", domain.NoStream, ms...)
	wantConflict(t, l, "enrolment-a", 1, 2, messages(20)...)
	bad := messages(20)
	bad[19].Type = ""
	if _, err := l.Append(t.Context(), "enrolment-a", 2, bad...); err == nil {
		t.Fatal("a message without a type was accepted")
	}
	wantStream(t, l, "enrolment-a", ms...)
}

func appendRace(s store) {
	t := s.t
	logs := []Log{s.open(), s.open()}
	const writers, revisions = 8, 12
	var wins [revisions]atomic.Int32
	var wg sync.WaitGroup
	for w := range writers {
		l := logs[w%len(logs)]
		wg.Go(func() {
			for r := range revisions {
				_, err := l.Append(t.Context(), "enrolment-a", domain.Revision(r-1), message("CodeRejected"))
				switch {
				case err == nil:
					wins[r].Add(1)
				case !errors.Is(err, domain.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for r := range wins {
		if n := wins[r].Load(); n != 1 {
			t.Errorf("revision %d was won %d times", r, n)
		}
	}
	if got, err := logs[0].ReadStream(t.Context(), "enrolment-a", 0); err != nil || len(got) != revisions {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func appendAmongMany(s store) {
	t := s.t
	l := s.open()
	mustAppend(t, l, "enrolment-taken", domain.NoStream, message("EnrolmentStarted"))
	const writers, each = 24, 8
	var wg sync.WaitGroup
	for w := range writers {
		stream := fmt.Sprintf("enrolment-%d", w)
		wg.Go(func() {
			for i := range each {
				if w%4 == 0 {
					_, err := l.Append(t.Context(), "enrolment-taken", domain.NoStream, message("EnrolmentStarted"))
					if !errors.Is(err, domain.ErrConflict) {
						t.Errorf("%v instead of a conflict", err)
					}
				}
				a, err := l.Append(t.Context(), stream, domain.Revision(2*i-1), messages(2)...)
				if err != nil || a.Revision != domain.Revision(2*i+1) {
					t.Errorf("append %d: %v, %v", i, a, err)
				}
			}
		})
	}
	wg.Wait()
	events := all(t, l, domain.Query{})
	if want := 1 + writers*each*2; len(events) != want {
		t.Fatalf("%d events instead of %d", len(events), want)
	}
	next := map[string]domain.Revision{}
	for _, e := range events {
		if e.Revision != next[e.Stream] {
			t.Fatalf("%s: revision %d instead of %d", e.Stream, e.Revision, next[e.Stream])
		}
		next[e.Stream]++
	}
}

func appendTwoHandles(s store) {
	t := s.t
	logs := []Log{s.open(), s.open()}
	ms := messages(40)
	for i, m := range ms { // each handle has to see what the other did just now
		mustAppend(t, logs[i%2], "enrolment-a", domain.Revision(i-1), m)
	}
	wantConflict(t, logs[0], "enrolment-a", 38, 39, message("NameSet"))
	mustAppend(t, logs[0], "enrolment-a", 38, ms[39])
	wantStream(t, logs[1], "enrolment-a", ms...)
}

func appendBytes(s store) {
	t := s.t
	l := s.open()
	large := message("RosterImported")
	large.Data = []byte(`{"x":"` + strings.Repeat("0123456789", 100_000) + `"}`)
	unicode := message("NaamGegeven")
	unicode.Data = []byte("{\"name\":\"Zoë 😀 \u2028 \\u0000\",\"n\":1.50e2}")
	unicode.Metadata = []byte("{\"wie\":\"Ωmega\"}")
	spaced := message("Spaced")
	spaced.Data = []byte(" {\n\t\"a\" : [1, 2.0 ,null]}\n")
	none := message("Bare")
	none.Data, none.Metadata = []byte(`{}`), nil
	ms := []domain.Message{large, unicode, spaced, none}
	const stream = "roster-Überraschung-日本"
	for i, m := range ms {
		mustAppend(t, l, stream, domain.Revision(i-1), m)
	}
	sent := bytes.Clone(large.Data)
	got := wantStream(t, l, stream, ms...)
	if !bytes.Equal(got[0].Data, sent) {
		t.Fatal("the log changed what it was given")
	}
	events := all(t, l, domain.Query{Metadata: true})
	sameMessages(t, events, ms)
}

func appendUnfit(s store) {
	t := s.t
	l := s.open()
	with := func(change func(*domain.Message)) domain.Message {
		m := message("NameSet")
		change(&m)
		return m
	}
	for name, test := range map[string]struct {
		stream   string
		expected domain.Revision
		msgs     []domain.Message
	}{
		"no message":      {"a-1", domain.NoStream, nil},
		"no stream":       {"", domain.NoStream, messages(1)},
		"stream not text": {"a-\xff", domain.NoStream, messages(1)},
		"stream with NUL": {"a-\x00", domain.NoStream, messages(1)},
		"any revision":    {"a-1", -2, messages(1)},
		"no type":         {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.Type = "" })}},
		"no id":           {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.ID = domain.EventID{} })}},
		"no data":         {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.Data = nil })}},
		"not JSON":        {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.Data = []byte("{") })}},
		"not UTF-8":       {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.Data = []byte("\"\xff\"") })}},
		"metadata":        {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) { m.Metadata = []byte("x") })}},
		"too large": {"a-1", domain.NoStream, []domain.Message{with(func(m *domain.Message) {
			m.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
		})}},
	} {
		_, err := l.Append(t.Context(), test.stream, test.expected, test.msgs...)
		if err == nil || errors.Is(err, domain.ErrConflict) || errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrUnknownOutcome) {
			t.Errorf("%s: %v instead of a refusal for good", name, err)
		}
	}
	if events := all(t, l, domain.Query{}); len(events) != 0 {
		t.Errorf("%d events were recorded", len(events))
	}
}

func appendContext(s store) {
	t := s.t
	l := s.open()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.Append(ended, "enrolment-a", domain.NoStream, message("NameSet"))
	if !errors.Is(err, context.Canceled) || !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("%v instead of cancelled, nothing recorded", err)
	}
	wantStream(t, l, "enrolment-a")

	// Whenever it ends: what is reported as not recorded is not there, and
	// trying the same again makes it be there once.
	for i := range 40 {
		stream, ms := fmt.Sprintf("enrolment-%d", i), messages(2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
		_, err := l.Append(ctx, stream, domain.NoStream, ms...)
		cancel()
		switch {
		case err == nil:
			wantStream(t, l, stream, ms...)
		case errors.Is(err, domain.ErrUnknownOutcome), errors.Is(err, domain.ErrUnavailable):
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not say why", err)
			}
			if errors.Is(err, domain.ErrUnavailable) {
				wantStream(t, l, stream)
			}
		default:
			t.Errorf("unexpected: %v", err)
		}
		mustAppend(t, l, stream, domain.NoStream, ms...)
		wantStream(t, l, stream, ms...)
	}
}

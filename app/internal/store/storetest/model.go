package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
)

// A model is what a log should be, in the simplest way.
type model map[string][]domain.Message

// append is the rule of appending, in memory.
func (m model) append(stream string, expected domain.Revision, msgs []domain.Message) (domain.Revision, error) {
	old := m[stream]
	last := domain.Revision(len(old) - 1)
	conflict := &domain.Conflict{Stream: stream, Expected: expected, Actual: last}
	switch after := int(last - expected); {
	case after == 0:
		m[stream] = append(old, msgs...)
	case after < len(msgs):
		return 0, conflict
	default:
		there := old[expected+1:][:len(msgs)]
		if !slices.EqualFunc(there, msgs, func(a, b domain.Message) bool { return a.ID == b.ID }) {
			return 0, conflict
		}
	}
	return expected + domain.Revision(len(msgs)), nil
}

// appendModel compares a log with the model over random histories of two
// handles, in which old messages come back in all ways.
func appendModel(s store) {
	t := s.t
	logs := []Log{s.open(), s.open()}
	var runs atomic.Int32
	rapid.Check(t, func(rt *rapid.T) {
		prefix := fmt.Sprintf("run%d-", runs.Add(1))
		m := model{}
		var order []string // what was recorded, in order
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			l := logs[rapid.IntRange(0, 1).Draw(rt, "handle")]
			stream := prefix + rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "stream")
			expected := domain.Revision(rapid.IntRange(-1, len(m[stream])).Draw(rt, "expected"))
			msgs := drawMessages(rt, m[stream], expected)
			before := len(m[stream])
			want, refused := m.append(stream, expected, msgs)
			got, err := l.Append(t.Context(), stream, expected, msgs...)
			if !sameOutcome(err, refused) || err == nil && got.Revision != want {
				rt.Fatalf("append at %d to %d events: %v, %v instead of %d, %v", expected, before, got, err, want, refused)
			}
			for _, msg := range m[stream][before:] {
				order = append(order, stream+msg.ID.String())
			}
		}
		var read []string
		err := logs[0].ReadAll(t.Context(), domain.Query{Prefix: prefix, Metadata: true}, func(b domain.Batch) error {
			for _, e := range b.Events {
				read = append(read, e.Stream+e.ID.String())
			}
			return nil
		})
		if err != nil || !slices.Equal(read, order) {
			rt.Fatalf("the log holds %v instead of %v: %v", read, order, err)
		}
	})
}

// drawMessages draws new messages, or some that are there, or a mix.
func drawMessages(rt *rapid.T, old []domain.Message, expected domain.Revision) []domain.Message {
	msgs := messages(rapid.IntRange(1, 4).Draw(rt, "count"))
	same := rapid.IntRange(0, len(msgs)).Draw(rt, "same")
	copy(msgs[:same], old[min(int(expected+1), len(old)):])
	return msgs
}

func sameOutcome(got, want error) bool {
	var g, w *domain.Conflict
	if !errors.As(want, &w) {
		return got == nil
	}
	return errors.As(got, &g) && *g == *w
}

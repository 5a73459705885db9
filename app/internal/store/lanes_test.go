package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain"
)

// TestLanes reads events so large that a stretch of the log takes several
// batches, with some of them pruned, among others where stretches meet: all of
// them come once and in order, and only the last batch is live.
func TestLanes(t *testing.T) {
	t.Parallel()
	const appends, each, last = 30, 400, 30 * 400
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	large := strings.Repeat("x", 2000)
	for i := range appends {
		ms := make([]domain.Message, each)
		for j := range ms {
			ms[j] = domain.Message{
				ID: domain.EventIDFor(domain.CommandID{1}, i*each+j), Type: "NameSet",
				Data: fmt.Appendf(nil, `{"p":%d,"x":%q}`, i*each+j+1, large),
			}
		}
		if _, err := l.Append(t.Context(), fmt.Sprintf("enrolment-%d", i), domain.NoStream, ms...); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, path, `DROP TRIGGER events_DELETE;
		DELETE FROM events WHERE position IN (1, 2048, 2049, 4097) OR position BETWEEN 6000 AND 11000`)
	for _, q := range []domain.Query{{}, {Metadata: true}, {Types: []string{"NameSet"}}, {After: 777}, {Prefix: "enrolment-2"}} {
		want := make([]domain.Position, 0, last)
		for p := q.After + 1; p <= last; p++ {
			pruned := p == 1 || p == 2048 || p == 2049 || p == 4097 || p >= 6000 && p <= 11000
			if !pruned && strings.HasPrefix(fmt.Sprintf("enrolment-%d", (p-1)/each), q.Prefix) {
				want = append(want, p)
			}
		}
		batches, live, through := 0, 0, q.After
		err := l.ReadAll(t.Context(), q, func(b domain.Batch) error {
			batches++
			if b.Live {
				live = batches
			}
			for _, e := range b.Events {
				if len(want) == 0 || e.Position != want[0] || e.Position <= through || e.Position > b.Through ||
					!strings.HasPrefix(string(e.Data), fmt.Sprintf(`{"p":%d,`, e.Position)) {
					return fmt.Errorf("position %d, %.20s, in a batch from %d through %d", e.Position, e.Data, through, b.Through)
				}
				want = want[1:]
			}
			through = b.Through
			return nil
		})
		if err != nil || len(want) > 0 || through != last || live != batches {
			t.Errorf("%+v: %v, %d events left, through %d, batch %d of %d live", q, err, len(want), through, live, batches)
		}
	}
}

package desk_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// A town is a log and a vault, for tests that write what happened to people by
// themselves.
type town struct {
	tb    testing.TB
	log   store.Log
	vault *vault.Vault
	now   time.Time // of the stations
}

func newTown(tb testing.TB) *town {
	tb.Helper()
	dir := tb.TempDir()
	keys, err := vault.LoadOrCreateKeys(filepath.Join(dir, "master.key"))
	must(tb, err)
	log, err := store.Open(tb.Context(), store.Scheme+filepath.Join(dir, "log.db"), store.Options{})
	must(tb, err)
	v, err := vault.Open(tb.Context(), "sqlite:"+filepath.Join(dir, "vault.db"), keys, vault.Options{})
	must(tb, err)
	tb.Cleanup(func() {
		must(tb, v.Close())
		must(tb, log.Close())
	})
	return &town{tb: tb, log: log, vault: v, now: time.Now()}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// someone returns a new person.
func someone() (s domain.SubjectID) {
	_, _ = rand.Read(s[:])
	return s
}

// keep puts a value into the vault.
func (w *town) keep(s domain.SubjectID, k desk.Kind, value string) domain.Ref {
	w.tb.Helper()
	ref, err := w.vault.Put(w.tb.Context(), s, vault.Kind(k), []byte(value))
	must(w.tb, err)
	return ref
}

// staff is what HR may announce of somebody.
type staff struct{ email, name, phone, employee, team, start string }

// entry keeps what HR announces, and returns the event.
func (w *town) entry(ctx context.Context, s domain.SubjectID, p staff) (enrolment.StaffRegistered, error) {
	var values []vault.Value
	e := enrolment.StaffRegistered{Source: enrolment.RosterByHand, Batch: "b"}
	var to []**domain.Ref
	for _, f := range []struct {
		kind  vault.Kind
		value string
		to    **domain.Ref
	}{
		{vault.KindName, p.name, &e.Name},
		{vault.KindPhone, p.phone, &e.Phone},
		{vault.KindEmployee, p.employee, &e.Employee},
		{vault.KindTeam, p.team, &e.Team},
		{vault.KindStartDate, p.start, &e.Start},
	} {
		if f.value != "" {
			values, to = append(values, vault.Value{Kind: f.kind, Value: []byte(f.value)}), append(to, f.to)
		}
	}
	refs, err := w.vault.PutAll(ctx, s, append(values, vault.Value{Kind: vault.KindEmail, Value: []byte(p.email)})...)
	if err != nil {
		return e, err
	}
	for i := range to {
		*to[i] = &refs[i]
	}
	e.Email = refs[len(to)]
	return e, nil
}

// register has HR announce somebody.
func (w *town) register(p staff) domain.SubjectID {
	w.tb.Helper()
	s := someone()
	e, err := w.entry(w.tb.Context(), s, p)
	must(w.tb, err)
	by := w.stamp("desk-1")
	by.Actor = domain.Actor{Kind: domain.ActorStaff, ID: "console", Role: domain.RoleAdmin}
	messages, err := enrolment.Messages([]enrolment.Event{e}, by)
	must(w.tb, err)
	w.append(domain.EnrolmentStream(s), messages...)
	return s
}

// stamp is one of a kiosk.
func (w *town) stamp(at string) domain.Stamp {
	return domain.Stamp{
		Command: domain.CommandID(uuid.New()), Correlation: domain.EventID(uuid.New()),
		Actor:   domain.Actor{Kind: domain.ActorPerson, Role: domain.RoleSubject},
		Station: at, Policy: "2026-1", At: w.now.UTC(),
	}
}

// happens records what happened to somebody, at the station "hal-2".
func (w *town) happens(s domain.SubjectID, events ...enrolment.Event) {
	w.tb.Helper()
	w.happensAt("hal-2", s, events...)
}

func (w *town) happensAt(at string, s domain.SubjectID, events ...enrolment.Event) {
	w.tb.Helper()
	messages, err := enrolment.Messages(events, w.stamp(at))
	must(w.tb, err)
	w.append(domain.EnrolmentStream(s), messages...)
}

// append puts messages behind whatever a stream holds.
func (w *town) append(stream string, messages ...domain.Message) {
	w.tb.Helper()
	there, err := w.log.ReadStream(w.tb.Context(), stream, 0)
	must(w.tb, err)
	_, err = w.log.Append(w.tb.Context(), stream, domain.Revision(len(there)-1), messages...)
	must(w.tb, err)
}

// notes records what a station did.
func (w *town) notes(id string, e station.Event) {
	w.tb.Helper()
	m, err := station.Message(e, w.stamp(id))
	must(w.tb, err)
	w.append(station.Stream(id), m)
}

// opener is the vault as the directory wants it.
type opener struct{ *vault.Vault }

func (o opener) GetMany(ctx context.Context, wanted ...desk.Wanted) ([]desk.Opened, error) {
	all := make([]vault.Wanted, len(wanted))
	for i, w := range wanted {
		all[i] = vault.Wanted{Subject: w.Subject, Kind: vault.Kind(w.Kind), Ref: w.Ref}
	}
	opened, err := o.Vault.GetMany(ctx, all...)
	out := make([]desk.Opened, len(opened))
	for i, v := range opened {
		out[i] = desk.Opened(v)
	}
	return out, err
}

func (w *town) directory(v desk.Opener) *desk.Directory {
	return desk.NewDirectory(desk.DirectoryConfig{
		Log: w.log, Vault: v, Policy: enrolment.DefaultPolicy(), Now: time.Now, Report: func(err error) { w.tb.Error(err) },
	})
}

// held returns a directory that somebody needs until the test ends, once it has
// everybody.
func (w *town) held() *desk.Directory {
	w.tb.Helper()
	d := w.directory(opener{w.vault})
	w.tb.Cleanup(d.Hold(w.tb.Context()))
	eventually(w.tb, "the directory is ready", func() bool { return d.State().Ready })
	return d
}

// eventually waits for something that has to come.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("it did not come to it that %s", what)
		}
	}
}

var firstNames = []string{"Sanne", "Mehmet", "Lotte", "Amara", "Pieter", "Yara", "Bram", "Noor", "Daan", "Eva", "Şükrü", "Renée", "IJsbrand", "Zoë", "Jörg", "Femke"}

var lastNames = []string{
	"de Vries", "Yılmaz", "Jansen", "Okafor", "van Dam", "el Amrani", "Hoekstra", "Willems", "Smit", "Bos", "Öztürk", "van 't Hoff",
	"Groß", "Łukasiewicz", "d'Angelo", "Bakker-Postma", "van der Berg", "Visser", "Meijer", "Mulder", "Peters", "Kok",
}

// colleague returns what HR announces of the n-th of many.
func colleague(n int) staff {
	first, last := firstNames[n%len(firstNames)], lastNames[n/len(firstNames)%len(lastNames)]
	return staff{
		email: fmt.Sprintf("collega.%d@voorbeeld.nl", n), name: fmt.Sprintf("%s %s", first, last),
		phone: fmt.Sprintf("+316%08d", 10_000_000+n), employee: fmt.Sprintf("E%06d", n),
		team: []string{"De Kleurendans", "Het Plankier", "De Toermalijn", "De Waterlelie"}[n%4], start: fmt.Sprintf("2026-12-%02d", 1+n%28),
	}
}

// crowd has HR announce so many people.
func (w *town) crowd(n int) []domain.SubjectID {
	w.tb.Helper()
	all := make([]domain.SubjectID, n)
	var workers sync.WaitGroup
	next := make(chan int)
	for range 64 {
		workers.Go(func() {
			for i := range next {
				s := someone()
				e, err := w.entry(context.Background(), s, colleague(i))
				if err != nil {
					w.tb.Error(err)
					continue
				}
				messages, err := enrolment.Messages([]enrolment.Event{e}, w.stamp(""))
				if err == nil {
					_, err = w.log.Append(context.Background(), domain.EnrolmentStream(s), domain.NoStream, messages...)
				}
				if err != nil {
					w.tb.Error(err)
				}
				all[i] = s
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	return all
}

// awayLog is a log that cannot be reached.
type awayLog struct{ desk.Log }

func (awayLog) ReadStream(context.Context, string, domain.Revision) ([]domain.Recorded, error) {
	return nil, domain.ErrUnavailable
}

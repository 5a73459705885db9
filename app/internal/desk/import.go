package desk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A StaffList is a list of staff that HR has somewhere else: a file, say.
type StaffList struct {
	Source enrolment.RosterSource
	Digest [32]byte // of all of it; the same list again has the same
	// Tells names what the list says of people. Of that, nothing said of somebody
	// takes away what was announced; all else stays as it was.
	Tells  []StaffField
	People []Person
}

// A StaffField is something that HR announces of a person, beside the address.
type StaffField string

// The fields of staff.
const (
	StaffName     StaffField = "name"
	StaffPhone    StaffField = "phone"
	StaffEmployee StaffField = "employee"
	StaffStart    StaffField = "start"
	StaffTeam     StaffField = "team"
	StaffLanguage StaffField = "language"
)

// everything is what a list may tell.
var everything = []StaffField{StaffName, StaffPhone, StaffEmployee, StaffStart, StaffTeam, StaffLanguage}

var (
	// ErrListedTwice is of an entry of a list with an address that stands further up.
	ErrListedTwice = errors.New("the same address further up")
	// ErrNotEverybody says that an entry cannot be used, and whom it is about is not
	// known, so that nobody can be said to be missing.
	ErrNotEverybody = errors.New("who is missing cannot be said while an entry cannot be used")
	// ErrSaidMeanwhile is of somebody who would have left, and of whom HR said something
	// else since the plan was made.
	ErrSaidMeanwhile = errors.New("HR said something else of them meanwhile")
)

// An ImportPlan is what an import will do. Nothing is recorded yet.
type ImportPlan struct {
	Batch   string // names the import in the events; the same list has the same
	Steps   []ImportStep
	Same    int // of whom the list says what was announced already
	Refused []ImportRefusal

	list StaffList
	by   Agent
}

// Count says how many steps are of a kind.
func (p *ImportPlan) Count(do ImportAct) (n int) {
	for _, s := range p.Steps {
		if s.Do == do {
			n++
		}
	}
	return n
}

// ImportAct is what happens to one person.
type ImportAct string

// The acts of an import.
const (
	ImportNew    ImportAct = "new"
	ImportChange ImportAct = "change"
	ImportLeave  ImportAct = "leave"
)

// An ImportStep is what will happen to one person.
type ImportStep struct {
	Do      ImportAct
	At      int    // in StaffList.People; of who leaves: -1
	Email   string // of who leaves, the one that was announced
	Changes []StaffField

	subject domain.SubjectID // zero: nobody has the address yet
	said    int              // of who leaves: how often HR had said something of them
}

// An ImportRefusal is an entry that nothing will be done about.
type ImportRefusal struct {
	At      int              // in StaffList.People; -1: somebody who may have left
	Subject domain.SubjectID // zero: nobody has the address yet
	Err     error
}

// ImportOptions are what an import is asked for beside the list.
type ImportOptions struct {
	// Leavers says that the list is of everybody: who is on the roster, and not on the
	// list, leaves.
	Leavers bool
	// By is who imports; nil: the console.
	By *Agent
	// Progress is told how far it is, often, by one goroutine at a time; it may be nil.
	Progress func(done, total int)
}

// How many people are looked at, and recorded, at once. Those who are recorded at
// the same time share the log's and the vault's writes to the disk.
const (
	importReads  = 8
	importWrites = 64
)

// PlanImport says what the import of a list would do, and does nothing. An entry
// that cannot be used is refused by itself, and so is a person whose events this
// program does not understand.
func (d *Desk) PlanImport(ctx context.Context, l StaffList, o ImportOptions) (ImportPlan, error) {
	p := ImportPlan{Batch: d.batch(l), list: l, by: Console()}
	if o.By != nil {
		p.by = *o.By
	}
	p.list.People = slices.Clone(l.People)
	steps, refused := make([]ImportStep, len(l.People)), make([]error, len(l.People))
	seen := map[string]bool{}
	for i := range p.list.People {
		entry := &p.list.People[i]
		if err := d.check(entry); err != nil {
			refused[i] = err
			continue
		}
		key, err := d.NormalEmail(entry.Email)
		if err == nil && seen[key] {
			err = ErrListedTwice
		}
		seen[key], refused[i] = true, err
	}
	count := counter(len(l.People), o.Progress)
	err := each(ctx, importReads, len(steps), func(ctx context.Context, i int) (err error) {
		defer count()
		if refused[i] == nil {
			steps[i], err = d.planFor(ctx, i, &p.list)
		}
		if ofOnePerson(err) {
			refused[i], err = err, nil
		}
		return err
	})
	if err != nil {
		return p, fmt.Errorf("plan an import: %w", err)
	}
	listed := map[domain.SubjectID]bool{}
	for i, s := range steps {
		listed[s.subject] = true
		switch {
		case refused[i] != nil:
			p.Refused = append(p.Refused, ImportRefusal{i, s.subject, refused[i]})
		case s.Do == "":
			p.Same++
		default:
			p.Steps = append(p.Steps, s)
		}
	}
	if o.Leavers {
		if slices.ContainsFunc(p.Refused, func(r ImportRefusal) bool { return r.Subject.IsZero() }) {
			return p, ErrNotEverybody
		}
		if err := d.planLeavers(ctx, &p, listed); err != nil {
			return p, fmt.Errorf("plan who leaves: %w", err)
		}
	}
	return p, nil
}

// planFor says what happens to one entry; nothing where all is known already.
func (d *Desk) planFor(ctx context.Context, at int, l *StaffList) (ImportStep, error) {
	want := l.People[at]
	step := ImportStep{At: at, Email: want.Email}
	s, err := d.People.Find(ctx, want.Email)
	if errors.Is(err, domain.ErrNotFound) {
		step.Do = ImportNew
		return step, nil
	}
	step.subject = s
	if err != nil {
		return step, err
	}
	was, on, err := d.OnRoster(ctx, s)
	if err != nil {
		return step, err
	}
	if !on {
		step.Do = ImportNew
		return step, nil
	}
	for _, f := range l.Tells {
		if *want.field(f) != *was.field(f) {
			step.Do, step.Changes = ImportChange, append(step.Changes, f)
		}
	}
	return step, nil
}

// planLeavers adds who is on the roster and not on the list. They are shown to whoever
// imports, who did not name them: that is recorded before.
func (d *Desk) planLeavers(ctx context.Context, p *ImportPlan, listed map[domain.SubjectID]bool) error {
	var others []domain.SubjectID
	err := d.People.Everybody(ctx, func(s domain.SubjectID) bool {
		if !listed[s] {
			others = append(others, s)
		}
		return true
	})
	if err != nil {
		return err
	}
	steps, refused := make([]ImportStep, len(others)), make([]error, len(others))
	err = each(ctx, importReads, len(others), func(ctx context.Context, i int) error {
		r, err := d.load(ctx, others[i])
		if err == nil && r.state.Staff.Registered {
			steps[i] = ImportStep{Do: ImportLeave, At: -1, subject: others[i], said: r.said()}
			steps[i].Email, err = d.open(ctx, others[i], KindEmail, r.state.Staff.Email)
		}
		if ofOnePerson(err) {
			refused[i], err = err, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range steps {
		if refused[i] != nil {
			p.Refused = append(p.Refused, ImportRefusal{-1, others[i], refused[i]})
		} else if steps[i].Do != "" {
			p.Steps = append(p.Steps, steps[i])
		}
	}
	if slices.ContainsFunc(p.Steps, func(s ImportStep) bool { return s.Do == ImportLeave }) {
		return d.NoteListing(ctx, p.by)
	}
	return nil
}

// An Imported says what an import has recorded.
type Imported struct {
	Done    int // steps that were taken, or turned out to have been before
	Refused []ImportRefusal
}

// Import takes the steps of a plan. It may be broken off at any moment: the plan of
// the same list then holds what is left, and nothing is recorded twice. Each step is
// decided on what is known of the person when it is taken. An error ends it; what is
// wrong with one person alone does not.
func (d *Desk) Import(ctx context.Context, p ImportPlan, progress func(done, total int)) (Imported, error) {
	var mu sync.Mutex
	var result Imported
	count := counter(len(p.Steps), progress)
	err := each(ctx, importWrites, len(p.Steps), func(ctx context.Context, i int) error {
		step := p.Steps[i]
		err := d.take(ctx, &p, &step)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ofOnePerson(err):
			result.Refused = append(result.Refused, ImportRefusal{step.At, step.subject, err})
		case err != nil:
			return err
		default:
			result.Done++
		}
		count()
		return nil
	})
	slices.SortFunc(result.Refused, func(a, b ImportRefusal) int { return a.At - b.At })
	if err != nil {
		return result, fmt.Errorf("import: %w", err)
	}
	return result, nil
}

// take records one step.
func (d *Desk) take(ctx context.Context, p *ImportPlan, step *ImportStep) error {
	if step.Do != ImportLeave {
		s, err := d.People.Claim(ctx, step.Email)
		if err != nil {
			return err
		}
		step.subject = s
		return d.announce(ctx, s, p.list.People[step.At], announcement{
			p.list.Source, p.Batch, p.list.Tells,
			func(batch string, s domain.SubjectID, r record) domain.Stamp {
				return d.importStamp(p.by, batch, s, r.said())
			},
		})
	}
	left := enrolment.RecordLeft{Left: enrolment.StaffLeft{Source: p.list.Source, Batch: p.Batch}}
	_, _, err := d.actOn(ctx, step.subject, d.importStamp(p.by, p.Batch, step.subject, step.said), func(r record) (enrolment.Command, error) {
		if r.state.Staff.Registered && r.said() != step.said {
			return nil, ErrSaidMeanwhile
		}
		return left, nil
	})
	return err
}

// batch names the import of a list. It is the same for the same list, and tells
// nobody without the master key what is in it: a short list could be guessed.
func (d *Desk) batch(l StaffList) string {
	key, _ := d.Keys.Derive("roster batch")
	h := hmac.New(sha256.New, key[:])
	h.Write(l.Digest[:])
	return string(l.Source) + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// importStamp names the act that an import is to one person: the same whenever the
// same list is imported, until HR says something else of them meanwhile.
func (d *Desk) importStamp(who Agent, batch string, s domain.SubjectID, said int) domain.Stamp {
	all := sha256.Sum256([]byte(batch))
	one := sha256.Sum256(append(all[:], s[:]...))
	by := d.agentStamp(who, newCommand())
	by.Correlation = domain.EventIDFor(domain.CommandID(all[:16]), 0)
	by.Command = domain.CommandID(domain.EventIDFor(domain.CommandID(one[:16]), said))
	return by
}

// said counts what HR has said of a person.
func (r record) said() (n int) {
	for _, e := range r.events {
		switch e.Type {
		case "StaffRegistered", "StaffChanged", "StaffLeft":
			n++
		}
	}
	return n
}

// ofOnePerson says that an error is about one entry, and the next may be better.
func ofOnePerson(err error) bool {
	return errors.Is(err, domain.ErrUnknownEvent) || errors.Is(err, domain.ErrErased) || errors.Is(err, ErrSaidMeanwhile)
}

// each does something n times, in order, so many at once, and ends at the first error.
func each(ctx context.Context, atOnce, n int, do func(ctx context.Context, i int) error) error {
	all, within := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	for i := range n {
		if within.Err() != nil {
			break
		}
		all.Go(func() error { return do(within, i) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// counter counts up to a total, and tells.
func counter(total int, tell func(done, total int)) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if tell != nil {
			tell(done, total)
		}
	}
}

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// A Person is one entry of the roster, as the command line or a list gives it.
type Person struct {
	Subject  domain.SubjectID
	Email    string
	Name     string
	Phone    string // as HR has it; may be none that gets SMS
	Employee string // the employer's number for them
	Start    string // their first day: 2026-12-01
	Team     string
	Language string // "nl", "en" or empty
}

// field returns where a field stands.
func (p *Person) field(f StaffField) *string {
	switch f {
	case StaffName:
		return &p.Name
	case StaffPhone:
		return &p.Phone
	case StaffEmployee:
		return &p.Employee
	case StaffStart:
		return &p.Start
	case StaffTeam:
		return &p.Team
	case StaffLanguage:
		return &p.Language
	}
	panic("a field of staff that a person does not have")
}

// The refusals of an entry, beside those of an address, a name and a number.
var (
	// ErrNotADay: no first day; it is written 2026-12-01.
	ErrNotADay = errors.New("not a day")
	// ErrNotALine: an employee number or a team that is longer than one is, or holds
	// what no line of text does.
	ErrNotALine = errors.New("not a line of text")
	// ErrNotSpoken: a language that nobody is spoken to in.
	ErrNotSpoken = errors.New("not a language that is spoken here")
)

// check says whether an entry can be used, and writes it as it will be kept.
func (d *Desk) check(p *Person) error {
	a, err := enrolment.ParseAddress(p.Email)
	if err != nil {
		return err
	}
	p.Email = a.String()
	if p.Phone != "" {
		n, err := d.Policy.ParsePhone(p.Phone)
		if err != nil {
			return err
		}
		p.Phone = n.E164
	}
	if p.Name != "" {
		if p.Name, err = cleanName(p.Name); err != nil {
			return err
		}
	}
	for _, text := range []*string{&p.Employee, &p.Team} {
		*text = strings.Join(strings.Fields(*text), " ")
		if !utf8.ValidString(*text) || utf8.RuneCountInString(*text) > 100 || strings.ContainsFunc(*text, unicode.IsControl) {
			return ErrNotALine
		}
	}
	if _, err := time.Parse(time.DateOnly, p.Start); p.Start != "" && err != nil {
		return ErrNotADay
	}
	if p.Language != "" && !slices.Contains(d.Languages, p.Language) {
		return ErrNotSpoken
	}
	return nil
}

// AddToRoster records what HR announces of somebody. The same again changes
// nothing; something else replaces what was announced before. A number that
// gets no SMS, or of a country that is not allowed, is refused, and so is a
// name that nobody can have.
func (d *Desk) AddToRoster(ctx context.Context, p Person, batch string) (domain.SubjectID, error) {
	if err := d.check(&p); err != nil {
		return domain.SubjectID{}, err
	}
	s, err := d.People.Claim(ctx, p.Email)
	if err != nil {
		return s, err
	}
	return s, d.announce(ctx, s, p, announcement{
		enrolment.RosterByHand, batch, everything,
		func(string, domain.SubjectID, record) domain.Stamp { return d.adminStamp() },
	})
}

// An announcement says how somebody comes to be announced.
type announcement struct {
	source enrolment.RosterSource
	batch  string
	tells  []StaffField // all else stays as it was
	stamp  func(batch string, s domain.SubjectID, r record) domain.Stamp
}

// announce records an entry of a person. A value that is known already keeps the
// reference that it has. Where somebody else was faster, the entry is made anew: what
// it does not tell stays as it is by then.
func (d *Desk) announce(ctx context.Context, s domain.SubjectID, p Person, how announcement) error {
	for range maxRedecide {
		r, err := d.load(ctx, s)
		if err != nil {
			return err
		}
		entry, known, err := d.entry(ctx, s, p, how, r.state)
		if err != nil {
			return err
		}
		by, register := how.stamp(how.batch, s, r), enrolment.RegisterStaff{Entry: entry}
		_, events, err := d.act(ctx, s, by, func(now enrolment.State) (enrolment.Command, error) {
			if now.Staff != r.state.Staff || addressOf(now) != addressOf(r.state) {
				return nil, errOvertaken
			}
			return register, nil
		})
		if errors.Is(err, errOvertaken) {
			continue
		}
		if err == nil && len(events) > 0 {
			known, err = d.announced(ctx, s, by.Command)
		}
		if err != nil {
			return err
		}
		return d.People.Activate(ctx, s, known...)
	}
	return fmt.Errorf("announce %s: %w", s, domain.ErrConflict)
}

// announced returns what an announcement that was recorded names in the vault. That may
// not be what was put there for it: the same act may have been somebody else's, a moment
// before.
func (d *Desk) announced(ctx context.Context, s domain.SubjectID, c domain.CommandID) (refs []domain.Ref, err error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return nil, err
	}
	events, _, err := r.own(c)
	for _, e := range events {
		var entry enrolment.StaffRegistered
		switch e := e.(type) { //nolint:gochecksumtype // an announcement records these alone
		case enrolment.StaffRegistered:
			entry = e
		case enrolment.StaffChanged:
			entry = enrolment.StaffRegistered(e)
		}
		refs = append(refs, entry.Email)
		for _, ref := range []*domain.Ref{entry.Name, entry.Phone, entry.Employee, entry.Team, entry.Start} {
			if ref != nil {
				refs = append(refs, *ref)
			}
		}
	}
	return refs, err
}

// errOvertaken: what an entry was made from is not so any more.
var errOvertaken = errors.New("announced by somebody else meanwhile")

// entry returns what is announced of a person from now on, and which of its
// references were known already.
func (d *Desk) entry(ctx context.Context, s domain.SubjectID, p Person, how announcement, state enrolment.State) (entry enrolment.StaffRegistered, known []domain.Ref, err error) {
	was := state.Staff
	entry = enrolment.StaffRegistered{Source: how.source, Batch: how.batch, Language: p.Language}
	if !slices.Contains(how.tells, StaffLanguage) {
		entry.Language = was.Language
	}
	var unknown []Value
	var to []**domain.Ref
	for _, f := range []struct {
		field StaffField
		kind  Kind
		was   domain.Ref
		to    **domain.Ref
	}{
		{StaffName, KindName, was.Name, &entry.Name},
		{StaffPhone, KindPhone, was.Phone, &entry.Phone},
		{StaffEmployee, KindEmployee, was.Employee, &entry.Employee},
		{StaffTeam, KindTeam, was.Team, &entry.Team},
		{StaffStart, KindStartDate, was.Start, &entry.Start},
	} {
		value, told := *p.field(f.field), slices.Contains(how.tells, f.field)
		if told && value == "" || !told && f.was.IsZero() {
			continue
		}
		if told {
			old, err := d.open(ctx, s, f.kind, f.was)
			if err != nil {
				return entry, nil, err
			}
			if old != value {
				unknown, to = append(unknown, Value{f.kind, []byte(value)}), append(to, f.to)
				continue
			}
		}
		*f.to, known = &f.was, append(known, f.was)
	}
	entry.Email = addressOf(state)
	if entry.Email.IsZero() {
		unknown = append(unknown, Value{KindEmail, []byte(p.Email)})
	} else {
		known = append(known, entry.Email)
	}
	refs, err := d.People.Put(ctx, s, unknown...)
	if err != nil {
		return entry, nil, err
	}
	for i := range to {
		*to[i] = &refs[i]
	}
	if entry.Email.IsZero() {
		entry.Email = refs[len(to)]
	}
	return entry, known, nil
}

// keep returns a reference to a value: the one that it has already, if the
// value is the same, else a new one.
func (d *Desk) keep(ctx context.Context, s domain.SubjectID, k Kind, value string, was domain.Ref) (domain.Ref, error) {
	if old, err := d.open(ctx, s, k, was); err != nil || old == value {
		return was, err
	}
	return d.put(ctx, s, k, []byte(value))
}

// OnRoster returns what HR announced of a person; false for somebody whom HR
// did not announce.
func (d *Desk) OnRoster(ctx context.Context, s domain.SubjectID) (Person, bool, error) {
	r, err := d.load(ctx, s)
	if err != nil || !r.state.Staff.Registered {
		return Person{}, false, err
	}
	staff := r.state.Staff
	p := Person{Subject: s, Language: staff.Language}
	for _, f := range []struct {
		kind Kind
		ref  domain.Ref
		to   *string
	}{
		{KindEmail, staff.Email, &p.Email},
		{KindName, staff.Name, &p.Name},
		{KindPhone, staff.Phone, &p.Phone},
		{KindEmployee, staff.Employee, &p.Employee},
		{KindTeam, staff.Team, &p.Team},
		{KindStartDate, staff.Start, &p.Start},
	} {
		if *f.to, err = d.open(ctx, s, f.kind, f.ref); err != nil {
			return p, true, err
		}
	}
	return p, true, nil
}

// Unlock clears a person's count of wrong codes, so that they can go on.
func (d *Desk) Unlock(ctx context.Context, s domain.SubjectID) error {
	_, _, err := d.act(ctx, s, d.adminStamp(), func(enrolment.State) (enrolment.Command, error) {
		return enrolment.Unlock{Reason: enrolment.UnlockedByAdmin}, nil
	})
	return err
}

// Subject returns the person who is meant: by their id, or by their address.
// Nobody is domain.ErrNotFound.
func (d *Desk) Subject(ctx context.Context, emailOrID string) (domain.SubjectID, error) {
	if s, err := domain.ParseSubjectID(emailOrID); err == nil {
		return s, nil
	}
	return d.People.Find(ctx, emailOrID)
}

// Tidy removes values from the vault that were written for an append that
// never happened: older than a day, and named by no event of their person.
func (d *Desk) Tidy(ctx context.Context) (int, error) {
	return d.People.Collect(ctx, d.Now().Add(-24*time.Hour), func(ctx context.Context, s domain.SubjectID, ref domain.RefID) (bool, error) {
		for _, stream := range []string{domain.EnrolmentStream(s), login.Stream(s)} {
			events, err := d.Log.ReadStream(ctx, stream, 0)
			if err != nil && !errors.Is(err, domain.ErrNotFound) {
				return false, fmt.Errorf("read %s: %w", stream, err)
			}
			for _, e := range events {
				if names(e.Data, ref) {
					return true, nil
				}
			}
		}
		return false, nil
	})
}

// names says whether an event refers to a value, anywhere in it. It looks at
// all events alike, those of unknown types too: rather keep too much.
func names(data []byte, id domain.RefID) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return true
	}
	for _, field := range fields {
		var ref struct {
			ID string `json:"ref"`
		}
		if json.Unmarshal(field, &ref) == nil && ref.ID == id.String() {
			return true
		}
	}
	return false
}

package desk

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// people is what the directory hears of enrolments, as a projection.
type people struct {
	directory *Directory
	position  domain.Position
}

func (p *people) Position() domain.Position { return p.position }

func (p *people) Apply(events []domain.Recorded, through domain.Position) {
	d := p.directory
	d.mu.Lock()
	for i := range events {
		if r := &events[i]; r.Position > p.position {
			d.hear(r)
		}
	}
	if len(d.jobs) > 0 {
		d.work.Broadcast()
	}
	d.mu.Unlock()
	if p.position = max(p.position, through); len(events) > 0 {
		d.tell()
	}
}

// hear notes what an event says of a person. What cannot be understood says nothing:
// whose name and number it is does not change by it.
func (d *Directory) hear(r *domain.Recorded) {
	s, ok := domain.SubjectOfStream(r.Stream)
	if !ok {
		return
	}
	row, known := d.rows[s]
	if !known {
		row = int32(len(d.cards)) //nolint:gosec // people
		d.rows[s] = row
		d.cards = append(d.cards, card{subject: s})
	}
	switch r.Type {
	case "StaffRegistered", "StaffChanged", "CodeIssued", "EmailConfirmed", "NameSet", "PhoneGiven", "PhoneVerified", "HelpCodeShown",
		"InvitationIssued":
	case "EnrolmentReset":
		d.set(row, ownName, domain.Ref{})
		d.set(row, givenPhone, domain.Ref{})
		d.set(row, ownPhone, domain.Ref{})
		return
	case "PersonErased":
		d.forget(row)
		return
	default:
		return
	}
	if c := &d.cards[row]; r.Type == "CodeIssued" && c.refs[staffEmail]|c.refs[askedEmail]|c.refs[ownEmail]|c.refs[invitedEmail] != 0 {
		return // where it is sent to is known
	}
	e, err := enrolment.Decode(r.Type, r.Data)
	if err != nil {
		return
	}
	switch e := e.(type) { //nolint:gochecksumtype // those that say what somebody is found by
	case enrolment.StaffRegistered:
		d.announced(row, e)
	case enrolment.StaffChanged:
		d.announced(row, enrolment.StaffRegistered(e))
	case enrolment.CodeIssued:
		if e.Purpose == enrolment.ConfirmingEmail {
			d.set(row, askedEmail, e.To)
		}
	case enrolment.InvitationIssued:
		d.set(row, invitedEmail, e.Email)
		d.setIf(row, invitedName, e.Name)
		d.setIf(row, invitedPhone, e.Phone)
	case enrolment.EmailConfirmed:
		d.set(row, ownEmail, e.Email)
	case enrolment.NameSet:
		d.set(row, ownName, e.Name)
	case enrolment.PhoneGiven:
		d.set(row, givenPhone, e.Phone)
	case enrolment.PhoneVerified:
		d.set(row, ownPhone, e.Phone)
		d.set(row, givenPhone, domain.Ref{})
	case enrolment.HelpCodeShown:
		d.shown(string(e.Help), helpCode{subject: s, at: r.Recorded})
	}
}

// forget overwrites all that is known of a person who was erased.
func (d *Directory) forget(row int32) {
	c := &d.cards[row]
	clear(c.text)
	*c = card{subject: c.subject}
	for code, all := range d.help {
		d.help[code] = slices.DeleteFunc(all, func(h helpCode) bool { return h.subject == c.subject })
	}
}

func (d *Directory) announced(row int32, e enrolment.StaffRegistered) {
	d.set(row, staffEmail, e.Email)
	d.setIf(row, staffName, e.Name)
	d.setIf(row, staffPhone, e.Phone)
	d.setIf(row, staffEmployee, e.Employee)
	d.setIf(row, staffTeam, e.Team)
	d.setIf(row, staffStart, e.Start)
}

// setIf is set of what may not be there.
func (d *Directory) setIf(row int32, s slot, ref *domain.Ref) {
	if ref == nil {
		ref = &domain.Ref{}
	}
	d.set(row, s, *ref)
}

// set says what a slot refers to from now on. A reference that it has is opened
// already, or will be.
func (d *Directory) set(row int32, s slot, ref domain.Ref) {
	c := &d.cards[row]
	short := shortRef(ref)
	if c.refs[s] == short {
		return
	}
	c.refs[s] = short
	switch same := d.holder(c, s, short); {
	case short == 0:
		d.write(c, map[slot][]byte{s: nil})
	case same != s:
		d.write(c, map[slot][]byte{s: slices.Clone(c.value(same))})
	default:
		d.jobs, d.noted = append(d.jobs, job{row, s, ref}), d.noted+1
	}
}

// holder returns another slot of a card that holds the value of a reference already.
func (d *Directory) holder(c *card, s slot, short uint64) slot {
	for other := range slots {
		if other != s && c.refs[other] == short && len(c.value(other)) > 0 {
			return other
		}
	}
	return s
}

// shortRef stands for a reference: they are random, so its first bytes do.
func shortRef(r domain.Ref) uint64 { return binary.BigEndian.Uint64(r.ID[:8]) }

// write changes values of a card, and what it is found by. The old text is overwritten.
func (d *Directory) write(c *card, changed map[slot][]byte) {
	var values [slots][]byte
	size := 0
	for s := range slots {
		v, ok := changed[s]
		if !ok {
			v = c.value(s)
		}
		if len(v) <= longestValue {
			values[s] = v
			size += len(v)
		}
	}
	words := d.foundBy(&values)
	for _, w := range words {
		size += 1 + len(w)
	}
	text := make([]byte, 0, size)
	var ends [slots]uint16
	for s, v := range values {
		text = append(text, v...)
		ends[s] = uint16(len(text)) //nolint:gosec // slots times longestValue at most
	}
	for _, w := range words {
		text = append(append(text, '\n'), w...)
	}
	clear(c.text)
	c.text, c.ends = text, ends
}

// foundBy returns the words that somebody with these values is found by, each once.
func (d *Directory) foundBy(values *[slots][]byte) []string {
	var words []string
	for s, v := range values {
		if len(v) == 0 {
			continue
		}
		text := string(v)
		switch slotKinds[s] { //nolint:exhaustive // the others are told apart by words
		case KindEmail:
			words = append(words, addressWords(text)...)
		case KindPhone:
			words = append(words, numberWords(d.c.Policy, text)...)
		default:
			words = append(words, wordsOf(text)...)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// stationHelp is what the directory hears of stations, as a projection.
type stationHelp struct {
	directory *Directory
	position  domain.Position
}

func (p *stationHelp) Position() domain.Position { return p.position }

func (p *stationHelp) Apply(events []domain.Recorded, through domain.Position) {
	d := p.directory
	for i := range events {
		r := &events[i]
		if r.Position <= p.position || r.Type != "HelpCodeShown" {
			continue
		}
		e, err := station.Decode(r.Type, r.Data)
		if shown, ok := e.(station.HelpCodeShown); ok && err == nil {
			d.mu.Lock()
			d.shown(shown.Help, helpCode{station: strings.Clone(strings.TrimPrefix(r.Stream, domain.StationPrefix)), at: r.Recorded})
			d.mu.Unlock()
		}
	}
	p.position = max(p.position, through)
}

// shown notes a help code, and forgets those of that letter and digits whose time is over.
func (d *Directory) shown(code string, h helpCode) {
	oldest := d.c.Now().Add(-helpLife)
	if h.at.Before(oldest) {
		return
	}
	code = strings.Clone(code)
	d.help[code] = append(slices.DeleteFunc(d.help[code], func(h helpCode) bool { return h.at.Before(oldest) }), h)
}

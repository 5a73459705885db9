package desk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/feed"
)

// A Wanted is a value of the vault that is asked for among many.
type Wanted struct {
	Subject domain.SubjectID
	Kind    Kind
	Ref     domain.Ref
}

// An Opened is what the vault says of a Wanted: the value, or why it has none.
type Opened struct {
	Value []byte
	Err   error
}

// An Opener opens many values at once, in the order that they are asked for in. What
// is wrong with one is no matter to the others.
type Opener interface {
	GetMany(ctx context.Context, wanted ...Wanted) ([]Opened, error)
}

// DirectoryConfig is what a Directory is made of. All fields are needed.
type DirectoryConfig struct {
	Log    feed.Log
	Vault  Opener
	Policy enrolment.Policy // how phone numbers are read
	Now    func() time.Time
	Report func(error) // told of what cannot be opened, and of faults
}

// A Directory is the index over everybody's name, address, numbers, team and first
// day, by which the helpdesk finds people. It is the one place where opened personal
// data of everybody is together, so it is in memory only, exists only while somebody
// needs it (Hold), and is overwritten after that. Only hits leave it.
//
// It follows the log, and opens from the vault what each event refers to: so a
// change shows in it some milliseconds after it was recorded.
//
// It takes some 500 bytes a person. All methods may be called concurrently.
type Directory struct {
	c DirectoryConfig

	mu      sync.RWMutex
	rows    map[domain.SubjectID]int32
	cards   []card
	help    map[string][]helpCode
	jobs    []job // what is to be opened next
	open    bool
	started [2]bool      // whether each feed has reached the log's end once
	noted   int          // values that were to be opened, ever
	under   [openers]int // values that each worker is opening
	changed uint64       // grows with each change
	watched map[chan struct{}]bool
	work    *sync.Cond

	holding sync.Mutex
	holds   int
	stop    context.CancelFunc
	ended   chan struct{}
}

// NewDirectory returns a directory that knows nobody, until it is held.
func NewDirectory(c DirectoryConfig) *Directory {
	d := &Directory{c: c, watched: map[chan struct{}]bool{}}
	d.work = sync.NewCond(&d.mu)
	d.wipe()
	return d
}

// A field of a person's card: what HR announced, and what the person gave.
type slot uint8

const (
	staffEmail slot = iota
	staffName
	staffPhone
	staffEmployee
	staffTeam
	staffStart
	askedEmail // where the first code was sent to
	invitedEmail
	invitedName
	invitedPhone
	ownEmail
	ownName
	givenPhone // not verified yet
	ownPhone
	slots
)

var slotKinds = [slots]Kind{
	KindEmail, KindName, KindPhone, KindEmployee, KindTeam, KindStartDate, KindEmail, KindEmail, KindName, KindPhone, KindEmail, KindName, KindPhone, KindPhone,
}

// longestValue is the longest value that is kept, in bytes. Nothing that people are called
// or found by is longer.
const longestValue = 1 << 10

// longestSearch is as long as anything that somebody would type, in bytes.
const longestSearch = 300

// A card is one person in the directory. Its text holds the values of the slots, one
// behind the other, and then the words that it is found by, with a line feed before
// each. It is bytes, and no string, so that it can be overwritten.
type card struct {
	subject domain.SubjectID
	refs    [slots]uint64 // the first bytes of each reference; 0: there is none
	ends    [slots]uint16 // where each value ends in text
	text    []byte
}

func (c *card) value(s slot) []byte {
	from := uint16(0)
	if s > 0 {
		from = c.ends[s-1]
	}
	return c.text[from:c.ends[s]]
}

// first returns the first value that there is.
func (c *card) first(of ...slot) string {
	for _, s := range of {
		if v := c.value(s); len(v) > 0 {
			return string(v)
		}
	}
	return ""
}

// words returns what the card is found by.
func (c *card) words() []byte { return c.text[c.ends[slots-1]:] }

type helpCode struct {
	subject domain.SubjectID // zero: of a stranger
	station string
	at      time.Time
}

// helpLife is for how long a help code finds somebody.
const helpLife = 24 * time.Hour

// A job is a value that is to be opened.
type job struct {
	row  int32
	slot slot
	ref  domain.Ref
}

// Hold says that somebody needs the directory, until they release it. The first one
// has it filled; when the last one has released it, it is overwritten, which it is
// when release returns.
func (d *Directory) Hold(ctx context.Context) (release func()) {
	d.holding.Lock()
	defer d.holding.Unlock()
	d.holds++
	if d.holds == 1 {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		d.stop, d.ended = stop, ended
		go func() {
			defer close(ended)
			d.Run(ctx)
		}()
	}
	return sync.OnceFunc(func() {
		d.holding.Lock()
		defer d.holding.Unlock()
		if d.holds--; d.holds == 0 {
			d.stop()
			<-d.ended
		}
	})
}

// openers is how many values are opened from at once; opening is what filling takes
// its time for.
const openers = 2

// Run fills the directory and keeps it up to date, until ctx ends; then it is
// overwritten. Where several may need it, they Hold it instead.
func (d *Directory) Run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d.mu.Lock()
	d.open = true
	d.mu.Unlock()
	feeds := [...]*feed.Feed{
		feed.Over(domain.EnrolmentPrefix, d.c.Log, d.c.Now, &people{directory: d}),
		feed.Over(domain.StationPrefix, d.c.Log, d.c.Now, &stationHelp{directory: d}),
	}
	var all sync.WaitGroup
	for i, f := range feeds {
		all.Go(func() { _ = f.Run(ctx) }) // ends with its context only
		all.Go(func() {
			select {
			case <-f.CaughtUp():
				d.mu.Lock()
				d.started[i] = true
				d.mu.Unlock()
				d.tell()
			case <-ctx.Done():
			}
		})
	}
	for i := range openers {
		all.Go(func() { d.openAll(ctx, i) })
	}
	<-ctx.Done()
	d.mu.Lock()
	d.open = false
	d.work.Broadcast()
	d.mu.Unlock()
	all.Wait()
	d.mu.Lock()
	d.wipe()
	d.mu.Unlock()
	d.tell()
}

// wipe overwrites all that is known.
func (d *Directory) wipe() {
	for i := range d.cards {
		clear(d.cards[i].text)
	}
	d.rows, d.cards, d.help = map[domain.SubjectID]int32{}, nil, map[string][]helpCode{}
	d.jobs, d.noted, d.under, d.started = nil, 0, [openers]int{}, [2]bool{}
}

// State says how far the directory is.
func (d *Directory) State() DirectoryState {
	d.mu.RLock()
	defer d.mu.RUnlock()
	left := len(d.jobs)
	for _, n := range d.under {
		left += n
	}
	s := DirectoryState{Open: d.open, Done: d.noted - left, Total: d.noted}
	s.Ready = d.open && d.started == [2]bool{true, true} && left == 0
	return s
}

// Watch returns a channel that gets something each time after the directory has
// changed; several times may come as one. stop ends that.
func (d *Directory) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watched[c] = true
	return c, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watched, c)
	}
}

func (d *Directory) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed++
	for c := range d.watched {
		select {
		case c <- struct{}{}:
		default: // has not looked since the last time
		}
	}
}

// changes says how often the directory has changed.
func (d *Directory) changes() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.changed
}

// An Entry is what the directory knows of one person. It is not to be kept.
type Entry struct {
	Subject domain.SubjectID
	Name    string // as set, or as HR announced it
	Email   string
	Team    string
	Start   string
}

// Entry returns what is known of a person; false for somebody who is not in it.
func (d *Directory) Entry(s domain.SubjectID) (Entry, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	row, ok := d.rows[s]
	if !ok {
		return Entry{Subject: s}, false
	}
	c := &d.cards[row]
	return Entry{
		Subject: s, Name: c.first(ownName, staffName, invitedName), Email: c.first(ownEmail, askedEmail, staffEmail, invitedEmail),
		Team: c.first(staffTeam), Start: c.first(staffStart),
	}, true
}

// Starting returns who has a first day, written as 2026-12-01.
func (d *Directory) Starting(day string) []domain.SubjectID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var all []domain.SubjectID
	for i := range d.cards {
		if string(d.cards[i].value(staffStart)) == day {
			all = append(all, d.cards[i].subject)
		}
	}
	return all
}

// Hits are who was found.
type Hits struct {
	People    []domain.SubjectID // in no order that means anything
	Strangers []HelpShown        // the newest first
}

// Search finds whoever has all of the words that were typed, in any order, each at
// least by its beginning; a phone number however it is written; and a help code of
// the last day, with or without blanks. Nothing typed finds nobody.
func (d *Directory) Search(typed string) Hits {
	words := wanted(typed)
	if len(words) == 0 || len(typed) > longestSearch {
		return Hits{}
	}
	needles := make([][]byte, len(words))
	for i, w := range words {
		needles[i] = []byte("\n" + w)
	}
	// the longest first: it is in the fewest
	slices.SortStableFunc(needles, func(a, b []byte) int { return len(b) - len(a) })
	var hits Hits
	d.mu.RLock()
	defer d.mu.RUnlock()
	if code, ok := helpCodeIn(typed); ok {
		d.findHelp(code, &hits)
	}
	byCode := len(hits.People)
	for i := range d.cards {
		c := &d.cards[i]
		if has(c.words(), needles) && !slices.Contains(hits.People[:byCode], c.subject) {
			hits.People = append(hits.People, c.subject)
		}
	}
	return hits
}

func has(words []byte, needles [][]byte) bool {
	for _, n := range needles {
		if !bytes.Contains(words, n) {
			return false
		}
	}
	return true
}

func (d *Directory) findHelp(code string, hits *Hits) {
	oldest := d.c.Now().Add(-helpLife)
	for _, h := range slices.Backward(d.help[code]) {
		switch {
		case h.at.Before(oldest):
		case h.subject.IsZero():
			hits.Strangers = append(hits.Strangers, HelpShown{code, h.station, h.at})
		case !slices.Contains(hits.People, h.subject):
			hits.People = append(hits.People, h.subject)
		}
	}
}

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

// atATime is how many values are opened before those who search get a turn.
const atATime = 1024

// openAll opens what is to be opened, until the directory closes.
func (d *Directory) openAll(ctx context.Context, worker int) {
	for {
		jobs, ok := d.next(worker)
		if !ok {
			return
		}
		err := d.openSome(ctx, jobs)
		d.mu.Lock()
		if err != nil && d.open {
			d.jobs = append(jobs, d.jobs...)
		}
		d.under[worker] = 0
		d.mu.Unlock()
		d.tell()
		if err == nil {
			continue
		}
		if ctx.Err() == nil {
			d.c.Report(fmt.Errorf("open names for the directory: %w", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// next waits for something to be opened; false when the directory closes.
func (d *Directory) next(worker int) ([]job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.jobs) == 0 && d.open {
		d.work.Wait()
	}
	if !d.open {
		return nil, false
	}
	n := min(len(d.jobs), atATime)
	jobs := slices.Clone(d.jobs[:n])
	if d.jobs = d.jobs[n:]; len(d.jobs) == 0 {
		d.jobs = nil // and with it the room that it took
	}
	d.under[worker] = n
	return jobs, true
}

// openSome opens values and writes them on their cards. A value that is not on its
// card any more, because another took its place meanwhile, is left out. Whoever was
// erased has none.
func (d *Directory) openSome(ctx context.Context, jobs []job) error {
	all := make([]Wanted, len(jobs))
	d.mu.RLock()
	for i, j := range jobs {
		all[i] = Wanted{d.cards[j.row].subject, slotKinds[j.slot], j.ref}
	}
	d.mu.RUnlock()
	opened, err := d.c.Vault.GetMany(ctx, all...)
	if err != nil {
		return err
	}
	defer func() {
		for i := range opened {
			clear(opened[i].Value)
		}
	}()
	var wrong error
	for from := 0; from < len(jobs); { // those of one person at a time
		to, row := from, jobs[from].row
		changed := map[slot][]byte{}
		d.mu.Lock()
		for ; to < len(jobs) && jobs[to].row == row; to++ {
			o := opened[to]
			switch {
			case errors.Is(o.Err, domain.ErrErased): // and so is all else of them
				for s := range slots {
					changed[s] = nil
				}
			case o.Err != nil:
				wrong = o.Err
			}
			if d.open && o.Err == nil && d.cards[row].refs[jobs[to].slot] == shortRef(jobs[to].ref) {
				changed[jobs[to].slot] = o.Value
			}
		}
		if len(changed) > 0 {
			d.write(&d.cards[row], changed)
		}
		d.mu.Unlock()
		from = to
	}
	if wrong != nil {
		d.c.Report(fmt.Errorf("open names for the directory: %w", wrong))
	}
	return nil
}

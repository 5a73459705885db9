package desk

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
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

type helpCode struct {
	subject domain.SubjectID // zero: of a stranger
	station string
	at      time.Time
}

// helpLife is for how long a help code finds somebody.
const helpLife = 24 * time.Hour

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

package demo

import (
	"cmp"
	"container/heap"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/station"
)

// A world is a history as it is being made: who lives in it, what is on their agenda,
// and what has happened and was not given on yet.
//
// It runs one episode after the other, in the order in which they begin, and each to
// its end. What an episode does after another one has begun waits in the outbox, so
// that all comes out in the order of time.
type world struct {
	Config
	dice
	give func(batch) error
	err  error // the first one

	began  time.Time // midnight before the first day
	zone   *time.Location
	policy string // its version
	key    string // the id of the master key

	names   *naming
	people  []*person
	serving []*person // who have a role, or will
	kiosks  []*kiosk
	outages []*outage
	agenda  agenda
	out     outbox
	count   uint64 // of appointments and entries, so that none come at once

	heads map[string]domain.Revision // the next revision of streams that are nobody's

	filling []Filling // of the next batch
	filled  []*person // whose those are
	ready   []domain.Recorded
}

// server is the station at which what concerns no kiosk is done.
const server = "keydesk-server"

// portal is the client of the API that people log in through.
const portal = "portal"

func newWorld(c Config, give func(batch) error) *world {
	_, offset := c.Until.Zone()
	w := &world{
		Config: c, dice: newDice(c.Seed, "world", c.People), give: give,
		zone: time.FixedZone("", offset), policy: c.Policy.Version(),
		names: newNaming(), heads: maps.Clone(c.There),
	}
	if w.heads == nil {
		w.heads = map[string]domain.Revision{}
	}
	w.Until = c.Until.In(w.zone).Truncate(time.Microsecond)
	w.began = w.midnight(w.Until).AddDate(0, 0, -c.Days)
	_, w.key = c.Keys.Derive("code/confirm-email")
	return w
}

// run makes the history.
func (w *world) run() error {
	w.populate()
	end := w.Until.UnixMicro()
	for w.err == nil && len(w.agenda) > 0 && w.agenda[0].at < end {
		a := heap.Pop(&w.agenda).(appointment)
		w.flush(a.at)
		if a.p != nil && a.p.busy > a.at { // with something that began before
			w.at(a.p.busy+int64(time.Minute/time.Microsecond), a.p, a.do)
			continue
		}
		a.do(w, a.p, time.UnixMicro(a.at).In(w.zone))
	}
	w.flush(end + 1)
	w.pass()
	return w.err
}

// fail ends the history: it asked for something that cannot be.
func (w *world) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// An episode is something that somebody does, or that befalls them; p is nil where it
// is nobody's.
type episode func(w *world, p *person, at time.Time)

// An appointment is an episode at its time.
type appointment struct {
	at  int64 // microseconds since 1970
	seq uint64
	p   *person
	do  episode
}

// An agenda is what is going to happen, the first on top.
type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(a[i].at, a[j].at), cmp.Compare(a[i].seq, a[j].seq)) < 0
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(appointment)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return x
}

func (w *world) at(at int64, p *person, do episode) {
	w.count++
	heap.Push(&w.agenda, appointment{at, w.count, p, do})
}

// plan puts an episode on the agenda; what would be after the end never happens.
func (w *world) plan(at time.Time, p *person, do episode) {
	if at.Before(w.Until) {
		w.at(at.UnixMicro(), p, do)
	}
}

// An entry is an event that has happened.
type entry struct {
	seq   uint64
	event domain.Recorded
	own   bool // its revision is known
}

// An outbox holds what has happened and cannot be given on yet, the first on top.
type outbox []*entry

func (o outbox) Len() int { return len(o) }
func (o outbox) Less(i, j int) bool {
	return cmp.Or(o[i].event.Recorded.Compare(o[j].event.Recorded), cmp.Compare(o[i].seq, o[j].seq)) < 0
}
func (o outbox) Swap(i, j int) { o[i], o[j] = o[j], o[i] }

// Push implements heap.Interface.
func (o *outbox) Push(x any) { *o = append(*o, x.(*entry)) }

// Pop implements heap.Interface.
func (o *outbox) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return x
}

// record puts events into the outbox that follow each other in one stream. revision is
// that of the first; or unknown, where several episodes write to one stream.
func (w *world) record(stream string, revision domain.Revision, by domain.Stamp, msgs []domain.Message) {
	for i, m := range msgs {
		w.count++
		heap.Push(&w.out, &entry{seq: w.count, own: revision != unknown, event: domain.Recorded{
			Message: m, Stream: stream, Revision: revision + domain.Revision(i), Recorded: by.At.Add(recording),
		}})
	}
}

const (
	unknown = domain.NoStream
	// recording is how long it takes from a decision until the log has it.
	recording = 3 * time.Millisecond
)

// flush gives on what happened before a moment: nothing will any more.
func (w *world) flush(before int64) {
	for len(w.out) > 0 && w.out[0].event.Recorded.UnixMicro() < before {
		e := heap.Pop(&w.out).(*entry)
		if !e.own {
			e.event.Revision = w.heads[e.event.Stream]
			w.heads[e.event.Stream]++
		}
		w.ready = append(w.ready, e.event)
		if len(w.ready) >= batchEvents {
			w.pass()
		}
	}
}

// pass hands a part over.
func (w *world) pass() {
	if w.err != nil || len(w.ready)+len(w.filling) == 0 {
		return
	}
	b := batch{people: w.filling, events: w.ready, at: w.Until}
	if len(w.ready) > 0 {
		b.at = w.ready[len(w.ready)-1].Recorded
	}
	for _, p := range w.filled {
		p.filling = 0
	}
	w.filling, w.filled, w.ready = nil, w.filled[:0], nil
	w.fail(w.give(b))
}

// A kiosk is a station at which people enrol and look after their accounts.
type kiosk struct {
	id      string
	version string
	dark    time.Time // when it was heard last; zero: it runs
	busy    time.Time // somebody is there until then
	network login.Network
}

// free returns a kiosk that nobody is at, and else from when on there will be one.
func (w *world) free(d dice, at time.Time) (k *kiosk, from time.Time) {
	first := d.IntN(len(w.kiosks))
	for i := range w.kiosks {
		k := w.kiosks[(first+i)%len(w.kiosks)]
		if !k.dark.IsZero() && at.After(k.dark.Add(-30*time.Minute)) {
			continue
		}
		if k.busy.Before(at) {
			return k, at
		}
		if from.IsZero() || k.busy.Before(from) {
			from = k.busy
		}
	}
	return nil, from.Add(time.Duration(5+d.IntN(40)) * time.Second)
}

// An outage is when a channel works for nobody.
type outage struct {
	channel     enrolment.Channel
	from, until time.Time
	noticed     bool
}

// outageOf returns the outage of a channel at a moment, if there is one.
func (w *world) outageOf(c enrolment.Channel, at time.Time) *outage {
	i := slices.IndexFunc(w.outages, func(o *outage) bool { return o.channel == c && at.After(o.from) && at.Before(o.until) })
	if i < 0 {
		return nil
	}
	return w.outages[i]
}

// network names where somebody logs in from, as desk does.
func (w *world) network(by login.Asker, where string) login.Network {
	key, _ := w.Keys.Derive("login/network")
	h := hmac.New(sha256.New, key[:])
	for _, part := range []string{by.Client, by.Station, where} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return login.Network(base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]))
}

// machine is the stamp of Keydesk itself, at a station.
func (w *world) machine(d dice, correlation domain.EventID, at string, when time.Time) domain.Stamp {
	if correlation == (domain.EventID{}) {
		correlation = domain.EventID(d.uuid())
	}
	return domain.Stamp{
		Command: d.command(), Correlation: correlation,
		Actor:   domain.Actor{Kind: domain.ActorService, ID: "keydesk", Role: domain.RoleUnattended},
		Station: at, Policy: w.policy, At: when.UTC(),
	}
}

// admin is the stamp of somebody at the server's command line.
func (w *world) admin(d dice, when time.Time) domain.Stamp {
	by := w.machine(d, domain.EventID{}, server, when)
	by.Actor = domain.Actor{Kind: domain.ActorStaff, ID: "console", Role: domain.RoleAdmin}
	return by
}

// note records a fact about a station.
func (w *world) note(d dice, id string, when time.Time, e station.Event) {
	if w.over(when) {
		return
	}
	by := w.machine(d, domain.EventID{}, id, when)
	m, err := station.Message(e, by)
	if err != nil {
		w.fail(err)
		return
	}
	w.record(station.Stream(id), unknown, by, []domain.Message{m})
}

// over says that a moment is behind the end of the history: nothing happens then.
func (w *world) over(at time.Time) bool { return at.Add(recording).After(w.Until) }

func (w *world) midnight(at time.Time) time.Time {
	y, m, d := at.In(w.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, w.zone)
}

func weekend(at time.Time) bool { return at.Weekday() == time.Saturday || at.Weekday() == time.Sunday }

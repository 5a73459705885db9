package esdbtest

import "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

// An allFollower follows everything, and says now and then how far it is, since
// what its filter holds back does not show.
type allFollower struct {
	*subscription
	keep   func(*Event) bool
	window int // how many records are looked at for one page
	every  int // after how many a checkpoint is due; 0: there are none

	since int   // index of the first record after the subscription
	index int   // of the next record to look at
	at    place // of what was sent last
	told  place // the last checkpoint

	before *Event // what was sent last
}

func (r *reader) followAll(o *streams.ReadReq_Options_AllOptions, q *streams.ReadReq_Options_FilterOptions, keep func(*Event) bool) error {
	f := &allFollower{keep: keep, window: pageSize, at: position(o)}
	if q != nil {
		if _, given := q.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); given {
			f.window = int(q.GetMax())
		}
		f.every = f.window * int(q.GetCheckpointIntervalMultiplier())
	}
	var last place
	f.since, last, _ = r.s.log.end()
	f.index = f.since
	if o.GetEnd() != nil {
		f.at = last
	}
	var err error
	f.subscription, err = r.subscribe()
	if err == nil && f.at.before(last) {
		err = f.catchUp()
	}
	for err == nil {
		if err = f.live(); err == nil {
			err = f.catchUp()
		}
	}
	return err
}

// catchUp sends what is recorded, page by page. A checkpoint comes when enough
// records were looked at, and at the end. It is where the last event was that
// was sent, or, when the page brought none, where the page begins: that is a
// place between records. A lax server looks where the last record
// was that it considered.
func (f *allFollower) catchUp() error {
	i, err := f.find(f.at)
	from, considered := f.at, 0
	for err == nil {
		if err = f.goesOn(); err != nil {
			break
		}
		p := f.page(i)
		for _, e := range p.events {
			if err := f.send(e); err != nil {
				return err
			}
		}
		considered += p.considered
		if f.s.options.Lax && i+p.considered > 0 {
			from = f.s.log.records(i + p.considered - 1)[0].place()
		}
		if f.every > 0 && (p.end || considered >= f.every) {
			considered %= f.every
			if f.at.before(from) {
				f.at = from
			}
			err = f.checkpoint(f.at)
		}
		if i += p.considered; p.end {
			f.index = i
			return err
		}
		from = f.s.log.between(i)
	}
	return err
}

// A page is what one look at the log brings.
type page struct {
	events     []*Event
	considered int
	end        bool // there is no more
}

func (f *allFollower) page(i int) page {
	var p page
	for {
		records := f.s.log.records(i + p.considered)
		if len(records) == 0 {
			p.end = true
			return p
		}
		for k := range records {
			if p.considered++; f.keep(&records[k]) {
				p.events = append(p.events, &records[k])
			}
			if p.considered == f.window || len(p.events) == pageSize {
				return p
			}
		}
	}
}

// live sends what is new, as long as it is not too much at once. A checkpoint
// comes with every so many records since the subscription.
func (f *allFollower) live() error {
	if !f.s.faults.is(&f.s.faults.mute) {
		if err := f.caughtUp(); err != nil {
			return err
		}
	}
	for {
		until, _, changed := f.s.log.end()
		if f.news(until) > liveBuffer {
			if err := f.fellBehind(); err != nil {
				return err
			}
			return f.checkpoint(f.at)
		}
		idle := f.index == until
		for ; f.index < until; f.index++ {
			e := &f.s.log.records(f.index)[0]
			if f.keep(e) {
				if err := f.send(e); err != nil {
					return err
				}
			}
			if f.due(f.index) && !e.place().before(f.at) {
				f.at = e.place()
				if err := f.checkpoint(f.at); err != nil {
					return err
				}
			}
		}
		err := f.goesOn()
		if err == nil && idle {
			err = f.wait(changed)
		}
		if err != nil {
			return err
		}
	}
}

// news counts what there is to tell of the records until an index, up to more
// than enough.
func (f *allFollower) news(until int) int {
	n := 0
	for i := f.index; i < until && n <= liveBuffer; i++ {
		e := &f.s.log.records(i)[0]
		if f.keep(e) && f.at.before(e.place()) {
			n++
		}
		if f.due(i) {
			n++
		}
	}
	return n
}

func (f *allFollower) due(i int) bool { return f.every > 0 && (i-f.since+1)%f.every == 0 }

// send sends an event, unless it is one that the subscriber had before.
func (f *allFollower) send(e *Event) error {
	if !f.at.before(e.place()) {
		return nil
	}
	f.at = e.place()
	err := f.call.Send(wire(e))
	if err == nil && f.s.faults.take(&f.s.faults.again) {
		err = f.call.Send(wire(e))
		if before := f.before; err == nil && before != nil {
			err = f.call.Send(wire(before))
		}
	}
	f.before = e
	return err
}

// checkpoint tells how far the subscription is, unless that was told.
func (f *allFollower) checkpoint(p place) error {
	if f.every == 0 || !f.told.before(p) || f.s.faults.is(&f.s.faults.mute) {
		return nil
	}
	f.told = p
	return f.call.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: p.commit, PreparePosition: p.prepare},
	}})
}

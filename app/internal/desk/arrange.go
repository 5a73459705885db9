package desk

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/progress"
)

// stuckAfter is how long somebody may come no step further before they count as
// stuck.
const stuckAfter = 10 * time.Minute

// groups numbers the groups in their order.
var groups = [...]BoardGroup{GroupStuck, GroupBusy, GroupWaiting, GroupDone, GroupGone}

const (
	inStuck uint8 = iota
	inBusy
	inWaiting
	inDone
	inGone
)

// A trouble is why somebody is stuck.
type trouble uint8

const (
	noTrouble trouble = iota
	isParked
	isFrozen
	isLocked
	isUndelivered
	codeEnded
	digitsEnded
	isStill
)

// A standing is a person's place on the board.
type standing struct {
	subject domain.SubjectID
	since   int64 // microseconds since 1970
	group   uint8 // in groups
	why     trouble
	frozen  bool // and they did not leave
}

// An arrangement is everybody of a scope or a search, by group. Who looks at the
// next page, or looks again before anything has changed, gets the same one; a group
// is sorted when somebody looks at it.
type arrangement struct {
	of        arrangedFor
	position  domain.Position
	names     uint64    // the directory's changes that were seen
	until     time.Time // when the time alone changes it; zero: never
	counts    BoardCounts
	strangers []HelpShown

	mu     sync.Mutex
	groups [len(groups)][]standing
	sorted [len(groups)]bool
}

type arrangedFor struct {
	everybody bool
	midnight  time.Time
}

// arrangements are the ones that were made last.
type arrangements struct {
	mu   sync.Mutex
	made []*arrangement
}

// arrangementsKept bounds how many are kept: some megabytes each.
const arrangementsKept = 3

// arranged returns everybody whom a query is about, as they stand now.
func (d *Desk) arranged(ctx context.Context, q BoardQuery, now time.Time) (*arrangement, error) {
	of := arrangedFor{q.Scope == ScopeEverybody, q.midnight(now).UTC()}
	a := &arrangement{of: of, position: d.Standings.Position()}
	if d.Directory != nil {
		a.names = d.Directory.changes()
	}
	if q.Search != "" {
		hits, err := d.search(ctx, q.Search)
		a.strangers = hits.Strangers
		for _, s := range hits.People {
			if p, ok := d.Standings.Person(s); ok && !p.Erased {
				a.put(d.standing(&p, now, of.midnight))
			}
		}
		return a, err
	}
	kept := &d.arrangements
	kept.mu.Lock()
	defer kept.mu.Unlock() // who asks for the same at the same time waits for it
	at := slices.IndexFunc(kept.made, func(k *arrangement) bool { return k.of == of })
	if at >= 0 {
		if k := kept.made[at]; k.position == a.position && k.names == a.names && (k.until.IsZero() || now.Before(k.until)) {
			return k, nil
		}
		kept.made = slices.Delete(kept.made, at, at+1)
	}
	starting := d.starting(q)
	d.Standings.Each(func(p progress.Person) bool {
		if !p.Erased && (of.everybody || d.ofToday(&p, of.midnight, starting)) {
			st := d.standing(&p, now, of.midnight)
			a.put(st)
			if st.group == inBusy {
				if until := time.UnixMicro(st.since).Add(stuckAfter); a.until.IsZero() || until.Before(a.until) {
					a.until = until
				}
			}
		}
		return true
	})
	kept.made = append(kept.made[max(0, len(kept.made)-arrangementsKept+1):], a)
	return a, nil
}

func (a *arrangement) put(st standing) {
	a.counts.add(&st)
	a.groups[st.group] = append(a.groups[st.group], st)
}

// group returns the people of a group, in their order.
func (a *arrangement) group(g int) []standing {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.groups[g]
	if !a.sorted[g] {
		longest := 1             // stuck first
		if uint8(g) != inStuck { //nolint:gosec // some groups
			longest = -1
		}
		slices.SortFunc(all, func(x, y standing) int {
			if x.since != y.since {
				return longest * cmp.Compare(x.since, y.since)
			}
			return bytes.Compare(x.subject[:], y.subject[:])
		})
		a.sorted[g] = true
	}
	return all
}

// window returns a part of those whom a filter wants, and how many these are.
func (a *arrangement) window(f BoardFilter, offset, limit int) (part []standing, total int) {
	for g := range groups {
		if !f.takes(groups[g]) {
			continue
		}
		size := len(a.groups[g])
		if f != FilterFrozen && (offset >= total+size || len(part) >= limit) {
			total += size
			continue
		}
		for _, st := range a.group(g) {
			if f == FilterFrozen && !st.frozen {
				continue
			}
			if total >= offset && len(part) < limit {
				part = append(part, st)
			}
			total++
		}
	}
	return part, total
}

// takes says whether a filter wants somebody of a group.
func (f BoardFilter) takes(g BoardGroup) bool {
	switch f {
	case FilterAll, "":
		return g != GroupGone
	case FilterFrozen:
		return g == GroupStuck
	case FilterStuck, FilterBusy, FilterWaiting, FilterDone, FilterGone:
		return BoardFilter(g) == f
	}
	return false
}

// starting returns whose first day is today.
func (d *Desk) starting(q BoardQuery) map[domain.SubjectID]bool {
	if q.Scope == ScopeEverybody || d.Directory == nil {
		return nil
	}
	starting := map[domain.SubjectID]bool{}
	for _, s := range d.Directory.Starting(q.midnight(d.Now()).Format(time.DateOnly)) {
		starting[s] = true
	}
	return starting
}

// ofToday says whether somebody belongs on the board of today.
func (d *Desk) ofToday(p *progress.Person, midnight time.Time, starting map[domain.SubjectID]bool) bool {
	switch {
	case p.Parked: // nobody else will notice
		return true
	case p.Last.Before(midnight) && !starting[p.Subject]:
		return false
	case p.Step == enrolment.StepDone && p.Since.Before(midnight):
		return p.Frozen || p.WrongInARow >= d.Policy.WrongCodesInARow
	}
	return true
}

// standing says where on the board somebody stands.
func (d *Desk) standing(p *progress.Person, now, midnight time.Time) standing {
	st := standing{subject: p.Subject, frozen: p.Frozen}
	stuck := func(why trouble, since time.Time) standing {
		st.group, st.why, st.since = inStuck, why, since.UnixMicro()
		return st
	}
	in := func(group uint8, since time.Time) standing {
		st.group, st.since = group, since.UnixMicro()
		return st
	}
	today := !p.Last.Before(midnight)
	stalled := later(p.Since, p.Came)
	switch {
	case p.Parked:
		return stuck(isParked, p.Since)
	case p.Left && p.Step != enrolment.StepDone:
		return in(inGone, later(p.Since, p.Last))
	case p.Frozen:
		return stuck(isFrozen, p.Trouble)
	case p.Locked:
		return stuck(isLocked, p.Trouble)
	case p.Step == 0:
		return in(inWaiting, p.Since)
	case p.Step == enrolment.StepDone:
		return in(inDone, p.Since)
	case p.Undeliverable != "" && p.Undeliverable != enrolment.Unknown: // which may still arrive
		return stuck(isUndelivered, p.Trouble)
	case !today:
		return in(inWaiting, p.Last)
	case p.WrongAtCode >= d.Policy.WrongCodes:
		return stuck(codeEnded, p.Trouble)
	case p.PairingOver:
		return stuck(digitsEnded, p.Trouble)
	case now.Sub(stalled) >= stuckAfter:
		return stuck(isStill, stalled)
	}
	return in(inBusy, stalled)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (c *BoardCounts) add(st *standing) {
	if st.frozen {
		c.Frozen++
	}
	switch st.group {
	case inStuck:
		c.Stuck++
	case inBusy:
		c.Busy++
	case inWaiting:
		c.Waiting++
	case inDone:
		c.Done++
	case inGone:
		c.Gone++
	}
	c.All = c.Stuck + c.Busy + c.Waiting + c.Done
}

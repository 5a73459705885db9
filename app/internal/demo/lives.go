package demo

import (
	"math"
	"slices"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A way is how somebody's enrolment goes.
type way int

// The ways. The last are of those who are on the way, or stuck, when the history ends.
const (
	smoothly way = iota
	mistypesMail
	mistypesSMS
	resends
	readsLate
	pauses
	forgets
	deadNumber
	mailBounces
	mistypesDigits
	claimedTwice
	changesMind
	scansLate
	locksMail
	locksSMS
	asksHelp
	givesUp
	neverComes
	neverPairs

	underWay
	paused
	stuckNumber
	stuckLocked
	stuckMail
	stuckPairing
	stuckIdle
)

// ways are how many of a hundred go which way, but for today.
var ways = []struct {
	way way
	of  int
}{
	{smoothly, 44},
	{mistypesMail, 6},
	{mistypesSMS, 6},
	{resends, 5},
	{readsLate, 4},
	{pauses, 7},
	{forgets, 2},
	{deadNumber, 4},
	{mailBounces, 2},
	{mistypesDigits, 2},
	{claimedTwice, 1},
	{changesMind, 2},
	{scansLate, 2},
	{locksMail, 1},
	{locksSMS, 1},
	{asksHelp, 3},
	{givesUp, 4},
	{neverComes, 3},
	{neverPairs, 1},
}

// today is how the enrolments go that are seen when the history ends, over and over.
var today = []way{
	stuckNumber, underWay, smoothly, stuckIdle, underWay, mistypesSMS, stuckLocked, underWay, smoothly, paused, stuckMail,
	changesMind, smoothly, stuckPairing, underWay, stuckIdle, asksHelp, smoothly, stuckNumber, paused, deadNumber, stuckIdle,
}

// A turn is what happens to somebody who is enrolled.
type turn int

// The turns.
const (
	nothing turn = iota
	switches
	newNumber
	newPassword
	newName
	newLanguage
	losesPhone
	isRobbed
	renewsPhone
	isNotMe
	isFrozen
	leaves
)

// turns are how many of a hundred take which.
var turns = []struct {
	turn turn
	of   int
}{
	{nothing, 66},
	{switches, 7},
	{newNumber, 5},
	{newPassword, 4},
	{newName, 2},
	{newLanguage, 2},
	{losesPhone, 3},
	{isRobbed, 2},
	{renewsPhone, 2},
	{isNotMe, 1},
	{isFrozen, 1},
	{leaves, 5},
}

// spread makes a list of a hundred, in which neighbours differ.
func spread[T any](n int, of func(int) (T, int)) []T {
	var all []T
	for i := range n {
		value, times := of(i)
		for range times {
			all = append(all, value)
		}
	}
	mixed := make([]T, len(all))
	for i := range all {
		mixed[i*37%len(all)] = all[i] // 37 and 100 have no divisor in common
	}
	return mixed
}

// The places from which people log in, in words.
var places = []string{
	"Edge, Utrecht", "Edge, Utrecht", "Edge, Amersfoort", "Firefox, Utrecht", "Chrome, Zeist", "Safari, Nieuwegein",
	"Edge, Woerden", "Chrome, Houten", "Edge, Hilversum", "Safari, Amsterdam", "Edge, Thuiswerkplek",
}

// populate decides who there is, and what they are going to do.
func (w *world) populate() {
	w.install()
	here := min(w.People, max(min(8, w.People), min(w.People/12, 64))) // who are seen today
	ahead := w.People * 6 / 100                                        // who begin later, all being well
	days := w.openDays()
	full := 1 + (w.People-here-ahead)*16/(10*len(days))
	w.openKiosks(days, max(full, here))
	allWays := spread(len(ways), func(i int) (way, int) { return ways[i].way, ways[i].of })
	allTurns := spread(len(turns), func(i int) (turn, int) { return turns[i].turn, turns[i].of })
	taken := make([]int, len(days))
	order := w.Perm(w.People)
	w.people = make([]*person, w.People)
	for rank, n := range order {
		p := w.newPerson(n)
		w.people[n] = p
		switch {
		case rank < here:
			p.way = today[rank%len(today)]
			p.start = w.midnight(w.Until)
			w.comesToday(p, rank, here)
		case rank < here+ahead:
			p.way = neverComes
			p.start = w.midnight(w.nextWorking(p.dice, w.midnight(w.Until).AddDate(0, 0, 1+p.IntN(30))))
		default:
			at := rank - here - ahead
			if at < len(roles) && at < w.People/3 {
				w.serves(p, roles[at], days[0])
				w.comes(p)
				break
			}
			p.way, p.turn = allWays[at%len(allWays)], allTurns[(at*29+at/100)%len(allTurns)]
			day := w.someDay(days, taken, full)
			p.start = days[day]
			w.comes(p)
		}
		if p.role != "" {
			w.isAnnounced(p)
			continue
		}
		if p.way == neverPairs || p.turn == renewsPhone || p.turn == isNotMe {
			p.wants = enrolment.Pocket
		}
		if p.way == mistypesDigits || p.way == claimedTwice || p.way == scansLate || p.way == stuckPairing {
			p.wants = enrolment.Pocket
		}
		if p.way == neverComes || rank < here { // or nobody might know of them
			p.admission = enrolment.ByRoster
		}
		w.isAnnounced(p)
	}
}

func (w *world) newPerson(n int) *person {
	p := &person{dice: newDice(w.Seed, "person", n)}
	p.id = p.uuid()
	p.name, p.email = w.names.name(p.dice)
	p.hr = p.name
	p.employee, p.team, p.lang = zeros(100_000+n, 6), pick(p.dice, teams), "nl"
	if p.in(0.12) {
		p.lang = "en"
	}
	p.phone, p.country = number(p.dice)
	p.admission, p.wants = enrolment.ByRoster, enrolment.Pocket
	if p.in(0.4) {
		p.wants = enrolment.SMS
	}
	switch chance := p.Float64(); {
	case chance < 0.03:
		p.admission = enrolment.ByDomain // hired by the hour, and HR knows nothing of it
	case chance < 0.06:
		p.admission = enrolment.ByInvitation
	}
	p.rate, p.place = pick(p.dice, []float64{0.15, 0.4, 0.4, 0.8}), pick(p.dice, places)
	return p
}

// openDays are the days before today on which people enrol, at midnight.
func (w *world) openDays() []time.Time {
	var days []time.Time
	for n := range w.Days {
		if day := w.began.AddDate(0, 0, n); !weekend(day) {
			days = append(days, day)
		}
	}
	if len(days) == 0 {
		days = append(days, w.began)
	}
	return days
}

// someDay draws a day to begin on: Mondays and the first of a month more often, and
// none when it is full.
func (w *world) someDay(days []time.Time, taken []int, full int) int {
	for {
		n := w.IntN(len(days))
		popular := days[n].Weekday() == time.Monday || days[n].Day() == 1
		if taken[n] < full && (popular || w.in(0.45)) || w.in(0.01) {
			taken[n]++
			return n
		}
	}
}

// hours draws a time on a day at which people are there: the mornings are busier.
func (w *world) hours(d dice, day time.Time) time.Time {
	if d.in(0.6) {
		return day.Add(8*time.Hour + 30*time.Minute + d.between(0, 150*time.Minute))
	}
	return day.Add(11*time.Hour + d.between(0, 330*time.Minute))
}

// nextWorking returns a time in working hours, not before a moment.
func (w *world) nextWorking(d dice, at time.Time) time.Time {
	day := w.midnight(at)
	for ; ; day = day.AddDate(0, 0, 1) {
		if weekend(day) {
			continue
		}
		if open := day.Add(8*time.Hour + 30*time.Minute); at.Before(open) {
			return open.Add(d.between(0, 3*time.Hour))
		}
		if at.Before(day.Add(16*time.Hour + 30*time.Minute)) {
			return at
		}
	}
}

// batchOf returns the moment of the list on which HR announced somebody: that of the
// last Monday a week before they begin, or the first one.
func (w *world) batchOf(start time.Time) time.Time {
	day := w.midnight(start.AddDate(0, 0, -6))
	for day.Weekday() != time.Monday {
		day = day.AddDate(0, 0, -1)
	}
	if last := w.midnight(w.Until); !day.Before(last) {
		day = last.AddDate(0, 0, -1)
	}
	if day.Before(w.began) {
		day = w.began
	}
	return day.Add(7*time.Hour + 45*time.Minute)
}

// list is the batch, and the correlation, of the list that HR made at a moment.
func (w *world) list(at time.Time) (batch string, correlation domain.EventID) {
	d := newDice(w.Seed, "list", int(at.Unix()))
	return "file-" + d.id(), domain.EventID(d.uuid())
}

// announce records what HR says of somebody.
func (w *world) announce(p *person, at time.Time, list time.Time) {
	batch, correlation := w.list(list)
	by := w.admin(p.dice, at)
	by.Correlation = correlation
	was := p.state.Staff
	entry := enrolment.StaffRegistered{Source: enrolment.RosterFromFile, Batch: batch, Language: p.lang}
	keep := func(known domain.Ref, k desk.Kind, text string) *domain.Ref {
		if known.IsZero() {
			known = w.value(p, at, k, text)
		}
		return &known
	}
	entry.Email = *keep(was.Email, desk.KindEmail, p.email)
	entry.Name = keep(was.Name, desk.KindName, p.hr)
	entry.Employee = keep(was.Employee, desk.KindEmployee, p.employee)
	entry.Start = keep(was.Start, desk.KindStartDate, p.start.Format(time.DateOnly))
	if was.Registered && p.in(0.7) {
		p.team = pick(p.dice, teams)
		team := w.value(p, at, desk.KindTeam, p.team)
		entry.Team = &team
	} else {
		entry.Team = keep(was.Team, desk.KindTeam, p.team)
	}
	switch {
	case was.Registered && !was.Phone.IsZero():
		entry.Phone = &was.Phone
	case !p.in(0.15): // of some HR knows no number, at first
		entry.Phone = keep(was.Phone, desk.KindPhone, p.phone)
	}
	w.do(p, by, enrolment.RegisterStaff{Entry: entry})
}

// isAnnounced puts what HR does about somebody on the agenda.
func (w *world) isAnnounced(p *person) {
	if p.admission != enrolment.ByRoster {
		return
	}
	list := w.batchOf(p.start)
	w.plan(list.Add(p.between(0, 90*time.Second)), p, func(w *world, p *person, at time.Time) { w.announce(p, at, list) })
	if p.in(0.07) { // and then HR knows better
		next := list.AddDate(0, 0, 7*(1+p.IntN(4)))
		w.plan(next.Add(p.between(0, 90*time.Second)), p, func(w *world, p *person, at time.Time) {
			if p.state.Staff.Registered {
				w.announce(p, at, next)
			}
		})
	}
	if p.way == neverComes && !p.start.After(w.Until) && p.in(0.5) {
		w.resigns(p, p.start)
	}
}

// resigns has HR leave somebody out of a list after a moment.
func (w *world) resigns(p *person, after time.Time) {
	list := w.batchOf(after.AddDate(0, 0, 7+7*p.IntN(3)))
	if list.Before(after) {
		list = list.AddDate(0, 0, 7)
	}
	w.plan(list.Add(p.between(90*time.Second, 100*time.Second)), p, func(w *world, p *person, at time.Time) {
		batch, correlation := w.list(list)
		by := w.admin(p.dice, at)
		by.Correlation = correlation
		w.do(p, by, enrolment.RecordLeft{Left: enrolment.StaffLeft{Source: enrolment.RosterFromFile, Batch: batch}})
	})
}

// comes puts an enrolment on the agenda.
func (w *world) comes(p *person) {
	if p.way == neverComes {
		return
	}
	w.plan(w.hours(p.dice, p.start), p, enrol)
}

// enrol is the first visit of somebody, and says what comes after it.
func enrol(w *world, p *person, at time.Time) {
	if p.state.Staff.Left || w.invites(p, at, enrol) {
		return
	}
	v, ok := w.arrive(p, at, enrol)
	if !ok {
		return
	}
	v.enrol(w.moodOf(p))
	switch p.way {
	case locksMail, locksSMS:
		w.plan(v.at.Add(p.between(8*time.Minute, 90*time.Minute)), p, unlock)
	case pauses, forgets, mailBounces, asksHelp:
		w.plan(w.nextWorking(p.dice, v.at.Add(p.between(10*time.Minute, 26*time.Hour))), p, comeBack)
	case smoothly, mistypesMail, mistypesSMS, resends, readsLate, deadNumber, mistypesDigits, claimedTwice, changesMind, scansLate:
		if p.state.Chosen() == enrolment.NoFactor { // an outage, say
			w.plan(w.nextWorking(p.dice, v.at.Add(p.between(20*time.Minute, 3*time.Hour))), p, comeBack)
		}
	case paused:
		w.plan(v.at.Add(p.between(3*time.Minute, 20*time.Minute)), p, comeBack)
	case givesUp, neverComes, neverPairs, underWay, stuckNumber, stuckLocked, stuckMail, stuckPairing, stuckIdle:
	}
	w.settle(p, v.at)
}

// settle puts a life with an account on the agenda of somebody who has one now.
func (w *world) settle(p *person, at time.Time) {
	if p.state.Chosen() == enrolment.NoFactor {
		return
	}
	first := at.Add(p.between(4*time.Minute, 4*time.Hour))
	w.plan(first, p, logIn)
	if p.turn == nothing {
		return
	}
	left := w.Until.Sub(at)
	when := at.Add(4*time.Hour + time.Duration(p.Float64()*float64(max(0, left-6*time.Hour))))
	do := map[turn]episode{
		switches: changeFactor, newNumber: changePhone, newPassword: changePassword, newName: changeName, newLanguage: changeLanguage,
		losesPhone: loses, isRobbed: robbed, renewsPhone: renews, isNotMe: notMe, isFrozen: freeze,
	}[p.turn]
	switch {
	case p.turn == leaves:
		w.resigns(p, when)
	case do != nil:
		w.plan(w.nextWorking(p.dice, when), p, do)
	}
	p.turn = nothing // once
}

// comeBack goes on with an enrolment, or begins anew.
func comeBack(w *world, p *person, at time.Time) {
	if p.state.Chosen() != enrolment.NoFactor || p.state.Frozen != "" || p.state.Staff.Left ||
		p.state.WrongInARow >= w.Policy.WrongCodesInARow || w.invites(p, at, comeBack) {
		return
	}
	v, ok := w.arrive(p, at, comeBack)
	if !ok {
		return
	}
	v.enrol(mood{forgot: p.way == forgets})
	if p.state.Chosen() == enrolment.NoFactor && p.in(0.7) {
		w.plan(w.nextWorking(p.dice, v.at.Add(p.between(time.Hour, 24*time.Hour))), p, comeBack)
	}
	w.settle(p, v.at)
}

// unlock is the helpdesk's, for who typed too many wrong codes.
func unlock(w *world, p *person, at time.Time) {
	by, _ := w.agent(p, at)
	w.do(p, by, enrolment.Unlock{Reason: enrolment.UnlockedByAdmin})
	w.plan(at.Add(p.between(5*time.Minute, 2*time.Hour)), p, comeBack)
}

// moodOf is how the first visit of somebody goes.
func (w *world) moodOf(p *person) mood {
	var m mood
	all := w.Policy.WrongCodesInARow
	switch p.way {
	case smoothly, neverComes:
		if p.in(0.02) {
			m.speaks = "en"
		}
	case mistypesMail:
		m.wrongMail = 1 + p.IntN(3)
	case mistypesSMS:
		m.wrongSMS = 1 + p.IntN(3)
	case resends:
		m.resends = true
	case readsLate:
		m.late = true
	case pauses, paused:
		m.leaves, m.walksOff = pick(p.dice, []enrolment.Step{enrolment.StepPassword, enrolment.StepPhone, enrolment.StepSMSCode, enrolment.StepFactor}), p.in(0.5)
	case forgets:
		m.leaves, m.walksOff = pick(p.dice, []enrolment.Step{enrolment.StepPhone, enrolment.StepFactor}), true
	case deadNumber:
		m.dead, m.asksHelp = true, p.in(0.3)
	case mailBounces, stuckMail:
		m.bounces, m.asksHelp = true, p.in(0.7)
	case mistypesDigits:
		m.digits = 1 + p.IntN(2)
	case claimedTwice:
		m.twice = true
	case changesMind:
		m.changes = true
	case scansLate:
		m.slow = true
	case locksMail:
		m.wrongMail, m.asksHelp = all, true
	case locksSMS:
		m.wrongSMS, m.asksHelp = all, true
	case asksHelp:
		m.leaves, m.asksHelp = pick(p.dice, []enrolment.Step{enrolment.StepPassword, enrolment.StepSMSCode, enrolment.StepFactor}), true
	case givesUp, stuckIdle:
		m.leaves = pick(p.dice, []enrolment.Step{enrolment.StepEmail, enrolment.StepPassword, enrolment.StepPhone, enrolment.StepSMSCode, enrolment.StepFactor})
		m.walksOff, m.asksHelp = p.in(0.7), p.in(0.4)
	case neverPairs, stuckPairing:
		m.digits, m.asksHelp = w.Policy.PairingTries, true
	case stuckNumber:
		m.dead, m.stays, m.asksHelp = true, true, p.in(0.8)
	case stuckLocked:
		m.wrongMail, m.wrongSMS, m.asksHelp = 0, all, true
	case underWay:
	}
	return m
}

// comesToday puts the enrolment of somebody on the agenda who is seen when the history
// ends: done, stuck for a while, or at a kiosk just now.
func (w *world) comesToday(p *person, rank, of int) {
	ago := 25*time.Minute + time.Duration(float64(125*time.Minute)*float64(rank)/float64(of)) + p.between(0, 5*time.Minute)
	switch p.way { //nolint:exhaustive // all others come when it is their turn
	case underWay:
		ago = p.between(15*time.Second, 5*time.Minute)
	case paused:
		ago = p.between(6*time.Minute, 25*time.Minute)
	case stuckLocked:
		ago += 20 * time.Minute
	}
	w.plan(w.Until.Add(-ago), p, enrol)
}

// nextLogin puts the next login on the agenda.
func (w *world) nextLogin(p *person, after time.Time) {
	if p.state.Staff.Left {
		return
	}
	day := w.midnight(after)
	for n := geometric(p.dice, p.rate); n > 0; {
		if day = day.AddDate(0, 0, 1); !weekend(day) || p.in(0.1) {
			n--
		}
		if !day.Before(w.Until) {
			return
		}
	}
	w.plan(day.Add(7*time.Hour+p.between(0, 11*time.Hour)), p, logIn)
}

// geometric draws how many days it takes until something happens that does with a
// chance each day.
func geometric(d dice, chance float64) int {
	return 1 + int(math.Log(1-d.Float64())/math.Log(1-chance))
}

func serving(r domain.Role) func(*person) bool {
	return func(p *person) bool { return p.serves && p.role == r }
}

// examples are the first ones who stand somewhere worth a look.
func (w *world) examples() []Example {
	var all []Example
	for _, as := range []struct {
		name string
		is   func(*person) bool
	}{
		{"sms", func(p *person) bool { return p.state.Factor() == enrolment.SMS && !p.state.Staff.Left }},
		{"pocket", func(p *person) bool { return p.state.Factor() == enrolment.Pocket && !p.state.Staff.Left }},
		{"helpdesk", serving(domain.RoleHelpdesk)},
		{"approver", serving(domain.RoleApprover)},
		{"admin", serving(domain.RoleAdmin)},
		{"auditor", serving(domain.RoleAuditor)},
		{"locked", func(p *person) bool { return p.state.WrongInARow >= w.Policy.WrongCodesInARow }},
		{"undeliverable", func(p *person) bool {
			return p.state.Step() == enrolment.StepSMSCode && p.state.Codes.Phone.Failed != ""
		}},
		{"frozen", func(p *person) bool { return p.state.Frozen != "" }},
		{"waiting", func(p *person) bool { return p.state.Staff.Registered && !p.state.Started }},
	} {
		if n := slices.IndexFunc(w.people, as.is); n >= 0 {
			all = append(all, Example{w.people[n].email, as.name})
		}
	}
	return all
}

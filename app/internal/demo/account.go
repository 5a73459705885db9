package demo

import (
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
)

// A session is somebody who logs in: in a program, through the API, or at a kiosk.
type session struct {
	*visit
	by      login.Asker
	network login.Network
	from    string // in words, for the phone
}

// online begins a login from where somebody works.
func (w *world) online(p *person, at time.Time) *session {
	by := login.Asker{Client: portal}
	v := &visit{w: w, p: p, at: at, correlation: domain.EventID(p.uuid())}
	return &session{v, by, w.network(by, p.place), p.place}
}

// atKiosk begins one in the hall.
func (v *visit) atKiosk() *session {
	return &session{v, login.Asker{Station: v.k.id}, v.k.network, ""}
}

// stamp says who asks: the client, or whoever stands at the kiosk.
func (s *session) stamp() domain.Stamp {
	if s.k != nil {
		return s.visit.stamp()
	}
	by := s.w.machine(s.p.dice, s.correlation, server, s.at)
	by.Actor.ID = portal
	s.at = s.at.Add(s.p.between(8*time.Millisecond, 30*time.Millisecond))
	return by
}

func (s *session) do(c login.Command) { s.w.doLogin(s.p, s.stamp(), c) }

// wrongPassword types one, so many times; fewer where that locks the account.
func (s *session) wrongPassword(times int) {
	for range times {
		s.seconds(4, 15)
		if s.locked() {
			return
		}
		s.do(login.FailPassword{By: s.by, Network: s.network})
	}
}

// rehash keeps an old hash anew, as every login with the right password does.
func (s *session) rehash() {
	p := s.p
	if !p.oldHash || s.at.Before(s.w.began.Add(s.w.Until.Sub(s.w.began)/2)) || s.over() {
		return
	}
	c := s.w.Credentials.Now
	s.w.do(p, s.w.machine(p.dice, domain.EventID{}, server, s.at), enrolment.ChangePassword{
		Credential: s.w.value(p, s.at, desk.KindCredential, c.PHC), Replaces: p.state.Password, Reason: enrolment.PasswordRehashed,
		Algorithm: "argon2id", Parameters: c.Parameters, Pepper: c.Pepper,
	})
	p.oldHash = false
	s.at = s.at.Add(10 * time.Millisecond)
}

// ask asks for the factor, after the right password.
func (s *session) ask(change desk.Change) {
	s.seconds(2, 8)
	s.rehash()
	p := s.p
	if again := p.logins.AskAgainAt(s.w.Policy, s.at); !again.IsZero() { // the phone was asked often just now
		s.at = again.Add(p.between(time.Second, 10*time.Second))
	}
	e := login.LoginChallenged{
		Challenge: enrolment.ChallengeID(p.short()), Factor: p.state.Chosen(), By: s.by, Network: s.network,
		Change: login.Change(change), Enrolment: p.revision - 1, KeyID: s.w.key,
	}
	if e.Factor == enrolment.Pocket {
		e.Device, e.Nonce = p.state.Device.ID, p.nonce()
		if s.from != "" {
			from := s.w.value(p, s.at, desk.KindPlace, s.from)
			e.From = &from
		}
		s.do(login.Ask{Challenge: e})
		return
	}
	to := p.state.Phone.Ref
	e.To = &to
	s.do(login.Ask{Challenge: e})
}

// send has the code of a login sent.
func (s *session) send(failed enrolment.Undelivered) (left bool) {
	c := s.p.logins.Open
	at := s.at.Add(s.p.between(300*time.Millisecond, 2500*time.Millisecond))
	if s.w.outageOf(enrolment.BySMS, at) != nil {
		failed = enrolment.NoProvider
	}
	where := server
	if s.k != nil {
		where = s.k.id
	}
	by := s.w.machine(s.p.dice, domain.EventID{}, where, at)
	if failed != "" {
		s.w.doLogin(s.p, by, login.RecordUndeliverable{Failed: login.CodeUndeliverable{Challenge: c.ID, Number: c.Sends + 1, Reason: failed}})
	} else {
		provider, id := s.p.receipt(enrolment.BySMS, strings.ReplaceAll(string(c.ID), "_", ""))
		s.w.doLogin(s.p, by, login.RecordSent{Sent: login.CodeSent{Challenge: c.ID, Number: c.Sends + 1, Provider: provider, ProviderID: id}})
	}
	s.at = at.Add(20 * time.Millisecond)
	return failed == ""
}

// answer takes the second step, wrongly some times before. It says whether the login
// was given.
func (s *session) answer(wrong int) bool {
	p := s.p
	c := p.logins.Open
	if c.Factor == enrolment.Pocket {
		for range wrong {
			s.seconds(5, 15)
			s.decide(login.Decision{})
		}
		s.seconds(6, 30)
		if s.locked() {
			return false
		}
		s.decide(login.Decision{Matches: true})
		s.at = s.at.Add(p.between(20*time.Millisecond, 1200*time.Millisecond))
		s.do(login.Redeem{Challenge: c.ID, By: s.by})
		return !s.over()
	}
	if !s.send("") {
		return false
	}
	for range wrong {
		s.seconds(8, 25)
		s.do(login.Answer{Challenge: c.ID, By: s.by})
	}
	s.seconds(9, 40)
	if s.locked() {
		return false
	}
	s.do(login.Answer{Challenge: c.ID, By: s.by, Matches: true})
	return !s.over()
}

// locked says whether too many guesses have failed from here.
func (s *session) locked() bool { return !s.p.logins.Locked(s.w.Policy, s.network, s.at).IsZero() }

// decide says something on the phone.
func (s *session) decide(d login.Decision) {
	c := s.p.logins.Open
	d.Challenge, d.Device, d.Nonce = c.ID, c.Device, c.Nonce
	s.w.doLogin(s.p, s.onPhone(), d)
}

// onPhone is the stamp of the person, on their phone.
func (s *session) onPhone() domain.Stamp {
	by := s.w.machine(s.p.dice, domain.EventID{}, server, s.at)
	by.Actor = domain.Actor{Kind: domain.ActorPerson, ID: s.p.id.String(), Role: domain.RoleSubject}
	s.at = s.at.Add(s.p.between(8*time.Millisecond, 30*time.Millisecond))
	return by
}

// logIn is an ordinary login, and what may go wrong with one.
func logIn(w *world, p *person, at time.Time) {
	defer w.nextLogin(p, at)
	if p.state.Factor() == enrolment.NoFactor || p.state.Staff.Left {
		return
	}
	s := w.online(p, at)
	switch chance := p.Float64(); {
	case chance < 0.002:
		s.wrongPassword(w.Policy.LoginFailures) // locked for a while
		p.until(s.at)
		return
	case chance < 0.03:
		s.wrongPassword(1 + p.IntN(2))
	}
	if s.locked() {
		p.until(s.at)
		return
	}
	s.ask("")
	switch chance, phone := p.Float64(), p.logins.Open.Factor == enrolment.Pocket; {
	case chance < 0.01: // went for coffee
		if !phone {
			s.send("")
		}
		s.wait(w.Policy.SMSCodeLife, w.Policy.SMSCodeLife+time.Minute)
	case chance < 0.016 && phone:
		s.seconds(5, 20)
		s.decide(login.Decision{Says: login.Denied})
	case chance < 0.016:
		s.send(enrolment.NoRoute)
	case chance < 0.04:
		s.answer(1)
	default:
		s.answer(0)
	}
	p.until(s.at)
}

// notMe is somebody else with the password; the phone tells, and the account is frozen.
func notMe(w *world, p *person, at time.Time) {
	if p.state.Factor() != enrolment.Pocket {
		return
	}
	s := w.online(p, at)
	s.network, s.from = w.network(s.by, "203.0.113.77"), "Chrome, Lagos"
	s.ask("")
	s.seconds(10, 60)
	by := s.onPhone()
	w.do(p, by, enrolment.Freeze{Reason: enrolment.FrozenNotMe, Case: newCase(p.dice)})
	s.decide(login.Decision{Says: login.NotMe})
	p.until(s.at)
	w.plan(w.nextWorking(p.dice, s.at.Add(2*time.Hour)), p, unfreeze)
}

// newCase names a case.
func newCase(d dice) enrolment.CaseID {
	const letters = "23456789ACEFHKLMNPRTWX"
	return enrolment.CaseID(d.letters(letters, 4) + "-" + d.letters(letters, 4))
}

// unfreeze is the helpdesk's: the person enrols anew.
func unfreeze(w *world, p *person, at time.Time) {
	if p.state.Frozen == "" {
		return
	}
	w.looks(p, at, staff.ShownHRNumber) // to call back
	at = at.Add(p.between(3*time.Minute, 6*time.Minute))
	at = w.byTwo(p, at, enrolment.Unfreezing, enrolment.CaseMistake)
	p.until(at)
	w.plan(at.Add(p.between(20*time.Minute, 3*time.Hour)), p, comeBack)
}

// freeze is the helpdesk's, by the look of something.
func freeze(w *world, p *person, at time.Time) {
	by, _ := w.agent(p, at)
	w.do(p, by, enrolment.RequestCase{
		Case: newCase(p.dice), Subject: p.id, Action: enrolment.Freezing, Reason: enrolment.CaseSuspicion, KeyID: w.key,
	})
	p.until(at)
	if p.in(0.6) {
		w.plan(w.nextWorking(p.dice, at.Add(time.Hour)), p, unfreeze)
	}
}

// visitAccount logs in at a kiosk, to Mijn gegevens.
func (w *world) visitAccount(p *person, at time.Time, again episode) (*session, bool) {
	if p.state.Factor() == enrolment.NoFactor || p.state.Staff.Left {
		return nil, false
	}
	v, ok := w.arrive(p, at, again)
	if !ok {
		return nil, false
	}
	s := v.atKiosk()
	s.seconds(25, 70)
	s.ask("")
	if !s.answer(0) {
		s.leave(station.Stopped)
		return nil, false
	}
	s.proved = true
	return s, true
}

// prove proves once more, for a change.
func (s *session) prove(what desk.Change) bool {
	s.seconds(10, 30)
	s.ask(what)
	if !s.answer(0) {
		s.leave(station.Stopped)
		return false
	}
	s.seconds(5, 30)
	return true
}

// changeFactor switches, from SMS to Pocket or back.
func changeFactor(w *world, p *person, at time.Time) {
	s, ok := w.visitAccount(p, at, changeFactor)
	if !ok || !s.prove(desk.ChangesFactor) {
		return
	}
	if p.state.Chosen() == enrolment.Pocket && p.in(0.7) {
		s.visit.do(enrolment.SwitchToSMS{})
	} else { // or to another phone
		s.pair(mood{}, true)
	}
	s.leave(station.Finished)
}

func changePhone(w *world, p *person, at time.Time) {
	s, ok := w.visitAccount(p, at, changePhone)
	if !ok || !s.prove(desk.ChangesPhone) {
		return
	}
	p.phone, p.country = number(p.dice)
	phone := enrolment.Phone{Ref: w.value(p, s.at, desk.KindPhone, p.phone), Source: enrolment.FromSelf, Country: p.country}
	s.visit.do(enrolment.ChangePhone{Phone: phone, Challenge: enrolment.ChallengeID(p.dice.id()), KeyID: w.key})
	if s.visit.send(enrolment.ChangingPhone, "") {
		s.seconds(5, 25)
		s.code(enrolment.ChangingPhone, p.IntN(2), confirmNewPhone)
	}
	s.leave(station.Finished)
}

func changePassword(w *world, p *person, at time.Time) {
	s, ok := w.visitAccount(p, at, changePassword)
	if !ok || !s.prove(desk.ChangesPassword) {
		return
	}
	c := w.Credentials.Now
	s.visit.do(enrolment.ChangePassword{
		Credential: w.value(p, s.at, desk.KindCredential, c.PHC), Replaces: p.state.Password, Reason: enrolment.PasswordChanged,
		Algorithm: "argon2id", Parameters: c.Parameters, Pepper: c.Pepper,
	})
	p.oldHash = p.oldHash && s.over()
	s.leave(station.Finished)
}

// changeName is somebody who marries, say.
func changeName(w *world, p *person, at time.Time) {
	s, ok := w.visitAccount(p, at, changeName)
	if !ok || !s.prove(desk.ChangesName) {
		return
	}
	given, _, _ := strings.Cut(p.name, " ")
	p.name = given + " " + pick(p.dice, w.names.families[0])
	s.visit.do(enrolment.ChangeName{Name: w.value(p, s.at, desk.KindName, p.name)})
	s.leave(station.Finished)
}

func changeLanguage(w *world, p *person, at time.Time) {
	s, ok := w.visitAccount(p, at, changeLanguage)
	if !ok || !s.prove(desk.ChangesLanguage) {
		return
	}
	other := "en"
	if p.state.Language == other {
		other = "nl"
	}
	s.visit.do(enrolment.SetLanguage{Language: other})
	s.leave(station.Finished)
}

// withoutPhone goes as far as the code by mail: who knows the password and has no use
// of the factor.
func (s *session) withoutPhone() (mail enrolment.ChallengeID, ok bool) {
	s.seconds(15, 60)
	s.visit.do(enrolment.AskRecovery{Challenge: enrolment.ChallengeID(s.p.dice.id()), KeyID: s.w.key})
	if !s.visit.send(enrolment.Recovering, "") {
		s.leave(station.Stopped)
		return "", false
	}
	s.seconds(20, 60)
	if !s.code(enrolment.Recovering, 0, confirmRecovery) {
		s.leave(station.Stopped)
		return "", false
	}
	s.seconds(5, 25)
	return s.p.state.Codes.Recovery.ID, true
}

// reportPhone says at a kiosk what became of the phone.
func (w *world) reportPhone(p *person, at time.Time, why enrolment.CaseReason, again episode) (*session, bool) {
	if p.state.Factor() == enrolment.NoFactor || why == enrolment.CaseNew && p.state.Factor() != enrolment.Pocket {
		return nil, false
	}
	v, ok := w.arrive(p, at, again)
	if !ok {
		return nil, false
	}
	s := v.atKiosk()
	s.seconds(25, 70)
	s.ask("")
	mail, ok := s.withoutPhone()
	if !ok {
		return nil, false
	}
	s.visit.do(enrolment.ReportPhone{
		Reason: why, Case: newCase(p.dice), Mail: mail, Challenge: enrolment.ChallengeID(p.dice.id()), KeyID: w.key,
	})
	return s, true
}

// loses is somebody who finds the phone again, or who has still to.
func loses(w *world, p *person, at time.Time) {
	s, ok := w.reportPhone(p, at, enrolment.CaseLost, loses)
	if !ok {
		return
	}
	s.leave(station.Stopped)
	if p.in(0.7) {
		w.plan(w.nextWorking(p.dice, s.at.Add(p.between(time.Hour, 40*time.Hour))), p, finds)
	}
}

func finds(w *world, p *person, at time.Time) {
	if p.state.Frozen != enrolment.FrozenLost {
		return
	}
	v, ok := w.arrive(p, at, finds)
	if !ok {
		return
	}
	s := v.atKiosk()
	s.seconds(25, 70)
	s.rehash()
	mail, ok := s.withoutPhone()
	if !ok {
		return
	}
	s.ask("found")
	if s.answer(0) {
		s.visit.do(enrolment.FoundPhone{Mail: mail})
	}
	s.leave(station.Finished)
}

// robbed is somebody whose phone was stolen: the helpdesk lets them enrol anew.
func robbed(w *world, p *person, at time.Time) {
	s, ok := w.reportPhone(p, at, enrolment.CaseStolen, robbed)
	if !ok {
		return
	}
	s.leave(station.Stopped)
	if p.in(0.75) {
		w.plan(w.nextWorking(p.dice, s.at.Add(p.between(2*time.Hour, 30*time.Hour))), p, unfreeze)
	}
}

// renews is somebody with another phone and the same number.
func renews(w *world, p *person, at time.Time) {
	s, ok := w.reportPhone(p, at, enrolment.CaseNew, renews)
	if !ok {
		return
	}
	if s.visit.send(enrolment.Recovering, "") {
		s.seconds(5, 25)
		s.code(enrolment.Recovering, 0, recoverNumber)
	}
	s.leave(station.Finished)
}

package demo

import (
	"encoding/hex"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/station"
)

// A visit is one person at one kiosk, or in a program that logs them in. Its time goes
// on with what they do; behind the end of the history they do nothing any more.
type visit struct {
	w           *world
	p           *person
	k           *kiosk
	at          time.Time
	correlation domain.EventID
	proved      bool
}

// arrive begins a visit, where a kiosk is free; else the person comes back when one is.
func (w *world) arrive(p *person, at time.Time, again episode) (*visit, bool) {
	k, from := w.free(p.dice, at)
	if k == nil {
		w.plan(from, p, again)
		return nil, false
	}
	v := &visit{w: w, p: p, k: k, at: at, correlation: domain.EventID(p.uuid())}
	return v, true
}

// wait lets some time pass.
func (v *visit) wait(low, high time.Duration) { v.at = v.at.Add(v.p.between(low, high)) }

// seconds is wait in seconds.
func (v *visit) seconds(low, high int) {
	v.wait(time.Duration(low)*time.Second, time.Duration(high)*time.Second)
}

func (v *visit) over() bool { return v.w.over(v.at) || v.w.err != nil }

// stamp says who acts: the station until something is proved, then the person.
func (v *visit) stamp() domain.Stamp {
	by := v.w.machine(v.p.dice, v.correlation, v.k.id, v.at)
	by.Actor = domain.Actor{Kind: domain.ActorStation, ID: v.k.id, Role: domain.RoleUnattended}
	if v.proved {
		by.Actor = domain.Actor{Kind: domain.ActorPerson, ID: v.p.id.String(), Role: domain.RoleSubject}
	}
	v.at = v.at.Add(v.p.between(8*time.Millisecond, 30*time.Millisecond)) // it took that long
	return by
}

func (v *visit) do(c enrolment.Command) { v.w.do(v.p, v.stamp(), c) }

// leave ends a visit: the kiosk wipes itself.
func (v *visit) leave(why station.WipeReason) {
	switch why {
	case station.Idle:
		v.seconds(90, 92)
	case station.TooLong:
		v.seconds(60, 200)
	case station.Finished, station.Stopped:
		v.seconds(3, 20)
	}
	v.w.note(v.p.dice, v.k.id, v.at, station.StationWiped{Reason: why})
	v.k.busy = v.at.Add(5 * time.Second)
	v.p.until(v.at)
}

// stay keeps the kiosk and the person busy as long as a visit took, however it ended.
func (v *visit) stay() {
	if v.k.busy.Before(v.at) {
		v.k.busy = v.at
	}
	v.p.until(v.at)
}

// helpLetters are those of desk's help codes.
const helpLetters = "ACEFHKLMNPRTWX"

// help shows a code to read aloud.
func (v *visit) help() {
	v.seconds(15, 60)
	code := v.p.letters(helpLetters, 1) + v.p.letters("0123456789", 4)
	if v.proved {
		v.do(enrolment.ShowHelp{Help: enrolment.HelpID(code)})
	} else if !v.over() {
		v.w.note(v.p.dice, v.k.id, v.at, station.HelpCodeShown{Help: code})
	}
	v.seconds(20, 90)
	if v.p.in(0.85) {
		v.w.plan(v.at, v.p, calls)
	}
}

// send has the open code of a purpose sent, and records what became of that: failed,
// or left; and nothing leaves while a channel is out for everybody.
func (v *visit) send(p enrolment.Purpose, failed enrolment.Undelivered) (left bool) {
	c := v.p.state.Code(p)
	at := v.at.Add(v.p.between(300*time.Millisecond, 2500*time.Millisecond))
	if out := v.w.outageOf(c.Channel, at); out != nil {
		failed = enrolment.NoProvider
		v.w.tellOutage(v.p.dice, out, v.k.id, at)
	}
	by := v.w.machine(v.p.dice, v.correlation, v.k.id, at)
	if failed != "" {
		v.w.do(v.p, by, enrolment.RecordUndeliverable{Failed: enrolment.CodeUndeliverable{Challenge: c.ID, Number: c.Sends + 1, Reason: failed}})
	} else {
		provider, id := v.p.receipt(c.Channel, string(c.ID))
		v.w.do(v.p, by, enrolment.RecordSent{Sent: enrolment.CodeSent{Challenge: c.ID, Number: c.Sends + 1, Provider: provider, ProviderID: id}})
	}
	v.at = at.Add(20 * time.Millisecond)
	return failed == ""
}

// tellOutage records with a station that a channel fails for everybody, once.
func (w *world) tellOutage(d dice, o *outage, id string, at time.Time) {
	if o.noticed || w.over(at) {
		return
	}
	o.noticed = true
	why := station.MailFailed
	if o.channel == enrolment.BySMS {
		why = station.SMSFailed
	}
	w.note(d, id, at.Add(5*time.Millisecond), station.StationFailed{Reason: why})
}

// receipt says who took over a message, and what they call it.
func (d dice) receipt(c enrolment.Channel, challenge string) (provider, id string) {
	switch {
	case c == enrolment.ByMail:
		return "smtp", challenge + "-1"
	case d.in(0.03): // the first one refused
		return "cm", challenge + "-1"
	}
	u := d.uuid()
	h := hex.EncodeToString(u[:])
	return "spryng", h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// begin types the address, and has the code by mail sent.
func (v *visit) begin(bounces bool) (left bool) {
	v.seconds(12, 45)
	w, p := v.w, v.p
	to := p.state.Email
	for _, known := range []domain.Ref{p.state.Codes.Email.To, p.state.Staff.Email, p.state.Invitee.Email} {
		if to.IsZero() {
			to = known
		}
	}
	if to.IsZero() {
		to = w.value(p, v.at, desk.KindEmail, p.email)
	}
	lang := p.lang
	if p.state.Started {
		lang = p.state.Language
	}
	v.do(enrolment.Begin{
		Admission: p.admission, Language: lang, To: to, Challenge: enrolment.ChallengeID(p.dice.id()), KeyID: w.key,
	})
	return v.send(enrolment.ConfirmingEmail, undelivered(bounces, p.dice))
}

// undelivered draws why a message does not arrive, if it does not.
func undelivered(fails bool, d dice) enrolment.Undelivered {
	if !fails {
		return ""
	}
	return pick(d, []enrolment.Undelivered{enrolment.InvalidRecipient, enrolment.InvalidRecipient, enrolment.Blocked, enrolment.NoRoute, enrolment.Refused})
}

// again asks for the open code of a purpose once more, or for another one.
func (v *visit) again(p enrolment.Purpose, failed enrolment.Undelivered) (left bool) {
	v.do(enrolment.Reissue{Purpose: p, Challenge: enrolment.ChallengeID(v.p.dice.id()), KeyID: v.w.key})
	return v.send(p, failed)
}

// code types a code, wrongly some times before: a new one is asked for whenever the old
// one has ended. It says whether the right one was typed; not, where so many wrong ones
// lock the person.
func (v *visit) code(p enrolment.Purpose, wrong int, confirm func(enrolment.ChallengeID, bool) enrolment.Command) bool {
	for range wrong {
		c := v.p.state.Code(p)
		if v.over() {
			return false
		}
		if v.p.state.WrongInARow >= v.w.Policy.WrongCodesInARow {
			return false
		}
		if c.Tried >= v.w.Policy.WrongCodes {
			v.seconds(35, 130)
			v.again(p, "")
			v.seconds(10, 30)
			c = v.p.state.Code(p)
		}
		v.seconds(6, 20)
		v.do(confirm(c.ID, false))
	}
	c := v.p.state.Code(p)
	if v.over() || v.p.state.WrongInARow >= v.w.Policy.WrongCodesInARow {
		return false
	}
	if c.Tried >= v.w.Policy.WrongCodes || v.at.Add(20*time.Second).After(c.Expires) {
		v.seconds(31, 60)
		v.again(p, "")
	}
	v.seconds(6, 25)
	v.do(confirm(v.p.state.Code(p).ID, true))
	return !v.over()
}

func confirmEmail(c enrolment.ChallengeID, ok bool) enrolment.Command {
	return enrolment.ConfirmEmail{Challenge: c, Matches: ok}
}

func confirmPhone(c enrolment.ChallengeID, ok bool) enrolment.Command {
	return enrolment.ConfirmPhone{Challenge: c, Matches: ok}
}

func confirmNewPhone(c enrolment.ChallengeID, ok bool) enrolment.Command {
	return enrolment.ConfirmNewPhone{Challenge: c, Matches: ok}
}

func confirmRecovery(c enrolment.ChallengeID, ok bool) enrolment.Command {
	return enrolment.ConfirmRecovery{Challenge: c, Matches: ok}
}

func recoverNumber(c enrolment.ChallengeID, ok bool) enrolment.Command {
	return enrolment.RecoverNumber{Challenge: c, Matches: ok}
}

// A mood is how one visit of somebody who enrols goes.
type mood struct {
	leaves    enrolment.Step // at this step, before it is done; 0: not before the end
	walksOff  bool           // without a word
	asksHelp  bool
	bounces   bool // the mail does not arrive
	late      bool // the SMS is read too late
	wrongMail int
	wrongSMS  int
	resends   bool
	dead      bool // the first number gets no SMS
	stays     bool // and there is no other
	digits    int  // wrong ones of a pairing
	twice     bool // another phone claims the QR code too
	slow      bool // a QR code ends before it is scanned
	changes   bool // Pocket is begun, and given up for SMS
	forgot    bool // the password of the last time
	speaks    string
}

// enrol goes on with an enrolment, from wherever it is.
func (v *visit) enrol(m mood) {
	p := v.p
	defer v.stay()
	if !v.proveEmail(m) {
		return
	}
	if m.speaks != "" {
		v.do(enrolment.SetLanguage{Language: m.speaks})
	}
	if m.forgot && !p.state.Password.IsZero() && !v.w.Policy.AsksTicket(p.state) {
		v.seconds(30, 120)
		v.do(enrolment.Reset{Reason: enrolment.ForgottenPassword})
	} else if !p.state.Password.IsZero() {
		v.seconds(10, 40) // types it
	}
	for range 12 {
		step := p.state.Step()
		if v.over() || step == enrolment.StepDone {
			break
		}
		if m.leaves == step {
			v.giveUp(m)
			return
		}
		switch step {
		case enrolment.StepPassword:
			v.setPassword()
		case enrolment.StepPhone:
			v.givePhone(false)
		case enrolment.StepSMSCode:
			if !v.provePhone(m) {
				return
			}
		case enrolment.StepFactor:
			if !v.choose(m) {
				return
			}
		case enrolment.StepEmail, enrolment.StepDone:
		}
	}
	v.leave(station.Finished)
}

// proveEmail is E1 to E3. It says whether the visit goes on.
func (v *visit) proveEmail(m mood) bool {
	left := v.begin(m.bounces)
	for n := 0; n < 3 && !left && !m.bounces && !v.over(); n++ { // the server is away for a while
		v.seconds(60, 150)
		left = v.again(enrolment.ConfirmingEmail, "")
	}
	switch {
	case m.bounces:
		v.seconds(45, 100)
		v.again(enrolment.ConfirmingEmail, enrolment.InvalidRecipient)
		v.giveUp(m)
		return false
	case !left, m.leaves == enrolment.StepEmail:
		v.giveUp(m)
		return false
	case m.resends:
		v.seconds(40, 80)
		v.again(enrolment.ConfirmingEmail, "")
	}
	v.seconds(12, 50)
	if !v.code(enrolment.ConfirmingEmail, m.wrongMail, confirmEmail) {
		v.giveUp(m)
		return false
	}
	v.proved = true
	return v.redeem(m)
}

// redeem gives the ticket of an invitation, of whom one is asked. It says whether the
// visit goes on.
func (v *visit) redeem(m mood) bool {
	p, w := v.p, v.w
	if !w.Policy.AwaitsTicket(p.state, v.at) {
		return true
	}
	ticket := func(ok bool) {
		v.seconds(20, 70)
		v.do(enrolment.RedeemInvitation{Invitation: p.state.Invitation.ID, Matches: ok})
	}
	if p.in(0.2) && p.state.Invitation.Open(w.Policy, v.at.Add(5*time.Minute)) {
		ticket(false)
	}
	if !p.state.Invitation.Open(w.Policy, v.at.Add(2*time.Minute)) { // they came too late
		v.giveUp(m)
		return false
	}
	ticket(true)
	return true
}

// giveUp leaves, perhaps with a code for the helpdesk.
func (v *visit) giveUp(m mood) {
	if m.asksHelp {
		v.help()
	}
	if m.walksOff {
		v.leave(station.Idle)
		return
	}
	v.seconds(5, 40)
	v.leave(station.Stopped)
}

// setPassword is E4.
func (v *visit) setPassword() {
	v.seconds(45, 150)
	w, p := v.w, v.p
	c := w.Credentials.Now
	switch {
	case p.state.Password.IsZero() && (p.turn == newPassword || p.way == forgets):
		c = w.Credentials.Earlier
	case v.at.Before(w.began.Add(w.Until.Sub(w.began) / 2)):
		c, p.oldHash = w.Credentials.Old, true
	}
	if c == w.Credentials.Now {
		p.oldHash = false
	}
	v.do(enrolment.SetNameAndPassword{
		Credential: w.value(p, v.at, desk.KindCredential, c.PHC), Name: w.value(p, v.at, desk.KindName, p.name),
		Algorithm: "argon2id", Parameters: c.Parameters, Pepper: c.Pepper, Replaces: p.state.Password,
	})
}

// givePhone is E5: HR's number, if it is right, or another one.
func (v *visit) givePhone(dead bool) {
	v.seconds(10, 40)
	w, p := v.w, v.p
	phone := enrolment.Phone{Ref: p.state.Staff.Phone, Source: enrolment.FromHR, Country: p.country}
	if phone.Ref.IsZero() || dead || p.state.Given.Ref == phone.Ref {
		p.phone, p.country = number(p.dice)
		phone = enrolment.Phone{Ref: w.value(p, v.at, desk.KindPhone, p.phone), Source: enrolment.FromSelf, Country: p.country}
	}
	v.do(enrolment.GivePhone{Phone: phone, Challenge: enrolment.ChallengeID(p.dice.id()), KeyID: w.key})
}

// provePhone is E6. It says whether the visit goes on.
func (v *visit) provePhone(m mood) bool {
	failed := undelivered(m.dead, v.p.dice)
	left := false
	switch c := v.p.state.Code(enrolment.VerifyingPhone); {
	case c.Sends == 0:
		left = v.send(enrolment.VerifyingPhone, failed)
	case c.Failed != "" && failed == "": // the last time; now it is another number
		v.givePhone(true)
		left = v.send(enrolment.VerifyingPhone, "")
	default:
		left = v.again(enrolment.VerifyingPhone, failed)
	}
	switch {
	case failed != "":
		v.seconds(31, 80)
		v.again(enrolment.VerifyingPhone, failed)
		if m.stays {
			v.giveUp(m)
			return false
		}
		if m.asksHelp {
			v.help()
		}
		v.givePhone(true) // and this one works
		left = v.send(enrolment.VerifyingPhone, "")
	case m.resends:
		v.seconds(31, 70)
		left = v.again(enrolment.VerifyingPhone, "")
	case m.late: // the phone was in the locker
		v.wait(v.w.Policy.SMSCodeLife+time.Second, v.w.Policy.SMSCodeLife+20*time.Second)
		v.do(enrolment.ConfirmPhone{Challenge: v.p.state.Codes.Phone.ID, Matches: true})
		v.seconds(3, 10)
		left = v.again(enrolment.VerifyingPhone, "")
	}
	if !left {
		v.giveUp(m)
		return false
	}
	v.seconds(5, 25)
	if !v.code(enrolment.VerifyingPhone, m.wrongSMS, confirmPhone) {
		v.giveUp(m)
		return false
	}
	return true
}

// choose is E7 and E8. It says whether the visit goes on.
func (v *visit) choose(m mood) bool {
	v.seconds(8, 40)
	if v.p.wants == enrolment.SMS && !m.changes {
		v.do(enrolment.ChooseSMS{})
		return true
	}
	switch {
	case !v.pair(m, false) && v.over():
		return false
	case v.p.state.Chosen() == enrolment.Pocket:
		return true
	case m.changes:
		v.seconds(10, 60)
		v.do(enrolment.ChooseSMS{})
		return true
	}
	v.giveUp(m)
	return false
}

// pair pairs a phone, and says whether that came to an end.
func (v *visit) pair(m mood, change bool) bool {
	qr := v.offer(change)
	if m.slow {
		v.wait(v.w.Policy.QRLife, v.w.Policy.QRLife+2*time.Second)
		qr = v.offer(change)
	}
	if m.changes {
		v.seconds(30, 100)
		v.do(enrolment.CancelPairing{Pairing: qr})
		return false
	}
	v.seconds(12, 45)
	device := enrolment.DeviceID(v.p.dice.id())
	private, err := PhoneKey(v.w.Keys, device)
	if err != nil {
		v.w.fail(err)
		return false
	}
	key, err := publicKey(private)
	if err != nil {
		v.w.fail(err)
		return false
	}
	thumb, nonce := pairing.Thumbprint(key), v.p.nonce()
	v.byPhone(enrolment.ClaimPairing{Pairing: qr, Thumbprint: thumb, Nonce: nonce})
	if m.twice {
		v.seconds(2, 10)
		v.byPhone(enrolment.ClaimPairing{Pairing: qr, Thumbprint: v.p.short() + v.p.short()[:21], Nonce: v.p.nonce()})
		v.seconds(10, 30)
		m.twice = false
		return v.pair(m, change)
	}
	for n := range m.digits {
		v.seconds(6, 25)
		v.do(enrolment.ConfirmPairing{Pairing: qr, Matches: false})
		if n+1 == v.w.Policy.PairingTries {
			return false
		}
	}
	v.seconds(8, 30)
	v.do(enrolment.ConfirmPairing{Pairing: qr, Matches: true})
	v.seconds(1, 5)
	label := v.w.value(v.p, v.at, desk.KindDevice, pick(v.p.dice, devices))
	v.byPhone(enrolment.FinishPairing{Pairing: qr, Thumbprint: thumb, Nonce: nonce, Key: key, Device: device, Label: label})
	return !v.over()
}

func (v *visit) offer(change bool) enrolment.PairingID {
	qr := enrolment.PairingID(v.p.short())
	v.do(enrolment.OfferPairing{Pairing: qr, Switch: change})
	return qr
}

// byPhone does what a phone does, which is nobody's yet.
func (v *visit) byPhone(c enrolment.Command) {
	by := v.w.machine(v.p.dice, domain.EventID{}, server, v.at)
	by.Actor.ID = "phone"
	v.at = v.at.Add(v.p.between(8*time.Millisecond, 30*time.Millisecond))
	v.w.do(v.p, by, c)
}

// devices are what phones call themselves.
var devices = []string{
	"iPhone", "iPhone", "iPhone", "iPhone 13", "iPhone SE", "Android", "Android", "Samsung Galaxy", "Samsung A54",
	"Pixel", "Fairphone", "Motorola", "OnePlus", "Werktelefoon", "Privé",
}

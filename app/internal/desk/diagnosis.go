package desk

import (
	"strconv"
	"time"

	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// A Diagnosis says why somebody cannot log in, or that they can.
type Diagnosis struct {
	Cause   Phrase // "desk-cause-…": one sentence
	Well    bool   // they can log in: "desk-cause-well"
	Checks  []Check
	Advice  []Phrase       // "desk-advice-…": what to do and to say, in order
	Actions []PersonAction // that suit the cause, the first first
}

// CheckState is how a check came out.
type CheckState string

// The states of a check.
const (
	CheckOK      CheckState = "ok"
	CheckBad     CheckState = "bad"
	CheckOpen    CheckState = "open"    // they have not come so far
	CheckUnknown CheckState = "unknown" // it cannot be told now
)

// CheckName is what was checked: the message "desk-check-" and the name.
type CheckName string

// The checks, in their order.
const (
	CheckExists   CheckName = "exists"
	CheckEmail    CheckName = "email"
	CheckPassword CheckName = "password"
	CheckUnlocked CheckName = "unlocked"
	CheckPhone    CheckName = "phone"
	CheckFactor   CheckName = "factor"
	CheckSystem   CheckName = "system" // log, readers and couriers
)

// A Check is one link of the chain.
type Check struct {
	Name   CheckName
	State  CheckState
	Detail Phrase // "desk-detail-…"
}

// PersonAction is something that the helpdesk may do for somebody.
type PersonAction string

// The actions: the message "desk-action-" and the action.
const (
	ActionResend        PersonAction = "resend"
	ActionCorrectNumber PersonAction = "correct-number"
	ActionUnlock        PersonAction = "unlock"
	ActionFreeze        PersonAction = "freeze"
	ActionUnfreeze      PersonAction = "unfreeze"
	ActionRevokePocket  PersonAction = "revoke-pocket"
	ActionReset         PersonAction = "reset"
	ActionTicket        PersonAction = "recovery-ticket"
	ActionInvite        PersonAction = "invite"
	ActionWait          PersonAction = "wait" // nothing: it passes by itself, or others see to it
)

// PersonFacts is all that a diagnosis judges. None of it is personal.
type PersonFacts struct {
	Now    time.Time
	Policy enrolment.Policy

	Known     bool            // the log knows them
	State     enrolment.State // of the enrolment, as far as it could be understood
	Parked    bool            // an event could not be understood
	Erased    bool
	Proved    time.Time              // the address, last
	Password  time.Time              // when it was set
	Factor    time.Time              // when the factor that counts became so
	Failed    int                    // messages with the code that they wait for, that were not delivered since one was
	Revoked   enrolment.RevokeReason // why the last phone's key counts no more; empty: it does, or there was none
	CodeEnded bool                   // the code that they wait for had too many wrong guesses
	Ticket    bool                   // they proved their address, and are asked for the ticket of an invitation
	Pairing   bool                   // they stand at a pairing that goes on

	Logins LoginFacts
	System SystemFacts
}

// LoginFacts is what the logins of the last day say, since the last that was given.
type LoginFacts struct {
	Parked         bool      // an event could not be understood
	Locked         time.Time // until when nobody logs in, from somewhere; zero: they may from everywhere
	WrongPasswords int
	WrongCodes     int
	Last           LoginEnding           // how the last one ended whose password was right
	Failed         enrolment.Undelivered // why its message did not arrive
}

// LoginEnding is how a login ended whose password was right.
type LoginEnding string

// The endings. NoEnding is a login that was given, or goes on, or was not.
const (
	NoEnding    LoginEnding = ""
	PhoneSilent LoginEnding = "silent" // nobody answered on the phone
	PhoneDenied LoginEnding = "denied" // "not now" on the phone
	PhoneDigits LoginEnding = "digits" // wrong ones, too often
	CodeUnsent  LoginEnding = "unsent" // the SMS did not arrive
	LoginWasOld LoginEnding = "stale"  // something changed meanwhile
)

// SystemFacts is whether Keydesk itself works.
type SystemFacts struct {
	LogAway   bool // the log has not been heard for a while
	Behind    bool // what is known is older than the log
	MailDown  bool // no mail left for anybody, the last time
	SMSDown   bool // no SMS left for anybody, the last time
	SMSPaused bool // too few of the last codes by SMS came back
	SMSSpent  bool // the day's SMS are used up
}

// Diagnose says why somebody cannot log in: the first link of the chain that does not
// hold is the cause, and there is exactly one. They can log in, as far as it can be
// told, where the login service would get a factor for them, nothing is locked, and
// nothing went wrong lately.
func Diagnose(f PersonFacts) Diagnosis {
	d := Diagnosis{Checks: f.checks()}
	var c cause
	switch {
	case f.System.LogAway:
		c = cause{id: "log-away", actions: []PersonAction{ActionWait}}
	case f.System.Behind:
		c = cause{id: "behind", actions: []PersonAction{ActionWait}}
	case f.Parked:
		c = cause{id: "parked", actions: []PersonAction{ActionWait}}
	case f.Erased:
		c = cause{id: "erased", actions: []PersonAction{ActionInvite}}
	case !f.Known, !f.State.Staff.Registered && !f.State.Staff.Left && !f.State.Started && f.State.Invitee.Email.IsZero():
		c = cause{id: "unknown", actions: []PersonAction{ActionInvite}}
	case f.State.Staff.Left && f.State.Chosen() == enrolment.NoFactor:
		c = cause{id: "left", actions: []PersonAction{ActionInvite, ActionWait}}
	case f.State.Frozen != "":
		c = f.frozen()
	case f.locked():
		c = cause{id: "locked", params: []string{"N", strconv.Itoa(f.State.WrongInARow)}, actions: []PersonAction{ActionUnlock}}
	case f.State.Chosen() == enrolment.NoFactor:
		c = f.underWay()
	default:
		c = f.login()
	}
	d.Cause, d.Well, d.Actions = phrase("desk-cause-"+c.id, c.params...), c.id == "well", c.actions
	for _, advice := range advices[c.family()] {
		d.Advice = append(d.Advice, phrase("desk-advice-"+advice, adviceParams(advice, &f)...))
	}
	return d
}

// A cause is why somebody cannot log in.
type cause struct {
	id      string
	as      string // in advices; empty: id
	params  []string
	actions []PersonAction
}

func (c cause) family() string {
	if c.as != "" {
		return c.as
	}
	return c.id
}

// advices says what to do about each cause, in order.
var advices = map[string][]string{
	"well":             {"try-now", "which-page"},
	"log-away":         {"not-you", "tell-admin"},
	"behind":           {"not-you", "again-soon"},
	"parked":           {"not-you", "tell-admin"},
	"erased":           {"begin-anew"},
	"unknown":          {"check-address", "ask-hr"},
	"left":             {"ask-hr"},
	"not-begun":        {"go-to-kiosk"},
	"invited":          {"go-to-kiosk", "bring-ticket"},
	"invitation-over":  {"new-ticket"},
	"ticket":           {"bring-ticket", "new-ticket"},
	"mail-undelivered": {"check-address", "ask-hr"},
	"mail-down":        {"not-you", "again-later"},
	"mail-waiting":     {"look-for-mail", "resend-mail"},
	"mail-ended":       {"resend-mail", "type-calmly"},
	"no-password":      {"go-on-kiosk"},
	"no-phone":         {"have-phone", "go-on-kiosk"},
	"sms-undelivered":  {"read-number", "mobile-number", "resend-sms"},
	"sms-down":         {"not-you", "again-later"},
	"sms-paused":       {"not-you", "again-hour"},
	"sms-spent":        {"not-you", "again-tomorrow"},
	"sms-waiting":      {"look-for-sms", "read-number", "resend-sms"},
	"sms-ended":        {"resend-sms", "type-calmly"},
	"pairing":          {"same-screen", "or-sms"},
	"pairing-failed":   {"new-qr", "or-sms"},
	"revoked":          {"prove-again"},
	"not-chosen":       {"go-on-kiosk"},
	"locked":           {"verify-caller", "unlock"},
	"frozen-not-me":    {"verify-caller", "two-people", "new-password"},
	"frozen-lost":      {"found-phone", "verify-caller", "two-people"},
	"frozen-stolen":    {"verify-caller", "two-people", "new-phone"},
	"frozen-helpdesk":  {"look-why", "two-people"},
	"login-parked":     {"not-you", "tell-admin"},
	"login-locked":     {"wait-until", "other-password"},
	"wrong-password":   {"type-calmly", "forgot-password"},
	"wrong-code":       {"newest-code", "type-calmly"},
	"pocket-silent":    {"open-pocket", "phone-online", "lost-phone"},
	"pocket-denied":    {"was-it-you", "say-yes"},
	"pocket-digits":    {"same-screen", "type-calmly"},
	"login-stale":      {"try-now"},
}

// adviceParams returns what an advice names.
func adviceParams(advice string, f *PersonFacts) []string {
	if advice == "wait-until" {
		return []string{"Until", moment(f.Logins.Locked)}
	}
	return nil
}

func (f *PersonFacts) locked() bool { return f.State.WrongInARow >= f.Policy.WrongCodesInARow }

func (f *PersonFacts) frozen() cause {
	why := known(string(f.State.Frozen), frozenReasons, string(enrolment.FrozenHelpdesk))
	c := cause{id: "frozen-" + why}
	switch enrolment.FreezeReason(why) {
	case enrolment.FrozenLost:
		c.actions = []PersonAction{ActionWait, ActionUnfreeze, ActionTicket}
	case enrolment.FrozenStolen:
		c.actions = []PersonAction{ActionTicket, ActionUnfreeze}
	case enrolment.FrozenNotMe, enrolment.FrozenHelpdesk:
		c.actions = []PersonAction{ActionUnfreeze}
	}
	return c
}

// underWay is why somebody has no factor yet, or no longer.
func (f *PersonFacts) underWay() cause {
	wait := []PersonAction{ActionWait}
	invite := []PersonAction{ActionInvite}
	switch invited := f.State.Invitation.Open(f.Policy, f.Now); {
	case f.Ticket:
		return cause{id: "ticket", actions: invite}
	case f.State.Started:
	case invited:
		return cause{id: "invited", actions: invite}
	case !f.State.Staff.Registered:
		return cause{id: "invitation-over", actions: invite}
	default:
		return cause{id: "not-begun", actions: invite}
	}
	switch f.State.Step() {
	case enrolment.StepEmail:
		return f.mail()
	case enrolment.StepPassword:
		return cause{id: "no-password", actions: wait}
	case enrolment.StepPhone:
		return cause{id: "no-phone", actions: wait}
	case enrolment.StepSMSCode:
		return f.sms()
	case enrolment.StepFactor:
		switch {
		case f.Revoked == enrolment.LostDevice, f.Revoked == enrolment.StolenDevice, f.Revoked == enrolment.RevokedByHelpdesk:
			return cause{id: "revoked-" + string(f.Revoked), as: "revoked", actions: []PersonAction{ActionTicket, ActionReset}}
		case f.State.Pairing.Stage == enrolment.Over && f.State.Pairing.Failure == enrolment.TooManyTries:
			return cause{id: "pairing-failed", actions: wait}
		case f.Pairing:
			return cause{id: "pairing", actions: wait}
		}
	case enrolment.StepDone: // has a factor
	}
	return cause{id: "not-chosen", actions: wait}
}

// mail is why an address is not proved.
func (f *PersonFacts) mail() cause {
	failed := f.State.Codes.Email.Failed
	switch {
	case f.System.MailDown, failed == enrolment.NoProvider:
		return cause{id: "mail-down", actions: []PersonAction{ActionWait, ActionResend}}
	case failed != "" && failed != enrolment.Unknown:
		return cause{
			id: "mail-" + known(string(failed), definite, "other"), as: "mail-undelivered",
			actions: []PersonAction{ActionResend, ActionInvite},
		}
	case f.CodeEnded:
		return cause{id: "mail-ended", params: f.wrong(), actions: []PersonAction{ActionResend}}
	}
	return cause{id: "mail-waiting", actions: []PersonAction{ActionResend}}
}

// sms is why a number is not proved.
func (f *PersonFacts) sms() cause {
	failed := f.State.Codes.Phone.Failed
	switch {
	case f.System.SMSDown, failed == enrolment.NoProvider:
		return cause{id: "sms-down", actions: []PersonAction{ActionWait, ActionResend}}
	case failed != "" && failed != enrolment.Unknown:
		return cause{
			id: "sms-" + known(string(failed), definite, "other"), as: "sms-undelivered", params: []string{"N", strconv.Itoa(max(1, f.Failed))},
			actions: []PersonAction{ActionCorrectNumber, ActionResend},
		}
	case f.CodeEnded:
		return cause{id: "sms-ended", params: f.wrong(), actions: []PersonAction{ActionResend}}
	}
	if c, barred := f.smsBarred(); barred {
		return c
	}
	return cause{id: "sms-waiting", actions: []PersonAction{ActionResend, ActionCorrectNumber}}
}

// smsBarred is why nobody gets an SMS.
func (f *PersonFacts) smsBarred() (cause, bool) {
	wait := []PersonAction{ActionWait}
	switch {
	case f.System.SMSDown:
		return cause{id: "sms-down", actions: wait}, true
	case f.System.SMSPaused:
		return cause{id: "sms-paused", actions: wait}, true
	case f.System.SMSSpent:
		return cause{id: "sms-spent", actions: wait}, true
	}
	return cause{}, false
}

// login is why somebody with a factor does not get in.
func (f *PersonFacts) login() cause {
	l := &f.Logins
	switch {
	case l.Parked:
		return cause{id: "login-parked", actions: []PersonAction{ActionWait}}
	case l.Locked.After(f.Now):
		return cause{id: "login-locked", params: []string{"Until", moment(l.Locked)}, actions: []PersonAction{ActionWait, ActionReset}}
	}
	if f.State.Chosen() == enrolment.SMS {
		if c, barred := f.smsBarred(); barred {
			return c
		}
	}
	switch l.Last {
	case CodeUnsent:
		if l.Failed == enrolment.NoProvider {
			return cause{id: "sms-down", actions: []PersonAction{ActionWait}}
		}
		return cause{
			id: "sms-" + known(string(l.Failed), definite, "other"), as: "sms-undelivered", params: []string{"N", "1"},
			actions: []PersonAction{ActionCorrectNumber, ActionTicket},
		}
	case PhoneSilent:
		return cause{id: "pocket-silent", actions: []PersonAction{ActionWait, ActionRevokePocket, ActionTicket}}
	case PhoneDenied:
		return cause{id: "pocket-denied", actions: []PersonAction{ActionWait, ActionFreeze}}
	case PhoneDigits:
		return cause{id: "pocket-digits", actions: []PersonAction{ActionWait, ActionRevokePocket}}
	case LoginWasOld:
		return cause{id: "login-stale", actions: []PersonAction{ActionWait}}
	case NoEnding:
	}
	switch {
	case l.WrongPasswords > 0:
		return cause{id: "wrong-password", params: []string{"N", strconv.Itoa(l.WrongPasswords)}, actions: []PersonAction{ActionWait, ActionReset}}
	case l.WrongCodes > 0:
		return cause{id: "wrong-code", params: []string{"N", strconv.Itoa(l.WrongCodes)}, actions: []PersonAction{ActionWait}}
	}
	return cause{id: "well"}
}

// definite are the reasons for which a message did not arrive, that have sentences of
// their own.
var definite = []string{string(enrolment.InvalidRecipient), string(enrolment.Blocked), string(enrolment.Refused), string(enrolment.NoRoute)}

// loginFacts folds what the last events of somebody's logins say.
type loginFacts struct {
	LoginFacts
	open  login.LoginChallenged
	waits bool // the phone has not answered it
}

// lately is for how long a failed login still says something.
const lately = 24 * time.Hour

func (l *loginFacts) evolve(e login.Event, at, now time.Time) {
	recent := now.Sub(at) < lately
	switch e := e.(type) {
	case login.LoginChallenged: // the password was right
		l.open, l.waits = e, e.Factor == enrolment.Pocket
		l.WrongPasswords, l.Last, l.Failed = 0, NoEnding, ""
	case login.CodeSent:
		if e.Challenge == l.open.Challenge && l.Last == CodeUnsent {
			l.Last, l.Failed = NoEnding, ""
		}
	case login.CodeUndeliverable:
		if recent && e.Challenge == l.open.Challenge && e.Reason != enrolment.Unknown {
			l.Last, l.Failed = CodeUnsent, e.Reason
		}
	case login.LoginApproved:
		l.Last, l.waits = NoEnding, false
	case login.LoginSucceeded:
		*l = loginFacts{}
	case login.LoginFailed:
		if recent {
			l.failed(e.Reason)
		}
	case login.LoginLocked: // see LoginFacts.Locked
	}
}

func (l *loginFacts) failed(why login.Failure) {
	switch why {
	case login.WrongPassword:
		l.WrongPasswords++
	case login.WrongCode:
		l.WrongCodes++
	case login.WrongDigits:
		l.Last, l.waits = PhoneDigits, false
	case login.Denied:
		l.Last, l.waits = PhoneDenied, false
	case login.Stale:
		l.Last, l.waits = LoginWasOld, false
	case login.NotMe: // the account is frozen
		l.waits = false
	}
}

// at says how it stands at a moment.
func (l *loginFacts) at(now time.Time) LoginFacts {
	if l.waits && now.After(l.open.Expires) && now.Sub(l.open.Expires) < lately {
		l.Last = PhoneSilent
	}
	return l.LoginFacts
}

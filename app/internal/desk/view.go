package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

// Screen is what a visit has to be shown next.
type Screen string

// The screens after E2, which sends the code.
const (
	ScreenEmailCode Screen = "email-code" // E3
	ScreenTicket    Screen = "ticket"     // the ticket of an invitation, where one is asked for
	ScreenResume    Screen = "resume"     // the password, by somebody who had set one before
	ScreenPassword  Screen = "password"   // E4
	ScreenPhone     Screen = "phone"      // E5
	ScreenSMSCode   Screen = "sms-code"   // E6
	ScreenFactor    Screen = "factor"     // E7, and E8 while a pairing is offered
	ScreenDone      Screen = "done"       // E9

	ScreenLoginCode     Screen = "login-code"     // L1, and each change: the code from the SMS
	ScreenLoginApproval Screen = "login-approval" // L1, and each change: the digits to type on the phone
	ScreenAccount       Screen = "account"        // A1 and A2
	ScreenNewPhone      Screen = "new-phone"      // A1: the code that was sent to the new number
	ScreenRecoverMail   Screen = "recover-mail"   // the code by mail, of somebody without their phone
	ScreenRecoverHow    Screen = "recover-how"    // what became of the phone
	ScreenRecoverCode   Screen = "recover-code"   // the code from the SMS, to the number that was verified
	ScreenFrozen        Screen = "frozen"         // the account is frozen
)

// A View is all that a screen shows of a visit. It holds personal data and is
// not to be kept: ask again.
type View struct {
	Visit      string
	Version    uint64 // grows with each change; see Await
	Screen     Screen
	Lang       string
	Email      string
	Name       string // as set, or as HR announced it
	Phone      PhoneView
	Code       CodeView // of the code that Screen asks for
	Pocket     PocketView
	Invitation InvitationView
	Factor     enrolment.Factor
	Again      bool // the person has been here before
	Ticket     bool // ScreenResume: a ticket of staff may be typed in the place of the password
	Login      LoginView
	Account    AccountView
}

// LoginView is the second step of a login, or of a change, that waits.
type LoginView struct {
	Change Change        // what it is to allow; empty: the login itself
	Digits string        // ScreenLoginApproval: six, to be typed on the phone
	Left   time.Duration // ScreenLoginApproval: until it ends by itself; 0: it is over, see Ended
	Ended  LoginEnd
	AskIn  time.Duration // EndedLimited: until the phone may be asked again
}

// LoginEnd is why an approval ended without one.
type LoginEnd string

// The ends. AskAgain asks anew after each.
const (
	EndedExpired LoginEnd = "expired"      // nobody answered on the phone
	EndedDenied  LoginEnd = "denied"       // "not now" on the phone
	EndedWrong   LoginEnd = "wrong-digits" // too often
	EndedOther   LoginEnd = "other"        // another login took its place
	EndedLimited LoginEnd = "limited"      // the phone was asked too often just now; see LoginView.AskIn
)

// Change is something under Mijn gegevens. Each asks for the password and the
// factor again, and then may be done once.
type Change string

// The changes.
const (
	ChangesName     Change = "name"
	ChangesPhone    Change = "phone"
	ChangesLanguage Change = "language"
	ChangesPassword Change = "password"
	ChangesFactor   Change = "factor" // to SMS, to Pocket, or to Pocket on another phone
)

// AccountView is what somebody who has logged in may do.
type AccountView struct {
	Proved   Change    // may be done now; empty: none
	Language string    // in which the person is written to
	Frozen   Frozen    // ScreenFrozen: why
	Case     string    // ScreenFrozen: what to name to the helpdesk; empty: nothing
	Device   string    // what the paired phone calls itself
	Since    time.Time // when the factor became so
	NewPhone PhoneView // ScreenNewPhone: the number to prove
}

// Frozen is why an account is frozen.
type Frozen string

// The reasons.
const (
	FrozenNotMe    Frozen = "not-me"   // Dit was ik niet, on the phone
	FrozenLost     Frozen = "lost"     // the phone was reported lost; FoundPhone ends it
	FrozenStolen   Frozen = "stolen"   // the phone was reported stolen
	FrozenHelpdesk Frozen = "helpdesk" // by staff
)

// PhoneLoss is what became of a phone.
type PhoneLoss string

// The losses.
const (
	LostPhone   PhoneLoss = "lost"
	StolenPhone PhoneLoss = "stolen"
	NewPhone    PhoneLoss = "new" // another phone with the same number; only who uses Pocket
)

// PhoneView is the number that is set, given, or announced by HR.
type PhoneView struct {
	E164, International, National string
	Country                       string
	FromHR                        bool
}

// Delivery is what became of the last message with a code.
type Delivery string

// The deliveries.
const (
	Sending   Delivery = "sending"
	Delivered Delivery = "sent"    // a provider took it over
	Failing   Delivery = "failed"  // it did not leave; see CodeView.Why
	Uncertain Delivery = "unknown" // it may have left
)

// CodeView is what is known of the open code. Times are left-over durations, so
// that the station's clock does not matter.
type CodeView struct {
	Left     time.Duration // 0: there is no open code
	ResendIn time.Duration
	Tries    int  // guesses left
	Locked   bool // too many wrong codes in a row: only the helpdesk can help
	Delivery Delivery
	Why      enrolment.Undelivered
}

// PocketView is what E7 and E8 need to know.
type PocketView struct {
	Possible bool
	Problem  string // why not, as a code
	Stage    enrolment.PairingStage
	Failure  enrolment.PairingFailure
	URL      string        // what the QR code says
	Typed    string        // what a phone that cannot scan types
	QRLeft   time.Duration // until the next QR code is due
	Left     time.Duration // of the whole pairing
	Tries    int           // left for the digits
}

// view says where a visit stands.
func (d *Desk) view(ctx context.Context, v *visit) (View, error) {
	view := d.stranger(v)
	if !v.proved { // nothing of what is known may show yet
		return view, nil
	}
	view.Code = CodeView{}
	s, err := d.state(ctx, v)
	if err != nil {
		return view, err
	}
	view.Screen, view.Factor, view.Again = d.screen(v, s), s.Factor(), !s.Password.IsZero()
	view.Pocket, view.Invitation = d.pocketView(v, s), d.invitationView(s)
	if view.Screen == ScreenSMSCode {
		view.Code = d.smsCode(v, s)
	}
	if view.Screen == ScreenTicket {
		view.Code.Locked = s.WrongInARow >= d.Policy.WrongCodesInARow
		return view, nil
	}
	if v.unlocked.IsZero() && !s.Password.IsZero() {
		view.Ticket = view.Screen == ScreenResume && s.Codes.Ticket.Open(d.Policy, d.Now())
		return view, nil // the mail alone opens nothing
	}
	if view.Name, err = d.open(ctx, v.subject, KindName, nameOf(s)...); err != nil {
		return view, err
	}
	view.Phone, err = d.phoneView(ctx, v, s)
	return view, err
}

func (d *Desk) screen(v *visit, s enrolment.State) Screen {
	step := s.Step()
	if d.Policy.AwaitsTicket(s, d.Now()) {
		return ScreenTicket
	}
	if v.unlocked.IsZero() && step != enrolment.StepDone && !s.Password.IsZero() {
		if v.ticket == s.Password {
			return ScreenPassword
		}
		return ScreenResume
	}
	switch step {
	case enrolment.StepPassword:
		return ScreenPassword
	case enrolment.StepPhone:
		return ScreenPhone
	case enrolment.StepSMSCode:
		return ScreenSMSCode
	case enrolment.StepFactor:
		return ScreenFactor
	case enrolment.StepDone:
		return ScreenDone
	case enrolment.StepEmail:
	}
	return ScreenEmailCode
}

// smsCode is what is known of the code that was sent to the phone.
func (d *Desk) smsCode(v *visit, s enrolment.State) CodeView {
	return d.codeView(v, s.Codes.Phone, s)
}

// codeView is what is known of a code that was sent to somebody who is known.
func (d *Desk) codeView(v *visit, c enrolment.Challenge, s enrolment.State) CodeView {
	now := d.Now()
	view := CodeView{
		Tries: max(0, d.Policy.WrongCodes-c.Wrong), ResendIn: max(0, v.resend[c.Purpose].Sub(now)),
		Locked: s.WrongInARow >= d.Policy.WrongCodesInARow,
	}
	if c.Open(d.Policy, now) {
		view.Left = c.Expires.Sub(now)
	}
	view.Delivery, view.Why = delivery(c.Sends, c.Failed), c.Failed
	return view
}

// delivery is what became of the last message with a code.
func delivery(sends int, failed enrolment.Undelivered) Delivery {
	switch {
	case sends == 0:
		return Sending
	case failed == enrolment.Unknown:
		return Uncertain
	case failed != "":
		return Failing
	}
	return Delivered
}

func (d *Desk) pocketView(v *visit, s enrolment.State) PocketView {
	view := PocketView{Possible: d.PublicURL != "", Problem: d.PocketProblem}
	p, now := s.Pairing, d.Now()
	if p.ID == "" || p.ID != v.offered {
		return view
	}
	view.Stage, view.Failure = p.Stage, p.Failure
	view.Left, view.QRLeft = max(0, p.Ends.Sub(now)), max(0, p.Expires.Sub(now))
	view.Tries = max(0, d.Policy.PairingTries-p.Tries)
	if p.Stage == enrolment.Offered {
		key, _ := d.Keys.Derive(pairingKey)
		view.URL = pairing.QR{
			PublicURL: d.PublicURL, Pairing: string(p.ID), Secret: pairing.Secret(key[:], string(p.ID)),
		}.String()
		view.Typed = pairing.FormatCode(pairing.Code(key[:], string(p.ID)))
	}
	return view
}

// open reads the first value that there is a reference to.
func (d *Desk) open(ctx context.Context, s domain.SubjectID, k Kind, refs ...domain.Ref) (string, error) {
	for _, r := range refs {
		if r.IsZero() {
			continue
		}
		b, err := d.People.Get(ctx, s, k, r)
		if errors.Is(err, domain.ErrErased) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("open %s of %s: %w", k, s, err)
		}
		return string(b), nil
	}
	return "", nil
}

func (d *Desk) phoneView(ctx context.Context, v *visit, s enrolment.State) (PhoneView, error) {
	number, err := d.open(ctx, v.subject, KindPhone, s.Given.Ref, s.Phone.Ref, s.Staff.Phone, s.Invitee.Phone)
	if err != nil || number == "" {
		return PhoneView{}, err
	}
	n, err := d.Policy.ParsePhone(number)
	if err != nil { // HR's number may be one that gets no SMS: show it all the same
		return PhoneView{E164: number, International: number, National: number, FromHR: true}, nil
	}
	source := s.Given.Source
	if s.Given.Ref.IsZero() {
		source = s.Phone.Source
	}
	return PhoneView{n.E164, n.International, n.National, n.Country, source != enrolment.FromSelf}, nil
}

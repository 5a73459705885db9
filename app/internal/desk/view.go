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
	ScreenResume    Screen = "resume"     // the password, by somebody who had set one before
	ScreenPassword  Screen = "password"   // E4
	ScreenPhone     Screen = "phone"      // E5
	ScreenSMSCode   Screen = "sms-code"   // E6
	ScreenFactor    Screen = "factor"     // E7, and E8 while a pairing is offered
	ScreenDone      Screen = "done"       // E9
)

// A View is all that a screen shows of a visit. It holds personal data and is
// not to be kept: ask again.
type View struct {
	Visit   string
	Version uint64 // grows with each change; see Await
	Screen  Screen
	Lang    string
	Email   string
	Name    string // as set, or as HR announced it
	Phone   PhoneView
	Code    CodeView // of the code that Screen asks for
	Pocket  PocketView
	Factor  enrolment.Factor
	Again   bool // the person has been here before
}

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
	view.Pocket = d.pocketView(v, s)
	if view.Screen == ScreenSMSCode {
		view.Code = d.smsCode(v, s)
	}
	if view.Screen == ScreenResume {
		return view, nil
	}
	if view.Name, err = d.open(ctx, v.subject, KindName, s.Name, s.Staff.Name); err != nil {
		return view, err
	}
	view.Phone, err = d.phoneView(ctx, v, s)
	return view, err
}

func (d *Desk) screen(v *visit, s enrolment.State) Screen {
	step := s.Step()
	if !v.unlocked && step != enrolment.StepDone && !s.Password.IsZero() {
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
	c, now := s.Codes.Phone, d.Now()
	view := CodeView{
		Tries: max(0, d.Policy.WrongCodes-c.Wrong), ResendIn: max(0, v.resend[enrolment.VerifyingPhone].Sub(now)),
		Locked: s.WrongInARow >= d.Policy.WrongCodesInARow,
	}
	if c.Open(d.Policy, now) {
		view.Left = c.Expires.Sub(now)
	}
	switch {
	case c.Sends == 0:
		view.Delivery = Sending
	case c.Failed == enrolment.Unknown:
		view.Delivery, view.Why = Uncertain, c.Failed
	case c.Failed != "":
		view.Delivery, view.Why = Failing, c.Failed
	default:
		view.Delivery = Delivered
	}
	return view
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
	number, err := d.open(ctx, v.subject, KindPhone, s.Given.Ref, s.Phone.Ref, s.Staff.Phone)
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

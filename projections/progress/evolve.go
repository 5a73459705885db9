package progress

import (
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// The shapes of the events that Evolve reads.
var (
	codeIssued = fold.Shape{
		{Name: "challenge"},
		{Name: "purpose"},
		{Name: "channel"},
		{Name: "to", Is: fold.Ref},
		{Name: "key"},
		{Name: "expires", Is: fold.Moment},
	}
	codeSent          = fold.Shape{{Name: "challenge"}, {Name: "number", Is: fold.Count}, {Name: "provider"}, {Name: "providerId"}}
	codeUndeliverable = fold.Shape{{Name: "challenge"}, {Name: "number", Is: fold.Count}, {Name: "reason"}}
	codeRejected      = fold.Shape{{Name: "challenge"}, {Name: "attempt", Is: fold.Count}, {Name: "reason"}}
	emailConfirmed    = fold.Shape{{Name: "challenge"}, {Name: "email", Is: fold.Ref}}
	nameSet           = fold.Shape{{Name: "name", Is: fold.Ref}}
	passwordSet       = fold.Shape{
		{Name: "credential", Is: fold.Ref}, {Name: "algorithm"}, {Name: "parameters"}, {Name: "pepper"}, {Name: "reason"},
	}
	codeConfirmed = fold.Shape{{Name: "challenge"}, {Name: "purpose"}, {Name: "channel"}}
	phoneGiven    = fold.Shape{{Name: "phone", Is: fold.Ref}, {Name: "source"}, {Name: "country"}}
)

// Evolve implements fold.Row, with the meaning of enrolment.Evolve.
func (r *row) Evolve(k fold.Kind, data []byte, at int64) bool {
	if !r.factor.Evolve(k, data) || !r.evolve(k, data, at) {
		return false
	}
	r.last = at
	return true
}

func (r *row) evolve(k fold.Kind, data []byte, at int64) (ok bool) {
	var v fold.Fields
	switch k {
	case fold.StaffRegistered, fold.StaffChanged:
		r.set(registered, true)
		r.set(left, false)
	case fold.StaffLeft:
		r.set(registered, false)
		r.set(left, true)
	case fold.EnrolmentStarted:
		r.set(begun, true)
		r.started = at
	case fold.CodeIssued:
		if !codeIssued.Scan(data, &v) {
			return r.evolveSlowly("CodeIssued", data)
		}
		r.issued(enrolment.Purpose(v[1]), fold.IDOf(v[0]))
	case fold.CodeSent:
		if !codeSent.Scan(data, &v) {
			return r.evolveSlowly("CodeSent", data)
		}
		r.sent(fold.IDOf(v[0]), "")
	case fold.CodeUndeliverable:
		if !codeUndeliverable.Scan(data, &v) {
			return r.evolveSlowly("CodeUndeliverable", data)
		}
		r.sent(fold.IDOf(v[0]), enrolment.Undelivered(v[2]))
	case fold.CodeRejected:
		if !codeRejected.Scan(data, &v) {
			return r.evolveSlowly("CodeRejected", data)
		}
		r.rejected(enrolment.Rejection(v[2]))
	case fold.EmailConfirmed:
		r.wrong = 0
		return r.ref(email, emailConfirmed, 1, "EmailConfirmed", data)
	case fold.NameSet:
		return r.ref(name, nameSet, 0, "NameSet", data)
	case fold.PasswordSet:
		return r.ref(password, passwordSet, 0, "PasswordSet", data)
	case fold.PhoneGiven:
		r.sms = code{}
		return r.ref(given, phoneGiven, 0, "PhoneGiven", data)
	case fold.PhoneVerified:
		r.wrong = 0
		r.set(given, false)
	case fold.EnrolmentReset:
		r.set(name|password|given, false)
		r.sms = code{}
	case fold.Unlocked:
		r.wrong = 0
	case fold.CodeConfirmed:
		if !codeConfirmed.Scan(data, &v) {
			return r.evolveSlowly("CodeConfirmed", data)
		}
		r.confirmed(enrolment.Channel(v[2]))
	case fold.Unknown:
		return false
	case fold.PairingOffered, fold.PairingClaimed, fold.PairingConfirmed, fold.PairingFailed, fold.PocketPaired,
		fold.PocketRevoked, fold.FactorChosen, fold.LanguageSet, fold.HelpCodeShown, fold.AccountFrozen, fold.AccountUnfrozen,
		fold.RecoveryRequested, fold.RecoveryCompleted: // no more than that something happened
	}
	return true
}

// ref notes that an event's reference is there.
func (r *row) ref(f facts, s fold.Shape, field int, typ string, data []byte) bool {
	var v fold.Fields
	if !s.Scan(data, &v) || v[field] == nil {
		return r.evolveSlowly(typ, data)
	}
	r.set(f, true)
	return true
}

// evolveSlowly reads what Scan could not.
func (r *row) evolveSlowly(typ string, data []byte) (ok bool) {
	e, err := enrolment.Decode(typ, data)
	if err != nil {
		return false
	}
	there := func(f facts, ref domain.Ref) { r.set(f, !ref.IsZero()) }
	switch e := e.(type) { //nolint:gochecksumtype // those that evolve reads
	case enrolment.CodeIssued:
		r.issued(e.Purpose, fold.IDOf(e.Challenge))
	case enrolment.CodeSent:
		r.sent(fold.IDOf(e.Challenge), "")
	case enrolment.CodeUndeliverable:
		r.sent(fold.IDOf(e.Challenge), e.Reason)
	case enrolment.CodeRejected:
		r.rejected(e.Reason)
	case enrolment.CodeConfirmed:
		r.confirmed(e.Channel)
	case enrolment.EmailConfirmed:
		there(email, e.Email)
	case enrolment.NameSet:
		there(name, e.Name)
	case enrolment.PasswordSet:
		there(password, e.Credential)
	case enrolment.PhoneGiven:
		there(given, e.Phone)
	}
	return true
}

func (r *row) issued(p enrolment.Purpose, challenge fold.ID) {
	switch p {
	case enrolment.ConfirmingEmail:
		r.mail = code{challenge: challenge}
	case enrolment.VerifyingPhone, enrolment.ChangingPhone:
		r.sms = code{challenge: challenge}
	case enrolment.LoggingIn, enrolment.Recovering: // nobody waits for it on the way to their factor
	}
}

// sent notes what became of a message, if it carried one of the last codes.
func (r *row) sent(challenge fold.ID, failed enrolment.Undelivered) {
	why := slices.Index(reasons[:], failed)
	if why < 0 {
		why = len(reasons) - 1
	}
	for _, c := range [...]*code{&r.mail, &r.sms} {
		if c.challenge == challenge && challenge != (fold.ID{}) {
			c.failed = uint8(why)
			return
		}
	}
}

// confirmed ends the row of wrong codes, as in enrolment.State.WrongInARow.
func (r *row) confirmed(by enrolment.Channel) {
	if by == enrolment.BySMS {
		r.wrong = 0
	}
}

func (r *row) rejected(why enrolment.Rejection) {
	if why == enrolment.Wrong { // a late code is no guess
		r.wrongCode()
	}
}

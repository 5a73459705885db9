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
	codeConfirmed = fold.Shape{{Name: "challenge"}, {Name: "purpose"}, {Name: "channel"}, {Name: "until", Is: fold.Moment}}
	pairingFailed = fold.Shape{{Name: "pairing"}, {Name: "reason"}}
	rejected      = fold.Shape{{Name: "invitation"}, {Name: "attempt", Is: fold.Count}, {Name: "reason"}}
	phoneGiven    = fold.Shape{{Name: "phone", Is: fold.Ref}, {Name: "source"}, {Name: "country"}}
)

// Evolve implements fold.Row, with the meaning of enrolment.Evolve.
func (r *row) Evolve(k fold.Kind, data []byte, at int64) bool {
	gone := r.factor.Erased()
	if !r.factor.Evolve(k, data) || !gone && !r.evolve(k, data, at) {
		return false
	}
	if !announces(k) {
		r.last = at
	}
	return true
}

// announces says that an event is an announcement, or a way in: nothing that the
// person, or anybody else, did about their enrolment.
func announces(k fold.Kind) bool {
	switch k { //nolint:exhaustive // all others are
	case fold.StaffRegistered, fold.StaffChanged, fold.StaffLeft, fold.InvitationIssued, fold.InvitationRevoked:
		return true
	}
	return false
}

// visitGap is how long nothing happens between two visits, in microseconds: longer
// than any visit lasts.
const visitGap = 30 * 60 * 1_000_000

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
		if !r.has(begun) { // it is recorded again when something else admits them
			r.set(begun, true)
			r.started = at
		}
	case fold.CodeIssued:
		if !codeIssued.Scan(data, &v) {
			return r.evolveSlowly("CodeIssued", data, at)
		}
		r.issued(enrolment.Purpose(v[1]), fold.IDOf(v[0]), at)
	case fold.CodeSent:
		if !codeSent.Scan(data, &v) {
			return r.evolveSlowly("CodeSent", data, at)
		}
		r.sent(fold.IDOf(v[0]), "", at)
	case fold.CodeUndeliverable:
		if !codeUndeliverable.Scan(data, &v) {
			return r.evolveSlowly("CodeUndeliverable", data, at)
		}
		r.sent(fold.IDOf(v[0]), enrolment.Undelivered(v[2]), at)
	case fold.CodeRejected:
		if !codeRejected.Scan(data, &v) {
			return r.evolveSlowly("CodeRejected", data, at)
		}
		r.rejected(fold.IDOf(v[0]), enrolment.Rejection(v[2]), at)
	case fold.EmailConfirmed:
		r.wrong, r.came = 0, at
		return r.ref(email, emailConfirmed, 1, "EmailConfirmed", data, at)
	case fold.NameSet:
		return r.ref(name, nameSet, 0, "NameSet", data, at)
	case fold.PasswordSet:
		return r.ref(password, passwordSet, 0, "PasswordSet", data, at)
	case fold.PhoneGiven:
		r.sms = code{}
		return r.ref(given, phoneGiven, 0, "PhoneGiven", data, at)
	case fold.PhoneVerified:
		r.wrong = 0
		r.set(given, false)
	case fold.EnrolmentReset:
		r.set(name|password|given|burnt, false)
		r.sms = code{}
	case fold.Unlocked:
		r.wrong = 0
	case fold.CodeConfirmed:
		if !codeConfirmed.Scan(data, &v) {
			return r.evolveSlowly("CodeConfirmed", data, at)
		}
		r.confirmed(enrolment.Channel(v[2]))
	case fold.PairingFailed:
		if !pairingFailed.Scan(data, &v) {
			return r.evolveSlowly("PairingFailed", data, at)
		}
		r.pairingFailed(enrolment.PairingFailure(v[1]), at)
	case fold.PairingOffered, fold.PairingClaimed, fold.PairingConfirmed, fold.PocketPaired:
		r.set(burnt, false)
	case fold.AccountFrozen:
		r.trouble = at
	case fold.InvitationRejected:
		if !rejected.Scan(data, &v) {
			return r.evolveSlowly("InvitationRejected", data, at)
		}
		r.rejected(fold.ID{}, enrolment.Rejection(v[2]), at)
	case fold.PersonErased:
		*r = row{factor: r.factor, started: r.started, came: r.came}
	case fold.Unknown:
		return false
	case fold.PocketRevoked, fold.FactorChosen, fold.LanguageSet, fold.HelpCodeShown, fold.AccountUnfrozen,
		fold.RecoveryRequested, fold.RecoveryCompleted, fold.InvitationIssued, fold.InvitationRedeemed,
		fold.InvitationRevoked, fold.RecoveryApproved, fold.RecoveryDenied, fold.RecoveryStopped, fold.RecoveryExpired,
		fold.PhoneVoided, fold.TicketIssued, fold.TicketRedeemed: // no more than that something happened
	}
	return true
}

// ref notes that an event's reference is there.
func (r *row) ref(f facts, s fold.Shape, field int, typ string, data []byte, at int64) bool {
	var v fold.Fields
	if !s.Scan(data, &v) || v[field] == nil {
		return r.evolveSlowly(typ, data, at)
	}
	r.set(f, true)
	return true
}

// evolveSlowly reads what Scan could not.
func (r *row) evolveSlowly(typ string, data []byte, at int64) (ok bool) {
	e, err := enrolment.Decode(typ, data)
	if err != nil {
		return false
	}
	there := func(f facts, ref domain.Ref) { r.set(f, !ref.IsZero()) }
	switch e := e.(type) { //nolint:gochecksumtype // those that evolve reads
	case enrolment.CodeIssued:
		r.issued(e.Purpose, fold.IDOf(e.Challenge), at)
	case enrolment.CodeSent:
		r.sent(fold.IDOf(e.Challenge), "", at)
	case enrolment.CodeUndeliverable:
		r.sent(fold.IDOf(e.Challenge), e.Reason, at)
	case enrolment.CodeRejected:
		r.rejected(fold.IDOf(e.Challenge), e.Reason, at)
	case enrolment.PairingFailed:
		r.pairingFailed(e.Reason, at)
	case enrolment.InvitationRejected:
		r.rejected(fold.ID{}, e.Reason, at)
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

func (r *row) issued(p enrolment.Purpose, challenge fold.ID, at int64) {
	switch p {
	case enrolment.ConfirmingEmail:
		r.mail = code{challenge: challenge}
		if at-r.last > visitGap { // every visit begins with the proof of the address
			r.came = at
		}
	case enrolment.VerifyingPhone, enrolment.ChangingPhone:
		r.sms = code{challenge: challenge}
	case enrolment.LoggingIn, enrolment.Recovering, enrolment.VerifyingCaller: // nobody waits for it on the way to their factor
	}
}

// sent notes what became of a message, if it carried one of the last codes.
func (r *row) sent(challenge fold.ID, failed enrolment.Undelivered, at int64) {
	why := slices.Index(reasons[:], failed)
	if why < 0 {
		why = len(reasons) - 1
	}
	for _, c := range [...]*code{&r.mail, &r.sms} {
		if c.challenge == challenge && challenge != (fold.ID{}) {
			if c.failed = uint8(why); why != 0 {
				r.trouble = at
			}
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

func (r *row) rejected(challenge fold.ID, why enrolment.Rejection, at int64) {
	if why != enrolment.Wrong { // a late code is no guess
		return
	}
	r.wrongCode()
	r.trouble = at
	for _, c := range [...]*code{&r.mail, &r.sms} {
		if c.challenge == challenge && challenge != (fold.ID{}) {
			c.wrongCode()
			return
		}
	}
}

// pairingFailed notes whether a pairing is over for too many tries.
func (r *row) pairingFailed(why enrolment.PairingFailure, at int64) {
	r.set(burnt, why == enrolment.TooManyTries)
	r.trouble = at
}

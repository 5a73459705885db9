package fold

import (
	"crypto/sha256"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// IDSize is the size of an ID. With 16, a row of the factors would not fit into
// 72 bytes.
const IDSize = 15

// An ID stands for the id of a device or a challenge: the first bytes of its
// SHA-256. The zero ID stands for none.
type ID [IDSize]byte

// IDOf returns what stands for an id.
func IDOf[S ~string | ~[]byte](id S) ID {
	if len(id) == 0 {
		return ID{}
	}
	sum := sha256.Sum256([]byte(id))
	return ID(sum[:IDSize])
}

// A Choice is the factor that was chosen last.
type Choice uint8

// The choices. Whatever else may have been chosen counts as none.
const (
	NoChoice Choice = iota
	ChoseSMS
	ChosePocket
)

// A Factor is as much of enrolment.State as decides which factor counts. It
// holds no pointers.
type Factor struct {
	Live   ID // the phone whose key counts
	Named  ID // the phone that the last choice named
	Choice Choice
	is     flags
}

// flags are what is so or not, in one byte: a row has no room for more.
type flags uint8

const (
	hasPhone flags = 1 << iota // a number is verified
	isFrozen
	isErased
)

func (f *Factor) set(flag flags, on bool) {
	f.is &^= flag
	if on {
		f.is |= flag
	}
}

// Phone says that a number is verified.
func (f *Factor) Phone() bool { return f.is&hasPhone != 0 }

// Frozen says that no factor counts, whatever was chosen.
func (f *Factor) Frozen() bool { return f.is&isFrozen != 0 }

// Erased says that the person was erased. Then there is nothing else to say.
func (f *Factor) Erased() bool { return f.is&isErased != 0 }

// Current returns the factor that counts, as enrolment.State.Factor does.
func (f *Factor) Current() enrolment.Factor {
	if f.Frozen() {
		return enrolment.NoFactor
	}
	return f.Chosen()
}

// Chosen returns the factor that counts unless the account is frozen, as
// enrolment.State.Chosen does.
func (f *Factor) Chosen() enrolment.Factor {
	switch {
	case f.Choice == ChosePocket && f.Live != ID{} && f.Named == f.Live:
		return enrolment.Pocket
	case f.Choice == ChoseSMS && f.Phone():
		return enrolment.SMS
	}
	return enrolment.NoFactor
}

// The shapes of the events that Evolve reads.
var (
	phoneVerified = Shape{{"challenge", Text}, {"phone", Ref}, {"source", Text}, {"country", Text}}
	pocketPaired  = Shape{{"pairing", Text}, {"device", Text}, {"thumbprint", Text}, {"key", Key}, {"label", Ref}}
	pocketRevoked = Shape{{"device", Text}, {"reason", Text}}
	factorChosen  = Shape{{"factor", Text}, {"device", Text}, {"reason", Text}}
	reasonOnly    = Shape{{"reason", Text}}
	methodOnly    = Shape{{"method", Text}}
)

// Evolve applies one recorded event, as enrolment.Evolve does. It is not ok
// when the event cannot be read; then nothing may be said about the factor.
// A kind that has no say in the factor is not read at all.
func (f *Factor) Evolve(kind Kind, data []byte) (ok bool) {
	if f.Erased() { // nothing brings back what is gone
		return kind != Unknown
	}
	var v Fields
	switch kind {
	case PhoneVerified:
		if !phoneVerified.Scan(data, &v) || v[1] == nil {
			return f.evolveSlowly("PhoneVerified", data)
		}
		f.set(hasPhone, true)
	case PocketPaired:
		if !pocketPaired.Scan(data, &v) {
			return f.evolveSlowly("PocketPaired", data)
		}
		f.Live = IDOf(v[1])
	case PocketRevoked:
		if !pocketRevoked.Scan(data, &v) {
			return f.evolveSlowly("PocketRevoked", data)
		}
		f.revoke(IDOf(v[0]))
	case FactorChosen:
		if !factorChosen.Scan(data, &v) {
			return f.evolveSlowly("FactorChosen", data)
		}
		f.Choice, f.Named = choiceOf(string(v[0])), IDOf(v[1])
	case PhoneVoided:
		if !reasonOnly.Scan(data, &v) {
			return f.evolveSlowly("PhoneVoided", data)
		}
		f.set(hasPhone, false)
	case EnrolmentReset:
		if !reasonOnly.Scan(data, &v) {
			return f.evolveSlowly("EnrolmentReset", data)
		}
		f.reset()
	case AccountFrozen:
		if !reasonOnly.Scan(data, &v) {
			return f.evolveSlowly("AccountFrozen", data)
		}
		f.set(isFrozen, true)
	case AccountUnfrozen:
		if !reasonOnly.Scan(data, &v) {
			return f.evolveSlowly("AccountUnfrozen", data)
		}
		f.set(isFrozen, false)
	case PersonErased:
		if !methodOnly.Scan(data, &v) {
			return f.evolveSlowly("PersonErased", data)
		}
		*f = Factor{is: isErased}
	case Unknown:
		return false
	case StaffRegistered, StaffChanged, StaffLeft, EnrolmentStarted, CodeIssued, CodeSent, CodeUndeliverable, CodeRejected,
		EmailConfirmed, NameSet, PasswordSet, PhoneGiven, PairingOffered, PairingClaimed, PairingConfirmed,
		PairingFailed, LanguageSet, Unlocked, HelpCodeShown, CodeConfirmed, RecoveryRequested, RecoveryCompleted,
		RecoveryApproved, RecoveryDenied, RecoveryStopped, RecoveryExpired, TicketIssued, TicketRedeemed,
		InvitationIssued, InvitationRejected, InvitationRedeemed, InvitationRevoked: // have no say in it
	}
	return true
}

// evolveSlowly reads what Scan could not.
func (f *Factor) evolveSlowly(typ string, data []byte) (ok bool) {
	e, err := enrolment.Decode(typ, data)
	if err != nil {
		return false
	}
	switch e := e.(type) { //nolint:gochecksumtype // those that Evolve reads
	case enrolment.PhoneVerified:
		f.set(hasPhone, e.Phone != domain.Ref{})
	case enrolment.PocketPaired:
		f.Live = IDOf(e.Device)
	case enrolment.PocketRevoked:
		f.revoke(IDOf(e.Device))
	case enrolment.FactorChosen:
		f.Choice, f.Named = choiceOf(string(e.Factor)), IDOf(e.Device)
	case enrolment.PhoneVoided:
		f.set(hasPhone, false)
	case enrolment.EnrolmentReset:
		f.reset()
	case enrolment.AccountFrozen:
		f.set(isFrozen, true)
	case enrolment.AccountUnfrozen:
		f.set(isFrozen, false)
	case enrolment.PersonErased:
		*f = Factor{is: isErased}
	}
	return true
}

// reset forgets all but that the account is frozen.
func (f *Factor) reset() { *f = Factor{is: f.is & isFrozen} }

// FactorSize is how many bytes Append writes.
const FactorSize = 2*IDSize + 1

// Append writes the factor for a snapshot.
func (f *Factor) Append(b []byte) []byte {
	return append(append(append(b, f.Live[:]...), f.Named[:]...), byte(f.Choice)|byte(f.is)<<2)
}

// Parse reads what Append wrote, and says whether it makes sense.
func (f *Factor) Parse(b []byte) bool {
	bits := b[2*IDSize]
	*f = Factor{Live: ID(b[:IDSize]), Named: ID(b[IDSize : 2*IDSize]), Choice: Choice(bits & 3), is: flags(bits >> 2)}
	erased := f.Erased() && *f != Factor{is: isErased}
	return bits < 1<<5 && f.Choice <= ChosePocket && !erased
}

func (f *Factor) revoke(d ID) {
	if f.Live == d {
		f.Live = ID{}
	}
}

func choiceOf(factor string) Choice {
	switch enrolment.Factor(factor) {
	case enrolment.SMS:
		return ChoseSMS
	case enrolment.Pocket:
		return ChosePocket
	case enrolment.NoFactor:
	}
	return NoChoice
}

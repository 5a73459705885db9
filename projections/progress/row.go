package progress

import (
	"encoding/binary"
	"math"

	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// A row is as much of enrolment.State as decides the step and shows who is
// stuck.
type row struct {
	factor  fold.Factor
	facts   facts
	wrong   uint16
	mail    code
	sms     code
	started int64 // microseconds since 1970, 0: not known
	last    int64
}

// A code is the last one of its purpose.
type code struct {
	challenge fold.ID
	failed    uint8 // in reasons; 0: it left, or nothing is known of that
}

type facts uint8

// What is known of a person. The verified phone is in the factor.
const (
	registered facts = 1 << iota
	begun
	email
	name
	password
	given     // a number that is not verified yet
	left      // HR announces them no longer
	factsUsed = left<<1 - 1
)

// reasons numbers the reasons why a code did not arrive.
var reasons = [...]enrolment.Undelivered{
	"", enrolment.InvalidRecipient, enrolment.Blocked, enrolment.Refused, enrolment.NoRoute,
	enrolment.NoProvider, enrolment.Unknown, Other,
}

// The bits of a class.
const (
	stepBits     = 0x07
	gone         = 0x07 // in the place of step 0: they left before they began
	notDelivered = 0x10
)

func (r *row) has(f facts) bool { return r.facts&f == f }

func (r *row) set(f facts, on bool) {
	if on {
		r.facts |= f
	} else {
		r.facts &^= f
	}
}

// step returns the first step that is open, as enrolment.State.Step does, and
// 0 for somebody who has not begun.
func (r *row) step() enrolment.Step {
	switch {
	case r.factor.Chosen() != enrolment.NoFactor:
		return enrolment.StepDone
	case !r.has(begun):
		return 0
	case !r.has(email):
		return enrolment.StepEmail
	case !r.has(name | password):
		return enrolment.StepPassword
	case r.has(given):
		return enrolment.StepSMSCode
	case !r.factor.Phone():
		return enrolment.StepPhone
	}
	return enrolment.StepFactor
}

// undeliverable returns why the code did not arrive that the person waits for.
func (r *row) undeliverable() enrolment.Undelivered {
	switch r.step() { //nolint:exhaustive // the two steps that wait for a code
	case enrolment.StepEmail:
		return reasons[r.mail.failed]
	case enrolment.StepSMSCode:
		return reasons[r.sms.failed]
	}
	return ""
}

// Class implements fold.Row.
func (r *row) Class() uint8 {
	c := uint8(r.step()) //nolint:gosec // 0 to 6
	if c == 0 && r.has(left) {
		c = gone
	}
	if r.undeliverable() != "" {
		c |= notDelivered
	}
	return c
}

const rowSize = fold.FactorSize + 1 + 2 + 2*(fold.IDSize+1) + 8 + 8

// Append implements fold.Row.
func (r *row) Append(b []byte) []byte {
	b = append(r.factor.Append(b), byte(r.facts))
	b = binary.LittleEndian.AppendUint16(b, r.wrong)
	for _, c := range [...]code{r.mail, r.sms} {
		b = append(append(b, c.challenge[:]...), c.failed)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(r.started)) //nolint:gosec // and back again
	return binary.LittleEndian.AppendUint64(b, uint64(r.last)) //nolint:gosec // and back again
}

// Parse implements fold.Row.
func (r *row) Parse(b []byte) bool {
	if len(b) != rowSize || !r.factor.Parse(b) {
		return false
	}
	b = b[fold.FactorSize:]
	r.facts, r.wrong, b = facts(b[0]), binary.LittleEndian.Uint16(b[1:]), b[3:]
	for _, c := range [...]*code{&r.mail, &r.sms} {
		c.challenge, c.failed, b = fold.ID(b[:fold.IDSize]), b[fold.IDSize], b[fold.IDSize+1:]
		if int(c.failed) >= len(reasons) {
			return false
		}
	}
	r.started = int64(binary.LittleEndian.Uint64(b))  //nolint:gosec // and back again
	r.last = int64(binary.LittleEndian.Uint64(b[8:])) //nolint:gosec // and back again
	return r.facts <= factsUsed
}

func (r *row) wrongCode() {
	if r.wrong < math.MaxUint16 {
		r.wrong++
	}
}

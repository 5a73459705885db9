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
	started int64 // microseconds since 1970, 0: not known; and so are the others
	last    int64
	came    int64
	trouble int64
}

// A code is the last one of its purpose.
type code struct {
	challenge fold.ID
	failed    uint8 // in reasons; 0: it left, or nothing is known of that
	wrong     uint8 // guesses
}

type facts uint16

// What is known of a person. The verified phone is in the factor.
const (
	registered facts = 1 << iota
	begun
	email
	name
	password
	given     // a number that is not verified yet
	left      // HR announces them no longer
	burnt     // the last pairing had too many tries at its digits
	factsUsed = burnt<<1 - 1
)

// reasons numbers the reasons why a code did not arrive.
var reasons = [...]enrolment.Undelivered{
	"", enrolment.InvalidRecipient, enrolment.Blocked, enrolment.Refused, enrolment.NoRoute,
	enrolment.NoProvider, enrolment.Unknown, Other,
}

// The bits of a class.
const (
	stepBits     = 0x0f
	gone         = 0x07 // in the place of step 0: they left before they began
	erased       = 0x08 // likewise: nothing is known of them any more
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

// waited returns the code that the person waits for; an empty one for none.
func (r *row) waited() code {
	switch r.step() { //nolint:exhaustive // the two steps that wait for a code
	case enrolment.StepEmail:
		return r.mail
	case enrolment.StepSMSCode:
		return r.sms
	}
	return code{}
}

// undeliverable returns why the code did not arrive that the person waits for.
func (r *row) undeliverable() enrolment.Undelivered { return reasons[r.waited().failed] }

// pairingOver says that the person stands where a pairing came to nothing.
func (r *row) pairingOver() bool { return r.has(burnt) && r.step() == enrolment.StepFactor }

// Class implements fold.Row.
func (r *row) Class() uint8 {
	c := uint8(r.step()) //nolint:gosec // 0 to 6
	switch {
	case r.factor.Erased():
		c = erased
	case c == 0 && r.has(left):
		c = gone
	}
	if r.undeliverable() != "" {
		c |= notDelivered
	}
	return c
}

const rowSize = fold.FactorSize + 2 + 2 + 2*(fold.IDSize+2) + 4*8

// Append implements fold.Row.
func (r *row) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(r.factor.Append(b), uint16(r.facts))
	b = binary.LittleEndian.AppendUint16(b, r.wrong)
	for _, c := range [...]code{r.mail, r.sms} {
		b = append(append(b, c.challenge[:]...), c.failed, c.wrong)
	}
	for _, at := range [...]int64{r.started, r.last, r.came, r.trouble} {
		b = binary.LittleEndian.AppendUint64(b, uint64(at)) //nolint:gosec // and back again
	}
	return b
}

// Parse implements fold.Row.
func (r *row) Parse(b []byte) bool {
	if len(b) != rowSize || !r.factor.Parse(b) {
		return false
	}
	b = b[fold.FactorSize:]
	r.facts, r.wrong, b = facts(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:]), b[4:]
	for _, c := range [...]*code{&r.mail, &r.sms} {
		c.challenge, c.failed, c.wrong, b = fold.ID(b[:fold.IDSize]), b[fold.IDSize], b[fold.IDSize+1], b[fold.IDSize+2:]
		if int(c.failed) >= len(reasons) {
			return false
		}
	}
	for i, at := range [...]*int64{&r.started, &r.last, &r.came, &r.trouble} {
		*at = int64(binary.LittleEndian.Uint64(b[8*i:])) //nolint:gosec // and back again
	}
	return r.facts <= factsUsed
}

func (r *row) wrongCode() {
	if r.wrong < math.MaxUint16 {
		r.wrong++
	}
}

func (c *code) wrongCode() {
	if c.wrong < math.MaxUint8 {
		c.wrong++
	}
}

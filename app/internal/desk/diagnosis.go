package desk

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

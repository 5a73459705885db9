package enrolment

import (
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// What staff do to somebody's account. Each act is a case: who asked for it, why, on
// what evidence, and what was done. What changes a factor, or leads to one, takes a
// second person; done from afar it also waits for a day, in which whoever it is about
// can stop it. What only makes things stricter, or sends again what was sent before,
// is done at once, in the same append.

// An Action is what staff do.
type Action string

// The actions.
const (
	Resending        Action = "resend"         // the code that the person waits for
	CorrectingNumber Action = "correct-number" // the person proves the new one at their next step
	RevokingPocket   Action = "revoke-pocket"  // the person proves their number again, and chooses anew
	Freezing         Action = "freeze"
	Unfreezing       Action = "unfreeze" // everything behind the e-mail address is proved anew
	Resetting        Action = "reset"    // the same, of an account that is not frozen
	Unlocking        Action = "unlock"   // clears the count of wrong codes
	IssuingTicket    Action = "ticket"   // once in the place of the old password, by who is not done
	Erasing          Action = "erase"    // makes all that is personal of them unreadable, for good
)

// Actions returns all of them, those that need one person first.
func Actions() []Action {
	return []Action{Resending, Freezing, Unlocking, CorrectingNumber, RevokingPocket, Unfreezing, Resetting, IssuingTicket, Erasing}
}

// Second says whether an action needs a second person.
func (a Action) Second() bool {
	switch a {
	case CorrectingNumber, RevokingPocket, Unfreezing, Resetting, IssuingTicket, Erasing:
		return true
	case Resending, Freezing, Unlocking:
	}
	return false
}

// Waits says whether an action that was asked for from afar waits for its time once it is
// approved, so that whoever it is about can stop it. An erasure opens no account to
// anybody: it waits for the second person only.
func (a Action) Waits() bool { return a.Second() && a != Erasing }

// Proof says whether an action needs evidence of whom staff speak with. A freeze never
// waits for that, a code goes only where the last one went, and of whoever is due to be
// erased there may be nobody to speak with.
func (a Action) Proof() bool { return a != Resending && a != Freezing && a != Erasing }

// Reasons returns why staff may do it.
func (a Action) Reasons() []CaseReason {
	switch a {
	case Resending:
		return []CaseReason{CaseNoCode}
	case CorrectingNumber:
		return []CaseReason{CaseWrongNumber, CaseNewNumber}
	case RevokingPocket: // a phone in other hands is a reason to freeze: the SIM is there too
		return []CaseReason{CaseNew, CaseBroken}
	case Freezing:
		return []CaseReason{CaseSuspicion, CaseLost, CaseStolen, CaseLeft}
	case Unfreezing:
		return []CaseReason{CaseNotMe, CaseLost, CaseStolen, CaseMistake}
	case Resetting:
		return []CaseReason{CaseForgotten, CaseLost, CaseBroken, CaseWrongNumber, CaseNewNumber}
	case Unlocking:
		return []CaseReason{CaseWrongCodes}
	case IssuingTicket:
		return []CaseReason{CaseForgotten}
	case Erasing:
		return []CaseReason{CaseRequest, CaseRetention, CaseMistake}
	}
	return nil
}

// Claims returns the evidence that staff may say they have, in person or from afar. What
// Keydesk itself saw is added to it, and nobody can claim that. Nothing that somebody
// knows is evidence.
func Claims(remote bool) []Evidence {
	if remote {
		return []Evidence{CalledBack}
	}
	return []Evidence{SawDocument, SawPass, KnownInPerson}
}

type (
	// RequestCase asks for an action, or does it where it needs nobody else.
	RequestCase struct {
		Case     CaseID
		Subject  domain.SubjectID // whose account it is
		Action   Action
		Reason   CaseReason
		Evidence []Evidence // Claims only
		Ticket   domain.Ref // the number of the ticket in the helpdesk's own system; may be zero
		Remote   bool       // the person is not there
		Alone    bool       // without a second person: the machine's administrator only
		KeyID    string     // of what stops the case, and of the ticket
		Phone    Phone      // CorrectingNumber: the new one
		Resend   Reissue    // Resending: what of
	}

	// ApproveCase is the second person's. In person the action is done with it.
	ApproveCase struct {
		Case    CaseID
		Subject domain.SubjectID
	}

	// DenyCase is any other member of staff's, or the one's who asked.
	DenyCase struct {
		Case    CaseID
		Subject domain.SubjectID
		Reason  Denial
	}

	// StopCase is the person's, who has the code of it.
	StopCase struct{ Case CaseID }

	// ExpireCase records that a case has lapsed, when it has.
	ExpireCase struct{ Case CaseID }

	// CarryOut does what was approved, once its time has come.
	CarryOut struct{ Case CaseID }

	// AskCaller sends a code to somebody on the phone whose factor is SMS.
	AskCaller struct {
		Subject   domain.SubjectID
		Challenge ChallengeID
		KeyID     string
	}

	// ConfirmCaller brings what they read aloud.
	ConfirmCaller struct {
		Challenge ChallengeID
		Matches   bool
	}

	// CallerApproved says that they approved on the paired phone, which was asked.
	CallerApproved struct {
		Subject   domain.SubjectID
		Challenge ChallengeID
		Device    DeviceID
	}

	// RedeemTicket brings a ticket, of somebody who has just proved the e-mail address.
	RedeemTicket struct {
		Ticket  ChallengeID
		Matches bool
	}
)

func (RequestCase) isCommand()    {}
func (ApproveCase) isCommand()    {}
func (DenyCase) isCommand()       {}
func (StopCase) isCommand()       {}
func (ExpireCase) isCommand()     {}
func (CarryOut) isCommand()       {}
func (AskCaller) isCommand()      {}
func (ConfirmCaller) isCommand()  {}
func (CallerApproved) isCommand() {}
func (RedeemTicket) isCommand()   {}

// frozenToo says whether an action makes sense on a frozen account.
func (c RequestCase) frozenToo() bool {
	switch c.Action {
	case Freezing, Unfreezing, Unlocking, Erasing:
		return true
	case Resending:
		return whileFrozen(c.Resend)
	case CorrectingNumber, RevokingPocket, Resetting, IssuingTicket:
	}
	return false
}

func (p Policy) decideCase(s State, c Command, by domain.Stamp) ([]Event, error) {
	switch c := c.(type) { //nolint:gochecksumtype // those that Decide hands on
	case RequestCase:
		return p.decideRequest(s, c, by)
	case ApproveCase:
		return p.decideApproval(s, c, by)
	case DenyCase:
		return decideDenial(s, c, by)
	case StopCase:
		return decideStop(s, c, by)
	case ExpireCase:
		if s.Request.ID == c.Case && s.Request.Lapsed(by.At) {
			return []Event{RecoveryExpired(c)}, nil
		}
		return nil, nil
	case CarryOut:
		return p.decideCarryOut(s, c, by)
	case AskCaller:
		return p.decideAskCaller(s, c, by)
	case ConfirmCaller:
		right := CodeConfirmed{c.Challenge, VerifyingCaller, BySMS, by.At.Add(p.CallerProof).UTC()}
		return p.decideCode(s, s.Codes.Caller, c.Challenge, c.Matches, by, right)
	case CallerApproved:
		if err := byOthers(c.Subject, by); err != nil {
			return nil, err
		}
		if s.Chosen() != Pocket || s.Device.ID != c.Device {
			return nil, ErrOutOfOrder
		}
		return []Event{CodeConfirmed{c.Challenge, VerifyingCaller, ByPocket, by.At.Add(p.CallerProof).UTC()}}, nil
	case RedeemTicket:
		switch {
		case s.Chosen() != NoFactor:
			return nil, ErrAlreadyEnrolled
		case s.Email.IsZero() || s.Password.IsZero():
			return nil, ErrOutOfOrder
		}
		return p.decideCode(s, s.Codes.Ticket, c.Ticket, c.Matches, by, TicketRedeemed{TicketID(c.Ticket)})
	}
	panic("a command without a decision")
}

// byOthers says whether a member of staff acts, and not on their own account.
func byOthers(subject domain.SubjectID, by domain.Stamp) error {
	switch {
	case by.Actor.Kind != domain.ActorStaff || by.Actor.ID == "":
		return ErrNotStaff
	case by.Actor.ID == subject.String():
		return ErrOwnAccount
	}
	return nil
}

func (p Policy) decideRequest(s State, c RequestCase, by domain.Stamp) ([]Event, error) {
	second := c.Action.Second()
	if err := byOthers(c.Subject, by); err != nil {
		return nil, err
	}
	switch {
	case c.Case == "" || !slices.Contains(c.Action.Reasons(), c.Reason):
		return nil, ErrBadReason
	case c.Alone && (!second || by.Actor != domain.Console()):
		return nil, ErrSamePerson
	case c.Case == s.Case.ID || c.Case == s.Request.ID:
		return nil, ErrCaseOpen
	}
	evidence, err := evidenceOf(s, c, by)
	if err != nil {
		return nil, err
	}
	wanted := Case{
		ID: c.Case, Reason: c.Reason, Action: c.Action, Remote: c.Remote, By: by.Actor.ID, KeyID: c.KeyID, Phone: c.Phone,
	}
	request := RecoveryRequested{
		Case: c.Case, Reason: c.Reason, Evidence: evidence, Action: c.Action, Remote: c.Remote, Alone: c.Alone, By: by.Actor.ID, KeyID: c.KeyID,
	}
	if !c.Ticket.IsZero() {
		request.Ticket = &c.Ticket
	}
	if c.Action == CorrectingNumber {
		request.Phone, request.Source, request.Country = &c.Phone.Ref, c.Phone.Source, c.Phone.Country
	}
	effects, err := p.effects(s, wanted, c.Resend, by) // what cannot be done is not asked for either
	switch {
	case err != nil:
		return nil, err
	case !second || c.Alone:
		if c.Alone { // what it does was not there when another was looked at
			effects = append(effects, stopRequest(s, StoppedByOther)...)
		}
		return append(append([]Event{request}, effects...), RecoveryCompleted{c.Case, EndDone}), nil
	case s.Request.ID != "" && !s.Request.Lapsed(by.At):
		return nil, ErrCaseOpen
	}
	var events []Event
	if s.Request.ID != "" {
		events = append(events, RecoveryExpired{s.Request.ID})
	}
	request.Expires = by.At.Add(p.CaseApproval).UTC()
	return append(events, request), nil
}

// evidenceOf returns what is recorded as such: what staff say they have seen, and what
// Keydesk has.
func evidenceOf(s State, c RequestCase, by domain.Stamp) ([]Evidence, error) {
	claims := Claims(c.Remote)
	var all []Evidence
	for _, e := range c.Evidence {
		if !slices.Contains(claims, e) || slices.Contains(all, e) {
			return nil, ErrNoEvidence
		}
		all = append(all, e)
	}
	if s.Caller.By != "" && !by.At.After(s.Caller.Until) {
		all = append(all, s.Caller.By)
	}
	// Who stands at the desk is seen; that their phone is there too proves no face.
	enough := c.Remote && len(all) > 0 || !c.Remote && len(c.Evidence) > 0
	if c.Action.Proof() && !enough && !c.Alone {
		return nil, ErrNoEvidence
	}
	return all, nil
}

func (p Policy) decideApproval(s State, c ApproveCase, by domain.Stamp) ([]Event, error) {
	r := s.Request
	if err := byOthers(c.Subject, by); err != nil {
		return nil, err
	}
	switch {
	case r.ID != c.Case || c.Case == "" || r.Approved != "":
		return nil, ErrNoCase
	case r.By == by.Actor.ID:
		return nil, ErrSamePerson
	case r.Lapsed(by.At):
		return []Event{RecoveryExpired{r.ID}}, nil
	}
	effects, err := p.effects(s, r, Reissue{}, by)
	if err != nil {
		return nil, err
	}
	approved := RecoveryApproved{Case: r.ID, By: by.Actor.ID, NotBefore: by.At.UTC()}
	if r.Remote && r.Action.Waits() {
		approved.NotBefore = by.At.Add(p.CaseWait).UTC()
		approved.Until = approved.NotBefore.Add(p.CaseWindow).UTC()
		return []Event{approved}, nil
	}
	approved.Until = approved.NotBefore
	return append(append([]Event{approved}, effects...), RecoveryCompleted{r.ID, EndDone}), nil
}

func decideDenial(s State, c DenyCase, by domain.Stamp) ([]Event, error) {
	if err := byOthers(c.Subject, by); err != nil {
		return nil, err
	}
	switch {
	case s.Request.ID != c.Case || c.Case == "":
		return nil, ErrNoCase
	case !slices.Contains(Denials(), c.Reason):
		return nil, ErrBadReason
	case s.Request.Lapsed(by.At):
		return []Event{RecoveryExpired{c.Case}}, nil
	}
	return []Event{RecoveryDenied{c.Case, by.Actor.ID, c.Reason}}, nil
}

func decideStop(s State, c StopCase, by domain.Stamp) ([]Event, error) {
	switch {
	case s.Request.ID != c.Case || c.Case == "":
		return nil, ErrNoCase
	case s.Request.Lapsed(by.At):
		return []Event{RecoveryExpired(c)}, nil
	}
	return []Event{RecoveryStopped{c.Case, StoppedByPerson}}, nil
}

// decideCarryOut does what was approved. What has nothing to do any more ends the case.
func (p Policy) decideCarryOut(s State, c CarryOut, by domain.Stamp) ([]Event, error) {
	r := s.Request
	switch {
	case r.ID != c.Case || c.Case == "":
		return nil, ErrNoCase
	case r.Lapsed(by.At):
		return []Event{RecoveryExpired(c)}, nil
	case r.Approved == "":
		return nil, ErrNotApproved
	case by.At.Before(r.NotBefore):
		return nil, ErrTooEarly
	}
	effects, err := p.effects(s, r, Reissue{}, by)
	if err != nil {
		return []Event{RecoveryStopped{r.ID, StoppedByOther}}, nil
	}
	return append(effects, RecoveryCompleted{r.ID, EndDone}), nil
}

// effects returns what an action does to an account as it is now. That it does nothing
// is ErrPointless.
func (p Policy) effects(s State, c Case, resend Reissue, by domain.Stamp) ([]Event, error) {
	switch c.Action {
	case Resending:
		if resend.Purpose == ConfirmingEmail && s.Codes.Email.Used { // nobody waits for it
			return nil, ErrNothingToConfirm
		}
		return p.decideReissue(s, resend, by) // an open code may stay as it is
	case Freezing:
		return orPointless(decideFreeze(s, Freeze{Reason: FrozenHelpdesk}))
	case Unfreezing:
		return orPointless(decideUnfreeze(s))
	case Unlocking:
		if s.WrongInARow == 0 {
			return nil, ErrPointless
		}
		return []Event{Unlocked{UnlockedByHelpdesk}}, nil
	case Erasing:
		return []Event{PersonErased{KeyDeleted}}, nil
	case CorrectingNumber, RevokingPocket, Resetting, IssuingTicket:
	}
	if s.Frozen != "" {
		return nil, ErrFrozen
	}
	switch c.Action {
	case CorrectingNumber:
		return p.correctNumber(s, c.Phone)
	case RevokingPocket:
		return orPointless(revokePocket(s))
	case Resetting:
		return orPointless(resetAll(s))
	case IssuingTicket:
		switch {
		case s.Chosen() != NoFactor:
			return nil, ErrAlreadyEnrolled
		case s.Password.IsZero():
			return nil, ErrPointless
		}
		return []Event{TicketIssued{TicketID(c.ID), RecoveryTicket, c.KeyID, by.At.Add(p.TicketLife).UTC()}}, nil
	case Resending, Freezing, Unfreezing, Unlocking, Erasing:
	}
	return nil, ErrBadReason
}

func orPointless(events []Event) ([]Event, error) {
	if len(events) == 0 {
		return nil, ErrPointless
	}
	return events, nil
}

// correctNumber gives the number that the person proves at their next step. Until then
// there is none: a number that staff know to be wrong is no factor.
func (p Policy) correctNumber(s State, number Phone) ([]Event, error) {
	switch {
	case s.Chosen() == Pocket: // they change it themselves
		return nil, ErrAlreadyEnrolled
	case s.Step() < StepPhone:
		return nil, ErrOutOfOrder
	case !slices.Contains(p.PhoneCountries, number.Country):
		return nil, ErrCountryNotAllowed
	case number.Ref.IsZero() || number.Ref == s.Phone.Ref || number.Ref == s.Given.Ref:
		return nil, ErrSamePhone
	}
	return append(provedAnew(s, cancel(s.Pairing)), PhoneGiven{number.Ref, number.Source, number.Country}), nil
}

// provedAnew voids the verified number.
func provedAnew(s State, events []Event) []Event {
	if s.Phone.Ref.IsZero() {
		return events
	}
	return append(events, PhoneVoided{VoidedByHelpdesk})
}

// revokePocket takes a phone's key. The password alone must not pair another one: the
// number is proved again first, as in an enrolment.
func revokePocket(s State) []Event {
	if s.Device.ID == "" {
		return nil
	}
	events := append(cancel(s.Pairing), PocketRevoked{s.Device.ID, RevokedByHelpdesk})
	if events = provedAnew(s, events); !s.Phone.Ref.IsZero() {
		events = append(events, PhoneGiven{s.Phone.Ref, s.Phone.Source, s.Phone.Country})
	}
	return append(events, endCase(s, EndHelpdesk)...)
}

func resetAll(s State) []Event {
	if s.Password.IsZero() && s.Device.ID == "" && s.Phone.Ref.IsZero() && s.Given.Ref.IsZero() {
		return nil
	}
	var events []Event
	if s.Device.ID != "" {
		events = append(events, PocketRevoked{s.Device.ID, RevokedByHelpdesk})
	}
	return append(append(events, EnrolmentReset{ResetByHelpdesk}), endCase(s, EndHelpdesk)...)
}

// stopRequest ends the open case of staff: it was looked at when something else was so.
func stopRequest(s State, why Stop) []Event {
	if s.Request.ID == "" {
		return nil
	}
	return []Event{RecoveryStopped{s.Request.ID, why}}
}

func (p Policy) decideAskCaller(s State, c AskCaller, by domain.Stamp) ([]Event, error) {
	if err := byOthers(c.Subject, by); err != nil {
		return nil, err
	}
	switch {
	case s.Chosen() == NoFactor:
		return nil, ErrNotEnrolled
	case s.Chosen() != SMS: // the phone is asked
		return nil, ErrOutOfOrder
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	}
	return p.issue(s.Codes.Caller, VerifyingCaller, BySMS, s.Phone.Ref, c.Challenge, c.KeyID, by), nil
}

// Lapsed says whether nothing can come of a case any more, because nobody approved it,
// or nobody carried it out, in time.
func (c Case) Lapsed(at time.Time) bool {
	if c.Approved == "" {
		return at.After(c.Expires)
	}
	return at.After(c.Until)
}

// A Caller is somebody on the phone who has just proved their factor.
type Caller struct {
	By    Evidence // empty: nobody
	Until time.Time
}

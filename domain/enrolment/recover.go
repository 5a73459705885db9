package enrolment

import "github.com/keydesk/keydesk/domain"

// What happens when somebody cannot use their factor, or says that somebody else
// has their password. E-mail and password alone open a case and freeze; they never
// give a factor. What ends a case is the current factor (FoundPhone), the number
// that was verified at the enrolment where it is still the person's (RecoverNumber:
// mail, password and number are what the enrolment asks for), or staff (Unfreezing).
type (
	// Freeze makes every factor count for nothing. Case opens a case, unless empty.
	Freeze struct {
		Reason FreezeReason
		Case   CaseID
	}

	// AskRecovery asks for a code by mail, of somebody who knows the password.
	AskRecovery struct {
		Challenge ChallengeID
		KeyID     string
	}

	// ConfirmRecovery brings it.
	ConfirmRecovery struct {
		Challenge ChallengeID
		Matches   bool
	}

	// ReportPhone says what became of the phone. Mail is the confirmed challenge of
	// AskRecovery. With CaseNew it asks for a code to the verified number, with the
	// others it freezes.
	ReportPhone struct {
		Reason    CaseReason
		Case      CaseID
		Mail      ChallengeID
		Challenge ChallengeID
		KeyID     string
	}

	// RecoverNumber brings the code from that number.
	RecoverNumber struct {
		Challenge ChallengeID
		Matches   bool
	}

	// FoundPhone ends a freeze of somebody who reported the phone lost. Mail is as in
	// ReportPhone; whoever asks has seen them prove the chosen factor as well.
	FoundPhone struct{ Mail ChallengeID }
)

func (Freeze) isCommand()          {}
func (AskRecovery) isCommand()     {}
func (ConfirmRecovery) isCommand() {}
func (ReportPhone) isCommand()     {}
func (RecoverNumber) isCommand()   {}
func (FoundPhone) isCommand()      {}

// whileFrozen says whether a command may be decided on a frozen account: what only
// records, what makes it stricter, and what ends the freeze.
func whileFrozen(c Command) bool {
	switch c := c.(type) {
	case RegisterStaff, RecordLeft, RecordSent, RecordUndeliverable, SetLanguage, Unlock, ShowHelp, CancelPairing,
		Freeze, AskRecovery, ConfirmRecovery, ReportPhone, FoundPhone,
		ApproveCase, DenyCase, StopCase, ExpireCase, CarryOut, RevokeInvitation:
		return true
	case RequestCase:
		return c.frozenToo()
	case Reissue:
		return c.Purpose == Recovering
	case ChangePassword:
		return c.Reason == PasswordRehashed
	case Begin, ConfirmEmail, SetNameAndPassword, GivePhone, ConfirmPhone, ChooseSMS, OfferPairing,
		ClaimPairing, ConfirmPairing, FinishPairing, Reset, ChangeName, ChangePhone, ConfirmNewPhone,
		SwitchToSMS, RecoverNumber, AskCaller, ConfirmCaller, CallerApproved, RedeemTicket, Invite, RedeemInvitation:
	}
	return false
}

func (p Policy) decideRecovery(s State, c Command, by domain.Stamp) ([]Event, error) {
	switch c := c.(type) { //nolint:gochecksumtype // those that Decide hands on
	case Freeze:
		return decideFreeze(s, c), nil
	case AskRecovery:
		return p.decideAsk(s, c, by)
	case ConfirmRecovery:
		if s.Codes.Recovery.Channel != ByMail {
			return nil, ErrNothingToConfirm
		}
		return p.decideCode(s, s.Codes.Recovery, c.Challenge, c.Matches, by, CodeConfirmed{Challenge: c.Challenge, Purpose: Recovering, Channel: ByMail})
	case ReportPhone:
		return p.decideReport(s, c, by)
	case RecoverNumber:
		return p.decideNumber(s, c, by)
	case FoundPhone:
		return p.decideFound(s, c, by)
	}
	panic("a command without a decision")
}

// decideFreeze: the reason that leaves fewer ways out takes the place of lost.
func decideFreeze(s State, c Freeze) []Event {
	if s.Frozen == c.Reason || s.Frozen != "" && s.Frozen != FrozenLost {
		return nil
	}
	events := append(cancel(s.Pairing), AccountFrozen{c.Reason})
	if c.Case != "" {
		events = append(events, RecoveryRequested{Case: c.Case, Reason: CaseNotMe})
	}
	return append(events, stopRequest(s, StoppedByFreeze)...)
}

// decideUnfreeze has the account count again; everything behind the e-mail address is
// proved anew, with a new password.
func decideUnfreeze(s State) []Event {
	if s.Frozen == "" {
		return nil
	}
	var events []Event
	if s.Device.ID != "" {
		events = append(events, PocketRevoked{s.Device.ID, RevokedByHelpdesk})
	}
	events = append(events, AccountUnfrozen{UnfrozenHelpdesk}, EnrolmentReset{ResetToRecover})
	return append(events, endCase(s, EndHelpdesk)...)
}

func (p Policy) decideAsk(s State, c AskRecovery, by domain.Stamp) ([]Event, error) {
	switch {
	case s.Chosen() == NoFactor:
		return nil, ErrNotEnrolled
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	}
	return p.issue(s.Codes.Recovery, Recovering, ByMail, s.Email, c.Challenge, c.KeyID, by), nil
}

// mailProved says that a code by mail was confirmed, and not so long ago that it
// would be no proof any more.
func (p Policy) mailProved(s State, mail ChallengeID, by domain.Stamp) bool {
	c := s.Codes.Recovery
	return mail != "" && c.ID == mail && c.Channel == ByMail && c.Used && by.At.Before(c.Expires.Add(p.EmailCodeLife))
}

func (p Policy) decideReport(s State, c ReportPhone, by domain.Stamp) ([]Event, error) {
	switch {
	case s.Chosen() == NoFactor:
		return nil, ErrNotEnrolled
	case !p.mailProved(s, c.Mail, by):
		return nil, ErrOutOfOrder
	}
	request := RecoveryRequested{Case: c.Case, Reason: c.Reason, Evidence: []Evidence{ProvedPassword, ProvedEmail}}
	stop := stopRequest(s, StoppedByFreeze)
	switch c.Reason { //nolint:exhaustive // those that a person can report; the others are staff's
	case CaseLost:
		if s.Frozen != "" {
			return nil, nil
		}
		return append(append(cancel(s.Pairing), AccountFrozen{FrozenLost}, request), stop...), nil
	case CaseStolen:
		if s.Frozen != "" && s.Frozen != FrozenLost {
			return nil, nil
		}
		events := cancel(s.Pairing)
		if s.Device.ID != "" {
			events = append(events, PocketRevoked{s.Device.ID, StolenDevice})
		}
		return append(append(events, AccountFrozen{FrozenStolen}, request), stop...), nil
	case CaseNew:
		switch {
		case s.Frozen != "":
			return nil, ErrFrozen
		case s.Chosen() != Pocket || s.Phone.Ref.IsZero():
			return nil, ErrOutOfOrder
		case s.WrongInARow >= p.WrongCodesInARow:
			return nil, ErrLocked
		}
		return append([]Event{request}, CodeIssued{
			c.Challenge, Recovering, BySMS, s.Phone.Ref, c.KeyID, by.At.Add(p.SMSCodeLife).UTC(),
		}), nil
	}
	return nil, ErrOutOfOrder
}

func (p Policy) decideNumber(s State, c RecoverNumber, by domain.Stamp) ([]Event, error) {
	code := s.Codes.Recovery
	switch {
	case s.Chosen() != Pocket || s.Case.Reason != CaseNew:
		return nil, ErrOutOfOrder
	case code.Channel != BySMS || code.To != s.Phone.Ref:
		return nil, ErrNothingToConfirm
	}
	events := append(cancel(s.Pairing),
		CodeConfirmed{Challenge: c.Challenge, Purpose: Recovering, Channel: BySMS},
		PocketRevoked{s.Device.ID, LostDevice},
		FactorChosen{Factor: SMS, Reason: FactorRecovered})
	return p.decideCode(s, code, c.Challenge, c.Matches, by, append(events, endCase(s, EndNew)...)...)
}

func (p Policy) decideFound(s State, c FoundPhone, by domain.Stamp) ([]Event, error) {
	switch {
	case s.Frozen == "":
		return nil, nil
	case s.Frozen != FrozenLost:
		return nil, ErrFrozen
	case s.Chosen() == NoFactor || !p.mailProved(s, c.Mail, by):
		return nil, ErrOutOfOrder
	}
	return append([]Event{AccountUnfrozen{UnfrozenFound}}, endCase(s, EndFound)...), nil
}

func endCase(s State, how CaseEnd) []Event {
	if s.Case.ID == "" {
		return nil
	}
	return []Event{RecoveryCompleted{s.Case.ID, how}}
}

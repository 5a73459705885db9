package desk

import (
	"strconv"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// wrong is how many guesses at a code were wrong.
func (f *PersonFacts) wrong() []string {
	n := f.State.Codes.Email.Wrong
	if f.State.Step() == enrolment.StepSMSCode {
		n = f.State.Codes.Phone.Wrong
	}
	return []string{"N", strconv.Itoa(n)}
}

// checks are the links of the chain, each judged by itself.
func (f *PersonFacts) checks() []Check {
	all := []Check{f.checkExists(), f.checkEmail(), f.checkPassword(), f.checkUnlocked(), f.checkPhone(), f.checkFactor()}
	for i, name := range []CheckName{CheckExists, CheckEmail, CheckPassword, CheckUnlocked, CheckPhone, CheckFactor} {
		all[i].Name = name
		if f.Parked || f.System.LogAway || f.System.Behind {
			all[i].State, all[i].Detail = CheckUnknown, phrase("desk-detail-unknown")
		}
	}
	system := f.checkSystem()
	system.Name = CheckSystem
	return append(all, system)
}

func check(s CheckState, detail string, params ...string) Check {
	return Check{State: s, Detail: phrase("desk-detail-"+detail, params...)}
}

func (f *PersonFacts) checkExists() Check {
	switch s := &f.State; {
	case f.Erased:
		return check(CheckBad, "erased")
	case s.Staff.Left && s.Chosen() == enrolment.NoFactor:
		return check(CheckBad, "left")
	case s.Staff.Left:
		return check(CheckOK, "left-keeps")
	case s.Staff.Registered:
		return check(CheckOK, "on-roster")
	case f.Known && s.Started:
		return check(CheckOK, "not-on-roster")
	case f.Known && s.Invitation.Open(f.Policy, f.Now):
		return check(CheckOK, "invited")
	}
	return check(CheckBad, "nobody")
}

func (f *PersonFacts) checkEmail() Check {
	failed := f.State.Codes.Email.Failed
	switch {
	case !f.State.Email.IsZero():
		return check(CheckOK, "email-proved", "At", moment(f.Proved))
	case !f.State.Started:
		return check(CheckOpen, "not-begun")
	case failed != "" && failed != enrolment.Unknown:
		return check(CheckBad, "mail-undelivered")
	case f.State.Step() == enrolment.StepEmail && f.CodeEnded:
		return check(CheckBad, "code-ended")
	}
	return check(CheckOpen, "email-open")
}

func (f *PersonFacts) checkPassword() Check {
	switch {
	case f.State.Password.IsZero():
		return check(CheckOpen, "password-open")
	case f.Logins.WrongPasswords > 0:
		return check(CheckBad, "password-wrong", "N", strconv.Itoa(f.Logins.WrongPasswords))
	}
	return check(CheckOK, "password-set", "At", moment(f.Password))
}

func (f *PersonFacts) checkUnlocked() Check {
	switch {
	case f.State.Frozen != "":
		return check(CheckBad, "frozen-"+known(string(f.State.Frozen), frozenReasons, string(enrolment.FrozenHelpdesk)))
	case f.locked():
		return check(CheckBad, "locked", "N", strconv.Itoa(f.State.WrongInARow))
	case f.Logins.Parked:
		return check(CheckUnknown, "unknown")
	case f.Logins.Locked.After(f.Now):
		return check(CheckBad, "login-locked", "Until", moment(f.Logins.Locked))
	}
	return check(CheckOK, "unlocked", "N", strconv.Itoa(f.State.WrongInARow))
}

func (f *PersonFacts) checkPhone() Check {
	c := f.State.Codes.Phone
	waits := f.State.Step() == enrolment.StepSMSCode
	switch {
	case waits && c.Failed != "" && c.Failed != enrolment.Unknown:
		return check(CheckBad, "sms-undelivered", "N", strconv.Itoa(max(1, f.Failed)))
	case f.Logins.Last == CodeUnsent && f.State.Chosen() == enrolment.SMS:
		return check(CheckBad, "sms-undelivered", "N", "1")
	case waits && f.CodeEnded:
		return check(CheckBad, "code-ended")
	case !f.State.Phone.Ref.IsZero():
		return check(CheckOK, "phone-proved")
	case waits:
		return check(CheckOpen, "phone-waiting")
	}
	return check(CheckOpen, "phone-open")
}

func (f *PersonFacts) checkFactor() Check {
	s := &f.State
	switch {
	case s.Frozen != "" && s.Chosen() != enrolment.NoFactor:
		return check(CheckBad, "factor-frozen")
	case s.Chosen() == enrolment.Pocket:
		switch f.Logins.Last {
		case PhoneSilent, PhoneDenied, PhoneDigits:
			return check(CheckBad, "pocket-"+string(f.Logins.Last))
		case NoEnding, CodeUnsent, LoginWasOld:
		}
		return check(CheckOK, "factor-pocket", "At", moment(f.Factor))
	case s.Chosen() == enrolment.SMS:
		if f.Logins.WrongCodes > 0 {
			return check(CheckBad, "factor-code-wrong", "N", strconv.Itoa(f.Logins.WrongCodes))
		}
		return check(CheckOK, "factor-sms", "At", moment(f.Factor))
	case f.Revoked == enrolment.LostDevice, f.Revoked == enrolment.StolenDevice, f.Revoked == enrolment.RevokedByHelpdesk:
		return check(CheckBad, "factor-revoked")
	case s.Pairing.Stage == enrolment.Over && s.Pairing.Failure == enrolment.TooManyTries:
		return check(CheckBad, "pairing-failed")
	}
	return check(CheckOpen, "factor-open")
}

func (f *PersonFacts) checkSystem() Check {
	switch s := f.System; {
	case s.LogAway:
		return check(CheckBad, "log-away")
	case s.Behind:
		return check(CheckBad, "behind")
	case s.MailDown:
		return check(CheckBad, "mail-down")
	case s.SMSDown:
		return check(CheckBad, "sms-down")
	case s.SMSPaused:
		return check(CheckBad, "sms-paused")
	case s.SMSSpent:
		return check(CheckBad, "sms-spent")
	}
	return check(CheckOK, "system-well")
}

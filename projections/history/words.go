package history

import (
	"slices"
	"strconv"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// variants lists the messages: by type of event, and of these the closed codes
// that have a sentence of their own. Any other code is told by the sentence of
// the type alone.
var variants = map[string][]string{
	"StaffRegistered":   nil,
	"StaffChanged":      nil,
	"StaffLeft":         nil,
	"EnrolmentStarted":  {"roster", "domain", "invitation"},
	"CodeIssued":        {"confirm-email", "verify-phone", "change-phone", "recover", "verify-caller"},
	"CodeSent":          nil,
	"CodeUndeliverable": {"invalid-recipient", "blocked", "refused", "no-route", "no-provider", "unknown"},
	"CodeRejected":      {"wrong", "expired", "used"},
	"EmailConfirmed":    nil,
	"NameSet":           nil,
	"PasswordSet":       {"changed", "rehashed"},
	"PhoneGiven":        {"hr", "self"},
	"PhoneVerified":     nil,
	"PairingOffered":    nil,
	"PairingClaimed":    nil,
	"PairingConfirmed":  nil,
	"PairingFailed":     {"wrong-digits", "too-many-tries", "claimed-twice", "cancelled"},
	"PocketPaired":      nil,
	"PocketRevoked":     {"replaced", "switched", "lost", "stolen", "helpdesk"},
	"FactorChosen":      {"sms", "pocket"},
	"LanguageSet":       {"nl", "en"},
	"EnrolmentReset":    {"forgotten-password", "recovered", "helpdesk"},
	"Unlocked":          {"admin", "helpdesk"},
	"HelpCodeShown":     nil,
	"CodeConfirmed":     {"recover", "verify-caller"},
	"AccountFrozen":     {"not-me", "lost", "stolen", "helpdesk"},
	"AccountUnfrozen":   {"found", "helpdesk"},
	"RecoveryRequested": {
		"lost", "stolen", "new", "not-me", // the person's own, by their reason; staff's, by what they asked for
		"resend", "correct-number", "revoke-pocket", "freeze", "unfreeze", "reset", "unlock", "ticket", "erase",
	},
	"RecoveryApproved":  nil,
	"RecoveryDenied":    {"unproved", "mistake", "not-needed"},
	"RecoveryStopped":   {"person", "frozen", "other"},
	"RecoveryExpired":   nil,
	"RecoveryCompleted": {"found", "new", "helpdesk", "done"},
	"PhoneVoided":       nil,
	"TicketIssued":      nil,
	"TicketRedeemed":    nil,
	"PersonErased":      nil,

	"InvitationIssued":   {"shown", "printed", "mailed"},
	"InvitationRejected": {"wrong", "expired"},
	"InvitationRedeemed": nil,
	"InvitationRevoked":  nil,
}

// Messages returns the ids of all messages that an entry may name, in
// alphabetical order. Each has to exist in every language.
func Messages() []string {
	ids := []string{"history-missing", "history-unknown", "history-unreadable"}
	for _, all := range []map[string][]string{variants, loginVariants, stationVariants, staffVariants, accessVariants, serviceVariants} {
		for typ, codes := range all {
			ids = append(ids, "history-"+typ)
			for _, code := range codes {
				ids = append(ids, "history-"+typ+"-"+code)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// words returns how an event is told.
func words(e enrolment.Event) (message string, o Outcome, params map[string]string) {
	code := ""
	switch e := e.(type) {
	case enrolment.EnrolmentStarted:
		code, o = string(e.Admission), Progress
	case enrolment.CodeIssued:
		code, o = string(e.Purpose), Note
	case enrolment.CodeSent:
		o, params = Note, map[string]string{"Number": strconv.Itoa(e.Number), "Provider": e.Provider}
	case enrolment.CodeUndeliverable:
		code, o, params = string(e.Reason), Failed, map[string]string{"Number": strconv.Itoa(e.Number)}
	case enrolment.CodeRejected:
		code, o, params = string(e.Reason), Refused, map[string]string{"Attempt": strconv.Itoa(e.Attempt)}
	case enrolment.InvitationIssued:
		code, o = string(e.Kind), Note
	case enrolment.InvitationRejected:
		code, o, params = string(e.Reason), Refused, map[string]string{"Attempt": strconv.Itoa(e.Attempt)}
	case enrolment.PhoneGiven:
		code, o, params = string(e.Source), Note, map[string]string{"Country": e.Country}
	case enrolment.PhoneVerified:
		o, params = Progress, map[string]string{"Country": e.Country}
	case enrolment.PasswordSet:
		if code, o = string(e.Reason), Progress; e.Reason == enrolment.PasswordRehashed {
			o = Note
		}
	case enrolment.EmailConfirmed, enrolment.NameSet, enrolment.PairingConfirmed, enrolment.PocketPaired, enrolment.TicketRedeemed,
		enrolment.InvitationRedeemed:
		o = Progress
	case enrolment.CodeConfirmed:
		code, o = string(e.Purpose), Progress
	case enrolment.AccountFrozen:
		code, o = string(e.Reason), Refused
	case enrolment.AccountUnfrozen:
		code, o = string(e.Reason), Progress
	case enrolment.RecoveryRequested:
		if code, o = string(e.Reason), Note; e.Action != "" {
			code = string(e.Action)
		}
	case enrolment.RecoveryDenied:
		code, o = string(e.Reason), Refused
	case enrolment.RecoveryStopped:
		code, o = string(e.Reason), Refused
	case enrolment.RecoveryApproved, enrolment.RecoveryExpired, enrolment.PhoneVoided, enrolment.TicketIssued, enrolment.PersonErased:
		o = Note
	case enrolment.RecoveryCompleted:
		code, o = string(e.Reason), Progress
	case enrolment.StaffRegistered, enrolment.StaffChanged, enrolment.StaffLeft, enrolment.PairingOffered, enrolment.PairingClaimed, enrolment.HelpCodeShown,
		enrolment.InvitationRevoked:
		o = Note
	case enrolment.PairingFailed:
		code, o = string(e.Reason), Refused
		if e.Reason == enrolment.Cancelled {
			o = Note
		}
	case enrolment.PocketRevoked:
		code, o = string(e.Reason), Note
	case enrolment.FactorChosen:
		code, o = string(e.Factor), Progress
	case enrolment.LanguageSet:
		code, o = e.Language, Note
	case enrolment.EnrolmentReset:
		code, o = string(e.Reason), Note
	case enrolment.Unlocked:
		code, o = string(e.Reason), Note
	}
	return messageOf(variants, enrolment.TypeOf(e), code), o, params
}

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
	"EnrolmentStarted":  {"roster", "domain", "invitation"},
	"CodeIssued":        {"confirm-email", "verify-phone"},
	"CodeSent":          nil,
	"CodeUndeliverable": {"invalid-recipient", "blocked", "refused", "no-route", "no-provider", "unknown"},
	"CodeRejected":      {"wrong", "expired", "used"},
	"EmailConfirmed":    nil,
	"NameSet":           nil,
	"PasswordSet":       nil,
	"PhoneGiven":        {"hr", "self"},
	"PhoneVerified":     nil,
	"PairingOffered":    nil,
	"PairingClaimed":    nil,
	"PairingConfirmed":  nil,
	"PairingFailed":     {"wrong-digits", "too-many-tries", "claimed-twice", "cancelled"},
	"PocketPaired":      nil,
	"PocketRevoked":     {"replaced"},
	"FactorChosen":      {"sms", "pocket"},
	"LanguageSet":       {"nl", "en"},
	"EnrolmentReset":    {"forgotten-password"},
	"Unlocked":          {"admin"},
	"HelpCodeShown":     nil,
}

// Messages returns the ids of all messages that an entry may name, in
// alphabetical order. Each has to exist in every language.
func Messages() []string {
	ids := []string{"history-missing", "history-unknown", "history-unreadable"}
	for typ, codes := range variants {
		ids = append(ids, "history-"+typ)
		for _, code := range codes {
			ids = append(ids, "history-"+typ+"-"+code)
		}
	}
	slices.Sort(ids)
	return ids
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
	case enrolment.PhoneGiven:
		code, o, params = string(e.Source), Note, map[string]string{"Country": e.Country}
	case enrolment.PhoneVerified:
		o, params = Progress, map[string]string{"Country": e.Country}
	case enrolment.EmailConfirmed, enrolment.NameSet, enrolment.PasswordSet, enrolment.PairingConfirmed, enrolment.PocketPaired:
		o = Progress
	case enrolment.StaffRegistered, enrolment.StaffChanged, enrolment.PairingOffered, enrolment.PairingClaimed, enrolment.HelpCodeShown:
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
	typ := enrolment.TypeOf(e)
	message = "history-" + typ
	if slices.Contains(variants[typ], code) {
		message += "-" + code
	}
	return message, o, params
}

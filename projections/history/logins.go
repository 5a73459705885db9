package history

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// loginVariants lists the messages of logins, as variants does those of enrolments.
var loginVariants = map[string][]string{
	"LoginChallenged":   {"sms", "pocket"},
	"CodeSent":          nil,
	"CodeUndeliverable": variants["CodeUndeliverable"],
	"LoginApproved":     nil,
	"LoginSucceeded":    {"sms", "pocket"},
	"LoginFailed":       {"password", "code", "digits", "denied", "not-me", "stale"},
	"LoginLocked":       nil,
}

// OfLogins tells what happened in one person's logins, from the events of their
// stream with metadata, in order. Earlier ones may have been dropped after their
// time. Step and Factor of the entries are empty.
func OfLogins(events []domain.Recorded) []Entry {
	entries := make([]Entry, 0, len(events))
	for i := range events {
		r := &events[i]
		entry := Entry{Recorded: r.Recorded, Type: r.Type, ID: r.ID, Revision: r.Revision, Position: r.Position}
		var meta domain.Metadata
		if err := json.Unmarshal(r.Metadata, &meta); err == nil { // what is not readable is not shown
			entry.At, entry.Actor, entry.Station = meta.At, meta.Actor, meta.Station
			entry.Policy, entry.Visit = meta.Policy, meta.Correlation
		}
		e, err := login.Decode(r.Type, r.Data)
		switch {
		case errors.Is(err, domain.ErrUnknownEvent):
			entry.Message, entry.Outcome = "history-unknown", Puzzling
		case err != nil:
			entry.Message, entry.Outcome = "history-unreadable", Puzzling
		default:
			entry.Message, entry.Outcome, entry.Params = loginWords(e)
		}
		entries = append(entries, entry)
	}
	return entries
}

func loginWords(e login.Event) (message string, o Outcome, params map[string]string) {
	code := ""
	switch e := e.(type) {
	case login.LoginChallenged:
		code, o = string(e.Factor), Note
	case login.CodeSent:
		_, o, params = words(enrolment.CodeSent(e))
	case login.CodeUndeliverable:
		code = string(e.Reason)
		_, o, params = words(enrolment.CodeUndeliverable(e))
	case login.LoginApproved:
		o = Note
	case login.LoginSucceeded:
		code, o = string(e.Factor), Progress
	case login.LoginFailed:
		code, o = string(e.Reason), Refused
	case login.LoginLocked:
		o = Refused
	}
	return messageOf(loginVariants, login.TypeOf(e), code), o, params
}

// Whole tells all that happened to one person, in the order of the log.
func Whole(enrolment, logins []domain.Recorded) []Entry {
	all := append(Of(enrolment), OfLogins(logins)...)
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(a.Position, b.Position) })
	return all
}

// Story tells one person what happened to their account: the newest first, at most
// so many entries, without the messages that were on their way.
func Story(enrolment, logins []domain.Recorded, most int) []Entry {
	all := slices.DeleteFunc(Whole(enrolment, logins), func(e Entry) bool { return e.Type == "CodeSent" || e.Type == "LoginApproved" })
	slices.Reverse(all)
	return all[:min(len(all), most)]
}

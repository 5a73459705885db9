package desk

import (
	"slices"
	"strings"

	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// A HelpdeskMessage is an id that a Phrase may have, or that says one of the other
// codes of the helpdesk, and what the message takes beside Pocket, Portal and Support,
// in alphabetical order. One that takes N has a form for
// one and a form for others.
type HelpdeskMessage struct {
	ID     string
	Params []string
}

// HelpdeskMessages returns all of them, in alphabetical order: each has to exist in
// every language.
func HelpdeskMessages() []HelpdeskMessage {
	var all []HelpdeskMessage
	add := func(area string, params []string, codes ...string) {
		for _, code := range codes {
			all = append(all, HelpdeskMessage{"desk-" + area + "-" + code, params})
		}
	}
	at, n, until := []string{"At"}, []string{"N"}, []string{"Until"}
	for _, group := range groups {
		add("group", nil, string(group))
	}
	add("now", nil,
		"parked", "locked", "digits-ended", "mail-sending", "mail-sent", "password", "phone", "sms-sending", "sms-sent",
		"choosing", "pairing", "ticket", "not-begun", "done-sms", "done-pocket", "gone")
	for _, why := range frozenReasons {
		add("now", nil, "frozen-"+why)
		add("cause", nil, "frozen-"+why)
		add("detail", nil, "frozen-"+why)
	}
	for _, why := range append(slices.Clone(definite), string(enrolment.NoProvider), "other") {
		add("now", nil, "mail-"+why, "sms-"+why)
	}
	for _, why := range append(slices.Clone(definite), "other") {
		add("cause", nil, "mail-"+why)
		add("cause", n, "sms-"+why)
	}
	add("now", n, "code-ended", "still")
	add("now", at, "paused", "announced", "invited")
	add("now", []string{"Day"}, "starts")
	add("cause", nil,
		"well", "invited", "invitation-over", "ticket", "log-away", "behind", "parked", "erased", "unknown", "left", "not-begun", "mail-down", "mail-waiting",
		"no-password", "no-phone", "sms-down", "sms-paused", "sms-spent", "sms-waiting", "pairing", "pairing-failed",
		"revoked-lost", "revoked-stolen", "revoked-helpdesk", "not-chosen", "login-parked", "pocket-silent", "pocket-denied",
		"pocket-digits", "login-stale")
	add("cause", n, "locked", "mail-ended", "sms-ended", "wrong-password", "wrong-code")
	add("cause", until, "login-locked")
	for _, c := range []CheckName{CheckExists, CheckEmail, CheckPassword, CheckUnlocked, CheckPhone, CheckFactor, CheckSystem} {
		add("check", nil, string(c))
	}
	add("detail", nil,
		"unknown", "erased", "left", "left-keeps", "invited", "on-roster", "not-on-roster", "nobody", "not-begun", "mail-undelivered",
		"code-ended", "email-open", "password-open", "phone-proved", "phone-waiting", "phone-open", "factor-frozen",
		"pocket-silent", "pocket-denied", "pocket-digits", "factor-revoked", "pairing-failed", "factor-open",
		"log-away", "behind", "mail-down", "sms-down", "sms-paused", "sms-spent", "system-well")
	add("detail", at, "email-proved", "password-set", "factor-pocket", "factor-sms")
	add("detail", n, "password-wrong", "locked", "unlocked", "sms-undelivered", "factor-code-wrong")
	add("detail", until, "login-locked")
	for _, these := range advices {
		for _, advice := range these {
			add("advice", nil, advice)
		}
	}
	for _, a := range []PersonAction{
		ActionResend, ActionCorrectNumber, ActionUnlock, ActionFreeze, ActionUnfreeze, ActionRevokePocket, ActionReset, ActionTicket,
		ActionInvite, ActionWait,
	} {
		add("action", nil, string(a))
	}
	for _, state := range []KioskState{KioskAlive, KioskQuiet, KioskSilent, KioskRevoked, KioskUnclear} {
		add("kiosk", nil, string(state))
	}
	add("kiosk", nil, "failed-"+string(station.MailFailed), "failed-"+string(station.SMSFailed))
	for _, why := range station.Revocations() {
		add("kiosk", nil, "revoked-"+string(why))
	}
	for _, kind := range []TimelineKind{TimelineEnrolment, TimelineMessages, TimelineLogins, TimelineStaff, TimelineRefusals} {
		add("timeline", nil, string(kind))
	}
	for i := range all {
		if all[i].ID == "desk-advice-wait-until" {
			all[i].Params = until
		}
	}
	slices.SortFunc(all, func(a, b HelpdeskMessage) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b HelpdeskMessage) bool { return a.ID == b.ID })
}

package history

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
)

// The messages of what is recorded beside enrolments and logins, as variants lists those
// of enrolments.
var (
	stationVariants = map[string][]string{
		"StationOpened":         nil,
		"StationWiped":          {"finished", "stopped", "idle", "too-long"},
		"StationUnlocked":       nil,
		"StationFailed":         {"mail", "sms"},
		"HelpCodeShown-station": nil, // of somebody of whom nothing is known
		"StationAdmitted":       {"kiosk", "desk"},
		"StationRenewed":        nil,
		"StationRevoked":        {"lost", "stolen", "replaced", "retired"},
		"StationRefused":        {"not-its-kind", "no-such-case", "revoked", "not-admitted", "replaced", "malformed", "too-many-calls"},
	}
	staffVariants = map[string][]string{
		"RoleGranted": {"helpdesk", "approver", "auditor", "admin"},
		"RoleRevoked": {"helpdesk", "approver", "auditor", "admin"},
	}
	accessVariants = map[string][]string{
		"DataShown":  {"phone", "email", "hr-number", "ticket", "person", "event", "values"},
		"SearchMade": nil,
		"ExportMade": nil,
	}
	serviceVariants = map[string][]string{
		"ClientAdded":   nil,
		"ClientRevoked": nil,
		"KeyRotated":    nil,
		"SealBegun":     nil,
		"LoginsPruned":  nil,
	}
)

// Words returns how an event of any stream is told, as in an Entry: one that is not known,
// or cannot be read, is Puzzling.
func Words(stream, typ string, data []byte) (message string, o Outcome, params map[string]string) {
	message, o, params, err := told(stream, typ, data)
	switch {
	case errors.Is(err, domain.ErrUnknownEvent):
		return "history-unknown", Puzzling, nil
	case err != nil:
		return "history-unreadable", Puzzling, nil
	}
	return message, o, params
}

func told(stream, typ string, data []byte) (message string, o Outcome, params map[string]string, err error) {
	kind, _, _ := strings.Cut(stream, "-")
	switch kind + "-" {
	case domain.EnrolmentPrefix:
		return decoded(enrolment.Decode, words, typ, data)
	case domain.LoginPrefix:
		return decoded(login.Decode, loginWords, typ, data)
	case domain.StationPrefix:
		return decoded(station.Decode, stationWords, typ, data)
	case domain.StaffPrefix:
		return decoded(staff.Decode, staffWords, typ, data)
	case domain.AccessPrefix:
		return decoded(staff.DecodeAccess, accessWords, typ, data)
	case domain.ServiceStream + "-":
		return decoded(service.Decode, serviceWords, typ, data)
	}
	return "", "", nil, domain.ErrUnknownEvent
}

func decoded[E any](
	decode func(string, []byte) (E, error), words func(E) (string, Outcome, map[string]string), typ string, data []byte,
) (message string, o Outcome, params map[string]string, err error) {
	e, err := decode(typ, data)
	if err != nil {
		return "", "", nil, err
	}
	message, o, params = words(e)
	return message, o, params, nil
}

func stationWords(e station.Event) (message string, o Outcome, params map[string]string) {
	typ, code := station.TypeOf(e), ""
	switch e := e.(type) {
	case station.StationOpened:
		o, params = Note, map[string]string{"Version": e.Version}
	case station.StationWiped:
		if code, o = string(e.Reason), Note; e.Reason == station.Finished {
			o = Progress
		}
	case station.StationUnlocked:
		o = Note
	case station.StationFailed:
		code, o = string(e.Reason), Failed
	case station.HelpCodeShown:
		typ, o = "HelpCodeShown-station", Note
	case station.StationAdmitted:
		code, o = string(e.Kind), Progress
	case station.StationRenewed:
		o = Note
	case station.StationRevoked:
		code, o = string(e.Reason), Note
	case station.StationRefused:
		code, o = string(e.Reason), Refused
	}
	return messageOf(stationVariants, typ, code), o, params
}

func staffWords(e staff.Event) (message string, o Outcome, params map[string]string) {
	code := ""
	switch e := e.(type) {
	case staff.RoleGranted:
		code = string(e.Role)
	case staff.RoleRevoked:
		code = string(e.Role)
	}
	return messageOf(staffVariants, staff.TypeOf(e), code), Note, nil
}

func accessWords(e staff.Access) (message string, o Outcome, params map[string]string) {
	code := ""
	switch e := e.(type) {
	case staff.DataShown:
		code = string(e.Scope)
	case staff.SearchMade:
	case staff.ExportMade:
		params = map[string]string{"From": strconv.FormatUint(uint64(e.From), 10), "To": strconv.FormatUint(uint64(e.To), 10)}
	}
	return messageOf(accessVariants, staff.TypeOfAccess(e), code), Note, params
}

func serviceWords(e service.Event) (message string, o Outcome, params map[string]string) {
	switch e := e.(type) {
	case service.ClientAdded:
		params = map[string]string{"Client": e.Client}
	case service.ClientRevoked:
		params = map[string]string{"Client": e.Client}
	case service.KeyRotated:
		params = map[string]string{"From": e.From.UTC().Format(time.RFC3339)}
	case service.SealBegun:
	case service.LoginsPruned:
		params = map[string]string{"Events": strconv.FormatInt(e.Events, 10), "Before": e.Before.UTC().Format(time.DateOnly)}
	}
	return messageOf(serviceVariants, service.TypeOf(e), ""), Note, params
}

func messageOf(variants map[string][]string, typ, code string) string {
	message := "history-" + typ
	if slices.Contains(variants[typ], code) {
		message += "-" + code
	}
	return message
}

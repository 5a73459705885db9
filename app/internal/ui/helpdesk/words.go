package helpdesk

import (
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

// words write what the pages show in one language, at one clock.
type words struct{ office.Words }

func newWords(a office.Around) words { return words{office.NewWords(a)} }

// helpCode writes a help code as kiosks show it: K7 204.
func (w words) helpCode(code string) string {
	if len(code) > 2 {
		code = code[:2] + " " + code[2:]
	}
	return w.T("helpdesk-help-code", i18n.Args{"Code": code})
}

// at says at which station.
func (w words) at(station string) string {
	return w.T("helpdesk-at", i18n.Args{"Station": station})
}

// entry tells what happened.
func (w words) entry(e *desk.TimelineEntry) string { return w.Sentence(e.Message, e.Params) }

// who says who did it, and where.
func (w words) who(e *desk.TimelineEntry) string {
	at := ""
	if e.Station != "" {
		at = w.at(e.Station)
	}
	switch e.Actor.Kind {
	case domain.ActorPerson:
		if at != "" {
			return at
		}
		return w.T("helpdesk-who-person")
	case domain.ActorStaff:
		return office.Joined(w.T("helpdesk-who-staff"), at)
	case domain.ActorStation:
		return at
	case domain.ActorService:
		return w.T("helpdesk-who-service")
	}
	return at
}

// refusal tells why something was refused, and what to do.
func (w words) refusal(err error) string { return w.Refusal("helpdesk-refusal", err) }

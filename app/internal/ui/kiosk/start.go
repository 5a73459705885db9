package kiosk

import (
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// startScreen is E0.
type startScreen struct {
	plain

	in, back *ui.Tile  // Aanmelden, Inloggen
	trouble  bool      // log, vault or service are away, and the screen says so
	over     time.Time // how long it tells that a visit has ended; zero: it does not
	login    bool      // that visit was of somebody who logged in
}

// overFor is how long the start tells that a visit has ended.
const overFor = 45 * time.Second

func (s *startScreen) first() fyne.Focusable { return nil }

func (s *startScreen) build(k *Kiosk) fyne.CanvasObject {
	s.trouble = k.c.Trouble()
	s.in = ui.NewTile(true, ui.IconPerson, k.t("kiosk-sign-up"), k.t("kiosk-sign-up-line"), func() { k.show(&emailScreen{}) })
	s.back = ui.NewTile(false, ui.IconLock, k.t("log-in"), k.t("kiosk-log-in-line"), func() { k.show(&loginScreen{}) })
	start := ui.NewStart(k.c.Portal, k.t("kiosk-start-title"), k.t("kiosk-start-line", k.names()),
		[]*ui.Tile{s.in, s.back}, k.tools(true), k.t("kiosk-start-help", k.names()))
	switch {
	case s.trouble:
		start.Warn(k.t("kiosk-trouble-title"), k.t("kiosk-trouble-text", k.names()))
	case !s.over.IsZero() && s.login:
		start.Warn(k.t("kiosk-over-login-title"), k.t("kiosk-over-login-text"))
	case !s.over.IsZero():
		start.Warn(k.t("kiosk-over-title"), k.t("kiosk-over-text"))
	}
	return start
}

// tick follows whether there is trouble.
func (s *startScreen) tick(k *Kiosk) {
	ended := !s.over.IsZero() && k.c.Now().After(s.over)
	if ended {
		s.over = time.Time{}
	}
	if (ended || s.trouble != k.c.Trouble()) && k.win != nil && k.veil == nil {
		k.rebuild()
	}
}

// A Problem is why a station is not connected yet.
type Problem string

// The problems of connecting.
const (
	NoProblem      Problem = ""
	ServiceAway    Problem = "kiosk-connecting-away"
	ServiceRefuses Problem = "kiosk-connecting-refused" // this station, for good
)

// Connecting is what a window shows before it is known which installation this
// is a station of: that it is being tried, and what is in the way.
func Connecting(p *i18n.Printer, program string, problem Problem) fyne.CanvasObject {
	start := ui.NewStart(program, p.T("kiosk-connecting-title"), p.T("kiosk-connecting-line"), nil, ui.Tools{}, p.T("kiosk-connecting-help"))
	if problem != NoProblem {
		start.Warn(p.T(string(problem)), p.T(string(problem)+"-text"))
	}
	return ui.NewRoot(start)
}

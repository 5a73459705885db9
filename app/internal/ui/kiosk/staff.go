package kiosk

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// How often a wrong PIN may be typed, and how long it then has to wait.
const (
	pinTries = 5
	pinWait  = time.Minute
)

// A pinGuard counts wrong PINs, across the visits of other people.
type pinGuard struct {
	wrong int
	until time.Time
}

// askPIN shows the staff exit over whatever is shown.
func (k *Kiosk) askPIN() {
	if k.c.StaffPIN == nil || k.win == nil {
		return
	}
	if _, asked := k.screen.(*staffScreen); asked {
		return
	}
	k.touched()
	k.cover(&staffScreen{})
}

// staffScreen asks for the PIN that leaves the kiosk.
type staffScreen struct {
	plain

	field *ui.Field
	wrong bool
}

func (s *staffScreen) first() fyne.Focusable { return s.field.Input() }
func (s *staffScreen) wipe()                 { s.field.Wipe() }

func (s *staffScreen) build(k *Kiosk) fyne.CanvasObject {
	s.field = again(s.field, ui.NewPasswordField(k.t("kiosk-staff-pin"), "", k.t("kiosk-show"), k.t("kiosk-hide")))
	in := s.field.Input()
	in.Accept = func(r rune) bool { return r >= '0' && r <= '9' }
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(text string) {
		k.page.Primary.SetEnabled(text != "" && !s.waiting(k))
		if s.wrong && text != "" {
			s.wrong = false
			s.field.SetError("")
		}
	}
	p := ui.Page{
		Heading: k.t("kiosk-staff-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-staff-lead"))),
		Content: ui.Limit(736, s.field), Side: ui.NewNumpad(k.p, in),
		Back: k.back(k.uncover), Primary: ui.NewNext(k.t("kiosk-staff-open"), func() { s.submit(k) }),
	}
	p.Primary.SetEnabled(s.field.Text() != "" && !s.waiting(k))
	o := k.frame(p)
	s.tick(k)
	return o
}

func (s *staffScreen) waiting(k *Kiosk) bool { return k.c.Now().Before(k.staff.until) }

func (s *staffScreen) tick(k *Kiosk) {
	switch {
	case s.waiting(k):
		s.field.SetError(k.t("kiosk-staff-wait", i18n.Args{"Wait": k.wait(k.staff.until.Sub(k.c.Now()))}))
	case s.wrong:
		s.field.SetError(k.t("kiosk-staff-wrong"))
	default:
		s.field.SetError("")
	}
}

func (s *staffScreen) submit(k *Kiosk) {
	pin := s.field.Text()
	if pin == "" || s.waiting(k) {
		return
	}
	s.field.Input().Clear()
	if !k.c.StaffPIN(pin) {
		s.wrong = true
		if k.staff.wrong++; k.staff.wrong >= pinTries {
			k.staff = pinGuard{until: k.c.Now().Add(pinWait)}
		}
		s.tick(k)
		return
	}
	k.staff = pinGuard{}
	work(k, nil, func(ctx context.Context) (struct{}, error) { return struct{}{}, k.c.Desk.UnlockStation(ctx) },
		func(struct{}, error) { // staff leave whether or not it could be recorded
			k.wipe(stopped)
			if k.c.OnExit != nil {
				k.c.OnExit()
			}
		})
}

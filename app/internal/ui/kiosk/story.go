package kiosk

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/history"
)

// storyScreen tells what happened to an account, the newest first, a page at a
// time.
type storyScreen struct {
	plain

	entries      []history.Entry
	top          int // the first entry that is shown
	newer, older *ui.Button
}

func (s *storyScreen) rail(k *Kiosk) rail { return k.homeRail() }

func (s *storyScreen) wipe() { s.entries = nil }

func (s *storyScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{Heading: k.t("kiosk-story-title"), Back: k.back(func() { k.show(&accountScreen{}) })}
	if len(s.entries) == 0 {
		p.Content = ui.Limit(960, ui.Column("", ui.NewMessage(ui.Info, "", ui.Plain(k.t("kiosk-story-none")))))
		return k.frame(p)
	}
	s.newer = ui.NewButton(ui.Small, k.t("kiosk-story-newer"), nil).WithLeft(ui.IconChevronLeft)
	s.older = ui.NewButton(ui.Small, k.t("kiosk-story-older"), nil).WithRight(ui.IconChevronRight)
	p.Extra = ui.Row(ui.SizeSmallGap, s.newer, s.older)
	place := ui.Lead(ui.Plain(" "))
	p.Lead = place
	// The room for entries is what is left of a page that has none.
	room := ui.Column(ui.SizeSmallGap)
	list := ui.NewCard(ui.Surface, room)
	p.Content = list
	o := k.frame(p)
	o.Resize(k.root.Size())
	starts := s.pages(k, room.Size())
	at := 0
	for at+1 < len(starts) && starts[at+1] <= s.top {
		at++
	}
	s.top = starts[at]
	end := len(s.entries)
	if at+1 < len(starts) {
		end = starts[at+1]
	}
	for i := s.top; i < end; i++ {
		if i > s.top {
			room.Add(ui.NewRule())
		}
		room.Add(s.row(k, s.entries[i]))
	}
	s.newer.OnTapped = func() { s.turn(k, starts[max(0, at-1)], s.newer) }
	s.older.OnTapped = func() { s.turn(k, end, s.older) }
	s.newer.SetEnabled(at > 0)
	s.older.SetEnabled(end < len(s.entries))
	place.SetText(k.t("kiosk-story-place", i18n.Args{"From": s.top + 1, "To": end, "All": len(s.entries)}))
	o.Refresh()
	return o
}

// pages returns the entries with which pages of a size begin.
func (s *storyScreen) pages(k *Kiosk, size fyne.Size) []int {
	starts := []int{0}
	gap := 2*theme.Size(ui.SizeSmallGap) + theme.Size(theme.SizeNameSeparatorThickness)
	y := float32(0)
	for i, e := range s.entries {
		h := ui.HeightFor(s.row(k, e), size.Width)
		if y > 0 && y+gap+h > size.Height {
			starts, y = append(starts, i), 0
		}
		if y > 0 {
			y += gap
		}
		y += h
	}
	return starts
}

// turn shows another page, with the focus on the button that leads on.
func (s *storyScreen) turn(k *Kiosk, top int, on *ui.Button) {
	older := on == s.older
	s.top = top
	k.rebuild()
	on, other := s.newer, s.older
	if older {
		on, other = other, on
	}
	if on.Disabled() {
		on = other
	}
	if !on.Disabled() {
		k.focus(on)
	}
}

// row is one thing that happened: a sign, a sentence, and when it was.
func (s *storyScreen) row(k *Kiosk, e history.Entry) fyne.CanvasObject {
	args := k.names()
	for name, value := range e.Params {
		args[name] = value
	}
	icon, ink := sign(e.Outcome)
	at := e.At
	if at.IsZero() {
		at = e.Recorded
	}
	when := k.moment(at)
	if e.Actor.Kind == domain.ActorStaff {
		when += " · " + k.t("kiosk-story-staff")
	}
	if high() || ui.Current().Scale > ui.Normal {
		return ui.Row(ui.SizeSmallGap, ui.NewGlyph(icon, ink), ui.GrowCentred(1, ui.Column("",
			ui.Body(ui.Plain(k.t(e.Message, args))), ui.Hint(ui.Plain(when)).Elide())))
	}
	return ui.Row(ui.SizeGap, ui.GrowCentred(1, ui.NewPoint(icon, ink, ui.Plain(k.t(e.Message, args)))),
		ui.Hint(ui.Plain(when)).OneLine())
}

// sign is how the outcome of something looks.
func sign(o history.Outcome) (ui.Icon, fyne.ThemeColorName) {
	switch o {
	case history.Progress:
		return ui.IconCheck, theme.ColorNameSuccess
	case history.Refused:
		return ui.IconExclamation, theme.ColorNameWarning
	case history.Failed:
		return ui.IconWarning, theme.ColorNameError
	case history.Puzzling:
		return ui.IconQuestion, theme.ColorNameWarning
	case history.Note:
	}
	return ui.IconInfo, ui.ColorMuted
}

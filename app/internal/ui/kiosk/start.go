package kiosk

import (
	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/ui"
)

// startScreen is E0.
type startScreen struct {
	plain

	in *ui.Tile
}

func (s *startScreen) first() fyne.Focusable { return nil }

func (s *startScreen) build(k *Kiosk) fyne.CanvasObject {
	s.in = ui.NewTile(true, ui.IconPerson, k.t("kiosk-sign-up"), k.t("kiosk-sign-up-line"), func() { k.show(&emailScreen{}) })
	return ui.NewStart(k.c.Portal, k.t("kiosk-start-title"), k.t("kiosk-start-line", k.names()),
		[]*ui.Tile{s.in}, k.tools(true), k.t("kiosk-start-help", k.names()))
}

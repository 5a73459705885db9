package main

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
)

// A window is the program's only one, with a kiosk in it once there is one.
type window struct {
	fyne.Window
	app    fyne.App
	close  func() // the kiosk in it; nil while there is none
	locked bool   // only the staff PIN leaves it
}

func newWindow(c kioskCommand, set settings.Settings) (*window, error) {
	size, err := windowSize(c.Size, set.Kiosk.Portrait)
	if err != nil {
		return nil, err
	}
	app.SetMetadata(metadata)
	a := app.NewWithID(metadata.ID)
	a.SetIcon(metadata.Icon)
	w := &window{app: a, Window: a.NewWindow(metadata.Name), locked: c.Kiosk || set.Kiosk.FullScreen}
	w.SetPadded(false)
	w.Resize(size)
	w.SetFullScreen(w.locked)
	w.SetCloseIntercept(func() {
		if !w.locked {
			w.leave()
		}
	})
	return w, nil
}

// put has a kiosk be in the window.
func (w *window) put(k *kiosk.Kiosk) {
	w.take()
	w.close = k.Close
	k.Attach(w.Window)
}

// take takes the kiosk out of the window; whoever is at it is forgotten.
func (w *window) take() {
	if w.close != nil {
		w.close()
		w.close = nil
	}
}

// leave ends the program. Who is there is forgotten first, not later: the
// window has the clipboard.
func (w *window) leave() {
	w.take()
	w.app.Quit()
}

// run shows the window until it is closed, or ctx ends.
func (w *window) run(ctx context.Context) {
	context.AfterFunc(ctx, func() { fyne.Do(w.leave) })
	w.ShowAndRun()
}

// windowSize reads WIDTHxHEIGHT; without it, the size fits the mode of the kiosk.
func windowSize(s string, portrait settings.Switch) (fyne.Size, error) {
	if s == "" {
		if portrait == settings.On {
			return fyne.NewSize(1080, 1920), nil
		}
		return fyne.NewSize(1280, 800), nil
	}
	var w, h float32
	if n, err := fmt.Sscanf(s, "%gx%g", &w, &h); n != 2 || err != nil || w < 640 || h < 640 {
		return fyne.Size{}, fmt.Errorf("--size %q: not a size such as 1280x800", s)
	}
	return fyne.NewSize(w, h), nil
}

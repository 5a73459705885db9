package kiosk

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// setLanguage changes the language of everything that is shown, and of what is
// sent to the person from now on.
func (k *Kiosk) setLanguage(lang string) {
	if lang == k.p.Lang() {
		return
	}
	k.p = i18n.New(lang)
	if k.c.Speech != nil {
		k.c.Speech.Stop()
	}
	k.rebuild()
	if visit := k.view.Visit; visit != "" {
		ui.Work(k.ctx, func(ctx context.Context) (desk.View, error) { return k.c.Desk.SetLanguage(ctx, visit, lang) },
			func(desk.View, error) {}) // the screen speaks it already; a fault has been reported
	}
}

func (k *Kiosk) nextScale() {
	k.options.Scale = k.options.Scale.Next()
	k.applyOptions()
}

func (k *Kiosk) nextMode() {
	if k.options.Mode == ui.HighContrast {
		k.options.Mode = k.c.Mode
		if k.c.Mode == ui.HighContrast {
			k.options.Mode = ui.Light
		}
	} else {
		k.options.Mode = ui.HighContrast
	}
	k.applyOptions()
}

func (k *Kiosk) applyOptions() {
	o := k.options.For(k.root.Size())
	if o == ui.Current() {
		return
	}
	ui.SetTheme(o)
	if k.win != nil && k.builtIn != o {
		k.rebuild()
	}
}

// keys follows the keys that no widget took.
func (k *Kiosk) keys(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		k.touched()
		switch e.Name {
		case fyne.KeyEscape:
			if b := k.page.Back; b != nil && k.veil == nil {
				b.Tapped(nil)
			}
		case fyne.KeyReturn, fyne.KeyEnter:
			switch {
			case k.veil != nil:
				k.unveil()
			case k.page.Primary != nil && !k.home(): // who typed a code may press Enter after it
				k.page.Primary.Tapped(nil)
			default:
				if s, start := k.screen.(*startScreen); start {
					s.in.Tapped(nil)
				}
			}
		case fyne.KeyBackspace:
			if d := k.digits(); d != nil {
				d.TypedKey(e)
			}
		}
	})
	c.SetOnTypedRune(func(r rune) {
		veiled := k.veil != nil
		k.touched()
		if d := k.digits(); d != nil {
			if r >= '0' && r <= '9' {
				k.focus(d)
				d.TypedRune(r)
			}
			return
		}
		// A tap beside a field takes its focus away, but not the wish to type.
		if t, ok := k.screen.first().(ui.Target); ok && c.Focused() == nil && !veiled {
			k.focus(t)
			t.TypedRune(r)
		}
	})
	exit := &desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl | fyne.KeyModifierAlt}
	c.AddShortcut(exit, func(fyne.Shortcut) { k.askPIN() })
}

// digits returns the boxes of a page that asks for a code.
func (k *Kiosk) digits() *ui.Digits {
	s, ok := k.screen.(interface{ boxes() *ui.Digits })
	if !ok || k.veil != nil {
		return nil
	}
	return s.boxes()
}

// touched notes a sign of life.
func (k *Kiosk) touched() {
	k.active = k.c.Now()
	if k.veil != nil {
		k.unveil()
	}
}

// limits returns after how long without a sign of life the kiosk asks, and
// forgets.
func (k *Kiosk) limits() (warn, wipe time.Duration) {
	if k.screen.patient() {
		return k.c.IdleWipeWaiting - (k.c.IdleWipe - k.c.IdleWarn), k.c.IdleWipeWaiting
	}
	return k.c.IdleWarn, k.c.IdleWipe
}

// tick is called once a second.
func (k *Kiosk) tick() {
	now := k.c.Now()
	if s, start := k.screen.(*startScreen); start {
		s.tick(k)
	}
	if !k.inUse() {
		k.active, k.began = now, now
		return
	}
	warn, wipe := k.limits()
	quiet := now.Sub(k.active)
	_, done := k.screen.(*doneScreen)
	switch {
	case now.Sub(k.began) >= k.c.VisitMax:
		k.startOver()
		return
	case done: // has a timer of its own
	case quiet >= wipe:
		k.wipe(idle)
		return
	case quiet >= warn:
		k.warn(wipe - quiet)
	}
	k.screen.tick(k)
}

// why is finished on the last screen, whatever else ends it.
func (k *Kiosk) why(other desk.WipeReason) desk.WipeReason {
	if _, done := k.screen.(*doneScreen); done {
		return finished
	}
	return other
}

// inUse says whether there is anything to forget.
func (k *Kiosk) inUse() bool {
	_, start := k.screen.(*startScreen)
	return !start || k.p.Lang() != k.c.DefaultLanguage || k.options.Mode != k.c.Mode || k.options.Scale != ui.Normal
}

// wipe forgets whoever was at the kiosk: the visit, what was typed, what can
// be pasted, language, size and contrast. What was asked and has not been
// answered yet is nobody's any more.
func (k *Kiosk) wipe(why desk.WipeReason) {
	k.turn++
	k.leave(why)
	k.cancel()
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.setBusy(false, nil)
	k.email, k.name, k.help, k.changed, k.calls = "", "", "", "", 0
	k.repeat = desk.Call{}
	k.veil.Hide()
	k.veil, k.veiling = nil, nil
	fyne.CurrentApp().Clipboard().SetContent("")
	k.p = i18n.New(k.c.DefaultLanguage)
	k.options.Mode, k.options.Scale = k.c.Mode, ui.Normal
	k.active, k.began = k.c.Now(), k.c.Now()
	k.show(k.first())
	if k.demo != nil {
		k.demo.forget()
	}
	if k.win != nil {
		k.applyOptions()
	}
	if k.c.Assist != nil {
		k.c.Assist.Over()
	}
}

// startOver wipes because the visit has lasted too long, or desk does not know it
// any more, and tells, in their language, whoever still stands there.
func (k *Kiosk) startOver() {
	lang, why, login := k.p.Lang(), k.why(tooLong), k.loggingIn()
	k.wipe(why)
	if why == finished || k.c.Assist != nil {
		return
	}
	k.p = i18n.New(lang)
	k.show(&startScreen{over: k.c.Now().Add(overFor), login: login})
}

// A warning asks whether somebody is still there (K9).
type warning struct {
	ring  *ui.Ring
	text  *ui.Text
	whole time.Duration
}

// warn covers the screen with the question, and counts down.
func (k *Kiosk) warn(left time.Duration) {
	if k.win == nil {
		return
	}
	if k.veil == nil {
		w := &warning{ring: ui.NewRing(), text: ui.Lead(), whole: k.c.IdleWipe - k.c.IdleWarn}
		w.text.SetText(k.stillThere(left))
		yes := ui.NewButton(ui.Primary, k.t("kiosk-idle-yes"), k.touched)
		yes.Big = true
		stop := ui.NewButton(ui.Secondary, k.t("kiosk-idle-stop"), nil).WithLeft(ui.IconTrash)
		// A sign of life takes the veil away before the button hears of it.
		stop.OnTapped = func() { k.wipe(k.why(stopped)) }
		if k.shell != nil {
			k.shell.Cover(true)
		}
		k.veiling = w
		k.veil = ui.ShowVeil(k.win.Canvas(), ui.NewDialog(w.ring, k.t("kiosk-idle-title"), w.text, yes, stop))
	}
	k.veiling.ring.Set(left, k.veiling.whole)
	k.veiling.text.SetText(k.stillThere(left))
}

func (k *Kiosk) stillThere(left time.Duration) string {
	return k.p.N("kiosk-idle-text", ui.Seconds(left))
}

func (k *Kiosk) unveil() {
	k.veil.Hide()
	k.veil, k.veiling = nil, nil
	if k.shell != nil {
		k.shell.Cover(false)
	}
	k.active = k.c.Now()
}

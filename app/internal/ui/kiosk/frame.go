package kiosk

import (
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

func (k *Kiosk) t(id string, args ...i18n.Args) string { return k.p.T(id, args...) }

// names are the values that most texts may use.
func (k *Kiosk) names() i18n.Args {
	return i18n.Args{"Portal": k.c.Portal, "Pocket": k.c.PocketName, "Support": k.c.Support}
}

// steps are the names of the six steps.
func (k *Kiosk) steps() []string {
	return []string{
		k.t("confirmation-code"), k.t("kiosk-step-name"), k.t("phone-number"),
		k.t("kiosk-step-sms"), k.t("kiosk-step-factor", k.names()), k.t("done"),
	}
}

// tools are at hand on every screen.
func (k *Kiosk) tools(long bool) ui.Tools {
	t := ui.Tools{
		LargerText: k.t("kiosk-larger"), OnLargerText: k.nextScale,
		Contrast: k.t("kiosk-contrast"), OnContrast: k.nextMode,
	}
	if long {
		t.LargerText, t.Contrast = k.t("kiosk-larger-text"), k.t("kiosk-high-contrast")
	}
	if k.c.Speech != nil && k.c.Speech.Available() {
		t.ReadAloud, t.OnReadAloud = k.t("kiosk-read-aloud"), k.readAloud
	}
	if len(k.c.Languages) > 1 {
		t.OnLanguage = func(i int) { k.setLanguage(k.c.Languages[i]) }
		for i, l := range k.c.Languages {
			t.Languages = append(t.Languages, strings.ToUpper(l))
			if l == k.p.Lang() {
				t.Language = i
			}
		}
	}
	return t
}

// frame puts a page into a new shell, with what every page has.
func (k *Kiosk) frame(p ui.Page) fyne.CanvasObject {
	stop, steps := p.Step < 7 && !k.home(), k.steps()
	if r := k.rail(); len(r.steps) > 0 {
		steps, p.Step, p.Caption = r.steps, r.at, r.caption
	}
	switch {
	case p.Caption != "":
	case p.Step == 0:
		p.Caption = k.t("kiosk-six-steps")
	default:
		p.Caption = k.t("kiosk-step-of", i18n.Args{"Step": p.Step})
	}
	if p.Next == "" && p.Step > 0 && p.Step < len(steps) {
		p.Next = k.t("kiosk-later", i18n.Args{"Step": steps[p.Step]})
	}
	if p.Stop == nil && stop {
		p.Stop = ui.NewButton(ui.Quiet, k.t("kiosk-stop"), func() { k.wipe(stopped) }).WithLeft(ui.IconCross)
	}
	p.Extra = k.extra(p.Extra)
	if !k.c.Keyboard {
		p.Keyboard = nil
		if _, pad := p.Side.(*ui.Keys); pad {
			p.Side = nil
		}
	}
	if k.busy {
		k.busyOn = p.Primary
		if p.Primary != nil {
			p.Primary.SetBusy(true)
		}
	}
	k.page = p
	k.shell = ui.NewShell(k.c.Portal, steps, k.tools(false))
	k.shell.SetPage(p)
	return k.shell
}

// extra is what stands beside Terug: a button of the page, the demo's phone
// where it does not stand beside the kiosk, and where to get help.
func (k *Kiosk) extra(own fyne.CanvasObject) fyne.CanvasObject {
	row := ui.Row(ui.SizeSmallGap)
	if own != nil {
		row.Add(own)
	}
	if b := k.demoButton(); b != nil {
		row.Add(b)
	}
	if own != nil && tiny() { // two letters of an address help nobody
		return row
	}
	row.Add(ui.GrowCentred(1, ui.Column("",
		ui.Hint(ui.Plain(k.t("kiosk-help"))).Elide(), ui.Hint(ui.Bold(k.c.Support)).Elide())))
	return row
}

// back returns Terug.
func (k *Kiosk) back(f func()) *ui.Button { return ui.NewBack(k.t("back"), f) }

// next returns the primary button with the fixed label.
func (k *Kiosk) next(f func()) *ui.Button { return ui.NewNext(k.t("next"), f) }

// refusal returns what is wrong and what to do next.
func (k *Kiosk) refusal(r *desk.Refusal) string {
	id := "refusal-" + string(r.Code)
	args := k.names()
	args["Wait"] = k.wait(r.Wait)
	switch r.Code { //nolint:exhaustive // the others count nothing
	case desk.WrongCode, desk.WrongPassword, desk.WrongDigits, desk.WrongTicket:
		return k.p.N(id, r.Left, args)
	}
	return k.t(id, args)
}

// wait returns a time in words: "24 seconden", "3 minuten", "2 uur".
func (k *Kiosk) wait(d time.Duration) string {
	s := ui.Seconds(ui.Calm(d))
	switch {
	case s < 90:
		return k.p.N("kiosk-seconds", max(1, s))
	case s < 90*60:
		return k.p.N("kiosk-minutes", (s+59)/60)
	}
	return k.p.N("kiosk-hours", (s+3599)/3600)
}

// firstName returns what somebody is called: the first word of the name.
func firstName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	if r := []rune(first); len(r) > 24 {
		return string(r[:24]) + "…"
	}
	return first
}

// again returns the new field with what the old one held, which is wiped.
func again(old, f *ui.Field) *ui.Field {
	if old != nil {
		f.SetText(old.Text())
		f.SetRevealed(old.Revealed())
		old.Input().OnChanged = nil
		old.Wipe()
	}
	return f
}

// digitsAgain does the same for digits.
func digitsAgain(old, d *ui.Digits) *ui.Digits {
	if old != nil {
		d.SetText(old.Text())
		old.OnChanged, old.OnComplete = nil, nil
		old.Wipe()
	}
	return d
}

// point is a line of a list with a tick.
func point(text string) fyne.CanvasObject {
	return ui.NewPoint(ui.IconCheck, theme.ColorNameSuccess, ui.Plain(text))
}

// note is a line of a list that tells something.
func note(text string) fyne.CanvasObject {
	return ui.NewPoint(ui.IconInfo, ui.ColorMuted, ui.Plain(text))
}

// narrow says whether there is less room than on a large screen with text of
// the normal size.
func narrow() bool {
	o := ui.Current()
	return o.Class == ui.Compact || o.Scale > ui.Normal
}

// low says whether a landscape screen has too little height for everything
// that a large one shows.
func (k *Kiosk) low() bool {
	return !high() && (narrow() || k.root.Size().Height < 1000)
}

// tight says the same of any screen.
func (k *Kiosk) tight() bool {
	return k.low() || ui.Current().Class == ui.SmallPortrait || ui.Current().Scale > ui.Normal
}

// tiny says whether a small upright screen shows the largest text.
func tiny() bool {
	o := ui.Current()
	return o.Class == ui.SmallPortrait && o.Scale >= ui.Largest
}

// high says whether the screen is higher than wide.
func high() bool {
	c := ui.Current().Class
	return c == ui.Portrait || c == ui.SmallPortrait
}

// isRefusal says whether an error is a refusal for a reason.
func isRefusal(err error, code desk.Code) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	return ok && r.Code == code
}

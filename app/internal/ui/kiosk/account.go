package kiosk

import (
	"context"
	"image/color"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/history"
)

// accountScreen is A1: what is known of a person, each with Wijzigen.
type accountScreen struct {
	plain

	refused *desk.Refusal // why a change could not be made
	labels  map[*ui.Button]string
	story   *ui.Button
}

func (s *accountScreen) build(k *Kiosk) fyne.CanvasObject {
	s.labels = map[*ui.Button]string{}
	v := k.view
	about := ui.Column(ui.SizeSmallGap)
	factor := ui.Column(ui.SizeSmallGap)
	if s.roomy(k) {
		about.Add(ui.Subheading(k.t("kiosk-account-you")))
		factor.Add(ui.Subheading(k.t("kiosk-account-login")))
	}
	add := func(to *fyne.Container, rows ...fyne.CanvasObject) {
		for i, r := range rows {
			if i > 0 {
				to.Add(ui.NewRule())
			}
			to.Add(r)
		}
	}
	add(about,
		s.row(k, k.t("name"), v.Name, "", desk.ChangesName),
		s.row(k, k.t("email"), v.Email, "", ""),
		s.row(k, k.t("phone-number"), v.Phone.International, "", desk.ChangesPhone),
		s.row(k, k.t("language"), k.language(v.Account.Language), "", desk.ChangesLanguage))
	name, means := k.factor(v)
	add(factor,
		s.row(k, k.t("password"), "••••••••", "", desk.ChangesPassword),
		s.row(k, k.t("kiosk-second-step"), name, means, desk.ChangesFactor))
	left, right := ui.NewCard(ui.Surface, about), ui.Column(ui.SizeSmallGap, ui.NewCard(ui.Surface, factor))
	p := ui.Page{Heading: k.t("my-details"), Primary: ui.NewNext(k.t("kiosk-close"), func() { k.wipe(finished) })}
	s.story = nil
	if s.roomy(k) {
		right.Add(ui.Grow(1, ui.NewListButton(ui.IconClock, k.t("kiosk-story-title"), k.t("kiosk-story-line"), func() { s.tell(k) })))
	} else {
		s.story = ui.NewButton(ui.Secondary, k.t("kiosk-story-title"), func() { s.tell(k) }).WithLeft(ui.IconClock)
		p.Extra = s.story
	}
	var cards fyne.CanvasObject = ui.Columns(ui.SizeGap, ui.Grow(1, left), ui.Grow(1, right))
	if high() {
		cards = ui.Column(ui.SizeSmallGap, left, right)
	}
	p.Content = ui.Column(ui.SizeSmallGap, cards)
	switch m := s.message(k); {
	case m != nil && tiny():
		p.Lead = s.whisper(k)
	case m != nil && !high() && ui.Current().Scale > ui.Normal: // there is room under the shorter card
		right.Add(m)
	case m != nil:
		p.Content = ui.Column(ui.SizeSmallGap, m, cards)
	case s.roomy(k):
		p.Lead = ui.Lead(ui.Plain(k.t("kiosk-account-lead", i18n.Args{"Name": firstName(v.Name)})))
	}
	return k.frame(p)
}

// roomy says whether there is room for what could be left out.
func (s *accountScreen) roomy(k *Kiosk) bool {
	o := ui.Current()
	return o.Scale <= ui.Normal && o.Class != ui.SmallPortrait && (!k.tight() || s.message(k) == nil)
}

// row is one thing that is known, with what it means, and Wijzigen unless what
// is "".
func (s *accountScreen) row(k *Kiosk, label, value, means string, what desk.Change) fyne.CanvasObject {
	words := ui.Column("", ui.Hint(ui.Plain(label)).Elide(), ui.Body(ui.Bold(value)).Elide())
	if o := ui.Current(); means != "" && o.Scale <= ui.Normal && (o.Class != ui.SmallPortrait || s.message(k) == nil) {
		words.Add(ui.Hint(ui.Plain(means)))
	}
	if what == "" && ui.Current().Scale > ui.Normal {
		return ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, words), ui.NewGlyph(ui.IconLock, ui.ColorMuted), strut())
	}
	if what == "" {
		return ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, words), ui.NewGlyph(ui.IconLock, ui.ColorMuted),
			ui.Hint(ui.Plain(k.t("kiosk-account-fixed"))).OneLine(), strut())
	}
	b := ui.NewButton(ui.Small, k.t("change"), func() { k.show(&proveScreen{what: what}) }).WithLeft(ui.IconPencil)
	s.labels[b] = label
	return ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, words), b)
}

// strut is as high as a button, so that all rows are.
func strut() fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(1, theme.Size(ui.SizeToolHeight)+theme.Size(ui.SizeEdge)))
	return r
}

// said is what was just changed, or why it could not be.
func (s *accountScreen) said(k *Kiosk) (title, text string) {
	switch {
	case s.refused != nil:
		return "", k.refusal(s.refused)
	case k.changed != "":
		id := "kiosk-changed-" + k.changed
		return k.t(id, k.names()), k.t(id+"-text", k.names())
	}
	return "", ""
}

// message tells it, or is nil.
func (s *accountScreen) message(k *Kiosk) *ui.Message {
	title, text := s.said(k)
	switch {
	case text == "":
		return nil
	case s.refused != nil:
		return ui.NewMessage(ui.Warning, title, ui.Plain(text))
	}
	return ui.NewMessage(ui.Success, title, ui.Plain(text))
}

// whisper tells it where there is no room for a message.
func (s *accountScreen) whisper(k *Kiosk) fyne.CanvasObject {
	title, text := s.said(k)
	icon, ink := ui.IconCheck, theme.ColorNameSuccess
	if s.refused != nil {
		icon, ink = ui.IconWarning, theme.ColorNameWarning
	} else {
		title += ". "
	}
	return ui.Row(ui.SizeSmallGap, ui.NewGlyph(icon, ink),
		ui.GrowCentred(1, ui.Hint(ui.Bold(title), ui.Plain(text)).Ink(theme.ColorNameForeground)))
}

// factor names the factor, and says what it means at login.
func (k *Kiosk) factor(v desk.View) (name, means string) {
	if v.Factor != enrolment.Pocket {
		return k.t("kiosk-factor-sms"), k.t("kiosk-means-sms")
	}
	means = k.t("kiosk-means-pocket", k.names())
	if d := v.Account.Device; d != "" {
		means += " " + k.t("kiosk-means-device", i18n.Args{"Device": short(d, 32)})
	}
	return k.t("kiosk-factor-pocket", k.names()), means
}

// language names a language in its own words.
func (k *Kiosk) language(lang string) string {
	if id := "kiosk-language-" + lang; k.p.Has(id) {
		return k.t(id)
	}
	return lang
}

func (s *accountScreen) update(k *Kiosk) {
	if next := k.accountOf(k.view); k.view.Account.Proved != "" || inPairing(k.view) {
		k.show(next)
		return
	}
	k.rebuild()
}

// tell asks for the story and shows it.
func (s *accountScreen) tell(k *Kiosk) {
	visit := k.view.Visit
	work(k, s.story, func(ctx context.Context) ([]history.Entry, error) { return k.c.Desk.Story(ctx, visit) },
		func(entries []history.Entry, err error) {
			if err != nil {
				k.answer(err, func(r *desk.Refusal) { k.show(&accountScreen{refused: r}) }, func() { s.tell(k) })
				return
			}
			k.changed = ""
			k.show(&storyScreen{entries: entries})
		})
}

// date writes a day: "26 november 2026".
func (k *Kiosk) date(t time.Time) string {
	t = t.In(time.Local)
	return k.t("kiosk-date", i18n.Args{"Day": t.Day(), "Month": k.t("kiosk-month-" + strconv.Itoa(int(t.Month()))), "Year": t.Year()})
}

// moment writes a day and a time, today and yesterday in a word.
func (k *Kiosk) moment(t time.Time) string {
	t, now := t.In(time.Local), k.c.Now().In(time.Local)
	clock := i18n.Args{"Time": t.Format("15:04")}
	switch day := t.Format(time.DateOnly); day {
	case now.Format(time.DateOnly):
		return k.t("kiosk-today", clock)
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return k.t("kiosk-yesterday", clock)
	}
	clock["Date"] = k.date(t)
	return k.t("kiosk-at", clock)
}

package helpdesk

import (
	"fyne.io/fyne/v2"
	driver "fyne.io/fyne/v2/driver/desktop"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// A searcher is a page with something to search in.
type searcher interface{ toSearch() }

// A shortcut is what a key does, for the list under "?".
type shortcut struct{ keys, does string }

// shortcuts lists what can be done without a mouse, beside Tab and Enter.
func (w *Window) shortcuts() []shortcut {
	all := []shortcut{
		{"/", w.t("helpdesk-key-search")},
		{"Esc", w.t("helpdesk-key-back")},
		{"↑ ↓ PgUp PgDn", w.t("helpdesk-key-rows")},
		{"Enter", w.t("helpdesk-key-open")},
	}
	for i, e := range w.entries {
		all = append(all, shortcut{"Alt+" + string(rune('1'+i)), e.page.title()})
	}
	return append(all,
		shortcut{"Ctrl +", w.t("helpdesk-key-larger")},
		shortcut{"Ctrl −", w.t("helpdesk-key-smaller")},
		shortcut{"Ctrl+D", w.t("helpdesk-key-mode")},
		shortcut{"Ctrl+L", w.t("helpdesk-key-lock")},
		shortcut{"?", w.t("helpdesk-key-help")},
	)
}

// keys follows the keys that no widget took.
func (w *Window) keys(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		w.touched()
		switch {
		case w.veil != nil:
			if e.Name == fyne.KeyEscape || e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
				w.hideVeil()
			}
		case w.signIn != nil:
			w.signIn.key(e)
		case w.open != nil && w.open.key(e):
		case e.Name == fyne.KeyEscape:
			w.back()
		}
	})
	c.SetOnTypedRune(func(r rune) {
		w.touched()
		switch {
		case w.veil != nil || w.signIn != nil:
		case r == '/':
			if s, ok := w.open.(searcher); ok {
				s.toSearch()
			}
		case r == '?':
			w.help()
		}
	})
	add := func(key fyne.KeyName, with fyne.KeyModifier, do func()) {
		c.AddShortcut(&driver.CustomShortcut{KeyName: key, Modifier: with}, func(fyne.Shortcut) {
			w.touched()
			do()
		})
	}
	for i := range 9 {
		add(fyne.KeyName(rune('1'+i)), fyne.KeyModifierAlt, func() {
			if w.signIn == nil && w.veil == nil && i < len(w.entries) {
				w.show(w.entries[i].page)
			}
		})
	}
	for _, key := range []fyne.KeyName{fyne.KeyEqual, fyne.KeyPlus} {
		add(key, fyne.KeyModifierControl, func() { w.scale(w.options.Scale.Next()) })
	}
	add(fyne.KeyMinus, fyne.KeyModifierControl, func() { w.scale(smaller(w.options.Scale)) })
	add(fyne.Key0, fyne.KeyModifierControl, func() { w.scale(ui.Normal) })
	add(fyne.KeyD, fyne.KeyModifierControl, w.nextMode)
	add(fyne.KeyL, fyne.KeyModifierControl, func() {
		if w.signIn == nil {
			w.lock()
		}
	})
}

func smaller(s ui.Scale) ui.Scale {
	if s > ui.Larger {
		return ui.Larger
	}
	return ui.Normal
}

// scale makes all text as large. From the largest it does not go back to normal.
func (w *Window) scale(s ui.Scale) {
	if s == w.options.Scale || s == ui.Normal && w.options.Scale == ui.Largest {
		return
	}
	w.options.Scale = s
	w.apply()
}

// nextMode goes from light to dark to high contrast.
func (w *Window) nextMode() {
	w.options.Mode = (w.options.Mode + 1) % (ui.HighContrast + 1)
	w.apply()
}

func (w *Window) apply() {
	ui.SetTheme(w.options)
	w.rebuild()
}

// speak switches the language of the window.
func (w *Window) speak(lang string) {
	if lang == w.p.Lang() {
		return
	}
	w.p = i18n.New(lang)
	w.rebuild()
}

// help lists the shortcuts over the window.
func (w *Window) help() {
	if w.win == nil {
		return
	}
	list := ui.Column(ui.SizeSmallGap)
	for _, s := range w.shortcuts() {
		list.Add(ui.NewFact(s.keys, ui.Body(ui.Plain(s.does))))
	}
	done := ui.NewButton(ui.Primary, w.t("kiosk-close"), w.hideVeil)
	list.Add(ui.Row(ui.SizeSmallGap,
		ui.NewButton(ui.Small, w.t("helpdesk-key-larger"), func() { w.scale(w.options.Scale.Next()) }).WithLeft(ui.IconTextSize),
		ui.NewButton(ui.Small, w.t("helpdesk-key-mode"), w.nextMode).WithLeft(ui.IconContrast),
		ui.NewButton(ui.Small, w.otherLanguage(), func() { w.speak(w.nextLanguage()) })))
	w.veil = ui.ShowVeil(w.win.Canvas(), ui.NewDialog(nil, w.t("helpdesk-keys"), ui.Body(ui.Plain(w.t("helpdesk-keys-lead"))), list, done))
	ui.Focus(done)
}

// nextLanguage is the one that is spoken after this one.
func (w *Window) nextLanguage() string {
	for i, l := range w.c.Languages {
		if l == w.p.Lang() {
			return w.c.Languages[(i+1)%len(w.c.Languages)]
		}
	}
	return w.c.Languages[0]
}

// otherLanguage is its name, in itself.
func (w *Window) otherLanguage() string {
	return i18n.New(w.nextLanguage()).T("kiosk-language-" + w.nextLanguage())
}

func (w *Window) hideVeil() {
	if w.veil != nil {
		w.veil.Hide()
		w.veil = nil
	}
}

// key is a key that no widget of the sign-in took.
func (s *signIn) key(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape:
		if s.view.Visit != "" || s.notFor {
			s.again()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if s.primary != nil {
			s.primary.Tapped(nil)
		}
	}
}

package office

import (
	"slices"

	"fyne.io/fyne/v2"
	driver "fyne.io/fyne/v2/driver/desktop"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// shortcuts lists what can be done without a mouse, beside Tab and Enter.
func (w *Window) shortcuts() []Shortcut {
	var all []Shortcut
	if slices.ContainsFunc(w.entries, func(e Entry) bool { _, ok := e.Page.(Searcher); return ok }) {
		all = append(all, Shortcut{"/", w.t("office-key-search")})
	}
	all = append(all,
		Shortcut{"Esc", w.t("office-key-back")},
		Shortcut{"↑ ↓", w.t("office-key-rows")},
		Shortcut{"Enter", w.t("office-key-open")})
	if k, ok := w.open.(Keyed); ok {
		all = append(all, k.Shortcuts()...)
	}
	for i, e := range w.entries {
		all = append(all, Shortcut{"Alt+" + string(rune('1'+i)), e.Page.Title()})
	}
	return append(all,
		Shortcut{"Ctrl +", w.t("office-key-larger")},
		Shortcut{"Ctrl −", w.t("office-key-smaller")},
		Shortcut{"Ctrl+D", w.t("office-key-mode")},
		Shortcut{"Ctrl+L", w.t("office-key-lock")},
		Shortcut{"?", w.t("office-key-help")},
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
				return
			}
			w.listed.TypedKey(e)
		case w.signIn != nil:
			w.signIn.key(e)
		case w.asks != nil:
			if e.Name == fyne.KeyEscape {
				w.asks.Dismiss()
			}
		case w.open != nil && w.open.Key(e):
		case e.Name == fyne.KeyEscape:
			w.Back()
		}
	})
	c.SetOnTypedRune(func(r rune) {
		w.touched()
		switch {
		case w.covered() || w.signIn != nil:
		case r == '/':
			if s, ok := w.open.(Searcher); ok {
				s.ToSearch()
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
			if w.signIn == nil && !w.covered() && i < len(w.entries) {
				w.Show(w.entries[i].Page)
			}
		})
	}
	for _, with := range []fyne.KeyModifier{fyne.KeyModifierControl, fyne.KeyModifierControl | fyne.KeyModifierShift} {
		add(fyne.KeyEqual, with, func() { w.scale(larger(w.options.Scale)) })
		add(fyne.KeyPlus, with, func() { w.scale(larger(w.options.Scale)) })
		add(fyne.KeyMinus, with, func() { w.scale(smaller(w.options.Scale)) })
	}
	add(fyne.Key0, fyne.KeyModifierControl, func() { w.scale(ui.Normal) })
	add(fyne.KeyD, fyne.KeyModifierControl, w.nextMode)
	add(fyne.KeyL, fyne.KeyModifierControl, func() {
		if w.signIn == nil {
			w.lock()
		}
	})
}

// covered says whether something lies over the window: the keys are for that.
func (w *Window) covered() bool {
	return w.win != nil && w.win.Canvas().Overlays().Top() != nil
}

func larger(s ui.Scale) ui.Scale {
	if s < ui.Larger {
		return ui.Larger
	}
	return ui.Largest
}

func smaller(s ui.Scale) ui.Scale {
	if s > ui.Larger {
		return ui.Larger
	}
	return ui.Normal
}

// scale makes all text as large.
func (w *Window) scale(s ui.Scale) {
	if s != w.options.Scale {
		w.options.Scale = s
		w.apply()
	}
}

// nextMode goes from light to dark to high contrast.
func (w *Window) nextMode() {
	w.options.Mode = (w.options.Mode + 1) % (ui.HighContrast + 1)
	w.apply()
}

func (w *Window) apply() {
	ui.SetTheme(w.options)
	w.rebuildAt()
}

// speak switches the language of the window.
func (w *Window) speak(lang string) {
	if lang == w.p.Lang() {
		return
	}
	w.p = i18n.New(lang)
	if s := w.signIn; s != nil && s.wrong != "" && s.says != nil {
		s.wrong = s.says()
	}
	w.rebuildAt()
}

// rebuildAt is rebuild for who goes on where they were.
func (w *Window) rebuildAt() {
	if w.win == nil || w.open == nil || w.covered() {
		w.rebuild()
		return
	}
	ui.Refocus(w.win.Canvas(), w.rebuild)
}

// help lists the shortcuts over the window, and what can be had otherwise.
func (w *Window) help() {
	if w.win == nil {
		return
	}
	w.hideVeil()
	keys := make([]fyne.CanvasObject, 0, 16)
	for _, s := range w.shortcuts() {
		keys = append(keys, ui.NewShortcut(s.Keys, s.Does))
	}
	done := ui.NewButton(ui.Primary, w.t("kiosk-close"), w.hideVeil)
	// What is chosen shows at once, under the same list.
	choice := func(icon ui.Icon, words string, do func()) *ui.Button {
		return ui.NewButton(ui.Small, words, func() {
			do()
			w.help()
		}).WithLeft(icon)
	}
	w.listed = ui.NewScroller(ui.Tiles(2, 240, ui.SizeGap, keys...))
	parts := ui.Column(ui.SizeGap, ui.AtMost(w.win.Canvas().Size().Height-400, w.listed),
		ui.Flow(ui.SizeSmallGap,
			choice(ui.IconTextSize, w.t("office-key-larger"), func() { w.scale(w.options.Scale.Next()) }),
			choice(ui.IconContrast, w.t("office-key-mode"), w.nextMode),
			choice("", w.otherLanguage(), func() { w.speak(w.nextLanguage()) })))
	w.veil = ui.ShowVeil(w.win.Canvas(), ui.NewDialog(nil, w.t("office-keys"), ui.Body(ui.Plain(w.t("office-keys-lead"))), parts, done))
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
		if s.view.Visit != "" || s.notFor != "" {
			s.again()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if s.primary != nil {
			s.primary.Tapped(nil)
		}
	}
}

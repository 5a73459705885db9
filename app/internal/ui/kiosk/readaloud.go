package kiosk

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/ui"
)

// readAloud reads the heading, the line under it, what the page has to tell,
// and the label of what has the focus, with what is wrong with a code. What was
// typed is never read: it may be a password or a code.
func (k *Kiosk) readAloud() {
	var parts []string
	say := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			parts = append(parts, s)
		}
	}
	if _, start := k.screen.(*startScreen); start {
		say(k.t("kiosk-start-title"))
		say(k.t("kiosk-start-line", k.names()))
		say(k.t("kiosk-sign-up"))
		say(k.t("kiosk-sign-up-line"))
		say(k.t("log-in"))
		say(k.t("kiosk-log-in-line"))
	} else {
		say(k.page.Caption)
		say(k.page.Heading)
		say(words(k.page.Lead))
		say(messages(k.page.Content))
		say(k.label())
		if d, ok := k.win.Canvas().Focused().(*ui.Digits); ok {
			say(d.Wrong())
		}
	}
	k.c.Speech.Say(k.p.Lang(), strings.Join(parts, ". "))
}

// words returns the words of a line under a heading.
func words(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *ui.Text:
		return o.String()
	case *fyne.Container:
		var all []string
		for _, part := range o.Objects {
			if w := words(part); w != "" {
				all = append(all, w)
			}
		}
		return strings.Join(all, " ")
	}
	return ""
}

// messages returns the words of the messages of a page.
func messages(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *ui.Message:
		return o.String()
	case *fyne.Container:
		var all []string
		for _, part := range o.Objects {
			if m := messages(part); m != "" {
				all = append(all, m)
			}
		}
		return strings.Join(all, " ")
	}
	return ""
}

// label returns what the thing with the focus is called.
func (k *Kiosk) label() string {
	switch f := k.win.Canvas().Focused().(type) {
	case *ui.Button:
		if s, ok := k.screen.(*accountScreen); ok && s.labels[f] != "" {
			return s.labels[f] + ": " + f.Text
		}
		return f.Text
	case *ui.Digits:
		if _, pairing := k.screen.(*pairScreen); pairing {
			return k.t("kiosk-pair-digits")
		}
		return k.t("confirmation-code")
	case *ui.Input:
		switch s := k.screen.(type) {
		case interface{ label(*ui.Input) string }:
			return s.label(f)
		case *emailScreen:
			return k.t("email")
		case *phoneScreen:
			return k.t("phone-number")
		case *passwordScreen:
			if f == s.name.Input() {
				return k.t("name")
			}
			return k.t("password")
		case *resumeScreen:
			return k.t("password")
		case *staffScreen:
			return k.t("kiosk-staff-pin")
		}
	}
	return ""
}

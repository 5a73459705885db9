package kiosk

import (
	"context"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// beside shows a kiosk for one person, and counts how often it was over.
func beside(t *testing.T) (h *hall, over *int) {
	t.Helper()
	over = new(int)
	h = open(t, func(c *Config) {
		c.Assist = &Assist{
			Begin: func(ctx context.Context, lang string) (desk.View, error) { return c.Desk.Begin(ctx, email, lang) },
			Over:  func() { *over++ },
		}
	})
	return h, over
}

func TestSomebodyEnrolsBesideAnAgent(t *testing.T) {
	h, over := beside(t)
	on[*welcomeScreen](h)
	h.next()
	on[*codeScreen](h)
	h.typed(h.message(1).Code)
	s := on[*passwordScreen](h)
	s.name.SetText(fullName)
	s.password.SetText(phrase)
	h.next()
	on[*phoneScreen](h)
	h.typed(number)
	h.next()
	on[*codeScreen](h)
	h.typed(h.message(2).Code)
	h.press(on[*choiceScreen](h).no)
	d := on[*doneScreen](h)
	if *over != 0 {
		t.Fatal("it was over before the end")
	}
	d.login(h.Kiosk) // is for somebody who stands at a kiosk
	if *over != 1 || h.view.Visit != "" {
		t.Errorf("over %d times, visit %q", *over, h.view.Visit)
	}
	h.Close()
	if *over != 1 {
		t.Errorf("over %d times", *over)
	}
}

func TestNobodyElseEnrolsBesideAnAgent(t *testing.T) {
	for name, ends := range map[string]func(h *hall){
		"back on E2":      func(h *hall) { h.press(h.page.Back) },
		"another address": func(h *hall) { h.next(); on[*codeScreen](h); h.show(&emailScreen{}) },
		"stop":            func(h *hall) { h.next(); on[*codeScreen](h); h.press(h.page.Stop) },
		"nobody there": func(h *hall) {
			for range 6 {
				h.pass(time.Minute)
			}
		},
		"too long": func(h *hall) {
			h.next()
			on[*codeScreen](h)
			for range 16 {
				h.touched()
				h.pass(time.Minute)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, over := beside(t)
			on[*welcomeScreen](h)
			ends(h)
			if *over != 1 || h.view.Visit != "" {
				t.Errorf("over %d times, visit %q", *over, h.view.Visit)
			}
		})
	}
}

package kiosk

import (
	"context"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// An Assist has a kiosk serve one person only, who sits beside a member of staff: it
// begins at E2, for an address that is known, and is over when that person is done,
// stops, or does nothing for long.
type Assist struct {
	// Begin begins the visit, in a language.
	Begin func(ctx context.Context, lang string) (desk.View, error)
	// Over is called once, when the kiosk has forgotten them. The kiosk is closed then.
	Over func()
}

// first returns the screen on which everybody begins.
func (k *Kiosk) first() screen {
	if k.c.Assist != nil {
		return &welcomeScreen{}
	}
	return &startScreen{}
}

// strays says that a screen is for whoever comes next, or to be somebody else: who sits
// beside an agent is done instead.
func (k *Kiosk) strays(s screen) bool {
	if k.c.Assist == nil {
		return false
	}
	switch s.(type) {
	case *startScreen, *emailScreen, *loginScreen:
		return true
	}
	return false
}

// beginAssisted begins the visit of whoever sits beside an agent.
func (k *Kiosk) beginAssisted() {
	if k.view.Visit != "" {
		k.show(k.screenOf(k.view))
		return
	}
	lang := k.p.Lang()
	k.arrive(func(ctx context.Context) (desk.View, error) { return k.c.Assist.Begin(ctx, lang) },
		func(err error) {
			k.answer(err, func(r *desk.Refusal) { k.show(&welcomeScreen{refused: r}) }, k.beginAssisted)
		})
}

// refusedOnWelcome is what E2 says of a visit that could not begin.
func (s *welcomeScreen) refusedOnWelcome(k *Kiosk) *ui.Message {
	return ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused)))
}

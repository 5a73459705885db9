package kiosk

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// guess types a wrong code until the desk has counted it.
func (h *hall) guess(wrong string) *desk.Refusal {
	h.t.Helper()
	s := on[*codeScreen](h)
	h.typed(wrong)
	h.until("a wrong code is refused", func() bool {
		return !h.busy && (h.screen != screen(s) || s.refused != nil)
	})
	return s.refused
}

// useUp guesses until the open code is worth nothing.
func (h *hall) useUp(code string) {
	h.t.Helper()
	most := h.c.Policy.WrongCodes
	for i := range most {
		r := h.guess(wrongCode(code))
		if want := most - 1 - i; r == nil || r.Left != want || want > 0 != (r.Code == desk.WrongCode) {
			h.t.Fatalf("guess %d is answered with %+v", i+1, r)
		}
	}
	s := on[*codeScreen](h)
	if h.screen.(*codeScreen).refused.Code != desk.CodeEnded || s.digits.Wrong() != h.worded("refusal-code-ended") { //nolint:errcheck,forcetypeassert // on says so
		h.t.Errorf("says %q", s.digits.Wrong())
	}
	h.says("kiosk-code-over")
	if r := h.guess(code); r == nil || r.Code == desk.WrongCode {
		h.t.Errorf("the right code of one that is over: %+v on %T", r, h.screen)
	}
}

// another asks for a new code as soon as that may be.
func (h *hall) another() {
	h.t.Helper()
	s := on[*codeScreen](h)
	h.wait(func() bool { return !s.resend.Disabled() })
	h.press(s.resend)
	h.until("a new code", func() bool { return !h.busy && h.screen == screen(s) && s.noted != "" })
}

func TestFiveWrongCodesEndACode(t *testing.T) {
	h := open(t, nil)
	h.toEmailCode(email)
	first := h.message(1).Code
	h.useUp(first)
	h.another()
	h.typed(h.message(2).Code)
	on[*passwordScreen](h)
	h.typed(fullName)
	h.press(h.page.Stop)

	h.begin("jan@voorbeeld.nl")
	on[*codeScreen](h)
	h.typed(h.message(3).Code)
	on[*passwordScreen](h)
	h.typed(fullName)
	h.key(fyne.KeyReturn)
	h.typed(phrase)
	h.next()
	on[*phoneScreen](h)
	h.typed(number)
	h.next()
	h.useUp(h.message(4).Code)
	h.another()
	h.typed(h.message(5).Code)
	on[*choiceScreen](h)
}

func TestTwentyWrongCodesLock(t *testing.T) {
	h := openBrittle(t, nil)
	h.toSMS()
	for n := 1; ; n++ {
		code := h.message(1 + n).Code
		for range h.c.Policy.WrongCodes - 1 {
			if r := h.guess(wrongCode(code)); r == nil || r.Code != desk.WrongCode {
				t.Fatalf("code %d: %+v", n, r)
			}
		}
		if r := h.guess(wrongCode(code)); r == nil {
			break
		} else if r.Code != desk.CodeEnded || n*h.c.Policy.WrongCodes >= h.c.Policy.WrongCodesInARow {
			t.Fatalf("code %d ends with %+v", n, r)
		}
		h.another()
	}
	on[*lockedScreen](h.hall)
	h.says("kiosk-locked-title", "kiosk-locked-safe", "kiosk-locked-text", "kiosk-help-show")
	if h.page.Step != 4 {
		t.Errorf("the rail shows step %d", h.page.Step)
	}
	h.touch("kiosk-help-show")
	on[*helpScreen](h.hall)
	h.press(h.page.Back)
	on[*lockedScreen](h.hall)
	if len(h.help) != 5 || !strings.Contains(h.words(), h.help[:2]+" "+h.help[2:]) {
		t.Errorf("the help code %q is not shown", h.help)
	}
	h.next()
	on[*startScreen](h.hall)
}

func TestALongPressOnTheLogoIsForStaff(t *testing.T) {
	now := time.Now()
	h := open(t, func(c *Config) {
		c.StaffPIN = func(string) bool { return false }
		c.Now = func() time.Time { return now } // always asked on the test's own goroutine
	})
	at, press := h.stage.corner, &desktop.MouseEvent{}
	at.MouseDown(press)
	now = now.Add(pressFor - 1)
	at.held()
	at.MouseUp(press)
	now = now.Add(pressFor)
	h.drain()
	on[*startScreen](h)

	at.MouseDown(press)
	now = now.Add(pressFor)
	on[*staffScreen](h) // without letting go
	at.MouseUp(press)
	h.press(h.page.Back)
	on[*startScreen](h)
}

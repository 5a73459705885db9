package kiosk

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"github.com/skip2/go-qrcode"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// pairScreen is E8: scan, read, type. The QR code renews itself; the digits
// are those that the phone shows once it was seen.
type pairScreen struct {
	plain

	account bool      // of somebody who has logged in: it is A2 that leads here
	since   time.Time // of the factor that they had then
	digits  *ui.Digits
	left    *ui.TimeLeft
	later   bool // the boxes come once a phone was seen: there is no room for both
	typed   bool // shows the code to type instead of the QR code
	refused *desk.Refusal
	shown   enrolment.PairingStage
	url     string
}

func (s *pairScreen) patient() bool { return true }

func (s *pairScreen) first() fyne.Focusable {
	if d := s.boxes(); d != nil {
		return d
	}
	return nil
}

// boxes returns the boxes while they are shown.
func (s *pairScreen) boxes() *ui.Digits {
	if s.later || s.shown != enrolment.Offered && s.shown != enrolment.Claimed {
		return nil
	}
	return s.digits
}

func (s *pairScreen) wipe() {
	if s.digits != nil {
		s.digits.Wipe()
	}
}

func (s *pairScreen) build(k *Kiosk) fyne.CanvasObject {
	v := k.view.Pocket
	if s.digits == nil {
		s.since = k.view.Account.Since
	}
	s.shown, s.url = v.Stage, v.URL
	s.digits = digitsAgain(s.digits, ui.NewSmallDigits())
	s.digits.OnComplete = func(string) { s.submit(k) }
	s.digits.OnChanged = func(text string) {
		if text != "" && s.refused != nil {
			s.refused = nil
			k.rebuild()
		}
	}
	p := ui.Page{
		Step: 5, Heading: k.t("kiosk-pair-title", k.names()), Lead: ui.Lead(ui.Plain(k.t("kiosk-pair-lead"))),
		Back: k.back(func() { s.cancel(k) }),
	}
	s.left = nil
	switch v.Stage {
	case enrolment.Offered, enrolment.Claimed:
		s.scanning(k, &p)
	case enrolment.Confirmed, enrolment.Paired:
		p.Lead = nil
		p.Content = ui.Limit(960, ui.Column(ui.SizeGap,
			ui.NewMessage(ui.Success, k.t("kiosk-pair-right"), ui.Plain(k.t("kiosk-pair-finish")))))
	case enrolment.NotPairing, enrolment.Failed, enrolment.Over:
		s.failed(k, &p)
	}
	o := k.frame(p)
	s.tick(k)
	return o
}

// scanning shows the QR code, or that a phone was seen, and the digits.
func (s *pairScreen) scanning(k *Kiosk, p *ui.Page) {
	var left fyne.CanvasObject
	seen := k.view.Pocket.Stage == enrolment.Claimed
	switch {
	case seen && s.refused != nil:
		left = ui.Column("", ui.NewMessage(ui.Failure, k.t("kiosk-pair-wrong"), ui.Plain(k.refusal(s.refused))))
	case seen:
		left = ui.Column(ui.SizeGap, ui.NewMessage(ui.Success, k.t("kiosk-pair-seen"), ui.Plain(k.t("kiosk-pair-seen-text"))))
	case s.typed:
		s.left = ui.NewTimeLeft(k.t("kiosk-pair-within"))
		left = ui.Column(ui.SizeSmallGap, ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
			ui.Label(k.t("kiosk-pair-code")), ui.NewText(ui.RoleSubheading, ui.Span{Text: k.view.Pocket.Typed, Bold: true, Mono: true}))), s.left)
	default:
		s.left = ui.NewTimeLeft(k.t("kiosk-pair-within"))
		left = ui.Column(ui.SizeSmallGap, ui.NewQR(bitmap(k.view.Pocket.URL)), s.left)
	}
	first, second := "kiosk-pair-1", "kiosk-pair-2"
	if s.typed {
		first, second = "kiosk-pair-1-typed", "kiosk-pair-2-typed"
	}
	steps := ui.Column(ui.SizeGap,
		ui.NewNumbered(1, k.t(first, k.names()), ui.Plain(k.t(first+"-line", k.names()))),
		ui.NewNumbered(2, k.t(second), ui.Plain(k.t(second+"-line", k.names(), i18n.Args{"URL": address(k.view.Pocket.URL)}))),
		ui.NewNumbered(3, k.t("kiosk-pair-3"), ui.Plain(k.t("kiosk-pair-3-line"))))
	switch {
	case seen:
		p.Content = ui.Limit(736, left)
	case s.typed:
		p.Content = ui.Column(ui.SizeGap, steps, left)
	case high():
		p.Content = ui.Column(ui.SizeGap, steps, ui.Row("", ui.Spring(), left, ui.Spring()))
	default:
		p.Content = ui.Columns(ui.SizeGap, left, ui.Grow(1, steps))
	}
	s.later = !seen && (high() || ui.Current().Scale > ui.Normal)
	if !seen {
		words := k.t("kiosk-pair-no-scan")
		if s.typed {
			words = k.t("kiosk-pair-scan")
		}
		p.Extra = ui.NewButton(ui.Link, words, func() {
			s.typed = !s.typed
			k.rebuild()
		})
	}
	if s.later {
		return
	}
	side := ui.Column(ui.SizeSmallGap, ui.Label(k.t("kiosk-pair-digits")), s.digits)
	if k.c.Keyboard {
		side.Add(ui.NewSmallNumpad(k.p, s.digits))
	}
	p.Side = side
	p.Primary = k.next(func() { s.submit(k) })
	p.Primary.SetEnabled(s.digits.Complete())
}

// failed says why a pairing came to nothing, and what now.
func (s *pairScreen) failed(k *Kiosk, p *ui.Page) {
	id := "kiosk-pair-failed"
	switch k.view.Pocket.Failure {
	case enrolment.TooManyTries:
		id = "kiosk-pair-failed-digits"
	case enrolment.ClaimedTwice:
		id = "kiosk-pair-failed-twice"
	case enrolment.WrongDigits, enrolment.Cancelled:
	}
	p.Lead = nil
	p.Content = ui.Limit(960, ui.Column(ui.SizeSmallGap,
		ui.NewMessage(ui.Failure, k.t(id), ui.Plain(k.t(id+"-text"))), ui.Subheading(k.t("kiosk-stuck-what")),
		ui.NewListButton(ui.IconQR, k.t("kiosk-pair-again"), k.t("kiosk-pair-again-line"), func() { s.offer(k) }),
		s.instead(k)))
}

// instead is the other way on after a pairing that came to nothing.
func (s *pairScreen) instead(k *Kiosk) fyne.CanvasObject {
	if s.account {
		return ui.NewListButton(ui.IconChevronLeft, k.t("kiosk-pair-keep"), k.t("kiosk-pair-keep-line"), func() { s.cancel(k) })
	}
	return ui.NewListButton(ui.IconMail, k.t("kiosk-pair-sms"), k.t("kiosk-pair-sms-line"), func() { s.cancel(k) })
}

// before is the screen that leads here, with why it could not.
func (s *pairScreen) before(r *desk.Refusal) screen {
	if s.account {
		return &factorScreen{refused: r}
	}
	return &choiceScreen{refused: r}
}

// over leads on once no phone is being paired any more.
func (s *pairScreen) over(k *Kiosk) {
	k.changed = ""
	if s.account && k.view.Factor == enrolment.Pocket && !k.view.Account.Since.Equal(s.since) {
		k.changed = "pocket"
	}
	k.show(k.screenOf(k.view))
}

// bitmap returns the modules of a QR code without border. It is nil for what
// no QR code can hold, which the addresses of pairings never are.
func bitmap(text string) [][]bool {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil
	}
	q.DisableBorder = true
	return q.Bitmap()
}

// tick counts down, and asks for a new QR code when this one runs out.
func (s *pairScreen) tick(k *Kiosk) {
	if s.left == nil {
		return
	}
	left := k.since(k.view.Pocket.QRLeft)
	s.left.Set(left, k.c.Policy.QRLife)
	if left <= 0 && k.view.Pocket.Stage == enrolment.Offered && !k.busy {
		s.offer(k)
	}
}

// offer puts a new QR code on the screen, without losing the focus.
func (s *pairScreen) offer(k *Kiosk) {
	visit := k.view.Visit
	work(k, nil, func(ctx context.Context) (desk.View, error) { return k.c.Desk.OfferPairing(ctx, visit) },
		func(v desk.View, err error) {
			if err != nil {
				k.answer(err, func(r *desk.Refusal) { k.show(s.before(r)) }, func() { s.offer(k) })
				return
			}
			k.see(v)
			s.update(k)
		})
}

func (s *pairScreen) update(k *Kiosk) {
	v := k.view.Pocket
	switch {
	case v.Stage == enrolment.NotPairing, v.Stage == enrolment.Paired && s.account:
		s.over(k)
	case v.Stage != s.shown, v.URL != s.url:
		if v.Stage != enrolment.Offered && v.Stage != enrolment.Claimed {
			s.digits.Wipe()
			s.refused = nil
		}
		k.rebuild()
		k.focus(s.first())
	default:
		s.tick(k)
	}
}

func (s *pairScreen) submit(k *Kiosk) {
	if !s.digits.Complete() {
		return
	}
	if k.view.Pocket.Stage != enrolment.Claimed {
		s.digits.Clear()
		s.digits.SetError(k.t("kiosk-pair-first-scan"))
		return
	}
	digits := s.digits.Text()
	visit := k.view.Visit
	work(k, nil, func(ctx context.Context) (desk.View, error) { return k.c.Desk.ConfirmPairing(ctx, visit, digits) },
		func(v desk.View, err error) {
			if v.Visit != "" && v.Screen != "" {
				k.see(v)
			}
			if err == nil {
				if v.Screen != desk.ScreenFactor && v.Screen != desk.ScreenAccount {
					k.show(k.screenOf(v))
					return
				}
				s.update(k)
				return
			}
			k.answer(err, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.submit(k) })
		})
}

func (s *pairScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.refused = nil
	s.digits.Clear()
	if k.view.Pocket.Stage != s.shown {
		s.update(k)
		return
	}
	s.refused = r
	k.rebuild()
	k.focus(s.first())
}

// cancel is Terug: what is recorded stays, this pairing ends.
func (s *pairScreen) cancel(k *Kiosk) {
	visit := k.view.Visit
	work(k, nil, func(ctx context.Context) (desk.View, error) { return k.c.Desk.CancelPairing(ctx, visit) },
		func(v desk.View, err error) {
			if err != nil {
				k.answer(err, func(r *desk.Refusal) { k.show(s.before(r)) }, func() { s.cancel(k) })
				return
			}
			k.took(v)
		})
}

// address returns where the page for phones is: the URL of a QR code without
// what only the code may say.
func address(url string) string {
	at, _, _ := strings.Cut(url, "#")
	at = strings.TrimPrefix(strings.TrimPrefix(at, "https://"), "http://")
	return strings.TrimSuffix(at, "/")
}

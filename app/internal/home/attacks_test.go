package home_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

const another = "Regen-Molen-Kaas9!Fiets"

// What somebody tries who has a password, or a station's certificate: a station
// chooses the ids of its calls itself, and asks in any order.

func under(ctx context.Context, c desk.Call) context.Context { return desk.WithCall(ctx, c) }

// quiet waits until nothing more is sent.
func (h *house) quiet() {
	h.t.Helper()
	for n := -1; n != h.messages(); time.Sleep(500 * time.Millisecond) {
		n = h.messages()
	}
}

// notIn fails when a view shows anything of who has logged in.
func (h *house) notIn(v desk.View, err error) {
	h.t.Helper()
	if err == nil && (v.Screen == desk.ScreenAccount || v.Account.Proved != "" || v.Name != "" || v.Phone.E164 != "") {
		h.t.Errorf("is in: %+v", v)
	}
}

func TestACallOfALoginProvesNoChange(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl"))
	c := desk.NewCall()
	v = h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(under(ctx, c), v.Visit, h.code(courier.BySMS, n)))
	v = h.must(desk.ScreenLoginCode)(h.Desk.Prove(ctx, v.Visit, desk.ChangesFactor, phrase))
	h.refused(desk.OutOfOrder)(h.Desk.ConfirmLogin(under(ctx, c), v.Visit, "not the code"))
	if v, err := h.Desk.View(ctx, v.Visit); err != nil || v.Account.Proved != "" {
		t.Errorf("proved %q, %v", v.Account.Proved, err)
	}
}

func TestACallOfTheMailProvesNoNumber(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	c := desk.NewCall()
	v = h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(under(ctx, c), v.Visit, h.code(courier.ByMail, n)))
	v = h.must(desk.ScreenRecoverCode)(h.Desk.ReportPhone(ctx, v.Visit, desk.NewPhone))
	h.notIn(h.Desk.ConfirmRecovery(under(ctx, c), v.Visit, "no code"))
	h.notIn(h.Desk.View(ctx, v.Visit))
	if f := h.factor(email); f != enrolment.Pocket {
		t.Errorf("the factor is %s", f)
	}
}

// A visit never takes over the second step that somebody else asked for.
func TestNobodyIsApprovedByAnothersLogin(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	c := desk.NewCall()
	attacker := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	attacker = h.must(desk.ScreenLoginApproval)(h.Desk.AskAgain(under(ctx, c), attacker.Visit))
	portal, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase, Network: "home"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Desk.AskAgain(under(ctx, c), attacker.Visit)
	if err == nil && again.Login.Digits != "" {
		t.Errorf("the attacker is shown %q", again.Login.Digits)
	}
	if _, err := phone.says(pairing.Approve, portal.Digits); err != nil {
		t.Fatal(err)
	}
	h.notIn(h.Desk.View(ctx, attacker.Visit))
	if got, err := h.Desk.RedeemLogin(ctx, "portal", portal.ID); err != nil || got.Status != desk.LoginSucceeded {
		t.Errorf("the portal is given %+v, %v", got, err)
	}
}

func TestTheApprovalOfALoginProvesNoChange(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit))
	c := desk.NewCall()
	v = h.must(desk.ScreenLoginApproval)(h.Desk.Prove(under(ctx, c), v.Visit, desk.ChangesName, phrase))
	portal, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Desk.Prove(under(ctx, c), v.Visit, desk.ChangesFactor, phrase); err == nil && again.Login.Digits != "" {
		t.Errorf("shows %+v", again.Login)
	}
	if _, err := phone.says(pairing.Approve, portal.Digits); err != nil {
		t.Fatal(err)
	}
	if v, err := h.Desk.View(ctx, v.Visit); err == nil && v.Account.Proved != "" {
		t.Errorf("proved %s with the approval of a login", v.Account.Proved)
	}
}

func TestEachPasswordIsAGuess(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	c := desk.NewCall()
	for i := range 6 {
		h.refused(desk.WrongLogin)(h.Desk.Login(under(ctx, c), email, fmt.Sprintf("Wrong-%d-Password!x", i), "nl"))
	}
	h.refused(desk.WrongLogin)(h.Desk.Login(under(ctx, c), email, phrase, "nl"))
	if got := h.events(login.Stream(s)); !slices.Equal(got, []string{"LoginFailed", "LoginFailed", "LoginFailed", "LoginFailed", "LoginFailed", "LoginLocked"}) {
		t.Errorf("recorded %v", got)
	}
}

// One call sends one message, however often it is asked.
func TestOneCallSendsOnce(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	once := func(what string, do func(context.Context) (desk.View, error)) {
		t.Helper()
		n, call := h.messages(), desk.NewCall()
		for range 10 {
			if _, err := do(under(ctx, call)); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		h.quiet()
		if got := h.messages() - n; got != 1 {
			t.Errorf("%s: %d messages", what, got)
		}
	}
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, "joost@voorbeeld.nl", "nl"))
	h.message(1)
	c.pass(31 * time.Second)
	once("a code for a stranger", func(ctx context.Context) (desk.View, error) { return h.Desk.Resend(ctx, v.Visit) })

	h.withSMS()
	a := h.proved(h.loggedIn(), desk.ChangesPhone, phrase)
	h.quiet()
	once("a code to a new number", func(ctx context.Context) (desk.View, error) { return h.Desk.ChangePhone(ctx, a.Visit, "0687654321") })
	c.pass(31 * time.Second)
	once("once more", func(ctx context.Context) (desk.View, error) { return h.Desk.Resend(ctx, a.Visit) })
}

// A visit ends when the account becomes another's: whoever froze it, reset it or
// changed its password meant everybody who is in it.
func TestAVisitOutlivesNoChangeFromElsewhere(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	here := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	elsewhere := h.Desk.At("elsewhere")
	n := h.messages()
	there := h.must(desk.ScreenLoginCode)(elsewhere.Login(ctx, email, phrase, "nl"))
	there = h.must(desk.ScreenAccount)(elsewhere.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	n = h.messages()
	there = h.must(desk.ScreenLoginCode)(elsewhere.Prove(ctx, there.Visit, desk.ChangesPassword, phrase))
	there = h.must(desk.ScreenAccount)(elsewhere.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	h.must(desk.ScreenAccount)(elsewhere.ChangePassword(ctx, there.Visit, another))
	h.refused(desk.VisitOver)(h.Desk.OfferPairing(ctx, here.Visit))
	h.refused(desk.VisitOver)(h.Desk.View(ctx, here.Visit))

	if done, err := h.Desk.Freeze(ctx, s, enrolment.CaseSuspicion); err != nil || !done {
		t.Fatal(done, err)
	}
	v := h.must(desk.ScreenFrozen)(elsewhere.View(ctx, there.Visit))
	h.notIn(v, nil)
	if story, err := elsewhere.Story(ctx, there.Visit); err == nil {
		t.Errorf("a frozen account tells %d things", len(story))
	}
	if done, err := h.Desk.Unfreeze(ctx, s, enrolment.CaseMistake); err != nil || !done {
		t.Fatal(done, err)
	}
	h.quiet()
	h.withSMS()
	h.refused(desk.VisitOver)(elsewhere.View(ctx, there.Visit))
}

func TestOneProofIsForOneChange(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	v := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	h.pair(v, "one")
	h.refused(desk.NotProved)(h.Desk.OfferPairing(ctx, v.Visit))
	h.refused(desk.NotProved)(h.Desk.SwitchToSMS(ctx, v.Visit))
}

// An old password opens nothing by asking for the code once more.
func TestACodeIsNotSentAgainForAnOldPassword(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	v := h.proved(h.loggedIn(), desk.ChangesPassword, phrase)
	l, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase})
	if err != nil {
		t.Fatal(err)
	}
	h.must(desk.ScreenAccount)(h.Desk.ChangePassword(ctx, v.Visit, another))
	c.pass(time.Minute)
	if _, err := h.Desk.ResendLogin(ctx, "portal", l.ID); !isCode(err, desk.CodeEnded) {
		t.Errorf("sent again after another password: %v", err)
	}
	l, err = h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: another})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(48 * time.Hour)
	if _, err := h.Desk.ResendLogin(ctx, "portal", l.ID); !isCode(err, desk.CodeEnded) {
		t.Errorf("sent again after two days: %v", err)
	}
}

// Whoever has the password, and asks until the phone may not be asked any more, keeps
// nobody from saying that it was stolen; and nobody from the kiosk.
func TestAskingTooOftenKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withPocket()
	for range 3 {
		if _, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}); err != nil {
			t.Fatal(err)
		}
	}
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if v.Login.Ended != desk.EndedLimited || v.Login.AskIn <= 0 || v.Login.Digits != "" {
		t.Errorf("shows %+v", v.Login)
	}
	first := v.Visit
	v = h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.refused(desk.VisitOver)(h.Desk.View(ctx, first))
	h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
}

// The screen never shows what an SMS brings.
func TestTheCodeOfAnSMSIsNotOnTheScreen(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	v := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	n := h.messages()
	elsewhere := h.Desk.At("elsewhere")
	a := h.must(desk.ScreenLoginCode)(elsewhere.Login(ctx, email, phrase, "nl"))
	code := h.code(courier.BySMS, n)
	h.pair(v, "one")
	if a, err := elsewhere.View(ctx, a.Visit); err == nil && (a.Login.Digits == code || a.Login.Digits != "") {
		t.Errorf("%s shows %q", a.Screen, a.Login.Digits)
	}
}

func TestOneFreezeIsToldOnce(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	waits, err := phone.asked()
	if err != nil || waits == nil {
		t.Fatal(err)
	}
	n := h.messages()
	d := pairing.Decision{
		Subject: phone.account.Subject, Device: phone.account.Device, Thumbprint: phone.key, Challenge: waits.Challenge,
		Nonce: waits.Nonce, Context: waits.Context(), Answer: pairing.NotMe, JTI: desk.NewCall().String(),
	}
	for range 5 {
		if got, err := h.Desk.DecideApproval(ctx, d); err != nil || got.State != pairing.DecidedFrozen {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	h.quiet()
	if got := h.messages() - n; got != 3 {
		t.Errorf("%d messages of one freeze", got)
	}
}

func TestAnApprovalThatIsLookedAtTooLate(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	c.pass(200 * time.Second)
	v = h.must(desk.ScreenLoginApproval)(h.Desk.View(ctx, v.Visit))
	if v.Login.Ended != desk.EndedOther {
		t.Errorf("shows %+v", v.Login)
	}
}

// Two sessions of a portal never have one login.
func TestNoLoginIsShared(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	at := desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}
	if _, err := h.Desk.StartLogin(ctx, at); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Desk.StartLogin(ctx, at); !isCode(err, desk.Limited) {
		t.Errorf("got %v", err)
	}
	h.quiet()
}

package home_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

// What was asked for and recorded, and not answered: a lost answer, a log or a vault
// that is away for a moment. Whoever asks again under the same Call is told what holds,
// and everybody else is told of it once. And what was proved before somebody else
// changed the account proves nothing after it.

// over has the house work on another log.
func (h *house) over(log desk.Log) {
	h.t.Helper()
	config := h.Desk.Config
	config.Log = log
	other := *h.Home
	other.Desk = desk.New(config)
	h.Home = &other
	running, stop := context.WithCancel(h.t.Context())
	ended := make(chan struct{})
	go func() { h.Desk.Run(running); close(ended) }()
	h.t.Cleanup(func() { stop(); <-ended })
}

// muted gives a house whose log can lose an answer for good.
func muted(t *testing.T, c *clock) (*house, *mute) {
	t.Helper()
	h := openAt(t, c.now, t.TempDir(), true)
	log := &mute{Log: h.Log}
	h.over(log)
	return h, log
}

func (h *house) again(log *mute, do func(context.Context) (desk.View, error)) (desk.View, error) {
	h.t.Helper()
	ctx := desk.WithCall(h.t.Context(), desk.NewCall())
	h.refused(desk.Unsure)(log.once(ctx, do))
	return do(ctx)
}

func TestANewPasswordWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	h.withSMS()
	v := h.proved(h.loggedIn(), desk.ChangesPassword, phrase)
	h.quiet()
	n := h.messages()
	_, err := h.again(log, func(ctx context.Context) (desk.View, error) { return h.Desk.ChangePassword(ctx, v.Visit, another) })
	if err != nil {
		t.Errorf("the retry: %v", err)
	}
	h.quiet()
	if got := h.messages() - n; got != 2 {
		t.Errorf("%d messages tell of the new password", got)
	}
}

func TestASwitchWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(t.Context(), email, phrase, "nl"))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(t.Context(), v.Visit))
	v = h.must(desk.ScreenLoginApproval)(h.Desk.Prove(t.Context(), v.Visit, desk.ChangesFactor, phrase))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(t.Context(), v.Visit))
	h.quiet()
	n := h.messages()
	_, err := h.again(log, func(ctx context.Context) (desk.View, error) { return h.Desk.SwitchToSMS(ctx, v.Visit) })
	if err != nil {
		t.Errorf("the retry: %v", err)
	}
	h.quiet()
	if got := h.messages() - n; got != 2 {
		t.Errorf("%d messages tell of the factor", got)
	}
}

func (h *house) recovering() desk.View {
	ctx := h.t.Context()
	v, err := h.Desk.Login(ctx, email, phrase, "nl")
	if err != nil {
		h.t.Fatal(err)
	}
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	return h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.wait(n, func(m courier.Item) bool { return m.Channel == courier.ByMail && m.Code != "" }).Code))
}

func TestATheftWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	h.withPocket()
	v := h.recovering()
	h.quiet()
	n := h.messages()
	_, err := h.again(log, func(ctx context.Context) (desk.View, error) {
		return h.Desk.ReportPhone(ctx, v.Visit, desk.StolenPhone)
	})
	if err != nil {
		t.Errorf("the retry: %v", err)
	}
	if v, err := h.Desk.View(t.Context(), v.Visit); err != nil || v.Screen != desk.ScreenFrozen {
		t.Errorf("%s %v", v.Screen, err)
	}
	h.quiet()
	if got := h.messages() - n; got < 2 {
		t.Errorf("%d messages tell of the freeze", got)
	}
}

func TestARecoveryWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	h.withPocket()
	v := h.recovering()
	n := h.messages()
	v = h.must(desk.ScreenRecoverCode)(h.Desk.ReportPhone(t.Context(), v.Visit, desk.NewPhone))
	code := h.code(courier.BySMS, n)
	h.quiet()
	n = h.messages()
	_, err := h.again(log, func(ctx context.Context) (desk.View, error) { return h.Desk.ConfirmRecovery(ctx, v.Visit, code) })
	if err != nil {
		t.Errorf("the retry: %v", err)
	}
	h.quiet()
	if got := h.messages() - n; got != 2 {
		t.Errorf("%d messages tell of the factor", got)
	}
}

// After a login that was limited, and a recovery, the person is in.
func TestLimitedThenRecovered(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withPocket()
	for range 3 {
		if _, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}); err != nil {
			t.Fatal(err)
		}
	}
	v := h.recovering()
	n := h.messages()
	v = h.must(desk.ScreenRecoverCode)(h.Desk.ReportPhone(ctx, v.Visit, desk.NewPhone))
	v, err := h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.BySMS, n))
	if err != nil || v.Screen != desk.ScreenAccount {
		t.Errorf("shows %s (%+v), %v", v.Screen, v.Login, err)
	}
	if v, err = h.Desk.Dismiss(ctx, v.Visit); err != nil || v.Screen != desk.ScreenAccount {
		t.Errorf("and after Dismiss %s, %v", v.Screen, err)
	}
}

// Who could not be sent an SMS at once asks for it again.
func TestLimitedThenSentAgain(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	if _, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}); err != nil {
		t.Fatal(err)
	}
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl"))
	c.pass(v.Code.ResendIn + time.Second)
	if v, err := h.Desk.Resend(ctx, v.Visit); err != nil {
		t.Errorf("resend: %v (%s)", err, v.Screen)
	}
	h.quiet()
}

// The wait for another SMS is shown.
func TestTheWaitForAnotherCodeShows(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl"))
	_, err := h.Desk.Resend(ctx, v.Visit)
	if v.Code.ResendIn <= 0 && err != nil {
		t.Errorf("shows no wait, and resend is %v", err)
	}
	h.quiet()
}

// A found phone's SMS is sent again.
func TestTheCodeOfAFoundPhoneIsSentAgain(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	v := h.recovering()
	v = h.must(desk.ScreenFrozen)(h.Desk.ReportPhone(ctx, v.Visit, desk.LostPhone))
	c.pass(2 * time.Minute)
	h.quiet()
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.FoundPhone(ctx, v.Visit))
	v = h.must(desk.ScreenLoginCode)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	h.quiet()
	c.pass(3 * time.Minute)
	if _, err := h.Desk.Resend(ctx, v.Visit); err != nil {
		t.Errorf("resend: %v", err)
	}
}

// cutAt loses answers to appends of a kind, after recording them.
type cutAt struct {
	desk.Log
	kind atomic.Value
	gone atomic.Bool
}

func (l *cutAt) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	done, err := l.Log.Append(ctx, stream, at, msgs...)
	if k, _ := l.kind.Load().(string); err == nil && k != "" && msgs[0].Type == k {
		l.gone.Store(true)
	}
	return done, err
}

func (l *cutAt) ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	if l.gone.Load() {
		return nil, fmt.Errorf("away: %w", domain.ErrUnavailable)
	}
	return l.Log.ReadStream(ctx, stream, from)
}

func cutHouse(t *testing.T) (*house, *cutAt) {
	t.Helper()
	h := demo(t)
	log := &cutAt{Log: h.Log}
	h.over(log)
	return h, log
}

// The log goes away for a second just after the approved login was recorded.
func TestAnApprovedLoginOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	h, log := cutHouse(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	log.kind.Store("LoginSucceeded")
	h.refused(desk.Unavailable)(h.Desk.View(ctx, v.Visit))
	log.kind.Store("")
	log.gone.Store(false)
	v, err := h.Desk.View(ctx, v.Visit)
	if err != nil || v.Screen != desk.ScreenAccount {
		t.Errorf("shows %s, digits %q, ended %q, %v; the phone said yes and the log says %v", v.Screen, v.Login.Digits, v.Login.Ended, err, h.events("login-"+h.subject().String()))
	}
}

// The log goes away just after the code was right; the same call again.
func TestACodeWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, log := cutHouse(t)
	h.withSMS()
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(t.Context(), email, phrase, "nl"))
	code := h.code(courier.BySMS, n)
	h.quiet()
	ctx := desk.WithCall(t.Context(), desk.NewCall())
	// the answer is lost between give and the view: the vault is what the view opens
	log.kind.Store("LoginSucceeded")
	if _, err := h.Desk.ConfirmLogin(ctx, v.Visit, code); err == nil {
		t.Error("nobody noticed that the log is away")
	}
	log.kind.Store("")
	log.gone.Store(false)
	h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(ctx, v.Visit, code))
	// Done, and answered; the answer did not arrive, and more than two minutes go by.
	h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(ctx, v.Visit, code))
}

// A look at the account, or the language, between a call of unknown outcome and its repetition.
func TestHelpBetweenACallAndItsRepetition(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	code := h.message(1).Code
	ctx := desk.WithCall(t.Context(), desk.NewCall())
	confirm := func(ctx context.Context) (desk.View, error) { return h.Desk.ConfirmEmail(ctx, v.Visit, code) }
	h.refused(desk.Unsure)(log.once(ctx, confirm))
	if _, err := h.Desk.HelpCode(t.Context(), v.Visit); err != nil {
		t.Fatal(err)
	}
	if v, err := confirm(ctx); err != nil || v.Screen != desk.ScreenPassword {
		t.Errorf("%s, %v", v.Screen, err)
	}
}

// What is found by a visit that was elsewhere frozen and found again.
func TestAFreezeEndsWhatWasProvedBefore(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	h.quiet()
	thief := h.proved(h.loggedIn(), desk.ChangesFactor, phrase) // somebody at an open kiosk
	h.quiet()
	c.pass(61 * time.Second)
	elsewhere := h.Desk.At("elsewhere")
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(elsewhere.Login(ctx, email, phrase, "nl"))
	h.code(courier.BySMS, n)
	n = h.messages()
	v = h.must(desk.ScreenRecoverMail)(elsewhere.WithoutPhone(ctx, v.Visit))
	v = h.must(desk.ScreenRecoverHow)(elsewhere.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	v = h.must(desk.ScreenFrozen)(elsewhere.ReportPhone(ctx, v.Visit, desk.LostPhone))
	h.quiet()
	c.pass(65 * time.Second)
	n = h.messages()
	v = h.must(desk.ScreenRecoverMail)(elsewhere.FoundPhone(ctx, v.Visit))
	m := h.messages()
	v = h.must(desk.ScreenLoginCode)(elsewhere.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	h.must(desk.ScreenAccount)(elsewhere.ConfirmLogin(ctx, v.Visit, h.code(courier.BySMS, m)))
	if v, err := h.Desk.View(ctx, thief.Visit); err == nil {
		t.Errorf("the other visit is in, after the freeze: %s, proved %q, %s", v.Screen, v.Account.Proved, v.Phone.E164)
	}
	if _, err := h.Desk.OfferPairing(ctx, thief.Visit); err == nil {
		t.Error("and offers a pairing")
	}
	h.quiet()
}

// Half an enrolment: a visit that set a password which is not the person's any more.
func TestAPasswordThatCountsNoMoreUnlocksNothing(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	elsewhere := h.Desk.At("elsewhere")
	a := h.must(desk.ScreenEmailCode)(elsewhere.Begin(ctx, email, "nl"))
	a = h.must(desk.ScreenPassword)(elsewhere.ConfirmEmail(ctx, a.Visit, h.message(1).Code))
	h.must(desk.ScreenPhone)(elsewhere.SetNameAndPassword(ctx, a.Visit, "Iemand", another))
	h.quiet()
	c.pass(31 * time.Second)
	n := h.messages()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(n+1).Code))
	v = h.must(desk.ScreenPassword)(h.Desk.Restart(ctx, v.Visit))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(n+2).Code))
	got, err := elsewhere.View(ctx, a.Visit)
	if err == nil && got.Screen != desk.ScreenResume {
		t.Errorf("whose password counts no more is at %s and sees %s", got.Screen, got.Phone.E164)
	}
	if _, err := elsewhere.OfferPairing(ctx, a.Visit); err == nil {
		t.Error("and offers a pairing")
	}
	if _, err := elsewhere.SetNameAndPassword(ctx, a.Visit, "Iemand", another+"x"); err == nil {
		t.Error("and sets the password")
	}
}

// brokenLimits is a vault that is away for a while.
type brokenLimits struct {
	desk.Limits
	gone atomic.Bool
}

func (l *brokenLimits) Take(ctx context.Context, now time.Time, limits ...desk.Limit) (time.Time, bool, error) {
	if l.gone.Load() {
		return time.Time{}, false, domain.ErrUnavailable
	}
	return l.Limits.Take(ctx, now, limits...)
}

func TestABrokenBeginLeavesNoVisit(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	config := h.Desk.Config
	l := &brokenLimits{Limits: config.Limits}
	config.Limits = l
	d := desk.New(config)
	l.gone.Store(true)
	for range 100 {
		if _, err := d.Begin(ctx, email, "nl"); !isCode(err, desk.Unavailable) {
			t.Fatal(err)
		}
	}
	l.gone.Store(false)
	if _, err := d.Begin(ctx, email, "nl"); err != nil {
		t.Errorf("the vault is back: %v", err)
	}
}

// The whole takeover: a visit with a proof, left behind, survives a freeze that
// the person made and ended, and pairs a phone of the thief's.
func TestNoPhoneIsPairedWithAProofFromBeforeAFreeze(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	h.quiet()
	thief := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	h.quiet()
	c.pass(61 * time.Second)
	e := h.Desk.At("elsewhere")
	v := h.must(desk.ScreenLoginCode)(e.Login(ctx, email, phrase, "nl"))
	h.quiet()
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(e.WithoutPhone(ctx, v.Visit))
	v = h.must(desk.ScreenRecoverHow)(e.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	v = h.must(desk.ScreenFrozen)(e.ReportPhone(ctx, v.Visit, desk.LostPhone))
	h.quiet()
	c.pass(65 * time.Second)
	n = h.messages()
	v = h.must(desk.ScreenRecoverMail)(e.FoundPhone(ctx, v.Visit))
	m := h.messages()
	v = h.must(desk.ScreenLoginCode)(e.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, v.Visit, h.code(courier.BySMS, m)))
	h.refused(desk.VisitOver)(h.Desk.OfferPairing(ctx, thief.Visit))
}

// The answer of a redeem is lost for good: the log has it, nobody is told.
func TestALoginThatWasTakenIsNotLost(t *testing.T) {
	t.Parallel()
	h, log := muted(t, &clock{})
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(t.Context(), email, phrase, "nl"))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	h.refused(desk.Unsure)(log.once(t.Context(), func(ctx context.Context) (desk.View, error) { return h.Desk.View(ctx, v.Visit) }))
	v, err := h.Desk.View(t.Context(), v.Visit)
	if err != nil || v.Screen != desk.ScreenAccount {
		t.Errorf("shows %s %q", v.Screen, v.Login.Digits)
	}
}

// confirmed has a thief's phone claim what a visit offers, and its digits typed: only its
// last step is left.
func (h *house) confirmed(v desk.View) (finish func() (pairing.Account, error)) {
	h.t.Helper()
	ctx := h.t.Context()
	v, err := h.Desk.OfferPairing(ctx, v.Visit)
	if err != nil {
		h.t.Fatal(err)
	}
	qr, err := pairing.ParseQR(v.Pocket.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	claimed, err := h.Desk.ClaimPairing(ctx, pairing.Claim{
		Pairing: qr.Pairing, Thumbprint: "thief", Key: []byte(`{"kty":"EC"}`), Label: "x",
		Proof: pairing.ClaimProof(qr.Secret, qr.Pairing, "thief"),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Desk.ConfirmPairing(ctx, v.Visit, pairing.Digits(qr.Pairing, "thief", claimed.Nonce)); err != nil {
		h.t.Fatal(err)
	}
	return func() (pairing.Account, error) {
		return h.Desk.FinishPairing(ctx, pairing.Finish{
			Pairing: qr.Pairing, Thumbprint: "thief", Key: []byte(`{"kty":"EC"}`), Nonce: claimed.Nonce,
		})
	}
}

// A confirmed pairing is finished after the person has changed the password.
func TestANewPasswordEndsAPairing(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	thief := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	finish := h.confirmed(thief)
	h.quiet()
	c.pass(125 * time.Second)
	e := h.Desk.At("elsewhere")
	n := h.messages()
	there := h.must(desk.ScreenLoginCode)(e.Login(ctx, email, phrase, "nl"))
	there = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	n = h.messages()
	there = h.must(desk.ScreenLoginCode)(e.Prove(ctx, there.Visit, desk.ChangesPassword, phrase))
	there = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	h.must(desk.ScreenAccount)(e.ChangePassword(ctx, there.Visit, another))
	_, err := finish()
	if err == nil {
		t.Errorf("the factor is %s, of the phone of the visit that the new password ended", h.factor(email))
	}
	h.quiet()
}

// Prove, with the log away between the count and the record, and the same call again.
func TestAProofCountsOneCode(t *testing.T) {
	t.Parallel()
	h := demo(t)
	log := &down{Log: h.Log}
	h.over(log)
	h.withSMS()
	v := h.loggedIn()
	h.quiet()
	ctx := desk.WithCall(t.Context(), desk.NewCall())
	log.is.Store(true)
	_, err := h.Desk.Prove(ctx, v.Visit, desk.ChangesName, phrase)
	if !isCode(err, desk.Unavailable) {
		t.Fatal(err)
	}
	log.is.Store(false)
	if _, err := h.Desk.Prove(ctx, v.Visit, desk.ChangesName, phrase); err != nil {
		t.Errorf("the same call, a moment later: %v", err)
	}
	h.quiet()
}

// counted is a vault in which a network has used up its tries, as 1,200 guesses at
// nobody's address would.
type fewTries struct{ desk.Limits }

func (l fewTries) Count(ctx context.Context, now time.Time, limit desk.Limit) (int, error) {
	n, err := l.Limits.Count(ctx, now, limit)
	if limit.Name == "login-failures" {
		n *= 240
	}
	return n, err
}

func (l fewTries) Take(ctx context.Context, now time.Time, limits ...desk.Limit) (time.Time, bool, error) {
	for i := range limits {
		if limits[i].Name == "login-failures" {
			limits[i].Max /= 240 // five in the place of 1,200
		}
	}
	return l.Limits.Take(ctx, now, limits...)
}

func TestOneWhoGuessesStopsNoPortal(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.withSMS()
	config := h.Desk.Config
	config.Limits = fewTries{config.Limits}
	d := desk.New(config)
	for range 5 {
		_, err := d.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: "nobody@voorbeeld.nl", Password: "x"})
		if !isCode(err, desk.WrongLogin) {
			t.Fatal(err)
		}
	}
	if _, err := d.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}); err != nil {
		t.Errorf("somebody else, with the right password: %v", err)
	}
}

// an enrolment visit survives freeze + unfreeze.
func TestAnEnrolmentsVisitEndsWithAFreeze(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	left := h.toFactor(email, 1)
	left = h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, left.Visit))
	s := h.subject()
	if done, err := h.Desk.Freeze(ctx, s, enrolment.CaseSuspicion); err != nil || !done {
		t.Fatal(done, err)
	}
	if v, err := h.Desk.View(ctx, left.Visit); err == nil {
		t.Errorf("frozen: shows %s %q %q", v.Screen, v.Name, v.Phone.E164)
	}
	if done, err := h.Desk.Unfreeze(ctx, s, enrolment.CaseMistake); err != nil || !done {
		t.Fatal(done, err)
	}
	v, err := h.Desk.SetNameAndPassword(ctx, left.Visit, name, another)
	if err == nil {
		t.Errorf("unfrozen: the old visit sets the new password, and is at %s", v.Screen)
	}
	h.quiet()
}

// mail alone shows name and number once somebody else completes.
func TestTheMailAloneShowsNothing(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	v := h.toFactor(email, 1)
	c.pass(time.Minute)
	e := h.Desk.At("elsewhere")
	n := h.messages()
	o := h.must(desk.ScreenEmailCode)(e.Begin(ctx, email, "nl"))
	o = h.must(desk.ScreenResume)(e.ConfirmEmail(ctx, o.Visit, h.code(courier.ByMail, n)))
	if o.Name != "" || o.Phone.E164 != "" {
		t.Fatal("shown before")
	}
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit))
	o, err := e.View(ctx, o.Visit)
	if err == nil && (o.Name != "" || o.Phone.E164 != "") {
		t.Errorf("who never typed the password is shown %s %q %q", o.Screen, o.Name, o.Phone.E164)
	}
}

// a confirmed pairing survives another number.
func TestANewNumberEndsAPairing(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	thief := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	finish := h.confirmed(thief)
	h.quiet()
	c.pass(125 * time.Second)
	e := h.Desk.At("elsewhere")
	n := h.messages()
	there := h.must(desk.ScreenLoginCode)(e.Login(ctx, email, phrase, "nl"))
	there = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	n = h.messages()
	there = h.must(desk.ScreenLoginCode)(e.Prove(ctx, there.Visit, desk.ChangesPhone, phrase))
	there = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, there.Visit, h.code(courier.BySMS, n)))
	n = h.messages()
	there = h.must(desk.ScreenNewPhone)(e.ChangePhone(ctx, there.Visit, "0687654321"))
	h.must(desk.ScreenAccount)(e.ConfirmNewPhone(ctx, there.Visit, h.code(courier.BySMS, n)))
	h.refused(desk.VisitOver)(h.Desk.View(ctx, thief.Visit))
	if _, err := finish(); err == nil {
		t.Errorf("the factor is %s, of the phone of the visit that the new number ended", h.factor(email))
	}
	h.quiet()
}

// a help code at the second step of a change voids the code, and Resend cannot give another.
func TestHelpAtASecondStep(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.withSMS()
	v := h.loggedIn()
	n := h.messages()
	v = h.must(desk.ScreenLoginCode)(h.Desk.Prove(ctx, v.Visit, desk.ChangesName, phrase))
	code := h.code(courier.BySMS, n)
	if _, err := h.Desk.HelpCode(ctx, v.Visit); err != nil {
		t.Fatal(err)
	}
	c.pass(40 * time.Second)
	if _, err := h.Desk.Resend(ctx, v.Visit); err != nil {
		t.Errorf("resend after help: %v", err)
	}
	v, err := h.Desk.ConfirmLogin(ctx, v.Visit, code)
	if err != nil || v.Account.Proved != desk.ChangesName {
		t.Errorf("the right code after help: %s proved %q left %v, %v", v.Screen, v.Account.Proved, v.Code.Left, err)
	}
	h.quiet()
}

// an offer whose answer was lost takes over somebody else's offer.
func TestALostOfferTakesNobodyElses(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h, log := muted(t, c)
	ctx := t.Context()
	h.withSMS()
	a := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	h.quiet()
	c.pass(125 * time.Second)
	e := h.Desk.At("elsewhere")
	n := h.messages()
	b := h.must(desk.ScreenLoginCode)(e.Login(ctx, email, phrase, "nl"))
	b = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, b.Visit, h.code(courier.BySMS, n)))
	n = h.messages()
	b = h.must(desk.ScreenLoginCode)(e.Prove(ctx, b.Visit, desk.ChangesFactor, phrase))
	b = h.must(desk.ScreenAccount)(e.ConfirmLogin(ctx, b.Visit, h.code(courier.BySMS, n)))
	h.quiet()
	call := desk.WithCall(ctx, desk.NewCall())
	h.refused(desk.Unsure)(log.once(call, func(ctx context.Context) (desk.View, error) { return h.Desk.OfferPairing(ctx, a.Visit) }))
	b, err := e.OfferPairing(ctx, b.Visit)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Desk.OfferPairing(call, a.Visit)
	if err == nil && again.Pocket.URL == b.Pocket.URL {
		t.Errorf("the QR code of another station's visit is on this one's screen")
	}
}

package home_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/factor"
)

// withSMS enrols somebody with SMS, and returns who it is. It takes two messages.
func (h *house) withSMS() domain.SubjectID {
	h.t.Helper()
	v := h.toFactor(email, h.messages()+1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(h.t.Context(), v.Visit))
	h.end(v)
	return h.subject()
}

func (h *house) end(v desk.View) {
	h.t.Helper()
	if err := h.Desk.End(h.t.Context(), v.Visit, station.Finished); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) subject() domain.SubjectID {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), email)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// messages counts what the outbox has.
func (h *house) messages() int {
	h.t.Helper()
	items, err := h.Outbox.List(0)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(items)
}

// code waits for the next message with a code by a channel, behind the n-th.
func (h *house) code(by courier.Channel, n int) string {
	h.t.Helper()
	code := h.wait(n, func(m courier.Item) bool { return m.Channel == by && m.Code != "" }).Code
	h.settled()
	return code
}

// settled waits until it is recorded of every code that it was sent: nobody types one
// faster, and what is recorded of the enrolment meanwhile takes a login back.
func (h *house) settled() {
	h.t.Helper()
	s := h.subject()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		items, err := h.Outbox.List(0)
		if err != nil {
			h.t.Fatal(err)
		}
		sent := 0
		for _, m := range items {
			if m.Code != "" {
				sent++
			}
		}
		if count(h.events(domain.EnrolmentStream(s)), "CodeSent")+count(h.events(login.Stream(s)), "CodeSent") >= sent {
			return
		}
	}
}

func (h *house) wait(n int, is func(courier.Item) bool) courier.Item {
	h.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := h.Outbox.List(n)
		if err != nil {
			h.t.Fatal(err)
		}
		if i := slices.IndexFunc(items, is); i >= 0 {
			return items[i]
		}
	}
	h.t.Fatal("the message never came")
	return courier.Item{}
}

// A handset is a paired phone, as the desk knows it.
type handset struct {
	h       *house
	account pairing.Account
	key     string
}

// pair pairs a phone that is offered in a visit.
func (h *house) pair(v desk.View, thumbprint string) handset {
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
		Pairing: qr.Pairing, Thumbprint: thumbprint, Key: []byte(`{"kty":"EC"}`), Label: "Toestel " + thumbprint,
		Proof: pairing.ClaimProof(qr.Secret, qr.Pairing, thumbprint),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Desk.ConfirmPairing(ctx, v.Visit, pairing.Digits(qr.Pairing, thumbprint, claimed.Nonce)); err != nil {
		h.t.Fatal(err)
	}
	account, err := h.Desk.FinishPairing(ctx, pairing.Finish{
		Pairing: qr.Pairing, Thumbprint: thumbprint, Key: []byte(`{"kty":"EC"}`), Nonce: claimed.Nonce,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return handset{h, account, thumbprint}
}

// withPocket enrols somebody with Pocket. It takes four messages.
func (h *house) withPocket() (domain.SubjectID, handset) {
	h.t.Helper()
	n := h.messages()
	v := h.toFactor(email, n+1)
	phone := h.pair(v, "thumb")
	h.must(desk.ScreenDone)(h.Desk.View(h.t.Context(), v.Visit))
	h.end(v)
	h.message(n + 4) // both notices
	return h.subject(), phone
}

// asked returns what the phone is asked; nil when nothing waits.
func (p handset) asked() (*pairing.Approval, error) {
	ctx, cancel := context.WithTimeout(p.h.t.Context(), 200*time.Millisecond)
	defer cancel()
	return p.h.Desk.PendingApproval(ctx, pairing.Ask{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: p.key, Nonce: p.h.Desk.PhoneNonce(), JTI: desk.NewCall().String(),
	})
}

// says is what the person says on the phone to what waits for it.
func (p handset) says(a pairing.Answer, digits string) (pairing.Decided, error) {
	p.h.t.Helper()
	waits, err := p.asked()
	if err != nil || waits == nil {
		p.h.t.Fatalf("nothing waits for the phone: %v", err)
	}
	return p.decide(*waits, a, digits)
}

func (p handset) decide(waits pairing.Approval, a pairing.Answer, digits string) (pairing.Decided, error) {
	return p.h.Desk.DecideApproval(p.h.t.Context(), pairing.Decision{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: p.key, Challenge: waits.Challenge,
		Nonce: waits.Nonce, Digits: digits, Context: waits.Context(), Answer: a, JTI: desk.NewCall().String(),
	})
}

// loggedIn logs somebody in who has SMS.
func (h *house) loggedIn() desk.View {
	h.t.Helper()
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(h.t.Context(), email, phrase, "nl"))
	return h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(h.t.Context(), v.Visit, h.code(courier.BySMS, n)))
}

// proved proves the password and the code for a change.
func (h *house) proved(v desk.View, what desk.Change, password string) desk.View {
	h.t.Helper()
	n := h.messages()
	v = h.must(desk.ScreenLoginCode)(h.Desk.Prove(h.t.Context(), v.Visit, what, password))
	v = h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(h.t.Context(), v.Visit, h.code(courier.BySMS, n)))
	if v.Account.Proved != what {
		h.t.Fatalf("proved %q, want %q", v.Account.Proved, what)
	}
	return v
}

// events returns the types of a stream's events.
func (h *house) events(stream string) []string {
	h.t.Helper()
	recorded, err := h.Log.ReadStream(h.t.Context(), stream, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	types := make([]string, len(recorded))
	for i, e := range recorded {
		types[i] = e.Type
	}
	return types
}

func TestLoggingInWithSMS(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	n := h.messages()
	h.refused(desk.WrongLogin)(h.Desk.Login(ctx, email, "Fiets-Kaas-Regen7!Molen", "nl"))
	h.refused(desk.WrongLogin)(h.Desk.Login(ctx, "nobody@voorbeeld.nl", phrase, "nl"))
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, strings.ToUpper(email), phrase, "nl"))
	if v.Name != "" || v.Phone.E164 != "" || v.Login.Digits != "" || v.Code.Tries != 5 {
		t.Errorf("L1 shows %+v before the second step", v)
	}
	code := h.code(courier.BySMS, n)
	v = h.refused(desk.WrongCode)(h.Desk.ConfirmLogin(ctx, v.Visit, other(code)))
	if v.Code.Tries != 4 {
		t.Errorf("%d tries are left", v.Code.Tries)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(ctx, v.Visit, code))
	if v.Name != name || v.Phone.International != "+31 6 12345678" || v.Factor != enrolment.SMS || v.Account.Since.IsZero() || v.Account.Proved != "" {
		t.Errorf("A1 shows %+v", v)
	}
	// When the provider's word is recorded is up to the provider.
	want := []string{"LoginFailed", "LoginChallenged", "LoginFailed", "LoginSucceeded"}
	if got := slices.DeleteFunc(h.events(login.Stream(s)), func(typ string) bool { return typ == "CodeSent" }); !slices.Equal(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
	h.end(v)
	h.refused(desk.VisitOver)(h.Desk.View(ctx, v.Visit))
	h.loggedIn() // at once: who proved the number has not to wait
}

// other returns six digits that are not these.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestLoggingInWithPocket(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	if waits, err := phone.asked(); err != nil || waits != nil {
		t.Fatalf("waits %+v, %v", waits, err)
	}
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if len(v.Login.Digits) != 6 || v.Login.Left < 119*time.Second || v.Login.Ended != "" {
		t.Errorf("L1 shows %+v", v.Login)
	}
	waits, err := phone.asked()
	if err != nil || waits == nil || waits.Portal != "Mijn OPO-R" || waits.Client != h.Station || !waits.Station || waits.Change || waits.Tries != 3 {
		t.Fatalf("the phone shows %+v, %v", waits, err)
	}
	tampered := *waits
	tampered.Client = "portal"
	if _, err := phone.decide(tampered, pairing.Approve, v.Login.Digits); !errors.Is(err, pairing.Failed) {
		t.Errorf("approved what was not shown: %v", err)
	}
	if got, err := phone.decide(*waits, pairing.Approve, other(v.Login.Digits)); err != nil || got != (pairing.Decided{State: pairing.DecidedWrong, Tries: 2}) {
		t.Errorf("wrong digits: %+v, %v", got, err)
	}
	waiting := make(chan desk.View, 1)
	v = h.must(desk.ScreenLoginApproval)(h.Desk.View(ctx, v.Visit))
	go func() {
		now := v
		for now.Screen == desk.ScreenLoginApproval {
			next, err := h.Desk.Await(ctx, now.Visit, now.Version)
			if err != nil {
				break
			}
			now = next
		}
		waiting <- now
	}()
	if got, err := phone.decide(*waits, pairing.Approve, v.Login.Digits); err != nil || got.State != pairing.DecidedApproved {
		t.Fatalf("got %+v, %v", got, err)
	}
	if v = <-waiting; v.Screen != desk.ScreenAccount || v.Name != name || v.Account.Device == "" {
		t.Errorf("after the approval it shows %+v", v)
	}
	if _, err := phone.decide(*waits, pairing.Approve, v.Login.Digits); !errors.Is(err, pairing.Over) {
		t.Errorf("approved again: %v", err)
	}
}

func TestAnApprovalThatIsDeniedOrComesTooLate(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	if got, err := phone.says(pairing.Deny, ""); err != nil || got.State != pairing.DecidedDenied {
		t.Fatalf("got %+v, %v", got, err)
	}
	v = h.must(desk.ScreenLoginApproval)(h.Desk.View(ctx, v.Visit))
	if v.Login.Ended != desk.EndedDenied || v.Login.Digits != "" {
		t.Errorf("shows %+v", v.Login)
	}
	v = h.must(desk.ScreenLoginApproval)(h.Desk.AskAgain(ctx, v.Visit))
	c.pass(121 * time.Second)
	v = h.must(desk.ScreenLoginApproval)(h.Desk.View(ctx, v.Visit))
	if v.Login.Ended != desk.EndedExpired {
		t.Errorf("shows %+v", v.Login)
	}
	v = h.must(desk.ScreenLoginApproval)(h.Desk.AskAgain(ctx, v.Visit))
	if v.Login.Ended != "" || v.Login.Digits == "" {
		t.Errorf("shows %+v", v.Login)
	}
	// Three in five minutes: a phone is not to be asked until somebody gives in.
	h.refused(desk.Limited)(h.Desk.AskAgain(ctx, v.Visit))
	for left := 2; left >= 0; left-- {
		if got, err := phone.says(pairing.Approve, other(v.Login.Digits)); err != nil || got.State != pairing.DecidedWrong || got.Tries != left {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if v = h.must(desk.ScreenLoginApproval)(h.Desk.View(ctx, v.Visit)); v.Login.Ended != desk.EndedWrong {
		t.Errorf("shows %+v", v.Login)
	}
}

// Dit was ik niet: at once, whatever became of the login, and everybody is told.
func TestThatWasNotMe(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	n := h.messages()
	if got, err := phone.says(pairing.NotMe, ""); err != nil || got.State != pairing.DecidedFrozen {
		t.Fatalf("got %+v, %v", got, err)
	}
	v = h.must(desk.ScreenFrozen)(h.Desk.AskAgain(ctx, v.Visit))
	if v.Account.Frozen != desk.FrozenNotMe || v.Account.Case == "" || v.Name != "" {
		t.Errorf("shows %+v", v.Account)
	}
	if err := h.Feed.Reach(ctx, h.head()); err != nil {
		t.Fatal(err)
	}
	if a := h.Factors.Lookup(s); a.State != factor.Frozen || a.Factor != enrolment.NoFactor {
		t.Errorf("the login service is told %+v", a)
	}
	told := map[string]bool{}
	for i := range 3 {
		m := h.message(n + 1 + i)
		told[string(m.Channel)+" "+m.To] = true
	}
	for _, to := range []string{"mail " + email, "sms " + e164, "mail hulp@voorbeeld.nl"} {
		if !told[to] {
			t.Errorf("%s was not told: %v", to, told)
		}
	}
	v = h.must(desk.ScreenFrozen)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.refused(desk.AccountFrozen)(h.Desk.FoundPhone(ctx, v.Visit))
	h.refused(desk.OutOfOrder)(h.Desk.WithoutPhone(ctx, v.Visit))

	// A second person ends it, and then all is proved anew, with a new password.
	if done, err := h.Desk.Unfreeze(ctx, s, enrolment.CaseMistake); err != nil || !done {
		t.Fatal(done, err)
	}
	h.refused(desk.WrongLogin)(h.Desk.Login(ctx, email, phrase, "nl"))
	if _, err := phone.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the phone still counts: %v", err)
	}
	h.withSMS()
	h.loggedIn()
}

func (h *house) head() domain.Position {
	h.t.Helper()
	at, err := h.Log.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return at
}

func TestEachChangeIsProvedAndHappensOnce(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	v := h.loggedIn()
	h.refused(desk.NotProved)(h.Desk.ChangeName(ctx, v.Visit, "Sanne Jansen"))
	h.refused(desk.NotProved)(h.Desk.ChangePhone(ctx, v.Visit, "0687654321"))
	h.refused(desk.NotProved)(h.Desk.SwitchToSMS(ctx, v.Visit))
	h.refused(desk.NotProved)(h.Desk.OfferPairing(ctx, v.Visit))
	h.refused(desk.WrongPassword)(h.Desk.Prove(ctx, v.Visit, desk.ChangesName, "Fiets-Kaas-Regen7!Molen"))

	v = h.proved(v, desk.ChangesName, phrase)
	h.refused(desk.NotProved)(h.Desk.ChangeLanguage(ctx, v.Visit, "en"))
	h.refused(desk.NameMissing)(h.Desk.ChangeName(ctx, v.Visit, " "))
	v = h.must(desk.ScreenAccount)(h.Desk.ChangeName(ctx, v.Visit, "Sanne Jansen"))
	if v.Name != "Sanne Jansen" || v.Account.Proved != "" {
		t.Errorf("A1 shows %q, proved %q", v.Name, v.Account.Proved)
	}
	h.refused(desk.NotProved)(h.Desk.ChangeName(ctx, v.Visit, "Sanne Pietersen"))

	v = h.proved(v, desk.ChangesLanguage, phrase)
	if v = h.must(desk.ScreenAccount)(h.Desk.ChangeLanguage(ctx, v.Visit, "en")); v.Lang != "en" || v.Account.Language != "en" {
		t.Errorf("A1 is in %s, %s", v.Lang, v.Account.Language)
	}

	v = h.proved(v, desk.ChangesPassword, phrase)
	h.refused(desk.SamePassword)(h.Desk.ChangePassword(ctx, v.Visit, phrase))
	h.refused(desk.WeakPassword)(h.Desk.ChangePassword(ctx, v.Visit, "kort"))
	n := h.messages()
	v = h.must(desk.ScreenAccount)(h.Desk.ChangePassword(ctx, v.Visit, "Regen-Molen-Kaas9!Fiets"))
	h.told(n, email, e164)
	h.refused(desk.WrongPassword)(h.Desk.Prove(ctx, v.Visit, desk.ChangesName, phrase))

	v = h.proved(v, desk.ChangesPhone, "Regen-Molen-Kaas9!Fiets")
	h.refused(desk.SamePhone)(h.Desk.ChangePhone(ctx, v.Visit, number))
	n = h.messages()
	v = h.must(desk.ScreenNewPhone)(h.Desk.ChangePhone(ctx, v.Visit, "0687654321"))
	if v.Account.NewPhone.International != "+31 6 87654321" || v.Phone.E164 != e164 {
		t.Errorf("shows %+v, %+v", v.Account.NewPhone, v.Phone)
	}
	code := h.code(courier.BySMS, n)
	h.refused(desk.WrongCode)(h.Desk.ConfirmNewPhone(ctx, v.Visit, other(code)))
	n = h.messages()
	v = h.must(desk.ScreenAccount)(h.Desk.ConfirmNewPhone(ctx, v.Visit, code))
	if v.Phone.E164 != "+31687654321" {
		t.Errorf("A1 shows %+v", v.Phone)
	}
	h.told(n, email, e164) // the old number, not the new one
	if h.factor(email) != enrolment.SMS {
		t.Errorf("the factor is %s", h.factor(email))
	}

	story, err := h.Desk.Story(ctx, v.Visit)
	if err != nil || len(story) < 20 || story[0].Message != "history-PhoneVerified" {
		t.Errorf("the story: %d, %+v, %v", len(story), story[:min(1, len(story))], err)
	}
	if b, err := json.Marshal(story); err != nil || strings.Contains(string(b), "612345678") {
		t.Errorf("the story cannot travel, or tells too much: %v", err)
	}
	_ = s
}

// told waits until two messages went out: a mail, and an SMS to a number.
func (h *house) told(n int, mail, number string) {
	h.t.Helper()
	got := []string{h.message(n + 1).To, h.message(n + 2).To}
	slices.Sort(got)
	if want := []string{number, mail}; !slices.Equal(got, want) {
		h.t.Errorf("told %v, want %v", got, want)
	}
}

func TestSwitchingTheFactorBothWays(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	v := h.proved(h.loggedIn(), desk.ChangesFactor, phrase)
	first := h.pair(v, "first")
	v = h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit))
	if v.Factor != enrolment.Pocket || v.Account.Proved != "" || v.Account.Device != "Toestel first" || h.factor(email) != enrolment.Pocket {
		t.Errorf("A2 shows %s, %+v", v.Factor, v.Account)
	}
	h.refused(desk.NotProved)(h.Desk.OfferPairing(ctx, v.Visit))

	prove := func() {
		t.Helper()
		v = h.must(desk.ScreenLoginApproval)(h.Desk.Prove(ctx, v.Visit, desk.ChangesFactor, phrase))
		waits, err := first.asked() //nolint:contextcheck // a phone asks for a while, within the test
		if err != nil || waits == nil || !waits.Change {
			t.Fatalf("the phone shows %+v, %v", waits, err)
		}
		if _, err := first.decide(*waits, pairing.Approve, v.Login.Digits); err != nil { //nolint:contextcheck // see above
			t.Fatal(err)
		}
		v = h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit))
	}
	prove()
	second := h.pair(v, "second") // another phone
	if _, err := first.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the first phone still counts: %v", err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit))
	first = second
	prove()
	v = h.must(desk.ScreenAccount)(h.Desk.SwitchToSMS(ctx, v.Visit))
	if v.Factor != enrolment.SMS || h.factor(email) != enrolment.SMS {
		t.Errorf("the factor is %s, the login service reads %s", v.Factor, h.factor(email))
	}
	if _, err := second.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the phone still counts: %v", err)
	}
	_ = s
}

// Five wrong guesses, and from this network nobody logs in for a while, however
// right the password; from another one they do. It lasts twice as long each time.
func TestFiveFailuresInARow(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	s := h.withSMS()
	try := func(network, password string) error {
		_, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: password, Network: network})
		return err
	}
	for _, lock := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour} {
		n := h.messages()
		for range 5 {
			if err := try("10.0.0.1", "wrong"); !isCode(err, desk.WrongLogin) {
				t.Fatal(err)
			}
		}
		if m := h.message(n + 1); m.To != email || m.Code != "" {
			t.Errorf("told %+v", m)
		}
		before := len(h.events(login.Stream(s)))
		c.pass(lock - time.Minute) // hashes take their time
		if err := try("10.0.0.1", phrase); !isCode(err, desk.WrongLogin) {
			t.Errorf("after %s: %v", lock, err)
		}
		if got := len(h.events(login.Stream(s))); got != before {
			t.Errorf("what is locked out fills the log: %d events", got-before)
		}
		c.pass(time.Minute)
	}
	if err := try("10.0.0.2", phrase); err != nil {
		t.Error(err)
	}
	c.pass(31 * time.Second) // between two codes to one number
	l, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase, Network: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Desk.LoginCode(ctx, "portal", l.ID, h.code(courier.BySMS, 0)); !isCode(err, desk.WrongCode) {
		t.Errorf("an old code: %v", err)
	}
}

func isCode(err error, c desk.Code) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	return ok && r.Code == c
}

// A hundred in a day from everywhere, and it is enough.
func TestAHundredFailuresADay(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true, "policy.login_failures_a_day=7")
	ctx := t.Context()
	h.withSMS()
	try := func(network, password string) error {
		_, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: password, Network: network})
		return err
	}
	for i := range 7 {
		if err := try(string(rune('a'+i)), "wrong"); !isCode(err, desk.WrongLogin) {
			t.Fatal(err)
		}
	}
	if err := try("elsewhere", phrase); !isCode(err, desk.WrongLogin) {
		t.Errorf("an eighth guess was looked at: %v", err)
	}
	c.pass(24*time.Hour + time.Second)
	if err := try("elsewhere", phrase); err != nil {
		t.Error(err)
	}
}

// What an API client is given, once, and only while nothing else was recorded.
func TestALoginIsGivenOnceAndOnlyToWhoAskedForIt(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	start := func() (desk.Login, string) {
		t.Helper()
		n := h.messages()
		l, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase, From: "Firefox, Utrecht"})
		if err != nil || l.Status != desk.LoginPending || l.Factor != enrolment.SMS || len(l.ID) != 43 {
			t.Fatalf("got %+v, %v", l, err)
		}
		return l, h.code(courier.BySMS, n) //nolint:contextcheck // waits within the test
	}
	l, code := start()
	if _, err := h.Desk.LoginState(ctx, "office", l.ID); !isCode(err, desk.NoCode) {
		t.Errorf("another client sees it: %v", err)
	}
	if _, err := h.Desk.LoginCode(ctx, "office", l.ID, code); !isCode(err, desk.NoCode) {
		t.Errorf("another client takes it: %v", err)
	}
	if _, err := h.Desk.RedeemLogin(ctx, "portal", l.ID); !isCode(err, desk.OutOfOrder) {
		t.Errorf("taken without a code: %v", err)
	}
	got, err := h.Desk.LoginCode(ctx, "portal", l.ID, code)
	if err != nil || got.Status != desk.LoginSucceeded || got.Subject != s || got.At.IsZero() {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, again := range []func() (desk.Login, error){
		func() (desk.Login, error) { return h.Desk.LoginCode(ctx, "portal", l.ID, code) },
		func() (desk.Login, error) { return h.Desk.RedeemLogin(ctx, "portal", l.ID) },
	} {
		if _, err := again(); !isCode(err, desk.CodeUsed) {
			t.Errorf("given twice: %v", err)
		}
	}

	l, code = start() // and the account is frozen meanwhile
	if done, err := h.Desk.Freeze(ctx, s, enrolment.CaseSuspicion); err != nil || !done {
		t.Fatal(done, err)
	}
	if _, err := h.Desk.LoginCode(ctx, "portal", l.ID, code); !isCode(err, desk.LoginStale) {
		t.Errorf("given although it was frozen: %v", err)
	}
	if types := h.events(login.Stream(s)); types[len(types)-1] != "LoginFailed" {
		t.Errorf("recorded %v", types)
	}
	if _, err := h.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase}); !isCode(err, desk.AccountFrozen) {
		t.Errorf("got %v", err)
	}
}

// A phone that is not there: mail and password only freeze.
func TestALostPhoneIsFoundAgain(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.refused(desk.OutOfOrder)(h.Desk.ReportPhone(ctx, v.Visit, desk.LostPhone))
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	h.refused(desk.OutOfOrder)(h.Desk.ReportPhone(ctx, v.Visit, desk.LostPhone))
	code := h.code(courier.ByMail, n)
	h.refused(desk.WrongCode)(h.Desk.ConfirmRecovery(ctx, v.Visit, other(code)))
	v = h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(ctx, v.Visit, code))
	if v.Name != "" {
		t.Errorf("shows %+v", v)
	}
	v = h.must(desk.ScreenFrozen)(h.Desk.ReportPhone(ctx, v.Visit, desk.LostPhone))
	if v.Account.Frozen != desk.FrozenLost || v.Account.Case == "" {
		t.Errorf("shows %+v", v.Account)
	}
	if f := h.factor(email); f != enrolment.NoFactor {
		t.Errorf("the factor is %s", f)
	}
	h.end(v)
	// Enrolling again is no way around it: no code comes.
	n = h.messages()
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	if m := h.message(n + 1); m.Code != "" {
		t.Errorf("a frozen account was sent a code")
	}

	v = h.must(desk.ScreenFrozen)(h.Desk.Login(ctx, email, phrase, "nl"))
	n = h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.FoundPhone(ctx, v.Visit))
	v = h.must(desk.ScreenLoginApproval)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	if _, err := phone.says(pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit))
	if f := h.factor(email); f != enrolment.Pocket || v.Account.Frozen != "" {
		t.Errorf("the factor is %s, %+v", f, v.Account)
	}
	_ = s
}

func TestAStolenPhoneCountsNoMore(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	v = h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	v = h.must(desk.ScreenFrozen)(h.Desk.ReportPhone(ctx, v.Visit, desk.StolenPhone))
	if _, err := phone.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the phone still counts: %v", err)
	}
	h.refused(desk.AccountFrozen)(h.Desk.FoundPhone(ctx, v.Visit))
}

// Another phone with the same number: mail, password and number, which is what the
// enrolment asks for.
func TestANewPhoneWithTheSameNumber(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	_, phone := h.withPocket()
	v := h.must(desk.ScreenLoginApproval)(h.Desk.Login(ctx, email, phrase, "nl"))
	n := h.messages()
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	v = h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	n = h.messages()
	v = h.must(desk.ScreenRecoverCode)(h.Desk.ReportPhone(ctx, v.Visit, desk.NewPhone))
	code := h.code(courier.BySMS, n)
	h.refused(desk.WrongCode)(h.Desk.ConfirmRecovery(ctx, v.Visit, other(code)))
	v = h.must(desk.ScreenAccount)(h.Desk.ConfirmRecovery(ctx, v.Visit, code))
	if v.Factor != enrolment.SMS || h.factor(email) != enrolment.SMS || v.Name != name {
		t.Errorf("A1 shows %+v", v)
	}
	if _, err := phone.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the old phone still counts: %v", err)
	}
}

// What became of a message is recorded when it is known, and takes no login back; what
// HR announces does.
func TestWhatTakesALoginBack(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	c := &clock{}
	later := openAt(t, c.now, h.dir, true)
	start := func() (desk.Login, string) {
		t.Helper()
		n := h.messages()
		l, err := later.Desk.StartLogin(ctx, desk.LoginAttempt{Client: "portal", Email: email, Password: phrase})
		if err != nil {
			t.Fatal(err)
		}
		return l, h.code(courier.BySMS, n) //nolint:contextcheck // waits within the test
	}
	l, code := start()
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := enrolment.Messages([]enrolment.Event{enrolment.CodeSent{Challenge: "c", Number: 2}}, domain.Stamp{Command: domain.CommandID(desk.NewCall())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Log.Append(ctx, domain.EnrolmentStream(s), events[len(events)-1].Revision, sent...); err != nil {
		t.Fatal(err)
	}
	if _, err := later.Desk.LoginCode(ctx, "portal", l.ID, code); err != nil {
		t.Errorf("taken back for a message that was sent: %v", err)
	}
	c.pass(31 * time.Second)
	l, code = start()
	if _, err := h.Desk.AddToRoster(ctx, desk.Person{Email: email, Name: "Sanne Jansen"}, "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := later.Desk.LoginCode(ctx, "portal", l.ID, code); !isCode(err, desk.LoginStale) {
		t.Errorf("given although HR changed something: %v", err)
	}
}

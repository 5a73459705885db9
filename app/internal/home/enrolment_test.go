package home_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	email    = "sanne.de-vries@voorbeeld.nl"
	name     = "Sanne Wilhelmina de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
	e164     = "+31612345678"
	deadline = 20 * time.Second
)

// A house is an opened home with everything in it running.
type house struct {
	*home.Home
	t    *testing.T
	dir  string
	logs *observer.ObservedLogs
	stop func()
}

func open(t *testing.T, dir string, demo bool, flags ...string) *house {
	t.Helper()
	return openAt(t, nil, dir, demo, flags...)
}

// A clock runs ahead of the machine's by as much as a test lets pass.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

func openAt(t *testing.T, now func() time.Time, dir string, demo bool, flags ...string) *house {
	t.Helper()
	sources := settings.Sources{Home: dir, Demo: demo, Flags: map[string]string{}}
	for _, f := range flags {
		field, value, _ := strings.Cut(f, "=")
		sources.Flags[field] = value
	}
	set, err := settings.Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Phones: true, Log: zap.New(core), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	out := &house{Home: h, t: t, dir: dir, logs: logs}
	stopped := false
	out.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(out.stop)
	return out
}

func demo(t *testing.T) *house {
	t.Helper()
	return open(t, t.TempDir(), true)
}

// message waits for the n-th message of the outbox.
func (h *house) message(n int) courier.Item {
	h.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := h.Outbox.List(n - 1)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(items) > 0 {
			return items[0]
		}
	}
	h.t.Fatalf("message %d never came", n)
	return courier.Item{}
}

// must returns a step's view, which has to show the given screen.
func (h *house) must(screen desk.Screen) func(desk.View, error) desk.View {
	return func(v desk.View, err error) desk.View {
		h.t.Helper()
		if err != nil {
			h.t.Fatalf("on the way to %s: %v", screen, err)
		}
		if v.Screen != screen {
			h.t.Fatalf("shows %s instead of %s", v.Screen, screen)
		}
		return v
	}
}

func (h *house) refused(code desk.Code) func(desk.View, error) desk.View {
	return func(v desk.View, err error) desk.View {
		h.t.Helper()
		if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != code {
			h.t.Fatalf("got %v, want a refusal for %s", err, code)
		}
		return v
	}
}

// toFactor walks from E1 to E7, taking two messages of the outbox.
func (h *house) toFactor(email string, firstMessage int) desk.View {
	h.t.Helper()
	ctx := h.t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(firstMessage).Code))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	return h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(firstMessage+1).Code))
}

func (h *house) factor(email string) enrolment.Factor {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), email)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.Factors.Lookup(s).Factor
}

func TestAnEnrolmentWithSMS(t *testing.T) {
	t.Parallel()
	h := demo(t)
	v := h.toFactor(email, 1)
	if v.Name != name || v.Phone.International != "+31 6 12345678" || v.Phone.FromHR || !v.Pocket.Possible {
		t.Errorf("E7 shows %+v", v)
	}
	v = h.must(desk.ScreenDone)(h.Desk.ChooseSMS(t.Context(), v.Visit))
	if v.Factor != enrolment.SMS || h.factor(email) != enrolment.SMS {
		t.Errorf("the factor is %s, the login service reads %s", v.Factor, h.factor(email))
	}
	if err := h.Desk.End(t.Context(), v.Visit, station.Finished); err != nil {
		t.Fatal(err)
	}
	h.refused(desk.VisitOver)(h.Desk.View(t.Context(), v.Visit))

	// Who comes back enrolled gets a mail that says so, and no code.
	v = h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	_ = v
	if m := h.message(3); m.Channel != courier.ByMail || m.Code != "" {
		t.Errorf("got %+v", m)
	}
}

func TestAnEnrolmentWithPocket(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.toFactor(email, 1)
	v = h.must(desk.ScreenFactor)(h.Desk.OfferPairing(ctx, v.Visit))
	if v.Pocket.Stage != enrolment.Offered || v.Pocket.URL == "" || v.Pocket.Typed == "" {
		t.Fatalf("E8 shows %+v", v.Pocket)
	}
	phone, err := pocket.OpenPhone(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := phone.Scan(ctx, v.Pocket.URL); err != nil {
		t.Fatal(err)
	}
	v, err = h.Desk.Await(ctx, v.Visit, v.Version)
	if err != nil || v.Pocket.Stage != enrolment.Claimed {
		t.Fatalf("after the scan E8 shows %+v, %v", v.Pocket, err)
	}
	wrong := "000000"
	if phone.Digits() == wrong {
		wrong = "000001"
	}
	h.refused(desk.WrongDigits)(h.Desk.ConfirmPairing(ctx, v.Visit, wrong))
	if _, err := phone.Finish(ctx); err == nil {
		t.Fatal("the phone finished before its digits were typed")
	}
	h.must(desk.ScreenFactor)(h.Desk.ConfirmPairing(ctx, v.Visit, phone.Digits()))
	if err := phone.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := phone.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenDone)(h.Desk.View(ctx, v.Visit))
	if v.Factor != enrolment.Pocket || h.factor(email) != enrolment.Pocket {
		t.Errorf("the factor is %s, the login service reads %s", v.Factor, h.factor(email))
	}
	told := map[courier.Channel]bool{h.message(3).Channel: true, h.message(4).Channel: true}
	if !told[courier.ByMail] || !told[courier.BySMS] {
		t.Error("the person was not told of the phone by mail and SMS")
	}
}

// A reader of the log alone, or of the program's own log, learns nothing about
// anybody; nor does one of the vault's file without its key.
func TestNothingPersonalOutsideTheVault(t *testing.T) {
	t.Parallel()
	h := demo(t)
	v := h.toFactor(email, 1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(t.Context(), v.Visit))
	codes := []string{h.message(1).Code, h.message(2).Code}
	h.stop()

	secrets := append(codes, email, "sanne", "Sanne", "Vries", name, phrase, "Kaas", number, e164, e164[3:], "612345678", "$argon2id$")
	files, err := filepath.Glob(filepath.Join(h.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // a file of the test's own home
		if err != nil {
			continue // the outbox, a folder: a demo's phone
		}
		read += len(b)
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%s holds %q", filepath.Base(f), s)
			}
		}
	}
	if read < 10_000 {
		t.Fatalf("only %d bytes were looked at", read)
	}
	for _, entry := range h.logs.All() {
		text := entry.Message
		for k, v := range entry.ContextMap() {
			text += " " + k + "=" + strings.TrimSpace(toText(v))
		}
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("the program logged %q in %q", s, text)
			}
		}
	}
}

func toText(v any) string {
	var b bytes.Buffer
	if s, ok := v.(string); ok {
		return s
	}
	fmt.Fprint(&b, v)
	return b.String()
}

func TestResuming(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	first := h.message(1).Code
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, first))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	h.stop()

	// The station was switched off; somebody else's, on the same home, goes on.
	h = open(t, h.dir, false)
	if !h.Demo {
		t.Fatal("the demo is none any more")
	}
	h.refused(desk.VisitOver)(h.Desk.View(ctx, v.Visit))
	v = h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "en"))
	if v.Name != "" || v.Phone.E164 != "" {
		t.Errorf("E3 shows %+v before anything is proved", v)
	}
	h.refused(desk.WrongCode)(h.Desk.ConfirmEmail(ctx, v.Visit, first))
	// The wait between two sends holds across visits, the right code ends it.
	h.refused(desk.Limited)(h.Desk.Resend(ctx, v.Visit))
	v = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(2).Code))
	if v.Name != "" {
		t.Errorf("the name shows before the password is typed: %+v", v)
	}
	h.refused(desk.OutOfOrder)(h.Desk.GivePhone(ctx, v.Visit, number))
	h.refused(desk.MovedOn)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	if v = h.refused(desk.WrongPassword)(h.Desk.Resume(ctx, v.Visit, "Kaas-Fiets-Regen8!Molen")); v.Screen != desk.ScreenResume {
		t.Errorf("after a wrong password it shows %s", v.Screen)
	}
	v = h.must(desk.ScreenPhone)(h.Desk.Resume(ctx, v.Visit, phrase))
	if v.Name != name || v.Lang != "en" {
		t.Errorf("E5 shows %+v", v)
	}
}

func TestAForgottenPasswordStartsAgainAtStepTwo(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.toFactor(email, 1)
	if err := h.Desk.End(ctx, v.Visit, station.Stopped); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(3).Code))
	for range 5 {
		v = h.refused(desk.WrongPassword)(h.Desk.Resume(ctx, v.Visit, "not this one"))
	}
	h.refused(desk.Limited)(h.Desk.Resume(ctx, v.Visit, phrase))
	v = h.must(desk.ScreenPassword)(h.Desk.Restart(ctx, v.Visit))
	if v.Phone.E164 != "" {
		t.Errorf("the phone is still there: %+v", v.Phone)
	}
	h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase+"2"))
}

func TestARealHomeIsNeverADemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, false)
	if h.Demo {
		t.Fatal("a home is a demo without having been asked to be")
	}
	if _, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: email, Name: name, Phone: number}, "b"); err != nil {
		t.Fatal(err)
	}
	h.stop()
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := home.Open(t.Context(), home.Options{Settings: set, Log: zap.NewNop()}); !errors.Is(err, home.ErrNotADemo) {
		t.Errorf("got %v", err)
	}
}

func TestTheRosterPrefills(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	const private = "sanne@privemail.example"
	s, err := h.Desk.AddToRoster(ctx, desk.Person{Email: private, Name: name, Phone: number, Language: "nl"}, "b")
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Desk.AddToRoster(ctx, desk.Person{Email: " Sanne@PriveMail.example", Name: name, Phone: e164, Language: "nl"}, "b")
	if err != nil || again != s {
		t.Errorf("announced again: %s instead of %s, %v", again, s, err)
	}
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, private, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(1).Code))
	if v.Name != name {
		t.Errorf("E4 is prefilled with %q", v.Name)
	}
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	if v.Phone.E164 != e164 || !v.Phone.FromHR {
		t.Errorf("E5 is prefilled with %+v", v.Phone)
	}
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, v.Phone.National))
	h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(2).Code))
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == "PhoneVerified" && !bytes.Contains(e.Data, []byte(`"source":"hr"`)) {
			t.Errorf("HR's own number is recorded as %s", e.Data)
		}
	}
}

package pocket_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// paired pairs a phone, and returns the pairing.
func paired(t *testing.T, w world, p *pocket.Phone) (id string) {
	t.Helper()
	qr, _ := w.desk.Offer(w.url, time.Minute)
	succeed(t, p.Scan(t.Context(), qr.String()))
	if !w.desk.TypeDigits(qr.Pairing, p.Digits()) {
		t.Fatal("the station expects other digits")
	}
	succeed(t, p.Wait(t.Context()))
	_, err := p.Finish(t.Context())
	succeed(t, err)
	return qr.Pairing
}

func TestApprove(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPhone(t)
	id := paired(t, w, p)
	var a pairing.Approval
	waited := make(chan error, 1)
	go func() {
		var err error
		a, err = p.Await(t.Context())
		waited <- err
	}()
	eventually(t, "the phone asks", func() bool { return w.desk.Waiting() == 1 })
	digits := w.desk.Login(id, time.Minute)
	succeed(t, <-waited)
	if a.Portal != "Mijn OPO-R" || a.Client != "mijn-opo-r" || a.Station || a.From != "Firefox, Utrecht" || a.Change ||
		a.Tries != 3 || time.Until(a.Expires) > time.Minute || time.Until(a.Expires) < 30*time.Second {
		t.Errorf("it shows %+v", a)
	}
	d, err := p.Decide(t.Context(), a, pairing.Approve, other(digits))
	succeed(t, err)
	if d != (pairing.Decided{State: pairing.DecidedWrong, Tries: 2}) {
		t.Errorf("wrong digits: %+v", d)
	}
	d, err = p.Decide(t.Context(), a, pairing.Approve, digits)
	succeed(t, err)
	again, err := p.Decide(t.Context(), a, pairing.Approve, digits)
	succeed(t, err)
	if d.State != pairing.DecidedApproved || again != d || w.desk.Decided(id) != pairing.DecidedApproved {
		t.Errorf("%+v, then %+v", d, again)
	}
	_, err = p.Decide(t.Context(), a, pairing.Deny, "")
	refused(t, err, pairing.Over)
	if n := w.logs.Len(); n > 0 {
		t.Errorf("%d lines were logged: %v", n, w.logs.All())
	}
}

// other returns digits that are not these.
func other(digits string) string {
	if digits == "000000" {
		return "000001"
	}
	return "000000"
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, play := range map[string]func(*testing.T, world, *pocket.Phone, string, pairing.Approval){
		"not now": func(t *testing.T, w world, p *pocket.Phone, id string, a pairing.Approval) {
			t.Helper()
			d, err := p.Decide(ctx, a, pairing.Deny, "")
			if err != nil || d.State != pairing.DecidedDenied || w.desk.Decided(id) != pairing.DecidedDenied {
				t.Errorf("%+v, %v", d, err)
			}
		},
		"not me": func(t *testing.T, w world, p *pocket.Phone, id string, a pairing.Approval) {
			t.Helper()
			d, err := p.Decide(ctx, a, pairing.NotMe, "")
			if err != nil || d.State != pairing.DecidedFrozen || w.desk.Decided(id) != pairing.DecidedFrozen {
				t.Errorf("%+v, %v", d, err)
			}
		},
		"too often wrong": func(t *testing.T, _ world, p *pocket.Phone, _ string, a pairing.Approval) {
			t.Helper()
			for left := 2; left >= 0; left-- {
				if d, err := p.Decide(ctx, a, pairing.Approve, "000000"); err != nil || d.Tries != left {
					t.Errorf("%+v, %v, want %d tries left", d, err, left)
				}
			}
			_, err := p.Decide(ctx, a, pairing.Approve, "000000")
			refused(t, err, pairing.Over)
		},
		"something else is shown": func(t *testing.T, _ world, p *pocket.Phone, _ string, a pairing.Approval) {
			t.Helper()
			a.From = "somewhere else"
			_, err := p.Decide(ctx, a, pairing.Deny, "")
			refused(t, err, pairing.Failed)
		},
		"another nonce": func(t *testing.T, _ world, p *pocket.Phone, _ string, a pairing.Approval) {
			t.Helper()
			a.Nonce = token()
			_, err := p.Decide(ctx, a, pairing.Deny, "")
			refused(t, err, pairing.WrongNonce)
		},
		"another login took its place": func(t *testing.T, w world, p *pocket.Phone, id string, a pairing.Approval) {
			t.Helper()
			w.desk.Login(id, time.Minute)
			_, err := p.Decide(ctx, a, pairing.Deny, "")
			refused(t, err, pairing.Over)
		},
		"the key is revoked": func(t *testing.T, w world, p *pocket.Phone, id string, a pairing.Approval) {
			t.Helper()
			w.desk.Revoke(id)
			_, err := p.Decide(ctx, a, pairing.Deny, "")
			refused(t, err, pairing.Revoked)
			_, err = p.Pending(ctx)
			refused(t, err, pairing.Revoked)
		},
		"the nonce of the question is too old": func(t *testing.T, w world, p *pocket.Phone, _ string, a pairing.Approval) {
			t.Helper()
			w.desk.AgeNonces()
			b, err := p.Pending(ctx)
			if err != nil || b == nil || b.Challenge != a.Challenge {
				t.Errorf("%+v, %v", b, err)
			}
		},
		"the vault is away": func(t *testing.T, w world, p *pocket.Phone, _ string, a pairing.Approval) {
			t.Helper()
			w.desk.Fail(domain.ErrUnavailable)
			time.AfterFunc(100*time.Millisecond, func() { w.desk.Fail(nil) })
			_, err := p.Decide(ctx, a, pairing.Deny, "")
			succeed(t, err)
		},
		"the answer is lost": func(t *testing.T, w world, p *pocket.Phone, id string, a pairing.Approval) {
			t.Helper()
			w.desk.LoseAnswer()
			if _, err := p.Decide(ctx, a, pairing.NotMe, ""); err == nil {
				t.Error("the answer was not lost")
			}
			d, err := p.Decide(ctx, a, pairing.NotMe, "")
			if err != nil || d.State != pairing.DecidedFrozen || w.desk.Decided(id) != pairing.DecidedFrozen {
				t.Errorf("%+v, %v", d, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := newWorld(t), newPhone(t)
			id := paired(t, w, p)
			w.desk.Login(id, time.Minute, func(a *pairing.Approval) { a.Station, a.Client, a.From = true, "hal-1", "" })
			a, err := p.Await(t.Context())
			succeed(t, err)
			play(t, w, p, id, a)
		})
	}
}

func TestNothingWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Wait = 100 * time.Millisecond })
	p := newPhone(t)
	id := paired(t, w, p)
	if a, err := p.Pending(t.Context()); a != nil || err != nil {
		t.Errorf("%+v, %v: nothing waits", a, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Await(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the end of the context", err)
	}
	w.desk.Login(id, -time.Second) // over before it was seen
	if a, err := p.Pending(t.Context()); a != nil || err != nil {
		t.Errorf("%+v, %v: it is over", a, err)
	}
}

// One phone that waits takes the only place.
func TestPlacesToWaitAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Asking = 1 })
	first, second := newPhone(t), newPhone(t)
	id := paired(t, w, first)
	paired(t, w, second)
	waited := make(chan error, 1)
	go func() {
		_, err := first.Await(t.Context())
		waited <- err
	}()
	eventually(t, "the first phone asks", func() bool { return w.desk.Waiting() == 1 })
	_, err := second.Pending(t.Context())
	refused(t, err, pairing.Busy)
	w.desk.Login(id, time.Minute)
	succeed(t, <-waited)
}

func TestAskingIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Asks, c.Limits.Decisions = 2, 1 })
	for _, c := range []struct {
		path   string
		passes int
	}{{"pending", 2}, {"decide", 1}} {
		for i := range 4 {
			want := 400
			if i >= c.passes {
				want = 429
			}
			if status, body := post(t, w.url+"/p/v1/"+c.path, "application/jose", "x"); status != want {
				t.Errorf("%s, request %d: %d %s, want %d", c.path, i, status, body, want)
			}
		}
	}
}

func TestPhoneKeepsItsAccount(t *testing.T) {
	t.Parallel()
	w, name := newWorld(t), filepath.Join(t.TempDir(), "phone.key")
	first, err := pocket.OpenPhone(name)
	succeed(t, err)
	if _, ok := first.Account(); ok {
		t.Error("it has an account before it was paired")
	}
	if _, err := first.Pending(t.Context()); !errors.Is(err, pocket.ErrNotPaired) {
		t.Errorf("%v, want ErrNotPaired", err)
	}
	id := paired(t, w, first)
	second, err := pocket.OpenPhone(name)
	succeed(t, err)
	a, ok := second.Account()
	if b, _ := first.Account(); !ok || a != b || a.Subject == "" || a.Portal != "Mijn OPO-R" {
		t.Errorf("%+v, want %+v", a, b)
	}
	info, err := os.Stat(name + ".account")
	succeed(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %#o", info.Mode().Perm())
	}
	w.desk.Login(id, time.Minute)
	_, err = second.Await(t.Context())
	succeed(t, err)

	for _, text := range []string{"{", `{"url":"http://evil.example"}`, ""} {
		succeed(t, os.WriteFile(name+".account", []byte(text), 0o600))
		if _, err := pocket.OpenPhone(name); err == nil {
			t.Errorf("took the account %q", text)
		}
	}
	succeed(t, os.Chmod(name+".account", 0o644)) //nolint:gosec // that is what has to be refused
	if _, err := pocket.OpenPhone(name); err == nil || !strings.Contains(err.Error(), "others may read it") {
		t.Errorf("%v for an account that others may read", err)
	}
}

func TestApproveCommand(t *testing.T) {
	t.Parallel()
	w, name := newWorld(t), filepath.Join(t.TempDir(), "phone.key")
	run := func(c pocket.ApproveCommand, typed string) (string, error) {
		var out strings.Builder
		c.KeyFile, c.In, c.Out = name, strings.NewReader(typed), &out
		err := c.Run(t.Context())
		return out.String(), err
	}
	if _, err := run(pocket.ApproveCommand{}, ""); !errors.Is(err, pocket.ErrNotPaired) {
		t.Errorf("%v, want ErrNotPaired", err)
	}
	p, err := pocket.OpenPhone(name)
	succeed(t, err)
	id := paired(t, w, p)
	if _, err := run(pocket.ApproveCommand{Wait: 10 * time.Millisecond}, ""); !errors.Is(err, pocket.ErrNothingWaits) {
		t.Errorf("%v, want ErrNothingWaits", err)
	}

	digits := w.desk.Login(id, time.Minute)
	out, err := run(pocket.ApproveCommand{}, "12\n"+other(digits)+"\n"+digits[:3]+" "+digits[3:]+"\n")
	if err != nil || !strings.Contains(out, "Approved") || !strings.Contains(out, "Tries left: 2") ||
		!strings.Contains(out, "Mijn OPO-R (Stichting OPO-R)") || !strings.Contains(out, "program mijn-opo-r") ||
		!strings.Contains(out, "Firefox, Utrecht") || !strings.Contains(out, "since") {
		t.Errorf("%q, %v", out, err)
	}

	digits = w.desk.Login(id, time.Minute, func(a *pairing.Approval) { a.Change, a.From = true, "a\x1b[2Jb" })
	out, err = run(pocket.ApproveCommand{Digits: other(digits)}, "")
	if !errors.Is(err, pocket.ErrWrongDigits) || !strings.Contains(out, "change the account") || strings.Contains(out, "\x1b") {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := run(pocket.ApproveCommand{Digits: "1"}, ""); !errors.Is(err, pocket.ErrWrongDigits) {
		t.Errorf("%v, want ErrWrongDigits", err)
	}
	if _, err := run(pocket.ApproveCommand{}, ""); err == nil {
		t.Error("nothing was typed, and no error")
	}
	out, err = run(pocket.ApproveCommand{Digits: digits}, "")
	if err != nil || !strings.Contains(out, "Approved") {
		t.Errorf("%q, %v", out, err)
	}

	for answer, says := range map[pairing.Answer]string{pairing.Deny: "Denied", pairing.NotMe: "frozen"} {
		w.desk.Login(id, time.Minute)
		if out, err := run(pocket.ApproveCommand{Answer: answer}, ""); err != nil || !strings.Contains(out, says) {
			t.Errorf("%q, %v", out, err)
		}
	}
}

package home_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// With a new master key in front of the old one, all that was made under the
// old one works on: passwords, values, open codes.
func TestANewMasterKeyEndsNothing(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.toFactor(email, 1)
	h.stop()
	putNewKeyInFront(t, filepath.Join(h.dir, "master.key"))

	h = open(t, h.dir, false)
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(3).Code))
	v = h.must(desk.ScreenFactor)(h.Desk.Resume(ctx, v.Visit, phrase))
	if v.Name != name {
		t.Errorf("the name reads %q", v.Name)
	}
}

// putNewKeyInFront makes the key file hold a new key, and behind it those that
// it held.
func putNewKeyInFront(t *testing.T, file string) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.LoadOrCreateKeys(fresh); err != nil {
		t.Fatal(err)
	}
	var ring []string
	for _, f := range []string{fresh, file} {
		b, err := os.ReadFile(f) //nolint:gosec // files of this test
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if f == fresh {
			ring = lines
		} else {
			ring = append(ring, lines[len(lines)-1])
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(ring, "\n")+"\n"), 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
}

// A login with a password that was hashed under an older key hashes it anew, which
// ends neither that login nor a visit of the same person elsewhere.
func TestAPasswordIsHashedAnewAtALogin(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	h.stop()
	putNewKeyInFront(t, filepath.Join(h.dir, "master.key"))

	h = open(t, h.dir, false)
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(ctx, v.Visit, h.code(courier.BySMS, n)))
	anew := 0
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == "PasswordSet" && strings.Contains(string(e.Data), `"rehashed"`) {
			anew++
		}
	}
	if anew != 1 {
		t.Errorf("hashed anew %d times", anew)
	}
	elsewhere := h.Desk.At("elsewhere")
	h.refused(desk.WrongLogin)(elsewhere.Login(ctx, email, phrase+"2", "nl"))
	if v, err := h.Desk.View(ctx, v.Visit); err != nil || v.Screen != desk.ScreenAccount {
		t.Errorf("%s, %v", v.Screen, err)
	}
}

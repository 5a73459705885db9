package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// One person, from an empty folder to Pocket: the kiosk's use cases here, the
// phone and the questions of a shell in processes of their own.
func TestAWholeEnrolmentFromAShell(t *testing.T) {
	t.Parallel()
	const email = "sanne@voorbeeld.nl"
	ctx, dir := t.Context(), t.TempDir()
	s, err := openStation(ctx, filepath.Join(dir, "home"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	keydeskd := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, "keydeskd", args...) //nolint:gosec // the arguments are those of this test
		c.Env = append(os.Environ(), "KEYDESK_HOME="+filepath.Join(dir, "home"))
		c.Stderr = t.Output()
		return c
	}

	v, err := s.walk(ctx, email, desk.ScreenFactor)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = s.Desk.OfferPairing(ctx, v.Visit); err != nil {
		t.Fatal(err)
	}
	phone := keydeskd("phone", "pair", v.Pocket.URL, "--key", filepath.Join(dir, "phone.key"))
	said, err := phone.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := phone.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() {
		t.Fatalf("the phone shows nothing: %v, %v", lines.Err(), phone.Wait())
	}
	digits := regexp.MustCompile(`^Type these digits at the station: (\d{3}) (\d{3})$`).FindStringSubmatch(lines.Text())
	if digits == nil {
		t.Fatalf("the phone shows %q", lines.Text())
	}
	if v, err = s.Desk.Await(ctx, v.Visit, v.Version); err != nil || v.Pocket.Stage != enrolment.Claimed {
		t.Fatalf("after the scan E8 shows %+v, %v", v.Pocket, err)
	}
	if _, err := s.Desk.ConfirmPairing(ctx, v.Visit, digits[1]+digits[2]); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "Paired with ") {
		t.Errorf("at the end the phone shows %q", lines.Text())
	}
	if err := phone.Wait(); err != nil {
		t.Fatal(err)
	}
	if v, err = s.Desk.View(ctx, v.Visit); err != nil || v.Screen != desk.ScreenDone {
		t.Errorf("the kiosk shows %s, %v", v.Screen, err)
	}

	out, err := keydeskd("factor", email).Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Factor, State string }
	if err := json.Unmarshal(out, &answer); err != nil || answer.Factor != "pocket" || answer.State != "active" {
		t.Errorf("the factor is %s, %v", out, err)
	}

	// The QR code has done its work: nobody else can use it.
	again := keydeskd("phone", "pair", v.Pocket.URL, "--key", filepath.Join(dir, "other.key"))
	if out, err := again.Output(); err == nil {
		t.Errorf("a second phone was shown %q", out)
	}
}

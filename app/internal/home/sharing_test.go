package home_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// freeAddress returns an address on this machine that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it is only asked for its address
	return l.Addr().String()
}

// Of two kiosks with one public address, one serves the phones of both. The
// address may be written with a slash at its end.
func TestOneProgramServesThePhonesOfAll(t *testing.T) {
	t.Parallel()
	at := freeAddress(t)
	flags := []string{"pocket.public_url=http://" + at + "/", "pocket.listen=" + at}
	serving := open(t, t.TempDir(), true, flags...)
	h := open(t, serving.dir, false, append(flags, "kiosk.station=other")...)
	ctx := t.Context()
	v := h.toFactor(email, 1)
	v = h.must(desk.ScreenFactor)(h.Desk.OfferPairing(ctx, v.Visit))
	phone, err := pocket.OpenPhone("")
	if err != nil {
		t.Fatal(err)
	}
	if err := phone.Scan(ctx, v.Pocket.URL); err != nil {
		t.Fatal(err)
	}
	h.must(desk.ScreenFactor)(h.Desk.ConfirmPairing(ctx, v.Visit, phone.Digits()))
	if err := phone.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := phone.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	if v = h.must(desk.ScreenDone)(h.Desk.View(ctx, v.Visit)); v.Factor != enrolment.Pocket {
		t.Errorf("the factor is %s", v.Factor)
	}
}

// A home whose station has lost its id does not open under another one, and does not wait
// for it either.
func TestAStationWithoutItsID(t *testing.T) {
	t.Parallel()
	h := demo(t)
	h.stop()
	file := filepath.Join(h.dir, "station")
	was, err := os.ReadFile(file) //nolint:gosec // our own folder
	if err != nil || len(was) == 0 {
		t.Fatalf("%q, %v", was, err)
	}
	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
	_, err = home.Open(t.Context(), home.Options{Settings: settingsOf(t, h.dir), Version: "test", Log: zap.NewNop()})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

package home

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// A letterbox takes mail, or says why not.
type letterbox struct {
	got []courier.Message
	err error
}

func (l *letterbox) Send(_ context.Context, m courier.Message) (courier.Receipt, error) {
	if l.err != nil {
		return courier.Receipt{}, l.err
	}
	l.got = append(l.got, m)
	return courier.Receipt{}, nil
}

func (l *letterbox) to() string {
	var all []string
	for _, m := range l.got {
		all = append(all, m.To)
	}
	l.got = nil
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A sealedHome is as much of a home as sealing and mailing need, with a clock.
type sealedHome struct {
	*Home
	t   *testing.T
	now time.Time
	box *letterbox
	set settings.Settings
}

func newSealedHome(t *testing.T, to ...string) *sealedHome {
	t.Helper()
	set, err := settings.Load(settings.Sources{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	set.Seal.MailTo = to
	log, err := OpenLog(t.Context(), set.Log, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	h := &sealedHome{t: t, now: time.Date(2026, 11, 16, 15, 0, 0, 0, time.Local), box: &letterbox{}, set: set}
	h.Home = &Home{Log: log, zap: zap.NewNop(), folder: set.Home, keys: vault.DemoKeys([]byte("seal"))}
	h.again()
	t.Cleanup(func() { _ = log.Close() })
	return h
}

// again is another start of the program on the same home.
func (h *sealedHome) again() {
	h.t.Helper()
	h.mail = h.box
	if err := h.openSeal(Options{Settings: h.set, Now: func() time.Time { return h.now }}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *sealedHome) sealed() {
	h.t.Helper()
	m := domain.Message{ID: domain.EventID(uuid.New()), Type: "StationOpened", Data: []byte(`{}`), Metadata: []byte(`{}`)}
	if _, err := h.Log.Append(h.t.Context(), "station-"+uuid.NewString(), domain.NoStream, m); err != nil {
		h.t.Fatal(err)
	}
	if err := h.seal.Now(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// mailed mails what is due, and returns who got something.
func (h *sealedHome) mailed() (string, error) {
	err := h.mailYesterday(h.t.Context())
	return h.box.to(), err
}

func (h *sealedHome) wants(to string) {
	h.t.Helper()
	if got, err := h.mailed(); got != to || err != nil {
		h.t.Fatalf("mailed to %q, %v, instead of %q", got, err, to)
	}
}

func TestYesterdaysCheckpointIsMailedOnce(t *testing.T) {
	t.Parallel()
	h := newSealedHome(t, "a@example.org", "b@example.org")
	h.wants("")
	h.sealed()
	h.now = h.now.Add(time.Hour)
	h.sealed()
	last, _ := h.seal.Checkpoint()
	h.wants("") // it is today's
	h.now = h.now.Add(10 * time.Hour)
	if err := h.mailYesterday(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range h.box.got {
		if m.Note != string(last.Note) || m.Kind != courier.DailyCheckpoint || m.Lang != "nl" {
			t.Errorf("%+v", m)
		}
	}
	if got := h.box.to(); got != "a@example.org b@example.org" {
		t.Errorf("mailed to %q", got)
	}
	h.wants("")
	h.again() // another start of the program
	h.sealed()
	h.wants("")
	h.now = h.now.Add(24 * time.Hour)
	h.wants("a@example.org b@example.org")
	h.now = h.now.Add(24 * time.Hour) // a day on which nothing happened
	h.wants("")
	h.now = h.now.Add(-48 * time.Hour) // the clock is set back
	h.wants("")
}

// A clock that ran ahead, by years and for some days, keeps nothing from being mailed once
// it is right again, and no checkpoint of after that says another time than it is.
func TestMailingAfterAClockThatRanAhead(t *testing.T) {
	t.Parallel()
	h := newSealedHome(t, "a@example.org")
	h.sealed()
	right := h.now.Add(24 * time.Hour)
	h.now = right.AddDate(64, 0, 0)
	h.wants("a@example.org") // of the day that was yesterday
	h.sealed()
	h.now = h.now.Add(24 * time.Hour)
	h.wants("a@example.org")
	h.now = right
	h.sealed()
	if c, _ := h.seal.Checkpoint(); !c.At.Equal(right) {
		t.Errorf("the checkpoint is of %s, at %s", c.At, right)
	}
	h.now = h.now.Add(24 * time.Hour)
	h.wants("a@example.org")
	h.wants("")
	h.sealed()
	h.now = h.now.Add(24 * time.Hour)
	h.wants("a@example.org")
}

func TestACheckpointThatCannotBeMailed(t *testing.T) {
	t.Parallel()
	h := newSealedHome(t, "a@example.org")
	h.sealed()
	h.now = h.now.Add(24 * time.Hour)
	h.box.err = domain.ErrUnavailable
	if _, err := h.mailed(); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	h.box.err = nil
	h.wants("a@example.org") // later
	h.sealed()
	h.now = h.now.Add(24 * time.Hour)
	h.box.err = domain.ErrUnknownOutcome
	if _, err := h.mailed(); !errors.Is(err, domain.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	h.box.err = nil
	h.wants("") // it may be there
	b, err := os.ReadFile(filepath.Join(h.folder, "mailed"))
	if err != nil || strings.Contains(string(b), "example.org") {
		t.Errorf("%s, %v", b, err)
	}
}

// The doctor says how things are with the seal.
func TestTheDoctorLooksAtTheSeal(t *testing.T) {
	t.Parallel()
	h := newSealedHome(t)
	look := func(verdict Verdict, says string) {
		t.Helper()
		d := &doctor{set: h.set, now: func() time.Time { return h.now }, keys: h.keys, log: h.Log}
		out := d.seal(t.Context())
		if out.Verdict != verdict || !strings.Contains(out.Says, says) || (verdict == Bad || verdict == Warning) && out.Do == "" {
			t.Errorf("%+v instead of %s %q", out, verdict, says)
		}
	}
	look(Warning, "nothing was sealed yet")
	h.sealed()
	look(Well, "no witness is set")
	h.set.Seal.Writer = settings.Off
	look(Well, "2 events")
	h.set.Seal.Writer = settings.Auto
	h.now = time.Now().AddDate(0, 0, 3) // over a weekend nothing happened
	look(Well, "2 events")
	for i := range seal.Every + 1 {
		m := domain.Message{ID: domain.EventID(uuid.New()), Type: "StationOpened", Data: []byte(`{}`), Metadata: []byte(`{}`)}
		if _, err := h.Log.Append(t.Context(), "station-a", domain.Revision(i-1), m); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			h.now = time.Now() // the log's clock
			look(Well, "2 events")
			h.now = h.now.Add(unsealedWarns + time.Minute)
			look(Warning, "1 more wait, the first of them for 1")
			h.now = h.now.Add(-unsealedWarns)
		}
	}
	look(Well, "2 events") // many, and not for long
	h.now = h.now.Add(time.Hour)
	look(Warning, "257 more wait, the first of them for 1h")
	h.set.Seal.Witnesses = []string{"auditor.example+5c9d5d2e+nonsense http://127.0.0.1:1"}
	look(Bad, "seal.witnesses")
	h.set.Seal.Witnesses = nil
	elsewhere := h.set.Seal.Folder
	h.set.Seal.Folder = filepath.Join(t.TempDir(), "seal")
	look(Bad, "sealed in another folder")
	h.set.Seal.Writer = settings.Off
	look(Skipped, "another machine")
	h.set.Seal.Folder, h.set.Seal.Writer = elsewhere, settings.Auto
	if err := os.WriteFile(filepath.Join(elsewhere, "checkpoint"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	look(Bad, "damaged")
}

// What the settings say decides who seals.
func TestWhoSeals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url    string
		writer settings.Switch
		want   bool
	}{
		{store.Scheme + "/x/log.db", settings.Auto, true},
		{store.Scheme + "/x/log.db", settings.Off, false},
		{"esdb://log.example:2113", settings.Auto, false},
		{"esdb://log.example:2113", settings.On, true},
	} {
		set := settings.Settings{Log: settings.Log{URL: c.url}, Seal: settings.Seal{Writer: c.writer}}
		if set.Seals() != c.want {
			t.Errorf("%s %s: %t", c.url, c.writer, !c.want)
		}
	}
}

// A witness that takes a connection and never says anything, and one that sends whoever
// asks it to somebody else: nothing is kept open, and nobody else is asked.
func TestAWitnessThatIsNoGood(t *testing.T) {
	t.Parallel()
	key, err := proof.WitnessKey("auditor.example", make([]byte, ed25519.PublicKeySize))
	if err != nil {
		t.Fatal(err)
	}
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // of the test
	closed := make(chan error, 1)
	go func() {
		c, err := silent.Accept()
		if err == nil {
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			_, err = io.Copy(io.Discard, c)
		}
		closed <- err
	}()
	var elsewhere atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Store(true) }))
	defer other.Close()
	sends := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer sends.Close()
	for _, url := range []string{"https://" + silent.Addr().String(), sends.URL} {
		witnesses, client, err := SealWitnesses(settings.Seal{Witnesses: []string{key + " " + url}})
		if err != nil || len(witnesses) != 1 {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err == nil {
			_ = answer.Body.Close()
		}
		cancel()
	}
	if elsewhere.Load() {
		t.Error("somebody else was asked")
	}
	if err := <-closed; err != nil {
		t.Errorf("the connection stays open: %v", err)
	}
}

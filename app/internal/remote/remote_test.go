package remote_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/stations"
)

func TestSomebodyEnrolsAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.client(s.admit("hal-west", station.Kiosk))
	h := s.connected(c)
	if h.Station != "hal-west" || h.Kind != station.Kiosk || h.Facts.Portal == "" || h.Policy.WrongCodes != enrolment.DefaultPolicy().WrongCodes || h.IdleWipe == 0 {
		t.Errorf("told %+v", h)
	}
	// The station judges by the domains that it was told of. Where a roster says who
	// may enrol, a private address is as good as any.
	for _, e := range []struct {
		typed, suggestion string
		refused           desk.Code
	}{
		{"sanne", "", desk.NotAnAddress},
		{"sanne@voorbeeld.nl", "", ""},
		{"sanne@voorbeld.nl", "sanne@voorbeeld.nl", ""},
		{"sanne@elders.nl", "", ""},
	} {
		if got, err := c.CheckEmail(e.typed); got != e.suggestion || refusal(err) != e.refused || (err != nil) != (e.refused != "") {
			t.Errorf("%s: %q, %v", e.typed, got, err)
		}
	}
	v := s.walk(c, desk.ScreenPassword)
	if r := c.CheckPassword(v.Visit, name, "Sanne.de-vries-2026!"); r.OK {
		t.Error("a password with the person's address was found good")
	}
	if r := c.CheckPassword(v.Visit, name, phrase); !r.OK {
		t.Error("a good password was not found good")
	}
	if err := c.End(t.Context(), v.Visit, station.Stopped); err != nil {
		t.Fatal(err)
	}
	v = s.walk(c, desk.ScreenDone)
	if v.Factor != enrolment.SMS {
		t.Errorf("the factor is %v", v.Factor)
	}
	if err := c.End(t.Context(), v.Visit, station.Finished); err != nil {
		t.Fatal(err)
	}
	if _, err := c.View(t.Context(), v.Visit); refusal(err) != desk.VisitOver {
		t.Errorf("after its end the visit answers %v", err)
	}
	s.wire.mu.Lock()
	if n := len(s.wire.conns) / 2; n > 3 {
		t.Errorf("%d connections were made, one after the other", n)
	}
	s.wire.mu.Unlock()
	if s.count("StationWiped") != 2 || s.count("StationOpened") != 2 { // the home's own, first
		t.Error("what the station did is not in the log, or twice")
	}
}

// Every answer gets lost with its connection, once. The station asks again by
// itself, under the same Call; nothing happens twice.
func TestAnswersThatGetLost(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	ctx := t.Context()
	s.wire.loseNextAnswer()
	v, err := c.Begin(ctx, email, "nl")
	if err != nil {
		t.Fatal(err)
	}
	code := s.code()
	s.wire.loseNextAnswer()
	wrong := "111111"
	if code == wrong {
		wrong = "222222"
	}
	if _, err := c.ConfirmEmail(ctx, v.Visit, wrong); refusal(err) != desk.WrongCode {
		t.Fatalf("a wrong code: %v", err)
	}
	if n := s.count("CodeRejected"); n != 1 {
		t.Errorf("one wrong code was counted %d times", n)
	}
	s.wire.loseNextAnswer()
	if v, err = c.ConfirmEmail(ctx, v.Visit, code); err != nil {
		t.Fatal(err)
	}
	s.wire.loseNextAnswer()
	if v, err = c.SetNameAndPassword(ctx, v.Visit, name, phrase); err != nil {
		t.Fatal(err)
	}
	s.wire.loseNextAnswer()
	if v, err = c.GivePhone(ctx, v.Visit, number); err != nil {
		t.Fatal(err)
	}
	s.wire.loseNextAnswer()
	if v, err = c.ConfirmPhone(ctx, v.Visit, s.code()); err != nil {
		t.Fatal(err)
	}
	s.wire.loseNextAnswer()
	if v, err = c.ChooseSMS(ctx, v.Visit); err != nil || v.Screen != desk.ScreenDone {
		t.Fatalf("%s, %v", v.Screen, err)
	}
	eventually(t, "that both codes were sent is recorded", func() bool { return s.count("CodeSent") >= 2 })
	recorded := s.happenedTo(email)
	for typ, want := range map[string]int{
		"EnrolmentStarted": 1, "CodeIssued": 2, "CodeSent": 2, "CodeRejected": 1, "EmailConfirmed": 1, "NameSet": 1,
		"PasswordSet": 1, "PhoneGiven": 1, "PhoneVerified": 1, "FactorChosen": 1,
	} {
		if recorded[typ] != want {
			t.Errorf("%s: %d times and not %d", typ, recorded[typ], want)
		}
	}
	s.stop() // which waits for what is being sent
	items, err := s.Outbox.List(0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[courier.Channel]int{}
	for _, m := range items {
		if m.Code != "" {
			codes[m.Channel]++
		}
	}
	if want := map[courier.Channel]int{courier.ByMail: 1, courier.BySMS: 1}; !maps.Equal(codes, want) {
		t.Errorf("codes were sent so often: %v", codes)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	s.wire.set(func() { s.wire.cut = true })
	s.wire.hangUp()
	_, err := c.Begin(t.Context(), email, "nl")
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok || r.Code != desk.Unavailable && r.Code != desk.Unsure || r.Incident == "" {
		t.Errorf("%v", err)
	}
	if !c.Trouble() {
		t.Error("no trouble")
	}
	s.wire.set(func() { s.wire.cut = false })
	if _, err := c.Begin(t.Context(), email, "nl"); err != nil {
		t.Error(err)
	}
}

// A server that takes the question and says nothing more may have done it.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	v := s.walk(c, desk.ScreenPassword)
	s.wire.set(func() { s.wire.mute = true })
	call := desk.WithCall(t.Context(), desk.NewCall())
	began := time.Now()
	if _, err := c.SetNameAndPassword(call, v.Visit, name, phrase); refusal(err) != desk.Unsure {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("found out after %s", took)
	}
	s.wire.set(func() { s.wire.mute = false })
	s.wire.hangUp()
	if v, err := c.SetNameAndPassword(call, v.Visit, name, phrase); err != nil || v.Screen != desk.ScreenPhone {
		t.Errorf("%s, %v", v.Screen, err)
	}
	if n := s.count("PasswordSet"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// A wait that is longer than the silence allowed goes on: the server says that
// it is there.
func TestALongWaitIsHeard(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	v := s.walk(c, desk.ScreenPassword)
	for { // what became of the mail comes by itself
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		got, err := c.Await(ctx, v.Visit, v.Version)
		cancel()
		if err == nil {
			v = got
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it broke off: %v", err)
		}
		return
	}
}

func TestRevokedAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	other := s.station("hal-oost")
	v := s.walk(c, desk.ScreenPassword)
	waiting := make(chan error, 1)
	go func() {
		for {
			got, err := c.Await(t.Context(), v.Visit, v.Version)
			if err != nil {
				waiting <- err
				return
			}
			v = got
		}
	}()
	time.Sleep(50 * time.Millisecond)
	if err := s.Desk.RevokeStation(t.Context(), "hal-west", station.Stolen); err != nil {
		t.Fatal(err)
	}
	select {
	case <-waiting:
	case <-time.After(5 * time.Second):
		t.Error("who waited, waits on")
	}
	if err := c.Run(t.Context()); !errors.Is(err, remote.ErrRefused) {
		t.Errorf("running ends with %v", err)
	}
	if _, err := c.Connect(t.Context()); !errors.Is(err, remote.ErrRefused) {
		t.Errorf("it connects: %v", err)
	}
	if _, err := other.Begin(t.Context(), email, "nl"); err != nil {
		t.Errorf("the other station: %v", err)
	}
	all := s.refusedStations()
	if !slices.ContainsFunc(all, func(r station.StationRefused) bool { return r.Reason == station.WasRevoked }) {
		t.Errorf("recorded: %v", all)
	}
}

func TestWhoWasNeverLetIn(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	b, err := s.Authority.Bundle("hal-zuid", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bundle")
	if err := remote.WriteBundle(file, b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client(file).Connect(t.Context()); !errors.Is(err, remote.ErrRefused) {
		t.Errorf("a certificate that is in no log: %v", err)
	}
	elsewhere := serve(t, t.TempDir(), &clock{})
	stranger := elsewhere.admit("hal-west", station.Kiosk)
	if _, err := s.client(stranger).Connect(t.Context()); !errors.Is(err, remote.ErrStranger) {
		t.Errorf("a station of elsewhere: %v", err)
	}
	own := s.admit("hal-west", station.Kiosk)
	c := s.client(own)
	s.clock.add(91 * 24 * time.Hour)
	if _, err := c.Connect(t.Context()); !errors.Is(err, remote.ErrRefused) {
		t.Errorf("a certificate that has ended: %v", err)
	}
}

// A server that has not heard from the log does not know who was revoked, and
// answers nobody until it has.
func TestAServerThatDoesNotKnowWhoIsLetIn(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	file := s.admit("hal-west", station.Kiosk)
	directory := stations.New()
	if err := feed.Over(domain.StationPrefix, s.Log, time.Now, directory).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var known atomic.Bool
	h := remote.NewHandler(remote.Config{
		Desk: s.Desk, Directory: directory, Known: known.Load, Authority: s.Authority, Trouble: s.Trouble,
		Log: zap.NewNop(), Now: time.Now, Life: time.Hour,
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, l, []string{"127.0.0.1"}) }()
	c, err := remote.Open("https://"+l.Addr().String(), file, remote.Options{Total: time.Second, Silence: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Connect(t.Context()); refusal(err) != desk.Unavailable {
		t.Errorf("it connects: %v", err)
	}
	known.Store(true)
	if _, err := c.Connect(t.Context()); err != nil {
		t.Error(err)
	}
	known.Store(false)
	if _, err := c.Begin(t.Context(), email, "nl"); refusal(err) != desk.Unavailable {
		t.Errorf("it begins: %v", err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestTheVisitOfAnotherStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	west, oost := s.station("hal-west"), s.station("hal-oost")
	v := s.walk(west, desk.ScreenPassword)
	if got, err := oost.View(t.Context(), v.Visit); refusal(err) != desk.VisitOver || got.Email != "" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := oost.SetNameAndPassword(t.Context(), v.Visit, name, phrase); refusal(err) != desk.VisitOver {
		t.Error(err)
	}
	if err := oost.End(t.Context(), v.Visit, station.Stopped); err != nil {
		t.Error(err)
	}
	if _, err := west.View(t.Context(), v.Visit); err != nil {
		t.Errorf("another station ended it: %v", err)
	}
}

// raw asks as no client of ours does.
func (s *server) raw(file, useCase, call, body string) *http.Response {
	s.t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // a file of this test
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && c.IsCA {
			roots.AddCert(c)
		}
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: roots},
		DisableKeepAlives: true,
	}}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.wire.service()+"/station/v1/"+useCase, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Keydesk-Call", call)
	response, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestWhatAStationMayNotAskIsRefusedAndRecorded(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	kiosk, desktop := s.admit("hal-west", station.Kiosk), s.admit("balie-1", station.Desk)
	s.connected(s.client(kiosk))
	s.connected(s.client(desktop))
	call := desk.NewCall().String()
	for _, test := range []struct {
		file, useCase, call, body string
		status                    int
		recorded                  station.StationRefused
	}{
		{kiosk, "add-to-roster", call, `{}`, 404, station.StationRefused{UseCase: "unknown", Reason: station.NoSuchCase}},
		{kiosk, "../../etc", call, `{}`, 404, station.StationRefused{UseCase: "unknown", Reason: station.NoSuchCase}},
		{desktop, "unlock-station", call, `{}`, 403, station.StationRefused{UseCase: "unlock-station", Reason: station.NotItsKind}},
		{kiosk, "view", "7", `{}`, 400, station.StationRefused{UseCase: "view", Reason: station.WasMalformed}},
		{kiosk, "view", call, `{"visit":`, 400, station.StationRefused{UseCase: "view", Reason: station.WasMalformed}},
		{desktop, "view", call, `{"colour":"x"}`, 400, station.StationRefused{UseCase: "view", Reason: station.WasMalformed}},
		{desktop, "end", call, `{"visit":"x","why":"<b>"}`, 403, station.StationRefused{UseCase: "end", Reason: station.WasMalformed}},
		{desktop, "renew", call, `{"request":"AAAA"}`, 403, station.StationRefused{UseCase: "renew", Reason: station.WasMalformed}},
	} {
		before := len(s.refusedStations())
		if r := s.raw(test.file, test.useCase, test.call, test.body); r.StatusCode != test.status {
			t.Errorf("%s %s: status %d", test.useCase, test.body, r.StatusCode)
		}
		all := s.refusedStations()
		if len(all) != before+1 || all[before] != test.recorded {
			t.Errorf("%s %s: recorded %v", test.useCase, test.body, all[before:])
		}
	}
	if s.count("StationUnlocked") != 0 {
		t.Error("what was refused was done")
	}
}

// A station in the wrong hands can fill neither the log nor the server.
func TestAFlood(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	var mu sync.Mutex
	busy := 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 40 {
				if _, err := c.View(t.Context(), "none"); refusal(err) == desk.Busy {
					mu.Lock()
					busy++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if busy < 100 {
		t.Errorf("of 320 questions at once only %d were cut short", busy)
	}
	if n := len(s.refusedStations()); n == 0 || n > 6 {
		t.Errorf("recorded %d times", n)
	}
	if s.station("hal-oost").Trouble() {
		t.Error("the other station is held up")
	}
}

func TestACertificateIsRenewed(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	file := s.admit("hal-west", station.Kiosk)
	c := s.client(file)
	s.connected(c)
	old, err := os.ReadFile(file) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	s.clock.add(61 * 24 * time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	s.wire.loseNextAnswer()
	go func() { ended <- c.Run(ctx) }()
	eventually(t, "the first try is recorded", func() bool { return s.count("StationRenewed") == 1 })
	s.clock.add(11 * time.Minute) // when it is tried again
	eventually(t, "the file is replaced", func() bool {
		b, err := os.ReadFile(file) //nolint:gosec // a file of this test
		return err == nil && !bytes.Equal(b, old)
	})
	if n := s.count("StationRenewed"); n != 1 {
		t.Errorf("renewed %d times", n)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	s.clock.add(40 * 24 * time.Hour) // the old one has ended
	s.wire.hangUp()
	s.connected(s.client(file))
	if _, err := c.Begin(t.Context(), email, "nl"); err != nil {
		t.Errorf("the same client, over a new connection: %v", err)
	}
	previous := filepath.Join(t.TempDir(), "old.pem")
	if err := os.WriteFile(previous, old, 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
	if _, err := s.client(previous).Connect(t.Context()); !errors.Is(err, remote.ErrRefused) {
		t.Errorf("the old file: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the file: %v, %v", entries, err)
	}
}

// What is under way when the server is asked to stop is finished and answered.
func TestAStopInTheMiddle(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	v := s.walk(c, desk.ScreenPassword)
	answered, before := make(chan error, 1), s.wire.carried()
	go func() {
		_, err := c.SetNameAndPassword(t.Context(), v.Visit, name, phrase)
		answered <- err
	}()
	eventually(t, "it is asked", func() bool { return s.wire.carried() > before })
	time.Sleep(20 * time.Millisecond)
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it stopped after %s", took)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// A newer master key brings another authority. Stations that were let in before
// it know the server still, and move over by themselves.
func TestANewMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir, &clock{})
	file := s.admit("hal-west", station.Kiosk)
	s.connected(s.client(file))
	s.stop()
	putNewKeyInFront(t, filepath.Join(dir, "master.key"))

	s = serve(t, dir, &clock{})
	c := s.client(file)
	s.connected(c)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	eventually(t, "it takes a certificate of the new authority", func() bool { return s.count("StationRenewed") == 1 })
	eventually(t, "the file is replaced", func() bool {
		b, err := os.ReadFile(file) //nolint:gosec // a file of this test
		return err == nil && bytes.Count(b, []byte("BEGIN CERTIFICATE")) == 3
	})
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	c = s.client(file)
	s.connected(c)
	if _, err := c.Begin(t.Context(), email, "nl"); err != nil {
		t.Error(err)
	}
	s.connected(s.client(s.admit("hal-oost", station.Kiosk)))
}

// putNewKeyInFront makes the key file hold a new key, and behind it those that
// it held.
func putNewKeyInFront(t *testing.T, file string) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.LoadOrCreateKeys(fresh); err != nil {
		t.Fatal(err)
	}
	newest, err := os.ReadFile(fresh) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(file) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(older)), "\n")
	ring := strings.TrimSpace(string(newest)) + "\n" + lines[len(lines)-1] + "\n"
	if err := os.WriteFile(file, []byte(ring), 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
}

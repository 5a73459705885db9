package home_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
)

// many is what lets a station enrol one after the other.
var many = []string{
	"policy.station_hour=10000", "policy.sms_per_day=1000000", "policy.verified_at_least=0",
	"policy.resend_waits=1s", "policy.resends_per_hour=100", "policy.resends_per_day=1000",
}

const childWorks = "KEYDESK_TEST_CHILD_WORKS"

// TestChildWorks is the child: it enrols one after the other, and says of each that it is
// done, until it is killed.
func TestChildWorks(t *testing.T) { //nolint:paralleltest // alone in its program
	dir, name, ok := strings.Cut(os.Getenv(childWorks), ",")
	if !ok {
		t.Skip("only as a child")
	}
	h := open(t, dir, false, many...)
	for i := 0; ; i++ {
		address := fmt.Sprintf("%s.%d@voorbeeld.nl", name, i)
		h.enrolsAt(address, fmt.Sprintf("+316%s%06d", name[len(name)-2:], i))
		fmt.Printf("\nenrolled %s\n", address)
	}
}

// enrolsAt enrols somebody with SMS while others do the same.
func (h *house) enrolsAt(address, number string) {
	h.t.Helper()
	ctx := h.t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.codeTo(address)))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	v = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.codeTo(number)))
	h.end(h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit)))
}

// codeTo waits for a message with a code to an address or a number, the last one.
func (h *house) codeTo(to string) (code string) {
	h.t.Helper()
	for end := time.Now().Add(deadline); code == "" && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, m := range h.outbox() {
			if m.To == to && m.Code != "" {
				code = m.Code
			}
		}
	}
	if code == "" {
		h.t.Fatalf("no code came to %s", to)
	}
	return code
}

// A worker is a child, and whom it has enrolled.
type worker struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	did []string
}

func (w *worker) enrolled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.did)
}

func startWorking(t *testing.T, dir, name string) *worker {
	t.Helper()
	w := &worker{cmd: exec.CommandContext(t.Context(), os.Args[0])} //nolint:gosec // this very test
	w.cmd.Env = append(os.Environ(), childWorks+"="+dir+","+name)
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if address, ok := strings.CutPrefix(lines.Text(), "enrolled "); ok {
				w.mu.Lock()
				w.did = append(w.did, address)
				w.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { _ = w.cmd.Process.Kill(); <-ended; _ = w.cmd.Wait() })
	return w
}

// keyPair makes one of age, the private key in a file.
func keyPair(t *testing.T) (recipient, file string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String(), file
}

// settingsOf reads those of a home.
func settingsOf(t *testing.T, dir string, flags ...string) settings.Settings {
	t.Helper()
	from := settings.Sources{Home: dir, Flags: map[string]string{}}
	for _, f := range flags {
		field, value, _ := strings.Cut(f, "=")
		from.Flags[field] = value
	}
	set, err := settings.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func mustBackup(t *testing.T, set settings.Settings, recipient string, at time.Time) backup.Made {
	t.Helper()
	m, err := home.Backup(t.Context(), set, home.BackupOptions{Recipient: recipient, Version: "test", Now: at})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// restore puts a backup back into a new home, which has the master key.
func restore(t *testing.T, m backup.Made, identity, masterKey string, flags ...string) (string, home.Restored, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(masterKey), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := home.Restore(t.Context(), settingsOf(t, dir, flags...), home.RestoreOptions{
		Backup: m.Folder, Identity: identity, Version: "test", Log: zap.NewNop(),
	})
	return dir, r, err
}

// An answer is what the login service is told of somebody.
type answer struct {
	Status   int
	Subject  string
	Factor   string
	State    string
	Since    string
	Revision int64
}

// asks has the login service ask a home for some people, over the network.
func asks(t *testing.T, dir string, token desk.Token, addresses ...string) map[string]answer {
	t.Helper()
	h, err := home.Open(t.Context(), home.Options{
		Settings: settingsOf(t, dir, "api.listen=127.0.0.1:0"), Version: "test", Services: true, Log: zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-done, h.Close(context.WithoutCancel(ctx))); err != nil {
			t.Error(err)
		}
	}()
	told := map[string]answer{}
	for _, address := range addresses {
		told[address] = ask(t, h.APIAt(), token, address)
	}
	return told
}

func ask(t *testing.T, at string, token desk.Token, address string) (a answer) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+at+"/v1/factor", strings.NewReader(`{"email":"`+address+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		r.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close() // read
		if err != nil || got.StatusCode == http.StatusServiceUnavailable || got.StatusCode == http.StatusUnauthorized {
			continue // not caught up yet
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		a.Status = got.StatusCode
		return a
	}
	t.Fatalf("nobody answered about %s", address)
	return a
}

// The drill: two kiosks enrol, a backup is made meanwhile, the kiosks are killed while
// they write, the home is gone, and the backup is put back elsewhere. What was done
// before the backup is there, nobody who was erased is, and things go on.
func TestTheDrill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills programs")
	}
	ctx := t.Context()
	recipient, identity := keyPair(t)
	folder := filepath.Join(t.TempDir(), "backups")
	flags := append([]string{"backup.folder=" + folder}, many...)
	h := open(t, t.TempDir(), true, flags...)
	for i, who := range []string{"sanne", "carla", "emma"} {
		h.enrolsAt(who+"@voorbeeld.nl", fmt.Sprintf("+3161000000%d", i))
	}
	carla, emma := h.subjectOf("carla@voorbeeld.nl"), h.subjectOf("emma@voorbeeld.nl")
	h.erasesAlone(carla)
	dirk := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, "dirk@voorbeeld.nl", "nl"))
	h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, dirk.Visit, h.codeTo("dirk@voorbeeld.nl")))
	token, err := h.Desk.AddClient(ctx, "portal", []service.Scope{service.ReadFactor})
	if err != nil {
		t.Fatal(err)
	}
	workers := []*worker{startWorking(t, h.dir, "kiosk11"), startWorking(t, h.dir, "kiosk12")}
	atLeast := func(n int) (all []string) {
		t.Helper()
		for end := time.Now().Add(3 * deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			all = nil
			least := n
			for _, w := range workers {
				did := w.enrolled()
				all, least = append(all, did...), min(least, len(did))
			}
			if least >= n {
				return all
			}
		}
		t.Fatalf("they enrolled %v only", all)
		return nil
	}
	before := append(atLeast(2), "sanne@voorbeeld.nl", "dirk@voorbeeld.nl", "carla@voorbeeld.nl")
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	told := asks(t, h.dir, token, before...)
	h.erasesAlone(emma)
	noted(t, folder, emma)
	later := atLeast(len(before)) // they go on
	for _, w := range workers {
		if err := w.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err := errors.Join(err, os.RemoveAll(h.dir)); err != nil {
		t.Fatal(err)
	}

	dir, r, err := restore(t, m, identity, string(masterKey))
	if err != nil {
		t.Fatal(err)
	}
	if r.Position != m.Position || r.Rows != m.Rows || r.Erased != 1 || len(r.Unerased)+len(r.Changed) > 0 {
		t.Errorf("%+v", r)
	}
	if again := asks(t, dir, token, before...); len(again) != len(told) {
		t.Error(again)
	} else {
		for who, want := range told {
			if got := again[who]; got != want {
				t.Errorf("of %s the login service is told %+v instead of %+v", who, got, want)
			}
		}
		if told["sanne@voorbeeld.nl"].Factor != "sms" || told[before[0]].Factor != "sms" || told["carla@voorbeeld.nl"].State != "unknown" {
			t.Errorf("it was told %+v", told)
		}
	}
	g := open(t, dir, false, many...)
	if err := g.Feed.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	for _, s := range []domain.SubjectID{carla, emma} {
		if erased, err := g.Vault.Erased(ctx, s); err != nil || !erased || g.state(s) != factor.Erased {
			t.Errorf("%s is %s, erased in the vault: %t, %v", s, g.state(s), erased, err)
		}
	}
	g.enrolsAt("frits@voorbeeld.nl", "+31610000009")
	if f := g.factor("frits@voorbeeld.nl"); f != enrolment.SMS {
		t.Errorf("who enrols afterwards has %s", f)
	}
	v := g.must(desk.ScreenEmailCode)(g.Desk.Begin(ctx, "dirk@voorbeeld.nl", "nl"))
	v = g.must(desk.ScreenPassword)(g.Desk.ConfirmEmail(ctx, v.Visit, g.codeTo("dirk@voorbeeld.nl")))
	g.must(desk.ScreenPhone)(g.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	t.Logf("%d were enrolled before the backup, %d before the kiosks were killed", len(before)-2, len(later))
}

func (h *house) erasesAlone(s domain.SubjectID) {
	h.t.Helper()
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(h.t.Context(), erasure(s, enrolment.CaseRetention)))
}

// noted waits until it stands beside the backups that somebody was erased.
func noted(t *testing.T, folder string, s domain.SubjectID) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		all, err := backup.Erased(folder)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(all, s) {
			return
		}
	}
	t.Fatal("it never stood beside the backups")
}

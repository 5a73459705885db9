package home_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/ncruces/go-sqlite3"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
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

func mustBackup(t *testing.T, set settings.Settings, recipient string, at time.Time) home.BackedUp {
	t.Helper()
	m, err := home.Backup(t.Context(), set, home.BackupOptions{Recipient: recipient, Version: "test", Now: at})
	if err := errors.Join(err, m.Unsealed, m.Unnoted); err != nil {
		t.Fatal(err)
	}
	return m
}

// restore puts a backup back into a new home, which has the master key.
func restore(t *testing.T, m home.BackedUp, identity, masterKey string, flags ...string) (string, home.Restored, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(masterKey), 0o600); err != nil { //nolint:gosec // our own folder
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
	h.noted(folder, emma)
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
	if r.Seal == nil || r.Seal.Bad != nil || r.Seal.Events < int64(len(before)) || r.Seal.Unsealed > 0 || r.NewTree || r.Newer > 0 {
		t.Errorf("of the seal: %+v", r.Seal)
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
func (h *house) noted(folder string, s domain.SubjectID) {
	h.t.Helper()
	keys := keysOf(h.t, h.dir)
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		all, err := backup.ReadErased(folder, keys)
		if err != nil {
			h.t.Fatal(err)
		}
		if slices.Contains(all.People, s) {
			return
		}
	}
	h.t.Fatal("it never stood beside the backups")
}

// keysOf reads the master key of a home.
func keysOf(t *testing.T, dir string) *vault.Keys {
	t.Helper()
	keys, err := home.ReadKeys(settingsOf(t, dir).Vault)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A kind of installation is where its log and vault are.
type kindOfPlace func(t *testing.T) (flags []string)

func inFiles(*testing.T) []string { return nil }

func onServers(t *testing.T) []string {
	t.Helper()
	log, vault := esdbtest.Start(t, esdbtest.Options{}), pgtest.Shared(t)
	return []string{
		"log.url=esdb://keydesk@" + log.Addr(0), "log.ca_file=" + log.CAFile(), "log.password_file=" + secretFile(t, esdbtest.Password),
		"vault.url=" + vault.URL(vault.CreateDatabase(t)),
	}
}

func secretFile(t *testing.T, secret string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// enrolsBy enrols somebody whose messages a post office brings.
func (h *house) enrolsBy(p *postOffice, address, number string) {
	h.t.Helper()
	ctx := h.t.Context()
	code := func(to string) string {
		h.t.Helper()
		for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			if c := p.code(to); c != "" {
				return c
			}
		}
		h.t.Fatalf("no code came to %s", to)
		return ""
	}
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, code(address)))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	v = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, code(number)))
	h.end(h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit)))
}

// A backup of either kind of log and vault goes to either kind.
func TestBackupsOfAndToServers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ from, to kindOfPlace }{
		"files to servers":   {inFiles, onServers},
		"servers to files":   {onServers, inFiles},
		"servers to servers": {onServers, onServers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			post, flags := openPost(t)
			flags = append(flags, "organisation.domains=bedrijf.example", "organisation.admission=domain",
				"seal.writer=on", "sms.webhook.secret_file="+secretFile(t, "a secret of the gateway's own"))
			flags = append(flags, many...)
			from := append(test.from(t), flags...)
			recipient, identity := keyPair(t)
			h := open(t, t.TempDir(), false, from...)
			h.enrolsBy(post, "sanne@bedrijf.example", "+31610000001")
			h.enrolsBy(post, "carla@bedrijf.example", "+31610000002")
			sanne, carla := h.subjectOf("sanne@bedrijf.example"), h.subjectOf("carla@bedrijf.example")
			h.erasesAlone(carla)
			set := settingsOf(t, h.dir, append(from, "backup.folder="+t.TempDir())...)
			m := mustBackup(t, set, recipient, time.Now())
			want := wholeLog(t, h.Home)
			h.stop()
			masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
			if err != nil {
				t.Fatal(err)
			}
			to := append(test.to(t), flags...)
			dir, r, err := restore(t, m, identity, string(masterKey), to...)
			if err != nil {
				t.Fatal(err)
			}
			if compared := r.Seal != nil && r.Seal.Bad == nil && r.Seal.Events > 0; compared != (name == "files to servers") {
				t.Errorf("compared with its seal: %+v", r.Seal)
			}
			if _, err := os.Stat(filepath.Join(dir, ".restoring")); !errors.Is(err, os.ErrNotExist) {
				t.Error(err)
			}
			g := open(t, dir, false, to...)
			if err := g.Feed.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, e := range wholeLog(t, g.Home)[:len(want)] {
				if w := want[i]; e.ID != w.ID || e.Stream != w.Stream || e.Revision != w.Revision || string(e.Data) != string(w.Data) ||
					string(e.Metadata) != string(w.Metadata) || !e.Recorded.Truncate(time.Microsecond).Equal(w.Recorded.Truncate(time.Microsecond)) {
					t.Fatalf("event %d became another: %+v instead of %+v", i, e, w)
				}
			}
			if before, err := os.ReadFile(filepath.Join(m.Folder, "seal", "checkpoint")); err != nil || !r.NewTree {
				t.Errorf("a new tree: %t, %v", r.NewTree, err)
			} else if err := g.Seal().Now(t.Context()); err != nil || string(g.Seal().Before()) != string(before) {
				t.Errorf("it begins with %q, %v", g.Seal().Before(), err)
			}
			g.asSealed(to...)
			if v := g.values(sanne); v[desk.ValueHolds] < 4 || len(v) != 1 || g.factor("sanne@bedrijf.example") != enrolment.SMS {
				t.Errorf("of the values %v", v)
			}
			if v := g.values(carla); v[desk.ValueErased] < 4 || len(v) != 1 || r.Erased != 0 {
				t.Errorf("of the values of who was erased %v; %d were erased again", v, r.Erased)
			}
			g.enrolsBy(post, "frits@bedrijf.example", "+31610000003")
			if f := g.factor("frits@bedrijf.example"); f != enrolment.SMS {
				t.Errorf("who enrols afterwards has %s", f)
			}
		})
	}
}

// asSealed compares the log of a house with its seal.
func (h *house) asSealed(flags ...string) seal.Report {
	h.t.Helper()
	set := settingsOf(h.t, h.dir, flags...)
	keys, err := home.ReadKeys(set.Vault)
	if err != nil {
		h.t.Fatal(err)
	}
	o, err := home.VerifyOptions(set, keys, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := seal.Verify(h.t.Context(), h.Log, set.Seal.Folder, o, nil)
	if err != nil || r.Bad != nil || r.Events == 0 {
		h.t.Errorf("compared with its seal: %+v, %v", r, err)
	}
	return r
}

// Who knows a checkpoint of after the backup, be it a witness or whoever was mailed one,
// says what is lost; then the seal goes on in a tree of its own.
func TestMoreWasSealedThanIsInTheBackup(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	recipient, identity := keyPair(t)
	flags := append([]string{"backup.folder=" + t.TempDir()}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.enrolsAt("bram@voorbeeld.nl", "+31610000002")
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	since, ok := h.Seal().Checkpoint()
	if !ok {
		t.Fatal("there is no checkpoint")
	}
	key, err := proof.ParseKey(h.Seal().Keys()[0])
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(witness.Config{Folder: t.TempDir(), Name: "lois.example/witness", Logs: []note.Verifier{key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() }) // only a lock
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	witnessed := "seal.witnesses=" + w.Key() + " " + server.URL
	h.asSealed(append(flags, witnessed)...) // which asks the witness
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		since []byte
		flags []string
	}{
		"a checkpoint that was kept": {since: since.Note},
		"a witness":                  {flags: []string{witnessed}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
				t.Fatal(err)
			}
			o := home.RestoreOptions{Backup: m.Folder, Identity: identity, Since: test.since, Version: "test", Log: zap.NewNop()}
			r, err := home.Restore(t.Context(), settingsOf(t, dir, test.flags...), o)
			if err != nil || r.Seal == nil || r.Newer != since.Size-r.Seal.Size || r.Newer < 10 || !r.NewTree {
				t.Fatalf("%+v, %v", r, err)
			}
			g := open(t, dir, false, test.flags...)
			if err := g.Seal().Now(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c, ok := g.Seal().Checkpoint(); !ok || c.Origin != since.Origin+"/2" || len(g.Seal().Before()) == 0 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// A trigger in the file of a log is run with each append, whatever the seal says of what
// stands there: no backup brings one in, and doctor names it.
func TestALogWithATriggerOfSomebodyElses(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	flags := append([]string{"backup.folder=" + t.TempDir()}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	set := settingsOf(t, h.dir, flags...)
	db, err := sqlite3.Open("file:" + filepath.Join(h.dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(`CREATE TRIGGER mine AFTER INSERT ON events BEGIN SELECT 1; END`), db.Close()); err != nil {
		t.Fatal(err)
	}
	m := mustBackup(t, set, recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	dir, _, err := restore(t, m, identity, string(masterKey))
	if !errors.Is(err, home.ErrMeddled) || !strings.Contains(err.Error(), "mine") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "log.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is put back: %v", err)
	}
	found := examine(t, h.dir, nil)
	verdicts(t, found, map[string]home.Verdict{"log": home.Well, "log file": home.Bad, "log append": home.Well})
	if !strings.Contains(found["log file"].Says, "mine") {
		t.Errorf("%+v", found["log file"])
	}
}

// The vault is copied after the log, and may know somebody whom the log does not: who was
// erased since is not to be found in it, either.
func TestErasedSinceAndNotInTheLog(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	folder := t.TempDir()
	flags := append([]string{"backup.folder=" + folder}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	set := settingsOf(t, h.dir, flags...)
	m := mustBackup(t, set, recipient, time.Now())
	h.enrolsAt("carla@voorbeeld.nl", "+31610000002")
	carla := h.subjectOf("carla@voorbeeld.nl")
	withVaultOf(t, m.Folder, mustBackup(t, set, recipient, time.Now().Add(time.Minute)))
	h.erasesAlone(carla)
	h.noted(folder, carla)
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	latest := filepath.Join(t.TempDir(), "latest") // a way to it from elsewhere
	if os.Symlink(m.Folder, latest) == nil {       // not for everybody on Windows
		m.Folder = latest
	}
	dir, _, err := restore(t, m, identity, string(masterKey))
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, dir, false)
	if erased, err := g.Vault.Erased(t.Context(), carla); err != nil || !erased {
		t.Errorf("the vault has forgotten her: %t, %v", erased, err)
	}
}

// A restore that is killed when everything has its name leaves nobody unerased: the next
// start does the rest.
func TestARestoreThatIsKilledBeforeItErases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, true, many...)
	h.enrolsAt("carla@voorbeeld.nl", "+31610000002")
	carla := h.subjectOf("carla@voorbeeld.nl")
	h.stop()
	owed := filepath.Join(dir, "restored")
	if err := errors.Join(os.Mkdir(owed, 0o700), backup.NoteErased(t.Context(), owed, keysOf(t, dir), carla)); err != nil {
		t.Fatal(err)
	}
	open(t, dir, false).erasesAgain(carla, func() bool {
		_, err := os.Stat(owed)
		return errors.Is(err, os.ErrNotExist)
	})
}

// erasesAgain waits until the home has erased somebody, and the rest holds.
func (h *house) erasesAgain(s domain.SubjectID, rest func() bool) {
	h.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		erased, err := h.Vault.Erased(h.t.Context(), s)
		if err != nil {
			h.t.Fatal(err)
		}
		if erased && rest() {
			return
		}
	}
	h.t.Fatal("they are never erased again")
}

// A list of who is owed that cannot be read keeps nobody else from being erased, of whom
// the log says so.
func TestErasedBesideAListThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, true, many...)
	h.enrolsAt("carla@voorbeeld.nl", "+31610000002")
	carla := h.subjectOf("carla@voorbeeld.nl")
	h.stop()
	file := filepath.Join(dir, "vault.db")
	before, err := os.ReadFile(file) //nolint:gosec // our own folder
	if err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, true, many...)
	h.erasesAlone(carla)
	h.stop()
	owed := filepath.Join(dir, "restored")
	if err := errors.Join(
		os.RemoveAll(file+"-wal"), os.RemoveAll(file+"-shm"), os.WriteFile(file, before, 0o600), //nolint:gosec // our own folder
		os.Mkdir(owed, 0o700), os.WriteFile(filepath.Join(owed, "erased"), []byte("somebody\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	open(t, dir, false).erasesAgain(carla, func() bool { return true })
}

// Whom a list named that was believed, in a restore that was killed before it was done, is
// not erased by the next one, which does not believe it.
func TestARestoreAfterOneThatBelievedMore(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	flags := append([]string{"backup.folder=" + t.TempDir()}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	sanne := h.subjectOf("sanne@voorbeeld.nl")
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	owed := filepath.Join(dir, "restored")
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600), //nolint:gosec // our own folder
		os.WriteFile(filepath.Join(dir, ".restoring"), nil, 0o600),
		os.Mkdir(owed, 0o700), backup.NoteErased(t.Context(), owed, keysOf(t, dir), sanne),
	); err != nil {
		t.Fatal(err)
	}
	r, err := home.Restore(t.Context(), settingsOf(t, dir), home.RestoreOptions{Backup: m.Folder, Identity: identity, Version: "test", Log: zap.NewNop()})
	if err != nil || r.Erased > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	g := open(t, dir, false)
	if erased, err := g.Vault.Erased(t.Context(), sanne); err != nil || erased {
		t.Errorf("she is erased: %t, %v", erased, err)
	}
}

// The list of who was erased has a restore erase people, and lies where backups do: what
// is not the home's own has nothing put back, and nobody erased.
func TestTheListOfWhoWasErased(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	folder := t.TempDir()
	flags := append([]string{"backup.folder=" + folder}, many...)
	h := open(t, t.TempDir(), true, flags...)
	for i, who := range []string{"sanne", "carla", "emma"} {
		h.enrolsAt(who+"@voorbeeld.nl", fmt.Sprintf("+3161000000%d", i))
	}
	sanne, carla, emma := h.subjectOf("sanne@voorbeeld.nl"), h.subjectOf("carla@voorbeeld.nl"), h.subjectOf("emma@voorbeeld.nl")
	h.erasesAlone(emma)
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.erasesAlone(carla)
	h.noted(folder, carla)
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "erased")
	b, err := os.ReadFile(file) //nolint:gosec // our own folder
	if err != nil {
		t.Fatal(err)
	}
	list := string(b)
	half := list[:len(list)/2] // of two lines
	for _, c := range []struct {
		name     string
		list     string
		believe  bool
		refused  error
		erased   []domain.SubjectID // beside emma, of whom the log in the backup knows it
		unlisted []domain.SubjectID
		none     bool
	}{
		{name: "as it was written", list: list, erased: []domain.SubjectID{carla}},
		{name: "somebody is added", list: list + sanne.String() + half[36:], refused: backup.ErrErasedChanged},
		{name: "somebody is added, and is to be believed", list: list + sanne.String() + half[36:], believe: true, refused: backup.ErrErasedChanged},
		{name: "somebody else is named", list: half + sanne.String() + list[len(half)+36:], refused: backup.ErrErasedChanged},
		{name: "the first is taken out", list: list[len(half):], refused: backup.ErrErasedChanged},
		{name: "somebody stands before it as in the old form", list: sanne.String() + "\n" + list, refused: home.ErrUnproved},
		{name: "all are in the old form", list: emma.String() + "\n" + carla.String() + "\n", refused: home.ErrUnproved},
		{
			name: "all are in the old form, and believed", list: emma.String() + "\n" + carla.String() + "\n", believe: true,
			erased: []domain.SubjectID{carla},
		},
		{name: "its end is cut off", list: half},
		{name: "all is cut off", list: "", unlisted: []domain.SubjectID{emma}},
		{name: "it is gone", list: "gone", unlisted: []domain.SubjectID{emma}, none: true},
	} {
		if err := os.WriteFile(file, []byte(c.list), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.none {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
			t.Fatal(err)
		}
		r, err := home.Restore(t.Context(), settingsOf(t, dir), home.RestoreOptions{
			Backup: m.Folder, Identity: identity, BelieveList: c.believe, Version: "test", Log: zap.NewNop(),
		})
		if !errors.Is(err, c.refused) {
			t.Fatalf("%s: %v", c.name, err)
		}
		if c.refused != nil {
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("%s: it is refused, and leaves %v, %v", c.name, left, err)
			}
			continue
		}
		if r.Erased != len(c.erased) || !slices.Equal(r.Unlisted, c.unlisted) || r.NoList != c.none {
			t.Errorf("%s: %+v", c.name, r)
		}
		g := open(t, dir, false)
		for _, s := range []domain.SubjectID{sanne, carla, emma} {
			want := s == emma || slices.Contains(c.erased, s)
			if erased, err := g.Vault.Erased(t.Context(), s); err != nil || erased != want {
				t.Errorf("%s: %s is erased: %t, %v", c.name, s, erased, err)
			}
		}
		g.stop()
	}
}

// Whoever can write to a backup must not choose who is erased. That somebody was erased
// is believed of the list beside it, which is authenticated, or of what the seal vouches
// for; where neither says so nothing is put back, unless the operator knows better.
func TestErasuresThatNothingVouchesFor(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	folder := t.TempDir()
	flags := append([]string{"backup.folder=" + folder}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	h.enrolsAt("emma@voorbeeld.nl", "+31610000002")
	sanne, emma := h.subjectOf("sanne@voorbeeld.nl"), h.subjectOf("emma@voorbeeld.nl")
	h.erasesAlone(emma)
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	forge := func(t *testing.T, folder string) { // behind the end of what is sealed
		t.Helper()
		inBackup(t, folder, func(log *store.SQLite) error {
			is, err := log.ReadStream(t.Context(), domain.EnrolmentStream(emma), 0)
			if err != nil {
				return err
			}
			gone := is[slices.IndexFunc(is, func(e domain.Recorded) bool { return e.Type == "PersonErased" })].Message
			gone.ID[0] ^= 1
			to, err := log.ReadStream(t.Context(), domain.EnrolmentStream(sanne), 0)
			if err == nil {
				_, err = log.Append(t.Context(), domain.EnrolmentStream(sanne), to[len(to)-1].Revision, gone)
			}
			return err
		})
	}
	rewrite := func(t *testing.T, folder string) { // an event that is sealed
		t.Helper()
		db, err := sqlite3.Open("file:" + filepath.Join(folder, "log.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(
			db.Exec(`DROP TRIGGER events_UPDATE`),
			db.Exec(`UPDATE events SET recorded = recorded + 1 WHERE position = 3`),
			db.Exec(`CREATE TRIGGER events_UPDATE BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;`),
			db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	disguise := func(t *testing.T, folder string) { // whoever asks for erasures alone does not see the one that is added, and a copy has it
		t.Helper()
		for _, sql := range []string{
			`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'ANY') WHERE name = 'types'`,
			`INSERT INTO types (id, name) VALUES (99, CAST('PersonErased' AS BLOB));
			 DROP TRIGGER events_UPDATE;
			 UPDATE events SET type = 99 WHERE position = (SELECT max(position) FROM events);
			 CREATE TRIGGER events_UPDATE BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
			 PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'ANY', 'TEXT') WHERE name = 'types'`,
		} {
			db, err := sqlite3.Open("file:" + filepath.Join(folder, "log.db"))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Exec(sql), db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	unsealed := func(t *testing.T, folder string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(folder, "seal")); err != nil {
			t.Fatal(err)
		}
	}
	unlisted := func(t *testing.T, folder string) {
		t.Helper()
		if err := os.Remove(filepath.Join(filepath.Dir(folder), "erased")); err != nil {
			t.Fatal(err)
		}
	}
	type change = func(*testing.T, string)
	for name, c := range map[string]struct {
		changes []change
		believe bool
		refused string // what the error says
		erased  bool   // whether Sanne is
	}{
		"as it was made":                     {},
		"the list is gone":                   {changes: []change{unlisted}},
		"the seal is gone":                   {changes: []change{unsealed}},
		"the list and the seal are":          {changes: []change{unsealed, unlisted}, refused: "there is no seal of it: 1 people, the first is " + emma.String()},
		"and they are believed":              {changes: []change{unsealed, unlisted}, believe: true},
		"one is added":                       {changes: []change{forge}, refused: "it stands behind what is sealed: 1 people, the first is " + sanne.String()},
		"one is added, and believed":         {changes: []change{forge}, believe: true, erased: true},
		"one is added, and disguised":        {changes: []change{forge, disguise}, refused: "damaged within: \"non-TEXT value in types.name"},
		"it is, and is put back":             {changes: []change{forge, disguise}, believe: true},
		"one is added, the seal is gone":     {changes: []change{forge, unsealed}, refused: "there is no seal of it"},
		"the history is not what was sealed": {changes: []change{rewrite, unlisted}, refused: "it is not as sealed: "},
		"it is not, and the list is there":   {changes: []change{rewrite}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := m
			beside := t.TempDir()
			mine.Folder = filepath.Join(beside, filepath.Base(m.Folder))
			if err := errors.Join(os.CopyFS(beside, os.DirFS(folder))); err != nil {
				t.Fatal(err)
			}
			for _, change := range c.changes {
				change(t, mine.Folder)
			}
			resum(t, mine.Folder)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
				t.Fatal(err)
			}
			_, err := home.Restore(t.Context(), settingsOf(t, dir), home.RestoreOptions{
				Backup: mine.Folder, Identity: identity, BelieveLog: c.believe, Version: "test", Log: zap.NewNop(),
			})
			if c.refused != "" {
				if !errors.Is(err, home.ErrUnvouched) && !errors.Is(err, home.ErrUnsound) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%v", err)
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
					t.Errorf("it is refused, and leaves %v, %v", left, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g := open(t, dir, false)
			for who, want := range map[domain.SubjectID]bool{sanne: c.erased, emma: true} {
				if erased, err := g.Vault.Erased(t.Context(), who); err != nil || erased != want {
					t.Errorf("%s is erased: %t, %v", who, erased, err)
				}
			}
		})
	}
}

// inBackup has somebody write to the log of a backup.
func inBackup(t *testing.T, folder string, write func(*store.SQLite) error) {
	t.Helper()
	file := filepath.Join(folder, "log.db")
	log, err := store.OpenSQLite(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(log), log.Close(), os.Remove(file+"-bell")); err != nil {
		t.Fatal(err)
	}
}

// resum makes the sums of a backup those of what is there, as whoever changes it does, and
// changes what else its manifest says.
func resum(t *testing.T, folder string, changes ...func(*backup.Manifest)) {
	t.Helper()
	m, err := backup.ReadManifest(folder)
	if err != nil {
		t.Fatal(err)
	}
	m.Files, m.Sealed = slices.DeleteFunc(m.Files, func(f backup.File) bool {
		_, err := os.Stat(filepath.Join(folder, filepath.FromSlash(f.Name)))
		return err != nil
	}), false
	var sums strings.Builder
	for i := range m.Files {
		f := &m.Files[i]
		b, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(f.Name))) //nolint:gosec // our own folder
		if err != nil {
			t.Fatal(err)
		}
		f.Size, f.SHA256 = int64(len(b)), fmt.Sprintf("%x", sha256.Sum256(b))
		m.Sealed = m.Sealed || strings.HasPrefix(f.Name, "seal/")
		fmt.Fprintf(&sums, "%s  %s\n", f.SHA256, f.Name)
	}
	for _, change := range changes {
		change(&m)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&sums, "%x  manifest.json\n", sha256.Sum256(b))
	if err := errors.Join(
		os.WriteFile(filepath.Join(folder, "manifest.json"), b, 0o600),
		os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(sums.String()), 0o600),
	); err != nil {
		t.Fatal(err)
	}
}

// A list that somebody has changed is added to by nobody, and told of; a backup is made
// all the same. Once it is moved away, the next one makes it anew.
func TestABackupBesideAChangedList(t *testing.T) {
	t.Parallel()
	recipient, _ := keyPair(t)
	folder := t.TempDir()
	flags := append([]string{"backup.folder=" + folder, "backup.recipient=" + recipient}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("carla@voorbeeld.nl", "+31610000002")
	carla := h.subjectOf("carla@voorbeeld.nl")
	h.erasesAlone(carla)
	set := settingsOf(t, h.dir, flags...)
	mustBackup(t, set, recipient, time.Now())
	file := filepath.Join(folder, "erased")
	for changed, want := range map[string]home.Verdict{"somebody\n": home.Bad, domain.SubjectID{7}.String() + "\n": home.Warning} {
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := examine(t, h.dir, nil, flags...)["backup"]; got.Verdict != want || !strings.Contains(got.Do, "anew from the log") {
			t.Errorf("%q: %+v", changed, got)
		}
	}
	if err := os.WriteFile(file, []byte("somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := home.Backup(t.Context(), set, home.BackupOptions{Version: "test", Now: time.Now().Add(time.Minute)})
	if err != nil || !errors.Is(m.Unnoted, backup.ErrErasedChanged) {
		t.Errorf("%v, %v", m.Unnoted, err)
	}
	if _, err := backup.Open(m.Folder); err != nil {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	mustBackup(t, set, recipient, time.Now().Add(2*time.Minute))
	if got, err := backup.ReadErased(folder, keysOf(t, h.dir)); err != nil || !slices.Equal(got.People, []domain.SubjectID{carla}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got := examine(t, h.dir, nil, flags...)["backup"]; got.Verdict != home.Well {
		t.Errorf("%+v", got)
	}
}

// What is wrong with the seal of a backup keeps nobody's data.
func TestErasedSinceWhateverTheSealIs(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	folder := t.TempDir()
	flags := append([]string{"backup.folder=" + folder}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("carla@voorbeeld.nl", "+31610000002")
	carla := h.subjectOf("carla@voorbeeld.nl")
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.erasesAlone(carla)
	h.noted(folder, carla)
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
		t.Fatal(err)
	}
	o := home.RestoreOptions{Backup: m.Folder, Identity: identity, Since: []byte("no checkpoint"), Version: "test", Log: zap.NewNop()}
	if _, err := home.Restore(t.Context(), settingsOf(t, dir), o); err == nil {
		t.Error("something that is none was taken for a checkpoint")
	} else if _, err := os.Stat(filepath.Join(dir, "log.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("and it was put back: %v", err)
	}
	o.Since = []byte("keydesk/other\n9\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nindex AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-11-17T08:31:00Z\n\n— keydesk/other AAAA\n")
	if _, err := home.Restore(t.Context(), settingsOf(t, dir), o); err == nil {
		t.Error("a checkpoint of another log is one of this")
	}
	g := open(t, dir, false)
	if erased, err := g.Vault.Erased(t.Context(), carla); err != nil || !erased {
		t.Errorf("the vault has forgotten her: %t, %v", erased, err)
	}
}

// A checkpoint that nobody has signed has no other tree begin, also where the seal is too
// damaged to be compared with it.
func TestACheckpointThatNobodySigned(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	flags := append([]string{"backup.folder=" + t.TempDir()}, many...)
	h := open(t, t.TempDir(), true, flags...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	since, err := os.ReadFile(filepath.Join(m.Folder, "seal", "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(since), "\n")
	lines[1] = "4711"
	hashes := filepath.Join(m.Folder, "seal", "hashes")
	b, err := os.ReadFile(hashes) //nolint:gosec // our own folder
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if err := os.WriteFile(hashes, b, 0o600); err != nil { //nolint:gosec // our own folder
		t.Fatal(err)
	}
	resum(t, m.Folder)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
		t.Fatal(err)
	}
	r, err := home.Restore(t.Context(), settingsOf(t, dir), home.RestoreOptions{
		Backup: m.Folder, Identity: identity, Since: []byte(strings.Join(lines, "\n")), Version: "test", Log: zap.NewNop(),
	})
	if r.NewTree || r.Newer > 0 || r.Seal == nil || r.Seal.Bad == nil {
		t.Errorf("%+v, %v", r, err)
	}
}

// withVaultOf puts the vault of a later backup into one, as if it had been copied then.
func withVaultOf(t *testing.T, into string, later home.BackedUp) {
	t.Helper()
	if err := os.Rename(filepath.Join(later.Folder, "vault.age"), filepath.Join(into, "vault.age")); err != nil {
		t.Fatal(err)
	}
	resum(t, into, func(m *backup.Manifest) { m.Rows = later.Rows })
}

// What says in a home which files are not whole is not believed about others.
func TestARestoreRemovesNothingElse(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	flags := []string{"backup.folder=" + t.TempDir()}
	h := open(t, t.TempDir(), true, flags...)
	m := mustBackup(t, settingsOf(t, h.dir, flags...), recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	dir, others := t.TempDir(), filepath.Join(t.TempDir(), "others")
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600), //nolint:gosec // our own folder
		os.WriteFile(others, []byte("of somebody else"), 0o600),
		os.WriteFile(filepath.Join(dir, ".restoring"), []byte(others), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	o := home.RestoreOptions{Backup: m.Folder, Identity: identity, Version: "test", Log: zap.NewNop()}
	if _, err := home.Restore(t.Context(), settingsOf(t, dir), o); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Error(err)
	}
}

// A vault alone is put back beside the log that is there.
func TestOnlyTheVaultIsLost(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	recipient, identity := keyPair(t)
	flags := append([]string{"backup.folder=" + t.TempDir()}, many...)
	h := open(t, t.TempDir(), true, flags...)
	for i, who := range []string{"sanne", "carla"} {
		h.enrolsAt(who+"@voorbeeld.nl", fmt.Sprintf("+3161000000%d", i))
	}
	sanne, carla := h.subjectOf("sanne@voorbeeld.nl"), h.subjectOf("carla@voorbeeld.nl")
	set := settingsOf(t, h.dir, flags...)
	m := mustBackup(t, set, recipient, time.Now())
	h.enrolsAt("frits@voorbeeld.nl", "+31610000009")
	frits := h.subjectOf("frits@voorbeeld.nl")
	h.erasesAlone(carla)
	h.stop()
	o := home.RestoreOptions{Backup: m.Folder, Identity: identity, OnlyVault: true, Version: "test", Log: zap.NewNop()}
	if _, err := home.Restore(ctx, set, o); !errors.Is(err, home.ErrOccupied) {
		t.Errorf("over a vault: %v", err)
	}
	if err := os.Remove(filepath.Join(h.dir, "vault.db")); err != nil {
		t.Fatal(err)
	}
	other := open(t, t.TempDir(), true)
	other.stop()
	elsewhere := settingsOf(t, h.dir, "log.url=sqlite:"+filepath.Join(other.dir, "log.db"))
	if _, err := home.Restore(ctx, elsewhere, o); !errors.Is(err, home.ErrOtherLog) {
		t.Errorf("beside another log: %v", err)
	}
	r, err := home.Restore(ctx, set, o)
	if err != nil || r.Erased != 1 || !slices.Equal(r.Changed, []domain.SubjectID{frits, carla}) {
		t.Fatalf("%+v, %v", r, err)
	}
	g := open(t, h.dir, false, flags...)
	if err := g.Feed.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if v := g.values(sanne); v[desk.ValueHolds] < 4 || len(v) != 1 {
		t.Errorf("of the values %v", v)
	}
	if v := g.values(carla); v[desk.ValueErased] < 4 || len(v) != 1 {
		t.Errorf("of the values of who was erased since %v", v)
	}
	if v := g.values(frits); v[desk.ValueGone] < 4 || len(v) != 1 {
		t.Errorf("of the values of who came since %v", v)
	}
}

// What a restore leaves that was killed, does not open, and the next one begins anew.
func TestARestoreThatIsKilled(t *testing.T) {
	t.Parallel()
	recipient, identity := keyPair(t)
	h := open(t, t.TempDir(), true, many...)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	m := mustBackup(t, settingsOf(t, h.dir, "backup.folder="+t.TempDir()), recipient, time.Now())
	h.stop()
	masterKey, err := os.ReadFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("and is only stopped", func(t *testing.T) { // leaves nothing
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "master.key"), masterKey, 0o600); err != nil { //nolint:gosec // our own folder
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		o := home.RestoreOptions{Backup: m.Folder, Identity: identity, Version: "test", Log: zap.NewNop()}
		if _, err := home.Restore(ctx, settingsOf(t, dir), o); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 {
			t.Errorf("%v, %v", left, err)
		}
	})
	for what, files := range map[string]map[string]string{
		"while it wrote":   {".restoring": "", "log.db.restoring": "half a log", "vault.db.restoring": "half a vault", "vault.db.restoring-wal": "x"},
		"while it renamed": {".restoring": "HOME/vault.db\nHOME/log.db", "log.db.restoring": "a log", "vault.db": "a vault"},
		"at its very end":  {".restoring": "HOME/vault.db\nHOME/log.db", "log.db": "a log", "vault.db": "a vault"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files["master.key"] = string(masterKey)
			for name, content := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(content, "HOME", dir)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			set := settingsOf(t, dir)
			if _, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()}); !errors.Is(err, home.ErrRestoring) {
				t.Fatalf("it opens: %v", err)
			}
			o := home.RestoreOptions{Backup: m.Folder, Identity: identity, Version: "test", Log: zap.NewNop()}
			if r, err := home.Restore(t.Context(), set, o); err != nil || r.Position != m.Position {
				t.Fatalf("%+v, %v", r, err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*restoring*"))
			if err != nil || len(left) > 0 {
				t.Errorf("%v, %v", left, err)
			}
			g := open(t, dir, false)
			if err := g.Feed.CatchUp(t.Context()); err != nil || g.factor("sanne@voorbeeld.nl") != enrolment.SMS {
				t.Errorf("%s, %v", g.factor("sanne@voorbeeld.nl"), err)
			}
		})
	}
}

// Old logins go for good, with where they were from, while a kiosk goes on; whoever logs
// in afterwards does so as before.
func TestOldLoginsArePruned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	done, err := fill(t, dir, ofHistory)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, dir, true, many...)
	ctx := t.Context()
	const keep = 5 * 24 * time.Hour
	now := done.At
	var old, kept []domain.Recorded
	var people []domain.SubjectID
	for _, e := range wholeLog(t, h.Home) {
		switch {
		case !strings.HasPrefix(e.Stream, domain.LoginPrefix):
		case e.Recorded.Before(now.Add(-keep).Truncate(time.Second)):
			old = append(old, e)
		default:
			kept = append(kept, e)
		}
	}
	if len(old) < 20 || len(kept) < 20 {
		t.Fatalf("%d old events of logins, %d others", len(old), len(kept))
	}
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		p, err := h.PruneLogins(ctx, home.Pruning{Now: now, Keep: keep})
		if want := int64(len(old)); len(people) == 0 && (err != nil || p.Events != want || p.Places == 0 || p.Server) ||
			len(people) > 0 && (err != nil || p.Events != 0 || p.Places != 0) {
			t.Fatalf("%+v, %v", p, err)
		}
		people = append(people, domain.SubjectID{1})
	}
	if types := h.events(domain.ServiceStream); count(types, "LoginsPruned") != 1 {
		t.Errorf("recorded is %v", types)
	}
	after := wholeLog(t, h.Home)
	for _, e := range old {
		if slices.ContainsFunc(after, func(a domain.Recorded) bool { return a.ID == e.ID }) {
			t.Fatalf("%s of %s is still given", e.Type, e.Recorded)
		}
	}
	for _, e := range kept {
		if !slices.ContainsFunc(after, func(a domain.Recorded) bool { return a.ID == e.ID && a.Revision == e.Revision }) {
			t.Fatalf("%s of %s is gone", e.Type, e.Recorded)
		}
	}
	for _, name := range []string{"log.db", "log.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a file of this test
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range old {
			if bytes.Contains(b, e.ID[:]) {
				t.Fatalf("%s is still in %s", e.Data, name)
			}
		}
	}
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	if r := h.asSealed(many...); r.Expired != int64(len(old)) {
		t.Errorf("%d leaves have expired, %d events are gone", r.Expired, len(old))
	}
	logsIn(t, h, done)
}

// A clock that was set forward makes no login old, also where something was recorded
// under it; whoever knows that it is right says so.
func TestPruningUnderAClockThatRunsAhead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	done, err := fill(t, dir, ofHistory)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, dir, true, many...)
	ctx := t.Context()
	const keep = 400 * 24 * time.Hour
	ahead := time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	visit := domain.Recorded{
		Message: domain.Message{ID: domain.EventID{7}, Type: "SomethingNew", Data: []byte(`{}`), Metadata: []byte(`{}`)},
		Stream:  "station-somewhere", Recorded: ahead.Add(-time.Hour),
	}
	for i, say := range []string{"nothing under it", "something under it"} {
		p, err := h.PruneLogins(ctx, home.Pruning{Now: ahead, Keep: keep})
		if err != nil || p.Events != 0 || p.Places != 0 || p.Later < 60*365*24*time.Hour {
			t.Fatalf("%s: %+v, %v", say, p, err)
		}
		if log, ok := h.Log.(interface {
			Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
		}); i == 0 && ok {
			if _, err := log.Import(ctx, visit.Stream, domain.NoStream, visit); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p, err := h.PruneLogins(ctx, home.Pruning{Now: done.At, Keep: keep, TrustClock: true}); err != nil || p.Events != 0 {
		t.Fatalf("while none is old: %+v, %v", p, err)
	}
	long := home.Pruning{Now: ahead, Keep: ahead.Sub(time.Now().Add(-50 * time.Hour))}
	if p, err := h.PruneLogins(ctx, long); err != nil || p.Events != 0 {
		t.Fatalf("where it is not known to be right: %+v, %v", p, err)
	}
	long.TrustClock = true
	if p, err := h.PruneLogins(ctx, long); err != nil || p.Events == 0 || p.Later != 0 {
		t.Fatalf("where it is right: %+v, %v", p, err)
	}
}

// Whoever has not logged in for longer than logins are kept, does so as before.
func TestALoginAfterAllOthersAreTooOld(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), ofHistory
	c.Until = c.Until.AddDate(-2, 0, 0)
	done, err := fill(t, dir, c)
	if err != nil {
		t.Fatal(err)
	}
	logsIn(t, open(t, dir, true), done)
}

// On servers the log removes by itself, and the vault is seen to.
func TestPruningOnServers(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false, onServers(t)...)
	if _, err := h.Vault.Put(t.Context(), domain.SubjectID{1}, vault.KindPlace, []byte("Firefox, Utrecht")); err != nil {
		t.Fatal(err)
	}
	record := domain.Message{ID: domain.EventID{7}, Type: "SomethingNew", Data: []byte(`{}`), Metadata: []byte(`{}`)}
	if _, err := h.Log.Append(t.Context(), "station-somewhere", domain.NoStream, record); err != nil {
		t.Fatal(err)
	}
	ahead := home.Pruning{Now: time.Now().AddDate(60, 0, 0), Keep: 400 * 24 * time.Hour}
	if p, err := h.PruneLogins(t.Context(), ahead); err != nil || !p.Server || p.Places != 0 || p.Later < 50*365*24*time.Hour {
		t.Errorf("under a clock that runs ahead: %+v, %v", p, err)
	}
	soon := home.Pruning{Now: time.Now().Add(50 * time.Hour), Keep: 24 * time.Hour, TrustClock: true}
	if p, err := h.PruneLogins(t.Context(), soon); err != nil || !p.Server || p.Events != 0 || p.Places != 1 || p.Later != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// A server whose clock runs ahead, or behind, has nothing of the vault forgotten here, and
// no login left out of a copy, be it a backup; and neither has a clock here that does.
func TestLoginsAndAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	const years = 3 * 365 * 24 * time.Hour
	const keep = 400 * 24 * time.Hour
	for name, c := range map[string]struct{ server, here time.Duration }{
		"the server is ahead":  {years, 0},
		"the server is behind": {-years, 0},
		"this one is ahead":    {0, years},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s := esdbtest.Start(t, esdbtest.Options{Clock: func() time.Time { return time.Now().Add(c.server) }})
			h := open(t, t.TempDir(), false, "log.url=esdb://keydesk@"+s.Addr(0), "log.ca_file="+s.CAFile(), "log.password_file="+secretFile(t, esdbtest.Password))
			if _, err := h.Vault.Put(ctx, domain.SubjectID{1}, vault.KindPlace, []byte("Firefox, Utrecht")); err != nil {
				t.Fatal(err)
			}
			for i, stream := range []string{"login-a", "login-b", "station-somewhere"} {
				one := domain.Message{ID: domain.EventID{7, byte(i)}, Type: "SomethingNew", Data: []byte(`{}`), Metadata: []byte(`{}`)}
				if _, err := h.Log.Append(ctx, stream, domain.NoStream, one); err != nil {
					t.Fatal(err)
				}
			}
			here := home.Pruning{Now: time.Now().Add(c.here), Keep: keep}
			if p, err := h.PruneLogins(ctx, here); err != nil || p.Places != 0 {
				t.Errorf("pruned: %+v, %v", p, err)
			}
			from := h.Log.(transfer.Log)
			o, later, err := home.CopyOptions(ctx, from, here)
			if ahead := c.here > 0; err != nil || ahead != (later > 2*365*24*time.Hour) && c.server >= 0 {
				t.Errorf("%s later, %v", later, err)
			}
			to, err := store.OpenSQLite(ctx, filepath.Join(t.TempDir(), "log.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = to.Close() }()
			if _, err := transfer.Copy(ctx, from, to, o); err != nil {
				t.Fatal(err)
			}
			copied := map[string]bool{}
			err = to.ReadAll(ctx, domain.Query{Expired: true}, func(b domain.Batch) error {
				for _, e := range b.Events {
					copied[e.Stream] = true
				}
				return nil
			})
			if err != nil || !copied["login-a"] || !copied["login-b"] {
				t.Errorf("copied were %v, %v", copied, err)
			}
		})
	}
}

// A log is copied from a file to a server, and the seal there has a checkpoint at once,
// that begins with the last one of the file, also where nobody seals a server by default.
func TestACopyOnAServerIsSealedAtOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := open(t, t.TempDir(), true)
	h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
	h.stop()
	set := settingsOf(t, h.dir)
	there := settingsOf(t, h.dir, onServers(t)...)
	from, err := home.OpenLog(ctx, set.Log, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	to, err := home.OpenLog(ctx, there.Log, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(from.Close(), to.Close()) }()
	if there.Seals() {
		t.Error("whoever has a server seals")
	}
	if err := home.SealLast(ctx, there, from); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(set.Seal.Folder, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Copy(ctx, from.(transfer.Log), to.(transfer.Log), transfer.Options{Skip: []string{store.ProbePrefix}}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(home.SealCopy(ctx, there, to), home.SealFirst(ctx, there, to)); err != nil {
		t.Fatal(err)
	}
	o, err := home.VerifyOptions(there, keysOf(t, h.dir), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := seal.Verify(ctx, to, there.Seal.Folder, o, nil)
	if err != nil || r.Bad != nil || r.Unsealed > 0 || r.Before == nil || string(r.Before.Checkpoint.Note) != string(before) || r.Size != r.Events+1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := home.SealFirst(ctx, there, to); err != nil {
		t.Errorf("again: %v", err)
	}
}

// Wherever a copy was killed that begins the seal of the copy, the same steps again finish it.
func TestASealOfACopyIsTakenUp(t *testing.T) {
	t.Parallel()
	type move struct {
		set      settings.Settings
		from, to store.Log
		keys     *vault.Keys
	}
	aside := func(t *testing.T, m move) string {
		t.Helper()
		begun, err := home.NewRegister(m.from, m.set).Sealing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m.set.Seal.Folder + "-" + begun.Sealer
	}
	for name, c := range map[string]struct {
		left  func(t *testing.T, m move) error // what the kill has left
		begun bool
	}{
		"before anything": {left: func(*testing.T, move) error { return nil }},
		"the old one is aside": {left: func(t *testing.T, m move) error { //nolint:thelper // a case
			return os.Rename(m.set.Seal.Folder, aside(t, m))
		}},
		"a folder is there": {left: func(t *testing.T, m move) error { //nolint:thelper // a case
			return errors.Join(
				os.Rename(m.set.Seal.Folder, aside(t, m)), os.Mkdir(m.set.Seal.Folder, 0o700),
				os.WriteFile(filepath.Join(m.set.Seal.Folder, ".tree.json-123"), nil, 0o600))
		}},
		"the tree is there, and not recorded": {begun: true, left: func(t *testing.T, m move) error { //nolint:thelper // a case
			c, err := home.SealConfig(m.set, m.to, m.keys, nil)
			if err != nil {
				return err
			}
			c.Register = deaf{home.NewRegister(m.to, m.set)}
			if err := seal.Anew(t.Context(), c, nil); !errors.Is(err, errDeaf) {
				t.Fatal(err)
			}
			return nil
		}},
		"it is recorded": {begun: true, left: func(t *testing.T, m move) error { //nolint:thelper // a case
			return home.SealCopy(t.Context(), m.set, m.to)
		}},
		"all of it is done": {begun: true, left: func(t *testing.T, m move) error { //nolint:thelper // a case
			return errors.Join(home.SealCopy(t.Context(), m.set, m.to), home.SealFirst(t.Context(), m.set, m.to))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, t.TempDir(), true)
			h.enrolsAt("sanne@voorbeeld.nl", "+31610000001")
			h.stop()
			m := move{set: settingsOf(t, h.dir), keys: keysOf(t, h.dir)}
			there := m.set.Log
			there.URL = store.Scheme + filepath.Join(t.TempDir(), "copy.db")
			var err [2]error
			m.from, err[0] = home.OpenLog(t.Context(), m.set.Log, zap.NewNop())
			m.to, err[1] = home.OpenLog(t.Context(), there, zap.NewNop())
			if err := errors.Join(err[:]...); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = errors.Join(m.from.Close(), m.to.Close()) }()
			all := func() error {
				_, err := transfer.Copy(t.Context(), m.from.(transfer.Log), m.to.(transfer.Log), transfer.Options{Skip: []string{store.ProbePrefix}})
				return err
			}
			if err := errors.Join(home.SealLast(t.Context(), m.set, m.from), all(), c.left(t, m)); err != nil {
				t.Fatal(err)
			}
			begun, failed := home.TakeUpSealCopy(t.Context(), m.set, m.from, m.to)
			if failed != nil || begun != c.begun {
				t.Fatalf("begun: %t, %v", begun, failed)
			}
			if !begun {
				if err := errors.Join(home.SealLast(t.Context(), m.set, m.from), all(), home.SealCopy(t.Context(), m.set, m.to)); err != nil {
					t.Fatal(err)
				}
			}
			if err := home.SealFirst(t.Context(), m.set, m.to); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				log    store.Log
				folder string
			}{{m.from, aside(t, m)}, {m.to, m.set.Seal.Folder}} {
				o, err := home.VerifyOptions(m.set, m.keys, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				r, err := seal.Verify(t.Context(), c.log, c.folder, o, nil)
				if err != nil || r.Bad != nil || r.Unsealed > 0 || (r.Before != nil) != (c.log == m.to) {
					t.Errorf("%s: %+v, %v", c.folder, r, err)
				}
			}
			if begun, err := home.TakeUpSealCopy(t.Context(), m.set, m.to, m.from); err != nil || begun {
				t.Errorf("the other way: %t, %v", begun, err)
			}
		})
	}
}

// A deaf register takes nothing down.
type deaf struct{ seal.Register }

var errDeaf = errors.New("nothing is taken down")

func (deaf) BeginSeal(context.Context, service.SealBegun, string) error { return errDeaf }

package home_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	madeup "github.com/keydesk/keydesk/app/internal/demo"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/service"
)

var ofHistory = madeup.Config{People: 60, Days: 12, Seed: 3, Until: time.Date(2026, time.November, 26, 13, 30, 0, 0, time.UTC)}

// fill fills a home with a history.
func fill(t *testing.T, dir string, c madeup.Config) (madeup.Result, error) {
	t.Helper()
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	return home.FillDemo(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()}, c, nil)
}

// wholeLog returns all that a log holds.
func wholeLog(t *testing.T, h *home.Home) (all []domain.Recorded) {
	t.Helper()
	err := h.Log.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			e.Data, e.Metadata = append([]byte(nil), e.Data...), append([]byte(nil), e.Metadata...)
			e.Stream, e.Type = strings.Clone(e.Stream), strings.Clone(e.Type)
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var refsIn = regexp.MustCompile(`"(email|name|phone|employee|team|start|credential|label|to|from)":(\{"ref":[^}]*\})`)

func TestAFilledDemo(t *testing.T) {
	t.Parallel()
	first, second := t.TempDir(), t.TempDir()
	done, err := fill(t, first, ofHistory)
	if err != nil || done.People != ofHistory.People {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := fill(t, second, ofHistory); err != nil {
		t.Fatal(err)
	}
	var digests [2][32]byte
	var events []domain.Recorded
	for i, dir := range []string{first, second} {
		h := open(t, dir, true)
		events = wholeLog(t, h.Home)
		if len(events) != done.Events || !events[len(events)-1].Recorded.Equal(done.At.Truncate(time.Microsecond)) {
			t.Fatalf("%d events until %s, of %+v", len(events), events[len(events)-1].Recorded, done)
		}
		text, err := json.Marshal(events)
		if err != nil {
			t.Fatal(err)
		}
		digests[i] = sha256.Sum256(text)
		if i == 0 {
			h.stop()
		} else {
			opensAll(t, h, events)
			logsIn(t, h, done)
		}
	}
	if digests[0] != digests[1] {
		t.Error("the same seed made two logs")
	}
	if _, err := fill(t, first, ofHistory); !errors.Is(err, home.ErrNotEmpty) {
		t.Errorf("a second time: %v", err)
	}
}

// opensAll opens every value that the log names: the vault checks each commitment.
func opensAll(t *testing.T, h *house, events []domain.Recorded) {
	t.Helper()
	kinds := map[string]vault.Kind{
		"email": vault.KindEmail, "name": vault.KindName, "phone": vault.KindPhone, "employee": vault.KindEmployee, "team": vault.KindTeam,
		"start": vault.KindStartDate, "credential": vault.KindCredential, "label": vault.KindDevice, "from": vault.KindPlace,
	}
	opened := 0
	for _, e := range events {
		s, ok := domain.SubjectOfStream(e.Stream)
		if !ok {
			if s, _ = domain.ParseSubjectID(strings.TrimPrefix(e.Stream, domain.LoginPrefix)); s.IsZero() {
				continue
			}
		}
		for _, found := range refsIn.FindAllSubmatch(e.Data, -1) {
			kind := kinds[string(found[1])]
			if string(found[1]) == "to" {
				if kind = vault.KindPhone; strings.Contains(string(e.Data), `"channel":"mail"`) {
					kind = vault.KindEmail
				}
			}
			var ref domain.Ref
			if err := json.Unmarshal(found[2], &ref); err != nil {
				t.Fatal(err)
			}
			value, err := h.Vault.Get(t.Context(), s, kind, ref)
			if err != nil || len(value) == 0 {
				t.Fatalf("%s of %s: %q, %v", e.Type, s, value, err)
			}
			opened++
		}
	}
	if opened < 500 {
		t.Errorf("only %d values", opened)
	}
}

// logsIn logs two people in, as whoever sees the demo can: one by SMS, and one with
// the phone that is anybody's.
func logsIn(t *testing.T, h *house, done madeup.Result) {
	t.Helper()
	who := map[string]string{}
	for _, e := range done.Examples {
		who[e.As] = e.Email
	}
	v, err := h.Desk.Login(t.Context(), who["sms"], madeup.Password, "nl")
	h.must(desk.ScreenLoginCode)(v, err)
	code := h.message(1)
	h.must(desk.ScreenAccount)(h.Desk.ConfirmLogin(t.Context(), v.Visit, code.Code))

	v, err = h.Desk.Login(t.Context(), who["pocket"], madeup.Password, "nl")
	v = h.must(desk.ScreenLoginApproval)(v, err)
	phone, err := h.MadeUpPhone(t.Context())
	if err != nil || phone == nil {
		t.Fatalf("no phone: %v", err)
	}
	waits, err := phone.Await(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := phone.Decide(t.Context(), waits, pairing.Approve, v.Login.Digits); err != nil {
		t.Fatal(err)
	}
	v = h.must(desk.ScreenAccount)(h.Desk.View(t.Context(), v.Visit))
	if v.Name == "" || v.Factor != enrolment.Pocket || v.Account.Device == "" {
		t.Errorf("%+v", v)
	}
	if r, ok := errors.AsType[*desk.Refusal](func() error {
		_, err := h.Desk.Login(t.Context(), who["sms"], madeup.EarlierPassword, "nl")
		return err
	}()); !ok || r.Code != desk.WrongLogin {
		t.Errorf("with an old password: %v", r)
	}
}

func TestADemoThatWasThereIsFilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, true)
	if err := h.Desk.OpenStation(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Desk.AddClient(t.Context(), "portal", service.Scopes()); err != nil {
		t.Fatal(err)
	}
	h.stop()
	done, err := fill(t, dir, ofHistory)
	if err != nil || done.People != ofHistory.People {
		t.Fatalf("%+v, %v", done, err)
	}
	h = open(t, dir, true)
	s, err := h.Vault.Find(t.Context(), done.Examples[0].Email)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-h.Feed.CaughtUp():
	case <-time.After(deadline):
		t.Fatal("the feed never caught up")
	}
	if got := h.Factors.Lookup(s); got.Factor != enrolment.SMS {
		t.Errorf("%+v", got)
	}
	if events, err := h.Log.ReadStream(t.Context(), login.Stream(s), 0); err != nil || len(events) == 0 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestOnlyADemoIsFilled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(t *testing.T, dir string)
		want error
	}{
		"a real home": {func(t *testing.T, dir string) {
			t.Helper()
			h := open(t, dir, false)
			if err := h.Desk.OpenStation(t.Context(), "test"); err != nil {
				t.Fatal(err)
			}
			h.stop()
		}, home.ErrNotADemo},
		"a real home in which nothing happened": {func(t *testing.T, dir string) {
			t.Helper()
			open(t, dir, false).stop()
		}, home.ErrNotADemo},
		"a demo with somebody in it": {func(t *testing.T, dir string) {
			t.Helper()
			h := open(t, dir, true)
			if _, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: email}, "by-hand"); err != nil {
				t.Fatal(err)
			}
			h.stop()
		}, home.ErrNotEmpty},
		"a demo in which somebody is on the way": {func(t *testing.T, dir string) {
			t.Helper()
			h := open(t, dir, true)
			if _, err := h.Vault.Claim(t.Context(), email); err != nil { // and nothing was recorded yet
				t.Fatal(err)
			}
			h.stop()
		}, home.ErrNotEmpty},
		"a master key without a log": {func(t *testing.T, dir string) {
			t.Helper()
			if _, err := vault.LoadOrCreateKeys(filepath.Join(dir, "master.key")); err != nil {
				t.Fatal(err)
			}
		}, home.ErrNotADemo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test.make(t, dir)
			before := contents(t, dir)
			if _, err := fill(t, dir, ofHistory); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("it was %s, and is %s", before, after)
			}
		})
	}
}

// contents says what a home holds that must not change.
func contents(t *testing.T, dir string) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "master.key")) //nolint:gosec // a folder of this test
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(key))
}

// TestADemosKeyOpensNoHome: the key that a seed makes is worth nothing anywhere else,
// also where a history was broken off before it began.
func TestADemosKeyOpensNoHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := vault.CreateDemoKeys(filepath.Join(dir, "master.key"), []byte{7}); err != nil {
		t.Fatal(err)
	}
	set, err := settings.Load(settings.Sources{Home: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()}); !errors.Is(err, vault.ErrDemoKeys) {
		t.Errorf("a real home opens: %v", err)
	}
}

// TestTheHelpdeskSeesALivelyDay over a history that has just ended.
func TestTheHelpdeskSeesALivelyDay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := ofHistory.Until // whatever the time is where this runs
	done, err := fill(t, dir, madeup.Config{People: 300, Days: 12, Seed: 5, Until: now})
	if err != nil {
		t.Fatal(err)
	}
	h := openAt(t, func() time.Time { return now }, dir, true)
	select {
	case <-h.Feed.CaughtUp():
	case <-time.After(deadline):
		t.Fatal("the feed never caught up")
	}
	today := now.Add(-6 * time.Hour)
	page, err := h.Desk.Board(t.Context(), desk.BoardQuery{Scope: desk.ScopeToday, Midnight: today, Limit: desk.MostRows})
	if err != nil {
		t.Fatal(err)
	}
	if c := page.Counts; c.Stuck < 5 || c.Busy < 2 || c.Done < 4 {
		t.Errorf("the board counts %+v", c)
	}
	if first := page.Rows[0]; first.Group != desk.GroupStuck || first.Name == "" {
		t.Errorf("first comes %+v", first)
	}
	codes := 0
	for _, row := range page.Rows {
		if row.HelpCode != "" {
			codes++
		}
	}
	if codes == 0 {
		t.Error("nobody was shown a help code")
	}
	for _, e := range done.Examples {
		s, err := h.Vault.Find(t.Context(), e.Email)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := h.Desk.PersonView(t.Context(), s); err != nil || len(v.Diagnosis.Checks) == 0 {
			t.Errorf("%s: %+v, %v", e.As, v.Diagnosis, err)
		}
	}
	kiosks, err := h.Desk.Kiosks(t.Context(), today)
	if err != nil {
		t.Fatal(err)
	}
	states, versions, failed, finished := map[desk.KioskState]int{}, map[string]bool{}, 0, 0
	for _, k := range kiosks {
		states[k.State]++
		versions[k.Version] = true
		finished += k.DoneToday
		if k.LastError != "" && k.LastErrorAt.After(today) {
			failed++
		}
	}
	if states[desk.KioskAlive] < 1 || states[desk.KioskSilent] < 1 || len(versions) < 2 || failed < 1 || finished < 4 || states[desk.KioskUnclear] > 0 {
		t.Errorf("the kiosks are %v, of %v; %d failed, %d enrolments today", states, versions, failed, finished)
	}
	if staff, err := h.Desk.Staff(t.Context()); err != nil || len(staff) != 7 {
		t.Errorf("%d of the staff have a role, %v", len(staff), err)
	}
}

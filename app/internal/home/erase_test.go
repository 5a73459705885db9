package home_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3/driver"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
)

// An admin and somebody else who approves; neither is whom it is about.
var (
	admin  = desk.Agent{Subject: domain.SubjectID{0xc}, Role: domain.RoleAdmin}
	second = bram
)

// erasure is what an admin asks for.
func erasure(s domain.SubjectID, why enrolment.CaseReason) desk.CaseRequest {
	return desk.CaseRequest{Subject: s, Action: enrolment.Erasing, Reason: why}
}

// traces are all bytes that must not outlive a person: what they are called and have, and
// what the vault's file holds of them, sealed or hashed.
func (h *house) traces(s domain.SubjectID) map[string][]byte {
	h.t.Helper()
	db, err := driver.Open("file:" + filepath.Join(h.dir, "vault.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	all := map[string][]byte{
		"the address": []byte(email), "the name": []byte(name), "a part of the name": []byte("Wilhelmina"),
		"the number": []byte(e164), "the number as typed": []byte(number), "the password": []byte(phrase), "a password's hash": []byte("$argon2id$"),
	}
	for what, query := range map[string]string{
		"sealed": `SELECT sealed FROM value WHERE subject = $1`, "salt": `SELECT salt FROM value WHERE subject = $1`,
		"key": `SELECT wrapped FROM person WHERE subject = $1`, "claim": `SELECT hash FROM claim WHERE subject = $1`, "mac": `SELECT mac FROM claim WHERE subject = $1`,
	} {
		rows, err := db.QueryContext(h.t.Context(), query, s[:])
		if err != nil {
			h.t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // see Err
		n := 0
		for ; rows.Next(); n++ {
			var b []byte
			if err := rows.Scan(&b); err != nil {
				h.t.Fatal(err)
			}
			all[fmt.Sprintf("%s %d", what, n)] = bytes.Clone(b)
			all[fmt.Sprintf("a part of %s %d", what, n)] = bytes.Clone(b[len(b)/3 : len(b)/3+10])
		}
		if err := rows.Err(); err != nil || n == 0 {
			h.t.Fatalf("%s: %d rows, %v", what, n, err)
		}
	}
	return all
}

// holding returns which traces stand in which file of a home.
func (h *house) holding(traces map[string][]byte) map[string][]string {
	h.t.Helper()
	found, files := map[string][]string{}, 0
	err := filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // a file of the test's own home
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		for what, trace := range traces {
			if bytes.Contains(b, trace) {
				found[what] = append(found[what], filepath.Base(path))
			}
		}
		return err
	})
	if err != nil || files < 4 {
		h.t.Fatalf("%d files: %v", files, err)
	}
	return found
}

// clean fails where a file of the home holds a trace.
func (h *house) clean(traces map[string][]byte) {
	h.t.Helper()
	for what, files := range h.holding(traces) {
		h.t.Errorf("%s is still in %s", what, files)
	}
}

// forgotten waits until the vault has forgotten somebody.
func (h *house) forgotten(s domain.SubjectID) {
	h.t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(5 * time.Millisecond) {
		erased, err := h.Vault.Erased(h.t.Context(), s)
		if err != nil {
			h.t.Fatal(err)
		}
		if erased {
			break
		}
		if time.Now().After(end) {
			h.t.Fatal("the vault never forgot them")
		}
	}
	for end := time.Now().Add(deadline); ; time.Sleep(5 * time.Millisecond) { // and until it is done on disk
		err := h.Vault.Erase(h.t.Context())
		if err == nil {
			return
		}
		if time.Now().After(end) || !errors.Is(err, domain.ErrUnavailable) { // the house is just doing it
			h.t.Fatal(err)
		}
	}
}

// A copy is of all files of a vault.
type vaultCopy map[string][]byte

func copyVault(t *testing.T, dir string) vaultCopy {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "vault.db*"))
	if err != nil {
		t.Fatal(err)
	}
	all := vaultCopy{}
	for _, f := range files {
		if all[f], err = os.ReadFile(f); err != nil { //nolint:gosec // a file of this test
			t.Fatal(err)
		}
	}
	return all
}

// putBack puts a copy in the place of the vault.
func (c vaultCopy) putBack(t *testing.T, dir string) {
	t.Helper()
	for f := range copyVault(t, dir) {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	for f, b := range c {
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// values counts what the vault says of what the events of somebody refer to.
func (h *house) values(s domain.SubjectID) map[desk.ValueState]int {
	h.t.Helper()
	checks, err := h.Desk.Commitments(h.t.Context(), s)
	if err != nil {
		h.t.Fatal(err)
	}
	counts := map[desk.ValueState]int{}
	for _, v := range checks {
		counts[v.State]++
	}
	return counts
}

func (h *house) state(s domain.SubjectID) factor.State { return h.Factors.Lookup(s).State }

// What a child of this test does; see TestMain.
const childErases = "KEYDESK_TEST_CHILD_ERASES"

// TestChildErases is the child. It holds a home open; or it records that somebody was
// erased, and stands still before the vault knows.
func TestChildErases(t *testing.T) { //nolint:paralleltest // alone in its program
	dir, whom, ok := strings.Cut(os.Getenv(childErases), ",")
	if !ok {
		t.Skip("only as a child")
	}
	if whom == "" {
		open(t, dir, false)
		fmt.Print("\nready\n")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		return
	}
	s, err := domain.ParseSubjectID(whom)
	if err != nil {
		t.Fatal(err)
	}
	set, err := settings.Load(settings.Sources{Home: dir})
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()}) // and not Run, which would see to it
	if err != nil {
		t.Fatal(err)
	}
	c := h.Desk.Config
	c.Copies, c.People = nil, &stubborn{People: c.People, erase: func() error {
		fmt.Print("\nready\n")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // which never comes
		return nil
	}}
	_, err = desk.New(c).RequestAlone(t.Context(), erasure(s, enrolment.CaseRequest))
	t.Fatal("it was not killed", err)
}

// stubborn is a vault that does something else than to erase.
type stubborn struct {
	desk.People
	erase func() error
}

func (s *stubborn) Erase(context.Context, ...domain.SubjectID) error { return s.erase() }

// startErasing starts the child and waits until it is there.
func startErasing(t *testing.T, dir, whom string) *exec.Cmd {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very test
	child.Env = append(os.Environ(), childErases+"="+dir+","+whom)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = child.Process.Kill(); _ = child.Wait() })
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the child ended by itself: %v", err)
		}
		if line == "ready\n" {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return child
		}
	}
}

func TestAnErasureLeavesNothingOfAPerson(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	h.refusedCase(desk.NotStaff)(h.Desk.RequestCase(ctx, desk.Agent{}, erasure(s, enrolment.CaseRequest)))
	startErasing(t, h.dir, "") // another program has the home open
	traces := h.traces(s)
	if found := h.holding(traces); len(found["sealed 0"]) == 0 || len(found["the address"]) == 0 || len(found["key 0"]) == 0 || len(found["claim 0"]) == 0 {
		t.Fatalf("the traces are not there before either: %v", found)
	}
	if v := h.values(s); v[desk.ValueHolds] < 6 || len(v) != 1 {
		t.Errorf("of the values before: %v", v)
	}
	other := h.toFactor("bram@voorbeeld.nl", h.messages()+1) // somebody else goes on
	n := h.messages()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, admin, erasure(s, enrolment.CaseRetention)))
	h.refusedCase(desk.SecondPerson)(h.Desk.ApproveCase(ctx, admin, s, v.Case))
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, second, s, v.Case))
	h.quiet()
	if items := h.outbox(); len(items) >= n { // theirs are gone, and no message came
		t.Errorf("%d messages of %d are left", len(items), n)
	}

	delete(traces, "the name") // which the other one has, too
	delete(traces, "a part of the name")
	delete(traces, "the number")
	h.clean(traces)
	if h.state(s) != factor.Erased {
		t.Errorf("the login service is told %s", h.state(s))
	}
	if v := h.values(s); v[desk.ValueErased] < 6 || len(v) != 1 {
		t.Errorf("of the values after: %v", v)
	}
	if _, err := phone.asked(); err == nil {
		t.Error("the phone still counts")
	}
	h.refused(desk.WrongLogin)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, other.Visit))
	for what, do := range map[string]func() (desk.CaseView, error){
		"again": func() (desk.CaseView, error) { return h.Desk.ApproveCase(ctx, second, s, v.Case) },
		"another": func() (desk.CaseView, error) {
			return h.Desk.RequestCase(ctx, admin, erasure(s, enrolment.CaseMistake))
		},
		"alone": func() (desk.CaseView, error) { return h.Desk.RequestAlone(ctx, erasure(s, enrolment.CaseMistake)) },
		"reset": func() (desk.CaseView, error) { return h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)) },
	} {
		if _, err := do(); !isRefusal(err, desk.Erased) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The history is whole, and says so.
	types := h.events(domain.EnrolmentStream(s))
	if i := slices.Index(types, "PersonErased"); i < 0 || !slices.Contains(types[:i], "PocketPaired") || !slices.Contains(types[:i], "RecoveryApproved") {
		t.Errorf("recorded is %v", types)
	}
	view, err := h.Desk.PersonView(ctx, s)
	if err != nil || !view.Erased || view.Name+view.Email+view.Phone != "" || view.Diagnosis.Cause.ID != "desk-cause-erased" {
		t.Errorf("their page shows %+v, %v", view, err)
	}
	if page, err := h.Desk.Board(ctx, desk.BoardQuery{Scope: desk.ScopeEverybody}); err != nil || page.Counts.All != 1 {
		t.Errorf("the board shows %+v, %v", page, err)
	}
	h.stop()
	h.clean(traces)
}

func TestAnErasedAddressEnrolsAsSomebodyNew(t *testing.T) {
	t.Parallel()
	h := demo(t)
	s := h.withSMS()
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(t.Context(), erasure(s, enrolment.CaseRequest)))
	h.quiet()
	next := 1
	if items := h.outbox(); len(items) > 0 { // the alarm
		next = items[len(items)-1].Number
	}
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(t.Context(), v.Visit, h.wait(next, func(m courier.Item) bool { return m.Code != "" && m.To == email }).Code))
	if v.Name != "" {
		t.Errorf("they are known: %+v", v)
	}
	if again := h.subject(); again == s || h.state(s) != factor.Erased || h.state(again) != factor.Enrolling {
		t.Errorf("%s is %s, %s is %s", s, h.state(s), again, h.state(again))
	}
	// HR announces them anew, too.
	if _, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: email, Name: name}, "b2"); err != nil {
		t.Error(err)
	}
	if got := h.events(domain.EnrolmentStream(s)); got[len(got)-1] != "RecoveryCompleted" {
		t.Errorf("something followed: %v", got)
	}
}

// A backup of the vault that is put back brings nobody back.
func TestAVaultThatIsPutBackIsErasedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, true)
	s := h.withSMS()
	h.stop()
	backup := copyVault(t, dir)
	h = open(t, dir, false)
	traces := h.traces(s)
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(t.Context(), erasure(s, enrolment.CaseRequest)))
	h.stop()
	h.clean(traces)
	backup.putBack(t, dir)
	h = open(t, dir, false)
	h.forgotten(s)
	if v := h.values(s); v[desk.ValueHolds] > 0 {
		t.Errorf("of the values: %v", v)
	}
	h.clean(traces)
	for end := time.Now().Add(deadline); h.logs.FilterMessageSnippet("forgotten").Len() != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody was told")
		}
	}
	h.stop()
	backup.putBack(t, dir)
	// A program that does one thing does it, too.
	set, err := settings.Load(settings.Sources{Home: dir})
	if err != nil {
		t.Fatal(err)
	}
	one, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // at the end
	for _, want := range []int{1, 0} {
		if n, err := one.EraseAgain(t.Context()); err != nil || n != want {
			t.Errorf("erased %d again instead of %d: %v", n, want, err)
		}
	}
	h.clean(traces)
}

// Killed between the event and the vault, an erasure is done by the next start.
func TestAnErasureThatIsBrokenOffIsFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, true)
	s := h.withSMS()
	h.stop()
	h = &house{t: t, dir: dir}
	traces := h.traces(s)
	child := startErasing(t, dir, s.String())
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if found := h.holding(traces); len(found["sealed 0"]) == 0 {
		t.Fatal("it was done before")
	}
	h = open(t, dir, false)
	h.forgotten(s)
	h.clean(traces) // the outbox is empty as well
	if got := count(h.events(domain.EnrolmentStream(s)), "PersonErased"); got != 1 {
		t.Errorf("erased %d times", got)
	}
}

// A vault that is away when somebody is erased does it when it is back, and nothing is
// claimed before.
func TestAnErasureThatTheVaultCannotDoNow(t *testing.T) {
	t.Parallel()
	h := demo(t)
	s := h.withSMS()
	desks, _ := h.desks(1, func(_ int, c *desk.Config) {
		c.People = &stubborn{People: c.People, erase: func() error { return domain.ErrUnavailable }}
	})
	h.refusedCase(desk.ErasureOpen)(desks[0].RequestAlone(t.Context(), erasure(s, enrolment.CaseRequest)))
	h.forgotten(s) // by the house, which follows the log
	if err := h.Desk.Erase(t.Context(), s); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := h.Desk.Erase(t.Context(), domain.SubjectID{7}); !errors.Is(err, desk.ErrNotErased) {
		t.Errorf("somebody of whom it is not recorded: %v", err)
	}
}

func TestTwoApproveAnErasureAtOnce(t *testing.T) {
	t.Parallel()
	h := demo(t)
	s := h.withSMS()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(t.Context(), admin, erasure(s, enrolment.CaseRetention)))
	approvers := []domain.SubjectID{{0xd, 1}, {0xd, 2}, {0xd, 3}, {0xd, 4}}
	desks, _ := h.desks(len(approvers), func(int, *desk.Config) {})
	var wg sync.WaitGroup
	done := make([]bool, len(desks))
	for i, d := range desks {
		wg.Go(func() {
			by := desk.Agent{Subject: approvers[i], Role: domain.RoleApprover}
			view, err := d.ApproveCase(t.Context(), by, s, v.Case)
			switch {
			case err == nil && view.Stage == desk.CaseDone && view.Second == by.Subject.String():
				done[i] = true
			case !isRefusal(err, desk.Erased):
				t.Errorf("the %dth: %+v, %v", i, view, err)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, d := range done {
		if d {
			n++
		}
	}
	types := h.events(domain.EnrolmentStream(s))
	if n != 1 || count(types, "PersonErased") != 1 || count(types, "RecoveryApproved") != 1 {
		t.Errorf("%d did it: %v", n, types)
	}
	h.forgotten(s)
}

// Who is there when they are erased is there no longer: at the kiosk, and under Mijn
// gegevens.
func TestAnErasureEndsTheVisitsOfAPerson(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(1).Code))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	stranger := h.must(desk.ScreenEmailCode)(h.Desk.At("kiosk-2").Begin(ctx, email, "nl"))
	ended := make(chan error, 1)
	go func() {
		for {
			next, err := h.Desk.Await(ctx, v.Visit, v.Version)
			if err != nil {
				ended <- err
				return
			}
			v.Version = next.Version
		}
	}()
	s := h.subject()
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(ctx, erasure(s, enrolment.CaseRequest)))
	select {
	case err := <-ended:
		h.refusedWith(desk.VisitOver, err)
	case <-time.After(deadline):
		t.Error("the visit goes on")
	}
	h.refused(desk.VisitOver)(h.Desk.GivePhone(ctx, v.Visit, number))
	if _, err := h.Desk.At("kiosk-2").ConfirmEmail(ctx, stranger.Visit, "123456"); err == nil || isRefusal(err, desk.Unavailable) {
		t.Errorf("a code of nobody: %v", err)
	}

	// Whoever is logged in.
	h = demo(t)
	s = h.withSMS()
	in := h.loggedIn()
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(ctx, erasure(s, enrolment.CaseRequest)))
	h.refused(desk.VisitOver)(h.Desk.ChangeName(ctx, in.Visit, "Sanne"))
	if got := h.events(login.Stream(s)); got[len(got)-1] != "LoginSucceeded" {
		t.Errorf("their logins went on: %v", got)
	}
}

// Whoever holds a role is not erased before it is taken from them; and at the windows of
// staff an admin asks, and an approver agrees.
func TestAnErasureAtTheWindowsOfStaff(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	asks, office := h.colleague("bram@voorbeeld.nl", domain.RoleAdmin)
	approves, other := h.colleague("lois@voorbeeld.nl", domain.RoleApprover)
	helps, desk1 := h.colleague("eva@voorbeeld.nl", domain.RoleHelpdesk)

	_, err := desk1.RequestCase(ctx, helps.ID, erasure(whom, enrolment.CaseRequest))
	h.refusedWith(desk.NoRight, err)
	_, err = other.RequestCase(ctx, approves.ID, erasure(whom, enrolment.CaseRequest))
	h.refusedWith(desk.NoRight, err)
	_, err = office.RequestCase(ctx, asks.ID, erasure(asks.Subject, enrolment.CaseRequest))
	h.refusedWith(desk.OwnAccount, err)
	_, err = office.RequestCase(ctx, asks.ID, erasure(helps.Subject, enrolment.CaseRetention))
	h.refusedWith(desk.HoldsRole, err)
	_, err = h.Desk.RequestAlone(ctx, erasure(helps.Subject, enrolment.CaseRetention))
	h.refusedWith(desk.HoldsRole, err)

	// The person stops it, who is told where it is in their name.
	n := h.messages()
	asked, err := office.RequestCase(ctx, asks.ID, erasure(whom, enrolment.CaseRequest))
	if err != nil || asked.Stage != desk.CaseWaiting {
		t.Fatalf("got %+v, %v", asked, err)
	}
	mail := h.says(n, courier.ByMail, "al je gegevens te wissen")
	if mail.To != email {
		t.Errorf("told %s", mail.To)
	}
	h.quiet()
	if got := h.messages(); got != n+1 {
		t.Errorf("%d messages", got-n)
	}
	if err := h.Desk.StopCase(ctx, stopCode(t, mail)); err != nil {
		t.Fatal(err)
	}
	_, err = other.ApproveCase(ctx, approves.ID, whom, asked.Case)
	h.refusedWith(desk.NoCase, err)

	// Who asked takes it back.
	if asked, err = office.RequestCase(ctx, asks.ID, erasure(whom, enrolment.CaseRetention)); err != nil {
		t.Fatal(err)
	}
	if denied, err := office.DenyCase(ctx, asks.ID, whom, asked.Case, enrolment.DeniedMistake); err != nil || denied.Stage != desk.CaseDenied {
		t.Fatalf("got %+v, %v", denied, err)
	}

	// A role that they were given meanwhile is in the way of the second person, too.
	if asked, err = office.RequestCase(ctx, asks.ID, erasure(whom, enrolment.CaseRetention)); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.Grant(ctx, desk.Console(), whom, domain.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	_, err = other.ApproveCase(ctx, approves.ID, whom, asked.Case)
	h.refusedWith(desk.HoldsRole, err)
	if err := h.Desk.Revoke(ctx, desk.Console(), whom, domain.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	rows, err := other.OpenCases(ctx, approves.ID)
	if err != nil || len(rows) != 1 || rows[0].Action != enrolment.Erasing || rows[0].Name != name {
		t.Fatalf("got %+v, %v", rows, err)
	}
	find := func() int {
		page, err := office.Board(ctx, asks.ID, desk.BoardQuery{Scope: desk.ScopeEverybody, Search: "sanne.de"})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	for end := time.Now().Add(deadline); find() != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("they are not found before either")
		}
	}
	done, err := other.ApproveCase(ctx, approves.ID, whom, asked.Case)
	if err != nil || done.Stage != desk.CaseDone {
		t.Fatalf("got %+v, %v", done, err)
	}
	for end := time.Now().Add(deadline); find() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("they are still found")
		}
	}
	view, err := office.Person(ctx, asks.ID, whom)
	if err != nil || !view.Erased || view.Name != "" {
		t.Errorf("their page shows %+v, %v", view, err)
	}
	_, err = office.RequestCase(ctx, asks.ID, erasure(whom, enrolment.CaseRetention))
	h.refusedWith(desk.Erased, err)
	if h.state(whom) != factor.Erased {
		t.Errorf("they are %s", h.state(whom))
	}
}

func TestRowsInPostgreSQLAreGoneAfterAnErasure(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	database := server.CreateDatabase(t)
	h := open(t, t.TempDir(), false, "vault.url="+server.URL(database))
	s, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: email, Name: name, Phone: number, Employee: "4711"}, "b1")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL(database)+"&search_path=keydesk")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // at the end
	rows := func() (values, claims, keys int) {
		t.Helper()
		err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM value WHERE subject = $1), (SELECT count(*) FROM claim WHERE subject = $1),
			(SELECT count(*) FROM person WHERE subject = $1 AND wrapped <> decode(repeat('00', length(wrapped)), 'hex'))`, s[:]).Scan(&values, &claims, &keys)
		if err != nil {
			t.Fatal(err)
		}
		return values, claims, keys
	}
	if values, claims, keys := rows(); values < 4 || claims != 1 || keys != 1 {
		t.Fatalf("before it: %d, %d, %d", values, claims, keys)
	}
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(t.Context(), erasure(s, enrolment.CaseRetention)))
	if values, claims, keys := rows(); values+claims+keys != 0 {
		t.Errorf("left are %d, %d, %d", values, claims, keys)
	}
	if v := h.values(s); v[desk.ValueErased] < 4 || len(v) != 1 {
		t.Errorf("of the values: %v", v)
	}
}

func TestWhoIsDueToBeErased(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	enrolled := h.withSMS()
	begun := h.toFactor("eva@voorbeeld.nl", h.messages()+1)
	h.end(begun)
	waits, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "lois@voorbeeld.nl", Name: "Lois"}, "b1")
	if err != nil {
		t.Fatal(err)
	}
	due := func(left, unfinished time.Duration) []desk.Due {
		t.Helper()
		all, err := h.Desk.Due(ctx, left, unfinished)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	h.imports(staffList(listed(1), desk.Person{Email: email}), desk.ImportOptions{})
	if got := due(time.Nanosecond, 30*day); len(got) != 0 {
		t.Errorf("due at once: %+v", got)
	}
	h.imports(staffList(listed(1)), desk.ImportOptions{Leavers: true})
	c.pass(31 * day)
	if got := due(0, 0); len(got) != 0 {
		t.Errorf("due though nobody ever is: %+v", got)
	}
	got := due(0, 30*day)
	if len(got) != 1 || got[0].Subject != h.subjectOf("eva@voorbeeld.nl") || got[0].Why != desk.DueUnfinished || got[0].Email != "eva@voorbeeld.nl" || got[0].Name != name {
		t.Errorf("unfinished: %+v", got)
	}
	got = due(30*day, 0)
	if len(got) != 2 || got[0].Why != desk.DueLeft || !slices.ContainsFunc(got, func(d desk.Due) bool { return d.Subject == enrolled && !d.Role }) ||
		!slices.ContainsFunc(got, func(d desk.Due) bool { return d.Subject == waits }) {
		t.Errorf("left: %+v", got)
	}
	if got := due(32*day, 32*day); len(got) != 0 {
		t.Errorf("due too early: %+v", got)
	}
	if err := h.Desk.Grant(ctx, desk.Console(), enrolled, domain.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	if got := due(30*day, 0); !slices.ContainsFunc(got, func(d desk.Due) bool { return d.Subject == enrolled && d.Role }) {
		t.Errorf("with a role: %+v", got)
	}
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(ctx, erasure(h.subjectOf("eva@voorbeeld.nl"), enrolment.CaseRetention)))
	h.invite("lois@voorbeeld.nl") // somebody wants them here after all
	if got := due(30*day, 30*day); len(got) != 1 || got[0].Subject != enrolled {
		t.Errorf("after one was erased, and one invited: %+v", got)
	}
}

// What was sealed before an erasure verifies after it: not a byte of the log is another.
func TestTheHistoryVerifiesAfterAnErasure(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	keys, err := vault.KeysFromFile(filepath.Join(h.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "seal")
	tree, err := seal.Open(ctx, seal.Config{Folder: folder, Log: h.Log, Keys: keys, Register: &soleSealer{}, Skip: []string{store.ProbePrefix}, Writer: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close() //nolint:errcheck // at the end
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = tree.Run(running) }() // ends with its context
	defer func() { stop(); <-ended }()
	sealed := func() proof.Checkpoint {
		t.Helper()
		for end := time.Now().Add(deadline); ; time.Sleep(20 * time.Millisecond) { // it begins in a moment
			err := tree.Now(ctx)
			if c, ok := tree.Checkpoint(); err == nil && ok {
				return c
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	before := sealed()
	h.stage(desk.CaseDone)(h.Desk.RequestAlone(ctx, erasure(s, enrolment.CaseRequest)))
	h.forgotten(s)
	after := sealed()
	if after.Size <= before.Size {
		t.Fatalf("sealed are %d, and then %d", before.Size, after.Size)
	}
	found, err := seal.Verify(ctx, h.Log, folder, seal.VerifyOptions{
		Keys: keys, Skip: []string{store.ProbePrefix}, Now: time.Now(), Since: before.Note,
	}, nil)
	if err != nil || found.Bad != nil || found.Size < after.Size || found.Expired != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// soleSealer is a register in memory, of which nobody else knows.
type soleSealer struct {
	mu   sync.Mutex
	last service.SealBegun
}

func (r *soleSealer) Sealing(context.Context) (service.SealBegun, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, nil
}

func (r *soleSealer) BeginSeal(_ context.Context, e service.SealBegun, _ string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = e
	return nil
}

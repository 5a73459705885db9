package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	"github.com/keydesk/keydesk/app/internal/afas/afastest"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"keydeskd": main}) }

// Every script has $KEYDESK_HOME, which does not exist yet, $SECOND, the verifier of
// bundles that is not ours, and nothing of the environment of whoever runs the tests. Beside testscript's own commands:
//
//	station              open the home as a demo and keep it open to the end
//	walk EMAIL SCREEN    enrol somebody at the station as far as a screen, or
//	                     with a phone ("pocket")
//	guess EMAIL N        type N wrong codes for the address
//	login EMAIL          have somebody log in as far as their phone; sets $DIGITS
//	json FIELD VALUE     the last output is an object in which the field is so
//	                     (fields of fields with a dot; "-": it is not there)
//	ndjson N             the last output is N lines, an event each
//	keep NAME FIELD      set a variable to a field of the last output
//	await FILE TEXT      wait until a file holds a text
//	answering ADDRESS    wait until somebody listens there
//	certificate FILE KEY DAYS
//	                     write a certificate for 127.0.0.1 that ends in so many
//	                     days, and its key, in the place of what is there
//	ask URL ROOTS TOKEN  ask the API with the token in a file, over TLS with the
//	                     certificates in another one; wait until it answers.
//	                     With "!" the one try has to fail
//	approve CASE         have another member of staff approve a case
//	fill FILE PEOPLE     make a log in which so many people have enrolled, with
//	                     eleven events each
//	unzip ZIP NAME FILE  take a file out of a zip
//	tamper ZIP NAME OLD NEW
//	                     change the first OLD in a file of a zip into NEW
//	grown FILE BYTES     wait until a file is as large
//	forge FILE [KEY]     have somebody's SMS not count in a snapshot of the factors,
//	                     with its checksum made right, and with the master key its
//	                     MAC; sets $FORGED to who it is
//	afas FILE            have an AFAS give the rows of a CSV file, and from the
//	                     first time on sets $AFAS_URL; its token is in afas.token
//	identity FILE...     write private keys of age; sets $RECIPIENT to the public
//	                     key of the first
//	newest NAME FOLDER   set a variable to the newest backup in a folder
//	staff FILE PEOPLE    write a list of so many people, as a Dutch spreadsheet
//	                     does: Windows-1252 and semicolons
func TestScripts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts some hundred processes, a second each under the race detector")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("KEYDESK_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("TZ", "UTC")
			second, err := filepath.Abs(filepath.Join("..", "internal", "seal", "proof", "testdata", "verify.py"))
			if err != nil {
				return err
			}
			e.Setenv("SECOND", second)
			e.Values[stageKey{}] = new(stage)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"station": cmdStation, "walk": cmdWalk, "guess": cmdGuess, "login": cmdLogin,
			"json": cmdJSON, "ndjson": cmdNDJSON, "keep": cmdKeep, "await": cmdAwait, "answering": cmdAnswering,
			"certificate": cmdCertificate, "ask": cmdAsk,
			"approve": cmdApprove, "fill": cmdFill, "grown": cmdGrown, "forge": cmdForge, "staff": cmdStaff, "afas": cmdAFAS,
			"identity": cmdIdentity, "newest": cmdNewest,
			"unzip": cmdUnzip, "tamper": cmdTamper,
		},
	})
}

// A stage is what one script's commands share.
type stage struct {
	*hall
	afas *afastest.Server
}

type stageKey struct{}

func on(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

func cmdStation(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: station")
	}
	s, err := openStation(context.Background(), ts.Getenv("KEYDESK_HOME"))
	ts.Check(err)
	on(ts).hall = s
	ts.Defer(func() { ts.Check(s.stop()) })
}

func cmdWalk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: walk EMAIL SCREEN")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	to := desk.Screen(args[1])
	if to == "pocket" {
		v, err := on(ts).walk(ctx, args[0], desk.ScreenFactor)
		ts.Check(err)
		ts.Check(on(ts).pair(ctx, v.Visit, ts.MkAbs("phone.key")))
		return
	}
	if !slices.Contains(way, to) {
		ts.Fatalf("no walk ends on %s", to)
	}
	_, err := on(ts).walk(ctx, args[0], to)
	ts.Check(err)
}

func cmdGuess(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: guess EMAIL N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(on(ts).guessWrongly(context.Background(), args[0], n))
}

func cmdApprove(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: approve CASE")
	}
	open, err := on(ts).Desk.OpenCases(context.Background())
	ts.Check(err)
	for _, c := range open {
		if c.Case == args[0] {
			_, err := on(ts).Desk.ApproveCase(context.Background(), desk.Agent{Subject: domain.SubjectID{0xb}, Role: domain.RoleApprover}, c.Subject, c.Case)
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("case %s is not open", args[0])
}

func cmdLogin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: login EMAIL")
	}
	l, err := on(ts).Desk.StartLogin(context.Background(), desk.LoginAttempt{
		Client: "portal", Email: args[0], Password: phrase, From: "Firefox, Utrecht",
	})
	ts.Check(err)
	ts.Setenv("DIGITS", l.Digits)
}

// field returns a field of the last output, as JSON; false where there is none.
func field(ts *testscript.TestScript, path string) (string, bool) {
	rest := json.RawMessage(ts.ReadFile("stdout"))
	for name := range strings.SplitSeq(path, ".") {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(rest, &object); err != nil {
			ts.Fatalf("%s: not an object: %v", path, err)
		}
		var ok bool
		if rest, ok = object[name]; !ok {
			return "", false
		}
	}
	return string(rest), true
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json FIELD VALUE")
	}
	got, ok := field(ts, args[0])
	switch want := args[1]; {
	case want == "-" && ok, want != "-" && !ok:
		ts.Fatalf("%s: there %v", args[0], ok)
	case ok && got != want && got != strconv.Quote(want):
		ts.Fatalf("%s is %s, want %s", args[0], got, want)
	}
}

func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME FIELD")
	}
	value, ok := field(ts, args[1])
	if !ok {
		ts.Fatalf("no %s in the last output", args[1])
	}
	ts.Setenv(args[0], strings.Trim(value, `"`))
}

func cmdNDJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ndjson N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile("stdout")))
	lines.Buffer(nil, 1<<20)
	found, last := 0, uint64(0)
	for ; lines.Scan(); found++ {
		var e struct {
			Position         uint64
			Stream, ID, Type string
			Revision         *int64
			Recorded         time.Time
			Data, Metadata   map[string]any
			Words            string
			Depth            int
			Leaf             *leafLine
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			ts.Fatalf("line %d: %v", found+1, err)
		}
		if e.Position <= last || e.Revision == nil || e.Stream == "" || e.ID == "" || e.Type == "" ||
			e.Recorded.IsZero() || e.Data == nil || e.Metadata["$correlationId"] == nil {
			ts.Fatalf("line %d is no event: %s", found+1, lines.Text())
		}
		last = e.Position
	}
	if found != n {
		ts.Fatalf("%d lines, want %d", found, n)
	}
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
	}
	ts.Fatalf("%s never held %q", args[0], args[1])
}

func cmdAnswering(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answering ADDRESS")
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", args[0]); err == nil { //nolint:noctx // as short as the test
			ts.Check(c.Close())
			return
		}
	}
	ts.Fatalf("nobody listens at %s", args[0])
}

func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill FILE PEOPLE")
	}
	people, err := strconv.Atoi(args[1])
	ts.Check(err)
	ctx := context.Background()
	l, err := store.OpenSQLite(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	var all errgroup.Group
	all.SetLimit(64) // those at the same time share a commit
	for n := range people {
		all.Go(func() error {
			_, err := l.Append(ctx, domain.EnrolmentStream(foldtest.Subject(n)), domain.NoStream, foldtest.Enrolled(n, 0)...)
			return err
		})
	}
	ts.Check(errors.Join(all.Wait(), l.Close()))
}

// unzip returns what a zip holds, in order.
func unzip(ts *testscript.TestScript, file string) (names []string, files map[string]string) {
	z, err := zip.OpenReader(ts.MkAbs(file))
	ts.Check(err)
	files = map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		ts.Check(err)
		b, err := io.ReadAll(r)
		ts.Check(err)
		names, files[f.Name] = append(names, f.Name), string(b)
	}
	ts.Check(z.Close())
	return names, files
}

func cmdUnzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: unzip ZIP NAME FILE")
	}
	_, files := unzip(ts, args[0])
	content, ok := files[args[1]]
	if !ok {
		ts.Fatalf("no %s in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(content), 0o600))
}

func cmdTamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: tamper ZIP NAME OLD NEW")
	}
	names, files := unzip(ts, args[0])
	if !strings.Contains(files[args[1]], args[2]) {
		ts.Fatalf("no %s in %s", args[2], args[1])
	}
	files[args[1]] = strings.Replace(files[args[1]], args[2], args[3], 1)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		w, err := z.Create(name)
		ts.Check(err)
		_, err = io.WriteString(w, files[name])
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

func cmdStaff(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: staff FILE PEOPLE")
	}
	people, err := strconv.Atoi(args[1])
	ts.Check(err)
	var list strings.Builder
	list.WriteString("E-mail;Voornaam;Achternaam;Mobiel;Personeelsnummer;In dienst;Taal;Afdeling\r\n")
	for n := range people {
		fmt.Fprintf(&list, "p%d@voorbeeld.nl;Ren\xe9e;Jansen;06%08d;%06d;1-12-2026;Nederlands;Burgerzaken\r\n", n, 10_000_000+n, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(list.String()), 0o600))
}

func cmdGrown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: grown FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() >= size {
			return
		}
	}
	ts.Fatalf("%s never had %d bytes", args[0], size)
}

func cmdIdentity(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: identity FILE...")
	}
	for i, file := range args {
		id, err := age.GenerateX25519Identity()
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(id.String()+"\n"), 0o600))
		if i == 0 {
			ts.Setenv("RECIPIENT", id.Recipient().String())
		}
	}
}

func cmdNewest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: newest NAME FOLDER")
	}
	all, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "2*Z"))
	ts.Check(err)
	if len(all) == 0 {
		ts.Fatalf("no backup in %s", args[1])
	}
	ts.Setenv(args[0], slices.Max(all))
}

func cmdAFAS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: afas FILE")
	}
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	var rows []afastest.Row
	for _, r := range records[1:] {
		row := afastest.Row{}
		for i, v := range r {
			if v != "" { // else null
				row[records[0][i]] = v
			}
		}
		rows = append(rows, row)
	}
	s := on(ts)
	if s.afas != nil {
		s.afas.Change(func([]afastest.Row) []afastest.Row { return rows })
		return
	}
	s.afas = afastest.Start(records[0], rows...)
	ts.Defer(s.afas.Close)
	ts.Setenv("AFAS_URL", s.afas.URL)
	ts.Check(os.WriteFile(ts.MkAbs("afas.token"), []byte(afastest.Token+"\n"), 0o600))
}

// cmdForge knows how a snapshot of the factors is written: rows of 68 bytes, each of an id,
// the head and the factor, and the checksum of all.
func cmdForge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: forge FILE [KEY]")
	}
	file, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	const row, smsWithNumber, number = 68, 1 | 1<<2, 1 << 2
	body, mac := file[:len(file)-2*sha256.Size], file[len(file)-sha256.Size:]
	for at := len(body) - row; at > row; at -= row {
		if bits := &body[at+row-1]; *bits == smsWithNumber {
			*bits &^= number
			ts.Setenv("FORGED", domain.SubjectID(body[at:at+16]).String())
			sum := sha256.Sum256(body)
			if len(args) == 2 {
				mac = macOf(ts, ts.MkAbs(args[1]), filepath.Base(args[0]), slices.Concat(body[len(body)-sha256.Size:], sum[:]))
			}
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), slices.Concat(body, sum[:], mac), 0o600)) //nolint:gosec // the script's own folder
			return
		}
	}
	ts.Fatalf("nobody has SMS in %s", args[0])
}

// macOf makes the MAC of a snapshot, as whoever has the master key can.
func macOf(ts *testscript.TestScript, keyFile, name string, end []byte) []byte {
	keys, err := vault.LoadOrCreateKeys(keyFile)
	ts.Check(err)
	key, _ := keys.Derive("folds/snapshots")
	mac := hmac.New(sha256.New, key[:])
	fmt.Fprintf(mac, "%d %s\n%s", len(name), name, end)
	return mac.Sum(nil)
}

package seal_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// tamper does to the log's file what its triggers keep others from doing.
func (w *town) tamper(sql ...string) {
	w.t.Helper()
	path := strings.TrimPrefix(w.url, store.Scheme)
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // what failed was told
	all := []string{"PRAGMA busy_timeout = 5000"}
	for _, table := range []string{"events", "streams", "types", "store"} {
		for _, verb := range []string{"UPDATE", "DELETE"} {
			all = append(all, fmt.Sprintf("DROP TRIGGER IF EXISTS %s_%s", table, verb))
		}
	}
	for _, one := range append(all, sql...) {
		if err := db.Exec(one); err != nil {
			w.t.Fatalf("%s: %v", one, err)
		}
	}
}

// shift moves the positions of all events from one on, in two steps, since they are
// unique.
func shift(from, by int) []string {
	return []string{
		fmt.Sprintf("UPDATE events SET position = -position WHERE position >= %d", from),
		fmt.Sprintf("UPDATE events SET position = -position + %d WHERE position < 0", by),
	}
}

func insert(at int) string {
	return fmt.Sprintf(`INSERT INTO events SELECT %d, stream, 100000, type, recorded, data, randomblob(16), metadata FROM events WHERE position = 2`, at)
}

func swap(a, b int) []string {
	return []string{
		fmt.Sprintf("UPDATE events SET position = -1 WHERE position = %d", a),
		fmt.Sprintf("UPDATE events SET position = %d WHERE position = %d", a, b),
		fmt.Sprintf("UPDATE events SET position = %d WHERE position = -1", b),
	}
}

func TestWhatWasDoneToALogIsFound(t *testing.T) {
	t.Parallel()
	set := func(what string) []string { return []string{"UPDATE events SET " + what + " WHERE position = 50"} }
	for name, c := range map[string]struct {
		sql  []string
		kind seal.FindingKind
		at   uint64
	}{
		"its data":                        {set(`data = '{"challenge":"x"}'`), seal.Changed, 50},
		"a space in its data":             {set(`data = data || ' '`), seal.Changed, 50},
		"its metadata":                    {set(`metadata = '{}'`), seal.Changed, 50},
		"no metadata":                     {set(`metadata = NULL`), seal.Changed, 50},
		"its time, by a microsecond":      {set(`recorded = recorded + 1`), seal.Changed, 50},
		"its id":                          {set(`id = randomblob(16)`), seal.Changed, 50},
		"its revision":                    {set(`revision = 100000`), seal.Changed, 50},
		"its type":                        {append([]string{`INSERT INTO types (name) VALUES ('PhoneConfirmed')`}, set(`type = (SELECT id FROM types WHERE name = 'PhoneConfirmed')`)...), seal.Changed, 50},
		"whose it is":                     {append([]string{`INSERT INTO streams (name) VALUES ('enrolment-x')`}, set(`stream = (SELECT id FROM streams WHERE name = 'enrolment-x')`)...), seal.Changed, 50},
		"the name of a type":              {[]string{`UPDATE types SET name = 'NameSet' WHERE name = 'EmailConfirmed'`}, seal.Changed, 1},
		"a type that is no text":          {[]string{`UPDATE types SET name = CAST(x'ff' AS TEXT) WHERE name = 'EmailConfirmed'`}, seal.Changed, 1},
		"it is gone":                      {[]string{`DELETE FROM events WHERE position = 50`}, seal.Missing, 50},
		"the first one is gone":           {[]string{`DELETE FROM events WHERE position = 1`}, seal.Missing, 1},
		"gone, and the rest moved up":     {append([]string{`DELETE FROM events WHERE position = 50`}, shift(51, -1)...), seal.Missing, 50},
		"one more":                        {append(shift(50, 1), insert(50)), seal.Inserted, 50},
		"one more, where one is gone":     {[]string{`DELETE FROM events WHERE position = 50`, insert(50)}, seal.Changed, 50},
		"two neighbours in another order": {swap(50, 51), seal.Reordered, 50},
		"two far apart in another order":  {swap(50, 350), seal.Reordered, 50},
		"the end is cut off":              {[]string{`DELETE FROM events WHERE position > 390`}, seal.Truncated, 391},
		"nothing is left":                 {[]string{`DELETE FROM events`}, seal.Truncated, 1},
		"another log's id":                {[]string{`UPDATE store SET id = '00000000-0000-4000-8000-000000000000'`}, seal.Foreign, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			w.appendTo("enrolment-7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", 60)
			w.append(340)
			w.sealed()
			if err := w.log.Close(); err != nil {
				t.Fatal(err)
			}
			w.tamper(c.sql...)
			w.open()
			if f := w.found(c.kind, c.at); f.String() == "" || strings.Contains(f.String(), "c50") {
				t.Errorf("says %q", f)
			}
		})
	}
}

// A name that somebody has written into the log does not clear away what is said of it.
func TestAFindingIsFitForATerminal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	if err := w.log.Close(); err != nil { // which knows the names that it has read
		t.Fatal(err)
	}
	w.tamper(`UPDATE types SET name = 'x' || char(27) || '[2K' || char(13, 10) || 'all is well' WHERE name = 'EmailConfirmed'`)
	w.open()
	if f := w.found(seal.Changed, 1); strings.ContainsAny(f.String(), "\x1b\r\n") {
		t.Errorf("it says %q", f)
	}
}

// Nor does the name of a tree, which the log says was sealed before.
func TestTheTreeBeforeIsFitForATerminal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	w.tamper(`UPDATE events SET data = ('{"sealer":"00","origin":"keydesk/x\u001b[8m\nall is well","key":""}')
		WHERE type = (SELECT id FROM types WHERE name = 'SealBegun')`)
	w.open()
	r := w.verify()
	if r.Bad == nil || r.Before == nil || !strings.HasPrefix(r.Before.Checkpoint.Origin, "keydesk/x") || strings.ContainsAny(r.Before.Checkpoint.Origin, "\x1b\r\n") {
		t.Errorf("it goes on from %+v; bad: %v", r.Before, r.Bad)
	}
}

// An older copy of the log is put back, and work goes on: sealing stops at once, and
// says where.
func TestAnOldBackupOfTheLog(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(300)
	w.sealed()
	revisions := maps.Clone(w.next)
	restore := w.backup(false)
	w.append(100)
	w.sealed()
	restore()
	w.next = revisions
	w.found(seal.Truncated, 302)
	refused := func() {
		t.Helper()
		s, err := seal.Open(t.Context(), w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // only read
		if err := s.Now(t.Context()); !errors.Is(err, seal.ErrHistory) {
			t.Errorf("sealing went on: %v", err)
		}
	}
	refused()
	w.append(200)
	w.found(seal.Changed, 302)
	refused()
	// Somebody decides to go on: the new tree begins with what the old one said.
	if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
		t.Fatal(err)
	}
	w.sealed()
	w.good()
}

// backup copies the log, and perhaps its seal, as they are now. What it returns puts
// them back, over what was written since.
func (w *town) backup(withSeal bool) (restore func()) {
	w.t.Helper()
	path, kept := strings.TrimPrefix(w.url, store.Scheme), w.t.TempDir()
	if err := w.log.Close(); err != nil { // which leaves nothing beside the file
		w.t.Fatal(err)
	}
	w.copyFile(path, filepath.Join(kept, "log"))
	if withSeal {
		if err := os.CopyFS(filepath.Join(kept, "seal"), os.DirFS(w.folder)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.open()
	return func() {
		w.t.Helper()
		if err := w.log.Close(); err != nil {
			w.t.Fatal(err)
		}
		w.copyFile(filepath.Join(kept, "log"), path)
		if withSeal {
			if err := errors.Join(os.RemoveAll(w.folder), os.CopyFS(w.folder, os.DirFS(filepath.Join(kept, "seal")))); err != nil {
				w.t.Fatal(err)
			}
		}
		w.open()
	}
}

func (w *town) copyFile(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(from) //nolint:gosec // of the test
	if err == nil {
		err = os.WriteFile(to, b, 0o600) //nolint:gosec // of the test
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// Events of logins may be gone after their time, or by a pruning that is recorded
// and sealed; no other event may, and no younger one.
func TestLoginsThatAreGone(t *testing.T) {
	t.Parallel()
	const keep = 400 * 24 * time.Hour
	aged := func(t *testing.T) *town {
		t.Helper()
		w := newTown(t)
		w.append(100)
		old := time.Now().Add(-keep - 48*time.Hour).UnixMicro()
		w.tamper(fmt.Sprintf("UPDATE events SET recorded = %d + position WHERE position <= 50", old))
		w.sealed()
		return w
	}
	logins := "DELETE FROM events WHERE stream = (SELECT id FROM streams WHERE name LIKE 'login-%')"
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		w := aged(t)
		w.tamper(logins + " AND position <= 50")
		r := w.good()
		if age := time.Since(r.LastExpired) - keep; r.Expired == 0 || r.Events+r.Expired != 101 || age < 48*time.Hour || age > 73*time.Hour {
			t.Errorf("%+v", r)
		}
		w.append(10) // sealing goes on
		w.sealed()
		w.good()
		forever := func(o *seal.VerifyOptions) { o.KeepLogins = 0 }
		w.found(seal.Missing, 6, forever)
	})
	t.Run("too early", func(t *testing.T) {
		t.Parallel()
		w := aged(t)
		w.tamper(logins)
		if f := w.found(seal.Missing, 0); f.Position <= 50 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("others", func(t *testing.T) {
		t.Parallel()
		w := aged(t)
		w.tamper("DELETE FROM events WHERE position = 1")
		w.found(seal.Missing, 1)
	})
	t.Run("pruned", func(t *testing.T) {
		t.Parallel()
		w := aged(t)
		prune := func(before time.Time) {
			t.Helper()
			m := domain.Message{ID: domain.EventID(uuid.New()), Type: "LoginsPruned", Metadata: []byte(`{}`)}
			m.Data = fmt.Appendf(nil, `{"before":%q,"events":20}`, before.UTC().Format(time.RFC3339))
			events, err := w.log.ReadStream(t.Context(), domain.ServiceStream, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.log.Append(t.Context(), domain.ServiceStream, domain.Revision(len(events)-1), m); err != nil {
				t.Fatal(err)
			}
		}
		forever := func(o *seal.VerifyOptions) { o.KeepLogins = 0 }
		w.tamper(logins + " AND position <= 50")
		prune(time.Now().Add(-keep))
		w.found(seal.Missing, 6, forever) // the pruning itself is not sealed yet
		w.sealed()
		if r := w.verify(forever); r.Bad != nil || r.Expired == 0 {
			t.Errorf("%+v", r)
		}
		prune(time.Now().Add(1000 * time.Hour)) // of the future: allows nothing
		prune(time.Now())                       // nor does one of what is never pruned
		prune(time.Now().Add(1000 * time.Hour)) // nor one that claims to be of the future itself
		w.tamper(fmt.Sprintf("UPDATE events SET recorded = %d WHERE position = (SELECT max(position) FROM events)", time.Now().Add(2000*time.Hour).UnixMicro()))
		w.sealed()
		w.tamper(logins)
		if f := w.found(seal.Missing, 0, forever); f.Position <= 50 {
			t.Errorf("%+v", f)
		}
	})
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			if at < 0 {
				at += len(b)
			}
			b[at] ^= 1
			return b
		}
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:max(0, len(b)-n)] } }
	replace := func(from, to string) func([]byte) []byte {
		return func(b []byte) []byte { return []byte(strings.Replace(string(b), from, to, 1)) }
	}
	for name, c := range map[string]struct {
		file    string
		change  func([]byte) []byte
		finding seal.FindingKind // "": an error
		goesOn  bool             // sealing does: only Verify looks so closely
	}{
		"a leaf's hash":             {"hashes", flip(0), seal.BadRoot, false},
		"a node's hash":             {"hashes", flip(64), seal.BadRoot, true},
		"the edge of the tree":      {"hashes", flip(511*32 + 3), seal.BadRoot, false},
		"a short tree":              {"hashes", cut(32 * 40), seal.BadRoot, false},
		"no tree":                   {"hashes", cut(1 << 30), seal.BadRoot, false},
		"a position in the index":   {"index", flip(7), seal.BadIndex, false},
		"a class in the index":      {"index", flip(16*60 + 15), seal.BadIndex, false},
		"a short index":             {"index", cut(16), seal.BadIndex, false},
		"no index":                  {"index", nil, "", false},
		"no hashes":                 {"hashes", nil, "", false},
		"a signature in the list":   {"checkpoints", flip(-10), seal.BadSignature, false},
		"a root in the list":        {"checkpoints", replace(`\nindex `, `\nindex  `), seal.BadSignature, false},
		"a size in the list":        {"checkpoints", replace(`\n301\n`, `\n300\n`), seal.BadSignature, false},
		"a line that is no JSON":    {"checkpoints", replace(`{"at"`, `"at"`), seal.BadSignature, false},
		"half a list":               {"checkpoints", cut(1 << 30), seal.BadSignature, false},
		"the checkpoint":            {"checkpoint", replace("\n301\n", "\n302\n"), seal.BadSignature, false},
		"no checkpoint":             {"checkpoint", cut(1 << 30), seal.BadSignature, false},
		"the key":                   {"tree.json", replace("+A", "+B"), "", false},
		"half of what it is of":     {"tree.json", cut(20), "", false},
		"a format that is not ours": {"tree.json", replace(`"format": 1`, `"format": 2`), "", false},
		"not what it is of":         {"tree.json", nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			w.append(300)
			w.sealed()
			if err := damage(filepath.Join(w.folder, c.file), c.change); err != nil {
				t.Fatal(err)
			}
			r, err := seal.Verify(t.Context(), w.log, w.folder, w.options(), nil)
			switch {
			case c.finding == "" && err == nil:
				t.Errorf("verified: %+v", r)
			case c.finding != "" && (err != nil || r.Bad == nil || r.Bad.Kind != c.finding):
				t.Errorf("found %+v, %v", r.Bad, err)
			}
			s, err := seal.Open(t.Context(), w.config())
			if err == nil {
				w.append(1)
				err = s.Now(t.Context())
				_ = s.Close()
			}
			if (err == nil) != c.goesOn {
				t.Errorf("sealing: %v", err)
			}
		})
	}
}

// damage changes a file; nil removes it.
func damage(path string, change func([]byte) []byte) error {
	if change == nil {
		return os.Remove(path)
	}
	b, err := os.ReadFile(path) //nolint:gosec // of the test
	if err != nil {
		return err
	}
	before := string(b)
	if b = change(b); string(b) == before {
		return errors.New("nothing was changed")
	}
	return os.WriteFile(path, b, 0o600)
}

// The whole folder is made anew by somebody who has another key: it is not the one
// that the master key makes.
func TestASealWithAnotherKey(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(100)
	w.sealed()
	if err := os.RemoveAll(w.folder); err != nil {
		t.Fatal(err)
	}
	forger := w.config()
	forger.Keys = masterKey("forged")
	if err := seal.Anew(t.Context(), forger, nil); err != nil {
		t.Fatal(err)
	}
	s, err := seal.Open(t.Context(), forger)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	honest := func(o *seal.VerifyOptions) { o.Keys = both{} }
	w.found(seal.BadSignature, 0, honest)
}

// both holds the ids of all keys, and one secret: as if the id had been copied.
type both struct{ masterKey }

func (both) DeriveWith(_, purpose string) ([32]byte, error) {
	return masterKey("m1").DeriveWith("m1", purpose)
}

// Whoever holds the master key can sign an index that says of any event that it was a
// login of long ago. While the event is there it does not fit; afterwards a checkpoint of
// before shows it, though the tree is the same.
func TestAnIndexThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(100)
	honest := w.sealed()
	path := filepath.Join(w.folder, "index")
	index, err := os.ReadFile(path) //nolint:gosec // of the test
	if err != nil {
		t.Fatal(err)
	}
	forged := proof.Entry{Position: 50, Class: proof.Login}
	copy(index[49*proof.EntrySize:], forged.Append(nil))
	w.resign(honest, index)
	w.found(seal.BadIndex, 50)
	w.tamper("DELETE FROM events WHERE position = 50")
	w.good() // by itself it shows nothing
	w.found(seal.Inconsistent, 0, func(o *seal.VerifyOptions) { o.Since = honest.Note })
}

// A witness shows it, too, without anybody having kept a checkpoint: it has seen the index
// of then.
func TestAWitnessHasSeenTheIndex(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(100)
	w.sealed()
	a := w.watched("auditor.example")
	c := w.config()
	c.Witnesses = []seal.Witness{a.to}
	cosigned := func(what string, size int64) {
		s, stop := w.run(c)
		defer stop()
		eventually(t, what, func() bool { c, _ := s.Checkpoint(); return c.Size >= size && len(c.Witnesses) == 1 })
		if st := s.Status().Witnesses[0]; !st.Index || st.State != seal.Agrees {
			t.Errorf("%+v", st)
		}
	}
	cosigned("it cosigns what there is", 101)
	w.append(20)
	w.sealed()
	cosigned("it goes on with the rest of the index", 121)
	index, err := os.ReadFile(filepath.Join(w.folder, "index"))
	if err != nil {
		t.Fatal(err)
	}
	copy(index[49*proof.EntrySize:], proof.Entry{Position: 50, Class: proof.Login}.Append(nil))
	w.tamper("DELETE FROM events WHERE position = 50")
	w.resign(w.lastCheckpoint(), index)
	w.append(600)
	w.sealed() // the sealer is in the same hands
	w.good()
	asking := func(o *seal.VerifyOptions) { o.Witnesses = c.Witnesses }
	if f := w.found(seal.Inconsistent, 0, asking); f.Witness != "auditor.example" {
		t.Errorf("%+v", f)
	}
	s, stop := w.run(c)
	eventually(t, "it is told", func() bool { return s.Status().Witnesses[0].State == seal.Disagrees })
	stop()
}

func (w *town) lastCheckpoint() proof.Checkpoint {
	w.t.Helper()
	s, err := seal.Open(w.t.Context(), w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	c, ok := s.Checkpoint()
	if !ok {
		w.t.Fatal("there is no checkpoint")
	}
	return c
}

// resign puts another index in the place of one, as whoever holds the master key can.
func (w *town) resign(c proof.Checkpoint, index []byte) {
	w.t.Helper()
	seed, err := w.keys.DeriveWith("m1", "seal/sign")
	if err != nil {
		w.t.Fatal(err)
	}
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey) //nolint:forcetypeassert // of the library
	hash := sha256.Sum256(slices.Concat([]byte(c.Origin+"\n\x01"), public))
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", c.Origin, hash[:4], base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	signer, err := note.NewSigner(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	c.Index = sha256.Sum256(index)
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		w.t.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"at": c.At, "note": string(signed)})
	if err != nil {
		w.t.Fatal(err)
	}
	for name, content := range map[string][]byte{"index": index, "checkpoint": signed, "checkpoints": append(line, '\n')} {
		if err := os.WriteFile(filepath.Join(w.folder, name), content, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A tree that was begun anew says of itself whether it holds what the one before did: it
// is no way to have something pass that was changed.
func TestWhatALaterTreeGoesOnFrom(t *testing.T) {
	t.Parallel()
	later := func(o *seal.VerifyOptions) { o.Now = o.Now.AddDate(2, 0, 0) } // logins have run out
	for name, c := range map[string]struct {
		change string // of the log
		lose   string // of the folders that were kept
		same   bool
		folder bool
		bad    seal.FindingKind
	}{
		"what was there":                 {same: true, folder: true},
		"what was there, with no folder": {same: true, lose: "*"},
		"something else":                 {change: `UPDATE events SET metadata = '{}' WHERE position = 50`, folder: true, bad: seal.Changed},
		"something else, with no folder": {change: `UPDATE events SET metadata = '{}' WHERE position = 50`, lose: "*"},
		"logins have gone":               {change: `DELETE FROM events WHERE position = 7`, same: true, folder: true},
		"logins have gone, and a folder": {change: `DELETE FROM events WHERE position = 7`, lose: "*"},
		"something else has gone":        {change: `DELETE FROM events WHERE position = 45`, folder: true, bad: seal.Missing},
		"a folder that holds less":       {change: `DELETE FROM events WHERE position = 7`, lose: "*/hashes", folder: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			w.append(100)
			first := w.sealed()
			if r := w.good(); r.Before != nil || !r.Before.Proved() {
				t.Errorf("the first one goes on from %+v", r.Before)
			}
			if c.change != "" {
				w.tamper(c.change)
			}
			if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
				t.Fatal(err)
			}
			w.sealed()
			if c.lose != "" {
				lost, err := filepath.Glob(w.folder + "-" + c.lose)
				if err != nil || len(lost) != 1 {
					t.Fatal(lost, err)
				}
				if err := os.RemoveAll(lost[0]); err != nil {
					t.Fatal(err)
				}
			}
			r := w.verify(later)
			b := r.Before
			if r.Bad != nil || b == nil || b.Checkpoint.Text() != first.Text() || b.Same != c.same || b.Proved() != c.same || (b.Folder != "") != c.folder ||
				(b.Bad != nil) != (c.bad != "") || b.Bad != nil && b.Bad.Kind != c.bad {
				t.Errorf("%+v: it goes on from %+v, %v", r.Bad, b, b.Bad)
			}
		})
	}
}

// A folder has the name that it was given when it was set aside, and a sealer one that is
// fit for that: others can write both.
func TestNamesOfFoldersThatWereKept(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
		t.Fatal(err)
	}
	w.sealed()
	kept := must(filepath.Glob(w.folder + "-*"))
	if r := w.good(); len(kept) != 1 || r.Before.Folder != kept[0] {
		t.Fatalf("%v, %+v", kept, r.Before)
	}
	if err := os.Rename(kept[0], w.folder+"-\x1b[1Gall of that is as it was"); err != nil {
		t.Fatal(err)
	}
	if r := w.good(); r.Before.Folder != "" {
		t.Errorf("%+v", r.Before)
	}
	file := filepath.Join(w.folder, "tree.json")
	b := must(os.ReadFile(file)) //nolint:gosec // of the test
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	for _, sealer := range []string{"", "/../elsewhere", "\x1b[1G"} {
		tree["sealer"] = sealer
		if err := os.WriteFile(file, must(json.Marshal(tree)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := seal.Anew(t.Context(), w.config(), nil); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("%q: %v", sealer, err)
		}
	}
}

// Of every tree before it is told, also where nothing is left of one.
func TestTreesBeforeTheOneBefore(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	for range 3 {
		w.sealed()
		if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.sealed()
	n := 0
	r := w.good()
	for b := r.Before; b != nil; b = b.Before {
		if n++; !b.Same || b.Folder == "" {
			t.Errorf("%d back: %+v", n, b)
		}
	}
	if n != 3 || !r.Before.Proved() {
		t.Errorf("%d trees before", n)
	}
	// The folder is lost, and all that was kept.
	for _, path := range append(must(filepath.Glob(w.folder+"-*")), w.folder) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
		t.Fatal(err)
	}
	c := w.sealed()
	r = w.good()
	if b := r.Before; b == nil || b.Checkpoint.Note != nil || !strings.HasSuffix(b.Checkpoint.Origin, "/4") || b.Same || b.Proved() {
		t.Errorf("%s goes on from %+v", c.Origin, b)
	}
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	if p, ok := s.Predecessor(); !ok || p.Note != nil {
		t.Errorf("%+v, %t", p, ok)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// An older checkpoint, such as one that was mailed, shows that log and seal were put
// back together.
func TestAnOlderCheckpoint(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(100)
	first := w.sealed()
	restore := w.backup(true)
	w.append(100)
	second := w.sealed()
	since := func(note []byte) func(*seal.VerifyOptions) {
		return func(o *seal.VerifyOptions) { o.Since = note }
	}
	if r := w.verify(since(first.Note)); r.Bad != nil {
		t.Error(r.Bad)
	}
	restore()
	w.found(seal.Inconsistent, 0, since(second.Note))
	w.good() // by itself it shows nothing
	w.next[streams[0]] = domain.Revision(24)
	w.appendTo(streams[0], 150) // another history, longer than the first one
	w.sealed()
	if f := w.found(seal.Inconsistent, 0, since(second.Note)); f.Witness != "" {
		t.Errorf("%+v", f)
	}
	if r := w.verify(since(first.Note)); r.Bad != nil {
		t.Error(r.Bad)
	}
	// A tree that begins anew knows nothing of it; so that is told.
	if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Verify(t.Context(), w.log, w.folder, w.options(), nil); !errors.Is(err, seal.ErrNoSeal) {
		t.Errorf("got %v", err)
	}
	w.sealed()
	o := w.options()
	o.Since = second.Note
	if _, err := seal.Verify(t.Context(), w.log, w.folder, o, nil); err == nil || !strings.Contains(err.Error(), "seal.folder") {
		t.Errorf("of a checkpoint of another tree: %v", err)
	}
}

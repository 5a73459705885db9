package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
)

func openTemp(t *testing.T) (v *Vault, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "kluis #1 100%.db") // a name that a URL would mangle
	v, err := Open(t.Context(), "sqlite:"+path, newKeys(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v, path
}

// inFile returns the file that a vault stands on.
func inFile(v *Vault) *sqlite { return v.db.(*sqlite) }

func TestFileModes(t *testing.T) {
	t.Parallel()
	keys, path := newKeys(), filepath.Join(t.TempDir(), "vault.db")
	for range 2 {
		v, err := Open(t.Context(), "sqlite:"+path, keys, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Claim(t.Context(), "jan@voorbeeld.nl"); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if info, err := os.Stat(path + suffix); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", suffix, info, err)
			}
		}
		// the next round finds a file that somebody opened up
		if err := errors.Join(v.Close(), os.Chmod(path, 0o644)); err != nil { //nolint:gosec // that is the test
			t.Fatal(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	v, path := openTemp(t)
	newer := func(ctx context.Context, tx *transaction) error { return tx.script(ctx, `PRAGMA user_version = 2`) }
	if err := errors.Join(inFile(v).writer.do(t.Context(), newer), v.Close()); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, url, want string }{
		{"another database", "oracle:x", "neither"},
		{"no path", "sqlite:", "neither"},
		{"a folder that is not there", "sqlite:" + filepath.Join(t.TempDir(), "no", "vault.db"), "not available"},
		{"a text", "sqlite:" + text, "not a database"},
		{"a newer version", "sqlite:" + path, "version 2"},
	} {
		if v, err := Open(t.Context(), test.url, newKeys(), Options{}); v != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// A disk that is full refuses the change, and the vault goes on once there is
// room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	v, _ := openTemp(t)
	who := domain.SubjectID(uuid.New())
	ref, err := v.Put(t.Context(), who, KindName, []byte("Jan"))
	if err != nil {
		t.Fatal(err)
	}
	pages := func(query string) {
		t.Helper()
		err := inFile(v).writer.do(t.Context(), func(ctx context.Context, tx *transaction) error { return tx.script(ctx, query) })
		if err != nil {
			t.Fatal(err)
		}
	}
	pages(`PRAGMA max_page_count = 1`) // it cannot go below what the file has
	big := make([]byte, MaxValue)
	if _, err := v.Put(t.Context(), who, KindRemark, big); !errors.Is(err, domain.ErrUnavailable) {
		t.Fatalf("on a full disk: %v", err)
	}
	if b, err := v.Get(t.Context(), who, KindName, ref); err != nil || string(b) != "Jan" {
		t.Errorf("reading on a full disk: %v", err)
	}
	pages(`PRAGMA max_page_count = 1000000`)
	if again, err := v.Put(t.Context(), who, KindRemark, big); err != nil || again.Version != 1 {
		t.Errorf("version %d after there was room: %v", again.Version, err)
	}
}

// A transaction that is lost answers everybody: whoever was in it, and whoever
// comes at the very moment.
func TestALostTransactionLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	v, _ := openTemp(t)
	lose := func(ctx context.Context, tx *transaction) error {
		_, err := tx.w.conn.ExecContext(ctx, `ROLLBACK`) // as SQLite does by itself on some errors
		return errors.Join(errors.New("lost"), err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 200 {
				apply := lose
				if (i+n)%3 == 0 {
					apply = func(context.Context, *transaction) error { return nil }
				}
				_ = inFile(v).writer.do(t.Context(), apply)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("somebody waits for ever")
	}
	if err := inFile(v).writer.do(t.Context(), func(context.Context, *transaction) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Another program that holds the write lock for too long is "not available".
func TestLocked(t *testing.T) {
	t.Parallel()
	v, path := openTemp(t)
	ctx := t.Context()
	impatient := func(ctx context.Context, tx *transaction) error { return tx.script(ctx, `PRAGMA busy_timeout = 20`) }
	if err := inFile(v).writer.do(ctx, impatient); err != nil {
		t.Fatal(err)
	}
	holder, err := Open(ctx, "sqlite:"+path, v.keys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = inFile(holder).writer.do(ctx, func(context.Context, *transaction) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	if _, err := v.Claim(ctx, "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("locked: %v", err)
	}
	if _, err := v.Find(ctx, "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("reading while locked: %v", err)
	}
	close(release)
	wg.Wait()
	if err := holder.Close(); err != nil {
		t.Error(err)
	}
	if _, err := v.Claim(ctx, "jan@voorbeeld.nl"); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// Changes that share a transaction are refused one by one, and one that is
// given up while it waits is not applied.
func TestGroup(t *testing.T) {
	t.Parallel()
	v, _ := openTemp(t)
	ctx := t.Context()
	insert := func(name string, refuse error) func(context.Context, *transaction) error {
		return func(ctx context.Context, tx *transaction) error {
			_, err := tx.exec(ctx, `INSERT INTO meta (name, key_id, sealed) VALUES ($1, '', x'')`, name)
			return errors.Join(err, refuse)
		}
	}
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // holds the writer, so that the others have to wait together
		_ = inFile(v).writer.do(ctx, func(context.Context, *transaction) error { close(held); <-release; return nil })
	})
	<-held
	for _, name := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			var refuse error
			if name == "b" {
				refuse = io.ErrUnexpectedEOF
			}
			if err := inFile(v).writer.do(ctx, insert(name, refuse)); !errors.Is(err, refuse) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	impatient, cancel := context.WithCancel(ctx)
	wg.Go(func() {
		if err := inFile(v).writer.do(impatient, insert("e", nil)); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	})
	cancel()
	close(release)
	wg.Wait()
	var names string
	err := inFile(v).reader.row(ctx, `SELECT group_concat(name, '' ORDER BY name) FROM meta WHERE name <> 'index'`).Scan(&names)
	if err != nil || names != "acd" {
		t.Errorf("the table holds %q: %v", names, err)
	}
}

func TestNormalEmail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{" Jan.de.Vries@Voorbeeld.NL\t", "jan.de.vries@voorbeeld.nl"},
		{"jan+kiosk@voorbeeld.nl", "jan+kiosk@voorbeeld.nl"},
		{"jose\u0301@voorbeeld.nl", "jos\u00e9@voorbeeld.nl"},
		{"JOSE\u0301@voorbeeld.nl", "jos\u00e9@voorbeeld.nl"},
		{"an@Käse.example", "an@xn--kse-qla.example"},
		{"an@ka\u0308se.example", "an@xn--kse-qla.example"},
		{"an@XN--KSE-QLA.example", "an@xn--kse-qla.example"},
		{"an@voorbeeld\u3002nl", "an@voorbeeld.nl"}, // the ideographic full stop
		{"an@voorbeeld.nl.", "an@voorbeeld.nl"},
		{"an@straße.example", "an@xn--strae-oqa.example"},
	} {
		got, err := NormalEmail(test.in)
		if err != nil || got != test.want {
			t.Errorf("%q: %q, want %q: %v", test.in, got, test.want, err)
		}
		again, err := NormalEmail(got)
		if err != nil || again != got {
			t.Errorf("%q is not its own normal form: %q, %v", got, again, err)
		}
	}
	for _, in := range []string{
		"", "@", "jan", "@voorbeeld.nl", "jan@", "jan@.", "jan@..", "jan @voorbeeld.nl", "jan@piet@voorbeeld.nl",
		"jan@voor beeld.nl", "jan@voor_beeld.nl", "jan\x00@voorbeeld.nl", "jan\xff@voorbeeld.nl", "jan@xn--a.nl",
		strings.Repeat("j", 250) + "@voorbeeld.nl",
	} {
		got, err := NormalEmail(in)
		if !errors.Is(err, ErrBadEmail) || got != "" {
			t.Errorf("%q: %q, %v", in, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "jan") || strings.Contains(err.Error(), "beeld")) {
			t.Errorf("the error tells the address: %v", err)
		}
	}
}

func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{"Jan@Voorbeeld.nl", "an@Käse.example.", "İ@i.nl", "a@b@c", "\u212b@\u1e9e.nl", "a@\u3002", "K@1.2.3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		normal, err := NormalEmail(s)
		if err != nil {
			return
		}
		if again, err := NormalEmail(normal); err != nil || again != normal {
			t.Errorf("%q becomes %q becomes %q: %v", s, normal, again, err)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	one, two := newKeys(), newKeys()
	both := &Keys{ring: append(one.ring, two.ring...)}
	f.Add(one.marshal())
	f.Add(both.marshal())
	f.Add([]byte(keyFileHeader + "\nkey 0123456789abcdef AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"))
	f.Add([]byte(keyFileHeader + "\n\n#\nkey  \n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseKeys(b)
		if err != nil {
			if k != nil || !errors.Is(err, ErrKeyFile) {
				t.Fatalf("%v with %v", k, err)
			}
			return
		}
		again, err := parseKeys(k.marshal())
		if err != nil || len(again.ring) != len(k.ring) {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		for i := range k.ring {
			if *again.ring[i].secret != *k.ring[i].secret || again.ring[i].id != k.ring[i].id {
				t.Fatalf("key %d changed", i)
			}
		}
	})
}

// What was derived, hashed and sealed once has to be so for ever. The values
// were worked out apart, from RFC 5869 and RFC 2104.
func TestVectors(t *testing.T) {
	t.Parallel()
	secret := new([keySize]byte)
	for i := range secret {
		secret[i] = byte(i)
	}
	ring, err := parseKeys([]byte(keyFileHeader + "\nkey e8eca223ee380cb3 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"))
	if err != nil {
		t.Fatal(err)
	}
	purpose, _ := ring.Derive("code/confirm-email")
	v := &Vault{keys: ring, index: newIndexKeys(secret)}
	counters, err := v.counters([]Limit{{Name: "send-hour", Key: "jan@voorbeeld.nl", Window: time.Hour, Max: 1}})
	if err != nil {
		t.Fatal(err)
	}
	row := place{ref: domain.RefID(bytes.Repeat([]byte{1}, 16)), subject: domain.SubjectID(bytes.Repeat([]byte{2}, 16)), kind: KindPhone, version: 3}
	for _, test := range []struct {
		name string
		got  [32]byte
		want string
	}{
		{"the key of a purpose", purpose, "8e947a87d1e349eed81c2a896895dc51de939a0a61d2d68fd68e0421edb8d7a0"},
		{"an address", v.EmailIndexKeyed("Jan@Voorbeeld.nl"), "f1e120aaa632b79602ef3d54bbfce7dad944e791944816059ed3211aa40e2557"},
		{"a counter", counters[0], "2f57ef5c4ef2b701e9eb344b0553be16093a599d1b57afc020e798e5458d5c66"},
		{"what a seal is bound to", sha256.Sum256(row.ad("sealed")), "ecc96ce8b5ad667dfba9169216d056c75a51262ced0a5c840b4ce407554e64c1"},
	} {
		if got := hex.EncodeToString(test.got[:]); got != test.want {
			t.Errorf("%s is %s, was %s", test.name, got, test.want)
		}
	}
}

// A row that was activated after the collector found it stays, and nobody is
// asked about it.
func TestCollectLooksAgain(t *testing.T) {
	t.Parallel()
	v, _ := openTemp(t)
	who := domain.SubjectID(uuid.New())
	ref, err := v.Put(t.Context(), who, KindName, []byte("Jan"))
	if err != nil {
		t.Fatal(err)
	}
	row, err := v.nextPending(t.Context(), time.Now().Add(time.Minute), 0)
	if err != nil || row.ref != ref.ID || row.subject != who {
		t.Fatalf("found %v: %v", row, err)
	}
	if err := v.Activate(t.Context(), who, ref); err != nil {
		t.Fatal(err)
	}
	gone, err := v.collect(t.Context(), row, func(context.Context, domain.SubjectID, domain.RefID) (bool, error) {
		t.Error("asked about an active row")
		return false, nil
	})
	if gone || err != nil {
		t.Errorf("collected an active row: %v", err)
	}
}

// Many open a vault that is not there yet: one is made, and all work on it.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	keys, path := newKeys(), filepath.Join(t.TempDir(), "vault.db")
	hashes := make([][32]byte, 8)
	var wg sync.WaitGroup
	for i := range hashes {
		wg.Go(func() {
			v, err := Open(t.Context(), "sqlite:"+path, keys, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = v.EmailIndexKeyed("jan@voorbeeld.nl")
			if _, err := v.Claim(t.Context(), "jan@voorbeeld.nl"); err != nil {
				t.Error(err)
			}
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, h := range hashes {
		if h != hashes[0] {
			t.Fatal("two index secrets in one vault")
		}
	}
}

// No two lists of parts are bound alike: otherwise a row could pass as another.
func TestBindIsInjective(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 4), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := len(a) == len(b)
		for i := 0; same && i < len(a); i++ {
			same = string(a[i]) == string(b[i])
		}
		if (string(bind("t", a...)) == string(bind("t", b...))) != same {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

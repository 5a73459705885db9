package proof_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/seal/bundle/bundletest"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

var (
	monday  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	someone = domain.Actor{Kind: domain.ActorPerson, ID: "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", Role: domain.RoleSubject}
)

// record adds so many events, six hours apart, each third one a login, and signs
// at the end of each day and of all.
func record(tb testing.TB, l *bundletest.Log, n int) {
	tb.Helper()
	for range n {
		i := len(l.Events)
		at := monday.Add(time.Duration(i)*6*time.Hour + 123456*time.Microsecond)
		stream, typ, data := "enrolment-"+someone.ID, "NameSet", fmt.Sprintf(`{"name":{"ref":"%032d"},"of":"Zoë \"&<>\u0007"}`, i)
		if i%3 == 1 {
			stream, typ, data = "login-"+someone.ID, "LoginFailed", `{"reason":"code"}`
		}
		l.Add(tb, stream, typ, data, at, someone)
		if at.Hour() == 3 {
			l.Sign(tb, at.Add(time.Hour))
		}
	}
	l.Sign(tb, monday.Add(time.Duration(len(l.Events))*6*time.Hour))
}

func made(tb testing.TB, l *bundletest.Log, q bundle.Query) []byte {
	tb.Helper()
	var out bytes.Buffer
	q.Made, q.Version = monday.AddDate(0, 1, 0), "1.2.3"
	if _, err := bundle.Write(context.Background(), &out, bundle.Source{Log: l, Seal: l}, q, nil); err != nil { //nolint:usetesting // one bundle is for many tests
		tb.Fatal(err)
	}
	return out.Bytes()
}

// The log that most tests are about: 24 events in six days, of which the bundle
// has the leaves 6 to 19, [6, 20). Two logins among them have expired.
const (
	from, to, size = 6, 20, 24
	expired        = 8 // position; its leaf is 7
)

var sample = sync.OnceValues(func() (*bundletest.Log, []byte) {
	tb := new(testing.T) // what fails here fails every test
	l := bundletest.New(tb, 1)
	record(tb, l, size)
	l.Expired[expired], l.Expired[17] = true, true
	return l, made(tb, l, bundle.Query{From: bundle.Moment{Position: from + 1}, To: bundle.Moment{Position: to + 1}})
})

// A box is a bundle that is taken apart.
type box struct {
	names []string
	files map[string][]byte
	extra []string // put in once more in the end
}

func unpack(tb testing.TB, b []byte) *box {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	x := &box{files: map[string][]byte{}}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		if x.files[f.Name], err = io.ReadAll(r); err != nil {
			tb.Fatal(err)
		}
		x.names = append(x.names, f.Name)
	}
	return x
}

func (x *box) pack(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range append(slices.Clone(x.names), x.extra...) {
		content, there := x.files[name]
		if !there {
			continue
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method(content)})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// method packs what is large.
func method(content []byte) uint16 {
	if len(content) > 1<<20 {
		return zip.Deflate
	}
	return zip.Store
}

// manifest changes it.
func (x *box) manifest(tb testing.TB, change func(*proof.Manifest)) {
	tb.Helper()
	var m proof.Manifest
	if err := json.Unmarshal(x.files[proof.FileManifest], &m); err != nil {
		tb.Fatal(err)
	}
	change(&m)
	b, err := json.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	x.files[proof.FileManifest] = b
}

// hashes changes the range proof.
func (x *box) hashes(tb testing.TB, change func([]string) []string) {
	tb.Helper()
	var all []string
	if err := json.Unmarshal(x.files[proof.FileRange], &all); err != nil {
		tb.Fatal(err)
	}
	b, err := json.Marshal(change(all))
	if err != nil {
		tb.Fatal(err)
	}
	x.files[proof.FileRange] = b
}

// lines changes the lines of events.
func (x *box) lines(change func([]string) []string) {
	all := strings.SplitAfter(string(x.files[proof.FileEvents]), "\n")
	x.files[proof.FileEvents] = []byte(strings.Join(change(all[:len(all)-1]), ""))
}

// event changes one event as somebody would who knows the format.
func (x *box) event(tb testing.TB, leaf int, change func(*proof.Line)) {
	tb.Helper()
	x.lines(func(all []string) []string {
		l, err := proof.ParseLine([]byte(strings.TrimSuffix(all[leaf-from], "\n")), nil)
		if err != nil {
			tb.Fatal(err)
		}
		change(&l)
		all[leaf-from] = string(l.Append(nil)) + "\n"
		return all
	})
}

func verdict(tb testing.TB, b []byte, o proof.Options) proof.Verdict {
	tb.Helper()
	v, err := proof.Verify(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestWhatHoldsIsSaid(t *testing.T) {
	t.Parallel()
	l, b := sample()
	c, _ := l.Checkpoint()
	v := verdict(t, b, proof.Options{Keys: l.Keys(), Since: []byte(unpack(t, b).note(t, 0))})
	want := proof.Verdict{
		Origin: "keydesk/" + bundletest.Store, Store: bundletest.Store, From: from, To: to, Size: size,
		Events: to - from - 2, Expired: 2, First: l.Events[from].Recorded, Last: l.Events[to-1].Recorded,
		Root: c.Root.String(), Sealed: c.At, Witnesses: []string{"auditor.example"},
		KeysPinned: true, Signed: true, Complete: true, LastExpired: l.Events[16].Recorded.Truncate(24 * time.Hour), Earlier: 5, Findings: []proof.Finding{},
	}
	since := v.Since
	if v.Since = nil; fmt.Sprintf("%+v", v) != fmt.Sprintf("%+v", want) || !v.OK() {
		t.Errorf("got\n%+v, want\n%+v", v, want)
	}
	if since == nil || !since.Holds || since.Size != 4 {
		t.Errorf("since the first day: %+v", since)
	}
	if v := verdict(t, b, proof.Options{}); v.KeysPinned || !v.OK() {
		t.Errorf("without keys: %+v", v)
	}
}

// note returns an earlier checkpoint of the bundle.
func (x *box) note(tb testing.TB, i int) string {
	tb.Helper()
	var all []proof.Earlier
	if err := json.Unmarshal(x.files[proof.FileConsistency], &all); err != nil {
		tb.Fatal(err)
	}
	return all[i].Note
}

// reindexed returns a bundle of a log whose third event, which is no login, the index
// says to be one, as whoever holds the key can sign it over the same tree; and the
// checkpoint of before.
func reindexed(tb testing.TB, gone bool) (b, old []byte) {
	tb.Helper()
	honest, forged := bundletest.New(tb, 1), bundletest.New(tb, 1)
	record(tb, honest, 4)
	c, _ := honest.Checkpoint()
	for i := range honest.Events {
		e := &honest.Events[i]
		forged.Add(tb, e.Stream, e.Type, string(e.Data), e.Recorded, someone)
	}
	forged.Index(2, proof.Entry{Position: 3, Day: proof.DayOf(honest.Events[2].Recorded), Class: proof.Login})
	forged.Expired[2], forged.Expired[3] = true, gone // the second one is a login
	forged.Sign(tb, monday.AddDate(0, 0, 2))
	return made(tb, forged, bundle.Query{}), c.Note
}

// Of an event that is gone only the index says that it was a login. An older checkpoint
// shows where it was made anew, and while the event is there, so does that.
func TestAnIndexThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	keys := bundletest.New(t, 1).Keys()
	index := func(v proof.Verdict) bool {
		return !v.OK() && slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Kind == proof.FoundIndex })
	}
	there, _ := reindexed(t, false)
	if v := verdict(t, there, proof.Options{Keys: keys}); !index(v) {
		t.Errorf("while the event is there: %+v", v)
	}
	b, old := reindexed(t, true)
	if v := verdict(t, b, proof.Options{Keys: keys}); !v.OK() {
		t.Fatalf("by itself it shows nothing: %+v", v)
	}
	if v := verdict(t, b, proof.Options{Keys: keys, Since: old}); !index(v) || v.Since.Holds {
		t.Errorf("with a checkpoint that was kept: %+v, %+v", v, v.Since)
	}
	l := bundletest.New(t, 1)
	record(t, l, 24)
	l.Index(2, proof.Entry{Position: 3, Day: proof.DayOf(monday), Class: proof.Login})
	l.Expired[3] = true
	l.Sign(t, monday.AddDate(0, 0, 30))
	if v := verdict(t, made(t, l, bundle.Query{}), proof.Options{Keys: keys}); !index(v) || v.Earlier == 0 {
		t.Errorf("with those of the bundle: %+v", v)
	}
}

// A broken is a way to break a bundle, and what is found.
type broken struct {
	name string
	do   func(tb *testing.T, x *box)
	kind proof.Kind
	file string
	leaf int64 // -1: the finding is of none
	upTo int64 // the leaf behind the last one; 0: the one behind leaf
}

// rest is what a changed event leaves for the hash to find: that of the whole day,
// since a checkpoint was signed at the end of each.
func breaks() []broken {
	line := func(change func([]string) []string) func(*testing.T, *box) {
		return func(_ *testing.T, x *box) { x.lines(change) }
	}
	event := func(leaf int, change func(*proof.Line)) func(*testing.T, *box) {
		return func(t *testing.T, x *box) { t.Helper(); x.event(t, leaf, change) }
	}
	hashes := func(change func([]string) []string) func(*testing.T, *box) {
		return func(t *testing.T, x *box) { t.Helper(); x.hashes(t, change) }
	}
	manifest := func(change func(*proof.Manifest)) func(*testing.T, *box) {
		return func(t *testing.T, x *box) { t.Helper(); x.manifest(t, change) }
	}
	replace := func(file, old, new string) func(*testing.T, *box) {
		return func(t *testing.T, x *box) {
			t.Helper()
			b := bytes.Replace(x.files[file], []byte(old), []byte(new), 1)
			if bytes.Equal(b, x.files[file]) {
				t.Fatalf("%s has no %s", file, old)
			}
			x.files[file] = b
		}
	}
	renumbered := func(all []string) []string {
		for i := range all {
			l, err := proof.ParseLine([]byte(strings.TrimSuffix(all[i], "\n")), nil)
			if err != nil {
				panic(err)
			}
			l.Number = int64(from + i)
			all[i] = string(l.Append(nil)) + "\n"
		}
		return all
	}
	const events = proof.FileEvents
	return []broken{
		{"what an event says was changed", event(11, func(l *proof.Line) { l.Data = []byte(`{"name":"x"}`) }), proof.FoundChanged, events, 11, 0},
		{"its metadata were changed", event(12, func(l *proof.Line) { l.Metadata = bytes.ReplaceAll(l.Metadata, []byte("subject"), []byte("auditor")) }), proof.FoundChanged, events, 12, 0},
		{"what an event says and its hash were changed", event(12, func(l *proof.Line) {
			l.Data = []byte(`{"name":"x"}`)
			l.Event.Data = sha256.Sum256(l.Data)
		}), proof.FoundRoot, events, 12, 16},
		{"its time was changed", event(12, func(l *proof.Line) { l.Event.Time = l.Event.Time.Add(time.Hour) }), proof.FoundRoot, events, 12, 16},
		{"its type was changed", event(17, func(l *proof.Line) { l.Event.Type = "SmsSet" }), proof.FoundRoot, events, 16, 20},
		{"its revision was changed", event(6, func(l *proof.Line) { l.Event.Revision++ }), proof.FoundRoot, events, 6, 8},
		{"it is of another log", event(11, func(l *proof.Line) { l.Event.Store = "other" }), proof.FoundForeign, events, 11, 0},
		{"it was dropped", line(func(all []string) []string { return slices.Delete(all, 3, 4) }), proof.FoundMissing, events, 9, 0},
		{"it was dropped, and the rest renumbered", line(func(all []string) []string { return renumbered(slices.Delete(all, 3, 4)) }), proof.FoundIndex, events, 9, 0},
		{"the first was dropped", line(func(all []string) []string { return all[1:] }), proof.FoundMissing, events, 6, 0},
		{"the last was dropped", line(func(all []string) []string { return all[:len(all)-1] }), proof.FoundMissing, events, 19, 20},
		{"all were dropped", line(func([]string) []string { return nil }), proof.FoundMissing, events, 6, 20},
		{"one was doubled", line(func(all []string) []string { return slices.Insert(all, 5, all[4]) }), proof.FoundOrder, events, 11, 0},
		{"one was doubled, and the rest renumbered", line(func(all []string) []string { return renumbered(slices.Insert(all, 5, all[4])) }), proof.FoundOrder, events, 11, 0},
		{"one was moved forward", line(func(all []string) []string {
			return append(append(all[:3:3], all[9]), append(all[3:9:9], all[10:]...)...)
		}), proof.FoundMissing, events, 9, 0},
		{"two were swapped, and renumbered", line(func(all []string) []string { all[6], all[5] = all[5], all[6]; return renumbered(all) }), proof.FoundOrder, events, 12, 0},
		{"one was added in the end", line(func(all []string) []string {
			l, _ := proof.ParseLine([]byte(strings.TrimSuffix(all[len(all)-1], "\n")), nil)
			l.Number++
			l.Event.Position++
			return append(all, string(l.Append(nil))+"\n")
		}), proof.FoundOrder, events, 20, 0},
		{"an expired one stands for one that never expires", event(9, func(l *proof.Line) {
			*l = proof.Line{Number: 9, Expired: true, Entry: proof.Entry{Position: 10, Day: proof.DayOf(l.Event.Time), Class: proof.Login}, Left: l.Event.Hash()}
		}), proof.FoundExpired, events, 9, 0},
		{"an expired one has another hash", event(7, func(l *proof.Line) { l.Left[0]++ }), proof.FoundRoot, events, 6, 8},
		{"an expired one has another day", event(7, func(l *proof.Line) { l.Entry.Day++ }), proof.FoundExpired, events, 7, 0},
		{"an expired one has another position", event(7, func(l *proof.Line) { l.Entry.Position = 100 }), proof.FoundExpired, events, 7, 0},
		{"a checkpoint stands among the events", event(9, func(l *proof.Line) { *l = proof.Line{Number: 9, Checkpoint: "x"} }), proof.FoundOrder, events, 9, 0},
		{"there is white space", replace(events, `"leaf":11,`, `"leaf": 11,`), proof.FoundForm, events, 11, 0},
		{"a member is unknown", replace(events, `"leaf":11,`, `"leaf":11,"more":1,`), proof.FoundForm, events, 11, 0},
		{"a member is there twice", replace(events, `"leaf":11,`, `"leaf":11,"leaf":11,`), proof.FoundForm, events, 11, 0},
		{"a member has another name", replace(events, `"leaf":11,`, `"Leaf":11,`), proof.FoundForm, events, 11, 0},
		{"a character is escaped", replace(events, `Zoë`, `Zo\u00eb`), proof.FoundForm, events, 6, 0},
		{"its id is in capitals", event(11, func(l *proof.Line) { l.Event.ID = strings.ToUpper("ab") + l.Event.ID[2:] }), proof.FoundForm, events, 11, 0},
		{"its id is no UUID", event(11, func(l *proof.Line) { l.Event.ID = "eleven" }), proof.FoundForm, events, 11, 0},
		{"there is an empty line", line(func(all []string) []string { return slices.Insert(all, 4, "\n") }), proof.FoundForm, events, 10, 0},
		{"the last line does not end", line(func(all []string) []string { all[13] = strings.TrimSuffix(all[13], "\n"); return all }), proof.FoundFile, events, -1, 0},

		{"a hash of the range proof is missing", hashes(func(h []string) []string { return h[1:] }), proof.FoundRoot, proof.FileRange, -1, 0},
		{"the last hash of the range proof is missing", hashes(func(h []string) []string { return h[:len(h)-1] }), proof.FoundRoot, proof.FileRange, -1, 0},
		{"the range proof is empty", hashes(func([]string) []string { return []string{} }), proof.FoundRoot, proof.FileRange, -1, 0},
		{"the range proof has a hash too many", hashes(func(h []string) []string { return append(h, h[0]) }), proof.FoundRoot, proof.FileRange, -1, 0},
		{"two hashes of the range proof are swapped", hashes(func(h []string) []string { h[0], h[1] = h[1], h[0]; return h }), proof.FoundRoot, events, 6, 8},
		{"the range proof holds something else", replace(proof.FileRange, `"`, `"#`), proof.FoundForm, proof.FileRange, -1, 0},

		{"the checkpoint's root was changed", replace(proof.FileCheckpoint, "\n24\n", "\n24\nA"), proof.FoundForm, proof.FileCheckpoint, -1, 0},
		{"the checkpoint's size was changed", replace(proof.FileCheckpoint, "\n24\n", "\n25\n"), proof.FoundSignature, proof.FileCheckpoint, -1, 0},
		{"the checkpoint's time was changed", replace(proof.FileCheckpoint, "\ntime 2026", "\ntime 2027"), proof.FoundSignature, proof.FileCheckpoint, -1, 0},
		{"the log's signature was taken off", func(_ *testing.T, x *box) {
			text, sigs, _ := strings.Cut(string(x.files[proof.FileCheckpoint]), "\n\n")
			x.files[proof.FileCheckpoint] = []byte(text + "\n\n" + strings.SplitAfterN(sigs, "\n", 2)[1])
		}, proof.FoundSignature, proof.FileCheckpoint, -1, 0},
		{"an older checkpoint stands in its place", func(t *testing.T, x *box) {
			t.Helper()
			x.files[proof.FileCheckpoint] = []byte(x.note(t, 4))
		}, proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the keys are somebody else's", func(t *testing.T, x *box) {
			t.Helper()
			x.files[proof.FileKeys] = []byte(strings.Join(bundletest.New(t, 2).Keys(), "\n") + "\n")
		}, proof.FoundKey, proof.FileKeys, -1, 0},

		{"an earlier checkpoint was changed", replace(proof.FileConsistency, `\n8\n`, `\n9\n`), proof.FoundSignature, proof.FileConsistency, -1, 0},
		{"a consistency proof lacks a hash", func(t *testing.T, x *box) {
			t.Helper()
			var all []proof.Earlier
			if err := json.Unmarshal(x.files[proof.FileConsistency], &all); err != nil {
				t.Fatal(err)
			}
			all[2].Proof = all[2].Proof[1:]
			x.files[proof.FileConsistency], _ = json.Marshal(all)
		}, proof.FoundConsistency, proof.FileConsistency, -1, 0},
		{"there is no checkpoint among the earlier ones", replace(proof.FileConsistency, `[`, `[{"note":"x","proof":[]},`), proof.FoundForm, proof.FileConsistency, -1, 0},
		{"a policy's member is in capitals", replace(proof.FilePolicies, `"policy"`, `"Policy"`), proof.FoundForm, proof.FilePolicies, -1, 0},
		{"there are no policies at all", func(_ *testing.T, x *box) { x.files[proof.FilePolicies] = []byte("null") }, proof.FoundForm, proof.FilePolicies, -1, 0},
		{"a policy's time is in another zone", func(t *testing.T, x *box) {
			t.Helper()
			var all []proof.Policy
			if err := json.Unmarshal(x.files[proof.FilePolicies], &all); err != nil {
				t.Fatal(err)
			}
			all[0].First = all[0].First.In(time.FixedZone("", 3600))
			x.files[proof.FilePolicies], _ = json.Marshal(all)
		}, proof.FoundPolicies, proof.FilePolicies, -1, 0},
		{"the range proof is null", func(_ *testing.T, x *box) { x.files[proof.FileRange] = []byte("null") }, proof.FoundForm, proof.FileRange, -1, 0},
		{"a consistency proof is null", replace(proof.FileConsistency, `"note":`, `"note":"x","proof":null},{"note":`), proof.FoundForm, proof.FileConsistency, -1, 0},
		{"the keys hold none", func(_ *testing.T, x *box) { x.files[proof.FileKeys] = append(x.files[proof.FileKeys], "x\n"...) }, proof.FoundForm, proof.FileKeys, -1, 0},
		{"the last key does not end", func(_ *testing.T, x *box) {
			x.files[proof.FileKeys] = bytes.TrimSuffix(x.files[proof.FileKeys], []byte("\n"))
		}, proof.FoundForm, proof.FileKeys, -1, 0},
		{"a key ends as in other systems", replace(proof.FileKeys, "\n", "\r\n"), proof.FoundForm, proof.FileKeys, -1, 0},
		{"a policy's member is there twice", replace(proof.FilePolicies, `"events"`, `"events":1,"events"`), proof.FoundForm, proof.FilePolicies, -1, 0},
		{"an earlier checkpoint's member is there twice", replace(proof.FileConsistency, `"note":`, `"note":"x","note":`), proof.FoundForm, proof.FileConsistency, -1, 0},

		{"the index was changed", func(_ *testing.T, x *box) { x.files[proof.FileIndex][3] ^= 1 }, proof.FoundIndex, proof.FileIndex, -1, 0},
		{"the index is gone", func(_ *testing.T, x *box) { delete(x.files, proof.FileIndex) }, proof.FoundExpired, events, 7, 0},
		{"the index is short", func(_ *testing.T, x *box) { x.files[proof.FileIndex] = x.files[proof.FileIndex][:100] }, proof.FoundIndex, proof.FileIndex, -1, 0},

		{"the manifest counts wrongly", manifest(func(m *proof.Manifest) { m.Events++ }), proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the manifest hides what has expired", manifest(func(m *proof.Manifest) { m.Expired = 0 }), proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the manifest has another last time", manifest(func(m *proof.Manifest) { m.Last = m.Last.Add(1) }), proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the manifest has another log", manifest(func(m *proof.Manifest) { m.Store = "other" }), proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the manifest begins earlier", manifest(func(m *proof.Manifest) { m.From-- }), proof.FoundMissing, events, 5, 0},
		{"the manifest ends earlier", manifest(func(m *proof.Manifest) { m.To-- }), proof.FoundOrder, events, 19, 0},
		{"the manifest ends later", manifest(func(m *proof.Manifest) { m.To++ }), proof.FoundMissing, events, 20, 0},
		{"the manifest has a larger tree", manifest(func(m *proof.Manifest) { m.Size++ }), proof.FoundManifest, proof.FileManifest, -1, 0},
		{"the policies were changed", replace(proof.FilePolicies, "2026-1", "2027-1"), proof.FoundPolicies, proof.FilePolicies, -1, 0},
		{"the report was changed", replace(proof.FileReport, "</body>", "!</body>"), proof.FoundView, proof.FileReport, -1, 0},
		{"the table was changed", replace(proof.FileTable, "LoginFailed", "LoginDone"), proof.FoundView, proof.FileTable, -1, 0},
		{"the text was changed", replace(proof.FileReadme, "PROOF", "proof"), proof.FoundView, proof.FileReadme, -1, 0},
		{"the manifest names a file for people that no bundle has", manifest(func(m *proof.Manifest) { m.Views["more.html"] = m.Views[proof.FileReport] }), proof.FoundView, proof.FileManifest, -1, 0},
		{"a file was added", func(_ *testing.T, x *box) { x.names, x.files["more"] = append(x.names, "more"), nil }, proof.FoundFile, "more", -1, 0},
		{"a file is there twice", func(_ *testing.T, x *box) { x.extra = []string{events} }, proof.FoundFile, events, -1, 0},
	}
}

func TestWhatWasBrokenIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	l, b := sample()
	for _, c := range breaks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := unpack(t, b)
			c.do(t, x)
			v := verdict(t, x.pack(t), proof.Options{Keys: l.Keys()})
			if v.OK() {
				t.Fatal("all holds")
			}
			i := slices.IndexFunc(v.Findings, func(f proof.Finding) bool { return f.Kind == c.kind && f.File == c.file })
			if i < 0 {
				t.Fatalf("found is\n%+v", v.Findings)
			}
			want := [2]int64{c.leaf, c.upTo}
			switch {
			case c.leaf < 0:
				want = [2]int64{}
			case c.upTo == 0:
				want[1] = c.leaf + 1
			}
			f := v.Findings[i]
			if got := [2]int64{f.Leaf, f.Until}; got != want || f.Text == "" {
				t.Errorf("found is %+v, want the leaves %v", f, want)
			}
		})
	}
}

func TestAFileThatIsDroppedTruncatedOrOfAnotherBundleIsFound(t *testing.T) {
	t.Parallel()
	l, b := sample()
	whole := unpack(t, made(t, l, bundle.Query{Language: "en"}))
	other := bundletest.New(t, 2)
	record(t, other, size+1)
	other.Expired[8] = true
	foreign := unpack(t, made(t, other, bundle.Query{From: bundle.Moment{Position: from + 1}, To: bundle.Moment{Position: to + 1}, Language: "en"}))
	for _, name := range unpack(t, b).names {
		for what, do := range map[string]func(*box){
			"dropped":            func(x *box) { delete(x.files, name) },
			"empty":              func(x *box) { x.files[name] = nil },
			"cut":                func(x *box) { x.files[name] = x.files[name][:len(x.files[name])/2] },
			"of another part":    func(x *box) { x.files[name] = whole.files[name] },
			"of another history": func(x *box) { x.files[name] = foreign.files[name] },
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				x := unpack(t, b)
				if before := x.files[name]; true {
					if do(x); bytes.Equal(x.files[name], before) {
						return // the same in both
					}
				}
				p := x.pack(t)
				v, err := proof.Verify(bytes.NewReader(p), int64(len(p)), proof.Options{Keys: l.Keys()})
				if err == nil && (v.OK() || len(v.Findings) == 0) || err != nil && (name != proof.FileManifest || !errors.Is(err, proof.ErrBadBundle)) {
					t.Errorf("%+v, %v", v, err)
				}
			})
		}
	}
}

func TestAnotherKeyIsNotBelieved(t *testing.T) {
	t.Parallel()
	l, _ := sample()
	forged := bundletest.New(t, 2) // the same log and name, signed by somebody else
	record(t, forged, size)
	b := made(t, forged, bundle.Query{})
	if v := verdict(t, b, proof.Options{}); !v.OK() || v.KeysPinned {
		t.Errorf("believing its own keys: %+v", v)
	}
	v := verdict(t, b, proof.Options{Keys: l.Keys()})
	if v.Signed || v.OK() || len(v.Witnesses) > 0 || v.Findings[0].Kind != proof.FoundKey || v.Findings[1].Kind != proof.FoundSignature {
		t.Errorf("with the true key: %+v", v)
	}
	if v := verdict(t, b, proof.Options{Keys: forged.Keys()[1:]}); v.Signed || v.OK() {
		t.Errorf("with a witness's key alone: %+v", v)
	}
	both := verdict(t, b, proof.Options{Keys: append(forged.Keys()[:1:1], l.Keys()[1])})
	if !both.OK() || len(both.Witnesses) > 0 || !slices.Equal(both.Absent, []string{"auditor.example"}) {
		t.Errorf("with the key of a witness who has not cosigned it: %+v", both)
	}
	if _, err := proof.Verify(bytes.NewReader(b), int64(len(b)), proof.Options{Keys: []string{"x"}}); !errors.Is(err, proof.ErrBadKey) {
		t.Errorf("with no key: %v", err)
	}
}

func TestTheOlderCheckpoint(t *testing.T) {
	t.Parallel()
	l, b := sample()
	x := unpack(t, b)
	grown := bundletest.New(t, 1)
	record(t, grown, size+4)
	later, _ := grown.Checkpoint()
	rewritten := bundletest.New(t, 1) // the same key: an insider made the whole log anew
	rewritten.Add(t, "enrolment-"+someone.ID, "NameSet", `{"name":"x"}`, monday, someone)
	record(t, rewritten, size-1)
	kept := func(l *bundletest.Log, leaves int64) (note []byte) {
		for _, c := range l.Checkpoints() {
			if c.Size == leaves {
				note = c.Note
			}
		}
		return note
	}
	between := bundletest.New(t, 1)
	record(t, between, 17) // signed at an odd moment, within the range
	inside, _ := between.Checkpoint()
	before := bundletest.New(t, 1)
	record(t, before, 5)
	outside, _ := before.Checkpoint()
	last, _ := l.Checkpoint()
	for _, c := range []struct {
		name  string
		since []byte
		holds bool
		text  string
	}{
		{"of the first day", []byte(x.note(t, 0)), true, ""},
		{"of a day within the range", []byte(x.note(t, 3)), true, ""},
		{"within the range, at another moment", inside.Note, true, ""},
		{"the bundle's own", last.Note, true, ""},
		{"before the range, without a proof", outside.Note, false, "no proof"},
		{"newer than the bundle", later.Note, false, "not the older one, or events are gone"},
		{"of another history, before the range", kept(rewritten, 4), false, "another history"},
		{"of another history, within the range", kept(rewritten, 16), false, "another history"},
		{"of another history, as large", kept(rewritten, size), false, "another history"},
		{"not signed", []byte(strings.Replace(x.note(t, 0), "time 2026", "time 2025", 1)), false, "not signed"},
		{"none", []byte("x"), false, "is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := verdict(t, b, proof.Options{Keys: l.Keys(), Since: c.since})
			if v.Since == nil || v.Since.Holds != c.holds || !v.Complete {
				t.Errorf("%+v", v.Since)
			}
			switch {
			case c.text == "" && !v.OK():
				t.Errorf("%+v", v)
			case c.text != "" && (v.OK() || v.Findings[0].Kind != proof.FoundSince || !strings.Contains(v.Findings[0].Text, c.text)):
				t.Errorf("%+v", v.Findings)
			}
		})
	}
}

func TestATreeThatBeginsWithACheckpoint(t *testing.T) {
	t.Parallel()
	old, _ := sample()
	before, _ := old.Checkpoint()
	l := bundletest.New(t, 3)
	l.Begin(t, before.Note)
	record(t, l, 9)
	b := made(t, l, bundle.Query{})
	if v := verdict(t, b, proof.Options{Keys: l.Keys()}); !v.OK() || v.Events != 9 || v.To != 10 || v.Before != string(before.Note) {
		t.Errorf("%+v", v)
	}
	x := unpack(t, b)
	x.files[proof.FileEvents] = bytes.Replace(x.files[proof.FileEvents], []byte("time 2026"), []byte("time 2025"), 1)
	if v := verdict(t, x.pack(t), proof.Options{Keys: l.Keys()}); v.OK() || v.Findings[0].Kind != proof.FoundRoot {
		t.Errorf("with another checkpoint in it: %+v", v)
	}
}

func TestWhatIsNoBundle(t *testing.T) {
	t.Parallel()
	_, b := sample()
	x := unpack(t, b)
	many := &box{files: map[string][]byte{}}
	for i := range 200 {
		name := fmt.Sprint(i)
		many.names, many.files[name] = append(many.names, name), nil
	}
	format := unpack(t, b)
	format.manifest(t, func(m *proof.Manifest) { m.Format = 2 })
	turned := unpack(t, b)
	turned.manifest(t, func(m *proof.Manifest) { m.From, m.To = m.To, m.From })
	shown := unpack(t, b)
	shown.manifest(t, func(m *proof.Manifest) { m.Origin = "keydesk/\u009b2J" })
	huge := unpack(t, b)
	huge.files[proof.FileManifest] = append(bytes.Repeat([]byte(" "), 2<<20), x.files[proof.FileManifest]...)
	zone := unpack(t, b)
	zone.manifest(t, func(m *proof.Manifest) { m.Last = m.Last.In(time.FixedZone("", -3600)) })
	more := unpack(t, b)
	more.files[proof.FileManifest] = append(more.files[proof.FileManifest], "{}"...)
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("x"), "cut": b[:len(b)-100], "an empty zip": (&box{}).pack(t), "a zip of many files": many.pack(t),
		"another format": format.pack(t), "a time in another zone": zone.pack(t), "leaves the wrong way round": turned.pack(t), "a name that a terminal obeys": shown.pack(t), "a huge manifest": huge.pack(t), "two manifests in one": more.pack(t),
	} {
		if v, err := proof.Verify(bytes.NewReader(b), int64(len(b)), proof.Options{}); !errors.Is(err, proof.ErrBadBundle) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// What is packed small and is huge is not read into memory, and not for ever.
func TestBombs(t *testing.T) {
	t.Parallel()
	_, b := sample()
	zeros := bytes.Repeat([]byte{'0'}, 24<<20)
	for _, name := range []string{proof.FileEvents, proof.FileCheckpoint, proof.FileConsistency, proof.FileRange, proof.FileKeys, proof.FilePolicies, proof.FileIndex} {
		x := unpack(t, b)
		x.files[name] = zeros
		if v := verdict(t, x.pack(t), proof.Options{}); v.OK() || len(v.Findings) == 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// What is short, and there a million times, takes neither memory nor time.
func TestManyOfTheSmallest(t *testing.T) { //nolint:paralleltest // it measures what is allocated
	l, b := sample()
	c, _ := l.Checkpoint()
	var filled bytes.Buffer // with signatures of nobody that is known
	filled.Write(c.Note)
	for i := 0; filled.Len() < proof.MaxNote-1000; i++ {
		fmt.Fprintf(&filled, "— x%d %s\n", i, strings.Repeat("A", 800))
	}
	note, err := json.Marshal(filled.String())
	if err != nil {
		t.Fatal(err)
	}
	large := `{"note":` + string(note) + `,"proof":[]}`
	for _, test := range []struct {
		name    string
		file    string
		content string
		earlier int
	}{
		{"checkpoints", proof.FileConsistency, "[" + strings.Repeat("{},", 10<<20) + "{}]", 0},
		{"signed checkpoints, as large as can be", proof.FileConsistency, "[" + strings.Repeat(large+",", 200) + large + "," + strings.Repeat(" ", 10<<20) + large + "]", 201},
		{"white space", proof.FileConsistency, "[" + strings.Repeat(" ", 60<<20) + "]", 0},
		{"one checkpoint", proof.FileConsistency, `[{"note":"` + strings.Repeat("x", 60<<20) + `"}]`, 0},
		{"keys", proof.FileKeys, strings.Repeat(l.Keys()[0]+"\n", 9000), 0},
	} {
		x := unpack(t, b)
		x.files[test.file] = []byte(test.content)
		packed := x.pack(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v := verdict(t, packed, proof.Options{})
		runtime.ReadMemStats(&after)
		found := slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Kind == proof.FoundForm && f.File == test.file })
		if got := (after.TotalAlloc - before.TotalAlloc) >> 20; !found || got > 400 || v.Earlier != test.earlier && test.file == proof.FileConsistency {
			t.Errorf("%s: %d MB, %+v", test.name, got, v.Findings)
		}
	}
}

// No byte of what is proved can be another one without being found, unless it
// takes something away that only adds to the proof.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	l, b := sample()
	pristine := unpack(t, b)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(pristine.names).Draw(t, "file")
		at := rapid.IntRange(0, len(pristine.files[name])-1).Draw(t, "at")
		flip := rapid.ByteRange(1, 255).Draw(t, "flip")
		x := &box{names: pristine.names, files: maps.Clone(pristine.files)}
		x.files[name] = slices.Clone(x.files[name])
		old := x.files[name][at]
		x.files[name][at] ^= flip
		space := func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }
		if space(old) && space(x.files[name][at]) || slices.Contains([]string{proof.FileManifest, proof.FileKeys}, name) {
			return // manifests have members that prove nothing, such as the version; keys are those that are given
		}
		if name == proof.FileCheckpoint && sameInBase64(old, x.files[name][at], x.files[name][at+1:]) {
			return
		}
		p := pack(t, x)
		v, err := proof.Verify(bytes.NewReader(p), int64(len(p)), proof.Options{Keys: l.Keys()})
		if err == nil && v.OK() && len(v.Witnesses) == 1 && v.Earlier == 5 {
			// A witness's name in an earlier note is all that is left.
			if name != proof.FileConsistency {
				t.Fatalf("%s, byte %d: %q is as good as %q", name, at, x.files[name][at], old)
			}
		}
	})
}

// The last letter of a hash in base64 has two bits that say nothing.
func TestAHashIsWrittenInOneWay(t *testing.T) {
	t.Parallel()
	_, b := sample()
	x := unpack(t, b)
	at := bytes.IndexByte(x.files[proof.FileRange], '=') - 1
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	x.files[proof.FileRange][at] = letters[strings.IndexByte(letters, x.files[proof.FileRange][at])^1]
	if v := verdict(t, x.pack(t), proof.Options{}); v.OK() {
		t.Errorf("%+v", v)
	}
}

// sameInBase64 says that two characters say the same before what follows: the last one
// has bits that nobody reads.
func sameInBase64(a, b byte, rest []byte) bool {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	spare := 0
	for len(rest) > spare/2 && rest[spare/2] == '=' {
		spare += 2
	}
	i, j := strings.IndexByte(digits, a), strings.IndexByte(digits, b)
	return spare > 0 && spare <= 4 && i >= 0 && j >= 0 && i>>spare == j>>spare
}

// pack is box.pack for rapid's tests.
func pack(t *rapid.T, x *box) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range x.names {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(x.files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A verifier that somebody else wrote, in another language, from the README.txt of
// a bundle: it has to come to the same verdicts.
func TestASecondOpinion(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	l, b := sample()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, []byte(strings.Join(l.Keys(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(t *testing.T, b []byte, since string) (string, bool) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "bundle.zip")
		args := []string{filepath.Join("testdata", "verify.py"), file, keys}
		if since != "" {
			args = append(args, filepath.Join(dir, "since"))
			if err := os.WriteFile(filepath.Join(dir, "since"), []byte(since), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), python, args...).Output() //nolint:gosec // our own script
		if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
			t.Fatal(err)
		}
		return string(out), err == nil
	}
	if out, ok := ask(t, b, unpack(t, b).note(t, 0)); !ok {
		t.Fatalf("of a whole bundle: %s", out)
	}
	other := bundletest.New(t, 3)
	before, _ := l.Checkpoint()
	other.Begin(t, before.Note)
	record(t, other, 9)
	if out, ok := ask(t, made(t, other, bundle.Query{}), ""); ok || !strings.HasPrefix(out, "keys: ") {
		t.Errorf("of one with another key: %s", out)
	}
	there, _ := reindexed(t, false)
	gone, old := reindexed(t, true)
	for name, c := range map[string]struct {
		b     []byte
		since string
	}{"an event that is no login": {there, ""}, "one that is gone": {gone, string(old)}} {
		if out, ok := ask(t, c.b, c.since); ok || !strings.Contains(out, "index") && !strings.Contains(out, "out of place") {
			t.Errorf("of an index that was made anew, with %s: %s", name, out)
		}
	}
	for _, c := range oddZips(b) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if out, ok := ask(t, c.repack(t, b), ""); ok || out == "" {
				t.Error("all holds")
			}
		})
	}
	for _, c := range breaks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := unpack(t, b)
			c.do(t, x)
			if out, ok := ask(t, x.pack(t), ""); ok || out == "" {
				t.Error("all holds")
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	l, b := sample()
	before, _ := l.Checkpoint()
	after := bundletest.New(f, 3) // a tree that begins with the last checkpoint of the other
	after.Begin(f, before.Note)
	record(f, after, 5)
	roots, keys := map[int64][]string{}, append(slices.Clone(l.Keys()), after.Keys()...)
	for _, c := range append(slices.Clone(l.Checkpoints()), after.Checkpoints()...) {
		roots[c.Size] = append(roots[c.Size], c.Root.String())
	}
	holds := func(b, since []byte) {
		if v := verdict(f, b, proof.Options{Keys: keys, Since: since}); !v.OK() {
			f.Fatalf("%+v", v)
		}
		f.Add(b, since)
	}
	whole := small(f, b).pack(f)
	holds(whole, before.Note) // with expired events, and a witness
	holds(small(f, made(f, l, bundle.Query{From: bundle.Moment{Position: 20}})).pack(f), l.Checkpoints()[0].Note)
	holds(small(f, made(f, l, bundle.Query{To: bundle.Moment{Position: 3}})).pack(f), nil)
	holds(small(f, made(f, after, bundle.Query{})).pack(f), after.Checkpoints()[0].Note)
	f.Add(whole[:len(whole)/2], []byte("x"))
	f.Add(packing{comment: "x"}.repack(f, whole), whole)
	f.Fuzz(func(t *testing.T, b, since []byte) {
		v, err := proof.Verify(bytes.NewReader(b), int64(len(b)), proof.Options{Keys: keys, Since: since})
		if err != nil {
			return
		}
		if v.OK() && (!slices.Contains(roots[v.Size], v.Root) || !v.KeysPinned) {
			t.Errorf("holds: %+v", v)
		}
		if s := v.Since; s != nil && s.Holds && !slices.Contains(roots[s.Size], s.Root) {
			t.Errorf("holds since: %+v", s)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("cannot be told: %v", err)
		}
		for _, f := range v.Findings {
			if f.Text == "" || f.Kind == "" || strings.ContainsAny(f.Text, "\n\x1b") {
				t.Errorf("found: %+v", f)
			}
		}
	})
}

// small returns a bundle whose files for people are short: what is small is changed more
// often.
func small(tb testing.TB, b []byte) *box {
	tb.Helper()
	x := unpack(tb, b)
	views := map[string]string{}
	for _, name := range []string{proof.FileReport, proof.FileTable, proof.FileReadme} {
		x.files[name] = nil
		views[name] = fmt.Sprintf("%x", sha256.Sum256(nil))
	}
	x.manifest(tb, func(m *proof.Manifest) { m.Views = views })
	return x
}

// FuzzVerifyFiles goes deeper: what it changes is the files, in a zip that is one.
// Whatever it makes, with the true key only what was sealed can hold.
func FuzzVerifyFiles(f *testing.F) {
	l, b := sample()
	whole := string(unpack(f, made(f, l, bundle.Query{})).files[proof.FileEvents])
	x := small(f, b)
	names := []string{proof.FileManifest, proof.FileEvents, proof.FileCheckpoint, proof.FileRange, proof.FileConsistency, proof.FileIndex, proof.FilePolicies}
	if v := verdict(f, x.pack(f), proof.Options{Keys: l.Keys()}); !v.OK() {
		f.Fatalf("%+v", v)
	}
	seed := func(x *box) {
		f.Add(x.files[names[0]], x.files[names[1]], x.files[names[2]], x.files[names[3]], x.files[names[4]], x.files[names[5]], x.files[names[6]])
	}
	seed(x)
	seed(small(f, made(f, l, bundle.Query{To: bundle.Moment{Position: 5}}))) // nothing has expired there
	x.files[proof.FileConsistency] = []byte("[]")
	x.lines(func(all []string) []string { return all[:2] })
	x.manifest(f, func(m *proof.Manifest) { m.To = from + 2 })
	seed(x)
	f.Fuzz(func(t *testing.T, manifest, events, checkpoint, around, consistency, index, policies []byte) {
		y := &box{names: x.names, files: maps.Clone(x.files)}
		for i, content := range [][]byte{manifest, events, checkpoint, around, consistency, index, policies} {
			y.files[names[i]] = content
		}
		if len(index) == 0 {
			delete(y.files, proof.FileIndex)
		}
		p := y.pack(t)
		v, err := proof.Verify(bytes.NewReader(p), int64(len(p)), proof.Options{Keys: l.Keys()})
		if err == nil && v.OK() && !strings.Contains(whole, string(events)) {
			t.Errorf("holds: %+v", v)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	_, b := sample()
	for line := range strings.Lines(string(unpack(f, b).files[proof.FileEvents])) {
		f.Add([]byte(strings.TrimSuffix(line, "\n")))
	}
	f.Add([]byte(`{"checkpoint":"x","leaf":0}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := proof.ParseLine(b, nil)
		if err != nil {
			if !errors.Is(err, proof.ErrBadLine) {
				t.Error(err)
			}
			return
		}
		if again := l.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%s is written as %s", b, again)
		}
		for _, size := range []int{1, len(b) / 3, 2 * len(b)} { // of a room that was used before
			if in, err := proof.ParseLine(b, bytes.Repeat([]byte{'"'}, size)); err != nil || !reflect.DeepEqual(in, l) {
				t.Errorf("in a room of %d bytes: %+v, %v; not %+v", size, in, err, l)
			}
		}
	})
}

// The metadata's own member is the policy of an event, as every reader of JSON finds it,
// and no text, name or member of something else that looks like it.
func TestThePolicyOfAnEvent(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune("ab:,{}[]\"\\\t\n\x01<é\u2028"))),
		rapid.SampledFrom([]string{"policy", "Policy", `"policy":"x"`, `","policy":"x`, `x\"policy`, `\`}))
	value := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.MapOf(text, text), func(m map[string]string) any { return m }),
		rapid.Map(rapid.SliceOf(text), func(l []string) any { return l }),
		rapid.Map(rapid.Int(), func(n int) any { return n }))
	rapid.Check(t, func(t *rapid.T) {
		meta := rapid.MapOf(text, value).Draw(t, "metadata")
		b, err := json.Marshal(meta)
		if err == nil && rapid.Bool().Draw(t, "spread") { // somebody else wrote it
			var out bytes.Buffer
			if err = json.Indent(&out, b, "", "\t"); err == nil {
				b = bytes.ReplaceAll(out.Bytes(), []byte(`": `), []byte("\" :\r\n "))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		var said map[string]any
		if err := json.Unmarshal(b, &said); err != nil {
			t.Fatal(err)
		}
		want, _ := said["policy"].(string)
		var tally proof.Tally
		tally.Add(&proof.Line{Metadata: b})
		switch got := tally.Policies; {
		case want == "" && len(got) > 0, want != "" && (len(got) != 1 || got[0].Policy != want):
			t.Errorf("of %s: %+v", b, got)
		}
	})
	for _, cut := range []string{
		``, `{`, `{"policy`, `{"policy":"`, `{"policy":"x`, `{"policy":"x\`, `"policy":"x"`, `{"policy":"x"`, `{"policy":"x"}}`,
		`{"policy":"x","policy":5}`, `{"policy":"x","policy":{"policy":"y"}}`, `{"policy":"x","a":"b`, `{"policy":"\u20"}`,
		`{"policy":"x"} y`, `{"policy":"x"}{}`, `{"policy":"x",}`, `{"policy":"x" "a":1}`, `{"policy":"x","a":01}`, `{"policy":"x","a":NaN}`, "\ufeff" + `{"policy":"x"}`,
		`{"policy":"x","a":"` + "\t" + `"}`, `{"policy":"x","a":"` + "\xff" + `"}`, `{"policy":"\ud800"}`, `{"policy":"\udc00\ud800"}`, `{"policy":"` + "\ufffd" + `"}`, `{"policy":""}`,
		`["policy","x"]`, `"policy"`, `[{"policy":"x"}]`, `{"policy":"` + strings.Repeat("x", 201) + `"}`,
		`{"policy":"x","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		var tally proof.Tally
		if tally.Add(&proof.Line{Metadata: []byte(cut)}); len(tally.Policies) > 0 {
			t.Errorf("of %s: %+v", cut, tally.Policies)
		}
	}
	for whole, want := range map[string]string{
		`{"a":"\u2028","policy":"x","b":"\u20ac"}`: "x", ` {"policy":5,"polic\u0079":"\ud83d\ude00"}` + "\r\n": "\U0001f600",
		`{"policy":"` + strings.Repeat("é", 100) + `"}`:                                             strings.Repeat("é", 100),
		`{"policy":"x","a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `,"b":"\ud800"}`: "x",
	} {
		var tally proof.Tally
		if tally.Add(&proof.Line{Metadata: []byte(whole)}); len(tally.Policies) != 1 || tally.Policies[0].Policy != want {
			t.Errorf("of %s: %+v", whole, tally.Policies)
		}
	}
}

// Whoever runs a witness names it. One that is called as the log is no log: with it and
// access to the log's file, an auditor who trusts both keys could be shown any history.
func TestAWitnessDoesNotSignForALog(t *testing.T) {
	t.Parallel()
	l, _ := sample()
	origin := "keydesk/" + bundletest.Store
	posing, posingKey := witnessKey(t, origin, 7)
	forged := bundletest.New(t, 2)
	record(t, forged, size)
	x := unpack(t, made(t, forged, bundle.Query{}))
	text, _, _ := strings.Cut(string(x.files[proof.FileCheckpoint]), "\n\n")
	note := sign(t, text+"\n", posing)
	x.files[proof.FileCheckpoint] = note
	x.files[proof.FileConsistency] = []byte("[]\n")
	x.files[proof.FileKeys] = []byte(l.Keys()[0] + "\n")
	v := verdict(t, x.pack(t), proof.Options{Keys: []string{l.Keys()[0], proof.FormatKey(posingKey)}})
	if v.Signed || v.OK() {
		t.Errorf("a checkpoint that only a witness has signed: %+v", v)
	}
	if _, err := proof.OpenCheckpoint(note, posingKey); !errors.Is(err, proof.ErrBadSignature) {
		t.Errorf("opened with its key: %v", err)
	}
}

// Two checkpoints of the same leaves say the same of what may expire, also where nothing
// has yet, and no index is in the bundle.
func TestTwoIndexesOfTheSameLeaves(t *testing.T) {
	t.Parallel()
	honest, forged := bundletest.New(t, 1), bundletest.New(t, 1)
	for _, l := range []*bundletest.Log{honest, forged} {
		for i := range 3 {
			l.Add(t, "enrolment-"+someone.ID, "NameSet", fmt.Sprintf(`{"n":%d}`, i), monday.Add(time.Duration(i)*time.Minute), someone)
		}
	}
	forged.Index(1, proof.Entry{Position: 2, Day: proof.DayOf(monday), Class: proof.Login})
	kept := honest.Sign(t, monday.Add(time.Hour))
	forged.Sign(t, monday.Add(time.Hour))
	b := made(t, forged, bundle.Query{})
	v := verdict(t, b, proof.Options{Keys: honest.Keys(), Since: kept.Note})
	if v.OK() || v.Since == nil || v.Since.Holds || v.Findings[0].Kind != proof.FoundSince {
		t.Errorf("with the one that was kept: %+v, %+v", v.Since, v.Findings)
	}
	x := unpack(t, b)
	var earlier bytes.Buffer
	e := json.NewEncoder(&earlier)
	e.SetEscapeHTML(false)
	if err := e.Encode([]proof.Earlier{{Note: string(kept.Note), Proof: []tlog.Hash{}}}); err != nil {
		t.Fatal(err)
	}
	x.files[proof.FileConsistency] = earlier.Bytes()
	if v := verdict(t, x.pack(t), proof.Options{Keys: honest.Keys()}); v.OK() || v.Findings[0].Kind != proof.FoundConsistency {
		t.Errorf("with one in the bundle: %+v", v.Findings)
	}
}

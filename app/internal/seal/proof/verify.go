package proof

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Options are what whoever verifies has from elsewhere.
type Options struct {
	// Keys are the verifier keys that are trusted: the log's and those of
	// witnesses. Without any, those of the bundle are believed: then it proves
	// that nothing was changed since somebody signed it, and not who that was.
	Keys []string
	// Since is an older checkpoint (a signed note) that the bundle has to be
	// consistent with. It is looked at where it is not empty.
	Since []byte
}

// ErrBadBundle says that something is no bundle, so that nothing can be said
// about it.
var ErrBadBundle = errors.New("not a bundle")

// The bounds of what is read: a bundle comes from a stranger. Files that can be
// large are read as a stream, each of them at most twice.
const (
	maxSmall   = 1 << 20  // bytes of the small files
	maxNotes   = 64 << 20 // bytes of consistency.json
	maxEarlier = 50_000   // checkpoints in it: more than a hundred years of days
	maxKeys    = 100      // in the file keys
	maxLine    = 16 << 20 // bytes of a line of events.ndjson
	maxFiles   = 100      // entries in the zip's directory
)

// Verify reads a bundle and says exactly what holds, and what not. An error
// (ErrBadBundle, ErrBadKey, or one of reading) means that nothing can be said.
// It reads the file as a stream, and keeps no more of it than some megabytes.
func Verify(r io.ReaderAt, size int64, o Options) (Verdict, error) {
	c, err := open(r, size)
	if err != nil {
		return Verdict{}, err
	}
	if err := c.trust(o.Keys); err != nil {
		return Verdict{}, err
	}
	c.checkpoint()
	c.earlier()
	c.json(FileRange, maxSmall, &c.outside)
	c.older(o.Since)
	c.index()
	c.history()
	c.since()
	c.views()
	return c.v, nil
}

// A checker verifies one bundle.
type checker struct {
	files map[string]*zip.File
	said  Manifest
	v     Verdict

	log       []note.Verifier // keys of the log's name that are trusted
	witnesses []note.Verifier

	sealed  bool       // there is a checkpoint that can be read, and the manifest is of it
	held    Checkpoint // that one
	indexed bool       // there is an index, and it is the checkpoint's and that of all older ones
	outside []tlog.Hash

	proofs map[int64][]tlog.Hash // of earlier checkpoints, by their size
	signs  map[int64]tlog.Hash   // the roots of those that are signed
	roots  map[int64]tlog.Hash   // those that the leaves lead to, of the same sizes
	old    *Checkpoint           // the older checkpoint that was given
	grown  []Checkpoint          // all older ones of this tree that are signed
}

// open reads the directory and the manifest.
func open(r io.ReaderAt, size int64) (*checker, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadBundle, err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("%w: %d files", ErrBadBundle, len(z.File))
	}
	c := &checker{files: map[string]*zip.File{}, v: Verdict{Witnesses: []string{}, Findings: []Finding{}}}
	known := []string{
		FileManifest, FileEvents, FileCheckpoint, FileRange, FileConsistency, FileKeys, FilePolicies,
		FileReport, FileTable, FileReadme, FileIndex,
	}
	for _, f := range z.File {
		switch {
		case !slices.Contains(known, f.Name):
			c.v.find(Finding{Kind: FoundFile, File: printable(f.Name)}, "the bundle holds a file that belongs into none")
		case c.files[f.Name] != nil:
			c.v.find(Finding{Kind: FoundFile, File: f.Name}, "the bundle holds two files of this name")
		default:
			c.files[f.Name] = f
		}
	}
	if c.files[FileManifest] == nil {
		return nil, fmt.Errorf("%w: it has no %s", ErrBadBundle, FileManifest)
	}
	if !c.json(FileManifest, maxSmall, &c.said) || c.said.Format != Format {
		return nil, fmt.Errorf("%w: %s is not one of format %d", ErrBadBundle, FileManifest, Format)
	}
	m := &c.said
	if !plain(m.Origin) || !plain(m.Store) {
		return nil, fmt.Errorf("%w: %s names no log", ErrBadBundle, FileManifest)
	}
	if m.From < 0 || m.To <= m.From || m.Size < m.To || m.Size >= exact {
		return nil, fmt.Errorf("%w: leaves [%d, %d) of %d", ErrBadBundle, m.From, m.To, m.Size)
	}
	v := &c.v
	v.Origin, v.Store, v.From, v.To, v.Size = m.Origin, m.Store, m.From, m.To, m.Size
	for _, name := range known[:len(known)-1] { // the index is there where it is needed
		if c.files[name] == nil {
			v.find(Finding{Kind: FoundFile, File: name}, "the file is missing")
		}
	}
	return c, nil
}

// plain says that a foreign name can be shown as it is, on a terminal, too.
func plain(s string) bool {
	return s != "" && len(s) <= 200 && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
}

// printable makes a foreign name fit for a line of text.
func printable(s string) string {
	if len(s) > 80 {
		s = s[:80]
	}
	return strings.Trim(fmt.Sprintf("%+q", s), `"`)
}

// stream gives a file to somebody who reads it to its end. What is damaged is a
// finding.
func (c *checker) stream(name string, read func(io.Reader) error) bool {
	f := c.files[name]
	if f == nil {
		return false // found in the beginning
	}
	r, err := f.Open()
	if err == nil {
		defer func() { _ = r.Close() }()
		err = read(r)
	}
	if err != nil {
		c.v.find(Finding{Kind: FoundFile, File: name}, "the file is damaged: %v", err)
	}
	return err == nil
}

// all returns a small file.
func (c *checker) all(name string, limit int64) (b []byte, ok bool) {
	ok = c.stream(name, func(r io.Reader) (err error) {
		if b, err = io.ReadAll(io.LimitReader(r, limit+1)); err == nil && int64(len(b)) > limit {
			err = fmt.Errorf("longer than %d bytes", limit)
		}
		return err
	})
	return b, ok
}

// json reads a small file of JSON.
func (c *checker) json(name string, limit int64, to any) bool {
	b, ok := c.all(name, limit)
	if !ok {
		return false
	}
	err := exactly(b, to)
	if err != nil {
		c.v.find(Finding{Kind: FoundForm, File: name}, "the file is not in its form: %v", err)
	}
	return err == nil
}

// exactly reads JSON that is, but for white space, as it is written here: every member
// once, by its very name and in its place. Of a member that is there twice, or in capitals
// too, another verifier may read the other one.
func exactly(b []byte, to any) error {
	if err := json.Unmarshal(b, to); err != nil {
		return err
	}
	var found, again bytes.Buffer
	e := json.NewEncoder(&again)
	e.SetEscapeHTML(false)
	if err := errors.Join(json.Compact(&found, b), e.Encode(to)); err != nil {
		return err
	}
	if !bytes.Equal(found.Bytes(), bytes.TrimSuffix(again.Bytes(), []byte("\n"))) {
		return errors.New("its members are others, or written otherwise")
	}
	return nil
}

// trust sorts the keys: those given, or else those of the bundle.
func (c *checker) trust(given []string) error {
	b, _ := c.all(FileKeys, maxSmall)
	own := strings.Fields(string(b))
	if len(own) > maxKeys { // each checkpoint is tried with each
		c.v.find(Finding{Kind: FoundForm, File: FileKeys}, "the file holds %d keys, and %d at the most are looked at", len(own), maxKeys)
		own = own[:maxKeys]
	}
	keys := given
	if c.v.KeysPinned = len(given) > 0; !c.v.KeysPinned {
		keys = own
	}
	for _, s := range keys {
		k, err := ParseKey(s)
		switch {
		case err != nil && c.v.KeysPinned:
			return err
		case err != nil, !plain(k.Name()):
			c.v.find(Finding{Kind: FoundForm, File: FileKeys}, "the file holds something that is no key")
		case k.Name() == c.said.Origin:
			c.log = append(c.log, k)
		default:
			c.witnesses = append(c.witnesses, k)
		}
	}
	named := slices.DeleteFunc(own, func(s string) bool { return !strings.HasPrefix(s, c.said.Origin+"+") })
	if c.v.KeysPinned && (len(named) == 0 || slices.ContainsFunc(named, func(s string) bool { return !slices.Contains(given, s) })) {
		c.v.find(Finding{Kind: FoundKey, File: FileKeys}, "the bundle names another key of the log than the one that is trusted, or none")
	}
	return nil
}

// signed opens a checkpoint with the keys that are trusted. Where no signature
// holds, it still returns what the checkpoint says, and false.
func (c *checker) signed(b []byte) (Checkpoint, bool, error) {
	for _, k := range c.log {
		if p, err := OpenCheckpoint(b, k, c.witnesses...); err == nil {
			return p, true, nil
		}
	}
	text, _, _ := strings.Cut(string(b), "\n\n")
	p, err := ParseText(text + "\n")
	return p, false, err
}

// checkpoint verifies the checkpoint, and that the manifest is of it.
func (c *checker) checkpoint() {
	b, ok := c.all(FileCheckpoint, MaxNote)
	if !ok {
		return
	}
	p, signed, err := c.signed(b)
	if err != nil {
		c.v.find(Finding{Kind: FoundForm, File: FileCheckpoint}, "the file is no checkpoint")
		return
	}
	c.held, c.sealed = p, true
	c.v.Signed, c.v.Root, c.v.Sealed = signed, p.Root.String(), p.At
	if !signed {
		c.v.find(Finding{Kind: FoundSignature, File: FileCheckpoint}, "the checkpoint is not signed with a key of %s that is trusted, or a signature on it is false", p.Origin)
	}
	for _, w := range p.Witnesses {
		c.v.Witnesses = append(c.v.Witnesses, w.Name)
	}
	for _, w := range c.witnesses {
		if c.v.KeysPinned && !slices.Contains(c.v.Witnesses, w.Name()) {
			c.v.Absent = append(c.v.Absent, w.Name())
		}
	}
	if p.Origin != c.said.Origin || p.Store() != c.said.Store || p.Size != c.said.Size {
		c.v.find(Finding{Kind: FoundManifest, File: FileManifest}, "the manifest is of another tree than the checkpoint, which is of %s with %d leaves", p.Origin, p.Size)
		c.sealed = false
	}
}

// index verifies that the index, where there is one, is that of the checkpoint, and
// that it has only grown since each older one: of what has expired it alone speaks,
// and no root is over it.
func (c *checker) index() {
	if c.files[FileIndex] == nil {
		return
	}
	slices.SortFunc(c.grown, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	sum := sha256.New()
	var n int64
	var other *Checkpoint // the first one that knows another index
	ok := c.stream(FileIndex, func(r io.Reader) error {
		for i := range c.grown {
			part, err := io.CopyN(sum, r, c.grown[i].Size*EntrySize-n)
			if n += part; errors.Is(err, io.EOF) {
				return nil // too short: seen below
			} else if err != nil {
				return err
			}
			if other == nil && [32]byte(sum.Sum(nil)) != c.grown[i].Index {
				other = &c.grown[i]
			}
		}
		part, err := io.Copy(sum, r)
		n += part
		return err
	})
	c.indexed = ok && c.sealed && n == c.held.Size*EntrySize && [32]byte(sum.Sum(nil)) == c.held.Index
	switch {
	case ok && c.sealed && !c.indexed:
		c.v.find(Finding{Kind: FoundIndex, File: FileIndex}, "the index is not the one whose SHA-256 stands in the checkpoint")
	case c.indexed && other != nil:
		c.indexed = false
		c.v.find(Finding{Kind: FoundIndex, File: FileIndex}, "what the index says of the first %d leaves was changed since the checkpoint of then, of %s", other.Size, other.At.Format(minute))
	}
}

// earlier verifies that the earlier checkpoints are signed, and that each is of
// the same history as the bundle's.
func (c *checker) earlier() {
	c.proofs, c.signs, c.roots = map[int64][]tlog.Hash{}, map[int64]tlog.Hash{}, map[int64]tlog.Hash{}
	for e := range c.notes {
		if !c.sealed {
			continue
		}
		p, signed, err := c.signed([]byte(e.Note))
		switch {
		case err != nil:
			c.v.find(Finding{Kind: FoundForm, File: FileConsistency}, "the file holds something that is no checkpoint")
			continue
		case !signed:
			c.v.find(Finding{Kind: FoundSignature, File: FileConsistency}, "the earlier checkpoint of %d leaves is not signed with a key that is trusted", p.Size)
			continue
		case !c.follows(p, e.Proof):
			c.v.find(Finding{Kind: FoundConsistency, File: FileConsistency}, "nothing proves that the checkpoint of %d leaves, of %s, is of the same history", p.Size, p.At.Format(minute))
		default:
			c.v.Earlier++
			c.grown = append(c.grown, p)
		}
		c.proofs[p.Size], c.signs[p.Size] = e.Proof, p.Root
	}
}

// notes gives the earlier checkpoints one by one: all at once, the shortest that can be
// written would take far more room than their file.
func (c *checker) notes(yield func(Earlier) bool) {
	b, ok := c.all(FileConsistency, maxNotes)
	if !ok {
		return
	}
	d := json.NewDecoder(bytes.NewReader(b))
	begin, err := d.Token()
	if err == nil && begin != json.Delim('[') {
		err = errors.New("it is no list")
	}
	for n := 0; err == nil && d.More(); n++ {
		var e Earlier
		var text json.RawMessage
		if err = d.Decode(&text); err == nil {
			err = exactly(text, &e)
		}
		if err == nil && n == maxEarlier {
			err = fmt.Errorf("more than %d checkpoints", maxEarlier)
		}
		if err == nil && !yield(e) {
			return
		}
	}
	if err == nil {
		_, err = d.Token() // the end of the list
	}
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("something follows")
	}
	if err != nil {
		c.v.find(Finding{Kind: FoundForm, File: FileConsistency}, "the file is not in its form: %v", err)
	}
}

// minute is how findings tell a time.
const minute = "2006-01-02 15:04 MST"

// follows says whether a proof shows that the bundle's tree begins with another one.
func (c *checker) follows(p Checkpoint, proof []tlog.Hash) bool {
	return p.Origin == c.held.Origin && tlog.CheckTree(proof, c.held.Size, c.held.Root, p.Size, p.Root) == nil
}

// older reads the checkpoint that somebody kept. It comes before the events,
// which show its root where it stands among them.
func (c *checker) older(b []byte) {
	if len(b) == 0 {
		return
	}
	p, signed, err := c.signed(b)
	if err != nil {
		c.v.Since = &SinceVerdict{}
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint that was given is none")
		return
	}
	c.old, c.v.Since = &p, &SinceVerdict{Size: p.Size, Root: p.Root.String(), At: p.At}
	c.roots[p.Size] = tlog.Hash{}
	if !signed {
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint that was given is not signed with a key that is trusted")
	} else if c.sealed && p.Origin == c.held.Origin && p.Size <= c.held.Size {
		c.grown = append(c.grown, p)
	}
}

// since verifies that what an older checkpoint covers is what the bundle's does.
func (c *checker) since() {
	old := c.old
	if old == nil || !c.sealed {
		return
	}
	root := c.roots[old.Size]
	proof, proved := c.proofs[old.Size]
	switch {
	case old.Origin != c.held.Origin:
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint is of another tree, %s", old.Origin)
	case old.Size > c.held.Size:
		c.v.find(Finding{Kind: FoundSince}, "the checkpoint that was given is of %d leaves, the bundle's only of %d: either it is not the older one, or events are gone", old.Size, c.held.Size)
	case old.Size == 0, old.Size == c.held.Size && old.Root == c.held.Root,
		c.v.Complete && root == old.Root, proved && c.follows(*old, proof):
		c.v.Since.Holds = c.files[FileIndex] == nil || c.indexed
	case old.Size == c.held.Size, c.v.Complete && root != tlog.Hash{}, proved:
		c.v.find(Finding{Kind: FoundSince}, "what the older checkpoint of %d leaves covers was changed since: it is of another history", old.Size)
	default:
		c.v.find(Finding{Kind: FoundSince}, "the bundle holds no proof for the older checkpoint of %d leaves: have it exported with --since", old.Size)
	}
}

// history reads the events, and verifies that they are what the tree holds.
func (c *checker) history() {
	var tree growing
	rest, ok := tree.fill(c.said.From, c.outside)
	if !ok {
		c.v.find(Finding{Kind: FoundRoot, File: FileRange}, "the range proof has too few hashes")
	}
	var t Tally
	good, bad := c.said.From, c.said.To // what is before, and behind, the first leaf that differs, as far as signed roots tell
	compare := func() {                 // with what is known of the tree of this size
		if _, asked := c.roots[tree.size]; asked {
			c.roots[tree.size] = tree.root()
		}
		if want, signed := c.signs[tree.size]; signed && want == tree.root() {
			good = tree.size
		} else if signed {
			bad = min(bad, tree.size)
		}
	}
	if ok && tree.size > 0 {
		compare()
	}
	whole := c.leaves(func(l *Line) {
		t.Add(l)
		if ok {
			tree.add(0, l.Hash())
			compare()
		}
	})
	c.v.Events, c.v.Expired, c.v.First, c.v.Last, c.v.LastExpired = t.Events, t.Expired, t.First, t.Last, t.LastExpired
	if whole {
		c.counted(t)
	}
	if !whole || !ok {
		return
	}
	rest, ok = tree.fill(c.said.Size, rest)
	switch {
	case !ok || len(rest) > 0:
		c.v.find(Finding{Kind: FoundRoot, File: FileRange}, "the range proof has too few hashes, or too many")
	case c.sealed && tree.root() != c.held.Root:
		c.v.find(Finding{Kind: FoundRoot, File: FileEvents, Leaf: min(good, bad-1), Until: bad}, "the leaves do not lead to the root in the checkpoint: one of %d to %d is not what was sealed, or the range proof is false", min(good, bad-1), bad-1)
	default:
		c.v.Complete = c.sealed && !slices.ContainsFunc(c.v.Findings, func(f Finding) bool { return f.File == FileEvents })
	}
}

// leaves gives the lines of the events, each of which is what it has to be by
// itself and in its place. It says whether all are there.
func (c *checker) leaves(yield func(*Line)) bool {
	next, last := c.said.From, uint64(0)
	ok := c.stream(FileEvents, func(r io.Reader) error {
		entry, done := c.entries()
		defer done()
		r, stop := ahead(r)
		defer stop()
		for line, err := range lines(r) {
			if err != nil {
				return fmt.Errorf("at leaf %d: %w", next, err)
			}
			l, err := ParseLine(line)
			at := Finding{File: FileEvents, Leaf: next, Until: next + 1, Position: l.Position()}
			if at.Kind = c.inOrder(&l, err, next, last); at.Kind != "" {
				c.v.find(at, "at leaf %d: %s", next, inWords[at.Kind])
				next = -1
				return nil
			}
			if at.Kind = c.itself(&l, entry); at.Kind != "" {
				c.v.find(at, "leaf %d, at position %d: %s", next, l.Position(), inWords[at.Kind])
			}
			yield(&l)
			next, last = next+1, l.Position()
		}
		return nil
	})
	if ok && next >= 0 && next < c.said.To {
		c.v.find(Finding{Kind: FoundMissing, File: FileEvents, Leaf: next, Until: c.said.To}, "the leaves from %d on are missing", next)
	}
	return ok && next == c.said.To
}

// inWords says what is wrong with a leaf.
var inWords = map[Kind]string{
	FoundForm:    "the line is not in the one form that it has to have",
	FoundMissing: "it is missing; another one follows",
	FoundOrder:   "another one stands in its place, or one that was there already",
	FoundChanged: "what it says is not what was recorded",
	FoundForeign: "it is of another log",
	FoundExpired: "it is said to have expired, and nothing proves that it may",
	FoundIndex:   "the index says something else of it",
}

// inOrder says what is wrong with the place of a line, so that nothing behind it
// can be believed either; "" if nothing is.
func (c *checker) inOrder(l *Line, err error, next int64, last uint64) Kind {
	switch {
	case err != nil:
		return FoundForm
	case l.Number > next && next < c.said.To:
		return FoundMissing
	case l.Number != next, next >= c.said.To, l.Checkpoint == "" && l.Position() <= last, l.Checkpoint != "" && next > 0:
		return FoundOrder
	}
	return ""
}

// itself says what is wrong with a line itself; "" if nothing is.
func (c *checker) itself(l *Line, entry func() (Entry, bool)) Kind {
	e, indexed := entry()
	switch {
	case l.Expired && (!indexed || e.Class != Login || e != l.Entry):
		return FoundExpired
	case indexed && (e.Position != l.Position() || (e.Class == Before) != (l.Checkpoint != "")),
		indexed && e.Class != Before && !l.Expired && e != EntryOf(&l.Event):
		return FoundIndex
	case l.Expired, l.Checkpoint != "":
		return ""
	case sha256.Sum256(l.Data) != l.Event.Data, sha256.Sum256(l.Metadata) != l.Event.Metadata:
		return FoundChanged
	case l.Event.Store != c.said.Store:
		return FoundForeign
	}
	return ""
}

// entries returns a function that gives the entries of the index, leaf by leaf
// from the first of the bundle; false where there is no index that is proved.
func (c *checker) entries() (next func() (Entry, bool), done func()) {
	none := func() (Entry, bool) { return Entry{}, false }
	if !c.indexed {
		return none, func() {}
	}
	f, err := c.files[FileIndex].Open()
	if err != nil {
		return none, func() {}
	}
	r := bufio.NewReader(f)
	if _, err := io.CopyN(io.Discard, r, c.said.From*EntrySize); err != nil {
		return none, func() { _ = f.Close() }
	}
	return func() (Entry, bool) {
		var b [EntrySize]byte
		_, err := io.ReadFull(r, b[:])
		e, bad := ParseEntry(b[:])
		return e, err == nil && bad == nil
	}, func() { _ = f.Close() }
}

// ahead has a file unpacked by another processor, until stop.
func ahead(r io.Reader) (_ io.Reader, stop func()) {
	to, from := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := io.Copy(from, r)
		_ = from.CloseWithError(err) // it never fails
	}()
	return to, func() {
		_ = to.Close() // it never fails
		<-ended
	}
}

// lines gives the lines of a file, without their line feeds. Each belongs to
// the receiver until the next one. The last one has to end, too.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 64<<10), maxLine)
		s.Split(func(data []byte, end bool) (int, []byte, error) {
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				return i + 1, data[:i], nil
			}
			if end && len(data) > 0 {
				return 0, nil, io.ErrUnexpectedEOF
			}
			return 0, nil, nil
		})
		for s.Scan() {
			if !yield(s.Bytes(), nil) {
				return
			}
		}
		if s.Err() != nil {
			yield(nil, s.Err())
		}
	}
}

// counted verifies what is said about the events.
func (c *checker) counted(t Tally) {
	m := &c.said
	if m.Events != t.Events || m.Expired != t.Expired || !m.First.Equal(t.First) || !m.Last.Equal(t.Last) {
		c.v.find(Finding{Kind: FoundManifest, File: FileManifest}, "the manifest speaks of other events: there are %d, and %d expired", t.Events, t.Expired)
	}
	var said []Policy
	if c.json(FilePolicies, maxSmall, &said) && !slices.EqualFunc(said, t.Policies, Policy.equal) {
		c.v.find(Finding{Kind: FoundPolicies, File: FilePolicies}, "the policies are not those that the events name")
	}
}

// views verifies that what is for people is what was exported. Whoever changes
// both it and the manifest is not found: it is the events that are proved.
func (c *checker) views() {
	for _, name := range []string{FileReport, FileTable, FileReadme} {
		sum := sha256.New()
		if c.stream(name, func(r io.Reader) error { _, err := io.Copy(sum, r); return err }) && hex.EncodeToString(sum.Sum(nil)) != c.said.Views[name] {
			c.v.find(Finding{Kind: FoundView, File: name}, "the file is not the one that was exported with the bundle")
		}
	}
}

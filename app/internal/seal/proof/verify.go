package proof

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

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

// Verify reads a bundle and says exactly what holds, and what not. An error
// (ErrBadBundle, ErrBadKey, or one of reading) means that nothing can be said.
// It reads the file as a stream, and keeps no more of it than some megabytes: the longest
// line, and some two hundred bytes of each earlier checkpoint.
//
// The steps are those of the bundle's README, the third before the first two,
// which need what is signed.
func Verify(r io.ReaderAt, size int64, o Options) (Verdict, error) {
	c := &checker{v: Verdict{Witnesses: []string{}, Findings: []Finding{}}, marks: map[int64]*mark{}}
	var err error
	if c.files, err = unzip(r, size, &c.v); err != nil {
		return Verdict{}, err
	}
	if err := c.manifest(); err != nil {
		return Verdict{}, err
	}
	if err := c.trust(o.Keys); err != nil {
		return Verdict{}, err
	}
	c.checkpoint() // 3. what is signed, now and before
	c.older(o.Since)
	c.earlier()
	c.index()
	c.history() // 1. and 2. each event, and the tree over them
	c.since()   // 4. nothing was changed since
	c.views()
	return c.v, nil
}

// A checker verifies one bundle.
type checker struct {
	files
	said Manifest
	v    Verdict

	log       []note.Verifier // keys of the log's name that are trusted
	witnesses []note.Verifier

	sealed  bool       // there is a checkpoint that can be read, and the manifest is of it
	held    Checkpoint // that one
	indexed bool       // there is an index, and it is the checkpoint's and that of all older ones

	marks map[int64]*mark // by the sizes of trees of which more is known than their leaves
	old   *Checkpoint     // the older checkpoint that was given, and is signed
	grown []Checkpoint    // all older ones of this tree that are signed
}

// A mark is what is known of the tree when it had so many leaves.
type mark struct {
	signed bool // an earlier checkpoint of the bundle is, and says root
	root   tlog.Hash
	proof  []tlog.Hash // from there to the bundle's checkpoint; only where the older one that was given is as large
	found  tlog.Hash   // the root that the leaves lead to; zero where they do not pass here
}

func (c *checker) mark(size int64) *mark {
	if c.marks[size] == nil {
		c.marks[size] = &mark{}
	}
	return c.marks[size]
}

// manifest reads what the bundle says that it holds: all that is counted, later.
func (c *checker) manifest() error {
	m, v := &c.said, &c.v
	switch ok := c.json(FileManifest, maxSmall, m); {
	case !ok || m.Format != Format:
		return fmt.Errorf("%w: %s is not one of format %d", ErrBadBundle, FileManifest, Format)
	case !plain(m.Origin) || !plain(m.Store):
		return fmt.Errorf("%w: %s names no log", ErrBadBundle, FileManifest)
	case !inUTC(m.First, m.Last, m.Made):
		return fmt.Errorf("%w: %s has a time that is not in UTC", ErrBadBundle, FileManifest)
	case m.From < 0 || m.To <= m.From || m.Size < m.To || m.Size >= exact:
		return fmt.Errorf("%w: leaves [%d, %d) of %d", ErrBadBundle, m.From, m.To, m.Size)
	}
	v.Origin, v.Store, v.From, v.To, v.Size = m.Origin, m.Store, m.From, m.To, m.Size
	return nil
}

// inUTC says whether times were written so.
func inUTC(all ...time.Time) bool {
	return !slices.ContainsFunc(all, func(t time.Time) bool { _, ahead := t.Zone(); return ahead != 0 })
}

// trust sorts the keys: those given, or else those of the bundle.
func (c *checker) trust(given []string) error {
	b, _ := c.all(FileKeys, maxSmall)
	text, ends := strings.CutSuffix(string(b), "\n")
	own := strings.Split(text, "\n")
	if !ends || slices.ContainsFunc(own, func(s string) bool { k, err := ParseKey(s); return err != nil || !plain(k.Name()) }) {
		c.v.find(Finding{Kind: FoundForm, File: FileKeys}, "the file holds something that is no key")
	}
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
		case err != nil, !plain(k.Name()): // found above
		case k.Name() == c.said.Origin && !isWitness(k):
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

// open opens a checkpoint with the keys that are trusted. Where no signature
// holds, it still returns what the checkpoint says, and false.
func (c *checker) open(b []byte) (_ Checkpoint, signed bool, _ error) {
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
	p, signed, err := c.open(b)
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

// earlier verifies that the earlier checkpoints are signed, and that each is of
// the same history as the bundle's.
func (c *checker) earlier() {
	c.notes(func(e Earlier) {
		if !c.sealed {
			return
		}
		p, signed, err := c.open([]byte(e.Note))
		switch {
		case err != nil:
			c.v.find(Finding{Kind: FoundForm, File: FileConsistency}, "the file holds something that is no checkpoint")
			return
		case !signed:
			c.v.find(Finding{Kind: FoundSignature, File: FileConsistency}, "the earlier checkpoint of %d leaves is not signed with a key that is trusted", p.Size)
			return
		case !c.follows(p, e.Proof):
			c.v.find(Finding{Kind: FoundConsistency, File: FileConsistency}, "nothing proves that the checkpoint of %d leaves, of %s, is of the same history", p.Size, p.At.Format(minute))
		default:
			c.v.Earlier++
			p.Note, p.Witnesses = nil, nil // there may be thousands
			c.grown = append(c.grown, p)
		}
		m := c.mark(p.Size)
		m.signed, m.root = true, p.Root
		if c.old != nil && c.old.Size == p.Size {
			m.proof = e.Proof
		}
	})
}

// minute is how findings tell a time.
const minute = "2006-01-02 15:04 MST"

// follows says whether a proof shows that the bundle's tree begins with another one. Of the
// same leaves there is one index.
func (c *checker) follows(p Checkpoint, proof []tlog.Hash) bool {
	return p.Origin == c.held.Origin && (p.Size != c.held.Size || p.Index == c.held.Index) && tlog.CheckTree(proof, c.held.Size, c.held.Root, p.Size, p.Root) == nil
}

// older reads the checkpoint that somebody kept. It comes before the earlier ones and the
// events, which show its root where it stands among them.
func (c *checker) older(b []byte) {
	if len(b) == 0 {
		return
	}
	p, signed, err := c.open(b)
	if err != nil {
		c.v.Since = &SinceVerdict{}
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint that was given is none")
		return
	}
	c.v.Since = &SinceVerdict{Size: p.Size, Root: p.Root.String(), At: p.At}
	if !signed {
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint that was given is not signed with a key that is trusted")
		return
	}
	c.old = &p
	c.mark(p.Size)
	if c.sealed && p.Origin == c.held.Origin && p.Size <= c.held.Size {
		c.grown = append(c.grown, p)
	}
}

// index verifies that the index, where there is one, is that of the checkpoint, and
// that it has only grown since each older one: of what has expired it alone speaks,
// and no root is over it.
func (c *checker) index() {
	if c.named[FileIndex] == nil || !c.sealed {
		return
	}
	slices.SortFunc(c.grown, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	var other *Checkpoint // the first one that knows another index
	last := false
	ok := c.stream(FileIndex, func(r io.Reader) error {
		sum, n := sha256.New(), int64(0)
		for _, p := range append(slices.Clone(c.grown), c.held) {
			part, err := io.CopyN(sum, r, p.Size*EntrySize-n)
			if n += part; err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if last = n == p.Size*EntrySize && [32]byte(sum.Sum(nil)) == p.Index; !last && other == nil {
				other = &p
			}
		}
		more, err := io.Copy(io.Discard, r) // to its end, which has a sum of its own
		last = last && more == 0
		return err
	})
	c.indexed = ok && last && other == nil
	switch {
	case ok && !last:
		c.v.find(Finding{Kind: FoundIndex, File: FileIndex}, "the index is not the one whose SHA-256 stands in the checkpoint")
	case ok && other != nil:
		c.v.find(Finding{Kind: FoundIndex, File: FileIndex}, "what the index says of the first %d leaves was changed since the checkpoint of then, of %s", other.Size, other.At.Format(minute))
	}
}

// history reads the events, and verifies that they are what the tree holds.
func (c *checker) history() {
	var around []tlog.Hash
	c.json(FileRange, maxSmall, &around)
	var tree growing
	rest, ok := tree.fill(c.said.From, around)
	if !ok {
		c.v.find(Finding{Kind: FoundRoot, File: FileRange}, "the range proof has too few hashes")
	}
	good, bad := c.said.From, c.said.To // what is before, and behind, the first leaf that differs, as far as signed roots tell
	compare := func() {                 // with what is known of the tree of this size
		m := c.marks[tree.size]
		if !ok || m == nil || tree.size == 0 {
			return
		}
		switch m.found = tree.root(); {
		case m.signed && m.root == m.found:
			good = tree.size
		case m.signed:
			bad = min(bad, tree.size)
		}
	}
	compare()
	var t Tally
	whole := c.leaves(func(l *Line) {
		t.Add(l)
		if ok {
			tree.add(0, l.Hash())
		}
		compare()
	})
	c.v.Events, c.v.Expired, c.v.First, c.v.Last, c.v.LastExpired, c.v.Before = t.Events, t.Expired, t.First, t.Last, t.LastExpired, t.Before
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
// itself and in its place, beside what a proved index says of it. It says whether
// all are there.
func (c *checker) leaves(yield func(*Line)) (all bool) {
	if !c.indexed {
		return c.events(nil, yield)
	}
	c.stream(FileIndex, func(r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, c.said.From*EntrySize)
		if err == nil {
			all = c.events(bufio.NewReader(r), yield)
		}
		return err
	})
	return all
}

func (c *checker) events(index io.Reader, yield func(*Line)) bool {
	next, last := c.said.From, uint64(0)
	var l Line
	var room []byte
	ok := c.stream(FileEvents, func(r io.Reader) error {
		for line, err := range lines(r) {
			if err != nil {
				return fmt.Errorf("at leaf %d: %w", next, err)
			}
			room = slices.Grow(room[:0], 2*len(line))
			l, err = ParseLine(line, room)
			at := Finding{File: FileEvents, Leaf: next, Until: next + 1, Position: l.Position()}
			if at.Kind = c.inOrder(&l, err, next, last); at.Kind != "" {
				c.v.find(at, "at leaf %d: %s", next, inWords[at.Kind])
				next = -1
				return nil
			}
			if at.Kind = c.itself(&l, index); at.Kind != "" {
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

// itself says what is wrong with a line itself; "" if nothing is. Its entry of the
// index comes next, where there is one.
func (c *checker) itself(l *Line, index io.Reader) Kind {
	var said Entry
	if index != nil {
		var b [EntrySize]byte
		_, cut := io.ReadFull(index, b[:])
		var err error
		if said, err = ParseEntry(b[:]); cut != nil || err != nil {
			return FoundIndex
		}
	}
	switch {
	case l.Expired && (index == nil || said.Class != Login || said != l.Entry):
		return FoundExpired
	case l.Checkpoint != "" && index != nil && said.Class != Before, !l.Expired && l.Checkpoint == "" && index != nil && said != EntryOf(&l.Event):
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

// since verifies that what an older checkpoint covers is what the bundle's does:
// they are one, or the leaves pass it, or the bundle proves it.
func (c *checker) since() {
	old := c.old
	if old == nil || !c.sealed {
		return
	}
	m, passed := c.marks[old.Size], c.v.Complete && c.marks[old.Size].found != tlog.Hash{}
	switch {
	case old.Origin != c.held.Origin:
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint is of another tree, %s", old.Origin)
	case old.Size > c.held.Size:
		c.v.find(Finding{Kind: FoundSince}, "the checkpoint that was given is of %d leaves, the bundle's only of %d: either it is not the older one, or events are gone", old.Size, c.held.Size)
	case old.Size == c.held.Size && old.Index != c.held.Index:
		c.v.find(Finding{Kind: FoundSince}, "the older checkpoint of the same %d leaves has another index: what may expire was changed since", old.Size)
	case old.Size == 0, old.Size == c.held.Size && old.Root == c.held.Root, passed && m.found == old.Root, m.signed && c.follows(*old, m.proof):
		c.v.Since.Holds = c.named[FileIndex] == nil || c.indexed
	case old.Size == c.held.Size, passed, m.signed:
		c.v.find(Finding{Kind: FoundSince}, "what the older checkpoint of %d leaves covers was changed since: it is of another history", old.Size)
	default:
		c.v.find(Finding{Kind: FoundSince}, "the bundle holds no proof for the older checkpoint of %d leaves: have it exported with --since", old.Size)
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
	names := []string{FileReport, FileTable, FileReadme}
	for name := range c.said.Views {
		if !slices.Contains(names, name) {
			c.v.find(Finding{Kind: FoundView, File: FileManifest}, "the manifest names something for people that is in no bundle")
			break // once: a stranger may name thousands
		}
	}
	for _, name := range names {
		sum := sha256.New()
		if c.stream(name, func(r io.Reader) error { _, err := io.Copy(sum, r); return err }) && hex.EncodeToString(sum.Sum(nil)) != c.said.Views[name] {
			c.v.find(Finding{Kind: FoundView, File: name}, "the file is not the one that was exported with the bundle")
		}
	}
}

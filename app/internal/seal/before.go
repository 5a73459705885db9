package seal

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain/service"
)

// Before is the tree before another one, which somebody decided not to go on with, and
// how the other one goes on from it. An older history could be hidden behind it.
type Before struct {
	// Checkpoint is its last one, of which Note is not verified. Where only that there
	// was such a tree is known, it has the Origin and no Note.
	Checkpoint proof.Checkpoint
	// Same says that its checkpoint is signed, and that all that it covers is as it was:
	// its leaves are those of the tree that goes on, or its own folder, which was kept,
	// verifies. False: that does not hold, or cannot be seen.
	Same bool
	// Folder is where it was kept; "" where nothing of it is beside this one. What that
	// showed is Bad: the first thing that is not as it was sealed then.
	Folder string
	Bad    *Finding
	// Before is the one before it; nil: nothing tells of any.
	Before *Before
}

// Proved says that nothing could be hidden behind a tree and those before it. Of the
// first of all, nil, it is so.
func (b *Before) Proved() bool {
	for ; b != nil; b = b.Before {
		if !b.Same {
			return false
		}
	}
	return true
}

// Predecessor returns the last checkpoint of the tree before this one, as far as the
// folder itself knows it: perhaps without a Note. False: it knows of none. What there is
// to it, Verify finds out.
func (s *Seal) Predecessor() (proof.Checkpoint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.predecessor()
}

func (t tree) predecessor() (proof.Checkpoint, bool) {
	text, _, _ := strings.Cut(t.Before, "\n\n")
	c, err := proof.ParseText(text + "\n")
	if err != nil { // what the first leaf says is of no use
		c = proof.Checkpoint{}
	} else {
		c.Note = []byte(t.Before)
	}
	return c, t.Before != "" || number(t.Origin) > 1
}

// number returns the how manyth tree of its log one is.
func number(origin string) int {
	_, after, _ := strings.Cut(strings.TrimPrefix(origin, proof.OriginPrefix), "/")
	n, err := strconv.Atoi(after)
	if err != nil {
		return 1
	}
	return n
}

// goesOn finds out how the tree goes on from the one before it.
func (v *verification) goesOn(ctx context.Context) (*Before, error) {
	c, ok := v.tree.predecessor()
	if earlier := v.recorded(); c.Note == nil && earlier != "" {
		c.Origin, ok = earlier, true
	}
	if !ok {
		return nil, nil
	}
	b := &Before{Checkpoint: c}
	if c.Note == nil {
		return b, nil
	}
	if number(c.Origin) > 1 {
		b.Before = &Before{}
	}
	if v.o.Keys == nil || c.Store() != v.tree.Store || number(c.Origin) >= number(v.tree.Origin) {
		return b, nil // of the log that this one is a copy of: nothing can be seen from here
	}
	var err error
	if b.Same, err = v.same(c); err != nil {
		return nil, err
	}
	return b, v.kept(ctx, b)
}

// recorded returns the tree that the log names as the one that was sealed before this
// one, "" where it names none. This log may be a copy: then it is that of another one.
func (v *verification) recorded() (origin string) {
	for i := range v.service {
		e, err := service.Decode(v.service[i].Type, v.service[i].Data)
		begun, ok := e.(service.SealBegun)
		switch {
		case err != nil || !ok:
		case begun.Sealer == v.tree.Sealer:
			return origin
		default:
			origin = printable(begun.Origin) // anybody may have written it who can write to the log
		}
	}
	return origin
}

// same says whether a checkpoint is signed by the tree before, and what it covers is what
// stands in this one from the second leaf on. Where logins have gone in between, and
// where the other tree has another one before it, it is not, and that means nothing.
func (v *verification) same(c proof.Checkpoint) (bool, error) {
	if c.Size >= v.report.Size {
		return false, nil
	}
	_, name, err := Config{Keys: v.o.Keys}.signer(c.Origin, v.tree.Master)
	if err != nil {
		return false, err
	}
	key, err := proof.ParseKey(name)
	if err != nil {
		return false, err
	}
	if _, err := proof.OpenCheckpoint(c.Note, key); err != nil {
		return false, nil //nolint:nilerr // not with this key
	}
	var e edge
	var room []byte
	l := leaves{files: v.files, size: v.report.Size}
	for e.size < c.Size {
		hash, _, err := l.at(e.size + 1)
		if err != nil {
			return false, err
		}
		room = e.add(hash, room[:0])
	}
	return e.root() == c.Root, nil
}

// kept looks whether the folder of the tree before stands beside this one, as Anew
// leaves it. Where the leaves do not show that all is as it was, that is verified: it
// knows which logins may have gone.
func (v *verification) kept(ctx context.Context, b *Before) error {
	beside, _ := filepath.Glob(filepath.Clean(v.base) + "-*") // a strange path has nothing beside it
	for _, path := range beside {
		t, err := folder(path).tree()
		if err != nil || t.Store != v.tree.Store || t.Origin != b.Checkpoint.Origin || path != asideOf(v.base, t.Sealer) {
			continue // also where its name could be one that lies to whoever reads it
		}
		b.Folder = path
		if b.Same && b.Before == nil {
			return nil
		}
		o := v.o
		o.Key, o.Since, o.Witnesses = nil, nil, nil
		old := &verification{o: o, log: v.log, folder: folder(path), base: v.base, progress: v.progress}
		r, err := old.run(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && r.Checkpoint.Text() == b.Checkpoint.Text() { // else it shows nothing
			b.Same, b.Bad, b.Before = r.Bad == nil, r.Bad, r.Before
		}
		return nil
	}
	return nil
}

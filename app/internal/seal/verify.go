package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// A VerifyLog is what Verify reads.
type VerifyLog interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
	Head(ctx context.Context) (domain.Position, error)
	Identity(ctx context.Context) (string, error)
}

// VerifyOptions are what a log is verified with.
type VerifyOptions struct {
	// Keys derives the key that checkpoints have to be signed with; nil: the key that
	// is given, and without one the key that the folder names.
	Keys       Keys
	Key        note.Verifier
	Skip       []string      // as in Config
	KeepLogins time.Duration // how long events of logins have to be there; 0: for ever
	Now        time.Time
	Witnesses  []Witness // are asked what they have seen
	Client     *http.Client
	Since      []byte // an older checkpoint, to be consistent with; nil: none
}

// A Report is what Verify has found.
type Report struct {
	Size        int64           // leaves that a checkpoint covers
	Through     domain.Position // of the last of them; 0: it is of no event
	Events      int64           // of the log, which were compared and are what was sealed
	Unsealed    int64           // behind the last checkpoint
	Expired     int64           // leaf intact, event gone, and it may be
	LastExpired time.Time       // the day of the latest of these; how long logins are kept only the settings say, which anybody may have changed
	Checkpoints int             // whose signatures and roots fit
	Checkpoint  proof.Checkpoint
	Since       int64      // leaves of the older checkpoint that was given, if the log has signed it
	KeyKnown    bool       // the key did not come from the folder itself
	Witnesses   []Standing // as they say now
	Before      *Before    // the tree before, and how this one goes on from it; nil: nothing tells of any
	Bad         *Finding   // the first thing that is wrong; nil: all is as it was sealed
}

// Verify compares a whole log with its seal: every event with its leaf, the tree
// with every checkpoint, and the last checkpoint with what witnesses have seen. What
// is wrong is in Report.Bad; an error says that it could not be found out (ErrNoSeal,
// ErrDamaged where the folder cannot be read at all). It writes nothing. progress is
// told from time to time how far it is; it may be nil.
func Verify(ctx context.Context, log VerifyLog, path string, o VerifyOptions, progress func(done, total int64)) (Report, error) {
	v := &verification{o: o, log: log, folder: folder(path), base: path, progress: progress}
	r, err := v.run(ctx)
	if err != nil {
		return r, fmt.Errorf("verify the log against %s: %w", path, err)
	}
	return r, nil
}

type verification struct {
	o        VerifyOptions
	log      VerifyLog
	folder   folder
	base     string // beside which older trees are kept
	progress func(done, total int64)

	tree    tree
	keys    keys
	files   *storage
	service []domain.Recorded // the stream that says who has sealed, and what was pruned
	report  Report
}

func (v *verification) run(ctx context.Context) (Report, error) {
	if done, err := v.open(ctx); done || err != nil {
		return v.report, err
	}
	list, end, err := v.folder.openList()
	if err != nil {
		return v.report, err
	}
	var any bool
	if list != nil {
		defer list.Close() //nolint:errcheck // only read
		if v.report.Checkpoint, any, err = v.keys.newest(list, end); err != nil {
			return v.report, err
		}
	}
	if !any {
		if _, err := os.Stat(v.folder.path(checkpointFile)); err != nil && !hasLine(list, end) {
			return v.report, ErrNoSeal
		}
		v.note(&Finding{Kind: BadSignature}) // the list is gone, or nothing in it is signed
		return v.report, nil
	}
	if v.files, err = v.folder.open(false); err != nil {
		return v.report, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer v.files.close() //nolint:errcheck // only read
	v.report.Size = v.report.Checkpoint.Size
	v.alone(v.report.Checkpoint)
	if err := v.compare(ctx, list, end); err != nil {
		return v.report, err
	}
	if err := v.since(); err != nil {
		return v.report, err
	}
	return v.report, v.ask(ctx)
}

// note keeps the finding that begins first.
func (v *verification) note(f *Finding) {
	if f != nil && (v.report.Bad == nil || f.Leaf < v.report.Bad.Leaf) {
		v.report.Bad = f
	}
}

// open reads what the folder is the seal of. Done: nothing can be compared.
func (v *verification) open(ctx context.Context) (done bool, err error) {
	v.tree, err = v.folder.tree()
	if errors.Is(err, os.ErrNotExist) {
		return true, ErrNoSeal
	}
	if err != nil {
		return true, err
	}
	id, err := v.log.Identity(ctx)
	if err != nil {
		return true, err
	}
	if id != v.tree.Store {
		v.note(&Finding{Kind: Foreign})
		return true, nil
	}
	c := Config{Keys: v.o.Keys, Witnesses: v.o.Witnesses}
	v.keys, err = c.keysOf(v.tree)
	v.report.KeyKnown = v.o.Keys != nil || v.o.Key != nil
	if errors.Is(err, ErrDamaged) || v.o.Key != nil && err == nil && proof.FormatKey(v.o.Key) != v.tree.Key {
		v.note(&Finding{Kind: BadSignature}) // the folder names another key
		return true, nil
	}
	return err != nil, err
}

// alone looks at the newest checkpoint where it stands alone: it may be one behind
// the list, never ahead of it.
func (v *verification) alone(listed proof.Checkpoint) {
	b, err := os.ReadFile(v.folder.path(checkpointFile))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	var c proof.Checkpoint
	if err == nil {
		c, err = v.keys.open(b)
	}
	newer, _, _ := v.folder.lastListed(v.keys) // more may have been sealed meanwhile
	if err != nil || c.Size > max(listed.Size, newer.Size) || c.Size == listed.Size && c.Text() != listed.Text() {
		v.note(&Finding{Kind: BadSignature, Leaf: listed.Size})
	}
}

// compare reads the log beside the tree, and computes the tree, at the same time.
func (v *verification) compare(ctx context.Context, list io.ReaderAt, end int64) error {
	c := &comparer{
		leafer: leafer{store: v.tree.Store, skip: v.o.Skip}, tree: leaves{files: v.files, size: v.report.Size},
	}
	var err error
	if v.service, err = v.log.ReadStream(ctx, domain.ServiceStream, 0); err != nil {
		return err
	}
	prunings := v.prunings(c)
	head, err := v.log.Head(ctx)
	if err != nil {
		return err
	}
	var tree *walk
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		tree, err = structure(within, v.files, list, end, v.keys, v.report.Size, prunings)
		return err
	})
	var unread error // the tree's own files do not let themselves be read
	g.Go(func() error {
		err := v.read(within, c, int64(head)) //nolint:gosec // a position
		if errors.Is(err, ErrDamaged) {
			unread, err = err, nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	v.report.Checkpoints = tree.fit
	v.note(tree.unsigned)
	v.note(tree.shape)
	if unread != nil {
		if tree.shape == nil {
			return unread
		}
		return nil
	}
	v.report.Expired, err = c.end(v.mayBeGone(prunings))
	if err != nil {
		return err
	}
	if v.report.Expired > 0 {
		v.report.LastExpired = c.latest.Date()
	}
	v.report.Events, v.report.Unsealed = c.equal, c.more
	if v.report.Size > 0 {
		last, err := v.files.entry(v.report.Size - 1)
		if err != nil {
			return err
		}
		v.report.Through = domain.Position(last.Position)
	}
	v.note(c.first)
	v.note(v.before())
	v.report.Before, err = v.goesOn(ctx)
	return err
}

func (v *verification) read(ctx context.Context, c *comparer, total int64) error {
	enough := errors.New("enough")
	err := v.log.ReadAll(ctx, domain.Query{Metadata: true, Expired: true}, func(b domain.Batch) error {
		done, err := c.batch(b.Events)
		if v.progress != nil {
			v.progress(int64(b.Through), total) //nolint:gosec // a position
		}
		if err == nil && done {
			err = enough
		}
		return err
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// before looks at the leaf that is no event.
func (v *verification) before() *Finding {
	if v.tree.Before == "" || v.report.Size == 0 {
		return nil
	}
	first, err := v.files.ReadHashes([]int64{0})
	if err != nil || first[0] != proof.HashBefore([]byte(v.tree.Before)) {
		return &Finding{Kind: BadRoot}
	}
	return nil
}

// A pruning is one that is recorded, and a leaf of the tree.
type pruning struct {
	leaf             int64
	before, recorded time.Time
	sealed           time.Time // by the first checkpoint that covers it; zero: none that holds does
}

// prunings returns those that are leaves of the tree. What cannot be read allows nothing;
// what is wrong with the files is found where the tree is computed.
func (v *verification) prunings(c *comparer) (all []*pruning) {
	for i := range v.service {
		e := &v.service[i]
		decoded, err := service.Decode(e.Type, e.Data)
		pruned, ok := decoded.(service.LoginsPruned)
		if err != nil || !ok {
			continue
		}
		leaf, err := v.files.find(uint64(e.Position), v.report.Size)
		if err != nil || leaf >= v.report.Size {
			continue
		}
		hash, err := v.files.ReadHashes([]int64{tlog.StoredHashIndex(0, leaf)})
		if made := c.make(e); err == nil && !made.bad && made.hash == hash[0] {
			all = append(all, &pruning{leaf: leaf, before: pruned.Before, recorded: e.Recorded})
		}
	}
	return all
}

// mayBeGone returns which leaves of logins may have no event any more: those that
// are older than the settings keep them for, and those that a recorded and sealed
// pruning has removed. The index knows days only: what falls due in the course of a
// day may be gone from its beginning on.
//
// A pruning is believed for what may be pruned: logins of the last day never are, by the
// clock that it was recorded with, and by that of whoever sealed it. An hour is for two
// clocks.
func (v *verification) mayBeGone(all []*pruning) func(proof.Entry) bool {
	var until time.Time
	if v.o.KeepLogins > 0 {
		until = v.o.Now.Add(-v.o.KeepLogins)
	}
	for _, p := range all {
		clock := p.recorded
		if p.sealed.Before(clock) {
			clock = p.sealed
		}
		if p.before.After(until) && !p.before.After(clock.Add(time.Hour-service.LoginsKept)) {
			until = p.before
		}
	}
	return func(e proof.Entry) bool { return e.Class == proof.Login && e.Date().Before(until) }
}

// since compares with an older checkpoint.
func (v *verification) since() error {
	if v.o.Since == nil || v.report.Bad != nil && v.report.Bad.Kind == BadRoot {
		return nil
	}
	old, err := v.keys.open(v.o.Since)
	if origin, _, _ := strings.Cut(string(v.o.Since), "\n"); err != nil && origin != v.tree.Origin && proof.StoreOf(origin) == v.tree.Store {
		return fmt.Errorf("the older checkpoint is of another seal of this log, %.200q: that one, which was kept, has to be verified with it (seal.folder)", origin)
	}
	if err != nil {
		return fmt.Errorf("the older checkpoint: %w", err)
	}
	v.report.Since = old.Size
	if old.Size > v.report.Size {
		v.note(&Finding{Kind: Inconsistent, Leaf: v.report.Size})
		return nil
	}
	root, err := tlog.TreeHash(old.Size, v.files)
	if err != nil {
		return err
	}
	if root != old.Root {
		v.note(&Finding{Kind: Inconsistent})
		return nil
	}
	// What is gone only the index speaks of, and no root is over that.
	index := sha256.New()
	if _, err := io.Copy(index, io.NewSectionReader(v.files.index, 0, old.Size*proof.EntrySize)); err != nil {
		return err
	}
	if !bytes.Equal(index.Sum(nil), old.Index[:]) {
		v.note(&Finding{Kind: Inconsistent})
	}
	return nil
}

// ask asks the witnesses what they have seen, all at once.
func (v *verification) ask(ctx context.Context) error {
	client := v.o.Client
	if client == nil {
		client = http.DefaultClient
	}
	newest := func() (proof.Checkpoint, error) {
		c, _, err := v.folder.lastListed(v.keys)
		return c, err
	}
	known := v.folder.standings()
	all := make([]Standing, len(v.o.Witnesses))
	var asked sync.WaitGroup
	for i, w := range v.o.Witnesses {
		asked.Go(func() { all[i], _, _ = cosign(ctx, client, w, newest, v.files, known[w.Key.Name()]) }) // it says why
	}
	asked.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, st := range all {
		if st.State == Away && known[st.Name].State == Disagrees {
			st.State = Disagrees // what it said last is not forgotten
		}
		v.report.Witnesses = append(v.report.Witnesses, st)
		if st.State == Disagrees {
			v.note(&Finding{Kind: Inconsistent, Leaf: v.report.Size, Witness: st.Name})
		}
	}
	return nil
}

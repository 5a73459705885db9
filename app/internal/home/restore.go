package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// RestoreOptions are what putting a backup back needs beside the settings.
type RestoreOptions struct {
	Backup   string // its folder
	Identity string // the file of the age identity that opens its vault
	// OnlyVault puts the vault back beside a log that is there, of which the backup is.
	OnlyVault bool
	// Since is a checkpoint of the log that was kept elsewhere; nil: none.
	Since []byte
	// BelieveList erases again also whom lines of the list beside the backup name that are
	// not authenticated, as an older program wrote them. Whoever can write there can name
	// anybody.
	BelieveList bool
	// BelieveLog erases again also whom the log in the backup says was erased where neither
	// its seal nor the list beside it says so, or where its file is damaged within. Whoever
	// can write to the backup can have it name anybody.
	BelieveLog bool
	Version    string // of the program
	Log        *zap.Logger
	Progress   Progress // may be nil
}

// Restored is what was put back.
type Restored struct {
	backup.Manifest
	Rows   int64 // of the vault
	Events int64 // that were copied to a server; 0: the file is the one of the backup
	// Seal is what came of comparing the log that was put back with its seal, with Since,
	// and with what witnesses have seen; nil: it was not.
	Seal *seal.Report
	// Newer says that more was sealed than is in the backup, by so many leaves.
	Newer int64
	// NewTree says that the seal goes on in a new tree, which begins with the last
	// checkpoint of the one in the backup.
	NewTree bool
	// Erased are people whom the vault in the backup knew, and who were erased since.
	Erased int
	// Unerased could not be erased again, since they hold a role.
	Unerased []domain.SubjectID
	// NoList says that there is no list beside the backup of who was erased since.
	NoList bool
	// Unlisted are people of whom the log in the backup says that they were erased, and the
	// list beside it does not: then it may lack others.
	Unlisted []domain.SubjectID
	// Changed are people of whom the log says something that is newer than the vault.
	Changed []domain.SubjectID
}

// AsSealed says whether all that was put back is what was sealed, also where more was.
func (r *Restored) AsSealed() bool {
	if r.Seal == nil || r.Seal.Bad == nil {
		return r.Seal != nil
	}
	return r.Newer > 0 && r.Seal.Bad.Kind == seal.Inconsistent && r.Seal.Bad.Leaf == r.Seal.Size
}

var (
	// ErrOccupied says that something stands where a backup was to be put.
	ErrOccupied = errors.New("a backup is only put back where nothing is")
	// ErrDemoStays says that a demo is not put on a server.
	ErrDemoStays = errors.New("a demo stays on its machine")
	// ErrMeddled says that the file of a log does not hold what Keydesk puts there beside
	// the events, or holds more: it names what.
	ErrMeddled = errors.New("somebody has meddled with the file of the log")
	// ErrOtherLog says that a log is not the one that a backup is of.
	ErrOtherLog = errors.New("the backup is of another log")
	// ErrUnproved says that a list of who was erased has lines that anybody may have written.
	ErrUnproved = errors.New("the list of who was erased, which stands beside the backups, is not authenticated")
	// ErrUnsound says that the file of a log in a backup is damaged within: it may not say
	// the same of who was erased to everybody who reads it.
	ErrUnsound = errors.New("the file of the log in the backup is damaged within")
	// ErrUnvouched says that a log says of people that they were erased, and that nothing
	// shows that it is what was recorded.
	ErrUnvouched = errors.New("the log in the backup says that people were erased, and neither its seal nor the list beside the backups says so")
)

// restoring is how the names of files end that are not all put back yet, and the name
// of the file in a home that says so: it holds the names of those that may have theirs
// already. As long as it is there, the home does not open.
const restoring = ".restoring"

// ErrRestoring says that a backup is not all put back yet.
var ErrRestoring = errors.New("a backup was not put back to its end: do that again")

// Whole says whether what a home holds is all of it: ErrRestoring.
func Whole(home string) error {
	if _, err := os.Lstat(filepath.Join(home, restoring)); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrRestoring, err)
	}
	return nil
}

// Restore puts a backup back, to where the settings say that log, vault and seal are:
// nothing of them may be there yet, but the master key has to be. Everything is checked
// before anything is written, and has its name only when all of it is there. After an
// error, or when the program was killed, it can be called again; a PostgreSQL has to be
// emptied first.
//
// Afterwards the vault has forgotten whom the log says was erased, and whom the folder of
// the backup says was erased since, which is recorded again. A log that says so of somebody
// while nothing vouches for it is not put back: ErrUnvouched, ErrUnsound.
func Restore(ctx context.Context, set settings.Settings, o RestoreOptions) (r Restored, err error) {
	if folder, err := filepath.EvalSymlinks(o.Backup); err == nil { // who was erased since stands beside where it is
		o.Backup = folder
	}
	o.Progress.tell(StepChecking, 0, 0)
	b, err := backup.Open(o.Backup)
	if err != nil {
		return r, err
	}
	r.Manifest = b.Manifest
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return r, fmt.Errorf("read the master key, which is in no backup: %w", noKey(err))
	}
	if len(b.MasterKeys) == 0 || !slices.Contains(keys.IDs(), b.MasterKeys[0]) {
		return r, fmt.Errorf("%w: the backup needs %s", vault.ErrWrongKey, strings.Join(b.MasterKeys, ", "))
	}
	list, err := erasedBeside(o, keys)
	if err != nil {
		return r, err
	}
	r.NoList = !list.There
	err = b.Vault(o.Identity, func(in io.Reader) error {
		_, err := vault.CheckBackup(o.Progress.reading(StepOpening, in, b.VaultSize()))
		return err
	})
	if err != nil {
		return r, err
	}
	if o.Since != nil {
		if _, err := sinceOf(o.Since); err != nil {
			return r, err
		}
	}
	p := &putter{set: set, backup: b, keys: keys, o: o, r: &r, list: list}
	if err := p.clear(); err != nil {
		return r, fmt.Errorf("remove what an earlier time has left: %w", err)
	}
	if err := vacant(ctx, set, o.OnlyVault); err != nil {
		return r, err
	}
	if err := p.put(ctx); err != nil {
		return r, fmt.Errorf("put the backup back: %w", errors.Join(err, p.undo()))
	}
	return r, p.afterwards(ctx)
}

// vacant says whether nothing is where a backup is to be put.
func vacant(ctx context.Context, set settings.Settings, onlyVault bool) error {
	there, err := vault.Exists(ctx, set.Vault.URL, vaultOptions(set.Vault))
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("%w: there is a vault at vault.url", ErrOccupied)
	}
	if onlyVault {
		return nil
	}
	names := []string{set.Seal.Folder, filepath.Join(set.Home, snapshotFolder), filepath.Join(set.Home, replayFolder), filepath.Join(set.Home, "outbox")}
	if path, file := strings.CutPrefix(set.Log.URL, store.Scheme); file {
		names = append(names, path, path+"-wal")
	}
	for _, name := range names {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("%w: there is %s", ErrOccupied, name), err)
		}
	}
	return nil
}

// A putter puts one backup back.
type putter struct {
	set     settings.Settings
	backup  *backup.Backup
	keys    *vault.Keys
	o       RestoreOptions
	r       *Restored
	renames []string // what has its name once everything is there, without restoring
	list    backup.Erased
}

// clear removes what an earlier time has put where it belongs, and was broken off. What
// else the mark names is left alone: it is a file that anybody may have written who
// works in the home.
func (p *putter) clear() error {
	mark := filepath.Join(p.set.Home, restoring)
	b, err := os.ReadFile(mark) //nolint:gosec // the home is the operator's to choose
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for name := range strings.Lines(string(b)) {
		if name = strings.TrimSuffix(name, "\n"); err == nil && slices.Contains(p.own(), name) {
			err = fresh(name)
		}
	}
	return err
}

// undo removes what it has put, so that nothing of it is left. What is on a server already
// stays, and so does the mark then, with which no home opens.
func (p *putter) undo() error {
	if kindOf(p.set.Log.URL) != "sqlite" || kindOf(p.set.Vault.URL) != "sqlite" {
		return nil
	}
	errs := []error{p.clear()}
	if !p.o.OnlyVault {
		errs = append(errs, os.RemoveAll(filepath.Join(p.set.Home, owedFolder)))
	}
	for _, name := range p.own() {
		errs = append(errs, fresh(name+restoring))
	}
	return errors.Join(append(errs, os.Remove(filepath.Join(p.set.Home, restoring)))...)
}

// own is what a restore puts somewhere, in files.
func (p *putter) own() []string {
	return []string{p.set.Seal.Folder, strings.TrimPrefix(p.set.Log.URL, store.Scheme), strings.TrimPrefix(p.set.Vault.URL, "sqlite:")}
}

// mark says in the home that it is not whole, and what may have its name already.
func (p *putter) mark(names ...string) error {
	if err := os.MkdirAll(p.set.Home, 0o700); err != nil {
		return err
	}
	mark := filepath.Join(p.set.Home, restoring)
	if err := os.WriteFile(mark, []byte(strings.Join(names, "\n")), 0o600); err != nil {
		return err
	}
	return syncNames(p.set.Home)
}

// syncNames makes the names in a folder durable, where the system can.
func syncNames(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // the operator's to choose
	if err != nil {
		return err
	}
	_ = d.Sync() // not on every system
	return d.Close()
}

// put writes everything, and gives it its names in the end: the log last, without which
// there is no home.
func (p *putter) put(ctx context.Context) error {
	if p.o.OnlyVault {
		demo, err := p.sameLog(ctx)
		if err == nil {
			err = p.mark()
		}
		if err == nil {
			err = p.putVault(ctx, demo)
		}
		if err != nil {
			return err
		}
		return p.rename(ctx)
	}
	if err := p.mark(); err != nil {
		return err
	}
	path, file := strings.CutPrefix(p.set.Log.URL, store.Scheme)
	log := path + restoring
	if !file {
		log = filepath.Join(p.set.Home, "log.db"+restoring)
	}
	demo, err := p.stageLog(ctx, log)
	if err != nil {
		return err
	}
	if err := p.putVault(ctx, demo); err != nil {
		return err
	}
	if err := p.putSeal(); err != nil {
		return err
	}
	if !file {
		if err := errors.Join(p.copyLog(ctx, log, demo), os.Remove(log)); err != nil {
			return err
		}
	} else {
		p.renames = append(p.renames, path)
	}
	return p.rename(ctx)
}

// fresh removes what an earlier time has left.
func fresh(name string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-bell", "-journal"} {
		if err := os.RemoveAll(name + suffix); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Dir(name), 0o700)
}

// stageLog copies the log of the backup into a file, and looks whether it is one.
func (p *putter) stageLog(ctx context.Context, file string) (demo bool, err error) {
	p.o.Progress.tell(StepLog, 0, 0)
	if err := fresh(file); err != nil {
		return false, err
	}
	if err := p.backup.CopyLog(file); err != nil {
		return false, err
	}
	l, err := store.OpenSQLite(ctx, file)
	if err != nil {
		return false, err
	}
	var names []string
	if names, err = l.Meddled(ctx); err == nil && len(names) > 0 {
		err = fmt.Errorf("%w: %.200q", ErrMeddled, names)
	}
	if err == nil {
		demo, err = IsDemo(ctx, l)
	}
	if err == nil && !p.o.BelieveLog {
		err = sound(ctx, l)
	}
	var said map[domain.SubjectID]domain.Position
	if err == nil {
		said, err = p.saidErased(ctx, l)
	}
	if err == nil && (!p.exact() || len(p.r.Unlisted) > 0) {
		err = p.compare(ctx, l)
	}
	if err == nil {
		err = p.believe(said)
	}
	return demo, errors.Join(err, l.Close(), os.Remove(file+"-bell"))
}

// compare compares the log with the seal in the backup, before it comes to where events
// have other positions, or anybody is erased because of it. The log of a server has other
// positions already.
func (p *putter) compare(ctx context.Context, log *store.SQLite) error {
	if !p.backup.Sealed || p.backup.LogKind != "sqlite" {
		return nil
	}
	if err := p.verify(ctx, log, p.backup.SealFolder()); err != nil && !errors.Is(err, seal.ErrNoSeal) {
		return fmt.Errorf("the seal: %w", err)
	}
	return nil
}

// verify compares a log with its seal, and with all that is known of what was sealed.
func (p *putter) verify(ctx context.Context, log seal.VerifyLog, folder string) error {
	o, err := VerifyOptions(p.set, p.keys, time.Now())
	if err != nil {
		return err
	}
	o.Since = p.o.Since
	report, err := seal.Verify(ctx, log, folder, o, p.o.Progress.of(StepComparing))
	if err != nil {
		return err
	}
	p.r.Seal = &report
	p.r.Newer = newer(report)
	return nil
}

// sameLog sees that the log that is there is the one of the backup, and goes on from it.
func (p *putter) sameLog(ctx context.Context) (demo bool, err error) {
	if path, file := strings.CutPrefix(p.set.Log.URL, store.Scheme); file {
		if _, err := os.Stat(path); err != nil {
			return false, err
		}
	}
	log, err := OpenLog(ctx, p.set.Log, zap.NewNop())
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	id, err := log.Identity(ctx)
	if err == nil && id != p.backup.Store {
		err = fmt.Errorf("%w: %s, and at log.url is %q", ErrOtherLog, p.backup.Store, id)
	}
	if err == nil {
		demo, err = IsDemo(ctx, log)
	}
	return demo, err
}

// putVault restores the vault: a file beside where it will be, a server at once.
func (p *putter) putVault(ctx context.Context, demo bool) error {
	url, opening := p.set.Vault.URL, vaultOptions(p.set.Vault)
	opening.Demo = demo
	if path, file := strings.CutPrefix(url, "sqlite:"); file {
		if err := fresh(path + restoring); err != nil {
			return err
		}
		url += restoring
		p.renames = append(p.renames, path)
	}
	v, err := vault.Open(ctx, url, p.keys, opening)
	if err != nil {
		return err
	}
	err = p.backup.Vault(p.o.Identity, func(in io.Reader) (err error) {
		p.r.Rows, err = v.Restore(ctx, p.o.Progress.reading(StepRows, in, p.backup.VaultSize()))
		return err
	})
	return errors.Join(err, v.Close())
}

// exact says whether the log is put back as it was, with its id and its positions:
// then it is what the seal in the backup is of.
func (p *putter) exact() bool {
	return p.backup.LogKind == "sqlite" && kindOf(p.set.Log.URL) == "sqlite"
}

func (p *putter) putSeal() error {
	if !p.backup.Sealed || !p.exact() {
		return nil
	}
	to := p.set.Seal.Folder
	if err := fresh(to + restoring); err != nil {
		return err
	}
	p.renames = append(p.renames, to)
	return p.backup.CopySeal(to + restoring)
}

// copyLog copies the log from a file to a server, which is empty, or holds the beginning
// of the same copy.
func (p *putter) copyLog(ctx context.Context, file string, demo bool) (err error) {
	if demo {
		return ErrDemoStays
	}
	from, err := store.OpenSQLite(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close(), os.Remove(file+"-bell")) }()
	log, err := OpenLog(ctx, p.set.Log, zap.NewNop())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	to, ok := log.(transfer.Log)
	if !ok {
		return errors.ErrUnsupported
	}
	o, _, err := CopyOptions(ctx, from, Pruning{Now: time.Now(), Keep: p.set.Log.KeepLogins})
	if err != nil {
		return err
	}
	o.Progress = positions(p.o.Progress.of(StepLog))
	done, err := transfer.Copy(ctx, from, to, o)
	p.r.Events = done.Copied + done.Found
	return err
}

// rename gives everything its name. Who is to be erased yet is written down before:
// however this ends, no start of the home passes them over. Whom an earlier time has left
// there was named by the list that it believed, and this one may not.
func (p *putter) rename(ctx context.Context) error {
	owed := filepath.Join(p.set.Home, owedFolder)
	if !p.o.OnlyVault { // else the log is there that they are owed for
		if err := os.RemoveAll(owed); err != nil {
			return err
		}
	}
	if len(p.list.People) > 0 {
		if err := errors.Join(os.MkdirAll(owed, 0o700), backup.NoteErased(ctx, owed, p.keys, p.list.People...)); err != nil {
			return err
		}
	}
	if err := p.mark(p.renames...); err != nil {
		return err
	}
	for _, name := range p.renames {
		if err := os.Rename(name+restoring, name); err != nil {
			return err
		}
		if err := syncNames(filepath.Dir(name)); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(p.set.Home, restoring))
}

// afterwards opens what was put back, and has it forget whom it has to, whatever comes of
// the seal.
func (p *putter) afterwards(ctx context.Context) (err error) {
	p.o.Progress.tell(StepReading, 0, 0)
	h, err := Open(ctx, Options{Settings: p.set, Version: p.o.Version, Log: p.o.Log})
	if err != nil {
		return fmt.Errorf("open what was put back: %w", err)
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	if err := h.Feed.CatchUp(ctx); err != nil {
		return err
	}
	defer follow(ctx, h.Feed)()
	if p.backup.Sealed && !p.o.OnlyVault { // before anything is added to the log
		if unsealed := p.reseal(ctx, h); unsealed != nil {
			defer func() { err = errors.Join(fmt.Errorf("the seal: %w", unsealed), err) }()
		}
	}
	if p.r.Erased, err = h.EraseAgain(ctx); err != nil {
		return fmt.Errorf("erase whom the log says was erased: %w", err)
	}
	again, unerased, err := h.eraseOwed(ctx)
	if err != nil {
		return err
	}
	p.r.Erased, p.r.Unerased = p.r.Erased+again, unerased
	h.Desk.Drain(ctx)
	if p.r.NewTree { // so that there is one to verify with
		if err := sealNow(ctx, p.set, h.Log, p.keys); err != nil {
			return fmt.Errorf("begin the new seal: %w", err)
		}
	}
	p.r.Changed, err = p.changed(ctx, h)
	return err
}

// reseal seals the end of the log that was put back, which is the beginning of what was
// sealed where it comes from, and compares it with all that is known of that. Where more
// was sealed than is here, another tree has to begin: two that say different things of
// one place must not be signed with one key.
func (p *putter) reseal(ctx context.Context, h *Home) error {
	c, err := SealConfig(p.set, h.Log, p.keys, nil)
	if err != nil {
		return err
	}
	c.Register = NewRegister(h.Log, p.set)
	if !p.exact() {
		before, err := p.backup.Checkpoint()
		if err != nil || !p.set.Seals() {
			return err // who seals elsewhere begins another tree there
		}
		p.r.NewTree = true
		return seal.Anew(ctx, c, before)
	}
	if err := sealNow(ctx, p.set, h.Log, p.keys); err != nil && !errors.Is(err, seal.ErrHistory) {
		return err // what differs from the history is found again
	}
	if err := p.verify(ctx, h.Log, p.set.Seal.Folder); err != nil || p.r.Newer == 0 {
		return err
	}
	p.r.NewTree = true
	return seal.Anew(ctx, c, nil)
}

// newer returns by how many leaves more was sealed than is here, as far as anybody says.
func newer(r seal.Report) (leaves int64) {
	leaves = max(0, r.Since-r.Size)
	for _, w := range r.Witnesses {
		leaves = max(leaves, w.Size-r.Size)
	}
	return leaves
}

// sinceOf reads the checkpoint that somebody kept.
func sinceOf(signed []byte) (proof.Checkpoint, error) {
	text, _, _ := strings.Cut(string(signed), "\n\n")
	c, err := proof.ParseText(text + "\n")
	if err != nil {
		return c, fmt.Errorf("read the checkpoint that was kept: %w", err)
	}
	return c, nil
}

func refused(err error, code desk.Code) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	return ok && r.Code == code
}

// changed returns of whom the log says something that is newer than the vault.
func (p *putter) changed(ctx context.Context, h *Home) (all []domain.SubjectID, err error) {
	if !p.o.OnlyVault {
		return nil, nil
	}
	seen := map[domain.SubjectID]bool{}
	q := domain.Query{After: p.backup.Position, Prefix: domain.EnrolmentPrefix}
	err = h.Log.ReadAll(ctx, q, func(b domain.Batch) error {
		for i := range b.Events {
			if s, ok := domain.SubjectOfStream(b.Events[i].Stream); ok && !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
		return nil
	})
	return all, err
}

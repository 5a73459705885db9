package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// BackupOptions are what a backup needs beside the settings.
type BackupOptions struct {
	Folder    string // backup.folder where it is empty
	Recipient string // backup.recipient where it is empty
	Keep      int    // below 0: backup.keep
	Version   string // of the program
	Now       time.Time
	Progress  Progress // may be nil
}

var (
	// ErrNoFolder says that it is not said where backups go.
	ErrNoFolder = errors.New("there is no folder for backups")
	// ErrNoRecipient says that it is not said whom the vault is encrypted to.
	ErrNoRecipient = errors.New("there is no age key for the vault in the backup")
)

// A BackedUp is a backup that was made.
type BackedUp struct {
	backup.Made
	Unsealed error // why the seal could not be brought up to date before; nil: it was
	Unnoted  error // why it could not be noted beside the backups who was erased; nil: it is
}

// sealWithin is how long bringing the seal up to date may hold a backup up.
const sealWithin = 30 * time.Second

// Backup copies the log, the vault and the seal of an installation while everything
// runs. What the log holds is sealed before, where that is this machine's work; nothing
// else is changed. See package backup.
//
// An EventStoreDB is read from its start to its end, and becomes a file; a PostgreSQL
// is read as it is at one moment.
func Backup(ctx context.Context, set settings.Settings, o BackupOptions) (m BackedUp, err error) {
	to, err := backupOptions(set, o)
	if err != nil {
		return m, err
	}
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return m, fmt.Errorf("read the master key: %w", noKey(err))
	}
	log, err := OpenLog(ctx, set.Log, zap.NewNop())
	if err != nil {
		return m, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	opening := vaultOptions(set.Vault)
	if opening.Demo, err = IsDemo(ctx, log); err != nil {
		return m, err
	}
	if err := vaultThere(ctx, set.Vault, log); err != nil {
		return m, err
	}
	there, err := vault.Exists(ctx, set.Vault.URL, opening)
	if err == nil && !there { // and nobody who would be in it
		err = fmt.Errorf("%w: there is none at vault.url", vault.ErrForeign)
	}
	if err != nil {
		return m, err
	}
	v, err := vault.Open(ctx, set.Vault.URL, keys, opening)
	if err != nil {
		return m, fmt.Errorf("open the vault: %w", err)
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	from := backup.Source{
		LogKind: kindOf(set.Log.URL), VaultKind: kindOf(set.Vault.URL), MasterKeys: keys.IDs(),
		Seal: func(_ context.Context, folder string) (bool, error) { return seal.Copy(set.Seal.Folder, folder) },
		Log: func(ctx context.Context, file string) (p domain.Position, err error) {
			if p, err = copyLog(ctx, set, log, file, o.Progress.of(StepCopying)); err == nil {
				m.Unnoted, err = noteAll(ctx, to.Folder, log, keys)
			}
			return p, err
		},
		Vault: func(ctx context.Context, w io.Writer) (int64, error) {
			o.Progress.tell(StepVault, 0, 0)
			rows, err := v.Backup(ctx, w)
			o.Progress.tell(StepSums, 0, 0)
			return rows, err
		},
	}
	if from.Store, err = log.Identity(ctx); err != nil {
		return m, err
	}
	if from.Store != "" {
		o.Progress.tell(StepSealing, 0, 0)
		m.Unsealed = sealNow(ctx, set, log, keys)
	}
	m.Made, err = backup.Make(ctx, to, from)
	return m, err
}

// noteAll notes beside the backups whom a log says was erased. It does so before the one
// that is being made is there: so a list that knows less than a log beside it was cut.
// A list that cannot be added to is no reason to have no backup.
func noteAll(ctx context.Context, folder string, log store.Log, keys *vault.Keys) (unnoted, err error) {
	erased, _, err := erasedIn(ctx, log)
	if err != nil {
		return nil, err
	}
	return backup.NoteErased(ctx, folder, keys, erased...), nil
}

// sealNow is sealAll within some time. Where the settings say that nobody seals here, it
// does nothing.
func sealNow(ctx context.Context, set settings.Settings, log store.Log, keys *vault.Keys) error {
	if !set.Seals() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sealWithin)
	defer cancel()
	return sealAll(ctx, set, log, keys)
}

// sealAll seals what the log holds, or has the program do it that seals.
func sealAll(ctx context.Context, set settings.Settings, log store.Log, keys *vault.Keys) (err error) {
	c, err := SealConfig(set, log, keys, nil)
	if err != nil {
		return err
	}
	c.Register = NewRegister(log, set)
	s, err := seal.Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Now(ctx)
}

func backupOptions(set settings.Settings, o BackupOptions) (backup.Options, error) {
	to := backup.Options{Folder: o.Folder, Recipient: o.Recipient, Keep: o.Keep, Now: o.Now, Version: o.Version}
	if to.Folder == "" {
		to.Folder = set.Backup.Folder
	}
	if to.Recipient == "" {
		to.Recipient = set.Backup.Recipient
	}
	if to.Keep < 0 {
		to.Keep = set.Backup.Keep
	}
	switch {
	case to.Folder == "":
		return to, ErrNoFolder
	case to.Recipient == "":
		return to, ErrNoRecipient
	}
	return to, nil
}

// kindOf returns what kind of log or vault a URL names.
func kindOf(url string) string {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "esdb+discover":
		return "esdb"
	case "postgresql":
		return "postgres"
	}
	return scheme
}

// copyLog copies the log into a file. progress is told pages, or positions.
func copyLog(ctx context.Context, set settings.Settings, log store.Log, file string, progress func(done, total int64)) (domain.Position, error) {
	if l, ok := log.(*store.SQLite); ok {
		return l.Backup(ctx, file, progress)
	}
	from, ok := log.(transfer.Log)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	head, err := log.Head(ctx)
	if err != nil {
		return 0, err
	}
	to, err := store.OpenSQLite(ctx, file)
	if err != nil {
		return 0, err
	}
	o, _, err := CopyOptions(ctx, from, Pruning{Now: time.Now(), Keep: set.Log.KeepLogins})
	if err == nil {
		o.Progress = positions(progress)
		_, err = transfer.Copy(ctx, from, to, o)
	}
	return head, errors.Join(err, to.Close(), os.Remove(file+"-bell"))
}

// positions has a copy tell its progress, in positions.
func positions(progress func(done, total int64)) func(transfer.Progress) {
	return func(p transfer.Progress) { progress(int64(p.At), int64(p.Head)) } //nolint:gosec // positions
}

// CopyOptions are those of every copy of a log: logins that are too old are left out, and
// so are probes. A clock that runs ahead has no more of them left out than PruneLogins
// would remove; later says how much less that is than by the clock.
func CopyOptions(ctx context.Context, from transfer.Log, p Pruning) (o transfer.Options, later time.Duration, err error) {
	before, later, err := p.before(ctx, from)
	if err != nil {
		return o, 0, err
	}
	return transfer.Options{
		MaxAge: map[string]time.Duration{domain.LoginPrefix: p.Keep}, Now: before.Add(p.Keep), Skip: []string{store.ProbePrefix},
	}, later, nil
}

// erasedIn returns whom the log says was erased, each once, and where it first says so.
func erasedIn(ctx context.Context, log store.Log) (all []domain.SubjectID, at map[domain.SubjectID]domain.Position, err error) {
	at = map[domain.SubjectID]domain.Position{}
	err = log.ReadAll(ctx, domain.Query{Prefix: domain.EnrolmentPrefix, Types: []string{erasedType}}, func(b domain.Batch) error {
		for i := range b.Events {
			s, ok := domain.SubjectOfStream(b.Events[i].Stream)
			if _, again := at[s]; ok && !again {
				all, at[s] = append(all, s), b.Events[i].Position
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read who was erased: %w", err)
	}
	return all, at, nil
}

// NoteErased notes beside the backups who was erased: they are in the older ones. A home
// that runs does so by itself; it is for a program that erases and leaves. What goes wrong
// is told to the program's log: who was erased is so all the same.
func (h *Home) NoteErased(ctx context.Context, people ...domain.SubjectID) {
	if h.backups == "" || len(people) == 0 {
		return
	}
	switch err := backup.NoteErased(ctx, h.backups, h.keys, people...); {
	case errors.Is(err, backup.ErrErasedChanged), errors.Is(err, backup.ErrErasedKey):
		h.zap.Error("move the list away; the next backup makes it anew from the log", zap.Error(err))
	case err != nil:
		h.zap.Warn("the next backup does it", zap.Error(err))
	}
}

// ErrNoSealToGoOn says that the seal in the settings is not that of the log that is copied.
var ErrNoSealToGoOn = errors.New("the folder of the seal is not that of the log that is copied")

// SealLast seals all that a log holds, before it is copied to where its home goes on.
func SealLast(ctx context.Context, set settings.Settings, from store.Log) error {
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return noKey(err)
	}
	set.Seal.Writer = settings.On // whoever copies the log is the one that seals its end
	err = sealAll(ctx, set, from, keys)
	if errors.Is(err, seal.ErrForeign) || errors.Is(err, seal.ErrOtherSealer) {
		err = fmt.Errorf("%w: %w", ErrNoSealToGoOn, err)
	}
	return err
}

// TakeUpSealCopy takes up a SealCopy that was killed: it says whether the seal in the
// settings is that of the copy by now. Else the seal of the log is where it was.
func TakeUpSealCopy(ctx context.Context, set settings.Settings, from, to store.Log) (begun bool, err error) {
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return false, noKey(err)
	}
	c, err := SealConfig(set, from, keys, nil)
	if err != nil {
		return false, err
	}
	c.Register = NewRegister(from, set)
	id, err := to.Identity(ctx)
	if err != nil {
		return false, err
	}
	return seal.TakeUp(ctx, c, id)
}

// SealCopy begins the seal of a log that is a copy of the one that was sealed so far,
// in its folder, with its last checkpoint. The old one is kept beside.
func SealCopy(ctx context.Context, set settings.Settings, to store.Log) error {
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return noKey(err)
	}
	c, err := SealConfig(set, to, keys, nil)
	if err != nil {
		return err
	}
	c.Register = NewRegister(to, set)
	return seal.Anew(ctx, c, nil)
}

// SealFirst makes the first checkpoint of the seal that SealCopy has begun: else nothing
// would show that the copy is as it was, until something seals it. Another program that
// seals already does it instead.
func SealFirst(ctx context.Context, set settings.Settings, to store.Log) error {
	keys, err := ReadKeys(set.Vault)
	if err != nil {
		return noKey(err)
	}
	set.Seal.Writer = settings.On // the log names this folder as the one that seals, wherever it is
	return sealAll(ctx, set, to, keys)
}

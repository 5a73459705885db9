package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/keydesk/keydesk/domain"
)

var (
	// ErrTampered means that a row is not what this vault wrote there, or it was asked
	// for as somebody else's, as another kind or as another version.
	ErrTampered = errors.New("the vault's row is not the one that was put there")
	// ErrCommitment means that the value opens, and is not the one that the event
	// committed to.
	ErrCommitment = errors.New("the vault's value is not the one that was recorded")
	// ErrWrongKey means that the master keys given are not those that the vault
	// was sealed with.
	ErrWrongKey = errors.New("not the vault's master key")
	// ErrForeign means that the file or schema is something else than a vault.
	ErrForeign = errors.New("not a Keydesk vault")
	// ErrNewer means that the vault was made by a newer version of this program.
	ErrNewer = errors.New("the vault of a newer Keydesk")
	// ErrNotEncrypted means that the URL would send the password, and all that is
	// sealed, to another machine without encryption, or without knowing which
	// machine that is.
	ErrNotEncrypted = errors.New("the connection to the vault is not safe")
	// ErrKeyFile means that the master key file is damaged, or others may read it.
	ErrKeyFile = errors.New("bad master key file")
	// ErrDemoKeys means that the master key is one that was made of a seed, which
	// anybody can do, and the vault is not a demo's.
	ErrDemoKeys = errors.New("a demo's master key, which keeps nothing secret")
	// ErrNotADemo is returned for what only the vault of a demo takes.
	ErrNotADemo = errors.New("not the vault of a demo")
	// ErrBadEmail is returned for something that cannot be an e-mail address.
	ErrBadEmail = errors.New("not an e-mail address")
	// ErrBadValue is returned for an unknown kind, or a value longer than MaxValue.
	ErrBadValue = errors.New("not a value for the vault")
	// ErrBadLimit is returned for a limit without a name, a window or a
	// maximum, and for one that is given twice in one call.
	ErrBadLimit = errors.New("not a limit")
)

// Kind says what a value is. The set is closed, and the kind is part of what a
// value's seal is bound to.
type Kind string

// The kinds of values.
const (
	KindEmail      Kind = "email"
	KindName       Kind = "name"
	KindPhone      Kind = "phone"      // E.164
	KindCredential Kind = "credential" // a password's hash, as a PHC string
	KindDevice     Kind = "device"     // the label of a phone with Pocket
	KindPlace      Kind = "place"      // where somebody logs in from, in words
	KindEmployee   Kind = "employee"   // the employer's number for somebody
	KindTeam       Kind = "team"
	KindStartDate  Kind = "start-date"
	KindLanguage   Kind = "language"
	KindTicket     Kind = "ticket" // the helpdesk's number for a case
	KindRemark     Kind = "remark" // what somebody typed about a case
)

// Valid says that k is one of the kinds.
func (k Kind) Valid() bool {
	switch k {
	case KindEmail, KindName, KindPhone, KindCredential, KindDevice, KindPlace, KindEmployee, KindTeam,
		KindStartDate, KindLanguage, KindTicket, KindRemark:
		return true
	}
	return false
}

// A Vault keeps the personal data and the credentials of one installation. Any
// number of goroutines, and of processes on the machine, may use one at the
// same time; in PostgreSQL also those of other machines.
//
// What a method returned for without an error is on disk. Errors of the disk,
// of the connection and of locking are domain.ErrUnavailable: then nothing was
// changed, and a later call finds its way back by itself. Where the connection
// was lost before the answer to a COMMIT came, the error is
// domain.ErrUnknownOutcome: the change was made, or it was not. To call again
// then is safe: what was made already is found, but that Put leaves a pending
// value behind, which Collect removes, that Take may count one act twice, and
// that StartSend says of a send that nobody sent that it was started.
//
// It prints as "[redacted]".
type Vault struct {
	keys    *Keys
	index   *indexKeys
	db      database
	demo    bool
	closing sync.Once
	closed  error
}

// Options are what Open needs beside the URL. What is set here goes before what
// the URL says; but for Demo, a file on disk has no use for any of it.
type Options struct {
	User     string
	Password string // kept out of the URL, so that it shows nowhere
	CAFile   string // certificates, as PEM, that the server's has to come from

	// Demo says that the log to which the vault belongs is a demo's, by its first
	// event. It admits the keys of DemoKeys, and Fill; nothing else does.
	Demo bool
}

// Open opens the vault at url, and makes it first when there is none:
//
//   - "sqlite:" and the path of a file on a local disk (mode 0600), or
//   - "postgres://" or "postgresql://", as libpq and pgx read it. Its tables
//     stand in a schema of their own, "keydesk" unless the URL says
//     search_path=NAME. On another machine than this one the connection has to
//     be encrypted and the server's name verified (sslmode=verify-full, which
//     is the default there).
//
// Keys that are not the vault's own are refused with ErrWrongKey, those of a demo
// (DemoKeys) with ErrDemoKeys where Options do not say that it is one, and a database
// that is none of this program's is left alone. A server that cannot be reached
// is domain.ErrUnavailable. No error repeats a password.
func Open(ctx context.Context, url string, keys *Keys, o Options) (*Vault, error) {
	if keys.demo() && !o.Demo {
		return nil, fmt.Errorf("open the vault: %w", ErrDemoKeys)
	}
	db, place, err := openDatabase(ctx, url, keys, o)
	if err != nil {
		return nil, fmt.Errorf("open vault %s: %w", place, err)
	}
	v := &Vault{keys: keys, db: db, demo: o.Demo}
	secret, err := v.indexSecret(ctx)
	if err != nil {
		return nil, fmt.Errorf("open vault %s: %w", place, errors.Join(err, v.Close()))
	}
	v.index = newIndexKeys(secret)
	return v, nil
}

// Exists says whether there is a vault at url already, and makes none. A
// database that is none of this program's is an error.
func Exists(ctx context.Context, url string, o Options) (bool, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	there, place, err := postgresExists(ctx, url, o)
	if err != nil {
		return false, fmt.Errorf("look for a vault %s: %w", place, err)
	}
	return there, nil
}

// openDatabase returns the database, with its tables, and how to call it in an
// error.
func openDatabase(ctx context.Context, url string, keys *Keys, o Options) (db database, place string, err error) {
	scheme, path, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && path != "":
		db, err = openSQLite(ctx, path, keys)
		return db, path, err
	case scheme == "postgres", scheme == "postgresql":
		return openPostgres(ctx, url, keys, o)
	}
	return nil, "", errors.New(`the URL is neither "sqlite:PATH" nor "postgres://HOST/DATABASE"`)
}

// indexSecret reads the index secret.
func (v *Vault) indexSecret(ctx context.Context) (*[keySize]byte, error) {
	var id string
	var wrapped []byte
	err := v.db.read(ctx, func(ctx context.Context, q querier) error {
		return q.row(ctx, selectIndexSecret).Scan(&id, &wrapped)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: the index secret is missing", ErrTampered)
	} else if err != nil {
		return nil, err
	}
	return v.keys.unwrapIndexSecret(id, wrapped)
}

// Close lets go of the files or connections. Calls that are under way end first.
func (v *Vault) Close() error {
	v.closing.Do(func() { v.closed = v.db.close() })
	return v.closed
}

// String returns "[redacted]".
func (v *Vault) String() string { return redacted }

// GoString returns "[redacted]".
func (v *Vault) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (v *Vault) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue keeps the vault's keys out of structured logs.
func (v *Vault) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the vault's keys out of JSON.
func (v *Vault) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// indexKeys are the keys of the vault's hashes. They come from the index
// secret, a random one that the master key wraps, and not from the master key
// itself: so hashes stay the same when the master key changes.
type indexKeys struct {
	email   [keySize]byte // which address is whose
	claim   [keySize]byte // that a claim is the vault's own
	counter [keySize]byte // what is counted
	send    [keySize]byte // which message
}

func newIndexKeys(secret *[keySize]byte) *indexKeys {
	return &indexKeys{
		email:   derive(secret, "index email"),
		claim:   derive(secret, "index claim"),
		counter: derive(secret, "index counter"),
		send:    derive(secret, "index send"),
	}
}

// keyedHash is HMAC-SHA256 over the parts, each with its length before it.
func keyedHash(key *[keySize]byte, parts ...string) (sum [32]byte) {
	h := hmac.New(sha256.New, key[:])
	var n [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(n[:], uint32(len(p))) //nolint:gosec // parts are some bytes long
		_, _ = h.Write(n[:])
		_, _ = io.WriteString(h, p)
	}
	h.Sum(sum[:0])
	return sum
}

// isErased says whether the person's key is gone. An unknown person's is not.
func isErased(ctx context.Context, q querier, subject domain.SubjectID) (erased bool, err error) {
	err = q.row(ctx, `SELECT erased = 1 FROM person WHERE subject = $1`, subject[:]).Scan(&erased)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return erased, err
}

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
	"log/slog"
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
	// ErrKeyFile means that the master key file is damaged, or others may read it.
	ErrKeyFile = errors.New("bad master key file")
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
	case KindEmail, KindName, KindPhone, KindCredential, KindDevice, KindEmployee, KindTeam,
		KindStartDate, KindLanguage, KindTicket, KindRemark:
		return true
	}
	return false
}

// A Vault keeps the personal data and the credentials of one installation. Any
// number of goroutines, and of processes on the machine, may use one at the
// same time.
//
// What a method returned for without an error is on disk. Errors of the disk
// and of locking are domain.ErrUnavailable: then nothing was changed. It prints
// as "[redacted]".
type Vault struct {
	keys    *Keys
	index   *indexKeys
	reader  *reader
	writer  *writer
	closing sync.Once
	closed  error
}

// Open opens the vault at url, "sqlite:" and the path of a file on a local
// disk, and makes it first when there is none (mode 0600). Keys that are not
// the vault's own are refused with ErrWrongKey.
func Open(ctx context.Context, url string, keys *Keys) (*Vault, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || path == "" {
		return nil, errors.New(`open vault: the URL is not of the form "sqlite:PATH"`)
	}
	v, err := openSQLite(ctx, path, keys)
	if err != nil {
		return nil, fmt.Errorf("open vault %s: %w", path, unavailable(err))
	}
	return v, nil
}

// Close lets go of the files. Calls that are under way end first.
func (v *Vault) Close() error {
	v.closing.Do(func() { v.closed = errors.Join(v.reader.close(), v.writer.close()) })
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

// isErased says whether the person's key is gone, and whether they are known.
func isErased(ctx context.Context, q querier, subject domain.SubjectID) (erased, known bool, err error) {
	err = q.row(ctx, `SELECT erased FROM person WHERE subject = $1`, subject[:]).Scan(&erased)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return erased, err == nil, err
}

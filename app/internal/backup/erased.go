package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// erasedFile stands beside the backups of a folder, and holds the ids of people who
// were erased, one a line: an older backup knows them still, and does not know that
// they were erased. An id is random, and says nothing about anybody.
//
// Whoever can write into the folder must not be able to have a restore erase somebody.
// So a line is
//
//	<id> <id of a master key> <HMAC-SHA256 over the one of the line before and the id>
//
// with a key that is derived from that master key. A line that is added, changed, moved
// or taken out of the middle shows. One that is taken from the end does not, by itself:
// nothing that lies in the same folder could tell. What a log knows of itself, whoever
// reads the list can compare: see Erased.
//
// Lines of the id alone, at the start, are of a program that did not authenticate them.
const erasedFile = "erased"

const (
	erasedPurpose = "backup/erased"
	erasedLock    = ".erased.lock" // not the lock of backups, which is held for as long as one takes
	erasedWithin  = 10 * time.Second
	keyIDLength   = 16      // digits
	mostErased    = 1 << 20 // lines of a list: more than any organisation has had people, and few enough to be held
)

var (
	// ErrErasedChanged says that a list of who was erased is not what Keydesk wrote. It
	// names the line.
	ErrErasedChanged = errors.New("somebody has changed the list of who was erased, which stands beside the backups")
	// ErrErasedKey says that a line of such a list is authenticated with a master key that
	// is not here.
	ErrErasedKey = errors.New("the list of who was erased cannot be checked without the master key it was made with")
)

// Keys are the master keys that lists of who was erased are authenticated with.
type Keys interface {
	Derive(purpose string) (key [32]byte, id string)
	DeriveWith(id, purpose string) (key [32]byte, err error)
}

// Erased is who is known to be erased in a folder of backups.
type Erased struct {
	There    bool               // whether there is a list
	People   []domain.SubjectID // as authenticated, in the order they were noted
	Unproved []domain.SubjectID // of whom only lines speak that anybody may have written
	BrokeOff bool               // the last line is not whole, and not counted: whoever wrote it was killed

	last  [sha256.Size]byte // what the next line goes on from
	whole int64             // the size up to the last whole line, in bytes
}

// ReadErased returns who is known to be erased in a folder of backups. Where a line is
// not what was written, nobody is: ErrErasedChanged, or ErrErasedKey where that cannot be
// known.
func ReadErased(folder string, keys Keys) (Erased, error) {
	f, err := openFile(filepath.Join(folder, erasedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Erased{}, nil
	}
	if errors.Is(err, ErrDamaged) { // it is no backup that is
		return Erased{}, fmt.Errorf("%w: %s is no file of its own", ErrErasedChanged, erasedFile)
	}
	if err != nil {
		return Erased{}, fmt.Errorf("read who was erased: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	return parseErased(f, keys)
}

// parseErased reads a list, which may be anything.
func parseErased(r io.Reader, keys Keys) (Erased, error) {
	e := Erased{There: true}
	var alone []domain.SubjectID
	lines := bufio.NewReader(r) // which bounds a line
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			e.BrokeOff = len(line) > 0
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("line %d: %w", n, ErrErasedChanged)
		}
		if err != nil {
			return Erased{}, err
		}
		if n > mostErased {
			return Erased{}, fmt.Errorf("line %d: %w: it is longer than any", n, ErrErasedChanged)
		}
		e.whole += int64(len(line))
		text := string(line[:len(line)-1])
		if s, err := domain.ParseSubjectID(text); err == nil && s.String() == text && len(e.People) == 0 {
			alone = append(alone, s)
			continue
		}
		if err := e.add(text, keys); err != nil {
			return Erased{}, fmt.Errorf("line %d: %w", n, err)
		}
	}
	is := e.known()
	for _, s := range alone {
		if !is[s] {
			is[s] = true
			e.Unproved = append(e.Unproved, s)
		}
	}
	return e, nil
}

// add takes up a line that is authenticated.
func (e *Erased) add(line string, keys Keys) error {
	id, rest, _ := strings.Cut(line, " ")
	keyID, mac, _ := strings.Cut(rest, " ")
	s, err := domain.ParseSubjectID(id)
	if err != nil || len(keyID) != keyIDLength || len(mac) != 2*sha256.Size {
		return ErrErasedChanged
	}
	key, err := keys.DeriveWith(keyID, erasedPurpose)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrErasedKey, err)
	}
	last := erasedMAC(key, e.last, s)
	if !hmac.Equal([]byte(erasedLine(s, keyID, last)), []byte(line+"\n")) {
		return ErrErasedChanged
	}
	e.last = last
	e.People = append(e.People, s)
	return nil
}

func (e *Erased) known() map[domain.SubjectID]bool {
	is := make(map[domain.SubjectID]bool, len(e.People))
	for _, s := range e.People {
		is[s] = true
	}
	return is
}

// Lacks returns who of some people the list does not know, as it would had its end been
// cut off, where it is known that it once did.
func (e *Erased) Lacks(people []domain.SubjectID) (missing []domain.SubjectID) {
	is := e.known()
	for _, s := range people {
		if !is[s] {
			is[s] = true
			missing = append(missing, s)
		}
	}
	return missing
}

func erasedMAC(key, before [32]byte, s domain.SubjectID) (mac [sha256.Size]byte) {
	h := hmac.New(sha256.New, key[:])
	h.Write(before[:])
	h.Write(s[:])
	return [sha256.Size]byte(h.Sum(nil))
}

func erasedLine(s domain.SubjectID, keyID string, mac [sha256.Size]byte) string {
	return s.String() + " " + keyID + " " + hex.EncodeToString(mac[:]) + "\n"
}

// NoteErased adds to those who are known to be erased in a folder of backups, durable
// on return. Where there is no such folder yet, nothing is to be noted: nobody is in a
// backup. Programs may do so at once; killed, it has added all, or the first of them.
//
// To a list that was changed nothing is added: ErrErasedChanged, ErrErasedKey.
func NoteErased(ctx context.Context, folder string, keys Keys, people ...domain.SubjectID) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("note beside the backups who was erased: %w", err)
		}
	}()
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	known, err := ReadErased(folder, keys)
	if err != nil || len(known.Lacks(people)) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, erasedWithin)
	defer cancel()
	l, err := lockFile(folder, erasedLock)
	if err != nil {
		return err
	}
	if _, err := l.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("lock the list: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if known, err = ReadErased(folder, keys); err != nil { // again: others may have added to it
		return err
	}
	return errors.Join(known.append(folder, keys, known.Lacks(people)), syncFolder(folder))
}

// append writes lines behind those that are there. What was broken off is cut off first.
func (e *Erased) append(folder string, keys Keys, people []domain.SubjectID) (err error) {
	key, keyID := keys.Derive(erasedPurpose)
	var lines bytes.Buffer
	last := e.last
	for _, s := range people {
		last = erasedMAC(key, last, s)
		lines.WriteString(erasedLine(s, keyID, last))
	}
	root, err := os.OpenRoot(folder) // no link leads out of it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.OpenFile(erasedFile, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if e.BrokeOff {
		if err := f.Truncate(e.whole); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(lines.Bytes(), e.whole); err != nil {
		return err
	}
	return f.Sync()
}

package backup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/keydesk/keydesk/domain"
)

// erasedFile stands beside the backups of a folder, and holds the ids of people who
// were erased, one a line: an older backup knows them still, and does not know that
// they were erased. An id is random, and says nothing about anybody.
const erasedFile = "erased"

// NoteErased adds to those who are known to be erased in a folder of backups, durable
// on return. Where there is no such folder yet, nothing is to be noted: nobody is in a
// backup.
func NoteErased(folder string, subjects ...domain.SubjectID) (err error) {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	known, err := Erased(folder)
	if err != nil {
		return err
	}
	is := make(map[domain.SubjectID]bool, len(known))
	for _, s := range known {
		is[s] = true
	}
	var lines strings.Builder
	for _, s := range subjects {
		if !is[s] {
			is[s] = true
			lines.WriteString(s.String() + "\n")
		}
	}
	if lines.Len() == 0 {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(folder, erasedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // in the folder of backups
	if err == nil {
		_, err = f.WriteString(lines.String()) // at once: others may do the same
		err = errors.Join(err, f.Sync(), f.Close(), syncFolder(folder))
	}
	if err != nil {
		return fmt.Errorf("note beside the backups who was erased: %w", err)
	}
	return nil
}

// Erased returns who is known to be erased in a folder of backups.
func Erased(folder string) (all []domain.SubjectID, err error) {
	f, err := openFile(filepath.Join(folder, erasedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read who was erased: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		s, err := domain.ParseSubjectID(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%w: line %d of %s is no id", ErrDamaged, n, f.Name())
		}
		all = append(all, s)
	}
	return all, lines.Err()
}

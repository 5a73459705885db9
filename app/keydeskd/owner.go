package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
)

// A notOwnerError says that root would work in a folder of somebody else.
type notOwnerError struct {
	Folder string
	UID    int // whose it is
}

func (e *notOwnerError) Error() string {
	return fmt.Sprintf("%s belongs to %s, and this runs as root: what it writes there %s could not read", e.Folder, e.name(), e.name())
}

// name is what sudo calls the owner: by their number where this machine does not know them.
func (e *notOwnerError) name() string {
	id := strconv.Itoa(e.UID)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "#" + id
}

// Do says how to go on.
func (e *notOwnerError) Do() string {
	return fmt.Sprintf("nothing was done. Run it as \"sudo -u '%s' keydeskd …\"; or, where all of Keydesk runs as root, as in a container, give the folder to root first: chown -R root %s",
		e.name(), e.Folder)
}

// asOwner sees that root does not work in folders of somebody else. Even reading makes
// files: those beside an SQLite file, and the bell of a log, and these would be root's, also
// when the service comes back, which could not open them. To give each new file to the
// owner of its folder would have to be done in every place that makes one, by a root who
// follows names that the owner may change meanwhile; to refuse is one place, and safe.
//
// A folder that is not there yet is made by whoever runs this, and is theirs.
func asOwner(euid int, folders ...string) error {
	if euid != 0 { // on Windows it is -1
		return nil
	}
	for _, folder := range folders {
		info, err := os.Stat(folder) // that a name leads to
		if err != nil {
			continue // whoever needs it says so
		}
		if uid, ok := ownerOf(info); ok && uid != 0 {
			return &notOwnerError{folder, uid}
		}
	}
	return nil
}

// foldersOf returns where an installation writes: its home, and where its log and its vault
// are, and others at some addresses, if these are files elsewhere.
func foldersOf(set settings.Settings, others ...string) []string {
	folders := []string{set.Home}
	for _, url := range append([]string{set.Log.URL, set.Vault.URL}, others...) {
		if path, file := strings.CutPrefix(url, store.Scheme); file {
			folders = append(folders, filepath.Dir(path))
		}
	}
	return folders
}

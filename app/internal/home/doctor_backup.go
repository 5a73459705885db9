package home

import (
	"context"
	"time"

	"github.com/keydesk/keydesk/app/internal/backup"
)

// A backup may be so old: one a day is advised.
const (
	backupWarns = 2 * 24 * time.Hour
	backupFails = 8 * 24 * time.Hour
)

// backup looks how old the last one is, where it is said where they are.
func (d *doctor) backup(context.Context) Diagnosis {
	const do = "have \"keydeskd backup\" run every day"
	folder := d.set.Backup.Folder
	if folder == "" {
		return skipped("backup.folder is not set: where backups are, if there are any, is not known here")
	}
	last, ok, err := backup.Last(folder, d.now())
	if err != nil {
		return bad("see whether the folder is there and can be read; else make another backup", "the last backup cannot be read: %s", err)
	}
	if !ok {
		return bad(do, "there is no backup in %s that was made until now", folder)
	}
	if d, ok := d.erasedBeside(); !ok {
		return d
	}
	switch age := d.now().Sub(last.Made).Round(time.Minute); {
	case d.set.Backup.Recipient == "":
		return warn("set backup.recipient", "the last one is %s old; backup.recipient is not set: \"keydeskd backup\" makes none by itself", age)
	case age > backupFails:
		return bad(do, "the last one is %d days old", int(age.Hours()/24))
	case age > backupWarns:
		return warn(do, "the last one is %d days old", int(age.Hours()/24))
	default:
		return well("the last one is %s old, up to position %d", age, last.Position)
	}
}

// erasedBeside looks whether the list beside the backups of who was erased is what was
// written: on the day of a restore it is late to find that it is not.
func (d *doctor) erasedBeside() (_ Diagnosis, ok bool) {
	if d.keys == nil { // which is told elsewhere
		return Diagnosis{}, true
	}
	const do = "move the file \"erased\" there away, and find out who changed it; the next backup makes it anew from the log"
	list, err := backup.ReadErased(d.set.Backup.Folder, d.keys)
	switch n := len(list.Unproved); {
	case err != nil:
		return bad(do, "beside the backups: %s", err), false
	case n > 0:
		return warn(do, "the list beside the backups of who was erased names %d people without being authenticated; of these the log may know nothing", n), false
	}
	return Diagnosis{}, true
}

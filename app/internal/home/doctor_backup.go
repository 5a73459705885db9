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
	last, ok, err := backup.Last(folder)
	switch age := d.now().Sub(last.Made).Round(time.Minute); {
	case err != nil:
		return bad("see whether the folder is there and can be read; else make another backup", "the last backup cannot be read: %s", err)
	case !ok:
		return bad(do, "there is no backup in %s", folder)
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

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/domain"
)

type backupCommand struct {
	Folder    string `arg:"" optional:"" name:"dir" type:"path" help:"The folder of all backups; backup.folder by default. Each gets a folder of its own in it."`
	Recipient string `help:"The age public key that the vault is encrypted to; backup.recipient by default." placeholder:"age1…"`
	Keep      int    `help:"How many are left, with this one; 0: all; backup.keep by default." default:"-1" placeholder:"N"`
}

// Help says what is in it, and what is not.
func (backupCommand) Help() string {
	return "The seal, the log and the vault are copied, separately and in this order, while everything runs. The vault is encrypted to an age key " +
		"(\"age-keygen -o KEY\" makes one; keep KEY off this machine, and not beside the backups). Every file has its SHA-256 in SHA256SUMS. " +
		"The master key is NOT in it: keep a copy of that in a third place, without it nobody can read the vault. The settings file is not in it, either.\n\n" +
		"What was made is whole and on disk when this ends, or it is not there. \"keydeskd restore\" puts it back."
}

// Left says what is there of one that was stopped.
func (backupCommand) Left() string { return "no backup is there that is not whole" }

func (c backupCommand) Run(a *app) error {
	set, err := a.existing()
	if err != nil {
		return err
	}
	m, err := home.Backup(a.ctx, set, home.BackupOptions{
		Folder: c.Folder, Recipient: c.Recipient, Keep: c.Keep, Version: version, Now: time.Now(), Progress: a.steps(),
	})
	a.meter.rest()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %s, the log up to position %d, %d rows of the vault%s\n",
		m.Folder, megabytes(m.Bytes), m.Position, m.Rows, map[bool]string{true: ", the seal"}[m.Sealed])
	for _, gone := range m.Removed {
		fmt.Fprintf(a.out, "removed %s\n", gone)
	}
	if m.Unsealed != nil {
		fmt.Fprintf(a.errs, "keydeskd: the backup is made; the seal could not be brought up to date before: %v\n", m.Unsealed)
	}
	_, err = fmt.Fprintf(a.out, "the master key %s is not in it: keep a copy of %s elsewhere\n", m.MasterKeys[0], set.Vault.MasterKey)
	if m.Unnoted != nil {
		err = errors.Join(fmt.Errorf("%w: %w", errUnnoted, m.Unnoted), err)
	}
	return err
}

// errUnnoted: the backup is there, and what stands beside it is not as it has to be.
var errUnnoted = errors.New("the backup is made")

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

type restoreCommand struct {
	Backup     string `arg:"" name:"dir" type:"path" help:"The folder of one backup."`
	Identity   string `required:"" type:"path" placeholder:"FILE" help:"The file of the age identity that opens its vault."`
	Since      string `help:"A checkpoint that was kept elsewhere, such as the last one that was mailed: it says whether more had been recorded than is in the backup." type:"path" placeholder:"FILE"`
	Believe    bool   `name:"erase-whoever-the-list-names" help:"Erase also whom lines of the list beside the backups name that are not authenticated, as older versions wrote it: whoever could write there chose whom. Without it, such a list is refused."`
	BelieveLog bool   `name:"erase-whoever-the-log-names" help:"Erase also whom the log in the backup says was erased where neither its seal nor the list beside it does, or where the log's file is damaged within: whoever could write to the backup chose whom. Without it, such a log is refused."`
	Only       string `enum:"all,vault" default:"all" help:"\"vault\": put the vault back beside the log that is there, of which the backup is."`
}

// Help says where to, and what is needed.
func (restoreCommand) Help() string {
	return "It is put where the settings of --home say that log, vault and seal are, and only where nothing of them is yet; put the master key and the settings file there first. " +
		"Everything is checked before anything is written; broken off, the same command begins anew. " +
		"Whom the log says was erased is erased again, and so is who was erased after the backup was made, as far as the folder around the backup knows.\n\n" +
		"A backup of a file can go to an EventStoreDB, one of an EventStoreDB to a file, and a vault from and to either kind. Where the log changes its kind, or comes to another server, " +
		"events get new positions, and so the seal begins a new tree with the last checkpoint of the old one."
}

// Left says what is there of one that was stopped.
func (restoreCommand) Left() string { return "the same command begins anew" }

// Validate sees that all that is given counts.
func (c restoreCommand) Validate() error {
	if c.Only == "vault" && c.Since != "" {
		return errSinceVault
	}
	return nil
}

var errSinceVault = errors.New("--since is of the log: it does not go with --only vault")

func (c restoreCommand) Run(a *app) error {
	set, err := a.settings()
	if err != nil {
		return err
	}
	log, err := a.logger(set)
	if err != nil {
		return err
	}
	var since []byte
	if c.Since != "" {
		if since, err = checkpointIn(c.Since); err != nil {
			return err
		}
	}
	r, err := home.Restore(a.ctx, set, home.RestoreOptions{
		Backup: c.Backup, Identity: c.Identity, Since: since, OnlyVault: c.Only == "vault", BelieveList: c.Believe, BelieveLog: c.BelieveLog, Version: version,
		Log: log.With(zap.String("program", "keydeskd")), Progress: a.steps(),
	})
	a.meter.rest()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("the log up to position %d and ", r.Position)
	if c.Only == "vault" {
		what = ""
	}
	fmt.Fprintf(a.out, "put back in %s: %s%d rows of the vault, as they were at %s\n", set.Home, what, r.Rows, r.Made.Format(time.RFC3339))
	if r.Erased > 0 {
		fmt.Fprintf(a.out, "%d people who were erased since are erased again\n", r.Erased)
	}
	if len(r.Changed) > 0 {
		fmt.Fprintf(a.out, "of these people the log knows more than the vault in the backup; what they gave since is lost: %s\n", ids(r.Changed))
	}
	if len(r.Unerased) > 0 {
		fmt.Fprintf(a.out, "these people were erased since and hold a role here, which has to be revoked before they can be erased again: %s\n", ids(r.Unerased))
		err = errUnerased
	}
	if c.Only != "vault" {
		err = errors.Join(tellRestored(a.out, r, since != nil), err, tellUnlisted(a.out, r))
	}
	return err
}

// tellUnlisted says what the list of who was erased may lack. Lines that were taken from
// its end show only where the log in the backup knows of them.
func tellUnlisted(w io.Writer, r home.Restored) error {
	if r.NoList {
		fmt.Fprintln(w, "beside the backup is no list of who was erased after it was made: whoever was, is back")
	}
	if len(r.Unlisted) == 0 {
		return nil
	}
	fmt.Fprintf(w, "of %d people the log in the backup says that they were erased, and the list beside it does not; they are erased here, and so the list may lack others who were erased later: %s\n",
		len(r.Unlisted), ids(r.Unlisted))
	return errUnlisted
}

// errUnlisted: there is no telling who else was.
var errUnlisted = errors.New("the list of who was erased since is not whole, or not there: see above")

// errNotCompared: somebody wanted to know whether the log is what was recorded.
var errNotCompared = errors.New("the checkpoint of --since was compared with nothing: there is no seal in the backup")

// tellRestored says what came of the seal. asked says that there is a checkpoint to
// compare with: whoever can write to a backup can also take its seal out.
func tellRestored(w io.Writer, r home.Restored, asked bool) error {
	if r.Newer > 0 {
		fmt.Fprintf(w, "%d events that were recorded after the backup was made are lost: more had been sealed\n", r.Newer)
	}
	if r.NewTree {
		fmt.Fprintln(w, "the seal goes on in a new tree, which begins with the last checkpoint of the backup; witnesses have to be given its key (\"keydeskd checkpoint --key\")")
	}
	switch {
	case r.Seal == nil:
		_, err := fmt.Fprintln(w, "the log was not compared with a seal: nothing here shows that it is what was recorded")
		if asked && err == nil {
			err = errNotCompared
		}
		return err
	case r.Seal.Bad != nil && r.AsSealed(): // what is lost
		return nil
	case r.Seal.Bad != nil:
		fmt.Fprintln(w, "NOT AS SEALED:", r.Seal.Bad)
		return errNotAsSealed
	}
	_, err := fmt.Fprintf(w, "%d events are what was sealed\n", r.Seal.Events)
	if err == nil && len(r.Seal.Witnesses) == 0 && r.Newer == 0 {
		_, err = fmt.Fprintln(w, "whether more was recorded after the backup was made, only a witness or a newer checkpoint (--since) knows")
	}
	return err
}

var errUnerased = errors.New("not everybody who was erased since is erased again: see above")

func ids(all []domain.SubjectID) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = s.String()
	}
	return strings.Join(words, " ")
}

// stepWords are what a backup does, and putting one back, with the unit of what is counted.
var stepWords = map[home.Step][2]string{
	home.StepSealing:   {"sealing what is recorded"},
	home.StepCopying:   {"copying the log"},
	home.StepVault:     {"encrypting the vault"},
	home.StepSums:      {"reading all files again, for their SHA-256"},
	home.StepChecking:  {"reading the backup, and comparing each file with its SHA-256"},
	home.StepOpening:   {"looking through the vault in it", inBytes},
	home.StepLog:       {"putting the log back"},
	home.StepRows:      {"putting the vault back", inBytes},
	home.StepComparing: {"comparing the log with its seal"},
	home.StepReading:   {"opening what was put back"},
}

// steps shows what a backup does.
func (a *app) steps() home.Progress {
	var at home.Step
	var tell func(done, total int64)
	return func(s home.Step, done, total int64) {
		if s != at {
			at, tell = s, a.meter.begin(stepWords[s][0], stepWords[s][1])
		}
		tell(done, total)
	}
}

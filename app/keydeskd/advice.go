package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/keydesk/keydesk/app/internal/afas"
	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/domain/station"
)

var (
	errNobody = errors.New("nobody with this address or id is known here")
	errNoHome = errors.New("there is no Keydesk home")
)

// statusOf tells a command line that was not understood (2) from everything
// else that went wrong (1), as shells expect it. Of what was done, though not
// without a but, it is 3.
func statusOf(err error) int {
	if _, ok := errors.AsType[*kong.ParseError](err); ok {
		return 2
	}
	if errors.Is(err, errNotVerified) { // 1 is of what is not as it has to be
		return 2
	}
	if errors.Is(err, witness.ErrNamed) { // which only its folder knows
		return 2
	}
	if errors.Is(err, errWarnings) || errors.Is(err, errLeftOut) {
		return 3
	}
	return 1
}

// advice says what to do about an error; empty where the error does so itself.
// The first that fits is the nearest to the cause.
func advice(err error) string {
	if p, ok := errors.AsType[*kong.ParseError](err); ok {
		command := "keydeskd"
		if p.Context != nil && p.Context.Selected() != nil {
			command = p.Context.Selected().FullPath()
		}
		return fmt.Sprintf("%s --help shows what can be asked for", command)
	}
	if _, ok := errors.AsType[*settings.InvalidError](err); ok {
		return "nothing was done; change this, and \"keydeskd settings\" shows whether it is right"
	}
	if e, ok := errors.AsType[*notOwnerError](err); ok {
		return e.Do()
	}
	if errors.Is(err, pocket.ErrNotPaired) {
		return "\"keydeskd phone pair\" pairs it first; --key names the file that it kept its key in"
	}
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		return caseAdvice(r)
	}
	if r, ok := errors.AsType[pairing.Refusal](err); ok {
		return pairingAdvice(r)
	}
	if _, ok := errors.AsType[*afas.NoFieldError](err); ok {
		return "name the connector's fields in [afas.fields]; \"keydeskd doctor\" shows which are read"
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "the kiosk has to be running, and its address reachable from here"
	}
	for _, known := range []struct {
		err error
		do  string
	}{
		{errBroken, "what is marked bad does not hold: ask for another export, and compare its checkpoint with one that you have from elsewhere"},
		{bundle.ErrDiffers, "\"keydeskd verify\" compares the whole log with its seal; nothing was exported"},
		{bundle.ErrSince, "with a checkpoint of this very log it is not the same history any more: \"keydeskd verify\" finds the place; nothing was exported"},
		{bundle.ErrNothing, "\"keydeskd events\" shows what there is; what is not sealed yet is in no bundle"},
		{proof.ErrBadBundle, "a bundle is the zip file that \"keydeskd export\" writes; it may have been cut short on its way"},
		{proof.ErrBadKey, "a key looks like <name>+<hash>+<key>: \"keydeskd checkpoint --key\" shows that of a log, a witness its own when it starts, and the file keys in a bundle all of them"},
		{errNoKeys, "it has to hold verifier keys, one a line"},
		{errNotMailed, "pass the ticket on another way, or mend [mail] and invite them again, which makes another ticket"},
		{errLeftOut, "mend them and import the list again: what is there already stays as it is"},
		{errBadRows, "mend it, or leave out --all-or-nothing: then the good rows are imported"},
		{errNotWholly, "mend it, or leave out --leavers: then nobody leaves"},
		{home.ErrNoFolder, "name one, or set backup.folder"},
		{home.ErrNoRecipient, "set backup.recipient, or --recipient, to the public key that \"age-keygen\" shows"},
		{backup.ErrRecipient, "give the public key that \"age-keygen\" shows; keep the private one off this machine"},
		{backup.ErrBusy, "wait until that one is made"},
		{backup.ErrExists, "try again in a second"},
		{backup.ErrForeign, "name the folder of one backup, such as 2026-11-26T231500Z"},
		{backup.ErrNewer, "use the keydeskd of the version that made it, or a newer one"},
		{backup.ErrDamaged, "take another backup: nothing was put back. \"sha256sum -c SHA256SUMS\" in its folder finds the same"},
		{errUnnoted, "move the file \"erased\" away that stands beside the backups, and find out who changed it; the next backup makes it anew from the log"},
		{backup.ErrErasedChanged, "nothing was put back, and nobody erased. Take the list from another copy of that folder; or keep a copy of the file \"erased\" and cut it off " +
			"before the line that is named: what stands before that is as it was written. Whoever stood behind it is back then, and has to be erased again. Or move the file away: " +
			"then whoever was erased after the backup was made is back, and has to be erased again"},
		{backup.ErrErasedKey, "put back a newer copy of the master key's file, which has all keys since; or move the file \"erased\" away: " +
			"then whoever was erased after the backup was made is back, and has to be erased again"},
		{home.ErrUnproved, "older versions wrote it so, and \"keydeskd backup\" of a home that is there authenticates what its log knows. " +
			"Where that is gone: look whether all who are named were erased; --erase-whoever-the-list-names erases them, whoever wrote it"},
		{home.ErrUnvouched, "nothing was put back, and nobody erased. Take another backup, or put the list \"erased\" back that stood beside this one; find out who can write there. " +
			"Where all who are named were erased: --erase-whoever-the-log-names erases them, whoever wrote it"},
		{backup.ErrIdentity, "--identity names the file that \"age-keygen\" wrote; the backup stays as it is"},
		{home.ErrNoSealToGoOn, "--home chooses the home that the log is of; without --seal only the events are copied"},
		{home.ErrOccupied, "choose an empty folder with --home; nothing was changed. A PostgreSQL of a restore that was broken off has to be emptied: drop the schema"},
		{home.ErrUnsound, "nothing was put back, and nobody erased: such a log can hide whom it will have erased. Take another backup, and find out who can write there. " +
			"Where there is no other: --erase-whoever-the-log-names puts it back as it is, and erases whoever it names"},
		{home.ErrMeddled, "what is named there is run with each append, or keeps nobody from changing what is recorded any more: take another backup; nothing was put back"},
		{home.ErrOtherLog, "set log.url to the log that the backup is of; nothing was changed"},
		{home.ErrNoKey, "put the copy of it at vault.master_key first, for its owner alone (chmod 600)"},
		{errNoMasterKey, "put the copy of it at vault.master_key first, for its owner alone (chmod 600)"},
		{home.ErrVaultGone, "mend vault.url, or put the vault back: \"keydeskd restore BACKUP --identity FILE --only vault\"; an empty one would hide that it is lost"},
		{home.ErrRestoring, "run the same \"keydeskd restore\" again; it begins anew"},
		{service.ErrLoginsKept, "raise log.keep_logins"},
		{errPruning, "see whether the disk is full or busy; the same command goes on where it was, and needs room for a second log"},
		{errNotErased, "--yes erases without asking"},
		{errUnerased, "\"keydeskd staff revoke\" takes the role, \"keydeskd erase\" erases them; all else is put back"},
		{errSomeLeft, "mend it and do the same again; --due shows who is left"},
		{errValues, "see whether the vault is the one that belongs to this log, and whole; \"keydeskd doctor\" looks at both"},
		{errNotAsked, "--yes imports without asking, --dry-run only shows"},
		{errBrokenOff, "the same command goes on where it was; nothing is recorded twice"},
		{home.ErrNoAFAS, "set afas.url, afas.connector and afas.token_file; \"keydeskd settings\" shows what is in force"},
		{afas.ErrBadToken, "copy it as AFAS shows it, <token>…</token>, into the file of afas.token_file"},
		{afas.ErrToken, "see whether the app connector has the GetConnector, and whether its token is this one and has not ended"},
		{afas.ErrForbidden, "have this machine's address added to the app connector, in AFAS"},
		{afas.ErrNotFound, "mend afas.url and afas.connector"},
		{afas.ErrRedirected, "set afas.url to where it sends, if that is AFAS"},
		{afas.ErrRefused, "AFAS's administrator finds the reason in Profit's log; where the page is too large, lower afas.page_size"},
		{afas.ErrBusy, "try again later; nothing was imported"},
		{afas.ErrUnreachable, "see afasstatus.nl, and whether AFAS can be reached from here; a slow connector needs a smaller afas.page_size or a longer afas.timeout"},
		{afas.ErrGarbled, "mend afas.url; or a proxy in between answers in AFAS's place"},
		{afas.ErrPageTooLarge, "lower afas.page_size, or have the connector give fewer fields"},
		{afas.ErrChanging, "try again when nobody changes it in AFAS"},
		{roster.ErrNoRows, "see whether the token's user may see the people in AFAS, and what the connector filters; nothing was imported"},
		{roster.ErrNoEmail, "call the column e-mail; the first row of the list has to name the columns (and afas.fields.email the field of AFAS)"},
		{roster.ErrWorkbook, "in the spreadsheet, save it as \"CSV UTF-8\""},
		{roster.ErrNotText, "in the spreadsheet, save it as \"CSV UTF-8\""},
		{roster.ErrHeader, "the first row has to name the columns, in one line"},
		{roster.ErrTooManyRows, "cut the list in parts; without --leavers, since no part is of everybody"},
		{roster.ErrTooLarge, "cut the list in parts; without --leavers, since no part is of everybody"},
		{errDiffers, "stop every program of this home, delete its folder snapshots, and start them again: both are made again from the log. Then find out who changed it"},
		{errNoEvent, "\"keydeskd events\" shows the ids; an event that the log has dropped after its time has none"},
		{errNotCompared, "all is put back, and may be what somebody has changed: take a backup that has its seal, or compare with \"keydeskd verify\" where the log was sealed"},
		{errNotAsSealed, "find out what was done to the log, from a copy of before; \"keydeskd checkpoint --anew\" goes on with a new seal once you have"},
		{errUnlisted, "all else is put back; whom you know to have been erased since, \"keydeskd erase\" erases again"},
		{seal.ErrNoSeal, "Keydesk seals while it runs, and \"keydeskd checkpoint --now\" at once"},
		{errNoCheckpoint, "Keydesk seals while it runs, and \"keydeskd checkpoint --now\" at once"},
		{seal.ErrEmpty, "start Keydesk first"},
		{seal.ErrNotWriter, "ask on the machine that seals, or set seal.writer to \"on\" here"},
		{seal.ErrOtherSealer, "the seal is on another machine; where its folder is lost, \"keydeskd checkpoint --anew\" begins another one"},
		{seal.ErrLocked, "stop the other program for this; it seals by itself again when it starts"},
		{seal.ErrHistory, "\"keydeskd verify\" looks at all of it"},
		{seal.ErrDamaged, "put back a copy of the folder from before; \"keydeskd checkpoint --anew\" goes on without one"},
		{seal.ErrForeign, "seal.folder names the seal of another log: name its own one"},
		{witness.ErrLocked, "each witness has a folder of its own"},
		{witness.ErrNamed, "leave --name out to go on with this one, or name another folder for another witness"},
		{witness.ErrDamaged, "put back a copy of its folder; a new one needs a new key in seal.witnesses, and has seen nothing"},
		{proof.ErrBadCheckpoint, "a checkpoint is the text that \"keydeskd checkpoint\" shows, or the mail that it came in"},
		{errNoCase, "\"keydeskd case list\" shows those that are"},
		{errNobody, "\"keydeskd roster list\" shows whom HR announced; --home chooses another data folder"},
		{errNoHome, "--home or KEYDESK_HOME chooses another folder; the kiosk, \"keydeskd roster add\" or \"keydeskd import\" makes a new one"},
		{vault.ErrDiffers, "the target has to be new or the beginning of this copy, and nothing may use either meanwhile; the source was not changed"},
		{station.ErrAdmitted, "revoke it first, if its file is lost; then it can be added anew"},
		{station.ErrNotAdmitted, "\"keydeskd station list\" shows those that were"},
		{service.ErrClientExists, "revoke it first; then it can be added anew, with another token"},
		{service.ErrNoClient, "\"keydeskd client list\" shows those that there are"},
		{service.ErrBadScope, "there are factor:read and login"},
		{fs.ErrExist, "choose another file: what is there is not touched"},
		{errNothingToServe, "set one of them, in the settings file or with --set; \"keydeskd settings\" shows what is in force"},
		{errNoVault, "--from names a vault that exists"},
		{transfer.ErrWrittenTo, "stop whatever uses the target, and run this again"},
		{pocket.ErrNothingWaits, "log in on a screen or in a program first, as far as its six digits; --wait waits longer"},
		{pairing.ErrBadQR, "give the whole text of the QR code, in single quotes: it holds a # sign"},
		{store.ErrForeign, "the setting log.url names another file, or --home another folder"},
		{store.ErrNewer, "use the keydeskd of the kiosk's version, or a newer one"},
		{vault.ErrWrongKey, "put back the copy of the master key that belongs to this vault, at vault.master_key; without it nobody can read the vault"},
		{home.ErrNotEmpty, "a history goes into a folder that is not there yet; nothing here was changed"},
		{vault.ErrDemoKeys, "with a demo's master key only its own demo opens, which stays on its machine; put back the master key that belongs to this home"},
		{vault.ErrKeyFile, "put back the copy of the master key; its file is for its owner alone (chmod 600)"},
		{errNoLog, "--from names the file of a log that exists"},
		{transfer.ErrDiffers, "copy into an empty log; nothing of the source was changed"},
		{store.ErrDenied, "the user needs the rights that the README names under \"From one kiosk to a cluster\""},
		{fs.ErrPermission, "run this as the user whom the data folder belongs to"},
		{domain.ErrUnknownOutcome, "it may have been recorded: do the same again, which changes nothing twice"},
		{syscall.ENOSPC, "the disk is full: make room, and do the same again"},
		{syscall.EADDRINUSE, "something listens there already: choose another address, or stop it"},
		{domain.ErrUnavailable, "nothing was recorded; see whether the disk is full or busy, and try again"},
	} {
		if errors.Is(err, known.err) {
			return known.do
		}
	}
	return ""
}

func pairingAdvice(r pairing.Refusal) string {
	switch r {
	case pairing.Busy, pairing.Unavailable:
		return "try again in a moment"
	case pairing.Revoked:
		return "pair it anew with \"keydeskd phone pair\""
	case pairing.Over:
		return "ask for a new login on the screen"
	case pairing.ClaimedAlready, pairing.Expired, pairing.Unknown, pairing.WrongProof, pairing.NotConfirmed,
		pairing.WrongNonce, pairing.Failed:
	}
	return "take the QR code that the kiosk shows now; there, \"Terug\" and choosing Pocket again makes a new one"
}

// caseAdvice says what to do about what staff were refused.
func caseAdvice(r *desk.Refusal) string {
	switch r.Code { //nolint:exhaustive // those of cases
	case desk.SecondPerson:
		return "another member of staff has to approve it; this command line is one person. --alone does it without, and is recorded as such"
	case desk.NoEvidence:
		return "name with --evidence how you know who it is: id-document, staff-pass or known-in-person; with --remote called-back"
	case desk.BadReason:
		return "there are other reasons for this: resend no-code; correct-number wrong-number, new-number; revoke-pocket new, broken; " +
			"freeze suspicion, lost, stolen, left; unfreeze not-me, lost, stolen, mistake; reset forgotten-password, lost, broken, wrong-number, new-number; " +
			"unlock wrong-codes; ticket forgotten-password; erase request, retention, mistake"
	case desk.CaseOpen, desk.NoCase, desk.CaseLapsed, desk.NotApproved, desk.TooEarly:
		return "\"keydeskd case list\" shows what is open, and until when"
	case desk.NothingToDo, desk.Erased:
		return "it is so already"
	case desk.Unavailable:
		return "nothing was recorded; see whether the disk is full or busy, and do the same again"
	case desk.HoldsRole:
		return "\"keydeskd staff revoke\" takes their roles from them first"
	case desk.ErasureOpen:
		return "it is recorded, and the vault could not do it now; a running Keydesk does it as soon as it can, or do the same again"
	}
	return ""
}

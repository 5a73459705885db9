// Package vaulttest is the conformance suite of the vault: whatever database it
// stands on, it keeps the same promises. Tests of a database call Run, and
// Child first thing in their TestMain.
package vaulttest

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"fmt"
	"testing"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// A Place is an empty database for one test, and the ways around the vault that
// somebody with access to the machine has.
type Place struct {
	URL     string  // for vault.Open
	KeyFile string  // a master key file, which exists
	Raw     *sql.DB // the same database, without the vault

	// Disk returns everything that the database has on disk at the moment.
	Disk func(t *testing.T) []byte
	// Kept returns what nothing of somebody who was erased may be in. Where the
	// database can overwrite what it deletes, that is the disk; else all its rows.
	Kept func(t *testing.T) []byte
}

// Run runs the suite. It asks for a new place for each test.
func Run(t *testing.T, start func(t *testing.T) Place) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, p Place)
	}{
		{"values come back as they were put", roundTrip},
		{"each put is a new version", versions},
		{"several values are put together, or none", putTogether},
		{"many put at once", putRace},
		{"what is no value is refused", badValues},
		{"values open only as what they are", wrongQuestions},
		{"the commitment is checked", commitments},
		{"every edit of a row is noticed", tampering},
		{"a swapped row is noticed", swapping},
		{"another master key is refused", wrongKey},
		{"many processes open at once", openProcesses},
		{"pending values are collected", collecting},
		{"collecting stops at an error", collectingFails},
		{"collecting and activating at once", collectRace},
		{"an address belongs to one person", claiming},
		{"an edited claim is noticed", claimTampering},
		{"many claims at once", claimRace},
		{"many processes claim at once", claimProcesses},
		{"counters follow their model", counterModel},
		{"the limits of resending", resending},
		{"many take at once", takeRace},
		{"many processes take at once", takeProcesses},
		{"limits without sense are refused", badLimits},
		{"clocks that jump", clockJumps},
		{"a send starts once", startSend},
		{"many values at once", many},
		{"the last sends", lastSends},
		{"erased is gone", erasing},
		{"erased among many", erasingAmongMany},
		{"several are erased at once", erasingTogether},
		{"erasing and putting at once", eraseRace},
		{"nothing plain is on disk", nothingPlain},
		{"a process killed between put and activate", killed},
		{"a demo is filled", filled},
		{"a demo is filled, or not at all", filledOrNot},
		{"the key of a demo", demoKeys},
		{"a vault that is closed", closedVault},
		{"a context that ended", endedContext},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, start(t))
		})
	}
}

// keys reads the place's master key.
func (p Place) keys(t *testing.T) *vault.Keys {
	t.Helper()
	k, err := vault.KeysFromFile(p.KeyFile)
	ok(t, err)
	return k
}

// open opens the vault once more, until the test ends.
func (p Place) open(t *testing.T) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, v.Close()) })
	return v
}

// change runs SQL behind the vault's back and says how many rows it changed.
func (p Place) change(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	r, err := p.Raw.ExecContext(t.Context(), query, args...)
	ok(t, err)
	n, err := r.RowsAffected()
	ok(t, err)
	return n
}

// bytes reads one column of one row behind the vault's back.
func (p Place) blob(t *testing.T, query string, args ...any) (b []byte) {
	t.Helper()
	ok(t, p.Raw.QueryRowContext(t.Context(), query, args...).Scan(&b))
	return bytes.Clone(b)
}

// somebody returns a new person.
func somebody() (id domain.SubjectID) {
	_, _ = rand.Read(id[:])
	return id
}

// put puts a value that has to be accepted.
func put(t *testing.T, v *vault.Vault, subject domain.SubjectID, kind vault.Kind, value string) domain.Ref {
	t.Helper()
	ref, err := v.Put(t.Context(), subject, kind, []byte(value))
	ok(t, err)
	return ref
}

// holds checks that the vault gives the value.
func holds(t *testing.T, v *vault.Vault, subject domain.SubjectID, kind vault.Kind, ref domain.Ref, want string) {
	t.Helper()
	got, err := v.Get(t.Context(), subject, kind, ref)
	ok(t, err)
	if string(got) != want {
		t.Errorf("%s: got %q, want %q", kind, got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// address returns the n-th address of a test.
func address(n int) string { return fmt.Sprintf("nieuwe.collega.%d@voorbeeld.nl", n) }

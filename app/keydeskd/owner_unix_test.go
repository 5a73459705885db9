//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Root does nothing in a home of somebody else, and says how to go on; in its own, and in
// one that is not there yet, it does.
func TestRootInAHomeOfSomebodyElse(t *testing.T) {
	t.Parallel()
	const nobody = 54321
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := asOwner(0, filepath.Join(home, "none")); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
	if os.Geteuid() == 0 {
		if err := asOwner(0, home); err != nil {
			t.Errorf("its own: %v", err)
		}
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Skip("this root may give nothing away:", err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{home, link} {
		err := asOwner(0, t.TempDir()+"/none", folder)
		refused, ok := errors.AsType[*notOwnerError](err)
		if !ok || refused.Folder != folder || refused.UID == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		if do := advice(err); !strings.Contains(do, "sudo -u '"+refused.name()+"' keydeskd") || !strings.Contains(do, "chown -R root "+folder) {
			t.Errorf("%s: %s", folder, do)
		}
		if err := asOwner(1000, folder); err != nil {
			t.Errorf("who is not root: %v", err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	// Every command does so, but for one that only shows the settings.
	elsewhere := filepath.Join(t.TempDir(), "log.db")
	for _, args := range [][]string{
		{"--home", home, "doctor"},
		{"--home", home, "roster", "add", "--email", "sanne@gemeente.example"},
		{"--home", home, "demo", "--people", "1", "--days", "1"},
		{"--home", home, "serve"},
		{"--home", home, "restore", home, "--identity", home},
		{"--home", filepath.Dir(elsewhere), "--set", "log.url=sqlite:" + filepath.Join(home, "log.db"), "prune"},
		{"--home", filepath.Dir(elsewhere), "copy", "--from", "sqlite:" + elsewhere, "--to", "sqlite:" + filepath.Join(home, "log.db")},
		{"witness", home, "--log", "keydesk.pub"},
	} {
		if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		if status := run(args, &out, &errs); status != 1 || !strings.Contains(errs.String(), home+" belongs to #54321, and this runs as root") {
			t.Errorf("%s: %d, %s%s", args, status, out.String(), errs.String())
		}
		left, err := os.ReadDir(home)
		if err != nil || len(left) > 0 {
			t.Errorf("%s: it has left %v, %v", args, left, err)
		}
	}
	var out, errs strings.Builder
	if status := run([]string{"--home", home, "settings"}, &out, &errs); status != 0 {
		t.Errorf("settings: %d, %s", status, errs.String())
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"github.com/BurntSushi/toml"

	"github.com/keydesk/keydesk/app/internal/settings"
)

func TestMetadataIsThatOfFyneApp(t *testing.T) {
	root := filepath.Join("..", "..")
	var file struct {
		Details struct {
			Icon, Name, ID, Version string
			Build                   int
		}
	}
	if _, err := toml.DecodeFile(filepath.Join(root, "FyneApp.toml"), &file); err != nil {
		t.Fatal(err)
	}
	d := file.Details
	if d.Name != metadata.Name || d.ID != metadata.ID || d.Version != metadata.Version || d.Build != metadata.Build {
		t.Errorf("FyneApp.toml says %+v, the program %+v", d, metadata)
	}
	icon, err := os.ReadFile(filepath.Join(root, d.Icon)) //nolint:gosec // the file that FyneApp.toml names
	if err != nil || !bytes.Equal(icon, metadata.Icon.Content()) {
		t.Errorf("the icon of FyneApp.toml is another one: %v", err)
	}
}

func TestWindowSizes(t *testing.T) {
	for s, want := range map[string]fyne.Size{
		"1280x800": fyne.NewSize(1280, 800), "800x1280": fyne.NewSize(800, 1280), "": fyne.NewSize(1280, 800),
	} {
		if got, err := windowSize(s, settings.Auto); err != nil || got != want {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
	if got, err := windowSize("", settings.On); err != nil || got.Width > got.Height {
		t.Errorf("portrait: got %v, %v", got, err)
	}
	for _, s := range []string{"x", "1280", "10x10", "1280x", "-1280x800"} {
		if _, err := windowSize(s, settings.Auto); err == nil {
			t.Errorf("%q was taken for a size", s)
		}
	}
}

package settings_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/settings"
)

func TestTheLogFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keydesk.log")
	log, err := settings.Logger(settings.Logging{Level: "warn", Format: "json", File: path}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("too light")
	for range 300 {
		log.Warn("the same again", zap.Any("token", settings.NewSecret("hunter2")))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path) //nolint:gosec // a path of this test
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 300 {
		t.Errorf("%d lines, want 300: nothing is sampled away, nothing light is written", len(lines))
	}
	var entry struct {
		Level, Message, Token string
		Time                  time.Time
	}
	if err := json.Unmarshal([]byte(lines[0]), &entry); err != nil {
		t.Fatal(err)
	}
	if entry.Level != "warn" || entry.Message != "the same again" || entry.Token != "(hidden)" || entry.Time.Location() != time.UTC {
		t.Errorf("entry %+v", entry)
	}
}

func TestALogFileThatCannotBe(t *testing.T) {
	t.Parallel()
	if _, err := settings.Logger(settings.Logging{Level: "info", File: filepath.Join(t.TempDir(), "no", "such")}, io.Discard); err == nil {
		t.Error("no error")
	}
}

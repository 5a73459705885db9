package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	failed := errors.New("failed")
	if stopped(ctx, fmt.Errorf("read: %w", context.Canceled)) {
		t.Error("nobody stopped it")
	}
	cause := errors.New("interrupt")
	stop(cause)
	for err, want := range map[error]bool{
		failed:                                    false,
		errNotAsSealed:                            false,
		fmt.Errorf("read: %w", cause):             true,
		fmt.Errorf("x: %w", context.Canceled):     true,
		fmt.Errorf("%w: %w", errBrokenOff, cause): false, // which says how far it came
	} {
		if stopped(ctx, err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

// A bundle takes half a minute to verify where it is of a million events.
func TestVerifyingABundleStops(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bundle.zip")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := (verifyCommand{Bundle: file}).verdict(&app{ctx: ctx}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

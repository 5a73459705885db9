//go:build !unix

package pgtest

import "os/exec"

func becomeUnprivileged(*exec.Cmd) {}

func own(string) error { return nil }

func detach(*exec.Cmd) {}

//go:build linux || darwin

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// diskSpace returns how many bytes are free for us where a folder is, and of
// how many.
func diskSpace(folder string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, fmt.Errorf("look at the disk of %s: %w", folder, err)
	}
	size := uint64(s.Bsize) //nolint:gosec // no size of a block is negative
	return s.Bavail * size, s.Blocks * size, nil
}

//go:build unix

package home

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes whoever runs this may still write.
func freeSpace(folder string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec // never negative
}

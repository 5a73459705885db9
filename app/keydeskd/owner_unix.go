//go:build unix

package main

import (
	"io/fs"
	"syscall"
)

// ownerOf returns whose something is.
func ownerOf(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

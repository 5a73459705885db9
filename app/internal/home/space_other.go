//go:build !unix

package home

import "errors"

func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

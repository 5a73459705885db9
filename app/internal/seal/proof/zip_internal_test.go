package proof

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

// What has no room in 32 bits is written in 64, as archive/zip does, and as the maker of
// bundles has its table written.
func TestALargeZip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored, said uint64 // bytes of the first file
		before       bool   // its sizes stand before it
	}{
		"the size, behind it":       {100, 5 << 30, false},
		"the size, before it":       {100, 5 << 30, true},
		"just no room for the size": {100, 1<<32 - 1, false},
		"just room for the size":    {100, 1<<32 - 2, false},
		"where the second begins":   {1 << 32, 1 << 32, true},
		"where the second begins, with what stands behind the first": {1 << 32, 1 << 32, false},
		"where the directory begins":                                 {1<<32 - 100, 1<<32 - 100, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s sparse
			z := zip.NewWriter(&s)
			h := &zip.FileHeader{Name: FileEvents, Method: zip.Store, CompressedSize64: c.stored, UncompressedSize64: c.said}
			if !c.before {
				h.Flags = sizesBehind
			}
			w, err := z.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			for zeros := make([]byte, 1<<20); c.stored > 0; c.stored -= min(c.stored, 1<<20) {
				if _, err := w.Write(zeros[:min(c.stored, 1<<20)]); err != nil {
					t.Fatal(err)
				}
			}
			if w, err = z.Create(FileManifest); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("{}")); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			back, err := zip.NewReader(&s, s.size)
			if err != nil || len(back.File) != 2 || back.File[0].UncompressedSize64 != c.said {
				t.Fatal(err)
			}
			if wrong := laidOut(&s, uint64(s.size), back.File); wrong != "" { //nolint:gosec // not negative
				t.Error(wrong)
			}
			back.File[0].UncompressedSize64++
			if wrong := laidOut(&s, uint64(s.size), back.File); wrong == "" { //nolint:gosec // not negative
				t.Error("with another size: nothing is wrong")
			}
		})
	}
}

// A sparse file keeps no zeros that come in large pieces.
type sparse struct {
	pieces []piece
	size   int64
}

type piece struct {
	at int64
	b  []byte
}

func (s *sparse) Write(b []byte) (int, error) {
	if len(b) < 1<<16 {
		s.pieces = append(s.pieces, piece{s.size, bytes.Clone(b)})
	}
	s.size += int64(len(b))
	return len(b), nil
}

func (s *sparse) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	for _, p := range s.pieces {
		if from := p.at - at; from < int64(len(b)) && from+int64(len(p.b)) > 0 {
			copy(b[max(from, 0):], p.b[max(-from, 0):])
		}
	}
	if left := s.size - at; left < int64(len(b)) {
		return int(max(left, 0)), io.EOF
	}
	return len(b), nil
}

package proof_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// A bundle that was made by the first version that made any holds for ever.
func TestTheFirstBundleHolds(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "first.zip"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(filepath.Join("testdata", "first.keys"))
	if err != nil {
		t.Fatal(err)
	}
	v := verdict(t, b, proof.Options{Keys: strings.Fields(string(keys))})
	if !v.OK() || v.Events != 12 || v.Expired != 2 || v.Earlier != 5 || len(v.Witnesses) != 1 {
		t.Errorf("%+v", v)
	}
}

// A packing is a way to write a zip: its files, as they are packed, and what is done to
// the bytes in the end.
type packing struct {
	change  func(name string, h *zip.FileHeader, packed []byte) []byte
	comment string
	order   func([]string)
	done    func(tb testing.TB, z []byte) []byte
}

// repack writes the files of a zip again, as an evil twin of Keydesk's would.
func (p packing) repack(tb testing.TB, b []byte) []byte {
	tb.Helper()
	from, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	files := map[string]*zip.File{}
	for _, f := range from.File {
		names, files[f.Name] = append(names, f.Name), f
	}
	if p.order != nil {
		p.order(names)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		raw, err := files[name].OpenRaw()
		if err != nil {
			tb.Fatal(err)
		}
		packed, err := io.ReadAll(raw)
		if err != nil {
			tb.Fatal(err)
		}
		h := files[name].FileHeader
		if p.change != nil {
			if packed = p.change(name, &h, packed); packed == nil {
				continue
			}
		}
		h.CompressedSize64 = uint64(len(packed))
		w, err := z.CreateRaw(&h)
		if err == nil {
			_, err = w.Write(packed)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.SetComment(p.comment); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	if p.done != nil {
		return p.done(tb, out.Bytes())
	}
	return out.Bytes()
}

// of changes what the zip says of the events, or what stands there.
func of(change func(h *zip.FileHeader, packed []byte) []byte) packing {
	return packing{change: func(name string, h *zip.FileHeader, packed []byte) []byte {
		if name == proof.FileEvents {
			return change(h, packed)
		}
		return packed
	}}
}

// patch changes some bytes behind the n-th place where a mark stands; 0 is the first.
func patch(mark string, n, at int, to string) packing {
	return packing{done: func(tb testing.TB, z []byte) []byte {
		tb.Helper()
		place := 0
		for range n + 1 {
			next := bytes.Index(z[place:], []byte(mark))
			if next < 0 {
				tb.Fatal("there is none")
			}
			place += next + 1
		}
		place += at - 1
		if string(z[place:place+len(to)]) == to {
			tb.Fatal("it says so already")
		}
		return slices.Concat(z[:place], []byte(to), z[place+len(to):])
	}}
}

// put puts bytes at a place that a mark tells, and moves what the end of the directory says
// of where it begins, as far as told.
func put(before, what string, moved int) packing {
	return packing{done: func(tb testing.TB, z []byte) []byte {
		tb.Helper()
		place := bytes.LastIndex(z, []byte(before))
		if place < 0 {
			tb.Fatal("there is none")
		}
		z = slices.Concat(z[:place], []byte(what), z[place:])
		at := z[len(z)-6:]
		binary.LittleEndian.PutUint32(at, binary.LittleEndian.Uint32(at)+uint32(moved)) //nolint:gosec // a few bytes
		return z
	}}
}

const (
	local, listed, behind, end = "PK\x03\x04", "PK\x01\x02", "PK\x07\x08", "PK\x05\x06"
)

// An oddZip is a way to write one that is refused, and the kind of what is found.
type oddZip struct {
	name string
	packing
	kind proof.Kind
}

// oddZips are those that programs read in different ways. Before another one stands b.
func oddZips(b []byte) []oddZip {
	other := func(f func(h *zip.FileHeader)) packing {
		return of(func(h *zip.FileHeader, packed []byte) []byte { f(h); return packed })
	}
	const zips, files = proof.FoundZip, proof.FoundFile
	return []oddZip{
		{"something stands before it", packing{done: func(_ testing.TB, z []byte) []byte { return slices.Concat([]byte("#!/bin/sh\n"), z) }}, zips},
		{"something stands behind it", packing{done: func(_ testing.TB, z []byte) []byte { return append(z, slices.Repeat([]byte{0}, 30)...) }}, zips},
		{"it has a comment", packing{comment: "x"}, zips},
		{"another zip stands before it", packing{done: func(_ testing.TB, z []byte) []byte { return slices.Concat(b, z) }}, zips},
		{"something stands between a file and the directory", packing{done: func(tb testing.TB, z []byte) []byte {
			tb.Helper()
			at := int(binary.LittleEndian.Uint32(z[len(z)-6:]))
			z = slices.Concat(z[:at], []byte("between"), z[at:])
			binary.LittleEndian.PutUint32(z[len(z)-6:], uint32(at+7)) //nolint:gosec // small
			return z
		}}, zips},
		{"something stands behind the directory", put(end, "between", 0), zips},
		{"the directory is larger than its files", packing{done: func(_ testing.TB, z []byte) []byte {
			size := z[len(z)-10:]
			n := binary.LittleEndian.Uint32(size)
			z = slices.Concat(z[:len(z)-22], []byte("more"), z[len(z)-22:])
			binary.LittleEndian.PutUint32(z[len(z)-10:], n+4)
			return z
		}}, zips},
		{"it is of several parts", patch(end, 0, 4, "\x01"), zips},
		{"the directory has another order", packing{done: func(_ testing.TB, z []byte) []byte {
			at := int(binary.LittleEndian.Uint32(z[len(z)-6:]))
			second := at + 4 + bytes.Index(z[at+4:], []byte(listed))
			third := second + 4 + bytes.Index(z[second+4:], []byte(listed))
			return slices.Concat(z[:at], z[second:third], z[at:second], z[third:])
		}}, zips},

		{"a file has a comment", other(func(h *zip.FileHeader) { h.Comment = "x" }), zips},
		{"a file is encrypted", other(func(h *zip.FileHeader) { h.Flags |= 1 }), zips},
		{"a file has another flag", other(func(h *zip.FileHeader) { h.Flags |= 0x800 }), zips},
		{"a file is packed by another method", other(func(h *zip.FileHeader) { h.Method = 12 }), zips},
		{"a file has another name in another field", other(func(h *zip.FileHeader) { h.Extra = append(h.Extra, "\x75\x70\x09\x00\x01\x00\x00\x00\x00evil"...) }), zips},
		{"a file has sizes of 64 bits for nothing", other(func(h *zip.FileHeader) {
			h.Extra = append(h.Extra, "\x01\x00\x08\x00\x05\x00\x00\x00\x00\x00\x00\x00"...)
		}), zips},
		{"a file has a broken field", other(func(h *zip.FileHeader) { h.Extra = []byte{1} }), zips},
		{"a file has an empty field", other(func(h *zip.FileHeader) { h.Extra = append(h.Extra, 9, 9, 0, 0) }), zips},
		{"the name before the content is another one", patch(local, 5, 30, "E"), zips},
		{"the method before the content is another one", patch(local, 5, 8, "\x00"), zips},
		{"the time before the content is another one", patch(local, 5, 10, "\x01"), zips},
		{"the checksum before the content is there, and behind it", patch(local, 5, 14, "\x01"), zips},
		{"the size before the content is there, and behind it", patch(local, 5, 22, "\x01"), zips},
		{"the mark behind the content is missing", patch(behind, 2, 0, "pk"), zips},
		{"the checksum behind the content is another one", patch(behind, 2, 4, "\x00\x00\x00\x00"), zips},
		{"the size behind the content is another one", patch(behind, 2, 12, "\xff"), zips},
		{"the size in the directory is another one", patch(listed, 5, 24, "\xff"), zips},
		{"a file begins elsewhere by the directory", patch(listed, 5, 42, "\x00\x00\x00\x00"), zips},
		{"two files are one", packing{done: func(tb testing.TB, z []byte) []byte {
			tb.Helper()
			at := int(binary.LittleEndian.Uint32(z[len(z)-6:]))
			second := at + 4 + bytes.Index(z[at+4:], []byte(listed))
			copy(z[second+42:second+46], z[at+42:at+46])
			return z
		}}, zips},

		{"it is longer than is said", other(func(h *zip.FileHeader) { h.UncompressedSize64-- }), files},
		{"it is shorter than is said", other(func(h *zip.FileHeader) { h.UncompressedSize64++ }), files},
		{"it has another checksum", other(func(h *zip.FileHeader) { h.CRC32++ }), files},
		{"it has no checksum", other(func(h *zip.FileHeader) { h.CRC32 = 0 }), files},
		{"something stands behind what is packed", of(func(_ *zip.FileHeader, packed []byte) []byte { return append(slices.Clone(packed), "more"...) }), files},
		{"what is packed is cut", of(func(_ *zip.FileHeader, packed []byte) []byte { return packed[:len(packed)-3] }), files},
		{"a file that is stored is longer than is said", of(func(h *zip.FileHeader, _ []byte) []byte {
			h.Method, h.CRC32, h.UncompressedSize64 = zip.Store, crc32.ChecksumIEEE([]byte("{}")), 2
			return []byte("{}{}")
		}), files},
		{"a file is missing", of(func(*zip.FileHeader, []byte) []byte { return nil }), files},
		{"the report is huge", packing{change: func(name string, h *zip.FileHeader, packed []byte) []byte {
			if name == proof.FileReport {
				h.UncompressedSize64 = 17 << 20
			}
			return packed
		}}, files},
		{"the table is larger than that of these events can be", packing{change: func(name string, h *zip.FileHeader, packed []byte) []byte {
			if name == proof.FileTable {
				h.UncompressedSize64 = 1 << 20
			}
			return packed
		}}, files},
	}
}

// None of these is a bundle that holds, whatever another program may show of it.
func TestAZipThatCanBeReadInTwoWays(t *testing.T) {
	t.Parallel()
	l, b := sample()
	if v := verdict(t, packing{}.repack(t, b), proof.Options{Keys: l.Keys()}); !v.OK() {
		t.Fatalf("packed again: %+v", v)
	}
	for _, c := range oddZips(b) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			z := c.repack(t, b)
			v, err := proof.Verify(bytes.NewReader(z), int64(len(z)), proof.Options{Keys: l.Keys()})
			if err != nil {
				if c.kind != proof.FoundZip {
					t.Error(err)
				}
				return // not even that: it cannot be read
			}
			if v.OK() || !slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Kind == c.kind }) {
				t.Errorf("%+v", v.Findings)
			}
		})
	}
}

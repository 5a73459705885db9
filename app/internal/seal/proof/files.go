package proof

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// The bounds of what is read: a bundle comes from a stranger. Files that can be
// large are read as a stream, each of them at most twice. What is packed is at the most a
// thousand times as large unpacked, and a zip that is laidOut packs nothing twice: so there
// is no more to do than a thousand times the zip's size.
const (
	maxSmall   = 1 << 20   // bytes of the small files
	maxNotes   = 64 << 20  // bytes of consistency.json
	maxEarlier = 50_000    // checkpoints in it: more than a hundred years of days
	maxProved  = 136 << 10 // bytes of each, with its proof and white space
	maxKeys    = 100       // in the file keys
	maxLine    = 16 << 20  // bytes of a line of events.ndjson
	maxReport  = 16 << 20  // bytes of report.html
	maxTable   = 256 << 10 // bytes of events.csv, beside four times as many as there are of events
	maxFiles   = 100       // entries in the zip's directory
)

// always are the files that every bundle has, and how many bytes they may have; those of
// 0 as many as they need.
var always = map[string]uint64{
	FileManifest: maxSmall, FileEvents: 0, FileCheckpoint: MaxNote, FileRange: maxSmall, FileConsistency: maxNotes,
	FileKeys: maxSmall, FilePolicies: maxSmall, FileReport: maxReport, FileTable: 0, FileReadme: maxSmall,
}

// files are those of a bundle. What is wrong with one is a finding.
type files struct {
	named map[string]*zip.File
	v     *Verdict
}

// unzip reads the directory of a bundle.
func unzip(r io.ReaderAt, size int64, v *Verdict) (files, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return files{}, fmt.Errorf("%w: %w", ErrBadBundle, err)
	}
	if len(z.File) > maxFiles {
		return files{}, fmt.Errorf("%w: %d files", ErrBadBundle, len(z.File))
	}
	f := files{map[string]*zip.File{}, v}
	for _, one := range z.File {
		most, belongs := always[one.Name]
		switch {
		case one.Name != FileIndex && !belongs:
			v.find(Finding{Kind: FoundFile, File: printable(one.Name)}, "the bundle holds a file that belongs into none")
		case f.named[one.Name] != nil:
			v.find(Finding{Kind: FoundFile, File: one.Name}, "the bundle holds two files of this name")
		case most > 0 && one.UncompressedSize64 > most:
			v.find(Finding{Kind: FoundFile, File: one.Name}, "the file has more than %d bytes", most)
		default:
			f.named[one.Name] = one
		}
	}
	if wrong := laidOut(r, uint64(size), z.File); wrong != "" { //nolint:gosec // not negative
		v.find(Finding{Kind: FoundZip}, "the zip is not written in the one way that bundles are: %s", wrong)
	}
	table, events := f.named[FileTable], f.named[FileEvents]
	if table != nil && events != nil && table.UncompressedSize64 > 4*min(events.UncompressedSize64, 1<<60)+maxTable {
		v.find(Finding{Kind: FoundFile, File: FileTable}, "the table is larger than one of these events can be")
		delete(f.named, FileTable)
	}
	if f.named[FileManifest] == nil {
		return files{}, fmt.Errorf("%w: it has no %s", ErrBadBundle, FileManifest)
	}
	for _, name := range slices.Sorted(maps.Keys(always)) {
		if f.named[name] == nil {
			v.find(Finding{Kind: FoundFile, File: name}, "the file is missing")
		}
	}
	return f, nil
}

// plain says that a foreign name can be shown as it is, on a terminal, too.
func plain(s string) bool {
	return s != "" && len(s) <= 200 && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
}

// printable makes a foreign name fit for a line of text.
func printable(s string) string {
	if len(s) > 80 {
		s = s[:80]
	}
	return strings.Trim(fmt.Sprintf("%+q", s), `"`)
}

// stream gives a file to somebody who reads it.
func (f files) stream(name string, read func(io.Reader) error) bool {
	if f.named[name] == nil {
		return false // found in the beginning
	}
	r, err := open(f.named[name])
	if err == nil {
		err = read(r)
	}
	if err != nil {
		f.v.find(Finding{Kind: FoundFile, File: name}, "the file is damaged: %v", err)
	}
	return err == nil
}

// all returns a small file.
func (f files) all(name string, limit int64) (b []byte, ok bool) {
	ok = f.stream(name, func(r io.Reader) (err error) {
		if b, err = io.ReadAll(io.LimitReader(r, limit+1)); err == nil && int64(len(b)) > limit {
			err = fmt.Errorf("longer than %d bytes", limit)
		}
		return err
	})
	return b, ok
}

// json reads a small file of JSON.
func (f files) json(name string, limit int64, to any) bool {
	b, ok := f.all(name, limit)
	if !ok {
		return false
	}
	err := exactly(b, to)
	if err != nil {
		f.v.find(Finding{Kind: FoundForm, File: name}, "the file is not in its form: %v", err)
	}
	return err == nil
}

// exactly reads JSON that is, but for white space, as it is written here: every member
// once, by its very name and in its place, every list and time in its one form. Of a member
// that is there twice, or in capitals too, another verifier may read the other one.
func exactly(b []byte, to any) error {
	if err := json.Unmarshal(b, to); err != nil {
		return err
	}
	var found, again bytes.Buffer
	e := json.NewEncoder(&again)
	e.SetEscapeHTML(false)
	if err := errors.Join(json.Compact(&found, b), e.Encode(to)); err != nil {
		return err
	}
	if !bytes.Equal(found.Bytes(), bytes.TrimSuffix(again.Bytes(), []byte("\n"))) {
		return errors.New("its members are others, or written otherwise")
	}
	for d := json.NewDecoder(&found); ; {
		switch token, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case token == nil:
			return errors.New("it holds null")
		}
	}
}

// notes gives the earlier checkpoints one by one: all at once they would take far more
// room than their file.
func (f files) notes(yield func(Earlier)) {
	var form error
	f.stream(FileConsistency, func(r io.Reader) error {
		form = each(&io.LimitedReader{R: r}, yield)
		if errors.Is(form, errUnpacked) {
			return form
		}
		return nil
	})
	if form != nil && !errors.Is(form, errUnpacked) {
		f.v.find(Finding{Kind: FoundForm, File: FileConsistency}, "the file is not in its form: %v", form)
	}
}

// each gives what a list of earlier checkpoints holds. The room is for one at a time.
func each(room *io.LimitedReader, yield func(Earlier)) error {
	next := func() { room.N = 2 * maxProved } // for it, and for white space
	next()
	d := json.NewDecoder(room)
	begin, err := d.Token()
	if err == nil && begin != json.Delim('[') {
		err = errors.New("it is no list")
	}
	for n := 0; err == nil && d.More(); n++ {
		var e Earlier
		var text json.RawMessage
		if err = d.Decode(&text); err == nil {
			err = exactly(text, &e)
		}
		switch {
		case err != nil:
		case n == maxEarlier || len(text) > maxProved:
			err = fmt.Errorf("it holds more than %d checkpoints, or one of more than %d bytes", maxEarlier, maxProved)
		default:
			yield(e)
			next()
		}
	}
	if err == nil {
		_, err = d.Token() // the end of the list
	}
	next()
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = cmp.Or(more, errors.New("something follows"))
	}
	if room.N == 0 && (err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		err = fmt.Errorf("it holds a checkpoint, or white space, of more than %d bytes", maxProved)
	}
	return err
}

// lines gives the lines of a file, without their line feeds, while another
// processor unpacks it. Each belongs to the receiver until the next one. The
// last one has to end, too.
func lines(packed io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r, stop := ahead(packed)
		defer stop()
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 64<<10), maxLine)
		s.Split(func(data []byte, end bool) (int, []byte, error) {
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				return i + 1, data[:i], nil
			}
			if end && len(data) > 0 {
				return 0, nil, io.ErrUnexpectedEOF
			}
			return 0, nil, nil
		})
		for s.Scan() {
			if !yield(s.Bytes(), nil) {
				return
			}
		}
		if s.Err() != nil {
			yield(nil, s.Err())
		}
	}
}

// ahead has a file unpacked by another processor, until stop.
func ahead(r io.Reader) (_ io.Reader, stop func()) {
	to, from := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := io.Copy(from, r)
		_ = from.CloseWithError(err) // it never fails
	}()
	return to, func() {
		_ = to.Close() // it never fails
		<-ended
	}
}

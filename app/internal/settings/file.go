package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

const maxFile = 1 << 20

// readFile reads the settings file: the given one, which has to be there, or
// the home's own, which may be missing.
func (l *loader) readFile(path string) {
	given := path != ""
	if !given {
		path = filepath.Join(l.settings.Home, FileName)
	}
	b, err := readSmall(path, maxFile)
	if !given && errors.Is(err, fs.ErrNotExist) {
		return
	}
	l.settings.File = path
	if err != nil {
		l.problem(origin{where: path}, "", "%s", err)
		return
	}
	l.readTOML(path, string(b))
	l.guardSecrets(path)
}

// readSmall reads a file of at most limit bytes. Its error does not repeat the
// path, which stands beside it.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, bare(err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, bare(err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("cannot read it: larger than %d bytes", limit)
	}
	return b, nil
}

func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("cannot read it: %w", err)
}

// guardSecrets refuses a file that holds secrets and that everybody may read.
func (l *loader) guardSecrets(path string) {
	info, err := os.Stat(path)
	if err != nil || !othersMayRead(info.Mode()) {
		return
	}
	for _, name := range l.names {
		if l.fields[name].secret() && l.settings.origins[name].where == path {
			l.problem(origin{where: path}, "", "holds secrets and everybody on this machine may read it: chmod 600")
			return
		}
	}
}

// readTOML sets every field that the text names, and notes what is wrong.
func (l *loader) readTOML(path, text string) {
	top := map[string]toml.Primitive{}
	meta, err := toml.Decode(text, &top)
	if err != nil {
		l.notTOML(path, err)
		return
	}
	f := tomlFile{loader: l, path: path, meta: &meta}
	f.table("", top)
}

// notTOML tells where the text stops being TOML. What the parser found there is
// repeated only where it cannot be a part of a secret.
func (l *loader) notTOML(path string, err error) {
	at, reason := origin{where: path}, "not TOML: texts stand in quotes, and every key stands once"
	if p, ok := errors.AsType[toml.ParseError](err); ok {
		at.line = p.Position.Line
		if strings.Contains(p.Message, "already been defined") || strings.Contains(p.Message, "duplicate") {
			reason = "stands here for the second time"
		}
		if f, known := l.fields[p.LastKey]; known {
			l.problem(at, f.name, "%s", reason)
			return
		}
	}
	l.problem(at, "", "%s", reason)
}

// A tomlFile walks over a parsed file.
type tomlFile struct {
	*loader
	path string
	meta *toml.MetaData
}

func (f *tomlFile) table(prefix string, entries map[string]toml.Primitive) {
	for key, value := range entries {
		name := prefix + key
		at := origin{f.path, f.line(value)}
		var inner map[string]toml.Primitive // nil: not a table
		if f.meta.PrimitiveDecode(value, &inner) != nil {
			inner = nil
		}
		_, section := sections[name]
		switch {
		case f.known(name):
			f.set(name, at, func(k kind) error {
				var v any
				if err := f.meta.PrimitiveDecode(value, &v); err != nil {
					return errors.New("cannot be read")
				}
				return k.decode(v)
			})
		case section && inner == nil:
			f.problem(at, name, "must be a section, [%s]", name)
		case section:
			f.table(name+".", inner)
		case inner != nil:
			f.problem(at, shown(name), "unknown section%s", suggestSection(name))
		default:
			f.problem(at, shown(name), "unknown setting%s", f.suggest(name))
		}
	}
}

func (l *loader) known(name string) bool {
	_, ok := l.fields[name]
	return ok
}

// shown is a name from a file, fit for a line of text.
func shown(name string) string {
	if len(name) > 60 || strings.ContainsFunc(name, func(r rune) bool { return isControl(r) || r > '~' }) {
		return fmt.Sprintf("%.60q", name)
	}
	return name
}

// position is how the parser is asked for a line: it adds the place to the error
// of whoever decodes a value.
type position struct{}

var errPosition = errors.New("here")

func (*position) UnmarshalTOML(any) error { return errPosition }

// line returns where a value stands, from 1. A table that was opened only by
// what is in it (a.b = 1) stands where the first of that does.
func (f *tomlFile) line(value toml.Primitive) int {
	at, ok := errors.AsType[toml.ParseError](f.meta.PrimitiveDecode(value, &position{}))
	if ok && at.Position.Line > 0 {
		return at.Position.Line
	}
	var inner map[string]toml.Primitive
	if f.meta.PrimitiveDecode(value, &inner) != nil {
		return 0
	}
	lines := make([]int, 0, len(inner))
	for _, v := range inner {
		if n := f.line(v); n > 0 {
			lines = append(lines, n)
		}
	}
	if len(lines) == 0 {
		return 0
	}
	return slices.Min(lines)
}

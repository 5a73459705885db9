package settings

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// FileName is the settings file in a home.
const FileName = "keydesk.toml"

// Sources is where settings come from. The zero Sources is a machine on which
// nobody set anything.
type Sources struct {
	Home  string            // --home; empty: KEYDESK_HOME, then the user's own folder
	File  string            // --settings; empty: KEYDESK_SETTINGS, then FileName in the home, which may be missing
	Demo  bool              // --demo; without a home given, it has one beside the user's own
	Env   []string          // as os.Environ returns it
	Flags map[string]string // by field name, such as "mail.port"; secrets are refused here, since others see a command line
}

// A Problem is one thing that is wrong with the settings. It holds no value
// that somebody set.
type Problem struct {
	Where  string // the file, the variable, or "command line"
	Line   int    // in the file, from 1; 0: no line is to blame
	Field  string // empty: the file as a whole
	Reason string
}

// String puts it on one line, the way compilers do.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Where)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Reason)
	return b.String()
}

// InvalidError refuses settings as a whole, with all that is wrong with them.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// origin is who set a field.
type origin struct {
	where string // the file, the variable, "command line"
	line  int
}

func (o origin) String() string {
	if o.line > 0 {
		return fmt.Sprintf("%s:%d", filepath.Base(o.where), o.line)
	}
	return o.where
}

// Load reads and checks the settings. It reads files and creates none. What is
// wrong with them comes back as an *InvalidError that lists every problem.
func Load(from Sources) (Settings, error) {
	env := environment(from.Env)
	home, err := chooseHome(from, env)
	if err != nil {
		return Settings{}, fmt.Errorf("choose the data folder: %w", err)
	}
	s := defaults(home)
	if s.Demo = from.Demo; s.Demo { // screens that look as they would at work
		s.Organisation.Support = "hulp@voorbeeld.nl"
	}
	l := loader{settings: &s, fields: map[string]field{}}
	for _, f := range fields(&s) {
		l.fields[f.name] = f
		l.names = append(l.names, f.name)
	}
	l.readFile(cmp.Or(from.File, env["KEYDESK_SETTINGS"]))
	l.readEnvironment(env)
	l.readFlags(from.Flags)
	l.readSecretFiles()
	l.derive(env["CREDENTIALS_DIRECTORY"])
	return s, l.check()
}

type loader struct {
	settings *Settings
	fields   map[string]field
	names    []string
	problems []Problem
}

func (l *loader) problem(at origin, field, format string, args ...any) {
	l.problems = append(l.problems, Problem{at.where, at.line, field, fmt.Sprintf(format, args...)})
}

// set tries one value; done reads it into the field's kind.
func (l *loader) set(name string, at origin, read func(kind) error) {
	l.settings.origins[name] = at
	if err := read(l.fields[name].kind); err != nil {
		l.problem(at, name, "%s", err)
	}
}

func (l *loader) check() error {
	s := l.settings
	s.checkTogether(func(field, reason string) {
		if slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Field == field }) {
			return // wrong by itself: first things first
		}
		at, set := s.origins[field]
		if !set {
			at = origin{where: cmp.Or(s.File, filepath.Join(s.Home, FileName))}
		}
		l.problem(at, field, "%s", reason)
	})
	if len(l.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field))
	})
	return &InvalidError{l.problems}
}

// environment returns the variables by name; of two with one name the last.
func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

const envPrefix = "KEYDESK_"

// envName returns the variable of a field: KEYDESK_SMS_CM_PRODUCT_TOKEN.
func envName(field string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(field, ".", "_"))
}

// readEnvironment refuses a variable that looks like a misspelt setting, and
// leaves alone what is none of its business.
func (l *loader) readEnvironment(env map[string]string) {
	byVariable := make(map[string]string, len(l.names))
	variables := []string{"KEYDESK_HOME", "KEYDESK_SETTINGS"}
	for _, name := range l.names {
		byVariable[envName(name)] = name
		variables = append(variables, envName(name))
	}
	for variable, value := range env {
		if !strings.HasPrefix(variable, envPrefix) || variable == "KEYDESK_HOME" || variable == "KEYDESK_SETTINGS" {
			continue
		}
		at := origin{where: variable}
		if name, ok := byVariable[variable]; ok {
			l.set(name, at, func(k kind) error { return k.parse(value) })
		} else if near := nearest(variable, variables); near != "" {
			l.problem(at, "", "unknown setting; did you mean %s?", near)
		}
	}
}

func (l *loader) readFlags(flags map[string]string) {
	at := origin{where: "command line"}
	for name, value := range flags {
		f, ok := l.fields[name]
		switch {
		case !ok:
			l.problem(at, name, "unknown setting%s", l.suggest(name))
		case f.secret():
			l.problem(at, name, "a secret does not belong on a command line, where others see it: use %s or %s", envName(name), name+fileSuffix)
		default:
			l.set(name, at, func(k kind) error { return k.parse(value) })
		}
	}
}

// readSecretFiles fetches the secrets that were given as files.
func (l *loader) readSecretFiles() {
	for name, path := range l.settings.files {
		f := l.fields[name]
		if *path == "" {
			continue
		}
		at := l.settings.origins[name+fileSuffix]
		if _, both := l.settings.origins[name]; both {
			l.problem(at, name+fileSuffix, "must not be set beside %s", name)
			continue
		}
		b, err := readSmall(*path, 64<<10)
		if err != nil {
			l.problem(at, name+fileSuffix, "%s", err)
			continue
		}
		l.settings.origins[name] = at
		if err := f.kind.parse(strings.TrimRight(string(b), "\r\n")); err != nil {
			l.problem(at, name+fileSuffix, "what the file holds %s", err)
		}
	}
}

// derive fills in what depends on other settings, where nobody set it.
func (l *loader) derive(credentials string) {
	s := l.settings
	if _, set := s.origins["mail.port"]; !set {
		switch s.Mail.TLS {
		case StartTLS:
			s.Mail.Port = 587
		case FullTLS:
			s.Mail.Port = 465
		case NoTLS:
			s.Mail.Port = 25
		}
	}
	if s.Organisation.Alarm == "" && mailAddress(s.Organisation.Support) == nil {
		s.Organisation.Alarm = s.Organisation.Support
		s.origins["organisation.alarm"] = origin{where: "organisation.support"}
	}
	if _, set := s.origins["vault.master_key"]; !set && credentials != "" {
		path := filepath.Join(credentials, "keydesk-master-key")
		if _, err := os.Stat(path); err == nil {
			s.Vault.MasterKey, s.Vault.Credential = path, true
			s.origins["vault.master_key"] = origin{where: "systemd credential"}
		}
	}
}

// chooseHome returns the data folder, absolute.
func chooseHome(from Sources, env map[string]string) (string, error) {
	home := cmp.Or(from.Home, env["KEYDESK_HOME"])
	if home == "" {
		base := env["XDG_DATA_HOME"]
		if !filepath.IsAbs(base) { // the XDG specification says to ignore a relative one
			var err error
			if base, err = os.UserConfigDir(); err != nil {
				return "", fmt.Errorf("%w; --home or KEYDESK_HOME chooses one", err)
			}
		}
		home = filepath.Join(base, "keydesk")
		if from.Demo {
			home += "-demo" // what is tried out does not end up among real people
		}
	}
	return filepath.Abs(home)
}

// othersMayRead says that the file's mode lets everybody on the machine read it.
func othersMayRead(mode os.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o004 != 0
}

package settings

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Line is one setting in force.
type Line struct {
	Field  string
	Value  string // in TOML; a secret shows only that there is one
	Origin string // "default", the file and its line, the variable, or "command line"
}

// Describe lists every setting in force and where it comes from, secrets hidden.
func (s Settings) Describe() []Line {
	var lines []Line
	for _, f := range fields(&s) {
		line := Line{Field: f.name, Value: f.kind.text(), Origin: "default"}
		if at, set := s.origins[f.name]; set {
			line.Origin = at.String()
		}
		lines = append(lines, line)
	}
	return lines
}

// Print writes what Describe lists, for people, in columns.
func (s Settings) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	file := s.File
	if file == "" {
		file = "(none)"
	}
	// A tabwriter keeps the first error until Flush.
	fmt.Fprintf(t, "home\t%s\nsettings file\t%s\n\n", s.Home, file) //nolint:errcheck // see above
	for _, l := range s.Describe() {
		fmt.Fprintf(t, "%s\t= %s\t# %s\n", l.Field, l.Value, l.Origin) //nolint:errcheck // see above
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	return nil
}

// Example returns a settings file that explains and changes nothing: every
// setting stands in it with its default, behind a number sign.
func Example() string {
	var b strings.Builder
	b.WriteString(`# Keydesk's settings: copy this to keydesk.toml in the data folder and take away
# the number signs before what you change. What you leave out keeps the value
# shown here. Everything can also be set by a variable, KEYDESK_MAIL_PORT for
# port under [mail]; "keydeskd settings" prints what is in force, and why.
`)
	s := defaults("/var/lib/keydesk")
	section := ""
	for _, f := range fields(&s) {
		in, key := cutLast(f.name)
		if in != section {
			section = in
			fmt.Fprintf(&b, "\n%s[%s]\n", comment(sections[in]), in)
		}
		b.WriteString(comment(f.doc))
		fmt.Fprintf(&b, "#%s = %s\n", key, f.kind.text())
	}
	return b.String()
}

func comment(doc string) string {
	if doc == "" {
		return ""
	}
	return "# " + strings.ReplaceAll(doc, "\n", "\n# ") + "\n"
}

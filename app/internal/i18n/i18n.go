// Package i18n gives the program its languages: one Printer per session, so
// that two people at two stations can read two languages, and one person can
// change theirs at any moment. It reads assets and imports nothing else of
// Keydesk.
package i18n

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"sync"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/keydesk/keydesk/assets"
)

// The languages of the product, as stored in events and settings.
const (
	Dutch   = "nl"
	English = "en"
)

// Languages lists them, the default first.
func Languages() []string { return []string{Dutch, English} }

// Args are the named values of a message: {{.Email}} takes Args{"Email": …}.
type Args map[string]any

// A Printer writes messages in one language. It may be used concurrently.
type Printer struct {
	lang string
	loc  *i18n.Localizer
}

// New returns the printer of a language; of the first one for any that the
// product does not speak.
func New(lang string) *Printer {
	if lang != English {
		lang = Dutch
	}
	return &Printer{lang: lang, loc: i18n.NewLocalizer(bundle(), lang)}
}

// Lang returns the language, "nl" or "en".
func (p *Printer) Lang() string { return p.lang }

// T returns a message. One that does not exist shows as its id in brackets;
// a test keeps that from happening.
func (p *Printer) T(id string, args ...Args) string {
	return p.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: merge(args)})
}

// N returns the form of a message that fits a number ("1 seconde",
// "2 seconden"). The message finds the number as {{.N}}.
func (p *Printer) N(id string, n int, args ...Args) string {
	data := merge(args)
	data["N"] = n
	return p.localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n, TemplateData: data})
}

// Has says whether the language has the message.
func (p *Printer) Has(id string) bool {
	_, tag, err := p.loc.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: id, TemplateData: Args{}})
	return err == nil && tag.String() == p.lang
}

func (p *Printer) localize(c *i18n.LocalizeConfig) string {
	s, err := p.loc.Localize(c)
	if err != nil && s == "" {
		return "⟦" + c.MessageID + "⟧"
	}
	return s
}

func merge(args []Args) Args {
	all := Args{}
	for _, a := range args {
		maps.Copy(all, a)
	}
	return all
}

// bundle reads all messages once. The files are part of the program: one that
// cannot be read is a mistake in the program, found by every test.
var bundle = sync.OnceValue(func() *i18n.Bundle {
	b := i18n.NewBundle(language.Dutch)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, lang := range Languages() {
		files, err := fs.Glob(assets.Translations, path.Join("translations", lang, "*.toml"))
		if err != nil {
			panic(err)
		}
		for _, f := range files {
			text, err := assets.Translations.ReadFile(f)
			if err != nil {
				panic(err)
			}
			// The bundle takes the language from the file's name.
			if _, err := b.ParseMessageFileBytes(text, lang+".toml"); err != nil {
				panic(fmt.Errorf("translations %s: %w", f, err))
			}
		}
	}
	return b
})

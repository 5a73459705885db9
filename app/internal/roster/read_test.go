package roster_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/domain/enrolment"
)

func read(t *testing.T, text string) roster.List {
	t.Helper()
	l, err := roster.Read(strings.NewReader(text), enrolment.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var sanne = roster.Row{
	Line: 2, Email: "s.devries@gemeente.example", Name: "Sanne de Vries", Phone: "+31612345678",
	Employee: "004711", Start: "2026-12-01", Language: "nl", Team: "Burgerzaken",
}

// One person, as many systems would write them.
func TestTheSamePersonInManyLists(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"Dutch": "E-mailadres;Naam;Telefoonnummer;Personeelsnummer;In dienst;Taal;Afdeling\n" +
			"s.devries@gemeente.example;Sanne de Vries;0612345678;004711;01-12-2026;Nederlands;Burgerzaken\n",
		"English": "email,name,phone,employee number,start date,language,team\r\n" +
			"s.devries@gemeente.example,Sanne de Vries,+31 6 12345678,004711,2026-12-01,nl,Burgerzaken\r\n",
		"Excel": "\ufeffE-mail;Voornaam;Tussenvoegsel;Achternaam;Mobiel;Medewerkernummer;Startdatum;Taal;Team\r\n" +
			"S.deVries@gemeente.example;Sanne;de;Vries;06-12345678;004711;1-12-2026;NL;Burgerzaken\r\n",
		"with sep": "sep=;\r\nE-mail;Naam;Mobiel;Personeelsnr.;Datum in dienst;Taal;Team\r\n" +
			"s.devries@gemeente.example;Sanne de Vries;0031612345678;004711;01/12/2026;nl-NL;Burgerzaken",
		"quoted": "\"E-mail\",\"Naam\",\"Telefoon\",\"Mobiel\",\"Personeelsnummer\",\"In dienst per\",\"Taal\",\"Team\"\r" +
			"\"s.devries@gemeente.example\",\"Sanne\n de Vries\",\"0201234567\",\"'0612345678\",\"004711\",\"2026-12-01 00:00:00\",\"dutch\",\"Burgerzaken\"\r",
		"in another order": "team;taal;startdatum;personeelsnummer;gsm;naam;kostenplaats;e-mail\n" +
			"Burgerzaken;nl;1.12.2026;004711;(06) 12 34 56 78;  Sanne   de Vries ;77;s.devries@GEMEENTE.example\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := read(t, text)
			want := sanne
			if name == "with sep" {
				want.Line = 3
			}
			if len(l.Rows) == 1 && strings.EqualFold(l.Rows[0].Email, want.Email) {
				want.Email = l.Rows[0].Email
			}
			if !reflect.DeepEqual(l.Rows, []roster.Row{want}) || len(l.Problems)+len(l.Notes) > 0 || l.Total != 1 {
				t.Errorf("got %+v\nwant %+v", l, want)
			}
			for _, f := range []roster.Field{roster.Email, roster.Name, roster.Phone, roster.Employee, roster.Start, roster.Language, roster.Team} {
				if !l.Has(f) {
					t.Errorf("no %s", f)
				}
			}
		})
	}
}

func TestWindows1252(t *testing.T) {
	t.Parallel()
	text, err := charmap.Windows1252.NewEncoder().String("e-mail;naam;team\nr@x.example;Renée Müller – €;Café\n")
	if err != nil {
		t.Fatal(err)
	}
	l := read(t, text)
	if l.Encoding != roster.Windows1252 || l.Rows[0].Name != "Renée Müller – €" || l.Rows[0].Team != "Café" {
		t.Errorf("got %+v", l)
	}
	if l := read(t, "e-mail;naam\nr@x.example;Renée\n"); l.Encoding != roster.UTF8 || l.Rows[0].Name != "Renée" {
		t.Errorf("got %+v", l)
	}
}

func TestEachBadRowIsNamed(t *testing.T) {
	t.Parallel()
	const header = "E-mail;Naam;Telefoon;Nr;In dienst;Taal;Personeelsnummer\n"
	for _, c := range []struct {
		row    string
		column string
		why    roster.Reason
	}{
		{";Sanne;;;;;", "E-mail", roster.EmailMissing},
		{"sanne@;Sanne;;;;;", "E-mail", roster.NotAnAddress},
		{"First@x.example;Sanne;;;;;", "E-mail", roster.Twice},
		{"a@x.example;42;;;;;", "Naam", roster.NotAName},
		{"a@x.example;" + strings.Repeat("a", 101) + ";;;;;", "Naam", roster.NotAName},
		{"a@x.example;Sanne\x07;;;;;", "Naam", roster.NotAName},
		{"a@x.example;Sanne;12;;;;", "Telefoon", roster.NotANumber},
		{"a@x.example;Sanne;3,16123E+10;;;;", "Telefoon", roster.NumberMangled},
		{"a@x.example;Sanne;0201234567;;;;", "Telefoon", roster.NoSMS},
		{"a@x.example;Sanne;+33612345678;;;;", "Telefoon", roster.Country},
		{"a@x.example;Sanne;;;31-02-2026;;", "In dienst", roster.NotADate},
		{"a@x.example;Sanne;;;12/31/2026;;", "In dienst", roster.NotADate},
		{"a@x.example;Sanne;;;1-12-26;;", "In dienst", roster.NotADate},
		{"a@x.example;Sanne;;;46357;;", "In dienst", roster.NotADate},
		{"a@x.example;Sanne;;;;Frans;", "Taal", roster.UnknownLanguage},
		{"a@x.example;Sanne;;;;;" + strings.Repeat("1", 101), "Personeelsnummer", roster.Unusable},
		{"a@x.example;" + strings.Repeat("a", 1001) + ";;;;;", "Naam", roster.TooLong},
		{"a@x.example;Sanne", "", roster.TooFewFields},
		{"a@x.example;Sanne;;;;;;x", "", roster.TooManyFields},
		{`a@x.example;"Sanne;;;;;`, "Naam", roster.OpenQuote},
		{`a@x.example;"San"ne;;;;;`, "Naam", roster.StrayQuote},
	} {
		l := read(t, header+"first@x.example;Eerste;;;;;\n"+c.row+"\n\n;;;;;;\nlast@x.example;Laatste;;;;;;;\n")
		want := roster.Problem{Line: 3, Column: c.column, Reason: c.why}
		if c.why == roster.Twice {
			want.Other = 2
		}
		if !reflect.DeepEqual(l.Problems, []roster.Problem{want}) || l.Bad != 1 || l.Total != 3 {
			t.Errorf("%s: got %+v", c.row, l.Problems)
		}
		if len(l.Rows) != 2 || l.Rows[1].Line != 6 {
			t.Errorf("%s: took others with it: %+v", c.row, l.Rows)
		}
		if !reflect.DeepEqual(l.Ignored, []string{"Nr"}) {
			t.Errorf("ignored %q", l.Ignored)
		}
	}
	l := read(t, header+"sanne;7;12;;gisteren;x;\n")
	if len(l.Problems) != 5 || l.Bad != 1 {
		t.Errorf("all that is wrong with a row at once: %+v", l.Problems)
	}
}

func TestWhatASpreadsheetTookAwayIsPutBackAndSaid(t *testing.T) {
	t.Parallel()
	l := read(t, "mail,tel\na@x.example,612345678\nb@x.example,31612345678\nc@x.example,0612345678\nd@x.example,612345678,x\n")
	want := []roster.Problem{{Line: 2, Column: "tel", Reason: roster.ZeroAdded}, {Line: 3, Column: "tel", Reason: roster.PlusAdded}}
	if !reflect.DeepEqual(l.Notes, want) || len(l.Rows) != 3 {
		t.Errorf("got %+v", l)
	}
	for _, r := range l.Rows {
		if r.Phone != "+31612345678" {
			t.Errorf("got %+v", r)
		}
	}
}

func TestWhatIsNoListIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"":                                     roster.ErrEmpty,
		"\ufeff\r\n\r\n":                       roster.ErrEmpty,
		"naam;telefoon\nSanne;0612345678\n":    roster.ErrNoEmail,
		"sanne@x.example\n":                    roster.ErrNoEmail,
		"\"e-mail;naam\n":                      roster.ErrHeader,
		"PK\x03\x04 and so on":                 roster.ErrWorkbook,
		"e\x00-\x00m\x00a\x00i\x00l\x00":       roster.ErrNotText,
		"\ufeffe-mail;naam\na@x.nl;Ren\xe9":    roster.ErrNotText,
		"e-mail;naam\na@x.nl;\x81":             roster.ErrNotText,
		strings.Repeat("a", roster.MaxBytes+1): roster.ErrTooLarge,
		"email\n" + strings.Repeat("a@x.example\n", roster.MaxRows+1):         roster.ErrTooManyRows,
		"email" + strings.Repeat(";", 2_000_000) + "\na@x.example;0612345678": roster.ErrHeader,
	} {
		if l, err := roster.Read(strings.NewReader(text), enrolment.DefaultPolicy()); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v and %d rows, want %v", text, err, len(l.Rows), want)
		}
	}
}

// Whatever stands in the fields, and however it is written, comes back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]rune{';', ','}).Draw(t, "delimiter")
		field := rapid.StringMatching(`[a-zA-Zé€"';, \n-]{0,30}`)
		var b strings.Builder
		if rapid.Bool().Draw(t, "mark") {
			b.WriteString("\ufeff")
		}
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = delimiter, rapid.Bool().Draw(t, "crlf")
		_ = w.Write([]string{"E-mail", "Team", "Personeelsnummer", "Onbekend"})
		var want []roster.Row
		line := 2
		for i := range rapid.IntRange(0, 20).Draw(t, "rows") {
			team, employee, other := field.Draw(t, "team"), field.Draw(t, "employee"), field.Draw(t, "other")
			row := roster.Row{Line: line, Email: fmt.Sprintf("p%d@x.example", i), Team: clean(team), Employee: clean(employee)}
			_ = w.Write([]string{row.Email, team, employee, other})
			want = append(want, row)
			line += 1 + strings.Count(team+employee+other, "\n")
		}
		w.Flush()
		l, err := roster.Read(strings.NewReader(b.String()), enrolment.DefaultPolicy())
		if err != nil || !reflect.DeepEqual(l.Rows, want) || l.Delimiter != delimiter || len(l.Problems) > 0 {
			t.Fatalf("%q\ngot  %+v, %v\nwant %+v", b.String(), l, err, want)
		}
	})
}

// A row that is wrong changes nothing about the others.
func TestABadRowTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.SampledFrom([]string{`x;"y`, `"a"b;c`, "x;y;z", "x", "a@x.example;" + strings.Repeat("y", 1001)})
		text, want, lines := "email;name\n", []string(nil), 0
		for i := range rapid.IntRange(1, 20).Draw(t, "rows") {
			if rapid.Bool().Draw(t, "bad") {
				text, lines = text+bad.Draw(t, "row")+"\n", lines+1
				continue
			}
			want = append(want, fmt.Sprintf("p%d@x.example", i))
			text += want[len(want)-1] + ";Sanne " + strings.Repeat("a", 60) + strings.Repeat(" ", 900) + "\n"
		}
		l, err := roster.Read(strings.NewReader(text), enrolment.DefaultPolicy())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range l.Rows {
			got = append(got, r.Email)
		}
		if !reflect.DeepEqual(got, want) || l.Bad != lines {
			t.Fatalf("%q: got %q and %d bad, want %q and %d", text, got, l.Bad, want, lines)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"E-mail;Naam;Mobiel;In dienst;Taal\na@x.example;Sanne;0612345678;1-12-2026;nl\n",
		"sep=,\r\nemail,voornaam,tussenvoegsel,achternaam\r\n\"a@x.example\",\"A\n\"\"b\",de,C\r\n",
		"\ufeffmail\r\"\ra@x.example\r", "email;naam\na@x.example;Ren\xe9e\n",
	} {
		f.Add([]byte(s))
	}
	policy := enrolment.DefaultPolicy()
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := roster.Read(strings.NewReader(string(b)), policy)
		if err != nil {
			if len(l.Rows) > 0 && !errors.Is(err, roster.ErrTooManyRows) {
				t.Errorf("refused, and read: %+v", l)
			}
			return
		}
		if l.Total != len(l.Rows)+l.Bad || (l.Bad == 0) != (len(l.Problems) == 0) {
			t.Errorf("counted wrongly: %+v", l)
		}
		last, seen := 1, map[string]bool{}
		for _, r := range l.Rows {
			if _, err := enrolment.ParseAddress(r.Email); err != nil || r.Line <= last || seen[strings.ToLower(r.Email)] {
				t.Errorf("not a row: %+v", r)
			}
			if n, err := policy.ParsePhone(r.Phone); r.Phone != "" && (err != nil || n.E164 != r.Phone) {
				t.Errorf("not a number: %+v", r)
			}
			if _, err := time.Parse(time.DateOnly, r.Start); r.Start != "" && err != nil {
				t.Errorf("not a day: %+v", r)
			}
			last, seen[strings.ToLower(r.Email)] = r.Line, true
		}
		for _, p := range l.Problems {
			if p.Line < 2 || p.Line > 2+strings.Count(string(b), "\n")+strings.Count(string(b), "\r") || p.Reason == "" {
				t.Errorf("not a problem: %+v", p)
			}
		}
	})
}

func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString("E-mail;Naam;Mobiel;Personeelsnummer;In dienst;Taal;Team\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "p%d@gemeente.example;Sanne de Vries;06%08d;%d;1-12-2026;nl;Burgerzaken\n", i, 10_000_000+i, i)
	}
	for b.Loop() {
		if l, err := roster.Read(strings.NewReader(text.String()), enrolment.DefaultPolicy()); err != nil || len(l.Rows) != 10_000 {
			b.Fatal(err, len(l.Rows), l.Problems[:1])
		}
	}
}

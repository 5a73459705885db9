package roster

import (
	"strings"
	"unicode"
)

// called holds how columns are called, in Dutch and English, as key writes it.
var called = map[Field][]string{
	Email: {
		"email", "emailadres", "emailaddress", "mail", "mailadres", "mailaddress", "emailwerk", "werkemail", "werkmail",
		"emailadreswerk", "werkemailadres", "emailzakelijk", "zakelijkeemail", "zakelijkemailadres", "zakelijkeemailadres",
		"emailadreszakelijk", "workemail", "emailwork", "workemailaddress", "businessemail",
	},
	Name: {
		"naam", "volledigenaam", "naammedewerker", "medewerker", "medewerkernaam", "weergavenaam",
		"name", "fullname", "employeename", "displayname", "staffname",
	},
	FirstName: {"voornaam", "roepnaam", "voornamen", "firstname", "givenname", "forename"},
	Infix:     {"tussenvoegsel", "tussenvoegsels", "voorvoegsel", "voorvoegsels", "infix", "prefix", "nameprefix", "middlename"},
	LastName:  {"achternaam", "familienaam", "lastname", "surname", "familyname"},
	Phone: {
		"telefoon", "telefoonnummer", "telefoonnr", "tel", "telnr", "telefoonwerk", "phone", "phonenumber", "telephone", "telephonenumber",
	},
	Mobile: {
		"mobiel", "mobielnummer", "mobielnr", "mobielenummer", "mobieletelefoon", "mobieltelefoonnummer", "telefoonmobiel", "gsm", "gsmnummer", "06nummer",
		"mobile", "mobilephone", "mobilenumber", "mobilephonenumber", "cell", "cellphone", "cellphonenumber",
	},
	Employee: {
		"personeelsnummer", "personeelsnr", "persnr", "medewerkernummer", "medewerkernr", "medewerkersnummer", "medewerkerid", "medewerkercode",
		"employeenumber", "employeeno", "employeeid", "staffnumber", "staffid", "personnelnumber",
	},
	Start: {
		"indienst", "indienstper", "indienstsinds", "datumindienst", "indiensttreding", "datumindiensttreding", "startdatum", "begindatum", "eerstewerkdag", "eerstedag",
		"start", "startdate", "startingdate", "hiredate", "dateofhire", "firstday", "firstworkingday",
	},
	Language: {"taal", "voorkeurstaal", "taalcode", "language", "preferredlanguage", "languagecode", "lang"},
	Team: {
		"team", "teamnaam", "afdeling", "afdelingsnaam", "organisatieeenheid", "organisatorischeeenheid",
		"department", "departmentname", "dept", "teamname", "unit", "organizationalunit", "organisationalunit",
	},
}

// fields is called the other way round.
var fields = func() map[string]Field {
	m := map[string]Field{}
	for f, names := range called {
		for _, n := range names {
			m[n] = f
		}
	}
	return m
}()

// FieldOf returns what a column of this name is about; false where nobody can tell.
func FieldOf(name string) (Field, bool) {
	f, ok := fields[key(name)]
	return f, ok
}

// key returns what of a column's name tells it from others: its letters and digits,
// small.
func key(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// columns returns those of a header that are understood, the first where there are
// several for one field, and the names of the others.
func columns(header []string) (known []Column, ignored []string) {
	seen := map[Field]bool{}
	for i, name := range header {
		name = clean(name)
		f, ok := FieldOf(name)
		switch {
		case ok && !seen[f]:
			seen[f] = true
			known = append(known, Column{f, name, i})
		case name != "":
			ignored = append(ignored, name)
		}
	}
	return known, ignored
}

// header reads the first row, and finds out which delimiter makes more of it. Excel
// itself may have said so, on a line of its own above.
func header(s scanner) (after scanner, first record, err error) {
	for _, said := range []string{"sep=;", "sep=,"} {
		line, _, _ := strings.Cut(s.rest, "\n")
		if strings.EqualFold(strings.Trim(strings.TrimSpace(line), `"`), said) {
			s.delimiter = said[4]
			s.skipLine()
			return readHeader(s)
		}
	}
	s.delimiter = ';'
	after, first, err = readHeader(s)
	s.delimiter = ','
	after2, first2, err2 := readHeader(s)
	understood := func(r record) int { known, _ := columns(r.fields); return len(known) }
	more := understood(first2) - understood(first)
	if err != nil || err2 == nil && (more > 0 || more == 0 && len(first2.fields) > len(first.fields)) {
		return after2, first2, err2
	}
	return after, first, err
}

func readHeader(s scanner) (scanner, record, error) {
	for {
		r, ok := s.next()
		switch {
		case !ok:
			return s, r, ErrEmpty
		case r.wrong != "":
			return s, r, ErrHeader
		case !r.blank():
			return s, r, nil
		}
	}
}

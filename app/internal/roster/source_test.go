package roster_test

import (
	"encoding/csv"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/domain/enrolment"
)

var tableColumns = []roster.Column{
	{Field: roster.Email, Name: "Email"},
	{Field: roster.FirstName, Name: "First name"},
	{Field: roster.LastName, Name: "Last name"},
	{Field: roster.Mobile, Name: "Mobile"},
	{Field: roster.Employee, Name: "Employee number"},
	{Field: roster.Start, Name: "Start date"},
	{Field: roster.Language, Name: "Language"},
	{Field: roster.Team, Name: "Team"},
}

// A table and a file with the same values give the same rows, problems and notes.
func TestATableIsReadAsAFileIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := enrolment.DefaultPolicy()
		table := roster.NewTable(enrolment.RosterFromAFAS, tableColumns, nil, p)
		var text strings.Builder
		w := csv.NewWriter(&text)
		header := make([]string, len(tableColumns))
		for i, c := range tableColumns {
			header[i] = c.Name
		}
		_ = w.Write(header)
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			values := map[roster.Field]string{
				roster.Email:     rapid.SampledFrom([]string{"a@x.example", "b@x.example", "B@x.example", "c@", ""}).Draw(t, "email"),
				roster.FirstName: rapid.SampledFrom([]string{"Sanne", " Sanne  Wilhelmina ", "", "42"}).Draw(t, "first"),
				roster.LastName:  rapid.SampledFrom([]string{"Bakker", ""}).Draw(t, "last"),
				roster.Mobile:    rapid.SampledFrom([]string{"0612345678", "612345678", "12", ""}).Draw(t, "mobile"),
				roster.Employee:  rapid.SampledFrom([]string{"004711", "", strings.Repeat("1", 1001)}).Draw(t, "employee"),
				roster.Start:     rapid.SampledFrom([]string{"2026-12-01T00:00:00Z", "2026-12-01", "gisteren", ""}).Draw(t, "start"),
				roster.Language:  rapid.SampledFrom([]string{"nl", "Engels", "fr", ""}).Draw(t, "language"),
				roster.Team:      rapid.SampledFrom([]string{"Zorg", ""}).Draw(t, "team") + "x",
			}
			before := maps.Clone(values)
			if err := table.Add(values, nil); err != nil || !maps.Equal(values, before) {
				t.Fatal(err, values)
			}
			fields := make([]string, len(tableColumns))
			for i, c := range tableColumns {
				fields[i] = values[c.Field]
			}
			_ = w.Write(fields)
		}
		w.Flush()
		want, err := roster.File{From: strings.NewReader(text.String())}.List(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := table.List()
		for i := range want.Rows { // the header is no row of a table
			want.Rows[i].Line--
		}
		for _, all := range [][]roster.Problem{want.Problems, want.Notes} {
			for i := range all {
				if all[i].Line--; all[i].Other > 0 {
					all[i].Other--
				}
			}
		}
		if !reflect.DeepEqual(got.Rows, want.Rows) || !reflect.DeepEqual(got.Problems, want.Problems) ||
			got.Total != want.Total || got.Bad != want.Bad || got.Source != enrolment.RosterFromAFAS || want.Source != enrolment.RosterFromFile {
			t.Fatalf("%q\ngot  %+v\nwant %+v", text.String(), got, want)
		}
	})
}

func TestADigestIsOfAllThatWasAdded(t *testing.T) {
	t.Parallel()
	digest := func(columns []roster.Column, rows ...[2]string) [32]byte {
		table := roster.NewTable(enrolment.RosterFromAFAS, columns, nil, enrolment.DefaultPolicy())
		for _, r := range rows {
			wrong := map[roster.Field]roster.Reason{}
			if r[1] == "?" {
				wrong[roster.FirstName] = roster.Unusable
			}
			if err := table.Add(map[roster.Field]string{roster.Email: r[0], roster.FirstName: strings.Trim(r[1], "?")}, wrong); err != nil {
				t.Fatal(err)
			}
		}
		return table.List().Digest
	}
	seen := map[[32]byte]int{}
	for i, d := range [][32]byte{
		digest(tableColumns[:2]),
		digest(tableColumns[:1]),
		digest(tableColumns[:2], [2]string{"a@x.example", "Sanne"}),
		digest(tableColumns[:2], [2]string{"a@x.example", "sanne"}),
		digest(tableColumns[:2], [2]string{"a@x.exampleSanne", ""}),
		digest(tableColumns[:2], [2]string{"a@x.example", "?"}),
		digest(tableColumns[:2], [2]string{"a@x.example", ""}),
		digest(tableColumns[:2], [2]string{"a@x.example", "Sanne"}, [2]string{"b@x.example", ""}),
		digest(tableColumns[:2], [2]string{"b@x.example", ""}, [2]string{"a@x.example", "Sanne"}),
	} {
		if other, twice := seen[d]; twice {
			t.Errorf("%d and %d have the same digest", i, other)
		}
		seen[d] = i
	}
	if _, there := seen[digest(tableColumns[:2], [2]string{"a@x.example", "Sanne"})]; !there {
		t.Error("the same list has another digest")
	}
}

func TestATableIsBounded(t *testing.T) {
	t.Parallel()
	p := enrolment.DefaultPolicy()
	rows := roster.NewTable(enrolment.RosterFromAFAS, tableColumns[:1], nil, p)
	var err error
	for range roster.MaxRows + 1 {
		if err = rows.Add(map[roster.Field]string{roster.Email: "a@x.example"}, nil); err != nil {
			break
		}
	}
	if !errors.Is(err, roster.ErrTooManyRows) || rows.List().Total != roster.MaxRows+1 {
		t.Errorf("got %v after %d rows", err, rows.List().Total)
	}
	table := roster.NewTable(enrolment.RosterFromAFAS, tableColumns, nil, p)
	long := map[roster.Field]string{}
	for _, c := range tableColumns {
		long[c.Field] = strings.Repeat("x", roster.MaxField)
	}
	for range roster.MaxBytes/roster.MaxField/len(tableColumns) + 2 {
		if err = table.Add(long, nil); err != nil {
			break
		}
	}
	if !errors.Is(err, roster.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

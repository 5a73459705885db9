package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// A looking is a command line that shows a person, or people.
type looking struct {
	line  []string // after the name of the command; words of it that a cast has are replaced
	scope staff.Scope
	whom  string // of the cast; empty: it is a search, or everything
	shows string // what is shown, once it is recorded
}

// lookings are all of them, by command. Every command is here, or among lookless.
var lookings = map[string][]looking{
	"factor":      {{[]string{"sanne@voorbeeld.nl"}, staff.ShownPerson, "SANNE", "SANNE"}, {[]string{"SANNE"}, staff.ShownPerson, "SANNE", "SANNE"}},
	"history":     {{[]string{"sanne@voorbeeld.nl"}, staff.ShownPerson, "SANNE", "station-"}},
	"commitments": {{[]string{"sanne@voorbeeld.nl"}, staff.ShownValues, "SANNE", "holds"}, {[]string{"--json", "SANNE"}, staff.ShownValues, "SANNE", "holds"}},
	"case show":   {{[]string{"bram@voorbeeld.nl", "CASE"}, staff.ShownPerson, "BRAM", "BRAM"}},
	"case ticket": {{[]string{"eva@voorbeeld.nl", "TICKET"}, staff.ShownTicket, "EVA", "-"}},
	"case list":   {{nil, staff.SearchedAll, "", "BRAM"}},
	"events": {
		{[]string{"--subject", "sanne@voorbeeld.nl"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--subject", "SANNE"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--person", "sanne@voorbeeld.nl", "--type", "NameSet"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--person", "SANNE", "--count", "type"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--person", "SANNE", "--type", "NeverHappened"}, staff.ShownPerson, "SANNE", ""},
		{[]string{"--actor", "SANNE"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--correlation", "VISIT"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--correlation", "VISIT", "--count", "day"}, staff.ShownPerson, "SANNE", "events"},
		{[]string{"--chain", "EVENT", "--words", "nl"}, staff.ShownPerson, "SANNE", "NameSet"},
		{[]string{"--person", "SANNE", "--actor", "SANNE", "--correlation", "VISIT"}, staff.ShownPerson, "SANNE", "NameSet"},
	},
	"replay": {
		{[]string{"--subject", "SANNE"}, staff.ShownPerson, "SANNE", "active"},
		{[]string{"--person", "sanne@voorbeeld.nl", "--at", "5", "--json"}, staff.ShownPerson, "SANNE", "SANNE"},
		{[]string{"--people"}, staff.SearchedAll, "", "SANNE"},
	},
	"progress":    {{[]string{"--set", "policy.wrong_codes_in_a_row=5"}, staff.SearchedAll, "", `"locked":true`}},
	"roster list": {{nil, staff.SearchedAll, "", "ria@voorbeeld.nl"}},
	"staff list":  {{nil, staff.SearchedAll, "", "sanne@voorbeeld.nl"}},
	"invite":      {{[]string{"--list"}, staff.SearchedAll, "", "ria@voorbeeld.nl"}},
	"erase":       {{[]string{"--due", "--set", "retention.unfinished=1ms"}, staff.SearchedAll, "", "eva@voorbeeld.nl"}},
	"import":      {{[]string{"--dry-run", "--leavers", "LIST"}, staff.SearchedAll, "", "leaves: ria@voorbeeld.nl"}},
	"export":      {{[]string{"OUT"}, staff.ExportedEvents, "", "events, positions"}},
}

// lookless are the commands that record no look, and why.
var lookless = map[string]string{
	"serve": itServes, "phone pair": itServes, "phone approve": itServes,
	"grant": itActs, "staff grant": itActs, "staff revoke": itActs, "freeze": itActs, "unfreeze": itActs, "unlock": itActs, "roster add": itActs,
	"case request": itActs, "case approve": itActs, "case deny": itActs, "case carry-out": itActs, "case stop": itActs,
	"station add": ofNobody, "station list": ofNobody, "station revoke": ofNobody, "client add": ofNobody, "client list": ofNobody, "client revoke": ofNobody,
	"keys list": ofNobody, "keys rotate": ofNobody, "settings": ofNobody, "doctor": ofNobody, "protect": ofNobody, "checkpoint": ofNobody,
	"verify": itCompares, "witness": itCompares,
	"demo": "there is nobody yet", "prune": itCarries, "backup": itCarries, "restore": itCarries, "copy": itCarries, "copy-vault": itCarries,
}

const (
	itServes   = "it answers others, or is a phone of one's own"
	itActs     = "what it does to somebody stands in the log"
	ofNobody   = "it is about nobody"
	itCompares = "it compares, and shows no person; of a bundle there is no log"
	itCarries  = "it carries everything, and shows nothing"
)

// Everything that shows a person or people is among those that are tested, and says in its
// help that it is recorded.
func TestEveryCommandIsALookOrNone(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Name("keydeskd"), kong.Vars{"version": version})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, leaf := range parser.Model.Leaves(false) {
		name := leaf.Path()
		all = append(all, name)
		_, looks := lookings[name]
		why, none := lookless[name]
		if looks == none || none && why == "" {
			t.Errorf("%s: is it a look (%v) or none (%v)?", name, looks, none)
		}
		if looks && !strings.Contains(leaf.Detail, theyLooked) && name != "export" {
			t.Errorf("%s --help does not say that it is recorded: %q", name, leaf.Detail)
		}
		person := slices.ContainsFunc(leaf.Positional, func(v *kong.Value) bool { return v.Name == "email|subject" }) ||
			slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "person" || f.Name == "subject" })
		if person && !looks && why != itActs {
			t.Errorf("%s takes a person, and is none that acts on them", name)
		}
	}
	for name := range lookings {
		if !slices.Contains(all, name) {
			t.Errorf("there is no command %q", name)
		}
	}
	for name := range lookless {
		if !slices.Contains(all, name) {
			t.Errorf("there is no command %q", name)
		}
	}
}

// A cast is a home with people in it, by the words that stand for them on command lines.
type cast struct {
	home  string
	words map[string]string
}

func newCast(t *testing.T) cast {
	t.Helper()
	ctx := t.Context()
	c := cast{filepath.Join(t.TempDir(), "home"), map[string]string{"OUT": filepath.Join(t.TempDir(), "out.zip"), "LIST": filepath.Join(t.TempDir(), "list.csv")}}
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := openStation(ctx, c.home)
	try(err)
	for email, to := range map[string]desk.Screen{"sanne": desk.ScreenDone, "bram": desk.ScreenDone, "eva": desk.ScreenFactor} {
		_, err := s.walk(ctx, email+"@voorbeeld.nl", to)
		try(err)
		id, err := s.Desk.Subject(ctx, email+"@voorbeeld.nl")
		try(err)
		c.words[strings.ToUpper(email)] = id.String()
	}
	try(s.guessWrongly(ctx, "bas@voorbeeld.nl", 5))
	_, err = s.Desk.AddToRoster(ctx, desk.Person{Email: "ria@voorbeeld.nl"}, "batch")
	try(err)
	_, err = s.Desk.Invite(ctx, desk.Console(), desk.Person{Email: "ria@voorbeeld.nl"}, enrolment.InvitationShown)
	try(err)
	sanne, err := s.Desk.Subject(ctx, "sanne@voorbeeld.nl")
	try(err)
	try(s.Desk.Grant(ctx, desk.Console(), sanne, domain.RoleHelpdesk))
	for word, r := range map[string]desk.CaseRequest{
		"CASE":   {Action: enrolment.Resetting, Reason: enrolment.CaseLost, Evidence: []enrolment.Evidence{enrolment.SawPass}},
		"TICKET": {Action: enrolment.IssuingTicket, Reason: enrolment.CaseForgotten},
	} {
		who, request := "bram", s.Desk.RequestAlone
		if word == "CASE" {
			request = func(ctx context.Context, r desk.CaseRequest) (desk.CaseView, error) {
				return s.Desk.RequestCase(ctx, desk.Console(), r)
			}
		} else {
			who = "eva"
		}
		r.Subject, err = s.Desk.Subject(ctx, who+"@voorbeeld.nl")
		try(err)
		v, err := request(ctx, r)
		try(err)
		c.words[word] = v.Case
	}
	events, err := s.Log.ReadStream(ctx, domain.EnrolmentStream(sanne), 0)
	try(err)
	for _, e := range events {
		var m domain.Metadata
		if e.Type == "NameSet" {
			try(json.Unmarshal(e.Metadata, &m))
			c.words["EVENT"], c.words["VISIT"] = e.ID.String(), m.Correlation.String()
		}
	}
	try(s.stop())
	try(os.WriteFile(c.words["LIST"], []byte("e-mail\nnieuw@voorbeeld.nl\n"), 0o600))
	return c
}

// args returns a command line for the cast.
func (c cast) args(name string, line []string) []string {
	args := append([]string{"--home", c.home}, strings.Fields(name)...)
	for _, word := range line {
		if is, ok := c.words[word]; ok {
			word = is
		}
		args = append(args, word)
	}
	return args
}

// text returns what a word is to be found by.
func (c cast) text(word string) string {
	if is, ok := c.words[word]; ok {
		return is
	}
	return word
}

// looks returns what the console has looked at by now.
func (c cast) looks(t *testing.T) []staff.Access {
	t.Helper()
	log, err := store.OpenSQLite(t.Context(), filepath.Join(c.home, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	events, err := log.ReadStream(t.Context(), "access-console", 0)
	if err = errors.Join(err, log.Close()); err != nil && !errors.Is(err, domain.ErrNotFound) {
		t.Fatal(err)
	}
	var all []staff.Access
	for _, e := range events {
		a, err := staff.DecodeAccess(e.Type, e.Data)
		var m domain.Metadata
		if err = errors.Join(err, json.Unmarshal(e.Metadata, &m)); err != nil || m.Actor != domain.Console() || m.Station == "" || m.Policy == "" {
			t.Fatalf("%s by %+v: %v", e.Type, m, err)
		}
		all = append(all, a)
	}
	return all
}

// same says whether something is the look that is wanted.
func (c cast) same(a staff.Access, want looking) bool {
	switch a := a.(type) {
	case staff.DataShown:
		return a.Scope == want.scope && a.Subject.String() == c.words[want.whom]
	case staff.SearchMade:
		return a.Scope == want.scope && want.whom == ""
	case staff.ExportMade:
		return a.Scope == want.scope && want.whom == ""
	}
	return false
}

// A watched output calls something before it has a text.
type watched struct {
	bytes.Buffer
	text   string
	before func()
}

func (w *watched) Write(b []byte) (int, error) {
	if w.before != nil && (w.text == "" || strings.Contains(w.String()+string(b), w.text)) {
		w.before()
		w.before = nil
	}
	return w.Buffer.Write(b)
}

func TestALookStandsInTheLogBeforeAnythingIsShown(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	for name, all := range lookings {
		for _, l := range all {
			args := c.args(name, l.line)
			before, seen := len(c.looks(t)), false
			out, errs := watched{text: c.text(l.shows)}, bytes.Buffer{}
			out.before = func() {
				seen = true
				if got := c.looks(t)[before:]; len(got) != 1 || !c.same(got[0], l) {
					t.Errorf("%v: when it was shown, %+v was recorded", args, got)
				}
			}
			if status := run(args, &out, &errs); status != 0 || !seen && l.shows != "" {
				t.Errorf("%v: %d, shown %v\n%s%s", args, status, seen, out.String(), errs.String())
			}
			if got := c.looks(t)[before:]; len(got) != 1 || !c.same(got[0], l) {
				t.Errorf("%v: recorded %+v", args, got)
			}
		}
	}
}

func TestWhatCannotBeRecordedIsNotShown(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	db, err := sqlite3.Open("file:" + filepath.Join(c.home, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Exec("CREATE TRIGGER no_looks BEFORE INSERT ON events WHEN (SELECT name FROM streams WHERE id = NEW.stream) LIKE 'access-%' BEGIN SELECT RAISE(ABORT, 'no room'); END")
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for name, all := range lookings {
		for _, l := range all {
			args := c.args(name, l.line)
			var out, errs bytes.Buffer
			status := run(args, &out, &errs)
			if name == "import" { // of the list it tells, which is not of the vault
				if strings.Contains(out.String(), "leaves") {
					t.Errorf("%v shows %s", args, out.String())
				}
			} else if out.Len() > 0 {
				t.Errorf("%v shows %s", args, out.String())
			}
			if status != 1 || !strings.Contains(errs.String(), "record") {
				t.Errorf("%v: %d, %s", args, status, errs.String())
			}
		}
	}
	if _, err := os.Stat(c.words["OUT"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a bundle is there: %v", err)
	}
	if looks := c.looks(t); len(looks) > 0 {
		t.Errorf("recorded %v", looks)
	}
}

// Whoever asks for somebody whom nobody knows here has searched, and what is about nobody
// in particular is no look.
func TestWhoFindsNobodyHasSearched(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	nobody := domain.SubjectID{0x5b, 1}.String()
	for _, one := range []struct {
		args   []string
		status int
		search bool
	}{
		{[]string{"factor", "nobody@voorbeeld.nl"}, 1, true},
		{[]string{"history", "nobody@voorbeeld.nl"}, 1, true},
		{[]string{"events", "--person", "nobody@voorbeeld.nl"}, 1, true},
		{[]string{"replay", "--person", "nobody@voorbeeld.nl"}, 1, true},
		{[]string{"factor", "no address"}, 1, false},
		{[]string{"factor", nobody}, 1, false},
		{[]string{"replay", "--subject", nobody}, 1, false},
		{[]string{"events", "--person", nobody}, 0, false},
		{[]string{"events", "--actor", nobody}, 0, false},
		{[]string{"events", "--correlation", nobody}, 0, false},
		{[]string{"events", "--chain", nobody}, 1, false},
		{[]string{"events"}, 0, false},
		{[]string{"events", "--actor", "console", "--count", "type"}, 0, false},
		{[]string{"replay"}, 0, false},
		{[]string{"replay", "--check"}, 0, false},
		{[]string{"verify"}, 0, false},
	} {
		before := len(c.looks(t))
		var out, errs bytes.Buffer
		if status := run(append([]string{"--home", c.home}, one.args...), &out, &errs); status != one.status {
			t.Errorf("%v: %d, %s", one.args, status, errs.String())
		}
		got := c.looks(t)[before:]
		if one.search != (len(got) == 1) || len(got) > 0 && got[0] != (staff.SearchMade{Scope: staff.SearchedAll}) {
			t.Errorf("%v: recorded %+v", one.args, got)
		}
	}
}

// What is of many people is a list, unless one of them is asked for.
func TestWhatIsOfManyIsASearch(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	s, err := openStation(t.Context(), c.home)
	if err != nil {
		t.Fatal(err)
	}
	list := desk.StaffList{Source: enrolment.RosterFromFile}
	for n := range desk.MostNamed + 1 {
		list.People = append(list.People, desk.Person{Email: fmt.Sprintf("p%d@voorbeeld.nl", n)})
	}
	plan, err := s.Desk.PlanImport(t.Context(), list, desk.ImportOptions{})
	if err == nil {
		_, err = s.Desk.Import(t.Context(), plan, nil)
	}
	p0, ferr := s.Desk.Subject(t.Context(), "p0@voorbeeld.nl")
	if err = errors.Join(err, ferr); err != nil {
		t.Fatal(err)
	}
	events, err := s.Log.ReadStream(t.Context(), domain.EnrolmentStream(p0), 0)
	if err = errors.Join(err, s.stop()); err != nil {
		t.Fatal(err)
	}
	var m domain.Metadata
	if err := json.Unmarshal(events[0].Metadata, &m); err != nil {
		t.Fatal(err)
	}
	of := func(s domain.SubjectID) staff.Access { return staff.DataShown{Scope: staff.ShownPerson, Subject: s} }
	for _, one := range []struct {
		args []string
		want staff.Access
	}{
		{[]string{"--correlation", m.Correlation.String()}, staff.SearchMade{Scope: staff.SearchedAll}},
		{[]string{"--chain", events[0].ID.String(), "--count", "type"}, staff.SearchMade{Scope: staff.SearchedAll}},
		{[]string{"--correlation", m.Correlation.String(), "--person", p0.String()}, of(p0)},
		{[]string{"--correlation", m.Correlation.String(), "--subject", p0.String()}, of(p0)},
	} {
		before := len(c.looks(t))
		var out, errs bytes.Buffer
		if status := run(append([]string{"--home", c.home, "events"}, one.args...), &out, &errs); status != 0 || out.Len() == 0 {
			t.Errorf("%v: %d, %s%s", one.args, status, out.String(), errs.String())
		}
		if got := c.looks(t)[before:]; len(got) != 1 || got[0] != one.want {
			t.Errorf("%v: recorded %+v", one.args, got)
		}
	}
}

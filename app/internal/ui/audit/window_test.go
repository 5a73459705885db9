package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"github.com/BurntSushi/toml"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
)

var wide = fyne.NewSize(1440, 900)

// Whoever may not audit is told so, and nothing is asked for them.
func TestWhoMayNotAuditIsToldSo(t *testing.T) {
	a := newArchive()
	a.roles = []domain.Role{domain.RoleAdmin, domain.RoleHelpdesk}
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	if !r.says("Dit venster is voor auditors.") || r.SignedIn().ID != "" || r.watch != nil {
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
}

func TestWhatIsSaidOfTheLog(t *testing.T) {
	for name, tt := range map[string]struct {
		with func(v *desk.SealView)
		kind ui.MessageKind
		says string
	}{
		"all is well": {func(*desk.SealView) {}, ui.Success, "Logboek is compleet en echt"},
		"with what has just happened": {func(v *desk.SealView) {
			v.Unsealed, v.Waiting = 12, noon.Add(-time.Minute)
			v.Checkpoint.At, v.Witnesses[1].State = noon.Add(-time.Hour), desk.WitnessAgrees
		}, ui.Success, "Logboek is compleet en echt"},
		"behind": {func(v *desk.SealView) {
			v.Unsealed, v.Waiting = 1312, noon.Add(-time.Hour)
		}, ui.Warning, "Nog niet verzegeld: 1\u2009312"},
		"nothing to seal for long": {func(v *desk.SealView) {
			v.Checkpoint.At, v.Witnesses[1].State = noon.AddDate(0, 0, -3), desk.WitnessAgrees
		}, ui.Success, "Logboek is compleet en echt"},
		"not sealed":                 {func(v *desk.SealView) { *v = desk.SealView{} }, ui.Warning, "Logboek is niet verzegeld"},
		"a seal that cannot be read": {func(v *desk.SealView) { *v = desk.SealView{Trouble: true} }, ui.Warning, "Zegel is niet te lezen"},
		"being checked":              {func(v *desk.SealView) { v.Check = desk.CheckView{Running: true, At: noon, Done: 1, Total: 4} }, ui.Info, "Logboek wordt gecontroleerd: 25%"},
		"not finished":               {func(v *desk.SealView) { v.Check = desk.CheckView{Broken: true, At: noon, Ended: noon} }, ui.Warning, "Controle is niet afgemaakt"},
		"changed":                    {func(v *desk.SealView) { v.Check = bad("changed") }, ui.Failure, "Logboek klopt niet bij nr. 6\u2009120"},
		"of another log":             {func(v *desk.SealView) { v.Check = desk.CheckView{At: noon, Ended: noon, Finding: "foreign"} }, ui.Failure, "Logboek klopt niet"},
		"a witness disagrees":        {func(v *desk.SealView) { v.Witnesses[1].State = desk.WitnessDisagrees }, ui.Failure, "Getuige zag iets anders: getuige-2"},
		"a witness is away":          {func(v *desk.SealView) { v.Witnesses[1].State = desk.WitnessAway }, ui.Warning, "Getuige tekent niet: getuige-2"},
		"a witness has just gone away": {func(v *desk.SealView) {
			v.Witnesses[0].State = desk.WitnessAway
		}, ui.Success, "Logboek is compleet en echt"},
		"a witness never came": {func(v *desk.SealView) {
			v.Witnesses[0] = desk.WitnessView{Name: "getuige-1", State: desk.WitnessAway}
		}, ui.Warning, "Getuige tekent niet: getuige-1"},
		"a witness leaves the last checkpoint unsigned": {func(v *desk.SealView) {
			v.Checkpoint.At = noon.Add(-time.Hour)
		}, ui.Warning, "Getuige tekent niet: getuige-2"},
		"begun anew": {func(v *desk.SealView) { v.Check.Anew = true }, ui.Warning, "Zegel is opnieuw begonnen"},
		"begun anew, and it is proved that it goes on": {func(v *desk.SealView) {
			v.Check.Begun = true
		}, ui.Info, "Logboek klopt; zegel opnieuw begonnen"},
		"nothing is sealed": {func(v *desk.SealView) { v.Trouble = true }, ui.Warning, "Er wordt nu niet verzegeld"},
		"changed, and a witness disagrees, and it is behind": {func(v *desk.SealView) {
			v.Check, v.Witnesses[0].State, v.Unsealed, v.Waiting = bad("changed"), desk.WitnessDisagrees, 9, noon.Add(-time.Hour)
		}, ui.Failure, "Logboek klopt niet bij nr. 6\u2009120"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive()
			a.steps = 1 << 20 // what is checked stays so
			tt.with(&a.seal)
			r := openRoom(t, a, wide, ui.Options{}, "nl")
			r.until("how the log is sealed", func() bool { return r.watch.got })
			got := r.watch.verdict()
			if words := r.t(got.id, got.args); got.kind != tt.kind || words != tt.says {
				t.Errorf("it says %q, as %v", words, got.kind)
			}
			r.until("the badge", func() bool { return r.says(tt.says) || a.seal.Check.Running })
		})
	}
}

// Where nobody had the log checked since the program began, it is checked at once, and
// only then.
func TestTheLogIsCheckedByItself(t *testing.T) {
	a := newArchive()
	a.seal.Check, a.steps = desk.CheckView{}, 3
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	r.until("a check", func() bool { return r.says("Logboek is compleet en echt") })
	if a.checks != 1 {
		t.Errorf("%d checks were begun", a.checks)
	}
	r.shortcut(fyne.KeyL)
	r.signsIn()
	r.until("how the log is sealed", func() bool { return r.watch != nil && r.watch.got })
	r.app.Settle()
	if a.checks != 1 {
		t.Errorf("after a lock, %d checks were begun", a.checks)
	}
}

// Somebody has the log checked again: how far it is shows, and what it came to.
func TestTheLogIsCheckedAgain(t *testing.T) {
	a := newArchive()
	a.steps, a.result = 2, bad("changed")
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.witnesses()
	test.Tap(p.again)
	r.until("how far it is", func() bool { return p.bar != nil && r.says("1\u2009000 van 6\u2009412 gebeurtenissen") })
	r.until("what it came to", func() bool { return r.says("Het logboek klopt niet") })
	for _, words := range []string{"Een gebeurtenis is gewijzigd nadat ze was verzegeld.", "6\u2009120", "CodeUndeliverable", "Wat doe je nu?", "Logboek klopt niet bij nr. 6\u2009120"} {
		if !r.says(words) {
			t.Errorf("it does not say %q", words)
		}
	}
	if a.checks != 1 {
		t.Errorf("%d checks were begun", a.checks)
	}
	a.set(func() { a.result = desk.CheckView{OK: true, Events: 6412, At: noon, Ended: noon} })
	test.Tap(p.again)
	r.until("that it is well again", func() bool { return r.says("Compleet en echt") && !r.says("Het logboek klopt niet") })
}

// A check says nothing of a checkpoint that is younger than itself.
func TestACheckIsNotOfALaterCheckpoint(t *testing.T) {
	a := newArchive() // whose check is of two hours before the checkpoint
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.witnesses()
	if r.says("t/m 128") || !r.says("Checkpoints zijn ondertekend") {
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
	test.Tap(p.again)
	r.until("of which checkpoint it is", func() bool { return r.says("t/m 128") })
}

// A seal that was begun anew, over what may have been changed, is no silent way to have
// that pass.
func TestASealThatWasBegunAnew(t *testing.T) {
	a := newArchive()
	a.seal.Check.Anew = true
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	r.witnesses()
	r.until("what it shows nothing of", func() bool {
		return r.says("Het zegel is opnieuw begonnen") && r.says("toont dat zegel niets") && r.says("Vraag anders wie dit deed") && !r.says("Compleet en echt")
	})
}

// A seal that is there no more, or damaged, is not one that is still to come.
func TestASealThatCannotBeRead(t *testing.T) {
	for lang, says := range map[string][3]string{
		"nl": {"Zegel is niet te lezen", "Het zegel is niet te lezen", "Verander niets"}, "en": {"Seal cannot be read", "The seal cannot be read", "Change nothing"},
	} {
		a := newArchive()
		a.seal = desk.SealView{Trouble: true}
		r := openRoom(t, a, wide, ui.Options{}, lang)
		r.until("that it cannot be read", func() bool { return r.says(says[0]) })
		r.app.Settle()
		if r.says(r.t("tape-seal-off")) {
			t.Errorf("it says %q", officetest.Texts(r.at))
		}
		r.witnesses()
		for _, words := range says[1:] {
			r.until(words, func() bool { return r.says(words) })
		}
		if r.says(r.t("audit-witnesses-unsealed")) {
			t.Errorf("it says %q", officetest.Texts(r.at))
		}
	}
}

// One that goes on from what was before is told of, too, and that this is so.
func TestASealThatGoesOn(t *testing.T) {
	for lang, says := range map[string][3]string{
		"nl": {"Compleet en echt", "gaat bewezen verder op het vorige", "Vraag wie dit deed"}, "en": {"Complete and genuine", "It is proved that the seal of now goes on", "Ask who did this"},
	} {
		a := newArchive()
		a.seal.Check.Begun = true
		r := openRoom(t, a, wide, ui.Options{}, lang)
		r.witnesses()
		for _, words := range says {
			r.until(words, func() bool { return r.says(words) })
		}
	}
}

// A witness that is named and does not sign is told of, and what to do.
func TestAWitnessThatDoesNotSign(t *testing.T) {
	for lang, says := range map[string][]string{
		"nl": {"Getuige tekent niet: getuige-2", "getuige-2 tekent niet", "keydeskd doctor", "Antwoordt niet."},
		"en": {"Witness does not sign: getuige-2", "getuige-2 does not sign", "keydeskd doctor", "Does not answer."},
	} {
		a := newArchive()
		a.seal.Witnesses[1].State = desk.WitnessAway
		r := openRoom(t, a, wide, ui.Options{}, lang)
		r.witnesses()
		for _, words := range says {
			r.until(words, func() bool { return r.says(words) })
		}
		a.set(func() { a.seal.Witnesses[1].State, a.seal.Witnesses[1].At = desk.WitnessAgrees, noon })
		r.looks()
		r.until("that it signs again", func() bool { return r.watch.verdict().kind == ui.Success && !r.says("keydeskd doctor") })
	}
}

// Every finding has words; one that this program does not know is bad, too.
func TestFindingsInWords(t *testing.T) {
	for _, finding := range []string{"changed", "missing", "inserted", "reordered", "truncated", "foreign", "signature", "root", "index", "inconsistent", "of-tomorrow"} {
		a := newArchive()
		a.seal.Check = bad(finding)
		r := openRoom(t, a, wide, ui.Options{}, "en")
		r.witnesses()
		if !r.says("The log is not right") || finding == "of-tomorrow" && !r.says("Something is not as it was when it was sealed.") {
			t.Errorf("of %s it says %q", finding, officetest.Texts(r.at))
		}
	}
}

// A checkpoint goes to the clipboard whole: the last one, or that of a day.
func TestACheckpointIsCopied(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.witnesses()
	if !r.says("nzyfPJ88nzyfPJ88nzyfPJ88nzyfPJ88nzyfPJ88nzw=") { // to be compared with what a mail or keydeskd says
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
	test.Tap(p.copies)
	if got := fyne.CurrentApp().Clipboard().Content(); got != a.seal.Checkpoint.Note || !r.says("Gekopieerd") {
		t.Errorf("the clipboard has %q", got)
	}
	test.Tap(p.tabs[1])
	ui.Focus(p.table)
	officetest.Press(r.at, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if got := fyne.CurrentApp().Clipboard().Content(); got != a.seal.Checkpoints[2].Note {
		t.Errorf("of a day the clipboard has %q", got)
	}
	officetest.Press(r.at, fyne.KeyEscape)
	if p.days {
		t.Error("Escape does not go back")
	}
}

// A server that is away is told of, and the log is not called true meanwhile.
func TestTheSealIsNotKnown(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	r.witnesses()
	a.set(func() { a.err = &desk.Refusal{Code: desk.Unavailable, Incident: "1f2e"} })
	r.looks()
	r.until("that it is not known", func() bool { return r.says("Nog niet bekend of het logboek klopt") && r.says("1f2e") })
	a.set(func() { a.err = nil })
	r.looks()
	r.until("that it is well", func() bool { return r.says("Logboek is compleet en echt") && r.says("Keten heeft geen gaten") })
	a.set(func() { a.err = &desk.Refusal{Code: desk.ShiftOver} })
	r.looks()
	r.until("that it locks", func() bool { return r.SignedIn().ID == "" && r.watch == nil })
}

// Where not one answer came, that is said in each card, with what to do, and nothing is
// said to be on its way; and once one comes, all of it shows.
func TestTheSealWasNeverKnown(t *testing.T) {
	for lang, says := range map[string][3]string{
		"nl": {"Het logboek is nu niet bereikbaar", "Dit is nu niet bekend. Keydesk vraagt het elke 15 seconden opnieuw.", "Keydesk vraagt het elke 15 seconden opnieuw."},
		"en": {"The log cannot be reached now", "This is not known now. Keydesk asks again every 15 seconds.", "Keydesk asks again every 15 seconds."},
	} {
		a := newArchive()
		a.err = &desk.Refusal{Code: desk.Unavailable}
		r := openRoom(t, a, wide, ui.Options{}, lang)
		p := r.witnesses()
		words := func() string { return strings.Join(officetest.Texts(r.at), " ") }
		r.until("that it is not known", func() bool {
			return r.says(says[0]) && strings.Count(words(), says[1]) == 2 && !r.says(r.t("audit-check-wait"))
		})
		test.Tap(p.tabs[1])
		if !r.says(says[0]) || !r.says(says[2]) || p.table.Visible() {
			t.Errorf("of the days it says %q", officetest.Texts(r.at))
		}
		for _, e := range r.Entries() {
			if tape, ok := e.Page.(*tapePage); ok {
				r.Show(tape)
			}
		}
		if !r.says(says[2]) {
			t.Errorf("beside the events it says %q", officetest.Texts(r.at))
		}
		r.Show(p)
		a.set(func() { a.err = nil })
		r.looks()
		r.until("the days", func() bool { return p.table.Visible() })
		test.Tap(p.tabs[0])
		r.until("how it stands", func() bool { return r.says(r.t("audit-check-gapless")) && r.says("getuige-1") && !r.says(says[2]) })
	}
}

// A check that has just begun has not counted yet what there is to compare, and does not
// say that it is nothing.
func TestACheckThatHasJustBegun(t *testing.T) {
	for lang, says := range map[string]string{"nl": "Elke gebeurtenis wordt vergeleken met het zegel.", "en": "Every event is compared with the seal."} {
		a := newArchive()
		a.seal.Check = desk.CheckView{Running: true, At: noon}
		a.steps, a.uncounted = 1<<20, true
		r := openRoom(t, a, wide, ui.Options{}, lang)
		r.until("what is done", func() bool { return r.says(says) })
		if r.says("0 van 0") || r.says("0 of 0") {
			t.Errorf("it says %q", officetest.Texts(r.at))
		}
	}
}

// A log without a seal has nothing to choose from: that one comes by itself is said, and
// whom to ask if it does not.
func TestALogThatIsNotSealed(t *testing.T) {
	for lang, says := range map[string][2]string{
		"nl": {"Keydesk maakt er vanzelf een", "ziet een beheerder waarom met: keydeskd doctor"}, "en": {"Keydesk makes one by itself", "an admin can see why, with: keydeskd doctor"},
	} {
		a := newArchive()
		a.seal = desk.SealView{}
		r := openRoom(t, a, wide, ui.Options{}, lang)
		p := r.witnesses()
		r.until("what comes by itself", func() bool { return r.says(says[0]) && r.says(says[1]) })
		if p.tabs[0].Visible() || p.tabs[1].Visible() || r.says(r.t("audit-check-wait")) {
			t.Errorf("it says %q", officetest.Texts(r.at))
		}
		a.set(func() { a.seal = sealed(3) })
		r.looks()
		r.until("the first checkpoint", func() bool { return p.tabs[1].Visible() && r.says(r.t("audit-last-number")) })
	}
}

// A bundle can be made with the keyboard alone: what is next has the focus.
func TestABundleByKeyboard(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	p.dir = t.TempDir()
	if f := r.at.Canvas().Focused(); f != fyne.Focusable(p.spans[spanAll]) {
		t.Fatalf("%T has the focus", f)
	}
	officetest.Press(r.at, fyne.KeyTab, fyne.KeySpace)
	if p.span != spanMonth {
		t.Error("Tab and Space do not choose last month")
	}
	for range 9 {
		if r.at.Canvas().Focused() == fyne.Focusable(p.primary) {
			break
		}
		officetest.Press(r.at, fyne.KeyTab)
	}
	officetest.Press(r.at, fyne.KeyReturn)
	r.until("a bundle", func() bool { return p.stage == made })
	officetest.Press(r.at, fyne.KeyReturn)
	r.until("that it is kept", func() bool { return p.stage == kept })
	officetest.Press(r.at, fyne.KeyEscape)
	if p.stage != choosing {
		t.Error("Escape does not go back")
	}
}

func TestABundleIsMadeAndKept(t *testing.T) {
	a := newArchive()
	a.making = 2
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	test.Tap(p.spans[spanMonth])
	test.Tap(p.langs["en"])
	test.Tap(p.primary)
	r.until("how far it is", func() bool { return r.says("1\u2009000 van 6\u2009412 gebeurtenissen") })
	r.until("a bundle", func() bool { return p.stage == made && r.says("De bundel is klaar") })
	first := a.exports[0]
	if october := time.Date(2026, 10, 1, 0, 0, 0, 0, time.Local); !first.From.At.Equal(october) || !first.To.At.Equal(october.AddDate(0, 1, 0)) ||
		first.Language != "en" || first.ID != "" || a.exports[1].ID != "b" {
		t.Errorf("asked for %+v", a.exports)
	}
	dir := t.TempDir()
	p.folder.SetText(dir)
	test.Tap(p.primary)
	r.until("that it is kept", func() bool { return p.stage == kept })
	path := filepath.Join(dir, a.made.Name)
	got, err := os.ReadFile(path) //nolint:gosec // the test's own
	if err != nil || string(got) != string(a.bundle) {
		t.Errorf("the file holds %d bytes, %v", len(got), err)
	}
	if !r.says("De bundel is bewaard") || p.command() != "keydeskd verify "+a.made.Name {
		t.Errorf("it says %q, and to verify: %s", officetest.Texts(r.at), p.command())
	}
	test.Tap(p.primary) // another one
	test.Tap(p.spans[spanAll])
	test.Tap(p.primary)
	r.until("another bundle", func() bool { return p.stage == made })
	test.Tap(p.primary)
	r.until("that there is one", func() bool { return p.there && r.says("Dit bestand is er al") })
	p.file.SetText("ander")
	test.Tap(p.primary)
	r.until("that it is kept, too", func() bool { return p.stage == kept })
	if _, err := os.Stat(filepath.Join(dir, "ander.zip")); err != nil {
		t.Error(err)
	}
}

// What goes wrong on the way is said, and can be tried again with the same bundle.
func TestABundleThatCannotBeKept(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	p.start()
	r.until("a bundle", func() bool { return p.stage == made })
	dir := t.TempDir()
	tried := func(what, says string) {
		t.Helper()
		test.Tap(p.primary)
		r.until(what, func() bool { return p.stage == made && r.says(says) })
	}
	p.folder.SetText(filepath.Join(dir, "weg"))
	tried("that the folder is not there", "is er niet")
	file := filepath.Join(dir, "bestand")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.folder.SetText(file)
	tried("that this is no folder", "is er niet")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	p.folder.SetText(dir)
	p.file.SetText("../buiten.zip")
	tried("that this is no name", "zonder schuine streep")
	p.file.SetText(a.made.Name)
	a.set(func() { a.cut = 7 })
	tried("that it is not whole", "kwam niet heel aan")
	a.set(func() { a.cut, a.partErr = 0, &desk.Refusal{Code: desk.Unavailable, Incident: "1f2e"} })
	tried("that the server is away", "1f2e")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 || len(a.exports) != 1 {
		t.Errorf("%d files are left, %v, and %d bundles were asked for", len(left), err, len(a.exports))
	}
	a.set(func() { a.partErr = nil })
	test.Tap(p.primary)
	r.until("that it is kept", func() bool { return p.stage == kept })
	p.anew()
	p.start()
	r.until("another one", func() bool { return p.stage == made })
	a.set(func() { a.partErr = &desk.Refusal{Code: desk.NoExport} })
	p.file.SetText("nog-een.zip")
	test.Tap(p.primary)
	r.until("that it is gone", func() bool { return p.stage == choosing && r.says("Deze bundel is er niet meer.") })
}

// A bundle that is being made can be stopped, also before it is known what it is called;
// what was chosen stays, and another one can be made at once.
func TestABundleIsStopped(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			a := newArchive()
			a.making = 1 << 20
			r := openRoom(t, a, wide, ui.Options{}, lang)
			p := r.bundles()
			test.Tap(p.spans[spanMonth])
			test.Tap(p.primary)
			r.until("how far it is", func() bool { return p.bundle.Done > 0 })
			if r.at.Canvas().Focused() == fyne.Focusable(p.halt) { // Enter twice makes it, and does not stop it
				t.Error("to stop has the focus")
			}
			test.Tap(p.halt)
			r.until("that it was stopped", func() bool { return p.stage == choosing && r.says(r.t("audit-bundles-stopped")) })
			if len(a.dropped) != 1 || a.dropped[0] != "b" || p.span != spanMonth {
				t.Errorf("dropped: %q", a.dropped)
			}
			wait := make(chan struct{})
			a.set(func() { a.wait = wait })
			test.Tap(p.primary)
			test.Tap(p.halt)
			if !p.halt.Busy() || r.says(r.t("audit-bundles-stopped")) {
				t.Error("it is not shown that it stops")
			}
			close(wait)
			r.until("that this one was stopped, too", func() bool { return p.stage == choosing && len(a.dropped) == 2 && r.says(r.t("audit-bundles-stopped")) })
			a.set(func() { a.making = 0 })
			test.Tap(p.primary)
			r.until("a bundle", func() bool { return p.stage == made })
			if r.says(r.t("audit-bundles-stopped")) {
				t.Error("it still says that one was stopped")
			}
			dir := t.TempDir()
			p.folder.SetText(dir)
			a.set(func() { a.hold = true })
			test.Tap(p.primary)
			r.until("the first part", func() bool { return p.written.Load() > 0 })
			test.Tap(p.halt)
			r.until("that it lies ready", func() bool { return p.stage == made && p.halt == nil })
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%d files are left, %v", len(left), err)
			}
			a.set(func() { a.hold = false })
			test.Tap(p.primary)
			r.until("that it is kept", func() bool { return p.stage == kept })
			test.Tap(p.primary)
			r.until("that it is not needed any more", func() bool {
				a.mu.Lock()
				defer a.mu.Unlock()
				return len(a.dropped) == 3
			})
		})
	}
}

func TestWhichPeriodIsAskedFor(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	at := func(month time.Month, day int) desk.Moment {
		return desk.Moment{At: time.Date(2026, month, day, 0, 0, 0, 0, time.Local)}
	}
	for _, tt := range []struct {
		span     span
		days     [2]string
		from, to desk.Moment
		wrong    string
	}{
		{span: spanAll},
		{span: spanUpTo, to: desk.Moment{Position: 6412}},
		{span: spanDays},
		{span: spanDays, days: [2]string{"1-10-2026", "2026-10-31"}, from: at(10, 1), to: at(11, 1)},
		{span: spanDays, days: [2]string{" 3 september ", ""}, from: at(9, 3)},
		{span: spanDays, days: [2]string{"", "24-10-2026"}, to: at(10, 25)}, // the clock goes back on the next one
		{span: spanDays, days: [2]string{"gisteren", "gisteren"}, from: at(11, 22), to: at(11, 23)},
		{span: spanDays, days: [2]string{"vandaag", "vandaag"}, from: at(11, 23)},
		{span: spanDays, days: [2]string{"#12", "#6412"}, from: desk.Moment{Position: 12}, to: desk.Moment{Position: 6412}},
		{span: spanDays, days: [2]string{"1-10-2026 9:00", "1-10-2026 9:30"}, from: desk.Moment{At: at(10, 1).At.Add(9 * time.Hour)}, to: desk.Moment{At: at(10, 1).At.Add(9*time.Hour + 30*time.Minute + 1)}},
		{span: spanDays, days: [2]string{"2-10-2026", "1-10-2026"}, wrong: "ligt voor de eerste"},
		{span: spanDays, days: [2]string{"31-9-2026", ""}, wrong: "Die dag bestaat niet."},
		{span: spanDays, days: [2]string{"", "morgen"}, wrong: "Dit is geen datum of tijd."},
	} {
		p.position, p.span, p.days = 6412, tt.span, tt.days
		q, wrong := p.asked()
		if tt.wrong != "" {
			if !strings.Contains(strings.Join(wrong[:], " "), tt.wrong) {
				t.Errorf("%v: it says %q", tt.days, wrong)
			}
			continue
		}
		if wrong != [2]string{} || q.Language != "nl" || !q.From.At.Equal(tt.from.At) || !q.To.At.Equal(tt.to.At) || q.From.Position != tt.from.Position || q.To.Position != tt.to.Position {
			t.Errorf("%v: asks %+v, says %q", tt.days, q, wrong)
		}
	}
	p.upTo(0)
	p.span = spanDays
	p.redraw()
	p.from.SetText("morgen")
	test.Tap(p.primary)
	if p.stage != choosing || !r.says("Dit is geen datum of tijd.") || r.at.Canvas().Focused() != fyne.Focusable(p.from.Input()) {
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
}

// An older checkpoint comes from a file or the clipboard, and what is none is refused.
func TestAnOlderCheckpoint(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	p.tookSince("hallo", "x")
	if !r.says("Dit is geen checkpoint.") {
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
	file := filepath.Join(t.TempDir(), "mail.eml")
	p.readSince(file)
	r.until("that it cannot be read", func() bool { return r.says("mail.eml is niet te lezen.") })
	if err := os.WriteFile(file, []byte("Beste auditor,\r\n\r\n"+strings.ReplaceAll(someNote, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.readSince(file)
	r.until("the checkpoint", func() bool {
		return p.since.text == someNote && r.says("mail.eml") && r.says("6\u2009412 gebeurtenissen, van")
	})
	test.Tap(p.primary)
	r.until("a bundle", func() bool { return p.stage == made })
	if a.exports[0].Since != someNote {
		t.Errorf("asked for %q", a.exports[0].Since)
	}
	p.path = "/x/keydesk van mij.zip"
	if got := p.command(); got != "keydeskd verify 'keydesk van mij.zip' --since checkpoint.txt" {
		t.Errorf("to verify: %s", got)
	}
	p.anew()
	a.set(func() { a.err = &desk.Refusal{Code: desk.BadRange} })
	p.start()
	r.until("that it is another log's", func() bool { return r.says("hoort niet bij dit logboek") })
}

// The lock ends what is under way, and leaves nothing of it.
func TestTheLockEndsABundle(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	p := r.bundles()
	p.start()
	r.until("a bundle", func() bool { return p.stage == made })
	dir := t.TempDir()
	p.folder.SetText(dir)
	a.set(func() { a.hold = true })
	test.Tap(p.primary)
	r.until("the first part", func() bool { return p.written.Load() > 0 })
	r.shortcut(fyne.KeyL)
	r.app.Settle()
	r.until("nothing beside it", func() bool {
		left, err := os.ReadDir(dir)
		return err == nil && len(left) == 0
	})
	if r.SignedIn().ID != "" || r.says("bundel") {
		t.Errorf("it says %q", officetest.Texts(r.at))
	}
	r.signsIn()
	if q := r.bundles(); q == p || q.stage != choosing {
		t.Error("who signs in anew finds the bundle of before")
	}
}

// "Bundel exporteren" of another page offers what had happened by then.
func TestABundleUpToAMoment(t *testing.T) {
	a := newArchive()
	r := openRoom(t, a, wide, ui.Options{}, "nl")
	r.witnesses()
	r.toBundles(6120)
	if p, ok := r.Open().(*bundlesPage); !ok || p.span != spanUpTo || !r.says("Alles tot en met gebeurtenis 6\u2009120") {
		t.Fatalf("%s shows", r.Open().ID())
	}
	r.toBundles(0)
	if p := r.bundles(); p.span != spanAll || p.spans[spanUpTo] != nil {
		t.Error("it goes on offering the moment of before")
	}
}

// A switch of language keeps what was typed.
func TestASwitchOfLanguageKeepsWhatIsTyped(t *testing.T) {
	r := openRoom(t, newArchive(), wide, ui.Options{}, "nl")
	p := r.bundles()
	test.Tap(p.spans[spanDays])
	p.from.SetText("1-10-2026")
	r.shortcut(fyne.KeyD)
	if p.from.Text() != "1-10-2026" || !p.from.Visible() || ui.Current().Mode != ui.Dark {
		t.Errorf("it has %q", p.from.Text())
	}
}

// Every text of the window is there in both languages, and used.
func TestTheWindowHasItsWords(t *testing.T) {
	t.Parallel()
	var made []string
	for _, c := range []desk.Code{desk.Unavailable, desk.Unsure, desk.NoRight, desk.NotReady, desk.Busy, desk.BadRange, desk.NoSeal, desk.NoExport, "other"} {
		made = append(made, "audit-refusal-"+string(c))
	}
	for _, s := range []desk.WitnessState{desk.WitnessAgrees, desk.WitnessBehind, desk.WitnessAway, desk.WitnessDisagrees} {
		made = append(made, "audit-kept-"+string(s))
	}
	for i := range 4 {
		made = append(made, fmt.Sprint("audit-check-do-", i+1))
	}
	for _, part := range []string{"events", "proof", "report", "none"} {
		made = append(made, "audit-bundles-holds-"+part+"-line")
	}
	for _, f := range []string{"changed", "missing", "inserted", "reordered", "truncated", "foreign", "signature", "root", "index", "inconsistent"} {
		made = append(made, "seal-finding-"+f)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f) //nolint:gosec // this package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"((?:audit|seal-finding)-[a-z-]+[a-z])"`).FindAllStringSubmatch(string(b), -1) {
			made = append(made, m[1])
		}
	}
	made = slices.DeleteFunc(made, func(id string) bool { return id == "audit-refusal" })
	for _, lang := range i18n.Languages() {
		written := map[string]any{}
		if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, "audit.toml"), &written); err != nil {
			t.Fatal(err)
		}
		for _, id := range made {
			if !i18n.New(lang).Has(id) {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
		for id := range written {
			if !slices.Contains(made, id) {
				t.Errorf("%s: %s is not used", lang, id)
			}
		}
	}
}

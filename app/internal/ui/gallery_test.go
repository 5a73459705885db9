package ui_test

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// scene makes one picture of the gallery; what it returns second has the
// focus.
type scene struct {
	name string
	make func() (fyne.CanvasObject, fyne.Focusable)
}

var steps = []string{"Bevestigingscode", "Naam en wachtwoord", "Telefoonnummer", "Sms-code", "Pocket of sms", "Gelukt!"}

func shell() *ui.Shell {
	nop := func() {}
	return ui.NewShell("Mijn OPO-R", steps, ui.Tools{
		ReadAloud: "Lees voor", LargerText: "Groter", Contrast: "Contrast",
		OnReadAloud: nop, OnLargerText: nop, OnContrast: nop,
		Languages: []string{"NL", "EN"}, OnLanguage: func(int) {},
	})
}

func stop() *ui.Button { return ui.NewButton(ui.Quiet, "Stoppen", nil).WithLeft(ui.IconCross) }

func stepPage(n int) ui.Page {
	p := ui.Page{Step: n, Caption: fmt.Sprintf("Stap %d van 6", n), Stop: stop(), Back: ui.NewBack("Terug", nil), Primary: ui.NewNext("Volgende", nil)}
	if n < 6 {
		p.Next = "Straks: " + steps[n]
	}
	return p
}

func emailScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	f := ui.NewField("E-mailadres", "We sturen je een mail met een code van 6 cijfers.")
	f.SetText("sanne.devries@")
	chips := ui.Row(ui.SizeSmallGap)
	for _, d := range []string{"voorbeeld.nl", "gmail.com", "outlook.com"} {
		chips.Add(ui.NewChip(d, nil))
	}
	p := stepPage(1)
	p.Step, p.Caption = 0, "Zes korte stappen"
	p.Heading, p.Lead = "Wat is je e-mailadres?", ui.Lead(ui.Plain("Gebruik het adres waarop je onze uitnodiging kreeg."))
	p.Content = ui.Column(ui.SizeSmallGap, ui.Limit(960, f), chips)
	p.Keyboard = ui.NewEmailKeyboard(i18n.New("nl"), f.Input())
	s.SetPage(p)
	return s, f.Input()
}

func codeScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	d := ui.NewDigits()
	d.SetText("482")
	left := ui.NewTimeLeft("De code werkt nog")
	left.Set(8*time.Minute+42*time.Second, 10*time.Minute)
	resend := ui.NewButton(ui.Small, "Verstuur opnieuw", nil).WithLeft(ui.IconRefresh)
	resend.Disable()
	wait := ui.Hint(ui.Plain("Kan over 24 seconden")).Align(fyne.TextAlignTrailing)
	p := stepPage(1)
	p.Heading = "Vul je bevestigingscode in"
	p.Lead = ui.Row(ui.SizeSmallGap,
		ui.GrowCentred(1, ui.Lead(ui.Plain("De code staat in je mail: "), ui.Bold("sanne.devries@voorbeeld.nl"))),
		ui.NewButton(ui.Small, "Wijzigen", nil).WithLeft(ui.IconPencil))
	p.Content = ui.Limit(736, ui.Column(ui.SizeSmallGap,
		ui.Label("Bevestigingscode"), d, left, ui.NewRule(),
		ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, ui.Column("", ui.Label("Geen mail gekregen?"), ui.Hint(ui.Plain("Kijk ook bij je ongewenste mail.")))),
			ui.Column("", resend, wait))))
	p.Side = ui.NewNumpad(i18n.New("nl"), d)
	p.Primary.Disable()
	s.SetPage(p)
	return s, d
}

func passwordScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	name := ui.NewField("Naam", "")
	name.SetText("Sanne de Vries")
	pw := ui.NewPasswordField("Wachtwoord", "Tip: maak een zin die alleen jij kent.", "Toon", "Verberg")
	pw.SetText("Kaas-Fiets")
	pw.SetRevealed(true)
	rules := ui.NewRules("Zo is je wachtwoord goed", !ui.Current().RailAtLeft())
	rules.Set([]ui.Rule{
		{Text: "12 tekens of meer", Count: "10/12"},
		{Text: "Een hoofdletter", Met: true},
		{Text: "Een kleine letter", Met: true},
		{Text: "Een cijfer"},
		{Text: "Een leesteken, zoals ! of ?", Met: true},
		{Text: "Geen bekend wachtwoord", Met: true},
	}, "4 van 6")
	p := stepPage(2)
	p.Heading = "Je naam en je wachtwoord"
	p.Content = ui.Column("", name, pw)
	p.Side = ui.NewCard(ui.Surface, rules)
	p.Keyboard = ui.NewKeyboard(i18n.New("nl"), pw.Input())
	if ui.Current().Tight() {
		p.Content = pw
	}
	s.SetPage(p)
	return s, pw.Input()
}

func welcomeScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := stepPage(1)
	p.Step, p.Caption = 0, "Zes korte stappen"
	p.Heading, p.Display = "Hoi!", true
	p.Lead = ui.Lead(ui.Plain("Fijn dat je er bent. Samen maken we je account klaar."))
	need := ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
		ui.NewItem(ui.IconPhone, false, "Je telefoon", "Houd hem bij je. Je krijgt straks een sms."), ui.NewRule(),
		ui.NewItem(ui.IconMail, false, "Je e-mail", "Daarin staat de code voor stap 1."), ui.NewRule(),
		ui.NewItem(ui.IconClock, false, "4 minuten", "Je mag rustig de tijd nemen.")))
	why := ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
		ui.NewItem(ui.IconLock, true, "Je wachtwoord", "Dat weet alleen jij."),
		ui.NewItem(ui.IconPhone, true, "Je telefoon", "Die heb alleen jij."), ui.NewRule(),
		ui.Body(ui.Plain("Een ander heeft nooit allebei. Zo blijft jouw account van jou."))))
	p.Content = ui.Column(ui.SizeSmallGap, ui.Row(ui.SizeGap,
		ui.Grow(3, ui.Column(ui.SizeSmallGap, ui.Subheading("Dit heb je nodig"), ui.Grow(1, need))),
		ui.Grow(2, ui.Column(ui.SizeSmallGap, ui.Subheading("Waarom twee stappen?"), ui.Grow(1, why)))))
	p.Primary = ui.NewNext("Aan de slag!", nil)
	s.SetPage(p)
	return s, p.Primary
}

func choiceScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := stepPage(5)
	p.Primary = nil
	p.Heading = "Wil je Pocket gebruiken?"
	p.Lead = ui.Lead(ui.Plain("Bij het inloggen vragen we om een tweede stap. Jij kiest welke."))
	card := func(kind ui.CardKind, icon ui.Icon, title, line string, b *ui.Button, points ...string) fyne.CanvasObject {
		b.Big = true
		col := ui.Column(ui.SizeSmallGap, ui.NewItem(icon, false, title, line))
		for _, pt := range points {
			col.Add(ui.NewPoint(ui.IconCheck, theme.ColorNameSuccess, ui.Plain(pt)))
		}
		col.Add(ui.NewPoint(ui.IconInfo, ui.ColorMuted, ui.Plain("Je hebt wel bereik nodig")))
		col.Add(ui.Spring())
		col.Add(b)
		return ui.NewCard(kind, col)
	}
	yes := ui.NewButton(ui.Primary, "Ja", nil)
	p.Content = ui.Row(ui.SizeGap,
		ui.Grow(1, card(ui.Recommended, ui.IconPhone, "Pocket", "Onze tip: veilig en snel", yes, "Geen code bij het inloggen", "De veiligste keuze")),
		ui.Grow(1, card(ui.Surface, ui.IconMail, "Sms", "Een bericht op je telefoon", ui.NewButton(ui.Secondary, "Nee", nil), "Bij elke keer inloggen een code", "Werkt op elke mobiele telefoon")))
	p.Extra = ui.NewPoint(ui.IconInfo, ui.ColorMuted, ui.Plain("Later anders kiezen? Dat kan bij Mijn gegevens."))
	s.SetPage(p)
	return s, yes
}

func qrScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := stepPage(5)
	p.Heading, p.Lead = "Koppel Pocket", ui.Lead(ui.Plain("Pak je telefoon erbij. Dit duurt één minuut."))
	bits := make([][]bool, 37)
	for y := range bits {
		bits[y] = make([]bool, 37)
		for x := range bits[y] {
			bits[y][x] = (x*x+y*3+x*y)%5 < 2
		}
	}
	left := ui.NewTimeLeft("Scan binnen")
	left.Set(95*time.Second, 120*time.Second)
	d := ui.NewSmallDigits()
	d.SetText("70")
	p.Content = ui.Columns(ui.SizeGap,
		ui.Column(ui.SizeSmallGap, ui.NewQR(bits), left),
		ui.Grow(1, ui.Column(ui.SizeGap,
			ui.NewNumbered(1, "Open de camera", ui.Plain("Van je telefoon.")),
			ui.NewNumbered(2, "Scan deze code", ui.Plain("Richt je camera op het vierkant.")),
			ui.NewNumbered(3, "Typ de 6 cijfers", ui.Plain("Die zie je nu op je telefoon.")))))
	p.Side = ui.Column(ui.SizeSmallGap, ui.Label("Cijfers op je telefoon"), d, ui.NewSmallNumpad(i18n.New("nl"), d))
	p.Extra = ui.NewButton(ui.Link, "Scannen lukt niet", nil)
	s.SetPage(p)
	return s, d
}

func doneScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := ui.Page{Step: 7, Caption: "Alles is klaar", Heading: "Gelukt!", Display: true}
	p.Lead = ui.Lead(ui.Plain("Je account is klaar, Sanne. Bewaar je telefoon goed: die is nu je sleutel."))
	key := ui.NewKeyLine(false)
	key.Set(7)
	timer, set := ui.NewWipeTimer()
	set(28*time.Second, 60*time.Second, "seconden")
	more := ui.NewButton(ui.Small, "Geef mij meer tijd", nil).WithLeft(ui.IconClock)
	p.Content = ui.Column(ui.SizeGap, key, ui.Row(ui.SizeGap,
		ui.Grow(3, ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, ui.Subheading("Mijn gegevens"),
			ui.NewPoint(ui.IconCheck, theme.ColorNameSuccess, ui.Plain("Tweede stap: "), ui.Bold("Pocket"))))),
		ui.Grow(2, ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap, ui.Subheading("We ruimen op"), timer,
			ui.Body(ui.Plain("Daarna is dit scherm leeg.")), more)))))
	p.Back = ui.NewButton(ui.Secondary, "Klaar", nil)
	p.Primary = ui.NewNext("Inloggen", nil)
	s.SetPage(p)
	return s, p.Back
}

func failedScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := stepPage(4)
	p.Primary = nil
	p.Heading = "De sms komt niet aan"
	way := ui.NewListButton(ui.IconPencil, "Mijn nummer wijzigen", "Een cijfer verkeerd getypt? Dat gebeurt snel.", nil)
	again := ui.NewListButton(ui.IconRefresh, "Verstuur opnieuw", "Kijk eerst of je telefoon aan staat en bereik heeft.", nil)
	again.Disable()
	p.Content = ui.Column(ui.SizeSmallGap,
		ui.NewMessage(ui.Failure, "Jij hebt niets fout gedaan.", ui.Plain("We stuurden een sms naar "), ui.Bold("+31 6 12 34 56 78"), ui.Plain(". Dat nummer kan nu geen sms ontvangen.")),
		ui.Subheading("Wat wil je doen?"), way, again)
	p.Help = ui.Row(ui.SizeSmallGap, ui.NewGlyph(ui.IconQuestion, theme.ColorNamePrimary),
		ui.Column("", ui.Label("Kom je er niet uit?").OneLine(), ui.Hint(ui.Plain("Ga naar de balie")).OneLine()), ui.Code("K7 204"))
	s.SetPage(p)
	return s, way
}

func partsScene() (fyne.CanvasObject, fyne.Focusable) {
	s := shell()
	p := stepPage(3)
	p.Heading = "Losse onderdelen"
	bad := ui.NewField("E-mailadres", "")
	bad.SetText("sanne@voorbeeld")
	bad.SetError("Dit adres is niet compleet.")
	off := ui.NewField("Naam", "")
	off.SetText("Sanne")
	off.SetEnabled(false)
	wrong := ui.NewDigits()
	wrong.SetText("123456")
	wrong.SetError("Die code klopt niet. Je kunt het nog 4 keer proberen.")
	busy := ui.NewNext("Volgende", nil)
	busy.SetBusy(true)
	p.Content = ui.Column(ui.SizeSmallGap,
		ui.Row(ui.SizeGap, ui.Grow(1, bad), ui.Grow(1, off)),
		ui.Row(ui.SizeGap, wrong, ui.Column(ui.SizeSmallGap, busy)),
		ui.NewMessage(ui.Info, "Dit nummer blijft hier", ui.Plain("Je gebruikt het om in te loggen.")).WithIcon(ui.IconShieldCheck),
		ui.NewMessage(ui.Success, "Opgeslagen"), ui.NewMessage(ui.Warning, "Let op", ui.Plain("Er is nog iets.")))
	p.Primary = busy
	s.SetPage(p)
	return s, p.Back
}

func startScene() (fyne.CanvasObject, fyne.Focusable) {
	a := ui.NewTile(true, ui.IconPerson, "Aanmelden", "Ben je nieuw? Maak in 4 minuten je account.", nil)
	b := ui.NewTile(false, ui.IconLock, "Inloggen", "Heb je al een account? Bekijk of wijzig je gegevens.", nil)
	return ui.NewStart("Mijn OPO-R", "Hoi! Wat kom je doen?", "In zes korte stappen heb je een veilig account.",
		[]*ui.Tile{a, b}, startTools(), "Hulp nodig? Vraag het aan de balie."), a
}

func startTools() ui.Tools {
	nop := func() {}
	return ui.Tools{
		ReadAloud: "Lees voor", LargerText: "Grotere tekst", Contrast: "Hoog contrast",
		OnReadAloud: nop, OnLargerText: nop, OnContrast: nop,
		Languages: []string{"NL", "EN"}, OnLanguage: func(int) {},
	}
}

func veilScene() (fyne.CanvasObject, fyne.Focusable) {
	ring := ui.NewRing()
	ring.Set(20*time.Second, 30*time.Second)
	yes := ui.NewButton(ui.Primary, "Ja, ik ga verder", nil)
	yes.Big = true
	d := ui.NewDialog(ring, "Ben je er nog?", ui.Lead(ui.Plain("Over 20 seconden wissen we alles wat je hebt ingevuld. Zo ziet niemand jouw gegevens.")),
		yes, ui.NewButton(ui.Secondary, "Stop en wis alles", nil).WithLeft(ui.IconTrash))
	o, _ := codeScene()
	o.(*ui.Shell).Cover(true)
	return &veiled{under: o, dialog: d}, yes
}

// veiled is a screen with a dialog over it.
type veiled struct {
	fyne.Container
	under, dialog fyne.CanvasObject
}

var scenes = []scene{
	{"start", startScene},
	{"email", emailScene},
	{"welcome", welcomeScene},
	{"code", codeScene},
	{"password", passwordScene},
	{"choice", choiceScene},
	{"qr", qrScene},
	{"done", doneScene},
	{"failed", failedScene},
	{"parts", partsScene},
	{"veil", veilScene},
}

var screens = []struct {
	name string
	size fyne.Size
	o    ui.Options
}{
	{"1920", fyne.NewSize(1920, 1080), ui.Options{}},
	{"1920dark", fyne.NewSize(1920, 1080), ui.Options{Mode: ui.Dark}},
	{"1920hc", fyne.NewSize(1920, 1080), ui.Options{Mode: ui.HighContrast}},
	{"1920groter", fyne.NewSize(1920, 1080), ui.Options{Scale: ui.Larger}},
	{"1280", fyne.NewSize(1280, 800), ui.Options{}},
	{"1280x15", fyne.NewSize(1280, 800), ui.Options{Scale: ui.Largest}},
	{"1080p", fyne.NewSize(1080, 1920), ui.Options{}},
	{"800p", fyne.NewSize(800, 1280), ui.Options{}},
	{"800px15hc", fyne.NewSize(800, 1280), ui.Options{Scale: ui.Largest, Mode: ui.HighContrast}},
}

// TestGallery draws every widget in every mode and size, for people to look
// at, into the folder KEYDESK_SHOTS.
func TestGallery(t *testing.T) {
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		t.Skip("KEYDESK_SHOTS is not set")
	}
	only := os.Getenv("KEYDESK_SHOTS_ONLY") // a pattern such as code-*
	for _, screen := range screens {
		screen.o = screen.o.For(screen.size)
		a := test.NewTempApp(t)
		a.Settings().SetTheme(ui.NewTheme(screen.o))
		for _, sc := range scenes {
			name := sc.name + "-" + screen.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			o, focus := sc.make()
			over, isVeiled := o.(*veiled)
			if isVeiled {
				o = over.under
			}
			w := test.NewTempWindow(t, ui.NewRoot(o))
			w.SetPadded(false)
			w.Resize(screen.size)
			if isVeiled {
				ui.ShowVeil(w.Canvas(), over.dialog)
			}
			w.Canvas().Focus(focus)
			save(t, w, dir, name+".png")
		}
	}
}

func save(t *testing.T, w fyne.Window, dir, name string) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := root.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, w.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

// Every page of the gallery has room on every screen, at every size of text.
func TestPagesFit(t *testing.T) {
	for _, size := range []fyne.Size{
		fyne.NewSize(1280, 800), fyne.NewSize(1600, 900), fyne.NewSize(1920, 1080),
		fyne.NewSize(800, 1280), fyne.NewSize(1080, 1920),
	} {
		for _, scale := range []ui.Scale{ui.Normal, ui.Larger, ui.Largest} {
			test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(ui.Options{Scale: scale}.For(size)))
			for _, sc := range scenes {
				o, _ := sc.make()
				s, ok := o.(*ui.Shell)
				if !ok || sc.name == "parts" { // that one is no page
					continue
				}
				test.WidgetRenderer(s)
				if s.Resize(size); !s.Fits() {
					t.Errorf("%s does not fit in %v with text of %v", sc.name, size, scale)
				}
			}
		}
	}
}

// BenchmarkStep is what a change of page costs on Fyne's goroutine, without
// painting: the most crowded page, made, put into the shell and laid out.
func BenchmarkStep(b *testing.B) {
	test.NewTempApp(b).Settings().SetTheme(ui.NewTheme(ui.Options{}))
	for b.Loop() {
		o, _ := passwordScene()
		test.WidgetRenderer(o.(*ui.Shell))
		o.Resize(fyne.NewSize(1920, 1080))
	}
}

// A theme set while a page is shown gives the same picture as a page made
// under it: larger text, high contrast, and another class.
func TestThemeSwitchesLive(t *testing.T) {
	small := fyne.NewSize(1280, 800)
	from := ui.Options{Scale: ui.Normal}.For(small)
	to := ui.Options{Scale: ui.Largest, Mode: ui.HighContrast}.For(small)
	for _, sc := range scenes[:4] {
		a := test.NewTempApp(t)
		picture := func(first ui.Options) image.Image {
			a.Settings().SetTheme(ui.NewTheme(first))
			o, _ := sc.make()
			w := test.NewTempWindow(t, ui.NewRoot(o))
			w.SetPadded(false)
			w.Resize(small)
			a.Settings().SetTheme(ui.NewTheme(to))
			return w.Canvas().Capture()
		}
		if !reflect.DeepEqual(picture(from), picture(to)) {
			t.Errorf("%s looks different when the theme is switched than when it is made so", sc.name)
		}
	}
}

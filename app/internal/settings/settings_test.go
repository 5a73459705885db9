package settings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain/enrolment"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a kept file, or keeps anew.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a part of the source, for everybody
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // a path of this test
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was (-update writes it anew):\n%s", path, got)
	}
}

// file puts a settings file into a home of its own.
func file(t *testing.T, text string) settings.Sources {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, settings.FileName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return settings.Sources{Home: home}
}

// refused returns what is wrong, with the home left out of it.
func refused(t *testing.T, from settings.Sources) string {
	t.Helper()
	_, err := settings.Load(from)
	if _, ok := errors.AsType[*settings.InvalidError](err); !ok {
		t.Fatalf("Load: %v, want an InvalidError", err)
	}
	return strings.ReplaceAll(err.Error(), from.Home+string(filepath.Separator), "")
}

func TestNobodySetAnything(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s, err := settings.Load(settings.Sources{Home: home})
	if err != nil {
		t.Fatal(err)
	}
	if s.Home != home || s.File != "" || s.Demo {
		t.Errorf("home %q, file %q, demo %v", s.Home, s.File, s.Demo)
	}
	if !reflect.DeepEqual(s.Policy, enrolment.DefaultPolicy()) {
		t.Errorf("policy %+v", s.Policy)
	}
	if s.Log.URL != "sqlite:"+filepath.Join(home, "log.db") || s.Vault.MasterKey != filepath.Join(home, "master.key") {
		t.Errorf("log %q, master key %q", s.Log.URL, s.Vault.MasterKey)
	}
	if s.Organisation.Portal != "Mijn OPO-R" || s.Organisation.Admission != enrolment.ByRoster {
		t.Errorf("organisation %+v", s.Organisation)
	}
}

func TestFlagsOverEnvironmentOverFile(t *testing.T) {
	t.Parallel()
	from := file(t, "[mail]\nport = 1\ntimeout = \"1s\"\nuser = \"a\"\n")
	from.Env = []string{"KEYDESK_MAIL_PORT=2", "KEYDESK_MAIL_TIMEOUT=2s", "KEYDESK_MAIL_PASSWORD=x", "PATH=/bin", "KEYDESK_MAILPIT=/x"}
	from.Flags = map[string]string{"mail.port": "3"}
	s, err := settings.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	if s.Mail.Port != 3 || s.Mail.Timeout != 2*time.Second || s.Mail.User != "a" || s.Mail.Password.Reveal() != "x" {
		t.Errorf("mail %+v", s.Mail)
	}
}

func TestEveryKindOfValue(t *testing.T) {
	t.Parallel()
	inFile := `
[organisation]
domains = ["Example.ORG", "voorbeeld.nl"]
admission = "domain"
[policy]
resend_waits = ["10s", "1m", "1h"]
wrong_codes = 3
sms_code_life = "9m30s"
[kiosk]
full_screen = true
keyboard = "on"
`
	inEnv := []string{
		"KEYDESK_ORGANISATION_DOMAINS=Example.ORG, voorbeeld.nl", "KEYDESK_ORGANISATION_ADMISSION=domain",
		"KEYDESK_POLICY_RESEND_WAITS=10s,1m,1h", "KEYDESK_POLICY_WRONG_CODES=3", "KEYDESK_POLICY_SMS_CODE_LIFE=9m30s",
		"KEYDESK_KIOSK_FULL_SCREEN=true", "KEYDESK_KIOSK_KEYBOARD=on",
	}
	for name, from := range map[string]settings.Sources{
		"in the file":        file(t, inFile),
		"in the environment": {Home: t.TempDir(), Env: inEnv},
	} {
		s, err := settings.Load(from)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		waits := []time.Duration{10 * time.Second, time.Minute, time.Hour}
		if !reflect.DeepEqual(s.Organisation.Domains, []string{"example.org", "voorbeeld.nl"}) ||
			s.Organisation.Admission != enrolment.ByDomain || !reflect.DeepEqual(s.Policy.ResendWaits, waits) ||
			s.Policy.WrongCodes != 3 || s.Policy.SMSCodeLife != 9*time.Minute+30*time.Second ||
			!s.Kiosk.FullScreen || s.Kiosk.Keyboard != settings.On {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestThePortFollowsTheProtection(t *testing.T) {
	t.Parallel()
	for tls, port := range map[string]int{"starttls": 587, "tls": 465, "none": 25} {
		s, err := settings.Load(settings.Sources{Home: t.TempDir(), Flags: map[string]string{"mail.tls": tls}})
		if err != nil || s.Mail.Port != port {
			t.Errorf("%s: port %d (%v), want %d", tls, s.Mail.Port, err, port)
		}
	}
}

func TestAlarmsGoToWhoeverHelps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, support, alarm, want, origin string
	}{
		{"nothing set", "", "", "", "default"},
		{"support is a place", "de helpdesk, tel. 1234", "", "", "default"},
		{"support is an address", "hulp@example.org", "", "hulp@example.org", "organisation.support"},
		{"words around an address", "Hulp <hulp@example.org>", "", "", "default"},
		{"an address of its own", "hulp@example.org", "soc@example.org", "soc@example.org", "command line"},
		{"an address beside a place", "balie 1", "soc@example.org", "soc@example.org", "command line"},
	} {
		flags := map[string]string{}
		if c.support != "" {
			flags["organisation.support"] = c.support
		}
		if c.alarm != "" {
			flags["organisation.alarm"] = c.alarm
		}
		s, err := settings.Load(settings.Sources{Home: t.TempDir(), Flags: flags})
		if err != nil || s.Organisation.Alarm != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, s.Organisation.Alarm, err, c.want)
		}
		for _, line := range s.Describe() {
			if line.Field == "organisation.alarm" && line.Origin != c.origin {
				t.Errorf("%s: comes from %s, want %s", c.name, line.Origin, c.origin)
			}
		}
	}
	from := file(t, "[organisation]\nsupport = \"hulp@example.org\"\nalarm = \"\"\n")
	if s, err := settings.Load(from); err != nil || s.Organisation.Alarm != "hulp@example.org" {
		t.Errorf("left empty in the file: %q, %v", s.Organisation.Alarm, err)
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"no TOML", "[mail]\nhost = mail.example.org\n", "keydesk.toml:2: mail.host: not TOML: texts stand in quotes, and every key stands once"},
		{"a key twice", "[mail]\nport = 25\nport = 26\n", "keydesk.toml:3: mail.port: stands here for the second time"},
		{"a misspelt key", "[mail]\n\nprot = 25\n", "keydesk.toml:3: mail.prot: unknown setting; did you mean mail.port?"},
		{"a misspelt section", "[mial]\nhost = \"x\"\n", "keydesk.toml:1: mial: unknown section; did you mean mail?"},
		{"the wrong section", "[mail]\nproduct_token = \"x\"\n", "keydesk.toml:2: mail.product_token: unknown setting; did you mean sms.cm.product_token?"},
		{"far from anything", "[mail]\nzzzzzz = 1\n", "keydesk.toml:2: mail.zzzzzz: unknown setting"},
		{"dotted and unknown", "\nmail.a.b = 1\n", "keydesk.toml:2: mail.a: unknown section"},
		{"no section", "mail = 3\n", "keydesk.toml:1: mail: must be a section, [mail]"},
		{"several sections of one name", "[[mail]]\nport = 1\n", "keydesk.toml:1: mail: must be a section, [mail]"},
		{"out of bounds", "[mail]\nport = 70000\n", "keydesk.toml:2: mail.port: must be a whole number from 1 to 65535"},
		{"no number", "[mail]\nport = \"25\"\n", "keydesk.toml:2: mail.port: must be a whole number from 1 to 65535"},
		{"no text", "[mail]\nhost = 7\n", "keydesk.toml:2: mail.host: must be text, in quotes"},
		{"two lines", "[organisation]\nname = \"a\\nb\"\n", "keydesk.toml:2: organisation.name: must be one line, without control characters"},
		{"no choice", "[mail]\ntls = \"ssl\"\n", `keydesk.toml:2: mail.tls: must be "starttls", "tls" or "none"`},
		{"no duration", "[policy]\nemail_code_life = 15\n", `keydesk.toml:2: policy.email_code_life: must be a duration from 1m to 24h, such as "15m"`},
		{"more than NIST allows", "[policy]\nsms_code_life = \"11m\"\n", `keydesk.toml:2: policy.sms_code_life: must be a duration from 1m to 10m, such as "10m"`},
		{"waits that shrink", "[policy]\nresend_waits = [\"2m\", \"1m\"]\n", "keydesk.toml:2: policy.resend_waits: must not get shorter along the list"},
		{"no list", "[organisation]\ndomains = \"example.org\"\n", `keydesk.toml:2: organisation.domains: must be a list of texts, such as ["one", "two"]`},
		{"a list over lines", "[organisation]\n\ndomains = [\n  \"a.nl\",\n  \"@b.nl\",\n]\n", `keydesk.toml:3: organisation.domains: must be domains such as "example.org"`},
		{"a country", "[policy]\nphone_countries = [\"XX\"]\n", `keydesk.toml:2: policy.phone_countries: must be countries such as "NL"`},
		{"plain text through the net", "[mail]\nhost = \"mail.example.org\"\nfrom = \"a@example.org\"\ntls = \"none\"\n", `keydesk.toml:4: mail.tls: "none" is for a server on this machine only`},
		{"a ticket of whom all are asked", "[organisation]\nadmission = \"invitation\"\nticket = \"no-phone\"\n", `keydesk.toml:3: organisation.ticket: "no-phone" says nothing where organisation.admission is "invitation": everybody is asked for a ticket`},
		{"an alarm for nobody", "[organisation]\nalarm = \"de helpdesk\"\n", "keydesk.toml:2: organisation.alarm: must be a bare e-mail address"},
		{"half an account", "[mail]\nuser = \"x\"\n", "keydesk.toml: mail.password: must be set where mail.user is (or mail.password_file)"},
		{"a provider without its account", "[sms]\norder = [\"twilio\"]\n[sms.twilio]\naccount_sid = \"AC00000000000000000000000000000000\"\n", `keydesk.toml: sms.twilio.auth_token: must be set where sms.order names "twilio"`},
		{"half a certificate", "[pocket]\ntls_cert = \"x\"\n", "keydesk.toml:2: pocket.tls_cert: certificate and key go together: pocket.tls_cert and pocket.tls_key"},
		{"a password in the log's URL", "[log]\nurl = \"esdb://u:hunter2@h\"\n", "keydesk.toml:2: log.url: must not hold a password, which would be printed with the settings: use log.password or log.password_file"},
		{"a password in the vault's URL", "[vault]\nurl = \"postgres://h/d?password=hunter2\"\n", "keydesk.toml:2: vault.url: must not hold a password, which would be printed with the settings: use vault.password or vault.password_file"},
		{"another kind of log", "[log]\nurl = \"postgres://h/d\"\n", "keydesk.toml:2: log.url: must be sqlite: and the path of a file, or esdb:// and a server"},
		{"another kind of vault", "[vault]\nurl = \"esdb://h\"\n", "keydesk.toml:2: vault.url: must be sqlite: and the path of a file, or postgres:// and a server"},
		{"a server that is none", "[log]\nurl = \"esdb:h\"\n", "keydesk.toml:2: log.url: must have two slashes and a server behind the colon"},
		{"a user of a file", "[log]\nuser = \"keydesk\"\n", "keydesk.toml:2: log.user: is for an EventStoreDB, and log.url names a file"},
		{"an authority of a file", "[vault]\nca_file = \"/etc/ca\"\n", "keydesk.toml:2: vault.ca_file: is for a PostgreSQL, and vault.url names a file"},
		{"half a certificate", "[log]\nurl = \"esdb://h\"\ncert_file = \"/etc/c\"\n", "keydesk.toml:3: log.cert_file: certificate and key go together: log.cert_file and log.key_file"},
		{"an open door", "[pocket]\npublic_url = \"http://example.org\"\n", "keydesk.toml:2: pocket.public_url: must be an https address, or http to this machine, without a path or a query"},
		{"an issuer in the clear", "[api]\nissuer = \"http://example.org\"\n", "keydesk.toml:2: api.issuer: must be an https address, or http to this machine, without a query"},
		{"an issuer with a space", "[api]\nissuer = \"the organisation\"\n", "keydesk.toml:2: api.issuer: must be an https address, or at most 80 letters, digits, dots, dashes and underscores"},
		{"half an AFAS", "[afas]\nurl = \"https://12345.rest.afas.online/ProfitRestServices\"\n", "keydesk.toml: afas.connector: afas.url, afas.connector and afas.token (or afas.token_file) go together\n" +
			"keydesk.toml: afas.token: afas.url, afas.connector and afas.token (or afas.token_file) go together"},
		{"a witness without a key", "[seal]\nwitnesses = [\"https://auditor.example.org\"]\n", "keydesk.toml:2: seal.witnesses: must be a witness's key, a space, and its https address, or http to this machine"},
		{"a witness in the clear", "[seal]\nwitnesses = [\"a.example+1a2b3c4d+BKey= http://auditor.example.org\"]\n", "keydesk.toml:2: seal.witnesses: must be a witness's key, a space, and its https address, or http to this machine"},
		{"mail to a name", "[seal]\nmail_to = [\"Controle <a@example.org>\"]\n", "keydesk.toml:2: seal.mail_to: must be bare e-mail addresses"},
		{"an AFAS in the clear", "[afas]\nurl = \"http://12345.rest.afas.online\"\n", "keydesk.toml:2: afas.url: must be an https address, or http to this machine, without a query"},
		{"a field that is none", "[afas.fields]\nemail = \"E-mail\"\n", "keydesk.toml:2: afas.fields.email: must be a field of the connector, at most 80 letters, digits and underscores, or a dash"},
		{"a part of a site", "[pocket]\npublic_url = \"https://example.org/pocket\"\n", "keydesk.toml:2: pocket.public_url: must be an https address, or http to this machine, without a path or a query"},
		{"a private key in the place of the public one", "[backup]\nrecipient = \"AGE-SECRET-KEY-1QQQQ\"\n", "keydesk.toml:2: backup.recipient: must be the public key of age, which begins with age1"},
		{"wiped before warned", "[kiosk]\nidle_warn = \"3m\"\n", "keydesk.toml: kiosk.idle_wipe: must be longer than kiosk.idle_warn"},
		{"everything at once", "[mail]\nport = 0\nhots = \"x\"\n[logging]\nlevel = \"loud\"\n", "keydesk.toml:2: mail.port: must be a whole number from 1 to 65535\n" +
			"keydesk.toml:3: mail.hots: unknown setting; did you mean mail.host?\n" +
			`keydesk.toml:5: logging.level: must be "debug", "info", "warn" or "error"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := refused(t, file(t, c.text)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestBadVariablesAndFlags(t *testing.T) {
	t.Parallel()
	got := refused(t, settings.Sources{
		Home:  t.TempDir(),
		Env:   []string{"KEYDESK_MIAL_PORT=1", "KEYDESK_MAIL_PORT=many"},
		Flags: map[string]string{"mail.prot": "1", "mail.password": "hunter2"},
	})
	want := "KEYDESK_MAIL_PORT: mail.port: must be a whole number from 1 to 65535\n" +
		"KEYDESK_MIAL_PORT: unknown setting; did you mean KEYDESK_MAIL_PORT?\n" +
		"command line: mail.password: a secret does not belong on a command line, where others see it: use KEYDESK_MAIL_PASSWORD or mail.password_file\n" +
		"command line: mail.prot: unknown setting; did you mean mail.port?"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAGivenFileMustBeThere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	got := refused(t, settings.Sources{Home: home, File: filepath.Join(home, "other.toml")})
	if want := "other.toml: cannot read it: no such file or directory"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSecretsInAnOpenFileAreRefused(t *testing.T) {
	t.Parallel()
	from := file(t, "[sms.cm]\nproduct_token = \"t\"\n")
	path := filepath.Join(from.Home, settings.FileName)
	if _, err := settings.Load(from); err != nil {
		t.Fatalf("in a closed one: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // what the test is about
		t.Fatal(err)
	}
	if got, want := refused(t, from), "keydesk.toml: holds secrets and everybody on this machine may read it: chmod 600"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASecretFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(path, []byte("246802\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	from := file(t, fmt.Sprintf("[kiosk]\nstaff_pin_file = %q\n", path))
	s, err := settings.Load(from)
	if err != nil || s.Kiosk.StaffPIN.Reveal() != "246802" {
		t.Fatalf("PIN %q, %v", s.Kiosk.StaffPIN.Reveal(), err)
	}
	from.Env = []string{"KEYDESK_KIOSK_STAFF_PIN=135791"}
	if got, want := refused(t, from), "keydesk.toml:2: kiosk.staff_pin_file: must not be set beside kiosk.staff_pin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	from.Env = nil
	if got, want := refused(t, from), "keydesk.toml:2: kiosk.staff_pin_file: what the file holds must be 4 to 12 digits"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASystemdCredentialIsTheMasterKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := settings.Sources{Home: t.TempDir(), Env: []string{"CREDENTIALS_DIRECTORY=" + dir}}
	if s, err := settings.Load(from); err != nil || s.Vault.Credential {
		t.Fatalf("without one: %+v, %v", s.Vault, err)
	}
	path := filepath.Join(dir, "keydesk-master-key")
	if err := os.WriteFile(path, []byte("k"), 0o400); err != nil {
		t.Fatal(err)
	}
	if s, err := settings.Load(from); err != nil || !s.Vault.Credential || s.Vault.MasterKey != path {
		t.Errorf("with one: %+v, %v", s.Vault, err)
	}
}

func TestWhereTheHomeIs(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	env := []string{"KEYDESK_HOME=" + a, "XDG_DATA_HOME=" + b}
	for _, c := range []struct {
		name string
		from settings.Sources
		want string
	}{
		{"the flag", settings.Sources{Home: b, Env: env}, b},
		{"the variable", settings.Sources{Env: env}, a},
		{"the user's data", settings.Sources{Env: env[1:]}, filepath.Join(b, "keydesk")},
		{"a demo beside it", settings.Sources{Env: env[1:], Demo: true}, filepath.Join(b, "keydesk-demo")},
		{"a demo where it is told to be", settings.Sources{Env: env, Demo: true}, a},
	} {
		if s, err := settings.Load(c.from); err != nil || s.Home != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, s.Home, err, c.want)
		}
	}
}

func TestWhatIsInForce(t *testing.T) {
	t.Parallel()
	from := file(t, "[organisation]\nname = \"Gemeente \\\"Ons\\\" Dorp\"\n[mail]\nhost = \"mail.example.org\"\nfrom = \"a@example.org\"\nuser = \"u\"\npassword = \"hunter2\"\n")
	from.Env = []string{
		"KEYDESK_SMS_CM_PRODUCT_TOKEN=hunter2", "KEYDESK_AFAS_TOKEN=<token><version>1</version><data>hunter2</data></token>",
		"KEYDESK_AFAS_URL=https://afas.example", "KEYDESK_AFAS_CONNECTOR=Keydesk_Staff",
	}
	from.Flags = map[string]string{"kiosk.full_screen": "true", "afas.fields.email": "EmailWork"}
	from.File, from.Home = filepath.Join(from.Home, settings.FileName), "/srv/keydesk"
	s, err := settings.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hunter2") {
		t.Error("a secret was printed")
	}
	golden(t, "testdata/settings.golden", strings.ReplaceAll(b.String(), filepath.Dir(from.File), "/etc"))
}

func TestTheExampleIsCurrentAndChangesNothing(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/keydesk.example.toml", settings.Example())
	active := regexp.MustCompile(`(?m)^#([a-z_]+ = )`).ReplaceAllString(settings.Example(), "$1")
	from := file(t, active)
	s, err := settings.Load(from)
	if err != nil {
		t.Fatalf("with the number signs taken away: %v", err)
	}
	plain, err := settings.Load(settings.Sources{Home: "/var/lib/keydesk"})
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range plain.Describe() {
		got := s.Describe()[i]
		if got.Value != line.Value {
			t.Errorf("%s = %s, without the file %s", line.Field, got.Value, line.Value)
		}
		if !strings.HasPrefix(got.Origin, settings.FileName+":") {
			t.Errorf("%s comes from %s: not in the example", got.Field, got.Origin)
		}
	}
}

func TestASecretNeverShows(t *testing.T) {
	t.Parallel()
	type around struct{ S settings.Secret }
	s := settings.NewSecret("hunter2")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, &s, around{s}, []settings.Secret{s}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74657232") {
				t.Errorf("%s of %T shows it: %s", verb, v, got)
			}
		}
	}
	b, err := json.Marshal(around{s})
	if err != nil || string(b) != `{"S":"(hidden)"}` {
		t.Errorf("JSON: %s, %v", b, err)
	}
	if got := (settings.Secret{}).String(); got != "(none)" {
		t.Errorf("no secret: %s", got)
	}
}

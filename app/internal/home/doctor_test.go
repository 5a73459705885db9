package home_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// examine returns what the doctor finds, by check.
func examine(t *testing.T, dir string, env []string, flags ...string) map[string]home.Diagnosis {
	t.Helper()
	from := settings.Sources{Home: dir, Env: env, Flags: map[string]string{}}
	for _, f := range flags {
		field, value, _ := strings.Cut(f, "=")
		from.Flags[field] = value
	}
	set, err := settings.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]home.Diagnosis{}
	home.Examine(t.Context(), set, time.Now, func(d home.Diagnosis) {
		if (d.Verdict == home.Bad || d.Verdict == home.Warning) && d.Do == "" {
			t.Errorf("%s: does not say how to mend it: %s", d.Check, d.Says)
		}
		found[d.Check] = d
	})
	return found
}

func verdicts(t *testing.T, found map[string]home.Diagnosis, want map[string]home.Verdict) {
	t.Helper()
	for check, verdict := range want {
		if d := found[check]; d.Verdict != verdict {
			t.Errorf("%s is %s instead of %s: %s", check, d.Verdict, verdict, d.Says)
		}
	}
}

func TestTheDoctorFindsAHomeWell(t *testing.T) {
	t.Parallel()
	h := demo(t)
	if err := os.Chmod(h.dir, 0o700); err != nil { //nolint:gosec // a folder
		t.Fatal(err)
	}
	v := h.toFactor(email, 1)
	found := examine(t, h.dir, nil)
	verdicts(t, found, map[string]home.Verdict{
		"home": home.Well, "log": home.Well, "log access": home.Skipped, "log append": home.Well, "clock": home.Well,
		"master key": home.Well, "vault": home.Well, "vault write": home.Well, "mail": home.Well, "sms": home.Well, "pocket": home.Warning,
	})
	h.must("done")(h.Desk.ChooseSMS(t.Context(), v.Visit)) // the probe disturbs nobody
	if n := h.Board.Counts().People; n != 1 {
		t.Errorf("the board counts %d people", n)
	}
}

func TestTheDoctorNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	_, port := startMailbox(t)
	for name, test := range map[string]struct {
		breaks func(t *testing.T, dir string)
		flags  []string
		want   map[string]home.Verdict
	}{
		"nothing is there": {
			breaks: func(t *testing.T, dir string) { t.Helper(); remove(t, dir) },
			want:   map[string]home.Verdict{"home": home.Bad, "disk": home.Skipped, "log": home.Bad, "log append": home.Skipped, "clock": home.Skipped, "master key": home.Bad, "vault": home.Skipped, "mail": home.Bad},
		},
		"the key is gone": {
			breaks: func(t *testing.T, dir string) { t.Helper(); remove(t, filepath.Join(dir, "master.key")) },
			want:   map[string]home.Verdict{"log append": home.Well, "master key": home.Bad, "vault": home.Skipped, "vault write": home.Skipped},
		},
		"another key": {
			breaks: func(t *testing.T, dir string) {
				t.Helper()
				other := open(t, t.TempDir(), false)
				b, err := os.ReadFile(filepath.Join(other.dir, "master.key"))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "master.key"), b, 0o600) //nolint:gosec // the test's own
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			want: map[string]home.Verdict{"master key": home.Well, "vault": home.Bad},
		},
		"others may look": {
			breaks: func(t *testing.T, dir string) {
				t.Helper()
				if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // what is to be found
					t.Fatal(err)
				}
			},
			want: map[string]home.Verdict{"home": home.Warning},
		},
		"a mail server": {
			flags: []string{"mail.host=127.0.0.1", "mail.tls=none", "mail.from=a@b.example", "mail.port=" + port},
			want:  map[string]home.Verdict{"mail": home.Well},
		},
		"no mail server": {
			flags: []string{"mail.host=127.0.0.1", "mail.tls=none", "mail.from=a@b.example", "mail.port=1"},
			want:  map[string]home.Verdict{"mail": home.Bad},
		},
		"no vault's server": {
			flags: []string{"vault.url=postgres://keydesk@127.0.0.1:1/keydesk"},
			want:  map[string]home.Verdict{"log append": home.Well, "vault": home.Bad, "vault write": home.Skipped},
		},
		"the key that signs has lost its master": {
			breaks: func(t *testing.T, dir string) {
				t.Helper()
				h := open(t, dir, true)
				if err := h.Desk.EnsureKey(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.stop()
				other := open(t, t.TempDir(), false)
				b, err := os.ReadFile(filepath.Join(other.dir, "master.key"))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "master.key"), b, 0o600) //nolint:gosec // the test's own
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			want: map[string]home.Verdict{"signing": home.Bad},
		},
		"alarms": {
			flags: []string{"organisation.alarm=help@voorbeeld.nl"},
			want:  map[string]home.Verdict{"alarm": home.Well, "signing": home.Skipped},
		},
		"no Pocket": {
			flags: []string{"pocket.public_url=https://127.0.0.1:1"},
			want:  map[string]home.Verdict{"pocket": home.Bad},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := demo(t)
			h.stop()
			if test.breaks != nil {
				test.breaks(t, h.dir)
			}
			verdicts(t, examine(t, h.dir, nil, test.flags...), test.want)
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestTheDoctorCountsTheStaff(t *testing.T) {
	t.Parallel()
	h := demo(t)
	if err := h.Desk.EnsureKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	verdicts(t, examine(t, h.dir, nil), map[string]home.Verdict{"staff": home.Warning, "alarm": home.Warning, "signing": home.Well})
	first := h.withSMS()
	grant := func(s domain.SubjectID, r domain.Role, want home.Verdict) {
		t.Helper()
		if err := h.Desk.Grant(t.Context(), desk.Console(), s, r); err != nil {
			t.Fatal(err)
		}
		verdicts(t, examine(t, h.dir, nil), map[string]home.Verdict{"staff": want})
	}
	grant(first, domain.RoleHelpdesk, home.Warning)
	grant(first, domain.RoleApprover, home.Warning) // nobody approves what they asked for
	v := h.toFactor("sara@voorbeeld.nl", h.messages()+1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(t.Context(), v.Visit))
	second, err := h.Desk.Subject(t.Context(), "sara@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	grant(second, domain.RoleApprover, home.Well)
}

// On an empty log no probe is the first event: that one decides whether the
// home is a demo.
func TestTheDoctorLeavesAnEmptyLogEmpty(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	verdicts(t, examine(t, h.dir, nil), map[string]home.Verdict{"log": home.Well, "log append": home.Skipped, "clock": home.Skipped})
	if head, err := h.Log.Head(t.Context()); err != nil || head != 0 {
		t.Errorf("the log reaches to %d, %v", head, err)
	}
}

func TestTheDoctorLooksAtAServer(t *testing.T) {
	t.Parallel()
	ahead := 10 * time.Second
	s := esdbtest.Start(t, esdbtest.Options{Clock: func() time.Time { return time.Now().Add(ahead) }})
	env := []string{"KEYDESK_LOG_PASSWORD=" + esdbtest.Password}
	flags := []string{"log.url=esdb://" + s.Addr(0), "log.user=" + esdbtest.User, "log.ca_file=" + s.CAFile()}
	dir := t.TempDir()
	note := func() { // anything, so that the log is not empty
		h := &chaos{t: t}
		if err := h.open("hall", append(flags, "sms.webhook.url=https://127.0.0.1:1")).Desk.OpenStation(t.Context(), "test"); err != nil {
			t.Fatal(err)
		}
	}
	note()
	verdicts(t, examine(t, dir, env, flags...), map[string]home.Verdict{
		"log": home.Well, "log access": home.Warning, "log append": home.Well, "clock": home.Warning,
	})
	ahead = time.Minute
	verdicts(t, examine(t, dir, env, flags...), map[string]home.Verdict{"clock": home.Bad})
	verdicts(t, examine(t, dir, []string{"KEYDESK_LOG_PASSWORD=wrong"}, flags...), map[string]home.Verdict{"log": home.Bad, "log append": home.Skipped})
	s.Stop()
	verdicts(t, examine(t, dir, env, flags...), map[string]home.Verdict{"log": home.Bad, "log access": home.Skipped, "clock": home.Skipped})
}

// Not even a demo that was only asked for is begun.
func TestTheDoctorBeginsNoDemo(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	set, err := settings.Load(settings.Sources{Home: h.dir, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	home.Examine(t.Context(), set, time.Now, func(home.Diagnosis) {})
	if head, err := h.Log.Head(t.Context()); err != nil || head != 0 {
		t.Errorf("the log reaches to %d, %v", head, err)
	}
}

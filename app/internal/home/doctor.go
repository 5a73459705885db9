package home

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/afas"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Verdict is what a check found.
type Verdict string

// The verdicts.
const (
	Well    Verdict = "ok"
	Warning Verdict = "warn"
	Bad     Verdict = "bad"
	Skipped Verdict = "skipped"
)

// A Diagnosis is the outcome of one check: what is so, and what to do about it.
// It holds no secret, no address and no number of anybody.
type Diagnosis struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Says    string  `json:"says"`
	Do      string  `json:"do,omitempty"`
}

func well(format string, args ...any) Diagnosis {
	return Diagnosis{Verdict: Well, Says: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) Diagnosis {
	return Diagnosis{Verdict: Warning, Says: fmt.Sprintf(format, args...), Do: do}
}

func bad(do, format string, args ...any) Diagnosis {
	return Diagnosis{Verdict: Bad, Says: fmt.Sprintf(format, args...), Do: do}
}

func skipped(format string, args ...any) Diagnosis {
	return Diagnosis{Verdict: Skipped, Says: fmt.Sprintf(format, args...)}
}

// checkFor bounds one check.
const checkFor = 15 * time.Second

// The clock may be so far from the log's.
const (
	clockWarns = 2 * time.Second
	clockFails = 30 * time.Second
)

// A doctor looks at one installation, without opening it as a kiosk does: most
// of it may be broken.
type doctor struct {
	set   settings.Settings
	now   func() time.Time
	keys  *vault.Keys
	log   store.Log
	vault *vault.Vault
	skew  *time.Duration // of our clock against the log's, once known
}

// Examine looks at all that an installation needs to work, and tells each
// outcome as soon as it is there. It changes nothing but a stream of probes in a
// log that holds events already, and one counter of the vault.
func Examine(ctx context.Context, set settings.Settings, now func() time.Time, tell func(Diagnosis)) {
	d := &doctor{set: set, now: now}
	defer d.close()
	failed := map[string]bool{}
	for _, c := range []struct {
		name  string
		needs string // is skipped where that one failed
		run   func(context.Context) Diagnosis
	}{
		{"home", "", d.home},
		{"disk", "home", d.disk},
		{"log", "", d.openLog},
		{"log access", "log", d.access},
		{"log file", "log", d.logFile},
		{"log append", "log", d.probe},
		{"clock", "log append", d.clock},
		{"master key", "", d.masterKey},
		{"vault", "master key", d.openVault},
		{"vault write", "vault", d.writeVault},
		{"admission", "", d.admission},
		{"mail", "", d.mail},
		{"sms", "", d.sms},
		{"pocket", "", d.pocket},
		{"stations", "log", d.stations},
		{"api", "", d.api},
		{"signing", "log", d.signingKeys},
		{"seal", "log", d.seal},
		{"alarm", "", d.alarm},
		{"staff", "log", d.staff},
		{"afas", "", d.afas},
		{"backup", "", d.backup},
	} {
		var out Diagnosis
		if c.needs != "" && failed[c.needs] {
			out = skipped("cannot be looked at before %q is mended", c.needs)
		} else {
			within, cancel := context.WithTimeout(ctx, checkFor)
			out = c.run(within)
			cancel()
		}
		out.Check = c.name
		failed[c.name] = out.Verdict == Bad || out.Verdict == Skipped && failed[c.needs]
		tell(out)
	}
}

func (d *doctor) close() {
	if d.vault != nil {
		_ = d.vault.Close() // only looked at
	}
	if d.log != nil {
		_ = d.log.Close() // only looked at
	}
}

func (d *doctor) home(context.Context) Diagnosis {
	info, err := os.Stat(d.set.Home)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return bad("start the kiosk, or name another folder with --home", "there is no data folder at %s", d.set.Home)
	case err != nil:
		return bad("run this as the user whom it belongs to", "%s", err)
	case info.Mode().Perm()&0o077 != 0:
		return warn("chmod 700 "+d.set.Home, "others on this machine can look into %s", d.set.Home)
	}
	f, err := os.CreateTemp(d.set.Home, ".doctor-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return bad("run this as the user whom it belongs to; see whether the disk is full or read-only", "nothing can be written there: %s", err)
	}
	return well("%s, for its owner only", d.set.Home)
}

// Little space is a warning, and so little that the next hours are in danger is
// worse.
const (
	spaceWarns = 2 << 30
	spaceFails = 200 << 20
)

func (d *doctor) disk(context.Context) Diagnosis {
	free, err := freeSpace(d.set.Home)
	switch {
	case err != nil:
		return skipped("this system does not tell: %s", err)
	case free < spaceFails:
		return bad("make room: when it is full, nobody can enrol", "only %d MiB are free", free>>20)
	case free < spaceWarns:
		return warn("make room", "%d MiB are free", free>>20)
	}
	return well("%d GiB are free", free>>30)
}

// openLog looks whether the log is there. A file that is not there is not made.
func (d *doctor) openLog(ctx context.Context) Diagnosis {
	if path, file := strings.CutPrefix(d.set.Log.URL, store.Scheme); file {
		if _, err := os.Stat(path); err != nil {
			return bad("start the kiosk, which makes it; or mend log.url", "%s", err)
		}
	}
	l, err := OpenLog(ctx, d.set.Log, zap.NewNop())
	if err != nil {
		return bad("mend log.url and what belongs to it", "%s", err)
	}
	d.log = l
	head, err := l.Head(ctx)
	switch {
	case errors.Is(err, store.ErrDenied):
		return bad("mend log.user and log.password; let the user read $all (see the README)", "the server refuses the user: %s", err)
	case err != nil:
		return bad("see whether the server runs and can be reached from here, and whether log.ca_file is its authority", "%s", err)
	}
	return well("it answers, and reaches to position %d", head)
}

// logFile looks whether the file of the log holds beside the events what belongs there.
func (d *doctor) logFile(ctx context.Context) Diagnosis {
	file, ok := d.log.(*store.SQLite)
	if !ok {
		return skipped("the log is a server's")
	}
	switch names, err := file.Meddled(ctx); {
	case err != nil:
		return bad("see whether the disk is full, or the file another user's", "%s", err)
	case len(names) > 0:
		return bad("see what \"keydeskd verify\" says, and go on with a copy in a new file (\"keydeskd copy --seal\")",
			"%s: %.200q is not there, or not as Keydesk makes it", ErrMeddled, names)
	}
	return well("nothing is in it that Keydesk has not put there")
}

// access looks at what the user of a server may do.
func (d *doctor) access(ctx context.Context) Diagnosis {
	server, ok := d.log.(*store.ESDB)
	if !ok {
		return skipped("a file has its owner's rights only")
	}
	if empty, err := d.empty(ctx); err != nil || empty {
		return skipped("the log is empty: the first event is not to be a probe's")
	}
	findings, err := server.CheckAccess(ctx)
	if err != nil {
		return bad("see the line above", "%s", err)
	}
	for _, f := range findings {
		switch {
		case f.Err == nil:
		case errors.Is(f.Err, store.ErrMayDelete):
			return warn("set the access lists as the README says under \"From one kiosk to a cluster\"", "this user %s", f.Err)
		default:
			return bad("set the access lists as the README says under \"From one kiosk to a cluster\"", "cannot %s: %s", f.What, f.Err)
		}
	}
	return well("the user may append and read, and not delete")
}

// empty says whether the log holds no event yet. Its very first one decides
// whether a home is a demo.
func (d *doctor) empty(ctx context.Context) (bool, error) {
	first, err := firstEvent(ctx, d.log, domain.Query{})
	return first == nil, err
}

// probe appends an event to the doctor's own stream, and reads it back.
func (d *doctor) probe(ctx context.Context) Diagnosis {
	if empty, err := d.empty(ctx); err != nil {
		return bad("see the lines above", "reading failed: %s", err)
	} else if empty {
		return skipped("the log is empty: the first event is not to be a probe's")
	}
	const stream = store.ProbePrefix + "doctor"
	at := domain.NoStream
	m := domain.Message{ID: domain.EventID(uuid.New()), Type: "Probe", Data: []byte(`{}`), Metadata: []byte(`{}`)}
	began := d.now()
	_, err := d.log.Append(ctx, stream, at, m)
	if c, behind := errors.AsType[*domain.Conflict](err); behind {
		at, began = c.Actual, d.now()
		_, err = d.log.Append(ctx, stream, at, m)
	}
	took := d.now().Sub(began)
	if err != nil {
		return bad("see whether the disk is full, the server takes writes, and this user may append", "appending failed: %s", err)
	}
	events, err := d.log.ReadStream(ctx, stream, at+1)
	if err != nil || len(events) == 0 || events[0].ID != m.ID {
		return bad("this is not to be: look at the server's own log", "what was appended cannot be read back: %v", err)
	}
	skew := began.Add(took / 2).Sub(events[0].Recorded)
	d.skew = &skew
	return well("appended and read back in %s", took.Round(100*time.Microsecond))
}

func (d *doctor) clock(context.Context) Diagnosis {
	if d.skew == nil {
		return skipped("the log was not written to")
	}
	off := d.skew.Abs().Round(time.Millisecond)
	const do = "have both machines follow a time server"
	switch {
	case off > clockFails:
		return bad(do, "this clock and the log's differ by %s", off)
	case off > clockWarns:
		return warn(do, "this clock and the log's differ by %s", off)
	}
	return well("%s from the log's", off)
}

func (d *doctor) masterKey(context.Context) Diagnosis {
	v := d.set.Vault
	var err error
	d.keys, err = ReadKeys(v)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return bad("put back the copy of it; where there is no vault yet, the kiosk makes one", "there is none at %s", v.MasterKey)
	case err != nil:
		return bad("put back the copy of it; its file is for its owner alone (chmod 600)", "%s", err)
	}
	return well("%s", d.keys.ID())
}

func (d *doctor) openVault(ctx context.Context) Diagnosis {
	there, err := vault.Exists(ctx, d.set.Vault.URL, vaultOptions(d.set.Vault))
	switch {
	case err == nil && !there:
		if d.log != nil && errors.Is(vaultThere(ctx, d.set.Vault, d.log), ErrVaultGone) {
			return bad("mend vault.url, or put the vault back with \"keydeskd restore --only vault\"", "there is no vault there, and the log names people")
		}
		return bad("start the kiosk, which makes it; or mend vault.url", "there is no vault there")
	case err == nil:
		o := vaultOptions(d.set.Vault)
		if d.log != nil {
			o.Demo, _ = IsDemo(ctx, d.log) // what is wrong with the log is told there
		}
		d.vault, err = vault.Open(ctx, d.set.Vault.URL, d.keys, o)
	}
	switch {
	case errors.Is(err, vault.ErrWrongKey):
		return bad("put back the master key that belongs to this vault", "%s", err)
	case err != nil:
		return bad("see whether the database runs and can be reached from here; mend vault.url, vault.user and vault.password", "%s", err)
	}
	return well("it opens with this master key")
}

func (d *doctor) writeVault(ctx context.Context) Diagnosis {
	probe := vault.Limit{Name: "doctor", Key: "doctor", Window: time.Minute, Max: 1_000_000}
	began := d.now()
	if _, err := d.vault.Take(ctx, began, probe); err != nil {
		return bad("see whether the disk is full, and whether the database takes writes", "writing failed: %s", err)
	}
	if n, err := d.vault.Count(ctx, d.now(), probe); err != nil || n == 0 {
		return bad("this is not to be: look at the database", "what was written cannot be read back: %v", err)
	}
	return well("written and read back in %s", d.now().Sub(began).Round(100*time.Microsecond))
}

// admission says who may enrol as things are set, which is nobody's fault and often the
// answer.
func (d *doctor) admission(context.Context) Diagnosis {
	who := map[enrolment.Admission]string{
		enrolment.ByRoster: "whom HR announced", enrolment.ByDomain: "whom HR announced, and who has an address of the organisation",
		enrolment.ByInvitation: "only who is invited, with a ticket",
	}[d.set.Organisation.Admission]
	if d.set.Organisation.Admission == enrolment.ByInvitation {
		return well("%s", who)
	}
	asked := map[enrolment.TicketRule]string{
		enrolment.TicketNever: "nobody of them needs a ticket", enrolment.TicketAlways: "each needs a ticket",
		enrolment.TicketWithoutPhone: "of them who has no phone at HR needs a ticket",
	}[d.set.Policy.Tickets]
	return well("%s, and who is invited; %s", who, asked)
}

func (d *doctor) mail(ctx context.Context) Diagnosis {
	if d.set.Mail.Host == "" {
		return d.noCourier(ctx, "mail.host is not set: nobody can enrol", "set up [mail]")
	}
	all, err := (&Home{folder: d.set.Home}).couriers(d.set)
	if err == nil {
		err = all.Check(ctx, enrolment.ByMail)
	}
	if err != nil {
		return bad("mend [mail]; see whether the server runs and can be reached from here", "%s", err)
	}
	return well("the server takes us; nothing was sent")
}

func (d *doctor) sms(ctx context.Context) Diagnosis {
	if len(d.set.SMS.Order) == 0 {
		return d.noCourier(ctx, "sms.order is not set: nobody can enrol", "set up [sms]")
	}
	providers, err := smsProviders(d.set.SMS)
	if err != nil {
		return bad("mend [sms]", "%s", err)
	}
	out, said := skipped(""), []string{}
	for _, p := range providers {
		word := "cannot be seen without sending"
		if asks, ok := p.(checker); ok {
			if err := asks.Check(ctx); err != nil {
				return bad("mend [sms."+p.Name()+"]; see whether the provider can be reached from here", "%s", err)
			}
			out, word = well(""), "knows the account; nothing was sent"
		}
		said = append(said, p.Name()+": "+word)
	}
	out.Says = strings.Join(said, "; ")
	return out
}

// afas asks AFAS about the connector, and for nobody on it.
func (d *doctor) afas(ctx context.Context) Diagnosis {
	c, err := AFAS(d.set.AFAS)
	if errors.Is(err, ErrNoAFAS) {
		return skipped("HR's list does not come from AFAS: afas.url is not set")
	}
	var columns []roster.Column
	if err == nil {
		columns, err = c.Check(ctx)
	}
	_, field := errors.AsType[*afas.NoFieldError](err)
	switch {
	case field, errors.Is(err, roster.ErrNoEmail):
		return bad("name the connector's fields in [afas.fields]", "%s", err)
	case err != nil:
		return bad("mend [afas]; see whether AFAS can be reached from here, and takes this token from here for this connector", "%s", err)
	}
	read := make([]string, len(columns))
	for i, c := range columns {
		read[i] = fmt.Sprintf("%s from %s", c.Field, c.Name)
	}
	return well("the connector answers: %s; nobody's data was asked for", strings.Join(read, ", "))
}

// noCourier is all right in a demo, whose messages stay here.
func (d *doctor) noCourier(ctx context.Context, says, do string) Diagnosis {
	if d.log != nil {
		if demo, err := IsDemo(ctx, d.log); err == nil && demo {
			return well("a demo's messages stay on this machine")
		}
	}
	return bad(do, "%s", says)
}

// pocket fetches the page of phones from where they would.
func (d *doctor) pocket(ctx context.Context) Diagnosis {
	at := d.set.Pocket.PublicURL
	if at == "" {
		return warn("set pocket.public_url, if people are to use Pocket", "pocket.public_url is not set: the kiosk offers SMS only")
	}
	const do = "see whether Keydesk runs there, the proxy in front sends /p/ to it, and its certificate is in order"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(at, "/")+"/p/", nil)
	if err != nil {
		return bad("mend pocket.public_url", "%s", err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return bad(do, "%s", err)
	}
	page, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	_ = answer.Body.Close() // only read
	switch {
	case err != nil:
		return bad(do, "%s", err)
	case answer.StatusCode != http.StatusOK:
		return bad(do, "it answers with %s", answer.Status)
	case !bytes.Contains(page, []byte("data-pocket=")):
		return bad(do, "what answers there is something else")
	}
	if answer.TLS != nil {
		if left := answer.TLS.PeerCertificates[0].NotAfter.Sub(d.now()); left < 14*24*time.Hour {
			return warn("renew the certificate", "the certificate ends in %d days", int(left.Hours()/24))
		}
	}
	return well("phones find their page")
}

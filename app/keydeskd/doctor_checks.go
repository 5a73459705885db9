package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// A patient is the installation that doctor looks at, as far as it was opened.
type patient struct {
	app   *app
	set   settings.Settings
	keys  *vault.Keys
	log   store.Log
	begun bool          // the log holds an event
	demo  bool          // it is a demo's, where nothing is sent
	drift time.Duration // how far the log's clock is ahead of ours
}

func newPatient(a *app) *patient { return &patient{app: a} }

func (p *patient) close() {
	if p.log != nil {
		_ = p.log.Close() // what a probe recorded is on disk already
	}
}

// checks are all of them, in an order in which each follows those it needs.
func (p *patient) checks() []check {
	return []check{
		{"settings", nil, p.checkSettings},
		{"home", []string{"settings"}, p.checkHome},
		{"disk", []string{"home"}, p.checkDisk},
		{"snapshots", []string{"home"}, p.checkSnapshots},
		{"master key", []string{"settings"}, p.checkKey},
		{"vault", []string{"settings", "master key"}, p.checkVault},
		{"log", []string{"settings"}, p.checkLog},
		{"log probe", []string{"log"}, p.checkProbe},
		{"clock", []string{"log probe"}, p.checkClock},
		{"log access", []string{"log"}, p.checkAccess},
		{"mail", []string{"settings"}, p.checkMail},
		{"sms", []string{"settings"}, p.checkSMS},
		{"pocket", []string{"settings"}, p.checkPocket},
	}
}

func (p *patient) checkSettings(context.Context) finding {
	var err error
	if p.set, err = p.app.settings(); err != nil {
		return bad("\"keydeskd settings\" shows whether the next try is right", "%v", err)
	}
	if p.set.File == "" {
		return well("no file: all at their defaults, as far as no variable says otherwise")
	}
	return well("%s", p.set.File)
}

func (p *patient) checkHome(context.Context) finding {
	info, err := os.Stat(p.set.Home)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(advice(errNoHome), "there is no folder %s", p.set.Home)
	case err != nil:
		return bad(advice(err), "%v", err)
	case !info.IsDir():
		return bad("--home or KEYDESK_HOME chooses another one", "%s is no folder", p.set.Home)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return warn("chmod 700 "+p.set.Home, "%s: others on this machine can look into it", p.set.Home)
	}
	return well("%s", p.set.Home)
}

// How much room has to be free: less is bad, less than much is a warning.
const (
	roomLittle = 200 << 20
	roomMuch   = 1 << 30
)

func (p *patient) checkDisk(context.Context) finding {
	worst := well("")
	said := []string{}
	for _, at := range p.folders() {
		free, total, err := diskSpace(at)
		if errors.Is(err, errors.ErrUnsupported) {
			return skip("not on this system")
		}
		if err != nil {
			return bad(advice(err), "%v", err)
		}
		said = append(said, fmt.Sprintf("%.1f GiB (%d %%) free at %s", float64(free)/(1<<30), 100*free/max(total, 1), at))
		const do = "make room: without it nothing is recorded, and nobody can enrol"
		switch {
		case free < roomLittle:
			worst = bad(do, "")
		case free < roomMuch && worst.Result == isWell:
			worst = warn(do, "")
		}
	}
	worst.Says = strings.Join(said, "\n")
	return worst
}

// folders are where something grows.
func (p *patient) folders() []string {
	all := []string{p.set.Home}
	for _, url := range []string{p.set.Log.URL, p.set.Vault.URL} {
		if path, file := strings.CutPrefix(url, store.Scheme); file && filepath.Dir(path) != p.set.Home {
			all = append(all, filepath.Dir(path))
		}
	}
	return all
}

// staleSnapshot is when a snapshot is so old that something must be wrong.
const staleSnapshot = 60 * 24 * time.Hour

func (p *patient) checkSnapshots(context.Context) finding {
	files, err := os.ReadDir(filepath.Join(p.set.Home, "snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return skip("none yet; the first comes after some thousand events")
	}
	if err != nil {
		return bad(advice(err), "%v", err)
	}
	var newest time.Time
	for _, f := range files {
		if info, err := f.Info(); err == nil && !strings.HasPrefix(f.Name(), ".") && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	age := time.Since(newest)
	switch {
	case newest.IsZero():
		return skip("none yet; the first comes after some thousand events")
	case age > staleSnapshot:
		return warn("they only make starting faster; delete the folder if no program runs here any more", "the last one is %d days old", int(age.Hours()/24))
	}
	return well("the last one is from %s", newest.Format(time.DateTime))
}

func (p *patient) checkKey(ctx context.Context) finding {
	var err error
	if p.keys, err = home.ReadKeys(p.set.Vault); err == nil {
		return well("%s", p.set.Vault.MasterKey)
	}
	if errors.Is(err, fs.ErrNotExist) && !p.set.Vault.Credential {
		there, err := home.VaultExists(ctx, p.set.Vault)
		switch {
		case err != nil:
			return bad(advice(vault.ErrKeyFile), "%s is not there, and whether there is a vault is not known: %v", p.set.Vault.MasterKey, err)
		case !there:
			return warn("the first start makes it; keep a copy of it away from here", "%s is not made yet", p.set.Vault.MasterKey).blocking()
		}
		return bad(advice(vault.ErrKeyFile), "%s is gone, and the vault is there", p.set.Vault.MasterKey)
	}
	return bad(advice(err), "%v", err)
}

func (p *patient) checkVault(ctx context.Context) (f finding) {
	v, err := home.OpenVault(ctx, p.set.Vault, p.keys)
	switch {
	case errors.Is(err, home.ErrNoVault):
		return warn("the first start makes it", "%v", err).blocking()
	case err != nil:
		return bad(p.mendServer(err, p.set.Vault.URL, "vault"), "%v", err)
	}
	defer func() {
		if err := v.Close(); err != nil && f.Result == isWell {
			f = bad(advice(err), "%v", err)
		}
	}()
	probe := vault.Limit{Name: "doctor", Key: p.station(), Window: time.Minute, Max: 1000}
	if _, err = v.Take(ctx, time.Now(), probe); err == nil {
		var n int
		if n, err = v.Count(ctx, time.Now(), probe); err == nil && n < 1 {
			err = errors.New("what was counted is not there")
		}
		err = errors.Join(err, v.Clear(ctx, probe))
	}
	if err != nil {
		return bad(p.mendServer(err, p.set.Vault.URL, "vault"), "opened, and cannot be written and read: %v", err)
	}
	return well("opened with the master key, written and read")
}

// station is this station's id, as far as it has one.
func (p *patient) station() string {
	if p.set.Kiosk.Station != "" {
		return p.set.Kiosk.Station
	}
	b, err := os.ReadFile(filepath.Join(p.set.Home, "station"))
	if id := strings.TrimSpace(string(b)); err == nil && id != "" && len(id) <= 60 {
		return id
	}
	return "doctor"
}

// mendServer is advice about a file or a server.
func (p *patient) mendServer(err error, url, section string) string {
	if errors.Is(err, domain.ErrUnavailable) && !strings.HasPrefix(url, store.Scheme) {
		return fmt.Sprintf("see whether the server runs and can be reached from here, and what %s.url, %[1]s.user and %[1]s.ca_file say", section)
	}
	return advice(err)
}

func (p *patient) checkLog(ctx context.Context) finding {
	if err := thereAlready(p.set.Log.URL); err != nil {
		return warn("the first start makes it", "%v", err).blocking()
	}
	log, err := home.OpenLog(ctx, p.set.Log, zap.NewNop())
	if err == nil {
		p.log = log
		_, err = log.Head(ctx)
	}
	if err == nil {
		p.begun, p.demo, err = home.LookInto(ctx, log)
	}
	switch {
	case err != nil:
		return bad(p.mendServer(err, p.set.Log.URL, "log"), "%v", err)
	case p.demo:
		return well("read: a demo's")
	case !p.begun:
		return well("read: empty")
	}
	return well("read")
}

// checkProbe records a probe, but never as the first event: that one decides
// whether the log is a demo's.
func (p *patient) checkProbe(ctx context.Context) finding {
	if !p.begun {
		return skip("the log is empty, and its first event is not for a probe: not tried")
	}
	before := time.Now()
	e, err := store.Probe(ctx, p.log, store.ProbePrefix+p.station())
	if err != nil {
		return bad(p.mendServer(err, p.set.Log.URL, "log"), "%v", err)
	}
	took := time.Since(before)
	p.drift = e.Recorded.Sub(before.Add(took / 2))
	return well("appended and read in %s", took.Round(time.Millisecond))
}

// How far two clocks may be apart.
const (
	driftWarn = 2 * time.Second
	driftBad  = 30 * time.Second
)

func (p *patient) checkClock(context.Context) finding {
	const do = "have both machines set their clocks by NTP: codes and visits end by this clock, events are dated by the log's"
	off := p.drift.Abs().Round(time.Millisecond)
	words := "the log's clock is %s ahead of this machine's"
	if p.drift < 0 {
		words = "the log's clock is %s behind this machine's"
	}
	switch {
	case off >= driftBad:
		return bad(do, words, off)
	case off >= driftWarn:
		return warn(do, words, off)
	}
	return well("within %s of the log's", driftWarn)
}

func (p *patient) checkAccess(ctx context.Context) finding {
	l, server := p.log.(*store.ESDB)
	switch {
	case !server:
		return p.checkLogFile()
	case !p.begun:
		return skip("the log is empty: not tried")
	}
	found, err := l.CheckAccess(ctx, store.ProbePrefix+p.station())
	if err != nil {
		return bad(p.mendServer(err, p.set.Log.URL, "log"), "%v", err)
	}
	f := well("this user may append and read, and not delete")
	said := []string{}
	for _, one := range found {
		switch {
		case one.Err == nil:
			continue
		case errors.Is(one.Err, store.ErrMayDelete):
			if f.Result == isWell {
				f = warn("have an administrator of the server take that right from this user; the README says how", "")
			}
		default:
			f = bad(p.mendServer(one.Err, p.set.Log.URL, "log"), "")
		}
		said = append(said, fmt.Sprintf("%s: %v", one.What, one.Err))
	}
	if len(said) > 0 {
		f.Says = strings.Join(said, "\n")
	}
	return f
}

// checkLogFile looks at who may read an embedded log.
func (p *patient) checkLogFile() finding {
	path := strings.TrimPrefix(p.set.Log.URL, store.Scheme)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return bad(advice(err), "%v", err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return warn("chmod 600 "+path, "%s: others on this machine can read it", path)
	}
	return well("for its owner alone")
}

func (p *patient) checkMail(ctx context.Context) finding {
	switch {
	case p.demo || p.set.Demo:
		return skip("a demo sends nothing")
	case p.set.Mail.Host == "":
		return warn("set mail.host and mail.from: nobody can enrol without mail", "no mail server is set")
	}
	if err := home.CheckMail(ctx, p.set.Mail); err != nil {
		return bad(mendCourier(err, "mail.host, mail.port, mail.tls", "mail.user and mail.password"), "%v", err)
	}
	if p.set.Mail.User == "" {
		return well("connected; without a login")
	}
	return well("connected and logged in")
}

// mendCourier says which settings are to blame.
func mendCourier(err error, place, account string) string {
	reason := courier.ReasonOf(err)
	switch {
	case reason == courier.Auth:
		return "see " + account
	case reason == courier.Misconfigured:
		return "see the sender and " + place
	case errors.Is(err, domain.ErrUnavailable):
		return "see whether it runs and can be reached from here, and what these say: " + place
	}
	return "ask whoever runs it"
}

func (p *patient) checkSMS(ctx context.Context) finding {
	switch {
	case p.demo || p.set.Demo:
		return skip("a demo sends nothing")
	case len(p.set.SMS.Order) == 0:
		return warn("set sms.order: without SMS nobody can prove a phone number, and so enrol", "no provider is set")
	}
	names, errs := home.CheckSMS(ctx, p.set.SMS)
	f := skip("")
	said := []string{}
	for i, name := range names {
		word := "knows the account"
		switch err := errs[i]; {
		case errors.Is(err, home.ErrNeedsSending):
			word = err.Error()
		case err != nil:
			word = err.Error()
			f = bad(mendCourier(err, "sms."+name, "sms."+name), "")
		case f.Result == skipped:
			f = well("")
		}
		said = append(said, name+": "+word)
	}
	f.Says = strings.Join(said, "\n")
	return f
}

// certificateSoon is when a certificate's end is near.
const certificateSoon = 14 * 24 * time.Hour

// pageLimit is how much is read of the phones' page.
const pageLimit = 1 << 20

func (p *patient) checkPocket(ctx context.Context) finding {
	public := p.set.Pocket.PublicURL
	if public == "" {
		return skip("no pocket.public_url is set: the kiosk offers SMS only")
	}
	const serve = "a kiosk or \"keydeskd serve\" has to be running, and the proxy in front to lead to pocket.listen"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/p/", nil)
	if err != nil {
		return bad("", "%v", err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return bad(mendAddress(err, serve), "%v", err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	page, err := io.ReadAll(io.LimitReader(answer.Body, pageLimit))
	switch {
	case err != nil:
		return bad(serve, "%v", err)
	case answer.StatusCode != http.StatusOK:
		return bad(serve, "%s/p/ answers %s", public, answer.Status)
	case !strings.Contains(string(page), "data-pocket="):
		return bad(serve, "%s/p/ is somebody else's page", public)
	}
	if answer.TLS != nil && len(answer.TLS.PeerCertificates) > 0 {
		if left := time.Until(answer.TLS.PeerCertificates[0].NotAfter); left < certificateSoon {
			return warn("renew it", "the certificate ends in %d days", int(left.Hours()/24))
		}
	}
	return well("%s answers", public)
}

func mendAddress(err error, otherwise string) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "phones do not accept this certificate: it has to be valid, for this name, and from an authority that phones know"
	}
	return otherwise
}

package home_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
)

// chaosFor is how long TestChaos breaks things: KEYDESK_CHAOS, or a little.
func chaosFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("KEYDESK_CHAOS")
	if text == "" {
		return 15 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// chaosSeed decides what TestChaos breaks and when: KEYDESK_CHAOS_SEED, or
// another one each time.
func chaosSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("KEYDESK_CHAOS_SEED")
	if text == "" {
		return rand.Uint64() //nolint:gosec // a test's dice
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// A post office takes mail and SMS, and keeps the last code for each recipient.
type postOffice struct {
	mu    sync.Mutex
	codes map[string]string // by address or number
	sms   map[string]int    // by the message's id
	mails int
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{p: p}, nil }

type mailSession struct {
	mailbox
	p  *postOffice
	to string
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.mails++
	if code := sixDigits.FindString(afterHeaders(string(b))); code != "" {
		s.p.codes[s.to] = code
	}
	return err
}

func afterHeaders(mail string) string {
	_, body, _ := strings.Cut(mail, "\r\n\r\n")
	return body
}

func (p *postOffice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ ID, To, Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sms[m.ID]++
	p.codes[m.To] = sixDigits.FindString(m.Text)
}

func (p *postOffice) code(to string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.codes[to]
}

// openPost opens a post office, and returns the settings that send there.
func openPost(t *testing.T) (*postOffice, []string) {
	t.Helper()
	p := &postOffice{codes: map[string]string{}, sms: map[string]int{}}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(p)
	s.Domain = "localhost"
	go s.Serve(l) //nolint:errcheck // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	gateway := httptest.NewServer(p)
	t.Cleanup(gateway.Close)
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p, []string{
		"mail.host=127.0.0.1", "mail.port=" + port, "mail.tls=none", "mail.from=noreply@bedrijf.example",
		"sms.order=webhook", "sms.webhook.url=" + gateway.URL,
	}
}

// A ledger is a log that remembers what was acknowledged.
type ledger struct {
	desk.Log
	mu   sync.Mutex
	acks map[domain.EventID]string
}

func (l *ledger) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	done, err := l.Log.Append(ctx, stream, at, msgs...)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range msgs {
			l.acks[m.ID] = stream
		}
	}
	return done, err
}

// A chaos is an installation of two stations and a login client, over a log
// and a vault that somebody keeps breaking.
type chaos struct {
	t        *testing.T
	lasts    time.Duration
	rng      *rand.Rand
	log      *esdbtest.Server
	vault    *pgtest.Server
	post     *postOffice
	stations []*house
	desks    []chaosDesk // what people stand at, at each station
	wire     *cable      // between the last station and its server
	login    *house
	ledgers  []*ledger

	mu      sync.Mutex
	done    map[string]domain.SubjectID // who was told Gelukt!, by address
	faults  map[string]int              // what was broken, and how often
	refused map[desk.Code]int
}

// A chaosDesk is the desk of a station, direct or at a server.
type chaosDesk interface {
	Begin(ctx context.Context, email, lang string) (desk.View, error)
	View(ctx context.Context, visit string) (desk.View, error)
	ConfirmEmail(ctx context.Context, visit, code string) (desk.View, error)
	Resume(ctx context.Context, visit, password string) (desk.View, error)
	SetNameAndPassword(ctx context.Context, visit, name, password string) (desk.View, error)
	GivePhone(ctx context.Context, visit, number string) (desk.View, error)
	ConfirmPhone(ctx context.Context, visit, code string) (desk.View, error)
	Resend(ctx context.Context, visit string) (desk.View, error)
	ChooseSMS(ctx context.Context, visit string) (desk.View, error)
	End(ctx context.Context, visit string, why desk.WipeReason) error
}

// Two stations enrol people, one of them without keys, at a server, and a login
// client asks for their factors, while log, vault and the wire to the server are
// stopped, cut off, slowed down and restarted. People do what
// the kiosk does for them: the same call again until it has an answer.
// Afterwards every acknowledged event is there once, streams have no gaps, the
// projections are what the log says, and nobody got an SMS twice.
func TestChaos(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("breaks things for a while")
	}
	c := startChaos(t)
	over, stop := context.WithTimeout(t.Context(), c.lasts)
	defer stop()
	var people, others sync.WaitGroup
	others.Go(func() { c.breakThings(over) })
	others.Go(func() { c.askFactors(over) })
	for i := range 2 * len(c.stations) {
		people.Go(func() {
			for n := 0; over.Err() == nil; n++ {
				c.enrol(i%len(c.stations), i, n) //nolint:contextcheck // people go on when no more is broken
			}
		})
	}
	others.Wait()
	c.mend()
	people.Wait()
	c.check()
	t.Logf("%d enrolled; broken: %v; refused: %v; %d mails, %d SMS", len(c.done), c.faults, c.refused, c.post.mails, len(c.post.sms))
}

func startChaos(t *testing.T) *chaos {
	t.Helper()
	seed := chaosSeed(t)
	t.Logf("again with KEYDESK_CHAOS_SEED=%d", seed)
	c := &chaos{
		t: t, lasts: chaosFor(t), rng: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // a test's dice
		log: esdbtest.Start(t, esdbtest.Options{}), vault: pgtest.Start(t, pgtest.Options{}),
		done: map[string]domain.SubjectID{}, faults: map[string]int{}, refused: map[desk.Code]int{},
	}
	post, flags := openPost(t)
	c.post = post
	shared := t.TempDir()
	flags = append(flags, "log.url=esdb://keydesk@"+c.log.Addr(0), "log.ca_file="+c.log.CAFile(),
		"vault.url="+c.vault.URL(c.vault.CreateDatabase(t)), "vault.master_key="+filepath.Join(shared, "master.key"),
		"organisation.domains=bedrijf.example", "organisation.admission=domain",
		"policy.resend_waits=1s", "policy.resends_per_hour=100", "policy.resends_per_day=1000", "policy.station_hour=10000",
		"policy.sms_per_day=1000000", "policy.verified_at_least=0")
	for _, name := range []string{"hall", "desk-2", "login"} {
		h := c.open(name, flags)
		if name == "login" {
			c.login = h
			continue
		}
		l := &ledger{Log: h.Desk.Log, acks: map[domain.EventID]string{}}
		h.Desk.Log = l
		c.stations, c.ledgers, c.desks = append(c.stations, h), append(c.ledgers, l), append(c.desks, h.Desk)
	}
	last := len(c.stations) - 1
	c.wire = layCable(t, c.stations[last].StationsAt())
	c.desks[last] = c.connect(c.stations[last])
	return c
}

// open opens one station's home on the shared log and vault.
func (c *chaos) open(name string, flags []string) *house {
	c.t.Helper()
	secret := filepath.Join(c.t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of the gateway's own\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	from := settings.Sources{
		Home: c.t.TempDir(), Env: []string{"KEYDESK_LOG_PASSWORD=secret"},
		Flags: map[string]string{"kiosk.station": name, "sms.webhook.secret_file": secret},
	}
	for _, f := range flags {
		field, value, _ := strings.Cut(f, "=")
		from.Flags[field] = value
	}
	set, err := settings.Load(from)
	if err != nil {
		c.t.Fatal(err)
	}
	set.Stations.Listen = "127.0.0.1:0"
	h, err := home.Open(c.t.Context(), home.Options{Settings: set, Version: "test", Services: true, Log: zap.NewNop()})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close(context.WithoutCancel(c.t.Context()))); err != nil {
			c.t.Error(err)
		}
	})
	return &house{Home: h, t: c.t}
}

// connect makes a station that holds no keys.
func (c *chaos) connect(h *house) *remote.Client {
	t := c.t
	t.Helper()
	b, err := h.Authority.Bundle("hal-west", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hal-west.pem")
	if err := errors.Join(remote.WriteBundle(file, b), h.Desk.AdmitStation(t.Context(), "hal-west", station.Kiosk, b.Certificate())); err != nil {
		t.Fatal(err)
	}
	client, err := remote.Open("https://"+c.wire.at(), file, remote.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		if _, err = client.Connect(t.Context()); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		client.Close()
	})
	return client
}

// A cable can be cut.
type cable struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func layCable(t *testing.T, to string) *cable {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{l: l, to: to}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			c.join(from)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		c.cut(true)
	})
	return c
}

func (c *cable) at() string { return c.l.Addr().String() }

func (c *cable) join(from net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := net.Dial("tcp", c.to) //nolint:noctx // as short as the test
	if err != nil || c.down {
		_ = from.Close()
		if err == nil {
			_ = to.Close()
		}
		return
	}
	c.conns = append(c.conns, from, to)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].Close()
		}()
	}
}

// cut hangs up on everybody, and on who comes while it is down.
func (c *cable) cut(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// breakThings breaks one thing after the other, in an order that the seed
// decides.
func (c *chaos) breakThings(ctx context.Context) {
	pause := func(least, most time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(least + time.Duration(c.rng.Int64N(int64(most-least)))):
		}
	}
	kinds := []struct {
		name string
		do   func()
	}{
		{"cut before the commit", func() { c.log.CutBeforeCommit(1 + c.rng.IntN(3)) }},
		{"cut after the commit", func() { c.log.CutAfterCommit(1 + c.rng.IntN(3)) }},
		{"rejected early", func() { c.log.RejectEarly(1 + c.rng.IntN(2)) }},
		{"not leader", func() { c.log.NotLeader(1 + c.rng.IntN(3)) }},
		{"subscriptions dropped", c.log.DropSubscriptions},
		{"log slow", func() { c.log.Slow(50 * time.Millisecond); pause(500*time.Millisecond, 2*time.Second); c.log.Slow(0) }},
		{"log frozen", func() { c.log.Freeze(); pause(500*time.Millisecond, 3*time.Second); c.log.Thaw() }},
		{"log stopped", func() { //nolint:contextcheck // it is started again whatever ends
			c.log.Stop()
			pause(100*time.Millisecond, 4*time.Second)
			c.log.Restart()
		}},
		{"wire cut", func() { c.wire.cut(false) }},
		{"wire down", func() { c.wire.cut(true); pause(100*time.Millisecond, 12*time.Second); c.wire.cut(false) }},
		{"vault restarted", func() { //nolint:contextcheck // it is started again whatever ends
			c.vault.Stop(c.t)
			c.vault.StartAgain(c.t)
		}},
		{"vault killed", func() { //nolint:contextcheck // it is started again whatever ends
			c.vault.Kill(c.t)
			pause(100*time.Millisecond, time.Second)
			c.vault.StartAgain(c.t)
		}},
	}
	for {
		pause(200*time.Millisecond, time.Second)
		if ctx.Err() != nil {
			return
		}
		k := kinds[c.rng.IntN(len(kinds))]
		k.do()
		c.mu.Lock()
		c.faults[k.name]++
		c.mu.Unlock()
	}
}

// mend ends what is broken for so many calls to come.
func (c *chaos) mend() {
	c.log.CutBeforeCommit(0)
	c.log.CutAfterCommit(0)
	c.log.RejectEarly(0)
	c.log.NotLeader(0)
}

// patiently makes a call until it has an answer, as the kiosk does.
func (c *chaos) patiently(do func(context.Context) (desk.View, error)) (desk.View, *desk.Refusal) {
	ctx := desk.WithCall(c.t.Context(), desk.NewCall())
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		v, err := do(ctx)
		if err == nil {
			return v, nil
		}
		r, ok := errors.AsType[*desk.Refusal](err)
		if !ok {
			c.t.Errorf("not a refusal: %v", err)
			return v, &desk.Refusal{Code: desk.VisitOver}
		}
		c.mu.Lock()
		c.refused[r.Code]++
		c.mu.Unlock()
		if r.Code != desk.Unavailable && r.Code != desk.Unsure && r.Code != desk.Busy {
			return v, r
		}
		time.Sleep(wait)
	}
}

// enrol is the n-th person of the i-th queue. Whatever is refused sends them
// to where the log says that they are.
func (c *chaos) enrol(at, i, n int) {
	p := &chaosPerson{
		c: c, h: c.stations[at], desk: c.desks[at], email: fmt.Sprintf("p%d-%d@bedrijf.example", i, n),
		phone: fmt.Sprintf("+316%01d%07d", 1+i, n), end: time.Now().Add(c.lasts + time.Minute),
	}
	p.begin()
	for p.view.Screen != desk.ScreenDone {
		if time.Now().After(p.end) {
			c.t.Errorf("%s is stuck at %s: %+v", p.email, p.view.Screen, p.view.Code)
			return
		}
		p.step()
	}
	if err := p.desk.End(c.t.Context(), p.view.Visit, "finished"); err != nil {
		if _, ok := errors.AsType[*desk.Refusal](err); !ok {
			c.t.Error(err)
		}
	}
	s, r := p.subject()
	if r != nil {
		return
	}
	c.mu.Lock()
	c.done[p.email] = s
	c.mu.Unlock()
}

// A chaosPerson stands at a station.
type chaosPerson struct {
	c            *chaos
	h            *house
	desk         chaosDesk
	email, phone string
	end          time.Time
	view         desk.View
	typed        string // the last code that was
}

func (p *chaosPerson) subject() (s domain.SubjectID, r *desk.Refusal) {
	for time.Now().Before(p.end) {
		var err error
		if s, err = p.h.Desk.Subject(p.c.t.Context(), p.email); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return s, &desk.Refusal{}
}

func (p *chaosPerson) begin() {
	for r := (*desk.Refusal)(nil); time.Now().Before(p.end); {
		if p.view, r = p.c.patiently(func(ctx context.Context) (desk.View, error) { return p.desk.Begin(ctx, p.email, "nl") }); r == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// step does what the present screen asks for.
func (p *chaosPerson) step() {
	d, visit := p.desk, p.view.Visit
	var do func(context.Context) (desk.View, error)
	switch p.view.Screen {
	case desk.ScreenEmailCode, desk.ScreenSMSCode:
		do = p.code(d, visit)
	case desk.ScreenResume:
		do = func(ctx context.Context) (desk.View, error) { return d.Resume(ctx, visit, phrase) }
	case desk.ScreenPassword:
		do = func(ctx context.Context) (desk.View, error) { return d.SetNameAndPassword(ctx, visit, name, phrase) }
	case desk.ScreenPhone:
		do = func(ctx context.Context) (desk.View, error) { return d.GivePhone(ctx, visit, p.phone) }
	case desk.ScreenFactor:
		do = func(ctx context.Context) (desk.View, error) { return d.ChooseSMS(ctx, visit) }
	case desk.ScreenDone:
		return
	case desk.ScreenLoginCode, desk.ScreenLoginApproval, desk.ScreenAccount, desk.ScreenNewPhone, desk.ScreenRecoverMail,
		desk.ScreenRecoverHow, desk.ScreenRecoverCode, desk.ScreenFrozen, desk.ScreenTicket:
		panic("nobody logs in here, and all are announced")
	}
	v, r := p.c.patiently(do)
	switch {
	case r == nil:
		p.view = v
	case r.Code == desk.VisitOver:
		p.begin()
	default:
		time.Sleep(100 * time.Millisecond)
		if v, r := p.c.patiently(func(ctx context.Context) (desk.View, error) { return d.View(ctx, visit) }); r == nil {
			p.view = v
		}
	}
}

// code types the code that came, once, and asks for another one when none
// comes or the one that came was not right.
func (p *chaosPerson) code(d chaosDesk, visit string) func(context.Context) (desk.View, error) {
	to, confirm := p.email, d.ConfirmEmail
	if p.view.Screen == desk.ScreenSMSCode {
		to, confirm = p.phone, d.ConfirmPhone
	}
	for wait := time.Now().Add(3 * time.Second); time.Now().Before(wait); time.Sleep(5 * time.Millisecond) {
		if code := p.c.post.code(to); code != "" && code != p.typed {
			p.typed = code
			return func(ctx context.Context) (desk.View, error) { return confirm(ctx, visit, code) }
		}
	}
	p.typed = "" // the same code may come again
	return func(ctx context.Context) (desk.View, error) { return d.Resend(ctx, visit) }
}

// askFactors is the login client: what it was once told of somebody who is
// enrolled never gets worse, and no answer runs ahead of the log.
func (c *chaos) askFactors(ctx context.Context) {
	known := map[domain.SubjectID]factor.Answer{}
	for ctx.Err() == nil {
		c.mu.Lock()
		var all []domain.SubjectID
		for _, s := range c.done {
			all = append(all, s)
		}
		c.mu.Unlock()
		for _, s := range all {
			a := c.login.Factors.Lookup(s)
			was, heard := known[s]
			if !heard { // it may not have heard of them at all
				was.Revision = domain.NoStream
			}
			if was.Factor == enrolment.SMS && a.Factor != enrolment.SMS || a.Revision < was.Revision {
				c.t.Errorf("%s: %+v after %+v", s, a, was)
			}
			known[s] = a
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// check looks at what is left when all is mended.
func (c *chaos) check() {
	t := c.t
	seen, last := map[string]int{}, map[string]domain.Revision{}
	for _, e := range c.log.Events() {
		if strings.HasPrefix(e.Stream, "$") {
			continue
		}
		seen[e.ID.String()]++
		if was, ok := last[e.Stream]; ok && domain.Revision(e.Revision) != was+1 || !ok && e.Revision != 0 {
			t.Errorf("%s: revision %d after %d", e.Stream, e.Revision, was)
		}
		last[e.Stream] = domain.Revision(e.Revision)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("event %s is there %d times", id, n)
		}
	}
	for _, l := range c.ledgers {
		for id, stream := range l.acks {
			if seen[id.String()] != 1 {
				t.Errorf("%s: event %s was acknowledged and is there %d times", stream, id, seen[id.String()])
			}
		}
	}
	for id, n := range c.post.sms {
		if n != 1 {
			t.Errorf("SMS %s was sent %d times", id, n)
		}
	}
	if len(c.done) == 0 {
		t.Error("nobody was enrolled")
	}
	c.checkProjections()
}

// checkProjections compares what each program worked out with a fold of the log.
func (c *chaos) checkProjections() {
	t := c.t
	fresh := factor.New()
	if err := feed.New(c.login.Log, time.Now, fresh).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := encoded(t, fresh)
	for _, h := range append(c.stations, c.login) {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		if err := h.Feed.Reach(ctx, fresh.Position()); err != nil {
			t.Errorf("the projections never got to the end: %v", err)
		}
		cancel()
		if !bytes.Equal(encoded(t, h.Factors), want) {
			t.Errorf("the factors differ: %+v instead of %+v", h.Factors.Counts(), fresh.Counts())
		}
	}
	for address, s := range c.done {
		if a := fresh.Lookup(s); a.Factor != enrolment.SMS || a.State != factor.Active {
			t.Errorf("%s was told Gelukt!, and has %+v", address, a)
		}
	}
}

// encoded is a map as a snapshot, without how far it goes.
func encoded(t *testing.T, m *factor.Map) []byte {
	t.Helper()
	var all []factor.Answer
	m.Snapshot().Changed(0, func(a factor.Answer) bool {
		a.Through = 0
		all = append(all, a)
		return true
	})
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

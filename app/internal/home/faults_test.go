package home_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// types returns the types of a person's events, in order.
func (h *house) types() []string {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), email)
	if err != nil {
		h.t.Fatal(err)
	}
	events, err := h.Log.ReadStream(h.t.Context(), domain.EnrolmentStream(s), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

func count(types []string, want string) (n int) {
	for _, t := range types {
		if t == want {
			n++
		}
	}
	return n
}

func TestTwoStationsOnOneHome(t *testing.T) {
	t.Parallel()
	a := demo(t)
	b := open(t, a.dir, false, "kiosk.station=other")
	ctx := t.Context()
	va := a.must(desk.ScreenEmailCode)(a.Desk.Begin(ctx, email, "nl"))
	code := a.message(1).Code
	vb := b.must(desk.ScreenEmailCode)(b.Desk.Begin(ctx, email, "nl"))

	// Guesses in flight at the same moment count one by one.
	var racing sync.WaitGroup
	for i := range 4 {
		h, v := a, va
		if i%2 == 1 {
			h, v = b, vb
		}
		racing.Go(func() { h.refused(desk.WrongCode)(h.Desk.ConfirmEmail(ctx, v.Visit, "nonsense")) })
	}
	racing.Wait()
	if n := count(a.types(), "CodeRejected"); n != 4 {
		t.Errorf("%d of 4 guesses were recorded", n)
	}
	a.must(desk.ScreenPassword)(a.Desk.ConfirmEmail(ctx, va.Visit, code))
	b.refused(desk.CodeUsed)(b.Desk.ConfirmEmail(ctx, vb.Visit, code))

	// The other station's readers see at once what was done here.
	a.must(desk.ScreenPhone)(a.Desk.SetNameAndPassword(ctx, va.Visit, name, phrase))
	vb = b.must(desk.ScreenEmailCode)(b.Desk.Begin(ctx, email, "nl"))
	vb = b.must(desk.ScreenResume)(b.Desk.ConfirmEmail(ctx, vb.Visit, b.message(2).Code))
	b.must(desk.ScreenPhone)(b.Desk.Resume(ctx, vb.Visit, phrase))

	// Both finish at once: one way, whoever is first, and once.
	va = a.must(desk.ScreenSMSCode)(a.Desk.GivePhone(ctx, va.Visit, number))
	sms := a.message(3).Code
	a.must(desk.ScreenFactor)(a.Desk.ConfirmPhone(ctx, va.Visit, sms))
	racing.Go(func() { a.must(desk.ScreenDone)(a.Desk.ChooseSMS(ctx, va.Visit)) })
	racing.Go(func() { b.must(desk.ScreenDone)(b.Desk.ChooseSMS(ctx, vb.Visit)) })
	racing.Wait()
	if n := count(a.types(), "FactorChosen"); n != 1 {
		t.Errorf("the factor was chosen %d times", n)
	}
}

// lossy is a log whose acknowledgements get lost: every append happens, and
// its answer is that nobody knows.
type lossy struct {
	desk.Log
	mu   sync.Mutex
	lost map[domain.EventID]bool
}

func (l *lossy) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	done, err := l.Log.Append(ctx, stream, at, msgs...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && !l.lost[msgs[0].ID] {
		l.lost[msgs[0].ID] = true
		return domain.Appended{}, fmt.Errorf("cut off: %w", domain.ErrUnknownOutcome)
	}
	return done, err
}

func TestLostAcknowledgements(t *testing.T) {
	t.Parallel()
	h := demo(t)
	config := h.Desk.Config
	config.Log = &lossy{Log: h.Log, lost: map[domain.EventID]bool{}}
	other := *h.Home // h goes on running its own desk
	other.Desk = desk.New(config)
	h.Home = &other
	running, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { h.Desk.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	v := h.toFactor(email, 1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(t.Context(), v.Visit))
	for _, once := range []string{"EnrolmentStarted", "EmailConfirmed", "NameSet", "PasswordSet", "PhoneGiven", "PhoneVerified", "FactorChosen"} {
		if n := count(h.types(), once); n != 1 {
			t.Errorf("%s was recorded %d times", once, n)
		}
	}
}

// down is a log that records nothing for a while.
type down struct {
	desk.Log
	is atomic.Bool
}

func (d *down) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	if d.is.Load() {
		return domain.Appended{}, domain.ErrUnavailable
	}
	return d.Log.Append(ctx, stream, at, msgs...)
}

func TestNothingIsClaimedSavedThatIsNot(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	log := &down{Log: h.Log}
	config := h.Desk.Config
	config.Log = log
	d := desk.New(config)
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { d.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	v := h.must(desk.ScreenEmailCode)(d.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenPassword)(d.ConfirmEmail(ctx, v.Visit, h.message(1).Code))
	log.is.Store(true)
	v = h.refused(desk.Unavailable)(d.SetNameAndPassword(ctx, v.Visit, name, phrase))
	if v.Screen != desk.ScreenPassword {
		t.Errorf("shows %s although nothing was saved", v.Screen)
	}
	log.is.Store(false)
	h.must(desk.ScreenPhone)(d.SetNameAndPassword(ctx, v.Visit, name, phrase))
	if n := count(h.types(), "PasswordSet"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// away is a log that cannot be reached for a while.
type away struct {
	desk.Log
	gone atomic.Bool
}

func (a *away) ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	if a.gone.Load() {
		return nil, domain.ErrUnavailable
	}
	return a.Log.ReadStream(ctx, stream, from)
}

// A visit that began while the log was away goes on when it is back.
func TestAVisitOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	log := &away{Log: h.Log}
	config := h.Desk.Config
	config.Log = log
	d := desk.New(config)
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { d.Run(running); close(ended) }()
	defer func() { stop(); <-ended }()
	log.gone.Store(true)
	for _, address := range []string{email, "x@elders.example"} {
		v := h.must(desk.ScreenEmailCode)(d.Begin(ctx, address, "nl"))
		h.refused(desk.Unavailable)(d.View(ctx, v.Visit))
		h.refused(desk.Unavailable)(d.ConfirmEmail(ctx, v.Visit, "123456"))
		log.gone.Store(false)
		h.must(desk.ScreenEmailCode)(d.View(ctx, v.Visit))
		if address == email {
			h.must(desk.ScreenPassword)(d.ConfirmEmail(ctx, v.Visit, h.message(1).Code))
		}
		log.gone.Store(true)
	}
}

const childHome = "KEYDESK_TEST_CHILD_HOME"

// TestMain lets the test program be a kiosk that gets killed, or the one that erases.
func TestMain(m *testing.M) {
	if os.Getenv(childHome) != "" {
		os.Args = append(os.Args[:1], "-test.run=^TestChildEnrols$", "-test.v")
	}
	if os.Getenv(childErases) != "" {
		os.Args = append(os.Args[:1], "-test.run=^TestChildErases$", "-test.v")
	}
	if os.Getenv(childWorks) != "" {
		os.Args = append(os.Args[:1], "-test.run=^TestChildWorks$", "-test.v")
	}
	os.Exit(m.Run())
}

// TestChildEnrols is the child: it walks on, and after each step says so and
// waits to be told to go on, or to be killed.
func TestChildEnrols(t *testing.T) { //nolint:paralleltest // alone in its program
	dir := os.Getenv(childHome)
	if dir == "" {
		t.Skip("only as a child")
	}
	h := open(t, dir, true)
	ctx, in := t.Context(), bufio.NewScanner(os.Stdin)
	step := func(v desk.View, err error) desk.View {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\nstands at %s\n", v.Screen)
		in.Scan()
		return v
	}
	v := step(h.Desk.Begin(ctx, email, "nl"))
	v = step(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(1).Code))
	v = step(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = step(h.Desk.GivePhone(ctx, v.Visit, number))
	v = step(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(2).Code))
	step(h.Desk.ChooseSMS(ctx, v.Visit))
}

// A kiosk that is killed at any step, without warning, has lost nothing of
// what it said was done: the person goes on from there at another.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills six programs")
	}
	steps := []struct {
		at     desk.Screen
		resume []desk.Screen // after the e-mail address was proved again
	}{
		{at: desk.ScreenEmailCode, resume: []desk.Screen{desk.ScreenPassword}},
		{at: desk.ScreenPassword, resume: []desk.Screen{desk.ScreenPassword}},
		{at: desk.ScreenPhone, resume: []desk.Screen{desk.ScreenResume, desk.ScreenPhone}},
		{at: desk.ScreenSMSCode, resume: []desk.Screen{desk.ScreenResume, desk.ScreenSMSCode}},
		{at: desk.ScreenFactor, resume: []desk.Screen{desk.ScreenResume, desk.ScreenFactor}},
		{at: desk.ScreenDone},
	}
	for i, s := range steps {
		t.Run(string(s.at), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			killAfter(t, dir, i+1, s.at)
			h := open(t, dir, false)
			if s.at == desk.ScreenDone {
				if f := h.factorSoon(email); f != enrolment.SMS {
					t.Errorf("the factor is %s", f)
				}
				return
			}
			h.resume(s.resume)
		})
	}
}

// resume begins again and walks to the screens given.
func (h *house) resume(screens []desk.Screen) {
	h.t.Helper()
	ctx := h.t.Context()
	before := len(h.outbox())
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	v = h.must(desk.ScreenEmailCode)(h.Desk.View(ctx, v.Visit))
	if before == 0 && v.Code.Left < 10*time.Minute {
		// Killed between the counting and the sending: there is no code, and the
		// wait for one is the usual one.
		if v.Code.ResendIn <= 0 || v.Code.ResendIn > 30*time.Second {
			h.t.Errorf("no code is open, and E3 shows %+v", v.Code)
		}
		return
	}
	code := ""
	if v.Code.Left > 10*time.Minute { // a mail is on its way; else the last one counts
		code = h.message(before + 1).Code
	} else {
		code = h.message(before).Code
	}
	next := h.must(screens[0])(h.Desk.ConfirmEmail(ctx, v.Visit, code))
	if len(screens) > 1 {
		h.must(screens[1])(h.Desk.Resume(ctx, next.Visit, phrase))
	}
}

func (h *house) outbox() []courier.Item {
	h.t.Helper()
	items, err := h.Outbox.List(0)
	if err != nil {
		h.t.Fatal(err)
	}
	return items
}

// killAfter starts the child, lets it take so many steps, and kills it.
func killAfter(t *testing.T, dir string, steps int, at desk.Screen) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very test
	child.Env = append(os.Environ(), childHome+"="+dir)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait() //nolint:errcheck // it was killed
	var all strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		stands, ok := strings.CutPrefix(lines.Text(), "stands at ")
		if !ok {
			continue
		}
		if steps--; steps > 0 {
			fmt.Fprintln(in)
			continue
		}
		if stands != string(at) {
			t.Errorf("killed at %s instead of %s", stands, at)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("the child ended by itself:\n%s", all.String())
}

func (h *house) factorSoon(email string) enrolment.Factor {
	h.t.Helper()
	select {
	case <-h.Feed.CaughtUp():
	case <-time.After(deadline):
		h.t.Fatal("the projections never caught up")
	}
	return h.factor(email)
}

// vague is a log that, once broken, loses the answer to one append and refuses
// all others.
type vague struct {
	desk.Log
	broken, lost atomic.Bool
}

func (l *vague) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	if l.broken.Load() && l.lost.Swap(true) {
		return domain.Appended{}, fmt.Errorf("locked: %w", domain.ErrUnavailable)
	}
	done, err := l.Log.Append(ctx, stream, at, msgs...)
	if err == nil && l.broken.Load() {
		return domain.Appended{}, fmt.Errorf("cut off: %w", domain.ErrUnknownOutcome)
	}
	return done, err
}

// Nobody is told that nothing was saved when something may have been.
func TestAnUnknownOutcomeStaysUnknown(t *testing.T) {
	t.Parallel()
	h := demo(t)
	log := &vague{Log: h.Log}
	config := h.Desk.Config
	config.Log = log
	d := desk.New(config) // nobody runs it: no mail is sent, and only the guess meets the broken log
	v := h.must(desk.ScreenEmailCode)(d.Begin(t.Context(), email, "nl"))
	h.must(desk.ScreenEmailCode)(d.View(t.Context(), v.Visit))
	log.broken.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	h.refused(desk.Unsure)(d.ConfirmEmail(ctx, v.Visit, "nonsense"))
	if n := count(h.types(), "CodeRejected"); n != 1 {
		t.Errorf("the guess was recorded %d times", n)
	}
}

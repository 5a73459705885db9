package home_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
)

// kinds are those whom a station must not be able to tell apart.
var kinds = []string{"admitted", "enrolled", "unknown"}

// enrolled fills a demo with people who are enrolled already.
func (h *house) enrolled(n int) []string {
	h.t.Helper()
	var addresses []string
	for i := range n {
		address := fmt.Sprintf("enrolled%d@%s", i, "voorbeeld.nl")
		v := h.toFactor(address, 2*i+1)
		h.must(desk.ScreenDone)(h.Desk.ChooseSMS(h.t.Context(), v.Visit))
		addresses = append(addresses, address)
	}
	return addresses
}

// What a station shows and how long it takes tell nothing about an address.
func TestStrangersAreToldApartByNothing(t *testing.T) { //nolint:paralleltest // it measures times
	if testing.Short() {
		t.Skip("it measures times, alone on the machine")
	}
	h := open(t, t.TempDir(), true, "policy.station_hour=1000")
	ctx := t.Context()
	const rounds, known = 40, 6
	enrolled := h.enrolled(known)
	took := map[string]map[string][]time.Duration{"begin": {}, "wrong code": {}}
	for i := range rounds {
		for _, kind := range kinds {
			if kind == "enrolled" && i >= known {
				continue
			}
			address := map[string]string{
				"admitted": fmt.Sprintf("new%d@voorbeeld.nl", i),
				"enrolled": enrolled[i%known],
				"unknown":  fmt.Sprintf("stranger%d@elders.example", i),
			}[kind]
			began := time.Now()
			v, err := h.Desk.Begin(ctx, address, "nl")
			took["begin"][kind] = append(took["begin"][kind], time.Since(began))
			if err != nil {
				t.Fatal(err)
			}
			if v.Screen != desk.ScreenEmailCode || v.Name != "" || v.Phone != (desk.PhoneView{}) || v.Again {
				t.Errorf("%s: E3 shows %+v", kind, v)
			}
			if _, err := h.Desk.View(ctx, v.Visit); err != nil { // until it is known who this is
				t.Fatal(err)
			}
			began = time.Now()
			v, err = h.Desk.ConfirmEmail(ctx, v.Visit, "1234567")
			took["wrong code"][kind] = append(took["wrong code"][kind], time.Since(began))
			if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != desk.WrongCode || r.Left != 4 {
				t.Errorf("%s: a wrong code gets %v", kind, err)
			}
			if v.Code.Tries != 4 || v.Code.Delivery != desk.Delivered || v.Code.Left < 14*time.Minute {
				t.Errorf("%s: after a wrong code E3 shows %+v", kind, v.Code)
			}
		}
	}
	for what, byKind := range took {
		var least, most time.Duration
		var all []time.Duration
		for kind, times := range byKind {
			all = append(all, times...)
			slices.Sort(times)
			median := times[len(times)/2]
			t.Logf("%s, %s: median %s of %d", what, kind, median, len(times))
			if least == 0 || median < least {
				least = median
			}
			most = max(most, median)
		}
		slices.Sort(all)
		noise := all[len(all)*3/4] - all[len(all)/4] // half of all answers differ by no more
		if most-least > 10*time.Millisecond+noise {
			t.Errorf("%s: the medians are %s apart, and half of all answers differ by %s", what, most-least, noise)
		}
	}
}

// All limits hold for everybody alike.
func TestStrangersAreLimitedAlike(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	enrolled := h.enrolled(1)[0]
	for kind, address := range map[string]string{"admitted": email, "enrolled": enrolled, "unknown": "x@elders.example"} {
		v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
		if v.Code.ResendIn <= 0 || v.Code.ResendIn > 30*time.Second {
			t.Errorf("%s: may be sent again in %s", kind, v.Code.ResendIn)
		}
		_, err := h.Desk.Resend(ctx, v.Visit)
		if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != desk.Limited || r.Wait <= 0 || r.Wait > 30*time.Second {
			t.Errorf("%s: sending again at once gets %v", kind, err)
		}
		for left := 4; left >= 0; left-- {
			v, err = h.Desk.ConfirmEmail(ctx, v.Visit, "nonsense")
			r, ok := errors.AsType[*desk.Refusal](err)
			if want := desk.WrongCode; !ok || left > 0 && (r.Code != want || r.Left != left) || left == 0 && r.Code != desk.CodeEnded {
				t.Errorf("%s: with %d left, a wrong code gets %v", kind, left, err)
			}
		}
		if v.Code.Left != 0 {
			t.Errorf("%s: an ended code works for %s", kind, v.Code.Left)
		}
		_, err = h.Desk.ConfirmEmail(ctx, v.Visit, "nonsense")
		if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != desk.CodeEnded {
			t.Errorf("%s: after the last guess: %v", kind, err)
		}
	}
}

// A decoy has no code, so nothing that is typed can be it: not even nothing.
func TestNoCodeOpensADecoy(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, "x@elders.example", "nl"))
	for _, typed := range []string{"", " ", "000000", "-"} {
		h.refused(desk.WrongCode)(h.Desk.ConfirmEmail(ctx, v.Visit, typed))
	}
	for _, step := range []func() (desk.View, error){
		func() (desk.View, error) { return h.Desk.Restart(ctx, v.Visit) },
		func() (desk.View, error) { return h.Desk.Resume(ctx, v.Visit, phrase) },
		func() (desk.View, error) { return h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase) },
		func() (desk.View, error) { return h.Desk.GivePhone(ctx, v.Visit, number) },
		func() (desk.View, error) { return h.Desk.ConfirmPhone(ctx, v.Visit, "") },
		func() (desk.View, error) { return h.Desk.ChooseSMS(ctx, v.Visit) },
		func() (desk.View, error) { return h.Desk.OfferPairing(ctx, v.Visit) },
		func() (desk.View, error) { return h.Desk.ConfirmPairing(ctx, v.Visit, "000000") },
	} {
		if shown := h.refused(desk.OutOfOrder)(step()); shown.Screen != desk.ScreenEmailCode || shown.Name != "" {
			t.Errorf("shows %+v", shown)
		}
	}
}

// seen is the view of a visit, once it is known whose it is.
func (h *house) seen(ctx context.Context, v desk.View) desk.View {
	h.t.Helper()
	return h.must(desk.ScreenEmailCode)(h.Desk.View(ctx, v.Visit))
}

// A visit is woken by nothing that happens to a known person only, before that
// person has proved to be there.
func TestStrangersAreWokenAlike(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	w := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, "x@elders.example", "nl"))
	code := h.message(1).Code
	for end := time.Now().Add(deadline); count(h.types(), "CodeSent") == 0 && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
	for range 20 {
		if known, unknown := h.seen(t.Context(), v).Version, h.seen(t.Context(), w).Version; known != unknown {
			t.Fatalf("version %d of a known person's view, %d of a stranger's", known, unknown)
		}
		time.Sleep(5 * time.Millisecond)
	}
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, code))
	before := v.Version
	h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	if v, err := h.Desk.Await(ctx, v.Visit, before); err != nil || v.Version == before {
		t.Errorf("once proved, the visit hears of events: version %d, %v", v.Version, err)
	}
}

// A server that refuses one recipient for now is no outage: nothing would be
// seen of it for an address that nobody may enrol with.
func TestOneMailRefusedForNowIsNoOutage(t *testing.T) {
	t.Parallel()
	refused := make(chan struct{}, 16)
	h := open(t, t.TempDir(), false, "mail.host=127.0.0.1", "mail.tls=none", "mail.from=keydesk@example.org",
		"mail.port="+greylisting(t, refused))
	if _, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: "known@example.org"}, "batch"); err != nil {
		t.Fatal(err)
	}
	v := h.seen(t.Context(), h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), "known@example.org", "nl")))
	<-refused
	s, err := h.Desk.Subject(t.Context(), "known@example.org")
	for end := time.Now().Add(deadline); err == nil && h.Board.Counts().People > 0 && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		events, failed := h.Log.ReadStream(t.Context(), domain.EnrolmentStream(s), 0)
		if err = failed; len(events) > 0 && events[len(events)-1].Type == "CodeUndeliverable" {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err = h.Desk.Await(waitBriefly(t), v.Visit, v.Version)
	if err == nil {
		t.Errorf("something changed: %+v", v.Code)
	}
}

// waitBriefly is long enough for what would follow at once.
func waitBriefly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// greylisting is a mail server that takes no recipient, and its port.
func greylisting(t *testing.T, refused chan<- struct{}) (port string) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	talk := func(c net.Conn) {
		defer c.Close() //nolint:errcheck // a test's
		said := bufio.NewScanner(c)
		for answer := "220 ready"; ; {
			if _, err := io.WriteString(c, answer+"\r\n"); err != nil || !said.Scan() {
				return
			}
			if answer = "250 well"; strings.HasPrefix(said.Text(), "RCPT") {
				answer = "450 4.2.0 later"
				refused <- struct{}{}
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c)
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// When nothing may be sent, the code that was sent last goes on working,
// however little is left of it.
func TestNoCodeEndsUnsent(t *testing.T) {
	t.Parallel()
	var c clock
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	begin := func() desk.View { return h.seen(ctx, h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))) }
	begin()
	c.pass(9*time.Minute + 50*time.Second)
	begin() // the same code again: five minutes are left of it
	c.pass(15 * time.Second)
	v := begin() // too early for another mail
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(2).Code))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	give := func() { v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number)) }
	give()
	c.pass(4*time.Minute + 50*time.Second)
	give()
	c.pass(15 * time.Second)
	give()
	h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(4).Code))
}

// shown is what a visit at E3 tells, apart from what differs between any two
// visits.
type shown struct {
	code  desk.CodeView
	wrong desk.Code
	left  int
	after desk.CodeView
}

// look shows what a station tells about an address to somebody who guesses.
func (h *house) look(address string) shown {
	h.t.Helper()
	ctx := h.t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
	v = h.must(desk.ScreenEmailCode)(h.Desk.View(ctx, v.Visit))
	return h.guess(ctx, v)
}

func (h *house) guess(ctx context.Context, v desk.View) shown {
	h.t.Helper()
	after, err := h.Desk.ConfirmEmail(ctx, v.Visit, "nonsense")
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		h.t.Fatalf("a guess gets %v", err)
	}
	return shown{rounded(v.Code), r.Code, r.Left, rounded(after.Code)}
}

func rounded(c desk.CodeView) desk.CodeView {
	c.Left, c.ResendIn = c.Left.Round(10*time.Second), c.ResendIn.Round(10*time.Second)
	return c
}

// Nor does another station tell, nor the same one after it was started anew.
func TestAnotherStationTellsNoMore(t *testing.T) {
	t.Parallel()
	h := demo(t)
	other := open(t, h.dir, false, "kiosk.station=other")
	told := map[string]shown{}
	for kind, address := range map[string]string{"admitted": email, "unknown": "x@elders.example"} {
		h.look(address)
		told[kind] = other.look(address)
	}
	if told["admitted"] != told["unknown"] {
		t.Errorf("of somebody who is admitted:\n%+v\nof a stranger:\n%+v", told["admitted"], told["unknown"])
	}
}

// Who only typed an address hears nothing of what its owner does meanwhile.
func TestNobodyHearsOfAnothersSteps(t *testing.T) {
	t.Parallel()
	h := demo(t)
	other := open(t, h.dir, false, "kiosk.station=other")
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	mine := h.message(1).Code
	eve := other.must(desk.ScreenEmailCode)(other.Desk.Begin(ctx, email, "nl"))
	stranger := other.must(desk.ScreenEmailCode)(other.Desk.Begin(ctx, "x@elders.example", "nl"))
	same := func(when string) {
		t.Helper()
		eve := other.must(desk.ScreenEmailCode)(other.Desk.View(ctx, eve.Visit))
		if eve.Version != 1 {
			t.Errorf("%s: the visit was woken, to version %d", when, eve.Version)
		}
		got := other.guess(ctx, eve)
		if got.wrong != desk.WrongCode || got.code.Tries != got.left+1 {
			t.Errorf("%s: the visit hears %+v", when, got)
		}
	}
	same("at first")
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, mine))
	same("once the address is confirmed")
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	v = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(2).Code))
	same("on the way")
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit))
	same("once enrolled")
	if got := other.guess(ctx, stranger); got.wrong != desk.WrongCode || got.left != 4 {
		t.Errorf("a stranger hears %+v", got)
	}
}

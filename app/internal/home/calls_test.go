package home_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
)

// mute is a log that records, and does not say so to a call that is made with
// once; then whoever asked gives up.
type mute struct{ desk.Log }

type giveUp struct{}

func (m *mute) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	done, err := m.Log.Append(ctx, stream, at, msgs...)
	if leave, ok := ctx.Value(giveUp{}).(context.CancelFunc); err == nil && ok {
		leave()
		return domain.Appended{}, domain.ErrUnknownOutcome
	}
	return done, err
}

// once makes a call of which only the log knows what came of it.
func (m *mute) once(ctx context.Context, do func(context.Context) (desk.View, error)) (desk.View, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return do(context.WithValue(ctx, giveUp{}, cancel))
}

// Each step's outcome is lost for good, and the same call is made again: what
// was recorded is found, nothing is there twice and nothing is sent twice.
func TestACallThatIsMadeAgain(t *testing.T) {
	t.Parallel()
	h := demo(t)
	log := &mute{Log: h.Log}
	h.over(log)

	twice := func(lead desk.Screen, do func(context.Context) (desk.View, error)) desk.View {
		t.Helper()
		ctx := desk.WithCall(t.Context(), desk.NewCall())
		h.refused(desk.Unsure)(log.once(ctx, do))
		return h.must(lead)(do(ctx))
	}
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	code := h.message(1).Code
	h.recorded("CodeSent", 1)

	// A wrong guess is one guess.
	wrong := func(ctx context.Context) (desk.View, error) { return h.Desk.ConfirmEmail(ctx, v.Visit, "nonsense") }
	guess := desk.WithCall(t.Context(), desk.NewCall())
	h.refused(desk.Unsure)(log.once(guess, wrong))
	h.refused(desk.WrongCode)(wrong(guess))
	h.recorded("CodeRejected", 1)

	v = twice(desk.ScreenPassword, func(ctx context.Context) (desk.View, error) { return h.Desk.ConfirmEmail(ctx, v.Visit, code) })
	v = twice(desk.ScreenPhone, func(ctx context.Context) (desk.View, error) {
		return h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase)
	})
	v = twice(desk.ScreenSMSCode, func(ctx context.Context) (desk.View, error) { return h.Desk.GivePhone(ctx, v.Visit, number) })
	h.recorded("CodeSent", 2)
	v = twice(desk.ScreenFactor, func(ctx context.Context) (desk.View, error) {
		return h.Desk.ConfirmPhone(ctx, v.Visit, h.message(2).Code)
	})
	twice(desk.ScreenFactor, func(ctx context.Context) (desk.View, error) { return h.Desk.OfferPairing(ctx, v.Visit) })
	if v, err := h.Desk.View(t.Context(), v.Visit); err != nil || v.Pocket.URL == "" {
		t.Errorf("no QR code after the second try: %v", err)
	}
	twice(desk.ScreenDone, func(ctx context.Context) (desk.View, error) { return h.Desk.ChooseSMS(ctx, v.Visit) })

	for _, once := range []string{
		"EnrolmentStarted", "EmailConfirmed", "NameSet", "PasswordSet", "PhoneGiven", "PhoneVerified", "PairingOffered", "FactorChosen",
	} {
		h.recorded(once, 1)
	}
	h.recorded("CodeIssued", 2)
	if items, err := h.Outbox.List(0); err != nil || len(items) != 2 {
		t.Errorf("%d messages were sent, %v", len(items), err)
	}
}

// The same help code comes back, and stands in the log once; also with the
// station, for somebody who has proved nothing.
func TestAHelpCodeThatIsAskedForAgain(t *testing.T) {
	t.Parallel()
	h := demo(t)
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	call := desk.WithCall(t.Context(), desk.NewCall())
	first, err := h.Desk.HelpCode(call, v.Visit)
	if err != nil || len(first) != 5 {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := h.Desk.HelpCode(call, v.Visit); err != nil || again != first {
		t.Errorf("%q, then %q, %v", first, again, err)
	}
	if other, err := h.Desk.HelpCode(t.Context(), v.Visit); err != nil || other == first {
		t.Errorf("another call got the same code: %v", err)
	}
	events, err := h.Log.ReadStream(t.Context(), domain.StationPrefix+h.Station, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Type == "HelpCodeShown" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d help codes stand in the log", n)
	}
}

// A visit is its own station's; stamps, limits and notes say which that is.
func TestAnotherStationsVisit(t *testing.T) {
	t.Parallel()
	h := demo(t)
	hall, desk2 := h.Desk.At("hall"), h.Desk.At("desk-2")
	v := h.must(desk.ScreenEmailCode)(hall.Begin(t.Context(), email, "nl"))
	h.refused(desk.VisitOver)(desk2.View(t.Context(), v.Visit))
	h.refused(desk.VisitOver)(desk2.ConfirmEmail(t.Context(), v.Visit, h.message(1).Code))
	if err := desk2.End(t.Context(), v.Visit, "stopped"); err != nil {
		t.Fatal(err)
	}
	h.must(desk.ScreenPassword)(hall.ConfirmEmail(t.Context(), v.Visit, h.message(1).Code))
	for stream, want := range map[string]int{"station-hall": 0, "station-desk-2": 1} {
		if events, err := h.Log.ReadStream(t.Context(), stream, 0); err != nil || len(events) != want {
			t.Errorf("%s holds %d events, %v", stream, len(events), err)
		}
	}
}

// recorded waits until so many events of a type stand in the person's stream.
func (h *house) recorded(kind string, want int) {
	h.t.Helper()
	n := 0
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if n = count(h.types(), kind); n >= want {
			break
		}
	}
	if n != want {
		h.t.Errorf("%d of %s instead of %d", n, kind, want)
	}
}

// Whoever chooses their calls themselves gains nothing by one that was used for
// something else: not within a visit, and not in another one.
func TestACallThatWasUsedForSomethingElse(t *testing.T) {
	t.Parallel()
	h := demo(t)
	call := desk.WithCall(t.Context(), desk.NewCall())
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(call, email, "nl"))
	code := h.message(1).Code
	h.recorded("CodeSent", 1)
	h.refused(desk.OutOfOrder)(h.Desk.ConfirmEmail(call, v.Visit, "nonsense"))
	h.refused(desk.OutOfOrder)(h.Desk.SetNameAndPassword(call, v.Visit, name, phrase))

	// The call that confirmed in this visit confirms nothing else, and nothing in the next.
	confirm := desk.WithCall(t.Context(), desk.NewCall())
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(confirm, v.Visit, code))
	h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(confirm, v.Visit, code)) // the answer was lost
	h.refused(desk.OutOfOrder)(h.Desk.SetNameAndPassword(confirm, v.Visit, name, phrase))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(t.Context(), v.Visit, name, phrase))
	set := desk.WithCall(t.Context(), desk.NewCall())
	h.must(desk.ScreenPhone)(h.Desk.SetLanguage(set, v.Visit, "en"))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(set, v.Visit, number)) // a language is nothing to find
	h.refused(desk.OutOfOrder)(h.Desk.ConfirmPhone(set, v.Visit, "nonsense"))
	h.recorded("CodeSent", 2)
	h.refused(desk.WrongCode)(h.Desk.ConfirmPhone(t.Context(), v.Visit, "nonsense"))
	h.recorded("PhoneVerified", 0)

	again := h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	h.refused(desk.WrongCode)(h.Desk.ConfirmEmail(confirm, again.Visit, "nonsense"))
	again = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(t.Context(), again.Visit, h.message(3).Code))
	h.refused(desk.MovedOn)(h.Desk.SetNameAndPassword(set, again.Visit, name, "Another-Fiets-Regen7!Molen"))
	h.refused(desk.WrongPassword)(h.Desk.Resume(call, again.Visit, "nonsense"))
	for _, reused := range []context.Context{confirm, set, call} {
		h.refused(desk.OutOfOrder)(h.Desk.SetNameAndPassword(reused, again.Visit, name, "Another-Fiets-Regen7!Molen"))
	}
	if v, err := h.Desk.View(t.Context(), again.Visit); err != nil || v.Screen != desk.ScreenResume || v.Name != "" {
		t.Errorf("%s, %q, %v", v.Screen, v.Name, err)
	}
}

// A station that begins visits without end fills neither memory nor vault, and
// holds up no other.
func TestAStationHasSoManyVisits(t *testing.T) {
	t.Parallel()
	h := demo(t)
	west := h.Desk.At("hal-west")
	var first desk.View
	for n := range 100 {
		v := h.must(desk.ScreenEmailCode)(west.Begin(t.Context(), fmt.Sprintf("p%d@voorbeeld.nl", n), "nl"))
		if n == 0 {
			first = v
		}
	}
	h.refused(desk.Busy)(west.Begin(t.Context(), email, "nl"))
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), email, "nl"))
	if err := west.End(t.Context(), first.Visit, "stopped"); err != nil {
		t.Fatal(err)
	}
	last := h.must(desk.ScreenEmailCode)(west.Begin(t.Context(), "p100@voorbeeld.nl", "nl"))
	h.refused(desk.CodeExpired)(west.ConfirmEmail(t.Context(), last.Visit, "nonsense")) // it waits until it is known who this is
	claims := 0
	if err := h.Vault.Emails(t.Context(), func(domain.SubjectID, [32]byte) bool { claims++; return true }); err != nil {
		t.Fatal(err)
	}
	if claims > 61 { // a station may have 60 codes sent in an hour
		t.Errorf("%d addresses were claimed", claims)
	}
}

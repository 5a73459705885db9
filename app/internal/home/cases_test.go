package home_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/staff"
)

// Two members of staff, who have nothing to do with whoever enrols.
var (
	anna = desk.Agent{Subject: domain.SubjectID{0xa}, Role: domain.RoleHelpdesk}
	bram = desk.Agent{Subject: domain.SubjectID{0xb}, Role: domain.RoleApprover}
)

// request is what Anna asks for about somebody who stands before her.
func request(s domain.SubjectID, a enrolment.Action) desk.CaseRequest {
	return desk.CaseRequest{Subject: s, Action: a, Reason: a.Reasons()[0], Evidence: []enrolment.Evidence{enrolment.SawPass}}
}

// bare is without evidence.
func bare(c desk.CaseRequest) desk.CaseRequest {
	c.Evidence = nil
	return c
}

func isRefusal(err error, code desk.Code) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	return ok && r.Code == code
}

// stage returns a step of a case, which has to be at a stage.
func (h *house) stage(want desk.CaseStage) func(desk.CaseView, error) desk.CaseView {
	return func(v desk.CaseView, err error) desk.CaseView {
		h.t.Helper()
		if err != nil {
			h.t.Fatalf("on the way to %s: %v", want, err)
		}
		if v.Stage != want {
			h.t.Fatalf("the case is %s instead of %s", v.Stage, want)
		}
		return v
	}
}

func (h *house) refusedCase(code desk.Code) func(desk.CaseView, error) {
	return func(_ desk.CaseView, err error) {
		h.t.Helper()
		if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != code {
			h.t.Fatalf("got %v, want a refusal for %s", err, code)
		}
	}
}

// says waits for a message behind the n-th, on a channel, that says something.
func (h *house) says(n int, by courier.Channel, words string) courier.Item {
	h.t.Helper()
	return h.wait(n, func(m courier.Item) bool { return m.Channel == by && strings.Contains(m.Text, words) })
}

func TestAResetTakesASecondPerson(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	n := h.messages()
	c := request(s, enrolment.Resetting)
	c.Ticket = "  INC-0042 "
	h.refusedCase(desk.NotStaff)(h.Desk.RequestCase(ctx, desk.Agent{}, c))
	h.refusedCase(desk.OwnAccount)(h.Desk.RequestCase(ctx, desk.Agent{Subject: s, Role: domain.RoleAdmin}, c))
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, c))
	if v.By != anna.Subject.String() || !slices.Equal(v.Evidence, c.Evidence) || !v.Ticket || v.Expires.IsZero() {
		t.Errorf("the case is %+v", v)
	}
	if ticket, err := h.Desk.CaseTicket(ctx, s, v.Case); err != nil || ticket != "INC-0042" {
		t.Errorf("its ticket is %q, %v", ticket, err)
	}
	mail, sms := h.says(n, courier.ByMail, "aanmelding opnieuw"), h.says(n, courier.BySMS, "Niet jij?")
	if mail.To != email || sms.To != e164 {
		t.Errorf("told %s and %s", mail.To, sms.To)
	}
	again := c
	h.refusedCase(desk.CaseOpen)(h.Desk.RequestCase(ctx, bram, again))
	h.refusedCase(desk.SecondPerson)(h.Desk.ApproveCase(ctx, anna, s, v.Case))
	h.refusedCase(desk.OwnAccount)(h.Desk.ApproveCase(ctx, desk.Agent{Subject: s, Role: domain.RoleApprover}, s, v.Case))
	h.refusedCase(desk.NoCase)(h.Desk.ApproveCase(ctx, bram, s, "ABCD-EFGH"))
	if h.factor(email) != enrolment.Pocket {
		t.Fatal("what was only asked for was done")
	}
	open, err := h.Desk.OpenCases(ctx)
	if err != nil || len(open) != 1 || open[0].Case != v.Case || open[0].Subject != s || open[0].Stage != desk.CaseWaiting {
		t.Fatalf("open are %+v, %v", open, err)
	}
	n = h.messages()
	v = h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	if v.Second != bram.Subject.String() {
		t.Errorf("approved by %s", v.Second)
	}
	h.says(n, courier.ByMail, "Dat is nu gedaan")
	if got := h.says(n, courier.BySMS, "begint opnieuw"); got.To != e164 { // which counts no more
		t.Errorf("the old number is not told, but %s", got.To)
	}
	if h.factor(email) != enrolment.NoFactor {
		t.Error("the factor is still there")
	}
	if _, err := phone.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the phone still counts: %v", err)
	}
	if open, err := h.Desk.OpenCases(ctx); err != nil || len(open) != 0 {
		t.Errorf("still open: %+v, %v", open, err)
	}
	h.refused(desk.WrongLogin)(h.Desk.Login(ctx, email, phrase, "nl"))
	h.quiet()
	h.withSMS()
}

// The same call again asks for nothing twice, and tells nobody twice.
func TestACallOfStaffIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	h := demo(t)
	s := h.withSMS()
	n := h.messages()
	ctx := desk.WithCall(t.Context(), desk.NewCall())
	first := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
	again := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
	if first.Case != again.Case {
		t.Errorf("case %s, and then %s", first.Case, again.Case)
	}
	h.says(n, courier.ByMail, "aanmelding opnieuw")
	h.says(n, courier.BySMS, "Niet jij?")
	h.quiet()
	if got := count(h.events(domain.EnrolmentStream(s)), "RecoveryRequested"); got != 1 || h.messages() != n+2 {
		t.Errorf("%d requests, %d messages", got, h.messages()-n)
	}
	ctx = desk.WithCall(t.Context(), desk.NewCall())
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, first.Case))
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, first.Case))
	// A name is for one case.
	c := request(s, enrolment.Unlocking)
	c.Case = first.Case
	h.refusedCase(desk.NothingToDo)(h.Desk.RequestCase(t.Context(), anna, c))
	c.Action, c.Reason, c.Evidence = enrolment.Freezing, enrolment.CaseSuspicion, nil
	h.refusedCase(desk.CaseOpen)(h.Desk.RequestCase(t.Context(), anna, c))
	c.Case = "not a case"
	h.refusedCase(desk.NoCase)(h.Desk.RequestCase(t.Context(), anna, c))
}

// From afar it waits for a day; then it is done once, whoever does it.
func TestFromAfarItIsDoneADayLater(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	s, err := h.Desk.AddToRoster(ctx, desk.Person{Email: email, Phone: "0687654321"}, "b")
	if err != nil {
		t.Fatal(err)
	}
	h.withSMS()
	r := request(s, enrolment.Resetting)
	r.Remote, r.Case = true, h.Desk.NewCase()
	h.refusedCase(desk.NoEvidence)(h.Desk.RequestCase(ctx, anna, r))
	r.Evidence = []enrolment.Evidence{enrolment.CalledBack}
	h.refusedCase(desk.NoEvidence)(h.Desk.RequestCase(ctx, anna, r)) // at which number?
	for by, id := range map[desk.Agent]string{anna: h.Desk.NewCase(), bram: r.Case} {
		if _, err := h.Desk.ShowHRNumber(ctx, by, s, id); err != nil {
			t.Fatal(err)
		}
	}
	h.refusedCase(desk.NoEvidence)(h.Desk.RequestCase(ctx, anna, r)) // another's, or another case's
	if n, err := h.Desk.ShowHRNumber(ctx, anna, s, r.Case); err != nil || n.E164 != "+31687654321" {
		t.Fatalf("shows %+v, %v", n, err)
	}
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, r))
	n := h.messages()
	v = h.stage(desk.CaseApproved)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	if wait := v.NotBefore.Sub(c.now()); wait < 23*time.Hour || wait > 24*time.Hour {
		t.Errorf("it waits for %s", wait)
	}
	h.says(n, courier.ByMail, "nog 24 uur")
	h.says(n, courier.BySMS, "niet meteen")
	h.refusedCase(desk.TooEarly)(h.Desk.CarryOut(ctx, s, v.Case))
	c.pass(24*time.Hour - time.Minute)
	h.Desk.CarryOutDue(ctx)
	if h.factor(email) != enrolment.SMS {
		t.Fatal("it was done too early")
	}
	c.pass(2 * time.Minute)
	n = h.messages()
	other := open(t, h.dir, false) // another program on the same home, whose clock is a day behind
	if err := other.Desk.StopCase(ctx, "0000-0000-0000"); !isRefusal(err, desk.NoCase) {
		t.Errorf("no code: %v", err)
	}
	done := make(chan struct{})
	go func() { h.Desk.At("elsewhere").CarryOutDue(ctx); close(done) }()
	h.Desk.CarryOutDue(ctx)
	<-done
	h.says(n, courier.ByMail, "Dat is nu gedaan")
	if got := count(h.events(domain.EnrolmentStream(s)), "EnrolmentReset"); got != 1 || h.factor(email) != enrolment.NoFactor {
		t.Errorf("reset %d times; the factor is %s", got, h.factor(email))
	}
	h.quiet()
	if got := h.messages() - n; got != 2 {
		t.Errorf("%d messages of what was done", got)
	}
}

// Whoever recorded a case may have been killed before anybody was told.
func TestAnOpenCaseIsToldOfAfterACrash(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	asked := enrolment.RecoveryRequested{
		Case: "4F7K-2M9Q", Reason: enrolment.CaseForgotten, Evidence: []enrolment.Evidence{enrolment.SawPass}, Action: enrolment.Resetting,
		By: anna.Subject.String(), KeyID: h.keyID(), Expires: time.Now().Add(time.Hour).UTC(),
	}
	msgs, err := enrolment.Messages([]enrolment.Event{asked}, domain.Stamp{Command: domain.CommandID{9}, At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	h.settled()
	h.quiet()
	n := h.messages()
	if _, err := h.Log.Append(ctx, domain.EnrolmentStream(s), domain.Revision(len(h.events(domain.EnrolmentStream(s)))-1), msgs...); err != nil {
		t.Fatal(err)
	}
	if open, err := h.Desk.OpenCases(ctx); err != nil || len(open) != 1 {
		t.Fatalf("open are %+v, %v", open, err)
	}
	h.Desk.CarryOutDue(ctx)
	code := stopCode(t, h.says(n, courier.ByMail, "aanmelding opnieuw"))
	h.says(n, courier.BySMS, "Niet jij?")
	h.Desk.CarryOutDue(ctx)
	h.quiet()
	if got := h.messages() - n; got != 2 {
		t.Errorf("told %d times", got)
	}
	if err := h.Desk.StopCase(ctx, code); err != nil {
		t.Error(err)
	}
}

// keyID returns the id of the newest master key, as events name it.
func (h *house) keyID() string {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), domain.EnrolmentStream(h.subject()), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range events {
		if decoded, err := enrolment.Decode(e.Type, e.Data); err == nil {
			if issued, ok := decoded.(enrolment.CodeIssued); ok {
				return issued.KeyID
			}
		}
	}
	h.t.Fatal("no key is named")
	return ""
}

func TestWhatNobodyDealsWithLapses(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	s := h.withSMS()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
	c.pass(time.Hour + time.Minute)
	h.stage(desk.CaseExpired)(h.Desk.Case(ctx, s, v.Case)) // before anybody has recorded it
	if open, err := h.Desk.OpenCases(ctx); err != nil || len(open) != 0 {
		t.Errorf("still open: %+v, %v", open, err)
	}
	h.Desk.CarryOutDue(ctx)
	h.Desk.CarryOutDue(ctx)
	if got := count(h.events(domain.EnrolmentStream(s)), "RecoveryExpired"); got != 1 {
		t.Errorf("expired %d times", got)
	}
	h.refusedCase(desk.NoCase)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	v = h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
	c.pass(time.Hour + time.Minute)
	h.refusedCase(desk.CaseLapsed)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	h.stage(desk.CaseExpired)(h.Desk.Case(ctx, s, v.Case))
	if h.factor(email) != enrolment.SMS {
		t.Error("what has lapsed was done")
	}
}

// stopCode reads the code that stops a case from a message.
func stopCode(t *testing.T, m courier.Item) string {
	t.Helper()
	for _, word := range strings.FieldsFunc(m.Text, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) {
		if code, ok := enrolment.ParseTicket(word); ok && strings.Count(word, "-") == 2 {
			return code
		}
	}
	t.Fatalf("no code in %q", m.Text)
	return ""
}

func TestThePersonStopsACase(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, "organisation.alarm=hulp@voorbeeld.nl")
	ctx := t.Context()
	s := h.withSMS()
	n := h.messages()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
	code := stopCode(t, h.says(n, courier.BySMS, "Niet jij?"))
	mail := h.says(n, courier.ByMail, "aanmelding opnieuw")
	if stopCode(t, mail) != code || !strings.Contains(mail.Text, "/stop#"+enrolment.FormatTicket(code)) {
		t.Errorf("the mail says %q", mail.Text)
	}
	for _, wrong := range []string{"", "no code at all", "0000-0000-0000"} {
		if err := h.Desk.StopCase(ctx, wrong); !isRefusal(err, desk.NoCase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	n = h.messages()
	// Another server, which has not heard of the case, takes it too.
	other := open(t, h.dir, false, "organisation.alarm=hulp@voorbeeld.nl")
	if err := other.Desk.StopCase(ctx, strings.ToLower(enrolment.FormatTicket(code))); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.StopCase(ctx, code); err != nil {
		t.Errorf("again: %v", err)
	}
	h.refusedCase(desk.NoCase)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	if v := h.stage(desk.CaseStopped)(h.Desk.Case(ctx, s, v.Case)); v.Stop != enrolment.StoppedByPerson {
		t.Errorf("stopped: %+v", v)
	}
	if m := h.says(n, courier.ByMail, v.Case); m.To != "hulp@voorbeeld.nl" {
		t.Errorf("%s is alarmed", m.To)
	}
	if got := count(h.events(domain.EnrolmentStream(s)), "RecoveryStopped"); got != 1 || h.factor(email) != enrolment.SMS {
		t.Errorf("stopped %d times; the factor is %s", got, h.factor(email))
	}
	for _, e := range h.logs.All() {
		if strings.Contains(e.Message+toText(e.ContextMap()), code) {
			t.Errorf("the program logged the code: %v", e)
		}
	}
}

// Whoever has a phone that was lost is not told how to stop what helps against that.
func TestALostPhoneLearnsNoCode(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl"))
	v = h.must(desk.ScreenRecoverMail)(h.Desk.WithoutPhone(ctx, v.Visit))
	v = h.must(desk.ScreenRecoverHow)(h.Desk.ConfirmRecovery(ctx, v.Visit, h.code(courier.ByMail, n)))
	h.must(desk.ScreenFrozen)(h.Desk.ReportPhone(ctx, v.Visit, desk.StolenPhone))
	h.quiet()
	n = h.messages()
	c := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Unfreezing)))
	code := enrolment.FormatTicket(stopCode(t, h.says(n, courier.ByMail, "weer open")))
	if sms := h.says(n, courier.BySMS, "account te openen"); strings.Contains(sms.Text, code) || strings.Contains(sms.Text, "/stop") {
		t.Errorf("the lost phone reads %q", sms.Text)
	}
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, c.Case))
	h.quiet()
	h.withSMS()
}

func TestWhatOneMemberOfStaffDoesAtOnce(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	first := h.message(1).Code
	h.settled()
	s := h.subject()
	h.refusedCase(desk.Limited)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Resending))))
	c.pass(time.Minute)
	h.stage(desk.CaseDone)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Resending))))
	if again := h.code(courier.ByMail, 1); again != first {
		t.Errorf("another code: %s, was %s", again, first)
	}
	h.refusedCase(desk.Limited)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Resending))))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, first))
	h.refusedCase(desk.NoCode)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Resending))))
	h.refusedCase(desk.NothingToDo)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Unlocking)))
	n := h.messages()
	h.stage(desk.CaseDone)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Freezing))))
	h.says(n, courier.ByMail, "bevroren")
	h.refusedCase(desk.NothingToDo)(h.Desk.RequestCase(ctx, anna, bare(request(s, enrolment.Freezing))))
	h.refused(desk.VisitOver)(h.Desk.View(ctx, v.Visit))
}

// A number that was wrong is corrected by two, and proved by the person.
func TestACorrectedNumberIsProvedByThePerson(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	c := request(s, enrolment.CorrectingNumber)
	for typed, code := range map[string]desk.Code{"020 1234567": desk.NoSMS, "12": desk.NotANumber, "+33612345678": desk.Country, number: desk.SamePhone} {
		c.Phone = typed
		h.refusedCase(code)(h.Desk.RequestCase(ctx, anna, c))
	}
	c.Phone = "06 87654321"
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, c))
	if h.factor(email) != enrolment.SMS {
		t.Fatal("what was only asked for was done")
	}
	n := h.messages()
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	if m := h.says(n, courier.BySMS, "nummer is gewijzigd"); m.To != e164 {
		t.Errorf("the old number is not told, but %s", m.To)
	}
	if h.factor(email) != enrolment.NoFactor {
		t.Error("a number that staff know to be wrong still counts")
	}
	h.quiet()
	h.refused(desk.OutOfOrder)(h.Desk.Login(ctx, email, phrase, "nl"))
	n = h.messages()
	k := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	k = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, k.Visit, h.code(courier.ByMail, n)))
	k = h.must(desk.ScreenSMSCode)(h.Desk.Resume(ctx, k.Visit, phrase))
	if k.Phone.E164 != "+31687654321" || k.Phone.FromHR {
		t.Errorf("E6 shows %+v", k.Phone)
	}
	n = h.messages()
	k = h.must(desk.ScreenSMSCode)(h.Desk.Resend(ctx, k.Visit))
	k = h.must(desk.ScreenDone)(h.Desk.ConfirmPhone(ctx, k.Visit, h.code(courier.BySMS, n)))
	if k.Factor != enrolment.SMS || h.factor(email) != enrolment.SMS {
		t.Errorf("the factor is %s", k.Factor)
	}
}

func TestARevokedPhoneLeavesNoShortCut(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.RevokingPocket)))
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	if _, err := phone.asked(); !errors.Is(err, pairing.Revoked) {
		t.Errorf("the phone still counts: %v", err)
	}
	h.quiet()
	n := h.messages()
	k := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	k = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, k.Visit, h.code(courier.ByMail, n)))
	k = h.must(desk.ScreenSMSCode)(h.Desk.Resume(ctx, k.Visit, phrase))
	h.refused(desk.OutOfOrder)(h.Desk.OfferPairing(ctx, k.Visit))
	h.refused(desk.OutOfOrder)(h.Desk.ChooseSMS(ctx, k.Visit))
	n = h.messages()
	k = h.must(desk.ScreenSMSCode)(h.Desk.Resend(ctx, k.Visit))
	k = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, k.Visit, h.code(courier.BySMS, n)))
	h.pair(k, "new")
	if h.factor(email) != enrolment.Pocket {
		t.Errorf("the factor is %s", h.factor(email))
	}
}

// Who left half-way and forgot the password goes on with a ticket: once, and with a new
// password only.
func TestARecoveryTicket(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	h.end(h.toFactor(email, 1))
	s := h.subject()
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.IssuingTicket)))
	if _, err := h.Desk.Ticket(ctx, anna, s, v.Case); !isRefusal(err, desk.NoCase) {
		t.Errorf("a ticket before it was issued: %v", err)
	}
	h.stage(desk.CaseDone)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	for _, who := range []desk.Agent{{}, {Subject: domain.SubjectID{0xc}, Role: domain.RoleAdmin}, {Subject: s, Role: domain.RoleAdmin}} {
		if _, err := h.Desk.Ticket(ctx, who, s, v.Case); !isRefusal(err, desk.NoCase) {
			t.Errorf("%+v sees the ticket: %v", who, err)
		}
	}
	ticket, err := h.Desk.Ticket(ctx, anna, s, v.Case)
	if err != nil || len(ticket) != 14 {
		t.Fatalf("the ticket is %q, %v", ticket, err)
	}
	h.quiet()
	n := h.messages()
	k := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, email, "nl"))
	h.refused(desk.OutOfOrder)(h.Desk.RedeemTicket(ctx, k.Visit, ticket)) // the mail comes first
	k = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, k.Visit, h.code(courier.ByMail, n)))
	if !k.Ticket || k.Name != "" {
		t.Errorf("shows %+v", k)
	}
	h.refused(desk.WrongCode)(h.Desk.RedeemTicket(ctx, k.Visit, "0000-0000-0000"))
	h.refused(desk.WrongCode)(h.Desk.RedeemTicket(ctx, k.Visit, "not a ticket"))
	k = h.must(desk.ScreenPassword)(h.Desk.RedeemTicket(ctx, k.Visit, strings.ToLower(ticket)))
	h.refused(desk.OutOfOrder)(h.Desk.OfferPairing(ctx, k.Visit))
	h.refused(desk.OutOfOrder)(h.Desk.ChooseSMS(ctx, k.Visit))
	h.refused(desk.OutOfOrder)(h.Desk.GivePhone(ctx, k.Visit, number))
	// Elsewhere, with the mail alone, nothing is open.
	e := h.Desk.At("elsewhere")
	n = h.messages()
	o := h.must(desk.ScreenEmailCode)(e.Begin(ctx, email, "nl"))
	o = h.must(desk.ScreenResume)(e.ConfirmEmail(ctx, o.Visit, h.code(courier.ByMail, n)))
	h.refused(desk.MovedOn)(e.SetNameAndPassword(ctx, o.Visit, name, another))
	h.refused(desk.CodeUsed)(e.RedeemTicket(ctx, o.Visit, ticket))
	if _, err := h.Desk.Ticket(ctx, anna, s, v.Case); !isRefusal(err, desk.NoCase) {
		t.Errorf("a ticket that was used: %v", err)
	}
	k = h.must(desk.ScreenFactor)(h.Desk.SetNameAndPassword(ctx, k.Visit, name, another))
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, k.Visit))
	for _, entry := range h.logs.All() {
		if strings.Contains(entry.Message+toText(entry.ContextMap()), strings.ReplaceAll(ticket, "-", "")) {
			t.Errorf("the program logged the ticket")
		}
	}
}

// A ticket that was approved from afar is issued when somebody is there to hand it over.
func TestATicketFromAfarWaitsForWhoHandsItOver(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.end(h.toFactor(email, 1))
	s := h.subject()
	r := request(s, enrolment.IssuingTicket)
	r.Remote, r.Evidence = true, []enrolment.Evidence{enrolment.CalledBack}
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, desk.Console(), r))
	h.stage(desk.CaseApproved)(h.Desk.ApproveCase(ctx, bram, s, v.Case))
	c.pass(24*time.Hour + 3*time.Hour)
	h.Desk.CarryOutDue(ctx)
	h.stage(desk.CaseApproved)(h.Desk.Case(ctx, s, v.Case))
	h.stage(desk.CaseDone)(h.Desk.CarryOut(ctx, s, v.Case))
	if ticket, err := h.Desk.Ticket(ctx, bram, s, v.Case); err != nil || len(ticket) != 14 {
		t.Errorf("the ticket is %q, %v", ticket, err)
	}
	c.pass(time.Hour + time.Minute)
	if _, err := h.Desk.Ticket(ctx, bram, s, v.Case); !isRefusal(err, desk.NoCase) {
		t.Errorf("an hour later: %v", err)
	}
}

func TestACallerReadsACodeAloud(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	mine := desk.Agent{Subject: s, Role: domain.RoleHelpdesk}
	if _, err := h.Desk.AskCaller(ctx, mine, s); !isRefusal(err, desk.OwnAccount) {
		t.Errorf("their own caller: %v", err)
	}
	n := h.messages()
	c, err := h.Desk.AskCaller(ctx, anna, s)
	if err != nil || c.State != desk.CallerAsked || c.Factor != enrolment.SMS || c.Tries != 5 || c.Left <= 0 {
		t.Fatalf("asked: %+v, %v", c, err)
	}
	if m := h.says(n, courier.BySMS, "voor de helpdesk"); m.To != e164 || m.Code == "" {
		t.Errorf("sent %+v", m)
	}
	code := h.code(courier.BySMS, n)
	r := request(s, enrolment.Resetting)
	r.Remote, r.Evidence = true, nil
	h.refusedCase(desk.NoEvidence)(h.Desk.RequestCase(ctx, anna, r))
	if _, err := h.Desk.ConfirmCaller(ctx, anna, s, other(code)); !isRefusal(err, desk.WrongCode) {
		t.Errorf("a wrong code: %v", err)
	}
	if _, err := h.Desk.ConfirmCaller(ctx, mine, s, code); !isRefusal(err, desk.OwnAccount) {
		t.Errorf("confirmed by themselves: %v", err)
	}
	if c, err = h.Desk.ConfirmCaller(ctx, anna, s, code); err != nil || c.State != desk.CallerProved {
		t.Fatalf("proved: %+v, %v", c, err)
	}
	if c, err := h.Desk.Caller(ctx, anna, s, ""); err != nil || c.State != desk.CallerProved || c.Factor != enrolment.SMS {
		t.Errorf("looked again: %+v, %v", c, err)
	}
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, r))
	if !slices.Equal(v.Evidence, []enrolment.Evidence{enrolment.ProvedNumber}) {
		t.Errorf("it stands on %v", v.Evidence)
	}
	if _, err := h.Desk.AskCaller(ctx, anna, domain.SubjectID{0xd}); !isRefusal(err, desk.OutOfOrder) {
		t.Errorf("nobody's caller: %v", err)
	}
}

func TestACallerApprovesOnTheirPhone(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, phone := h.withPocket()
	c, err := h.Desk.AskCaller(ctx, anna, s)
	if err != nil || c.State != desk.CallerAsked || c.Factor != enrolment.Pocket || len(c.Digits) != 6 || c.Challenge == "" {
		t.Fatalf("asked: %+v, %v", c, err)
	}
	if again, err := h.Desk.Caller(ctx, anna, s, c.Challenge); err != nil || again.State != desk.CallerAsked || again.Digits != c.Digits {
		t.Errorf("looked: %+v, %v", again, err)
	}
	waits, err := phone.asked()
	if err != nil || waits == nil || !waits.Change {
		t.Fatalf("the phone is asked %+v, %v", waits, err)
	}
	if d, err := phone.decide(*waits, pairing.Approve, c.Digits); err != nil || d.State != pairing.DecidedApproved {
		t.Fatalf("approved: %+v, %v", d, err)
	}
	if c, err = h.Desk.Caller(ctx, anna, s, c.Challenge); err != nil || c.State != desk.CallerProved {
		t.Fatalf("proved: %+v, %v", c, err)
	}
	if got := h.events(login.Stream(s)); got[len(got)-1] != "LoginSucceeded" {
		t.Errorf("recorded %v", got)
	}
	r := request(s, enrolment.RevokingPocket)
	r.Remote, r.Evidence = true, nil
	v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, r))
	if !slices.Equal(v.Evidence, []enrolment.Evidence{enrolment.ProvedPocket}) {
		t.Errorf("it stands on %v", v.Evidence)
	}
	denied, err := h.Desk.AskCaller(ctx, anna, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := phone.says(pairing.Deny, ""); err != nil {
		t.Fatal(err)
	}
	if c, err := h.Desk.Caller(ctx, anna, s, denied.Challenge); err != nil || c.State != desk.CallerEnded {
		t.Errorf("denied: %+v, %v", c, err)
	}
}

func TestHRsNumberIsShownInACaseOnly(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s, err := h.Desk.AddToRoster(ctx, desk.Person{Email: email, Name: name, Phone: number}, "b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Desk.ShowHRNumber(ctx, anna, s, ""); !isRefusal(err, desk.NoCase) {
		t.Errorf("outside a case: %v", err)
	}
	for _, who := range []desk.Agent{{}, {Subject: s, Role: domain.RoleAdmin}} {
		if _, err := h.Desk.ShowHRNumber(ctx, who, s, h.Desk.NewCase()); !isRefusal(err, desk.OwnAccount) {
			t.Errorf("to %+v: %v", who, err)
		}
	}
	looked := staff.AccessStream(anna.Subject)
	if n := len(h.events(looked)); n != 0 {
		t.Errorf("%d looks are recorded before there was one", n)
	}
	id := h.Desk.NewCase()
	if n, err := h.Desk.ShowHRNumber(ctx, anna, s, id); err != nil || n.E164 != e164 || !n.FromHR {
		t.Errorf("shows %+v, %v", n, err)
	}
	rec, err := h.Log.ReadStream(ctx, looked, 0)
	if err != nil || len(rec) != 1 || !strings.Contains(string(rec[0].Data), id) || !strings.Contains(string(rec[0].Data), "hr-number") {
		t.Errorf("recorded %+v, %v", rec, err)
	}
	if n, err := h.Desk.ShowHRNumber(ctx, desk.Console(), s, id); err != nil || n.E164 != e164 || len(h.events("access-console")) != 1 {
		t.Errorf("at the command line: %+v, %v", n, err)
	}
	if _, err := h.Desk.ShowHRNumber(ctx, anna, domain.SubjectID{0xd}, h.Desk.NewCase()); !isRefusal(err, desk.NoNumber) {
		t.Errorf("of whom HR knows none: %v", err)
	}
}

// Somebody is told when one member of staff has unusually many cases, and when the
// console does without a second person.
func TestAlarmsAboutStaff(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, "organisation.alarm=hulp@voorbeeld.nl", "policy.cases_a_day=2")
	ctx := t.Context()
	s := h.withSMS()
	n := h.messages()
	for i := range 4 {
		if i == 2 {
			h.quiet()
			if h.messages() != n+4 { // two requests, by mail and SMS
				t.Errorf("%d messages before there are too many", h.messages()-n)
			}
		}
		v := h.stage(desk.CaseWaiting)(h.Desk.RequestCase(ctx, anna, request(s, enrolment.Resetting)))
		h.stage(desk.CaseDenied)(h.Desk.DenyCase(ctx, bram, s, v.Case, enrolment.DeniedNotNeeded))
	}
	if m := h.says(n, courier.ByMail, "ongewoon veel"); m.To != "hulp@voorbeeld.nl" {
		t.Errorf("%s is alarmed", m.To)
	}
	h.quiet()
	if h.messages() != n+9 { // once a day
		t.Errorf("%d messages", h.messages()-n)
	}
	n = h.messages()
	v := h.stage(desk.CaseDone)(h.Desk.RequestAlone(ctx, desk.CaseRequest{Subject: s, Action: enrolment.Resetting, Reason: enrolment.CaseForgotten}))
	if !v.Alone || v.By != "console" || v.Second != "" {
		t.Errorf("alone: %+v", v)
	}
	h.says(n, courier.ByMail, "twee medewerkers")
	h.says(n, courier.ByMail, "Dat is nu gedaan")
	if h.factor(email) != enrolment.NoFactor {
		t.Errorf("the factor is %s", h.factor(email))
	}
}

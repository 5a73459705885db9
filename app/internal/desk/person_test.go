package desk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// logs records what happened in somebody's logins.
func (w *town) logs(s domain.SubjectID, events ...login.Event) {
	w.tb.Helper()
	for _, e := range events {
		messages, err := login.Messages([]login.Event{e}, w.stamp("hal-2"))
		must(w.tb, err)
		w.append(login.Stream(s), messages...)
	}
}

// knows has somebody with a factor.
func (w *town) knows(s domain.SubjectID, factor enrolment.Factor) {
	w.tb.Helper()
	up := w.way(s, enrolment.StepFactor)
	if factor == enrolment.Pocket {
		up = append(up, enrolment.PocketPaired{Pairing: "p", Device: "d", Label: w.keep(s, desk.KindDevice, "iPhone van Weg")})
	}
	w.happens(s, append(up, enrolment.FactorChosen{Factor: factor, Device: map[enrolment.Factor]enrolment.DeviceID{enrolment.Pocket: "d"}[factor], Reason: enrolment.FactorAtEnrolment})...)
}

var (
	bySMS    = login.LoginChallenged{Challenge: "l", Factor: enrolment.SMS, Network: "n", By: login.Asker{Client: "portal"}}
	byPocket = login.LoginChallenged{Challenge: "l", Factor: enrolment.Pocket, Network: "n", By: login.Asker{Client: "portal"}}
	loggedIn = login.LoginSucceeded{Challenge: "l", Factor: enrolment.SMS, Network: "n", By: login.Asker{Client: "portal"}}
)

func failed(why login.Failure) login.Event {
	e := login.LoginFailed{Challenge: "l", Reason: why, Network: "n"}
	if why == login.WrongPassword {
		e.Challenge = ""
	}
	return e
}

func TestEveryCauseIsFound(t *testing.T) {
	t.Parallel()
	at := func(step enrolment.Step, more ...enrolment.Event) func(*hall, domain.SubjectID) {
		return func(h *hall, s domain.SubjectID) {
			h.happens(s, h.way(s, step)...)
			for _, e := range more {
				h.happens(s, e)
			}
		}
	}
	with := func(factor enrolment.Factor, logins ...login.Event) func(*hall, domain.SubjectID) {
		return func(h *hall, s domain.SubjectID) {
			h.knows(s, factor)
			h.logs(s, logins...)
		}
	}
	undeliverable := func(c enrolment.ChallengeID, n int, why enrolment.Undelivered) enrolment.Event {
		return enrolment.CodeUndeliverable{Challenge: c, Number: n, Reason: why}
	}
	guesses := func(n int) (all []login.Event) {
		for range n {
			all = append(all, failed(login.WrongPassword))
		}
		return all
	}
	expired := byPocket
	expired.Expires = time.Now().Add(-time.Minute)
	waiting := byPocket
	waiting.Expires = time.Now().Add(time.Hour)
	burnt := []enrolment.Event{enrolment.PairingOffered{Pairing: "p"}, enrolment.PairingFailed{Pairing: "p", Reason: enrolment.TooManyTries}}
	for _, c := range []struct {
		cause string
		given func(*hall, domain.SubjectID)
		n     string         // as the cause names it
		bad   desk.CheckName // the link of the chain that does not hold; empty: none
		does  desk.PersonAction
	}{
		{"not-begun", nil, "", "", desk.ActionInvite},
		{"left", at(2, enrolment.StaffLeft{}), "", desk.CheckExists, desk.ActionInvite},
		{"invited", func(h *hall, s domain.SubjectID) { h.invites(s, time.Now().Add(time.Hour)) }, "", "", desk.ActionInvite},
		{"not-begun", func(h *hall, s domain.SubjectID) { h.invites(s, time.Now().Add(-time.Hour)) }, "", "", desk.ActionInvite},
		{"ticket", func(h *hall, s domain.SubjectID) {
			h.happens(s, h.way(s, 2)...)
			h.happens(s, enrolment.StaffLeft{}, enrolment.StaffRegistered{Email: h.keep(s, desk.KindEmail, "x@voorbeeld.nl")})
			h.happens(s, enrolment.EnrolmentStarted{Admission: enrolment.ByInvitation})
		}, "", "", desk.ActionInvite},
		{"mail-waiting", at(1), "", "", desk.ActionResend},
		{"mail-waiting", at(1, undeliverable("mail", 1, enrolment.Unknown)), "", "", desk.ActionResend},
		{"mail-invalid-recipient", at(1, bounced), "", desk.CheckEmail, desk.ActionResend},
		{"mail-blocked", at(1, undeliverable("mail", 1, enrolment.Blocked)), "", desk.CheckEmail, desk.ActionResend},
		{"mail-refused", at(1, undeliverable("mail", 1, enrolment.Refused)), "", desk.CheckEmail, desk.ActionResend},
		{"mail-no-route", at(1, undeliverable("mail", 1, enrolment.NoRoute)), "", desk.CheckEmail, desk.ActionResend},
		{"mail-other", at(1, undeliverable("mail", 1, "sunspots")), "", desk.CheckEmail, desk.ActionResend},
		{"mail-down", at(1, undeliverable("mail", 1, enrolment.NoProvider)), "", desk.CheckEmail, desk.ActionWait},
		{"mail-ended", at(1, wrong("mail", 5)...), "5", desk.CheckEmail, desk.ActionResend},
		{"no-password", at(2), "", "", desk.ActionWait},
		{"no-password", at(6, enrolment.EnrolmentReset{Reason: enrolment.ForgottenPassword}), "", "", desk.ActionWait},
		{"no-phone", at(3), "", "", desk.ActionWait},
		{"sms-waiting", at(4), "", "", desk.ActionResend},
		{"sms-invalid-recipient", at(4, undelivered(enrolment.InvalidRecipient)), "1", desk.CheckPhone, desk.ActionCorrectNumber},
		{"sms-refused", at(4, undeliverable("sms", 2, enrolment.Refused), undeliverable("sms", 3, enrolment.Refused)), "2", desk.CheckPhone, desk.ActionCorrectNumber},
		{"sms-waiting", at(4, undeliverable("sms", 2, enrolment.Refused), enrolment.CodeSent{Challenge: "sms", Number: 3}), "", "", desk.ActionResend},
		{"sms-other", at(4, undelivered("sunspots")), "1", desk.CheckPhone, desk.ActionCorrectNumber},
		{"sms-down", at(4, undelivered(enrolment.NoProvider)), "", desk.CheckPhone, desk.ActionWait},
		{"sms-ended", at(4, wrong("sms", 5)...), "5", desk.CheckPhone, desk.ActionResend},
		{"sms-paused", func(h *hall, s domain.SubjectID) {
			at(4)(h, s)
			h.pumped()
		}, "", desk.CheckSystem, desk.ActionWait},
		{"sms-paused", func(h *hall, s domain.SubjectID) {
			with(enrolment.SMS)(h, s)
			h.pumped()
		}, "", desk.CheckSystem, desk.ActionWait},
		{"sms-spent", func(h *hall, s domain.SubjectID) {
			at(4)(h, s)
			for range enrolment.DefaultPolicy().SMSPerDay {
				_, _, err := limits{h.vault}.Take(h.tb.Context(), time.Now(), desk.Limit{Name: "sms-day", Key: "all", Window: 24 * time.Hour, Max: 1 << 20})
				must(h.tb, err)
			}
		}, "", desk.CheckSystem, desk.ActionWait},
		{"not-chosen", at(5), "", "", desk.ActionWait},
		{"pairing", at(5, enrolment.PairingOffered{Pairing: "p", Ends: time.Now().Add(time.Hour)}), "", "", desk.ActionWait},
		{"not-chosen", at(5, enrolment.PairingOffered{Pairing: "p", Ends: time.Now().Add(-time.Hour)}), "", "", desk.ActionWait},
		{"pairing-failed", at(5, burnt...), "", desk.CheckFactor, desk.ActionWait},
		{"locked", at(2, wrong("x", 20)...), "20", desk.CheckUnlocked, desk.ActionUnlock},
		{"no-password", at(2, append(wrong("x", 20), enrolment.Unlocked{Reason: enrolment.UnlockedByAdmin})...), "", "", desk.ActionWait},
		{"locked", at(6, wrong("x", 20)...), "20", desk.CheckUnlocked, desk.ActionUnlock},
		{"frozen-not-me", at(6, enrolment.AccountFrozen{Reason: enrolment.FrozenNotMe}), "", desk.CheckUnlocked, desk.ActionUnfreeze},
		{"frozen-lost", at(6, lost), "", desk.CheckUnlocked, desk.ActionTicket},
		{"frozen-stolen", at(3, enrolment.AccountFrozen{Reason: enrolment.FrozenStolen}), "", desk.CheckUnlocked, desk.ActionTicket},
		{"frozen-helpdesk", at(6, enrolment.AccountFrozen{Reason: enrolment.FrozenHelpdesk}), "", desk.CheckUnlocked, desk.ActionUnfreeze},
		{"frozen-helpdesk", at(6, enrolment.AccountFrozen{Reason: "sunspots"}), "", desk.CheckUnlocked, desk.ActionUnfreeze},
		{"revoked-lost", func(h *hall, s domain.SubjectID) {
			h.knows(s, enrolment.Pocket)
			h.happens(s, enrolment.PocketRevoked{Device: "d", Reason: enrolment.LostDevice})
		}, "", desk.CheckFactor, desk.ActionTicket},
		{"revoked-helpdesk", func(h *hall, s domain.SubjectID) {
			h.knows(s, enrolment.Pocket)
			h.happens(s, enrolment.PocketRevoked{Device: "d", Reason: enrolment.RevokedByHelpdesk})
		}, "", desk.CheckFactor, desk.ActionReset},
		{"login-locked", with(enrolment.SMS, login.LoginLocked{Network: "n", Until: time.Now().Add(time.Hour)}), "", desk.CheckUnlocked, desk.ActionWait},
		{"well", with(enrolment.SMS, login.LoginLocked{Network: "n", Until: time.Now().Add(-time.Second)}), "", "", ""},
		{"login-locked", with(enrolment.SMS, guesses(100)...), "", desk.CheckUnlocked, desk.ActionWait},
		{"wrong-password", with(enrolment.SMS, guesses(3)...), "3", desk.CheckPassword, desk.ActionReset},
		{"well", with(enrolment.SMS, append(guesses(3), bySMS, loggedIn)...), "", "", ""},
		{"well", with(enrolment.SMS, append(guesses(3), bySMS)...), "", "", ""}, // the password was right in the end
		{"wrong-code", with(enrolment.SMS, bySMS, failed(login.WrongCode), failed(login.WrongCode)), "2", desk.CheckFactor, desk.ActionWait},
		{"sms-refused", with(enrolment.SMS, bySMS, login.CodeUndeliverable{Challenge: "l", Number: 1, Reason: enrolment.Refused}), "1", desk.CheckPhone, desk.ActionCorrectNumber},
		{"sms-down", with(enrolment.SMS, bySMS, login.CodeUndeliverable{Challenge: "l", Number: 1, Reason: enrolment.NoProvider}), "", desk.CheckPhone, desk.ActionWait},
		{"well", with(enrolment.SMS, bySMS, login.CodeUndeliverable{Challenge: "l", Number: 1, Reason: enrolment.Refused}, login.CodeSent{Challenge: "l", Number: 2}), "", "", ""},
		{"well", with(enrolment.Pocket, waiting), "", "", ""},
		{"pocket-silent", with(enrolment.Pocket, expired), "", desk.CheckFactor, desk.ActionRevokePocket},
		{"well", with(enrolment.Pocket, expired, login.LoginApproved{Challenge: "l"}), "", "", ""},
		{"pocket-denied", with(enrolment.Pocket, waiting, failed(login.Denied)), "", desk.CheckFactor, desk.ActionFreeze},
		{"pocket-digits", with(enrolment.Pocket, waiting, failed(login.WrongDigits)), "", desk.CheckFactor, desk.ActionWait},
		{"login-stale", with(enrolment.Pocket, waiting, failed(login.Stale)), "", "", desk.ActionWait},
		{"well", with(enrolment.SMS), "", "", ""},
		{"well", func(h *hall, s domain.SubjectID) {
			with(enrolment.SMS)(h, s)
			h.happens(s, enrolment.StaffLeft{}) // who has a factor keeps it
		}, "", "", ""},
		{"parked", func(h *hall, s domain.SubjectID) {
			at(6)(h, s)
			h.dyed(domain.EnrolmentStream(s))
		}, "", "", desk.ActionWait},
		{"login-parked", func(h *hall, s domain.SubjectID) {
			at(6)(h, s)
			h.dyed(login.Stream(s))
		}, "", "", desk.ActionWait},
		{"erased", func(h *hall, s domain.SubjectID) {
			at(6)(h, s)
			must(h.tb, h.vault.Erase(h.tb.Context(), s))
		}, "", desk.CheckExists, desk.ActionInvite},
	} {
		t.Run(c.cause, func(t *testing.T) {
			t.Parallel()
			h := newHall(t, nil, newTown(t)).opened()
			s := h.register(staff{email: "iemand@voorbeeld.nl", name: "Iemand"})
			if c.given != nil {
				c.given(h, s)
			}
			v, err := h.PersonView(t.Context(), s)
			must(t, err)
			d := v.Diagnosis
			judge(t, d)
			if d.Cause.ID != "desk-cause-"+c.cause || d.Cause.Params["N"] != c.n {
				t.Errorf("found %+v", d.Cause)
			}
			var bad []desk.CheckName
			for _, check := range d.Checks {
				if check.State == desk.CheckBad {
					bad = append(bad, check.Name)
				}
			}
			if c.bad != "" && !slices.Contains(bad, c.bad) || c.bad == "" && len(bad) > 0 {
				t.Errorf("%q do not hold, want %q", bad, c.bad)
			}
			if c.does != "" && !slices.Contains(d.Actions, c.does) {
				t.Errorf("%q suit, and not %q", d.Actions, c.does)
			}
		})
	}
}

// pumped has too few of the last codes come back.
func (w *town) pumped() {
	w.tb.Helper()
	for i := range enrolment.DefaultPolicy().VerifiedSample {
		must(w.tb, w.vault.RecordSend(w.tb.Context(), time.Now().Add(-10*time.Minute), string(enrolment.BySMS), string(rune('a'+i))))
	}
}

// dyed puts an event into a stream that nobody knows.
func (w *town) dyed(stream string) {
	w.tb.Helper()
	w.append(stream, domain.Message{ID: domain.EventIDFor(w.stamp("").Command, 0), Type: "HairDyed", Data: []byte("{}"), Metadata: []byte("{}")})
}

// judge checks what holds of every diagnosis.
func judge(tb testing.TB, d desk.Diagnosis) {
	tb.Helper()
	said(tb, d.Cause)
	if d.Well != (d.Cause.ID == "desk-cause-well") || len(d.Advice) == 0 || d.Well != (len(d.Actions) == 0) {
		tb.Errorf("%+v", d)
	}
	var names []desk.CheckName
	for _, c := range d.Checks {
		names = append(names, c.Name)
		said(tb, c.Detail)
		said(tb, desk.Phrase{ID: "desk-check-" + string(c.Name)})
		if !slices.Contains([]desk.CheckState{desk.CheckOK, desk.CheckBad, desk.CheckOpen, desk.CheckUnknown}, c.State) {
			tb.Errorf("%+v", c)
		}
		if d.Well && c.State != desk.CheckOK && c.Name != desk.CheckSystem {
			tb.Errorf("all is well, and %+v", c)
		}
	}
	if !slices.Equal(names, []desk.CheckName{desk.CheckExists, desk.CheckEmail, desk.CheckPassword, desk.CheckUnlocked, desk.CheckPhone, desk.CheckFactor, desk.CheckSystem}) {
		tb.Errorf("checked %q", names)
	}
	for _, a := range d.Advice {
		said(tb, a)
	}
	for _, a := range d.Actions {
		said(tb, desk.Phrase{ID: "desk-action-" + string(a)})
	}
}

// invites has staff invite somebody.
func (w *town) invites(s domain.SubjectID, until time.Time) {
	w.tb.Helper()
	name, phone := w.keep(s, desk.KindName, "Gast Vrij"), w.keep(s, desk.KindPhone, "+31655555555")
	w.happens(s, enrolment.InvitationIssued{
		Invitation: "i", Kind: enrolment.InvitationPrinted, Expires: until, Email: w.keep(s, desk.KindEmail, "gast@elders.example"), Name: &name, Phone: &phone,
	})
}

// Whom HR does not know may be invited, and is found and named all the same.
func TestWhoIsInvited(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s, late := someone(), someone()
	w.invites(s, time.Now().Add(time.Hour))
	w.invites(late, time.Now().Add(-time.Hour))
	h := newHall(t, w.held(), w).opened()
	for _, typed := range []string{"gast vrij", "gast@elders.example", "0655555555"} {
		if p := h.page(desk.BoardQuery{Search: typed}); p.Total != 2 || p.Rows[0].Name != "Gast Vrij" {
			t.Errorf("%q: %+v", typed, p)
		}
	}
	for _, r := range h.page(desk.BoardQuery{Scope: desk.ScopeEverybody}).Rows {
		want := "desk-now-invited"
		if r.Subject == late {
			want = "desk-now-not-begun"
		}
		if said(t, r.Now); r.Now.ID != want || r.Group != desk.GroupWaiting {
			t.Errorf("%+v", r)
		}
	}
	for who, want := range map[domain.SubjectID]string{s: "desk-cause-invited", late: "desk-cause-invitation-over"} {
		v, err := h.PersonView(t.Context(), who)
		must(t, err)
		if judge(t, v.Diagnosis); v.Diagnosis.Cause.ID != want || v.Name != "Gast Vrij" || v.Email != "g•••@elders.example" || v.Phone != "+31 •• ••• •• 55" || v.PhoneSource != enrolment.FromHR {
			t.Errorf("%+v", v)
		}
	}
	w.happens(s, w.way(s, enrolment.StepPassword)...)
	w.happens(s, enrolment.EnrolmentStarted{Admission: enrolment.ByInvitation})
	for _, r := range h.page(desk.BoardQuery{}).Rows {
		if r.Subject == s && (r.Now.ID != "desk-now-ticket" || r.Group != desk.GroupBusy) {
			t.Errorf("before the ticket: %+v", r)
		}
	}
}

func TestNobodyKnowsAStranger(t *testing.T) {
	t.Parallel()
	h := newHall(t, nil, newTown(t)).opened()
	v, err := h.PersonView(t.Context(), someone())
	must(t, err)
	judge(t, v.Diagnosis)
	if v.Diagnosis.Cause.ID != "desk-cause-unknown" || v.Revision != domain.NoStream || v.Logins != domain.NoStream {
		t.Errorf("%+v", v)
	}
}

func TestWhileTheLogIsAwayThatIsTheCause(t *testing.T) {
	t.Parallel()
	h := newHall(t, nil, newTown(t)) // whose feed has never caught up
	s := h.register(staff{email: "iemand@voorbeeld.nl"})
	h.knows(s, enrolment.SMS)
	v, err := h.PersonView(t.Context(), s)
	must(t, err)
	if judge(t, v.Diagnosis); v.Diagnosis.Cause.ID != "desk-cause-behind" {
		t.Errorf("%+v", v.Diagnosis.Cause)
	}
	away := desk.New(desk.Config{Log: awayLog{}, Policy: enrolment.DefaultPolicy(), Now: time.Now, Report: func(_ string, err error) { t.Error(err) }})
	v, err = away.PersonView(t.Context(), s)
	must(t, err)
	if judge(t, v.Diagnosis); v.Diagnosis.Cause.ID != "desk-cause-log-away" || v.Subject != s {
		t.Errorf("%+v", v)
	}
}

// Whatever happened, there is one cause that there are words for, and all is well only
// where the login service would get a factor and nothing is locked.
func TestThereIsOneCauseAndWellMeansWell(t *testing.T) {
	t.Parallel()
	policy := foldtest.Policy()
	var enrolled enrolment.State
	for _, m := range foldtest.Enrolled(0, 1) {
		e, err := enrolment.Decode(m.Type, m.Data)
		must(t, err)
		enrolled = enrolment.Evolve(enrolled, e)
	}
	well := 0
	rapid.Check(t, func(r *rapid.T) {
		now := foldtest.Start().Add(time.Hour)
		calm := rapid.Bool().Draw(r, "calm") // nothing is wrong that is not in the history
		some := func(name string) bool { return rapid.IntRange(0, 9).Draw(r, name) == 0 && !calm }
		facts := foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(r, "history") })
		f := desk.PersonFacts{Now: now, Policy: policy, Proved: now, Password: now, Factor: now, Parked: some("parked"), Erased: some("erased"), CodeEnded: some("ended")}
		if len(facts) > 0 {
			f.Known, f.State = true, facts[len(facts)-1].State
		}
		if rapid.Bool().Draw(r, "enrolled without a hitch") {
			f.Known, f.State = true, enrolled
		}
		f.Failed = rapid.IntRange(0, 3).Draw(r, "undelivered")
		f.Revoked = rapid.SampledFrom([]enrolment.RevokeReason{"", "", "", enrolment.LostDevice, enrolment.SwitchedAway, enrolment.RevokedByHelpdesk, enrolment.StolenDevice}).Draw(r, "revoked")
		f.Pairing = some("pairing")
		f.Logins = desk.LoginFacts{
			Parked: some("parked logins"), WrongPasswords: max(0, rapid.IntRange(-5, 3).Draw(r, "passwords")), WrongCodes: max(0, rapid.IntRange(-5, 3).Draw(r, "codes")),
			Last:   rapid.SampledFrom([]desk.LoginEnding{"", "", "", desk.PhoneSilent, desk.PhoneDenied, desk.PhoneDigits, desk.CodeUnsent, desk.LoginWasOld}).Draw(r, "last"),
			Failed: rapid.SampledFrom([]enrolment.Undelivered{enrolment.Refused, enrolment.NoProvider, "sunspots"}).Draw(r, "why"),
		}
		if f.State.Chosen() == enrolment.SMS && strings.HasPrefix(string(f.Logins.Last), "d") || f.State.Chosen() == enrolment.Pocket && f.Logins.Last == desk.CodeUnsent {
			f.Logins.Last = "" // of the other factor
		}
		if f.State.Chosen() == enrolment.Pocket {
			f.Logins.WrongCodes = 0
		}
		if calm {
			f.Logins, f.Revoked = desk.LoginFacts{Failed: f.Logins.Failed}, ""
		}
		if some("locked") {
			f.Logins.Locked = now.Add(time.Minute)
		}
		f.System = desk.SystemFacts{LogAway: some("away"), Behind: some("behind"), MailDown: some("mail"), SMSDown: some("sms"), SMSPaused: some("paused"), SMSSpent: some("spent")}
		d := desk.Diagnose(f)
		judge(t, d)
		usable := f.Known && !f.Parked && !f.Erased && !f.System.LogAway && !f.System.Behind && f.State.Factor() != enrolment.NoFactor
		locked := f.State.WrongInARow >= policy.WrongCodesInARow || !f.Logins.Locked.IsZero() || f.Logins.Parked
		if d.Well && (!usable || locked) {
			r.Fatalf("all is well with %+v", f)
		}
		quiet := f.Logins == (desk.LoginFacts{Failed: f.Logins.Failed})
		if f.State.Factor() == enrolment.SMS {
			quiet = quiet && !f.System.SMSDown && !f.System.SMSPaused && !f.System.SMSSpent
		}
		if usable && !locked && quiet && !d.Well {
			r.Fatalf("nothing is wrong, and the cause is %s", d.Cause.ID)
		}
		if d.Well {
			well++
		}
	})
	if well == 0 {
		t.Error("nobody was well")
	}
}

func TestAPersonsPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	h := newHall(t, nil, w).opened()
	s := w.register(staff{email: "sanne.devries@voorbeeld.nl", name: "Sanne de Vries", phone: "+31687654321", employee: "10042", team: "De Kleurendans", start: "2026-12-01"})
	v, err := h.PersonView(t.Context(), s)
	must(t, err)
	if v.Name != "Sanne de Vries" || v.Team != "De Kleurendans" || v.Start != "2026-12-01" || v.Employee != "10042" ||
		v.Email != "s•••@voorbeeld.nl" || v.Phone != "+31 •• ••• •• 21" || v.PhoneSource != enrolment.FromHR || v.PhoneProved || !v.HRPhone ||
		!v.Registered || v.Started || v.Step != 0 || v.Factor != enrolment.NoFactor || !v.LastSeen.IsZero() {
		t.Errorf("announced: %+v", v)
	}
	w.knows(s, enrolment.Pocket)
	v, err = h.PersonView(t.Context(), s)
	must(t, err)
	if v.Name != "Weg van Alles" || v.Email != "w•••@voorbeeld.nl" || v.Phone != "+31 •• ••• •• 78" || v.PhoneSource != enrolment.FromSelf || !v.PhoneProved ||
		v.Step != enrolment.StepDone || v.Factor != enrolment.Pocket || v.Since.IsZero() || v.Device != "iPhone van Weg" || v.LastAt != "hal-2" || v.Language != "nl" {
		t.Errorf("enrolled: %+v", v)
	}
	seen := v.LastSeen
	w.logs(s, byPocket, login.LoginLocked{Network: "n", Until: time.Now().Add(time.Hour)}, login.LoginLocked{Network: "m", Until: time.Now().Add(2 * time.Hour)})
	v, err = h.PersonView(t.Context(), s)
	must(t, err)
	if !v.LastSeen.After(seen) || v.LastClient != "portal" || v.LastAt != "" || len(v.Locks) != 2 || !v.Locks[0].Until.After(v.Locks[1].Until) || v.Logins != 2 {
		t.Errorf("after a login: %+v", v)
	}
	for field, want := range map[desk.PersonField]string{
		desk.FieldEmail: "way@voorbeeld.nl", desk.FieldPhone: "+31 6 12345678", desk.FieldHRPhone: "+31 6 87654321",
	} {
		if got, err := h.Reveal(t.Context(), s, field); err != nil || got != want {
			t.Errorf("%s: %q, %v", field, got, err)
		}
	}
	if got, err := h.Reveal(t.Context(), someone(), desk.FieldPhone); got != "" || err != nil {
		t.Errorf("of nobody: %q, %v", got, err)
	}
}

func TestATimelineLeavesNothingOut(t *testing.T) {
	t.Parallel()
	h := newHall(t, nil, newTown(t)).opened()
	s := h.register(staff{email: "iemand@voorbeeld.nl"})
	h.knows(s, enrolment.SMS)
	h.happens(s, wrong("x", 2)...)
	h.logs(s, failed(login.WrongPassword), bySMS, login.CodeSent{Challenge: "l", Number: 1}, loggedIn)
	whole, err := h.Timeline(t.Context(), s, desk.TimelineQuery{Limit: desk.MostRows})
	must(t, err)
	if len(whole.Entries) != whole.Total || whole.Total < 15 {
		t.Fatalf("%d of %d", len(whole.Entries), whole.Total)
	}
	sum := 0
	for kind, n := range whole.Counts {
		sum += n
		some, err := h.Timeline(t.Context(), s, desk.TimelineQuery{Kinds: []desk.TimelineKind{kind}, Limit: desk.MostRows})
		must(t, err)
		if some.Total != n || len(some.Entries) != n {
			t.Errorf("%s: %d entries of %d", kind, len(some.Entries), n)
		}
		for _, e := range some.Entries {
			if e.Kind != kind {
				t.Errorf("among %s: %s", kind, e.Type)
			}
		}
	}
	if sum != whole.Total {
		t.Errorf("%d of %d have a kind", sum, whole.Total)
	}
	for i, e := range whole.Entries {
		if i > 0 && e.Position > whole.Entries[i-1].Position {
			t.Errorf("%s stands behind what came before it", e.Type)
		}
	}
	if whole.Entries[0].Type != "LoginSucceeded" || whole.Entries[whole.Total-1].Type != "StaffRegistered" {
		t.Errorf("from %s to %s", whole.Entries[0].Type, whole.Entries[whole.Total-1].Type)
	}
	part, err := h.Timeline(t.Context(), s, desk.TimelineQuery{Offset: 3, Limit: 2})
	must(t, err)
	if len(part.Entries) != 2 || part.Entries[0].ID != whole.Entries[3].ID || part.Total != whole.Total {
		t.Errorf("a part: %+v", part)
	}
	for kind, types := range map[desk.TimelineKind][]string{
		desk.TimelineRefusals: {"LoginFailed", "CodeRejected"}, desk.TimelineLogins: {"LoginSucceeded", "LoginChallenged"},
		desk.TimelineMessages: {"CodeSent", "CodeIssued"}, desk.TimelineStaff: {"StaffRegistered"}, desk.TimelineEnrolment: {"FactorChosen", "PhoneVerified"},
	} {
		for _, e := range whole.Entries {
			if slices.Contains(types, e.Type) && e.Kind != kind {
				t.Errorf("%s is of %s", e.Type, e.Kind)
			}
		}
	}
}

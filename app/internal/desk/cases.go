package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/cases"
)

// What staff do to somebody's account; see domain/enrolment/case.go. Here is what that
// takes from the vault, and who is told.

// A CaseRequest is what a member of staff asks for.
type CaseRequest struct {
	Subject  domain.SubjectID
	Case     string // from NewCase, where something was shown for it already; empty: a new one
	Action   enrolment.Action
	Reason   enrolment.CaseReason
	Evidence []enrolment.Evidence // enrolment.Claims; what Keydesk saw itself is added
	Ticket   string               // the number in the helpdesk's own system, up to 100 characters; may be empty
	Remote   bool                 // the person is not there
	Phone    string               // enrolment.CorrectingNumber: as typed
}

// CaseStage is how far a case is.
type CaseStage string

// The stages.
const (
	CaseWaiting  CaseStage = "waiting"  // for a second person
	CaseApproved CaseStage = "approved" // and waits for its time; see CaseView.NotBefore
	CaseDone     CaseStage = "done"
	CaseDenied   CaseStage = "denied"
	CaseStopped  CaseStage = "stopped"
	CaseExpired  CaseStage = "expired"
)

// A CaseView is all that is known of a case without the vault.
type CaseView struct {
	Case      string
	Subject   domain.SubjectID
	Action    enrolment.Action
	Reason    enrolment.CaseReason
	Evidence  []enrolment.Evidence
	Ticket    bool // there is a number of the helpdesk's own
	Remote    bool
	Alone     bool // done by the console without a second person
	Stage     CaseStage
	By        string // the actor's id who asked
	Second    string // who approved or denied
	Denial    enrolment.Denial
	Stop      enrolment.Stop
	Asked     time.Time
	Expires   time.Time // CaseWaiting: unless it is approved
	NotBefore time.Time // CaseApproved: when it is carried out
	Until     time.Time
}

// caseForm is what a case is called.
var caseForm = regexp.MustCompile(`^[2-9A-Z]{4}-[2-9A-Z]{4}$`)

// NewCase names a case that is about to be asked for, so that what is shown for it can
// say so.
func (d *Desk) NewCase() string { return string(newCase()) }

// RequestCase asks for an action, or does it where it needs nobody else: see the view's
// stage. The person is told of what needs a second one, with what stops it.
func (d *Desk) RequestCase(ctx context.Context, by Agent, r CaseRequest) (CaseView, error) {
	view, err := d.requestCase(ctx, by, r, false)
	return view, d.refusal(err)
}

// RequestAlone is RequestCase without the second person that an action needs: for whoever
// has the master key, where nobody else is left. It is recorded as such, and alarms.
func (d *Desk) RequestAlone(ctx context.Context, r CaseRequest) (CaseView, error) {
	view, err := d.requestCase(ctx, Console(), r, true)
	return view, d.refusal(err)
}

func (d *Desk) requestCase(ctx context.Context, by Agent, r CaseRequest, alone bool) (CaseView, error) {
	stamp := d.staffStamp(ctx, by, "request-case", r.Subject)
	if r.Case == "" {
		r.Case = d.NewCase()
	}
	if !caseForm.MatchString(r.Case) {
		return CaseView{}, refuse(NoCase)
	}
	_, keyID := d.Keys.Derive(stopKey)
	c := enrolment.RequestCase{
		Case: enrolment.CaseID(r.Case), Subject: r.Subject, Action: r.Action, Reason: r.Reason, Evidence: r.Evidence,
		Remote: r.Remote, Alone: alone, KeyID: keyID,
	}
	before, err := d.load(ctx, r.Subject)
	if err != nil {
		return CaseView{}, err
	}
	mine, _, err := before.own(stamp.Command)
	if err != nil {
		return CaseView{}, err
	}
	if len(mine) == 0 {
		if err := d.fillRequest(ctx, by, stamp, r, before, &c); err != nil {
			return CaseView{}, err
		}
	}
	_, events, err := d.actOn(ctx, r.Subject, stamp, func(rec record) (enrolment.Command, error) {
		if _, twice := caseOf(rec, c.Case); twice {
			return nil, enrolment.ErrCaseOpen
		}
		return c, d.mayErase(ctx, r.Subject, r.Action)
	})
	if err != nil {
		return CaseView{}, err
	}
	view, err := d.requested(ctx, r.Subject, stamp, events)
	return view, errors.Join(err, d.erasedBy(ctx, r.Subject, events))
}

// fillRequest adds what an action takes from the vault, and counts what it sends. Nothing
// is kept or counted for what would be refused anyway.
func (d *Desk) fillRequest(ctx context.Context, by Agent, stamp domain.Stamp, r CaseRequest, rec record, c *enrolment.RequestCase) error {
	ticket := strings.Join(strings.Fields(r.Ticket), " ")
	if !utf8.ValidString(ticket) || utf8.RuneCountInString(ticket) > 100 || strings.ContainsFunc(ticket, unicode.IsControl) {
		return refuse(TicketUnusable)
	}
	var number enrolment.Number
	var resend codeOut
	var err error
	switch r.Action {
	case enrolment.Resending:
		resend = d.awaited(rec.state)
		c.Resend = resend.Reissue
	case enrolment.CorrectingNumber:
		if number, err = d.Policy.ParsePhone(r.Phone); err != nil {
			return err
		}
		c.Phone = enrolment.Phone{Ref: domain.Ref{Version: -1}, Source: enrolment.FromSelf, Country: number.Country}
	case enrolment.Freezing, enrolment.Unlocking, enrolment.RevokingPocket, enrolment.Unfreezing, enrolment.Resetting, enrolment.IssuingTicket,
		enrolment.Erasing:
	}
	if _, err := d.Policy.Decide(rec.state, *c, stamp); err != nil {
		return err
	}
	if err := d.calledBack(ctx, by, r); err != nil {
		return err
	}
	switch r.Action { //nolint:exhaustive // as above
	case enrolment.Resending:
		if err := d.countAgain(ctx, r.Subject, resend); err != nil {
			return err
		}
	case enrolment.CorrectingNumber:
		if c.Phone, err = d.phoneRef(ctx, r.Subject, rec.state, number); err != nil {
			return err
		}
	}
	if ticket != "" {
		c.Ticket, err = d.put(ctx, r.Subject, KindTicket, []byte(ticket))
	}
	return err
}

// calledBack refuses the claim of a call back by whom the number was not shown to for this
// case: a number that the caller gave is none to call back.
func (d *Desk) calledBack(ctx context.Context, by Agent, r CaseRequest) error {
	if by.Subject.IsZero() || !slices.Contains(r.Evidence, enrolment.CalledBack) {
		return nil // the command line shows no numbers
	}
	looks, err := d.Log.ReadStream(ctx, staff.AccessStream(by.Subject), 0)
	if err != nil {
		return fmt.Errorf("read what %s looked at: %w", by.Subject, err)
	}
	for _, rec := range looks {
		a, err := staff.DecodeAccess(rec.Type, rec.Data)
		if shown, ok := a.(staff.DataShown); err == nil && ok && shown.Scope == staff.ShownHRNumber && shown.Subject == r.Subject && shown.Case == r.Case {
			return nil
		}
	}
	return enrolment.ErrNoEvidence
}

// A codeOut is a code that somebody waits for, and how it travels.
type codeOut struct {
	enrolment.Reissue
	channel enrolment.Channel
	kind    Kind
	to      domain.Ref
}

// awaited says which code somebody waits for now: that of the mail, also of who comes back
// to go on, until it was typed; then that to the number.
func (d *Desk) awaited(st enrolment.State) codeOut {
	out := codeOut{enrolment.Reissue{Purpose: enrolment.ConfirmingEmail}, enrolment.ByMail, KindEmail, st.Codes.Email.To}
	if !st.Given.Ref.IsZero() && (st.Codes.Email.Used || st.Chosen() != enrolment.NoFactor) {
		out = codeOut{enrolment.Reissue{Purpose: enrolment.VerifyingPhone}, enrolment.BySMS, KindPhone, st.Given.Ref}
		if st.Chosen() != enrolment.NoFactor {
			out.Purpose = enrolment.ChangingPhone
		}
	}
	out.Challenge = enrolment.ChallengeID(newID())
	_, out.KeyID = d.Keys.Derive(codeKey(out.Purpose))
	return out
}

// countAgain counts a code that is sent again against its limits.
func (d *Desk) countAgain(ctx context.Context, s domain.SubjectID, out codeOut) error {
	address, err := d.open(ctx, s, out.kind, out.to)
	if err != nil {
		return err
	}
	next, allowed, err := d.countSend(ctx, out.Purpose, out.channel, address, d.station)
	if err == nil && !allowed {
		err = &Refusal{Code: Limited, Wait: max(0, next.Sub(d.Now()))}
	}
	return err
}

// requested tells whom it concerns of what was asked for, or done at once.
func (d *Desk) requested(ctx context.Context, s domain.SubjectID, stamp domain.Stamp, events []enrolment.Event) (CaseView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, err
	}
	var asked enrolment.RecoveryRequested
	for _, e := range events {
		if r, ok := e.(enrolment.RecoveryRequested); ok {
			asked = r
		}
	}
	view, _ := caseOf(r, asked.Case)
	var refs []domain.Ref
	for _, ref := range []*domain.Ref{asked.Ticket, asked.Phone} {
		if ref != nil {
			refs = append(refs, *ref)
		}
	}
	if len(refs) > 0 {
		d.activate(ctx, s, refs...)
	}
	before, err := r.before(stamp.Command)
	if err != nil {
		return view, err
	}
	d.countCase(ctx, s, asked)
	switch {
	case asked.Alone:
		d.tellCase(s, before, asked, CaseDoneMessage, 0)
		d.alarmCase(AloneAlarm, "alone "+s.String()+" "+string(asked.Case), string(asked.Case))
	case asked.Action.Second():
		d.tellCase(s, before, asked, CaseRequestedMessage, 0)
	case asked.Action == enrolment.Freezing:
		d.notify(s, occasionOf(stamp.Command), Message{Kind: FrozenMessage, Reason: FrozenHelpdesk}, enrolment.ByMail, enrolment.BySMS)
	case asked.Action == enrolment.Resending:
		d.sendAgain(s, stamp, d.awaited(before).Purpose, r.state.Language)
	}
	return view, nil
}

// sendAgain sends the code of a purpose. A call that is asked again sends nothing twice.
func (d *Desk) sendAgain(s domain.SubjectID, stamp domain.Stamp, p enrolment.Purpose, lang string) {
	send := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, deliverFor)
		defer cancel()
		first, err := d.Sends.StartSend(ctx, noticeID(s, occasionOf(stamp.Command), Message{Kind: CodeMessage}))
		if err == nil && first {
			err = d.sendCode(ctx, s, stamp.Correlation, p, cmp.Or(lang, d.Languages[0]))
		}
		d.report(err)
	}
	if !d.enqueue(send) {
		d.report(fmt.Errorf("send a code again: %w: too much is waiting", domain.ErrUnavailable))
	}
}

// ApproveCase is the second person's word. In person the action is done with it, from
// afar a day later: see the view's stage. CaseLapsed: too late.
func (d *Desk) ApproveCase(ctx context.Context, by Agent, s domain.SubjectID, id string) (CaseView, error) {
	approve := enrolment.ApproveCase{Case: enrolment.CaseID(id), Subject: s}
	return d.decideCase(ctx, s, d.staffStamp(ctx, by, "approve-case/"+id, s), approve, approve.Case)
}

// DenyCase lets a case come to nothing: any other member of staff may, and who asked.
func (d *Desk) DenyCase(ctx context.Context, by Agent, s domain.SubjectID, id string, why enrolment.Denial) (CaseView, error) {
	deny := enrolment.DenyCase{Case: enrolment.CaseID(id), Subject: s, Reason: why}
	return d.decideCase(ctx, s, d.staffStamp(ctx, by, "deny-case/"+id, s), deny, deny.Case)
}

// decideCase has a command about an open case decided, and tells the person.
func (d *Desk) decideCase(ctx context.Context, s domain.SubjectID, stamp domain.Stamp, c enrolment.Command, id enrolment.CaseID) (CaseView, error) {
	_, events, err := d.act(ctx, s, stamp, func(st enrolment.State) (enrolment.Command, error) {
		if _, approves := c.(enrolment.ApproveCase); approves {
			return c, d.mayErase(ctx, s, st.Request.Action)
		}
		return c, nil
	})
	if err == nil {
		err = d.erasedBy(ctx, s, events)
	}
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	view, _ := caseOf(r, id)
	before, err := r.before(stamp.Command)
	if err != nil {
		return view, d.refusal(err)
	}
	asked, _ := r.asked(id)
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // those of a case
		case enrolment.RecoveryExpired:
			return view, refuse(CaseLapsed)
		case enrolment.RecoveryApproved:
			if wait := e.NotBefore.Sub(stamp.At); wait > 0 {
				d.tellCase(s, before, asked, CaseApprovedMessage, wait)
			}
		case enrolment.RecoveryCompleted:
			if e.Case == id {
				d.tellCase(s, before, asked, CaseDoneMessage, 0)
			}
		case enrolment.RecoveryStopped:
			if e.Reason == enrolment.StoppedByPerson {
				d.alarmCase(CaseStoppedAlarm, "stopped "+s.String()+" "+string(id), string(id))
			}
		}
	}
	return view, nil
}

// StopCase is for whoever has the code of a case, from the message about it: it is
// stopped, without a login. The same code again is no refusal for a day. NoCase: there
// is no such code, or the case is over.
func (d *Desk) StopCase(ctx context.Context, typed string) error {
	code, ok := enrolment.ParseTicket(typed)
	if !ok {
		return refuse(NoCase)
	}
	c, ok, err := d.caseWith(ctx, code)
	switch {
	case err != nil:
		return d.refusal(err)
	case !ok:
		return refuse(NoCase)
	case !c.Stopped.IsZero():
		return nil
	}
	stamp := d.caseStamp("stop", c)
	stamp.Actor.ID = "stop-code" // which is not proved to be in anybody's hands
	_, err = d.decideCase(ctx, c.Subject, stamp, enrolment.StopCase{Case: c.ID}, c.ID)
	return err
}

// StopByCode is StopCase for the page on the web. Refusals are a pairing.Refusal: Unknown,
// Expired, Unavailable.
func (d *Desk) StopByCode(ctx context.Context, code string) error {
	err := d.StopCase(ctx, code)
	switch {
	case isRefusalOf(err, NoCase):
		return pairing.Unknown
	case isRefusalOf(err, CaseLapsed):
		return pairing.Expired
	case isRefusalOf(err, Unavailable), isRefusalOf(err, Unsure):
		return pairing.Unavailable // it was reported, and the same again makes sure
	}
	return err
}

// caseWith finds the case that a code stops. One that is not known yet may have been
// asked for at another server a moment ago.
func (d *Desk) caseWith(ctx context.Context, code string) (cases.Case, bool, error) {
	find := func() (cases.Case, bool, error) {
		for _, c := range d.Cases.All() {
			mine, err := d.stopCode(c.Subject, c.ID, c.KeyID)
			if err != nil {
				return c, false, err
			}
			if enrolment.Matches(mine, code) {
				return c, true, nil
			}
		}
		return cases.Case{}, false, nil
	}
	if c, ok, err := find(); ok || err != nil {
		return c, ok, err
	}
	if err := d.catchUpCases(ctx); err != nil {
		return cases.Case{}, false, err
	}
	return find()
}

// catchUpCases waits until all cases are known that the log holds now.
func (d *Desk) catchUpCases(ctx context.Context) error {
	head, err := d.Log.Head(ctx)
	if err != nil {
		return fmt.Errorf("find the end of the log: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	if err := d.Cases.Reach(ctx, head); err != nil {
		return fmt.Errorf("read the cases: %w: %w", domain.ErrUnavailable, err)
	}
	return nil
}

// The purposes of the keys that what stops a case, and a ticket, are derived with.
const (
	stopKey           = "case/stop"
	recoveryTicketKey = "ticket/recovery"
)

func (d *Desk) stopCode(s domain.SubjectID, id enrolment.CaseID, keyID string) (string, error) {
	key, err := d.Keys.DeriveWith(keyID, stopKey)
	if err != nil {
		return "", err
	}
	return enrolment.TicketCode(key, s, stopKey, string(id)), nil
}

// caseStamp says that Keydesk itself does something with a case, once: whichever server
// does it, and however often, it is the same act.
func (d *Desk) caseStamp(what string, c cases.Case) domain.Stamp {
	stamp := d.machineStamp(domain.EventID(newCommand()))
	stamp.Command = Call(c.Subject).command(what+"/"+string(c.ID), 0)
	return stamp
}

// OpenCases returns what waits for a second person or for its time, the oldest first.
func (d *Desk) OpenCases(ctx context.Context) ([]CaseView, error) {
	if err := d.catchUpCases(ctx); err != nil {
		return nil, d.refusal(err)
	}
	var open []CaseView
	for _, c := range d.Cases.All() {
		if c.Stopped.IsZero() && !c.Lapsed(d.Now()) {
			open = append(open, viewOf(c))
		}
	}
	return open, nil
}

func viewOf(c cases.Case) CaseView {
	view := CaseView{
		Case: string(c.ID), Subject: c.Subject, Action: c.Action, Reason: c.Reason, Remote: c.Remote, Stage: CaseWaiting, By: c.By,
		Second: c.Approved, Asked: c.Asked, Expires: c.Expires, NotBefore: c.NotBefore, Until: c.Until,
	}
	if c.Approved != "" {
		view.Stage = CaseApproved
	}
	return view
}

// Case returns one case of a person, whatever became of it. NoCase: there is none.
func (d *Desk) Case(ctx context.Context, s domain.SubjectID, id string) (CaseView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	view, ok := caseOf(r, enrolment.CaseID(id))
	if !ok {
		return CaseView{}, refuse(NoCase)
	}
	if view.Stage == CaseWaiting && d.Now().After(view.Expires) || view.Stage == CaseApproved && d.Now().After(view.Until) {
		view.Stage = CaseExpired // whether or not somebody has recorded it
	}
	return view, nil
}

// asked returns what was asked for with a case.
func (r record) asked(id enrolment.CaseID) (enrolment.RecoveryRequested, *domain.Recorded) {
	for i := range r.events {
		if r.events[i].Type != "RecoveryRequested" {
			continue
		}
		if e, err := enrolment.Decode(r.events[i].Type, r.events[i].Data); err == nil {
			if asked, ok := e.(enrolment.RecoveryRequested); ok && asked.Case == id {
				return asked, &r.events[i]
			}
		}
	}
	return enrolment.RecoveryRequested{}, nil
}

// caseOf tells what became of a case of staff; false: there is none.
func caseOf(r record, id enrolment.CaseID) (CaseView, bool) {
	asked, at := r.asked(id)
	if at == nil {
		return CaseView{}, false
	}
	s, _ := domain.SubjectOfStream(at.Stream)
	view := CaseView{
		Case: string(id), Subject: s, Action: asked.Action, Reason: asked.Reason, Evidence: asked.Evidence, Ticket: asked.Ticket != nil,
		Remote: asked.Remote, Alone: asked.Alone, By: asked.By, Asked: at.Recorded, Expires: asked.Expires, Stage: CaseWaiting,
	}
	for _, rec := range r.events {
		if rec.Revision <= at.Revision || !slices.Contains(cases.Types(), rec.Type) {
			continue
		}
		e, err := enrolment.Decode(rec.Type, rec.Data)
		if err != nil {
			continue // whoever decides refuses to
		}
		view.evolve(e, id)
	}
	return view, true
}

func (v *CaseView) evolve(e enrolment.Event, id enrolment.CaseID) {
	switch e := e.(type) { //nolint:gochecksumtype // those of a case
	case enrolment.RecoveryApproved:
		if e.Case == id {
			v.Stage, v.Second, v.NotBefore, v.Until = CaseApproved, e.By, e.NotBefore, e.Until
		}
	case enrolment.RecoveryDenied:
		if e.Case == id {
			v.Stage, v.Second, v.Denial = CaseDenied, e.By, e.Reason
		}
	case enrolment.RecoveryStopped:
		if e.Case == id {
			v.Stage, v.Stop = CaseStopped, e.Reason
		}
	case enrolment.RecoveryExpired:
		if e.Case == id {
			v.Stage = CaseExpired
		}
	case enrolment.RecoveryCompleted:
		if e.Case == id {
			v.Stage = CaseDone
		}
	}
}

// CarryOut does what was approved, where its time has come: TooEarly before that. All but
// a ticket is done by itself too; see CarryOutDue.
func (d *Desk) CarryOut(ctx context.Context, s domain.SubjectID, id string) (CaseView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	if r.state.Request.ID != enrolment.CaseID(id) || id == "" {
		return CaseView{}, refuse(NoCase)
	}
	return d.carryOut(ctx, cases.Case{Case: r.state.Request, Subject: s})
}

func (d *Desk) carryOut(ctx context.Context, c cases.Case) (CaseView, error) {
	return d.decideCase(ctx, c.Subject, d.caseStamp("carry-out", c), enrolment.CarryOut{Case: c.ID}, c.ID)
}

// dueEvery is how often a server looks what is due.
const dueEvery = 30 * time.Second

// keepCases carries out what is due, until ctx ends.
func (d *Desk) keepCases(ctx context.Context) {
	tick := time.NewTicker(dueEvery)
	defer tick.Stop()
	for {
		d.CarryOutDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// CarryOutDue carries out what was approved and has waited for its time, all but tickets,
// and records what has lapsed. Any number of servers may do so at once: each case is carried out
// once, and told of once. What fails is tried again at the next time.
func (d *Desk) CarryOutDue(ctx context.Context) {
	now := d.Now()
	for _, c := range d.Cases.All() {
		// A ticket lives for an hour, and is issued when somebody is there to hand it over.
		due := c.Approved != "" && !now.Before(c.NotBefore) && c.Action != enrolment.IssuingTicket
		switch {
		case ctx.Err() != nil || !c.Stopped.IsZero():
			continue
		case !due && !c.Lapsed(now):
			d.report(d.tellAgain(ctx, c))
			continue
		}
		stamp, what := d.caseStamp("carry-out", c), enrolment.Command(enrolment.CarryOut{Case: c.ID})
		if c.Lapsed(now) {
			stamp, what = d.caseStamp("expire", c), enrolment.ExpireCase{Case: c.ID}
		}
		_, err := d.decideCase(context.WithoutCancel(ctx), c.Subject, stamp, what, c.ID)
		if isRefusalOf(err, NoCase) || isRefusalOf(err, CaseLapsed) {
			continue // another server was faster, or this one is behind
		}
		if err != nil && !isRefusalOf(err, Unavailable) && !isRefusalOf(err, Unsure) { // those are reported
			d.report(fmt.Errorf("carry out case %s of %s: %w", c.ID, c.Subject, err))
		}
	}
}

// tellAgain tells a person of a case that waits, unless they were told: whoever recorded
// it may have been killed before that.
func (d *Desk) tellAgain(ctx context.Context, c cases.Case) error {
	r, err := d.load(ctx, c.Subject)
	if err != nil {
		return err
	}
	if r.state.Request.ID != c.ID {
		return nil
	}
	asked, _ := r.asked(c.ID)
	d.tellCase(c.Subject, r.state, asked, CaseRequestedMessage, 0)
	if wait := c.NotBefore.Sub(d.Now()); c.Approved != "" && wait > 0 {
		d.tellCase(c.Subject, r.state, asked, CaseApprovedMessage, wait)
	}
	return nil
}

// Ticket returns the ticket that a case has issued, for whoever asked for it or approved
// it to hand over; that is recorded. NoCase: there is none that could still be redeemed,
// or it is not theirs to see.
func (d *Desk) Ticket(ctx context.Context, by Agent, s domain.SubjectID, id string) (string, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return "", d.refusal(err)
	}
	view, ok := caseOf(r, enrolment.CaseID(id))
	t, me := r.state.Codes.Ticket, by.actor().ID
	if !ok || me == "" || me != view.By && me != view.Second || t.ID != enrolment.ChallengeID(id) || !t.Open(d.Policy, d.Now()) {
		return "", refuse(NoCase)
	}
	if err := d.shown(ctx, by, staff.ShownTicket, s, id); err != nil {
		return "", d.refusal(err)
	}
	code, err := d.ticketCode(s, t)
	return enrolment.FormatTicket(code), d.refusal(err)
}

func (d *Desk) ticketCode(s domain.SubjectID, t enrolment.Challenge) (string, error) {
	key, err := d.Keys.DeriveWith(t.KeyID, recoveryTicketKey)
	if err != nil {
		return "", err
	}
	return enrolment.TicketCode(key, s, recoveryTicketKey, string(t.ID)), nil
}

// RedeemTicket is for somebody who left half-way, forgot the password, and was given a
// ticket: it takes the place of the old password, once, and the view asks for a new one.
func (d *Desk) RedeemTicket(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "redeem-ticket", func(ctx context.Context, v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		code, _ := enrolment.ParseTicket(typed)
		s, events, err := d.do(ctx, v, func(s enrolment.State) (enrolment.Command, error) {
			t := s.Codes.Ticket
			if t.ID == "" {
				return nil, enrolment.ErrNothingToConfirm
			}
			want, err := d.ticketCode(v.subject, t)
			return enrolment.RedeemTicket{Ticket: t.ID, Matches: err == nil && enrolment.Matches(want, code)}, err
		})
		if err != nil {
			return err
		}
		if err := d.rejected(s, events); err != nil {
			return err
		}
		if recorded[enrolment.TicketRedeemed](events) {
			v.ticket = s.Password
		}
		return nil
	})
}

// ShowHRNumber returns the number that HR has of somebody, to call them back: in a case
// only, whose name NewCase gave, and recorded. NoNumber: HR has none.
func (d *Desk) ShowHRNumber(ctx context.Context, by Agent, s domain.SubjectID, id string) (PhoneView, error) {
	switch {
	case by.actor().ID == "" || by.actor().ID == s.String():
		return PhoneView{}, refuse(OwnAccount)
	case !caseForm.MatchString(id):
		return PhoneView{}, refuse(NoCase)
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return PhoneView{}, d.refusal(err)
	}
	if r.state.Staff.Phone.IsZero() {
		return PhoneView{}, refuse(NoNumber)
	}
	if err := d.shown(ctx, by, staff.ShownHRNumber, s, id); err != nil {
		return PhoneView{}, d.refusal(err)
	}
	view, err := d.numberView(ctx, s, enrolment.Phone{Ref: r.state.Staff.Phone, Source: enrolment.FromHR})
	return view, d.refusal(err)
}

// staffStamp says that a member of staff does something to somebody. Whoever asks for the
// same again under the same call finds what was recorded then.
func (d *Desk) staffStamp(ctx context.Context, by Agent, useCase string, s domain.SubjectID) domain.Stamp {
	return d.agentStamp(by, CallOf(ctx).command(useCase+"/"+by.actor().ID+"/"+s.String(), 0))
}

// shown records what of a person is shown to an agent for a case, before it is: what
// cannot be recorded is not shown.
func (d *Desk) shown(ctx context.Context, by Agent, what staff.Scope, s domain.SubjectID, id string) error {
	c, look := CallOf(ctx).command("shown/"+string(what)+"/"+s.String()+"/"+id, 0), staff.DataShown{Scope: what, Subject: s, Case: id}
	if !by.console {
		return d.noteAccess(ctx, by, c, look)
	}
	m, err := staff.AccessMessage(look, d.agentStamp(by, c))
	if err != nil {
		return err
	}
	return d.addTo(ctx, domain.AccessPrefix+by.actor().ID, m)
}

// before returns the state in which a command found the record that it has added to.
func (r record) before(c domain.CommandID) (enrolment.State, error) {
	var s enrolment.State
	for _, rec := range r.events {
		if rec.ID == domain.EventIDFor(c, 0) {
			break
		}
		e, err := enrolment.Decode(rec.Type, rec.Data)
		if err != nil {
			return enrolment.State{}, err
		}
		s = enrolment.Evolve(s, e)
	}
	return s, nil
}

// tellCase tells a person of a case, on every channel that was theirs when it was
// decided: also at a number that counts no more after it. Whoever has a phone that is
// lost or stolen reads its SMS, and is not told how to stop what helps against that.
func (d *Desk) tellCase(s domain.SubjectID, before enrolment.State, asked enrolment.RecoveryRequested, kind MessageKind, wait time.Duration) {
	if asked.Action == enrolment.Erasing {
		d.tellErasure(s, before, asked, kind)
		return
	}
	m := Message{Kind: kind, Action: asked.Action, Life: wait}
	if kind != CaseDoneMessage {
		if err := d.stoppable(&m, s, asked); err != nil {
			d.report(err)
			return
		}
	}
	occasion := "case " + string(asked.Case)
	d.notifyAt(s, occasion, m, enrolment.ByMail, before.Email)
	if before.Frozen == enrolment.FrozenLost || before.Frozen == enrolment.FrozenStolen {
		m.Stop, m.Link = "", ""
	}
	if !before.Phone.Ref.IsZero() {
		d.notifyAt(s, occasion, m, enrolment.BySMS, before.Phone.Ref)
	}
}

// stoppable adds what stops a case to a message about it.
func (d *Desk) stoppable(m *Message, s domain.SubjectID, asked enrolment.RecoveryRequested) error {
	code, err := d.stopCode(s, asked.Case, asked.KeyID)
	if err != nil {
		return err
	}
	if m.Stop = enrolment.FormatTicket(code); d.PublicURL != "" {
		m.Link = d.PublicURL + StopPath + "#" + m.Stop
	}
	return nil
}

// StopPath is where, below the public address, a case is stopped. The code stands in the
// fragment, which no server and no scanner of mails sees.
const StopPath = "/stop"

// countCase counts a case of a member of staff that rests on what they say, once, and
// tells the helpdesk when there are unusually many.
func (d *Desk) countCase(ctx context.Context, s domain.SubjectID, asked enrolment.RecoveryRequested) {
	if !asked.Action.Proof() {
		return
	}
	first, err := d.Sends.StartSend(ctx, noticeID(s, "count "+string(asked.Case), Message{}))
	if err != nil || !first {
		d.report(err)
		return
	}
	_, allowed, err := d.Limits.Take(ctx, d.Now(), Limit{Name: "agent-cases", Key: asked.By, Window: day, Max: d.Policy.CasesADay})
	if err != nil {
		d.report(fmt.Errorf("count a case: %w", err))
		return
	}
	if !allowed {
		d.alarmCase(CasesAlarm, "cases "+asked.By+" "+d.Now().UTC().Format(time.DateOnly), string(asked.Case))
	}
}

// Freeze is for somebody at the server's command line: no factor counts from now on.
// False: it is frozen already.
func (d *Desk) Freeze(ctx context.Context, s domain.SubjectID, why enrolment.CaseReason) (bool, error) {
	_, err := d.requestCase(ctx, Console(), CaseRequest{Subject: s, Action: enrolment.Freezing, Reason: why}, false)
	if errors.Is(err, enrolment.ErrPointless) {
		return false, nil
	}
	return err == nil, err
}

// CaseTicket returns the number of a case in the helpdesk's own system; empty: there is
// none.
func (d *Desk) CaseTicket(ctx context.Context, s domain.SubjectID, id string) (string, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return "", d.refusal(err)
	}
	asked, _ := r.asked(enrolment.CaseID(id))
	if asked.Ticket == nil {
		return "", nil
	}
	number, err := d.open(ctx, s, KindTicket, *asked.Ticket)
	return number, d.refusal(err)
}

// Unfreeze is for somebody at the server's command line who has no second person, and has
// made sure of whom they speak with: the account counts again, and the person enrols anew
// behind the e-mail address, with a new password. False: it was not frozen.
func (d *Desk) Unfreeze(ctx context.Context, s domain.SubjectID, why enrolment.CaseReason) (bool, error) {
	_, err := d.requestCase(ctx, Console(), CaseRequest{Subject: s, Action: enrolment.Unfreezing, Reason: why}, true)
	if errors.Is(err, enrolment.ErrPointless) {
		return false, nil
	}
	return err == nil, err
}

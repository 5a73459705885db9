package desk

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

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

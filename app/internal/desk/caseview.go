package desk

import (
	"context"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/cases"
)

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

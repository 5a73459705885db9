package desk

import (
	"context"
	"fmt"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/projections/cases"
)

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

// StopPath is where, below the public address, a case is stopped. The code stands in the
// fragment, which no server and no scanner of mails sees.
const StopPath = "/stop"

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

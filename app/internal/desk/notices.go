package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// What people are told about their accounts, each occasion once for each channel.

// notify tells a person about their account, on channels. What names the occasion for
// good: however often it is told of, each channel tells it once.
func (d *Desk) notify(s domain.SubjectID, occasion string, m Message, channels ...enrolment.Channel) {
	for _, channel := range channels {
		d.notifyAt(s, occasion, m, channel, domain.Ref{})
	}
}

// occasionOf names what a command has recorded.
func occasionOf(c domain.CommandID) string { return domain.EventIDFor(c, 0).String() }

// noticeID names a message about an occasion.
func noticeID(s domain.SubjectID, occasion string, m Message) string {
	h := sha256.Sum256([]byte(s.String() + "\x00" + occasion + "\x00" + string(m.Kind) + "\x00" + string(m.Channel)))
	return hex.EncodeToString(h[:16])
}

// notifyAt is notify at an address that is not, or no longer, the person's own: a
// number that was replaced.
func (d *Desk) notifyAt(s domain.SubjectID, occasion string, m Message, channel enrolment.Channel, to domain.Ref) {
	m.Channel = channel
	m.ID = noticeID(s, occasion, m)
	queued := d.enqueue(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, deliverFor)
		defer cancel()
		r, err := d.load(ctx, s)
		if err != nil {
			d.report(err)
			return
		}
		kind, ref := KindEmail, r.state.Email
		if channel == enrolment.BySMS {
			kind, ref = KindPhone, r.state.Phone.Ref
		}
		if !to.IsZero() {
			ref = to
		}
		if ref.IsZero() {
			return
		}
		m.Lang = cmp.Or(r.state.Language, d.Languages[0])
		if m.Name, err = d.open(ctx, s, KindName, r.state.Name); err == nil {
			m.To, err = d.open(ctx, s, kind, ref)
		}
		first := false
		if err == nil && m.To != "" {
			first, err = d.Sends.StartSend(ctx, m.ID)
		}
		if err == nil && first {
			_, err = d.Courier.Deliver(ctx, m)
		}
		if err != nil {
			d.report(fmt.Errorf("tell %s about their account: %w", s, err))
		}
	})
	if !queued {
		d.report(fmt.Errorf("tell %s about their account: %w: too much is waiting", s, domain.ErrUnavailable))
	}
}

// alarm tells the helpdesk that an account was frozen: no more than why, and the
// case.
func (d *Desk) alarm(s domain.SubjectID, occasion string, why Frozen, reference string) {
	m := Message{Kind: AlarmMessage, Reason: why, Reference: reference}
	m.ID = noticeID(s, occasion, m)
	d.tellHelpdesk(m, errFrozen)
}

// alarmCase tells the helpdesk of something about a case that somebody should look at.
func (d *Desk) alarmCase(kind MessageKind, occasion, reference string) {
	m := Message{Kind: kind, Reference: reference}
	m.ID = noticeID(domain.SubjectID{}, occasion, m)
	d.tellHelpdesk(m, fmt.Errorf("%w: %s, case %s", errCase, kind, reference))
}

// tellHelpdesk sends an alarm; where nobody is named to tell, it is a fault.
func (d *Desk) tellHelpdesk(m Message, untold error) {
	if d.Alarm == "" {
		d.report(untold)
		return
	}
	m.Channel, m.To, m.Lang = enrolment.ByMail, d.Alarm, d.Languages[0]
	queued := d.enqueue(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, deliverFor)
		defer cancel()
		first, err := d.Sends.StartSend(ctx, m.ID)
		if err == nil && first {
			_, err = d.Courier.Deliver(ctx, m)
		}
		if err != nil {
			d.report(fmt.Errorf("alarm the helpdesk: %w", err))
		}
	})
	if !queued {
		d.report(fmt.Errorf("alarm the helpdesk: %w: too much is waiting", domain.ErrUnavailable))
	}
}

var (
	errFrozen = errors.New("an account was frozen by its person, and organisation.alarm names nobody to tell")
	errCase   = errors.New("a case needs a look, and organisation.alarm names nobody to tell")
)

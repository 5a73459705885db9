package desk

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
	// loginsADay is how many codes to log in are sent to one number in a day.
	loginsADay = 50
	// deliverFor bounds one delivery, all providers tried.
	deliverFor = 90 * time.Second
)

// perAddress returns the limits on sending to one address, the hour first.
func (d *Desk) perAddress(p enrolment.Purpose, key string) []Limit {
	key = string(p) + " " + key
	daily := 1 + d.Policy.ResendsPerDay
	if p == enrolment.LoggingIn {
		daily = loginsADay // people log in more often than they enrol
	}
	return []Limit{
		{Name: "send-hour", Key: key, Window: hour, Max: 1 + d.Policy.ResendsPerHour, Waits: d.Policy.ResendWaits},
		{Name: "send-day", Key: key, Window: day, Max: daily},
	}
}

// takeSend counts one send against all its limits, before a code is issued and
// alike for everybody. It says whether one of them refuses, and sets from when
// on the visit may ask again. A call that is asked again is not counted again.
func (d *Desk) takeSend(ctx context.Context, v *visit, p enrolment.Purpose, by enrolment.Channel, key string) (limited bool, err error) {
	if limited, counted := v.call.taken[p]; counted {
		return limited, nil
	}
	next, allowed, err := d.countSend(ctx, p, by, key, d.station)
	if err != nil {
		return false, err
	}
	v.resend[p], v.call.taken[p] = next, !allowed
	return !allowed, nil
}

// countSend counts one send against its limits: of the address, of the station from
// which it is asked for, if it is one, and of all SMS. next is when all of them
// would allow another one.
func (d *Desk) countSend(ctx context.Context, p enrolment.Purpose, by enrolment.Channel, key, station string) (next time.Time, allowed bool, err error) {
	limits := d.perAddress(p, key)
	if station != "" {
		limits = append(limits, Limit{Name: "station-hour", Key: station, Window: hour, Max: d.Policy.StationHour})
	}
	if by == enrolment.BySMS {
		if err := d.smsAllowed(ctx); err != nil {
			return next, false, err
		}
		limits = append(limits, d.smsADay())
	}
	next, allowed, err = d.Limits.Take(ctx, d.Now(), limits...)
	if err != nil {
		return next, false, fmt.Errorf("count a send: %w", err)
	}
	return next, allowed, nil
}

// The sends that the brake on SMS pumping looks at: not the newest, whose codes
// may still be on their way, and none that is so old that the trouble may be over.
const (
	brakeYoungest = 2 * time.Minute
	brakeOldest   = hour
)

// smsAllowed is the brake on SMS pumping: when too few of the last codes came
// back, somebody is making us send to numbers of theirs. It lets go an hour
// after the sends that pulled it.
func (d *Desk) smsAllowed(ctx context.Context) error {
	paused, err := d.smsPaused(ctx)
	if paused {
		d.report(errPumping)
		return refuse(SMSPaused)
	}
	return err
}

// smsPaused says whether the brake is on.
func (d *Desk) smsPaused(ctx context.Context) (bool, error) {
	now := d.Now()
	sent, verified, err := d.Sends.LastSends(ctx, string(enrolment.BySMS), d.Policy.VerifiedSample,
		now.Add(-brakeOldest), now.Add(-brakeYoungest))
	if err != nil {
		return false, fmt.Errorf("count verified sends: %w", err)
	}
	return sent >= d.Policy.VerifiedSample && verified*100 < sent*d.Policy.VerifiedAtLeast, nil
}

// smsADay is the budget of all SMS.
func (d *Desk) smsADay() Limit {
	return Limit{Name: "sms-day", Key: "all", Window: day, Max: d.Policy.SMSPerDay}
}

var errPumping = errors.New("too few of the last codes by SMS came back: sending is paused")

// sendFor does a visit's sending in the background, and notes whether the
// channel works, which shows to everybody alike.
func (d *Desk) sendFor(ctx context.Context, v *visit, channel enrolment.Channel, send func(context.Context) error) {
	if v.call.sent[channel] {
		return // by an earlier try of this call, which was counted once
	}
	queued := d.enqueue(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, deliverFor)
		defer cancel()
		err := send(ctx)
		if channel == enrolment.ByMail && errors.Is(err, domain.ErrUnavailable) && d.lookWhetherMailWorks(ctx) == nil {
			// The server refused this one mail for now, which a stranger's
			// turn would not show.
			d.report(fmt.Errorf("send by %s: %w", channel, err))
			err = nil
		}
		d.sent(ctx, v, channel, err)
	})
	if queued {
		v.call.sent[channel] = true
	} else {
		d.background.Go(func() { d.sent(context.WithoutCancel(ctx), v, channel, domain.ErrUnavailable) })
	}
}

// lookWhetherMailWorks is all that is done for a stranger.
func (d *Desk) lookWhetherMailWorks(ctx context.Context) error {
	return d.Courier.Check(ctx, enrolment.ByMail)
}

// code sends the open code of a purpose, in the language that the visit has now.
func (d *Desk) code(v *visit, p enrolment.Purpose) func(context.Context) error {
	s, lang := v.subject, v.lang // as they are now: the visit goes on
	return func(ctx context.Context) error { return d.sendCode(ctx, s, v.correlation, p, lang) }
}

// tell sends a mail without a code to the person whom the visit is of.
func (d *Desk) tell(v *visit, kind MessageKind) func(context.Context) error {
	m := Message{ID: newID(), Kind: kind, Channel: enrolment.ByMail, Lang: v.lang}
	s := v.subject
	return func(ctx context.Context) error {
		r, err := d.load(ctx, s)
		if err != nil {
			return err
		}
		m.Lang = cmp.Or(r.state.Language, m.Lang)
		if kind == FrozenMessage {
			m.Reason, m.Reference = Frozen(r.state.Frozen), string(r.state.Case.ID)
		}
		if m.To, err = d.open(ctx, s, KindEmail, r.state.Email, r.state.Codes.Email.To); err != nil {
			return err
		}
		_, err = d.Courier.Deliver(ctx, m)
		return err
	}
}

// sent notes whether a channel works, which is so for everybody. The first
// failure after it worked is recorded with the station.
func (d *Desk) sent(ctx context.Context, v *visit, channel enrolment.Channel, err error) {
	if err != nil {
		d.report(fmt.Errorf("send by %s: %w", channel, err))
	}
	out := errors.Is(err, domain.ErrUnavailable)
	if v.outage.set(channel, out) {
		v.signals.bump()
	}
	d.mu.Lock()
	fresh := out && !d.outages[channel]
	d.outages[channel] = out
	d.mu.Unlock()
	if fresh {
		why := station.MailFailed
		if channel == enrolment.BySMS {
			why = station.SMSFailed
		}
		d.report(d.note(ctx, newCommand(), station.StationFailed{Reason: why}))
	}
}

// sendCode sends the open code of a purpose and records what became of it.
func (d *Desk) sendCode(ctx context.Context, s domain.SubjectID, visit domain.EventID, p enrolment.Purpose, lang string) error {
	r, err := d.load(ctx, s)
	if err != nil {
		return err
	}
	c := r.state.Code(p)
	if !c.Open(d.Policy, d.Now()) {
		return nil
	}
	number, err := d.startSend(ctx, c)
	if err != nil {
		return err
	}
	m := Message{
		ID: sendID(c.ID, number), Kind: CodeMessage, Purpose: p, Channel: enrolment.ByMail, Lang: lang,
		Life: c.Expires.Sub(d.Now()).Round(time.Minute),
	}
	kind := KindEmail
	if c.Channel == enrolment.BySMS {
		m.Channel, kind = enrolment.BySMS, KindPhone
	}
	if m.To, err = d.open(ctx, s, kind, c.To); err != nil {
		return err
	}
	key, err := d.Keys.DeriveWith(c.KeyID, codeKey(p))
	if err != nil {
		return err
	}
	m.Code = enrolment.Code(key, s, p, c.ID)
	receipt, failed := d.Courier.Deliver(ctx, m)
	if m.Channel == enrolment.BySMS && (failed == nil || errors.Is(failed, domain.ErrUnknownOutcome)) {
		if err := d.Sends.RecordSend(ctx, d.Now(), string(m.Channel), string(c.ID)); err != nil {
			return errors.Join(failed, err)
		}
	}
	return errors.Join(d.recordSend(ctx, s, visit, c.ID, number, receipt, failed), failed)
}

// sendID names the n-th message with a code, for good. Couriers take letters,
// digits and dashes, and the id of a login has others too.
func sendID(c enrolment.ChallengeID, number int) string {
	id := string(c)
	if random, err := base64.RawURLEncoding.DecodeString(id); err == nil && len(id) == pairing.IDLength {
		id = hex.EncodeToString(random)
	}
	return id + "-" + strconv.Itoa(number)
}

// startSend takes the next number of a code's messages. One that was started
// and never recorded, because the program was killed in between, is passed
// over: it may have left.
func (d *Desk) startSend(ctx context.Context, c enrolment.Challenge) (int, error) {
	for number := c.Sends + 1; ; number++ {
		first, err := d.Sends.StartSend(ctx, sendID(c.ID, number))
		if err != nil {
			return 0, fmt.Errorf("start a send: %w", err)
		}
		if first {
			return number, nil
		}
	}
}

// recordSend records what became of a message.
func (d *Desk) recordSend(ctx context.Context, s domain.SubjectID, visit domain.EventID, id enrolment.ChallengeID, number int, receipt Receipt, failed error) error {
	var c enrolment.Command = enrolment.RecordSent{Sent: enrolment.CodeSent{
		Challenge: id, Number: number, Provider: receipt.Provider, ProviderID: receipt.ID,
	}}
	if failed != nil {
		c = enrolment.RecordUndeliverable{Failed: enrolment.CodeUndeliverable{
			Challenge: id, Number: number, Reason: reasonOf(failed),
		}}
	}
	by := d.machineStamp(visit)
	_, _, err := d.act(ctx, s, by, func(enrolment.State) (enrolment.Command, error) { return c, nil })
	return err
}

func reasonOf(err error) enrolment.Undelivered {
	if u, ok := errors.AsType[*Undeliverable](err); ok {
		return u.Reason
	}
	if errors.Is(err, domain.ErrUnknownOutcome) {
		return enrolment.Unknown
	}
	return enrolment.NoProvider
}

// machineStamp says that Keydesk itself acts, on behalf of a visit.
func (d *Desk) machineStamp(correlation domain.EventID) domain.Stamp {
	return domain.Stamp{
		Command: newCommand(), Correlation: correlation,
		Actor:   domain.Actor{Kind: domain.ActorService, ID: "keydesk", Role: domain.RoleUnattended},
		Station: d.station, Policy: d.policyVersion, At: d.Now().UTC(),
	}
}

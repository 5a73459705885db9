package home

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// people is the vault as desk wants it: the same values under its own kinds.
type people struct{ *vault.Vault }

func (p people) Put(ctx context.Context, s domain.SubjectID, k desk.Kind, value []byte) (domain.Ref, error) {
	return p.Vault.Put(ctx, s, vault.Kind(k), value)
}

func (p people) Get(ctx context.Context, s domain.SubjectID, k desk.Kind, r domain.Ref) ([]byte, error) {
	return p.Vault.Get(ctx, s, vault.Kind(k), r)
}

// limits are the vault's counters as desk wants them.
type limits struct{ *vault.Vault }

func (l limits) Take(ctx context.Context, now time.Time, ls ...desk.Limit) (time.Time, bool, error) {
	taken, err := l.Vault.Take(ctx, now, vaultLimits(ls)...)
	if limited, ok := errors.AsType[*vault.Limited](err); ok {
		return limited.RetryAt, false, nil
	}
	return taken.Next, true, err
}

func (l limits) Clear(ctx context.Context, ls ...desk.Limit) error {
	return l.Vault.Clear(ctx, vaultLimits(ls)...)
}

func (l limits) Count(ctx context.Context, now time.Time, limit desk.Limit) (int, error) {
	return l.Vault.Count(ctx, now, vaultLimits([]desk.Limit{limit})[0])
}

func vaultLimits(ls []desk.Limit) []vault.Limit {
	out := make([]vault.Limit, len(ls))
	for i, l := range ls {
		out[i] = vault.Limit{Name: l.Name, Key: l.Key, Window: l.Window, Max: l.Max, Wait: l.Waits}
	}
	return out
}

// sender sends on one channel; the couriers and the demo outbox do.
type sender interface {
	Send(ctx context.Context, m courier.Message) (courier.Receipt, error)
}

// checker is a sender that can tell whether it works without sending anything.
type checker interface {
	Check(ctx context.Context) error
}

// couriers are all channels as desk wants them.
type couriers map[enrolment.Channel]sender

func (c couriers) Deliver(ctx context.Context, m desk.Message) (desk.Receipt, error) {
	by, ok := c[m.Channel]
	if !ok { // a real home without this courier refuses to send
		return desk.Receipt{}, fmt.Errorf("no courier for %s is set: %w", m.Channel, domain.ErrUnavailable)
	}
	receipt, err := by.Send(ctx, courier.Message{
		ID: m.ID, Kind: courierKind(m), To: m.To, Lang: m.Lang, Code: m.Code, Minutes: int(m.Life / time.Minute),
	})
	return desk.Receipt(receipt), undeliverable(err)
}

func (c couriers) Check(ctx context.Context, channel enrolment.Channel) error {
	by, ok := c[channel]
	if !ok {
		return fmt.Errorf("no courier for %s is set: %w", channel, domain.ErrUnavailable)
	}
	if by, ok := by.(checker); ok {
		return by.Check(ctx)
	}
	return nil
}

func courierKind(m desk.Message) courier.Kind {
	switch m.Kind {
	case desk.CodeMessage:
		if m.Channel == enrolment.BySMS {
			return courier.VerifyPhone
		}
		return courier.ConfirmEmail
	case desk.AlreadyEnrolledMessage:
		return courier.AlreadyEnrolled
	case desk.LockedMessage:
		return courier.Locked
	case desk.PocketPairedMessage:
		return courier.PocketPaired
	}
	panic("a message of no kind: " + string(m.Kind))
}

// undeliverable maps a definite refusal to the closed set of the events, and
// leaves all other errors as they are.
func undeliverable(err error) error {
	if _, ok := errors.AsType[*courier.Rejected](err); !ok || errors.Is(err, domain.ErrUnknownOutcome) {
		return err
	}
	reason := enrolment.Refused
	switch courier.ReasonOf(err) {
	case courier.InvalidRecipient:
		reason = enrolment.InvalidRecipient
	case courier.Blocked:
		reason = enrolment.Blocked
	case courier.Unsupported:
		reason = enrolment.NoRoute
	case courier.NoCredit, courier.RateLimited, courier.Auth, courier.Misconfigured, courier.Busy, courier.Unreachable:
		// Our side's trouble, not the recipient's: the channel is out for everybody.
		return errors.Join(domain.ErrUnavailable, err)
	case courier.Refused, courier.Unknown:
	}
	return &desk.Undeliverable{Reason: reason}
}

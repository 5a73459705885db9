package home

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// couriers makes those that the settings name; in a demo, the outbox.
func (h *Home) couriers(set settings.Settings) (couriers, error) {
	texts := textsOf(set)
	if h.Demo {
		box, err := courier.NewOutbox(filepath.Join(h.folder, "outbox"), texts)
		if err != nil {
			return nil, err
		}
		h.Outbox = box
		return couriers{enrolment.ByMail: box.Mail(), enrolment.BySMS: box.SMS()}, nil
	}
	all := couriers{}
	if m := set.Mail; m.Host != "" {
		mail, err := courier.NewMail(courier.MailConfig{
			Host: m.Host, Port: m.Port, Security: courier.Security(m.TLS), Username: m.User, Password: m.Password.Reveal(),
			From: m.From, Timeout: m.Timeout, Texts: texts,
		})
		if err != nil {
			return nil, fmt.Errorf("set up mail: %w", err)
		}
		all[enrolment.ByMail] = mail
	}
	providers, err := smsProviders(set.SMS)
	if err != nil {
		return nil, fmt.Errorf("set up sms: %w", err)
	}
	if len(providers) > 0 {
		all[enrolment.BySMS] = courier.NewSMS(texts, providers...)
	}
	return all, nil
}

// Paper writes an invitation with its ticket as a page of HTML, to be printed.
func (h *Home) Paper(i desk.Invitation) ([]byte, error) {
	return h.texts.Paper(courier.Slip{
		Name: i.Name, Email: i.Email, Ticket: i.Ticket.Reveal(), Lang: i.Lang, Expires: i.Expires.Local(),
	})
}

func textsOf(set settings.Settings) courier.Texts {
	return courier.Texts{Portal: set.Organisation.Portal, Pocket: set.Organisation.PocketName, Support: set.Organisation.Support}
}

func smsProviders(set settings.SMS) ([]courier.Provider, error) {
	var providers []courier.Provider
	at := courier.Endpoint{Timeout: set.Timeout}
	for _, name := range set.Order {
		var p courier.Provider
		var err error
		switch name {
		case settings.ProviderCM:
			p, err = courier.NewCM(courier.CMConfig{Endpoint: at, ProductToken: set.CM.ProductToken.Reveal(), From: set.Sender})
		case settings.ProviderSpryng:
			p, err = courier.NewSpryng(courier.SpryngConfig{Endpoint: at, Token: set.Spryng.Token.Reveal(), Originator: set.Sender, Route: set.Spryng.Route})
		case settings.ProviderTwilio:
			p, err = courier.NewTwilio(courier.TwilioConfig{
				Endpoint: at, AccountSID: set.Twilio.AccountSID, AuthToken: set.Twilio.AuthToken.Reveal(), From: set.Sender,
			})
		case settings.ProviderWebhook:
			at := at
			at.URL = set.Webhook.URL
			p, err = courier.NewWebhook(courier.WebhookConfig{Endpoint: at, Secret: set.Webhook.Secret.Reveal()})
		default:
			err = errors.New("no such provider: " + name)
		}
		if err != nil {
			return nil, err
		}
		providers = append(providers, p)
	}
	return providers, nil
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
		Frozen: courier.Frozen(m.Reason), Reference: m.Reference, Ticket: m.Ticket, Hours: int((m.Life + time.Hour/2) / time.Hour),
		Action: courier.Action(m.Action), Stop: m.Stop, Link: m.Link,
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
		return codeKind(m)
	case desk.AlreadyEnrolledMessage:
		return courier.AlreadyEnrolled
	case desk.LockedMessage:
		return courier.Locked
	case desk.PocketPairedMessage:
		return courier.PocketPaired
	case desk.LoginLockedMessage:
		return courier.LoginLocked
	case desk.PasswordChangedMessage:
		return courier.PasswordChanged
	case desk.PhoneChangedMessage:
		return courier.PhoneChanged
	case desk.SMSChosenMessage:
		return courier.SMSChosen
	case desk.FrozenMessage:
		return courier.AccountFrozen
	case desk.UnfrozenMessage:
		return courier.AccountUnfrozen
	case desk.AlarmMessage:
		return courier.Alarm
	case desk.InvitationMessage:
		return courier.Invitation
	case desk.CaseRequestedMessage:
		return courier.CaseRequested
	case desk.CaseApprovedMessage:
		return courier.CaseApproved
	case desk.CaseDoneMessage:
		return courier.CaseDone
	case desk.ErasureRequestedMessage:
		return courier.ErasureRequested
	case desk.CaseStoppedAlarm:
		return courier.AlarmStopped
	case desk.CasesAlarm:
		return courier.AlarmCases
	case desk.AloneAlarm:
		return courier.AlarmAlone
	}
	panic("a message of no kind: " + string(m.Kind))
}

func codeKind(m desk.Message) courier.Kind {
	switch m.Purpose {
	case enrolment.ChangingPhone:
		return courier.ChangePhone
	case enrolment.LoggingIn:
		if m.Change {
			return courier.ProveChange
		}
		return courier.Login
	case enrolment.Recovering:
		return courier.Recover
	case enrolment.VerifyingCaller:
		return courier.VerifyCaller
	case enrolment.ConfirmingEmail, enrolment.VerifyingPhone: // the two of an enrolment have a channel each
	}
	if m.Channel == enrolment.BySMS {
		return courier.VerifyPhone
	}
	return courier.ConfirmEmail
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

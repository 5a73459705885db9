package remote

import (
	"context"
	"maps"
	"slices"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/station"
)

// A useCase is one of desk's, as a station may ask for it.
type useCase struct {
	kinds []station.Kind // who may
	do    func(ctx context.Context, h *Handler, s session, a ask) (answer, error)
	// watches says that it changes nothing and lasts as long as whoever asks
	// wants to wait: it ends with the connection.
	watches bool
	// notes says that it records something of the station itself, each time: it
	// is limited more.
	notes bool
}

// A session is who asks.
type session struct {
	station string
	kind    station.Kind
	shown   string // the serial of its certificate
	desk    *desk.Desk
	call    desk.Call
}

func (u useCase) open(to station.Kind) bool { return slices.Contains(u.kinds, to) }

// At a desk somebody enrols with the helpdesk beside them.
var everybody = []station.Kind{station.Kiosk, station.Desk}

// visits wraps a use case that ends in a view.
func visits(do func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error)) useCase {
	return useCase{kinds: everybody, do: func(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
		v, err := do(ctx, s.desk, a)
		return answer{View: &v}, err
	}}
}

// useCases is all that a station may ask for, and which kind may. What is not
// here, stations are not given: importing and looking up people, unlocking them,
// admitting and revoking stations are for the server's command line.
var useCases = func() map[string]useCase {
	all := maps.Clone(visitCases)
	maps.Copy(all, staffCases)
	maps.Copy(all, auditCases)
	return all
}()

// visitCases is what a station asks for itself, and for whoever is at it.
var visitCases = map[string]useCase{
	"hello":        {kinds: everybody, do: hello},
	"status":       {kinds: everybody, do: status},
	"renew":        {kinds: everybody, do: renew, notes: true},
	"open-station": {kinds: everybody, do: openStation, notes: true},

	"begin": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.Begin(ctx, a.Email, a.Lang)
	}),
	"view":  visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.View(ctx, a.Visit) }),
	"await": awaiting,
	"set-language": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.SetLanguage(ctx, a.Visit, a.Lang)
	}),
	"end": {kinds: everybody, do: end, notes: true},

	"confirm-email": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmEmail(ctx, a.Visit, a.Code)
	}),
	"redeem-invitation": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.RedeemInvitation(ctx, a.Visit, a.Code)
	}),
	"redeem-ticket": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.RedeemTicket(ctx, a.Visit, a.Code)
	}),
	"resend": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.Resend(ctx, a.Visit) }),
	"resume": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.Resume(ctx, a.Visit, a.Password)
	}),
	"restart": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.Restart(ctx, a.Visit) }),
	"set-name-and-password": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.SetNameAndPassword(ctx, a.Visit, a.Name, a.Password)
	}),
	"give-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.GivePhone(ctx, a.Visit, a.Number)
	}),
	"confirm-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmPhone(ctx, a.Visit, a.Code)
	}),
	"choose-sms":    visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.ChooseSMS(ctx, a.Visit) }),
	"offer-pairing": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.OfferPairing(ctx, a.Visit) }),
	"cancel-pairing": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.CancelPairing(ctx, a.Visit)
	}),
	"confirm-pairing": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmPairing(ctx, a.Visit, a.Code)
	}),

	"login": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.Login(ctx, a.Email, a.Password, a.Lang)
	}),
	"confirm-login": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmLogin(ctx, a.Visit, a.Code)
	}),
	"ask-again": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.AskAgain(ctx, a.Visit) }),

	"prove": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.Prove(ctx, a.Visit, desk.Change(a.Change), a.Password)
	}),
	"dismiss": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.Dismiss(ctx, a.Visit) }),
	"change-name": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ChangeName(ctx, a.Visit, a.Name)
	}),
	"change-language": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ChangeLanguage(ctx, a.Visit, a.Lang)
	}),
	"change-password": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ChangePassword(ctx, a.Visit, a.Password)
	}),
	"change-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ChangePhone(ctx, a.Visit, a.Number)
	}),
	"confirm-new-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmNewPhone(ctx, a.Visit, a.Code)
	}),
	"switch-to-sms": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) { return d.SwitchToSMS(ctx, a.Visit) }),
	"story":         {kinds: everybody, do: story},

	"without-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.WithoutPhone(ctx, a.Visit)
	}),
	"confirm-recovery": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ConfirmRecovery(ctx, a.Visit, a.Code)
	}),
	"report-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.ReportPhone(ctx, a.Visit, desk.PhoneLoss(a.Loss))
	}),
	"found-phone": visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.FoundPhone(ctx, a.Visit)
	}),

	"help-code":      {kinds: everybody, do: helpCode, notes: true},
	"unlock-station": {kinds: []station.Kind{station.Kiosk}, do: unlockStation, notes: true}, // only a kiosk is locked
}

var awaiting = func() useCase {
	u := visits(func(ctx context.Context, d *desk.Desk, a ask) (desk.View, error) {
		return d.Await(ctx, a.Visit, a.Seen)
	})
	u.watches = true
	return u
}()

func hello(_ context.Context, h *Handler, s session, _ ask) (answer, error) {
	told := h.c.Hello
	told.Station, told.Kind, told.Facts = s.station, s.kind, s.desk.Facts()
	return answer{Hello: &told, Trouble: h.c.Trouble(), Authorities: h.authorities()}, nil
}

func status(_ context.Context, h *Handler, _ session, _ ask) (answer, error) {
	return answer{Trouble: h.c.Trouble(), Authorities: h.authorities()}, nil
}

func openStation(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
	return answer{}, s.desk.OpenStation(ctx, version(a.Version))
}

// version keeps what a station says of its program to what a version looks like:
// it becomes part of an event.
func version(s string) string {
	keep := make([]byte, 0, 32)
	for _, c := range []byte(s) {
		if len(keep) < cap(keep) && (c == '.' || c == '-' || c == '+' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z') {
			keep = append(keep, c)
		}
	}
	return string(keep)
}

func unlockStation(ctx context.Context, _ *Handler, s session, _ ask) (answer, error) {
	return answer{}, s.desk.UnlockStation(ctx)
}

// end ends a visit, and forgets what was answered in it.
func end(ctx context.Context, h *Handler, s session, a ask) (answer, error) {
	why := desk.WipeReason(a.Why)
	if !station.ValidWipe(why) {
		return answer{Barred: station.WasMalformed}, nil
	}
	err := s.desk.End(ctx, a.Visit, why)
	h.calls.forget(s.station, a.Visit)
	return answer{}, err
}

func story(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
	entries, err := s.desk.Story(ctx, a.Visit)
	return answer{Story: entries}, err
}

func helpCode(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
	code, err := s.desk.HelpCode(ctx, a.Visit)
	return answer{Text: code}, err
}

package kiosk

import (
	"github.com/keydesk/keydesk/app/internal/desk"
)

// A rail says where somebody is who is not enrolling: steps of their own in the
// place of the six. Without steps it is the enrolment's.
type rail struct {
	caption string
	steps   []string
	at      int
}

// rail returns the rail of what is shown, or of what a fault or help covers.
func (k *Kiosk) rail() rail {
	s := k.screen
	switch s.(type) {
	case *faultScreen, *helpScreen:
		if k.under != nil {
			s = k.under
		}
	case *startScreen, *staffScreen:
		return rail{}
	}
	if own, ok := s.(interface{ rail(*Kiosk) rail }); ok {
		return own.rail(k)
	}
	switch k.view.Screen {
	case desk.ScreenLoginCode, desk.ScreenLoginApproval:
		if what := k.view.Login.Change; what != "" {
			return k.changeRail(what, 2)
		}
		return k.loginRail(2)
	case desk.ScreenAccount:
		if what := k.view.Account.Proved; what != "" {
			return k.changeRail(what, 3)
		}
		return k.homeRail()
	case desk.ScreenNewPhone:
		return k.changeRail(desk.ChangesPhone, 4)
	case desk.ScreenRecoverMail:
		return k.recoverRail(1)
	case desk.ScreenRecoverHow:
		return k.recoverRail(2)
	case desk.ScreenRecoverCode:
		return k.recoverRail(3)
	case desk.ScreenFrozen, desk.ScreenEmailCode, desk.ScreenTicket, desk.ScreenResume, desk.ScreenPassword, desk.ScreenPhone, desk.ScreenSMSCode, desk.ScreenFactor, desk.ScreenDone:
	}
	return rail{}
}

func (k *Kiosk) loginRail(at int) rail {
	return rail{k.t("log-in"), []string{k.t("password"), k.t("kiosk-rail-phone"), k.t("my-details")}, at}
}

func (k *Kiosk) homeRail() rail {
	r := k.loginRail(3)
	r.caption = k.t("kiosk-rail-home")
	return r
}

func (k *Kiosk) changeRail(what desk.Change, at int) rail {
	r := rail{k.t("change"), []string{k.t("password"), k.t("kiosk-rail-phone")}, at}
	switch what {
	case desk.ChangesName:
		r.steps = append(r.steps, k.t("name"))
	case desk.ChangesPhone:
		r.steps = append(r.steps, k.t("kiosk-rail-number"), k.t("kiosk-step-sms"))
	case desk.ChangesLanguage:
		r.steps = append(r.steps, k.t("language"))
	case desk.ChangesPassword:
		r.steps = append(r.steps, k.t("kiosk-rail-password"))
	case desk.ChangesFactor:
		r.steps = append(r.steps, k.t("kiosk-step-factor", k.names()))
	}
	return r
}

func (k *Kiosk) recoverRail(at int) rail {
	if k.view.Account.Frozen != "" { // the phone was found: it is asked next
		return rail{k.t("log-in"), []string{k.t("kiosk-rail-mail"), k.t("kiosk-rail-phone"), k.t("my-details")}, at}
	}
	return rail{k.t("kiosk-rail-lost"), []string{k.t("kiosk-rail-mail"), k.t("kiosk-rail-what"), k.t("kiosk-rail-on")}, at}
}

// home says whether A1 is shown, which nothing leads on from.
func (k *Kiosk) home() bool {
	_, home := k.screen.(*accountScreen)
	return home
}

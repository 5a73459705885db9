package kiosk

import (
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/history"
)

// longest is the refusal with the most words.
var longest = &desk.Refusal{Code: desk.WrongLogin}

// accountScenes are the screens of who has an account: L1, A1, A2, and what
// becomes of who has no phone.
func accountScenes(long bool) []scene {
	view := desk.View{
		Visit: "x", Lang: "nl", Email: email, Name: fullName, Factor: enrolment.SMS,
		Phone:  desk.PhoneView{E164: "+31612345678", International: "+31 6 12345678", National: "06 12345678", Country: "NL"},
		Code:   desk.CodeView{Left: 8*time.Minute + 42*time.Second, ResendIn: 24 * time.Second, Tries: 5, Delivery: desk.Delivered},
		Pocket: desk.PocketView{Possible: true, QRLeft: 95 * time.Second, Left: 8 * time.Minute, Tries: 3, Typed: "K7WX-2R4M-9PQT-HN3C"},
		Account: desk.AccountView{
			Language: "nl", Since: time.Date(2026, 11, 3, 10, 12, 0, 0, time.Local),
			NewPhone: desk.PhoneView{E164: "+31687654321", International: "+31 6 87654321", Country: "NL"},
		},
	}
	view.Pocket.URL = "https://pocket.voorbeeld.nl/p/#1.0123456789abcdef0123456789abcdef.ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	device := "iPhone"
	if long {
		view.Email, view.Name, device = longEmail, longName, "Samsung Galaxy S25 Ultra van Wilhelmina Alexandra"
	}
	at := func(s desk.Screen, change func(v *desk.View), make func(k *Kiosk) screen) func(k *Kiosk) screen {
		return func(k *Kiosk) screen {
			v := view
			v.Screen = s
			if change != nil {
				change(&v)
			}
			k.see(v)
			k.email, k.changed = view.Email, ""
			if make == nil {
				return k.screenOf(v)
			}
			return make(k)
		}
	}
	as := func(s desk.Screen, made func() screen) func(k *Kiosk) screen {
		return at(s, nil, func(*Kiosk) screen { return made() })
	}
	approval := func(change func(*desk.LoginView)) func(k *Kiosk) screen {
		return at(desk.ScreenLoginApproval, func(v *desk.View) {
			v.Factor = enrolment.Pocket
			v.Login = desk.LoginView{Digits: "482917", Left: 95 * time.Second}
			change(&v.Login)
		}, nil)
	}
	ended := func(why desk.LoginEnd) func(k *Kiosk) screen {
		return approval(func(l *desk.LoginView) { l.Left, l.Ended = 0, why })
	}
	pocket := func(v *desk.View) { v.Factor, v.Account.Device = enrolment.Pocket, device }
	proved := func(what desk.Change) func(k *Kiosk) screen {
		return at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved = what }, nil)
	}
	told := func(what string) func(k *Kiosk) screen {
		change := func(*desk.View) {}
		if what == "pocket" {
			change = pocket
		}
		return at(desk.ScreenAccount, change, func(k *Kiosk) screen {
			k.changed = what
			return &accountScreen{}
		})
	}
	frozen := func(why desk.Frozen, code string) func(k *Kiosk) screen {
		return at(desk.ScreenFrozen, func(v *desk.View) { v.Account.Frozen, v.Account.Case = why, code }, nil)
	}
	all := []scene{
		{"e0-over-login", at("", nil, func(k *Kiosk) screen {
			k.c.Trouble = func() bool { return false }
			return &startScreen{over: time.Now().Add(time.Hour), login: true}
		})},
		{"l1-login", at("", func(v *desk.View) { *v = desk.View{} }, func(k *Kiosk) screen {
			return &loginScreen{}
		})},
		{"l1-second", as("", func() screen { return &loginScreen{second: true} })},
		{"l1-refused", as("", func() screen { return &loginScreen{second: true, refused: longest} })},
		{"l1-limited", as("", func() screen {
			return &loginScreen{second: true, refused: &desk.Refusal{Code: desk.Limited, Wait: 14 * time.Minute}}
		})},
		{"l1-unfinished", as("", func() screen { return &unfinishedScreen{} })},
		{"l1-code", at(desk.ScreenLoginCode, nil, nil)},
		{"l1-code-unnamed", at(desk.ScreenLoginCode, func(v *desk.View) { v.Phone = desk.PhoneView{} }, nil)},
		{"l1-code-change", at(desk.ScreenLoginCode, func(v *desk.View) { v.Login.Change = desk.ChangesPhone }, nil)},
		{"l1-code-stuck", as(desk.ScreenLoginCode, func() screen { return &stuckScreen{ask: loginCode} })},
		{"l1-code-failed", at(desk.ScreenLoginCode, func(v *desk.View) {
			v.Phone, v.Code.Delivery, v.Code.Why = desk.PhoneView{}, desk.Failing, enrolment.NoRoute
		}, nil)},
		{"l1-locked", at(desk.ScreenLoginCode, func(v *desk.View) { v.Code.Locked = true }, nil)},
		{"l1-fault", as(desk.ScreenLoginCode, func() screen {
			return &faultScreen{refusal: &desk.Refusal{Code: desk.Unavailable, Incident: "1f2e3d4c"}}
		})},
		{"l1-approve", approval(func(*desk.LoginView) {})},
		{"l1-approve-change", approval(func(l *desk.LoginView) { l.Change = desk.ChangesFactor })},
		{"l1-approve-expired", ended(desk.EndedExpired)},
		{"l1-approve-denied", ended(desk.EndedDenied)},
		{"l1-approve-wrong", ended(desk.EndedWrong)},
		{"l1-approve-other", ended(desk.EndedOther)},
		{"l1-approve-limited", ended(desk.EndedLimited)},
		{"l1-not-now", as(desk.ScreenLoginCode, func() screen { return &refusedScreen{refused: &desk.Refusal{Code: desk.SMSPaused}} })},
		{"a1-account", at(desk.ScreenAccount, nil, nil)},
		{"a1-account-pocket", at(desk.ScreenAccount, pocket, nil)},
		{"a1-late", as(desk.ScreenAccount, func() screen { return &accountScreen{refused: &desk.Refusal{Code: desk.NotProved}} })},
		{"a1-prove", as(desk.ScreenAccount, func() screen { return &proveScreen{what: desk.ChangesPhone} })},
		{"a1-prove-refused", as(desk.ScreenAccount, func() screen { return &proveScreen{what: desk.ChangesPhone, refused: longest} })},
		{"a1-name", proved(desk.ChangesName)},
		{"a1-name-refused", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved = desk.ChangesName }, func(*Kiosk) screen {
			return &nameScreen{refused: &desk.Refusal{Code: desk.NameUnusable}}
		})},
		{"a1-phone", proved(desk.ChangesPhone)},
		{"a1-phone-refused", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved = desk.ChangesPhone }, func(*Kiosk) screen {
			return &numberScreen{refused: &desk.Refusal{Code: desk.Country}}
		})},
		{"a1-new-phone", at(desk.ScreenNewPhone, nil, nil)},
		{"a1-new-phone-stuck", as(desk.ScreenNewPhone, func() screen { return &stuckScreen{ask: newPhoneCode, refused: &desk.Refusal{Code: desk.SMSPaused}} })},
		{"a1-language", proved(desk.ChangesLanguage)},
		{"a1-password", proved(desk.ChangesPassword)},
		{"a1-password-refused", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved = desk.ChangesPassword }, func(*Kiosk) screen {
			return &newPasswordScreen{refused: &desk.Refusal{Code: desk.WeakPassword}}
		})},
		{"a1-story", as(desk.ScreenAccount, func() screen { return &storyScreen{entries: story()} })},
		{"a1-story-later", as(desk.ScreenAccount, func() screen { return &storyScreen{entries: story(), top: 15} })},
		{"a1-story-none", as(desk.ScreenAccount, func() screen { return &storyScreen{} })},
		{"a2-factor", proved(desk.ChangesFactor)},
		{"a2-factor-pocket", at(desk.ScreenAccount, func(v *desk.View) {
			pocket(v)
			v.Account.Proved = desk.ChangesFactor
		}, nil)},
		{"a2-only-sms", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved, v.Pocket.Possible = desk.ChangesFactor, false }, nil)},
		{"a2-refused", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved = desk.ChangesFactor }, func(*Kiosk) screen {
			return &factorScreen{refused: &desk.Refusal{Code: desk.SMSPaused}}
		})},
		{"a2-pair", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved, v.Pocket.Stage = desk.ChangesFactor, enrolment.Offered }, nil)},
		{"a2-seen", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved, v.Pocket.Stage = desk.ChangesFactor, enrolment.Claimed }, nil)},
		{"a2-failed", at(desk.ScreenAccount, func(v *desk.View) { v.Account.Proved, v.Pocket.Stage = desk.ChangesFactor, enrolment.Over }, nil)},
		{"r1-mail", at(desk.ScreenRecoverMail, nil, nil)},
		{"r1-mail-stuck", as(desk.ScreenRecoverMail, func() screen { return &stuckScreen{ask: recoverMail} })},
		{"r2-how", at(desk.ScreenRecoverHow, pocket, nil)},
		{"r2-how-sms", at(desk.ScreenRecoverHow, nil, nil)},
		{"r2-how-refused", at(desk.ScreenRecoverHow, pocket, func(*Kiosk) screen { return &lossScreen{refused: &desk.Refusal{Code: desk.SMSPaused}} })},
		{"r2-lost", as(desk.ScreenRecoverHow, func() screen { return &freezeScreen{loss: desk.LostPhone} })},
		{"r2-stolen", as(desk.ScreenRecoverHow, func() screen { return &freezeScreen{loss: desk.StolenPhone} })},
		{"r3-code", at(desk.ScreenRecoverCode, nil, nil)},
		{"r3-code-stuck", as(desk.ScreenRecoverCode, func() screen { return &stuckScreen{ask: recoverSMS, failed: true} })},
		{"r4-not-me", frozen(desk.FrozenNotMe, "K7RA-2M4P")},
		{"r4-lost", frozen(desk.FrozenLost, "K7RA-2M4P")},
		{"r4-stolen", frozen(desk.FrozenStolen, "K7RA-2M4P")},
		{"r4-helpdesk", frozen(desk.FrozenHelpdesk, "")},
		{"r4-unknown", as("", func() screen { return &frozenScreen{} })},
	}
	for _, what := range []string{"name", "phone", "language", "password", "sms", "pocket", "recovered"} {
		all = append(all, scene{"a1-told-" + what, told(what)})
	}
	return all
}

// story is what can happen to an account, the newest first.
func story() []history.Entry {
	day := time.Now()
	what := []struct {
		id      string
		outcome history.Outcome
		params  map[string]string
	}{
		{"history-FactorChosen-pocket", history.Progress, nil},
		{"history-PocketPaired", history.Progress, nil},
		{"history-PairingConfirmed", history.Note, nil},
		{"history-PairingFailed-claimed-twice", history.Refused, nil},
		{"history-PairingOffered", history.Note, nil},
		{"history-CodeRejected-wrong", history.Refused, map[string]string{"Attempt": "2"}},
		{"history-CodeUndeliverable-no-provider", history.Failed, map[string]string{"Number": "1"}},
		{"history-Unlocked-admin", history.Progress, nil},
		{"history-unknown", history.Puzzling, nil},
		{"history-EmailConfirmed", history.Progress, nil},
	}
	var all []history.Entry
	for i := range 23 {
		w := what[i%len(what)]
		e := history.Entry{
			Message: w.id, Outcome: w.outcome, Params: w.params, At: day.Add(-time.Duration(i*i) * time.Hour),
			Actor: domain.Actor{Kind: domain.ActorPerson, Role: domain.RoleSubject}, Type: fmt.Sprint(i),
		}
		if w.id == "history-Unlocked-admin" {
			e.Actor = domain.Actor{Kind: domain.ActorStaff, Role: domain.RoleHelpdesk}
		}
		all = append(all, e)
	}
	return all
}

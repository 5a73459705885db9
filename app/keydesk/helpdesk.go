package main

import (
	"context"
	"errors"
	"io"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/helpdesk"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// helpdeskWindow is that of the helpdesk.
var helpdeskWindow = officeWindow{
	atHome: func(w *window, set settings.Settings, h *home.Home) {
		org := set.Organisation
		config := helpdesk.Config{
			Logins: h.Desk, Staff: h.Desk.Helpdesk(), Portal: org.Portal, PocketName: org.PocketName, Support: org.Support,
			Languages: org.Languages, DefaultLanguage: org.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Now: time.Now,
			ReadList: readList(set.Policy), Demo: demoStrip(set, h),
		}
		w.staff(config, onHome(kioskConfig(set, w.leave), set, h))
	},
	atService: func(w *window, set settings.Settings, client *remote.Client, hello remote.Hello) {
		k := asGuest(kioskConfig(set, w.leave), client, hello)
		w.staff(helpdesk.Config{
			Logins: client, Staff: client.Helpdesk(), Portal: k.Portal, PocketName: k.PocketName, Support: k.Support,
			Languages: k.Languages, DefaultLanguage: k.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Now: time.Now,
		}, k)
	},
}

// staff has the window of staff be in the window, and beside an agent the kiosk that a
// colleague enrols at.
func (w *window) staff(c helpdesk.Config, k kiosk.Config) {
	var desktop *helpdesk.Window
	c.Assist = func(begin func(context.Context, string) (desk.View, error)) {
		desktop.Detach()
		k.Assist = &kiosk.Assist{Begin: begin, Over: func() {
			fyne.Do(func() {
				w.take() // the kiosk
				desktop.Attach(w.Window)
				w.close = desktop.Close
			})
		}}
		k.Keyboard = false
		w.close = nil // the window of staff goes on, behind it
		w.put(kiosk.New(k))
	}
	desktop = helpdesk.New(c)
	w.take()
	w.close = desktop.Close
	desktop.Attach(w.Window)
}

// readList reads HR's list as the window shows it.
func readList(p enrolment.Policy) func(io.Reader) (helpdesk.List, error) {
	return func(r io.Reader) (helpdesk.List, error) {
		l, err := roster.Read(r, p)
		for _, known := range []struct {
			err    error
			reason string
		}{
			{roster.ErrEmpty, "empty"},
			{roster.ErrNoEmail, "no-email"},
			{roster.ErrTooLarge, "too-large"},
			{roster.ErrTooManyRows, "too-many-rows"},
			{roster.ErrWorkbook, "workbook"},
			{roster.ErrNotText, "not-text"},
			{roster.ErrHeader, "header"},
		} {
			if errors.Is(err, known.err) {
				return helpdesk.List{}, &helpdesk.ListRefused{Reason: known.reason}
			}
		}
		if err != nil {
			return helpdesk.List{}, err
		}
		out := helpdesk.List{
			Staff: home.Staff(l), Rows: l.Total, Bad: l.Bad, Encoding: string(l.Encoding), Delimiter: string(l.Delimiter), Ignored: l.Ignored,
			Problems: problems(l.Problems), Notes: problems(l.Notes),
		}
		for _, row := range l.Rows {
			out.Lines = append(out.Lines, row.Line)
		}
		return out, nil
	}
}

func problems(of []roster.Problem) []helpdesk.ListProblem {
	all := make([]helpdesk.ListProblem, len(of))
	for i, p := range of {
		all[i] = helpdesk.ListProblem{Line: p.Line, Column: p.Column, Reason: string(p.Reason), Other: p.Other}
	}
	return all
}

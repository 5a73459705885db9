package main

import (
	"time"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/audit"
)

// auditWindow is the window of the auditor.
var auditWindow = officeWindow{
	atHome: func(w *window, set settings.Settings, h *home.Home) {
		org := set.Organisation
		w.audit(audit.Config{
			Logins: h.Desk, Shifts: h.Desk.Helpdesk(), Auditor: h.Desk.Auditor(), Portal: org.Portal, PocketName: org.PocketName, Support: org.Support,
			Languages: org.Languages, DefaultLanguage: org.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Demo: demoStrip(set, h), Now: time.Now,
		})
	},
	atService: func(w *window, set settings.Settings, client *remote.Client, hello remote.Hello) {
		k := asGuest(kioskConfig(set, w.leave), client, hello)
		w.audit(audit.Config{
			Logins: client, Shifts: client.Helpdesk(), Auditor: client.Auditor(), Portal: k.Portal, PocketName: k.PocketName, Support: k.Support,
			Languages: k.Languages, DefaultLanguage: k.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Now: time.Now,
		})
	},
}

// audit has the window of the auditor be in the window.
func (w *window) audit(c audit.Config) {
	desktop := audit.New(c)
	w.take()
	w.close = desktop.Close
	desktop.Attach(w.Window)
}

// Package kiosk is every screen that one person sees at a station: the enrolment,
// from the start (E0) to Gelukt! (E9); logging in (L1) and Mijn gegevens (A1, A2);
// the way back for who has no phone; and what can go wrong between them. It shows
// what the use cases say and tells them what was typed; it decides nothing.
//
// It imports the widget kit, desk, domain, the stories of projections/history, i18n
// and Fyne (never fyne/v2/app). Everything runs on Fyne's goroutine; what takes long
// runs in ui.Work.
//
// Start reading at Config, then at flow.go: from a desk.View to a screen.
package kiosk

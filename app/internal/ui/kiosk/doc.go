// Package kiosk is every screen of the enrolment, from the start (E0) to
// Gelukt! (E9), with what can go wrong between them. It shows what the use
// cases say and tells them what was typed; it decides nothing.
//
// It imports the widget kit, desk, domain, i18n and Fyne (never fyne/v2/app).
// Everything runs on Fyne's goroutine; what takes long runs in ui.Work.
//
// Start reading at Config, then at flow.go: from a desk.View to a screen.
package kiosk

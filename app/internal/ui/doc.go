// Package ui is the kit that Keydesk's windows are built from: the theme, the
// fonts and icons, the way back from a goroutine, and every widget of the
// kiosk and of the windows of staff. It knows no use case: it shows what it is
// given and says what was touched.
//
// It imports Fyne (never fyne/v2/app), assets and i18n. Everything here runs
// on Fyne's own goroutine; Work and NewTicker are the only ways back to it.
//
// Start reading at Theme (what a screen looks like), Shell (the frame of every
// kiosk screen), Target (how keys on the screen reach a field) and Table (rows
// over what is never held as a whole).
package ui

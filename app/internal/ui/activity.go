package ui

import (
	"sync/atomic"

	"fyne.io/fyne/v2"
)

var activity atomic.Pointer[func()]

// OnActivity sets what is called whenever somebody touches, clicks or types
// on any widget of this package, since Fyne has no hook for all input. One
// program has one person in front of it, so there is one function; nil for
// none.
func OnActivity(f func()) { activity.Store(&f) }

func active() {
	if f := activity.Load(); f != nil && *f != nil {
		(*f)()
	}
}

// passOn gives a key that a widget has no use for to the window, as Fyne does
// when nothing has the focus: Escape, say. Keys of characters stay here: what
// somebody types is nobody else's business.
func passOn(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if len(e.Name) == 1 {
		return
	}
	if e.Name == fyne.KeyEscape && hideMenu(o) {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		if f := c.OnTypedKey(); f != nil {
			f(e)
		}
	}
}

// passOnRune does the same for a rune.
func passOnRune(o fyne.CanvasObject, r rune) {
	if o == nil {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		if f := c.OnTypedRune(); f != nil {
			f(r)
		}
	}
}

// passOnShortcut does the same for a shortcut, which Fyne gives only to what
// has the focus.
func passOnShortcut(o fyne.CanvasObject, s fyne.Shortcut) {
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(o).(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}

// Focus gives a widget the focus of its window, if it is in one.
func Focus(w fyne.Focusable) {
	o, ok := w.(fyne.CanvasObject)
	if !ok {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		c.Focus(w)
		return
	}
	// What has never been painted is in no window yet, as far as Fyne knows.
	for _, win := range fyne.CurrentApp().Driver().AllWindows() {
		c := win.Canvas()
		over := c.Overlays().Top()
		if within(o, c.Content()) || over != nil && within(o, over) {
			c.Focus(w)
		}
	}
}

// Unfocus takes the focus from whatever has it. What leaves a window keeps the focus
// otherwise, and all that is typed goes there.
func Unfocus() {
	for _, win := range fyne.CurrentApp().Driver().AllWindows() {
		win.Canvas().Unfocus()
	}
}

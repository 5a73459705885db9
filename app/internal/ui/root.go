package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Root is the outermost object of a window. It keeps the class of the theme in
// step with the size of the window, and shows the words of buttons that have an
// icon alone.
type Root struct {
	widget.BaseWidget

	content fyne.CanvasObject
	tip     *tip
}

// NewRoot returns a root around content.
func NewRoot(content fyne.CanvasObject) *Root {
	r := &Root{content: content, tip: newTip()}
	r.ExtendBaseWidget(r)
	return r
}

// Set replaces the content.
func (r *Root) Set(content fyne.CanvasObject) {
	r.content = content
	r.tip.show(nil)
	r.Refresh()
}

func (r *Root) held() []fyne.CanvasObject { return []fyne.CanvasObject{r.content} }

// MinSize is a little, whatever the content: the window decides, but a window
// of no size at all cannot be made.
func (r *Root) MinSize() fyne.Size { return fyne.NewSize(320, 240) }

// Resize is called by Fyne.
func (r *Root) Resize(s fyne.Size) {
	r.BaseWidget.Resize(s)
	r.fit()
}

// fit sets a theme of another class where size and scale ask for one.
func (r *Root) fit() {
	o, s := Current(), r.Size()
	if s.Width <= 320 || o.Class == Desktop { // not laid out yet
		return
	}
	if want := o.For(s); want != o {
		fyne.Do(func() { SetTheme(want) })
	}
}

// SetTheme makes the theme of the options the one in force.
func SetTheme(o Options) { fyne.CurrentApp().Settings().SetTheme(NewTheme(o)) }

// CreateRenderer is called by Fyne.
func (r *Root) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	return &rootRenderer{r}
}

type rootRenderer struct{ r *Root }

func (x *rootRenderer) Destroy()           {}
func (x *rootRenderer) MinSize() fyne.Size { return x.r.MinSize() }

func (x *rootRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{x.r.content, x.r.tip}
}

func (x *rootRenderer) Layout(s fyne.Size) {
	place(x.r.content, 0, 0, s.Width, s.Height)
	place(x.r.tip, 0, 0, s.Width, s.Height)
}

func (x *rootRenderer) Refresh() {
	x.r.fit()
	x.Layout(x.r.Size())
	x.r.content.Refresh()
	canvas.Refresh(x.r)
}

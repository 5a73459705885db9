package ui

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// quiet is the white border of a QR code in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// A QR shows a QR code, black on white in every mode, whole pixels a module,
// on a white sheet that is its quiet zone.
type QR struct {
	widget.BaseWidget

	bits [][]bool
}

// NewQR returns a QR code of a square bitmap without border, true for black;
// nil leaves the sheet empty.
func NewQR(bits [][]bool) *QR {
	q := &QR{bits: bits}
	q.ExtendBaseWidget(q)
	return q
}

// Set shows another code.
func (q *QR) Set(bits [][]bool) {
	q.bits = bits
	q.Refresh()
}

// MinSize is what a phone at arm's length reads: 8 units a module where the
// screen is large, never below 4.
func (q *QR) MinSize() fyne.Size {
	modules := float32(max(len(q.bits), 33) + 2*quiet)
	return fyne.NewSquareSize(modules * size(SizeQR))
}

// CreateRenderer is called by Fyne.
func (q *QR) CreateRenderer() fyne.WidgetRenderer {
	q.ExtendBaseWidget(q)
	r := &qrRenderer{q: q, plate: newPlate()}
	r.raster = canvas.NewRaster(func(w, h int) image.Image { return drawQR(q.bits, w, h) })
	return r
}

type qrRenderer struct {
	q      *QR
	plate  *plate
	raster *canvas.Raster
}

func (r *qrRenderer) Destroy()           {}
func (r *qrRenderer) MinSize() fyne.Size { return r.q.MinSize() }
func (r *qrRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.raster)
}

func (r *qrRenderer) Layout(s fyne.Size) {
	l := look{face: ColorPaper, stroke: theme.ColorNameSeparator, radius: size(SizeControlRadius), line: size(SizeStroke)}
	r.plate.draw(fyne.Position{}, s, l)
	in := size(SizeControlRadius) / 2 // the round corners lie in the quiet zone
	place(r.raster, in, in, s.Width-2*in, s.Height-2*in)
}

func (r *qrRenderer) Refresh() {
	r.Layout(r.q.Size())
	r.raster.Refresh()
	canvas.Refresh(r.q)
}

// drawQR paints the code into w by h pixels with the largest whole number of
// pixels a module that leaves a quiet zone, in the middle.
func drawQR(bits [][]bool, w, h int) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	n := len(bits)
	if n == 0 {
		return img
	}
	px := max(1, min(w, h)/(n+2*quiet))
	x0, y0 := (w-n*px)/2, (h-n*px)/2
	for y := range n * px {
		for x := range n * px {
			if row := bits[y/px]; x/px < len(row) && row[x/px] {
				img.SetGray(x0+x, y0+y, color.Gray{})
			}
		}
	}
	return img
}

package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
)

// detailState is the event that was opened.
type detailState struct {
	open uint64 // its position; 0: none
	lane lane[uint64, eventAnswer]
	have eventAnswer
	got  bool
	said string // why it cannot be shown

	closer *ui.Button
	body   *ui.Scroller
}

// An eventAnswer is one event, and what its action caused.
type eventAnswer struct {
	detail desk.EventDetail
	chain  desk.Chain
}

func (d *detailState) forget() { d.have, d.got, d.said = eventAnswer{}, false, "" }

// shown is the event that the panel tells of: the one before, until the answer comes.
func (d *detailState) shown() uint64 {
	if d.got {
		return d.have.detail.Position
	}
	return d.open
}

func (p *tapePage) detailLanes() {
	p.detail.lane.ask = func(ctx context.Context, position uint64) (a eventAnswer, err error) {
		if a.detail, err = p.desk.Event(ctx, p.shift(), position); err == nil {
			a.chain, err = p.desk.Chain(ctx, p.shift(), position)
		}
		return a, err
	}
	p.detail.lane.then = func(position uint64, a eventAnswer, err error) {
		d := &p.detail
		if position != d.open {
			return
		}
		d.forget()
		switch {
		case err == nil:
			d.have, d.got = a, true
		case p.Refused(err):
			return
		default:
			d.said = p.w.refusal(err)
		}
		p.showAside()
		p.bringDetail()
	}
}

// bringDetail scrolls so that the event that was opened is in sight, where that stands
// under the table.
func (p *tapePage) bringDetail() {
	d := fyne.CurrentApp().Driver()
	if p.detail.closer == nil || p.scroll == nil || d.CanvasForObject(p.scroll) == nil {
		return
	}
	at := d.AbsolutePositionForObject(p.detail.closer).Y - d.AbsolutePositionForObject(p.scroll).Y
	if at < 0 || at > p.scroll.Size().Height-160 {
		p.scroll.ScrollTo(p.scroll.At() + at - 24)
	}
}

// openEvent shows one event beside the table.
func (p *tapePage) openEvent(position uint64) {
	d := &p.detail
	if d.open == position && d.got && d.shown() == position {
		return
	}
	began := d.open == 0
	d.open = position
	if began {
		d.forget()
	}
	d.lane.want(position)
	p.rows.table.Choose(p.rows.find(position), true)
	p.showAside()
	if d.body != nil {
		d.body.ScrollTo(0)
	}
}

// closeDetail gives the place back to what stood there.
func (p *tapePage) closeDetail() {
	p.detail.open = 0
	p.detail.lane.drop()
	p.detail.forget()
	p.rows.table.Redraw()
	p.showAside()
	ui.Focus(p.rows.table)
}

// detailSheet builds the panel of the event that is open.
func (p *tapePage) detailSheet() fyne.CanvasObject {
	d, w := &p.detail, p.w
	d.closer = ui.NewButton(ui.Small, w.T("tape-close"), p.closeDetail).WithLeft(ui.IconCross)
	d.closer.IconOnly = true
	head := ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, ui.Subheading(w.T("tape-event", i18n.Args{"N": ui.Grouped(int(d.shown()))})).Elide()), d.closer) //nolint:gosec // a place in a log
	all := ui.Column(ui.SizeGap)
	switch {
	case d.said != "":
		all.Add(ui.NewMessage(ui.Failure, "", ui.Plain(d.said)))
	case !d.got:
		all.Add(ui.Body(ui.Plain(w.T("tape-wait"))).Ink(ui.ColorMuted))
	default:
		for _, part := range []fyne.CanvasObject{p.detailWords(), p.detailChain(), p.detailSeal(), p.detailValues(), p.detailRaw()} {
			if part != nil {
				all.Add(part)
			}
		}
	}
	d.body = ui.NewScroller(ui.Padded(all))
	return ui.NewSheet(head, ui.AtMost(1200, d.body))
}

// detailWords tells what happened, in words.
func (p *tapePage) detailWords() fyne.CanvasObject {
	w, e := p.w, &p.detail.have.detail
	all := ui.Column(ui.SizeSmallGap)
	if e.Altered {
		all.Add(ui.NewMessage(ui.Failure, w.T("tape-altered"), ui.Plain(w.T("tape-altered-line"))))
	}
	all.Add(ui.Body(ui.Bold(w.sentence(&e.EventRow))))
	fact := func(id, value string) {
		if value != "" {
			all.Add(ui.NewFact(w.T("tape-fact-"+id), ui.Body(ui.Plain(value))))
		}
	}
	fact("when", w.long(e.Recorded))
	if d := e.At.Sub(e.Recorded).Abs(); !e.At.IsZero() && d.Seconds() >= 2 {
		fact("station-clock", w.long(e.At))
	}
	if !e.Subject.IsZero() {
		fact("whom", w.whom(&e.EventRow))
	}
	fact("who", w.whoInFull(&e.EventRow))
	fact("role", w.roleName(e.Actor.Role))
	buttons := ui.Flow(ui.SizeSmallGap)
	if at := e.Position; p.tape.live || p.tape.view.Moment.Position != at {
		buttons.Add(ui.NewButton(ui.Small, w.T("tape-go-there"), func() {
			p.pause()
			p.seek(desk.Moment{Position: at, At: e.Recorded})
		}).WithLeft(ui.IconClock))
	}
	if s, name := e.Subject, w.whom(&e.EventRow); !s.IsZero() && p.rows.filter.Subject != s {
		buttons.Add(ui.NewButton(ui.Small, w.T("tape-only-person"), func() {
			f := p.rows.filter
			f.Subject = s
			p.filter(f, name)
		}).WithLeft(ui.IconPerson))
	}
	if len(buttons.Objects) > 0 {
		all.Add(buttons)
	}
	return all
}

// mostLinks is how many events of a chain are drawn: those around the one that is open.
const mostLinks = 40

// detailChain is all that one action has caused.
func (p *tapePage) detailChain() fyne.CanvasObject {
	w, c, e := p.w, &p.detail.have.chain, &p.detail.have.detail
	if len(c.Links) < 2 {
		return nil
	}
	all := ui.Column("", ui.Label(w.T("tape-chain", i18n.Args{"N": ui.Grouped(c.Total)})))
	from, to := 0, len(c.Links)
	if to > mostLinks {
		here := 0
		for i := range c.Links {
			if c.Links[i].Position == e.Position {
				here = i
			}
		}
		from = max(0, min(here-mostLinks/2, to-mostLinks))
		to = from + mostLinks
	}
	if from > 0 {
		all.Add(ui.Hint(ui.Plain("…")))
	}
	for i := range c.Links[from:to] {
		l := &c.Links[from+i]
		icon, ink := sign(&l.EventRow)
		who := joined(w.seconds(l.Recorded, e.Recorded), w.who(&l.EventRow))
		all.Add(ui.NewChainLink(l.Depth, icon, ink, w.event(&l.EventRow), who, l.Position == e.Position, func() { p.openEvent(l.Position) }))
	}
	if to < c.Total {
		all.Add(ui.Hint(ui.Plain("…")))
	}
	if id := e.Correlation; id != (domain.EventID{}) && p.rows.filter.Correlation != id {
		all.Add(ui.Row("", ui.NewButton(ui.Small, w.T("tape-only-chain"), func() { p.onlyChain(id) }).WithLeft(ui.IconFilter)))
	}
	return all
}

// detailSeal is where the event is in the seal.
func (p *tapePage) detailSeal() fyne.CanvasObject {
	w, e := p.w, &p.detail.have.detail
	all := ui.Column(ui.SizeSmallGap, ui.Label(w.T("tape-sealed")))
	if !e.Sealed {
		all.Add(ui.NewProof(ui.IconClock, ui.ColorMuted, w.T("tape-unsealed"), ""))
		return all
	}
	icon, ink, leaf := ui.IconCheck, theme.ColorNameSuccess, "tape-leaf"
	if e.Altered {
		icon, ink, leaf = ui.IconWarning, theme.ColorNameError, "tape-leaf-differs"
	}
	all.Add(ui.NewProof(icon, ink, w.T(leaf, i18n.Args{"N": ui.Grouped(int(e.Leaf))}), ends(e.Hash)))
	all.Add(ui.NewProof(ui.IconShieldCheck, theme.ColorNameSuccess,
		w.T("tape-checkpoint", i18n.Args{"N": ui.Grouped(e.Checkpoint.Number)}), w.minute(e.Checkpoint.At)))
	return all
}

// detailValues says whether the vault holds what the event refers to.
func (p *tapePage) detailValues() fyne.CanvasObject {
	e := &p.detail.have.detail
	if len(e.Values) == 0 {
		return nil
	}
	all := ui.Column(ui.SizeSmallGap, ui.Label(p.w.T("tape-values")))
	for i := range e.Values {
		all.Add(p.value(&e.Values[i]))
	}
	return all
}

// value says what has become of a value in the vault.
func (p *tapePage) value(v *desk.ValueCheck) fyne.CanvasObject {
	icon, ink := ui.IconCheck, theme.ColorNameSuccess
	switch v.State {
	case desk.ValueHolds:
	case desk.ValueErased:
		icon, ink = ui.IconTrash, ui.ColorMuted
	case desk.ValueGone:
		icon, ink = ui.IconQuestion, theme.ColorNameWarning
	case desk.ValueDiffers:
		icon, ink = ui.IconWarning, theme.ColorNameError
	}
	return ui.NewProof(icon, ink, p.w.T("tape-value-"+string(v.State)), v.Field+" · "+v.Ref.String()[:8]+" v"+strconv.Itoa(v.Version))
}

// detailRaw is the event as the log has it.
func (p *tapePage) detailRaw() fyne.CanvasObject {
	w, e := p.w, &p.detail.have.detail
	all := ui.Column(ui.SizeSmallGap, ui.Label(w.T("tape-raw")), ui.Hint(ui.Plain(w.T("tape-raw-lead"))))
	about := "stream    " + e.Stream + "\nrevision  " + strconv.FormatInt(e.Revision, 10) + "\ntype      " + e.Type + "\nid        " + e.ID.String() +
		"\nchain     " + e.Correlation.String() + "\ncause     " + e.Causation.String() + "\nhash      " + e.Hash
	for _, part := range []struct{ id, text string }{{"about", about}, {"data", pretty(e.Data)}, {"metadata", pretty(e.Metadata)}} {
		listing := ui.NewListing(part.text)
		all.Add(ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, ui.Hint(ui.Plain(w.T("tape-raw-"+part.id)))), p.copier(listing)))
		all.Add(listing)
	}
	return all
}

// copier is a button that copies a listing.
func (p *tapePage) copier(l *ui.Listing) *ui.Button {
	var b *ui.Button
	b = ui.NewButton(ui.Small, p.w.T("tape-copy"), func() {
		fyne.CurrentApp().Clipboard().SetContent(l.String())
		b.Left = ui.IconCheck
		b.Refresh()
	}).WithLeft(ui.IconCopy)
	b.IconOnly = true
	return b
}

// pretty writes JSON over several lines; what is none, as it is.
func pretty(s string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		return s
	}
	return b.String()
}

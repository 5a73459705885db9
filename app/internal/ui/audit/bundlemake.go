package audit

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// --- making

// start has the bundle made.
func (p *bundlesPage) start() {
	if p.stage != choosing {
		return
	}
	p.keepTyped()
	q, wrong := p.asked()
	if wrong != [2]string{} {
		p.from.SetError(wrong[0])
		p.to.SetError(wrong[1])
		p.fit()
		if ui.Focus(p.to.Input()); wrong[0] != "" {
			ui.Focus(p.from.Input())
		}
		return
	}
	p.begin(making)
	p.query, p.bundle = q, desk.ExportView{}
	p.redraw()
	p.poll()
}

// begin goes on to something that takes a while, and can be stopped.
func (p *bundlesPage) begin(s bundleStage) {
	if p.turn++; p.cancel != nil {
		p.cancel()
	}
	p.life = p.Life()
	p.ctx, p.cancel = context.WithCancel(p.life)
	p.stage, p.wrong, p.there, p.stopping, p.stopped = s, "", false, false, false
}

// poll asks how far it is; the first time, to begin.
func (p *bundlesPage) poll() {
	turn, shift, q := p.turn, p.SignedIn().ID, p.query
	q.ID = p.bundle.ID
	ui.Work(p.ctx, func(ctx context.Context) (desk.ExportView, error) { return p.desk.Export(ctx, shift, q) },
		func(v desk.ExportView, err error) {
			switch {
			case turn != p.turn || p.ctx.Err() != nil:
			case err != nil && p.Refused(err):
			case err != nil:
				p.fail(p.refusal(err))
			case p.stopping: // it is known by now what
				p.bundle = v
				p.drop()
			case v.Running:
				p.bundle = v
				p.tick()
				ui.Later(p.ctx, makeEvery, func() {
					if turn == p.turn {
						p.poll()
					}
				})
			default:
				p.bundle, p.stage, p.name = v, made, v.Name
				p.redraw()
			}
		})
}

// refusal tells why there is no bundle, and what to do.
func (p *bundlesPage) refusal(err error) string {
	if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.BadRange && p.query.Since != "" {
		return p.w.T("audit-refusal-bad-since")
	}
	return p.w.Refusal("audit-refusal", err)
}

// stop ends what is under way: with a bundle that is being made all that was written of
// it goes, and one that is being kept lies ready as before.
func (p *bundlesPage) stop() {
	if p.stopping {
		return
	}
	p.stopping = true
	p.halt.SetBusy(true)
	switch {
	case p.stage == fetchingIt:
		p.cancel()
	case p.bundle.ID != "": // else it is not known yet what is to be dropped
		p.drop()
	}
}

// drop has the desk drop the bundle that is being made, and goes back to where one chooses.
func (p *bundlesPage) drop() {
	p.turn++
	turn, shift, id := p.turn, p.SignedIn().ID, p.bundle.ID
	ui.Work(p.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, p.desk.DropExport(ctx, shift, id) }, func(_ struct{}, err error) {
		switch {
		case turn != p.turn || p.ctx.Err() != nil || err != nil && p.Refused(err):
		case err != nil:
			p.fail(p.refusal(err))
		default:
			p.anew()
			p.stopped = true
			p.redraw()
		}
	})
}

// fail goes back to where one chooses, and says why.
func (p *bundlesPage) fail(why string) {
	p.turn++
	p.stage, p.wrong, p.stopping = choosing, why, false
	p.redraw()
}

// anew goes back to where one chooses. A bundle that lies ready is not needed any more.
func (p *bundlesPage) anew() {
	if shift, id := p.SignedIn().ID, p.bundle.ID; id != "" && p.stage != making {
		ui.Work(p.Life(), func(ctx context.Context) (struct{}, error) { return struct{}{}, p.desk.DropExport(ctx, shift, id) },
			func(_ struct{}, err error) { p.Refused(err) }) // else it goes by itself
	}
	p.turn++
	p.stage, p.wrong, p.bundle, p.path, p.there, p.copied, p.stopping, p.stopped = choosing, "", desk.ExportView{}, "", false, false, false, false
	p.redraw()
}

func (p *bundlesPage) busy(col *fyne.Container) {
	id := "audit-bundles-making"
	if p.stage == fetchingIt {
		id = "audit-bundles-fetching"
	}
	p.bar, p.count = ui.NewBar(), ui.Hint(ui.Plain(" "))
	p.halt = ui.NewButton(ui.Secondary, p.w.T("audit-bundles-stop"), p.stop).WithLeft(ui.IconCross)
	p.halt.SetBusy(p.stopping)
	col.Add(ui.Column(ui.SizeGap, ui.Subheading(p.w.T(id)), p.bar, p.count, ui.Hint(ui.Plain(p.w.T("audit-bundles-stay"))), ui.Row("", p.halt, ui.Spring())))
	p.tick()
}

// animate has the bar follow what is written, while something is.
func (p *bundlesPage) animate() {
	p.ticker.Stop()
	p.ticker = nil
	if p.stage == fetchingIt {
		p.ticker = ui.NewTicker(barEvery, p.tick)
	}
}

// tick shows how far it is.
func (p *bundlesPage) tick() {
	if p.bar == nil {
		return
	}
	done, total, id := p.bundle.Done, p.bundle.Total, "audit-bundles-count"
	if p.stage == fetchingIt {
		done, total, id = p.written.Load()/1000, max(1, p.bundle.Size/1000), "audit-bundles-bytes"
	}
	p.bar.Set(float32(done) / float32(max(1, total)))
	if total > 0 {
		p.count.SetText(p.w.T(id, i18n.Args{"Done": ui.Grouped(int(done)), "Total": ui.Grouped(int(total))}))
	}
}

// --- keeping

// ready asks where the bundle is to be kept.
func (p *bundlesPage) ready(col *fyne.Container) {
	w := p.w
	switch {
	case p.there:
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-bundles-there"), ui.Plain(w.T("audit-bundles-there-line"))))
	case p.wrong != "":
		col.Add(ui.NewMessage(ui.Failure, w.T("audit-bundles-not-kept"), ui.Plain(p.wrong)))
	default:
		col.Add(ui.NewMessage(ui.Success, w.T("audit-bundles-made"), ui.Plain(w.N("audit-bundles-made-line", int(p.bundle.Events), p.holds()))))
	}
	p.folder, p.file = ui.NewField(w.T("audit-bundles-folder"), ""), ui.NewField(w.T("audit-bundles-file"), "")
	p.folder.SetText(p.dir)
	p.file.SetText(p.name)
	p.file.SetMono(true)
	words := "audit-bundles-keep"
	if p.there {
		words = "audit-bundles-replace"
	}
	p.primary = ui.NewButton(ui.Primary, w.T(words), p.keep)
	for _, f := range []*ui.Field{p.folder, p.file} {
		f.Input().OnSubmitted = func(string) { p.keep() }
		f.Input().OnChanged = func(string) { p.renamed() }
	}
	other := ui.NewButton(ui.Secondary, w.T("audit-bundles-folder-choose"), func() {
		p.OpenFolder(w.T("audit-bundles-folder-choose"), func(path string) {
			if p.stage == made {
				p.keepTyped()
				p.dir, p.there, p.folder = path, false, nil
				p.redraw()
			}
		})
	})
	col.Add(ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, p.folder), other))
	col.Add(p.file)
	col.Add(ui.Flow(ui.SizeSmallGap, p.primary, ui.NewButton(ui.Quiet, w.T("audit-bundles-drop"), p.anew)))
}

// renamed takes back that the file that is there makes way: it is another one now.
func (p *bundlesPage) renamed() {
	if p.there {
		p.there = false
		p.primary.SetText(p.w.T("audit-bundles-keep"))
	}
}

// holds are the values of a sentence about what the bundle holds.
func (p *bundlesPage) holds() i18n.Args {
	return i18n.Args{"Count": ui.Grouped(int(p.bundle.Events)), "Size": size(p.bundle.Size)}
}

// size writes how large something is: 1,2 MB would want a language; whole kB do not.
func size(bytes int64) string {
	if bytes < 10_000_000 {
		return ui.Grouped(int((bytes+999)/1000)) + " kB"
	}
	return ui.Grouped(int((bytes+999_999)/1_000_000)) + " MB"
}

// keep writes the bundle to the file.
func (p *bundlesPage) keep() {
	if p.stage != made {
		return
	}
	p.keepTyped()
	name := strings.TrimSpace(p.name)
	if name == "" || name != filepath.Base(name) || strings.ContainsAny(name, `/\`) {
		p.wrong, p.there = p.w.T("audit-bundles-no-name"), false
		p.redraw()
		return
	}
	if filepath.Ext(name) == "" {
		name += ".zip"
	}
	shift, id := p.SignedIn().ID, p.bundle.ID
	p.written.Store(0)
	f := fetching{
		part: func(ctx context.Context, offset int64) ([]byte, error) {
			return p.desk.ExportPart(ctx, shift, id, offset)
		},
		size: p.bundle.Size, path: filepath.Join(strings.TrimSpace(p.dir), name), replace: p.there, progress: p.written.Store,
	}
	p.begin(fetchingIt)
	turn := p.turn
	p.redraw()
	ui.Work(p.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.run(ctx) }, func(_ struct{}, err error) {
		switch {
		case turn != p.turn || p.life.Err() != nil:
		case err == nil: // it was all there before it could be stopped, too
			p.stage, p.path, p.stopping = kept, f.path, false
			p.redraw()
		case p.stopping:
			p.stage, p.stopping = made, false
			p.redraw()
		case p.Refused(err):
		default:
			p.unkept(err)
		}
	})
}

// unkept says why the bundle is in no file. It still lies ready, unless it is gone.
func (p *bundlesPage) unkept(err error) {
	r, refused := errors.AsType[*desk.Refusal](err)
	switch {
	case refused && r.Code == desk.NoExport:
		p.fail(p.refusal(err))
		return
	case errors.Is(err, errThere):
		p.there = true
	case refused:
		p.wrong = p.refusal(err)
	case errors.Is(err, errLength):
		p.wrong = p.w.T("audit-bundles-cut")
	default:
		id, folder := "audit-bundles-unwritable", strings.TrimSpace(p.dir)
		if !isFolder(folder) {
			id = "audit-bundles-no-folder"
		}
		p.wrong = p.w.T(id, i18n.Args{"Folder": folder})
	}
	p.stage = made
	p.redraw()
}

// done says what was made, and how somebody else verifies it.
func (p *bundlesPage) done(col *fyne.Container) {
	w := p.w
	col.Add(ui.NewMessage(ui.Success, w.T("audit-bundles-kept"), ui.Plain(w.N("audit-bundles-made-line", int(p.bundle.Events), p.holds()))))
	col.Add(ui.NewFact(w.T("audit-bundles-file"), ui.NewListing(p.path)))
	copied := ui.NewButton(ui.Small, w.T("audit-bundles-copy"), nil).WithLeft(ui.IconCopy)
	if p.copied {
		copied.Text, copied.Left = w.T("audit-bundles-copied"), ui.IconCheck
	}
	copied.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(p.command())
		p.copied = true
		copied.Left = ui.IconCheck
		copied.SetText(w.T("audit-bundles-copied"))
	}
	verify := "audit-bundles-verify-line"
	if p.query.Since != "" {
		verify = "audit-bundles-verify-since"
	}
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-verify")), ui.Body(ui.Plain(w.T(verify))),
		ui.NewListing(p.command()), ui.Flow(ui.SizeSmallGap, copied)))
	p.primary = ui.NewButton(ui.Secondary, w.T("audit-bundles-another"), p.anew)
	col.Add(ui.Row(ui.SizeSmallGap, p.primary, ui.Spring()))
}

// command is what verifies the bundle, on any machine that has the program.
func (p *bundlesPage) command() string {
	name := filepath.Base(p.path)
	if strings.ContainsAny(name, " '\"()&;|<>*?$`!") {
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	command := "keydeskd verify " + name
	if p.query.Since != "" {
		command += " --since checkpoint.txt"
	}
	return command
}

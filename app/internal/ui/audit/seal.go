package audit

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
)

// Seals is what tells how the log is sealed. *desk.Auditor has it.
type Seals interface {
	Seal(ctx context.Context, shift string) (desk.SealView, error)
	CheckSeal(ctx context.Context, shift string) (desk.CheckView, error)
}

const (
	// sealEvery is how often it is asked how the log is sealed.
	sealEvery = 15 * time.Second
	// checkEvery is how often it is asked how far a check is.
	checkEvery = 500 * time.Millisecond
	// sealGrace is for how long events may stay behind the last checkpoint: one comes at
	// the latest a minute after the first of them.
	sealGrace = 3 * time.Minute
)

// A sealWatch knows how the log is sealed, for all pages of whoever has signed in, and
// has it checked: once by itself, where nobody did since the program began, and whenever
// somebody asks for that.
type sealWatch struct {
	around office.Around
	desk   Seals

	view  desk.SealView
	got   bool
	lost  error     // why the last answer did not come; nil: it did
	since time.Time // when view came, by the window's clock

	checking  bool // it is asked how far a check is
	asking    bool
	over      bool
	ticker    *ui.Ticker
	followers map[int]func()
	next      int
}

func newSealWatch(a office.Around, d Seals) *sealWatch {
	return &sealWatch{around: a, desk: d, followers: map[int]func(){}}
}

// begin goes on asking, until end.
func (s *sealWatch) begin() {
	s.look()
	s.ticker = ui.NewTicker(sealEvery, s.look)
}

func (s *sealWatch) end() {
	s.ticker.Stop()
	s.over = true
	clear(s.followers)
}

// follow calls a function whenever something about the seal has changed, until stop.
func (s *sealWatch) follow(changed func()) (stop func()) {
	s.next++
	at := s.next
	s.followers[at] = changed
	return func() { delete(s.followers, at) }
}

func (s *sealWatch) tell() {
	for _, changed := range s.followers {
		changed()
	}
}

// look asks how the log is sealed.
func (s *sealWatch) look() {
	if s.asking || s.over {
		return
	}
	s.asking = true
	shift := s.around.SignedIn().ID
	ui.Work(s.around.Life(), func(ctx context.Context) (desk.SealView, error) { return s.desk.Seal(ctx, shift) },
		func(v desk.SealView, err error) {
			if s.over {
				return
			}
			s.asking = false
			if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.NoSeal {
				v, err = desk.SealView{}, nil // that is an answer, too
			}
			if err != nil {
				s.failed(err)
				return
			}
			running := s.checking && !v.Check.Running // of a check that has just begun this says nothing yet
			if running {
				v.Check = s.view.Check
			}
			first := !s.got
			s.view, s.got, s.lost, s.since = v, true, nil, s.around.Clock()
			if v.Check.Running || first && v.On && v.Check.At.IsZero() {
				s.check()
			}
			s.tell()
		})
}

// check has the whole log checked, and follows how far that is.
func (s *sealWatch) check() {
	if s.checking || s.over {
		return
	}
	s.checking = true
	s.poll()
	s.tell()
}

func (s *sealWatch) poll() {
	shift := s.around.SignedIn().ID
	ui.Work(s.around.Life(), func(ctx context.Context) (desk.CheckView, error) { return s.desk.CheckSeal(ctx, shift) },
		func(v desk.CheckView, err error) {
			if s.over {
				return
			}
			if err != nil {
				s.checking = false
				s.failed(err)
				return
			}
			s.view.Check = v
			if v.Running {
				ui.Later(s.around.Life(), checkEvery, func() {
					if !s.over {
						s.poll()
					}
				})
			} else {
				s.checking = false
				s.look() // what was sealed meanwhile
			}
			s.tell()
		})
}

func (s *sealWatch) failed(err error) {
	if !s.around.Refused(err) {
		s.lost = err
		s.tell()
	}
}

// A verdict is what is to be said of the log.
type verdict struct {
	kind ui.MessageKind // Info: nothing is known
	id   string         // of the words of the badge
	args i18n.Args
}

// verdict says whether the log is complete and true, as far as that is known.
func (s *sealWatch) verdict() verdict {
	v, c := &s.view, &s.view.Check
	disagrees := ""
	for _, w := range v.Witnesses {
		if w.State == desk.WitnessDisagrees {
			disagrees = w.Name
		}
	}
	switch {
	case !s.got:
		return verdict{ui.Info, "audit-badge-unknown", nil}
	case !v.On && v.Trouble:
		return verdict{ui.Warning, "audit-badge-unreadable", nil}
	case !v.On:
		return verdict{ui.Warning, "audit-badge-unsealed", nil}
	case !c.Ended.IsZero() && !c.Running && !c.OK && !c.Broken:
		if c.Position > 0 {
			return verdict{ui.Failure, "audit-badge-bad-at", i18n.Args{"Position": ui.Grouped(int(c.Position))}} //nolint:gosec // positions fit
		}
		return verdict{ui.Failure, "audit-badge-bad", nil}
	case disagrees != "":
		return verdict{ui.Failure, "audit-badge-disagrees", i18n.Args{"Witness": disagrees}}
	case s.lost != nil:
		return verdict{ui.Info, "audit-badge-unknown", nil}
	case s.checking || c.Running:
		return verdict{ui.Info, "audit-badge-checking", i18n.Args{"Percent": percent(c.Done, c.Total)}}
	case c.Ended.IsZero():
		return verdict{ui.Info, "audit-badge-unchecked", nil}
	case c.Broken:
		return verdict{ui.Warning, "audit-badge-broken", nil}
	}
	return s.attention()
}

// attention is the verdict on a log that is as it was sealed: well, unless there is
// something that somebody should look into.
func (s *sealWatch) attention() verdict {
	v := &s.view
	silent := s.silent()
	switch {
	case v.Trouble:
		return verdict{ui.Warning, "audit-badge-trouble", nil}
	case s.behind():
		return verdict{ui.Warning, "audit-badge-behind", i18n.Args{"Count": ui.Grouped(int(v.Unsealed))}}
	case len(silent) > 0:
		return verdict{ui.Warning, "audit-badge-away", i18n.Args{"Witness": silent[0].Name}}
	case v.Check.Anew:
		return verdict{ui.Warning, "audit-badge-anew", nil}
	case v.Check.Begun: // that nothing is hidden behind it is proved, and not whether it had to be
		return verdict{ui.Info, "audit-badge-begun", nil}
	}
	return verdict{ui.Success, "audit-badge-good", nil}
}

// silent are the witnesses of the settings that sign no checkpoint, and have not for
// longer than a network is away now and then.
func (s *sealWatch) silent() (all []desk.WitnessView) {
	now := s.around.Clock()
	for _, w := range s.view.Witnesses {
		switch {
		case w.State == desk.WitnessAway && now.Sub(w.At) > sealGrace,
			w.State == desk.WitnessBehind && now.Sub(s.view.Checkpoint.At) > sealGrace: // it is slow only for so long
			all = append(all, w)
		}
	}
	return all
}

// behind says that events wait for longer than they should to be sealed.
func (s *sealWatch) behind() bool {
	return s.view.Unsealed > 0 && s.around.Clock().Sub(s.view.Waiting) > sealGrace
}

func percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(min(100, done*100/total))
}

// A head stands above a page: what the page is for, how the log stands, and what can be
// done.
type head struct {
	around

	badge *ui.Badge
	whole *fyne.Container
}

// newHead builds it in the language of now. show draws what has changed since.
func newHead(a around, title, lead string, does ...fyne.CanvasObject) *head {
	h := &head{around: a, badge: ui.NewBadge(ui.Info, " ")}
	h.whole = ui.Apart(330, ui.Column("", ui.Heading(title).Elide(), ui.Body(ui.Plain(lead)).Ink(ui.ColorMuted)),
		ui.Flow(ui.SizeGap, append([]fyne.CanvasObject{h.badge}, does...)...))
	h.show()
	return h
}

func (h *head) show() {
	s := h.seal()
	if s == nil {
		return
	}
	v := s.verdict()
	h.badge.Set(v.kind, h.Printer().T(v.id, v.args))
	if v.kind == ui.Success || v.kind == ui.Info {
		h.badge.WithIcon(ui.IconShieldCheck)
	}
	h.badge.Refresh()
	h.whole.Refresh()
}

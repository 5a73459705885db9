package audit

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

// menuHeight is how high a menu is at most.
const menuHeight = 380

// facets shows what there is to choose from, one of it.
func (p *tapePage) facets(at *ui.Picker, id, chosen string, all []desk.Facet, name func(desk.Facet) string, choose func(f *desk.EventFilter, value string)) {
	list := ui.Column("")
	add := func(text, value string, n int) {
		list.Add(ui.NewMenuItem(text, "", n, value == chosen, func() {
			f := p.rows.filter
			choose(&f, value)
			p.menu.Hide()
			p.filter(f, p.rows.name)
		}))
	}
	add(p.w.all(id), "", -1)
	for _, f := range all {
		add(name(f), f.Value, f.Events)
	}
	p.openList(at, list, 300)
}

// openList shows a menu of items, of which the first has the focus.
func (p *tapePage) openList(at fyne.CanvasObject, list *fyne.Container, width float32) {
	p.openMenu(at, ui.AtMost(menuHeight, ui.NewScroller(list)), width)
	focusItem(list)
}

// focusItem gives the first item of a menu the focus.
func focusItem(list *fyne.Container) {
	for _, o := range list.Objects {
		if i, ok := o.(*ui.MenuItem); ok {
			ui.Focus(i)
			return
		}
	}
}

// askKind offers the kinds of events, of which several can be chosen.
func (p *tapePage) askKind() {
	r, w := &p.rows, p.w
	list := ui.Column("")
	items := map[string]*ui.MenuItem{}
	var all *ui.MenuItem
	narrow := func(types []string) {
		f := r.filter
		f.Types = types
		for value, i := range items {
			i.SetOn(slices.Contains(types, value))
		}
		all.SetOn(len(types) == 0)
		p.filter(f, r.name)
	}
	all = ui.NewMenuItem(w.all("kind"), "", -1, len(r.filter.Types) == 0, func() { narrow(nil) })
	list.Add(all)
	facets := slices.Clone(r.have.Types)
	for _, t := range r.filter.Types { // also those of which there are none now
		if !slices.ContainsFunc(facets, func(f desk.Facet) bool { return f.Value == t }) {
			facets = append(facets, desk.Facet{Value: t})
		}
	}
	for _, t := range facets {
		i := ui.NewMenuItem(w.kind(t.Value), "", t.Events, slices.Contains(r.filter.Types, t.Value), func() {
			types := slices.DeleteFunc(slices.Clone(r.filter.Types), func(s string) bool { return s == t.Value })
			if len(types) == len(r.filter.Types) {
				types = append(types, t.Value)
			}
			narrow(types)
		})
		items[t.Value] = i
		list.Add(i)
	}
	p.openList(r.kind, list, 360)
}

func (p *tapePage) askActor() {
	r := &p.rows
	p.facets(r.by, "by", r.filter.Actor, r.have.Actors, p.w.actor, func(f *desk.EventFilter, v string) {
		f.Actor, r.actor = v, r.facet(r.have.Actors, v)
	})
}

func (p *tapePage) askRole() {
	name := func(f desk.Facet) string { return p.w.roleName(domain.Role(f.Value)) }
	p.facets(p.rows.role, "role", string(p.rows.filter.Role), p.rows.have.Roles, name, func(f *desk.EventFilter, v string) { f.Role = domain.Role(v) })
}

func (p *tapePage) askStation() {
	name := func(f desk.Facet) string { return f.Value }
	p.facets(p.rows.place, "place", p.rows.filter.Station, p.rows.have.Stations, name, func(f *desk.EventFilter, v string) { f.Station = v })
}

// searchRests is how long a hand has to rest before people are searched: every search is
// recorded.
const searchRests = 400 * time.Millisecond

// askPerson offers a search for people, which is recorded.
func (p *tapePage) askPerson() {
	r, w := &p.rows, p.w
	r.field = ui.NewSearch(w.T("tape-person-search"), "", w.T("tape-person-clear"))
	wanted := 0
	r.field.OnSearch = func(words string) {
		wanted++
		turn := wanted
		words = strings.TrimSpace(words)
		if words == "" {
			r.people.drop()
			p.peopleCame("", nil, nil)
			return
		}
		ui.Later(p.ctx, searchRests, func() {
			if turn == wanted && p.menu != nil {
				r.people.want(words)
			}
		})
	}
	r.field.OnDown = func() { focusItem(r.hits) }
	r.hits = ui.Column("")
	p.peopleCame("", nil, nil)
	field := r.field
	p.openMenu(r.person, ui.Column(ui.SizeSmallGap, r.field, ui.AtMost(menuHeight-80, ui.NewScroller(r.hits))), 360)
	ui.Focus(field.Input())
}

// peopleCame shows who was found.
func (p *tapePage) peopleCame(words string, hits []desk.PersonHit, err error) {
	r, w := &p.rows, p.w
	if err != nil && p.Refused(err) || r.hits == nil {
		return
	}
	r.hits.Objects = nil
	say := func(text string) { r.hits.Add(ui.Padded(ui.Hint(ui.Plain(text)))) }
	switch {
	case err != nil:
		say(w.refusal(err))
	case words == "":
		say(w.T("tape-person-recorded"))
	case len(hits) == 0:
		say(w.T("tape-person-nobody"))
	}
	for _, h := range hits {
		name := h.Name
		if name == "" {
			name = w.T("tape-no-name", i18n.Args{"ID": h.Subject.String()[:8]})
		}
		r.hits.Add(ui.NewMenuItem(name, h.Email, -1, h.Subject == r.filter.Subject, func() {
			f := r.filter
			f.Subject = h.Subject
			p.menu.Hide()
			p.filter(f, name)
		}))
	}
	if p.menu != nil {
		p.menu.Refresh()
	}
}

// askTime offers times around the moment that shows, and two to be typed.
func (p *tapePage) askTime() {
	r, w := &p.rows, p.w
	at := p.moment().In(time.Local)
	y, m, d := at.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	list := ui.Column("")
	add := func(text string, from, to time.Time) {
		on := r.filter.From.Equal(from) && r.filter.To.Equal(to)
		list.Add(ui.NewMenuItem(text, "", -1, on, func() {
			f := r.filter
			f.From, f.To = from, to
			p.menu.Hide()
			p.filter(f, r.name)
		}))
	}
	add(w.all("time"), time.Time{}, time.Time{})
	add(w.T("tape-time-day", i18n.Args{"Day": w.short(at, false)}), day, day.AddDate(0, 0, 1))
	next := at.Truncate(time.Second).Add(time.Second)
	for _, h := range []int{1, 24} {
		add(w.N("tape-time-hours", h), next.Add(-time.Duration(h)*time.Hour), next)
	}
	add(w.T("tape-time-days", i18n.Args{"N": 7}), next.AddDate(0, 0, -7), next)
	from, to := ui.NewField(w.T("tape-time-from"), ""), ui.NewField(w.T("tape-time-to"), w.T("tape-time-hint"))
	from.SetText(typedTime(r.filter.From, 0))
	to.SetText(typedTime(r.filter.To, 1))
	r.times = [2]*ui.Field{from, to}
	apply := ui.NewButton(ui.Primary, w.T("tape-time-apply"), func() { p.typedTimes(from, to) })
	from.Input().OnSubmitted = func(string) { ui.Focus(to.Input()) }
	to.Input().OnSubmitted = func(string) { p.typedTimes(from, to) }
	list.Add(ui.NewRule())
	list.Add(ui.Padded(ui.Column(ui.SizeSmallGap, from, to, ui.Row("", apply))))
	p.openMenu(r.time, ui.AtMost(menuHeight+160, ui.NewScroller(list)), 340)
	focusItem(list)
}

// typedTime writes a moment as it could have been typed: as a day alone where it is the
// begin of one, or, days later, the begin of the day after it.
func typedTime(t time.Time, days int) string {
	at := t.In(time.Local)
	switch {
	case t.IsZero():
		return ""
	case at.Equal(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.Local)):
		return at.AddDate(0, 0, -days).Format("2-1-2006")
	}
	return at.Format("2-1-2006 15:04:05")
}

// typedTimes narrows to the times that were typed; either may be left open.
func (p *tapePage) typedTimes(from, to *ui.Field) {
	f, ok := p.rows.filter, true
	read := func(field *ui.Field) time.Time {
		field.SetError("")
		if strings.TrimSpace(field.Text()) == "" {
			return time.Time{}
		}
		m, fault := readMoment(field.Text(), p.w.Lang(), p.Clock().In(time.Local), p.moment().In(time.Local))
		switch {
		case fault != "":
			field.SetError(p.w.T("tape-moment-" + string(fault)))
			ok = false
		case m.Position != 0:
			field.SetError(p.w.T("tape-moment-unreadable"))
			ok = false
		case m.At.IsZero():
			return p.Clock()
		}
		return m.At
	}
	f.From, f.To = read(from), read(to)
	if !f.From.IsZero() && f.From.Nanosecond() != 0 { // a day alone: from its begin
		y, m, d := f.From.In(time.Local).Date()
		f.From = time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	}
	if !f.To.IsZero() && f.To.Nanosecond() != 0 { // to its end
		f.To = f.To.Add(1)
	}
	switch {
	case !ok:
	case f.From.IsZero() && f.To.IsZero():
		from.SetError(p.w.T("tape-moment-unreadable"))
	case !f.To.IsZero() && !f.From.Before(f.To):
		to.SetError(p.w.T("tape-time-order"))
	default:
		p.menu.Hide()
		p.filter(f, p.rows.name)
	}
}

// onlyChain narrows to all that one action has caused.
func (p *tapePage) onlyChain(id domain.EventID) {
	p.filter(desk.EventFilter{Correlation: id}, "")
}

// joined is office.Joined, which says what there is of some words beside each other.
func joined(all ...string) string { return office.Joined(all...) }

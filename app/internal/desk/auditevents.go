package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/ledger"
)

// Events returns a window over the events of a filter.
func (a *Auditor) Events(ctx context.Context, shift string, q EventQuery) (page EventPage, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		query := ledger.Query{Oldest: q.Oldest, Offset: max(0, q.Offset), Limit: atMost(q.Limit, MostEvents)}
		if query.Filter, err = d.filter(ctx, shift, by, &q.Filter); err != nil {
			return err
		}
		page.Ready = d.Index.Ready()
		page.Unnamed = d.Directory != nil && !d.Directory.State().Ready
		if q.Until != (Moment{}) {
			if query.Until, err = d.position(ctx, q.Until); err != nil || query.Until == 0 {
				return err
			}
		}
		found := d.Index.Page(query)
		page.Total, page.All = found.Total, found.All
		page.Types, page.Roles, page.Stations, page.Actors = facets(found.Types), facets(found.Roles), facets(found.Stations), facets(found.Actors)
		d.nameActors(page.Actors)
		page.Rows, err = d.eventRows(ctx, found.Rows)
		return err
	})
	return nothingUnless(page, err)
}

// filter checks a filter, and records a look at whom it asks for.
func (d *Desk) filter(ctx context.Context, shift string, by Agent, f *EventFilter) (ledger.Filter, error) {
	switch {
	case len(f.Types) > 200 || len(f.Actor) > 200 || len(f.Station) > 200 || len(f.Role) > 40:
		return ledger.Filter{}, refuse(BadRange)
	case !f.From.IsZero() && !f.To.IsZero() && f.To.Before(f.From):
		return ledger.Filter{}, refuse(BadRange)
	case d.Index.Ready() <= 0:
		return ledger.Filter{}, refuse(NotReady)
	}
	return ledger.Filter{
		Subject: f.Subject, Types: f.Types, Actor: f.Actor, Role: f.Role, Station: f.Station, Correlation: f.Correlation, From: f.From, To: f.To,
	}, d.noteFilter(ctx, shift, by, f)
}

func facets(counts []ledger.Count) []Facet {
	var all []Facet
	for _, c := range counts[:min(len(counts), MostFacets)] {
		all = append(all, Facet{Value: c.Value, Kind: c.Kind, Events: c.Events})
	}
	return all
}

// atMost returns how many rows of a window are given.
func atMost(limit, most int) int {
	if limit <= 0 {
		limit = usualRows
	}
	return min(limit, most)
}

// nameActors names the people among whoever acted.
func (d *Desk) nameActors(actors []Facet) {
	for i := range actors {
		if s, err := domain.ParseSubjectID(actors[i].Value); err == nil {
			actors[i].Name = d.nameOf(s)
		}
	}
}

// nameOf returns what somebody is called, as the board shows it; empty: not known.
func (d *Desk) nameOf(s domain.SubjectID) string {
	if d.Directory == nil || s.IsZero() {
		return ""
	}
	e, _ := d.Directory.Entry(s)
	return e.Name
}

// eventRows tells of the events of some rows, in their order. One that was dropped after
// its time is told to be missing.
func (d *Desk) eventRows(ctx context.Context, found []ledger.Row) ([]EventRow, error) {
	events, err := ledger.Read(ctx, d.Log, found...)
	if err != nil {
		return nil, err
	}
	rows := make([]EventRow, len(events))
	for i := range events {
		rows[i] = d.eventRow(&found[i], &events[i])
	}
	d.sealRows(rows, events)
	return rows, nil
}

// sealRows notes what the seal knows of rows.
func (d *Desk) sealRows(rows []EventRow, events []domain.Recorded) {
	if d.Seals == nil {
		return
	}
	sealed := slices.Clone(events)
	for i := range sealed {
		sealed[i].Position = domain.Position(rows[i].Position) // of those that are there no more, too
	}
	for i, l := range d.Seals.Leaves(sealed) {
		rows[i].Hash, rows[i].Altered = l.Hash, l.Altered
	}
}

// eventRow tells of one event, of which the index has a row.
func (d *Desk) eventRow(found *ledger.Row, r *domain.Recorded) EventRow {
	row := EventRow{
		Position: uint64(found.Position), Revision: int64(found.Revision), Stream: found.Stream, Type: found.Type, Recorded: found.Recorded,
		Subject: found.Subject, Name: d.nameOf(found.Subject),
	}
	if r.Position == 0 {
		row.Message, row.Outcome = "history-missing", history.Puzzling
		return row
	}
	row.ID = r.ID
	var meta domain.Metadata
	if err := json.Unmarshal(r.Metadata, &meta); err == nil { // what is not readable is not shown
		row.At, row.Actor, row.Station = meta.At, meta.Actor, meta.Station
		row.Correlation, row.Causation = meta.Correlation, meta.Causation
	}
	if s, err := domain.ParseSubjectID(row.Actor.ID); err == nil {
		row.ActorName = d.nameOf(s)
	}
	row.Message, row.Outcome, row.Params = history.Words(r.Stream, r.Type, r.Data)
	return row
}

// eventAt finds one event. NoEvent: there is none, or none any more.
func (d *Desk) eventAt(ctx context.Context, position uint64) (ledger.Row, domain.Recorded, error) {
	row, ok := d.Index.At(domain.Position(position))
	if !ok {
		if d.Index.Ready() < 1 {
			return row, domain.Recorded{}, refuse(NotReady)
		}
		return row, domain.Recorded{}, refuse(NoEvent)
	}
	events, err := ledger.Read(ctx, d.Log, row)
	if err != nil {
		return row, domain.Recorded{}, err
	}
	if events[0].Position == 0 {
		return row, events[0], refuse(NoEvent)
	}
	return row, events[0], nil
}

// longestShown is how much of an event's data or metadata is shown, in bytes: more than
// any that Keydesk records.
const longestShown = 256 << 10

// Event returns all that the log has of one event. NoEvent: there is none, or it was
// dropped after its time. That the auditor opened events about a person is recorded
// before, once a shift for each person.
func (a *Auditor) Event(ctx context.Context, shift string, position uint64) (v EventDetail, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		found, r, err := d.eventAt(ctx, position)
		if err != nil {
			return err
		}
		if err := d.noteOpened(ctx, shift, by, found.Subject); err != nil {
			return err
		}
		v = EventDetail{EventRow: d.eventRow(&found, &r), Data: shown(r.Data), Metadata: shown(r.Metadata), Leaf: -1}
		if err := d.sealDetail(ctx, &v, r); err != nil {
			return err
		}
		if whose, ok := personOf(r.Stream); ok {
			v.Values, err = d.checkValues(ctx, whose, &r, map[domain.Ref]ValueState{})
		}
		return err
	})
	return nothingUnless(v, err)
}

// personOf returns whose a stream is whose events refer to values.
func personOf(stream string) (domain.SubjectID, bool) {
	if rest, ok := strings.CutPrefix(stream, domain.LoginPrefix); ok {
		s, err := domain.ParseSubjectID(rest)
		return s, err == nil
	}
	return domain.SubjectOfStream(stream)
}

// shown returns text as it can be shown.
func shown(text []byte) string {
	if len(text) > longestShown {
		text = append(slices.Clone(text[:longestShown]), "…"...)
	}
	if !utf8.Valid(text) {
		return strings.ToValidUTF8(string(text), "�")
	}
	return string(text)
}

// sealDetail notes what the seal knows of an event.
func (d *Desk) sealDetail(ctx context.Context, v *EventDetail, r domain.Recorded) error {
	if d.Seals == nil {
		return nil
	}
	l := d.Seals.Leaves([]domain.Recorded{r})[0]
	if v.Hash, v.Altered, v.Leaf = l.Hash, l.Altered, l.Number; l.Number < 0 {
		return nil
	}
	var err error
	if v.Checkpoint, v.Sealed, err = d.Seals.Covering(ctx, l.Number); err != nil {
		return fmt.Errorf("look for the checkpoint of leaf %d: %w", l.Number, err)
	}
	return nil
}

// Chain returns what the action has caused that an event is part of. It is a look at whom
// that event is about, as Event is; what it says of others is what the table says of them.
func (a *Auditor) Chain(ctx context.Context, shift string, position uint64) (c Chain, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		found, r, err := d.eventAt(ctx, position)
		if err != nil {
			return err
		}
		if err := d.noteOpened(ctx, shift, by, found.Subject); err != nil {
			return err
		}
		row := d.eventRow(&found, &r)
		all := []ledger.Row{found}
		c.Total = 1
		if row.Correlation != (domain.EventID{}) {
			f := ledger.Filter{Correlation: row.Correlation, Until: r.Position}
			before := d.Index.Page(ledger.Query{Filter: f}).Total
			f.Until = 0
			page := d.Index.Page(ledger.Query{Filter: f, Oldest: true, Offset: max(0, before-MostLinks/2), Limit: MostLinks})
			all, c.Total = page.Rows, page.Total
		}
		rows, err := d.eventRows(ctx, all)
		if err != nil {
			return err
		}
		c.Links = linked(rows, row.Correlation)
		return nil
	})
	return nothingUnless(c, err)
}

// linked says how deep each event of a correlation stands below what caused it. What is
// of another one has only the same beginning of its id.
func linked(rows []EventRow, correlation domain.EventID) []ChainLink {
	depth := map[domain.EventID]int{}
	var links []ChainLink
	for _, row := range rows {
		if row.Correlation != correlation {
			continue
		}
		l := ChainLink{EventRow: row}
		if above, ok := depth[row.Causation]; ok {
			l.Depth = above + 1
		}
		depth[row.ID] = l.Depth
		links = append(links, l)
	}
	return links
}

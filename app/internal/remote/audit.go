package remote

import (
	"context"
	"errors"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

// What an auditor asks at a station that is a desk. As of staff, the server knows who has
// signed in there and what they may do.

// An auditAsk is what an auditor asks with; each use case needs some of it.
type auditAsk struct {
	Bars     *desk.HistogramQuery `json:"bars,omitempty"`
	Moment   desk.Moment          `json:"moment,omitzero"`
	Events   *desk.EventQuery     `json:"events,omitempty"`
	Filter   *desk.EventFilter    `json:"filter,omitempty"`
	Position uint64               `json:"position,omitempty"`
	By       int                  `json:"by,omitempty"`
	Words    string               `json:"words,omitempty"`
	Export   *desk.ExportQuery    `json:"export,omitempty"`
	ID       string               `json:"id,omitempty"` // of a bundle
	Offset   int64                `json:"offset,omitempty"`
}

// An auditAnswer is what an auditor is told.
type auditAnswer struct {
	Histogram *desk.Histogram   `json:"histogram,omitempty"`
	Replay    *desk.ReplayView  `json:"replay,omitempty"`
	Moment    *desk.Moment      `json:"moment,omitempty"`
	Events    *desk.EventPage   `json:"events,omitempty"`
	Event     *desk.EventDetail `json:"event,omitempty"`
	Chain     *desk.Chain       `json:"chain,omitempty"`
	Hits      []desk.PersonHit  `json:"hits,omitempty"`
	Person    *desk.PersonThen  `json:"person,omitempty"`
	Values    []desk.ValueCheck `json:"values,omitempty"`
	Seal      *desk.SealView    `json:"seal,omitempty"`
	Check     *desk.CheckView   `json:"check,omitempty"`
	Export    *desk.ExportView  `json:"export,omitempty"`
	Part      []byte            `json:"part,omitempty"`
}

// inAudit wraps a use case of an auditor. But for beginning and dropping a bundle they are
// looks, as those of staff: see onShift.
func inAudit(looks bool, do func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error)) useCase {
	return useCase{
		kinds: []station.Kind{station.Desk}, watches: looks,
		do: func(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
			if a.Audit == nil {
				return answer{Barred: station.WasMalformed}, nil
			}
			got, err := do(ctx, s.desk.Auditor(), a.Shift, *a.Audit)
			if errors.Is(err, errMalformed) {
				return answer{Barred: station.WasMalformed}, nil
			}
			return answer{Audit: &got}, err
		},
	}
}

// auditCases is all that an auditor may ask for at a station that is a desk.
var auditCases = map[string]useCase{
	"audit-timeline": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		return of(q.Bars, func(b desk.HistogramQuery) (auditAnswer, error) {
			h, err := au.Timeline(ctx, shift, b)
			return auditAnswer{Histogram: &h}, err
		})
	}),
	"audit-replay": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		v, err := au.Replay(ctx, shift, q.Moment)
		return auditAnswer{Replay: &v}, err
	}),
	"audit-step": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		return of(q.Filter, func(f desk.EventFilter) (auditAnswer, error) {
			m, err := au.Step(ctx, shift, q.Position, q.By, f)
			return auditAnswer{Moment: &m}, err
		})
	}),
	"audit-events": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		return of(q.Events, func(e desk.EventQuery) (auditAnswer, error) {
			page, err := au.Events(ctx, shift, e)
			return auditAnswer{Events: &page}, err
		})
	}),
	"audit-event": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		v, err := au.Event(ctx, shift, q.Position)
		return auditAnswer{Event: &v}, err
	}),
	"audit-chain": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		c, err := au.Chain(ctx, shift, q.Position)
		return auditAnswer{Chain: &c}, err
	}),
	"audit-find": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		hits, err := au.FindPerson(ctx, shift, q.Words)
		return auditAnswer{Hits: hits}, err
	}),
	"audit-person": ofAudited(func(ctx context.Context, au *desk.Auditor, shift string, whom domain.SubjectID, q auditAsk) (auditAnswer, error) {
		v, err := au.PersonThen(ctx, shift, whom, q.Moment)
		return auditAnswer{Person: &v}, err
	}),
	"audit-values": ofAudited(func(ctx context.Context, au *desk.Auditor, shift string, whom domain.SubjectID, _ auditAsk) (auditAnswer, error) {
		all, err := au.Values(ctx, shift, whom)
		return auditAnswer{Values: all}, err
	}),
	"audit-seal": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, _ auditAsk) (auditAnswer, error) {
		v, err := au.Seal(ctx, shift)
		return auditAnswer{Seal: &v}, err
	}),
	"audit-check": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, _ auditAsk) (auditAnswer, error) {
		v, err := au.CheckSeal(ctx, shift)
		return auditAnswer{Check: &v}, err
	}),
	"audit-export": inAudit(false, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		return of(q.Export, func(e desk.ExportQuery) (auditAnswer, error) {
			v, err := au.Export(ctx, shift, e)
			return auditAnswer{Export: &v}, err
		})
	}),
	"audit-export-state": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		if q.ID == "" {
			return auditAnswer{}, errMalformed
		}
		v, err := au.Export(ctx, shift, desk.ExportQuery{ID: q.ID})
		return auditAnswer{Export: &v}, err
	}),
	"audit-export-part": inAudit(true, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		part, err := au.ExportPart(ctx, shift, q.ID, q.Offset)
		return auditAnswer{Part: part}, err
	}),
	"audit-export-drop": inAudit(false, func(ctx context.Context, au *desk.Auditor, shift string, q auditAsk) (auditAnswer, error) {
		if q.ID == "" {
			return auditAnswer{}, errMalformed
		}
		return auditAnswer{}, au.DropExport(ctx, shift, q.ID)
	}),
}

// of does what needs a part of a question that has to be there.
func of[Q any](q *Q, do func(Q) (auditAnswer, error)) (auditAnswer, error) {
	if q == nil {
		return auditAnswer{}, errMalformed
	}
	return do(*q)
}

// ofAudited is inAudit for a look at one person, whom the question names.
func ofAudited(do func(ctx context.Context, au *desk.Auditor, shift string, whom domain.SubjectID, q auditAsk) (auditAnswer, error)) useCase {
	u := inAudit(true, nil)
	u.do = func(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
		whom, err := domain.ParseSubjectID(a.Subject)
		if err != nil || a.Audit == nil {
			return answer{Barred: station.WasMalformed}, nil
		}
		got, err := do(ctx, s.desk.Auditor(), a.Shift, whom, *a.Audit)
		return answer{Audit: &got}, err
	}
	return u
}

// An Auditor is desk.Auditor at a server. It may be used concurrently.
type Auditor struct{ c *Client }

// Auditor returns the auditor's side of a desk at a server.
func (c *Client) Auditor() *Auditor { return &Auditor{c} }

// auditGot asks a use case of an auditor, and picks what it answers.
func auditGot[T any](ctx context.Context, au *Auditor, useCase string, q ask, pick func(auditAnswer) *T) (T, error) {
	a, err := au.c.ask(ctx, useCase, q)
	var value *T
	if a.Audit != nil {
		value = pick(*a.Audit)
	}
	return got(au.c, useCase, value, err)
}

// Timeline returns how many events there were when.
func (au *Auditor) Timeline(ctx context.Context, shift string, q desk.HistogramQuery) (desk.Histogram, error) {
	return auditGot(ctx, au, "audit-timeline", ask{Shift: shift, Audit: &auditAsk{Bars: &q}}, func(a auditAnswer) *desk.Histogram { return a.Histogram })
}

// Replay returns how it stood at a moment, and how it stands now.
func (au *Auditor) Replay(ctx context.Context, shift string, m desk.Moment) (desk.ReplayView, error) {
	return auditGot(ctx, au, "audit-replay", ask{Shift: shift, Audit: &auditAsk{Moment: m}}, func(a auditAnswer) *desk.ReplayView { return a.Replay })
}

// Step returns where the by-th event of a filter stands after a position, or before it.
func (au *Auditor) Step(ctx context.Context, shift string, from uint64, by int, f desk.EventFilter) (desk.Moment, error) {
	q := ask{Shift: shift, Audit: &auditAsk{Position: from, By: by, Filter: &f}}
	return auditGot(ctx, au, "audit-step", q, func(a auditAnswer) *desk.Moment { return a.Moment })
}

// Events returns a window over the events of a filter.
func (au *Auditor) Events(ctx context.Context, shift string, q desk.EventQuery) (desk.EventPage, error) {
	return auditGot(ctx, au, "audit-events", ask{Shift: shift, Audit: &auditAsk{Events: &q}}, func(a auditAnswer) *desk.EventPage { return a.Events })
}

// Event returns all that the log has of one event.
func (au *Auditor) Event(ctx context.Context, shift string, position uint64) (desk.EventDetail, error) {
	q := ask{Shift: shift, Audit: &auditAsk{Position: position}}
	return auditGot(ctx, au, "audit-event", q, func(a auditAnswer) *desk.EventDetail { return a.Event })
}

// Chain returns what the action has caused that an event is part of.
func (au *Auditor) Chain(ctx context.Context, shift string, position uint64) (desk.Chain, error) {
	q := ask{Shift: shift, Audit: &auditAsk{Position: position}}
	return auditGot(ctx, au, "audit-chain", q, func(a auditAnswer) *desk.Chain { return a.Chain })
}

// FindPerson finds people by what the helpdesk finds them by.
func (au *Auditor) FindPerson(ctx context.Context, shift, words string) ([]desk.PersonHit, error) {
	q := ask{Shift: shift, Audit: &auditAsk{Words: words}}
	return auditGot(ctx, au, "audit-find", q, func(a auditAnswer) *[]desk.PersonHit { return &a.Hits })
}

// PersonThen returns where somebody stood at a moment, and what had happened by then.
func (au *Auditor) PersonThen(ctx context.Context, shift string, s domain.SubjectID, m desk.Moment) (desk.PersonThen, error) {
	q := ask{Shift: shift, Subject: s.String(), Audit: &auditAsk{Moment: m}}
	return auditGot(ctx, au, "audit-person", q, func(a auditAnswer) *desk.PersonThen { return a.Person })
}

// Values compares what the vault holds of somebody with what was recorded.
func (au *Auditor) Values(ctx context.Context, shift string, s domain.SubjectID) ([]desk.ValueCheck, error) {
	q := ask{Shift: shift, Subject: s.String(), Audit: &auditAsk{}}
	return auditGot(ctx, au, "audit-values", q, func(a auditAnswer) *[]desk.ValueCheck { return &a.Values })
}

// Seal returns how the log is sealed.
func (au *Auditor) Seal(ctx context.Context, shift string) (desk.SealView, error) {
	return auditGot(ctx, au, "audit-seal", ask{Shift: shift, Audit: &auditAsk{}}, func(a auditAnswer) *desk.SealView { return a.Seal })
}

// CheckSeal begins to compare the whole log with its seal, or says how far that is.
func (au *Auditor) CheckSeal(ctx context.Context, shift string) (desk.CheckView, error) {
	return auditGot(ctx, au, "audit-check", ask{Shift: shift, Audit: &auditAsk{}}, func(a auditAnswer) *desk.CheckView { return a.Check })
}

// Export begins to make a bundle at the server, or says how far one is.
func (au *Auditor) Export(ctx context.Context, shift string, q desk.ExportQuery) (desk.ExportView, error) {
	useCase, a := "audit-export", auditAsk{Export: &q}
	if q.ID != "" {
		useCase, a = "audit-export-state", auditAsk{ID: q.ID}
	}
	return auditGot(ctx, au, useCase, ask{Shift: shift, Audit: &a}, func(a auditAnswer) *desk.ExportView { return a.Export })
}

// partPause is the least time between two parts of a bundle, so that a window that fetches
// one can ask for other things, too: a server answers a station so many questions a second.
const partPause = 200 * time.Millisecond

// pace waits until another part of a bundle may be asked for.
func (c *Client) pace(ctx context.Context) error {
	c.mu.Lock()
	now := time.Now()
	wait := max(0, c.part.Sub(now))
	c.part = now.Add(wait + partPause)
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// ExportPart returns the next bytes of a bundle that was made, not too soon after the last
// ones.
func (au *Auditor) ExportPart(ctx context.Context, shift, id string, offset int64) ([]byte, error) {
	if err := au.c.pace(ctx); err != nil {
		return nil, err
	}
	q := ask{Shift: shift, Audit: &auditAsk{ID: id, Offset: offset}}
	return auditGot(ctx, au, "audit-export-part", q, func(a auditAnswer) *[]byte { return &a.Part })
}

// DropExport ends the making of a bundle at the server, or removes one that lies ready.
func (au *Auditor) DropExport(ctx context.Context, shift, id string) error {
	_, err := auditGot(ctx, au, "audit-export-drop", ask{Shift: shift, Audit: &auditAsk{ID: id}}, func(a auditAnswer) *auditAnswer { return &a })
	return err
}

package lookup

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
)

// A Factor is the answer of this API.
type Factor struct {
	Subject  string     `json:"subject,omitempty" format:"uuid" doc:"The person's id; left out where nobody has the address."`
	Factor   string     `json:"factor" enum:"none,sms,pocket" doc:"With what the person proves who they are, beside the password. Only \"active\" comes with another than \"none\"."`
	State    string     `json:"state" enum:"enrolling,active,frozen,erased,unknown" doc:"\"erased\": all that was known of the person is gone for good, and nobody of this id ever has a factor again. \"unknown\": nobody of this id or address was ever here; among changes also somebody who is parked."`
	Since    *time.Time `json:"since,omitempty" doc:"When factor and state became so, by the log's clock."`
	Revision *int64     `json:"revision,omitempty" doc:"Of the last event in the person's stream."`
	Position uint64     `json:"position" doc:"Of the same event in the whole log; 0: there is none."`
	Through  uint64     `json:"through" doc:"The answer holds for everything in the log up to here."`
	Demo     bool       `json:"demo,omitempty" doc:"This is a demo: nobody is real."`
}

func (h *Handler) shape(a factor.Answer) Factor {
	f := Factor{
		Subject: a.Subject.String(), Factor: string(a.Factor), State: a.State.String(),
		Position: uint64(a.Position), Through: uint64(a.Through), Demo: h.c.Demo,
	}
	if a.State == factor.Nobody {
		f.State = "unknown"
		return f
	}
	revision := int64(a.Revision)
	f.Revision = &revision
	if !a.Since.IsZero() {
		f.Since = &a.Since
	}
	return f
}

// tag returns an entity tag (RFC 9110, section 8.8.3) of an answer: two answers
// with the same one say the same of the person. Through is left out, since it
// grows with what others do.
func tag(f Factor) string {
	revision := "none"
	if f.Revision != nil {
		revision = strconv.FormatInt(*f.Revision, 10)
	}
	return `W/"` + revision + "-" + f.State + "-" + f.Factor + `"`
}

type bySubject struct {
	MinPosition uint64 `query:"min_position" maximum:"9007199254740991" doc:"The answer has to hold for the log up to here. The server waits for it a moment, and answers 503 \"behind\" otherwise."`
	Subject     string `path:"subject" format:"uuid" doc:"The person."`
	IfNoneMatch string `header:"If-None-Match" doc:"The ETag of an earlier answer: 304 when it still holds."`
}

type byEither struct {
	Body struct {
		Subject     string `json:"subject,omitempty" format:"uuid" doc:"The person. Give this, or the address."`
		Email       string `json:"email,omitempty" maxLength:"254" doc:"The person's e-mail address. It belongs in no URL, where it would be logged."`
		MinPosition uint64 `json:"min_position,omitempty" maximum:"9007199254740991" doc:"The answer has to hold for the log up to here. The server waits for it a moment, and answers 503 \"behind\" otherwise."`
	}
}

type answered struct {
	ETag string `header:"ETag"`
	Body Factor
}

func (h *Handler) register() {
	scope := []map[string][]string{{"token": {string(service.ReadFactor)}}}
	refusals := []int{http.StatusUnprocessableEntity, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	huma.Register(h.api, huma.Operation{
		OperationID: "factor-of-subject", Method: http.MethodGet, Path: "/v1/factor/{subject}", Security: scope, Errors: refusals,
		Responses: map[string]*huma.Response{"304": {Description: "The answer with the ETag in If-None-Match still holds."}},
		Tags:      []string{"factor"}, Summary: "The same by id, with an ETag: 304 while nothing has changed",
	}, h.bySubject)
	huma.Register(h.api, huma.Operation{
		OperationID: "factor", Method: http.MethodPost, Path: "/v1/factor", Security: scope,
		Errors: append([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, refusals...), MaxBodyBytes: 4096,
		Tags: []string{"factor"}, Summary: "The current factor of somebody, by id or by e-mail address",
	}, h.byEither)
	huma.Register(h.api, huma.Operation{
		OperationID: "factors", Method: http.MethodGet, Path: "/v1/factors", Security: scope, Errors: refusals,
		Tags: []string{"changes"}, Summary: "Everybody to whom something happened behind a position",
		Description: "Each person is there once, as they are now, in the order of their last events. Begin with `after=0`, go on with `next`, " +
			"and while `more` says so, at once. A position that the server has not reached is 503 `behind`. After an upgrade of the servers begin at 0 again: " +
			"a newer version may understand what an older one did not, without anything new in the log.",
	}, h.changes)
	h.registerStream(scope, refusals)
}

func (h *Handler) bySubject(ctx context.Context, q *bySubject) (*answered, error) {
	id, err := domain.ParseSubjectID(q.Subject)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "subject: not a person's id")
	}
	f, err := h.lookup(ctx, id, q.MinPosition)
	if err != nil {
		return nil, err
	}
	etag := tag(f)
	if matches(q.IfNoneMatch, etag) {
		return nil, huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"ETag": {etag}})
	}
	return &answered{etag, f}, nil
}

// matches compares entity tags weakly (RFC 9110, section 13.1.2).
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || one != "" && strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func (h *Handler) byEither(ctx context.Context, q *byEither) (*answered, error) {
	b := q.Body
	if (b.Subject == "") == (b.Email == "") {
		return nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "give either subject or email")
	}
	if p := h.fresh(); p != nil {
		return nil, p
	}
	id, err := domain.ParseSubjectID(b.Subject)
	switch {
	case b.Email != "":
		var there bool
		if id, there, err = h.find(ctx, b.Email); err != nil {
			return nil, err
		}
		if !there {
			return h.nobody(ctx, b.MinPosition)
		}
	case err != nil:
		return nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "subject: not a person's id")
	}
	f, err := h.lookup(ctx, id, b.MinPosition)
	if err != nil {
		return nil, err
	}
	return &answered{tag(f), f}, nil
}

// find returns whose an address is, and whether it is anybody's.
func (h *Handler) find(ctx context.Context, email string) (domain.SubjectID, bool, error) {
	if _, err := enrolment.ParseAddress(email); err != nil {
		return domain.SubjectID{}, false, problem(http.StatusUnprocessableEntity, CodeInvalid, "email: not an address")
	}
	id, err := h.c.Subject(ctx, email)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return id, false, nil
	case err != nil && ctx.Err() == nil:
		h.c.Log.Error("find somebody by address", zap.Error(err))
		fallthrough
	case err != nil:
		return id, false, problem(http.StatusServiceUnavailable, CodeUnavailable, "the vault cannot say")
	}
	return id, true, nil
}

// nobody answers for an address that is nobody's.
func (h *Handler) nobody(ctx context.Context, atLeast uint64) (*answered, error) {
	f, err := h.lookup(ctx, domain.SubjectID{}, atLeast)
	f.Subject = ""
	return &answered{tag(f), f}, err
}

// lookup answers for one person, or not at all.
func (h *Handler) lookup(ctx context.Context, id domain.SubjectID, atLeast uint64) (Factor, error) {
	if p := h.fresh(); p != nil {
		return Factor{}, p
	}
	if atLeast > 0 {
		if err := h.reach(ctx, domain.Position(atLeast)); err != nil {
			return Factor{}, err
		}
	}
	a := h.c.Factors.Lookup(id)
	if a.State == factor.Unknown {
		return Factor{}, problem(http.StatusServiceUnavailable, CodeParked, "something was recorded of this person that this server does not understand: is it older than another one?")
	}
	return h.shape(a), nil
}

// reach waits until the factors hold for the log up to a position.
func (h *Handler) reach(ctx context.Context, until domain.Position) error {
	waiting, cancel := context.WithTimeout(ctx, h.c.Wait)
	defer cancel()
	if err := h.c.Feed.Reach(waiting, until); err != nil {
		return problem(http.StatusServiceUnavailable, CodeBehind, "the log is read up to %d, and not to %d", h.c.Feed.Health().Position, until)
	}
	return nil
}

package pocket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// A fault says why a request was not even put to the desk.
type fault struct {
	status int
	code   string
}

func (f fault) Error() string { return "request refused: " + f.code }

var (
	errOrigin    = fault{http.StatusForbidden, "wrong-origin"}
	errAudience  = fault{http.StatusForbidden, "wrong-audience"}
	errMediaType = fault{http.StatusUnsupportedMediaType, "wrong-type"}
	errTooLarge  = fault{http.StatusRequestEntityTooLarge, "too-large"}
	errTooMany   = fault{http.StatusTooManyRequests, "too-many"}
)

// The answers of the service.
type (
	findRequest struct {
		Locator string `json:"locator"`
	}
	foundAnswer struct {
		Pairing string `json:"pairing"`
	}
	claimedAnswer struct {
		Nonce   string    `json:"nonce"`
		Expires time.Time `json:"expires"`
		Seconds int       `json:"seconds"` // left; phones' clocks are wrong
	}
	statusAnswer struct {
		State  pairing.State  `json:"state"`
		Reason pairing.Reason `json:"reason,omitempty"`
	}
	accountAnswer struct {
		Subject      string `json:"subject"`
		Device       string `json:"device"`
		Portal       string `json:"portal"`
		Organisation string `json:"organisation"`
	}
	nonceAnswer struct {
		Nonce string `json:"nonce"`
	}
	pendingAnswer struct {
		Approval *approval `json:"approval"`
	}
	// approval is pairing.Approval on the wire.
	approval struct {
		Challenge    string `json:"challenge"`
		Nonce        string `json:"nonce"`
		Portal       string `json:"portal"`
		Organisation string `json:"organisation"`
		Client       string `json:"client"`
		Station      bool   `json:"station"`
		From         string `json:"from"`
		Change       bool   `json:"change"`
		Asked        int64  `json:"asked"`   // seconds since 1970
		Seconds      int    `json:"seconds"` // left
		Tries        int    `json:"tries"`
	}
	decidedAnswer struct {
		State pairing.DecidedState `json:"state"`
		Tries int                  `json:"tries"`
	}
	stoppedAnswer struct {
		Stopped bool `json:"stopped"`
	}
	refusedAnswer struct {
		Error string `json:"error"`
		ID    string `json:"id,omitempty"` // to find a fault in the log by
	}
)

// endpoint is what all POST requests pass: limits, origin, media type, size.
func (s *service) endpoint(
	mediaType string, act func(context.Context, []byte) (any, error), also ...*limiter,
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := s.admit(w, r, mediaType, also)
		var answer any
		if err == nil {
			answer, err = act(r.Context(), body)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		reply(w, http.StatusOK, answer)
	})
}

func (s *service) admit(w http.ResponseWriter, r *http.Request, mediaType string, also []*limiter) ([]byte, error) {
	from := client(r, s.TrustedProxies)
	for _, l := range append(also, s.all) {
		if !l.allow(from) {
			return nil, errTooMany
		}
	}
	// A browser always names the origin of a POST; other programs need not.
	if o := r.Header.Get("Origin"); o != "" && o != s.PublicURL {
		return nil, errOrigin
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return nil, errOrigin
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != mediaType {
		return nil, errMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, errMalformed
	}
	return body, nil
}

func (s *service) find(ctx context.Context, body []byte) (any, error) {
	fields, err := object(body)
	if err != nil || !only(fields, "locator") || !pairing.IsID(text(fields["locator"])) {
		return nil, errMalformed // a locator has the form of an id
	}
	id, err := s.Desk.FindPairing(ctx, text(fields["locator"]))
	return foundAnswer{id}, err
}

func (s *service) claim(ctx context.Context, body []byte) (any, error) {
	m, err := open(body, pairing.TypeClaim)
	if err != nil {
		return nil, err
	}
	c, err := m.claim(s.PublicURL)
	if err != nil {
		return nil, err
	}
	claimed, err := s.Desk.ClaimPairing(ctx, c)
	left := max(0, int(time.Until(claimed.Expires).Seconds()))
	return claimedAnswer{claimed.Nonce, claimed.Expires.UTC(), left}, err
}

// status waits until the station has moved on. Only the phone that claimed the
// pairing learns how far it is: the request is signed with the key of the
// claim, and the desk compares the thumbprint.
func (s *service) status(ctx context.Context, body []byte) (any, error) {
	m, err := open(body, pairing.TypeStatus)
	if err != nil {
		return nil, err
	}
	if err := m.check(s.PublicURL, statusMembers); err != nil {
		return nil, err
	}
	p, err := wait(ctx, s.waiting, s.Limits.Wait, pairing.Progress{State: pairing.StateClaimed},
		func(ctx context.Context) (pairing.Progress, error) {
			return s.Desk.AwaitPairing(ctx, m.text("pairing"), m.thumbprint)
		})
	return statusAnswer(p), err
}

// wait is a long poll: it takes a place among those that wait, if there is one,
// and gives the desk a while. Where nothing has happened by then, that is what
// it returns.
func wait[T any](
	ctx context.Context, places chan struct{}, while time.Duration, nothing T, ask func(context.Context) (T, error),
) (T, error) {
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	default:
		return nothing, pairing.Busy
	}
	waiting, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	answer, err := ask(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return nothing, nil
	}
	return answer, err
}

func (s *service) finish(ctx context.Context, body []byte) (any, error) {
	m, err := open(body, pairing.TypeFinish)
	if err != nil {
		return nil, err
	}
	f, err := m.finish(s.PublicURL)
	if err != nil {
		return nil, err
	}
	a, err := s.Desk.FinishPairing(ctx, f)
	return accountAnswer(a), err
}

func (s *service) nonce(_ context.Context, body []byte) (any, error) {
	if fields, err := object(body); err != nil || len(fields) > 0 {
		return nil, errMalformed
	}
	return nonceAnswer{s.Desk.PhoneNonce()}, nil
}

// pending waits until a login waits for the phone. What it asks for is signed
// with the key of the pairing, and the desk compares the thumbprint.
func (s *service) pending(ctx context.Context, body []byte) (any, error) {
	m, err := open(body, pairing.TypePending)
	if err != nil {
		return nil, err
	}
	q, err := m.ask(s.PublicURL)
	if err != nil {
		return nil, err
	}
	if !s.perDevice.enter(m.thumbprint) {
		return nil, pairing.Busy
	}
	defer s.perDevice.leave(m.thumbprint)
	a, err := wait(ctx, s.asking, s.Limits.Wait, nil, func(ctx context.Context) (*pairing.Approval, error) {
		return s.Desk.PendingApproval(ctx, q)
	})
	if a == nil || err != nil {
		return pendingAnswer{}, err
	}
	return pendingAnswer{&approval{
		a.Challenge, a.Nonce, a.Portal, a.Organisation, a.Client, a.Station, a.From, a.Change,
		a.Asked.Unix(), max(0, int(time.Until(a.Expires).Seconds())), a.Tries,
	}}, nil
}

func (s *service) decide(ctx context.Context, body []byte) (any, error) {
	m, err := open(body, pairing.TypeDecision)
	if err != nil {
		return nil, err
	}
	c, err := m.decision(s.PublicURL)
	if err != nil {
		return nil, err
	}
	d, err := s.Desk.DecideApproval(ctx, c)
	return decidedAnswer(d), err
}

// stop takes the code from a message of the helpdesk. Only this, which a browser does when
// a button is pressed, stops a case: opening the page does not.
func (s *service) stop(ctx context.Context, body []byte) (any, error) {
	fields, err := object(body)
	if err != nil || !only(fields, "code") {
		return nil, errMalformed
	}
	code, err := pairing.NormaliseCode(text(fields["code"])) // one form of code for everything that is typed
	if err != nil {
		return nil, errMalformed
	}
	return stoppedAnswer{true}, s.Desk.StopByCode(ctx, code)
}

// statusOf maps a refusal of the desk to HTTP (RFC 9110, RFC 6585).
func statusOf(r pairing.Refusal) int {
	switch r {
	case pairing.Expired, pairing.Failed, pairing.Over:
		return http.StatusGone
	case pairing.Unknown:
		return http.StatusNotFound
	case pairing.ClaimedAlready, pairing.NotConfirmed:
		return http.StatusConflict
	case pairing.WrongProof, pairing.WrongNonce, pairing.Revoked:
		return http.StatusForbidden
	case pairing.Busy:
		return http.StatusTooManyRequests
	case pairing.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refuse answers with a code. Only a fault of our own is logged, with an id
// that the phone shows too.
func (s *service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var f fault
	var refusal pairing.Refusal
	switch {
	case errors.As(err, &f):
	case errors.Is(err, errMalformed):
		f = fault{http.StatusBadRequest, "malformed"}
	case errors.Is(err, errSignature):
		f = fault{http.StatusBadRequest, "wrong-signature"}
	case errors.As(err, &refusal) && statusOf(refusal) != http.StatusInternalServerError:
		f = fault{statusOf(refusal), string(refusal)}
	case errors.Is(err, domain.ErrUnavailable), errors.Is(err, domain.ErrUnknownOutcome), r.Context().Err() != nil:
		// The phone sends the same again; so an unknown outcome becomes known.
		f = fault{http.StatusServiceUnavailable, string(pairing.Unavailable)}
	default:
		id := faultID()
		s.Log.Error("phone request failed", zap.String("id", id), zap.String("route", r.Pattern), zap.Error(err))
		reply(w, http.StatusInternalServerError, refusedAnswer{Error: "internal", ID: id})
		return
	}
	if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	reply(w, f.status, refusedAnswer{Error: f.code})
}

// faultID returns eight characters to find a log line by.
func faultID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a phone that is gone cannot be told
}

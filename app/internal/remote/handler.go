package remote

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

const (
	// A station may ask so often, a second, and so much more often for a while.
	// Screens ask about once a second, when somebody is quick.
	askRate  = 10
	askBurst = 60
	// What records something of the station each time may be asked so often.
	noteRate  = rate.Limit(1.0 / 3)
	noteBurst = 30
	// What a station is refused is recorded so often: a station that is in the
	// wrong hands must not fill the log.
	recordRate  = rate.Limit(1.0 / 30)
	recordBurst = 5
	// watchers is how many waits a station may have open.
	watchers = 16
	// unknownCase stands in the log for the name of what is not ours.
	unknownCase = "unknown"
)

// Config is what a Handler is made of. All of it is needed but for what says
// what it is without.
type Config struct {
	Desk      *desk.Desk
	Directory *stations.Directory // who is let in
	Known     func() bool         // whether the directory is up to date with the log
	Authority *Authority
	Hello     Hello       // but for the station, its kind and Facts
	Trouble   func() bool // whether the log is away
	Log       *zap.Logger
	Now       func() time.Time

	Life time.Duration // of a certificate
	Beat time.Duration // between two lines; 2 s when 0
}

// A Handler answers stations. It expects connections with Authority.TLS.
type Handler struct {
	c     Config
	calls *calls

	mu     sync.Mutex
	limits map[string]*limit // of each station
}

// A limit is how often a station may still ask.
type limit struct {
	asks, notes, records *rate.Limiter
	watching             chan struct{}
}

// NewHandler returns a Handler. Serve runs it.
func NewHandler(c Config) *Handler {
	if c.Beat == 0 {
		c.Beat = 2 * time.Second
	}
	return &Handler{c: c, calls: newCalls(c.Now), limits: map[string]*limit{}}
}

// ServeHTTP answers a question of a station.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	cert := r.TLS.PeerCertificates[0]
	s := session{station: cert.Subject.CommonName, shown: serialOf(cert)}
	if !domain.ValidID(s.station) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.desk = h.c.Desk.At(s.station)
	name, ours := strings.CutPrefix(r.URL.Path, pathPrefix)
	u, known := useCases[name]
	if !ours || !known || r.Method != http.MethodPost {
		name = unknownCase
	}
	var barred station.RefusalReason
	if s.kind, barred = h.admits(cert); barred != "" {
		h.bar(w, r, s, name, barred, http.StatusForbidden)
		return
	}
	s.desk.HeardOf()
	switch {
	case !h.c.Known(): // somebody may have been revoked
		h.write(w, http.StatusServiceUnavailable, answer{Refusal: &desk.Refusal{Code: desk.Unavailable}})
	case name == unknownCase:
		h.bar(w, r, s, name, station.NoSuchCase, http.StatusNotFound)
	case !u.open(s.kind):
		h.bar(w, r, s, name, station.NotItsKind, http.StatusForbidden)
	case !h.limit(s.station).asks.AllowN(h.c.Now(), 1), u.notes && !h.limit(s.station).notes.AllowN(h.c.Now(), 1):
		h.record(r.Context(), s, name, station.CutShort)
		h.write(w, http.StatusTooManyRequests, answer{Refusal: &desk.Refusal{Code: desk.Busy}})
	default:
		s.desk.HeardOf()
		h.serve(w, r, s, name, u, cert)
	}
}

// serve runs a use case that the station may ask for.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s session, name string, u useCase, cert *x509.Certificate) {
	var err error
	a, body, bad := readAsk(r.Body)
	s.call, err = desk.ParseCall(r.Header.Get(callHeader))
	if bad != nil && !errors.Is(bad, errMalformed) {
		return // the connection broke
	}
	if bad != nil || err != nil {
		h.bar(w, r, s, name, station.WasMalformed, http.StatusBadRequest)
		return
	}
	do := h.guard(name, func(ctx context.Context) answer {
		got, err := u.do(ctx, h, s, a)
		return h.answer(got, err)
	})
	var c *call
	if u.watches {
		c = h.watch(r.Context(), s, do)
	} else {
		c = h.calls.join(s.station, name, s.call, a.Visit, body, do) //nolint:contextcheck // it outlives the connection
	}
	if c == nil {
		h.write(w, http.StatusTooManyRequests, answer{Refusal: &desk.Refusal{Code: desk.Busy}})
		return
	}
	h.reply(w, r, s, name, c, cert)
}

// watch runs a use case for as long as the connection lasts.
func (h *Handler) watch(ctx context.Context, s session, do func(context.Context) answer) *call {
	slots := h.limit(s.station).watching
	select {
	case slots <- struct{}{}:
	default:
		return nil
	}
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer func() { <-slots }()
		c.answer = do(desk.WithCall(ctx, s.call))
	}()
	return c
}

// guard has a use case that breaks break for who asked, and not for all others:
// it runs outside of what net/http guards.
func (h *Handler) guard(name string, do func(context.Context) answer) func(context.Context) answer {
	return func(ctx context.Context) (out answer) {
		defer func() {
			if broken := recover(); broken != nil {
				h.c.Log.Error("a use case broke", zap.String("use case", name), zap.Any("panic", broken), zap.Stack("stack"))
				out = answer{Refusal: &desk.Refusal{Code: desk.Unsure}}
			}
		}()
		return do(ctx)
	}
}

// answer has the error of a use case be part of its answer.
func (h *Handler) answer(a answer, err error) answer {
	if err == nil {
		return a
	}
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok { // cut off in the middle: desk reports all else, and gives a refusal
		r = &desk.Refusal{Code: desk.Unsure}
	}
	a.Refusal = r
	return a
}

// reply writes lines until the answer is there. A station that was let in when
// it asked, and is not any more, is not given it.
func (h *Handler) reply(w http.ResponseWriter, r *http.Request, s session, name string, c *call, cert *x509.Certificate) {
	beat := time.NewTicker(h.c.Beat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-c.done:
			_, barred := h.admits(cert)
			if barred == "" {
				barred = c.answer.Barred
			}
			if barred != "" {
				h.bar(w, r, s, name, barred, http.StatusForbidden)
				return
			}
			h.write(w, http.StatusOK, c.answer)
			return
		case <-beat.C:
			if _, barred := h.admits(cert); barred != "" {
				h.bar(w, r, s, name, barred, http.StatusForbidden)
				return
			}
			if !h.write(w, http.StatusOK, answer{Waiting: true}) {
				return
			}
		}
	}
}

// admits says what the station with a certificate is for, and why it is not let
// in. A connection may outlive the certificate that it began with.
func (h *Handler) admits(cert *x509.Certificate) (station.Kind, station.RefusalReason) {
	return h.c.Directory.Admits(cert.Subject.CommonName, describe(cert), h.c.Now())
}

// bar refuses a station what it asked for, records that, and ends the
// connection.
func (h *Handler) bar(w http.ResponseWriter, r *http.Request, s session, name string, why station.RefusalReason, status int) {
	h.record(r.Context(), s, name, why)
	w.Header().Set("Connection", "close")
	h.write(w, status, answer{Barred: why})
}

func (h *Handler) record(ctx context.Context, s session, name string, why station.RefusalReason) {
	if !h.limit(s.station).records.AllowN(h.c.Now(), 1) {
		return
	}
	h.c.Log.Warn("a station asked for what it may not",
		zap.String("station", s.station), zap.String("use case", name), zap.String("reason", string(why)))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = s.desk.RefuseStation(ctx, name, why) // a fault has been reported by the desk; the answer is the same
}

// write writes a line, with the status when it is the first one.
func (h *Handler) write(w http.ResponseWriter, status int, a answer) bool {
	line, err := json.Marshal(a)
	if err != nil {
		h.c.Log.Error("write to a station", zap.Error(err))
		return false
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(5 * h.c.Beat)) // not there under a test's recorder
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return false
	}
	return control.Flush() == nil
}

// limit returns what is left of a station's limits. There are as many as the
// authority has named stations.
func (h *Handler) limit(id string) *limit {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.limits[id]
	if l == nil {
		l = &limit{
			rate.NewLimiter(askRate, askBurst), rate.NewLimiter(noteRate, noteBurst), rate.NewLimiter(recordRate, recordBurst), make(chan struct{}, watchers),
		}
		h.limits[id] = l
	}
	return l
}

func (h *Handler) authorities() [][]byte {
	var all [][]byte
	for _, c := range h.c.Authority.certs {
		all = append(all, c.Raw)
	}
	return all
}

// renew gives the station another certificate, for the key that it shows to
// have. It counts from when it is recorded, beside the one before it.
func renew(ctx context.Context, h *Handler, s session, a ask) (answer, error) {
	request, err := x509.ParseCertificateRequest(a.Request)
	if err != nil {
		return answer{Barred: station.WasMalformed}, nil
	}
	public, ok := request.PublicKey.(ed25519.PublicKey)
	if !ok || request.CheckSignature() != nil { // a large RSA key takes long to check
		return answer{Barred: station.WasMalformed}, nil
	}
	cert, err := h.c.Authority.issue(s.station, public, s.call, h.c.Life)
	if err != nil {
		return answer{}, err
	}
	if err := s.desk.RenewStation(ctx, describe(cert), s.shown); err != nil {
		return answer{}, err
	}
	return answer{Certificate: cert.Raw, Authorities: h.authorities()}, nil
}

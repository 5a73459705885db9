package lookup

import (
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// metrics is what Prometheus is told. No client and no person is in it.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	logins   *prometheus.CounterVec
}

func newMetrics(c Config) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keydesk_api_requests_total", Help: "Requests, by operation and status.",
		}, []string{"operation", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "keydesk_api_request_seconds", Help: "How long answers took, but for streams and for questions that wait for a login.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .5, 2.5},
		}, []string{"operation"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keydesk_logins_total",
			Help: "Steps of logins, by outcome. A password that is not right, of nobody or locked is one and the same: wrong-login.",
		}, []string{"step", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.took, m.logins, state{c}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// count counts a step of a login. Both words are from a fixed set.
func (m *metrics) count(step, outcome string) { m.logins.WithLabelValues(step, outcome).Inc() }

// measure counts a request.
func (h *Handler) measure(ctx huma.Context, next func(huma.Context)) {
	began, op := time.Now(), ctx.Operation().OperationID
	defer func() {
		status := ctx.Status()
		if status == 0 {
			status = http.StatusOK // a stream's
		}
		broken := recover()
		if broken != nil { // net/http would write it to a log that nobody reads
			status = http.StatusInternalServerError
			h.c.Log.Error("a request broke", zap.String("operation", op), zap.Any("panic", broken), zap.Stack("stack"))
		}
		h.metrics.requests.WithLabelValues(op, strconv.Itoa(status)).Inc()
		if op != streamID && op != stateID {
			h.metrics.took.WithLabelValues(op).Observe(time.Since(began).Seconds())
		}
		if broken != nil {
			panic(http.ErrAbortHandler)
		}
	}()
	next(ctx)
}

// state tells, when it is asked, how things stand.
type state struct{ c Config }

var (
	peopleDesc   = prometheus.NewDesc("keydesk_people", "How many people there are, by factor; those who have none are enrolling, unless they are frozen or erased.", []string{"factor"}, nil)
	parkedDesc   = prometheus.NewDesc("keydesk_parked", "People of whom something was recorded that this program does not understand. More than 0: somebody has to look.", nil, nil)
	positionDesc = prometheus.NewDesc("keydesk_position", "Up to where the log was read.", nil, nil)
	behindDesc   = prometheus.NewDesc("keydesk_behind_seconds", "How long ago the log's head was last known to be reached. Up to 2 s are normal.", nil, nil)
	failuresDesc = prometheus.NewDesc("keydesk_log_failures_total", "How often the log could not be followed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{peopleDesc, parkedDesc, positionDesc, behindDesc, failuresDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s state) Collect(to chan<- prometheus.Metric) {
	counts, health := s.c.Factors.Counts(), s.c.Feed.Health()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(peopleDesc, float64(counts.Enrolling), "none")
	gauge(peopleDesc, float64(counts.SMS), "sms")
	gauge(peopleDesc, float64(counts.Pocket), "pocket")
	gauge(peopleDesc, float64(counts.Frozen), "frozen")
	gauge(peopleDesc, float64(counts.Erased), "erased")
	gauge(parkedDesc, float64(counts.Parked))
	gauge(positionDesc, float64(health.Position))
	gauge(behindDesc, health.Behind.Seconds())
	to <- prometheus.MustNewConstMetric(failuresDesc, prometheus.CounterValue, float64(health.Failures))
}

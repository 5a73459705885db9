package courier

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// failover sends one message through a row of webhooks, each of which plays one
// answer, and tells which of them were asked.
func failover(t *testing.T, plays ...http.HandlerFunc) (calls []int32, err error) {
	t.Helper()
	var row []Provider
	var doors []*standIn
	for i, play := range plays {
		s := newStandIn(t, play)
		e := s.endpoint("")
		if play == nil {
			s.Close()
		}
		p, err := NewWebhook(WebhookConfig{Endpoint: e, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		row = append(row, named{p, string(rune('a' + i))})
		doors = append(doors, s)
	}
	_, err = NewSMS(ourTexts, row...).Send(t.Context(), codeSMS)
	noPrivateData(t, err)
	for _, s := range doors {
		calls = append(calls, s.calls.Load())
	}
	return calls, err
}

// named gives a provider another name, so that several can stand in a row.
type named struct {
	Provider

	name string
}

func (n named) Name() string { return n.name }

func TestTheNextProviderOnlyAfterADefiniteRefusal(t *testing.T) {
	t.Parallel()
	fine := says(202, `{"id":"ok"}`)
	refuse := func(r Reason) http.HandlerFunc { return says(400, `{"error":"`+string(r)+`"}`) }
	for _, c := range []struct {
		name  string
		plays []http.HandlerFunc
		calls []int32
		want  Reason // empty: sent
	}{
		{"the first takes it", []http.HandlerFunc{fine, fine}, []int32{1, 0}, ""},
		{"not there", []http.HandlerFunc{nil, fine}, []int32{0, 1}, ""},
		{"no credit", []http.HandlerFunc{refuse(NoCredit), fine}, []int32{1, 1}, ""},
		{"too many", []http.HandlerFunc{says(429, ""), fine}, []int32{1, 1}, ""},
		{"busy and says until when", []http.HandlerFunc{says(503, "", "Retry-After", "5"), fine}, []int32{1, 1}, ""},
		{"wrong credentials", []http.HandlerFunc{says(401, ""), fine}, []int32{1, 1}, ""},
		{"not served", []http.HandlerFunc{refuse(Unsupported), fine}, []int32{1, 1}, ""},
		{"redirected", []http.HandlerFunc{says(308, "", "Location", "/b"), fine}, []int32{1, 1}, ""},
		{"refused", []http.HandlerFunc{says(400, "nee"), fine}, []int32{1, 1}, ""},
		{"a wrong number is wrong everywhere", []http.HandlerFunc{refuse(InvalidRecipient), fine}, []int32{1, 0}, InvalidRecipient},
		{"who opted out is left in peace", []http.HandlerFunc{refuse(Blocked), fine}, []int32{1, 0}, Blocked},
		{"no answer", []http.HandlerFunc{hangUp, fine}, []int32{1, 0}, Unknown},
		{"an error that may come too late", []http.HandlerFunc{says(502, ""), fine}, []int32{1, 0}, Unknown},
		{"refused, then no answer", []http.HandlerFunc{refuse(NoCredit), hangUp, fine}, []int32{1, 1, 0}, Unknown},
		{"refused, then a wrong number", []http.HandlerFunc{refuse(NoCredit), refuse(InvalidRecipient), fine}, []int32{1, 1, 0}, InvalidRecipient},
		{"all refuse", []http.HandlerFunc{refuse(NoCredit), nil, says(401, "")}, []int32{1, 0, 1}, NoCredit},
		{"nobody there", []http.HandlerFunc{nil, nil}, []int32{0, 0}, Unreachable},
		{"no providers", nil, nil, Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls, err := failover(t, c.plays...)
			got := Reason("")
			if err != nil {
				got = ReasonOf(err)
			}
			if got != c.want || !slices.Equal(calls, c.calls) {
				t.Errorf("got %q, calls %v (%v); want %q, %v", got, calls, err, c.want, c.calls)
			}
		})
	}
}

func TestAProviderThatAskedForTimeIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, says(429, "", "Retry-After", "60"))
	p, err := NewWebhook(WebhookConfig{Endpoint: s.endpoint(""), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	other := newStandIn(t, says(200, ""))
	q, err := NewSpryng(SpryngConfig{Endpoint: other.endpoint(""), Token: secret, Originator: "Keydesk"})
	if err != nil {
		t.Fatal(err)
	}
	sms := NewSMS(ourTexts, p, q)
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	sms.now = func() time.Time { return now }
	for _, step := range []struct {
		later time.Duration
		calls int32
	}{{0, 1}, {59 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}} {
		now = now.Add(step.later)
		if _, err := sms.Send(t.Context(), codeSMS); err == nil {
			t.Fatal("spryng gave no id, and yet it was sent")
		}
		if got := s.calls.Load(); got != step.calls {
			t.Errorf("at %s: asked %d times, want %d", now, got, step.calls)
		}
	}
	if other.calls.Load() != 4 {
		t.Errorf("the next provider was asked %d times", other.calls.Load())
	}
}

func TestAnSMSThatIsNotTried(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, says(200, ""))
	p, err := NewWebhook(WebhookConfig{Endpoint: s.endpoint(""), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	sms := NewSMS(ourTexts, p)
	for _, to := range []string{"", "0612345678", "+0612345678", "+31 612345678", "+316123456789012345", "sanne@voorbeeld.nl", "+31612345678\n"} {
		m := codeSMS
		m.To = to
		_, err := sms.Send(t.Context(), m)
		if noPrivateData(t, err); ReasonOf(err) != InvalidRecipient {
			t.Errorf("%q: got %v", to, err)
		}
	}
	m := codeSMS
	m.Code = "sanne"
	_, err = sms.Send(t.Context(), m)
	if noPrivateData(t, err); !errors.Is(err, ErrBadMessage) {
		t.Errorf("a bad code: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sms.Send(ctx, codeSMS); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("cancelled: got %v", err)
	}
	if s.calls.Load() != 0 {
		t.Error("the provider was asked")
	}
}

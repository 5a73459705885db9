package courier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Provider sends one SMS. The number is E.164, the text fits one segment, and
// the reference is ours. Its errors are those of the package. It may be used
// concurrently.
type Provider interface {
	Name() string
	Send(ctx context.Context, number, text, reference string) (Receipt, error)
}

// SMS sends text messages through the first provider that takes them. It may be
// used concurrently.
type SMS struct {
	texts     Texts
	providers []Provider
	now       func() time.Time

	mu     sync.Mutex
	paused map[string]time.Time // by provider: not before
}

// NewSMS returns the courier that tries the providers in this order. Without
// any it refuses everything with domain.ErrUnavailable.
func NewSMS(texts Texts, providers ...Provider) *SMS {
	return &SMS{texts: texts, providers: providers, now: time.Now, paused: map[string]time.Time{}}
}

// Send writes a message and sends it once. The next provider gets its turn only
// after one that could not be reached, or that definitely refused for a reason
// of its own: no credit, too many, busy, wrong credentials or sender, a
// destination it does not serve. It does not after
//
//   - domain.ErrUnknownOutcome, since the message may be on its way;
//   - InvalidRecipient, since the number is wrong everywhere;
//   - Blocked, since somebody who opted out is not to be reached by a detour.
//
// A provider that asked for time (429, Retry-After) is passed over until then.
func (s *SMS) Send(ctx context.Context, m Message) (Receipt, error) {
	if !numberForm.MatchString(m.To) {
		return Receipt{}, fmt.Errorf("send SMS: %w", &Rejected{Provider: "sms", Reason: InvalidRecipient})
	}
	text, err := s.texts.sms(m)
	if err != nil {
		return Receipt{}, fmt.Errorf("send SMS: %w", err)
	}
	if len(s.providers) == 0 {
		return Receipt{}, fmt.Errorf("send SMS: no provider: %w", domain.ErrUnavailable)
	}
	var refusals []error
	for _, p := range s.providers {
		if ctx.Err() != nil {
			refusals = append(refusals, fmt.Errorf("given up: %w", domain.ErrUnavailable))
			break
		}
		if s.now().Before(s.notBefore(p)) {
			refusals = append(refusals, &Rejected{Provider: p.Name(), Reason: RateLimited})
			continue
		}
		receipt, err := p.Send(ctx, m.To, text, m.ID)
		if err == nil {
			return receipt, nil
		}
		s.leaveAlone(p, err)
		refusals = append(refusals, err)
		if !elsewhere(err) {
			break
		}
	}
	return Receipt{}, fmt.Errorf("send SMS: %w", verdict(refusals))
}

// verdict joins the refusals of several providers. The outcome of the last one
// comes first where it ended the search: it is the one to act on.
func verdict(refusals []error) error {
	last := refusals[len(refusals)-1]
	if !elsewhere(last) {
		refusals = append([]error{last}, refusals[:len(refusals)-1]...)
	}
	return errors.Join(refusals...)
}

// elsewhere says whether another provider may be asked.
func elsewhere(err error) bool {
	var r *Rejected
	switch {
	case errors.Is(err, domain.ErrUnknownOutcome):
		return false
	case errors.As(err, &r):
		return r.Reason != InvalidRecipient && r.Reason != Blocked
	}
	return errors.Is(err, domain.ErrUnavailable)
}

func (s *SMS) notBefore(p Provider) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused[p.Name()]
}

func (s *SMS) leaveAlone(p Provider, err error) {
	var wait *paused
	if !errors.As(err, &wait) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused[p.Name()] = s.now().Add(wait.wait)
}

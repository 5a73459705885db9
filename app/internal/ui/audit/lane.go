package audit

import (
	"context"

	"github.com/keydesk/keydesk/app/internal/ui"
)

// A lane asks one question at a time. What is wanted while an answer is awaited waits for
// it, and of several that wait the last one counts: a slider asks for where it is, never
// for all places where it has been.
type lane[Q, A any] struct {
	ask  func(ctx context.Context, q Q) (A, error)
	then func(q Q, a A, err error)

	ctx  context.Context //nolint:containedctx // ends when the page is left
	turn int             // answers to what was asked in an earlier one are nobody's any more
	busy bool
	next *Q
}

// begin lets it ask until ctx ends. What was asked before is nobody's any more.
func (l *lane[Q, A]) begin(ctx context.Context) {
	l.ctx = ctx
	l.drop()
}

// drop forgets what was asked.
func (l *lane[Q, A]) drop() {
	l.turn++
	l.busy, l.next = false, nil
}

// want asks, now or once the answer is there that is awaited.
func (l *lane[Q, A]) want(q Q) {
	if l.ctx == nil || l.ctx.Err() != nil {
		return
	}
	if l.busy {
		l.next = &q
		return
	}
	l.busy = true
	turn := l.turn
	ui.Work(l.ctx, func(ctx context.Context) (A, error) { return l.ask(ctx, q) }, func(a A, err error) {
		if turn != l.turn || l.ctx.Err() != nil {
			return
		}
		l.busy = false
		next := l.next
		l.next = nil
		l.then(q, a, err)
		if next != nil && turn == l.turn && !l.busy {
			l.want(*next)
		}
	})
}

// idle says that nothing is asked.
func (l *lane[Q, A]) idle() bool { return !l.busy }

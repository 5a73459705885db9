package helpdesk

import (
	"context"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

// Boards are the use cases of the board. *desk.Helpdesk has them, as it has
// those of the other interfaces here.
type Boards interface {
	Board(ctx context.Context, shift string, q desk.BoardQuery) (desk.BoardPage, error)
	Watched
}

// People is what shows one person.
type People interface {
	Person(ctx context.Context, shift string, subject domain.SubjectID) (desk.PersonView, error)
	Timeline(ctx context.Context, shift string, subject domain.SubjectID, q desk.TimelineQuery) (desk.TimelinePage, error)
	Reveal(ctx context.Context, shift string, subject domain.SubjectID, f desk.PersonField) (string, error)
	Watched
}

// Stations tell of the kiosks.
type Stations interface {
	Kiosks(ctx context.Context, shift string) ([]desk.Kiosk, error)
	Watched
}

// Watched is what tells that something changed.
type Watched interface {
	AwaitBoard(ctx context.Context, shift string, seen uint64) (uint64, error)
}

// around is what a page has around it: the window.
type around interface {
	office.Around

	openPerson(s domain.SubjectID)
	Back() // from a person to where one came from
	// assist returns what has somebody enrol beside whoever is signed in; nil: that
	// cannot be here.
	assist(s domain.SubjectID) func()
}

// retryGap is after how long something is asked again that was not answered.
const retryGap = 2 * time.Second

// A watch looks again whenever something changed, for as long as a page is in
// sight.
type watch struct {
	of      Watched
	shift   string
	gap     time.Duration    // the least between two looks
	changed func(moved bool) // false: time alone has passed
	failed  func(error)
	seen    uint64
}

// run goes on until ctx ends.
func (w *watch) run(ctx context.Context) {
	seen := w.seen
	ui.Work(ctx, func(ctx context.Context) (uint64, error) { return w.of.AwaitBoard(ctx, w.shift, seen) },
		func(now uint64, err error) {
			if ctx.Err() != nil {
				return
			}
			pause := w.gap
			if err != nil {
				pause = retryGap
				w.failed(err)
			} else {
				moved := now != seen
				w.seen = now
				w.changed(moved)
			}
			ui.Later(ctx, pause, func() { w.run(ctx) })
		})
}

package seal

import (
	"crypto/sha256"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// A leaf is an event as the tree has it.
type leaf struct {
	hash  tlog.Hash
	entry proof.Entry
	bad   bool // it has no canonical form
}

// A leafer makes leaves of the events of one log.
type leafer struct {
	store string
	skip  []string // the beginnings of streams whose events are none
}

// leafOf returns the leaf of an event that stands at a position, or would stand
// there.
func (l leafer) leafOf(e *domain.Recorded, at domain.Position) proof.Leaf {
	return proof.Leaf{
		Store: l.store, Position: uint64(at), Stream: e.Stream, Revision: int64(e.Revision),
		ID: e.ID.String(), Type: e.Type, Time: e.Recorded,
		Data: sha256.Sum256(e.Data), Metadata: sha256.Sum256(e.Metadata),
	}
}

func (l leafer) make(e *domain.Recorded) leaf {
	full := l.leafOf(e, e.Position)
	made := leaf{entry: proof.EntryOf(&full)}
	if made.bad = full.Check() != nil; !made.bad {
		made.hash = full.Hash()
	}
	return made
}

// skips says that the events of a stream are no leaves.
func (l leafer) skips(stream string) bool {
	for _, prefix := range l.skip {
		if strings.HasPrefix(stream, prefix) {
			return true
		}
	}
	return false
}

// few is how many events are hashed without asking another processor for help.
const few = 64

// all makes the leaves of a batch, in order, on all processors. into is used again.
func (l leafer) all(events []domain.Recorded, into []leaf) []leaf {
	if cap(into) < len(events) {
		into = make([]leaf, len(events))
	}
	into = into[:len(events)]
	part := max(few, (len(events)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var hands sync.WaitGroup
	for from := 0; from < len(events); from += part {
		to := min(from+part, len(events))
		work := func() {
			for i := from; i < to; i++ {
				into[i] = l.make(&events[i])
			}
		}
		if to == len(events) {
			work()
			break
		}
		hands.Go(work)
	}
	hands.Wait()
	return into
}

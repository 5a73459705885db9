package home

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal"
)

// unsealedWarns is for how long an event may wait to be sealed. A program that seals
// does so within a minute.
const unsealedWarns = 10 * time.Minute

// seal looks whether the log is sealed, whether its end is what was sealed, and what
// witnesses say.
func (d *doctor) seal(ctx context.Context) Diagnosis {
	if d.keys == nil {
		return skipped(`cannot be looked at before "master key" is mended`)
	}
	c, err := SealConfig(d.set, d.log, d.keys, nil)
	if err != nil {
		return bad("mend [seal]", "%s", err)
	}
	c.Now = d.now
	c.Register = NewRegister(d.log, d.set)
	s, err := seal.Open(ctx, c)
	if err != nil {
		return bad("run keydeskd verify; the README says under \"Did anybody change it?\" what to do then", "%s", err)
	}
	defer s.Close() //nolint:errcheck // only read
	err = s.Check(ctx)
	st := s.Status()
	const look = "run keydeskd verify, and find out what was done to the log; \"keydeskd checkpoint --anew\" goes on with a new seal"
	switch {
	case errors.Is(err, seal.ErrHistory):
		return bad(look, "%s", err)
	case errors.Is(err, seal.ErrOtherSealer) && !c.Writer:
		return skipped("another machine seals this log")
	case errors.Is(err, seal.ErrOtherSealer):
		return bad("set seal.writer to \"off\" where another machine seals; where its folder is lost, \"keydeskd checkpoint --anew\" begins another one", "%s", err)
	case errors.Is(err, seal.ErrNoSeal), errors.Is(err, seal.ErrEmpty):
		return d.notSealed(c.Writer)
	case err != nil:
		return bad("run keydeskd verify", "%s", err)
	}
	return d.sealed(ctx, s, st)
}

func (d *doctor) notSealed(writer bool) Diagnosis {
	if !writer {
		return warn("set seal.writer to \"on\" on one of the machines that share the log", "this machine does not seal, and nothing was sealed yet")
	}
	return warn("start Keydesk: it seals while it runs", "nothing was sealed yet")
}

func (d *doctor) sealed(ctx context.Context, s *seal.Seal, st seal.Status) Diagnosis {
	var away []string
	for _, w := range st.Witnesses {
		switch w.State {
		case seal.Disagrees:
			return bad("run keydeskd verify, and talk to whoever runs the witness: an older copy of log and seal was put back, or they were made anew",
				"the witness %s has seen another history of this log: %s", w.Name, w.Why)
		case seal.Away, seal.Behind:
			away = append(away, w.Name)
		case seal.Agrees:
		}
	}
	n, since, err := s.Unsealed(ctx, math.MaxInt64)
	now := d.now()
	age, waits := now.Sub(st.Checkpoint.At).Round(time.Second), now.Sub(since).Round(time.Second)
	says := fmt.Sprintf("%d events are sealed, the last checkpoint is %s old", st.Checkpoint.Size, age)
	if _, ok := s.Predecessor(); ok {
		says += "; this seal was begun anew after another one: keydeskd verify says how it goes on from that"
	}
	switch {
	case err != nil:
		return bad("see what the check of the log says", "%s", err)
	case n > 0 && waits > unsealedWarns:
		return warn("start Keydesk where it seals, or look into its log", "%s; %d more wait, the first of them for %s", says, n, waits)
	case len(away) > 0:
		return warn("see whether they run, can be reached from here, and know this log's key", "%s; not cosigned by %s", says, strings.Join(away, ", "))
	case len(st.Witnesses) == 0:
		return well("%s; no witness is set", says)
	}
	return well("%s; cosigned by %d witnesses", says, len(st.Witnesses))
}

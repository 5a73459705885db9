package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// WipeReason is why a station forgot whoever was at it.
type WipeReason = station.WipeReason

// OpenStation records that this station started.
func (d *Desk) OpenStation(ctx context.Context, version string) error {
	return d.refusal(d.note(ctx, CallOf(ctx).command("open-station", 0), station.StationOpened{Version: version}))
}

// UnlockStation records that the staff exit was used.
func (d *Desk) UnlockStation(ctx context.Context) error {
	return d.refusal(d.note(ctx, CallOf(ctx).command("unlock-station", 0), station.StationUnlocked{}))
}

// How many of the last events of a station are looked through for one that may
// have been recorded already.
const lastNotes = 64

// note records one fact about this station. Two processes may be the same
// station by mistake, so it goes on from wherever the stream is. A note of a
// call that is asked again is found where it was recorded.
func (d *Desk) note(ctx context.Context, c domain.CommandID, e station.Event) error {
	by := d.machineStamp(domain.EventID(newCommand()))
	by.Command = c
	m, err := station.Message(e, by)
	if err != nil {
		return err
	}
	if err := d.addTo(ctx, station.Stream(d.station), m); err != nil {
		return fmt.Errorf("note %s of this station: %w", m.Type, err)
	}
	return nil
}

// addTo records a fact that depends on nothing, at the end of a stream.
func (d *Desk) addTo(ctx context.Context, stream string, m domain.Message) error {
	at := domain.NoStream
	for range maxRedecide {
		_, err := d.append(ctx, stream, at, []domain.Message{m})
		conflict, ok := errors.AsType[*domain.Conflict](err)
		if !ok {
			return err
		}
		there, err := d.noted(ctx, stream, max(at, conflict.Actual-lastNotes)+1, m.ID)
		if there || err != nil {
			return err
		}
		at = conflict.Actual
	}
	return domain.ErrConflict
}

// noted says whether a stream holds an event at a revision or behind it.
func (d *Desk) noted(ctx context.Context, stream string, from domain.Revision, id domain.EventID) (bool, error) {
	events, err := d.Log.ReadStream(ctx, stream, from)
	return slices.ContainsFunc(events, func(e domain.Recorded) bool { return e.ID == id }), err
}

// helpLetters are the letters of help codes: none that can be misheard or
// misread for another or for a digit.
const helpLetters = "ACEFHKLMNPRTWX"

// helpCode makes a letter and four digits of a call's id, which is random: who
// asks again gets the same code.
func (c Call) helpCode() string {
	b := sha256.Sum256(append([]byte("help"), c[:]...))
	var code strings.Builder
	code.WriteByte(helpLetters[int(b[0])%len(helpLetters)])
	for _, n := range b[1:5] {
		code.WriteByte('0' + n%10)
	}
	return code.String()
}

// HelpCode makes the code that a stuck person reads to the helpdesk, and
// records it where the helpdesk will find it: with the person, if this visit
// proved who it is, else with the station.
func (d *Desk) HelpCode(ctx context.Context, id string) (string, error) {
	c := CallOf(ctx)
	help := c.helpCode()
	_, err := d.with(WithCall(ctx, c), id, "help-code", func(ctx context.Context, v *visit) error {
		if !v.proved {
			return d.note(ctx, c.command("help-code/"+id, 0), station.HelpCodeShown{Help: help})
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.ShowHelp{Help: enrolment.HelpID(help)}, nil
		})
		return err
	})
	return help, err
}

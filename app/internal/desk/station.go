package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// WipeReason is why a station forgot whoever was at it.
type WipeReason = station.WipeReason

// OpenStation records that this station started.
func (d *Desk) OpenStation(ctx context.Context, version string) error {
	return d.refusal(d.note(ctx, station.StationOpened{Version: version}))
}

// UnlockStation records that the staff exit was used.
func (d *Desk) UnlockStation(ctx context.Context) error {
	return d.refusal(d.note(ctx, station.StationUnlocked{}))
}

// note records one fact about this station. Two processes may be the same
// station by mistake, so it goes on from wherever the stream is.
func (d *Desk) note(ctx context.Context, e station.Event) error {
	m, err := station.Message(e, d.machineStamp(domain.EventID(newCommand())))
	if err != nil {
		return err
	}
	stream := station.Stream(d.Station)
	at := domain.NoStream
	for range maxRedecide {
		_, err = d.append(ctx, stream, at, []domain.Message{m})
		conflict, ok := errors.AsType[*domain.Conflict](err)
		if !ok {
			break
		}
		at = conflict.Actual
	}
	if err != nil {
		return fmt.Errorf("note %s of this station: %w", m.Type, err)
	}
	return nil
}

// helpLetters are the letters of help codes: none that can be misheard or
// misread for another or for a digit.
const helpLetters = "ACEFHKLMNPRTWX"

// HelpCode makes the code that a stuck person reads to the helpdesk, and
// records it where the helpdesk will find it: with the person, if this visit
// proved who it is, else with the station.
func (d *Desk) HelpCode(ctx context.Context, id string) (string, error) {
	var b [5]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails
	var code strings.Builder
	code.WriteByte(helpLetters[int(b[0])%len(helpLetters)])
	for _, n := range b[1:] {
		code.WriteByte('0' + n%10)
	}
	help := code.String()
	_, err := d.with(ctx, id, func(v *visit) error {
		if !v.proved {
			return d.note(ctx, station.HelpCodeShown{Help: help})
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.ShowHelp{Help: enrolment.HelpID(help)}, nil
		})
		return err
	})
	return help, err
}

package demo

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/domain/station"
)

// install lets the portal in, and the key that signs.
func (w *world) install() {
	at := w.began.Add(7 * time.Hour)
	if len(w.There) == 0 {
		// What makes the log a demo's comes first of all.
		w.note(w.dice, kioskID(0), at.Add(-time.Minute), station.StationOpened{Version: w.Version, Demo: true})
	}
	if _, there := w.There[domain.ServiceStream]; there {
		return
	}
	var state service.State
	record := func(n int, e service.Event, err error) {
		by := w.admin(w.dice, at.Add(time.Duration(n)*40*time.Second))
		if err != nil || w.over(by.At) {
			w.fail(err)
			return
		}
		m, err := service.Message(e, by)
		if err != nil {
			w.fail(err)
			return
		}
		state = service.Evolve(state, e)
		w.record(domain.ServiceStream, unknown, by, []domain.Message{m})
	}
	key, err := service.FirstKey(state, w.id()[:16], w.key, at)
	record(0, key, err)
	var hash [32]byte
	w.bytes(hash[:]) // of a token that nobody has
	client, err := service.AddClient(state, portal, service.Scopes(), base64.RawURLEncoding.EncodeToString(hash[:]))
	record(1, client, err)
}

// halls are where kiosks stand.
var halls = []string{"hal", "stadhuis", "werf", "bibliotheek", "oosterpoort", "westerpark"}

func kioskID(n int) string { return fmt.Sprintf("kiosk-%s-%d", halls[n%len(halls)], 1+n/len(halls)) }

// openKiosks lets so many kiosks in as the busiest day needs, and has them opened each
// morning. One has not been heard of since yesterday, and one runs an old version.
func (w *world) openKiosks(days []time.Time, busiest int) {
	n := max(4, min(w.People/50, 7), busiest/30+1)
	for i := range n {
		k := &kiosk{id: kioskID(i), version: w.Version}
		k.network = w.network(login.Asker{Station: k.id}, "")
		switch i {
		case n - 1:
			k.dark = w.Until.Add(-26 * time.Hour)
		case n - 2:
			k.version = "0.0.9"
		}
		w.kiosks = append(w.kiosks, k)
		w.admit(k, i)
	}
	for _, day := range append(slices.Clone(days), w.midnight(w.Until)) {
		for _, k := range w.kiosks {
			w.openKiosk(k, day)
		}
		w.breakDown(day)
	}
	lately := &outage{channel: enrolment.BySMS, from: w.Until.Add(-64 * time.Minute), until: w.Until.Add(-52 * time.Minute)}
	w.outages = append(w.outages, lately)
	w.plan(lately.until, nil, func(w *world, _ *person, at time.Time) { // by then somebody has met it
		w.tellOutage(w.dice, lately, w.kiosks[0].id, at)
	})
}

// admit lets a kiosk in.
func (w *world) admit(k *kiosk, n int) {
	if _, there := w.There[station.Stream(k.id)]; there {
		return
	}
	var serial [16]byte
	var key [32]byte
	w.bytes(serial[:])
	w.bytes(key[:]) // of which nobody has the private half
	at := w.began.Add(7*time.Hour + 10*time.Minute + time.Duration(n)*2*time.Second)
	e, err := station.Admit(station.State{}, k.id, station.Kiosk, station.Certificate{
		Serial: hex.EncodeToString(serial[:]), Key: base64.RawURLEncoding.EncodeToString(key[:]),
		Ends: w.Until.AddDate(1, 0, 2*w.Days).UTC().Truncate(time.Second), // nobody has had to renew it yet
	})
	by := w.admin(w.dice, at)
	if err != nil || w.over(at) {
		w.fail(err)
		return
	}
	m, err := station.Message(e, by)
	if err != nil {
		w.fail(err)
		return
	}
	w.record(station.Stream(k.id), unknown, by, []domain.Message{m})
}

// openKiosk is a kiosk's day, apart from those who enrol at it.
func (w *world) openKiosk(k *kiosk, day time.Time) {
	at := day.Add(7*time.Hour + 15*time.Minute + w.between(0, 20*time.Minute))
	if at.After(w.Until) { // a day that ends before it has begun
		at = w.Until.Add(-w.between(3*time.Hour, 4*time.Hour))
	}
	opened := func(w *world, _ *person, at time.Time) {
		if k.dark.IsZero() || at.Before(k.dark) {
			w.note(w.dice, k.id, at, station.StationOpened{Version: k.version})
		}
	}
	w.plan(at, nil, opened)
	if w.in(0.04) {
		w.plan(at.Add(w.between(time.Hour, 8*time.Hour)), nil, func(w *world, _ *person, at time.Time) {
			w.note(w.dice, k.id, at, station.StationUnlocked{})
			w.plan(at.Add(w.between(time.Minute, 10*time.Minute)), nil, opened)
		})
	}
	if w.in(0.35) {
		w.plan(at.Add(w.between(time.Hour, 9*time.Hour)), nil, strangerAt(k))
	}
}

// strangerAt is somebody who looks at a kiosk, and of whom nobody knows.
func strangerAt(k *kiosk) episode {
	return func(w *world, _ *person, at time.Time) {
		if k.busy.After(at) || !k.dark.IsZero() && at.After(k.dark) {
			return
		}
		why := station.Idle
		if w.in(0.4) {
			code := w.letters(helpLetters, 1) + w.letters("0123456789", 4)
			w.note(w.dice, k.id, at, station.HelpCodeShown{Help: code})
			why = station.Stopped
		}
		k.busy = at.Add(w.between(time.Minute, 3*time.Minute))
		w.note(w.dice, k.id, k.busy, station.StationWiped{Reason: why})
	}
}

// breakDown has a channel fail for a while, once in a while.
func (w *world) breakDown(day time.Time) {
	for _, c := range []struct {
		channel enrolment.Channel
		share   float64
	}{{enrolment.ByMail, 0.03}, {enrolment.BySMS, 0.07}} {
		if w.in(c.share) {
			from := day.Add(9*time.Hour + w.between(0, 6*time.Hour))
			w.outages = append(w.outages, &outage{channel: c.channel, from: from, until: from.Add(w.between(2*time.Minute, 25*time.Minute))})
		}
	}
}

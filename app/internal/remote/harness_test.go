package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	email    = "sanne.de-vries@voorbeeld.nl"
	name     = "Sanne de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
	patience = 20 * time.Second
)

// A clock can be put forward.
type clock struct{ plus atomic.Int64 }

func (c *clock) now() time.Time      { return time.Now().Add(time.Duration(c.plus.Load())) }
func (c *clock) add(d time.Duration) { c.plus.Add(int64(d)) }

// A server is a demo's home that answers stations, behind a wire.
type server struct {
	*home.Home
	t     testing.TB
	dir   string
	clock *clock
	wire  *wire
	read  int // messages of the outbox
	stop  func()
}

// serve opens a home in a folder, and answers stations until the test ends or
// stop is called.
func serve(tb testing.TB, dir string, c *clock) *server {
	tb.Helper()
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true, Flags: map[string]string{"stations.listen": "127.0.0.1:0"}})
	if err != nil {
		tb.Fatal(err)
	}
	h, err := home.Open(tb.Context(), home.Options{Settings: set, Version: "test", Services: true, Log: zap.NewNop(), Now: c.now})
	if err != nil {
		tb.Fatal(err)
	}
	running := context.WithoutCancel(tb.Context())
	ctx, cancel := context.WithCancel(running)
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	s := &server{Home: h, t: tb, dir: dir, clock: c, wire: newWire(tb, h.StationsAt())}
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
		if err := h.Close(running); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(s.stop)
	return s
}

// admit lets a station in and returns its file.
func (s *server) admit(id string, kind station.Kind) string {
	s.t.Helper()
	b, err := s.Authority.Bundle(id, 90*24*time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), id+".pem")
	if err := errors.Join(remote.WriteBundle(file, b), s.Desk.AdmitStation(s.t.Context(), id, kind, b.Certificate())); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// client opens a station's client over the wire.
func (s *server) client(file string) *remote.Client {
	s.t.Helper()
	c, err := remote.Open(s.wire.service(), file, remote.Options{
		Version: "1.2.3", Now: s.clock.now, Total: 5 * time.Second, Silence: 3 * time.Second,
		Report: func(_ string, err error) { s.t.Log(err) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// station lets a kiosk in and connects it.
func (s *server) station(id string) *remote.Client {
	s.t.Helper()
	c := s.client(s.admit(id, station.Kiosk))
	s.connected(c)
	return c
}

// connected connects. A server learns a moment later than the log who is let in.
func (s *server) connected(c *remote.Client) remote.Hello {
	s.t.Helper()
	time.Sleep(200 * time.Millisecond) // not to be refused, and recorded, before that
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		h, err := c.Connect(s.t.Context())
		if err == nil {
			return h
		}
		if time.Now().After(end) {
			s.t.Fatal(err)
		}
	}
}

// code waits for the next message that brings a code.
func (s *server) code() string {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := s.Outbox.List(s.read)
		if err != nil {
			s.t.Fatal(err)
		}
		if i := slices.IndexFunc(items, func(m courier.Item) bool { return m.Code != "" }); i >= 0 {
			s.read += i + 1
			return items[i].Code
		}
	}
	s.t.Fatal("no code came")
	return ""
}

// count returns how many events of a type the log has.
func (s *server) count(typ string) int {
	s.t.Helper()
	n := 0
	err := s.Log.ReadAll(s.t.Context(), domain.Query{}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if e.Type == typ {
				n++
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// happenedTo returns how many events of each type the stream has of whoever has
// an address.
func (s *server) happenedTo(address string) map[string]int {
	s.t.Helper()
	id, err := s.Vault.Find(s.t.Context(), address)
	if err != nil {
		s.t.Fatal(err)
	}
	events, err := s.Log.ReadStream(s.t.Context(), domain.EnrolmentStream(id), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	n := map[string]int{}
	for _, e := range events {
		n[e.Type]++
	}
	return n
}

// refusedStations returns what stations were refused, as the log has it.
func (s *server) refusedStations() []station.StationRefused {
	s.t.Helper()
	var all []station.StationRefused
	err := s.Log.ReadAll(s.t.Context(), domain.Query{}, func(b domain.Batch) error {
		for _, r := range b.Events {
			if r.Type != "StationRefused" {
				continue
			}
			e, err := station.Decode(r.Type, r.Data)
			if err != nil {
				return err
			}
			all = append(all, e.(station.StationRefused))
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// A wire carries bytes between stations and a server, and can be damaged.
type wire struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
	cut   bool // who connects is hung up on
	deaf  bool // nothing arrives at the server
	mute  bool // nothing arrives at the station
	lost  chan struct{}
	bytes int // that went either way
}

func newWire(tb testing.TB, to string) *wire {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w := &wire{l: l, to: to}
	go w.accept()
	tb.Cleanup(func() {
		_ = l.Close()
		w.hangUp()
	})
	return w
}

func (w *wire) service() string { return "https://" + w.l.Addr().String() }

func (w *wire) accept() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		cut := w.cut
		w.mu.Unlock()
		s, err := net.Dial("tcp", w.to) //nolint:noctx // as short as the test
		if err != nil || cut {
			_ = c.Close()
			if err == nil {
				_ = s.Close()
			}
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, c, s)
		w.mu.Unlock()
		go w.carry(s, c, func() bool { return w.deaf })
		go w.carry(c, s, func() bool { return w.mute })
	}
}

// carry copies, but for what is dropped on the way; the first bytes that were
// dropped after lose close its channel.
func (w *wire) carry(to io.WriteCloser, from io.ReadCloser, dropping func() bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.mu.Lock()
		drop := dropping()
		w.bytes += n
		if drop && n > 0 && w.lost != nil {
			close(w.lost)
			w.lost = nil
		}
		w.mu.Unlock()
		if n > 0 && !drop {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			_ = from.Close()
			_ = to.Close()
			return
		}
	}
}

func (w *wire) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// set damages or mends the wire; what stood is hung up.
func (w *wire) set(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
}

// carried returns how much went over the wire.
func (w *wire) carried() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// loseNextAnswer has the server's next bytes get lost with their connection,
// and mends the wire then.
func (w *wire) loseNextAnswer() {
	lost := make(chan struct{})
	w.set(func() { w.mute, w.lost = true, lost })
	go func() {
		<-lost
		w.set(func() { w.mute = false })
		w.hangUp()
	}()
}

// refusal returns the code of a refusal; empty for anything else.
func refusal(err error) desk.Code {
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		return r.Code
	}
	return ""
}

// walk takes somebody from E1 to a screen.
func (s *server) walk(d *remote.Client, to desk.Screen) desk.View {
	s.t.Helper()
	ctx := s.t.Context()
	v, err := d.Begin(ctx, email, "nl")
	for err == nil && v.Screen != to {
		switch v.Screen { //nolint:exhaustive // those on the way
		case desk.ScreenEmailCode:
			v, err = d.ConfirmEmail(ctx, v.Visit, s.code())
		case desk.ScreenPassword:
			v, err = d.SetNameAndPassword(ctx, v.Visit, name, phrase)
		case desk.ScreenPhone:
			v, err = d.GivePhone(ctx, v.Visit, number)
		case desk.ScreenSMSCode:
			v, err = d.ConfirmPhone(ctx, v.Visit, s.code())
		case desk.ScreenFactor:
			v, err = d.ChooseSMS(ctx, v.Visit)
		default:
			s.t.Fatalf("on the way to %s it shows %s", to, v.Screen)
		}
	}
	if err != nil {
		s.t.Fatalf("on the way to %s: %v", to, err)
	}
	return v
}

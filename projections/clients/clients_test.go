package clients_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/clients"
)

func recorded(t *testing.T, at domain.Position, stream string, e service.Event) domain.Recorded {
	t.Helper()
	m, err := service.Message(e, domain.Stamp{Command: domain.CommandID{1}})
	if err != nil {
		t.Fatal(err)
	}
	return domain.Recorded{Message: m, Stream: stream, Position: at}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	d := clients.New()
	reads := []service.Scope{service.ReadFactor}
	one := recorded(t, 1, "service", service.ClientAdded{Client: "one", Scopes: reads, Token: "h"})
	two := recorded(t, 2, "service", service.ClientAdded{Client: "two", Scopes: reads, Token: "i"})
	gone := recorded(t, 3, "service", service.ClientRevoked{Client: "one"})
	elsewhere := recorded(t, 4, "service-2", service.ClientRevoked{Client: "two"})
	d.Apply([]domain.Recorded{one, two}, 2)
	if c, ok := d.Client("one"); !ok || c.Token != "h" || !c.May(service.ReadFactor) {
		t.Errorf("%+v, %t", c, ok)
	}
	d.Apply([]domain.Recorded{one, two, gone, elsewhere}, 9)
	if _, ok := d.Client("one"); ok || d.Position() != 9 {
		t.Error("who was revoked is let in")
	}
	if _, ok := d.Client("two"); !ok {
		t.Error("who was not revoked is not let in")
	}
	if all, clear := d.All(); len(all) != 2 || !clear {
		t.Errorf("%v, %t", all, clear)
	}
	d.Apply([]domain.Recorded{{Message: domain.Message{Type: "ClientMoved"}, Stream: "service", Position: 10}}, 10)
	if _, ok := d.Client("two"); ok {
		t.Error("after something unknown somebody is let in")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	d := clients.New()
	if keys, clear := d.Keys(); len(keys) != 0 || !clear {
		t.Errorf("%v, %t", keys, clear)
	}
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	added := recorded(t, 1, "service", service.ClientAdded{Client: "one", Scopes: []service.Scope{service.Login}, Token: "h"})
	first := recorded(t, 2, "service", service.KeyRotated{Key: "0000000000000001", Master: "m", From: noon})
	second := recorded(t, 3, "service", service.KeyRotated{Key: "0000000000000002", Master: "m", From: noon.Add(time.Hour)})
	d.Apply([]domain.Recorded{added, first}, 2)
	before, _ := d.Keys()
	d.Apply([]domain.Recorded{first, second}, 3)
	if keys, clear := d.Keys(); len(keys) != 2 || keys[1].From != noon.Add(time.Hour) || !clear || len(before) != 1 {
		t.Errorf("%v, %t, before %v", keys, clear, before)
	}
	if c, ok := d.Client("one"); !ok || !c.May(service.Login) || c.May(service.ReadFactor) {
		t.Errorf("%+v, %t", c, ok)
	}
	d.Apply([]domain.Recorded{{Message: domain.Message{Type: "KeyWithdrawn"}, Stream: "service", Position: 4}}, 4)
	if keys, clear := d.Keys(); len(keys) != 2 || clear {
		t.Errorf("%v, %t", keys, clear)
	}
}

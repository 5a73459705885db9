package bundle_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/seal/bundle/bundletest"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// many is as many events as a benchmark's bundle has, each of some 420 bytes.
const many = 20_000

func benched(b *testing.B) *bundletest.Log {
	b.Helper()
	l := bundletest.New(b, 1)
	for i := range many {
		person := fmt.Sprintf("%08x-9dc0-41d2-9a4c-3b3f3cf2a1de", i/12*2654435761)
		at := monday.Add(time.Duration(i) * time.Minute)
		id := domain.EventIDFor(domain.CommandID{1}, i)
		l.Seal(b, domain.Recorded{
			Message: domain.Message{
				ID: id, Type: "PhoneVerified",
				Data: fmt.Appendf(nil, `{"challenge":"%032x","phone":{"ref":"%032x","version":1,"commitment":"%043d"},"source":"self","country":"NL"}`, i*7919, i*104729, i),
				Metadata: fmt.Appendf(nil, `{"$correlationId":%q,"$causationId":%q,"schema":1,"actor":{"kind":"person","id":%q,"role":"subject"},"station":"kiosk-hal-1","policy":"2026-1","at":%q}`,
					domain.EventIDFor(domain.CommandID{2}, i/12), id, person, at.Format(time.RFC3339Nano)),
			},
			Stream: domain.EnrolmentPrefix + person, Revision: domain.Revision(i % 12), Position: domain.Position(i + 1), Recorded: at,
		})
	}
	l.Sign(b, monday)
	return l
}

func BenchmarkWrite(b *testing.B) {
	src := benched(b)
	var out counter
	for b.Loop() {
		out = counter{}
		if _, err := bundle.Write(b.Context(), &out, bundle.Source{Log: src, Seal: src}, bundle.Query{}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*many/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(out.n)/many, "B/event")
}

func BenchmarkVerify(b *testing.B) {
	src := benched(b)
	var out bytes.Buffer
	if _, err := bundle.Write(b.Context(), &out, bundle.Source{Log: src, Seal: src}, bundle.Query{}, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v, err := proof.Verify(bytes.NewReader(out.Bytes()), int64(out.Len()), proof.Options{Keys: src.Keys()})
		if err != nil || !v.OK() {
			b.Fatal(v, err)
		}
	}
	b.ReportMetric(float64(b.N)*many/b.Elapsed().Seconds(), "events/s")
}

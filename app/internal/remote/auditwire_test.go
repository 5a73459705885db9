package remote

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
)

// The longest of all that an auditor is told comes through.
func TestTheLongestOfAnAuditComesThrough(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("<", 100)
	at := time.Date(2026, 11, 17, 14, 32, 8, 123456000, time.UTC)
	row := desk.EventRow{
		Stream: longest, Type: "CodeUndeliverable", Name: longest, ActorName: longest, Station: longest, Recorded: at, At: at,
		Message: "history-CodeUndeliverable-invalid-recipient", Params: map[string]string{"Number": "3", "Provider": longest}, Hash: strings.Repeat("f", 64),
	}
	facets := make([]desk.Facet, desk.MostFacets)
	for i := range facets {
		facets[i] = desk.Facet{Value: longest, Kind: domain.ActorService, Name: longest, Events: 1_000_000}
	}
	page := desk.EventPage{Rows: make([]desk.EventRow, desk.MostEvents), Types: facets, Roles: facets, Stations: facets, Actors: facets}
	for i := range page.Rows {
		page.Rows[i] = row
	}
	chain := desk.Chain{Links: make([]desk.ChainLink, desk.MostLinks)}
	for i := range chain.Links {
		chain.Links[i].EventRow = row
	}
	person := desk.PersonThen{Story: make([]desk.TimelineEntry, desk.MostStory)}
	for i := range person.Story {
		person.Story[i].Message, person.Story[i].Station, person.Story[i].Params = row.Message, longest, row.Params
	}
	seal := desk.SealView{Checkpoints: make([]desk.CheckpointView, desk.MostCheckpoints)}
	for i := range seal.Checkpoints {
		seal.Checkpoints[i] = desk.CheckpointView{Root: row.Hash, Note: strings.Repeat("—\n", 512), Witnesses: []string{longest, longest}}
	}
	event := desk.EventDetail{EventRow: row, Data: strings.Repeat("<", 256<<10), Metadata: strings.Repeat("<", 256<<10)}
	for _, want := range []auditAnswer{
		{Events: &page},
		{Chain: &chain},
		{Person: &person},
		{Seal: &seal},
		{Event: &event},
		{Values: make([]desk.ValueCheck, desk.MostValues)},
		{Hits: make([]desk.PersonHit, desk.MostHits)},
		{Histogram: &desk.Histogram{Bars: make([]desk.Bar, desk.MostBars)}},
		{Part: bytes.Repeat([]byte{0xff}, desk.ExportPartSize)},
	} {
		line, err := json.Marshal(answer{Audit: &want})
		if err != nil {
			t.Fatal(err)
		}
		got, err := last(&http.Response{
			Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(append(line, '\n'))),
		}, func() {})
		if err != nil || !reflect.DeepEqual(*got.Audit, want) {
			t.Errorf("%d bytes: %v", len(line), err)
		}
	}
}

// What an auditor asks arrives as it was asked, and the longest question is not too long.
func TestAnAuditorsQuestionsSurviveTheWire(t *testing.T) {
	t.Parallel()
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "at")).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9é<-]{0,40}`)
		f := desk.EventFilter{
			Types: rapid.SliceOfN(text, 1, 120).Draw(t, "types"), Actor: text.Draw(t, "actor"), Station: text.Draw(t, "station"),
			From: at.Draw(t, "from"), To: at.Draw(t, "to"),
		}
		copy(f.Subject[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "subject"))
		copy(f.Correlation[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "correlation"))
		want := ask{Shift: "s", Audit: &auditAsk{
			Events: &desk.EventQuery{Filter: f, Until: desk.Moment{At: at.Draw(t, "until")}, Offset: rapid.Int().Draw(t, "offset")},
			Moment: desk.Moment{Position: rapid.Uint64().Draw(t, "position")}, By: rapid.Int().Draw(t, "by"),
			Export: &desk.ExportQuery{Language: "nl", Since: text.Draw(t, "since")},
		}}
		body, err := encode(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := readAsk(bytes.NewReader(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

package esdbtest_test

import (
	"context"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

func TestReadStream(t *testing.T) {
	t.Parallel()
	c := connect(t, esdbtest.Start(t, esdbtest.Options{}).URL())
	_, err := readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	wantCode(t, err, esdb.ErrorCodeResourceNotFound)
	mustAppend(t, c, "one", esdb.NoStream{}, eventsOf("A", 3)...)
	mustAppend(t, c, "two", esdb.NoStream{}, event("A"))
	mustAppend(t, c, "one", esdb.Revision(2), eventsOf("A", 2)...)
	forwards := func(from esdb.StreamPosition) esdb.ReadStreamOptions { return esdb.ReadStreamOptions{From: from} }
	backwards := func(from esdb.StreamPosition) esdb.ReadStreamOptions {
		return esdb.ReadStreamOptions{From: from, Direction: esdb.Backwards}
	}
	wantRevisions(t, c, "one", forwards(esdb.Start{}), 100, 0, 1, 2, 3, 4)
	wantRevisions(t, c, "one", forwards(esdb.Start{}), 2, 0, 1)
	wantRevisions(t, c, "one", forwards(esdb.Revision(3)), 100, 3, 4)
	wantRevisions(t, c, "one", forwards(esdb.Revision(5)), 100)
	wantRevisions(t, c, "one", backwards(esdb.End{}), 100, 4, 3, 2, 1, 0)
	wantRevisions(t, c, "one", backwards(esdb.End{}), 1, 4)
	wantRevisions(t, c, "one", backwards(esdb.Revision(1)), 100, 1, 0)
	wantRevisions(t, c, "one", backwards(esdb.Revision(99)), 2, 4, 3)
	wantRevisions(t, c, "one", backwards(esdb.Start{}), 100, 0)

	mustAppend(t, c, "long", esdb.NoStream{}, eventsOf("A", 300)...)
	for _, o := range []esdb.ReadStreamOptions{forwards(esdb.Start{}), backwards(esdb.End{})} {
		if events, err := readStream(t, c, "long", o, 1<<62); err != nil || len(events) != 300 {
			t.Errorf("%d events of more than a page, %v", len(events), err)
		}
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Denied: true})
	c := connect(t, s.URLFor(esdbtest.Admin, esdbtest.AdminPassword))
	if events := readAll(t, c, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 1); len(events) != 0 {
		t.Errorf("%d events of none", len(events))
	}
	mustAppend(t, c, "one", esdb.NoStream{}, eventsOf("A", 3)...)
	mustAppend(t, c, "two", esdb.NoStream{}, eventsOf("B", 2)...)
	log := s.Events()
	at := func(i int) esdb.Position {
		return esdb.Position{Commit: log[i].Position, Prepare: log[i].Position}
	}
	for name, test := range map[string]struct {
		o     esdb.ReadAllOptions
		count uint64
		want  []int // of the log
	}{
		"all of it":                 {esdb.ReadAllOptions{From: esdb.Start{}}, 100, []int{0, 1, 2, 3, 4}},
		"the first":                 {esdb.ReadAllOptions{From: esdb.Start{}}, 2, []int{0, 1}},
		"what begins at a position": {esdb.ReadAllOptions{From: at(2)}, 100, []int{2, 3, 4}},
		"behind the last":           {esdb.ReadAllOptions{From: esdb.Position{Commit: 1 << 40, Prepare: 1 << 40}}, 100, nil},
		"from the end":              {esdb.ReadAllOptions{From: esdb.End{}}, 100, nil},
		"back from the end":         {esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 100, []int{4, 3, 2, 1, 0}},
		"the last":                  {esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 1, []int{4}},
		"what ends at a position":   {esdb.ReadAllOptions{From: at(2), Direction: esdb.Backwards}, 100, []int{1, 0}},
		"back from the start":       {esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Backwards}, 100, nil},
	} {
		events := readAll(t, c, test.o, test.count)
		if len(events) != len(test.want) {
			t.Errorf("%s: %d events", name, len(events))
			continue
		}
		for i, e := range events {
			if want := log[test.want[i]]; e.EventID != want.ID || e.Position.Commit != want.Position || e.StreamID != want.Stream {
				t.Errorf("%s: event %d is %s at %d", name, i, e.StreamID, e.Position.Commit)
			}
		}
	}
	inside := esdb.ReadAllOptions{From: esdb.Position{Commit: log[2].Position + 1, Prepare: log[2].Position + 1}}
	if _, err := collect(c.ReadAll(t.Context(), inside, 1)); status.Code(err) != codes.InvalidArgument {
		t.Errorf("from the middle of a record: %v", err)
	}
}

// The client never asks for a filter when it reads; the protocol can.
func TestReadAllFiltered(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Insecure: true})
	c := connect(t, s.URL())
	mustAppend(t, c, "a-1", esdb.NoStream{}, event("A"), event("B"))
	mustAppend(t, c, "b-1", esdb.NoStream{}, event("A"), event("B"))
	conn, err := grpc.NewClient(s.Addr(0), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test ends
	for _, direction := range []streams.ReadReq_Options_ReadDirection{streams.ReadReq_Options_Forwards, streams.ReadReq_Options_Backwards} {
		all := &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{}}
		if direction == streams.ReadReq_Options_Backwards {
			all.AllOption = &streams.ReadReq_Options_AllOptions_End{End: &shared.Empty{}}
		}
		call, err := streams.NewStreamsClient(conn).Read(context.WithoutCancel(t.Context()), &streams.ReadReq{Options: &streams.ReadReq_Options{
			StreamOption: &streams.ReadReq_Options_All{All: all}, ReadDirection: direction,
			CountOption: &streams.ReadReq_Options_Count{Count: 1},
			FilterOption: &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
				Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{
					StreamIdentifier: &streams.ReadReq_Options_FilterOptions_Expression{Prefix: []string{"a-"}},
				},
			}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := call.Recv()
		if name := string(got.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()); err != nil || name != "a-1" {
			t.Errorf("%v: %q, %v", direction, name, err)
		}
	}
}

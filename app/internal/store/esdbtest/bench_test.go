package esdbtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

// BenchmarkAppend appends one event at a time, from one and from many.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			c := connect(b, esdbtest.Start(b, esdbtest.Options{}).URL())
			var streams atomic.Int64
			b.SetParallelism(max(1, writers/2))
			if writers == 1 {
				for i := range b.N {
					mustAppend(b, c, "one", expect(i-1), event("A"))
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					name := fmt.Sprint("many-", streams.Add(1))
					for i := 0; pb.Next(); i++ {
						mustAppend(b, c, name, expect(i-1), event("A"))
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkRead reads and follows everything, up to the head.
func BenchmarkRead(b *testing.B) {
	const events = 50_000
	c := connect(b, esdbtest.Start(b, esdbtest.Options{}).URL())
	for i := range events / 100 {
		mustAppend(b, c, fmt.Sprint("stream-", i), esdb.NoStream{}, eventsOf("A", 100)...)
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			stream, err := c.ReadAll(b.Context(), esdb.ReadAllOptions{From: esdb.Start{}}, 1<<60)
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = stream.Recv()
			}
			if !errors.Is(err, io.EOF) {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("subscription", func(b *testing.B) {
		for b.Loop() {
			ctx, cancel := context.WithCancel(b.Context())
			sub, err := c.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{
				From: esdb.Start{}, MaxSearchWindow: 4096, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"stream-"}},
			})
			if err != nil {
				b.Fatal(err)
			}
			for sub.Recv().CaughtUp == nil {
			}
			cancel()
		}
		b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
	})
}

package remote

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// Who asks the same under the same Call is given the same answer, whether it is
// there already or not; all else is another question.
func TestJoining(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := newCalls(func() time.Time { return now })
	id := desk.NewCall()
	var ran atomic.Int32
	hold := make(chan struct{})
	do := func(context.Context) answer {
		ran.Add(1)
		<-hold
		return answer{Text: "once"}
	}
	first := c.join("west", "view", id, "v", []byte("body"), do)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if c.join("west", "view", id, "v", []byte("body"), do) != first {
				t.Error("another call was made")
			}
		})
	}
	all.Wait()
	close(hold)
	<-first.done
	if c.join("west", "view", id, "v", []byte("body"), do) != first || ran.Load() != 1 {
		t.Errorf("it ran %d times", ran.Load())
	}
	others := []*call{
		c.join("oost", "view", id, "v", []byte("body"), do), c.join("west", "end", id, "v", []byte("body"), do),
		c.join("west", "view", desk.NewCall(), "v", []byte("body"), do), c.join("west", "view", id, "v", []byte("other"), do),
	}
	for i, o := range others {
		if o == first {
			t.Errorf("other question %d was given the same answer", i)
		}
		<-o.done
	}
	now = now.Add(keep + time.Second)
	c.sweep()
	if len(c.known) != 0 {
		t.Errorf("after %s there are answers of %d stations", keep, len(c.known))
	}
	c.stop(time.Second)
	if c.join("west", "view", id, "v", nil, do) != nil {
		t.Error("after the stop it takes more")
	}
}

func TestAFaultIsNotKept(t *testing.T) {
	t.Parallel()
	c := newCalls(time.Now)
	defer c.stop(0)
	id := desk.NewCall()
	codes := []desk.Code{desk.Unavailable, desk.Unsure, desk.Busy, desk.WrongCode}
	for i, code := range codes {
		n := c.join("west", "view", id, "v", nil, func(context.Context) answer { return answer{Refusal: &desk.Refusal{Code: code}} })
		<-n.done
		if n.answer.Refusal.Code != code {
			t.Fatalf("question %d was answered with %s", i, n.answer.Refusal.Code)
		}
	}
	n := c.join("west", "view", id, "v", nil, func(context.Context) answer { return answer{} })
	if <-n.done; n.answer.Refusal == nil {
		t.Error("a wrong code was counted again")
	}
}

// A mistake of ours that one station runs into is not the end for the others.
func TestAUseCaseThatBreaks(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	h := NewHandler(Config{Log: zap.New(core), Now: time.Now})
	defer h.calls.stop(0)
	n := h.calls.join("west", "view", desk.NewCall(), "v", nil, h.guard("view", func(context.Context) answer { panic("a mistake") }))
	if <-n.done; n.answer.Refusal == nil || n.answer.Refusal.Code != desk.Unsure {
		t.Errorf("answered %+v", n.answer)
	}
	if logs.Len() != 1 {
		t.Errorf("told %d times", logs.Len())
	}
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	c := newCalls(time.Now)
	defer c.stop(0)
	begin := c.join("west", "begin", desk.NewCall(), "", nil, func(context.Context) answer { return answer{View: &desk.View{Visit: "v"}} })
	<-begin.done
	<-c.join("west", "view", desk.NewCall(), "v", nil, func(context.Context) answer { return answer{} }).done
	<-c.join("west", "view", desk.NewCall(), "w", nil, func(context.Context) answer { return answer{} }).done
	c.forget("west", "v")
	if n := len(c.known["west"]); n != 1 {
		t.Errorf("%d answers are left", n)
	}
}

func TestOneStationHasSoManyUnderWay(t *testing.T) {
	t.Parallel()
	c := newCalls(time.Now)
	hold := make(chan struct{})
	wait := func(context.Context) answer { <-hold; return answer{} }
	for range atOnce {
		if c.join("west", "view", desk.NewCall(), "v", nil, wait) == nil {
			t.Fatal("refused too early")
		}
	}
	if c.join("west", "view", desk.NewCall(), "v", nil, wait) != nil {
		t.Error("one more was taken")
	}
	if c.join("oost", "view", desk.NewCall(), "v", nil, wait) == nil {
		t.Error("another station was refused")
	}
	close(hold)
	c.stop(time.Second)
}

// Who is stopped in the middle has a while to end, and is told to then.
func TestStopping(t *testing.T) {
	t.Parallel()
	c := newCalls(time.Now)
	n := c.join("west", "view", desk.NewCall(), "v", nil, func(ctx context.Context) answer {
		<-ctx.Done()
		return answer{Text: "told"}
	})
	c.stop(20 * time.Millisecond)
	if <-n.done; n.answer.Text != "told" {
		t.Error("not told")
	}
}

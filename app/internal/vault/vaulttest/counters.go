package vaulttest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/vault"
)

// resend are the limits of sending a code, as the policy has them.
func resend(key string) []vault.Limit {
	return []vault.Limit{
		{Name: "send-hour", Key: key, Window: time.Hour, Max: 3, Wait: []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}},
		{Name: "send-day", Key: key, Window: 24 * time.Hour, Max: 5},
	}
}

// A model counts as the vault should: by looking at everything ever taken.
type model map[string][]time.Time

// next returns when the model allows one more of the limit, and how many stand
// in its window.
func (m model) next(l vault.Limit, now time.Time) (time.Time, int) {
	var in []time.Time
	for _, at := range m[l.Name] {
		if at.After(now.Add(-l.Window)) {
			in = append(in, at)
		}
	}
	next := now
	wait := func(until time.Time) {
		if until.After(next) {
			next = until
		}
	}
	if n := len(in); n > 0 && len(l.Wait) > 0 {
		last, ordinal := in[n-1], 0
		for _, at := range m[l.Name] {
			if at.After(last.Add(-l.Window)) {
				ordinal++
			}
		}
		wait(last.Add(l.Wait[min(ordinal, len(l.Wait))-1]))
	}
	if n := len(in); n >= l.Max {
		wait(in[n-l.Max].Add(l.Window))
	}
	return next, len(in)
}

// counterModel plays random histories against the vault and the model.
func counterModel(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	var round atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		key := strconv.FormatInt(round.Add(1), 10) // each history has counters of its own
		all := append(resend(key), vault.Limit{Name: "burst", Key: key, Window: 90 * time.Second, Max: 2})
		m := model{}
		now := time.UnixMilli(1_800_000_000_000).UTC()
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 29_999, 30_000, 59_000, 90_000, 121_000, 3_599_999, 40_000_000}).Draw(rt, "ms")) * time.Millisecond)
			limits := all[rapid.IntRange(0, 2).Draw(rt, "from"):]
			if rapid.IntRange(0, 9).Draw(rt, "clear") == 0 {
				if err := v.Clear(t.Context(), limits[0]); err != nil {
					rt.Fatal(err)
				}
				delete(m, limits[0].Name)
			}
			takeOnce(rt, v, m, now, limits)
		}
	})
}

// takeOnce takes once from the vault and from the model, and compares.
func takeOnce(t *rapid.T, v *vault.Vault, m model, now time.Time, limits []vault.Limit) {
	t.Helper()
	want := now
	for _, l := range limits {
		next, _ := m.next(l, now)
		want = slices.MaxFunc([]time.Time{want, next}, time.Time.Compare)
	}
	taken, err := v.Take(t.Context(), now, limits...)
	var limited *vault.Limited
	switch refused := errors.As(err, &limited); {
	case err != nil && !refused:
		t.Fatal(err)
	case refused != want.After(now):
		t.Fatalf("at %s refused is %t, the model allows it at %s", now, refused, want)
	case refused && !limited.RetryAt.Equal(want):
		t.Fatalf("%s is said to be free at %s, the model says %s", limited.Name, limited.RetryAt, want)
	case !refused:
		for _, l := range limits {
			m[l.Name] = append(m[l.Name], now)
		}
	}
	next := now
	for i, l := range limits {
		free, used := m.next(l, now)
		next = slices.MaxFunc([]time.Time{next, free}, time.Time.Compare)
		if used > l.Max {
			t.Fatalf("%s holds %d, more than %d", l.Name, used, l.Max)
		}
		if got, err := v.Count(t.Context(), now, l); err != nil || got != used {
			t.Fatalf("%s counts %d, the model %d: %v", l.Name, got, used, err)
		}
		if err == nil && taken.Used[i] != used {
			t.Fatalf("%s says %d used, the model %d", l.Name, taken.Used[i], used)
		}
	}
	if err == nil && !taken.Next.Equal(next) {
		t.Fatalf("the next is said to be free at %s, the model says %s", taken.Next, next)
	}
	if err := v.Allowed(t.Context(), next, limits...); err != nil {
		t.Fatalf("not allowed when it should be: %v", err)
	}
	if next.After(now) && v.Allowed(t.Context(), next.Add(-time.Millisecond), limits...) == nil {
		t.Fatal("allowed a millisecond too early")
	}
}

// resending is one address's day, as the policy has it.
func resending(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	limits := resend("jan@voorbeeld.nl")
	start := time.UnixMilli(1_800_000_000_000)
	for _, step := range []struct {
		at      string
		refused string // the limit, if any
		next    string // when the next one is allowed, after this
		confirm bool   // a code is confirmed first
	}{
		{"0s", "", "30s", false},
		{"29s", "send-hour", "30s", false},
		{"30s", "", "1m30s", false},
		{"59m59s", "", "1h1m59s", false},         // the third, two minutes
		{"1h5s", "send-hour", "1h1m59s", false},  // the first have left the hour, the wait stays
		{"1h1m59s", "", "1h2m59s", false},        // the second of this hour
		{"1h2m", "send-hour", "1h2m59s", false},  // so a minute
		{"1h3m59s", "", "24h", false},            // the fifth of the day
		{"1h30m", "send-day", "24h", true},       // confirming clears the hour, not the day
		{"23h59m59s", "send-day", "24h", false},  // until the day's first one is a day old
		{"24h", "", "24h30s", false},             // which leaves room for one
		{"24h20s", "send-hour", "24h30s", false}, // after its wait
	} {
		at, err := time.ParseDuration(step.at)
		ok(t, err)
		if step.confirm {
			ok(t, v.Clear(t.Context(), limits[0]))
		}
		taken, err := v.Take(t.Context(), start.Add(at), limits...)
		next, refused := taken.Next, ""
		if limited, is := errors.AsType[*vault.Limited](err); is {
			next, refused = limited.RetryAt, limited.Name
		} else {
			ok(t, err)
		}
		if got := next.Sub(start); refused != step.refused || got.String() != duration(t, step.next) {
			t.Errorf("at %s: refused by %q, next at %s; want %q and %s", step.at, refused, got, step.refused, step.next)
		}
	}
}

// duration writes a duration as its String method does.
func duration(t *testing.T, s string) string {
	t.Helper()
	d, err := time.ParseDuration(s)
	ok(t, err)
	return d.String()
}

func takeRace(t *testing.T, p Place) {
	t.Helper()
	handles := []*vault.Vault{p.open(t), p.open(t), p.open(t)}
	now := time.Now()
	limits := []vault.Limit{
		{Name: "station-hour", Key: "kiosk-1", Window: time.Hour, Max: 7},
		{Name: "sms-day", Window: 24 * time.Hour, Max: 100},
	}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			_, err := handles[i%len(handles)].Take(t.Context(), now, limits...)
			var limited *vault.Limited
			switch {
			case err == nil:
				allowed.Add(1)
			case !errors.As(err, &limited) || limited.Name != "station-hour":
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 7 {
		t.Errorf("%d got through, of 7", n)
	}
	// what was refused took nothing from the other limit
	if n, err := handles[0].Count(t.Context(), now, limits[1]); err != nil || n != 7 {
		t.Errorf("the day counts %d: %v", n, err)
	}
}

func takeProcesses(t *testing.T, p Place) {
	t.Helper()
	const processes, most = 4, 30
	p.open(t)
	allowed := 0
	for _, lines := range children(t, p, "take", processes, most) {
		allowed += len(lines)
	}
	if allowed != most {
		t.Errorf("%d got through, of %d", allowed, most)
	}
}

// takeAll is the child's part of takeProcesses: it takes until it is refused.
func takeAll(c *childVault, most int) error {
	for i := 0; ; i++ {
		_, err := c.Take(c.ctx, time.Now(), vault.Limit{Name: "sms-day", Window: 24 * time.Hour, Max: most})
		if _, limited := errors.AsType[*vault.Limited](err); limited {
			return nil
		} else if err != nil {
			return err
		}
		c.say(strconv.Itoa(i))
	}
}

func badLimits(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	good := vault.Limit{Name: "a", Window: time.Hour, Max: 1}
	for i, limits := range [][]vault.Limit{
		{{Window: time.Hour, Max: 1}},
		{{Name: "a", Max: 1}},
		{{Name: "a", Window: time.Hour}},
		{good, good},
	} {
		_, taken := v.Take(t.Context(), time.Now(), limits...)
		cleared := v.Clear(t.Context(), limits...)
		asked := v.Allowed(t.Context(), time.Now(), limits...)
		for _, err := range []error{taken, cleared, asked} {
			if !errors.Is(err, vault.ErrBadLimit) {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
	if n, err := v.Count(t.Context(), time.Now(), good); n != 0 || err != nil {
		t.Errorf("a refused call counted %d: %v", n, err)
	}
}

// clockJumps sets the clock a year ahead, takes, and sets it right again: that
// must not lock the person out for a year.
func clockJumps(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	now := time.UnixMilli(1_800_000_000_000)
	limit := vault.Limit{Name: "send-hour", Key: "jan@voorbeeld.nl", Window: time.Hour, Max: 1}
	_, err := v.Take(t.Context(), now.AddDate(1, 0, 0), limit)
	ok(t, err)
	_, err = v.Take(t.Context(), now, limit)
	ok(t, err)
	// a clock that is a little behind still sees what another station took
	var limited *vault.Limited
	_, err = v.Take(t.Context(), now.Add(-time.Minute), limit)
	if !errors.As(err, &limited) || !limited.RetryAt.Equal(now.Add(time.Hour)) {
		t.Errorf("a second one: %v", err)
	}
	if got := fmt.Sprint(limited); got != "limit send-hour is reached until 2027-01-15T09:00:00Z" {
		t.Errorf("the refusal reads %q", got)
	}
}

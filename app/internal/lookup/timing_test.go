package lookup_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/password"
)

// An apart says how far two classes of requests can be told apart by the time they
// take.
type apart struct {
	difference time.Duration // of the medians
	noise      time.Duration // within one class: of the medians of its even and its odd rounds
	sigmas     float64       // how far the pairs of all rounds lean to one side; chance alone makes 1 of it
}

func (a apart) String() string {
	return fmt.Sprintf("%s apart, noise %s, %.1f sigmas", a.difference.Round(time.Microsecond), a.noise.Round(time.Microsecond), a.sigmas)
}

// Chance alone makes so much of one pair in a thousand, and of one in a hundred.
const (
	oneInThousand = 3.29
	oneInHundred  = 2.58
)

// compare compares what two classes took, round by round: a[i] and b[i] were
// measured one after the other. Which of a round took longer, and by how much
// compared with other rounds, is what Wilcoxon's signed-rank test looks at: whatever
// shape the noise has, and in whatever waves it comes, it is the noise of both.
func compare(a, b []time.Duration) apart {
	differences := make([]time.Duration, len(a))
	for i := range a {
		differences[i] = a[i] - b[i]
	}
	slices.SortFunc(differences, func(x, y time.Duration) int { return cmp.Compare(x.Abs(), y.Abs()) })
	leaning := 0.0
	for rank, d := range differences {
		leaning += float64(cmp.Compare(d, 0) * (rank + 1))
	}
	n := float64(len(a))
	return apart{
		difference: (median(a) - median(b)).Abs(), noise: max(within(a), within(b)),
		sigmas: math.Abs(leaning) / math.Sqrt(n*(n+1)*(2*n+1)/6),
	}
}

func within(d []time.Duration) time.Duration {
	var halves [2][]time.Duration
	for i, took := range d {
		halves[i%2] = append(halves[i%2], took)
	}
	return (median(halves[0]) - median(halves[1])).Abs()
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return (d[(len(d)-1)/2] + d[len(d)/2]) / 2
}

// measure has each class ask once in each round, in an order by lot, and returns
// what each took.
func measure(rounds int, lot *rand.Rand, classes map[string]func(round int)) map[string][]time.Duration {
	took := map[string][]time.Duration{}
	var names []string
	for name := range classes {
		names = append(names, name)
	}
	slices.Sort(names)
	for round := range rounds {
		lot.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			began := time.Now()
			classes[name](round)
			took[name] = append(took[name], time.Since(began))
		}
	}
	return took
}

// tellApart measures classes, and returns the pairs that can be told apart. A pair
// has to be so twice, in measurements of their own: what the machine does by chance
// it does not do twice to the same two.
func tellApart(tb testing.TB, rounds int, lot *rand.Rand, classes map[string]func(round int)) (pairs []string) {
	tb.Helper()
	for again, atLeast := range []float64{oneInThousand, oneInHundred} {
		took := measure(rounds, lot, classes)
		names := slices.Sorted(maps.Keys(took))
		var found []string
		for i, a := range names {
			tb.Logf("%-12s median %s", a, median(took[a]).Round(time.Microsecond))
			for _, b := range names[:i] {
				is := compare(took[a], took[b])
				tb.Logf("%s and %s: %s", b, a, is)
				if is.sigmas > atLeast {
					found = append(found, b+" and "+a)
				}
			}
		}
		if again == 0 {
			pairs = found
		} else {
			pairs = slices.DeleteFunc(pairs, func(p string) bool { return !slices.Contains(found, p) })
		}
		if len(pairs) == 0 {
			return nil
		}
	}
	return pairs
}

// The statistic says nothing of two classes that are the same, on a machine whose
// noise has long tails and comes in waves; and finds a fifth of what one takes.
func TestTheStatistic(t *testing.T) {
	t.Parallel()
	lot := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a simulation
	noise := func(round int) time.Duration {
		n := 200*time.Millisecond + time.Duration(lot.ExpFloat64()*float64(20*time.Millisecond))
		if lot.IntN(20) == 0 {
			n += time.Duration(lot.ExpFloat64() * float64(300*time.Millisecond))
		}
		if round%20 < 5 { // somebody else uses the machine
			n *= 2
		}
		return n
	}
	const experiments, rounds = 1000, 40
	falsely, found := 0, 0
	for range experiments {
		var a, b, later []time.Duration
		for round := range rounds {
			a, b = append(a, noise(round)), append(b, noise(round))
			later = append(later, noise(round)+40*time.Millisecond)
		}
		if compare(a, b).sigmas > oneInThousand {
			falsely++
		}
		if compare(a, later).sigmas > oneInThousand {
			found++
		}
	}
	t.Logf("of %d: %d falsely, %d found", experiments, falsely, found)
	if falsely > 5 || found < experiments*9/10 {
		t.Errorf("of %d: %d falsely, %d found", experiments, falsely, found)
	}
}

// The measurement over HTTP finds a server that does not hash where nobody has the
// address, and one that does half the work; and none in one that always hashes.
func TestTheMeasurement(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("hashes some hundred times")
	}
	for name, unknown := range map[string]int{"nothing": 2, "one of two": 1, "both": 0} {
		t.Run("it skips "+name, func(t *testing.T) {
			t.Parallel()
			hasher, err := password.NewHasher(password.Options{
				Params:  password.Params{Memory: 8 << 10, Time: 1, Threads: 1},
				Peppers: password.Peppers{Current: "p", Keys: map[string][]byte{"p": make([]byte, 32)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			logins := refusing(nil)
			logins.start = func(ctx context.Context, a desk.LoginAttempt) (desk.Login, error) {
				hashes := 2
				if a.Email == "unknown" {
					hashes = unknown
				}
				for range hashes {
					if err := hasher.VerifyNothing(ctx, a.Password); err != nil {
						return desk.Login{}, err
					}
				}
				return desk.Login{}, &desk.Refusal{Code: desk.WrongLogin}
			}
			c := newCounter(t, logins)
			ask := func(email string) func(int) {
				return func(int) {
					c.ask(http.MethodPost, "/v1/logins", `{"email":"`+email+`","password":"p"}`, nil)
				}
			}
			pairs := tellApart(t, 32, rand.New(rand.NewPCG(3, 4)), map[string]func(int){"unknown": ask("unknown"), "wrong": ask("wrong")}) //nolint:gosec // a measurement
			if (len(pairs) > 0) != (name != "nothing") {
				t.Errorf("told apart: %v", pairs)
			}
		})
	}
}

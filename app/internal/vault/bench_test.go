package vault_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/domain"
)

// BenchmarkBareAppend is the floor that the disk sets for everything durable:
// 400 bytes and an fsync.
func BenchmarkBareAppend(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	line := make([]byte, 400)
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func someone() (id domain.SubjectID) {
	_, _ = rand.Read(id[:])
	return id
}

// both are a new vault in a file, and one on a PostgreSQL server on this machine.
var both = []struct {
	name string
	open func(testing.TB) *vault.Vault
}{
	{"sqlite", func(tb testing.TB) *vault.Vault { tb.Helper(); return open(tb, place(tb)) }},
	{"postgres", func(tb testing.TB) *vault.Vault { tb.Helper(); return open(tb, pgPlace(tb, pgtest.Shared(tb))) }},
}

// by32 has 32 stations do something at once.
func by32(b *testing.B, do func(i int64) error) {
	b.Helper()
	var n atomic.Int64
	b.SetParallelism(32 / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			who := someone()
			for b.Loop() {
				if _, err := v.Put(b.Context(), who, vault.KindName, []byte("Fatima El Amrani")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPut32 puts values of a thousand persons.
func BenchmarkPut32(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			who := make([]domain.SubjectID, 1000)
			for i := range who {
				who[i] = someone()
			}
			by32(b, func(i int64) error {
				_, err := v.Put(b.Context(), who[i%1000], vault.KindName, []byte("Fatima El Amrani"))
				return err
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			const persons = 1000
			who, refs := make([]domain.SubjectID, persons), make([]domain.Ref, persons)
			for i := range who {
				var err error
				who[i] = someone()
				if refs[i], err = v.Put(b.Context(), who[i], vault.KindName, []byte("Fatima El Amrani")); err != nil {
					b.Fatal(err)
				}
			}
			i := 0
			for b.Loop() {
				if _, err := v.Get(b.Context(), who[i%persons], vault.KindName, refs[i%persons]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkClaim(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			i := 0
			for b.Loop() {
				if _, err := v.Claim(b.Context(), fmt.Sprintf("%d.%d@voorbeeld.nl", b.N, i)); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkClaimKnown(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			for b.Loop() {
				if _, err := v.Claim(b.Context(), "jan@voorbeeld.nl"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEmailIndexKeyed(b *testing.B) {
	v := open(b, place(b))
	for b.Loop() {
		v.EmailIndexKeyed("Fatima.ElAmrani@voorbeeld.nl")
	}
}

// sending are the limits of a code by SMS. The last spans all persons, so that
// all stations wait for each other there.
func sending(key int64, shared bool) []vault.Limit {
	limits := []vault.Limit{
		{Name: "send-hour", Key: fmt.Sprint(key), Window: time.Hour, Max: 3, Wait: []time.Duration{30 * time.Second}},
		{Name: "send-day", Key: fmt.Sprint(key), Window: 24 * time.Hour, Max: 5},
	}
	if shared {
		limits = append(limits, vault.Limit{Name: "sms-day", Window: 24 * time.Hour, Max: 1 << 30})
	}
	return limits
}

func BenchmarkTake(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			i, now := int64(0), time.Now()
			for b.Loop() {
				if _, err := v.Take(b.Context(), now, sending(i, false)...); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkTake32(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("shared=%t", shared), func(b *testing.B) {
			for _, on := range both {
				b.Run(on.name, func(b *testing.B) {
					v := on.open(b)
					now := time.Now()
					by32(b, func(i int64) error {
						_, err := v.Take(b.Context(), now, sending(i, shared)...)
						return err
					})
				})
			}
		})
	}
}

// BenchmarkGetMany opens six values each of a thousand persons.
func BenchmarkGetMany(b *testing.B) {
	for _, on := range both {
		b.Run(on.name, func(b *testing.B) {
			v := on.open(b)
			var wanted []vault.Wanted
			for range 1000 {
				who := someone()
				values := make([]vault.Value, 6)
				for i, kind := range []vault.Kind{vault.KindEmail, vault.KindName, vault.KindPhone, vault.KindEmployee, vault.KindTeam, vault.KindStartDate} {
					values[i] = vault.Value{Kind: kind, Value: []byte("Fatima El Amrani")}
				}
				refs, err := v.PutAll(b.Context(), who, values...)
				if err != nil {
					b.Fatal(err)
				}
				for i, ref := range refs {
					wanted = append(wanted, vault.Wanted{Subject: who, Kind: values[i].Kind, Ref: ref})
				}
			}
			for b.Loop() {
				if _, err := v.GetMany(b.Context(), wanted...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(wanted)), "µs/value")
		})
	}
}

// BenchmarkFill is a demo's people, of ten values each, so many in one write.
func BenchmarkFill(b *testing.B) {
	const atOnce = 500
	kinds := []vault.Kind{
		vault.KindEmail, vault.KindName, vault.KindPhone, vault.KindCredential, vault.KindDevice, vault.KindEmployee,
		vault.KindTeam, vault.KindStartDate, vault.KindPlace, vault.KindTicket,
	}
	p := place(b)
	keys, err := vault.KeysFromFile(p.KeyFile)
	if err != nil {
		b.Fatal(err)
	}
	v, err := vault.Open(b.Context(), p.URL, keys, vault.Options{Demo: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	n := 0
	for b.Loop() {
		people := make([]vault.Filling, atOnce)
		for i := range people {
			n++
			people[i] = vault.Filling{Subject: someone(), Email: fmt.Sprintf("p%d@voorbeeld.nl", n)}
			for _, k := range kinds {
				f := vault.FilledValue{Kind: k, Value: make([]byte, 30), Version: 1, Put: time.Now()}
				_, _ = rand.Read(f.Ref[:])
				_, _ = rand.Read(f.Salt[:])
				people[i].Values = append(people[i].Values, f)
			}
		}
		if err := v.Fill(b.Context(), people...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "people/s")
}

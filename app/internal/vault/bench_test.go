package vault_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
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

func BenchmarkPut(b *testing.B) {
	v, who := open(b, place(b)), someone()
	for b.Loop() {
		if _, err := v.Put(b.Context(), who, vault.KindName, []byte("Fatima El Amrani")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPut32 has 32 writers, each with a person of its own.
func BenchmarkPut32(b *testing.B) {
	v := open(b, place(b))
	b.SetParallelism(16) // times 2 cores
	b.RunParallel(func(pb *testing.PB) {
		who := someone()
		for pb.Next() {
			if _, err := v.Put(b.Context(), who, vault.KindName, []byte("Fatima El Amrani")); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	v := open(b, place(b))
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
}

func BenchmarkClaim(b *testing.B) {
	v := open(b, place(b))
	b.Run("new", func(b *testing.B) {
		i := 0
		for b.Loop() {
			if _, err := v.Claim(b.Context(), fmt.Sprintf("%d.%d@voorbeeld.nl", b.N, i)); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Claim(b.Context(), "jan@voorbeeld.nl"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEmailIndexKeyed(b *testing.B) {
	v := open(b, place(b))
	for b.Loop() {
		v.EmailIndexKeyed("Fatima.ElAmrani@voorbeeld.nl")
	}
}

func BenchmarkTake(b *testing.B) {
	v := open(b, place(b))
	now := time.Now()
	i := 0
	for b.Loop() {
		key := fmt.Sprint(i)
		_, err := v.Take(b.Context(), now,
			vault.Limit{Name: "send-hour", Key: key, Window: time.Hour, Max: 3, Wait: []time.Duration{30 * time.Second}},
			vault.Limit{Name: "send-day", Key: key, Window: 24 * time.Hour, Max: 5})
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
}

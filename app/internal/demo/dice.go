package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// dice is where somebody's chances and random ids come from: a stream of numbers of
// their own, so that what one does changes nothing for another.
type dice struct{ *rand.Rand }

// newDice returns the dice of something that a seed has one of.
func newDice(seed uint64, what string, n int) dice {
	b := binary.BigEndian.AppendUint64([]byte(what), seed)
	h := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(n)))                                      //nolint:gosec // a count
	return dice{rand.New(rand.NewPCG(binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:16])))} //nolint:gosec // it has to come again
}

// in says yes in a share of the cases.
func (d dice) in(share float64) bool { return d.Float64() < share }

// between returns a time from one to the other, in whole milliseconds.
func (d dice) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(d.Int64N(int64(high-low))).Truncate(time.Millisecond)
}

// weighed returns an index, each as often as its weight says.
func (d dice) weighed(weights []int) int {
	all := 0
	for _, w := range weights {
		all += w
	}
	at := d.IntN(all)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

func pick[T any](d dice, of []T) T { return of[d.IntN(len(of))] }

func (d dice) bytes(b []byte) {
	var word [8]byte
	for len(b) > 0 {
		binary.BigEndian.PutUint64(word[:], d.Uint64())
		b = b[copy(b, word[:]):]
	}
}

// uuid makes one of version 4.
func (d dice) uuid() (id [16]byte) {
	d.bytes(id[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (d dice) command() domain.CommandID { return d.uuid() }

// id makes one of 32 hexadecimal digits, as desk does.
func (d dice) id() string {
	var b [16]byte
	d.bytes(b[:])
	return hex.EncodeToString(b[:])
}

// short makes one of 22 characters, as a pairing and a login have.
func (d dice) short() string {
	var b [16]byte
	d.bytes(b[:])
	return pairing.ID(b)
}

// nonce makes one of 24 characters.
func (d dice) nonce() string {
	var b [18]byte
	d.bytes(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// letters makes a word of some letters of an alphabet.
func (d dice) letters(of string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[d.IntN(len(of))]
	}
	return string(b)
}

// Salts returns the randomness that the salt of the n-th of a demo's hashes comes from.
func Salts(seed uint64, n int) io.Reader { return salts{newDice(seed, "salt", n)} }

type salts struct{ dice }

// Read implements io.Reader. It never fails.
func (s salts) Read(b []byte) (int, error) {
	s.bytes(b)
	return len(b), nil
}

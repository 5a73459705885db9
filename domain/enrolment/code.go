package enrolment

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Code derives the six digits of a challenge from the code key of its purpose.
// Whoever holds the key can derive them again, so they are neither stored nor
// logged anywhere.
func Code(key [32]byte, subject domain.SubjectID, purpose Purpose, challenge ChallengeID) string {
	return digits(key[:], []byte("code"), []byte(challenge), []byte(purpose), subject[:])
}

// Matches compares a typed code with the right one, in constant time.
func Matches(want, typed string) bool {
	return subtle.ConstantTimeCompare([]byte(want), []byte(typed)) == 1
}

// digits reduces HMAC-SHA256(key, parts) to six decimal digits without bias:
// words of 32 bits above the largest multiple of a million are passed over.
// Each part is preceded by its length, so that no two lists of parts collide.
func digits(key []byte, parts ...[]byte) string {
	const bound = (1 << 32) / 1_000_000 * 1_000_000
	for block := uint32(0); ; block++ {
		mac := hmac.New(sha256.New, key)
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], block)
		mac.Write(n[:])
		for _, p := range parts {
			binary.BigEndian.PutUint32(n[:], uint32(len(p))) //nolint:gosec // parts are ids
			mac.Write(n[:])
			mac.Write(p)
		}
		for sum := mac.Sum(nil); len(sum) >= 4; sum = sum[4:] {
			if w := binary.BigEndian.Uint32(sum); w < bound {
				return fmt.Sprintf("%06d", w%1_000_000)
			}
		}
	}
}

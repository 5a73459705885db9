package enrolment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// A ticket is twelve characters that somebody is handed and types once: 60 bits, in the
// alphabet and the form of the code to type of a pairing, so that people read and write
// one kind of code. Like codes they are derived, and stand nowhere.

// TicketLength counts the characters of a ticket without its hyphens.
const TicketLength = pairing.CodeLength

// TicketCode derives the ticket with an id from the key of its purpose, in the form of
// ParseTicket. Whoever holds the key can derive it again.
func TicketCode(key [32]byte, subject domain.SubjectID, purpose, id string) string {
	mac := hmac.New(sha256.New, key[:])
	for _, part := range [][]byte{[]byte("ticket"), []byte(id), []byte(purpose), subject[:]} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part))) //nolint:gosec // parts are ids
		mac.Write(n[:])
		mac.Write(part)
	}
	return pairing.Typed(binary.BigEndian.Uint64(mac.Sum(nil)))
}

// FormatTicket writes a ticket in three groups: XXXX-XXXX-XXXX.
func FormatTicket(code string) string { return pairing.FormatCode(code) }

// ParseTicket reads a ticket as people type it: in any case, with spaces, hyphens and
// dots anywhere, O for 0 and I or L for 1. Compare it with Matches.
func ParseTicket(typed string) (code string, ok bool) {
	code, err := pairing.NormaliseCode(typed)
	return code, err == nil
}

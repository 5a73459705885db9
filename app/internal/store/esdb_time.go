package store

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A server sets the time of what it records and takes none. So events that
// another log recorded keep theirs in their metadata, as one more member at the
// very end, which is taken off again byte for byte when they are read:
//
//	{"schema":1}  →  {"schema":1,"$recorded":"2026-01-02T03:04:05.000000000Z"}
//	{}            →  {"$recorded":"2026-01-02T03:04:05.000000000Z"}
//	nothing       →  {"$bare":true,"$recorded":"2026-01-02T03:04:05.000000000Z"}
//
// What stands behind the object's last brace stays there.
const (
	timeForm = "2006-01-02T15:04:05.000000000Z"
	timeKey  = `"$recorded":"`
	timeEnd  = `"}`
	timeLen  = len(timeKey) + len(timeForm) + len(timeEnd)
	bareHead = `{"$bare":true` // of what had no metadata; refused in metadata that is given
	space    = " \t\r\n"
)

// addTime puts a time into metadata.
func addTime(metadata []byte, at time.Time) ([]byte, error) {
	at = at.UTC()
	if y := at.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("%w: recorded in the year %d", ErrMessage, y)
	}
	head, tail, comma := []byte(bareHead), []byte(nil), true
	if len(metadata) > 0 {
		brace := len(bytes.TrimRight(metadata, space)) - 1
		if jsontext.Value(metadata).Kind() != '{' || brace < 1 {
			return nil, fmt.Errorf("%w: the metadata is no JSON object", ErrMessage)
		}
		head, tail = metadata[:brace], metadata[brace+1:]
		comma = !endsWithBrace(head)
		if bytes.Equal(metadata, []byte(bareHead+"}")) {
			return nil, fmt.Errorf("%w: the metadata is reserved", ErrMessage)
		}
	}
	out := make([]byte, 0, len(head)+1+timeLen+len(tail))
	out = append(out, head...)
	if comma {
		out = append(out, ',')
	}
	out = append(out, timeKey...)
	out = at.AppendFormat(out, timeForm)
	out = append(out, timeEnd...)
	out = append(out, tail...)
	if len(metadata) > 0 && !fitJSON(out) {
		return nil, fmt.Errorf("%w: the metadata has a member that is reserved", ErrMessage)
	}
	return out, nil
}

// stripTime takes off what addTime has put in, and says whether it did.
func stripTime(stored []byte) (metadata []byte, at time.Time, ok bool) {
	end := len(stored)
	for end > 0 && bytes.IndexByte([]byte(space), stored[end-1]) >= 0 {
		end--
	}
	from := end - timeLen
	if from < 1 || string(stored[end-len(timeEnd):end]) != timeEnd || string(stored[from:from+len(timeKey)]) != timeKey {
		return stored, time.Time{}, false
	}
	form := string(stored[from+len(timeKey) : end-len(timeEnd)])
	at, err := time.Parse(timeForm, form)
	if err != nil || at.Format(timeForm) != form {
		return stored, time.Time{}, false
	}
	head := stored[:from]
	switch {
	case head[len(head)-1] == ',':
		head = head[:len(head)-1]
	case !endsWithBrace(head):
		return stored, time.Time{}, false
	}
	if end == len(stored) && string(head) == bareHead {
		return nil, at, true
	}
	metadata = make([]byte, 0, len(head)+1+len(stored)-end)
	metadata = append(metadata, head...)
	metadata = append(metadata, '}')
	return append(metadata, stored[end:]...), at, true
}

// endsWithBrace says whether an object has just begun.
func endsWithBrace(head []byte) bool {
	trimmed := bytes.TrimRight(head, space)
	return len(trimmed) > 0 && trimmed[len(trimmed)-1] == '{'
}

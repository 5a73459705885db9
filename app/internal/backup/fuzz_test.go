package backup

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzManifest: what is read as a manifest can be written and is the same again, and
// names no file outside its folder.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"made":"2026-11-26T12:00:00Z","files":[{"name":"log.db","size":5,"sha256":"` +
		`0000000000000000000000000000000000000000000000000000000000000000"}]}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseManifest(raw)
		if err != nil {
			return
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseManifest(b)
		if err != nil || !again.Made.Equal(m.Made) {
			t.Fatal(err)
		}
		again.Made = m.Made
		if !reflect.DeepEqual(again, m) {
			t.Errorf("%+v became %+v", m, again)
		}
	})
}

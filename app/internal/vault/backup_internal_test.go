package vault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// FuzzBackup: whatever is read as a backup is one, and written again is the same.
func FuzzBackup(f *testing.F) {
	f.Add([]byte("{\"keydesk\":\"vault\",\"version\":1,\"key\":\"8c1f2a90d3b7e465\",\"sealed\":\"AAEC\"}\n{\"rows\":0}\n"))
	f.Add([]byte("{\"keydesk\":\"vault\",\"version\":1,\"key\":\"8c\",\"sealed\":\"AA==\"}\n[\"person\",\"AQ==\",0,\"8c\",\"\"]\n" +
		"[\"value\",\"AQ==\",\"AQ==\",\"name\",1,0,-5,\"\",\"AA==\"]\n[\"started\",\"AQ==\",12]\n{\"rows\":3}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := &backupReader{in: bufio.NewReader(bytes.NewReader(b)), most: pageRows}
		h, err := in.head()
		if err != nil {
			return
		}
		head, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		out, rows := append(head, '\n'), 0
		for !in.ended {
			table, page, err := in.page()
			if err != nil {
				return
			}
			for _, r := range page {
				if out, err = table.appendLine(out, r); err != nil {
					t.Fatal(err)
				}
			}
			rows += len(page)
		}
		out = fmt.Appendf(out, "{\"rows\":%d}\n", rows)
		if n, err := CheckBackup(bytes.NewReader(out)); err != nil || n != int64(rows) {
			t.Fatalf("%d rows of %d, %v: %s", n, rows, err, out)
		}
	})
}

// Rows that are as long as a line may be are not held by the thousands.
func TestLongRowsOfABackup(t *testing.T) {
	t.Parallel()
	row, err := tables[0].appendLine(nil, record{values: []any{[]byte{1}, int64(0), strings.Repeat("k", maxBackupLine/2), []byte{1}}})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 3 * pageBytes / (maxBackupLine / 2)
	in := &backupReader{in: bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Repeat(row, rows)), strings.NewReader(fmt.Sprintf("{\"rows\":%d}\n", rows)))), most: fileRows}
	n := 0
	for !in.ended {
		_, page, err := in.page()
		if err != nil {
			t.Fatal(err)
		}
		if n += len(page); len(page) > 2*pageBytes/maxBackupLine {
			t.Fatalf("%d rows of %d bytes at once", len(page), len(row))
		}
	}
	if n != rows {
		t.Errorf("%d rows of %d", n, rows)
	}
}

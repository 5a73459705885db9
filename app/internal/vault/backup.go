package vault

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrBackup says that what was to be read is no backup of a vault, or a damaged one.
var ErrBackup = errors.New("not a whole backup of a vault")

// A backup is lines of JSON: a head with the index secret, sealed as it is; every row
// of every table, in order; and an end that counts them. Bytes are in base64.
//
//	{"keydesk":"vault","version":1,"key":"8c1f2a90d3b7e465","sealed":"…"}
//	["person","…",0,"8c1f2a90d3b7e465","…"]
//	{"rows":1}
const (
	backupName    = "vault"
	backupVersion = 1
	maxBackupLine = 1 << 20 // bytes; the longest value takes a fraction of it
)

type backupHead struct {
	Keydesk string `json:"keydesk"`
	Version int    `json:"version"`
	Key     string `json:"key"`
	Sealed  []byte `json:"sealed"`
}

type backupEnd struct {
	Rows *int64 `json:"rows"`
}

// Backup writes all that the vault holds at one moment, sealed as it is, and returns
// how many rows that are. Others go on meanwhile, but an erasure waits: the files of a
// person are not empty of them before whoever reads has read on. What is written can be
// read by whoever has the master key, by nobody else, and is to be encrypted all the
// same: it tells how many people there are, and when something about them was put.
func (v *Vault) Backup(ctx context.Context, w io.Writer) (rows int64, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	err = v.db.snapshot(ctx, func(ctx context.Context, q querier) error {
		secret, err := readSecret(ctx, q)
		if err != nil {
			return err
		}
		head, err := json.Marshal(backupHead{backupName, backupVersion, secret.keyID, secret.sealed})
		if err != nil {
			return err
		}
		line := append(head, '\n')
		for _, t := range tables {
			for last, more := int64(0), true; more; {
				page, err := t.page(ctx, q, last)
				if err != nil {
					return fmt.Errorf("table %s: %w", t.name, err)
				}
				for _, r := range page {
					if line, err = t.appendLine(line, r); err != nil {
						return err
					}
					last = r.id
				}
				rows += int64(len(page))
				if _, err := out.Write(line); err != nil {
					return err
				}
				line, more = line[:0], len(page) > 0
			}
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintf(out, "{\"rows\":%d}\n", rows)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return 0, fmt.Errorf("back up the vault: %w", err)
	}
	return rows, nil
}

// Restore fills a vault that was just made with what Backup wrote, and returns how many
// rows that are. The keys have to be those of the vault that was backed up: ErrWrongKey
// otherwise. A target with somebody in it is ErrDiffers; what is no backup, ErrBackup,
// with the line; one of a newer program, ErrNewer. After an error the target may hold a
// part, and is to be thrown away.
//
// The target has other keys of its hashes afterwards, and has to be opened anew.
func (v *Vault) Restore(ctx context.Context, r io.Reader) (rows int64, err error) {
	in := &backupReader{in: bufio.NewReaderSize(r, 64<<10), most: pageRows}
	if _, file := v.db.(*sqlite); file {
		in.most = fileRows
	}
	if err := v.restoreSecret(ctx, in); err != nil {
		return 0, fmt.Errorf("restore the vault: %w", err)
	}
	for {
		t, page, err := in.page()
		if err == nil && len(page) > 0 {
			err = t.put(ctx, v.db, page)
		}
		if err != nil {
			return rows, fmt.Errorf("restore the vault: %w", err)
		}
		rows += int64(len(page))
		if in.ended {
			return rows, nil
		}
	}
}

// restoreSecret reads the head, and gives the vault the index secret in it.
func (v *Vault) restoreSecret(ctx context.Context, in *backupReader) error {
	head, err := in.head()
	if err != nil {
		return err
	}
	if _, err := v.keys.unwrapIndexSecret(head.Key, head.Sealed); err != nil {
		return err
	}
	for _, t := range tables {
		found, err := t.after(ctx, v.db, 0)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("%w: the target holds something already", ErrDiffers)
		}
	}
	return v.setSecret(ctx, secretRow{head.Key, head.Sealed})
}

// CheckBackup reads what Backup wrote, to its end, and returns how many rows it has.
// It needs no key, and finds what Restore would stumble over but for that.
func CheckBackup(r io.Reader) (rows int64, err error) {
	in := &backupReader{in: bufio.NewReaderSize(r, 64<<10), most: pageRows}
	_, err = in.head()
	for err == nil && !in.ended {
		var page []record
		_, page, err = in.page()
		rows += int64(len(page))
	}
	if err != nil {
		return rows, fmt.Errorf("read the backup of a vault: %w", err)
	}
	return rows, nil
}

// fileRows is how many rows are put back into a file in one transaction. What is unique
// about them is random: fewer would touch as many pages of the file each time, and write
// them again. A server is given pageRows, one after the other, in the time of one call.
const fileRows = 20_000

// pageBytes is about how much is held of a backup at once, whatever its rows are: anybody
// can encrypt to its recipient. Rows that Keydesk wrote are far below that.
const pageBytes = 32 << 20

// A backupReader reads what Backup wrote.
type backupReader struct {
	in    *bufio.Reader
	most  int // rows of a page
	line  int
	rows  int64
	table int    // the one that rows are of: their order is fixed
	next  []byte // a line that was read ahead
	ended bool
}

func (b *backupReader) bad(format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrBackup, b.line, fmt.Sprintf(format, args...))
}

// read returns the next line, good until the next call.
func (b *backupReader) read() (line []byte, err error) {
	if b.next != nil {
		line, b.next = b.next, nil
		return line, nil
	}
	b.line++
	for {
		part, err := b.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxBackupLine:
			return nil, b.bad("longer than %d bytes", maxBackupLine)
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, io.EOF):
			return nil, b.bad("it ends here, and is not whole")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func (b *backupReader) head() (h backupHead, err error) {
	line, err := b.read()
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(line, &h); err != nil || h.Keydesk != backupName || h.Version < 1 {
		return h, b.bad("not the head of one")
	}
	if h.Version > backupVersion {
		return h, fmt.Errorf("%w: its backup has version %d, this program works with %d", ErrNewer, h.Version, backupVersion)
	}
	return h, nil
}

// page returns the next rows, all of one table; perhaps none.
func (b *backupReader) page() (t table, rows []record, err error) {
	for size := 0; len(rows) < b.most && size < pageBytes; {
		line, err := b.read()
		if err != nil {
			return t, nil, err
		}
		size += len(line)
		if len(line) > 0 && line[0] == '{' {
			return t, rows, b.end(line)
		}
		at, r, err := b.row(line)
		if err != nil {
			return t, nil, err
		}
		if at != b.table {
			if len(rows) > 0 {
				b.next = line
				return t, rows, nil
			}
			b.table = at
		}
		t, rows = tables[at], append(rows, r)
		b.rows++
	}
	return t, rows, nil
}

func (b *backupReader) end(line []byte) error {
	var end backupEnd
	if err := json.Unmarshal(line, &end); err != nil || end.Rows == nil || *end.Rows != b.rows {
		return b.bad("the end does not fit the %d rows before it", b.rows)
	}
	if _, err := b.in.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return b.bad("something stands behind the end")
	}
	b.ended = true
	return nil
}

// row reads a row, and of which table it is.
func (b *backupReader) row(line []byte) (at int, r record, err error) {
	var fields []json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil || len(fields) == 0 {
		return 0, r, b.bad("not a row")
	}
	name, ok := unquoted(fields[0])
	if !ok {
		return 0, r, b.bad("not a row")
	}
	for at = b.table; at < len(tables) && tables[at].name != string(name); {
		at++
	}
	if at == len(tables) || len(fields) != 1+len(tables[at].columns) {
		return 0, r, b.bad("not a row of %.20q", name)
	}
	for i, c := range tables[at].columns {
		value, err := c.parse(fields[1+i])
		if err != nil {
			return 0, r, b.bad("%s of %s: %s", c.name, name, err)
		}
		r.values = append(r.values, value)
	}
	return at, r, nil
}

var errNoValue = errors.New("not a value")

// parse reads a column's value, and takes only what appendLine writes.
func (c column) parse(raw []byte) (any, error) {
	if c.kind == 'i' {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, errNoValue
		}
		return n, nil
	}
	text, ok := unquoted(raw)
	if !ok {
		return nil, errNoValue
	}
	if c.kind == 't' {
		var said string
		if err := json.Unmarshal(raw, &said); err != nil {
			return nil, errNoValue
		}
		return said, nil
	}
	value, err := base64.StdEncoding.Strict().AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(text))), text)
	if err != nil || base64.StdEncoding.EncodedLen(len(value)) != len(text) {
		return nil, errNoValue
	}
	return value, nil
}

// unquoted returns what stands between the quotes of a JSON string, as it stands there.
func unquoted(raw []byte) (text []byte, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	return raw[1 : len(raw)-1], true
}

// appendLine writes a row.
func (t table) appendLine(line []byte, r record) ([]byte, error) {
	line = append(line, '[', '"')
	line = append(line, t.name...)
	line = append(line, '"')
	for _, value := range r.values {
		line = append(line, ',')
		switch v := value.(type) {
		case int64:
			line = strconv.AppendInt(line, v, 10)
		case string:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			line = append(line, text...)
		case []byte:
			line = append(line, '"')
			line = base64.StdEncoding.AppendEncode(line, v)
			line = append(line, '"')
		}
	}
	return append(line, ']', '\n'), nil
}

package factor_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

func TestADamagedSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	m := factor.New()
	m.Apply(foldtest.Even(3, 2), 0)
	file := encode(t, m)
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x10
		refused(t, "a changed byte", damaged)
	}
	for n := range file {
		refused(t, "cut off", file[:n])
	}
	refused(t, "too long", append(bytes.Clone(file), 0))
}

func refused(t *testing.T, what string, file []byte) {
	t.Helper()
	if m, _, err := factor.Decode(bytes.NewReader(file)); !errors.Is(err, factor.ErrSnapshot) || m != nil {
		t.Errorf("%s at %d: %v", what, len(file), err)
	}
}

func TestASnapshotThatCannotBeReadOrWrittenSaysWhy(t *testing.T) {
	t.Parallel()
	disk := errors.New("the disk is gone")
	if _, _, err := factor.Decode(iotest.ErrReader(disk)); !errors.Is(err, disk) || !errors.Is(err, factor.ErrSnapshot) {
		t.Errorf("reading: %v", err)
	}
	if err := factor.New().Snapshot().Encode(failing{disk}, domain.EventID{}); !errors.Is(err, disk) {
		t.Errorf("writing: %v", err)
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

func TestASnapshotIsNotUsedByAProgramThatKnowsMore(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(1, 0)
	events[4].Type = "HairDye" // as long as NameSet
	m := factor.New()
	m.Apply(events, 0)
	file := encode(t, m)
	if _, _, err := factor.Decode(bytes.NewReader(file)); err != nil {
		t.Fatalf("by the same program: %v", err)
	}
	known := bytes.Replace(file, []byte("HairDye"), []byte("NameSet"), 1)
	refused(t, "a type that is known by now", seal(known[:len(known)-sha256.Size]))
}

// FuzzDecode: no file makes Decode fail in another way than ErrSnapshot, and
// one that it accepts is the very file that Encode writes, can be asked, and goes on.
// The checksum is made to fit, so that what is behind it is reached.
func FuzzDecode(f *testing.F) {
	m := factor.New()
	events := foldtest.Even(3, 2)
	events[7].Type = "HairDyed"
	m.Apply(events, 0)
	file := encode(f, m)
	f.Add(file[:len(file)-sha256.Size])
	f.Add(file[:60])
	f.Fuzz(func(t *testing.T, body []byte) {
		file := seal(body)
		m, at, err := factor.Decode(io.MultiReader(bytes.NewReader(file)))
		if err != nil {
			if !errors.Is(err, factor.ErrSnapshot) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		var again bytes.Buffer
		if err := m.Snapshot().Encode(&again, at.Event); err != nil || !bytes.Equal(again.Bytes(), file) {
			t.Fatalf("encoded again it is another file (%v)", err)
		}
		m.Snapshot().Changed(0, func(a factor.Answer) bool {
			if same := m.Lookup(a.Subject); same != a {
				t.Fatalf("asked for, somebody is %+v, and in turn %+v", same, a)
			}
			return true
		})
		m.Apply(foldtest.Even(4, 1), 0)
		m.Counts()
	})
}

func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

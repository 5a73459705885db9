package vault

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/keydesk/keydesk/domain"
)

// A Wanted is a value that GetMany is asked for.
type Wanted struct {
	Subject domain.SubjectID
	Kind    Kind
	Ref     domain.Ref
}

// An Opened is what GetMany says of one value: it, or the error that Get would
// have.
type Opened struct {
	Value []byte
	Err   error
}

// GetMany opens values of many persons, in as few questions as it takes, and
// checks each as Get does. It returns them in the same order; what is wrong with
// one is no matter to the others. Next to each other, those of one person cost
// less.
//
// The values belong to the caller, who does not keep them longer than needed.
func (v *Vault) GetMany(ctx context.Context, wanted ...Wanted) ([]Opened, error) {
	opened := make([]Opened, 0, len(wanted))
	for len(wanted) > 0 {
		n := min(len(wanted), asked)
		more, err := v.getMany(ctx, wanted[:n])
		if err != nil {
			for i := range opened {
				clear(opened[i].Value)
			}
			return nil, fmt.Errorf("get %d values: %w", len(wanted), err)
		}
		opened, wanted = append(opened, more...), wanted[n:]
	}
	return opened, nil
}

// asked is how many values one question asks for. It is always the same number, so
// that there is one prepared statement.
const asked = 256

var selectMany, selectPersons = func() (values, persons string) {
	var in strings.Builder
	for i := range asked {
		in.WriteString(", $" + strconv.Itoa(i+1))
	}
	list := "(" + in.String()[2:] + ")"
	return `SELECT ref, subject, kind, version, sealed, salt FROM value WHERE ref IN ` + list,
		`SELECT subject, erased = 1, key_id, wrapped FROM person WHERE subject IN ` + list
}()

// A storedValue is a row of the value table.
type storedValue struct {
	owner, sealed, salt []byte
	kind                string
	version             int64
}

// A storedPerson is a row of the person table.
type storedPerson struct {
	erased  bool
	keyID   string
	wrapped []byte
}

func (v *Vault) getMany(ctx context.Context, wanted []Wanted) ([]Opened, error) {
	refs, subjects := make([]any, asked), make([]any, asked)
	for i := range refs {
		w := &wanted[min(i, len(wanted)-1)] // the last fills what is left
		refs[i], subjects[i] = w.Ref.ID[:], w.Subject[:]
	}
	var values map[domain.RefID]storedValue
	var persons map[domain.SubjectID]storedPerson
	err := v.db.read(ctx, func(ctx context.Context, q querier) error {
		values, persons = make(map[domain.RefID]storedValue, len(wanted)), map[domain.SubjectID]storedPerson{}
		err := q.each(ctx, func(r row) error {
			var ref []byte
			var s storedValue
			err := r.Scan(&ref, &s.owner, &s.kind, &s.version, &s.sealed, &s.salt)
			if err == nil && len(ref) == len(domain.RefID{}) {
				values[domain.RefID(ref)] = s
			}
			return err
		}, selectMany, refs...)
		if err != nil {
			return err
		}
		// Whoever was erased in between has no key any more, and that is seen here.
		return q.each(ctx, func(r row) error {
			var subject []byte
			var s storedPerson
			err := r.Scan(&subject, &s.erased, &s.keyID, &s.wrapped)
			if err == nil && len(subject) == len(domain.SubjectID{}) {
				persons[domain.SubjectID(subject)] = s
			}
			return err
		}, selectPersons, subjects...)
	})
	if err != nil {
		return nil, err
	}
	opened := make([]Opened, len(wanted))
	var o opener
	defer o.close()
	for i := range wanted {
		w := &wanted[i]
		if opened[i].Value, opened[i].Err = o.open(v.keys, w, values, persons); opened[i].Err != nil {
			opened[i].Err = fmt.Errorf("get %s %s of %s: %w", w.Kind, w.Ref.ID, w.Subject, opened[i].Err)
		}
	}
	return opened, nil
}

// An opener keeps the key of the person whose value it opened last.
type opener struct {
	of  domain.SubjectID
	key *[keySize]byte
}

func (o *opener) close() {
	if o.key != nil {
		clear(o.key[:])
		o.key = nil
	}
}

func (o *opener) open(keys *Keys, w *Wanted, values map[domain.RefID]storedValue, persons map[domain.SubjectID]storedPerson) ([]byte, error) {
	who, known := persons[w.Subject]
	s, there := values[w.Ref.ID]
	switch {
	case !known:
		return nil, domain.ErrNotFound
	case who.erased:
		return nil, domain.ErrErased
	case !there:
		return nil, domain.ErrNotFound
	case string(s.owner) != string(w.Subject[:]), s.kind != string(w.Kind), s.version != int64(w.Ref.Version):
		return nil, ErrTampered
	}
	if o.key == nil || o.of != w.Subject {
		o.close()
		key, err := keys.unwrapPersonKey(w.Subject, who.keyID, who.wrapped)
		if err != nil {
			return nil, err
		}
		o.of, o.key = w.Subject, key
	}
	return place{ref: w.Ref.ID, subject: w.Subject, kind: w.Kind, version: w.Ref.Version}.open(o.key, s.sealed, s.salt, w.Ref.Commitment)
}

package lookup

import "github.com/keydesk/keydesk/domain/service"

// Scalar is what the tests of another package look at from inside.
var Scalar = scalar

// PublicKeyOf returns the public half of a derived key.
func PublicKeyOf(keys Keys, id, master string) (PublicKey, error) {
	s, err := newSigner(keys, service.Key{ID: id, Master: master})
	if err != nil {
		return PublicKey{}, err
	}
	return s.public()
}

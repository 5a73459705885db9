package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrBadHash says that something is not the PHC string of an Argon2id hash whose
// parameters are within bounds. It names the part, and nothing of its content.
var ErrBadHash = errors.New("not a password hash")

// Params are the costs of Argon2id (RFC 9106, section 3.1).
type Params struct {
	Memory  uint32 // in KiB
	Time    uint32 // passes over the memory
	Threads uint8  // lanes
}

// DefaultParams are the costs of a new hash: 64 MiB, three passes, one lane.
func DefaultParams() Params { return Params{Memory: 64 << 10, Time: 3, Threads: 1} }

// The bounds of a stored hash. They are checked before it is used, so that a
// foreign or forged one costs nobody their memory or their minute.
const (
	minMemory, maxMemory   = 8 << 10, 512 << 10 // KiB
	minTime, maxTime       = 1, 10
	minThreads, maxThreads = 1, 4
	minSalt, maxSalt       = 8, 64
	minHash, maxHash       = 16, 64
	maxPepperID            = 8 // what the PHC format allows for keyid
)

const (
	algorithm = "argon2id"
	version   = "v=19" // Argon2 1.3, the only one of RFC 9106
)

// Check says with ErrBadHash which cost is out of bounds: 8 to 512 MiB, 1 to
// 10 passes, 1 to 4 lanes.
func (p Params) Check() error {
	switch {
	case p.Memory < minMemory || p.Memory > maxMemory:
		return fmt.Errorf("%w: memory out of bounds", ErrBadHash)
	case p.Time < minTime || p.Time > maxTime:
		return fmt.Errorf("%w: passes out of bounds", ErrBadHash)
	case p.Threads < minThreads || p.Threads > maxThreads:
		return fmt.Errorf("%w: lanes out of bounds", ErrBadHash)
	}
	return nil
}

// A PHC is a stored password hash: what it cost, the id of the pepper (empty
// for a hash that was made without one), salt and hash.
type PHC struct {
	Params
	Pepper string
	Salt   []byte
	Hash   []byte
}

var b64 = base64.RawStdEncoding.Strict()

// String writes the hash in the PHC string format:
//
//	$argon2id$v=19$m=65536,t=3,p=1,keyid=cDE$<salt>$<hash>
//
// with keyid, salt and hash in base64 without padding.
func (p PHC) String() string {
	keyID := ""
	if p.Pepper != "" {
		keyID = ",keyid=" + b64.EncodeToString([]byte(p.Pepper))
	}
	return fmt.Sprintf("$%s$%s$m=%d,t=%d,p=%d%s$%s$%s", algorithm, version,
		p.Memory, p.Time, p.Threads, keyID, b64.EncodeToString(p.Salt), b64.EncodeToString(p.Hash))
}

// ParsePHC reads what String writes, and refuses with ErrBadHash everything
// else: another algorithm or version, parameters out of bounds or in another
// order, and any second way to write the same hash.
func ParsePHC(s string) (PHC, error) {
	field := strings.Split(s, "$")
	if len(field) != 6 || field[0] != "" {
		return PHC{}, fmt.Errorf("%w: not in the PHC string format", ErrBadHash)
	}
	if field[1] != algorithm || field[2] != version {
		return PHC{}, fmt.Errorf("%w: neither argon2id nor version 19", ErrBadHash)
	}
	p, err := parseParams(field[3])
	if err != nil {
		return PHC{}, err
	}
	if p.Salt, err = decode(field[4], minSalt, maxSalt); err != nil {
		return PHC{}, fmt.Errorf("%w: salt", ErrBadHash)
	}
	if p.Hash, err = decode(field[5], minHash, maxHash); err != nil {
		return PHC{}, fmt.Errorf("%w: hash", ErrBadHash)
	}
	return p, nil
}

func parseParams(s string) (PHC, error) {
	field := strings.Split(s, ",")
	if len(field) != 3 && len(field) != 4 {
		return PHC{}, fmt.Errorf("%w: parameters", ErrBadHash)
	}
	var cost [3]uint32
	for i, name := range [3]string{"m=", "t=", "p="} {
		digits, named := strings.CutPrefix(field[i], name)
		n, err := strconv.ParseUint(digits, 10, 31)
		if !named || err != nil || strconv.FormatUint(n, 10) != digits {
			return PHC{}, fmt.Errorf("%w: parameters", ErrBadHash)
		}
		cost[i] = uint32(n)
	}
	p := PHC{Params: Params{Memory: cost[0], Time: cost[1], Threads: uint8(min(cost[2], maxThreads+1))}}
	if err := p.Check(); err != nil {
		return PHC{}, err
	}
	if len(field) == 4 {
		id, named := strings.CutPrefix(field[3], "keyid=")
		b, err := decode(id, 1, maxPepperID)
		if !named || err != nil {
			return PHC{}, fmt.Errorf("%w: key id", ErrBadHash)
		}
		p.Pepper = string(b)
	}
	return p, nil
}

// decode reads base64 of which there is only one way to write it.
func decode(s string, least, most int) ([]byte, error) {
	if len(s) > b64.EncodedLen(most) || strings.ContainsAny(s, "\r\n") {
		return nil, ErrBadHash
	}
	b, err := b64.DecodeString(s)
	if err != nil || len(b) < least {
		return nil, ErrBadHash
	}
	return b, nil
}

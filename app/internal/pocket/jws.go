package pocket

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// maxMessage bounds a signed message, in bytes. An honest one has about 900.
const maxMessage = 4096

var (
	// errMalformed: not a message of the protocol.
	errMalformed = errors.New("malformed message")
	// errSignature: the form is right, the signature is not that of the key.
	errSignature = errors.New("wrong signature")
)

// A message is a signed message whose signature fits the key it carries.
type message struct {
	key        []byte // canonical JWK
	thumbprint string
	fields     map[string]json.RawMessage // of the payload
}

// open reads a compact JWS (RFC 7515 section 7.1) of the given type and checks
// its signature against the key in its own header. That proves possession of
// the key and nothing else: whose key it is, the proof and the six digits say.
//
// It takes one form only: header members alg (ES256), typ and jwk and no
// others (so no crit, kid, x5u, jku …); a public P-256 key with kty, crv, x
// and y and no others; a signature of 64 bytes; strict base64url; no member
// twice. Errors are errMalformed or errSignature and hold nothing of the
// message.
func open(compact []byte, typ string) (message, error) {
	if len(compact) > maxMessage {
		return message{}, fmt.Errorf("%w: size", errMalformed)
	}
	parts := bytes.Split(compact, []byte("."))
	if len(parts) != 3 {
		return message{}, fmt.Errorf("%w: %d parts", errMalformed, len(parts))
	}
	var decoded [3][]byte
	for i, p := range parts {
		b, err := strictBase64(string(p))
		if err != nil {
			return message{}, fmt.Errorf("%w: base64url of part %d", errMalformed, i)
		}
		decoded[i] = b
	}
	key, public, err := readHeader(decoded[0], typ)
	if err != nil {
		return message{}, err
	}
	if len(decoded[2]) != 64 { // RFC 7518 section 3.4
		return message{}, fmt.Errorf("%w: length of the signature", errMalformed)
	}
	payload, err := jws.VerifyCompactFast(public, compact, jwa.ES256())
	if err != nil {
		return message{}, errSignature
	}
	fields, err := object(payload)
	if err != nil {
		return message{}, fmt.Errorf("%w: payload", errMalformed)
	}
	return message{key: key, thumbprint: pairing.Thumbprint(key), fields: fields}, nil
}

// readHeader returns the header's key, canonical and usable.
func readHeader(header []byte, typ string) ([]byte, *ecdsa.PublicKey, error) {
	fields, err := object(header)
	if err != nil || !only(fields, "alg", "typ", "jwk") {
		return nil, nil, fmt.Errorf("%w: members of the header", errMalformed)
	}
	if text(fields["alg"]) != "ES256" || text(fields["typ"]) != typ {
		return nil, nil, fmt.Errorf("%w: alg or typ", errMalformed)
	}
	return readKey(fields["jwk"])
}

// readKey takes a public P-256 key whose point lies on the curve.
func readKey(raw []byte) ([]byte, *ecdsa.PublicKey, error) {
	fields, err := object(raw)
	if err != nil || !only(fields, "kty", "crv", "x", "y") ||
		text(fields["kty"]) != "EC" || text(fields["crv"]) != "P-256" {
		return nil, nil, fmt.Errorf("%w: members of the key", errMalformed)
	}
	x, y := text(fields["x"]), text(fields["y"])
	for _, c := range []string{x, y} {
		if b, err := strictBase64(c); err != nil || len(b) != 32 { // RFC 7518 section 6.2.1.2
			return nil, nil, fmt.Errorf("%w: coordinates of the key", errMalformed)
		}
	}
	canonical := pairing.CanonicalKey(x, y)
	parsed, err := jwk.ParseKey(canonical)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: key", errMalformed)
	}
	var public ecdsa.PublicKey
	if err := jwk.Export(parsed, &public); err != nil {
		return nil, nil, fmt.Errorf("%w: key", errMalformed)
	}
	if _, err := public.ECDH(); err != nil {
		return nil, nil, fmt.Errorf("%w: the key is no point of the curve", errMalformed)
	}
	return canonical, &public, nil
}

// The members of each payload.
var (
	claimMembers  = []string{"aud", "pairing", "proof", "label", "iat", "jti"}
	statusMembers = []string{"aud", "pairing", "iat", "jti"}
	finishMembers = []string{"aud", "pairing", "nonce", "iat", "jti"}
	askMembers    = []string{"aud", "subject", "device", "nonce", "iat", "jti"}
	decideMembers = []string{"aud", "subject", "device", "challenge", "nonce", "digits", "context", "answer", "iat", "jti"}
)

// check makes sure that the payload has exactly these members, and that those
// that every message has are well-formed and meant for this service. iat has
// to be a time and is otherwise ignored: phones' clocks are wrong.
func (m message) check(audience string, members []string) error {
	if !only(m.fields, members...) {
		return fmt.Errorf("%w: members of the payload", errMalformed)
	}
	var iat int64
	if json.Unmarshal(m.fields["iat"], &iat) != nil || iat < 0 {
		return fmt.Errorf("%w: iat", errMalformed)
	}
	if !pairing.IsToken(m.text("jti")) {
		return fmt.Errorf("%w: jti", errMalformed)
	}
	if _, of := m.fields["pairing"]; of && !pairing.IsID(m.text("pairing")) {
		return fmt.Errorf("%w: pairing", errMalformed)
	}
	if m.text("aud") != audience {
		return errAudience
	}
	return nil
}

func (m message) text(member string) string { return text(m.fields[member]) }

// claim reads the members of a claim.
func (m message) claim(audience string) (pairing.Claim, error) {
	if err := m.check(audience, claimMembers); err != nil {
		return pairing.Claim{}, err
	}
	proof, err := strictBase64(m.text("proof"))
	if err != nil || len(proof) != 32 {
		return pairing.Claim{}, fmt.Errorf("%w: proof", errMalformed)
	}
	label := m.text("label")
	if !goodLabel(label) {
		return pairing.Claim{}, fmt.Errorf("%w: label", errMalformed)
	}
	return pairing.Claim{
		Pairing: m.text("pairing"), Thumbprint: m.thumbprint, Key: m.key,
		Proof: proof, Label: label, JTI: m.text("jti"),
	}, nil
}

// finish reads the members of a finish.
func (m message) finish(audience string) (pairing.Finish, error) {
	if err := m.check(audience, finishMembers); err != nil {
		return pairing.Finish{}, err
	}
	nonce := m.text("nonce")
	if !pairing.IsToken(nonce) {
		return pairing.Finish{}, fmt.Errorf("%w: nonce", errMalformed)
	}
	return pairing.Finish{
		Pairing: m.text("pairing"), Thumbprint: m.thumbprint, Key: m.key, Nonce: nonce, JTI: m.text("jti"),
	}, nil
}

// ask reads the members of a question what waits.
func (m message) ask(audience string) (pairing.Ask, error) {
	if err := m.check(audience, askMembers); err != nil {
		return pairing.Ask{}, err
	}
	if err := m.checkDevice(); err != nil {
		return pairing.Ask{}, err
	}
	return pairing.Ask{
		Subject: m.text("subject"), Device: m.text("device"), Thumbprint: m.thumbprint,
		Nonce: m.text("nonce"), JTI: m.text("jti"),
	}, nil
}

// decision reads the members of a decision. Digits come with an approval, and
// with nothing else.
func (m message) decision(audience string) (pairing.Decision, error) {
	if err := m.check(audience, decideMembers); err != nil {
		return pairing.Decision{}, err
	}
	if err := m.checkDevice(); err != nil {
		return pairing.Decision{}, err
	}
	d := pairing.Decision{
		Subject: m.text("subject"), Device: m.text("device"), Thumbprint: m.thumbprint,
		Challenge: m.text("challenge"), Nonce: m.text("nonce"), Digits: m.text("digits"),
		Context: m.text("context"), Answer: pairing.Answer(m.text("answer")), JTI: m.text("jti"),
	}
	if !pairing.IsID(d.Challenge) {
		return pairing.Decision{}, fmt.Errorf("%w: challenge", errMalformed)
	}
	if b, err := strictBase64(d.Context); err != nil || len(b) != 32 {
		return pairing.Decision{}, fmt.Errorf("%w: context", errMalformed)
	}
	switch d.Answer {
	case pairing.Approve:
		if !pairing.AreDigits(d.Digits) {
			return pairing.Decision{}, fmt.Errorf("%w: digits", errMalformed)
		}
	case pairing.Deny, pairing.NotMe:
		if string(m.fields["digits"]) != `""` {
			return pairing.Decision{}, fmt.Errorf("%w: digits without an approval", errMalformed)
		}
	default:
		return pairing.Decision{}, fmt.Errorf("%w: answer", errMalformed)
	}
	return d, nil
}

// checkDevice checks what a message of a paired phone says of itself. A subject
// has one form, the one that the account of the pairing had.
func (m message) checkDevice() error {
	if id, err := domain.ParseSubjectID(m.text("subject")); err != nil || id.String() != m.text("subject") {
		return fmt.Errorf("%w: subject", errMalformed)
	}
	if !pairing.IsToken(m.text("device")) || !pairing.IsToken(m.text("nonce")) {
		return fmt.Errorf("%w: device or nonce", errMalformed)
	}
	return nil
}

// goodLabel takes 1 to pairing.MaxLabel printable characters: a label is shown
// to people and may not turn or hide the text around it.
func goodLabel(s string) bool {
	n := utf8.RuneCountInString(s)
	if n == 0 || n > pairing.MaxLabel || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return true
}

// strictBase64 decodes base64url without padding, line breaks or stray bits,
// so that each value has one form.
func strictBase64(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != s {
		return nil, errMalformed
	}
	return b, nil
}

// object reads one JSON object. Names are compared exactly and none may come
// twice: two readers of one message must never see different things.
func object(b []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, errMalformed
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errMalformed
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errMalformed
		}
		var value json.RawMessage
		if _, twice := fields[name]; twice || d.Decode(&value) != nil {
			return nil, errMalformed
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errMalformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errMalformed
	}
	return fields, nil
}

func only(fields map[string]json.RawMessage, names ...string) bool {
	for name := range fields {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return len(fields) == len(names)
}

// text returns a JSON string, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

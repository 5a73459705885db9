package vault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxEmail is the length of the longest address, in bytes (RFC 5321 section
// 4.5.3.1.3, the path without its angle brackets).
const maxEmail = 254

// domains maps a domain name as a browser does (UTS 46, not transitional), so
// that all spellings of one domain become the same ASCII name.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true))

// NormalEmail returns the one spelling under which an address is claimed and
// counted: without white space around it, in Unicode NFC and lower case, the
// domain in ASCII (IDNA) and without a dot at its end. The part before the @ is
// lowered as well: RFC 5321 section 2.4 allows a server to tell Jan@ from jan@,
// none does, and two persons for one mailbox would be worse. Nothing else is
// folded: "jan+x" and "jan" are two addresses.
//
// Something that cannot be an address is ErrBadEmail.
func NormalEmail(email string) (string, error) {
	if !utf8.ValidString(email) {
		return "", fmt.Errorf("%w: not UTF-8", ErrBadEmail)
	}
	email = lower(strings.TrimSpace(email))
	at := strings.LastIndexByte(email, '@')
	if at < 1 {
		return "", fmt.Errorf("%w: no @ between two parts", ErrBadEmail)
	}
	local, host := email[:at], strings.TrimSuffix(email[at+1:], ".")
	if strings.ContainsFunc(local, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '@' }) {
		return "", fmt.Errorf("%w: a character that no address has", ErrBadEmail)
	}
	host, err := domains.ToASCII(host)
	if err != nil || host == "" || strings.HasSuffix(host, ".") {
		return "", fmt.Errorf("%w: no domain name behind the @", ErrBadEmail) // err would repeat the domain
	}
	normal := local + "@" + host
	if len(normal) > maxEmail {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrBadEmail, maxEmail)
	}
	return normal, nil
}

// lower is lower case in NFC. Some letters compose only once they are lowered.
func lower(s string) string { return norm.NFC.String(strings.ToLower(norm.NFC.String(s))) }

// EmailIndexKeyed returns the keyed hash under which an address is claimed: the
// same for all spellings that NormalEmail makes one. Without the vault's key
// nobody can tell which address it belongs to. What is not an address has a
// hash as well, of itself in lower case, that no claim has.
func (v *Vault) EmailIndexKeyed(email string) [32]byte {
	normal, err := NormalEmail(email)
	if err != nil {
		return keyedHash(&v.index.email, "not an address", lower(strings.TrimSpace(email)))
	}
	return keyedHash(&v.index.email, normal)
}

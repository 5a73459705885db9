package pairing

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Errors of QR codes and public URLs.
var (
	// ErrBadQR: the content of a QR code is not one of ours.
	ErrBadQR = errors.New("not a pairing QR code")
	// ErrBadURL: phones cannot use this public URL.
	ErrBadURL = errors.New("not a public URL for phones")
)

// maxURL bounds the public URL so that a QR code stays easy to scan.
const maxURL = 200

// A QR is what a pairing's QR code says. The secret stands in the fragment,
// which browsers never send to a server.
type QR struct {
	PublicURL string // as CheckPublicURL returns it
	Pairing   string
	Secret    string
}

// String returns the content of the QR code:
// <public url>/p/#1.<pairing id>.<secret>.
func (q QR) String() string {
	return q.PublicURL + "/p/#1." + q.Pairing + "." + q.Secret
}

// ParseQR reads the content of a QR code. It accepts exactly what String
// writes; all else is ErrBadQR.
func ParseQR(content string) (QR, error) {
	base, fragment, ok := strings.Cut(content, "/p/#1.")
	if !ok {
		return QR{}, fmt.Errorf("%w: no fragment", ErrBadQR)
	}
	public, err := CheckPublicURL(base)
	if err != nil || public != base {
		return QR{}, fmt.Errorf("%w: address", ErrBadQR)
	}
	id, secret, ok := strings.Cut(fragment, ".")
	if !ok || !IsID(id) || !IsToken(secret) {
		return QR{}, fmt.Errorf("%w: pairing", ErrBadQR)
	}
	return QR{PublicURL: public, Pairing: id, Secret: secret}, nil
}

// CheckPublicURL returns the address at which phones reach the service in its
// one form: scheme, host in lower case and port, without a final slash. It has
// to be https, because browsers give keys to secure contexts only; http is
// taken for loopback hosts. Paths, users and queries are refused. Errors wrap
// ErrBadURL.
func CheckPublicURL(s string) (string, error) {
	if len(s) > maxURL {
		return "", fmt.Errorf("%w: more than %d characters", ErrBadURL, maxURL)
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil {
		return "", fmt.Errorf("%w: cannot be read", ErrBadURL)
	}
	host := strings.ToLower(u.Host)
	plain := url.URL{Scheme: u.Scheme, Host: host}
	switch {
	case u.Hostname() == "" || strings.HasSuffix(host, ":"):
		return "", fmt.Errorf("%w: no host", ErrBadURL)
	case u.Path != "":
		return "", fmt.Errorf("%w: it may not have a path", ErrBadURL)
	case !strings.EqualFold(u.String(), plain.String()):
		return "", fmt.Errorf("%w: only scheme, host and port", ErrBadURL)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(strings.ToLower(u.Hostname())):
		return withoutDefaultPort(plain).String(), nil
	}
	return "", fmt.Errorf("%w: https is needed, except on loopback", ErrBadURL)
}

// withoutDefaultPort drops :443 and :80, as browsers do in an origin.
func withoutDefaultPort(u url.URL) *url.URL {
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return &u
}

// isLoopback follows what browsers take for a secure context without TLS (W3C
// Secure Contexts, section 3.1).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

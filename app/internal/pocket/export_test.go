package pocket

import (
	"crypto/tls"
	"time"
)

// NewCertificate lets tests turn the clock.
func NewCertificate(certFile, keyFile string, now func() time.Time) *Certificate {
	return &Certificate{certificate{certFile: certFile, keyFile: keyFile, now: now}}
}

// A Certificate is what ListenTLS reads its certificate with.
type Certificate struct{ c certificate }

// Get returns the certificate in force.
func (c *Certificate) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.c.get(hello)
}

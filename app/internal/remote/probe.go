package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
)

// Probe looks whether a server of this installation answers stations at an
// address, host and port, under a name that they know it by. ErrStranger: another
// program does, or under other names.
func (a *Authority) Probe(ctx context.Context, address, name string) error {
	roots := x509.NewCertPool()
	for _, c := range a.certs {
		roots.AddCert(c)
	}
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, ServerName: name, RootCAs: roots, Time: a.now}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		return conn.Close()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Errorf("look for the stations' service: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrStranger, err)
}

package home

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"time"
)

// api looks whether the login service would be answered.
func (d *doctor) api(ctx context.Context) Diagnosis {
	set := d.set.API
	if set.Listen == "" {
		return skipped("the login service is not answered here: api.listen is empty")
	}
	scheme := "http"
	if set.TLSCert != "" {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+fromHere(set.Listen)+"/readyz", nil)
	if err != nil {
		return bad("mend api.listen", "%s", err)
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		// The certificate is for the name that others use. Nothing is told to
		// whoever answers, and nothing believed but that somebody does.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // G402: see above
	}}
	answer, err := client.Do(r)
	if err != nil {
		return bad("start keydeskd serve", "%s", err)
	}
	says, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	_ = answer.Body.Close() // only read
	switch {
	case err != nil:
		return bad("start keydeskd serve anew", "%s", err)
	case answer.StatusCode != http.StatusOK:
		return bad("see what the check of the log says; else start keydeskd serve anew", "not ready: %s", strings.TrimSpace(string(says)))
	}
	if answer.TLS != nil {
		if left := answer.TLS.PeerCertificates[0].NotAfter.Sub(d.now()); left < 14*24*time.Hour {
			return warn("renew the certificate", "the certificate ends in %d days", int(left.Hours()/24))
		}
	}
	return well("the login service is answered at %s", set.Listen)
}

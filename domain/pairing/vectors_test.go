package pairing_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain/pairing"
)

// vectors is testdata/vectors.json. The page's test reads the same file.
type vectors struct {
	Claims []struct {
		Shown, Pairing, X, Y, Thumbprint, Proof, Nonce, Digits string
	}
	Codes     []struct{ Typed, Code, Formatted, Locator string }
	QRs       []struct{ Content, PublicURL, Pairing, Secret string }
	BadQR     []string
	Approvals []struct {
		Challenge, Portal, Organisation, Client, From string
		Change                                        bool
		Asked                                         int64
		Context                                       string
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Claims {
		equal(t, "thumbprint", pairing.Thumbprint(pairing.CanonicalKey(c.X, c.Y)), c.Thumbprint)
		proof := pairing.ClaimProof(c.Shown, c.Pairing, c.Thumbprint)
		equal(t, "proof", base64.RawURLEncoding.EncodeToString(proof), c.Proof)
		equal(t, "digits", pairing.Digits(c.Pairing, c.Thumbprint, c.Nonce), c.Digits)
	}
	for _, c := range v.Codes {
		code, err := pairing.NormaliseCode(c.Typed)
		if c.Code == "" {
			if err == nil {
				t.Errorf("code %q: taken as %q", c.Typed, code)
			}
			continue
		}
		equal(t, "code", code, c.Code)
		equal(t, "formatted", pairing.FormatCode(code), c.Formatted)
		equal(t, "locator", pairing.Locator(code), c.Locator)
	}
	for _, c := range v.QRs {
		q, err := pairing.ParseQR(c.Content)
		if err != nil || q != (pairing.QR{PublicURL: c.PublicURL, Pairing: c.Pairing, Secret: c.Secret}) {
			t.Errorf("QR %q: %+v, %v", c.Content, q, err)
		}
	}
	for _, c := range v.Approvals {
		a := pairing.Approval{
			Challenge: c.Challenge, Portal: c.Portal, Organisation: c.Organisation, Client: c.Client, From: c.From,
			Change: c.Change, Asked: time.Unix(c.Asked, 0),
		}
		equal(t, "context", a.Context(), c.Context)
	}
	for _, c := range v.BadQR {
		if q, err := pairing.ParseQR(c); err == nil {
			t.Errorf("QR %q: taken as %+v", c, q)
		}
	}
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

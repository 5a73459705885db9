package courier

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// WebhookConfig is a gateway of the organisation's own.
//
// It is sent a POST of {"id":…,"to":"+31612345678","text":…} with two headers:
// Keydesk-Timestamp, Unix seconds, and Keydesk-Signature, "v1=" and the
// hexadecimal HMAC-SHA256 under the secret of the timestamp, a full stop and
// the body. The receiver checks both, and that the time is not long ago.
//
// It answers 2xx once it has taken the message over, and may name its own id
// as {"id":…}. To refuse it answers 4xx, and may say why as {"error":…} with
// one of the codes of Reason. Anything else counts as an unknown outcome.
type WebhookConfig struct {
	Endpoint // the URL is required

	Secret string // at least 16 bytes
}

type webhook struct {
	*gateway
	secret []byte
	now    func() time.Time
}

// NewWebhook returns the provider "webhook".
func NewWebhook(c WebhookConfig) (Provider, error) {
	g, err := newGateway("webhook", c.Endpoint, "")
	if err != nil {
		return nil, err
	}
	if len(c.Secret) < 16 {
		return nil, errors.New("webhook: the secret is shorter than 16 bytes")
	}
	return &webhook{gateway: g, secret: []byte(c.Secret), now: time.Now}, nil
}

func (w *webhook) Name() string { return w.name }

type webhookRequest struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	Text string `json:"text"`
}

type webhookAnswer struct {
	ID    string `json:"id"`
	Error Reason `json:"error"`
}

// Send implements Provider.
func (w *webhook) Send(ctx context.Context, number, text, reference string) (Receipt, error) {
	body, err := json.Marshal(webhookRequest{ID: reference, To: number, Text: text})
	if err != nil {
		return Receipt{}, err
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	a, err := w.post(ctx, http.Header{
		"Content-Type":      {"application/json"},
		"Keydesk-Timestamp": {at},
		"Keydesk-Signature": {"v1=" + sign(w.secret, at, body)},
	}, body)
	if err != nil {
		return Receipt{}, err
	}
	id, err := w.read(a)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Provider: w.name, ID: providerID(id, number, reference)}, nil
}

func sign(secret []byte, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (w *webhook) read(a answer) (string, error) {
	var got webhookAnswer
	_ = json.Unmarshal(a.body, &got) // the body is optional
	if a.status >= 400 && a.status < 500 {
		switch got.Error {
		case InvalidRecipient, Blocked, NoCredit, RateLimited, Unsupported, Auth, Misconfigured, Busy, Refused:
			return "", w.reject(a, got.Error)
		case Unreachable, Unknown: // not for it to say
		}
	}
	return got.ID, w.judge(a)
}

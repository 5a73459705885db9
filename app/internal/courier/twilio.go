package courier

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// TwilioConfig is an account at Twilio (API 2010-04-01).
type TwilioConfig struct {
	Endpoint // the URL, where given, ends before /Accounts/…

	AccountSID string // AC and 32 hexadecimal digits
	AuthToken  string
	From       string // a number, or a sender name where the country allows one
}

type twilio struct {
	*gateway
	authorization, from string
}

var accountForm = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)

// NewTwilio returns the provider "twilio".
func NewTwilio(c TwilioConfig) (Provider, error) {
	if !accountForm.MatchString(c.AccountSID) {
		return nil, errors.New("twilio: an account SID is AC and 32 hexadecimal digits")
	}
	if c.URL == "" {
		c.URL = "https://api.twilio.com/2010-04-01"
	}
	c.URL += "/Accounts/" + c.AccountSID + "/Messages.json"
	g, err := newGateway("twilio", c.Endpoint, c.URL)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(needs(g.name, "auth token", c.AuthToken), needs(g.name, "sender", c.From)); err != nil {
		return nil, err
	}
	basic := base64.StdEncoding.EncodeToString([]byte(c.AccountSID + ":" + c.AuthToken))
	return &twilio{gateway: g, authorization: "Basic " + basic, from: c.From}, nil
}

func (t *twilio) Name() string { return t.name }

// twilioAnswer is either a message that was made, or an error with its code.
type twilioAnswer struct {
	SID       string `json:"sid"`
	ErrorCode int    `json:"error_code"` // of a message
	Code      int    `json:"code"`       // of an error
}

// Send implements Provider.
func (t *twilio) Send(ctx context.Context, number, text, reference string) (Receipt, error) {
	form := url.Values{"To": {number}, "From": {t.from}, "Body": {text}}
	a, err := t.post(ctx, http.Header{
		"Content-Type":  {"application/x-www-form-urlencoded"},
		"Authorization": {t.authorization},
	}, []byte(form.Encode()))
	if err != nil {
		return Receipt{}, err
	}
	sid, err := t.read(a)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Provider: t.name, ID: providerID(sid, number, reference)}, nil
}

// Check asks for the account, which shows whether the token is its own and the
// account active, and sends nothing.
func (t *twilio) Check(ctx context.Context) error {
	a, err := t.get(ctx, strings.TrimSuffix(t.url, "/Messages.json")+".json", http.Header{"Authorization": {t.authorization}})
	if err != nil {
		return err
	}
	if err := t.judge(a); err != nil {
		return err
	}
	var account struct{ Status string }
	switch {
	case json.Unmarshal(a.body, &account) != nil || account.Status == "":
		return t.garbled(a)
	case account.Status != "active":
		return t.reject(a, Auth)
	}
	return nil
}

func (t *twilio) read(a answer) (string, error) {
	var got twilioAnswer
	err := json.Unmarshal(a.body, &got)
	if err == nil && a.status < 500 {
		code := got.Code
		if code == 0 {
			code = got.ErrorCode
		}
		if reason := twilioReason(code); reason != "" {
			return "", t.reject(a, reason)
		}
	}
	if err := t.judge(a); err != nil {
		return "", err
	}
	if err != nil || got.SID == "" {
		return "", t.garbled(a)
	}
	return got.SID, nil
}

// twilioReason maps the error codes of Twilio's REST API that a send may meet.
// For all others the status speaks.
func twilioReason(code int) Reason {
	switch code {
	case 20003, 20005: // authentication; account not active
		return Auth
	case 20429, 14107, 63038: // too many requests; messages; messages a day
		return RateLimited
	case 21211, 21217, 21614, 21635: // not a number; not a mobile one; a landline
		return InvalidRecipient
	case 21610: // the recipient said STOP
		return Blocked
	case 21408, 21612, 21215, 21216: // region not enabled; no route; geo permissions
		return Unsupported
	case 21212, 21603, 21606, 21607, 21659, 21660, 21661: // the sender
		return Misconfigured
	}
	return ""
}

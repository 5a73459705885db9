package courier

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// CMConfig is an account at CM.com (Business Messaging API 1.0).
type CMConfig struct {
	Endpoint

	ProductToken string
	From         string // at most 11 letters and digits, or a number
}

type cm struct {
	*gateway
	token, from string
}

// NewCM returns the provider "cm".
func NewCM(c CMConfig) (Provider, error) {
	g, err := newGateway("cm", c.Endpoint, "https://gw.messaging.cm.com/v1.0/message")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(needs(g.name, "product token", c.ProductToken), needs(g.name, "sender", c.From)); err != nil {
		return nil, err
	}
	return &cm{gateway: g, token: c.ProductToken, from: c.From}, nil
}

func (c *cm) Name() string { return c.name }

type cmRequest struct {
	Messages struct {
		Msg []cmMessage `json:"msg"`
	} `json:"messages"`
}

type cmMessage struct {
	AllowedChannels []string   `json:"allowedChannels"`
	From            string     `json:"from"`
	To              []cmNumber `json:"to"`
	Body            cmBody     `json:"body"`
	Reference       string     `json:"reference"`
}

type cmNumber struct {
	Number string `json:"number"` // with 00, without +
}

type cmBody struct {
	Type    string `json:"type"`
	Content string `json:"content"`
}

// cmAnswer is the answer, as far as it matters. CM.com gives a message no id of
// its own: its reports come back with our reference.
type cmAnswer struct {
	ErrorCode *int `json:"errorCode"`
	Messages  []struct {
		Status           string `json:"status"`
		MessageErrorCode int    `json:"messageErrorCode"`
	} `json:"messages"`
}

// Send implements Provider.
func (c *cm) Send(ctx context.Context, number, text, reference string) (Receipt, error) {
	var r cmRequest
	r.Messages.Msg = []cmMessage{{
		AllowedChannels: []string{"SMS"},
		From:            c.from,
		To:              []cmNumber{{"00" + number[1:]}},
		Body:            cmBody{Type: "auto", Content: text},
		Reference:       reference,
	}}
	body, err := json.Marshal(r)
	if err != nil {
		return Receipt{}, err
	}
	a, err := c.post(ctx, http.Header{
		"Content-Type":      {"application/json"},
		"X-Cm-Producttoken": {c.token},
	}, body)
	if err != nil {
		return Receipt{}, err
	}
	if err := c.read(a); err != nil {
		return Receipt{}, err
	}
	return Receipt{Provider: c.name, ID: reference}, nil
}

// read finds out what became of the one message: it has its own code where the
// request as a whole was read, else the request's code counts.
func (c *cm) read(a answer) error {
	var got cmAnswer
	if json.Unmarshal(a.body, &got) != nil || got.ErrorCode == nil || a.status >= 500 {
		if err := c.judge(a); err != nil {
			return err
		}
		return c.garbled(a)
	}
	code := *got.ErrorCode
	if len(got.Messages) == 1 {
		if got.Messages[0].Status == "Accepted" && got.Messages[0].MessageErrorCode == 0 {
			return nil
		}
		if own := got.Messages[0].MessageErrorCode; own != 0 {
			code = own
		}
	}
	if reason := cmReason(code); reason != "" {
		return c.reject(a, reason)
	}
	if err := c.judge(a); err != nil {
		return err
	}
	return c.garbled(a)
}

// cmReason maps the error codes of CM.com's JSON gateway. Those that leave
// open what happened (0, 500 internal, 999 unknown) give nothing.
func cmReason(code int) Reason {
	switch code {
	case 101, 103:
		return Auth
	case 102:
		return NoCredit
	case 301:
		return Misconfigured
	case 302, 303:
		return InvalidRecipient
	case 402:
		return Blocked
	case 201, 202, 203, 304, 305, 401, 403:
		return Refused
	}
	return ""
}

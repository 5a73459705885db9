package courier

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// SpryngConfig is an account at Spryng (REST API v1).
type SpryngConfig struct {
	Endpoint

	Token      string
	Originator string // at most 11 letters and digits, or a number
	Route      string // empty: "business"
}

type spryng struct {
	*gateway
	token, originator, route string
}

// NewSpryng returns the provider "spryng".
func NewSpryng(c SpryngConfig) (Provider, error) {
	g, err := newGateway("spryng", c.Endpoint, "https://rest.spryngsms.com/v1/messages")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(needs(g.name, "token", c.Token), needs(g.name, "originator", c.Originator)); err != nil {
		return nil, err
	}
	if c.Route == "" {
		c.Route = "business"
	}
	return &spryng{gateway: g, token: c.Token, originator: c.Originator, route: c.Route}, nil
}

func (s *spryng) Name() string { return s.name }

type spryngRequest struct {
	Body       string   `json:"body"`
	Encoding   string   `json:"encoding"`
	Originator string   `json:"originator"`
	Recipients []string `json:"recipients"` // digits only
	Route      string   `json:"route"`
}

// spryngAnswer is either a message that was made, or which fields are wrong.
type spryngAnswer struct {
	ID     string                     `json:"id"`
	Errors map[string]json.RawMessage `json:"errors"`
}

// Send implements Provider.
func (s *spryng) Send(ctx context.Context, number, text, reference string) (Receipt, error) {
	body, err := json.Marshal(spryngRequest{
		Body: text, Encoding: "auto", Originator: s.originator,
		Recipients: []string{number[1:]}, Route: s.route,
	})
	if err != nil {
		return Receipt{}, err
	}
	a, err := s.post(ctx, http.Header{
		"Content-Type":  {"application/json"},
		"Authorization": {"Bearer " + s.token},
	}, body)
	if err != nil {
		return Receipt{}, err
	}
	id, err := s.read(a)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Provider: s.name, ID: providerID(id, number, reference)}, nil
}

// read returns the id of the message. A request that does not fit is answered
// with 422 and the names of the fields at fault.
func (s *spryng) read(a answer) (string, error) {
	var got spryngAnswer
	err := json.Unmarshal(a.body, &got)
	if a.status == http.StatusUnprocessableEntity && err == nil {
		for field := range got.Errors {
			switch field {
			case "recipients", "recipients.0":
				return "", s.reject(a, InvalidRecipient)
			case "originator", "route":
				return "", s.reject(a, Misconfigured)
			}
		}
	}
	if err := s.judge(a); err != nil {
		return "", err
	}
	if err != nil || got.ID == "" {
		return "", s.garbled(a)
	}
	return got.ID, nil
}

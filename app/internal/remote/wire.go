package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/history"
)

const (
	pathPrefix  = "/station/v1/"
	callHeader  = "Keydesk-Call"
	contentType = "application/x-ndjson"

	maxAsk  = 16 << 10 // bytes of a question
	maxLine = 4 << 20  // bytes of a line of an answer: a page of the longest names, all open cases, or a part of a bundle
)

// An ask is what a use case is asked with; each needs some of it.
type ask struct {
	Visit    string `json:"visit,omitempty"`
	Seen     uint64 `json:"seen,omitempty"` // the version of a view
	Email    string `json:"email,omitempty"`
	Lang     string `json:"lang,omitempty"`
	Name     string `json:"name,omitempty"`
	Password string `json:"password,omitempty"`
	Code     string `json:"code,omitempty"`
	Number   string `json:"number,omitempty"`
	Change   string `json:"change,omitempty"` // under Mijn gegevens
	Loss     string `json:"loss,omitempty"`   // of a phone
	Why      string `json:"why,omitempty"`
	Version  string `json:"version,omitempty"` // of the station's program
	Request  []byte `json:"request,omitempty"` // for a certificate, PKCS #10 (RFC 2986)

	// Of staff:
	Shift    string              `json:"shift,omitempty"`
	Subject  string              `json:"subject,omitempty"`
	Field    string              `json:"field,omitempty"`
	Board    *desk.BoardQuery    `json:"board,omitempty"`
	Timeline *desk.TimelineQuery `json:"timeline,omitempty"`

	Case      string            `json:"case,omitempty"`
	Challenge string            `json:"challenge,omitempty"`
	Action    *desk.CaseRequest `json:"action,omitempty"`

	Audit *auditAsk `json:"audit,omitempty"` // of an auditor
}

// An answer is a line of one. A refusal may come with a view, as it does from
// desk.
type answer struct {
	Waiting bool          `json:"waiting,omitempty"` // this is not the last line
	Refusal *desk.Refusal `json:"refusal,omitempty"`
	// Barred is why the station is not given what it asked for, now or ever.
	Barred station.RefusalReason `json:"barred,omitempty"`

	View  *desk.View      `json:"view,omitempty"`
	Text  string          `json:"text,omitempty"`
	Story []history.Entry `json:"story,omitempty"`
	Hello *Hello          `json:"hello,omitempty"`

	Seen     uint64             `json:"seen,omitempty"` // the position of the board
	Shift    *desk.Shift        `json:"shift,omitempty"`
	Board    *desk.BoardPage    `json:"board,omitempty"`
	Person   *desk.PersonView   `json:"person,omitempty"`
	Timeline *desk.TimelinePage `json:"timeline,omitempty"`
	Kiosks   []desk.Kiosk       `json:"kiosks,omitempty"`
	CaseView *desk.CaseView     `json:"case,omitempty"`
	Cases    []desk.CaseRow     `json:"cases,omitempty"`
	Caller   *desk.CallerView   `json:"caller,omitempty"`
	Number   *desk.PhoneView    `json:"number,omitempty"`

	Audit *auditAnswer `json:"audit,omitempty"`

	Trouble bool `json:"trouble,omitempty"`
	// A certificate, and the authorities to know servers by from now on, DER.
	Certificate []byte   `json:"certificate,omitempty"`
	Authorities [][]byte `json:"authorities,omitempty"`
}

// Hello is what a server tells a station of the installation that it is part of.
type Hello struct {
	Station string
	Kind    station.Kind
	Version string // of the server's program
	Facts   desk.Facts

	PocketName      string
	Support         string
	Languages       []string
	DefaultLanguage string
	Policy          enrolment.Policy

	IdleWarn        time.Duration
	IdleWipe        time.Duration
	IdleWipeWaiting time.Duration
	VisitMax        time.Duration
}

var errMalformed = errors.New("not as a station asks")

// readAsk reads a question: one JSON object, no field that is not ours.
func readAsk(r io.Reader) (ask, []byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxAsk+1))
	switch {
	case err != nil:
		return ask{}, nil, fmt.Errorf("read what a station asks: %w", err)
	case len(data) > maxAsk:
		return ask{}, nil, fmt.Errorf("%w: too long", errMalformed)
	}
	var a ask
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(&a) != nil || d.More() { // the error would quote what somebody typed
		return ask{}, nil, errMalformed
	}
	return a, data, nil
}

// readAnswer reads a line of an answer.
func readAnswer(line []byte) (answer, error) {
	var a answer
	if json.Unmarshal(line, &a) != nil { // see readAsk
		return answer{}, errMalformed
	}
	return a, nil
}

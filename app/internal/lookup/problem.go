package lookup

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// Code says what is wrong, for programs.
type Code string

// The codes.
const (
	CodeBehind       Code = "behind"       // this server has not read the log far enough
	CodeParked       Code = "parked"       // something was recorded of the person that this server does not understand
	CodeUnavailable  Code = "unavailable"  // the vault, or this server, cannot say now
	CodeUnauthorized Code = "unauthorized" // no token, or not one that counts
	CodeForbidden    Code = "forbidden"    // the token's client lacks the scope
	CodeLimited      Code = "limited"      // too many requests
	CodeInvalid      Code = "invalid"      // the request is not as the document says

	CodeWrongLogin  Code = "wrong-login"  // the address or the password, or too often: never which
	CodeFrozen      Code = "frozen"       // the account is
	CodeNotEnrolled Code = "not-enrolled" // the password is right, and there is no factor yet
	CodeBusy        Code = "busy"         // too many passwords wait to be checked
	CodeWrongCode   Code = "wrong-code"   // see Tries
	CodeExpired     Code = "code-expired"
	CodeEnded       Code = "code-ended"  // too many wrong ones
	CodeLocked      Code = "locked"      // too many wrong codes in a row
	CodeUsed        Code = "used"        // the login has succeeded before
	CodeNoLogin     Code = "no-login"    // not one of this client
	CodeStale       Code = "login-stale" // something else was recorded of the person meanwhile
	CodeOutOfOrder  Code = "out-of-order"
)

// A Problem is an answer that says what is wrong (RFC 9457).
type Problem struct { //nolint:errname // the word of the RFC
	Title  string  `json:"title" doc:"What the status means."`
	Status int     `json:"status" doc:"That of the answer."`
	Code   Code    `json:"code" enum:"behind,parked,unavailable,unauthorized,forbidden,limited,invalid,wrong-login,frozen,not-enrolled,busy,wrong-code,code-expired,code-ended,locked,used,no-login,login-stale,out-of-order" doc:"What is wrong, for programs."`
	Detail string  `json:"detail,omitempty" doc:"The same, for people."`
	Tries  *int    `json:"tries,omitempty" doc:"With \"wrong-code\": how often it may still be typed."`
	Errors []Fault `json:"errors,omitempty" doc:"What is wrong with the request, field by field."`
}

// A Fault is one field that is not as the document says. It does not repeat what
// was in it.
type Fault struct {
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

func problem(status int, code Code, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// newProblem is for what huma finds wrong with a request.
func newProblem(status int, message string, errs ...error) *Problem {
	code := CodeInvalid
	if status >= http.StatusInternalServerError {
		code = CodeUnavailable
	}
	p := problem(status, code, "%s", message)
	for _, err := range errs {
		if err == nil {
			continue
		}
		f := Fault{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			f = Fault{d.ErrorDetail().Location, d.ErrorDetail().Message}
			switch {
			case f.Message == validation.MsgUnexpectedProperty: // its name is what somebody typed
				f.Location = "body"
			case f.Location == "body" && d.ErrorDetail().Value != nil && status < http.StatusUnprocessableEntity:
				f.Message = "not JSON" // the decoder's words repeat what it stumbled on
			}
		}
		p.Errors = append(p.Errors, f)
	}
	return p
}

func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

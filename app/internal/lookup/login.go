package lookup

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/service"
)

// Logins is the desk's, for the clients of this API; *desk.Desk. Refusals are a
// *desk.Refusal.
type Logins interface {
	StartLogin(ctx context.Context, a desk.LoginAttempt) (desk.Login, error)
	LoginState(ctx context.Context, client, id string) (desk.Login, error)
	LoginCode(ctx context.Context, client, id, code string) (desk.Login, error)
	ResendLogin(ctx context.Context, client, id string) (desk.Login, error)
	RedeemLogin(ctx context.Context, client, id string) (desk.Login, error)
}

// How long things may take.
const (
	longestPoll = 25 * time.Second
	passwordMay = 25 * time.Second // to wait for its turn and be checked
	answerMay   = 20 * time.Second // to be worked out and written, after all waiting
	// pollsEach is how many questions of one client may wait at once.
	pollsEach = 2000
)

// A secret is something that somebody typed. It prints as a word.
type secret string

// String does not show it.
func (secret) String() string { return "(secret)" }

// GoString does not show it.
func (secret) GoString() string { return "(secret)" }

// A Login is where a login stands.
type Login struct {
	ID        string     `json:"id" doc:"Of the login. It is of use to the client that began it, and to nobody else."`
	Status    string     `json:"status" enum:"pending,succeeded,ended" doc:"\"succeeded\" comes once, with the assertion. After \"ended\" begin again."`
	Ended     string     `json:"ended,omitempty" enum:"expired,denied,wrong-digits,other" doc:"Why it ended: nobody answered in time, the person said no on the phone, typed wrong digits too often, or another login took its place."`
	Factor    string     `json:"factor" enum:"sms,pocket" doc:"What is asked for: the code from an SMS, or an approval on the phone."`
	Digits    string     `json:"digits,omitempty" doc:"With \"pocket\": six, to be shown to the person, who types them on the phone."`
	Expires   *time.Time `json:"expires,omitempty" doc:"Until when the code or the approval counts."`
	Tries     int        `json:"tries" doc:"How often a code may still be typed."`
	ResendIn  int        `json:"resend_in" doc:"Seconds, until another code may be asked for."`
	Delivery  string     `json:"delivery,omitempty" enum:"sending,sent,failed,unknown" doc:"What became of the SMS."`
	Assertion string     `json:"assertion,omitempty" doc:"With \"succeeded\": who has logged in and how, a JWT signed with ES256. It counts for 60 s."`
	Demo      bool       `json:"demo,omitempty" doc:"This is a demo: nobody is real."`
}

func (h *Handler) loginOf(l desk.Login) Login {
	shown := Login{
		ID: l.ID, Status: string(l.Status), Ended: string(l.Ended), Factor: string(l.Factor),
		Tries: l.Tries, ResendIn: seconds(l.ResendIn), Delivery: string(l.Delivery), Demo: h.c.Demo,
	}
	if l.Status == desk.LoginPending {
		shown.Digits = l.Digits
	}
	if !l.Expires.IsZero() {
		expires := l.Expires.UTC()
		shown.Expires = &expires
	}
	return shown
}

// seconds rounds up: who waits so long does not come too early.
func seconds(d time.Duration) int { return max(0, int((d+time.Second-1)/time.Second)) }

type passwordGiven struct {
	Body struct {
		Email    string `json:"email" minLength:"1" maxLength:"254" doc:"The person's e-mail address, as they typed it."`
		Password secret `json:"password" minLength:"1" maxLength:"1024" doc:"The password, as they typed it."`
		Network  string `json:"network,omitempty" maxLength:"64" doc:"Where the person's request came from: an IP address, or another word of yours for it. Failed logins are counted for each; without it, one guesser locks everybody out of the account for a while."`
		From     string `json:"from,omitempty" maxLength:"80" doc:"The same in words that the person knows again, such as \"Firefox, Utrecht\": the phone shows them."`
	}
}

type codeGiven struct {
	ID   string `path:"id" maxLength:"64" doc:"The login."`
	Body struct {
		Code secret `json:"code" minLength:"1" maxLength:"32" doc:"The six digits, as the person typed them."`
	}
}

type loginAsked struct {
	ID string `path:"id" maxLength:"64" doc:"The login."`
}

type loginWaited struct {
	ID   string `path:"id" maxLength:"64" doc:"The login."`
	Wait int    `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for it to go on, while it is pending."`
}

type loginBegun struct {
	Location string `header:"Location" doc:"Of the login."`
	Body     Login
}

type loginShown struct{ Body Login }

// The operations, by their ids.
const (
	startID  = "login-start"
	stateID  = "login"
	codeID   = "login-code"
	resendID = "login-resend"
)

const loginsPath = "/v1/logins"

func (h *Handler) registerLogins() {
	op := func(id, method, path, summary, description string, statuses ...int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: loginsPath + path, Tags: []string{"logins"}, Summary: summary, Description: description,
			Security: []map[string][]string{{"token": {string(service.Login)}}}, Middlewares: huma.Middlewares{h.unhurried},
			Errors: append([]int{
				http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable,
			}, statuses...),
		}
	}
	start := op(startID, http.MethodPost, "", "Begin a login with an address and a password",
		"What is not right is 401 `wrong-login`, after the same time for everybody: whether the address is nobody's, the password another one, or the "+
			"account locked for a while is not told. Who knows the password may be told more: 403 `frozen`, 403 `not-enrolled`, 429 `limited`.\n\n"+
			"With the factor `sms` a code is on its way: hand it in as `code`. With `pocket` show the person the digits, and ask for the login "+
			"with `wait` until the phone has approved. A 503 `busy` means that more passwords wait to be checked than there is room for: ask again.",
		http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	start.DefaultStatus, start.MaxBodyBytes = http.StatusCreated, 8192
	code := op(codeID, http.MethodPost, "/{id}/code", "Hand in the code from the SMS, for the assertion",
		"A wrong one is 403 `wrong-code`, with the tries that are left. 410 `used`: the login has succeeded before. 409 `login-stale`: something "+
			"else was recorded of the person meanwhile, such as a freeze or another factor; begin again.",
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusNotFound, http.StatusConflict, http.StatusGone)
	code.MaxBodyBytes = 1024
	huma.Register(h.api, start, h.startLogin)
	huma.Register(h.api, op(stateID, http.MethodGet, "/{id}", "Where a login stands; with Pocket, for the assertion",
		"With `wait` the answer comes as soon as the login goes on. The first answer after the phone has approved carries the assertion, and is the "+
			"only one that does: then the login is 410 `used`. 409 `login-stale` as with a code.",
		http.StatusNotFound, http.StatusConflict, http.StatusGone), h.loginState)
	huma.Register(h.api, code, h.loginCode)
	huma.Register(h.api, op(resendID, http.MethodPost, "/{id}/resend", "Send the code once more", "Or another one, where the first is about to end.",
		http.StatusNotFound, http.StatusConflict, http.StatusGone), h.resendLogin)
}

type connection struct{}

// unhurried keeps the connection within the reach of the operation: it may take
// longer than the server lets others take. A HEAD, which net/http takes for a GET,
// would use an assertion up that nobody is told.
func (h *Handler) unhurried(ctx huma.Context, next func(huma.Context)) {
	if ctx.Method() == http.MethodHead {
		ctx.SetHeader("Allow", http.MethodGet)
		h.refuse(ctx, problem(http.StatusMethodNotAllowed, CodeInvalid, "only with GET"))
		return
	}
	_, w := humago.Unwrap(ctx)
	next(huma.WithValue(ctx, connection{}, http.NewResponseController(w)))
}

// putOff lets the answer take so long.
func putOff(ctx context.Context, most time.Duration) {
	if c, ok := ctx.Value(connection{}).(*http.ResponseController); ok {
		_ = c.SetWriteDeadline(time.Now().Add(most)) // fails without a network: then nothing is to be put off
	}
}

// await is putOff for what waits: its context ends when it has waited so long, or
// the server stops.
func (h *Handler) await(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	putOff(ctx, most+answerMay)
	ctx, cancel := context.WithTimeout(ctx, most)
	go func() {
		select {
		case <-h.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// client returns which client asks.
func client(ctx context.Context) string {
	who, _ := ctx.Value(asker{}).(identity)
	return who.client
}

func (h *Handler) startLogin(ctx context.Context, q *passwordGiven) (*loginBegun, error) {
	b := q.Body
	for field, text := range map[string]string{"network": b.Network, "from": b.From} {
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "%s: something in it cannot be shown", field)
		}
	}
	if _, p := h.signer(); p != nil { // who could be told nothing in the end is asked for nothing
		return nil, p
	}
	within, cancel := h.await(ctx, passwordMay)
	defer cancel()
	l, err := h.c.Logins.StartLogin(within, desk.LoginAttempt{
		Client: client(ctx), Email: b.Email, Password: string(b.Password), Network: b.Network, From: b.From,
	})
	if err != nil {
		r, known := errors.AsType[*desk.Refusal](err)
		if within.Err() != nil && ctx.Err() == nil && (!known || r.Code == desk.Unavailable) {
			err = &desk.Refusal{Code: desk.Busy} // it waited for its turn in vain
		}
		return nil, h.refuseLogin(stepPassword, err)
	}
	h.metrics.count(stepPassword, "right")
	return &loginBegun{loginsPath + "/" + l.ID, h.loginOf(l)}, nil
}

func (h *Handler) loginCode(ctx context.Context, q *codeGiven) (*loginShown, error) {
	s, err := h.readyFor(q.ID)
	if err != nil {
		return nil, err
	}
	putOff(ctx, answerMay)
	l, err := h.c.Logins.LoginCode(ctx, client(ctx), q.ID, string(q.Body.Code))
	if err != nil {
		return nil, h.refuseLogin(stepCode, err)
	}
	return h.succeeded(ctx, stepCode, s, l)
}

func (h *Handler) resendLogin(ctx context.Context, q *loginAsked) (*loginShown, error) {
	if !isLogin(q.ID) {
		return nil, noLogin()
	}
	putOff(ctx, answerMay)
	l, err := h.c.Logins.ResendLogin(ctx, client(ctx), q.ID)
	if err != nil {
		return nil, h.refuseLogin(stepResend, err)
	}
	h.metrics.count(stepResend, "sent")
	return &loginShown{h.loginOf(l)}, nil
}

func (h *Handler) loginState(ctx context.Context, q *loginWaited) (*loginShown, error) {
	s, err := h.readyFor(q.ID)
	if err != nil {
		return nil, err
	}
	wait := min(time.Duration(q.Wait)*time.Second, longestPoll)
	if wait > 0 {
		if !h.polls.enter(client(ctx), pollsEach) {
			return nil, later(problem(http.StatusTooManyRequests, CodeLimited, "more than %d questions of this client wait", pollsEach), time.Second)
		}
		defer h.polls.leave(client(ctx))
	}
	within, cancel := h.await(ctx, wait)
	l, err := h.c.Logins.LoginState(within, client(ctx), q.ID)
	cancel()
	if p := h.stillIn(ctx); p != nil { // much may have happened meanwhile
		return nil, p
	}
	if err == nil && l.Status == desk.LoginApproved {
		l, err = h.c.Logins.RedeemLogin(ctx, client(ctx), q.ID)
		if err == nil {
			return h.succeeded(ctx, stepApproval, s, l)
		}
	}
	if err == nil && l.Status == desk.LoginSucceeded { // and was told of it
		err = &desk.Refusal{Code: desk.CodeUsed}
	}
	if err != nil {
		return nil, h.refuseLogin(stepApproval, err)
	}
	return &loginShown{h.loginOf(l)}, nil
}

// readyFor returns what would sign the assertion of a login, before anything is
// asked of it.
func (h *Handler) readyFor(id string) (signer, error) {
	if !isLogin(id) {
		return signer{}, noLogin()
	}
	s, p := h.signer()
	if p != nil {
		return s, p
	}
	return s, nil
}

// stillIn returns why the client that asks would not be let in now.
func (h *Handler) stillIn(ctx context.Context) *Problem {
	who, _ := ctx.Value(asker{}).(identity)
	return h.refused(who)
}

// succeeded gives the assertion of a login that has just succeeded, unless its
// client was revoked meanwhile.
func (h *Handler) succeeded(ctx context.Context, step string, s signer, l desk.Login) (*loginShown, error) {
	if p := h.stillIn(ctx); p != nil {
		h.metrics.count(step, string(p.Code))
		return nil, p
	}
	shown := h.loginOf(l)
	var err error
	shown.Assertion, err = s.sign(claim{h.c.Issuer, client(ctx), l, h.c.Demo}, h.c.Now())
	if err != nil {
		h.c.Log.Error("give an assertion", zap.Error(err))
		return nil, problem(http.StatusServiceUnavailable, CodeUnavailable, "the assertion could not be signed: begin again")
	}
	h.metrics.count(step, "succeeded")
	return &loginShown{shown}, nil
}

var loginID = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func isLogin(id string) bool { return loginID.MatchString(id) }

func noLogin() *Problem {
	return problem(http.StatusNotFound, CodeNoLogin, "this client has no such login")
}

// The steps of a login.
const (
	stepPassword = "password"
	stepCode     = "code"
	stepApproval = "approval"
	stepResend   = "resend"
)

// An outcome is what a refusal of the desk is here.
type outcome struct {
	status int
	code   Code
	detail string
}

// ofPassword are the refusals of an address and a password. All that tell whose
// the address is are one.
var ofPassword = map[desk.Code]outcome{
	desk.WrongLogin:     wrongLogin,
	desk.WrongPassword:  wrongLogin,
	desk.NotAnAddress:   wrongLogin,
	desk.OutsideDomains: wrongLogin,
	desk.LockedOut:      wrongLogin,
	desk.OutOfOrder:     {http.StatusForbidden, CodeNotEnrolled, "the password is right, and the person has no factor yet: they have to finish enrolling"},
}

var wrongLogin = outcome{http.StatusUnauthorized, CodeWrongLogin, "the address or the password is not right, or it was tried too often"}

// ofLogin are the refusals of all steps.
var ofLogin = map[desk.Code]outcome{
	desk.AccountFrozen: {http.StatusForbidden, CodeFrozen, "the account is frozen: the helpdesk can help"},
	desk.Limited:       {http.StatusTooManyRequests, CodeLimited, "too often: see Retry-After"},
	desk.SMSPaused:     {http.StatusServiceUnavailable, CodeUnavailable, "no SMS is sent just now"},
	desk.WrongCode:     {http.StatusForbidden, CodeWrongCode, "not the code that was sent"},
	desk.WrongLogin:    {http.StatusForbidden, CodeLocked, "too many wrong codes or passwords in a row: begin again later"},
	desk.LockedOut:     {http.StatusForbidden, CodeLocked, "too many wrong codes in a row: the helpdesk can help"},
	desk.CodeExpired:   {http.StatusGone, CodeExpired, "the code is too old: send another one"},
	desk.CodeEnded:     {http.StatusGone, CodeEnded, "the code was typed wrongly too often: send another one, or begin again"},
	desk.CodeUsed:      {http.StatusGone, CodeUsed, "the login has succeeded before: its assertion was given once"},
	desk.NoCode:        {http.StatusNotFound, CodeNoLogin, "this client has no such login"},
	desk.LoginStale:    {http.StatusConflict, CodeStale, "something else was recorded of the person meanwhile: begin again"},
	desk.Erased:        {http.StatusConflict, CodeStale, "something else was recorded of the person meanwhile: begin again"},
	desk.OutOfOrder:    {http.StatusConflict, CodeOutOfOrder, "this login is not at that step"},
	desk.MovedOn:       {http.StatusConflict, CodeOutOfOrder, "this login is not at that step"},
	desk.Busy:          {http.StatusServiceUnavailable, CodeBusy, "more passwords wait to be checked than there is room for: ask again"},
	desk.Unavailable:   {http.StatusServiceUnavailable, CodeUnavailable, "the log or the vault cannot be reached; nothing was recorded"},
	desk.Unsure:        {http.StatusServiceUnavailable, CodeUnavailable, "the log did not answer in time; it may have been recorded"},
}

// refuseLogin says why a step was refused, and counts it.
func (h *Handler) refuseLogin(step string, err error) error {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		if !errors.Is(err, context.Canceled) { // whoever asked has left
			h.c.Log.Error("a login", zap.String("step", step), zap.Error(err))
		}
		r = &desk.Refusal{Code: desk.Unavailable}
	}
	o, known := ofPassword[r.Code]
	if !known || step != stepPassword {
		o, known = ofLogin[r.Code]
	}
	if !known {
		h.c.Log.Error("a login was refused for a reason that has no status", zap.String("step", step), zap.String("code", string(r.Code)))
		o = outcome{http.StatusConflict, CodeOutOfOrder, "this login cannot go on: begin again"}
	}
	h.metrics.count(step, string(o.code))
	p := problem(o.status, o.code, "%s", o.detail)
	if r.Incident != "" {
		p.Detail += " (incident " + r.Incident + ")"
	}
	switch o.status {
	case http.StatusUnauthorized:
		// RFC 9110 wants a challenge. The token is not what is wrong.
		return huma.ErrorWithHeaders(p, http.Header{"Www-Authenticate": {`Login realm="keydesk"`}})
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return later(p, r.Wait)
	}
	if o.code == CodeWrongCode {
		p.Tries = &r.Left
	}
	return p
}

// later says when to ask again: in a second at the earliest.
func later(p *Problem, after time.Duration) error {
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.Itoa(max(1, seconds(after)))}})
}

package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

const (
	// Patient without a call of it.
	defaultTotal, defaultSilence = 8 * time.Second, 5 * time.Second
	// Between two looks at how the server is; after the first failed one it
	// counts as away.
	statusEvery = 5 * time.Second
)

// A Client is a desk at a server. It may be used concurrently. Connect comes
// first, and Run keeps it up; what is asked meanwhile is answered by the server,
// or by a refusal that says whether it may have been done.
type Client struct {
	file    string // of the bundle
	version string // of this program
	link    *link
	total   time.Duration // how long one question is asked again, before the person is told
	report  func(incident string, err error)
	renewal *renewal

	mu     sync.Mutex
	hello  Hello
	emails map[string]string // of the visits, to judge a password by
	away   bool              // the server
	behind bool              // the log, at the server
	part   time.Time         // when another part of a bundle may be asked for
}

// Options are what a Client is made with. What is left out of it has the value
// that its comment says.
type Options struct {
	Version string                           // of this program
	Report  func(incident string, err error) // of what no screen tells; nobody is told without
	Now     func() time.Time                 // time.Now

	// Total is how long a question is asked again and again, since the server was
	// last heard, before the person is told that it is away (8 s), and Silence for how long a server
	// may say nothing at all before it is (5 s; it speaks every 2 s).
	Total, Silence time.Duration
}

// Open returns a client of the server at a URL for the station whose bundle is
// in a file. It asks nothing yet.
func Open(service, file string, o Options) (*Client, error) {
	service, err := CheckService(service)
	if err != nil {
		return nil, err
	}
	b, err := ReadBundle(file)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Total == 0 {
		o.Total, o.Silence = defaultTotal, defaultSilence
	}
	if o.Report == nil {
		o.Report = func(string, error) {}
	}
	c := &Client{
		file: file, version: o.Version, link: newLink(service, b, o.Silence, o.Now), total: o.Total, report: o.Report,
		emails: map[string]string{},
	}
	c.renewal = &renewal{client: c}
	return c, nil
}

// Station returns which station this is.
func (c *Client) Station() string { return c.link.current().Station }

// Connect asks the server of which installation this is a station, and has it
// record that the station has opened. ErrRefused and ErrStranger are for good;
// other errors may pass.
func (c *Client) Connect(ctx context.Context) (Hello, error) {
	if ends := c.link.current().Ends(); c.link.now().After(ends) {
		return Hello{}, fmt.Errorf("%w: its certificate ended on %s", ErrRefused, ends.Format(time.DateOnly))
	}
	a, err := c.once(ctx, "hello", ask{})
	if err == nil && a.Hello == nil {
		err = errMalformed
	}
	if err == nil {
		_, err = c.once(ctx, "open-station", ask{Version: c.version})
	}
	if err != nil {
		return Hello{}, fmt.Errorf("connect to the service: %w", err)
	}
	c.mu.Lock()
	c.hello = *a.Hello
	c.mu.Unlock()
	c.renewal.heard(a.Authorities)
	c.health(a.Trouble, false)
	return *a.Hello, nil
}

// once asks what no person waits for.
func (c *Client) once(ctx context.Context, useCase string, q ask) (answer, error) {
	body, err := encode(q)
	if err != nil {
		return answer{}, err
	}
	a, _, err := c.link.ask(ctx, useCase, desk.CallOf(ctx), body, func() {})
	if err == nil && a.Refusal != nil {
		err = a.Refusal
	}
	return a, err
}

// Run follows how the server is, and renews the station's certificate, until ctx
// ends or the server lets the station in no more (ErrRefused).
func (c *Client) Run(ctx context.Context) error {
	every := time.NewTicker(statusEvery)
	defer every.Stop()
	for {
		if err := c.renewal.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		a, err := c.once(ctx, "status", ask{})
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrRefused):
			return err
		}
		if err == nil {
			c.renewal.heard(a.Authorities)
		}
		c.health(a.Trouble, err != nil)
	}
}

func (c *Client) health(behind, away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.behind, c.away = behind, away
}

// Trouble says whether the server, or the log behind it, is away: nobody could
// enrol now.
func (c *Client) Trouble() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away || c.behind
}

// Facts returns what the server told of the installation.
func (c *Client) Facts() desk.Facts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello.Facts
}

// Close hangs up.
func (c *Client) Close() { c.link.client.CloseIdleConnections() }

// ask asks for a use case, again and again under the same Call while the server
// is not heard, and gives what a person can be told.
func (c *Client) ask(ctx context.Context, useCase string, q ask) (answer, error) {
	body, err := encode(q)
	if err != nil {
		return answer{}, c.fault(false, err)
	}
	id := desk.CallOf(ctx)
	maybe := false // a server may have taken it, and its answer was lost
	began := time.Now()
	until := began.Add(c.total)
	heard := func() { until = time.Now().Add(c.total) } // somebody is at work on it
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		a, reached, err := c.link.ask(ctx, useCase, id, body, heard)
		switch {
		case err == nil:
			return a, heed(a.Refusal, maybe)
		case ctx.Err() != nil:
			return answer{}, ctx.Err()
		}
		maybe = maybe || reached
		if errors.Is(err, ErrRefused) || errors.Is(err, ErrStranger) || time.Now().Add(wait).After(until) || time.Since(began) > longest {
			c.health(false, true)
			return answer{}, c.fault(maybe, fmt.Errorf("%s: %w", useCase, err))
		}
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// heed returns a server's refusal. One that nothing was saved is worth nothing
// when another server may have been asked before it.
func heed(r *desk.Refusal, maybe bool) error {
	switch {
	case r == nil:
		return nil
	case maybe && (r.Code == desk.Unavailable || r.Code == desk.Busy):
		r.Code = desk.Unsure
	}
	return r
}

// fault reports that the server could not be asked, and says it to the person.
func (c *Client) fault(maybe bool, err error) error {
	r := &desk.Refusal{Code: desk.Unavailable, Incident: strings.ReplaceAll(desk.NewCall().String(), "-", "")[:8]}
	if maybe {
		r.Code = desk.Unsure
	}
	c.report(r.Incident, err)
	return r
}

// visit asks for a use case that ends in a view.
func (c *Client) visit(ctx context.Context, useCase string, q ask) (desk.View, error) {
	a, err := c.ask(ctx, useCase, q)
	if a.View == nil {
		if err == nil {
			err = c.fault(true, fmt.Errorf("%s: %w", useCase, errMalformed))
		}
		return desk.View{}, err
	}
	c.mu.Lock()
	switch r, refused := errors.AsType[*desk.Refusal](err); {
	case refused && r.Code == desk.VisitOver:
		delete(c.emails, q.Visit)
	case a.View.Visit != "":
		c.emails[a.View.Visit] = a.View.Email
	}
	c.mu.Unlock()
	return *a.View, err
}

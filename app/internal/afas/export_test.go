package afas

import (
	"context"
	"net/http"
	"time"
)

// Pause has somebody else wait.
func (c *Connector) Pause(do func(context.Context, time.Duration) error) { c.pause = do }

// Transport has somebody else answer.
func (c *Connector) Transport(t http.RoundTripper) { c.client.Transport = t }

// FirstWait is how long is waited before something is asked for once more.
const FirstWait = firstWait

package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// grace is what a call under way has when the server is to stop.
const grace = 10 * time.Second

// Serve answers stations until ctx ends, under names (of machines, or addresses)
// that they know the server by. What runs then has ten seconds to end; waits end
// at once. The listener is closed on return, and no use case runs any more. The
// error is nil after a stop that ctx asked for.
func (h *Handler) Serve(ctx context.Context, l net.Listener, names []string) error {
	base, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    8 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          log.New(io.Discard, "", 0), // it would name clients' addresses
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(tls.NewListener(l, h.c.Authority.TLS(names))) }()
	sweep := time.NewTicker(keep / 4)
	defer sweep.Stop()
	for {
		select {
		case err := <-served:
			h.calls.stop(0)
			return fmt.Errorf("serve stations: %w", errors.Join(err, server.Close()))
		case <-sweep.C:
			h.calls.sweep()
		case <-ctx.Done():
			return h.stop(server, hangUp) //nolint:contextcheck // ctx has ended
		}
	}
}

// stop takes no more, waits for what runs, and hangs up on who waits.
func (h *Handler) stop(server *http.Server, hangUp func()) error {
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 2*grace) // longer than the calls, and what follows them
	defer cancel()
	go func() { ended <- server.Shutdown(ctx) }()
	h.calls.stop(grace)
	// The answers are there: a moment to write them, and then the waits end too.
	moment := time.AfterFunc(h.c.Beat/4, hangUp)
	defer moment.Stop()
	if err := <-ended; err != nil {
		return fmt.Errorf("stop serving stations: %w", errors.Join(err, server.Close()))
	}
	return nil
}

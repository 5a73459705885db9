package lookup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Serve answers requests until ctx ends. Streams are then ended at once, and
// running requests get five seconds. The listener is closed on return. The error
// is nil after a stop that ctx asked for. It is called once.
func (h *Handler) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second, // a stream puts its own off
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    8 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:          log.New(io.Discard, "", 0), // it would name clients' addresses
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		close(h.stop)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := server.Shutdown(grace)
		if err != nil {
			err = server.Close()
		}
		stopped <- err
	})
	err := server.Serve(l)
	if stop() { // not asked for
		return fmt.Errorf("serve the API: %w", errors.Join(err, server.Close()))
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop serving the API: %w", err)
	}
	return nil
}

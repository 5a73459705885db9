package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/net/netutil"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
)

type witnessCommand struct {
	Folder  string   `arg:"" help:"Where the witness keeps its key, and what it has cosigned." type:"path"`
	Log     []string `help:"The verifier key of a log that it watches, as \"keydeskd checkpoint --key\" shows it, or a file of such keys, one a line. May be repeated." placeholder:"KEY|FILE"`
	Name    string   `help:"What its key is called, at the first start; the machine's name by default. Later it is that, and no other." placeholder:"NAME"`
	Listen  string   `help:"Where it listens; beyond this machine with a certificate." default:"127.0.0.1:8446" placeholder:"HOST:PORT"`
	TLSCert string   `name:"tls-cert" help:"Its certificate, a PEM file." type:"path" placeholder:"FILE"`
	TLSKey  string   `name:"tls-key" help:"The certificate's key, a PEM file." type:"path" placeholder:"FILE"`
}

// Help says who runs it, and where.
func (witnessCommand) Help() string {
	return "Cosigns the checkpoints of logs, when they go on from all that it has seen of them (C2SP tlog-witness). It is for a machine " +
		"on which nobody works who can get at the log: an auditor's. Its folder is its memory; without it, it would vouch for anything. " +
		"It prints its own key: that goes into seal.witnesses, with its address. It sees hashes and signatures, and of each event its place, its day and whether it is a login, which may expire: " +
		"nothing of what events say.\n\n" +
		"A file of --log is read again when it changes, and so are the certificate and its key. A log that is added is watched from then on, one that is " +
		"taken out no more; one that has got another key under its old name is another log, and nothing of the file is taken over then. Its own key, in " +
		"the folder, is read at the start only: with another one it would be another witness."
}

var (
	errNoLogs   = errors.New("name at least one log with --log")
	errClearNet = errors.New("beyond this machine it takes --tls-cert and --tls-key")
	errTLSPair  = errors.New("--tls-cert and --tls-key go together")
)

// The bounds of what a witness takes in.
const (
	witnessAtOnce  = 64
	witnessTakes   = 20 * time.Second
	witnessForgets = 2 * time.Minute
)

func (c witnessCommand) Run(a *app) (err error) {
	if err := asOwner(os.Geteuid(), c.Folder); err != nil {
		return err
	}
	list, logs, err := c.logs()
	if err != nil {
		return err
	}
	name := c.Name
	if _, err := os.Stat(filepath.Join(c.Folder, "key")); name == "" && errors.Is(err, os.ErrNotExist) {
		if name, err = os.Hostname(); err != nil {
			return fmt.Errorf("name it with --name: %w", err)
		}
	}
	w, err := witness.Open(witness.Config{
		Folder: c.Folder, Name: name, Logs: logs, Report: func(err error) { fmt.Fprintln(a.errs, "keydeskd: witness:", err) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var lc net.ListenConfig
	l, err := lc.Listen(a.ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	at := "http://" + l.Addr().String()
	l = netutil.LimitListener(l, witnessAtOnce)
	if c.TLSCert != "" {
		bare := l
		if l, err = pocket.ListenTLS(bare, c.TLSCert, c.TLSKey); err != nil {
			return errors.Join(err, bare.Close())
		}
		at = "https://" + bare.Addr().String()
	}
	fmt.Fprintf(a.out, "key: %s\nlistens at: %s\n", w.Key(), at)
	return c.serve(a.ctx, l, w, list, a.errs)
}

// witnessLooks is how often it is looked whether the files of --log have changed.
const witnessLooks = 2 * time.Second

// follow has the witness know whom the files of --log name, when they change, until ctx
// ends. list is what was read of them before.
func (c witnessCommand) follow(ctx context.Context, w *witness.Witness, list string, errs io.Writer) {
	tick := time.NewTicker(witnessLooks)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, logs, err := c.logs()
		if now == list {
			continue
		}
		if list = now; err == nil {
			err = w.Know(logs)
		}
		if err != nil {
			fmt.Fprintln(errs, "keydeskd: witness: --log has changed, and is not taken over:", err)
			continue
		}
		for _, log := range logs {
			fmt.Fprintln(errs, "keydeskd: witness: --log has changed: it watches", log.Name())
		}
	}
}

// logs returns the keys of --log, and what was read of its files, to see when that
// changes. What they cannot be read for is part of it.
func (c witnessCommand) logs() (list string, logs []note.Verifier, err error) {
	for _, log := range c.Log {
		v, err := proof.ParseKey(log)
		if err == nil {
			logs = append(logs, v)
			continue
		}
		b, unread := os.ReadFile(log) //nolint:gosec // whoever runs it says which
		if unread != nil {
			return list + unread.Error(), nil, fmt.Errorf("%w, nor a file that can be read: %w", err, unread)
		}
		list += string(b) + "\x00"
		for _, key := range keysIn(string(b)) {
			v, err := proof.ParseKey(key)
			if err != nil {
				return list, nil, fmt.Errorf("%s: %w", log, err)
			}
			logs = append(logs, v)
		}
	}
	if len(logs) == 0 {
		return list, nil, errNoLogs
	}
	return list, logs, nil
}

// Validate looks at what was given on the command line.
func (c witnessCommand) Validate() error {
	if len(c.Log) == 0 {
		return errNoLogs
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errTLSPair
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	if address, err := netip.ParseAddr(host); c.TLSCert == "" && host != "localhost" && (err != nil || !address.IsLoopback()) {
		return errClearNet
	}
	return nil
}

// serve answers until ctx ends, and finishes what is under way.
func (c witnessCommand) serve(ctx context.Context, l net.Listener, w *witness.Witness, list string, errs io.Writer) error {
	server := &http.Server{
		Handler: w, ReadHeaderTimeout: witnessTakes, ReadTimeout: witnessTakes, WriteTimeout: witnessTakes, IdleTimeout: witnessForgets,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       log.New(io.Discard, "", 0), // it would name the addresses of whoever knocks, as often as they like
	}
	looking, stop := context.WithCancel(ctx)
	var look sync.WaitGroup
	look.Go(func() { c.follow(looking, w, list, errs) })
	defer look.Wait()
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessTakes)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		_ = server.Close()
		return fmt.Errorf("finish what is under way: %w", err)
	}
	return nil
}

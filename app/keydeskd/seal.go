package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/net/netutil"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
)

// A sealed log is what the commands about the seal work with. The vault stays shut.
type sealedLog struct {
	set  settings.Settings
	log  store.Log
	keys *vault.Keys // nil: the master key is not here
}

// sealed opens the log of a home, and reads the master key where it is.
func (a *app) sealed() (*sealedLog, error) {
	set, err := a.existing()
	if err != nil {
		return nil, err
	}
	program, err := settings.Logger(set.Logging)
	if err != nil {
		return nil, err
	}
	keys, err := home.ReadKeys(set.Vault)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	log, err := home.OpenLog(a.ctx, set.Log, program.With(zap.String("program", "keydeskd")))
	if err != nil {
		return nil, err
	}
	return &sealedLog{set, log, keys}, nil
}

func (l *sealedLog) config(errs io.Writer) (seal.Config, error) {
	c, err := home.SealConfig(l.set, l.log, l.keys, func(err error) { fmt.Fprintln(errs, "keydeskd: seal:", err) })
	c.Register = home.NewRegister(l.log, l.set)
	return c, err
}

type checkpointCommand struct {
	Now  bool `help:"Seal first what the log holds at this moment."`
	Anew bool `help:"Begin another seal, after the one that is there is of no use any more. It is kept beside."`
	Yes  bool `help:"With --anew: yes, this is meant."`
	JSON bool `help:"Tell it as JSON."`
}

// Help says what it is for.
func (checkpointCommand) Help() string {
	return "Shows the last checkpoint: a few signed lines that say what the log held at that moment. Whoever keeps them can " +
		"show later, with \"keydeskd verify --since FILE\", whether anything of it was changed.\n\n" +
		"With --anew another tree begins, whose first leaf is that checkpoint: for whoever has found out why log and " +
		"seal differ, and decided to go on; or where the folder of the seal is lost. Witnesses and everybody who checks bundles " +
		"have to be given the new key."
}

var (
	errNoCheckpoint = errors.New("nothing was sealed yet")
	errNoMasterKey  = errors.New("the master key is not here, and it signs")
	errMeantAnew    = errors.New("what was sealed is not gone on from, it is only named: say --yes as well if that is meant")
)

func (c checkpointCommand) Run(a *app) (err error) {
	l, err := a.sealed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.log.Close()) }()
	config, err := l.config(a.errs)
	if err != nil {
		return err
	}
	if l.keys == nil && (c.Now || c.Anew) {
		return errNoMasterKey
	}
	if c.Anew {
		if !c.Yes {
			return errMeantAnew
		}
		if err := seal.Anew(a.ctx, config, nil); err != nil {
			return err
		}
		config.Writer = true
		c.Now = true
	}
	s, err := seal.Open(a.ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.Now {
		if err := s.Now(a.ctx); err != nil {
			return err
		}
	}
	made, ok := s.Checkpoint()
	if !ok {
		return errNoCheckpoint
	}
	before, anew := s.Predecessor()
	if c.JSON {
		answer := checkpointJSON(made, s.Keys()[0])
		if anew {
			answer.Before = &beforeJSON{Origin: before.Origin, Size: before.Size, At: before.At}
		}
		return json.NewEncoder(a.out).Encode(answer)
	}
	if anew { // beside what is kept in a file
		fmt.Fprintln(a.errs, "keydeskd: this seal was begun anew, after", named(before)+": \"keydeskd verify\" says how it goes on from that")
	}
	_, err = a.out.Write(made.Note)
	return err
}

// named says what is known of a seal that was given up, by its last checkpoint.
func named(c proof.Checkpoint) string {
	switch {
	case c.Note != nil:
		return fmt.Sprintf("the %d leaves of %s, of %s", c.Size, c.Origin, c.At.Format(time.RFC3339))
	case c.Origin != "":
		return "another one, " + c.Origin + ", of which nothing is left here"
	}
	return "another one, of which nothing is left here"
}

type checkpointAnswer struct {
	Origin    string    `json:"origin"`
	Size      int64     `json:"size"`
	Root      string    `json:"root"` // base64, as in the note
	At        time.Time `json:"at"`
	Witnesses []string  `json:"witnesses"`
	Key       string    `json:"key"` // that verifies it
	Note      string    `json:"note"`
	// Before is the seal after which this one was begun anew.
	Before *beforeJSON `json:"before,omitempty"`
}

func checkpointJSON(c proof.Checkpoint, key string) checkpointAnswer {
	answer := checkpointAnswer{
		Origin: c.Origin, Size: c.Size, Root: c.Root.String(), At: c.At, Witnesses: []string{}, Key: key, Note: string(c.Note),
	}
	for _, w := range c.Witnesses {
		answer.Witnesses = append(answer.Witnesses, w.Name)
	}
	return answer
}

type witnessCommand struct {
	Folder  string   `arg:"" help:"Where the witness keeps its key, and what it has cosigned." type:"path"`
	Log     []string `help:"The verifier key of a log that it watches, as \"keydeskd checkpoint --json\" shows it. May be repeated." placeholder:"KEY"`
	Name    string   `help:"What its key is called, at the first start; the machine's name by default." placeholder:"NAME"`
	Listen  string   `help:"Where it listens." default:"127.0.0.1:8446" placeholder:"HOST:PORT"`
	TLSCert string   `name:"tls-cert" help:"Its certificate, a PEM file." type:"path" placeholder:"FILE"`
	TLSKey  string   `name:"tls-key" help:"The certificate's key, a PEM file." type:"path" placeholder:"FILE"`
}

// Help says who runs it, and where.
func (witnessCommand) Help() string {
	return "Cosigns the checkpoints of logs, when they go on from all that it has seen of them (C2SP tlog-witness). It is for a machine " +
		"on which nobody works who can get at the log: an auditor's. Its folder is its memory; without it, it would vouch for anything. " +
		"It prints its own key: that goes into seal.witnesses, with its address. It sees hashes and signatures, and nothing of what events say."
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
	logs, err := c.check()
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
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		at = "https://" + l.Addr().String()
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}})
	}
	fmt.Fprintf(a.out, "key: %s\nlistens at: %s\n", w.Key(), at)
	return serveWitness(a.ctx, l, w)
}

// check reads what was given on the command line.
func (c witnessCommand) check() ([]note.Verifier, error) {
	if len(c.Log) == 0 {
		return nil, errNoLogs
	}
	var logs []note.Verifier
	for _, key := range c.Log {
		v, err := proof.ParseKey(key)
		if err != nil {
			return nil, err
		}
		logs = append(logs, v)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, errTLSPair
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, err
	}
	if address, err := netip.ParseAddr(host); c.TLSCert == "" && host != "localhost" && (err != nil || !address.IsLoopback()) {
		return nil, errClearNet
	}
	return logs, nil
}

// serveWitness answers until ctx ends, and finishes what is under way.
func serveWitness(ctx context.Context, l net.Listener, w *witness.Witness) error {
	server := &http.Server{
		Handler: w, ReadHeaderTimeout: witnessTakes, ReadTimeout: witnessTakes, WriteTimeout: witnessTakes, IdleTimeout: witnessForgets,
		MaxHeaderBytes: 16 << 10,
	}
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
		return fmt.Errorf("finish what is under way: %w", err)
	}
	return nil
}

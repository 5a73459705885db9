package home

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// Seal returns the seal of the log. Run keeps it, where the settings say so.
func (h *Home) Seal() *seal.Seal { return h.seal }

// openSeal opens the seal. One that cannot be read keeps nobody from enrolling: it
// is told, and sealing is tried again and again while the home runs.
func (h *Home) openSeal(o Options) error {
	c, err := SealConfig(o.Settings, h.Log, h.keys, func(err error) { h.zap.Error("seal", zap.Error(err)) })
	if err != nil {
		return fmt.Errorf("open the seal: %w", err)
	}
	c.Now = o.Now
	c.Register = register{log: h.Log, stamp: func() domain.Stamp {
		return domain.Stamp{
			Command: domain.CommandID(uuid.New()), Correlation: domain.EventID(uuid.New()),
			Actor:   domain.Actor{Kind: domain.ActorStation, ID: h.Station, Role: domain.RoleUnattended},
			Station: h.Station, Policy: o.Settings.Policy.Version(), At: o.Now().UTC(),
		}
	}}
	h.mailings = mailings{
		to: o.Settings.Seal.MailTo, lang: o.Settings.Organisation.DefaultLanguage, file: filepath.Join(h.folder, "mailed"), now: o.Now,
	}
	h.seal = seal.New(c)
	return nil
}

// SealConfig returns with what the seal of a log is opened to be read: without the
// master keys (nil), its key is the one that its folder names. Home adds what it
// takes to seal.
func SealConfig(set settings.Settings, log store.Log, keys *vault.Keys, report func(error)) (seal.Config, error) {
	witnesses, client, err := SealWitnesses(set.Seal)
	if err != nil {
		return seal.Config{}, err
	}
	c := seal.Config{
		Folder: set.Seal.Folder, Log: log, Skip: []string{store.ProbePrefix}, Writer: set.Seals(),
		Witnesses: witnesses, Client: client, Report: report,
	}
	if keys != nil {
		c.Keys = keys
	}
	return c, nil
}

// VerifyOptions returns with what a log is compared with its seal.
func VerifyOptions(set settings.Settings, keys *vault.Keys, now time.Time) (seal.VerifyOptions, error) {
	witnesses, client, err := SealWitnesses(set.Seal)
	o := seal.VerifyOptions{
		Skip: []string{store.ProbePrefix}, KeepLogins: set.Log.KeepLogins, Now: now, Witnesses: witnesses, Client: client,
	}
	if keys != nil {
		o.Keys = keys
	}
	return o, err
}

// verifySeal returns what compares the log with its seal. A log that is a file is opened
// anew for it: one that is open knows names of streams and types that it has read before,
// and does not see that they were changed.
func (h *Home) verifySeal(set settings.Settings, keys *vault.Keys, now func() time.Time) func(context.Context, func(done, total int64)) (seal.Report, error) {
	return func(ctx context.Context, progress func(done, total int64)) (seal.Report, error) {
		o, err := VerifyOptions(set, keys, now())
		if err != nil {
			return seal.Report{}, err
		}
		if _, file := h.Log.(*store.SQLite); !file {
			return seal.Verify(ctx, h.Log, set.Seal.Folder, o, progress)
		}
		log, err := OpenLog(ctx, set.Log, h.zap)
		if err != nil {
			return seal.Report{}, err
		}
		r, err := seal.Verify(ctx, log, set.Seal.Folder, o, progress)
		return r, errors.Join(err, log.Close())
	}
}

// SealWitnesses reads the witnesses of the settings, and how they are reached.
func SealWitnesses(set settings.Seal) ([]seal.Witness, *http.Client, error) {
	var all []seal.Witness
	for _, w := range set.Witnesses {
		key, address, _ := strings.Cut(w, " ")
		v, err := proof.ParseKey(key)
		if err != nil {
			return nil, nil, fmt.Errorf("seal.witnesses: %w", err)
		}
		all = append(all, seal.Witness{URL: address, Key: v})
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if set.CAFile != "" {
		pem, err := os.ReadFile(set.CAFile)
		if err != nil {
			return nil, nil, fmt.Errorf("seal.ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, nil, errors.New("seal.ca_file holds no certificate")
		}
	}
	return all, witnessClient(config), nil
}

// witnessConnect is how long connecting to a witness may take, and the handshake. A
// transport dials apart from who asked: without an end of its own, one that never
// answers would keep a connection for each time that it is asked.
const witnessConnect = 10 * time.Second

// witnessClient returns what reaches witnesses. Each request has a connection of its
// own: one that was kept, and is dead, would be used again.
func witnessClient(config *tls.Config) *http.Client {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it is asked itself, or nobody
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: witnessConnect}).DialContext,
			TLSHandshakeTimeout:    witnessConnect,
			TLSClientConfig:        config,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
			Protocols:              &http1,
		},
	}
}

// A register keeps in the log who seals it.
type register struct {
	log   store.Log
	stamp func() domain.Stamp
}

// NewRegister returns what records who seals, by whoever works at the command line.
func NewRegister(log store.Log, set settings.Settings) seal.Register {
	return register{log: log, stamp: func() domain.Stamp {
		return domain.Stamp{
			Command: domain.CommandID(uuid.New()), Correlation: domain.EventID(uuid.New()), Actor: domain.Console(),
			Station: "console", Policy: set.Policy.Version(), At: time.Now().UTC(),
		}
	}}
}

func (r register) Sealing(ctx context.Context) (service.SealBegun, error) {
	s, _, err := r.read(ctx)
	return s.Seal, err
}

// read folds the stream of the service. What a newer Keydesk has recorded is passed
// over: who seals is not changed by it.
func (r register) read(ctx context.Context) (s service.State, at domain.Revision, err error) {
	events, err := r.log.ReadStream(ctx, domain.ServiceStream, 0)
	at = domain.NoStream
	for _, rec := range events {
		at = rec.Revision
		e, err := service.Decode(rec.Type, rec.Data)
		if errors.Is(err, domain.ErrUnknownEvent) {
			continue
		}
		if err != nil {
			return s, at, err
		}
		s = service.Evolve(s, e)
	}
	return s, at, err
}

// BeginSeal implements seal.Register. Whatever else is recorded in the stream at the
// same moment, it is decided again.
func (r register) BeginSeal(ctx context.Context, e service.SealBegun, after string) error {
	by := r.stamp()
	for {
		s, at, err := r.read(ctx)
		if err != nil {
			return err
		}
		if s.Seal == e { // an answer that was lost
			return nil
		}
		begun, err := service.BeginSeal(s, e, after)
		if err != nil {
			return err
		}
		m, err := service.Message(begun, by)
		if err != nil {
			return err
		}
		_, err = r.log.Append(ctx, domain.ServiceStream, at, m)
		if !errors.Is(err, domain.ErrConflict) && !errors.Is(err, domain.ErrUnknownOutcome) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// mailings is who gets the last checkpoint of each day, and who has got it.
type mailings struct {
	to   []string
	lang string
	file string
	now  func() time.Time
}

// A mailing is what was mailed last. It holds no address.
type mailing struct {
	Day  string   `json:"day"`  // in this machine's zone
	Sent []string `json:"sent"` // SHA-256 of each address that it was sent to
}

// mailAgain is how often it is looked whether something is to be mailed.
const mailAgain = time.Minute

// mailCheckpoints mails yesterday's last checkpoint, once, to everybody in the
// settings, until ctx ends. Of several programs the one that seals does.
func (h *Home) mailCheckpoints(ctx context.Context) {
	if len(h.mailings.to) == 0 || h.mail == nil {
		return
	}
	tick := time.NewTicker(mailAgain)
	defer tick.Stop()
	told := ""
	for {
		if h.seal.Status().Sealing {
			says := ""
			if err := h.mailYesterday(ctx); err != nil && ctx.Err() == nil {
				says = err.Error()
			}
			if says != "" && says != told {
				h.zap.Warn("mail yesterday's checkpoint", zap.String("error", says))
			}
			told = says
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// mailedAhead is how far ahead a day can be that something was mailed of, and nothing is
// mailed until it is there. What is later is of a clock that ran ahead: whoever set it so
// for a moment would keep everybody from hearing of the log for years.
const mailedAhead = 7 * 24 * time.Hour

// mailYesterday mails the last checkpoint that was made before today, if one was made
// since it was mailed last. That it is sent is written down before: a mail is sent
// twice to nobody. What was refused for certain is tried again.
func (h *Home) mailYesterday(ctx context.Context) error {
	now := h.mailings.now()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	state, err := h.mailings.read()
	if err != nil {
		return err
	}
	due, err := h.dueCheckpoint(today)
	if err != nil || due == nil {
		return err
	}
	if day := due.At.In(now.Location()).Format(time.DateOnly); day != state.Day {
		if day < state.Day && state.Day <= today.Add(mailedAhead).Format(time.DateOnly) { // the clock was set back
			return nil
		}
		state = mailing{Day: day}
	}
	var errs []error
	for _, to := range h.mailings.to {
		sum := sha256.Sum256([]byte(to))
		id := hex.EncodeToString(sum[:])
		if slices.Contains(state.Sent, id) {
			continue
		}
		state.Sent = append(state.Sent, id)
		if err := h.mailings.write(state); err != nil {
			return err
		}
		_, err := h.mail.Send(ctx, courier.Message{
			ID: uuid.NewString(), Kind: courier.DailyCheckpoint, To: to, Lang: h.mailings.lang, Note: string(due.Note),
		})
		if err != nil && !errors.Is(err, domain.ErrUnknownOutcome) { // it was not sent
			state.Sent = state.Sent[:len(state.Sent)-1]
			err = errors.Join(err, h.mailings.write(state))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// dueCheckpoint returns the last checkpoint that was made before a day began.
func (h *Home) dueCheckpoint(today time.Time) (*proof.Checkpoint, error) {
	days, err := h.seal.Daily(3, today.Location()) // between two of them may be one of a clock that ran ahead
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		if d.At.Before(today) {
			return &d.Checkpoint, nil
		}
	}
	return nil, nil
}

func (m mailings) read() (state mailing, err error) {
	b, err := os.ReadFile(m.file)
	if errors.Is(err, os.ErrNotExist) {
		return mailing{}, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &state)
	}
	if err != nil {
		return mailing{}, fmt.Errorf("read what was mailed: %w", err)
	}
	return state, nil
}

func (m mailings) write(state mailing) error {
	b, err := json.Marshal(state)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(m.file), ".mailed-*")
	if err != nil {
		return fmt.Errorf("keep what was mailed: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it was renamed, or failed already
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), m.file)
	}
	if err != nil {
		return fmt.Errorf("keep what was mailed: %w", err)
	}
	return nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/projections/replay"
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
	program, err := a.logger(set)
	if err != nil {
		return nil, err
	}
	log, err := home.OpenLog(a.ctx, set.Log, program.With(zap.String("program", "keydeskd")))
	if err != nil {
		return nil, err
	}
	l, err := sealedOf(log, set)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return l, nil
}

// sealedOf reads the master key where it is, for a log that is open.
func sealedOf(log store.Log, set settings.Settings) (*sealedLog, error) {
	keys, err := home.ReadKeys(set.Vault)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return &sealedLog{set, log, keys}, nil
}

// replayer returns what finds the state at any moment. Without the master key, or where it
// cannot be read, it keeps none on the way.
func replayer(log store.Log, set settings.Settings, program *zap.Logger) *replay.Replayer {
	keys, err := home.ReadKeys(set.Vault)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			program.Warn("replay without the master key", zap.Error(err))
		}
		return home.NewReplayer(log, set, nil, program)
	}
	return home.NewReplayer(log, set, keys, program)
}

func (l *sealedLog) config(errs io.Writer) (seal.Config, error) {
	c, err := home.SealConfig(l.set, l.log, l.keys, func(err error) { fmt.Fprintln(errs, "keydeskd: seal:", err) })
	c.Register = home.NewRegister(l.log, l.set)
	return c, err
}

type checkpointCommand struct {
	Now  bool `help:"Seal first what the log holds at this moment."`
	Key  bool `help:"Show the verifier key alone, for witnesses and for whoever verifies bundles." xor:"what,form"`
	Anew bool `help:"Begin another seal, after the one that is there is of no use any more. It is kept beside."`
	Yes  bool `help:"With --anew: yes, this is meant."`
	Days bool `help:"Show the last checkpoint of each day (of UTC), the newest first." xor:"what"`
	JSON bool `help:"Tell it as JSON; of --days, an object a line, with the text to keep." xor:"form"`
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
	config.Log = a.read(l.log, "sealing the log")
	defer a.meter.rest()
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
	switch key := s.Keys()[0]; {
	case c.Days:
		return c.days(a.out, s, key)
	case c.Key:
		_, err = fmt.Fprintln(a.out, key)
		return err
	case c.JSON:
		answer := checkpointJSON(made, key)
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

// days shows the last checkpoint of each day.
func (c checkpointCommand) days(out io.Writer, s *seal.Seal, key string) error {
	all, err := s.Daily(math.MaxInt, time.UTC)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "number\tmade\tleaves\troot\tcosigned by")
	}
	for _, made := range all {
		answer := checkpointJSON(made.Checkpoint, key)
		if c.JSON {
			answer.Number = made.Number
			if err := lines.Encode(answer); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\n", made.Number, made.At.UTC().Format(time.RFC3339), made.Size, answer.Root, dash(strings.Join(answer.Witnesses, ", ")))
	}
	return table.Flush()
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
	Number    int       `json:"number,omitempty"` // of --days, from 1
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

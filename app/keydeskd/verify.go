package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

type verifyCommand struct {
	Bundle string `arg:"" optional:"" name:"bundle.zip" type:"path" help:"A bundle that \"keydeskd export\" made; left out: this home's log."`

	Since string `help:"An older checkpoint that was kept, such as one that was mailed: what it says has to be part of what is here." type:"path" placeholder:"FILE"`
	Key   string `help:"The verifier key of the log, or a file that holds it, where it is known from elsewhere; for a bundle with those of witnesses, one a line." placeholder:"KEY"`
	JSON  bool   `help:"Tell it as JSON."`
}

// Help says what is compared, and what comes back.
func (verifyCommand) Help() string {
	return "Compares every event of this home's log with its seal, the tree with every checkpoint, and asks the witnesses of the settings what they " +
		"have seen. It writes nothing, and may run beside everything else.\n\n" +
		"Of a bundle it says what holds without a home, a log or a network; the bundle's README.txt says how to do the same with a program of your own.\n\n" +
		"It leaves with 0 when all is as it was sealed, with 1 when something is not, and says where that begins; with 2 when it could not be found out."
}

// errNotAsSealed: something is not what was sealed. What, was printed.
var errNotAsSealed = errors.New("the log is not what was sealed")

// errNotVerified: it could not be found out.
var errNotVerified = errors.New("it could not be verified")

func (c verifyCommand) Run(a *app) error {
	if c.Bundle != "" {
		return c.bundle(a)
	}
	r, err := c.home(a)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotVerified, err)
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(verifyJSON(r))
	} else {
		tellReport(a.out, r)
	}
	if err == nil && r.Bad != nil {
		err = errNotAsSealed
	}
	return err
}

// home compares the log of this home with its seal.
func (c verifyCommand) home(a *app) (r seal.Report, err error) {
	l, err := a.sealed()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.log.Close()) }()
	o, err := home.VerifyOptions(l.set, l.keys, time.Now())
	if err != nil {
		return r, err
	}
	if c.Since != "" {
		if o.Since, err = checkpointIn(c.Since); err != nil {
			return r, err
		}
	}
	if o.Key, err = c.key(); err != nil {
		return r, err
	}
	defer a.meter.rest()
	return seal.Verify(a.ctx, l.log, l.set.Seal.Folder, o, a.meter.begin("comparing the log with its seal", ""))
}

// key reads the key that is known from elsewhere; nil: none was given.
func (c verifyCommand) key() (note.Verifier, error) {
	if c.Key == "" {
		return nil, nil
	}
	text, err := c.keyText()
	if err != nil {
		return nil, err
	}
	keys := keysIn(text)
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: %w", c.Key, errNoKeys)
	}
	return proof.ParseKey(keys[0])
}

// keyText returns what --key names: what it says itself, or what a file holds.
func (c verifyCommand) keyText() (string, error) {
	b, err := os.ReadFile(c.Key)
	switch {
	case err == nil:
		return string(b), nil
	case strings.Contains(c.Key, "+"): // as every key does
		return c.Key, nil
	}
	return "", err
}

func tellReport(w io.Writer, r seal.Report) {
	c := r.Checkpoint
	if c.Note != nil {
		fmt.Fprintf(w, "%s\n%d leaves, root %s, sealed at %s\n", c.Origin, c.Size, c.Root, c.At.Format(time.RFC3339))
	}
	if r.Bad == nil {
		fmt.Fprintf(w, "%d events are what was sealed", r.Events)
		if r.Expired > 0 {
			fmt.Fprintf(w, "; %d logins, of %s or before, have expired, their leaves are intact", r.Expired, r.LastExpired.Format(time.DateOnly))
		}
		fmt.Fprintf(w, "\n%d checkpoints are signed and lead to this tree\n", r.Checkpoints)
		if r.Unsealed > 0 {
			fmt.Fprintf(w, "%d events are not sealed yet\n", r.Unsealed)
		}
	}
	this := "a later tree: it begins"
	for b := r.Before; b != nil; b = b.Before {
		fmt.Fprintf(w, "%s after %s; %s\n", this, named(b.Checkpoint), goesOn(b))
		this = "and that one begins"
	}
	for _, st := range r.Witnesses {
		says := fmt.Sprintf("cosigned %d leaves", st.Size)
		if st.Index {
			says += ", and follows the index, too"
		}
		if st.State != seal.Agrees {
			says = string(st.State) + ": " + st.Why
		}
		fmt.Fprintf(w, "witness %s: %s\n", st.Name, says)
	}
	if c.Note != nil && len(r.Witnesses) == 0 {
		fmt.Fprintln(w, "no witness is set: that log and seal were not made anew together, only an older checkpoint can show (--since)")
	}
	if !r.KeyKnown {
		fmt.Fprintln(w, "the key is the one that the seal itself names: nothing here shows that it is the log's")
	}
	if r.Bad != nil {
		fmt.Fprintln(w, "NOT AS SEALED:", r.Bad)
	}
}

// goesOn says how far it is proved that a seal goes on from the one before it.
func goesOn(b *seal.Before) string {
	says := "what was changed before that, it does not show"
	switch {
	case b.Same:
		return "all of that is as it was sealed then"
	case b.Bad != nil:
		says = "NOT ALL of that is as it was sealed then: " + b.Bad.String()
	}
	if b.Folder != "" {
		says += "; that seal was kept in " + b.Folder + " (seal.folder)"
	}
	return says
}

type findingJSON struct {
	Kind     seal.FindingKind `json:"kind"`
	Says     string           `json:"says"`
	Position uint64           `json:"position,omitempty"`
	Leaf     int64            `json:"leaf"`
	Stream   string           `json:"stream,omitempty"`
	Type     string           `json:"type,omitempty"`
	Witness  string           `json:"witness,omitempty"`
}

type reportJSON struct {
	OK          bool            `json:"ok"`
	Origin      string          `json:"origin"`
	Size        int64           `json:"size"`
	Root        string          `json:"root"`
	At          time.Time       `json:"at"`
	Events      int64           `json:"events"`
	Expired     int64           `json:"expired"`
	LastExpired time.Time       `json:"lastExpired,omitzero"` // a day, at midnight UTC
	Unsealed    int64           `json:"unsealed"`
	Checkpoints int             `json:"checkpoints"`
	KeyKnown    bool            `json:"keyKnown"`
	Witnesses   []seal.Standing `json:"witnesses"`
	Before      *beforeJSON     `json:"before,omitempty"`
	Finding     *findingJSON    `json:"finding,omitempty"`
}

// beforeJSON is a tree before, by its last checkpoint. Where nothing is left of it, only
// its origin is known, or not even that.
type beforeJSON struct {
	Origin  string       `json:"origin"`
	Size    int64        `json:"size"`
	At      time.Time    `json:"at,omitzero"`
	Same    bool         `json:"same"` // all of it is the same here
	Folder  string       `json:"folder,omitempty"`
	Finding *findingJSON `json:"finding,omitempty"` // what is not as it was sealed then
	Before  *beforeJSON  `json:"before,omitempty"`
}

func beforeOf(b *seal.Before) *beforeJSON {
	if b == nil {
		return nil
	}
	return &beforeJSON{b.Checkpoint.Origin, b.Checkpoint.Size, b.Checkpoint.At, b.Same, b.Folder, findingOf(b.Bad), beforeOf(b.Before)}
}

func findingOf(f *seal.Finding) *findingJSON {
	if f == nil {
		return nil
	}
	return &findingJSON{f.Kind, f.Kind.String(), f.Position, f.Leaf, f.Stream, f.Type, f.Witness}
}

func verifyJSON(r seal.Report) reportJSON {
	answer := reportJSON{
		OK: r.Bad == nil, Origin: r.Checkpoint.Origin, Size: r.Size, Root: r.Checkpoint.Root.String(), At: r.Checkpoint.At, Events: r.Events,
		Expired: r.Expired, LastExpired: r.LastExpired, Unsealed: r.Unsealed, Checkpoints: r.Checkpoints, KeyKnown: r.KeyKnown, Witnesses: r.Witnesses,
		Before: beforeOf(r.Before), Finding: findingOf(r.Bad),
	}
	if answer.Witnesses == nil {
		answer.Witnesses = []seal.Standing{}
	}
	return answer
}

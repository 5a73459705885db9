package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

var (
	errBroken = errors.New("the bundle does not hold")
	errNoKeys = errors.New("the file holds no key")
)

// bundle verifies a bundle, and says what holds. Nothing but the files that are
// named is looked at. It fails with errBroken where something does not hold, and
// with errNotVerified where nothing can be said.
func (c verifyCommand) bundle(a *app) error {
	v, err := c.verdict(a)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotVerified, err)
	}
	if c.JSON {
		err = json.NewEncoder(a.out).Encode(struct {
			OK bool `json:"ok"`
			proof.Verdict
		}{v.OK(), v})
	} else {
		err = tellVerdict(a.out, v)
	}
	if err == nil && !v.OK() {
		err = fmt.Errorf("%s: %w", c.Bundle, errBroken)
	}
	return err
}

func (c verifyCommand) verdict(a *app) (v proof.Verdict, err error) {
	var o proof.Options
	if c.Key != "" {
		text, err := c.keyText()
		if err != nil {
			return v, err
		}
		if o.Keys = keysIn(text); len(o.Keys) == 0 {
			return v, fmt.Errorf("%s: %w", c.Key, errNoKeys)
		}
	}
	if c.Since != "" {
		if o.Since, err = checkpointIn(c.Since); err != nil {
			return v, err
		}
	}
	f, err := os.Open(c.Bundle)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return v, err
	}
	from := &untilDone{ctx: a.ctx, ReaderAt: f}
	a.meter.watch("checking the bundle", inBytes, func() (done, total int64) { return from.read.Load(), info.Size() })
	defer a.meter.rest()
	v, err = proof.Verify(from, info.Size(), o)
	if a.ctx.Err() != nil {
		err = context.Cause(a.ctx)
	}
	return v, err
}

// untilDone reads until its context ends, and counts the bytes.
type untilDone struct {
	ctx context.Context
	io.ReaderAt
	read atomic.Int64
}

func (r *untilDone) ReadAt(p []byte, off int64) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.ReaderAt.ReadAt(p, off)
	r.read.Add(int64(n))
	return n, err
}

// keysIn returns the keys in a text, one a line; what stands behind a # is a remark.
func keysIn(text string) (keys []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			keys = append(keys, line)
		}
	}
	return keys
}

// checkpointIn returns the checkpoint in a file that somebody kept. Whether it is signed
// is not looked at.
func checkpointIn(file string) ([]byte, error) {
	b, err := os.ReadFile(file) //nolint:gosec // the operator's to choose
	if err != nil {
		return nil, err
	}
	b = noteIn(b)
	text, _, _ := bytes.Cut(b, []byte("\n\n"))
	if _, err := proof.ParseText(string(text) + "\n"); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// noteIn returns the signed note in a text, such as a mail that was saved: from the
// first line that is a tree's name to the last signature.
func noteIn(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	var note []byte
	end := 0
	for line := range bytes.Lines(text) {
		if len(note) == 0 && !bytes.HasPrefix(line, []byte(proof.OriginPrefix)) {
			continue
		}
		note = append(note, line...)
		if bytes.HasPrefix(line, []byte("— ")) {
			end = len(note)
		}
	}
	if end == 0 {
		return append(text, ' ') // no note: it is for the verifier to say so
	}
	return note[:end]
}

// tellVerdict says what holds, and what not, a line each.
func tellVerdict(w io.Writer, v proof.Verdict) error {
	const minute = "2006-01-02 15:04 MST"
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(ok bool, what, format string, args ...any) {
		mark := "ok"
		if !ok {
			mark = "bad"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", mark, what, fmt.Sprintf(format, args...))
	}
	if v.Signed {
		line(true, "checkpoint", "%d leaves, signed by %s on %s, root %s", v.Size, v.Origin, v.Sealed.UTC().Format(minute), v.Root)
	}
	for _, w := range v.Witnesses {
		line(true, "witness", "%s has cosigned it", w)
	}
	for _, w := range v.Absent {
		fmt.Fprintf(out, "but\twitness\t%s has not cosigned it\n", w)
	}
	if v.Complete {
		says := "are all there and as they were sealed"
		if !v.Signed {
			says = "are all there and lead to the root in the checkpoint, which is not signed"
		}
		line(v.Signed, "events", "%d, the leaves %d to %d of %d, %s", v.Events, v.From, v.To-1, v.Size, says)
		if v.Events > 0 {
			line(true, "recorded", "%s to %s", v.First.UTC().Format(minute), v.Last.UTC().Format(minute))
		}
	}
	if v.Complete && v.Expired > 0 {
		line(true, "expired", "%d logins more, of %s or before: their leaves are there, what they said is gone", v.Expired, v.LastExpired.Format("2006-01-02"))
	}
	if v.Earlier > 0 {
		line(true, "earlier", "%d checkpoints are of the same history", v.Earlier)
	}
	if s := v.Since; s != nil && s.Holds {
		line(true, "since", "nothing of the %d leaves of %s was changed", s.Size, s.At.UTC().Format(minute))
	}
	if !v.KeysPinned {
		fmt.Fprintf(out, "but\tkey\t%s\n", "no key was given, and those of the bundle were believed: --key FILE names the ones that you trust")
	}
	text, _, _ := strings.Cut(v.Before, "\n\n")
	if b, err := proof.ParseText(text + "\n"); err == nil {
		fmt.Fprintf(out, "but\ttree\tit begins after the %d leaves of %s, of %s: what was changed before that, only that tree shows\n", b.Size, b.Origin, b.At.Format(minute))
	} else if strings.Contains(strings.TrimPrefix(v.Origin, proof.OriginPrefix), "/") {
		fmt.Fprintf(out, "but\ttree\t%s\n", "it is a later tree of this log: what was changed before it began, only the one before it shows")
	}
	if v.Since == nil {
		fmt.Fprintf(out, "but\tsince\t%s\n", "no older checkpoint was given: --since FILE names one that you kept, to see that the log was not made anew")
	}
	for _, f := range v.Findings {
		what := f.File
		if what == "" {
			what = string(f.Kind)
		}
		where := ""
		if f.Position > 0 {
			where = fmt.Sprintf(" (position %d)", f.Position)
		}
		line(false, what, "%s%s", f.Text, where)
	}
	return out.Flush()
}

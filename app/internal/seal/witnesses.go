package seal

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// A WitnessState is how a witness stands to us.
type WitnessState string

// The states.
const (
	Agrees    WitnessState = "agrees"    // it has cosigned the newest checkpoint
	Behind    WitnessState = "behind"    // it has cosigned an older one
	Away      WitnessState = "away"      // it cannot be reached, or does not know us
	Disagrees WitnessState = "disagrees" // it has seen another history of this log
)

// A Standing is how one witness stands to us.
type Standing struct {
	Name  string       `json:"name"`
	URL   string       `json:"url,omitempty"`
	Size  int64        `json:"size"`        // of the last checkpoint that it is known to have cosigned
	At    time.Time    `json:"at,omitzero"` // when it did
	State WitnessState `json:"state"`
	// Index says that it has wanted to see the index grow, too, and not only the tree.
	Index bool   `json:"index,omitempty"`
	Why   string `json:"why,omitempty"` // in English: what is wrong
}

// How long a witness may take to answer, and how long after a failure it is asked
// again.
const (
	witnessPatience = 10 * time.Second
	witnessFirst    = 2 * time.Second
	witnessMost     = time.Minute
)

// keepCosigned has a witness cosign each new checkpoint, until ctx ends. Nothing
// waits for it.
func (s *Seal) keepCosigned(ctx context.Context, w *writer, to Witness) {
	name := to.Key.Name()
	known := s.folder.standings()[name]
	s.setStanding(known.named(name))
	wait := witnessFirst
	for {
		w.mu.Lock()
		last, changed := w.last, w.changed
		w.mu.Unlock()
		var retry <-chan time.Time
		if last.Size > 0 && !cosignedBy(last, name) {
			var agreed bool
			if known, agreed = s.ask(ctx, w, to, known); ctx.Err() != nil {
				return
			}
			if agreed {
				wait = witnessFirst
				continue
			}
			retry = time.After(wait)
			wait = min(2*wait, witnessMost)
		}
		if retry != nil { // one that failed is not asked faster than that
			changed = nil
		}
		select {
		case <-retry:
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// ask has a witness cosign the newest checkpoint, once, and returns how it stands then.
func (s *Seal) ask(ctx context.Context, w *writer, to Witness, known Standing) (now Standing, agreed bool) {
	st, c, err := cosign(ctx, s.c.Client, to, w.newest, w.files, known)
	if ctx.Err() != nil {
		return known, false
	}
	if err == nil {
		err = w.cosigned(c)
	}
	return s.stand(known, st, err), st.State == Agrees && err == nil
}

// askAll asks every witness that has not cosigned the last checkpoint, once, for a
// program that seals and leaves. It waits for their answers.
func (s *Seal) askAll(ctx context.Context, w *writer) {
	last, err := w.newest()
	if err != nil || last.Size == 0 {
		return
	}
	known := s.folder.standings()
	var asked sync.WaitGroup
	for _, to := range s.c.Witnesses {
		name := to.Key.Name()
		st := known[name].named(name)
		s.setStanding(st)
		if !cosignedBy(last, name) {
			asked.Go(func() { s.ask(ctx, w, to, st) })
		}
	}
	asked.Wait()
}

func cosignedBy(c proof.Checkpoint, name string) bool {
	return slices.ContainsFunc(c.Witnesses, func(c proof.Cosignature) bool { return c.Name == name })
}

func (st Standing) named(name string) Standing {
	st.Name = name
	if st.State == "" {
		st.State = Away
	}
	return st
}

// stand keeps how a witness stands, and tells when that gets worse. What it has said
// against us stays until it agrees again.
func (s *Seal) stand(before, now Standing, err error) Standing {
	if now.State == Away && before.State == Disagrees {
		now.State, now.Why = Disagrees, before.Why
	}
	if now.Size <= before.Size && now.State != Agrees { // when that was is known from before
		now.Size, now.At = before.Size, before.At
	}
	s.setStanding(now)
	if now.State != before.State {
		switch now.State {
		case Disagrees:
			s.c.Report(&HistoryError{Finding{Kind: Inconsistent, Witness: now.Name}})
		case Away:
			s.c.Report(fmt.Errorf("the witness %s does not cosign: %s", now.Name, now.Why))
		case Agrees, Behind:
		}
	}
	if err != nil && now.State == Agrees {
		s.c.Report(err)
	}
	return now
}

func (s *Seal) setStanding(now Standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.standings[now.Name] == now {
		return
	}
	s.standings[now.Name] = now
	all := slices.Collect(maps.Values(s.standings))
	slices.SortFunc(all, func(a, b Standing) int { return strings.Compare(a.Name, b.Name) })
	b, err := json.MarshalIndent(all, "", "\t")
	if err == nil {
		err = s.folder.replace(witnessesFile, append(b, '\n'))
	}
	if err != nil {
		s.c.Report(fmt.Errorf("keep how the witnesses stand: %w", err))
	}
}

// standings reads how the witnesses stood when that was last known.
func (f folder) standings() map[string]Standing {
	b, err := os.ReadFile(f.path(witnessesFile))
	var all []Standing
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil // it is known again as soon as one is asked
	}
	byName := map[string]Standing{}
	for _, st := range all {
		byName[st.Name] = st
	}
	return byName
}

// newest returns the last checkpoint.
func (w *writer) newest() (proof.Checkpoint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, nil
}

// cosigned keeps a checkpoint that has one cosignature more.
func (w *writer) cosigned(c proof.Checkpoint) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Size == w.last.Size { // others may have cosigned it meanwhile
		merged, err := w.keys.open(merge(w.last.Note, c.Note))
		if err != nil {
			return err
		}
		c = merged
	}
	if err := w.publish(c); err != nil {
		return err
	}
	w.wake()
	return nil
}

// merge adds the signatures of one note to those of another one of the same text.
func merge(a, b []byte) []byte {
	_, more, _ := bytes.Cut(b, []byte("\n\n"))
	for sig := range bytes.Lines(more) {
		if !bytes.Contains(a, sig) {
			a = slices.Concat(a, sig)
		}
	}
	return a
}

// The refusals of a witness.
var (
	errWitnessSays = errors.New("the witness says no")
	errDisagrees   = errors.New("the witness has seen another history")
)

// A conflictError is a witness's word that it has cosigned another size.
type conflictError struct{ size int64 }

func (e *conflictError) Error() string {
	return fmt.Sprintf("the witness has cosigned %d leaves", e.size)
}

// An indexError is a witness's word that it knows the index of so many leaves only, and
// wants to see the rest before it cosigns.
type indexError struct{ leaves int64 }

func (e *indexError) Error() string {
	return fmt.Sprintf("the witness knows the index of %d leaves", e.leaves)
}

// cosign has a witness cosign the newest checkpoint, and returns it with that. before is
// how it stood; what it is thought to have seen, it says where that is not so. The
// Standing says how it stands then.
func cosign(ctx context.Context, client *http.Client, w Witness, newest func() (proof.Checkpoint, error), files *storage, before Standing) (Standing, proof.Checkpoint, error) {
	known := before.Size
	st := Standing{Name: w.Key.Name(), URL: w.URL, Size: known, State: Away, Index: before.Index}
	var err error
	for range 4 { // it may be used by others at the same moment
		var c proof.Checkpoint
		if c, err = newest(); err != nil {
			break
		}
		if known > c.Size {
			known = 0 // it says itself what it has seen
		}
		var signed proof.Checkpoint
		signed, err = submit(ctx, client, w, c, known, files)
		if wants, ok := errors.AsType[*indexError](err); ok {
			st.Index = true
			if err = showIndex(ctx, client, w, c, wants.leaves, files.index); err == nil {
				signed, err = submit(ctx, client, w, c, known, files)
			}
		}
		if err == nil {
			st.Size, st.State = c.Size, Agrees
			for _, by := range signed.Witnesses {
				if by.Name == st.Name {
					st.At = by.At
				}
			}
			return st, signed, nil
		}
		conflict, ok := errors.AsType[*conflictError](err)
		switch {
		case errors.Is(err, errDisagrees):
		case ok && conflict.size == known:
			err = errDisagrees // of the same size
		case ok:
			if c, failed := newest(); failed == nil && conflict.size > c.Size {
				st.Size = conflict.size
				err = fmt.Errorf("%w: it has cosigned %d leaves, and there are %d", errDisagrees, conflict.size, c.Size)
				break
			}
			known, st.Size = conflict.size, conflict.size
			continue
		}
		break
	}
	if errors.Is(err, errDisagrees) {
		st.State = Disagrees
	}
	st.Why = err.Error()
	return st, proof.Checkpoint{}, err
}

// submit posts a checkpoint to a witness once (C2SP tlog-witness), and returns it
// with the cosignature.
func submit(ctx context.Context, client *http.Client, w Witness, c proof.Checkpoint, old int64, hashes tlog.HashReader) (proof.Checkpoint, error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	if old > 0 && old < c.Size {
		way, err := tlog.ProveTree(c.Size, old, hashes)
		if err != nil {
			return c, err
		}
		for _, h := range way {
			body.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
		}
	}
	body.WriteByte('\n')
	body.Write(c.Note)
	answer, err := post(ctx, client, w, "/add-checkpoint", &body)
	switch {
	case err != nil:
		return c, err
	case answer.status == http.StatusOK:
		return taken(c, w, answer.said)
	case answer.status == http.StatusUnprocessableEntity:
		return c, fmt.Errorf("%w: no proof leads from its %d leaves to our %d", errDisagrees, old, c.Size)
	}
	return c, answer.refusal()
}

// indexAtOnce is how many entries of the index a witness is shown at once.
const indexAtOnce = 1 << 14

// showIndex shows a witness the index of a checkpoint, from a leaf on (see the package
// witness: index.go).
func showIndex(ctx context.Context, client *http.Client, w Witness, c proof.Checkpoint, from int64, index io.ReaderAt) error {
	again := 0 // where another program shows it at the same moment
	for from < c.Size {
		n := min(indexAtOnce, c.Size-from)
		var body bytes.Buffer
		fmt.Fprintf(&body, "index %d %d\n", from, n)
		if _, err := io.Copy(&body, io.NewSectionReader(index, from*proof.EntrySize, n*proof.EntrySize)); err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
		body.Write(c.Note)
		answer, err := post(ctx, client, w, "/add-index", &body)
		switch {
		case err != nil:
			return err
		case answer.status == http.StatusOK:
			from += n
			continue
		case answer.status == http.StatusUnprocessableEntity:
			return fmt.Errorf("%w: of what may expire it has seen something else", errDisagrees)
		}
		err = answer.refusal()
		wants, ok := errors.AsType[*indexError](err)
		if again++; !ok || wants.leaves > c.Size || again > 8 {
			return err
		}
		from = wants.leaves
	}
	return nil
}

// An answer is what a witness says.
type answer struct {
	status int
	kind   string // its media type
	said   []byte
}

// post asks a witness once (C2SP tlog-witness).
func post(ctx context.Context, client *http.Client, w Witness, path string, body io.Reader) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(w.URL, "/")+path, body)
	if err != nil {
		return a, err
	}
	said, err := client.Do(r)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return a, errors.New("its certificate is not one that is trusted here (seal.ca_file), or not of this name")
	}
	if err != nil {
		return a, errors.New("it cannot be reached") // the reason holds addresses
	}
	defer said.Body.Close() //nolint:errcheck // only read
	a.status = said.StatusCode
	a.kind, _, _ = mime.ParseMediaType(said.Header.Get("Content-Type"))
	if a.said, err = io.ReadAll(io.LimitReader(said.Body, proof.MaxNote)); err != nil {
		return a, errors.New("its answer was cut off")
	}
	return a, nil
}

// refusal reads why a witness does not do what was asked. Where a conflict names no size,
// the roots of one size differ.
func (a answer) refusal() error {
	n, err := strconv.ParseInt(strings.TrimSuffix(string(a.said), "\n"), 10, 64)
	named := err == nil && n >= 0
	switch {
	case a.status == http.StatusConflict && named && a.kind == "text/x.tlog.size":
		return &conflictError{n}
	case a.status == http.StatusConflict:
		return errDisagrees
	case a.status == http.StatusPreconditionRequired && named && a.kind == "text/x.keydesk.index":
		return &indexError{n}
	case a.status == http.StatusNotFound:
		return fmt.Errorf("%w: it does not know this log (404)", errWitnessSays)
	case a.status == http.StatusForbidden:
		return fmt.Errorf("%w: it knows another key of this log (403)", errWitnessSays)
	}
	return fmt.Errorf("%w: %d", errWitnessSays, a.status)
}

// taken adds the cosignature of a witness to a checkpoint, and no other signature.
func taken(c proof.Checkpoint, w Witness, said []byte) (proof.Checkpoint, error) {
	for sig := range bytes.Lines(said) {
		if !bytes.HasPrefix(sig, []byte("— "+w.Key.Name()+" ")) || !bytes.HasSuffix(sig, []byte("\n")) {
			continue
		}
		with := slices.Concat(c.Note, sig)
		if by, ok := proof.Cosigned(with, w.Key); ok {
			signed := c
			signed.Note, signed.Witnesses = with, append(slices.Clone(c.Witnesses), by)
			return signed, nil
		}
	}
	return c, fmt.Errorf("%w: its cosignature is not good", errWitnessSays)
}

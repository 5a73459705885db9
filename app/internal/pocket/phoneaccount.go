package pocket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/keydesk/keydesk/domain/pairing"
)

// Errors of a phone in Go.
var (
	// ErrNotPaired: there is no account beside the phone's key.
	ErrNotPaired = errors.New("this phone is not paired")
	// ErrNothingWaits: no login asked for the phone in time.
	ErrNothingWaits = errors.New("no login waits for this phone")
	// ErrWrongDigits: they are not those on the screen.
	ErrWrongDigits = errors.New("these are not the digits on the screen")
)

// account is what a phone in Go keeps of a pairing.
type account struct {
	URL string `json:"url"` // of the service
	accountAnswer
}

// readAccount returns nothing where there is no file.
func readAccount(name string) (account, error) {
	text, err := readPrivate(name)
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, nil
	}
	if err != nil {
		return account{}, err
	}
	var a account
	if err := json.Unmarshal(text, &a); err != nil {
		return account{}, fmt.Errorf("%s: %w", name, err)
	}
	if public, err := pairing.CheckPublicURL(a.URL); err != nil || public != a.URL {
		return account{}, fmt.Errorf("%s: %w", name, pairing.ErrBadURL)
	}
	return a, nil
}

// writeAccount puts the file there whole or not at all.
func writeAccount(name string, a account) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// at names a portal and whose it is, where that is told.
func at(portal, organisation string) string {
	if organisation == "" {
		return portal
	}
	return portal + " (" + organisation + ")"
}

// Account returns what the phone is paired with; false before Finish.
func (p *Phone) Account() (pairing.Account, bool) {
	return pairing.Account(p.account.accountAnswer), p.account.Device != ""
}

// MoveTo says that the service is answered at another public URL from now on, as that
// of a demo is at each start. It is not kept.
func (p *Phone) MoveTo(publicURL string) error {
	public, err := pairing.CheckPublicURL(publicURL)
	if err != nil {
		return err
	}
	p.account.URL = public
	return nil
}

// Pending asks once what waits for the phone. The service answers as soon as
// something does, or after a while with nil. Refusals are a pairing.Refusal.
func (p *Phone) Pending(ctx context.Context) (*pairing.Approval, error) {
	if p.account.Device == "" {
		return nil, ErrNotPaired
	}
	for fresh := false; ; fresh = true {
		if p.ask == "" {
			var n nonceAnswer
			if err := p.call(ctx, p.account.URL+"/p/v1/nonce", "application/json", []byte("{}"), &n); err != nil {
				return nil, fmt.Errorf("ask what waits: %w", err)
			}
			p.ask, fresh = n.Nonce, true
		}
		message, err := p.sign(pairing.TypePending, map[string]any{
			"aud": p.account.URL, "subject": p.account.Subject, "device": p.account.Device, "nonce": p.ask,
		})
		if err != nil {
			return nil, err
		}
		var answer pendingAnswer
		err = p.call(ctx, p.account.URL+"/p/v1/pending", "application/jose", message, &answer)
		switch {
		case errors.Is(err, pairing.WrongNonce) && !fresh:
			p.ask = "" // it was kept for too long
		case err != nil:
			return nil, fmt.Errorf("ask what waits: %w", err)
		case answer.Approval == nil:
			return nil, nil //nolint:nilnil // nothing waits, which is no error
		default:
			return answer.Approval.read(time.Now()), nil
		}
	}
}

// read turns what travelled back into an approval.
func (a approval) read(now time.Time) *pairing.Approval {
	return &pairing.Approval{
		Challenge: a.Challenge, Nonce: a.Nonce, Portal: a.Portal, Organisation: a.Organisation, Client: a.Client,
		Station: a.Station, From: a.From, Change: a.Change, Tries: a.Tries,
		Asked: time.Unix(a.Asked, 0), Expires: now.Add(time.Duration(a.Seconds) * time.Second),
	}
}

// Await returns the login that waits for the phone, as soon as there is one. The
// end of ctx is its error.
func (p *Phone) Await(ctx context.Context) (pairing.Approval, error) {
	for {
		a, err := p.Pending(ctx)
		if err != nil {
			return pairing.Approval{}, err
		}
		if a != nil {
			return *a, nil
		}
	}
}

// decided is a decision as it was sent, to be sent again as it is.
type decided struct {
	challenge, digits string
	answer            pairing.Answer
	message           []byte
}

// Decide says what the person decided on an approval; digits come with
// pairing.Approve. The same decision again is the same message, so that nothing
// happens twice. Refusals are a pairing.Refusal.
func (p *Phone) Decide(
	ctx context.Context, a pairing.Approval, answer pairing.Answer, digits string,
) (pairing.Decided, error) {
	if p.account.Device == "" {
		return pairing.Decided{}, ErrNotPaired
	}
	if d := p.decided; d.challenge != a.Challenge || d.answer != answer || d.digits != digits {
		message, err := p.sign(pairing.TypeDecision, map[string]any{
			"aud": p.account.URL, "subject": p.account.Subject, "device": p.account.Device,
			"challenge": a.Challenge, "nonce": a.Nonce, "digits": digits, "context": a.Context(), "answer": answer,
		})
		if err != nil {
			return pairing.Decided{}, err
		}
		p.decided = decided{a.Challenge, digits, answer, message}
	}
	var d decidedAnswer
	if err := p.call(ctx, p.account.URL+"/p/v1/decide", "application/jose", p.decided.message, &d); err != nil {
		return pairing.Decided{}, fmt.Errorf("decide on login: %w", err)
	}
	if d.State == pairing.DecidedWrong {
		p.decided = decided{} // typing the same again is another try
	}
	return pairing.Decided(d), nil
}

// An ApproveCommand decides from the command line on the login that waits.
type ApproveCommand struct {
	KeyFile string         // of PairCommand
	Answer  pairing.Answer // default: pairing.Approve
	Digits  string         // with Approve; "": they are asked for
	Wait    time.Duration  // for a login; 0: for ever
	In      io.Reader      // where digits are typed
	Out     io.Writer
}

// Run shows the login and brings the answer to the service.
func (c ApproveCommand) Run(ctx context.Context) error {
	if _, err := os.Stat(c.KeyFile); err != nil {
		return fmt.Errorf("%w: %w", ErrNotPaired, err) // OpenPhone would make a key
	}
	p, err := OpenPhone(c.KeyFile)
	if err != nil {
		return err
	}
	waiting := ctx
	if c.Wait > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, c.Wait)
		defer cancel()
	}
	a, err := p.Await(waiting)
	if err != nil && ctx.Err() == nil && errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return ErrNothingWaits
	}
	if err != nil {
		return err
	}
	if err := c.show(a); err != nil {
		return err
	}
	if c.Answer != "" && c.Answer != pairing.Approve {
		d, err := p.Decide(ctx, a, c.Answer, "")
		if err != nil {
			return err
		}
		return c.end(d)
	}
	return c.approve(ctx, p, a)
}

// approve asks for the digits until they are right, where nobody gave them.
func (c ApproveCommand) approve(ctx context.Context, p *Phone, a pairing.Approval) error {
	typed := lines(c.In)
	for {
		digits := c.Digits
		if digits == "" {
			if _, err := fmt.Fprint(c.Out, "Digits on the screen: "); err != nil {
				return err
			}
			var more bool
			select {
			case digits, more = <-typed:
			case <-ctx.Done():
				return ctx.Err()
			}
			if !more {
				return errors.New("no digits were typed")
			}
		}
		digits = strings.Join(strings.Fields(digits), "")
		if !pairing.AreDigits(digits) {
			if c.Digits != "" {
				return fmt.Errorf("%w: there are six", ErrWrongDigits)
			}
			continue
		}
		d, err := p.Decide(ctx, a, pairing.Approve, digits)
		if err != nil {
			return err
		}
		if d.State != pairing.DecidedWrong || d.Tries == 0 || c.Digits != "" {
			return c.end(d)
		}
		if _, err := fmt.Fprintf(c.Out, "These are not the digits. Tries left: %d\n", d.Tries); err != nil {
			return err
		}
	}
}

// lines reads lines while somebody else can wait for other things as well. What
// reads is left behind when nobody takes the lines: a program's input has no end
// that could be brought about.
func lines(r io.Reader) <-chan string {
	all := make(chan string)
	go func() {
		defer close(all)
		for s := bufio.NewScanner(r); s.Scan(); {
			all <- s.Text()
		}
	}()
	return all
}

// printable keeps what others wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

func (c ApproveCommand) show(a pairing.Approval) error {
	what, who := "Somebody logs in", "program"
	if a.Change {
		what = "Somebody wants to change the account"
	}
	if a.Station {
		who = "station"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", what, at(printable(a.Portal), printable(a.Organisation)))
	fmt.Fprintf(&b, "  asked by  %s %s\n", who, printable(a.Client))
	if a.From != "" {
		fmt.Fprintf(&b, "  from      %s\n", printable(a.From))
	}
	fmt.Fprintf(&b, "  since     %s\n", a.Asked.Local().Format("2006-01-02 15:04:05"))
	fmt.Fprintf(&b, "  time left %s\n", time.Until(a.Expires).Round(time.Second))
	_, err := io.WriteString(c.Out, b.String())
	return err
}

func (c ApproveCommand) end(d pairing.Decided) error {
	say := ""
	switch d.State {
	case pairing.DecidedApproved:
		say = "Approved: go on at the screen."
	case pairing.DecidedDenied:
		say = "Denied: nobody was logged in."
	case pairing.DecidedFrozen:
		say = "The account is frozen: nobody can log in. Call the helpdesk."
	case pairing.DecidedWrong:
		if d.Tries == 0 {
			return fmt.Errorf("%w, too often: the login has ended", ErrWrongDigits)
		}
		return fmt.Errorf("%w; tries left: %d", ErrWrongDigits, d.Tries)
	default:
		return fmt.Errorf("the service answers %q, which this version does not know", d.State)
	}
	_, err := fmt.Fprintln(c.Out, say)
	return err
}

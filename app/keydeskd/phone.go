package main

import (
	"os"
	"time"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain/pairing"
)

type phoneCommands struct {
	Pair    phonePair    `cmd:"" help:"Pair as a phone would that scanned the QR code, and print the six digits to type at the station."`
	Approve phoneApprove `cmd:"" help:"Wait for a login as a paired phone would, show who asks, and approve it with the six digits on the screen."`
}

type phonePair struct {
	URL string `arg:"" help:"What the QR code says."`
	Key string `help:"The file in which the phone's key is kept; made when it does not exist. The account is kept beside it." default:"phone.key" type:"path"`
}

func (c phonePair) Run(a *app) error { return pocket.PairCommand(a.ctx, c.URL, c.Key, a.out) }

type phoneApprove struct {
	Key    string        `help:"The file with the phone's key, of \"phone pair\"." default:"phone.key" type:"path"`
	Wait   time.Duration `help:"How long to wait for a login; 0 for ever." default:"30s"`
	Digits string        `help:"The six digits on the screen; asked for where they are not given." xor:"answer" placeholder:"DIGITS"`
	Deny   bool          `help:"Say no to this login." xor:"answer"`
	NotMe  bool          `help:"Say that it was somebody else: the account is frozen until the helpdesk helps." xor:"answer"`
}

func (c phoneApprove) Run(a *app) error {
	answer := pairing.Approve
	switch {
	case c.Deny:
		answer = pairing.Deny
	case c.NotMe:
		answer = pairing.NotMe
	}
	return pocket.ApproveCommand{
		KeyFile: c.Key, Answer: answer, Digits: c.Digits, Wait: c.Wait, In: os.Stdin, Out: a.out,
	}.Run(a.ctx)
}

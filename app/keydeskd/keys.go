package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"
)

type keyCommands struct {
	List   keyList   `cmd:"" help:"Show every key that there ever was, and what it is for now."`
	Rotate keyRotate `cmd:"" help:"Have another key sign, from ten minutes from now on."`
}

type keyList struct{}

// Help says what the words mean.
func (keyList) Help() string {
	return "A key is published from the moment on at which it is made (\"will sign\"), signs until the next one does, and stays " +
		"published for an hour. It is derived from the master key that is named: that one has to stay in the key file until the key is retired."
}

func (keyList) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	keys, err := h.AssertionKeys(a.ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tFROM\tSTATE\tMASTER KEY")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", k.ID, k.From.Format(time.RFC3339), keys.Phase(k.ID, now), k.Master)
	}
	return table.Flush()
}

type keyRotate struct{}

// Help says what happens to the key that signs now.
func (keyRotate) Help() string {
	return "Until then, and for an hour after, what the key before it signed is verified as ever. Nothing has to be restarted. Where there is no key yet, the new one signs at once."
}

func (keyRotate) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	k, err := h.Desk.RotateKey(a.ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s signs from %s on\n", k.ID, k.From.Format(time.RFC3339))
	return err
}

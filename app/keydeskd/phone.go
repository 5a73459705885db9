package main

import "github.com/keydesk/keydesk/app/internal/pocket"

type phoneCommands struct {
	Pair phonePair `cmd:"" help:"Pair as a phone would that scanned the QR code, and print the six digits to type at the station."`
}

type phonePair struct {
	URL string `arg:"" help:"What the QR code says."`
	Key string `help:"The file in which the phone's key is kept; made when it does not exist." default:"phone.key" type:"path"`
}

func (c phonePair) Run(a *app) error { return pocket.PairCommand(a.ctx, c.URL, c.Key, a.out) }

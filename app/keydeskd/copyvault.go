package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/vault"
)

type copyVaultCommand struct {
	From     string `required:"" placeholder:"URL" help:"The vault to copy: sqlite:PATH or postgres://USER@HOST/DATABASE."`
	To       string `required:"" placeholder:"URL" help:"Where to: the same kinds. Nobody is in it yet, or it is the beginning of the same copy."`
	Check    bool   `name:"check-only" help:"Copy nothing: compare both, row by row."`
	FromPass string `name:"from-password-file" placeholder:"FILE" help:"The file that holds the password of the user in --from."`
	ToPass   string `name:"to-password-file" placeholder:"FILE" help:"The file that holds the password of the user in --to."`
	FromCA   string `name:"from-ca-file" placeholder:"FILE" help:"The authority that the certificate of --from is from."`
	ToCA     string `name:"to-ca-file" placeholder:"FILE" help:"The authority that the certificate of --to is from."`
}

// Help is shown under the command's --help.
func (copyVaultCommand) Help() string {
	return "Stop the kiosks first. What is sealed stays so, and needs the same master key at both places: " +
		"the one of the settings, vault.master_key. Interrupted, the same command goes on where it was; in the end both are compared. " +
		"Afterwards delete the vault that is no longer used: erasing somebody reaches only the one in use."
}

var (
	errSameVault = errors.New("--from and --to are the same vault")
	errNoVault   = errors.New("there is no vault to copy")
)

// Left says what is there of one that was stopped.
func (copyVaultCommand) Left() string { return "the same command goes on where it was" }

func (c copyVaultCommand) Run(a *app) (err error) {
	if c.From == c.To {
		return errSameVault
	}
	set, err := a.settings(c.From, c.To)
	if err != nil {
		return err
	}
	keys, err := home.ReadKeys(set.Vault)
	if err != nil {
		return err
	}
	from, err := openVault(a.ctx, c.From, c.FromPass, c.FromCA, keys, true)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openVault(a.ctx, c.To, c.ToPass, c.ToCA, keys, c.Check)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if !c.Check {
		tell := a.meter.begin("copying the vault", "rows")
		done, err := from.Copy(a.ctx, to, func(c vault.Copied) { tell(c.Copied, 0) })
		a.meter.rest()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "copied %d rows, %d were there already; both vaults hold the same\n", done.Copied, done.Found)
		return err
	}
	a.meter.begin("comparing both vaults", "")
	n, err := from.Compare(a.ctx, to)
	a.meter.rest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "both vaults hold the same %d rows\n", n)
	return err
}

// openVault opens one side of a copy.
func openVault(ctx context.Context, address, passwordFile, caFile string, keys *vault.Keys, existing bool) (*vault.Vault, error) {
	password, err := passwordFor(address, passwordFile)
	if err != nil {
		return nil, err
	}
	o := vault.Options{Password: password.Reveal(), CAFile: caFile}
	if existing { // opening would make it
		if there, err := vault.Exists(ctx, address, o); err != nil || !there {
			return nil, errors.Join(err, errNoVault)
		}
	}
	return vault.Open(ctx, address, keys, o)
}

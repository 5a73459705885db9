package home

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/vault"
)

// The parts of a home one by one, for whoever finds out what is wrong with one
// that does not open. Nothing here makes a key or a vault, or sends anything.

// ErrNoVault says that there is no vault yet: the first start makes it.
var ErrNoVault = errors.New("there is no vault yet")

// ReadKeys reads the master key.
func ReadKeys(set settings.Vault) (*vault.Keys, error) {
	if set.Credential {
		return vault.KeysFromCredential(filepath.Base(set.MasterKey))
	}
	return vault.KeysFromFile(set.MasterKey)
}

// VaultExists says whether the vault was made.
func VaultExists(ctx context.Context, set settings.Vault) (bool, error) {
	return vault.Exists(ctx, set.URL, vaultOptions(set))
}

// OpenVault opens a vault that was made.
func OpenVault(ctx context.Context, set settings.Vault, keys *vault.Keys) (*vault.Vault, error) {
	there, err := VaultExists(ctx, set)
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, ErrNoVault
	}
	return vault.Open(ctx, set.URL, keys, vaultOptions(set))
}

// CheckMail connects to the mail server and logs in.
func CheckMail(ctx context.Context, set settings.Mail) error {
	mail, err := newMail(set, courier.Texts{})
	if err != nil {
		return err
	}
	return mail.Check(ctx)
}

// ErrNeedsSending says that only a message shows whether a provider works.
var ErrNeedsSending = errors.New("cannot be checked without sending a message")

// CheckSMS asks each provider that can be asked whether it knows the account,
// in the order of the settings.
func CheckSMS(ctx context.Context, set settings.SMS) (names []string, errs []error) {
	for _, name := range set.Order {
		one := set
		one.Order = []string{name}
		providers, err := smsProviders(one)
		if err == nil {
			err = ErrNeedsSending
			if can, ok := providers[0].(checker); ok {
				err = can.Check(ctx)
			}
		}
		names, errs = append(names, name), append(errs, err)
	}
	return names, errs
}

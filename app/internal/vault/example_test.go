package vault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// One value on its way: pending, named by an event, active, erased.
func Example() {
	home, err := os.MkdirTemp("", "keydesk")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	ctx := context.Background()
	keys, err := vault.LoadOrCreateKeys(filepath.Join(home, "master.key"))
	if err != nil {
		panic(err)
	}
	v, err := vault.Open(ctx, "sqlite:"+filepath.Join(home, "vault.db"), keys, vault.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = v.Close() }()

	subject, err := v.Claim(ctx, "Fatima@voorbeeld.nl")
	if err != nil {
		panic(err)
	}
	ref, err := v.Put(ctx, subject, vault.KindName, []byte("Fatima"))
	if err != nil {
		panic(err)
	}
	// here the event NameSet{ref} is appended to the log
	if err := v.Activate(ctx, subject, ref); err != nil {
		panic(err)
	}
	name, err := v.Get(ctx, subject, vault.KindName, ref)
	fmt.Println(string(name), err)

	if err := v.Erase(ctx, subject); err != nil {
		panic(err)
	}
	_, err = v.Get(ctx, subject, vault.KindName, ref)
	fmt.Println(errors.Is(err, domain.ErrErased), v)
	// Output:
	// Fatima <nil>
	// true [redacted]
}

package courier_test

import (
	"context"
	"fmt"
	"os"

	"github.com/keydesk/keydesk/app/internal/courier"
)

// The demo's outbox stands in the place of both couriers.
func ExampleOutbox() {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	box, err := courier.NewOutbox(dir, courier.Texts{Portal: "Mijn OPO-R", Pocket: "Pocket", Support: "hulp@voorbeeld.nl"})
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := box.SMS().Send(context.Background(), courier.Message{
		ID: "0b5e", Kind: courier.VerifyPhone, To: "+31612345678", Lang: "en", Code: "271828", Minutes: 10,
	})
	fmt.Println(receipt, err)
	items, err := box.List(0)
	fmt.Println(items[0].To, items[0].Code, err)
	fmt.Println(items[0].Text)
	// Output:
	// {demo 000001} <nil>
	// +31612345678 271828 <nil>
	// 271828 is your code for Mijn OPO-R. Type it on the screen; it works for 10 minutes. Never share it: we will never ask for it.
}

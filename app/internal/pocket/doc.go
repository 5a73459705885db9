// Package pocket is the phones' side of Keydesk: an HTTP service that carries
// the page of assets/phone and the protocol of domain/pairing, pairing and approval, and
// Phone, a phone in Go that speaks the same for tests, demonstrations and the
// command line.
//
// The service holds no state but its rate limits. It checks what a phone sent
// (form, size, origin, signature), asks the Desk, and puts the answer on the
// wire; any of several services can take the next step of a pairing.
//
// It may import domain and assets. Start reading at NewHandler, then at open,
// which decides what a signed message has to look like.
package pocket

package remote

import (
	"context"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// What follows is desk, use case by use case, as rights.go has them.

// CheckEmail judges an address here, without asking: see desk.Facts.
func (c *Client) CheckEmail(typed string) (suggestion string, err error) {
	return c.Facts().CheckEmail(typed)
}

// CheckPassword judges a password here: it leaves the station once, when it is
// set.
func (c *Client) CheckPassword(visit, name, typed string) desk.PasswordReport {
	c.mu.Lock()
	email := c.emails[visit]
	c.mu.Unlock()
	return c.Facts().CheckPassword(email, name, typed)
}

// Begin starts a visit.
func (c *Client) Begin(ctx context.Context, email, lang string) (desk.View, error) {
	return c.visit(ctx, "begin", ask{Email: email, Lang: lang})
}

// View returns where a visit stands.
func (c *Client) View(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "view", ask{Visit: visit})
}

// Await returns the view as soon as it is another than the one with a version.
func (c *Client) Await(ctx context.Context, visit string, version uint64) (desk.View, error) {
	return c.visit(ctx, "await", ask{Visit: visit, Seen: version})
}

// SetLanguage notes in which language the person is spoken to.
func (c *Client) SetLanguage(ctx context.Context, visit, lang string) (desk.View, error) {
	return c.visit(ctx, "set-language", ask{Visit: visit, Lang: lang})
}

// End ends a visit.
func (c *Client) End(ctx context.Context, visit string, why desk.WipeReason) error {
	c.mu.Lock()
	delete(c.emails, visit)
	c.mu.Unlock()
	_, err := c.ask(ctx, "end", ask{Visit: visit, Why: string(why)})
	return err
}

// ConfirmEmail takes the code that was mailed.
func (c *Client) ConfirmEmail(ctx context.Context, visit, code string) (desk.View, error) {
	return c.visit(ctx, "confirm-email", ask{Visit: visit, Code: code})
}

// Resend sends the code again that the visit waits for.
func (c *Client) Resend(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "resend", ask{Visit: visit})
}

// Resume takes the password of somebody who left half-way.
func (c *Client) Resume(ctx context.Context, visit, password string) (desk.View, error) {
	return c.visit(ctx, "resume", ask{Visit: visit, Password: password})
}

// Restart has somebody who forgot that password begin again.
func (c *Client) Restart(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "restart", ask{Visit: visit})
}

// SetNameAndPassword sets both.
func (c *Client) SetNameAndPassword(ctx context.Context, visit, name, password string) (desk.View, error) {
	return c.visit(ctx, "set-name-and-password", ask{Visit: visit, Name: name, Password: password})
}

// GivePhone takes a number, and sends a code to it.
func (c *Client) GivePhone(ctx context.Context, visit, number string) (desk.View, error) {
	return c.visit(ctx, "give-phone", ask{Visit: visit, Number: number})
}

// ConfirmPhone takes the code that was sent to it.
func (c *Client) ConfirmPhone(ctx context.Context, visit, code string) (desk.View, error) {
	return c.visit(ctx, "confirm-phone", ask{Visit: visit, Code: code})
}

// ChooseSMS makes SMS the factor.
func (c *Client) ChooseSMS(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "choose-sms", ask{Visit: visit})
}

// OfferPairing offers a QR code.
func (c *Client) OfferPairing(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "offer-pairing", ask{Visit: visit})
}

// CancelPairing takes it back.
func (c *Client) CancelPairing(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "cancel-pairing", ask{Visit: visit})
}

// ConfirmPairing takes the digits that the phone shows.
func (c *Client) ConfirmPairing(ctx context.Context, visit, digits string) (desk.View, error) {
	return c.visit(ctx, "confirm-pairing", ask{Visit: visit, Code: digits})
}

// HelpCode returns what somebody who is stuck reads to the helpdesk.
func (c *Client) HelpCode(ctx context.Context, visit string) (string, error) {
	a, err := c.ask(ctx, "help-code", ask{Visit: visit})
	return a.Text, err
}

// UnlockStation records that the staff exit was used.
func (c *Client) UnlockStation(ctx context.Context) error {
	_, err := c.ask(ctx, "unlock-station", ask{})
	return err
}

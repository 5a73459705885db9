package remote

import (
	"context"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/projections/history"
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

// RedeemInvitation takes the ticket of an invitation.
func (c *Client) RedeemInvitation(ctx context.Context, visit, ticket string) (desk.View, error) {
	return c.visit(ctx, "redeem-invitation", ask{Visit: visit, Code: ticket})
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

// RedeemTicket takes the ticket that the helpdesk gave in the place of a password.
func (c *Client) RedeemTicket(ctx context.Context, visit, ticket string) (desk.View, error) {
	return c.visit(ctx, "redeem-ticket", ask{Visit: visit, Code: ticket})
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

// Login takes an address and a password, and begins a visit.
func (c *Client) Login(ctx context.Context, email, password, lang string) (desk.View, error) {
	return c.visit(ctx, "login", ask{Email: email, Password: password, Lang: lang})
}

// ConfirmLogin takes the code of a login, or of a change.
func (c *Client) ConfirmLogin(ctx context.Context, visit, code string) (desk.View, error) {
	return c.visit(ctx, "confirm-login", ask{Visit: visit, Code: code})
}

// AskAgain asks the phone anew.
func (c *Client) AskAgain(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "ask-again", ask{Visit: visit})
}

// Prove takes the password for a change.
func (c *Client) Prove(ctx context.Context, visit string, what desk.Change, password string) (desk.View, error) {
	return c.visit(ctx, "prove", ask{Visit: visit, Change: string(what), Password: password})
}

// Dismiss goes back to Mijn gegevens.
func (c *Client) Dismiss(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "dismiss", ask{Visit: visit})
}

// ChangeName changes what the person is called.
func (c *Client) ChangeName(ctx context.Context, visit, name string) (desk.View, error) {
	return c.visit(ctx, "change-name", ask{Visit: visit, Name: name})
}

// ChangeLanguage changes in which language the person is written to.
func (c *Client) ChangeLanguage(ctx context.Context, visit, lang string) (desk.View, error) {
	return c.visit(ctx, "change-language", ask{Visit: visit, Lang: lang})
}

// ChangePassword changes the password.
func (c *Client) ChangePassword(ctx context.Context, visit, password string) (desk.View, error) {
	return c.visit(ctx, "change-password", ask{Visit: visit, Password: password})
}

// ChangePhone takes a new number, and sends a code to it.
func (c *Client) ChangePhone(ctx context.Context, visit, number string) (desk.View, error) {
	return c.visit(ctx, "change-phone", ask{Visit: visit, Number: number})
}

// ConfirmNewPhone takes the code that was sent to it.
func (c *Client) ConfirmNewPhone(ctx context.Context, visit, code string) (desk.View, error) {
	return c.visit(ctx, "confirm-new-phone", ask{Visit: visit, Code: code})
}

// SwitchToSMS makes SMS the factor in the place of Pocket.
func (c *Client) SwitchToSMS(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "switch-to-sms", ask{Visit: visit})
}

// Story returns what happened to the account.
func (c *Client) Story(ctx context.Context, visit string) ([]history.Entry, error) {
	a, err := c.ask(ctx, "story", ask{Visit: visit})
	return a.Story, err
}

// WithoutPhone sends a code by mail to somebody who has no use of their phone.
func (c *Client) WithoutPhone(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "without-phone", ask{Visit: visit})
}

// ConfirmRecovery takes that code, or the one that was sent to the number.
func (c *Client) ConfirmRecovery(ctx context.Context, visit, code string) (desk.View, error) {
	return c.visit(ctx, "confirm-recovery", ask{Visit: visit, Code: code})
}

// ReportPhone says what became of the phone.
func (c *Client) ReportPhone(ctx context.Context, visit string, loss desk.PhoneLoss) (desk.View, error) {
	return c.visit(ctx, "report-phone", ask{Visit: visit, Loss: string(loss)})
}

// FoundPhone says that the phone is there again.
func (c *Client) FoundPhone(ctx context.Context, visit string) (desk.View, error) {
	return c.visit(ctx, "found-phone", ask{Visit: visit})
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

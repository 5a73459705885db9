// Package courier carries messages out of the house: mail by SMTP, SMS by
// CM.com, Spryng, Twilio or a webhook, and for the demo into files.
//
// A courier is called once for each send, and its answer is one of four:
//
//   - a Receipt: a provider accepted the message;
//   - *Rejected: a definite refusal, with a Reason; nothing was sent;
//   - domain.ErrUnavailable: nobody could be reached; nothing was sent;
//   - domain.ErrUnknownOutcome: it may have been sent. It must not be sent
//     again on its own account, or somebody gets two codes.
//
// No error holds an address, a number, a code, a text, a secret or anything
// that a provider wrote: only names of providers, reasons and status numbers.
//
// Start reading at Message, then at SMS.Send. The package imports domain for
// its errors, i18n and assets for the texts.
package courier

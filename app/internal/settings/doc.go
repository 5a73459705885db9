// Package settings reads what an organisation may choose: one TOML file, then
// environment variables, then flags, each over the one before. All of it is
// checked at once, and refused as a whole with every problem in it: where it
// stands, which field, why.
//
// A setting has one name, such as mail.port. In the file that is port under
// [mail], in the environment KEYDESK_MAIL_PORT. fields.go lists them all, with
// their defaults and their bounds; docs/keydesk.example.toml is written from it.
//
// The package imports domain/enrolment for the policy, domain/pairing for the
// address of phones, i18n for the languages, TOML and zap. Start reading at Load.
package settings

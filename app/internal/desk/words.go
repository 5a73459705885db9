package desk

import "github.com/keydesk/keydesk/app/internal/password"

// PasswordReport is what CheckPassword reports, under names of this package: screens know the
// use cases, not what these know.
type (
	PasswordReport = password.Report
	PasswordRule   = password.Rule
)

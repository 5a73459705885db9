package desk

import "github.com/keydesk/keydesk/app/internal/password"

// PasswordReport is what CheckPassword says, under a name of this package:
// screens know the use cases, not what these know.
type PasswordReport = password.Report

// PasswordRule is one rule of a PasswordReport.
type PasswordRule = password.Rule

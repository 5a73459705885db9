package enrolment

import (
	"errors"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// The refusals of a typed phone number, beside ErrCountryNotAllowed.
var (
	// ErrNotANumber: no such phone number can exist.
	ErrNotANumber = errors.New("not a phone number")
	// ErrNoSMS: a number that gets no SMS, such as a fixed line.
	ErrNoSMS = errors.New("the number gets no sms")
)

// A Number is a phone number that can receive SMS.
type Number struct {
	E164          string // "+31612345678"; what is stored and sent to
	International string // "+31 6 12345678"; what people are shown
	National      string // "06 12345678"
	Country       string // ISO 3166-1 alpha-2
}

// ParsePhone reads a number as people type it. One without a country's prefix
// is taken for one of the first allowed country. It must be valid, mobile (or
// of a plan that does not tell fixed and mobile apart) and of an allowed
// country.
func (p Policy) ParsePhone(typed string) (Number, error) {
	typed = strings.TrimSpace(typed)
	if len(typed) > 40 {
		return Number{}, ErrNotANumber
	}
	n, err := phonenumbers.Parse(typed, p.PhoneCountries[0])
	if err != nil || !phonenumbers.IsValidNumber(n) || n.GetExtension() != "" {
		return Number{}, ErrNotANumber
	}
	country := phonenumbers.GetRegionCodeForNumber(n)
	if !slices.Contains(p.PhoneCountries, country) {
		return Number{}, ErrCountryNotAllowed
	}
	switch phonenumbers.GetNumberType(n) { //nolint:exhaustive // all other kinds get no SMS
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default:
		return Number{}, ErrNoSMS
	}
	return Number{
		E164:          phonenumbers.Format(n, phonenumbers.E164),
		International: phonenumbers.Format(n, phonenumbers.INTERNATIONAL),
		National:      phonenumbers.Format(n, phonenumbers.NATIONAL),
		Country:       country,
	}, nil
}

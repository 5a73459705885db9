package settings

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/nyaruka/phonenumbers"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

// What one value has to be.

func atMost(n int) func(string) error {
	return func(s string) error {
		if utf8.RuneCountInString(s) > n {
			return fmt.Errorf("must be at most %d characters", n)
		}
		return nil
	}
}

func atLeast(n int) func(string) error {
	return func(s string) error {
		if utf8.RuneCountInString(s) < n {
			return fmt.Errorf("must be at least %d characters", n)
		}
		return nil
	}
}

func matching(pattern, reason string) func(string) error {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(s string) error {
		if !re.MatchString(s) {
			return errors.New(reason)
		}
		return nil
	}
}

const label = `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`

var (
	stationID     = matching(`[A-Za-z0-9][A-Za-z0-9._-]{0,39}`, "must be at most 40 letters, digits, dots, dashes and underscores")
	smsSender     = matching(`[A-Za-z0-9 ]{1,11}|\+[1-9][0-9]{6,14}`, "must be up to 11 letters and digits, or a number such as +31612345678")
	staffPIN      = matching(`[0-9]{4,12}`, "must be 4 to 12 digits")
	twilioAccount = matching(`AC[0-9a-fA-F]{32}`, "must be AC and 32 hexadecimal digits")
	connectorID   = matching(`[A-Za-z0-9_-]{1,80}`, "must be at most 80 letters, digits, dashes and underscores")
	fieldID       = matching(`-|[A-Za-z0-9_]{1,80}`, "must be a field of the connector, at most 80 letters, digits and underscores, or a dash")
	dnsName       = matching(label+`(\.`+label+`)+`, `must be domains such as "example.org"`)
)

func domainName(s string) (string, error) {
	s = strings.ToLower(s)
	return s, dnsName(s)
}

func languageCode(s string) (string, error) {
	if !slices.Contains(i18n.Languages(), s) {
		return "", fmt.Errorf("must be of these: %s", strings.Join(i18n.Languages(), ", "))
	}
	return s, nil
}

func providerName(s string) (string, error) {
	all := []string{ProviderCM, ProviderSpryng, ProviderTwilio, ProviderWebhook}
	if !slices.Contains(all, s) {
		return "", fmt.Errorf("must be of these: %s", strings.Join(all, ", "))
	}
	return s, nil
}

func countryCode(s string) (string, error) {
	s = strings.ToUpper(s)
	if len(s) != 2 || phonenumbers.GetCountryCodeForRegion(s) == 0 {
		return "", errors.New(`must be countries such as "NL"`)
	}
	return s, nil
}

func hostName(s string) error {
	if _, err := netip.ParseAddr(s); err == nil || s == "localhost" {
		return nil
	}
	if dnsName(strings.ToLower(s)) != nil && matching(label, "")(strings.ToLower(s)) != nil {
		return errors.New("must be the name or the address of a machine, without a port")
	}
	return nil
}

func machineName(s string) (string, error) {
	s = strings.ToLower(s)
	if hostName(s) != nil {
		return "", errors.New("must be names or addresses of this machine, without ports")
	}
	return s, nil
}

func network(s string) (string, error) {
	n, err := netip.ParsePrefix(s)
	if err != nil || n != n.Masked() {
		return "", errors.New("must be a network, such as 10.0.0.0/24 or 127.0.0.1/32")
	}
	return n.String(), nil
}

func hostPort(s string) error {
	if _, port, err := net.SplitHostPort(s); err == nil {
		n := 0
		if (numberKind{&n, 0, 65535}).parse(port) == nil {
			return nil
		}
	}
	return errors.New("must be an address and a port, such as 127.0.0.1:8443")
}

func mailAddress(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return errors.New("must be a bare e-mail address")
	}
	return nil
}

func mailRecipient(s string) (string, error) {
	if mailAddress(s) != nil {
		return "", errors.New("must be bare e-mail addresses")
	}
	return s, nil
}

var witnessKey = matching(`[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*`, "")

func witness(s string) (string, error) {
	key, address, _ := strings.Cut(s, " ")
	if witnessKey(key) != nil || secureURL(strings.TrimSpace(address)) != nil {
		return "", errors.New("must be a witness's key, a space, and its https address, or http to this machine")
	}
	return key + " " + strings.TrimSpace(address), nil
}

var streamPrefix = matching(`[a-z0-9][a-z0-9_-]{0,39}`, "must be at most 40 small letters, digits, dashes and underscores")

// ageRecipient repeats nothing of what it refuses: it may be the private key.
func ageRecipient(s string) error {
	if _, err := age.ParseRecipients(strings.NewReader(s)); err != nil || strings.ContainsAny(s, "\n#") {
		return errors.New("must be the public key of age, which begins with age1")
	}
	return nil
}

func logURL(s string) error {
	scheme, rest, _ := strings.Cut(s, ":")
	switch scheme {
	case "sqlite":
		return filePath(rest)
	case "esdb", "esdb+discover":
		return withoutPassword(rest, "log.password")
	}
	return errors.New("must be sqlite: and the path of a file, or esdb:// and a server")
}

func vaultURL(s string) error {
	scheme, rest, _ := strings.Cut(s, ":")
	switch scheme {
	case "sqlite":
		return filePath(rest)
	case "postgres", "postgresql":
		return withoutPassword(rest, "vault.password")
	}
	return errors.New("must be sqlite: and the path of a file, or postgres:// and a server")
}

func filePath(s string) error {
	if s == "" || strings.HasPrefix(s, "//") {
		return errors.New("must be sqlite: and the path of a file")
	}
	return nil
}

// withoutPassword refuses what would be printed with the settings.
func withoutPassword(rest, field string) error {
	address, ok := strings.CutPrefix(rest, "//")
	if !ok || address == "" {
		return errors.New("must have two slashes and a server behind the colon")
	}
	address, query, _ := strings.Cut(address, "?")
	if user, _, named := strings.Cut(address, "@"); named && strings.Contains(user, ":") || strings.Contains(strings.ToLower(query), "password=") {
		return fmt.Errorf("must not hold a password, which would be printed with the settings: use %s or %s", field, field+fileSuffix)
	}
	return nil
}

func secureURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("must be an https address, or http to this machine, without a query")
	}
	return nil
}

func publicURL(s string) error {
	if _, err := pairing.CheckPublicURL(s); err != nil {
		return errors.New("must be an https address, or http to this machine, without a path or a query")
	}
	return nil
}

// issuer takes a StringOrURI of RFC 7519: what holds a colon is an address.
func issuer(s string) error {
	if strings.Contains(s, ":") {
		return secureURL(s)
	}
	return issuerWord(s)
}

var issuerWord = matching(`[A-Za-z0-9][A-Za-z0-9._-]{0,79}`, "must be an https address, or at most 80 letters, digits, dots, dashes and underscores")

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// checkTogether finds what no value shows alone. Blame names the field to change.
func (s *Settings) checkTogether(blame func(field, reason string)) {
	s.checkOrganisation(blame)
	s.checkPlaces(blame)
	s.checkMail(blame)
	s.checkSMS(blame)
	if (s.Pocket.TLSCert == "") != (s.Pocket.TLSKey == "") {
		blame("pocket.tls_cert", "certificate and key go together: pocket.tls_cert and pocket.tls_key")
	}
	s.checkAPI(blame)
	s.checkAFAS(blame)
	if s.Stations.Listen != "" && len(s.Stations.Names) == 0 {
		blame("stations.names", "must name this machine as stations know it")
	}
	p := s.Policy
	if p.PairingLife < p.QRLife {
		blame("policy.pairing_life", "must not be shorter than policy.qr_life")
	}
	if p.WrongCodesInARow < p.WrongCodes {
		blame("policy.wrong_codes_in_a_row", "must not be less than policy.wrong_codes")
	}
	if p.ResendsPerDay < p.ResendsPerHour {
		blame("policy.resends_per_day", "must not be less than policy.resends_per_hour")
	}
	if len(p.PhoneCountries) == 0 {
		blame("policy.phone_countries", "must name at least one country")
	}
	k := s.Kiosk
	if k.IdleWipe <= k.IdleWarn {
		blame("kiosk.idle_wipe", "must be longer than kiosk.idle_warn")
	}
	if k.IdleWipeWaiting < k.IdleWipe {
		blame("kiosk.idle_wipe_waiting", "must not be shorter than kiosk.idle_wipe")
	}
	if k.VisitMax <= k.IdleWipeWaiting {
		blame("kiosk.visit_max", "must be longer than kiosk.idle_wipe_waiting")
	}
}

func (s *Settings) checkAPI(blame func(field, reason string)) {
	a := s.API
	if (a.TLSCert == "") != (a.TLSKey == "") {
		blame("api.tls_cert", "certificate and key go together: api.tls_cert and api.tls_key")
	}
	host, _, err := net.SplitHostPort(a.Listen)
	if err == nil && !loopback(host) && a.TLSCert == "" && len(a.TrustedProxies) == 0 {
		blame("api.listen", "tokens would cross the network in the clear: set api.tls_cert, or name the proxy that speaks TLS in api.trusted_proxies")
	}
}

func (s *Settings) checkAFAS(blame func(field, reason string)) {
	a := s.AFAS
	for field, missing := range map[string]bool{"afas.url": a.URL == "", "afas.connector": a.Connector == "", "afas.token": a.Token.IsZero()} {
		if missing && (a.URL != "" || a.Connector != "" || !a.Token.IsZero()) {
			blame(field, "afas.url, afas.connector and afas.token (or afas.token_file) go together")
		}
	}
}

func (s *Settings) checkOrganisation(blame func(field, reason string)) {
	o := s.Organisation
	if o.Portal == "" {
		blame("organisation.portal", "must not be empty")
	}
	if o.PocketName == "" {
		blame("organisation.pocket_name", "must not be empty")
	}
	if o.Support == "" {
		blame("organisation.support", "must not be empty: every screen says where to get help")
	}
	if o.Admission == enrolment.ByDomain && len(o.Domains) == 0 && !s.Demo {
		blame("organisation.admission", `"domain" admits nobody until organisation.domains names one`)
	}
	if o.Admission == enrolment.ByInvitation && s.Policy.Tickets == enrolment.TicketWithoutPhone {
		blame("organisation.ticket", `"no-phone" says nothing where organisation.admission is "invitation": everybody is asked for a ticket`)
	}
	if len(o.Languages) == 0 {
		blame("organisation.languages", "must name at least one language")
	} else if !slices.Contains(o.Languages, o.DefaultLanguage) {
		blame("organisation.default_language", "must be one of organisation.languages")
	}
}

func (s *Settings) checkPlaces(blame func(field, reason string)) {
	l, v := s.Log, s.Vault
	if strings.HasPrefix(l.URL, "sqlite:") {
		for field, set := range map[string]bool{
			"log.user": l.User != "", "log.password": !l.Password.IsZero(), "log.ca_file": l.CAFile != "",
			"log.cert_file": l.CertFile != "", "log.prefix": l.Prefix != "",
		} {
			if set {
				blame(field, "is for an EventStoreDB, and log.url names a file")
			}
		}
	} else if s.Demo {
		blame("log.url", "a demo stays on this machine: its log is a file")
	}
	if strings.HasPrefix(v.URL, "sqlite:") {
		for field, set := range map[string]bool{
			"vault.user": v.User != "", "vault.password": !v.Password.IsZero(), "vault.ca_file": v.CAFile != "",
		} {
			if set {
				blame(field, "is for a PostgreSQL, and vault.url names a file")
			}
		}
	} else if s.Demo {
		blame("vault.url", "a demo stays on this machine: its vault is a file")
	}
	if (l.CertFile == "") != (l.KeyFile == "") {
		blame("log.cert_file", "certificate and key go together: log.cert_file and log.key_file")
	}
	if l.User == "" && !l.Password.IsZero() && !strings.Contains(l.URL, "@") {
		blame("log.user", "must be set where log.password is")
	}
}

func (s *Settings) checkMail(blame func(field, reason string)) {
	m := s.Mail
	if m.TLS == NoTLS && m.Host != "" && !loopback(m.Host) {
		blame("mail.tls", `"none" is for a server on this machine only`)
	}
	if m.Host != "" && m.From == "" {
		blame("mail.from", "must be set where mail.host is")
	}
	if m.Host == "" && m.From != "" {
		blame("mail.host", "must be set where mail.from is")
	}
	if m.User != "" && m.Password.IsZero() {
		blame("mail.password", "must be set where mail.user is (or mail.password_file)")
	}
	if m.User == "" && !m.Password.IsZero() {
		blame("mail.user", "must be set where mail.password is")
	}
}

func (s *Settings) checkSMS(blame func(field, reason string)) {
	m := s.SMS
	needs := map[string][]struct {
		field   string
		missing bool
	}{
		ProviderCM:      {{"sms.cm.product_token", m.CM.ProductToken.IsZero()}},
		ProviderSpryng:  {{"sms.spryng.token", m.Spryng.Token.IsZero()}},
		ProviderTwilio:  {{"sms.twilio.account_sid", m.Twilio.AccountSID == ""}, {"sms.twilio.auth_token", m.Twilio.AuthToken.IsZero()}},
		ProviderWebhook: {{"sms.webhook.url", m.Webhook.URL == ""}, {"sms.webhook.secret", m.Webhook.Secret.IsZero()}},
	}
	for _, provider := range m.Order {
		for _, need := range needs[provider] {
			if need.missing {
				blame(need.field, fmt.Sprintf("must be set where sms.order names %q", provider))
			}
		}
	}
	if len(m.Order) > 0 && m.Sender == "" {
		blame("sms.sender", "must be set where sms.order is")
	}
}

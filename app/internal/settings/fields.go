package settings

import (
	"path/filepath"
	"time"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A field is one setting.
type field struct {
	name string // section.key
	doc  string // for the example file: plain words, what it does and what follows
	kind kind
}

// secret says that the field's value is never shown.
func (f field) secret() bool {
	_, ok := f.kind.(secretKind)
	return ok
}

// defaults returns the settings of somebody who set nothing.
func defaults(home string) Settings {
	return Settings{
		Home: home,
		Organisation: Organisation{
			Portal: "Mijn OPO-R", PocketName: "Pocket", Support: "helpdesk", Admission: enrolment.ByRoster,
			DefaultLanguage: i18n.Dutch, Languages: i18n.Languages(),
		},
		Log:      Log{URL: "sqlite:" + filepath.Join(home, "log.db"), KeepLogins: 400 * 24 * time.Hour},
		Vault:    Vault{URL: "sqlite:" + filepath.Join(home, "vault.db"), MasterKey: filepath.Join(home, "master.key")},
		Mail:     Mail{Port: 587, TLS: StartTLS, Timeout: 30 * time.Second},
		SMS:      SMS{Sender: "Keydesk", Timeout: 15 * time.Second, Spryng: Spryng{Route: "business"}},
		Policy:   enrolment.DefaultPolicy(),
		Password: Password{Policy: "seed", Concurrent: 4, Queue: 32},
		Pocket:   Pocket{Listen: "127.0.0.1:0"},
		Kiosk: Kiosk{
			Portrait: Auto, Keyboard: Auto, Theme: Light,
			IdleWarn: time.Minute, IdleWipe: 90 * time.Second, IdleWipeWaiting: 5 * time.Minute, VisitMax: 15 * time.Minute,
		},
		Helpdesk:  Helpdesk{Theme: Light, Lock: 5 * time.Minute, Shift: 10 * time.Hour},
		Stations:  Stations{Names: []string{"localhost", "127.0.0.1"}, CertificateLife: 90 * 24 * time.Hour},
		API:       API{Stale: 5 * time.Second, ClientRate: 1000, AddressRate: 2000},
		Retention: Retention{Left: 180 * 24 * time.Hour, Unfinished: 365 * 24 * time.Hour},
		Backup:    Backup{Keep: 30},
		AFAS:      AFAS{PageSize: 1000, Timeout: time.Minute},
		Seal:      Seal{Folder: filepath.Join(home, "seal"), Writer: Auto},
		Logging:   Logging{Level: "info", Format: "json"},
		origins:   map[string]origin{},
		files:     map[string]*string{},
	}
}

// sections introduces each section of the example file.
var sections = map[string]string{
	"organisation": "Who people join.",
	"log":          "Where the events are. They hold no personal data.",
	"vault":        "Where personal data and credentials are, each person's under a key of their own.",
	"mail":         "The mail server. Without a host this house cannot send mail, and so enrol nobody.",
	"sms":          "Who carries text messages. Every provider named in order needs its own section below.",
	"sms.cm":       "CM.com.",
	"sms.spryng":   "Spryng.",
	"sms.twilio":   "Twilio.",
	"sms.webhook":  "A gateway of your own: each message is posted to it as JSON, signed with the secret.",
	"policy":       "The limits of an enrolment. Every event records the version that was in force, and shows\nwhen it differed from the standard one.",
	"password":     "Which passwords are accepted.",
	"pocket":       "How phones reach Keydesk to pair.",
	"kiosk":        "How a station behaves.",
	"helpdesk":     "How those work who sign in as staff.",
	"stations":     "How stations on other machines reach this one, when \"keydeskd serve\" runs here.",
	"api":          "The login service's API, when \"keydeskd serve\" runs here.",
	"retention":    "How long personal data is kept without a reason. Nothing is erased by itself: \"keydeskd erase --due\"\nlists who is due, and somebody decides.",
	"backup":       "Where \"keydeskd backup\" puts backups, of which one a day is advised.",
	"afas":         "AFAS Profit, which \"keydeskd import --afas\" reads HR's list from: from a GetConnector that gives those\nwho are to be announced, and nothing that is not needed.",
	"afas.fields":  "Which field of the connector is which of ours. Empty: the one whose name says so, in Dutch or English,\nas with the columns of a file; \"-\": none. \"keydeskd doctor\" shows what is found.",
	"seal":         "How it can be proved that nobody changed the log: signed checkpoints of all events. See the README\nunder \"Did anybody change it?\".",
	"logging":      "What the program tells its operator. Never personal data, codes or secrets.",
}

// fields lists every setting, in the order of the example file.
func fields(s *Settings) []field {
	var all []field
	for _, part := range [][]field{
		organisationFields(&s.Organisation, &s.Policy.Tickets), placeFields(s), mailFields(s), smsFields(s),
		policyFields(&s.Policy), passwordFields(&s.Password), pocketFields(&s.Pocket), kioskFields(s),
		helpdeskFields(&s.Helpdesk), stationFields(&s.Stations), apiFields(&s.API), retentionFields(&s.Retention), backupFields(&s.Backup), s.afasFields(), sealFields(&s.Seal), loggingFields(&s.Logging),
	} {
		all = append(all, part...)
	}
	return all
}

// secretFields returns a secret's field, and the one that names a file with it.
func (s *Settings) secretFields(name string, at *Secret, check func(string) error, doc string) []field {
	if s.files[name] == nil {
		s.files[name] = new(string)
	}
	return []field{
		{name, doc, secretKind{at, check}},
		{name + fileSuffix, "", textKind{s.files[name], nil}},
	}
}

const fileSuffix = "_file"

func retentionFields(r *Retention) []field {
	const most = 3650 * 24 * time.Hour
	return []field{
		{"retention.left", "How long after HR announced that somebody left they are due to be erased. \"0s\": never.", spanKind{&r.Left, 0, most}},
		{"retention.unfinished", "How long after somebody began, never finished and did nothing more. \"0s\": never.", spanKind{&r.Unfinished, 0, most}},
	}
}

func backupFields(b *Backup) []field {
	return []field{
		{"backup.folder", "The folder of all backups, on another disk or machine: each gets a folder of its own in it. When it is\nset, \"keydeskd doctor\" says how old the last one is.", textKind{&b.Folder, nil}},
		{"backup.recipient", "The age public key that the vault is encrypted to, \"age1…\", as \"age-keygen\" makes it, with the private\none that opens the backups: keep that off this machine, and not where the backups are.", textKind{&b.Recipient, ageRecipient}},
		{"backup.keep", "How many are left when another one is made, with that one; 0: all. Whoever is erased is still in the\nolder ones, for as long as they are there.", numberKind{&b.Keep, 0, 10_000}},
	}
}

func organisationFields(o *Organisation, tickets *enrolment.TicketRule) []field {
	return []field{
		{"organisation.name", "The organisation's name. Passwords must not contain it.", textKind{&o.Name, atMost(80)}},
		{"organisation.portal", "What people log in to, as screens and messages call it.", textKind{&o.Portal, atMost(40)}},
		{"organisation.pocket_name", "What the authenticator on the phone is called.", textKind{&o.PocketName, atMost(40)}},
		{"organisation.domains", "The domains of its e-mail addresses.", listKind{&o.Domains, domainName}},
		{"organisation.support", "Where people get help, as shown on every screen: an address, a number, a place.", textKind{&o.Support, atMost(80)}},
		{
			"organisation.alarm",
			"The helpdesk's e-mail address for alarms, such as an account that was frozen. Empty: the address in\nsupport; where that is none, no mail is sent and only the log tells.",
			textKind{&o.Alarm, mailAddress},
		},
		{
			"organisation.admission",
			"Who may enrol: \"roster\", the people HR announced; \"domain\", these and everybody with an address in\nthe organisation's domains; or \"invitation\", whom \"keydeskd invite\" invites, with the ticket that it\nmakes. With the first two an invitation admits, besides, whom it is for.",
			choiceKind[enrolment.Admission]{&o.Admission, []enrolment.Admission{enrolment.ByRoster, enrolment.ByDomain, enrolment.ByInvitation}},
		},
		{
			"organisation.ticket",
			"Of whom else a ticket is asked, once the code from the mail was right: \"never\", of nobody; \"no-phone\",\nof whom HR announced no phone; or \"always\". Whom an invitation admits is always asked.",
			choiceKind[enrolment.TicketRule]{tickets, []enrolment.TicketRule{enrolment.TicketNever, enrolment.TicketWithoutPhone, enrolment.TicketAlways}},
		},
		{"organisation.default_language", "The language that a visit starts in.", choiceKind[string]{&o.DefaultLanguage, i18n.Languages()}},
		{"organisation.languages", "The languages that the screens offer.", listKind{&o.Languages, languageCode}},
	}
}

func placeFields(s *Settings) []field {
	const day = 24 * time.Hour
	l, v := &s.Log, &s.Vault
	all := []field{
		{"log.url", "A file on this machine, for any number of programs at once; or an EventStoreDB for several machines:\nesdb://HOST:2113, esdb://ONE:2113,TWO:2113,THREE:2113 or esdb+discover://NAME:2113.", textKind{&l.URL, logURL}},
		{"log.user", "Who logs in to the EventStoreDB.", textKind{&l.User, atMost(100)}},
	}
	all = append(all, s.secretFields("log.password", &l.Password, nil, "The password, or the file that holds it.")...)
	all = append(all,
		field{"log.ca_file", "The authority that its certificate is from, a PEM file; empty: those of the system.", textKind{&l.CAFile, nil}},
		field{"log.cert_file", "A certificate of our own and its key, PEM files, where the server asks for one.", textKind{&l.CertFile, nil}},
		field{"log.key_file", "", textKind{&l.KeyFile, nil}},
		field{"log.prefix", "Stands before the names of all streams, where several installations share a server.", textKind{&l.Prefix, streamPrefix}},
		field{"log.keep_logins", "How long the events of logins are kept.", spanKind{&l.KeepLogins, day, 3650 * day}},
		field{"vault.url", "A file of its own; or a PostgreSQL for several machines: postgres://HOST/DATABASE.", textKind{&v.URL, vaultURL}},
		field{"vault.user", "The role that owns the vault's schema in the PostgreSQL.", textKind{&v.User, atMost(100)}},
	)
	all = append(all, s.secretFields("vault.password", &v.Password, nil, "The password, or the file that holds it.")...)
	return append(all,
		field{"vault.ca_file", "The authority that its certificate is from, a PEM file; empty: those of the system.", textKind{&v.CAFile, nil}},
		field{
			"vault.master_key",
			"The file of the key that opens all others; made at the first start. Keep a copy of it away from\nthe vault's backups: without it nobody can read them. A systemd credential named\nkeydesk-master-key comes before this default.",
			textKind{&v.MasterKey, nil},
		},
	)
}

func mailFields(s *Settings) []field {
	m := &s.Mail
	all := []field{
		{"mail.host", "The server's name.", textKind{&m.Host, hostName}},
		{"mail.port", "Its port. Not set: 587, or 465 with \"tls\", or 25 with \"none\".", numberKind{&m.Port, 1, 65535}},
		{"mail.tls", "\"starttls\"; \"tls\" from the first byte; or \"none\", to this machine only.", choiceKind[TLS]{&m.TLS, []TLS{StartTLS, FullTLS, NoTLS}}},
		{"mail.user", "Who logs in to it; empty: nobody does.", textKind{&m.User, nil}},
	}
	all = append(all, s.secretFields("mail.password", &m.Password, nil, "The password, or the file that holds it.")...)
	return append(all,
		field{"mail.from", "The address that mail comes from.", textKind{&m.From, mailAddress}},
		field{"mail.timeout", "How long sending one mail may take.", spanKind{&m.Timeout, time.Second, 5 * time.Minute}},
	)
}

func smsFields(s *Settings) []field {
	m := &s.SMS
	all := []field{
		{"sms.order", "The providers, the first choice first: \"cm\", \"spryng\", \"twilio\", \"webhook\". The next one is asked\nonly when one has refused for certain, so that nobody gets two codes.", listKind{&m.Order, providerName}},
		{"sms.sender", "Who the message is from: up to 11 letters and digits, or a number such as +31612345678.", textKind{&m.Sender, smsSender}},
		{"sms.timeout", "How long one provider may take.", spanKind{&m.Timeout, time.Second, 2 * time.Minute}},
	}
	all = append(all, s.secretFields("sms.cm.product_token", &m.CM.ProductToken, nil, "The product token, or the file that holds it.")...)
	all = append(all, s.secretFields("sms.spryng.token", &m.Spryng.Token, nil, "The API token, or the file that holds it.")...)
	all = append(all,
		field{"sms.spryng.route", "The route.", textKind{&m.Spryng.Route, atMost(40)}},
		field{"sms.twilio.account_sid", "The account: AC and 32 hexadecimal digits.", textKind{&m.Twilio.AccountSID, twilioAccount}},
	)
	all = append(all, s.secretFields("sms.twilio.auth_token", &m.Twilio.AuthToken, nil, "The account's token, or the file that holds it.")...)
	all = append(all, field{"sms.webhook.url", "Where messages are posted: https, or http to this machine.", textKind{&m.Webhook.URL, secureURL}})
	return append(all, s.secretFields("sms.webhook.secret", &m.Webhook.Secret, atLeast(16), "What signs them, at least 16 characters, or the file that holds it.")...)
}

func policyFields(p *enrolment.Policy) []field {
	const day = 24 * time.Hour
	return []field{
		{"policy.email_code_life", "How long a code by mail counts.", spanKind{&p.EmailCodeLife, time.Minute, day}},
		{"policy.sms_code_life", "How long a code by SMS counts. NIST SP 800-63B-4 allows ten minutes at most.", spanKind{&p.SMSCodeLife, time.Minute, 10 * time.Minute}},
		{"policy.repeat_while_left", "A resend repeats the open code while at least this much of its life is left.", spanKind{&p.RepeatWhileLeft, 0, day}},
		{"policy.wrong_codes", "Wrong codes that end a code.", numberKind{&p.WrongCodes, 1, 10}},
		{"policy.wrong_codes_in_a_row", "Wrong codes in a row, over all codes, after which only the helpdesk can help. NIST allows 100.", numberKind{&p.WrongCodesInARow, 1, 100}},
		{"policy.resend_waits", "The wait before the first, the second and every later resend.", spansKind{&p.ResendWaits, time.Second, time.Hour}},
		{"policy.resends_per_hour", "Resends to one address in an hour; a confirmed code clears the hour.", numberKind{&p.ResendsPerHour, 1, 100}},
		{"policy.resends_per_day", "Resends to one address in a day.", numberKind{&p.ResendsPerDay, 1, 1000}},
		{"policy.station_hour", "Codes that one station may send in an hour.", numberKind{&p.StationHour, 1, 10000}},
		{"policy.sms_per_day", "The budget: SMS of one day, then none until the next.", numberKind{&p.SMSPerDay, 0, 1000000}},
		{"policy.verified_sample", "Of so many last SMS codes …", numberKind{&p.VerifiedSample, 1, 1000}},
		{"policy.verified_at_least", "… this percentage must have been typed in, or sending pauses: somebody may be pumping.", numberKind{&p.VerifiedAtLeast, 0, 100}},
		{"policy.phone_countries", "The countries of phone numbers (ISO 3166). The first is that of numbers without a prefix.", listKind{&p.PhoneCountries, countryCode}},
		{"policy.qr_life", "How long one QR code counts.", spanKind{&p.QRLife, 15 * time.Second, 10 * time.Minute}},
		{"policy.pairing_life", "How long one pairing may take, over all its QR codes.", spanKind{&p.PairingLife, time.Minute, time.Hour}},
		{"policy.pairing_tries", "Tries at the six digits in one pairing.", numberKind{&p.PairingTries, 1, 10}},
		{"policy.invitation_life", "How long the ticket of an invitation counts.", spanKind{&p.InvitationLife, time.Hour, 30 * day}},
		{"policy.login_failures", "Failed logins in a row, of one account from one network, that lock it there.", numberKind{&p.LoginFailures, 1, 20}},
		{"policy.login_lock", "How long the first such lock lasts; each one after it twice as long …", spanKind{&p.LoginLock, time.Minute, day}},
		{"policy.login_lock_most", "… up to this.", spanKind{&p.LoginLockMost, time.Minute, day}},
		{"policy.login_failures_a_day", "Failed logins of one account in a day, from everywhere. NIST allows 100.", numberKind{&p.LoginFailuresADay, 5, 100}},
		{"policy.approval_life", "How long a login waits for the phone.", spanKind{&p.ApprovalLife, 30 * time.Second, 10 * time.Minute}},
		{"policy.approvals", "How often one account may ask the phone …", numberKind{&p.Approvals, 1, 20}},
		{"policy.approvals_within", "… within this time: a phone is not to be asked until somebody gives in.", spanKind{&p.ApprovalsWithin, time.Minute, time.Hour}},
		{"policy.approval_tries", "Tries at the digits of one approval.", numberKind{&p.ApprovalTries, 1, 10}},
		{"policy.case_approval", "What staff ask for lapses after this, unless a second person approves it.", spanKind{&p.CaseApproval, 5 * time.Minute, day}},
		{"policy.case_wait", "What is done from afar, without seeing the person, waits for so long after that …", spanKind{&p.CaseWait, time.Hour, 7 * day}},
		{"policy.case_window", "… and lapses, if nothing could carry it out for so much longer.", spanKind{&p.CaseWindow, time.Hour, 7 * day}},
		{"policy.caller_proof", "How long it counts that a caller has proved their factor, for one case.", spanKind{&p.CallerProof, time.Minute, time.Hour}},
		{"policy.ticket_life", "How long a ticket counts that stands in for a forgotten password.", spanKind{&p.TicketLife, 5 * time.Minute, day}},
		{"policy.cases_a_day", "Cases of one member of staff in a day, after which organisation.alarm is told.", numberKind{&p.CasesADay, 1, 10000}},
	}
}

func passwordFields(p *Password) []field {
	return []field{
		{
			"password.policy",
			"\"seed\": 12 or more characters with a digit, an upper-case and a lower-case letter and a special\ncharacter. \"nist\": 15 or more, any.",
			choiceKind[string]{&p.Policy, []string{"seed", "nist"}},
		},
		{"password.concurrent", "How many passwords are hashed at once. Each takes 64 MiB. A window always hashes one at a time.", numberKind{&p.Concurrent, 1, 64}},
		{"password.queue", "How many more may wait for that.", numberKind{&p.Queue, 1, 10000}},
	}
}

func pocketFields(p *Pocket) []field {
	return []field{
		{"pocket.public_url", "Where phones find Keydesk: an https address. Without one the kiosk offers SMS only; a demo's\nphone can still pair, on this machine.", textKind{&p.PublicURL, publicURL}},
		{"pocket.listen", "Where Keydesk listens for them. Port 0 takes a free one. Of several programs on one home the\nfirst one listens, for all.", textKind{&p.Listen, hostPort}},
		{"pocket.tls_cert", "Certificate and key, PEM files; empty: a proxy in front speaks TLS.", textKind{&p.TLSCert, nil}},
		{"pocket.tls_key", "", textKind{&p.TLSKey, nil}},
		{"pocket.trusted_proxies", "The networks of the proxies in front, whose word on where a phone is counts, such as \"10.0.0.0/24\".", listKind{&p.TrustedProxies, network}},
	}
}

func kioskFields(s *Settings) []field {
	k := &s.Kiosk
	switches := []Switch{Auto, On, Off}
	all := []field{
		{"kiosk.station", "This station's id in the log; empty: made at the first start and kept.", textKind{&k.Station, stationID}},
		{"kiosk.full_screen", "Whether it takes the whole screen.", boolKind{&k.FullScreen}},
		{"kiosk.portrait", "Whether the window opens upright, where it does not take the whole screen.", choiceKind[Switch]{&k.Portrait, switches}},
		{"kiosk.keyboard", "Whether a keyboard is shown on the screen. A real one always works too.", choiceKind[Switch]{&k.Keyboard, switches}},
		{"kiosk.theme", "How it looks at the start of a visit.", choiceKind[Theme]{&k.Theme, []Theme{Light, Dark, HighContrast}}},
		{"kiosk.idle_warn", "After so long without a touch it asks whether somebody is still there …", spanKind{&k.IdleWarn, 10 * time.Second, time.Hour}},
		{"kiosk.idle_wipe", "… and after so long it wipes the screen for the next person.", spanKind{&k.IdleWipe, 15 * time.Second, time.Hour}},
		{"kiosk.idle_wipe_waiting", "The same, where somebody waits for a code or is busy with a phone.", spanKind{&k.IdleWipeWaiting, 15 * time.Second, time.Hour}},
		{"kiosk.visit_max", "How long a visit may take in all.", spanKind{&k.VisitMax, time.Minute, 4 * time.Hour}},
	}
	return append(all, s.secretFields("kiosk.staff_pin", &k.StaffPIN, staffPIN, "The PIN with which staff leave the kiosk, 4 to 12 digits, or the file that holds it. Without one\nthe kiosk cannot be left.")...)
}

func helpdeskFields(h *Helpdesk) []field {
	return []field{
		{"helpdesk.theme", "How the windows of staff look.", choiceKind[Theme]{&h.Theme, []Theme{Light, Dark, HighContrast}}},
		{"helpdesk.lock", "After so long without a key, a click or a move of the pointer, whoever has signed in has to sign in again.", spanKind{&h.Lock, 30 * time.Second, 15 * time.Minute}},
		{"helpdesk.shift", "And after so long in any case.", spanKind{&h.Shift, time.Hour, 24 * time.Hour}},
	}
}

func stationFields(s *Stations) []field {
	const day = 24 * time.Hour
	return []field{
		{"stations.listen", "Where this machine listens for them, such as \":8444\"; empty: nowhere.", textKind{&s.Listen, hostPort}},
		{"stations.names", "The names or addresses by which stations know this machine: what stands in their --service.", listKind{&s.Names, machineName}},
		{"stations.certificate_life", "How long a station's certificate counts. Stations renew it by themselves when two thirds are over;\none that was off for longer has to be let in again.", spanKind{&s.CertificateLife, day, 825 * day}},
	}
}

func apiFields(a *API) []field {
	return []field{
		{"api.listen", "Where this machine listens for the login service, such as \"127.0.0.1:8445\"; empty: nowhere.", textKind{&a.Listen, hostPort}},
		{"api.tls_cert", "Certificate and key, PEM files, read again when they change; empty: on loopback, or a proxy in front\nspeaks TLS.", textKind{&a.TLSCert, nil}},
		{"api.tls_key", "", textKind{&a.TLSKey, nil}},
		{"api.trusted_proxies", "The networks of the proxies in front, whose word on where a request is from counts.", listKind{&a.TrustedProxies, network}},
		{"api.stale", "After so long without a word from the log nothing is answered but 503. While nothing happens, up to\n2 s are normal.", spanKind{&a.Stale, 3 * time.Second, 5 * time.Minute}},
		{"api.client_rate", "Requests a second that one client may make.", numberKind{&a.ClientRate, 1, 1000000}},
		{"api.address_rate", "Requests a second that may come from one network.", numberKind{&a.AddressRate, 1, 1000000}},
		{"api.issuer", "What the assertions of a login name as their issuer: an https address, or a word. Empty:\npocket.public_url, or \"keydesk\" where there is none. Who verifies them has to know it.", textKind{&a.Issuer, issuer}},
	}
}

func (s *Settings) afasFields() []field {
	a := &s.AFAS
	all := []field{
		{"afas.url", "The REST services of the environment, such as \"https://12345.rest.afas.online/ProfitRestServices\";\nresttest or restaccept instead of rest for one that is not in use.", textKind{&a.URL, secureURL}},
		{"afas.connector", "The GetConnector.", textKind{&a.Connector, connectorID}},
	}
	all = append(all, s.secretFields("afas.token", &a.Token, nil, "The token of the app connector, <token>…</token>, or the file that holds it.")...)
	all = append(all,
		field{"afas.page_size", "How many rows are asked for at once. AFAS advises at most 150,000 values.", numberKind{&a.PageSize, 10, 10000}},
		field{"afas.timeout", "How long one page may take.", spanKind{&a.Timeout, time.Second, 15 * time.Minute}},
	)
	f := &a.Fields
	for _, one := range []struct {
		name, doc string
		at        *string
	}{
		{"email", "The address at which the person gets the first code, such as \"EmailWork\".", &f.Email},
		{"name", "The whole name; or its parts, below.", &f.Name},
		{"first_name", "", &f.FirstName},
		{"infix", "", &f.Infix},
		{"last_name", "", &f.LastName},
		{"phone", "A number that gets SMS. A mobile one goes before another.", &f.Phone},
		{"mobile", "", &f.Mobile},
		{"employee", "The employer's number for the person, such as \"EmployeeId\". Rows are sorted by it and the address.", &f.Employee},
		{"start", "The first day, such as \"EmploymentStartDate\".", &f.Start},
		{"language", "\"nl\" or \"en\", or a word for it.", &f.Language},
		{"team", "", &f.Team},
	} {
		all = append(all, field{"afas.fields." + one.name, one.doc, textKind{one.at, fieldID}})
	}
	return all
}

func sealFields(s *Seal) []field {
	return []field{
		{"seal.folder", "Where it is. It holds hashes and signatures, nothing of what events say. Not to be kept with the log's\nbackups alone: a seal that is put back with its log shows nothing.", textKind{&s.Folder, nil}},
		{"seal.writer", "Whether this machine seals. One does: \"auto\" is this one where the log is a file; where several share\na server, set it to \"on\" on one of them.", choiceKind[Switch]{&s.Writer, []Switch{Auto, On, Off}}},
		{"seal.witnesses", "Who cosigns each checkpoint, on machines that nobody of this one works on: what \"keydeskd witness\"\nprints there, a space, and its address, such as \"auditor.example.org+1a2b3c4d+BKey= https://auditor.example.org:8446\".", listKind{&s.Witnesses, witness}},
		{"seal.ca_file", "The authority that their certificates are from, a PEM file; empty: those of the system.", textKind{&s.CAFile, nil}},
		{"seal.mail_to", "Who gets the last checkpoint of each day by mail, to keep it where nobody of this machine can change it.", listKind{&s.MailTo, mailRecipient}},
	}
}

func loggingFields(l *Logging) []field {
	return []field{
		{"logging.level", "From which weight on: \"debug\", \"info\", \"warn\" or \"error\".", choiceKind[string]{&l.Level, []string{"debug", "info", "warn", "error"}}},
		{"logging.format", "\"json\", or \"console\" for people.", choiceKind[string]{&l.Format, []string{"json", "console"}}},
		{"logging.file", "A file to add to; empty: standard error.", textKind{&l.File, nil}},
	}
}

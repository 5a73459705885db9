package settings

import (
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// Settings are what is in force, checked. Make them with Load.
type Settings struct {
	Home string // the data folder, an absolute path; it need not exist yet
	File string // the settings file; empty: there is none
	Demo bool   // a demo is wished for. Whether a home is one, it knows itself

	Organisation Organisation
	Log          Log
	Vault        Vault
	Mail         Mail
	SMS          SMS
	Policy       enrolment.Policy
	Password     Password
	Pocket       Pocket
	Kiosk        Kiosk
	Helpdesk     Helpdesk
	Stations     Stations
	API          API
	Retention    Retention
	Backup       Backup
	AFAS         AFAS
	Seal         Seal
	Logging      Logging

	origins map[string]origin // of every field that is not at its default
	files   map[string]*string
}

// Organisation is whom people join.
type Organisation struct {
	Name            string   // a password must not contain it; may be empty
	Portal          string   // what people log in to, as shown
	PocketName      string   // what the authenticator is called, as shown
	Domains         []string // of its e-mail addresses, lower case
	Support         string   // where to get help, as shown: an address, a number, a place
	Alarm           string   // the address that alarms are mailed to; empty: none is, only the log tells
	Admission       enrolment.Admission
	DefaultLanguage string   // one of Languages
	Languages       []string // offered, in this order
}

// Log is where the events are.
type Log struct {
	URL        string // sqlite:PATH, esdb://HOST:PORT or esdb+discover://NAME:PORT
	User       string // of an EventStoreDB
	Password   Secret
	CAFile     string        // PEM; empty: the system's authorities
	CertFile   string        // PEM; empty: no certificate of our own
	KeyFile    string        // PEM
	Prefix     string        // before the names of all streams
	KeepLogins time.Duration // how long the events of logins are given
}

// Seal is how it can be proved that nobody changed the log.
type Seal struct {
	Folder    string
	Writer    Switch   // whether this machine seals; Auto: where the log is a file
	Witnesses []string // each a verifier key, a space, and an address
	CAFile    string   // PEM, of the witnesses; empty: the system's authorities
	MailTo    []string // who gets yesterday's last checkpoint
}

// Seals says whether programs with these settings seal the log.
func (s Settings) Seals() bool {
	return s.Seal.Writer == On || s.Seal.Writer == Auto && strings.HasPrefix(s.Log.URL, "sqlite:")
}

// Vault is where the personal data is.
type Vault struct {
	URL       string // sqlite:PATH or postgres://HOST/DATABASE
	User      string // of a PostgreSQL
	Password  Secret
	CAFile    string // PEM; empty: the system's authorities
	MasterKey string // the file of the master key
	// Credential says that MasterKey was handed over by systemd: it is never
	// made here, and systemd guards its folder.
	Credential bool
}

// Mail is an account at a mail server.
type Mail struct {
	Host     string // empty: this house cannot send mail
	Port     int
	TLS      TLS
	User     string // empty: no authentication
	Password Secret
	From     string
	Timeout  time.Duration // for one mail
}

// TLS says how the connection to the mail server is protected.
type TLS string

// The ways to reach a mail server.
const (
	StartTLS TLS = "starttls"
	FullTLS  TLS = "tls"
	NoTLS    TLS = "none" // to loopback addresses only
)

// SMS is who carries text messages.
type SMS struct {
	Order   []string // of providers: the next one only when one refuses for certain; empty: no SMS
	Sender  string   // as the phone shows it
	Timeout time.Duration
	CM      CM
	Spryng  Spryng
	Twilio  Twilio
	Webhook Webhook
}

// The names of SMS providers.
const (
	ProviderCM      = "cm"
	ProviderSpryng  = "spryng"
	ProviderTwilio  = "twilio"
	ProviderWebhook = "webhook"
)

// CM is an account at CM.com.
type CM struct{ ProductToken Secret }

// Spryng is an account at Spryng.
type Spryng struct {
	Token Secret
	Route string
}

// Twilio is an account at Twilio.
type Twilio struct {
	AccountSID string
	AuthToken  Secret
}

// Webhook is a gateway of the organisation's own.
type Webhook struct {
	URL    string
	Secret Secret
}

// Password is which passwords are accepted and how many are hashed at once.
type Password struct {
	Policy     string // seed or nist
	Concurrent int    // hashes at once, 64 MiB each
	Queue      int    // how many more may wait
}

// Pocket is how phones reach Keydesk.
type Pocket struct {
	PublicURL string // https, or http to a loopback address; empty: no phone can pair, but that of a demo
	Listen    string // host:port; port 0 takes a free one
	TLSCert   string // a PEM file; empty: plain HTTP, behind a proxy or on loopback
	TLSKey    string
	// TrustedProxies are networks in CIDR notation; what other peers say of the
	// address behind them is not believed.
	TrustedProxies []string
}

// Kiosk is how a station behaves.
type Kiosk struct {
	Station         string // its id in the log; empty: made at the first start and kept in the home
	FullScreen      bool
	Portrait        Switch
	Keyboard        Switch // on the screen
	Theme           Theme
	IdleWarn        time.Duration
	IdleWipe        time.Duration
	IdleWipeWaiting time.Duration // on the screens that wait for a code or a phone
	VisitMax        time.Duration
	StaffPIN        Secret // leaves the kiosk; empty: nobody can
}

// Helpdesk is how those work who have signed in as staff.
type Helpdesk struct {
	Theme Theme
	Lock  time.Duration // after which somebody who does nothing has to sign in again
	Shift time.Duration // after which everybody has to
}

// Stations is how stations on other machines reach this one.
type Stations struct {
	Listen          string        // host:port; empty: they do not
	Names           []string      // of this machine, or addresses, as stations know it
	CertificateLife time.Duration // a station renews its certificate when two thirds are over
}

// API is where the login service asks.
type API struct {
	Listen         string // host:port; empty: nowhere
	TLSCert        string // a PEM file; empty: plain HTTP, behind a proxy or on loopback
	TLSKey         string
	TrustedProxies []string      // as for Pocket
	Stale          time.Duration // for how long the log may be silent before nothing is answered
	ClientRate     int           // requests a second of one client
	AddressRate    int           // requests a second from one network
	Issuer         string        // of assertions; empty: Pocket.PublicURL, or "keydesk"
}

// Retention is after how long somebody is due to be erased. 0: never.
type Retention struct {
	Left       time.Duration // after HR announced that they left
	Unfinished time.Duration // after they did something last, of who began and never finished
}

// Backup is where "keydeskd backup" puts backups.
type Backup struct {
	Folder    string // empty: it has to be said each time
	Recipient string // of the vault, an age public key; empty: so, too
	Keep      int    // so many are left; 0: all
}

// AFAS is a GetConnector of AFAS Profit that HR's list is read from. All of URL,
// Connector and Token are set, or none.
type AFAS struct {
	URL       string // of the environment's REST services, https; empty: there is none
	Connector string
	Token     Secret
	PageSize  int           // rows asked for at once
	Timeout   time.Duration // for one page
	Fields    AFASFields
}

// AFASFields names the connector's field for each of ours: empty, the one whose name
// says so; "-", none.
type AFASFields struct {
	Email, Name, FirstName, Infix, LastName, Phone, Mobile, Employee, Start, Language, Team string
}

// A Switch is on, off, or decided by the program.
type Switch string

// The positions of a Switch.
const (
	Auto Switch = "auto"
	On   Switch = "on"
	Off  Switch = "off"
)

// A Theme is how the screens look at the start of a visit.
type Theme string

// The themes.
const (
	Light        Theme = "light"
	Dark         Theme = "dark"
	HighContrast Theme = "high-contrast"
)

// Logging is what the program tells its operator. See Logger.
type Logging struct {
	Level  string // debug, info, warn or error
	Format string // json or console
	File   string // empty: standard error
}

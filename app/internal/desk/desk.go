package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/cases"
	"github.com/keydesk/keydesk/projections/pairings"
)

// A Log is where events are recorded. See package store for the contract.
type Log interface {
	Append(ctx context.Context, stream string, expected domain.Revision, msgs ...domain.Message) (domain.Appended, error)
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
	// ReadAll gives what a query asks for, batch by batch; what a batch points at is the
	// receiver's until it returns.
	ReadAll(ctx context.Context, q domain.Query, receive func(domain.Batch) error) error
	// Head returns the position of the last event; 0 while there is none.
	Head(ctx context.Context) (domain.Position, error)
}

// A Feed tells what the log's readers have seen.
type Feed interface {
	// Reach returns when every projection has applied the position.
	Reach(ctx context.Context, p domain.Position) error
	// Watch gives a signal after each applied event of a person.
	Watch(s domain.SubjectID) (changed <-chan struct{}, stop func())
}

// A Watcher gives a signal after each event of a person that it has seen.
type Watcher interface {
	Watch(s domain.SubjectID) (changed <-chan struct{}, stop func())
}

// Pairings knows whose the QR codes are that are on screens now.
type Pairings interface {
	Find(id enrolment.PairingID) (pairings.Pairing, bool)
	All() []pairings.Pairing
}

// Cases knows what staff have asked for and nobody has carried out yet.
type Cases interface {
	// Reach returns when everything up to a position is known.
	Reach(ctx context.Context, p domain.Position) error
	All() []cases.Case
}

// People keeps personal data and credentials. See package vault.
type People interface {
	Claim(ctx context.Context, email string) (domain.SubjectID, error)
	Find(ctx context.Context, email string) (domain.SubjectID, error)
	// Put keeps all or none, and returns the references in the same order.
	Put(ctx context.Context, s domain.SubjectID, values ...Value) ([]domain.Ref, error)
	Get(ctx context.Context, s domain.SubjectID, k Kind, r domain.Ref) ([]byte, error)
	Activate(ctx context.Context, s domain.SubjectID, refs ...domain.Ref) error
	// Check says whether there is the value that an event refers to, of whatever kind: nil,
	// domain.ErrErased, domain.ErrNotFound, or ErrDiffers.
	Check(ctx context.Context, s domain.SubjectID, r domain.Ref) error
	// Erase makes all values of people unreadable for good, and frees their addresses. It
	// may be repeated.
	Erase(ctx context.Context, subjects ...domain.SubjectID) error
	// Everybody gives whoever has an address, until yield returns false.
	Everybody(ctx context.Context, yield func(domain.SubjectID) bool) error
	Collect(ctx context.Context, olderThan time.Time, named func(context.Context, domain.SubjectID, domain.RefID) (bool, error)) (int, error)
}

// A Value is one that is to be kept.
type Value struct {
	Kind  Kind
	Value []byte
}

// Kind says what a value in the vault is.
type Kind string

// The kinds that the use cases keep.
const (
	KindEmail      Kind = "email"
	KindName       Kind = "name"
	KindPhone      Kind = "phone"
	KindCredential Kind = "credential"
	KindDevice     Kind = "device"
	KindPlace      Kind = "place"    // where somebody logs in from, in words
	KindEmployee   Kind = "employee" // the employer's number for somebody
	KindTeam       Kind = "team"
	KindStartDate  Kind = "start-date"
	KindTicket     Kind = "ticket" // the number of a case in the helpdesk's own system
)

// Limits are the transactional counters that span people.
type Limits interface {
	// Take counts one act against all limits, or, when one of them refuses,
	// against none. Next is when all of them would allow another one.
	Take(ctx context.Context, now time.Time, limits ...Limit) (next time.Time, allowed bool, err error)
	Clear(ctx context.Context, limits ...Limit) error
	Count(ctx context.Context, now time.Time, limit Limit) (int, error)
}

// Sends remembers what was sent, for as long as it takes to never send it twice.
type Sends interface {
	// StartSend says whether this is the first start of a send, ever.
	StartSend(ctx context.Context, id string) (first bool, err error)
	// RecordSend notes a challenge that went out over a channel, RecordVerified
	// that its code came back; LastSends counts both among the last n that went
	// out between two moments.
	RecordSend(ctx context.Context, at time.Time, channel, challenge string) error
	RecordVerified(ctx context.Context, challenge string) error
	LastSends(ctx context.Context, channel string, n int, from, until time.Time) (sent, verified int, err error)
}

// A Limit is how often something may be done for one key.
type Limit struct {
	Name   string
	Key    string // an address, a number, a station; kept as a keyed hash only
	Window time.Duration
	Max    int
	Waits  []time.Duration // the least time after the first, second … act in the window
}

// A Courier delivers messages. A *Undeliverable error is a definite refusal,
// domain.ErrUnknownOutcome means that it may have left, any other error that
// it did not.
type Courier interface {
	Deliver(ctx context.Context, m Message) (Receipt, error)
	// Check says whether the channel works, without sending anything.
	Check(ctx context.Context, channel enrolment.Channel) error
}

// MessageKind is what a message is about.
type MessageKind string

// The messages of an enrolment.
const (
	CodeMessage            MessageKind = "code"
	AlreadyEnrolledMessage MessageKind = "already-enrolled"
	LockedMessage          MessageKind = "locked"
	PocketPairedMessage    MessageKind = "pocket-paired"

	LoginLockedMessage     MessageKind = "login-locked"     // mail: too many failed logins from one network
	PasswordChangedMessage MessageKind = "password-changed" // mail and SMS
	PhoneChangedMessage    MessageKind = "phone-changed"    // mail, and SMS to the old number
	SMSChosenMessage       MessageKind = "sms-chosen"       // mail and SMS: SMS is the factor now, Pocket counts no more
	FrozenMessage          MessageKind = "account-frozen"   // mail and SMS; see Reason
	UnfrozenMessage        MessageKind = "account-unfrozen" // mail and SMS
	InvitationMessage      MessageKind = "invitation"       // mail: a ticket; see Ticket
	AlarmMessage           MessageKind = "alarm"            // mail to the helpdesk: an account was frozen; see Reason, Reference

	CaseRequestedMessage MessageKind = "case-requested" // mail and SMS: staff were asked to do something; see Action, Stop, Link
	CaseApprovedMessage  MessageKind = "case-approved"  // likewise; and it is done after Life
	CaseDoneMessage      MessageKind = "case-done"      // mail and SMS: staff did it

	ErasureRequestedMessage MessageKind = "erasure-requested" // mail: staff were asked to erase them; see Stop, Link

	CaseStoppedAlarm MessageKind = "alarm-stopped" // mail to the helpdesk: the person stopped a case; see Reference
	CasesAlarm       MessageKind = "alarm-cases"   // mail to the helpdesk: one of them has unusually many cases today
	AloneAlarm       MessageKind = "alarm-alone"   // mail to the helpdesk: something was done without a second person
)

// A Message is one mail or SMS to one person.
type Message struct {
	ID        string // unique for ever; not personal
	Kind      MessageKind
	Channel   enrolment.Channel
	To        string // an address, or a number in E.164
	Lang      string
	Name      string            // of the person; empty when not known
	Code      string            // CodeMessage only
	Purpose   enrolment.Purpose // CodeMessage only: what the code is for
	Change    bool              // CodeMessage: LoggingIn is to allow a change, not a login
	Reason    Frozen            // FrozenMessage, AlarmMessage: why
	Reference string            // FrozenMessage, AlarmMessage: what to name to the helpdesk; not personal
	Ticket    string            // InvitationMessage only
	Life      time.Duration     // CodeMessage, InvitationMessage: how long the code or the ticket works; CaseApprovedMessage: until it is done
	Action    enrolment.Action  // of a case: what staff were asked to do
	Stop      string            // of a case: the code that stops it, in three groups; empty: it may not be told
	Link      string            // of a case: where it is stopped; empty: there is no such page
}

// A Receipt says who took over a message, and what they call it.
type Receipt struct{ Provider, ID string }

// Undeliverable is a provider's definite refusal.
type Undeliverable struct{ Reason enrolment.Undelivered } //nolint:errname // the word of the event CodeUndeliverable

func (u *Undeliverable) Error() string { return "undeliverable: " + string(u.Reason) }

// Keys derives the keys that codes and pairings are made with, from the newest
// master key or from one that was in force before.
type Keys interface {
	Derive(purpose string) (key [32]byte, id string)
	DeriveWith(id, purpose string) (key [32]byte, err error)
}

// Config is what a Desk is made of. All fields are needed, except where noted.
type Config struct {
	Log      Log
	Feed     Feed
	Logins   Watcher // of login streams
	Pairings Pairings
	Cases    Cases
	People   People
	Limits   Limits
	Sends    Sends
	Courier  Courier
	Keys     Keys
	Hasher   *password.Hasher
	Rules    password.Policy
	Policy   enrolment.Policy

	Organisation  string
	Portal        string
	Domains       []string // the organisation's e-mail domains
	Admission     enrolment.Admission
	Station       string
	PublicURL     string   // where phones reach Keydesk; empty: Pocket cannot work
	PocketProblem string   // with an empty PublicURL: why, as a code
	Languages     []string // that people are spoken to in; the first: whoever asks for another
	VisitMax      time.Duration
	ShiftIdle     time.Duration // after which whoever signed in as staff, and does nothing, has to sign in again
	ShiftMax      time.Duration // after which they have to in any case
	AnswerFloor   time.Duration // answers about an e-mail address take a whole number of these; 0: as long as they take
	Alarm         string        // the helpdesk's e-mail address, for alarms; empty: only the program's log is told
	Demo          bool

	Copies    Copies     // of messages to people, on this machine; nil: there are none
	Standings Standings  // where everybody stands; nil: this desk has no board
	Directory *Directory // by which people are found; nil: not at all
	Stations  Stations   // what they did; nil: nobody looks at them here

	// What an auditor needs; nil: nobody audits here.
	Replays Replays
	Index   Index
	Seals   Seals
	Bundles Bundles

	NormalEmail func(address string) (string, error) // the one form of all spellings of an address
	Now         func() time.Time
	Report      func(incident string, err error) // told once of each fault that is nobody's refusal
}

// A Desk runs the use cases for one station. Make one with New, and the desks of
// other stations with At.
type Desk struct {
	*house
	station string // on whose behalf it acts
}

// A house is what the desks of all its stations have in common.
type house struct {
	Config
	policyVersion string // as stamps carry it

	mu      sync.Mutex
	visits  map[string]*visit
	shifts  map[string]*shift
	heard   map[string]time.Time       // when a station called last
	outages map[enrolment.Channel]bool // channels that failed for everybody, the last time they were used

	trails       trails
	arrangements arrangements
	labels       labels
	logins       loginCache
	verification sealCheck
	exports      exports
	guards       guards
	work         chan func(context.Context)
	background   sync.WaitGroup
}

// New returns the desk of Config.Station. Run has to be running for anything to
// be sent.
func New(c Config) *Desk {
	return &Desk{
		house: &house{
			Config: c, policyVersion: c.Policy.Version(),
			visits: map[string]*visit{}, shifts: map[string]*shift{}, heard: map[string]time.Time{}, outages: map[enrolment.Channel]bool{},
			work: make(chan func(context.Context), 256),
		},
		station: c.Station,
	}
}

// At returns the desk of another station. A visit is only ever its own
// station's: to all others it is over. The one Run serves them all.
func (d *Desk) At(station string) *Desk { return &Desk{d.house, station} }

// Run sends what is to be sent, and carries out the cases that are due, until ctx ends;
// then it finishes what it has begun.
func (d *Desk) Run(ctx context.Context) {
	var senders sync.WaitGroup
	senders.Go(func() { d.sweepShifts(ctx) })
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case job := <-d.work:
					// A send that has begun is ended by its own time-out only, so
					// that stopping never leaves its outcome unknown.
					job(context.WithoutCancel(ctx))
				}
			}
		})
	}
	senders.Go(func() { d.keepCases(ctx) })
	senders.Wait()
	d.background.Wait()
}

// Drain sends what is waiting to be sent now, and returns. It is for programs that
// do one thing and leave, in the place of Run.
func (d *Desk) Drain(ctx context.Context) {
	for {
		select {
		case job := <-d.work:
			job(context.WithoutCancel(ctx))
		default:
			return
		}
	}
}

// enqueue hands over work; false when too much is waiting already.
func (d *Desk) enqueue(job func(context.Context)) bool {
	select {
	case d.work <- job:
		return true
	default:
		return false
	}
}

// report tells of a fault that nobody needs to be told of: what was asked for
// is recorded all the same.
func (d *Desk) report(err error) {
	if err != nil {
		d.Report(newID()[:8], err)
	}
}

// newID returns 128 random bits as 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails (documented since Go 1.24)
	return fmt.Sprintf("%x", b)
}

// put keeps one value.
func (d *Desk) put(ctx context.Context, s domain.SubjectID, k Kind, value []byte) (domain.Ref, error) {
	refs, err := d.People.Put(ctx, s, Value{k, value})
	if err != nil {
		return domain.Ref{}, err
	}
	return refs[0], nil
}

func newCommand() domain.CommandID { return domain.CommandID(uuid.New()) }

// A record is one person's enrolment as the log has it.
type record struct {
	state    enrolment.State
	revision domain.Revision
	events   []domain.Recorded
}

// load reads and folds one person's stream. An unknown event is an error: with
// it the state is unknown, and nothing may be decided.
func (d *Desk) load(ctx context.Context, s domain.SubjectID) (record, error) {
	events, err := d.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
	if err != nil {
		return record{}, fmt.Errorf("read enrolment of %s: %w", s, err)
	}
	r := record{revision: domain.NoStream, events: events}
	for _, rec := range events {
		e, err := enrolment.Decode(rec.Type, rec.Data)
		if err != nil {
			return record{}, fmt.Errorf("fold enrolment of %s at revision %d: %w", s, rec.Revision, err)
		}
		r.state, r.revision = enrolment.Evolve(r.state, e), rec.Revision
	}
	return r, nil
}

// lastOf returns the revision of the last event of a type.
func (r record) lastOf(typ string) domain.Revision {
	for _, e := range slices.Backward(r.events) {
		if e.Type == typ {
			return e.Revision
		}
	}
	return domain.NoStream
}

// own returns the events that a command has recorded already, and where the
// last of them stands.
func (r record) own(c domain.CommandID) (mine []enrolment.Event, at domain.Position, err error) {
	for _, rec := range r.events {
		if rec.ID != domain.EventIDFor(c, len(mine)) {
			continue
		}
		e, err := enrolment.Decode(rec.Type, rec.Data)
		if err != nil {
			return nil, 0, err
		}
		mine, at = append(mine, e), rec.Position
	}
	return mine, at, nil
}

// recorded says whether an event of a kind is among those of a command.
func recorded[E enrolment.Event](events []enrolment.Event) bool {
	return slices.ContainsFunc(events, func(e enrolment.Event) bool { _, ok := e.(E); return ok })
}

// How long an append whose outcome is unknown is tried again, and how often a
// decision is taken anew because somebody else was faster.
const (
	settleFor   = 10 * time.Second
	maxRedecide = 16
)

// act has a command decided and recorded. What it returns for is on disk and
// every projection has seen it. The command is made anew from what the stream
// says each time somebody else was faster; when the command's own events are
// found there, an earlier try had succeeded after all.
func (d *Desk) act(ctx context.Context, s domain.SubjectID, by domain.Stamp, command func(enrolment.State) (enrolment.Command, error)) (enrolment.State, []enrolment.Event, error) {
	return d.actOn(ctx, s, by, func(r record) (enrolment.Command, error) { return command(r.state) })
}

// actOn is act for a command that looks at the whole record.
func (d *Desk) actOn(ctx context.Context, s domain.SubjectID, by domain.Stamp, command func(record) (enrolment.Command, error)) (enrolment.State, []enrolment.Event, error) {
	for range maxRedecide {
		r, err := d.load(ctx, s)
		if err != nil {
			return r.state, nil, err
		}
		if mine, at, err := r.own(by.Command); err != nil || len(mine) > 0 {
			return r.state, mine, errors.Join(err, d.reach(ctx, at))
		}
		c, err := command(r)
		if err != nil {
			return r.state, nil, err
		}
		events, err := d.Policy.Decide(r.state, c, by)
		if err != nil || len(events) == 0 {
			return r.state, nil, err
		}
		msgs, err := enrolment.Messages(events, by)
		if err != nil {
			return r.state, nil, err
		}
		done, err := d.append(ctx, domain.EnrolmentStream(s), r.revision, msgs)
		if errors.Is(err, domain.ErrConflict) {
			continue
		}
		if err != nil {
			return r.state, nil, fmt.Errorf("record %s of %s: %w", msgs[0].Type, s, err)
		}
		return enrolment.Fold(r.state, events...), events, d.reach(ctx, done.Position)
	}
	return enrolment.State{}, nil, fmt.Errorf("decide on %s: %w", s, domain.ErrConflict)
}

// append records messages, and tries the same bytes with the same expectation
// again for as long as the outcome is unknown. Once it is, that a later try
// recorded nothing does not say that the first one did not.
func (d *Desk) append(ctx context.Context, stream string, at domain.Revision, msgs []domain.Message) (domain.Appended, error) {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	unsure := false
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		done, err := d.Log.Append(ctx, stream, at, msgs...)
		if unsure && errors.Is(err, domain.ErrUnavailable) {
			err = fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, err)
		}
		unsure = errors.Is(err, domain.ErrUnknownOutcome)
		if !unsure || ctx.Err() != nil {
			return done, err
		}
		select {
		case <-ctx.Done():
			return done, err
		case <-time.After(pause):
		}
	}
}

// reach waits until this program's own readers have seen a write. It is
// recorded whatever comes of the waiting.
func (d *Desk) reach(ctx context.Context, p domain.Position) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := d.Feed.Reach(ctx, p); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

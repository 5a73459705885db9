package foldtest

import (
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// EventsAPerson is how many events Even makes of each person.
const EventsAPerson = 11

// Even returns the events of many people who enrolled without a hitch, one in
// pocket of them with Pocket (0: nobody; one event more each), the others with
// SMS. They came in groups of eight, so that a person's events do not all stand
// together.
func Even(people, pocket int) []domain.Recorded {
	const group = 8
	events := make([]domain.Recorded, 0, people*(EventsAPerson+1))
	for first := 0; first < people; first += group {
		var all [group][]domain.Message
		for i := range min(group, people-first) {
			all[i] = Enrolled(first+i, pocket)
		}
		for step := range EventsAPerson + 1 {
			for i := range all {
				if step < len(all[i]) {
					events = append(events, domain.Recorded{
						Message: all[i][step], Stream: domain.EnrolmentStream(Subject(first + i)),
						Revision: domain.Revision(step), Position: domain.Position(len(events) + 1),
						Recorded: Start().Add(time.Duration(len(events)) * time.Second),
					})
				}
			}
		}
	}
	return events
}

// Enrolled returns what the n-th person did who enrolled without a hitch; see Even.
func Enrolled(n, pocket int) []domain.Message {
	mail, sms, device := enrolment.ChallengeID(hex32(4*n)), enrolment.ChallengeID(hex32(4*n+1)), enrolment.DeviceID(hex32(4*n+2))
	email, name, credential, phone := ref(4*n), ref(4*n+1), ref(4*n+2), ref(4*n+3)
	at := Start().Add(time.Duration(n) * time.Second)
	events := []enrolment.Event{
		enrolment.EnrolmentStarted{Admission: enrolment.ByRoster, Language: "nl"},
		enrolment.CodeIssued{Challenge: mail, Purpose: enrolment.ConfirmingEmail, Channel: enrolment.ByMail, To: email, KeyID: "k1", Expires: at.Add(15 * time.Minute)},
		enrolment.CodeSent{Challenge: mail, Number: 1, Provider: "smtp", ProviderID: hex32(n)},
		enrolment.EmailConfirmed{Challenge: mail, Email: email},
		enrolment.NameSet{Name: name},
		enrolment.PasswordSet{Credential: credential, Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1", Reason: enrolment.PasswordAtEnrolment},
		enrolment.PhoneGiven{Phone: phone, Source: enrolment.FromSelf, Country: "NL"},
		enrolment.CodeIssued{Challenge: sms, Purpose: enrolment.VerifyingPhone, Channel: enrolment.BySMS, To: phone, KeyID: "k1", Expires: at.Add(10 * time.Minute)},
		enrolment.CodeSent{Challenge: sms, Number: 1, Provider: "spryng", ProviderID: hex32(n)},
		enrolment.PhoneVerified{Challenge: sms, Phone: phone, Source: enrolment.FromSelf, Country: "NL"},
	}
	if pocket > 0 && n%pocket == 0 {
		events = append(events,
			enrolment.PocketPaired{Pairing: enrolment.PairingID(hex32(4*n + 3)), Device: device, Thumbprint: hex32(n), Key: key(), Label: name},
			enrolment.FactorChosen{Factor: enrolment.Pocket, Device: device, Reason: enrolment.FactorAtEnrolment})
	} else {
		events = append(events, enrolment.FactorChosen{Factor: enrolment.SMS, Reason: enrolment.FactorAtEnrolment})
	}
	messages, err := enrolment.Messages(events, domain.Stamp{
		Command: domain.CommandID(Subject(n)), Policy: enrolment.PolicyVersion, Station: "kiosk-1", At: at,
		Actor: domain.Actor{Kind: domain.ActorPerson, ID: Subject(n).String(), Role: domain.RoleSubject},
	})
	if err != nil {
		panic(err) // these events always encode
	}
	return messages
}

func hex32(n int) string { return fmt.Sprintf("%032x", n) }

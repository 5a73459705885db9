package home

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Every message of the desk has its text on the channels that it is sent on, and
// no two have the same.
func TestEveryMessageOfTheDeskIsWritten(t *testing.T) {
	t.Parallel()
	both := []enrolment.Channel{enrolment.ByMail, enrolment.BySMS}
	byMail, bySMS := both[:1], both[1:]
	box, err := courier.NewOutbox(t.TempDir(), courier.Texts{Portal: "Mijn OPO-R", Pocket: "Pocket", Support: "hulp@voorbeeld.nl"})
	if err != nil {
		t.Fatal(err)
	}
	all := couriers{enrolment.ByMail: box.Mail(), enrolment.BySMS: box.SMS()}
	told := map[string]desk.Message{}
	number := 0
	for _, c := range []struct {
		m  desk.Message
		by []enrolment.Channel
	}{
		{desk.Message{Kind: desk.CodeMessage, Purpose: enrolment.ConfirmingEmail}, byMail},
		{desk.Message{Kind: desk.CodeMessage, Purpose: enrolment.VerifyingPhone}, bySMS},
		{desk.Message{Kind: desk.CodeMessage, Purpose: enrolment.ChangingPhone}, bySMS},
		{desk.Message{Kind: desk.CodeMessage, Purpose: enrolment.LoggingIn}, bySMS},
		{desk.Message{Kind: desk.CodeMessage, Purpose: enrolment.Recovering}, both},
		{desk.Message{Kind: desk.AlreadyEnrolledMessage}, byMail},
		{desk.Message{Kind: desk.LockedMessage}, byMail},
		{desk.Message{Kind: desk.PocketPairedMessage}, both},
		{desk.Message{Kind: desk.LoginLockedMessage}, byMail},
		{desk.Message{Kind: desk.PasswordChangedMessage}, both},
		{desk.Message{Kind: desk.PhoneChangedMessage}, both},
		{desk.Message{Kind: desk.SMSChosenMessage}, both},
		{desk.Message{Kind: desk.FrozenMessage, Reason: desk.FrozenNotMe, Reference: "K7 204"}, both},
		{desk.Message{Kind: desk.FrozenMessage, Reason: desk.FrozenLost}, both},
		{desk.Message{Kind: desk.FrozenMessage, Reason: desk.FrozenStolen, Reference: "K7 204"}, both},
		{desk.Message{Kind: desk.FrozenMessage, Reason: desk.FrozenHelpdesk, Reference: "K7 204"}, both},
		{desk.Message{Kind: desk.UnfrozenMessage}, both},
		{desk.Message{Kind: desk.AlarmMessage, Reason: desk.FrozenNotMe, Reference: "K7 204"}, byMail},
		{desk.Message{Kind: desk.AlarmMessage, Reason: desk.FrozenLost}, byMail},
		{desk.Message{Kind: desk.AlarmMessage, Reason: desk.FrozenStolen}, byMail},
		{desk.Message{Kind: desk.AlarmMessage, Reason: desk.FrozenHelpdesk}, byMail},
	} {
		for _, c.m.Channel = range c.by {
			number++
			c.m.ID, c.m.Lang, c.m.Name, c.m.To = fmt.Sprintf("send-%d", number), "nl", "Sanne", "sanne@voorbeeld.nl"
			if c.m.Channel == enrolment.BySMS {
				c.m.To = "+31612345678"
			}
			if c.m.Kind == desk.CodeMessage {
				c.m.Code, c.m.Life = "271828", 10*time.Minute
			}
			if _, err := all.Deliver(t.Context(), c.m); err != nil {
				t.Errorf("%s %s %s by %s: %v", c.m.Kind, c.m.Purpose, c.m.Reason, c.m.Channel, err)
				continue
			}
			items, err := box.List(0)
			if err != nil {
				t.Fatal(err)
			}
			got := items[len(items)-1]
			if got.Code != c.m.Code || got.To != c.m.To {
				t.Errorf("%s %s: %+v", c.m.Kind, c.m.Purpose, got)
			}
			if other, twice := told[got.Text]; twice {
				t.Errorf("%s %s %s says what %s %s %s says", c.m.Kind, c.m.Purpose, c.m.Reason, other.Kind, other.Purpose, other.Reason)
			}
			if told[got.Text] = c.m; c.m.Kind == desk.AlarmMessage && strings.Contains(got.Subject+got.Text, "Sanne") {
				t.Errorf("the alarm says who it is: %s", got.Text)
			}
		}
	}
}

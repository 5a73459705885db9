package kiosk

import (
	"testing"

	"github.com/keydesk/keydesk/domain/enrolment"
)

func TestAWholeEnrolmentWithSMS(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			h := open(t, func(c *Config) { c.DefaultLanguage = lang })
			s := h.toChoice()
			h.press(s.no)
			on[*doneScreen](h)
			if h.view.Factor != enrolment.SMS || h.view.Name != fullName || h.view.Phone.International != "+31 6 12345678" {
				t.Errorf("E9 shows %+v", h.view)
			}
			h.press(on[*doneScreen](h).done)
			on[*startScreen](h)
		})
	}
}

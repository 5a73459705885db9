package courier

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever a gateway answers: no panic, no success without the provider's word
// for it, and nothing of the answer in the error.
func FuzzAnswers(f *testing.F) {
	for _, a := range accepted {
		f.Add(a.status, a.body)
	}
	f.Add(400, cmSays("201", "303"))
	f.Add(422, `{"errors":{"recipients":["x"]}}`)
	f.Add(400, `{"code":21211,"message":"+31612345678"}`)
	f.Add(200, `{"errorCode":0,"messages":[]}`)
	f.Add(503, `[]`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		a := answer{status: status, header: http.Header{}, body: []byte(body)}
		g := &gateway{name: "g"}
		_, spryngErr := (&spryng{gateway: g}).read(a)
		_, twilioErr := (&twilio{gateway: g}).read(a)
		_, webhookErr := (&webhook{gateway: g}).read(a)
		for _, err := range []error{(&cm{gateway: g}).read(a), spryngErr, twilioErr, webhookErr} {
			if err == nil && (status < 200 || status > 299) && !strings.Contains(body, "Accepted") {
				t.Errorf("%d %q was taken for a success", status, body)
			}
			if err != nil && len(err.Error()) > 120 {
				t.Errorf("a long error: %v", err)
			}
		}
	})
}

func FuzzProviderID(f *testing.F) {
	f.Add("SM01", number)
	f.Add("6123-45678", number)
	f.Fuzz(func(t *testing.T, given, to string) {
		if !numberForm.MatchString(to) {
			return
		}
		if got := providerID(given, to, "ours"); strings.Contains(got, to[1:]) || len(got) > 64 || url.PathEscape(got) != got {
			t.Errorf("%q", got)
		}
	})
}

func FuzzSeptets(f *testing.F) {
	for _, s := range []string{"", "Mijn OPO-R", "€[]", "ë ’", "\xff", "e\u0301", strings.Repeat("{", 99)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := toGSM7(s)
		n, ok := septets(name)
		if !ok || n > MaxPortal {
			t.Errorf("%q takes %d septets (%v)", name, n, ok)
		}
		if again := toGSM7(name); again != name {
			t.Errorf("%q becomes %q", name, again)
		}
	})
}

func FuzzMailbox(f *testing.F) {
	for _, s := range []string{"a@b.nl", "a@b.nl\r\nBcc: c@d.nl", "\"a\"@b.nl", "a@é.nl", "<a@b.nl>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		box, err := mailbox(s)
		if err != nil {
			return
		}
		if strings.ContainsFunc(box, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' }) {
			t.Errorf("%q", box)
		}
		if again, err := mailbox(box); err != nil || again != box {
			t.Errorf("%q becomes %q, %v", box, again, err)
		}
	})
}

func FuzzParseMail(f *testing.F) {
	f.Add([]byte("To: a@b.nl\r\nSubject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n123456\r\n--b--\r\n"))
	f.Add([]byte("To: a@b.nl, c@d.nl\n\nx"))
	f.Add([]byte("To: +31612345678\n\nx\n"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = parseMail(raw)
		_, _, _ = parseSMS(raw)
	})
}

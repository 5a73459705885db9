package desk

import "github.com/keydesk/keydesk/domain"

// A field of a person's card: what HR announced, and what the person gave.
type slot uint8

const (
	staffEmail slot = iota
	staffName
	staffPhone
	staffEmployee
	staffTeam
	staffStart
	askedEmail // where the first code was sent to
	invitedEmail
	invitedName
	invitedPhone
	ownEmail
	ownName
	givenPhone // not verified yet
	ownPhone
	slots
)

var slotKinds = [slots]Kind{
	KindEmail, KindName, KindPhone, KindEmployee, KindTeam, KindStartDate, KindEmail, KindEmail, KindName, KindPhone, KindEmail, KindName, KindPhone, KindPhone,
}

// longestValue is the longest value that is kept, in bytes. Nothing that people are called
// or found by is longer.
const longestValue = 1 << 10

// longestSearch is as long as anything that somebody would type, in bytes.
const longestSearch = 300

// A card is one person in the directory. Its text holds the values of the slots, one
// behind the other, and then the words that it is found by, with a line feed before
// each. It is bytes, and no string, so that it can be overwritten.
type card struct {
	subject domain.SubjectID
	refs    [slots]uint64 // the first bytes of each reference; 0: there is none
	ends    [slots]uint16 // where each value ends in text
	text    []byte
}

func (c *card) value(s slot) []byte {
	from := uint16(0)
	if s > 0 {
		from = c.ends[s-1]
	}
	return c.text[from:c.ends[s]]
}

// first returns the first value that there is.
func (c *card) first(of ...slot) string {
	for _, s := range of {
		if v := c.value(s); len(v) > 0 {
			return string(v)
		}
	}
	return ""
}

// words returns what the card is found by.
func (c *card) words() []byte { return c.text[c.ends[slots-1]:] }

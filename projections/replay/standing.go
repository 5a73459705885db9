package replay

import (
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/progress"
)

// A Standing is how many people stand where. Everybody is one of Invited, Busy, Stuck,
// Done, Frozen, Erased and Gone, and has one of SMS, Pocket, None and Unknown.
type Standing struct {
	People  int `json:"people"`
	Invited int `json:"invited"` // announced, or heard of, and not begun
	Busy    int `json:"busy"`    // begun, not done and not stuck
	Stuck   int `json:"stuck"`   // somebody has to help; see progress.Person.Stuck
	Done    int `json:"done"`
	Frozen  int `json:"frozen"`
	Erased  int `json:"erased"`
	Gone    int `json:"gone"` // announced no longer, and never begun

	SMS     int `json:"sms"` // of whom it is the factor that counts
	Pocket  int `json:"pocket"`
	None    int `json:"none"`
	Unknown int `json:"unknown"` // an event of theirs could not be understood
}

// Standing counts who stands where. It looks at everybody: some ten milliseconds a million.
func (s State) Standing() Standing {
	c := s.Factors.Counts()
	n := Standing{People: c.People, SMS: c.SMS, Pocket: c.Pocket, Unknown: c.Parked}
	n.None = n.People - n.SMS - n.Pocket - n.Unknown
	s.Board.Each(func(p progress.Person) bool {
		switch {
		case p.Erased && !p.Parked:
			n.Erased++
		case p.Frozen && !p.Parked:
			n.Frozen++
		case p.Stuck():
			n.Stuck++
		case p.Step == enrolment.StepDone:
			n.Done++
		case p.Step > 0:
			n.Busy++
		case p.Left:
			n.Gone++
		default:
			n.Invited++
		}
		return true
	})
	return n
}

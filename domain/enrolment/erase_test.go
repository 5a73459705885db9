package enrolment_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

func TestErasing(t *testing.T) {
	t.Parallel()
	c := asks(Erasing, CaseRequest)
	bare := c
	bare.Evidence = nil
	waits := asked(bare)
	approve := ApproveCase{"S1", person}
	gone := PersonErased{KeyDeleted}
	did := []Event{RecoveryApproved{"S1", bram.ID, noon, noon}, gone, done}
	alone := bare
	alone.Alone, alone.Case = true, "S2"
	byConsole := asked(alone)
	byConsole.By, byConsole.Alone, byConsole.Expires = "console", true, RecoveryRequested{}.Expires
	bored, due := bare, bare
	bored.Reason, due.Reason = CaseForgotten, CaseRetention
	run(t, []scenario{
		{name: "waits for a second person, on no evidence", given: withSMS, when: bare, who: anna, then: []Event{waits}},
		{name: "or on some", given: withSMS, when: c, who: anna, then: []Event{asked(c)}},
		{name: "for a reason of its own", given: withSMS, when: bored, who: anna, refused: ErrBadReason},
		{name: "of who is due", given: withSMS, when: due, who: anna, then: []Event{asked(due)}},
		{name: "of who was only announced", given: []Event{announced}, when: bare, who: anna, then: []Event{waits}},
		{name: "of who is frozen", given: with(withSMS, notMe...), when: bare, who: anna, then: []Event{waits}},
		{name: "by somebody alone", given: withSMS, when: alone, who: anna, refused: ErrSamePerson},
		{
			name: "by the console alone, whatever waits", given: with(withSMS, waits), when: alone, who: domain.Console(),
			then: []Event{byConsole, gone, RecoveryStopped{"S1", StoppedByOther}, RecoveryCompleted{"S2", EndDone}},
		},
		{name: "is done with the second one's word", given: with(withPocket, waits), when: approve, who: bram, then: did},
		{name: "also when it was asked from afar", given: with(withPocket, asked(remote(bare))), when: approve, who: bram, then: did},
		{name: "also of who was frozen since", given: with(withSMS, waits, AccountFrozen{FrozenLost}), when: approve, who: bram, then: did},
		{name: "not by the one who asked", given: with(withSMS, waits), when: approve, who: anna, refused: ErrSamePerson},
		{name: "nor by the person", given: with(withSMS, waits), when: approve, who: mySelf, refused: ErrOwnAccount},
		{name: "the person stops it", given: with(withSMS, waits), when: StopCase{"S1"}, then: []Event{RecoveryStopped{"S1", StoppedByPerson}}},
	})
	after := with(withPocket, with([]Event{waits}, did...)...)
	if s := Fold(State{}, after...); !reflect.DeepEqual(s, State{Erased: true}) {
		t.Errorf("something is left: %+v", s)
	}
	sent, failed := CodeSent{"c2", 1, "cm", "m1"}, CodeUndeliverable{"c2", 1, NoRoute}
	run(t, []scenario{
		{name: "once", given: after, when: approve, who: bram, refused: domain.ErrErased},
		{name: "not twice", given: after, when: bare, who: anna, refused: domain.ErrErased},
		{name: "nor by the console", given: after, when: alone, who: domain.Console(), refused: domain.ErrErased},
		{name: "HR announces them in vain", given: after, when: RegisterStaff{announced}, refused: domain.ErrErased},
		{name: "and that they left is no news", given: after, when: RecordLeft{left}},
		{name: "they begin in vain", given: after, when: Begin{ByRoster, "nl", mail, "c9", "k"}, refused: domain.ErrErased},
		{name: "are invited in vain", given: after, when: Invite{"i9", InvitationShown, "k", mail, nil, nil}, refused: domain.ErrErased},
		{name: "a message that was on its way came", given: after, when: RecordSent{sent}, then: []Event{sent}},
		{name: "or did not", given: after, when: RecordUndeliverable{failed}, then: []Event{failed}},
	})
}

// Whoever was erased stays so, whatever is recorded after it.
func TestNothingFollowsAnErasure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			done, ok := carriedOut(d)
			if erased := ok && done.Action == Erasing; d.after.Erased && !d.before.Erased && !erased {
				t.Fatalf("erased by %+v", d.command)
			}
			if d.before.Erased && !reflect.DeepEqual(d.after, State{Erased: true}) {
				t.Fatalf("%T brought something back: %+v", d.command, d.after)
			}
		})
	})
	for _, e := range all() {
		if s := Evolve(State{Erased: true}, e); !reflect.DeepEqual(s, State{Erased: true}) {
			t.Errorf("%T brought something back: %+v", e, s)
		}
	}
}

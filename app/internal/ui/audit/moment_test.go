package audit

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
)

// nowThere is a Monday noon where the clocks go forward in March.
func nowThere(tb testing.TB) time.Time {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		tb.Skip(err)
	}
	return time.Date(2026, 11, 23, 10, 58, 0, 0, zone)
}

func TestMomentsAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	now := nowThere(t)
	base := time.Date(2026, 11, 17, 14, 32, 8, 0, now.Location())
	at := func(y int, m time.Month, d, h, min, s int) desk.Moment {
		return desk.Moment{At: time.Date(y, m, d, h, min, s, 0, now.Location())}
	}
	end := func(y int, m time.Month, d int) desk.Moment {
		return desk.Moment{At: time.Date(y, m, d+1, 0, 0, 0, 0, now.Location()).Add(-1)}
	}
	for _, c := range []struct {
		typed, lang string
		want        desk.Moment
		fault       momentFault
	}{
		{"17-11-2026 14:32", "nl", at(2026, 11, 17, 14, 32, 0), ""},
		{"17-11-2026 14.32 uur", "nl", at(2026, 11, 17, 14, 32, 0), ""},
		{" 17-11-26, 14:32:08 ", "nl", at(2026, 11, 17, 14, 32, 8), ""},
		{"dinsdag 17 november 2026, 14:32:08", "nl", at(2026, 11, 17, 14, 32, 8), ""},
		{"17 nov om 14u32", "nl", at(2026, 11, 17, 14, 32, 0), ""},
		{"17 nov. 9u", "nl", at(2026, 11, 17, 9, 0, 0), ""},
		{"3 mrt", "nl", end(2026, 3, 3), ""},
		{"24 dec", "nl", end(2025, 12, 24), ""}, // that of this year is not yet
		{"17.11.2026", "nl", end(2026, 11, 17), ""},
		{"17/11", "nl", end(2026, 11, 17), ""},
		{"3/4/2026", "nl", end(2026, 4, 3), ""},
		{"2026-11-17", "nl", end(2026, 11, 17), ""},
		{"2026-11-17 14:32", "en", at(2026, 11, 17, 14, 32, 0), ""},
		{"2026-11-17T14:32:08+01:00", "en", at(2026, 11, 17, 14, 32, 8), ""},
		{"2026-11-17t13:32:08z", "nl", at(2026, 11, 17, 14, 32, 8), ""},
		{"17 November 2026 2:32 pm", "en", at(2026, 11, 17, 14, 32, 0), ""},
		{"Nov 17, 2026 2:32:08pm", "en", at(2026, 11, 17, 14, 32, 8), ""},
		{"November 17th at 12 am", "en", at(2026, 11, 17, 0, 0, 0), ""},
		{"the 17th of November", "en", end(2026, 11, 17), ""},
		{"11/17/2026", "en", end(2026, 11, 17), ""},
		{"17/11/2026", "en", end(2026, 11, 17), ""},
		{"yesterday 9:00", "en", at(2026, 11, 22, 9, 0, 0), ""},
		{"gisteren", "nl", end(2026, 11, 22), ""},
		{"eergisteren 23:59", "nl", at(2026, 11, 21, 23, 59, 0), ""},
		{"vandaag 9:00", "nl", at(2026, 11, 23, 9, 0, 0), ""},
		{"vandaag", "nl", desk.Moment{}, ""},
		{"vrijdag 12:00", "nl", at(2026, 11, 20, 12, 0, 0), ""},
		{"monday 9am", "en", at(2026, 11, 23, 9, 0, 0), ""},
		{"14:40", "nl", at(2026, 11, 17, 14, 40, 0), ""}, // of the day that shows
		{"nu", "nl", desk.Moment{}, ""},
		{"Now", "en", desk.Moment{}, ""},
		{"#6412", "nl", desk.Moment{Position: 6412}, ""},
		{"#6.412", "nl", desk.Moment{Position: 6412}, ""},

		{"3/4/2026", "en", desk.Moment{}, momentWhichMonth},
		{"31 februari", "nl", desk.Moment{}, momentNoDay},
		{"31-2-2026", "nl", desk.Moment{}, momentNoDay},
		{"29-2-2025", "nl", desk.Moment{}, momentNoDay},
		{"17-11-2026 25:00", "nl", desk.Moment{}, momentNoTime},
		{"17-11-2026 13 pm", "en", desk.Moment{}, momentNoTime},
		{"29-3-2026 02:30", "nl", desk.Moment{}, momentNoTime}, // the clock went from 2 to 3
		{"24-12-2026", "nl", desk.Moment{}, momentFuture},
		{"23-11-2026 11:00", "nl", desk.Moment{}, momentFuture},
		{"2027-01-01T00:00:00Z", "nl", desk.Moment{}, momentFuture},
		{"", "nl", desk.Moment{}, momentUnreadable},
		{"straks", "nl", desk.Moment{}, momentUnreadable},
		{"17", "nl", desk.Moment{}, momentUnreadable},
		{"november", "nl", desk.Moment{}, momentUnreadable},
		{"17 nov 18 nov", "nl", desk.Moment{}, momentUnreadable},
		{"14:32 15:32", "nl", desk.Moment{}, momentUnreadable},
		{"gisteren 17 nov", "nl", desk.Moment{}, momentUnreadable},
		{"#", "nl", desk.Moment{}, momentUnreadable},
		{"#0", "nl", desk.Moment{}, momentUnreadable},
	} {
		got, fault := readMoment(c.typed, c.lang, now, base)
		if fault != c.fault || got.Position != c.want.Position || !got.At.Equal(c.want.At) {
			t.Errorf("%s %q: %v %q, want %v %q", c.lang, c.typed, got, fault, c.want, c.fault)
		}
	}
}

// Whatever is typed is a moment that has been, or a fault that has words; and one that
// is written in full is read as the same.
func FuzzMoment(f *testing.F) {
	for _, s := range []string{
		"17-11-2026 14:32", "17 nov 9u", "Nov 17th, 2:32 pm", "2026-11-17T14:32:08Z", "gisteren", "#6412", "ma 9:00", "1.2.3.4", "1/1/1", "nu nu", "29-3-2026 2:30",
	} {
		f.Add(s)
	}
	now := nowThere(f)
	faults := map[momentFault]bool{momentUnreadable: true, momentWhichMonth: true, momentNoDay: true, momentNoTime: true, momentFuture: true}
	f.Fuzz(func(t *testing.T, typed string) {
		for _, lang := range i18n.Languages() {
			m, fault := readMoment(typed, lang, now, now)
			switch {
			case fault != "":
				if !faults[fault] || m != (desk.Moment{}) {
					t.Fatalf("%q: %v %q", typed, m, fault)
				}
			case m.At.After(now) || m.Position != 0 && !m.At.IsZero():
				t.Fatalf("%q is %v, and now is %v", typed, m, now)
			case !m.At.IsZero() && m.At.Year() >= 1970 && m.At.Nanosecond() == 0:
				local := m.At.In(now.Location())
				if local.Add(-time.Hour).Hour() == local.Hour() || local.Add(time.Hour).Hour() == local.Hour() {
					return // an hour that is twice
				}
				again, fault := readMoment(local.Format("2006-01-02 15:04:05"), lang, now, now)
				if fault != "" || !again.At.Equal(m.At) {
					t.Fatalf("%q is %v, which is read as %v %q", typed, m.At, again.At, fault)
				}
			}
		}
	})
}

package audit

import (
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
)

// A momentFault says why something that was typed is no moment. It is the end of the id
// of its message: "tape-moment-" and this.
type momentFault string

// The faults.
const (
	momentUnreadable momentFault = "unreadable"
	momentWhichMonth momentFault = "which-month" // 3/4 is two days
	momentNoDay      momentFault = "no-day"
	momentNoTime     momentFault = "no-time" // also where the clock goes forward
	momentFuture     momentFault = "future"
)

// mostTyped bounds what is read as a moment.
const mostTyped = 80

// readMoment reads a date and a time as people type them, in Dutch or English: 17-11-2026
// 14:32, 17 nov 14:32:08, 17 November 2026 2:32 pm, 2026-11-17, gisteren 9:00, 14:32, #6412,
// nu. Without a time it is the end of that day; without a day, the one of base; without a
// year, the last one in which it has been. The zero Moment is now.
func readMoment(typed, lang string, now, base time.Time) (desk.Moment, momentFault) {
	typed = strings.TrimSpace(typed)
	if typed == "" || len(typed) > mostTyped {
		return desk.Moment{}, momentUnreadable
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(typed)); err == nil {
		return past(t, now)
	}
	r := momentReader{lang: lang, now: now, words: momentWords(typed)}
	if m, ok := r.short(); ok {
		return m, ""
	}
	for len(r.words) > 0 && r.fault == "" {
		r.take()
	}
	if r.fault != "" {
		return desk.Moment{}, r.fault
	}
	return r.moment(base)
}

// past is a moment that has been.
func past(t, now time.Time) (desk.Moment, momentFault) {
	if t.After(now) {
		return desk.Moment{}, momentFuture
	}
	return desk.Moment{At: t}, ""
}

// momentWords are the words of what was typed, without those that say nothing.
func momentWords(typed string) []string {
	var all []string
	for w := range strings.FieldsSeq(strings.NewReplacer(",", " ", "’", "'").Replace(strings.ToLower(typed))) {
		switch w {
		case "om", "at", "op", "on", "uur", "o'clock", "of", "de", "the", "van":
		default:
			all = append(all, w)
		}
	}
	return all
}

// A momentReader takes a moment apart, word by word.
type momentReader struct {
	lang  string
	now   time.Time
	words []string
	fault momentFault

	year, month, day      int // 0: not said
	back                  int // days before today, plus one; 0: not said
	weekday               int // as time.Weekday, plus one; 0: not said
	timed                 bool
	hour, minute, second  int
	numbers               []int
	clockAfter, clockHalf bool // am or pm was said, and it is pm
}

// short reads what is no date: now, and a number in the log.
func (r *momentReader) short() (desk.Moment, bool) {
	switch {
	case len(r.words) == 1 && (r.words[0] == "nu" || r.words[0] == "now"):
		return desk.Moment{}, true
	case len(r.words) == 1 && strings.HasPrefix(r.words[0], "#"):
		n, ok := digits(strings.NewReplacer(".", "", "\u2009", "").Replace(r.words[0][1:]), 18)
		return desk.Moment{Position: uint64(n)}, ok && n > 0 //nolint:gosec // not below 0
	}
	return desk.Moment{}, false
}

// take reads the next word.
func (r *momentReader) take() {
	w := r.words[0]
	r.words = r.words[1:]
	switch {
	case r.named(w), r.clock(w), r.dated(w), r.half(w):
	default:
		n, ok := digits(strings.TrimRight(w, "stndrhe."), 4)
		if !ok || len(r.numbers) == 2 {
			r.fault = momentUnreadable
			return
		}
		r.numbers = append(r.numbers, n) // 17 november 2026: the day, and then the year
	}
}

// named reads words for days and months.
func (r *momentReader) named(w string) bool {
	days := map[string]int{"vandaag": 1, "today": 1, "gisteren": 2, "yesterday": 2, "eergisteren": 3}
	if n, ok := days[w]; ok {
		r.set(&r.back, n)
		return true
	}
	if len(w) < 2 || digitsOnly(w[:1]) {
		return false
	}
	for i, names := range weekdays() {
		if isShort(w, names) {
			r.set(&r.weekday, i+1)
			return true
		}
	}
	for i, names := range months() {
		if isShort(w, names) {
			r.set(&r.month, i+1)
			return true
		}
	}
	return false
}

// set notes something that may be said once.
func (r *momentReader) set(what *int, value int) {
	if *what != 0 {
		r.fault = momentUnreadable
	}
	*what = value
}

func weekdays() [7][2]string {
	return [7][2]string{
		{"zondag", "sunday"},
		{"maandag", "monday"},
		{"dinsdag", "tuesday"},
		{"woensdag", "wednesday"},
		{"donderdag", "thursday"},
		{"vrijdag", "friday"},
		{"zaterdag", "saturday"},
	}
}

func months() [12][2]string {
	return [12][2]string{
		{"januari", "january"},
		{"februari", "february"},
		{"maart", "march"},
		{"april", "april"},
		{"mei", "may"},
		{"juni", "june"},
		{"juli", "july"},
		{"augustus", "august"},
		{"september", "september"},
		{"oktober", "october"},
		{"november", "november"},
		{"december", "december"},
	}
}

// isShort says whether a word is a name, or the begin of one that people write: nov, nov.
func isShort(w string, names [2]string) bool {
	w = strings.TrimSuffix(w, ".")
	if w == "mrt" {
		return names[0] == "maart"
	}
	for _, n := range names {
		if w == n || len(w) >= 3 && strings.HasPrefix(n, w) || len(w) == 2 && strings.HasSuffix(names[0], "dag") && strings.HasPrefix(n, w) {
			return true
		}
	}
	return false
}

// clock reads a time of the day: 14:32, 14:32:08, 14u32, 14.32 after a date, 2pm.
func (r *momentReader) clock(w string) bool {
	half := ""
	for _, s := range []string{"am", "pm"} {
		if len(w) > 2 && strings.HasSuffix(w, s) {
			w, half = strings.TrimSuffix(w, s), s
		}
	}
	for _, mark := range []string{"u", "h"} {
		if before, after, ok := strings.Cut(w, mark); ok && digitsOnly(before) && (after == "" || digitsOnly(after)) {
			w = before + ":" + after
			w = strings.TrimSuffix(w, ":")
			if after == "" {
				w += ":00"
			}
		}
	}
	if strings.Count(w, ".") == 1 && (r.dateSaid() || half != "") {
		w = strings.Replace(w, ".", ":", 1)
	}
	parts := strings.Split(w, ":")
	if len(parts) == 1 && half != "" {
		parts = append(parts, "00")
	}
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	var n [3]int
	for i, p := range parts {
		var ok bool
		if n[i], ok = digits(p, 2); !ok {
			return false
		}
	}
	if r.timed {
		r.fault = momentUnreadable
	}
	r.timed, r.hour, r.minute, r.second = true, n[0], n[1], n[2]
	if half != "" {
		r.half(half)
	}
	return true
}

// half reads am and pm.
func (r *momentReader) half(w string) bool {
	if w != "am" && w != "pm" {
		return false
	}
	if r.clockAfter {
		r.fault = momentUnreadable
	}
	if !r.timed && len(r.numbers) > 0 { // 2 pm
		last := len(r.numbers) - 1
		r.timed, r.hour, r.numbers = true, r.numbers[last], r.numbers[:last]
	}
	r.clockAfter, r.clockHalf = true, w == "pm"
	return true
}

func (r *momentReader) dateSaid() bool {
	return r.day != 0 || r.month != 0 || r.back != 0 || r.weekday != 0
}

// dated reads a date in numbers: 17-11-2026, 17/11, 2026-11-17.
func (r *momentReader) dated(w string) bool {
	mark := ""
	for _, m := range []string{"-", "/", "."} {
		if strings.Contains(strings.TrimSuffix(w, "."), m) {
			mark = m
			break
		}
	}
	if mark == "" {
		return false
	}
	parts := strings.Split(strings.TrimSuffix(w, "."), mark)
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	var n [3]int
	for i, p := range parts {
		var ok bool
		if n[i], ok = digits(p, 4); !ok {
			return false
		}
	}
	if r.day != 0 || r.month != 0 {
		r.fault = momentUnreadable
	}
	switch {
	case len(parts) == 3 && len(parts[0]) == 4:
		r.year, r.month, r.day = n[0], n[1], n[2]
		return true
	case mark == "/" && r.lang == i18n.English && n[0] <= 12 && n[1] <= 12 && n[0] != n[1]:
		r.fault = momentWhichMonth
	case mark == "/" && r.lang == i18n.English && n[0] <= 12:
		n[0], n[1] = n[1], n[0]
	}
	r.day, r.month, r.year = n[0], n[1], n[2]
	if len(parts) == 3 && r.year < 100 {
		r.year += 2000
	}
	if r.day == 0 || r.month == 0 {
		r.fault = momentNoDay
	}
	return true
}

// moment puts together what was said.
func (r *momentReader) moment(base time.Time) (desk.Moment, momentFault) {
	if fault := r.settle(); fault != "" {
		return desk.Moment{}, fault
	}
	y, m, d := base.Date()
	switch {
	case r.day != 0:
		y, m, d = r.year, time.Month(r.month), r.day
		if y == 0 {
			y = r.now.Year()
		}
	case r.back > 0:
		y, m, d = r.now.AddDate(0, 0, 1-r.back).Date()
	case r.weekday > 0:
		y, m, d = r.now.AddDate(0, 0, -((int(r.now.Weekday()) - r.weekday + 8) % 7)).Date()
	}
	t, fault := r.on(y, m, d)
	if fault == "" && r.year == 0 && r.day != 0 && t.After(r.now) && !sameDay(t, r.now) {
		t, fault = r.on(y-1, m, d)
	}
	if fault != "" {
		return desk.Moment{}, fault
	}
	if !r.timed && sameDay(t, r.now) { // the end of today is not yet
		return desk.Moment{}, ""
	}
	return past(t, r.now)
}

// settle makes sense of numbers, and of halves of the day.
func (r *momentReader) settle() momentFault {
	for _, n := range r.numbers {
		switch {
		case r.day == 0 && n <= 31 && r.month != 0:
			r.day = n
		case r.year == 0 && n > 31 && r.month != 0:
			r.year = n
		default:
			return momentUnreadable
		}
	}
	said := 0
	for _, b := range []bool{r.day != 0, r.back != 0, r.weekday != 0 && r.day == 0} {
		if b {
			said++
		}
	}
	switch {
	case (r.month != 0) != (r.day != 0) || said > 1 || said == 0 && !r.timed || r.clockAfter && !r.timed:
		return momentUnreadable
	case r.clockAfter && (r.hour < 1 || r.hour > 12) || r.hour > 23 || r.minute > 59 || r.second > 59:
		return momentNoTime
	case r.clockAfter:
		r.hour %= 12
		if r.clockHalf {
			r.hour += 12
		}
	}
	return ""
}

// on returns the moment on a day.
func (r *momentReader) on(y int, m time.Month, d int) (time.Time, momentFault) {
	zone := r.now.Location()
	day := time.Date(y, m, d, 12, 0, 0, 0, zone)
	if day.Day() != d || day.Month() != m || y < 1970 || y > 9999 {
		return time.Time{}, momentNoDay
	}
	if !r.timed {
		return time.Date(y, m, d+1, 0, 0, 0, 0, zone).Add(-1), ""
	}
	t := time.Date(y, m, d, r.hour, r.minute, r.second, 0, zone)
	if t.Hour() != r.hour || t.Minute() != r.minute { // the clock went forward over it
		return time.Time{}, momentNoTime
	}
	return t, ""
}

func sameDay(a, b time.Time) bool {
	return a.In(b.Location()).Format(time.DateOnly) == b.Format(time.DateOnly)
}

// digits reads a number of at most so many digits.
func digits(s string, most int) (int, bool) {
	if s == "" || len(s) > most || !digitsOnly(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

package esdbtest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// meta is what is said about a stream, in its "$$" stream.
type meta struct {
	maxAge   time.Duration // 0: none
	maxCount int64         // 0: none
	before   int64         // what stands before it is cut off; ended: the stream is deleted, softly
	acl      acl
	settings map[string]acl // of $settings
}

const settingsStream = "$settings"

// kept returns the first revision that is still given of a stream, and from
// when on events are.
func (s *stream) kept(now time.Time) (least int64, oldest time.Time) {
	least = s.meta.before
	count := s.meta.maxCount
	if strings.HasPrefix(s.name, "$$") {
		count = 1 // of what was said the last counts
	}
	if count > 0 {
		least = max(least, s.last()+1-count)
	}
	if s.meta.maxAge > 0 {
		oldest = now.Add(-s.meta.maxAge)
	}
	return max(least, 0), oldest
}

// note takes over what an event says about a stream.
func (l *log) note(e *Event) {
	about, ok := strings.CutPrefix(e.Stream, "$$")
	switch {
	case e.Stream == settingsStream:
		s := l.stream(settingsStream)
		s.meta.settings = nil
		_ = json.Unmarshal(e.Data, &s.meta.settings) // what is no list of rights means nothing
	case ok:
		var m struct {
			MaxAge   int64 `json:"$maxAge"`
			MaxCount int64 `json:"$maxCount"`
			Before   int64 `json:"$tb"`
			ACL      acl   `json:"$acl"`
		}
		if json.Unmarshal(e.Data, &m) != nil {
			return
		}
		s := l.stream(about)
		s.meta = meta{
			maxAge: time.Duration(m.MaxAge) * time.Second, maxCount: m.MaxCount, before: m.Before, acl: m.ACL,
			settings: s.meta.settings,
		}
	default:
		return
	}
	l.said++
}

// restart lets a stream that was deleted go on from a revision; what else was
// said about it stays.
func (l *log) restart(s *stream, from int64) {
	about := l.stream("$$" + s.name)
	said := map[string]any{}
	if n := len(about.events); n > 0 {
		_ = json.Unmarshal(about.events[n-1].Data, &said) // else only the cut is said
	}
	said["$tb"] = from
	data, _ := json.Marshal(said) // it was JSON
	l.say(about, statement(string(data)))
}

// say records something about a stream.
func (l *log) say(about *stream, e Event) *Event {
	e.Revision = about.last() + 1
	at := l.record(about, e)
	l.note(at)
	return at
}

// An acl says who may do what with a stream. What it does not say is as the
// server's settings have it, or else its default.
type acl struct {
	Read      who `json:"$r,omitempty"`
	Write     who `json:"$w,omitempty"`
	Delete    who `json:"$d,omitempty"`
	MetaRead  who `json:"$mr,omitempty"`
	MetaWrite who `json:"$mw,omitempty"`
}

// who is one user or group, or several.
type who []string

// UnmarshalJSON reads a name or a list of names; null says nothing.
func (w *who) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = who{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// The groups that a server knows by itself.
const (
	everybody = "$all"
	admins    = "$admins"
	operators = "$ops"
)

// A right is what somebody wants to do.
type right int

const (
	reading right = iota
	writing
	deleting
)

func (a acl) of(r right, metadata bool) who {
	switch {
	case r == reading && metadata:
		return a.MetaRead
	case metadata:
		return a.MetaWrite
	case r == writing:
		return a.Write
	case r == deleting:
		return a.Delete
	}
	return a.Read
}

// may says whether one of some users and groups has a right on a stream; "$all"
// is all of them.
func (l *log) may(groups []string, r right, name string) bool {
	about, isMeta := strings.CutPrefix(name, "$$")
	if r == deleting && isMeta || r != reading && name == everybody {
		return false // nobody may
	}
	if slices.Contains(groups, admins) {
		return true
	}
	l.mu.RLock()
	own, settings := l.look(about).meta.acl, l.look(settingsStream).meta.settings
	l.mu.RUnlock()
	given, standard := settings["$userStreamAcl"], who{everybody}
	if strings.HasPrefix(about, "$") {
		given, standard = settings["$systemStreamAcl"], who{admins}
	}
	for _, a := range []who{own.of(r, isMeta), given.of(r, isMeta), standard} {
		if a != nil {
			return slices.ContainsFunc(a, func(g string) bool { return slices.Contains(groups, g) })
		}
	}
	return false
}

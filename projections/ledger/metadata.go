package ledger

import (
	"encoding/binary"
	"encoding/json"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// metadata is as much of domain.Metadata as the ledger wants.
type metadata struct {
	correlation       uint64 // the first half
	actor, kind, role []byte
	station           []byte
}

// The shapes of the metadata, and of the actor in it.
var (
	metadataShape = fold.Shape{
		{Name: "$correlationId"},
		{Name: "$causationId"},
		{Name: "schema", Is: fold.Count},
		{Name: "actor", Is: fold.Key},
		{Name: "helper"},
		{Name: "station"},
		{Name: "policy"},
		{Name: "at", Is: fold.Moment},
	}
	actorShape = fold.Shape{{Name: "kind"}, {Name: "id"}, {Name: "role"}}
)

// scan reads the metadata of an event, as encoding/json does, and says whether it can be
// read at all. What it finds may point into data.
func (m *metadata) scan(data []byte) (ok bool) {
	var f, actor fold.Fields
	if !metadataShape.Scan(data, &f) || f[3] != nil && !actorShape.Scan(f[3], &actor) {
		return m.scanSlowly(data)
	}
	for _, id := range f[:2] {
		if id == nil {
			continue
		}
		if _, err := domain.ParseEventID(string(id)); err != nil {
			return false
		}
	}
	if f[0] != nil {
		id, _ := domain.ParseEventID(string(f[0]))
		m.correlation = half(id)
	}
	m.kind, m.actor, m.role, m.station = actor[0], actor[1], actor[2], f[5]
	return true
}

func (m *metadata) scanSlowly(data []byte) (ok bool) {
	var all domain.Metadata
	if json.Unmarshal(data, &all) != nil {
		return false
	}
	m.correlation = half(all.Correlation)
	m.kind, m.actor, m.role = []byte(all.Actor.Kind), []byte(all.Actor.ID), []byte(all.Actor.Role)
	m.station = []byte(all.Station)
	return true
}

// half is as much of an id as the ledger keeps.
func half(id domain.EventID) uint64 { return binary.BigEndian.Uint64(id[:8]) }

var dataShown = fold.Shape{{Name: "scope"}, {Name: "subject"}, {Name: "case"}}

// shown returns whose data was shown.
func shown(typ string, data []byte) (id domain.SubjectID, ok bool) {
	var f fold.Fields
	if typ != "DataShown" || !dataShown.Scan(data, &f) {
		return id, false
	}
	return subject(f[1])
}

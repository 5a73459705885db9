// Package afastest plays the GetConnector of an AFAS Profit, over HTTP on a loopback
// address, as AFAS documents it: with its token, skip and take, an order that is only
// kept where one is asked for, and its ways to refuse.
package afastest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// What a Server takes.
const (
	Token     = "<token><version>1</version><data>0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF</data></token>"
	inBase64  = "PHRva2VuPjx2ZXJzaW9uPjE8L3ZlcnNpb24+PGRhdGE+MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5QUJDREVGMDEyMzQ1Njc4OUFCQ0RFRjwvZGF0YT48L3Rva2VuPg=="
	Connector = "Keydesk_Staff"
)

// Reference is what a Server refers to in a log of its own.
const Reference = "3A4CA18A611A4E07B429AC6BAFC6B8D1"

// A Row is one row: text, numbers, nil.
type Row = map[string]any

// A Server is an AFAS with one connector. Its rows may change at any time.
type Server struct {
	// URL is that of its REST services.
	URL string

	fields []string
	server *httptest.Server

	mu     sync.Mutex
	rows   []Row
	asked  []url.Values
	before func(n int, w http.ResponseWriter, r *http.Request) (answered bool)
}

// Start starts a Server with a connector of these fields. A row that lacks one has null
// there. Close ends it.
func Start(fields []string, rows ...Row) *Server {
	s := &Server{fields: fields, rows: rows}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL + "/ProfitRestServices"
	return s
}

// Close ends the server, with what it is asked at that moment.
func (s *Server) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// Change changes the rows.
func (s *Server) Change(to func(rows []Row) []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = to(s.rows)
}

// Before has every question go there first, with its number from 1, among those for rows
// alone. It says whether it answered.
func (s *Server) Before(do func(n int, w http.ResponseWriter, r *http.Request) (answered bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = do
}

// Asked returns what rows were asked for, question by question.
func (s *Server) Asked() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/ProfitRestServices")
	switch {
	case r.Method != http.MethodGet || !ok:
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "AfasToken "+inBase64:
		http.Error(w, "", http.StatusUnauthorized)
	case path == "/metainfo/get/"+Connector:
		s.meta(w)
	case path == "/connectors/"+Connector:
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Query())
		n, before := len(s.asked), s.before
		s.mu.Unlock()
		if before == nil || !before(n, w, r) {
			s.page(w, r.URL.Query())
		}
	case strings.HasPrefix(path, "/metainfo/get/"), strings.HasPrefix(path, "/connectors/"):
		Refuse(w, "GetConnector niet ondersteund voor deze app of de gebruiker is niet geautoriseerd")
	default:
		http.NotFound(w, r)
	}
}

// Refuse answers as AFAS does where it does not like a question.
func Refuse(w http.ResponseWriter, message string) {
	w.WriteHeader(http.StatusInternalServerError)
	answer(w, map[string]any{"externalMessage": message, "errorNumber": -2147180999, "profitLogReference": Reference})
}

func answer(w http.ResponseWriter, v any) {
	_ = json.NewEncoder(w).Encode(v) // whoever asked may have left
}

func (s *Server) meta(w http.ResponseWriter) {
	fields := make([]any, len(s.fields))
	for i, f := range s.fields {
		fields[i] = map[string]any{
			"id": f, "fieldId": fmt.Sprintf("U%03d", i+1), "dataType": "string", "label": f, "length": 80,
			"controlType": 1, "decimals": 0, "decimalsFieldId": "",
		}
	}
	answer(w, map[string]any{"name": Connector, "description": "Medewerkers voor Keydesk", "fields": fields})
}

func (s *Server) page(w http.ResponseWriter, q url.Values) {
	skip, err1 := strconv.Atoi(cmp.Or(q.Get("skip"), "0"))
	take, err2 := strconv.Atoi(cmp.Or(q.Get("take"), "100"))
	all := skip == -1 && take == -1
	if err1 != nil || err2 != nil || !all && (skip < 0 || take < 0) {
		Refuse(w, "Er is een onverwachte fout opgetreden.")
		return
	}
	s.mu.Lock()
	rows := slices.Clone(s.rows)
	s.mu.Unlock()
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] }) //nolint:gosec // any order will do
	order := q.Get("orderbyfieldids")
	for _, f := range slices.Backward(strings.FieldsFunc(order, func(r rune) bool { return r == ',' })) {
		name, down := strings.CutPrefix(f, "-")
		if !slices.Contains(s.fields, name) {
			Refuse(w, "Connector-veld '"+name+"' niet gevonden")
			return
		}
		slices.SortStableFunc(rows, func(a, b Row) int {
			if down {
				a, b = b, a
			}
			return cmp.Compare(fmt.Sprint(a[name]), fmt.Sprint(b[name]))
		})
	}
	if !all {
		rows = rows[min(skip, len(rows)):]
		rows = rows[:min(take, len(rows))]
	}
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = maps.Clone(r)
		for _, f := range s.fields {
			if _, there := r[f]; !there {
				out[i][f] = nil
			}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	answer(w, map[string]any{"skip": skip, "take": take, "rows": out})
}

package afas

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Config says which GetConnector is read, and how.
type Config struct {
	// URL is that of the environment's REST services,
	// https://12345.rest.afas.online/ProfitRestServices; http to a loopback address only.
	URL       string
	Connector string
	Token     string        // as AFAS shows it, <token>…</token>, or that in Base64
	PageSize  int           // rows asked for at once; 0: 1000
	Timeout   time.Duration // for one page; 0: a minute
	// Fields names the connector's field for each of ours. Where none is named, the one
	// whose name says so is taken; None: no field is, whatever they are called.
	Fields map[roster.Field]string
}

// None is the name of no field.
const None = "-"

// MaxPage is how many bytes one page may have. AFAS itself ends at 75 MB.
const MaxPage = 32 << 20

const (
	defaultPageSize = 1000
	defaultTimeout  = time.Minute
	readings        = 3       // of a list that changes meanwhile
	maxMeta         = 4 << 20 // bytes of what is said about a connector
)

// A Connector is one GetConnector of AFAS Profit. It is safe for concurrent use.
type Connector struct {
	config Config
	base   string
	header http.Header
	client *http.Client
	pause  func(context.Context, time.Duration) error
}

// New makes a Connector. Nothing is asked yet.
func New(c Config) (*Connector, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, ErrBadURL
	}
	token, err := inBase64(c.Token)
	if err != nil {
		return nil, err
	}
	if c.Connector == "" {
		return nil, ErrNotFound
	}
	c.PageSize, c.Timeout = cmp.Or(c.PageSize, defaultPageSize), cmp.Or(c.Timeout, defaultTimeout)
	if c.PageSize < 2 { // each page repeats a row
		return nil, fmt.Errorf("pages of %d rows: at least 2", c.PageSize)
	}
	return &Connector{
		config: c,
		base:   strings.TrimRight(c.URL, "/"),
		header: http.Header{
			"Authorization":   {"AfasToken " + token},
			"Accept":          {"application/json"},
			"Accept-Language": {"nl-nl"}, // the words of a code are the same each time
			"User-Agent":      {"Keydesk"},
		},
		client: newClient(c.Timeout),
		pause:  sleep,
	}, nil
}

// List implements roster.Source: it reads all pages, one after the other. Where rows
// came, went or moved between two pages it begins anew, up to three times.
func (c *Connector) List(ctx context.Context, p enrolment.Policy, progress func(rows int)) (roster.List, error) {
	defer c.client.CloseIdleConnections()
	columns, ignored, err := c.columns(ctx, tries)
	if err != nil {
		return roster.List{}, err
	}
	for range readings {
		l, err := c.read(ctx, roster.NewTable(enrolment.RosterFromAFAS, columns, ignored, p), columns, progress)
		if !errors.Is(err, errMoved) {
			return l, err
		}
	}
	return roster.List{}, ErrChanging
}

// Check asks AFAS about the connector, once, and for no row of it. It returns the fields
// that would be read.
func (c *Connector) Check(ctx context.Context) ([]roster.Column, error) {
	defer c.client.CloseIdleConnections()
	columns, _, err := c.columns(ctx, 1)
	return columns, err
}

// columns asks which fields the connector has, and chooses those that are read.
func (c *Connector) columns(ctx context.Context, tries int) (columns []roster.Column, ignored []string, err error) {
	var meta struct {
		Fields []struct{ ID string }
	}
	err = c.get(ctx, c.base+"/metainfo/get/"+url.PathEscape(c.config.Connector), tries, maxMeta, func(b []byte) error {
		if err := decode(b, &meta); err != nil || len(meta.Fields) == 0 {
			return cmp.Or(err, ErrGarbled)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ask about the fields of %q: %w", c.config.Connector, err)
	}
	names := make([]string, len(meta.Fields))
	for i, f := range meta.Fields {
		names[i] = f.ID
	}
	return choose(names, c.config.Fields)
}

// choose returns the columns of a connector with these fields, in its order.
func choose(names []string, wanted map[roster.Field]string) (columns []roster.Column, ignored []string, err error) {
	chosen := map[string][]roster.Field{}
	taken := map[roster.Field]bool{}
	for _, f := range slices.Sorted(maps.Keys(wanted)) {
		switch name := wanted[f]; {
		case name == "":
			continue
		case name == None: // nothing to look for
		case !slices.Contains(names, name):
			return nil, nil, &NoFieldError{Field: f, Name: name, There: names}
		default:
			chosen[name] = append(chosen[name], f)
		}
		taken[f] = true
	}
	for _, name := range names {
		if f, ok := fieldOf(name); ok && !taken[f] && len(chosen[name]) == 0 {
			chosen[name], taken[f] = []roster.Field{f}, true
		}
	}
	for _, name := range names {
		for _, f := range chosen[name] {
			columns = append(columns, roster.Column{Field: f, Name: name})
		}
		if len(chosen[name]) == 0 {
			ignored = append(ignored, name)
		}
	}
	if !slices.ContainsFunc(columns, func(c roster.Column) bool { return c.Field == roster.Email }) {
		return nil, nil, fmt.Errorf("%w among %s", roster.ErrNoEmail, strings.Join(names, ", "))
	}
	return columns, ignored, nil
}

// fieldOf says what a field of this name is about: in a list of AFAS a medewerker is a
// number, and some names are its own.
func fieldOf(name string) (roster.Field, bool) {
	switch strings.ToLower(name) {
	case "medewerker":
		return roster.Employee, true
	case "mobilework", "mobielwerk":
		return roster.Mobile, true
	case "phonework":
		return roster.Phone, true
	case "lastnameprefix":
		return roster.Infix, true
	case "employmentstartdate", "employmentstart":
		return roster.Start, true
	}
	return roster.FieldOf(name)
}

// A row is one as AFAS gives it. A field that is empty is null.
type row map[string]json.RawMessage

// read reads all pages.
func (c *Connector) read(ctx context.Context, t *roster.Table, columns []roster.Column, progress func(rows int)) (roster.List, error) {
	var last row
	for n := 0; ; {
		rows, err := c.page(ctx, max(n-1, 0), columns)
		if err != nil {
			return roster.List{}, fmt.Errorf("read %q from row %d: %w", c.config.Connector, n+1, err)
		}
		if n > 0 {
			if len(rows) == 0 || !maps.EqualFunc(rows[0], last, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				return roster.List{}, errMoved
			}
			rows = rows[1:]
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			values, wrong := r.values(columns)
			if err := t.Add(values, wrong); err != nil {
				return roster.List{}, err
			}
		}
		n, last = n+len(rows), rows[len(rows)-1]
		if progress != nil {
			progress(n)
		}
	}
	l := t.List()
	if l.Total == 0 {
		return l, roster.ErrNoRows
	}
	return l, nil
}

// page asks for one page.
func (c *Connector) page(ctx context.Context, skip int, columns []roster.Column) ([]row, error) {
	query := url.Values{"skip": {strconv.Itoa(skip)}, "take": {strconv.Itoa(c.config.PageSize)}, "orderbyfieldids": {orderOf(columns)}}
	var page struct {
		Skip *int
		Rows []row
	}
	err := c.get(ctx, c.base+"/connectors/"+url.PathEscape(c.config.Connector)+"?"+query.Encode(), tries, MaxPage, func(b []byte) error {
		page.Skip, page.Rows = nil, nil
		if err := decode(b, &page); err != nil {
			return err
		}
		if page.Rows == nil || page.Skip == nil || *page.Skip != skip || len(page.Rows) > c.config.PageSize {
			return ErrGarbled
		}
		return nil
	})
	return page.Rows, err
}

// orderOf returns the fields that rows are sorted by: those that tell people from each
// other.
func orderOf(columns []roster.Column) string {
	var by []string
	for _, f := range []roster.Field{roster.Employee, roster.Email} {
		for _, c := range columns {
			if c.Field == f {
				by = append(by, c.Name)
			}
		}
	}
	return strings.Join(by, ",")
}

// values returns what a row says, and what in it cannot be read.
func (r row) values(columns []roster.Column) (values map[roster.Field]string, wrong map[roster.Field]roster.Reason) {
	values, wrong = map[roster.Field]string{}, map[roster.Field]roster.Reason{}
	for _, c := range columns {
		raw, there := r[c.Name]
		switch {
		case !there:
			wrong[c.Field] = roster.FieldMissing
		case string(raw) == "null":
		case raw[0] == '"':
			var s string
			if json.Unmarshal(raw, &s) != nil {
				wrong[c.Field] = roster.Unusable
			}
			values[c.Field] = s
		case raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9':
			values[c.Field] = string(raw)
		default: // true, a list, an object
			wrong[c.Field] = roster.Unusable
		}
	}
	return values, wrong
}

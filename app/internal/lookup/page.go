package lookup

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The page that shows the OpenAPI document to people. It has no script, and loads
// nothing from anywhere.
const pageText = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Info.Title}} API</title>
<style>
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --key: #0d5c63; --ring: #ffc93c }
body { font: 16px/1.6 "Atkinson Hyperlegible Next", system-ui, sans-serif; margin: 0 auto; max-width: 54rem; padding: 2rem 1.25rem 6rem }
header { border-left: .5rem solid var(--ring); padding-left: 1rem }
h1 { margin: 0; font-size: 1.9rem } h2 { margin: 3rem 0 .25rem; font-size: 1.25rem } h3 { margin: 1.5rem 0 .25rem; font-size: 1rem }
p { margin: .25rem 0 1rem } code, pre { font: .9em/1.5 ui-monospace, monospace } small { opacity: .75 }
h2 code { background: var(--key); color: #fff; border-radius: .3rem; padding: .15rem .5rem; margin-right: .5rem }
pre { background: var(--soft); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid var(--line); padding: .4rem 1rem .4rem 0; vertical-align: top }
td:first-child { white-space: nowrap; width: 12rem } nav a { margin-right: 1rem }
@media (max-width: 40rem) { td { display: block; border: 0; padding: 0 } td:first-child { border-top: 1px solid var(--line); padding-top: .4rem; width: auto } }
</style>
<header><h1>{{.Info.Title}} API</h1><p><small>version {{.Info.Version}} · <a href="/openapi.json">OpenAPI {{.OpenAPI.OpenAPI}}</a> · <a href="/metrics">metrics</a></small></p></header>
{{range .About}}<p>{{.}}</p>{{end}}
<nav>{{range .Operations}}<a href="#{{.ID}}">{{.Method}} {{.Path}}</a> {{end}}</nav>
{{range .Operations}}
<section id="{{.ID}}">
<h2><code>{{.Method}}</code> {{.Path}}</h2>
<p>{{.Summary}}.{{if .Scope}} <small>Scope <code>{{.Scope}}</code>.</small>{{end}}</p>
{{range .About}}<p>{{.}}</p>{{end}}
<pre>{{.Example}}</pre>
{{range .Tables}}<h3>{{.Title}}</h3>
<table>{{range .Rows}}<tr><td><code>{{.Name}}</code><br><small>{{.Type}}</small></td><td>{{.Doc}}</td></tr>{{end}}</table>{{end}}
</section>
{{end}}
<section id="problems">
<h2>What is wrong</h2>
<p>Every status of 400 and above comes with application/problem+json (RFC 9457).</p>
<table>{{range .Problem}}<tr><td><code>{{.Name}}</code><br><small>{{.Type}}</small></td><td>{{.Doc}}</td></tr>{{end}}</table>
</section>
</html>
`

type pageOf struct {
	*huma.OpenAPI
	About      []string
	Operations []pageOperation
	Problem    []pageRow
}

type pageOperation struct {
	ID, Method, Path, Summary, Scope, Example string
	About                                     []string
	Tables                                    []pageTable
}

type pageTable struct {
	Title string
	Rows  []pageRow
}

type pageRow struct{ Name, Type, Doc string }

// newPage makes the page of a document, once.
func newPage(doc *huma.OpenAPI) http.HandlerFunc {
	p := pageOf{OpenAPI: doc, About: paragraphs(doc.Info.Description)}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				p.Operations = append(p.Operations, pageOperationOf(doc, path, op))
			}
		}
	}
	p.Problem = rows(doc, &huma.Schema{Ref: "#/components/schemas/Problem"})
	slices.SortFunc(p.Operations, func(a, b pageOperation) int {
		return cmp.Or(cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	var out bytes.Buffer
	if err := template.Must(template.New("").Parse(pageText)).Execute(&out, p); err != nil {
		panic(err) // a mistake in the template, found by every test
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		_, _ = w.Write(out.Bytes())
	}
}

func pageOperationOf(doc *huma.OpenAPI, path string, op *huma.Operation) pageOperation {
	p := pageOperation{
		ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary,
		Scope: strings.Join(scopesOf(op), " "), Example: example(path, op), About: paragraphs(op.Description),
	}
	var params []pageRow
	for _, param := range op.Parameters {
		params = append(params, pageRow{param.Name, typeOf(param.Schema) + ", " + param.In, param.Description})
	}
	p.Tables = appendTable(p.Tables, "What is asked with", params)
	if op.RequestBody != nil {
		p.Tables = appendTable(p.Tables, "Body", rows(doc, op.RequestBody.Content["application/json"].Schema))
	}
	for _, status := range []string{"200", "201"} {
		ok := op.Responses[status]
		if ok == nil {
			continue
		}
		for _, kind := range []string{"application/json", "text/event-stream"} {
			if m := ok.Content[kind]; m != nil {
				p.Tables = appendTable(p.Tables, "Answer", rows(doc, m.Schema))
			}
		}
	}
	return p
}

func appendTable(to []pageTable, title string, rows []pageRow) []pageTable {
	if len(rows) == 0 {
		return to
	}
	return append(to, pageTable{title, rows})
}

// rows returns the fields of a schema.
func rows(doc *huma.OpenAPI, s *huma.Schema) []pageRow {
	if s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	var all []pageRow
	for name, f := range s.Properties {
		doc := f.Description
		if len(f.Enum) > 0 {
			var words []string
			for _, e := range f.Enum {
				words = append(words, "\""+e.(string)+"\"")
			}
			doc = strings.TrimSpace("One of " + strings.Join(words, ", ") + ". " + doc)
		}
		all = append(all, pageRow{name, typeOf(f), doc})
	}
	slices.SortFunc(all, func(a, b pageRow) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Items != nil:
		return "list of " + typeOf(s.Items)
	case s.Format == "int64":
		return "integer"
	case s.Format != "":
		return s.Format
	}
	return s.Type
}

// example asks for an operation from a shell.
func example(path string, op *huma.Operation) string {
	const next, host = " \\\n  ", "https://keydesk.example.org"
	const subject = "4b2d5a3e-8c1f-4f6e-9d3a-2b7c1e5f0a94"
	path = strings.NewReplacer("{subject}", subject, "{id}", "$LOGIN").Replace(path)
	if len(op.Security) == 0 {
		return "curl " + host + path
	}
	curl := "curl -H \"Authorization: Bearer $TOKEN\""
	switch op.OperationID {
	case "factor":
		return curl + next + "--json '{\"email\":\"sanne@example.org\"}' " + host + path
	case startID:
		return curl + next + "--json '{\"email\":\"sanne@example.org\",\"password\":\"…\",\"network\":\"192.0.2.7\",\"from\":\"Firefox, Utrecht\"}' " + host + path
	case codeID:
		return curl + next + "--json '{\"code\":\"123456\"}' " + host + path
	case resendID:
		return curl + next + "-X POST " + host + path
	case stateID:
		return curl + next + "\"" + host + path + "?wait=25\""
	case streamID:
		return curl + next + "-N '" + host + path + "?after=0'"
	}
	return curl + next + host + path
}

func paragraphs(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(s, "`", ""), "\n\n")
}

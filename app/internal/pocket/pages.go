package pocket

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/keydesk/keydesk/assets"
)

// A page is one file of the phones' page, ready to be sent.
type page struct {
	mediaType string
	cache     string
	plain     []byte
	zipped    []byte
	etag      string
}

// pages serves the files of assets/phone and the fonts from memory.
type pages map[string]page

// mediaTypes are those of the files that are served; others are not.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
	".png":  "image/png",
}

// stopPath is where the page stands that stops a case: short, since people type it, and
// for people who have no Pocket. Messages name it.
const stopPath = "/stop"

// newPages returns the files with the page's own words (portal, name of
// Pocket, support address) filled in, so that the page needs no further request
// before it can be read.
func newPages(c Config) (pages, error) {
	same, err := files()
	if err != nil {
		return nil, err
	}
	all := maps.Clone(same)
	var text []byte
	for file, name := range map[string]string{"/p/index.html": "/p/", "/p/stop.html": stopPath} {
		if text, err = fill(all[file].plain, c); err != nil {
			return nil, err
		}
		delete(all, file)
		if all[name], err = newPage(name, mediaTypes[".html"], text); err != nil {
			return nil, err
		}
	}
	const manifest = "/p/manifest.webmanifest"
	if text, err = manifestOf(c); err != nil {
		return nil, err
	}
	if all[manifest], err = newPage(manifest, "application/manifest+json", text); err != nil {
		return nil, err
	}
	const worker = "/p/sw.js"
	program := all[worker].plain
	delete(all, worker)
	if text, err = all.workerOf(program); err != nil {
		return nil, err
	}
	all[worker], err = newPage(worker, mediaTypes[".js"], text)
	return all, err
}

// manifestOf says how the page looks as an app on a home screen.
func manifestOf(c Config) ([]byte, error) {
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	name := c.PocketName
	if c.Portal != "" {
		name += " – " + c.Portal
	}
	return json.MarshalIndent(struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		ShortName  string `json:"short_name"`
		Language   string `json:"lang"`
		StartURL   string `json:"start_url"`
		Scope      string `json:"scope"`
		Display    string `json:"display"`
		Background string `json:"background_color"`
		Theme      string `json:"theme_color"`
		Icons      []icon `json:"icons"`
	}{
		ID: "/p/", Name: name, ShortName: c.PocketName, Language: c.Languages[0], StartURL: "/p/", Scope: "/p/",
		Display: "standalone", Background: "#EDF3F2", Theme: "#0A3A44",
		Icons: []icon{
			{"icon-192.png", "192x192", "image/png", "any"},
			{"icon-512.png", "512x512", "image/png", "any"},
			{"icon-maskable-512.png", "512x512", "image/png", "maskable"},
			{"icon.svg", "any", "image/svg+xml", "any"},
		},
	}, "", "  ")
}

// workerOf puts the names of the page's files, and a version that changes with
// any of them, above the service worker. The decoder of the scanner is not one
// of them: it is large, and pairing needs the network anyway. Nor is the page that stops a
// case, which is no part of Pocket.
func (all pages) workerOf(program []byte) ([]byte, error) {
	files := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool {
		return isDecoder(name) || name == stopPath || name == "/p/stop.js"
	})
	version := sha256.New()
	for _, name := range files {
		version.Write([]byte(name + "\x00" + all[name].etag + "\x00"))
	}
	version.Write(program)
	list, err := json.Marshal(files)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("const version = %q;\nconst files = %s;\n\n", hex.EncodeToString(version.Sum(nil)[:12]), list)
	return append([]byte(head), program...), nil
}

func isDecoder(name string) bool { return strings.HasPrefix(path.Base(name), "jsqr-") }

// files reads and compresses what is the same for everybody, once.
var files = sync.OnceValues(func() (pages, error) {
	all := pages{}
	for _, from := range []struct {
		files fs.FS
		dir   string
	}{{assets.Phone, "phone"}, {assets.Fonts, "fonts"}} {
		entries, err := fs.ReadDir(from.files, from.dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			mediaType, served := mediaTypes[path.Ext(e.Name())]
			if !served || e.IsDir() {
				continue
			}
			text, err := fs.ReadFile(from.files, path.Join(from.dir, e.Name()))
			if err != nil {
				return nil, err
			}
			name := "/p/" + e.Name()
			if all[name], err = newPage(name, mediaType, text); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
})

func fill(text []byte, c Config) ([]byte, error) {
	t, err := template.New("page").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]string{
		"Portal": c.Portal, "Pocket": c.PocketName, "Support": c.Support,
		"Language": c.Languages[0], "Languages": strings.Join(c.Languages, " "),
	})
	return b.Bytes(), err
}

func newPage(name, mediaType string, text []byte) (page, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		return page{}, err
	}
	if err := z.Close(); err != nil {
		return page{}, err
	}
	sum := sha256.Sum256(text)
	p := page{
		mediaType: mediaType, plain: text, zipped: b.Bytes(), cache: "no-cache",
		etag: `"` + hex.EncodeToString(sum[:12]) + `"`,
	}
	// Fonts never change under one name, nor does a library with its version in it.
	if path.Ext(name) == ".ttf" || isDecoder(name) {
		p.cache = "public, max-age=31536000, immutable"
	}
	return p, nil
}

// ServeHTTP sends a file, compressed where the browser takes that, or nothing
// where it has the file already.
func (all pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, ok := all[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.mediaType)
	h.Set("Cache-Control", p.cache)
	h.Set("ETag", p.etag)
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("If-None-Match"), p.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := p.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = p.zipped
	}
	_, _ = w.Write(body) // a phone that is gone cannot be told
}

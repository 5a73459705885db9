package pocket

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
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
}

// newPages returns the files with the page's own words (portal, name of
// Pocket, support address) filled in, so that the page needs no further request
// before it can be read.
func newPages(c Config) (pages, error) {
	same, err := files()
	if err != nil {
		return nil, err
	}
	all := maps.Clone(same)
	text, err := fill(all["/p/index.html"].plain, c)
	if err != nil {
		return nil, err
	}
	delete(all, "/p/index.html")
	all["/p/"], err = newPage("/p/", mediaTypes[".html"], text)
	return all, err
}

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
	if path.Ext(name) == ".ttf" || strings.HasPrefix(path.Base(name), "jsqr-") {
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

package office

import (
	"encoding/json"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/storage"

	"github.com/keydesk/keydesk/app/internal/i18n"
)

// Files is how a page asks for a file, in a dialog over the window. The dialog goes away
// with the page, and with the lock.
type Files interface {
	// OpenFile asks for one that is there, with one of these extensions (".csv"). chosen
	// gets its path, unless nothing is chosen.
	OpenFile(title string, extensions []string, chosen func(path string))
	// OpenFolder asks for a folder.
	OpenFolder(title string, chosen func(path string))
}

// dialogWords are what Fyne calls its own words in a file dialog, and what we do.
var dialogWords = map[string]string{
	"Open": "office-file-open", "Cancel": "office-file-cancel", "File": "office-file", "Folder": "office-file-folder",
	"New Folder": "office-file-new-folder", "Create Folder": "office-file-create", "file.name": "office-file-name",
	"Show Hidden Files": "office-file-hidden", "file.parent": "office-file-parent",
}

// speakDialogs gives Fyne the words of its file dialog in the language of the window.
// Fyne looks for them under the language of the system, whichever that is.
func speakDialogs(p *i18n.Printer) {
	words := map[string]string{}
	for theirs, id := range dialogWords {
		words[theirs] = p.T(id)
	}
	b, err := json.Marshal(words)
	if err == nil {
		err = lang.AddTranslations(fyne.NewStaticResource(lang.SystemLocale().LanguageString()+".json", b))
	}
	if err != nil {
		fyne.LogError("the words of the file dialog", err)
	}
}

// OpenFile asks for a file that is there; see Files.
func (w *Window) OpenFile(title string, extensions []string, chosen func(path string)) {
	if w.win == nil || w.asks != nil {
		return
	}
	d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err != nil || r == nil {
			return // nothing was chosen
		}
		path := r.URI().Path()
		_ = r.Close() // it is opened anew, by its path
		chosen(path)
	}, w.win)
	d.SetFilter(storage.NewExtensionFileFilter(extensions))
	w.ask(d, title, "office-file-open")
}

// OpenFolder asks for a folder; see Files.
func (w *Window) OpenFolder(title string, chosen func(path string)) {
	if w.win == nil || w.asks != nil {
		return
	}
	d := dialog.NewFolderOpen(func(l fyne.ListableURI, err error) {
		if err == nil && l != nil {
			chosen(l.Path())
		}
	}, w.win)
	w.ask(d, title, "office-file-here")
}

// ask shows a file dialog in the words of the window, over nearly all of it.
func (w *Window) ask(d *dialog.FileDialog, title, confirm string) {
	speakDialogs(w.p)
	d.SetTitleText(title)
	d.SetConfirmText(w.t(confirm))
	d.SetDismissText(w.t("office-file-cancel"))
	d.SetOnClosed(func() { w.asks = nil })
	d.Resize(w.win.Canvas().Size().SubtractWidthHeight(160, 120))
	w.asks = d
	d.Show()
}

func (w *Window) hideDialog() {
	if w.asks != nil {
		w.asks.Hide()
		w.asks = nil
	}
}

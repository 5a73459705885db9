package ui

import (
	"strings"

	"github.com/keydesk/keydesk/app/internal/i18n"
)

// cols is how many keys of normal width a row of the keyboard holds.
const cols = 11

// NewNumpad returns ten digits, a key that clears and Backspace.
func NewNumpad(p *i18n.Printer, target Target) *Keys {
	rows := [][]key{line(0, "1 2 3"), line(0, "4 5 6"), line(0, "7 8 9")}
	rows = append(rows, spread(0,
		key{label: p.T("ui-clear"), act: actClear}, key{text: "0"}, key{icon: IconBackspace, act: actBackspace}))
	return newKeys(map[act]page{actLetters: {rows, 3}}, target, true)
}

// NewSmallNumpad is NewNumpad where there is less room, under small Digits.
func NewSmallNumpad(p *i18n.Printer, target Target) *Keys {
	k := NewNumpad(p, target)
	k.small = true
	return k
}

// NewEmailKeyboard returns what an e-mail address needs: lower-case letters,
// digits, and keys for @ and .nl.
func NewEmailKeyboard(_ *i18n.Printer, target Target) *Keys {
	rows := [][]key{
		digitRow(),
		append(letters(0, "q w e r t y u i o p"), key{text: "-", upper: "_", at: 10, width: 1}),
		append(letters(0.5, "a s d f g h j k l"), key{text: "@", upper: "+", at: 9.5, width: 1.5}),
		spread(0, append(append([]key{{icon: IconShift, act: actShift, width: 1.5}},
			letters(0, "z x c v b n m")...), key{text: ".", upper: "'"}, key{text: ".nl", upper: ".com", width: 1.5})...),
	}
	return newKeys(map[act]page{actLetters: {rows, cols}}, target, false)
}

// NewTicketKeyboard returns what a ticket needs: digits and capitals.
func NewTicketKeyboard(_ *i18n.Printer, target Target) *Keys {
	rows := [][]key{
		digitRow(),
		line(0.5, "Q W E R T Y U I O P"),
		line(1, "A S D F G H J K L"),
		line(2, "Z X C V B N M"),
	}
	return newKeys(map[act]page{actLetters: {rows, cols}}, target, false)
}

// NewKeyboard returns a keyboard with letters, signs and accents.
func NewKeyboard(p *i18n.Printer, target Target) *Keys {
	shift := key{icon: IconShift, act: actShift, width: 1.5}
	letters1 := [][]key{
		digitRow(),
		append(letters(0, "q w e r t y u i o p"), key{text: "-", upper: "_", at: 10, width: 1}),
		append(letters(0.5, "a s d f g h j k l"), key{text: "@", at: 9.5, width: 1.5}),
		spread(0, append(append([]key{shift}, letters(0, "z x c v b n m")...), key{text: "!", upper: "?"}, shift)...),
		bottom(p, actSigns, actAccents),
	}
	signs := [][]key{
		digitRow(),
		line(0, "! ? @ # $ € % & * + -"),
		spread(0.5, append(line(0, "( ) [ ] { } < > ="), key{text: "/", width: 1.5})...),
		line(0, "' \" ` ~ ^ _ | \\ : ; °"),
		bottom(p, actLetters, actAccents),
	}
	accents := [][]key{
		digitRow(),
		letters(0, "é è ë ê ï î í ì ö ô ó"),
		spread(0.5, append(letters(0, "á à ä â ã å æ ü û"), key{text: "ú", upper: "Ú", width: 1.5})...),
		spread(0, append(append([]key{shift}, letters(0, "ù ç ñ ø œ ý ÿ ò")...), shift)...),
		bottom(p, actSigns, actLetters),
	}
	return newKeys(map[act]page{
		actLetters: {letters1, cols}, actSigns: {signs, cols}, actAccents: {accents, cols},
	}, target, false)
}

func newKeys(pages map[act]page, target Target, numbers bool) *Keys {
	k := &Keys{pages: pages, page: actLetters, target: target, numbers: numbers}
	k.ExtendBaseWidget(k)
	return k
}

func digitRow() []key {
	return append(line(0, "1 2 3 4 5 6 7 8 9 0"), key{icon: IconBackspace, act: actBackspace, at: 10, width: 1})
}

// bottom is the last row: to another page, comma, space, full stop, and to the
// third page.
func bottom(p *i18n.Printer, left, right act) []key {
	names := map[act]string{actLetters: "a b c", actSigns: "! # ?", actAccents: "é ë ï"}
	return spread(0,
		key{label: names[left], act: left, width: 2}, key{text: ","},
		key{text: " ", label: p.T("ui-space"), width: 5}, key{text: "."},
		key{label: names[right], act: right, width: 2})
}

// line is keys of normal width, one for every word.
func line(at float32, words string) []key {
	var row []key
	for w := range strings.FieldsSeq(words) {
		row = append(row, key{text: w})
	}
	return spread(at, row...)
}

// letters is a line whose keys have capitals.
func letters(at float32, words string) []key {
	row := line(at, words)
	for i := range row {
		row[i].upper = strings.ToUpper(row[i].text)
	}
	return row
}

// spread puts keys beside each other from a place on; no width counts as one.
func spread(at float32, row ...key) []key {
	for i := range row {
		if row[i].width == 0 {
			row[i].width = 1
		}
		row[i].at = at
		at += row[i].width
	}
	return row
}

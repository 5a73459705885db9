package courier

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The default alphabet and its extension table: 3GPP TS 23.038 section 6.2.1.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// segment is how many septets one SMS holds.
const segment = 160

// septets returns how many septets a text takes in GSM-7, and whether GSM-7 can
// write it at all.
func septets(text string) (n int, ok bool) {
	for _, r := range text {
		w := septetsOf(r)
		if w == 0 {
			return n, false
		}
		n += w
	}
	return n, true
}

func septetsOf(r rune) int {
	switch {
	case r == unicode.ReplacementChar:
		return 0
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtended, r):
		return 2
	}
	return 0
}

// What people type and GSM-7 has under another form.
var gsmInstead = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"–", "-", "—", "-", "‑", "-", "…", "...", "·", "-", "•", "-", "×", "x", "\u00a0", " ", "\t", " ", "\n", " ",
	"œ", "oe", "Œ", "OE", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ç", "c",
)

// toGSM7 writes a name with the letters of GSM-7: a letter that it lacks loses
// its accent, and what is left over is dropped. The result takes at most
// MaxPortal septets; a longer one is cut at a word where that loses less than
// half.
func toGSM7(name string) string {
	var b strings.Builder
	for _, r := range gsmInstead.Replace(norm.NFC.String(name)) {
		if septetsOf(r) > 0 && !unicode.IsControl(r) {
			b.WriteRune(r)
			continue
		}
		for _, plain := range norm.NFKD.String(string(r)) {
			if septetsOf(plain) > 0 && !unicode.IsControl(plain) {
				b.WriteRune(plain)
			}
		}
	}
	return cut(strings.Join(strings.Fields(b.String()), " "))
}

func cut(s string) string {
	used := 0
	for i, r := range s {
		if used += septetsOf(r); used <= MaxPortal {
			continue
		}
		s = s[:i]
		if space := strings.LastIndexByte(s, ' '); space > len(s)/2 {
			s = s[:space]
		}
		break
	}
	return strings.TrimSpace(s)
}

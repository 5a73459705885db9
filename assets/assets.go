// Package assets holds what the programs carry with them: the icon, fonts,
// translations, the texts of messages, the phone's page and the word lists.
// It imports nothing of Keydesk.
package assets

import "embed"

// Translations holds translations/<language>/<area>.toml, the messages of one
// area of the program in one language.
//
//go:embed translations
var Translations embed.FS

// Fonts holds Atkinson Hyperlegible Next and Mono (SIL Open Font License 1.1).
//
//go:embed fonts
var Fonts embed.FS

// Icons holds icons/<name>.svg, drawn for the product in one colour, which is
// written as currentColor.
//
//go:embed icons
var Icons embed.FS

// Icon is the program's icon, 512 pixels square, a PNG.
//
//go:embed icon.png
var Icon []byte

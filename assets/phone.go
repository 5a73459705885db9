package assets

import "embed"

// Phone holds the page that phones open: plain HTML, CSS and JavaScript
// modules without a build step, and the QR decoder with its licence.
//
//go:embed phone
var Phone embed.FS

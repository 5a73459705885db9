package assets

import "embed"

// Mail holds mail/message.html, the one template (html/template) that every
// mail is written into, and mail/ticket.html, that of a ticket on paper.
//
//go:embed mail
var Mail embed.FS

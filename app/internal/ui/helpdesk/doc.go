// Package helpdesk is the window of the helpdesk on a desktop: whoever has signed in sees
// who stands where and who is stuck, opens one person and sees why they cannot log in,
// looks after the kiosks, and imports HR's list. What a role may not do is not shown.
//
// It imports ui, desk, the domain, the projections and i18n, and knows no log, vault or
// network: it declares the use cases that it needs, which *desk.Helpdesk has, here or at
// a server. Signing in, the lock and the rail are package office's, of which this is made.
//
// Start reading at Window, then at the page that you are after.
package helpdesk

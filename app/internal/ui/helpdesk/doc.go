// Package helpdesk is the window of staff on a desktop: they sign in with their own
// account and factor, see who stands where and who is stuck, open one person and see
// why they cannot log in, look after the kiosks, and import HR's list. What a role may
// not do is not shown.
//
// It imports ui, desk, the domain, the projections and i18n, and knows no log, vault or
// network: it declares the use cases that it needs, which *desk.Helpdesk has, here or at
// a server. Personal data is on the screen only while somebody is signed in: the lock
// takes all pages away.
//
// Start reading at Window; signin.go is what everybody sees first.
package helpdesk

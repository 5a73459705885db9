// Package office is what the windows of staff on a desktop have around their pages:
// somebody signs in with their own account and factor, the shift that this begins, the
// lock and going on after it, the rail with the pages, keys, modes, sizes and languages,
// and the phone of a demo. Which pages there are, for whoever has signed in, is given to
// it: the helpdesk's window and the auditor's are made of it.
//
// It imports ui, desk, the domain and i18n, and knows no page. Personal data is on the
// screen only while somebody is signed in: the lock takes all pages away.
//
// Start reading at Page and Window; signin.go is what everybody sees first.
package office

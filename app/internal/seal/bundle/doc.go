// Package bundle writes bundles: a part of the log in one zip file, with all
// that is needed to prove, without the log, that it is what was sealed; and with
// a report and a table for people.
//
// Package proof says what a bundle's files are and verifies them. What is here
// only writes: it is not needed to check a bundle, and not believed when one is
// checked. Start reading at Write; report.go and charts.go draw what people
// look at.
//
// It imports domain, proof, i18n and assets. A bundle is written as a stream:
// of a million events no more than some megabytes are in memory.
package bundle

// Package afas reads HR's list from AFAS Profit: from a GetConnector over REST, with the
// token of an app connector. It is a roster.Source, so that its rows are judged as those
// of a file are. It is a package of its own since roster knows of no network.
//
// What is so at AFAS, from its documentation (docs.afas.help): an administrator composes
// a GetConnector, so its fields are called as they like, and metainfo says how. Rows come
// in pages, with skip and take. Only with a sort order every row comes once, and only
// while nobody changes anything; so each page begins with the last row of the one before,
// and where it does not, all is read again. Nothing says how many rows there are: the end
// is a page with nothing new in it. A date has the time of midnight, and a Z that means
// nothing. When it is busy the answer is a 503 that may say in its body for how long; a
// 500 is an answer too, in words for people and with a reference into the log of Profit.
//
// Its errors hold no token, nothing of a row, and nothing that AFAS wrote but that
// reference and the names of fields.
//
// It may import domain, roster and the standard library. Start reading at Connector.
package afas

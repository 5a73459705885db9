// Package lookup is the login service's API: JSON over HTTP, with which a portal
// asks with what factor somebody proves who they are, and follows when that
// changes.
//
// Every answer is folded from the log. Where this program has not heard from the
// log lately, or does not understand what it says of somebody, there is no answer
// (503), and never an old one. The OpenAPI document is made from the types here,
// and served with the API.
//
// The package imports desk, domain and projections, and no other adapter. Start
// reading at api.go.
package lookup

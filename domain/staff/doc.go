// Package staff is who of an organisation may do what in Keydesk: the roles of a
// person, the rights of a role, and the notes of what somebody with rights has looked
// at. Each person's roles have a stream of their own, "staff-" and their id, and so
// have their looks, "access-" and their id; whom the roles are of is always somebody
// with an enrolment, and nobody acts on their own account.
//
// It imports domain only. Start reading at Event; rights.go is the table.
package staff

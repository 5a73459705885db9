package backup

// ParseErased is what reads a list of who was erased.
var ParseErased = parseErased

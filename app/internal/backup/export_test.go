package backup

// ParseErased is what reads a list of who was erased.
var ParseErased = parseErased

// MostErased is how many lines one may have.
const MostErased = mostErased

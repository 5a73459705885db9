package home

// NewShelf is for tests, which choose how often states are kept.
var NewShelf = newShelf

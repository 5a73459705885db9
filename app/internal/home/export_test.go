package home

// Shelf is for tests, which choose how often states are kept.
type Shelf = shelf

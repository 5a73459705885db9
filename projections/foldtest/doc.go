// Package foldtest holds histories to test folds with: random ones, made by
// the decisions of the domain, and long ones, as even as a benchmark needs
// them. Only tests import it.
package foldtest

//go:build !race

package trialtest

// raced says that the race detector is on.
const raced = false

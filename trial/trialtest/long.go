package trialtest

import "testing"

// Long skips a test that takes long and has one goroutine: with -short, and under the race
// detector, which can find nothing in it and makes it many times slower. deploy/test.sh
// runs such tests without the detector.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	if raced {
		t.Skip("run without the race detector")
	}
}

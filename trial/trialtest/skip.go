package trialtest

import (
	"os"
	"testing"
)

// Skip skips a test that needs something which only some machines have. If
// TRIALPROOF_TEST_NOSKIP is set, as in continuous integration, the test fails instead.
func Skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("TRIALPROOF_TEST_NOSKIP") != "" {
		t.Fatal("this test must not be skipped here: " + why)
	}
	t.Skip(why)
}

package trialtest

import (
	"os"
	"testing"
)

// Skip skips a test for want of something that only some machines have. Where
// TRIALPROOF_TEST_NOSKIP is set, as in continuous integration, that is a failure.
func Skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("TRIALPROOF_TEST_NOSKIP") != "" {
		t.Fatal("not to be skipped here: " + why)
	}
	t.Skip(why)
}

package custody_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const epcisData = "../../../shared/data/epcis-2.0"

// read returns a file of the real EPCIS data, or skips the test.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(epcisData, name))
	if err != nil {
		trialtest.Skip(t, "no ../shared/data")
	}
	return data
}

// TestHashVectors computes the published vectors.
func TestHashVectors(t *testing.T) {
	for _, name := range []string{"CertificationInfoAndSensorReportWithCRS", "ReferenceEventHashAlgorithm", "ReferenceEventHashAlgorithm2",
		"ReferenceEventHashAlgorithm3", "TimeStampRoundOff", "epcisDocWithSensorComponent", "epcisDocWithSensorDataObjectEvent"} {
		want := strings.Fields(string(read(t, "event-hash-vectors/"+name+".hashes")))
		got, err := custody.EventHashes(read(t, "event-hash-vectors/"+name+".jsonld"))
		if err != nil || len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestDatasetPairs: the real files that hold the same table in two formats are equal, cell for cell.
func TestDatasetPairs(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	list, err := filepath.Glob(filepath.Join(dir, "xpt", "sdtm-djson", "*.xpt"))
	if err != nil || len(list) == 0 {
		trialtest.Skip(t, "no tables in two formats in ../shared/data")
	}
	pairs := 0
	for _, xpt := range list {
		other := filepath.Join(dir, "dataset-json", "sdtm", strings.TrimSuffix(filepath.Base(xpt), ".xpt")+".json")
		if _, err := os.Stat(other); err != nil {
			continue
		}
		pairs++
		var out, said bytes.Buffer
		if status := run(t.Context(), []string{"dataset", "equal", xpt, other}, strings.NewReader(""), &out, &said); status != exitDone {
			t.Errorf("%s: status %d\n%s", filepath.Base(xpt), status, &said)
		}
	}
	if pairs < 8 {
		t.Errorf("only %d pairs", pairs)
	}
}

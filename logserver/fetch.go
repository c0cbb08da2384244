package logserver

import (
	"context"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
)

// A bundle is an entry bundle that was read from a source.
type bundle struct {
	entries []*trial.Entry
	errs    []error // the error of ParseEntry or Verify for each
}

// fetch reads bundle n of a tree of a size, and verifies its entries' signatures. It ignores
// what the source gives after them, because the source may have a fuller bundle.
func fetch(ctx context.Context, src tile.Source, n, size uint64) (b bundle, err error) {
	raws, _, err := tile.Fetch(ctx, src, n, size)
	if err != nil {
		return bundle{}, err
	}
	for _, raw := range raws {
		e, err := trial.ParseEntry(raw)
		if err == nil {
			err = e.Verify()
		}
		b.entries, b.errs = append(b.entries, e), append(b.errs, err)
	}
	return b, nil
}

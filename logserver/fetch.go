package logserver

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A Source is where a log is restored from: anyone who serves its checkpoint and
// its entry bundles. It is believed in nothing. Tile may be called concurrently.
type Source interface {
	// Checkpoint returns the published checkpoint.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns an entry bundle by its path, such as tile/entries/000.p/7. It
	// may hold more entries than the path says.
	Tile(ctx context.Context, path string) ([]byte, error)
}

// A bundle is an entry bundle on its way through the workers.
type bundle struct {
	entries []*trial.Entry
	errs    []error // what ParseEntry or Verify said of each
	err     error
	done    chan struct{} // closed when the rest is set
}

// fetchAhead fetches the bundles of a tree and verifies their signatures on all
// cores, ahead of the caller, who is given them in order. What is ahead is bounded.
func fetchAhead(ctx context.Context, src Source, size uint64) iter.Seq2[*bundle, error] {
	return func(yield func(*bundle, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		workers := 2 * runtime.GOMAXPROCS(0)
		queue := make(chan *bundle, workers)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			defer close(queue)
			for n := uint64(0); n*tileWidth < size; n++ {
				b := &bundle{done: make(chan struct{})}
				select {
				case queue <- b:
				case <-ctx.Done():
					return
				}
				wg.Go(func() {
					defer close(b.done)
					b.fetch(ctx, src, n, int(min(size-n*tileWidth, tileWidth)))
				})
			}
		})
		for b := range queue {
			<-b.done
			if !yield(b, b.err) || b.err != nil {
				return
			}
		}
	}
}

func (b *bundle) fetch(ctx context.Context, src Source, n uint64, width int) {
	path := receipt.TilePath(-1, n, width)
	data, err := src.Tile(ctx, path)
	if err != nil {
		b.err = fmt.Errorf("fetch %s: %w", path, err)
		return
	}
	for i := range width {
		raw, rest, err := cutEntry(data)
		if err != nil {
			b.err = fmt.Errorf("%s, entry %d: %w", path, n*tileWidth+uint64(i), err)
			return
		}
		data = rest
		e, err := trial.ParseEntry(raw[:len(raw):len(raw)])
		if err == nil {
			err = e.Verify()
		}
		b.entries, b.errs = append(b.entries, e), append(b.errs, err)
	}
}

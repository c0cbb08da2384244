package tile

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
)

// A task is what one call of fetch returned.
type task[T any] struct {
	value T
	err   error
	done  chan struct{} // closed when value and err are set
}

// Ahead calls fetch for each bundle of a tree of size entries, from the bundle with the entry
// first on. It fetches on all cores and ahead of the caller, who receives the results in order.
// The number of bundles fetched ahead is bounded. It ends with the first error, which may be
// that of ctx. No call of fetch is running when it returns.
func Ahead[T any](ctx context.Context, first, size uint64, fetch func(ctx context.Context, n uint64) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		workers := 2 * runtime.GOMAXPROCS(0)
		queue := make(chan *task[T], workers) // in order; its capacity bounds how many are fetched ahead
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() {
			defer close(queue)
			for n := first / Width; n*Width < size; n++ {
				t := &task[T]{done: make(chan struct{})}
				select {
				case queue <- t:
				case <-ctx.Done():
					return
				}
				wg.Go(func() {
					defer close(t.done)
					t.value, t.err = fetch(ctx, n)
				})
			}
		})
		for t := range queue {
			<-t.done
			if !yield(t.value, t.err) || t.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// Fetch reads bundle n of a tree of size entries and cuts it into its entries. It also returns
// the bytes after them, because a source may answer with a fuller bundle.
func Fetch(ctx context.Context, src Source, n, size uint64) (entries [][]byte, rest []byte, err error) {
	width := int(min(size-n*Width, Width))
	path := Path(Entries, n, width)
	data, err := src.Tile(ctx, path)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch %s: %w", path, err)
	}
	if entries, rest, err = Split(data, width); err != nil {
		return nil, nil, fmt.Errorf("%s ends within entry %d", path, n*Width+uint64(len(entries)))
	}
	return entries, rest, nil
}

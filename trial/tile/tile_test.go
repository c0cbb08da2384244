package tile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trialproof/trialproof/trial/tile"
)

func TestPath(t *testing.T) {
	for want, got := range map[string]string{
		"tile/0/000":                    tile.Path(0, 0, 256),
		"tile/0/000.p/1":                tile.Path(0, 0, 1),
		"tile/1/x001/x234/067.p/255":    tile.Path(1, 1234067, 255),
		"tile/entries/x001/000":         tile.Path(tile.Entries, 1000, 256),
		"tile/entries/999.p/8":          tile.Path(tile.Entries, 999, 8),
		"tile/7/x018/x014/x398/509/481": strings.Replace(tile.Path(7, 18014398509481, 256), "/x509/", "/509/", 1),
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// TestSplit: entries that were appended are cut off again, and a bundle that is cut short
// anywhere is refused.
func TestSplit(t *testing.T) {
	var bundle []byte
	want := [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("x"), 65535)}
	for _, entry := range want {
		bundle = tile.Append(bundle, entry)
	}
	got, rest, err := tile.Split(append(bytes.Clone(bundle), "more"...), len(want))
	if err != nil || string(rest) != "more" || len(got) != len(want) {
		t.Fatalf("%d entries, %q behind them, %v", len(got), rest, err)
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("entry %d is another", i)
		}
	}
	for _, n := range []int{0, 1, 4, 5, 6, 7, 8, len(bundle) - 1} {
		if _, _, err := tile.Split(bundle[:n], len(want)); err == nil {
			t.Errorf("a bundle cut short at %d of %d bytes is taken", n, len(bundle))
		}
	}
	if _, _, err := tile.Split(bundle, len(want)+1); err == nil {
		t.Error("a bundle of three entries is taken for one of four")
	}
}

// TestAhead: results come in order, errors end the iteration, and nothing is running after it.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	const bundles = 100
	for _, c := range []struct {
		name  string
		first uint64
		fails int // the bundle that fails, -1 if none
		stop  int // the bundle after which the caller stops
		want  int // results without an error
	}{
		{"all", 0, -1, bundles, bundles},
		{"from the middle of a bundle", 5*tile.Width + 7, -1, bundles, bundles - 5},
		{"a failure", 0, 42, bundles, 42},
		{"the caller stops", 0, -1, 9, 10},
		{"nothing is left", bundles * tile.Width, -1, bundles, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var running atomic.Int32
			next, got := c.first/tile.Width, 0
			for n, err := range tile.Ahead(t.Context(), c.first, bundles*tile.Width, func(_ context.Context, n uint64) (uint64, error) {
				running.Add(1)
				defer running.Add(-1)
				if int(n) == c.fails {
					return 0, broken
				}
				return n, nil
			}) {
				if err != nil {
					if !errors.Is(err, broken) || c.fails < 0 {
						t.Fatal(err)
					}
					continue
				}
				if n != next {
					t.Fatalf("bundle %d comes where %d should", n, next)
				}
				next, got = next+1, got+1
				if int(n) == c.stop {
					break
				}
			}
			if got != c.want || running.Load() != 0 {
				t.Errorf("%d bundles, %d still being fetched; wanted %d and none", got, running.Load(), c.want)
			}
		})
	}
}

// TestAheadCancelled: a cancelled caller receives the error, and is not told that all was read.
func TestAheadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for n, err := range tile.Ahead(ctx, 0, 100*tile.Width, func(ctx context.Context, n uint64) (uint64, error) { return n, nil }) {
		if n == 3 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a reader that was cancelled is told %v", last)
	}
	cancel()
}

// TestAheadWaits: a caller that stops reading gets control back when no call of fetch is
// running any more.
func TestAheadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		for range tile.Ahead(t.Context(), 0, 100*tile.Width, func(ctx context.Context, n uint64) (uint64, error) {
			running.Add(1)
			defer running.Add(-1)
			if n > 0 {
				<-ctx.Done()
				time.Sleep(time.Second) // of the bubble's clock: an answer that is still being read
			}
			return n, nil
		}) {
			synctest.Wait() // until as many bundles are being fetched as may be
			break
		}
		if n := running.Load(); n != 0 {
			t.Errorf("%d calls are still running", n)
		}
	})
}

type source map[string][]byte

func (s source) Checkpoint(context.Context) ([]byte, error) { return nil, errors.New("none") }

func (s source) Tile(_ context.Context, path string) ([]byte, error) {
	if data, ok := s[path]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("%s is not there", path)
}

// TestFetch: the last bundle is asked for under its partial path, and errors name it.
func TestFetch(t *testing.T) {
	src := source{"tile/entries/001.p/2": tile.Append(tile.Append(nil, []byte("a")), []byte("b")),
		"tile/entries/002.p/2": tile.Append(nil, []byte("a"))}
	if got, rest, err := tile.Fetch(t.Context(), src, 1, tile.Width+2); err != nil || len(got) != 2 || len(rest) != 0 {
		t.Errorf("%q, %q, %v", got, rest, err)
	}
	for n, path := range map[uint64]string{0: "tile/entries/000", 2: "tile/entries/002.p/2"} {
		if _, _, err := tile.Fetch(t.Context(), src, n, 2*tile.Width+2); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("bundle %d: %v", n, err)
		}
	}
}

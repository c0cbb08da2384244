package logserver_test

import (
	"errors"
	"testing"

	"github.com/trialproof/trialproof/logserver"
)

// TestTilePaths asks for tiles that do not exist, in every way.
func TestTilePaths(t *testing.T) {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	f.enrol(l) // size 6
	for path, want := range map[string]error{
		"tile/0/000.p/6": nil, "tile/0/000.p/1": nil, "tile/entries/000.p/6": nil,
		"tile/0/000": logserver.ErrNotFound, "tile/0/000.p/7": logserver.ErrNotFound, "tile/0/001.p/1": logserver.ErrNotFound,
		"tile/1/000.p/1": logserver.ErrNotFound, "tile/entries/000.p/7": logserver.ErrNotFound, "tile/63/000.p/1": logserver.ErrNotFound,
		"tile/0/x999/x999/x999/999.p/1": logserver.ErrNotFound,
		"tile/data/000":                 logserver.ErrTilePath, "tile/-1/000": logserver.ErrTilePath, "tile/00/000": logserver.ErrTilePath,
		"tile/0/000.p/0": logserver.ErrTilePath, "tile/0/000.p/256": logserver.ErrTilePath, "tile/0/000.p/06": logserver.ErrTilePath,
		"tile/0/0": logserver.ErrTilePath, "tile/0/../0/000": logserver.ErrTilePath, "tile/64/000": logserver.ErrTilePath,
		"tile/8/0/000": logserver.ErrTilePath, "tile/entries/entries/000": logserver.ErrTilePath, "checkpoint": logserver.ErrTilePath,
		"": logserver.ErrTilePath,
	} {
		data, err := l.Tile(t.Context(), path)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
		if want == nil && len(data) == 0 {
			t.Errorf("%q is empty", path)
		}
	}
}

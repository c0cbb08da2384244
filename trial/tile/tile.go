// Package tile knows how c2sp.org/tlog-tiles lays out a log's entries and hashes as files: the
// files' paths, how an entry bundle is cut into its entries, and how the bundles of a tree are
// fetched ahead of their reader.
//
// It checks nothing: whoever reads a tile must compare its hashes with a checkpoint. The
// package uses no clock, network or file: it compiles to js/wasm.
package tile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	// Height is how many levels of the Merkle tree a tile spans.
	Height = 8
	// Width is how many hashes or entries a full tile holds.
	Width = 1 << Height
	// Entries is the level that stands for entry bundles in Path.
	Entries = -1
	// MaxBundle is the largest size of an entry bundle in bytes: a full one of the largest
	// entries.
	MaxBundle = Width * (2 + 65535)
)

// A Source serves a log's checkpoint and tiles: the log itself, a mirror, or a folder of files.
// Nothing that it serves is trusted. Tile may be called concurrently.
type Source interface {
	// Checkpoint returns the published checkpoint.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns a tile or an entry bundle by its path, such as tile/0/000.p/7 or
	// tile/entries/x001/067.
	Tile(ctx context.Context, path string) ([]byte, error)
}

// Path returns the path of a tile (level 0 and up) or of an entry bundle (level
// Entries) of a width from 1 to Width. Source: c2sp.org/tlog-tiles.
//
//	SPEC: "<N> is the index of the tile within the level. It MUST be a
//	non-negative integer encoded into zero-padded 3-digit path elements. All but
//	the last path element MUST begin with an x."
func Path(level int, n uint64, width int) string {
	var b strings.Builder
	if level < 0 {
		b.WriteString("tile/entries/")
	} else {
		fmt.Fprintf(&b, "tile/%d/", level)
	}
	var parts []string
	for rest := n; ; rest /= 1000 {
		parts = append(parts, fmt.Sprintf("%03d", rest%1000))
		if rest < 1000 {
			break
		}
	}
	for i := len(parts) - 1; i > 0; i-- {
		b.WriteString("x" + parts[i] + "/")
	}
	b.WriteString(parts[0])
	if width < Width {
		fmt.Fprintf(&b, ".p/%d", width)
	}
	return b.String()
}

// errCut says that a bundle is cut short.
var errCut = errors.New("it ends within an entry")

// Cut cuts the first entry off an entry bundle. Neither result is a copy.
//
//	SPEC: "Entry bundles are sequences of big-endian uint16 length-prefixed log entries."
func Cut(bundle []byte) (entry, rest []byte, err error) {
	if len(bundle) < 2 {
		return nil, nil, errCut
	}
	n := 2 + int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < n {
		return nil, nil, errCut
	}
	return bundle[2:n:n], bundle[n:], nil
}

// Split cuts the first n entries off an entry bundle and returns them and the bytes after them.
// With an error it returns the entries that are whole. None of the results is a copy.
func Split(bundle []byte, n int) (entries [][]byte, rest []byte, err error) {
	rest = bundle
	for i := range n {
		var entry []byte
		if entry, rest, err = Cut(rest); err != nil {
			return entries, rest, fmt.Errorf("it ends within entry %d", i)
		}
		entries = append(entries, entry)
	}
	return entries, rest, nil
}

// Append appends an entry of at most 65535 bytes to an entry bundle.
func Append(bundle, entry []byte) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
}

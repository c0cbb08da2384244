package receipt

import (
	"fmt"
	"strings"
)

// TileWidth is how many hashes or entries a full tile holds.
const TileWidth = 256

// TilePath returns the path of a tile (level 0 and up) or of an entry bundle
// (level -1) of a width from 1 to 256. Source: c2sp.org/tlog-tiles.
//
//	SPEC: "<N> is the index of the tile within the level. It MUST be a
//	non-negative integer encoded into zero-padded 3-digit path elements. All but
//	the last path element MUST begin with an x."
func TilePath(level int, n uint64, width int) string {
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
	if width < TileWidth {
		fmt.Fprintf(&b, ".p/%d", width)
	}
	return b.String()
}

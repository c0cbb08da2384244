package dataset

import (
	"crypto/sha256"
	"encoding/binary"
)

// A batch has rows that follow each other, laid out as they are hashed: before the cells of a row,
// or before each cell if there is a tree of cells, there is room for the prefix.
type batch struct {
	first   uint64 // number of the first row
	data    []byte
	ends    []uint32 // in data, of each row or of each cell
	ords    []uint32 // of each row's subject
	leaves  []Hash
	roots   []Hash // of the chunks that lie within
	records []byte
}

func (b *Builder) newBatch() *batch {
	w, ok := b.pool.Get().(*batch)
	if !ok {
		w = new(batch)
	}
	w.first = b.rows
	return w
}

func (w *batch) reset() {
	w.data, w.ends, w.ords = w.data[:0], w.ends[:0], w.ords[:0]
}

func (w *batch) add(cells [][]byte, ord uint32, apart bool) {
	data := w.data
	if apart {
		for _, c := range cells {
			data = append(data, make([]byte, cellPrefix)...)
			data = append(data, c...)
			w.ends = append(w.ends, uint32(len(data)))
		}
	} else {
		data = append(data, make([]byte, rowPrefix)...)
		for _, c := range cells {
			if len(c) < 0x80 {
				data = append(data, byte(len(c)))
			} else {
				data = binary.AppendUvarint(data, uint64(len(c)))
			}
			data = append(data, c...)
		}
		w.ends = append(w.ends, uint32(len(data)))
	}
	w.data, w.ords = data, append(w.ords, ord)
}

// hash computes the leaf hashes of the rows and the roots of the chunks.
func (w *batch) hash(x *contexts, seed *Hash, c *Commitment) {
	w.leaves, w.roots = w.leaves[:0], w.roots[:0]
	var rows, cells walker
	rows.reset(*seed, rowBits)
	var hashes []Hash
	from, e := uint32(0), 0
	for i := range w.ords {
		row := w.first + uint64(i)
		salt := rows.leaf(row)
		if !c.Cells {
			to := w.ends[i]
			b := w.data[from:to]
			putRow(b, &x.row, salt, row)
			w.leaves = append(w.leaves, sha256.Sum256(b))
			from = to
			continue
		}
		cells.reset(*salt, columnBits(c.Columns))
		hashes = hashes[:0]
		for col := range c.Columns {
			to := w.ends[e]
			b := w.data[from:to]
			putCell(b, &x.cell, cells.leaf(uint64(col)), row, col)
			hashes = append(hashes, sha256.Sum256(b))
			from = to
			e++
		}
		root := treeRoot(hashes)
		w.leaves = append(w.leaves, x.cellsLeaf(&root, row))
	}
	n := uint64(len(w.leaves))
	for i := -w.first % chunkRows; i+chunkRows <= n; i += chunkRows {
		w.roots = append(w.roots, treeRoot(w.leaves[i:i+chunkRows]))
	}
}

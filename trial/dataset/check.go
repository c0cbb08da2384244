package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Check reads the whole index and computes both roots of its commitment again. It checks that all
// that is in the index, except the columns' descriptions, agrees with them and with itself. The
// bodies of subjects are taken as they are: without the key they cannot be computed. Memory is in
// proportion to the number of subjects.
func (ix *Index) Check() error {
	if err := ix.check(); err != nil {
		return fmt.Errorf("check the index of %s: %w", ix.c.Name, err)
	}
	return nil
}

func (ix *Index) check() error {
	n := ix.c.RowCount
	type seen struct{ count, last uint64 }
	found := make([]seen, ix.c.SubjectCount)
	first := uint64(0) // ordinals appear in order
	for chunk := range ix.chunks {
		lo := uint64(chunk) * chunkRows
		hi := min(lo+chunkRows, n)
		b, err := ix.rowRecords(lo, hi)
		if err != nil {
			return err
		}
		var leaves span
		for row := lo; row < hi; row++ {
			leaf, ord, before, err := ix.parseRecord(b[recordSize*(row-lo):], row)
			if err != nil {
				return err
			}
			leaves.add(leaf)
			last := uint64(0)
			if ord > 0 {
				if uint64(ord) > first+1 {
					return fmt.Errorf("row %d is of the wrong subject", row)
				}
				first = max(first, uint64(ord))
				s := &found[ord-1]
				last = s.last
				s.count, s.last = s.count+1, row+1
			}
			if before != last {
				return fmt.Errorf("row %d does not follow the row of its subject before it", row)
			}
		}
		if leaves.root() != ix.chunks[chunk] {
			return fmt.Errorf("rows %d to %d are damaged", lo, hi-1)
		}
	}
	if treeRoot(ix.chunks) != ix.c.Rows {
		return errors.New("its rows do not lead to the root")
	}
	return ix.checkSubjects(func(ord uint64, s *subject) bool {
		return ord < uint64(len(found)) && found[ord] == seen{s.count, s.last + 1}
	})
}

// checkSubjects checks the records of subjects and the places of their ordinals.
func (ix *Index) checkSubjects(fits func(ord uint64, s *subject) bool) error {
	b, err := ix.read(layoutOf(&ix.c).places, int64(ix.c.SubjectCount)*placeSize)
	if err != nil {
		return err
	}
	ordinals := make([]uint64, ix.c.SubjectCount) // by place, + 1
	for ord := range ordinals {
		place := uint64(binary.BigEndian.Uint32(b[placeSize*ord:]))
		if place >= ix.c.SubjectCount || ordinals[place] > 0 {
			return fmt.Errorf("the place of subject %d is damaged", ord)
		}
		ordinals[place] = uint64(ord) + 1
	}
	for i := range ix.m.buckets {
		lo, hi := ix.m.records(uint64(i), ix.m.depth)
		records, err := ix.load(lo, hi)
		if err != nil {
			return err
		}
		for j := range records {
			if s := &records[j]; !fits(ordinals[lo+uint64(j)]-1, s) || prefix(&s.handle, ix.m.depth) != uint64(i) {
				return fmt.Errorf("the record of subject %d is damaged", lo+uint64(j))
			}
		}
		if mapHash(records, ix.m.depth) != ix.m.buckets[i].hash {
			return fmt.Errorf("subjects %d to %d are damaged", lo, hi)
		}
	}
	if ix.m.root() != ix.c.Subjects {
		return errors.New("its subjects do not lead to the root")
	}
	return nil
}

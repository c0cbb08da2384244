package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/trillian"
)

// maxRange bounds the leaves that are asked for at once, so that an answer takes only some MiB
// of memory. Trillian may answer with fewer.
const maxRange = 256

// Leaves implements logserver.Tree.
func (t *Tree) Leaves(ctx context.Context, first, n uint64) ([][]byte, error) {
	leaves, err := t.leaves(ctx, first, n)
	if err != nil {
		return nil, fmt.Errorf("read %d leaves from %d: %w", n, first, err)
	}
	return leaves, nil
}

func (t *Tree) leaves(ctx context.Context, first, n uint64) ([][]byte, error) {
	end := first + n
	if end < first {
		return nil, errors.New("no such range")
	}
	if n == 0 {
		return nil, nil
	}
	if err := t.covered(ctx, end); err != nil {
		return nil, err
	}
	leaves := make([][]byte, 0, n)
	for at := first; at < end; at = first + uint64(len(leaves)) {
		want := min(end-at, maxRange)
		var got []*trillian.LogLeaf
		err := t.read(ctx, func() error {
			resp, err := t.backend.client.GetLeavesByRange(ctx, &trillian.GetLeavesByRangeRequest{
				LogId: t.treeID, StartIndex: int64(at), Count: int64(want),
			})
			got = resp.GetLeaves()
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(got) == 0 || uint64(len(got)) > want {
			return nil, fmt.Errorf("got %d leaves at %d, want %d", len(got), at, want)
		}
		for i, l := range got {
			if l.GetLeafIndex() != int64(at)+int64(i) {
				return nil, fmt.Errorf("got leaf %d at %d", l.GetLeafIndex(), at+uint64(i))
			}
			leaves = append(leaves, l.GetLeafValue())
		}
	}
	return leaves, nil
}

// Consistency implements logserver.Tree. The proof from size 0, and from a size
// to itself, is empty.
func (t *Tree) Consistency(ctx context.Context, from, to uint64) ([][32]byte, error) {
	proof, err := t.consistency(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("read consistency proof from %d to %d: %w", from, to, err)
	}
	return proof, nil
}

func (t *Tree) consistency(ctx context.Context, from, to uint64) ([][32]byte, error) {
	if from > to {
		return nil, errors.New("sizes are in the wrong order")
	}
	if err := t.covered(ctx, to); err != nil {
		return nil, err
	}
	if from == 0 || from == to {
		return nil, nil
	}
	var resp *trillian.GetConsistencyProofResponse
	err := t.read(ctx, func() (err error) {
		resp, err = t.backend.client.GetConsistencyProof(ctx, &trillian.GetConsistencyProofRequest{
			LogId: t.treeID, FirstTreeSize: int64(from), SecondTreeSize: int64(to),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if resp.GetProof() == nil {
		return nil, errors.New("got no proof")
	}
	proof := make([][32]byte, len(resp.Proof.Hashes))
	for i, h := range resp.Proof.Hashes {
		if len(h) != 32 {
			return nil, fmt.Errorf("hash %d has %d bytes", i, len(h))
		}
		proof[i] = [32]byte(h)
	}
	return proof, nil
}

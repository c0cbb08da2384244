package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/trillian"
	"google.golang.org/grpc/codes"

	"github.com/trialproof/trialproof/logserver"
)

const (
	// attempts bounds how often Append adds what it found missing.
	attempts = 4

	// A message of leaves stays below gRPC's 4 MiB, and the statements that
	// Trillian makes of it below MariaDB's 16 MiB packet.
	maxMessage       = 3 << 20
	maxMessageLeaves = 1024
	leafOverhead     = 128 // bytes on the wire besides the leaf itself

	// maxIntegrate bounds one transaction of the sequencer.
	maxIntegrate = 4096
)

// Append implements logserver.Tree.
//
// The tree is the judge, not the answers: leaves that Trillian took without a
// remark are integrated, and the head must cover them. After anything else, be it
// a status or an error, the leaves are integrated as far as they go and read
// back. What is missing then is added again.
func (t *Tree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	t.appending.Lock()
	defer t.appending.Unlock()

	if err := t.append(ctx, first, leaves); err != nil {
		return fmt.Errorf("append %d leaves at %d: %w", len(leaves), first, err)
	}
	return nil
}

func (t *Tree) append(ctx context.Context, first uint64, leaves [][]byte) error {
	for i, l := range leaves {
		if len(l) == 0 {
			return fmt.Errorf("leaf %d is empty", first+uint64(i))
		}
	}
	if err := t.covered(ctx, first); err != nil {
		return fmt.Errorf("leave no gap: %w", err)
	}

	end := first + uint64(len(leaves))
	done := first // all below stand in the tree with our bytes
	var failed error
	for try := 0; ; try++ {
		// What is integrated can be read and need not be added.
		if size := min(t.size.Load(), end); done < size {
			if err := t.compare(ctx, done, leaves[done-first:size-first]); err != nil {
				return err
			}
			done = size
		}
		if done == end {
			return nil
		}
		if try == attempts {
			return failed
		}

		addErr := t.add(ctx, done, leaves[done-first:])
		integrateErr := t.integrate(ctx, end)
		if addErr == nil && integrateErr == nil {
			return nil
		}
		failed = errors.Join(addErr, integrateErr)
		if err := ctx.Err(); err != nil {
			return errors.Join(err, failed)
		}
		// The calls may have done more than they said: look before the next try.
		if _, _, err := t.Head(ctx); err != nil {
			return errors.Join(failed, err)
		}
	}
}

// add gives Trillian leaves at first and on. It returns nil only if each was
// taken as new. After anything else nothing is known of any of them.
func (t *Tree) add(ctx context.Context, first uint64, leaves [][]byte) error {
	var errs []error
	for len(leaves) > 0 {
		n := messageLen(leaves)
		if err := t.addMessage(ctx, first, leaves[:n]); err != nil {
			// Go on: a conflict in this message says nothing about the next,
			// and integration stops at the first leaf that is missing.
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
		}
		first, leaves = first+uint64(n), leaves[n:]
	}
	return errors.Join(errs...)
}

// messageLen returns how many of the leaves, at least one, go in one message.
func messageLen(leaves [][]byte) int {
	size := 0
	for i, l := range leaves {
		size += len(l) + leafOverhead
		if i > 0 && (size > maxMessage || i >= maxMessageLeaves) {
			return i
		}
	}
	return len(leaves)
}

func (t *Tree) addMessage(ctx context.Context, first uint64, leaves [][]byte) error {
	req := &trillian.AddSequencedLeavesRequest{LogId: t.treeID, Leaves: make([]*trillian.LogLeaf, len(leaves))}
	for i, l := range leaves {
		index := first + uint64(i)
		req.Leaves[i] = &trillian.LogLeaf{
			LeafValue:        l,
			LeafIndex:        int64(index),
			LeafIdentityHash: identity(index, l),
		}
	}
	resp, err := t.backend.client.AddSequencedLeaves(ctx, req)
	if err != nil {
		return fmt.Errorf("add leaves: %w", err)
	}
	if got, want := len(resp.GetResults()), len(leaves); got != want {
		return fmt.Errorf("add leaves: %d results for %d leaves", got, want)
	}
	for i, r := range resp.GetResults() {
		// FAILED_PRECONDITION stands for a leaf that is there already, with the
		// same bytes or others; ALREADY_EXISTS is what the interface promises
		// for the former. Which it is, reading back will tell.
		if s := r.GetStatus(); codes.Code(s.GetCode()) != codes.OK {
			return fmt.Errorf("add leaf %d: %s: %s", first+uint64(i), codes.Code(s.GetCode()), s.GetMessage())
		}
	}
	return nil
}

// identity is what Trillian knows a leaf by, 32 bytes of which no two in a tree
// may be the same: the index and the beginning of the leaf's SHA-256.
//
// The index comes first because the databases keep leaves in the order of their
// identities. In the order of a whole hash every leaf would be written at a random
// place: on SQLite batches of 256 then fell from 18,000 leaves/s to 10,000 within
// 250,000 leaves, and go on falling; so they stay at 24,000. Nothing rests on the
// hash: which bytes stand at an index is always read and compared.
func identity(index uint64, leaf []byte) []byte {
	h := sha256.Sum256(leaf)
	id := binary.BigEndian.AppendUint64(make([]byte, 0, len(h)), index)
	return append(id, h[:len(h)-len(id)]...)
}

// integrate has Trillian integrate until the head covers end. Trillian stops
// without an error at the first leaf that is missing; here that is one.
func (t *Tree) integrate(ctx context.Context, end uint64) error {
	for {
		before := t.size.Load()
		if before >= end {
			return nil
		}
		integrateErr := t.backend.integrate(ctx, int(min(end-before, maxIntegrate)))
		size, _, err := t.Head(ctx)
		if err != nil {
			return errors.Join(integrateErr, err)
		}
		if size >= end {
			return nil
		}
		if integrateErr != nil {
			return fmt.Errorf("integrate: %w", integrateErr)
		}
		if size == before {
			return fmt.Errorf("integrate: stopped at leaf %d, which is missing", size)
		}
	}
}

// compare reads integrated leaves from first on and holds them to want.
func (t *Tree) compare(ctx context.Context, first uint64, want [][]byte) error {
	got, err := t.Leaves(ctx, first, uint64(len(want)))
	if err != nil {
		return err
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			return fmt.Errorf("leaf %d: %w", first+uint64(i), logserver.ErrTreeConflict)
		}
	}
	return nil
}

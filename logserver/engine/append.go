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

	// A message of leaves stays below gRPC's 4 MiB, and the statements that Trillian makes of
	// it below MariaDB's packet of 16 MiB.
	maxMessage       = 3 << 20
	maxMessageLeaves = 1024
	leafOverhead     = 128 // bytes on the wire beside the leaf itself

	// maxIntegrate bounds one transaction of the sequencer.
	maxIntegrate = 4096
)

// Append implements logserver.Tree.
//
// It relies on the tree, not on the answers. Leaves that Trillian accepted without a status are
// integrated, and the head must cover them. After a status or an error the leaves are
// integrated as far as possible and read back, and what is missing is added again.
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
	done := first // all leaves below are in the tree with our bytes
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

// add gives Trillian leaves from index first on. It returns nil only if each was accepted as
// new. After an error nothing is known of any of them.
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

// messageLen returns how many of the leaves, at least one, go into one message.
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
		// FAILED_PRECONDITION means that there is a leaf already, with the same bytes or
		// others; ALREADY_EXISTS is what the interface promises for the former. Reading back
		// tells which it is.
		if s := r.GetStatus(); codes.Code(s.GetCode()) != codes.OK {
			return fmt.Errorf("add leaf %d: %s: %s", first+uint64(i), codes.Code(s.GetCode()), s.GetMessage())
		}
	}
	return nil
}

// identity returns the 32 bytes by which Trillian knows a leaf, and which no two leaves of a
// tree may share: the index and the beginning of the leaf's SHA-256.
//
// The index comes first because the databases keep leaves in the order of their identities. In
// the order of a whole hash every leaf would be written at a random place: on SQLite, batches
// of 256 then fell from 18,000 leaves/s to 10,000 within 250,000 leaves, and went on falling;
// with the index first they stay at 24,000. Nothing relies on the hash: the bytes at an index
// are always read and compared.
func identity(index uint64, leaf []byte) []byte {
	h := sha256.Sum256(leaf)
	id := binary.BigEndian.AppendUint64(make([]byte, 0, len(h)), index)
	return append(id, h[:len(h)-len(id)]...)
}

// integrate makes Trillian integrate until the head covers end. Trillian stops without an error
// at the first leaf that is missing; integrate returns an error then.
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

// compare reads integrated leaves from first on and compares them with want.
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

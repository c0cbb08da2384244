package logserver

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Backup is a copy of a log's published entries in a folder: its entry bundles, as a log's own
// folder has them, and the checkpoint that they lead to. It is made from what anyone can read,
// so there is no key in it, and a restore makes a log's databases again from it.
//
// Entries are only ever added: what an earlier run has stored stays, and a checkpoint is stored
// once the entries below it are durable and lead to its root.
type Backup struct {
	policy *checkpoint.Policy
	dir    string
	tiles  *TileDir
	tree   *compact.Range // of the entries that lead to the checkpoint
	last   []byte         // of tree: the bundle that is not full yet
	origin string         // of the checkpoint; empty if there is none yet
}

const backupCheckpoint = "checkpoint"

var ranges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// OpenBackup opens the backup in a folder, or begins one. It reads all entries that are there
// and compares their root with the checkpoint.
func OpenBackup(ctx context.Context, policy *checkpoint.Policy, dir string) (*Backup, error) {
	b := &Backup{policy: policy, dir: dir, tiles: NewTileDir(dir), tree: ranges.NewEmptyRange(0)}
	signed, err := readOptional(filepath.Join(dir, backupCheckpoint))
	if err != nil || signed == nil {
		return b, err
	}
	cp, err := policy.Open(signed)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint in %s: %w", dir, err)
	}
	if b.tree, b.last, err = b.read(ctx, folderTiles{b.tiles}, cp.Tree, nil); err != nil {
		return nil, fmt.Errorf("the backup in %s is damaged: make a new one in another folder: %w", dir, err)
	}
	b.origin = cp.Origin
	return b, nil
}

// Size returns the number of entries in the backup.
func (b *Backup) Size() uint64 { return b.tree.End() }

// Update brings the backup to what the source serves, and returns that tree. Nothing that the
// source serves is trusted. After an error the backup is as it was.
func (b *Backup) Update(ctx context.Context, src tile.Source) (tree checkpoint.Tree, err error) {
	signed, err := src.Checkpoint(ctx)
	if err != nil {
		return tree, fmt.Errorf("fetch checkpoint: %w", err)
	}
	cp, err := b.policy.Open(signed)
	switch {
	case err != nil:
		return tree, err
	case !cp.Quorum():
		return tree, fmt.Errorf("the checkpoint lacks the quorum of %s", b.policy.QuorumText())
	case b.origin != "" && cp.Origin != b.origin:
		return tree, fmt.Errorf("this is the log %s, and the backup is of %s: name another folder", cp.Origin, b.origin)
	case cp.Size < b.Size():
		return tree, fmt.Errorf("a tree of size %d is served, and the backup has %d: what is served is an old copy, "+
			"and the backup stays as it is", cp.Size, b.Size())
	}
	r, last, err := b.read(ctx, src, cp.Tree, b.tiles)
	if err != nil {
		return tree, err
	}
	if err := durable.ReplaceAlone(filepath.Join(b.dir, backupCheckpoint), signed, 0o644); err != nil {
		return tree, err
	}
	b.tree, b.last, b.origin = r, last, cp.Origin
	return cp.Tree, nil
}

// read reads the entries behind those of the backup, up to a tree, stores their bundles unless
// to is nil, and compares the root. It returns the range of the tree, and its last bundle if
// that is not full.
func (b *Backup) read(ctx context.Context, src tile.Source, tree checkpoint.Tree, to *TileDir) (*compact.Range, []byte, error) {
	old := b.Size()
	r, err := ranges.NewRange(0, old, slices.Clone(b.tree.Hashes()))
	if err != nil {
		return nil, nil, err
	}
	last, first := b.last, old
	if old == tree.Size {
		first = (old + tile.Width - 1) / tile.Width * tile.Width // nothing is new
	}
	fetch := func(ctx context.Context, n uint64) ([][]byte, error) {
		entries, _, err := tile.Fetch(ctx, src, n, tree.Size)
		return entries, err
	}
	for entries, err := range tile.Ahead(ctx, first, tree.Size, fetch) {
		if err != nil {
			return nil, nil, err
		}
		n, known := r.End()/tile.Width, r.End()%tile.Width
		var bundle []byte
		for i, e := range entries {
			bundle = tile.Append(bundle, e)
			if uint64(i) < known {
				continue
			}
			if err := r.Append(rfc6962.DefaultHasher.HashLeaf(e), nil); err != nil {
				return nil, nil, err
			}
		}
		path := tile.Path(tile.Entries, n, tile.Width)
		if !bytes.HasPrefix(bundle, last) {
			return nil, nil, fmt.Errorf("%s has other entries than the backup: the log shows two histories", path)
		}
		if to != nil {
			if err := to.Replace(ctx, path, bundle); err != nil {
				return nil, nil, err
			}
		}
		if last = nil; len(entries) < tile.Width {
			last = bundle
		}
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		return nil, nil, err
	}
	if r.End() != tree.Size || !bytes.Equal(root, tree.Root[:]) {
		return nil, nil, fmt.Errorf("the %d entries lead to the root %x, but the checkpoint of size %d says %x", r.End(), root, tree.Size,
			tree.Root)
	}
	return r, last, nil
}

// folderTiles reads what TileDir has stored.
type folderTiles struct{ dir *TileDir }

func (f folderTiles) Checkpoint(context.Context) ([]byte, error) { return nil, ErrNotFound }

func (f folderTiles) Tile(ctx context.Context, path string) ([]byte, error) {
	full, _, _ := strings.Cut(path, ".p/")
	return f.dir.Get(ctx, full)
}

package audit_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	logKey = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}
	w1     = trialtest.Cosigner{Key: "w1.example/replay", Alg: 0x04, Time: 1_800_000_001}
	w2     = trialtest.Cosigner{Key: "w2.example", Alg: 0x04, Time: 1_800_000_002}
)

// A source serves a log from memory. A test alters it through its fields.
type source struct {
	policy     *checkpoint.Policy
	checkpoint []byte

	mu       sync.Mutex // guards log and what fail does
	log      *trialtest.Log
	fail     func(ctx context.Context, path string) error
	cut      int    // bytes cut off every bundle
	withhold bool   // tiles of hashes
	more     []byte // appended to every bundle
	tiles    map[string]int
}

func newPolicy(t testing.TB) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w1 %s\nwitness w2 %s\ngroup g 2 w1 w2\nquorum g\n", logKey.VKey(),
		w1.VKey(), w2.VKey()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newSource serves l at its present size.
func newSource(t testing.TB, l *trialtest.Log) *source {
	t.Helper()
	s := &source{policy: newPolicy(t), log: l, tiles: map[string]int{}}
	s.publish(t, l.Tree(l.Size()))
	return s
}

func (s *source) publish(t testing.TB, tree checkpoint.Tree) {
	t.Helper()
	s.checkpoint = trialtest.Checkpoint(t, tree, logKey, w1, w2)
}

func signedBy(t testing.TB, tree checkpoint.Tree, signers ...trialtest.Cosigner) []byte {
	t.Helper()
	var list []note.Signer
	for _, s := range signers {
		list = append(list, s)
	}
	return trialtest.Checkpoint(t, tree, list...)
}

func (s *source) Checkpoint(context.Context) ([]byte, error) { return s.checkpoint, nil }

func (s *source) Tile(ctx context.Context, path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tiles[path]++
	if s.fail != nil {
		if err := s.fail(ctx, path); err != nil {
			return nil, err
		}
	}
	index, part, _ := strings.Cut(strings.TrimPrefix(path, "tile/entries/"), ".p/")
	n, err := strconv.ParseUint(strings.NewReplacer("x", "", "/", "").Replace(index), 10, 64)
	width := tile.Width
	if part != "" {
		width, _ = strconv.Atoi(part)
	}
	if err == nil && tile.Path(tile.Entries, n, width) == path && n*tile.Width+uint64(width) <= s.log.Size() {
		b := s.log.Bundle(n, width)
		return append(b[:len(b)-s.cut], s.more...), nil
	}
	if s.withhold {
		return nil, fmt.Errorf("no tile %s", path)
	}
	return s.hashTile(path)
}

// hashTile returns a tile of hashes, as the log has them.
func (s *source) hashTile(path string) ([]byte, error) {
	at, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(path, "tile/"))
	if err != nil {
		return nil, err
	}
	if (uint64(at.N)*tile.Width+uint64(at.W))<<(8*at.L) > s.log.Size() {
		return nil, fmt.Errorf("no tile %s", path)
	}
	return tlog.ReadTileData(at, s.log)
}

// open enrols acme with ada and registers a trial, whose id it returns.
func open(l *trialtest.Log) trial.Hash {
	p, subjects := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, subjects)
	p, subjects = trialtest.Register("X-1")
	return l.Admit("ada", p, subjects).ID
}

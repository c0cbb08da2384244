package logserver_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// served is a source that serves the first entries of a log, and can be dishonest.
type served struct {
	t      testing.TB
	log    *trialtest.Log
	size   uint64
	key    note.Signer
	origin string // if it is another's
	alter  func(path string, data []byte) ([]byte, error)
}

func (s *served) Checkpoint(context.Context) ([]byte, error) {
	tree := s.log.Tree(s.size)
	tree.Origin = cmp.Or(s.origin, tree.Origin)
	return s.serve("checkpoint", trialtest.Checkpoint(s.t, tree, s.key))
}

func (s *served) Tile(_ context.Context, path string) ([]byte, error) {
	for n := uint64(0); n*tile.Width < s.size; n++ {
		if width := int(min(s.size-n*tile.Width, tile.Width)); path == tile.Path(tile.Entries, n, width) {
			return s.serve(path, s.log.Bundle(n, width))
		}
	}
	return nil, errors.New("it is not there: " + path)
}

func (s *served) serve(path string, data []byte) ([]byte, error) {
	if s.alter != nil {
		return s.alter(path, data)
	}
	return data, nil
}

// logOf returns a log whose entries are the words of a salt.
func logOf(t *testing.T, salt string, n int) *trialtest.Log {
	l := trialtest.NewLog(t)
	for i := range n {
		l.Append(fmt.Appendf(nil, "%s %d", salt, i))
	}
	return l
}

func logPolicy(t *testing.T, text string) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy([]byte("log " + trialtest.LogKey.VKey() + "\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// complete compares a backup's folder with what it must have, byte for byte.
func complete(t *testing.T, dir string, log *trialtest.Log, size uint64) {
	t.Helper()
	b, err := logserver.OpenBackup(t.Context(), logPolicy(t, "quorum none\n"), dir)
	if err != nil || b.Size() != size {
		t.Fatalf("the backup of size %d: size %d, %v", size, b.Size(), err)
	}
	for n := uint64(0); n*tile.Width < size; n++ {
		width := int(min(size-n*tile.Width, tile.Width))
		got, err := os.ReadFile(filepath.Join(dir, tile.Path(tile.Entries, n, tile.Width)))
		if want := log.Bundle(n, width); err != nil || !bytes.HasPrefix(got, want) {
			t.Errorf("bundle %d of the backup of size %d is not the log's: %v", n, size, err)
		}
	}
}

// TestBackup brings a backup up to date, over the edges of bundles, and shows it all that a
// source can do wrong: the backup then stays as it was, and goes on later.
func TestBackup(t *testing.T) {
	log, other := logOf(t, "log", 1100), logOf(t, "other", 1100)
	dir := t.TempDir()
	src := &served{t: t, log: log, key: trialtest.LogKey}
	policy := logPolicy(t, "quorum none\n")
	var size uint64
	for _, next := range []uint64{1, 2, 255, 256, 256, 257, 511, 900, 1025, 1025, 1102} {
		// A new process each time, and one that goes on.
		for _, fresh := range []bool{true, false} {
			b, err := logserver.OpenBackup(t.Context(), policy, dir)
			if err != nil || b.Size() != size {
				t.Fatalf("size %d, want %d: %v", b.Size(), size, err)
			}
			if !fresh {
				src.size = size
				if size > 0 {
					if _, err := b.Update(t.Context(), src); err != nil {
						t.Fatal(err)
					}
				}
			}
			src.size = next
			for name, c := range map[string]struct {
				alter  func(path string, data []byte) ([]byte, error)
				source *served
				want   string
			}{
				"a byte altered": {source: src, want: "lead to the root", alter: func(path string, data []byte) ([]byte, error) {
					if path != "checkpoint" && strings.HasPrefix(path, tile.Path(tile.Entries, (next-1)/tile.Width, tile.Width)) {
						data[len(data)-1] ^= 1
					}
					return data, nil
				}},
				"cut short": {source: src, want: "ends within", alter: func(path string, data []byte) ([]byte, error) {
					if path != "checkpoint" {
						data = data[:len(data)-1]
					}
					return data, nil
				}},
				"not there": {source: src, want: "no answer", alter: func(path string, data []byte) ([]byte, error) {
					if path != "checkpoint" {
						return nil, errors.New("no answer")
					}
					return data, nil
				}},
				"another key": {source: &served{t: t, log: log, size: next, key: trialtest.Cosigner{Key: trialtest.Origin, Alg: 1, Seed: "x"}},
					want: "checkpoint"},
				"another history": {source: &served{t: t, log: other, size: max(next, size+1), key: trialtest.LogKey}, want: ""},
				"an old copy":     {source: &served{t: t, log: log, size: max(size, 2) - 1, key: trialtest.LogKey}, want: "old copy"},
			} {
				if size == next && c.source == src || size < 2 && c.want == "old copy" || size < 3 && c.want == "" {
					continue // it asks for nothing, or nothing is wrong: the two logs have the same genesis
				}
				c.source.alter = c.alter
				if _, err := b.Update(t.Context(), c.source); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%d to %d, %s: %v", size, next, name, err)
				}
				src.alter = nil
				if b.Size() != size {
					t.Fatalf("%s: the backup has size %d, want %d", name, b.Size(), size)
				}
				if size > 0 {
					complete(t, dir, log, size)
				}
			}
			if fresh {
				continue
			}
			if next == size { // nothing is new, and no entry is asked for
				src.alter = func(path string, data []byte) ([]byte, error) {
					if path != "checkpoint" {
						return nil, errors.New("asked for " + path)
					}
					return data, nil
				}
			}
			tree, err := b.Update(t.Context(), src)
			src.alter = nil
			if err != nil || tree != log.Tree(next) {
				t.Fatalf("%d to %d: %v, %v", size, next, tree, err)
			}
			size = next
			complete(t, dir, log, size)
		}
	}

	// A backup is of one log, though the policy has two.
	second := trialtest.Cosigner{Key: "other.example/log", Alg: 1}
	b, err := logserver.OpenBackup(t.Context(), logPolicy(t, "log "+second.VKey()+"\nquorum none\n"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Update(t.Context(), &served{t: t, log: log, size: size, key: second, origin: second.Key}); err == nil ||
		!strings.Contains(err.Error(), "the backup is of "+trialtest.Origin) {
		t.Errorf("another log: %v", err)
	}

	// A damaged backup is not gone on with.
	name := filepath.Join(dir, tile.Path(tile.Entries, 1, tile.Width))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[77] ^= 1
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := logserver.OpenBackup(t.Context(), policy, dir); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a damaged backup: %v", err)
	}
	// What no quorum has cosigned is not backed up: it could still be another history.
	w := trialtest.Cosigner{Key: "w1.example", Alg: 0x04, Time: 1}
	b, err = logserver.OpenBackup(t.Context(), logPolicy(t, "witness w1 "+w.VKey()+"\nquorum w1\n"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Update(t.Context(), src); err == nil || !strings.Contains(err.Error(), "lacks the quorum") {
		t.Errorf("without the quorum: %v", err)
	}
}

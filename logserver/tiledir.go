package logserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/durable"
)

// A TileDir keeps tiles as files in a folder. It is a TileStore for a log whose tiles stay on
// one machine; a web server can serve the folder's full tiles.
type TileDir struct {
	dir string

	mu    sync.Mutex      // guards known
	known map[string]bool // files whose folder entry is durable
}

// NewTileDir returns the store in a folder, which it creates if necessary.
func NewTileDir(dir string) *TileDir {
	return &TileDir{dir: dir, known: map[string]bool{}}
}

// Put implements TileStore. Each part is written at its offset and synced. After a crash there
// may be bytes after the last signed size, which are the same that will be written there again.
func (d *TileDir) Put(ctx context.Context, parts []TilePart) error {
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() { errs[i] = d.put(p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (d *TileDir) put(p TilePart) (err error) {
	name := filepath.Join(d.dir, filepath.FromSlash(p.Path))
	d.mu.Lock()
	known := d.known[name]
	d.mu.Unlock()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	created := errors.Is(err, fs.ErrNotExist)
	if created {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if st, err := f.Stat(); err != nil {
		return err
	} else if st.Size() < int64(p.Offset) {
		return fmt.Errorf("tile %s has %d bytes, but %d were stored: it was cut short", p.Path, st.Size(), p.Offset)
	}
	if _, err := f.WriteAt(p.Data, int64(p.Offset)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if known {
		return nil
	}
	if err := syncParents(filepath.Dir(name), d.dir); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) > 4096 {
		clear(d.known)
	}
	d.known[name] = true
	return nil
}

// Replace implements TileStore.
func (d *TileDir) Replace(ctx context.Context, path string, data []byte) error {
	if err := d.plain(filepath.ToSlash(filepath.Dir(filepath.FromSlash(path)))); err != nil {
		return err
	}
	name := filepath.Join(d.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := durable.ReplaceAlone(name, data, 0o644); err != nil {
		return err
	}
	return syncParents(filepath.Dir(name), d.dir)
}

// syncParents makes the folder entries of a new file durable, up to that of root.
func syncParents(dir, root string) error {
	for {
		if err := durable.SyncDir(dir); err != nil {
			return err
		}
		if dir == root || len(dir) <= len(root) {
			return durable.SyncDir(filepath.Dir(root))
		}
		dir = filepath.Dir(dir)
	}
}

// Get implements TileStore.
func (d *TileDir) Get(ctx context.Context, path string) ([]byte, error) {
	name := filepath.Join(d.dir, filepath.FromSlash(path))
	if err := d.plain(path); err != nil { // opening a pipe would wait for ever
		return nil, err
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return data, err
}

// plain refuses a path with something that is neither a folder nor a file: a pipe, or a link
// that leads out of the store.
func (d *TileDir) plain(path string) error {
	name := d.dir
	for part := range strings.SplitSeq(path, "/") {
		name = filepath.Join(name, part)
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder: remove it", name)
		}
	}
	return nil
}

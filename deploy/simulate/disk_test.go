package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/witness"
)

var errFull = errors.New("simulated: no space left on device")

// A disk is a file system that knows which of its writes are durable. When the power fails, a
// file has what was last synced, and perhaps some of what was written since; a folder has the
// names that were last synced, and perhaps the first few changes since.
type disk struct {
	w *world

	mu      sync.Mutex // guards the fields below
	names   map[string]*inode
	durable map[string]*inode   // names as they are after a power failure, without the changes
	changes map[string][]change // by folder, since it was synced
	locks   map[string]*process
	full    bool
	ops     int  // how many operations there were
	failing int  // the one that fails in any case; 0: none
	done    bool // it has had its effect
}

type inode struct {
	dir          bool
	data, synced []byte
}

// A change of names in one folder.
type change struct {
	remove string
	add    string
	node   *inode
}

func newDisk(w *world) *disk {
	root := &inode{dir: true}
	return &disk{w: w, names: map[string]*inode{"/": root}, durable: map[string]*inode{"/": root}, changes: map[string][]change{},
		locks: map[string]*process{}}
}

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// fail loses what was not synced.
func (d *disk) fail(r *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dirs := make([]string, 0, len(d.changes))
	for dir := range d.changes {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		list := d.changes[dir]
		for _, c := range list[:r.IntN(len(list)+1)] {
			c.apply(d.durable)
		}
	}
	clear(d.changes)
	d.names = map[string]*inode{}
	var names []string
	for name := range d.durable {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := d.durable[name]
		if parent := path.Dir(name); d.names[parent] == nil && name != "/" {
			delete(d.durable, name) // its folder was never synced
			continue
		}
		d.names[name] = n
		if n.dir || bytes.Equal(n.data, n.synced) {
			continue
		}
		// What was written since the last sync is there in part, or not at all.
		same := 0
		for same < min(len(n.data), len(n.synced)) && n.data[same] == n.synced[same] {
			same++
		}
		if r.IntN(2) == 0 {
			n.data = bytes.Clone(n.synced)
		} else {
			n.data = bytes.Clone(n.data[:same+r.IntN(len(n.data)-same+1)])
		}
		n.synced = bytes.Clone(n.data)
	}
}

func (c change) apply(names map[string]*inode) {
	if c.remove != "" {
		delete(names, c.remove)
	}
	if c.add != "" {
		names[c.add] = c.node
	}
}

// change changes names, for now in memory. The caller holds mu.
func (d *disk) change(c change) {
	c.apply(d.names)
	dir := path.Dir(c.add + c.remove)
	if c.add != "" {
		dir = path.Dir(c.add)
	}
	d.changes[dir] = append(d.changes[dir], c)
}

// A mount is the disk as a process sees it, which sees nothing once it is dead.
type mount struct {
	d *disk
	p *process
}

// do runs an operation, which may fail before or after it has its effect. f is run with the
// disk's mu held.
func (m mount) do(op, name string, writes bool, f func() error) error {
	w := m.d.w
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	if m.p.gone() {
		return errDead
	}
	key := fmt.Sprintf("%s %s %s", m.p.name, op, name)
	if writes && m.d.full {
		w.event("%s: full", key)
		return &fs.PathError{Op: op, Path: name, Err: errFull}
	}
	r := w.draw(key)
	m.d.ops++
	chosen := m.d.ops == m.d.failing
	if w.chance(r, w.plan.diskFails) || chosen {
		after := r.IntN(2) == 0 && op != "lock"
		if chosen {
			after = m.d.done && op != "lock"
		}
		if after {
			f()
		}
		w.event("%s: fails, done %v", key, after)
		w.count("file operations failed")
		return &fs.PathError{Op: op, Path: name, Err: errInjected}
	}
	return f()
}

func (m mount) find(name string) (*inode, error) {
	n := m.d.names[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

func clean(name string) string { return path.Clean(filepath.ToSlash(name)) }

func (m mount) OpenFile(name string, flag int, _ fs.FileMode) (f witness.File, err error) {
	name = clean(name)
	err = m.do("open", name, flag&os.O_CREATE != 0, func() error {
		n, err := m.find(name)
		switch {
		case err == nil && flag&os.O_EXCL != 0:
			return &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
		case err != nil && flag&os.O_CREATE == 0:
			return err
		case err != nil:
			if _, err := m.find(path.Dir(name)); err != nil {
				return err
			}
			n = &inode{}
			m.d.change(change{add: name, node: n})
		}
		f = &file{m: m, name: name, n: n}
		return nil
	})
	return f, err
}

func (m mount) ReadFile(name string) (data []byte, err error) {
	name = clean(name)
	err = m.do("read", name, false, func() error {
		n, err := m.find(name)
		if err == nil {
			data = bytes.Clone(n.data)
		}
		return err
	})
	return data, err
}

func (m mount) ReadDir(name string) (list []fs.DirEntry, err error) {
	name = clean(name)
	err = m.do("read folder", name, false, func() error {
		if _, err := m.find(name); err != nil {
			return err
		}
		for at, n := range m.d.names {
			if path.Dir(at) == name && at != name {
				list = append(list, fs.FileInfoToDirEntry(info{path.Base(at), n.dir, int64(len(n.data))}))
			}
		}
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		return nil
	})
	return list, err
}

func (m mount) Stat(name string) (i fs.FileInfo, err error) {
	name = clean(name)
	err = m.do("stat", name, false, func() error {
		n, err := m.find(name)
		if err == nil {
			i = info{path.Base(name), n.dir, int64(len(n.data))}
		}
		return err
	})
	return i, err
}

func (m mount) Mkdir(name string, _ fs.FileMode) error {
	name = clean(name)
	return m.do("mkdir", name, true, func() error {
		if _, err := m.find(name); err == nil {
			return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
		}
		if _, err := m.find(path.Dir(name)); err != nil {
			return err
		}
		m.d.change(change{add: name, node: &inode{dir: true}})
		return nil
	})
}

func (m mount) MkdirAll(name string, perm fs.FileMode) error {
	name = clean(name)
	if _, err := m.Stat(name); err == nil || name == "/" {
		return nil
	}
	if err := m.MkdirAll(path.Dir(name), perm); err != nil {
		return err
	}
	err := m.Mkdir(name, perm)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (m mount) Rename(from, to string) error {
	from, to = clean(from), clean(to)
	return m.do("rename", from, true, func() error {
		n, err := m.find(from)
		if err != nil {
			return err
		}
		m.d.change(change{remove: from, add: to, node: n})
		return nil
	})
}

func (m mount) Remove(name string) error {
	name = clean(name)
	return m.do("remove", name, false, func() error {
		if _, err := m.find(name); err != nil {
			return err
		}
		m.d.change(change{remove: name})
		return nil
	})
}

func (m mount) SyncDir(name string) error {
	name = clean(name)
	return m.do("sync folder", name, false, func() error {
		if _, err := m.find(name); err != nil {
			return err
		}
		for _, c := range m.d.changes[name] {
			c.apply(m.d.durable)
		}
		delete(m.d.changes, name)
		return nil
	})
}

func (m mount) Lock(name string) (c io.Closer, err error) {
	name = clean(name)
	err = m.do("lock", name, false, func() error {
		if p := m.d.locks[name]; p != nil && !p.gone() {
			return witness.ErrLocked
		}
		m.d.locks[name] = m.p
		if m.d.names[name] == nil {
			m.d.change(change{add: name, node: &inode{}})
		}
		c = unlock(func() {
			m.d.mu.Lock()
			defer m.d.mu.Unlock()
			if m.d.locks[name] == m.p {
				delete(m.d.locks, name)
			}
		})
		return nil
	})
	return c, err
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

// A file is an open one. Writing appends to it.
type file struct {
	m    mount
	name string
	n    *inode
	at   int64
}

func (f *file) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.at)
	f.at += int64(n)
	return n, err
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	err := f.m.do("write", f.name, true, func() error {
		for int64(len(f.n.data)) < off+int64(len(b)) {
			f.n.data = append(f.n.data, 0)
		}
		f.n.data = bytes.Clone(f.n.data)
		copy(f.n.data[off:], b)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *file) ReadAt(b []byte, off int64) (n int, err error) {
	err = f.m.do("read", f.name, false, func() error {
		n, err = bytes.NewReader(f.n.data).ReadAt(b, off)
		return err
	})
	return n, err
}

func (f *file) Truncate(size int64) error {
	return f.m.do("truncate", f.name, false, func() error {
		f.n.data = bytes.Clone(f.n.data[:size])
		return nil
	})
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.m.d.mu.Lock()
	defer f.m.d.mu.Unlock()
	return info{path.Base(f.name), false, int64(len(f.n.data))}, nil
}

func (f *file) Sync() error {
	return f.m.do("sync", f.name, false, func() error { f.n.synced = bytes.Clone(f.n.data); return nil })
}

func (f *file) Close() error { return nil }

// An info is what Stat returns.
type info struct {
	name string
	dir  bool
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) IsDir() bool        { return i.dir }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

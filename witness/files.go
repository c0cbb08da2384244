package witness

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Files are what a witness keeps its folder in. The machine's own are the default; a simulation
// gives others, which lose in a crash what was not synced.
//
// The methods do what those of package os with the same names do, and their errors wrap the same
// ones: fs.ErrNotExist, fs.ErrExist. They may be called concurrently.
type Files interface {
	// OpenFile opens a file with flags as in package os, of which a witness uses O_RDONLY,
	// O_RDWR, O_WRONLY, O_CREATE and O_EXCL.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	ReadFile(name string) ([]byte, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	Mkdir(name string, perm fs.FileMode) error
	MkdirAll(name string, perm fs.FileMode) error
	// Rename puts a file in the place of another one, at once: nobody finds neither.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes what was created, renamed and removed in a folder durable.
	SyncDir(name string) error
	// Lock locks a file, which it creates if it is missing, until the lock is closed or the
	// process ends. It returns ErrLocked if another process has the lock.
	Lock(name string) (io.Closer, error)
}

// A File is an open file.
type File interface {
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
	// Sync makes the file's contents durable, though not its name.
	Sync() error
}

// ErrLocked says that another process has a lock.
var ErrLocked = errors.New("locked by another process")

// machine is the machine's own Files.
type machine struct{}

func (machine) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // and not a File that is a nil *os.File
	}
	return f, nil
}

func (machine) ReadFile(name string) ([]byte, error)         { return os.ReadFile(name) }
func (machine) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }
func (machine) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (machine) Mkdir(name string, perm fs.FileMode) error    { return os.Mkdir(name, perm) }
func (machine) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (machine) Rename(from, to string) error                 { return os.Rename(from, to) }
func (machine) Remove(name string) error                     { return os.Remove(name) }

// SyncDir implements Files as far as the system can: Windows cannot sync a folder, and there
// NTFS's own journal has to do.
func (machine) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (machine) Lock(name string) (io.Closer, error) {
	f, err := lockFile(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// syncParent makes the name of a file durable.
func syncParent(files Files, path string) error { return files.SyncDir(filepath.Dir(path)) }

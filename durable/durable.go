// Package durable writes files that a crash leaves whole: a reader finds the old bytes or
// the new ones, never a part of them, and the new ones once a function has returned nil.
//
// No function follows a link in the place of what it writes.
package durable

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrLocked says that another process has the lock.
var ErrLocked = errors.New("locked by another process")

// Replace puts data in the place of a file. Several programs may do so at once: the last
// one's bytes stay.
func Replace(name string, data []byte, perm fs.FileMode) error {
	return replace(name, temporary(name), data, perm)
}

// ReplaceAlone is Replace for the only writer of a file. What a crash leaves of its work
// is NAME.tmp, which the next one writes over.
func ReplaceAlone(name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	os.Remove(tmp) // a crash's, or a link
	return replace(name, tmp, data, perm)
}

func replace(name, tmp string, data []byte, perm fs.FileMode) error {
	if err := write(tmp, data, perm); err != nil {
		return err
	}
	if err := Rename(tmp, name); err != nil {
		os.Remove(tmp)
		return err
	}
	return nil
}

// Create writes a file that must not be there yet; if it is, the error wraps fs.ErrExist.
func Create(name string, data []byte, perm fs.FileMode) error {
	tmp := temporary(name)
	if err := write(tmp, data, perm); err != nil {
		return err
	}
	defer os.Remove(tmp)
	err := os.Link(tmp, name) // unlike a rename, it takes no name that is there
	if _, there := os.Lstat(name); err != nil && errors.Is(there, fs.ErrNotExist) {
		err = os.Rename(tmp, name) // some file systems have no links
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// temporary returns the name of a file beside another that nobody else has.
func temporary(name string) string {
	return filepath.Join(filepath.Dir(name), ".writing-"+rand.Text())
}

// write writes a new file and leaves none if it cannot. The umask applies.
func write(name string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(name)
		return err
	}
	return nil
}

// Rename renames a file within a folder.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// Remove removes a file or folder, which need not be there.
func Remove(name string) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// SyncDir makes the names in a folder durable, as far as the system can: Windows cannot
// sync a folder, and there NTFS's own journal has to do.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

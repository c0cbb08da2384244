package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writeDurable replaces a file: after a crash it is the old one or the new one,
// and the new one once writeDurable has returned nil.
func writeDurable(name string, data []byte, perm fs.FileMode) error {
	tmp := name + ".tmp"
	os.Remove(tmp) // a crash's, or a link, which is not followed
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return renameDurable(tmp, name)
}

// renameDurable renames within a folder.
func renameDurable(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// removeDurable removes what need not be there.
func removeDurable(name string) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

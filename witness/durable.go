package witness

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// faults is called before and after each step that touches the disk. Tests make a step fail,
// make a completed step report failure, or kill the process.
type faults func(step string, done bool) error

func (f faults) do(step string, op func() error) error {
	if f == nil {
		return op()
	}
	if err := f(step, false); err != nil {
		return err
	}
	if err := op(); err != nil {
		return err
	}
	return f(step, true)
}

// replace writes a file by way of path.tmp, so that a reader or a crash finds either the old
// bytes or the new ones, complete. The new ones are durable when it returns nil; from the
// rename on they may be found. After an error the file may have either: read it again.
//
// The caller is the only writer of path.
func (f faults) replace(what, path string, data []byte, perm os.FileMode) error {
	tmp := path + ".tmp"
	var file *os.File
	err := f.do("create "+what, func() (err error) {
		os.Remove(tmp) // left by a crash, or a link, which must not be followed
		file, err = os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		return err
	})
	if err == nil {
		err = f.do("write "+what, func() error { _, err := file.Write(data); return err })
	}
	if err == nil {
		err = f.do("sync "+what, file.Sync)
	}
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	if err == nil {
		err = f.do("rename "+what, func() error { return os.Rename(tmp, path) })
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return f.do("sync folder of "+what, func() error { return syncParent(path) })
}

// syncParent makes the name of a file durable, as far as the system can: Windows cannot sync
// a folder, and there NTFS's own journal has to do.
func syncParent(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package witness

import (
	"errors"
	"io/fs"
	"os"
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
func (f faults) replace(files Files, what, path string, data []byte, perm fs.FileMode) error {
	tmp := path + ".tmp"
	var file File
	err := f.do("create "+what, func() (err error) {
		files.Remove(tmp) // left by a crash, or a link, which must not be followed
		file, err = files.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		return err
	})
	if err == nil {
		err = f.do("write "+what, func() error { _, err := file.Write(data); return err })
	}
	if err == nil {
		err = f.do("sync "+what, func() error { return file.Sync() })
	}
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	if err == nil {
		err = f.do("rename "+what, func() error { return files.Rename(tmp, path) })
	}
	if err != nil {
		files.Remove(tmp)
		return err
	}
	return f.do("sync folder of "+what, func() error { return syncParent(files, path) })
}

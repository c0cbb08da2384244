package durable

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// TryLock is as on other systems. It locks a byte far behind the file's end: on Windows others cannot read a locked byte,
// and they must read who has locked the folder.
func TryLock(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: math.MaxInt32}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

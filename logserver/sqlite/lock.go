package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialproof/trialproof/durable"
)

// lockFile is the file in a locked folder that carries the lock. It is never removed: otherwise
// two processes could lock two files of one name.
const lockFile = "lock"

// A Lock is one process's lock on a folder.
type Lock struct{ f *os.File }

// LockDir locks the folder for this process, creating it with mode 0700 if it does not exist.
// It fails at once if anyone has locked it already, this process included. The operating system
// releases the lock when the process ends, however it ends.
func LockDir(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	if err := durable.TryLock(f); err != nil {
		defer f.Close()
		if errors.Is(err, durable.ErrLocked) {
			return nil, fmt.Errorf("folder %s is in use by %s: stop it first, or name another folder", dir, holder(f))
		}
		return nil, fmt.Errorf("lock folder %s: %w", dir, err)
	}
	// The process id is only a hint for the message above.
	if err := f.Truncate(0); err == nil {
		f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return &Lock{f}, nil
}

// HoldDir does what LockDir does for a folder that is only read. A folder without the lock's
// file is in use by nobody.
func HoldDir(dir string) (*Lock, error) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	if err := durable.TryLock(f); err != nil {
		defer f.Close()
		return nil, fmt.Errorf("folder %s is in use by %s, or cannot be locked: stop it first (%w)", dir, holder(f), err)
	}
	return &Lock{f}, nil
}

// Close releases the folder.
func (l *Lock) Close() error { return l.f.Close() }

func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return "process " + pid
	}
	return "another process"
}

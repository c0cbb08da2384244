package logserver

import (
	"errors"
	"os"

	"github.com/trialproof/trialproof/durable"
)

// saveCheckpoint writes the copy outside the database, unless that of a larger size was written since
// the start: a server that leads no longer may still be writing what it signed.
func (l *Log) saveCheckpoint(size uint64, signed []byte) error {
	l.copying.take()
	defer l.copying.end()
	if size < l.copied {
		return nil
	}
	if err := l.cfg.Copy.Write(signed); err != nil {
		return err
	}
	l.copied = size
	return nil
}

// A Copy keeps a copy of the newest signed checkpoint outside the database. One caller at a time
// writes.
type Copy interface {
	// Read returns what was last written, or nil if nothing was.
	Read() ([]byte, error)
	// Write replaces what was written before. It is durable when Write returns nil; after a
	// crash Read returns the old or the new checkpoint, complete.
	Write(signed []byte) error
}

// copyFile is a Copy in a file; "" keeps nothing.
type copyFile string

func (f copyFile) Read() ([]byte, error) { return readOptional(string(f)) }

func (f copyFile) Write(signed []byte) error {
	if f == "" {
		return nil
	}
	return durable.ReplaceAlone(string(f), signed, 0o644)
}

func readOptional(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

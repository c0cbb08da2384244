//go:build !unix || aix || solaris

package witness

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock that ends with the process, two witnesses could sign with
// one key and know nothing of each other.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("this system has no flock(2): run the witness on Linux, macOS or a BSD")
}

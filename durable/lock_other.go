//go:build (!unix && !windows) || aix || solaris

package durable

import (
	"errors"
	"os"
)

// TryLock refuses: without a lock that ends with the process, two programs could write
// one folder and know nothing of each other.
func TryLock(*os.File) error {
	return errors.New("this system has no lock that ends with its process: run this on Linux, macOS, a BSD or Windows")
}

//go:build (!unix && !windows) || aix || solaris

package sqlite

import (
	"errors"
	"os"
)

// flock refuses: without a lock that ends with the process, two logs could write one
// folder and know nothing of each other.
func flock(*os.File) error {
	return errors.New("this system has no lock that ends with its process: run the log on Linux, macOS, a BSD or Windows")
}

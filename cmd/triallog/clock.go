//go:build !drill

package main

import "time"

// now is the clock of the log.
func now() time.Time { return time.Now() }

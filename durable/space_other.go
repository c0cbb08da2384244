//go:build !linux && !darwin && !freebsd && !dragonfly && !windows

package durable

import "errors"

// Space is not known here.
func Space(string) (free, total uint64, err error) {
	return 0, 0, errors.New("the free space of a disk is not known on this system")
}

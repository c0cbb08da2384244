//go:build linux || darwin || freebsd || dragonfly

package durable

import "syscall"

// Space returns how many bytes are free, for who is not root, on the disk of a folder, and how
// large the disk is.
func Space(dir string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	block := uint64(st.Bsize)
	return uint64(st.Bavail) * block, uint64(st.Blocks) * block, nil
}

package durable_test

import (
	"path/filepath"
	"testing"

	"github.com/trialproof/trialproof/durable"
)

// TestSpace: a disk has no more free space than it is large, and a folder must be there.
func TestSpace(t *testing.T) {
	dir := t.TempDir()
	free, total, err := durable.Space(dir)
	if err != nil || total == 0 || free > total {
		t.Errorf("%d of %d bytes: %v", free, total, err)
	}
	if _, _, err := durable.Space(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there has free space")
	}
}

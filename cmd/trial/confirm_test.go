package main

import (
	"bytes"
	"os"
	"testing"
)

// TestIsTerminal: the null device is no terminal, though it is a device: a program that reads
// from it has nobody to ask.
func TestIsTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(&bytes.Buffer{}) || isTerminal(nil) {
		t.Error("what is no terminal is taken for one")
	}
}

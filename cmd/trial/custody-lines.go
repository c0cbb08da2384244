package main

import (
	"bufio"
	"context"
	"io"
	"slices"
)

// A scannedLine is a line of a scanner, or why there is none.
type scannedLine struct {
	text string
	err  error
}

// scannedLines reads lines as a scanner sends them, each ended by CR, LF or both.
func scannedLines(ctx context.Context, r io.Reader) <-chan scannedLine {
	lines := make(chan scannedLine)
	go func() {
		defer close(lines)
		in := bufio.NewScanner(r)
		in.Buffer(nil, 1<<16)
		in.Split(splitLines)
		for in.Scan() {
			select {
			case lines <- scannedLine{text: in.Text()}:
			case <-ctx.Done():
				return
			}
		}
		if err := in.Err(); err != nil {
			select {
			case lines <- scannedLine{err: err}:
			case <-ctx.Done():
			}
		}
	}()
	return lines
}

func splitLines(data []byte, end bool) (advance int, token []byte, err error) {
	if i := slices.IndexFunc(data, func(c byte) bool { return c == '\r' || c == '\n' }); i >= 0 {
		return i + 1, data[:i], nil
	}
	if end && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

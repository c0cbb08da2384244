package vault

import (
	"crypto/sha256"
	"io"

	"github.com/trialproof/trialproof/trial"
)

// A digester computes a SHA-256 beside the goroutine that writes to it: encryption and two
// digests would take three times as long one after the other. Whoever makes one calls sum.
type digester struct {
	full, free chan []byte // full is nil when it has ended
	done       chan trial.Hash
}

const (
	blockSize = 64 << 10
	blocks    = 8
)

// newDigester returns a digester that hands what is written to also too. What also keeps may be
// read after sum has returned.
func newDigester(also ...io.Writer) *digester {
	full := make(chan []byte, blocks)
	d := &digester{full, make(chan []byte, blocks), make(chan trial.Hash, 1)}
	for range blocks {
		d.free <- make([]byte, 0, blockSize)
	}
	go func() {
		h := sha256.New()
		for b := range full {
			h.Write(b)
			for _, w := range also {
				w.Write(b) // a digest or a look at the content: neither fails
			}
			d.free <- b[:0]
		}
		d.done <- trial.Hash(h.Sum(nil))
	}()
	return d
}

// Write never fails.
func (d *digester) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := <-d.free
		n := min(len(rest), blockSize)
		d.full <- append(b, rest[:n]...)
		rest = rest[n:]
	}
	return len(p), nil
}

// sum ends the digester and returns the digest. It may be called again.
func (d *digester) sum() trial.Hash {
	if d.full != nil {
		close(d.full)
		d.full = nil
	}
	h := <-d.done
	d.done <- h
	return h
}

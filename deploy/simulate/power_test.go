package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// TestPower fails each operation on a witness's files in turn, before or after its effect, has
// the witness asked until it cosigns, and then takes its power away, each time in several ways.
// It must start again and know what it cosigned.
func TestPower(t *testing.T) {
	log := trialtest.NewLog(t)
	ask := func(x *witness.Witness) error {
		_, err := x.AddCheckpoint(append([]byte("old 0\n\n"), trialtest.Checkpoint(t, log.Tree(log.Size()), trialtest.LogKey)...))
		if conflict, ok := errors.AsType[*witness.ConflictError](err); ok {
			_, err = x.AddCheckpoint(append(fmt.Appendf(nil, "old %d\n\n", conflict.Size),
				trialtest.Checkpoint(t, log.Tree(log.Size()), trialtest.LogKey)...))
		}
		return err
	}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(trialtest.Origin)))
	for _, done := range []bool{false, true} {
		for failing, ops := 1, 1; failing <= ops; failing++ {
			for way := range uint64(8) {
				w := newWorld(t, way)
				d := newDisk(w)
				d.failing, d.done = failing, done
				key, err := witness.ParseKey(keyText("w.example", way))
				if err != nil {
					t.Fatal(err)
				}
				lives := 0
				open := func() (*process, *witness.Witness) {
					for {
						lives++
						p := w.process(fmt.Sprint(lives))
						x, err := witness.Open(witness.Config{Dir: "/w", Key: key, Logs: []witness.Log{{VKey: trialtest.LogKey.VKey()}},
							Files: mount{d, p}, Now: trialtest.Start.Std})
						if err == nil {
							return p, x
						}
						if p.kill(); !faulty(err) {
							t.Fatalf("operation %d (%v), way %d: it does not start: %v", failing, done, way, err)
						}
					}
				}
				p, x := open()
				for try := 0; ; try++ {
					if err = ask(x); err == nil {
						break
					}
					if try == 3 {
						t.Fatalf("operation %d (%v), way %d: it does not cosign: %v", failing, done, way, err)
					}
				}
				ops = d.ops
				p.kill()
				d.fail(rand.New(rand.NewPCG(way, 0)))
				if _, x = open(); x != nil {
					if _, ok := x.Checkpoint(hash); !ok {
						t.Fatalf("operation %d (%v), way %d: it has forgotten what it cosigned", failing, done, way)
					}
				}
			}
		}
	}
}

package engine

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"testing"
)

// BenchmarkAppend appends batches of leaves of 1.4 kB, durably. With TRIALPROOF_TEST_MYSQL set
// it also uses MySQL.
func BenchmarkAppend(b *testing.B) {
	benchmark(b, func(b *testing.B, newConfig func(testing.TB) Config) {
		for _, n := range []int{1, 64, 256, 512} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				tree, next := newTestTree(b, newConfig(b)), uint64(0)
				for b.Loop() {
					if err := tree.Append(b.Context(), next, benchLeaves(next, n)); err != nil {
						b.Fatal(err)
					}
					next += uint64(n)
				}
				b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "leaves/s")
			})
		}
	})
}

var benchLeaf = make([]byte, 1400)

func init() { rand.Read(benchLeaf) }

func benchLeaves(first uint64, n int) [][]byte {
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = binary.BigEndian.AppendUint64(append([]byte(nil), benchLeaf...), first+uint64(i))
	}
	return leaves
}

package dataset

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"
)

// A clock measures wall time and the time that the process used processors. Where others use the
// machine too, the second says what it would do alone.
type clock struct {
	wall time.Time
	used time.Duration
}

func startClock() clock { return clock{time.Now(), processorTime()} }

// rates returns how many of n were done in a second of wall time, and in a second of all
// processors' time.
func (c clock) rates(n int) (wall, used int64) {
	w, u := time.Since(c.wall), processorTime()-c.used
	return int64(n) * 1e9 / max(int64(w), 1), int64(n) * 1e9 * int64(runtime.GOMAXPROCS(0)) / max(int64(u), 1)
}

// hashRates returns how many hashes of this many bytes all processors do in a second together.
func hashRates(size, n int) (wall, used int64) {
	procs := runtime.GOMAXPROCS(0)
	c := startClock()
	var wg sync.WaitGroup
	for range procs {
		wg.Go(func() {
			own := make([]byte, size)
			for range n / procs {
				h := sha256.Sum256(own)
				own[1] = h[0]
			}
		})
	}
	wg.Wait()
	return c.rates(n)
}

// wide returns the rows of a table of 8 columns, one of which changes with each call.
func wide(rowsOfSubject int) (Header, func(i int) [][]byte) {
	cells := make([][]byte, 8)
	for j := range cells {
		cells[j] = fmt.Appendf(nil, "value%03d", j)
	}
	id := []byte("01-0000000")
	cells[1] = id
	seq := []byte("00000000")
	cells[7] = seq
	put := func(b []byte, v int) {
		for k := len(b) - 1; k >= len(b)-7; k-- {
			b[k] = byte('0' + v%10)
			v /= 10
		}
	}
	columns := []string{"STUDYID", "USUBJID", "A", "B", "C", "D", "E", "SEQ"}
	return Header{"LB", testExtract("bench"), columns, 1}, func(i int) [][]byte {
		put(id, i/rowsOfSubject)
		put(seq, i)
		return cells
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, bm := range []struct {
		name     string
		cells    bool
		rowsEach int
	}{{"rows", false, 100}, {"rows,1 each", false, 1}, {"cells", true, 100}} {
		b.Run(bm.name, func(b *testing.B) {
			k := testKey(b, "bench")
			h, row := wide(bm.rowsEach)
			builder, err := NewBuilder(k, h, Options{Cells: bm.cells, Index: io.Discard})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			c := startClock()
			for i := range b.N {
				if err := builder.Add(row(i)); err != nil {
					b.Fatal(err)
				}
			}
			if _, _, err := builder.Finish(); err != nil {
				b.Fatal(err)
			}
			wall, used := c.rates(b.N)
			b.StopTimer()
			b.ReportMetric(float64(wall), "rows/s")
			b.ReportMetric(float64(8*wall), "cells/s")
			b.ReportMetric(float64(used), "rows/s-alone")
			limit(b, bm.cells, wall, used)
		})
	}
}

// limit prints the rate of rows at which the processors do nothing but the hashes of a row, in the
// same run, and what part of it was reached.
func limit(b *testing.B, cells bool, wall, used int64) {
	if b.N == 1 {
		return
	}
	var costs [2]int64 // picoseconds of a row: wall, used
	for _, h := range []struct{ size, rows, cells int }{
		{33, 2, 2 + 14}, {rowPrefix + 8*9, 1, 0}, {65, 2, 2 + 7}, {cellPrefix + 8, 0, 8}, {rowPrefix, 0, 1},
	} {
		n := h.rows
		if cells {
			n = h.cells
		}
		w, u := hashRates(h.size, 2_000_000)
		costs[0], costs[1] = costs[0]+int64(n)*1e12/w, costs[1]+int64(n)*1e12/u
	}
	b.Logf("%d rows, wall time: %d rows/s, %d cells/s; hashing alone %d rows/s, %d%% of it is reached", b.N, wall, 8*wall, 1e12/costs[0],
		wall*costs[0]/1e10)
	b.Logf("%d rows, time of processors: %d rows/s, %d cells/s; hashing alone %d rows/s, %d%% of it is reached", b.N, used, 8*used,
		1e12/costs[1], used*costs[1]/1e10)
}

func BenchmarkSalt(b *testing.B) {
	var w walker
	w.reset(Hash{1}, rowBits)
	c := startClock()
	for i := range b.N {
		w.leaf(uint64(i))
	}
	_, used := c.rates(b.N)
	b.ReportMetric(float64(1e9*int64(runtime.GOMAXPROCS(0))/used), "ns/op-alone")
}

func BenchmarkDisclose(b *testing.B) {
	const n = 1_000_000
	k := testKey(b, "bench")
	h, row := wide(100)
	builder, err := NewBuilder(k, h, Options{Cells: true})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		if err := builder.Add(row(i)); err != nil {
			b.Fatal(err)
		}
	}
	_, ix, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	size := 0
	c := startClock()
	for i := range b.N {
		at := i * 7919 % n
		d, err := ix.Disclose(k, []RowCells{{uint64(at), row(at)}}, []int{1, 7})
		if err != nil {
			b.Fatal(err)
		}
		data, _ := d.Marshal()
		size = len(data)
	}
	_, used := c.rates(b.N)
	b.ReportMetric(float64(1e9*int64(runtime.GOMAXPROCS(0))/used), "ns/op-alone")
	b.ReportMetric(float64(size), "bytes")
}

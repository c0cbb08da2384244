package table_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// A stream gives a head, a part many times, and a tail, without holding them.
type stream struct {
	head, part, tail string
	n                int
	rest             string
	state            int
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		switch {
		case s.state == 0:
			s.rest, s.state = s.head, 1
		case s.n > 0:
			s.rest = s.part
			s.n--
		case s.state == 1:
			s.rest, s.state = s.tail, 2
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// large returns a large table in a format, whose rows look like those of a findings domain, and how many rows it
// has, a multiple of 40.
func large(format string, n int) io.Reader {
	cols, columns := []col{}, []string{}
	for i := range 12 {
		cols = append(cols, col{name: fmt.Sprintf("C%d", i), length: 20})
		columns = append(columns, column(fmt.Sprintf("C%d", i), "string"))
	}
	for i := range 4 {
		cols = append(cols, col{name: fmt.Sprintf("N%d", i), number: 1, length: 8})
		columns = append(columns, column(fmt.Sprintf("N%d", i), "float"))
	}
	var json, xpt, csv, head strings.Builder
	for k := range 40 {
		if k > 0 {
			json.WriteString(",")
		}
		json.WriteString("[")
		for i := range 12 {
			value := fmt.Sprintf("value %d of %d", i, k)
			json.WriteString(`"` + value + `",`)
			xpt.WriteString(pad(value, 20))
			csv.WriteString(value + ",")
		}
		for i, f := range []float64{float64(k), 36.6, 120, 0.0625} {
			comma := strings.Repeat(",", min(i, 1))
			json.WriteString(fmt.Sprint(comma, f))
			csv.WriteString(fmt.Sprint(comma, f))
			xpt.WriteString(ibm(f))
		}
		json.WriteString("]")
		csv.WriteString("\n")
	}
	for i, c := range cols {
		head.WriteString(strings.Repeat(",", min(i, 1)) + c.name)
	}
	meta := fmt.Sprintf(meta, n, strings.Join(columns, ","))
	parts := n / 40
	switch format {
	case "xpt": // 40 rows of 272 bytes are 136 records
		return &stream{head: library(false) + member("BIG", "", 140, cols...), part: xpt.String(), n: parts}
	case "json":
		return &stream{head: meta + `,"rows":[` + json.String(), part: "," + json.String(), n: parts - 1, tail: `],"label2":"x"}`}
	case "ndjson":
		return &stream{head: meta + "}\n", part: strings.ReplaceAll(json.String(), "],[", "]\n[") + "\n", n: parts}
	case "csv":
		return &stream{head: head.String() + "\n", part: csv.String(), n: parts}
	}
	panic(format)
}

// TestMemory reads tables that are much larger than the memory that is allowed for.
func TestMemory(t *testing.T) {
	const rows = 160000 // of about 250 bytes
	for _, format := range []string{"xpt", "json", "ndjson", "csv"} {
		rd, err := table.Open("big."+format, large(format, rows))
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		n := 0
		for {
			_, err := rd.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%50000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				if now.HeapAlloc > before.HeapAlloc+(1<<20) {
					t.Fatalf("%s: %d rows hold %d bytes", format, n, now.HeapAlloc-before.HeapAlloc)
				}
			}
		}
		if n != rows {
			t.Errorf("%s: %d rows, want %d", format, n, rows)
		}
	}
}

// TestBomb reads a few kilobytes that hold a text of many megabytes.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.Copy(w, &stream{head: fmt.Sprintf(meta, 1, column("C", "string")) + "}\n[\"", part: strings.Repeat("x", 1<<16), n: 2000})
	_ = w.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := read("x.dsjc", bytes.NewReader(b.Bytes()))
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("error %v", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d bytes were allocated for %d", n, b.Len())
	}
}

func benchmark(b *testing.B, format string) {
	const rows = 40000
	b.ReportAllocs()
	for b.Loop() {
		rd, err := table.Open("big."+format, large(format, rows))
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := rd.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkXPT(b *testing.B)    { benchmark(b, "xpt") }
func BenchmarkJSON(b *testing.B)   { benchmark(b, "json") }
func BenchmarkNDJSON(b *testing.B) { benchmark(b, "ndjson") }
func BenchmarkCSV(b *testing.B)    { benchmark(b, "csv") }

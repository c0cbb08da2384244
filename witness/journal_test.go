package witness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJournalSearch: search finds the first line of every size in histories of every shape:
// with gaps, repeats, and lines of very different lengths.
func TestJournalSearch(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 1)
	for _, sizes := range [][]int64{
		{}, {0}, {1}, {5}, {1, 2}, {1, 1}, {0, 0, 0}, {1, 3, 3, 3, 7}, {1, 1, 2, 3, 5, 8, 13, 21}, {2, 4, 6, 8, 10, 12, 14, 16, 18},
	} {
		for _, torn := range []string{"", "x", `"log.example/a\n1\n`} {
			j := journal{path: filepath.Join(t.TempDir(), "history"), what: "history", files: machine{}}
			for i, size := range sizes {
				long := strings.Repeat("x", i*i*i*97%9000+1)
				if err := j.append(noteLine([]byte(l.sign(t, text(l.origin, size, tr.root(1), fmt.Sprint(i, long)))))); err != nil {
					t.Fatal(err)
				}
			}
			f, err := os.OpenFile(j.path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString(torn)
			f.Close()
			for target := int64(0); target <= 22; target++ {
				first := -1
				for i, size := range sizes {
					if size >= target {
						first = i
						break
					}
				}
				cp, note, err := j.search(target)
				if err != nil {
					t.Fatalf("%v: %d: %v", sizes, target, err)
				}
				switch {
				case first < 0 && cp != nil:
					t.Fatalf("%v: %d: found size %d", sizes, target, cp.size)
				case first >= 0 && (cp == nil || cp.size != sizes[first] || !strings.Contains(string(note), fmt.Sprintf("\n%dx", first))):
					t.Fatalf("%v: %d: found %v, want line %d", sizes, target, cp, first)
				}
			}
			last, err := j.last()
			if err != nil {
				t.Fatal(err)
			}
			if len(sizes) == 0 && last != nil || len(sizes) > 0 && !strings.Contains(last.text, fmt.Sprintf("\n%dx", len(sizes)-1)) {
				t.Errorf("%v: last is %v", sizes, last)
			}
		}
	}
}

// TestJournalSearchIsCheap: search reads a few lines of a long history, not all of it.
func TestJournalSearchIsCheap(t *testing.T) {
	l := newLog(t, "log.example/a")
	var b strings.Builder
	const n = 20_000
	tail := strings.SplitN(l.sign(t, text(l.origin, 1, emptyRoot)), "\n", 3)[2]
	for size := range n {
		b.Write(noteLine(fmt.Appendf(nil, "%s\n%d\n%s", l.origin, size, tail)))
		b.WriteByte('\n')
	}
	j := journal{path: filepath.Join(t.TempDir(), "history"), files: machine{}}
	if err := os.WriteFile(j.path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(1, func() {
		if cp, _, err := j.search(n / 3); err != nil || cp.size != n/3 {
			t.Fatalf("%v %v", cp, err)
		}
	})
	if allocs > 2000 {
		t.Errorf("%v allocations to find one of %d lines", allocs, n)
	}
}

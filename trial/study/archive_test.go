package study

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// packed returns data compressed with gzip.
func packed(t testing.TB, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archive returns a zip archive of files, given as name and content in turn.
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSplitPacked divides collections however they are packed. The bytes of each record are
// exactly those in the file.
func TestSplitPacked(t *testing.T) {
	damaged := packed(t, `[{"a":1}]`)
	damaged[len(damaged)-5] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		want []string
		err  string
	}{
		{"one a line", []byte("{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}"), []string{`{"a":1}`, `{"b":2}`, `{"c":3}`}, ""},
		{"one behind another", []byte("{\n\"a\":1}{\"b\":\n2}"), []string{"{\n\"a\":1}", "{\"b\":\n2}"}, ""},
		{"one object is the whole", []byte(" {\"a\":1}\n"), []string{" {\"a\":1}\n"}, ""},
		{"with a mark", []byte("\xef\xbb\xbf{\"a\":1}\n"), []string{"\xef\xbb\xbf{\"a\":1}\n"}, ""},
		{"a marked list", []byte("\xef\xbb\xbf[{\"a\":1},2]"), []string{`{"a":1}`, "2"}, ""},
		{"marked lines", []byte("\xef\xbb\xbf{\"a\":1}\n{\"b\":2}"), []string{`{"a":1}`, `{"b":2}`}, ""},
		{"an object and rubbish is one document", []byte(`{"a":1} x`), []string{`{"a":1} x`}, ""},
		{"lines and rubbish", []byte("{\"a\":1}\n{\"b\":2}\nx"), []string{`{"a":1}`, `{"b":2}`}, "record 3: not valid JSON"},
		{"gzip of a list", packed(t, `[{"a":1},{"b":2}]`), []string{`{"a":1}`, `{"b":2}`}, ""},
		{"gzip of lines", packed(t, "{\"a\":1}\n{\"b\":2}\n"), []string{`{"a":1}`, `{"b":2}`}, ""},
		{"gzip of a document", packed(t, " <x/>\n"), []string{" <x/>\n"}, ""},
		{"gzip of nothing", packed(t, ""), nil, "empty"},
		{"gzip, damaged", damaged, []string{`{"a":1}`}, "gzip"},
		{"zip", archive(t, "a.json", `{"a":1}`, "deep/b.xml", "<b/>", "__MACOSX/._a.json", "x", ".DS_Store", "x", "c.json",
			`[1,{"c":3}]`), []string{`{"a":1}`, "<b/>", "1", `{"c":3}`}, ""},
		{"zip, a file that is empty", archive(t, "a.json", "", "b.json", `{"b":2}`), []string{`{"b":2}`},
			"a.json in the zip archive: the file is empty"},
		{"zip of nothing", archive(t, "deep/.x", "x"), nil, "no files"},
		{"a word processor's file", archive(t, "[Content_Types].xml", "<x/>"), nil, "word processor"},
		{"gzip within gzip", packed(t, string(packed(t, "[1]"))), []string{string(packed(t, "[1]"))}, ""},
	} {
		var got []string
		err := Split(bytes.NewReader(c.data), func(n int, r []byte) error {
			got = append(got, string(r))
			if n != len(got) {
				t.Errorf("%s: record %d has the number %d", c.name, len(got), n)
			}
			return nil
		})
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) || (err == nil) != (c.err == "") || err != nil &&
			!strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v; want %q, %q", c.name, got, err, c.want, c.err)
		}
	}
	stop := errors.New("stop")
	for name, data := range map[string][]byte{"gzip": packed(t, "[1,2]"), "zip": archive(t, "a", "1", "b", "2"),
		"lines": []byte("{}\n{}")} {
		n := 0
		if err := Split(bytes.NewReader(data), func(int, []byte) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
			t.Errorf("%s: %v after %d records", name, err, n)
		}
	}
	if err := Split(struct{ io.Reader }{bytes.NewReader(archive(t, "a", "1"))}, func(int, []byte) error { return nil }); err != errZip {
		t.Errorf("a zip archive that cannot be read at any place: %v", err)
	}
}

// many returns a reader of a collection of n records of some kilobytes each, which are never
// all in memory.
func many(n int, before, between, after string) io.Reader {
	record := `{"text":"` + strings.Repeat("x", 10_000) + `"}`
	if before != "" && before[0] == '<' {
		record = "<fullTrial>" + strings.Repeat("x", 10_000) + "</fullTrial>"
	}
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, before)
		for i := range n {
			if i > 0 {
				io.WriteString(w, between)
			}
			io.WriteString(w, record)
		}
		io.WriteString(w, after)
		w.Close()
	}()
	return r
}

// TestSplitMemory: the memory used for a collection does not grow with it.
func TestSplitMemory(t *testing.T) {
	trialtest.Long(t)
	const n = 20_000 // 200 MB
	for name, c := range map[string]io.Reader{"a list": many(n, "[", ",", "]"), "lines": many(n, "", "\n", "\n"), "XML": many(n,
		"<allTrials>", "", "</allTrials>")} {
		var most, before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got := 0
		if err := Split(c, func(i int, _ []byte) error {
			if got = i; i%5000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&most)
				if held := int64(most.HeapAlloc) - int64(before.HeapAlloc); held > 20<<20 {
					t.Errorf("%s: %d MB are held after %d records", name, held>>20, i)
				}
			}
			return nil
		}); err != nil || got != n {
			t.Errorf("%s: %d records, %v", name, got, err)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range [][]byte{[]byte("[1,{}]"), []byte("{\"a\":1}\n{}"), []byte(`{"studies":[{}],"nextPageToken":"x"}`),
		[]byte("\xef\xbb\xbf{}"), packed(f, "[1]"), []byte("<allTrials><fullTrial>1</fullTrial></allTrials>"), archive(f, "a.json", "{}",
			"b", "[1,2]")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		_ = Split(bytes.NewReader(data), func(i int, r []byte) error {
			if n++; i != n || len(r) == 0 {
				t.Fatalf("record %d has the number %d and %d bytes", n, i, len(r))
			}
			return nil
		})
	})
}

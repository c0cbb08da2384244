package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A copying is a clock by which a file is copied: at each wait some more is written.
type copying struct {
	t     *testing.T
	time  time.Time
	waits []time.Duration
	write func(n int) // at the nth wait, from 1
}

func (c *copying) clock() clock {
	return clock{func() time.Time { return c.time }, func(ctx context.Context, d time.Duration) error {
		c.waits = append(c.waits, d)
		c.time = c.time.Add(d)
		if c.write != nil {
			c.write(len(c.waits))
		}
		return nil
	}}
}

// put writes a file that changed last at a time.
func (c *copying) put(name, text string, at time.Time) {
	c.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chtimes(name, at, at); err != nil {
		c.t.Fatal(err)
	}
}

// TestFinishedFiles copies a file while it is to be submitted: it is waited for, and
// what is logged is the finished one.
func TestFinishedFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.pdf"), filepath.Join(dir, "b.pdf")
	c := &copying{t: t, time: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}
	c.put(a, "%PDF-1.7 begun", c.time.Add(-time.Second))
	c.put(b, "old", c.time.Add(-time.Hour))
	c.write = func(n int) {
		switch n {
		case 1:
			c.put(a, "%PDF-1.7 begun, and more", c.time.Add(-2*time.Second))
		case 2:
			c.put(a, "%PDF-1.7 all of it %%EOF", c.time)
		case 3: // the other changes while the first is waited for
			c.put(b, "new", c.time.Add(-4*time.Second))
		}
	}
	var said strings.Builder
	e := &env{Env: &frame.Env{Stderr: &said, Stdin: strings.NewReader("")}}
	files, err := e.finishedFiles(t.Context(), c.clock(), settled, []string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	if files[0].digest != trial.Hash(sha256.Sum256([]byte("%PDF-1.7 all of it %%EOF"))) ||
		files[1].digest != trial.Hash(sha256.Sum256([]byte("new"))) {
		t.Errorf("logged would be an unfinished file: %v", files)
	}
	if len(c.waits) < 3 || c.waits[0] != 4*time.Second {
		t.Errorf("it waited %v", c.waits)
	}
	if n := strings.Count(said.String(), "waiting until"); n != 2 || strings.Contains(said.String(), "warning") {
		t.Errorf("it says %q", said.String())
	}

	// One that keeps changing is not logged.
	c = &copying{t: t, time: c.time}
	c.write = func(n int) { c.put(a, strings.Repeat("x", n), c.time) }
	c.put(a, "", c.time)
	if _, err := e.finishedFiles(t.Context(), c.clock(), settled, []string{a}); err == nil || !strings.Contains(err.Error(),
		"keeps changing") {
		t.Errorf("a file that never stops: %v", err)
	}

	// A time to come, as on another machine's disk, is not waited for.
	c = &copying{t: t, time: c.time}
	c.put(a, "x", c.time.Add(time.Hour))
	if _, err := e.finishedFiles(t.Context(), c.clock(), settled, []string{a}); err != nil || len(c.waits) > 0 {
		t.Errorf("%v, waited %v", err, c.waits)
	}
}

// TestChangedWhileRead: a file grows while it is hashed, however old it looks.
func TestChangedWhileRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(name, make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
	ctx := &appending{Context: t.Context(), name: name}
	_, err := (&env{Env: &frame.Env{}}).digestFiles(ctx, []string{name})
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Fatalf("%v", err)
	}
}

// appending is a context that appends to a file when it is first asked.
type appending struct {
	context.Context
	name string
	done bool
}

func (g *appending) Err() error {
	if !g.done {
		g.done = true
		if f, err := os.OpenFile(g.name, os.O_APPEND|os.O_WRONLY, 0); err == nil {
			f.Write([]byte("more"))
			f.Close()
		}
	}
	return g.Context.Err()
}

func TestCutShort(t *testing.T) {
	zip := "PK\x03\x04 files PK\x05\x06" + strings.Repeat("\x00", 16)
	for text, whole := range map[string]bool{
		"":                       true,
		"plain text":             true,
		"%PDF-1.7\n...\n%%EOF\n": true,
		"%PDF-1.7\n...\n%%EOF" + strings.Repeat(" ", 1500): true,
		"%PDF-1.7\n...\n%%E":                         false,
		"%PDF-1.7 %%EOF" + strings.Repeat("x", 4000): false, // an earlier part's end
		zip + "\x00\x00":                             true,
		zip + "\x03\x00abc":                          true,
		zip + "\x03\x00ab":                           false,
		zip + "\x00":                                 false,
		"PK\x03\x04 files":                           false,
		"PK\x03\x04" + strings.Repeat("z", 3*tailSize) + zip[4:] + "\x00\x00": true,
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			var tl tail
			if _, err := io.Copy(&tl, r); err != nil {
				t.Fatal(err)
			}
			if why := tl.cutShort(); (why == "") != whole {
				t.Errorf("%.40q (%d bytes): %q", text, len(text), why)
			}
		}
	}
}

func FuzzLineEnds(f *testing.F) {
	f.Add("a\r\nb\nc\r\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		lf := strings.ReplaceAll(text, "\r\n", "\n")
		for end, want := range map[string]string{"\n": lf, "\r\n": strings.ReplaceAll(lf, "\n", "\r\n")} {
			l := newLineEnds(end)
			if _, err := io.Copy(l, iotest.OneByteReader(strings.NewReader(text))); err != nil {
				t.Fatal(err)
			}
			whole := newLineEnds(end)
			whole.Write([]byte(text))
			if sum := l.sum(); sum != trial.Hash(sha256.Sum256([]byte(want))) || sum != whole.sum() {
				t.Errorf("%q with %q", text, end)
			}
		}
		var tl tail
		tl.Write([]byte(text))
		tl.cutShort()
	})
}

// TestExplain: only where other line ends are what was logged, it is said.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	for text, logged := range map[string]string{"a\r\nb\r\n": "a\nb\n", "a\nb\n": "a\r\nb\r\n", "a\r\nb\n": "a\nb\n"} {
		name := filepath.Join(dir, "f")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files, err := (&env{Env: &frame.Env{}}).digestFiles(t.Context(), []string{name})
		if err != nil {
			t.Fatal(err)
		}
		bad := &receipt.Problem{Part: "file", Detail: "it is not what was logged"}
		got := files[0].explain(bad, func(d trial.Hash) bool { return d == trial.Hash(sha256.Sum256([]byte(logged))) })
		if !strings.Contains(got.Error(), "differs in its line ends alone") {
			t.Errorf("%q against %q: %v", text, logged, got)
		}
		if got := files[0].explain(bad, func(trial.Hash) bool { return false }); strings.Contains(got.Error(), "line ends") ||
			!strings.Contains(got.Error(), "still being written") {
			t.Errorf("another text: %v", got)
		}
		if other := errors.New("else"); files[0].explain(other, nil) != other {
			t.Error("another error is changed")
		}
	}
}

package witness

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestConflictingRequests: two requests that are both valid, and exclude each other, arrive at
// the same time.
func TestConflictingRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	other := newTree().grow("a", 5).grow("b", 12)
	pairs := map[string][2]string{
		"two roots": {l.grow(t, tr, 5, 9), l.grow(t, other, 5, 9)},
		"two sizes": {l.grow(t, tr, 5, 9), l.grow(t, tr, 5, 7)},
	}
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			wins := [2]int{}
			for range 40 {
				w, _ := setup(t, l)
				must(t, w, l.grow(t, tr, 0, 5))
				var status [2]int
				var start, done sync.WaitGroup
				start.Add(1)
				for i := range pair {
					done.Go(func() {
						start.Wait()
						status[i] = post(w, pair[i]).Code
					})
				}
				start.Done()
				done.Wait()
				switch status {
				case [2]int{200, 409}:
					wins[0]++
				case [2]int{409, 200}:
					wins[1]++
				default:
					t.Fatalf("answers %v, want one 200 and one 409", status)
				}
				if h := notes(t, logFile(w, l, "history")); len(h) != 2 {
					t.Fatalf("%d checkpoints in history, want 2", len(h))
				}
				w.Close()
			}
			t.Logf("first won %d times, second %d", wins[0], wins[1])
		})
	}
}

// TestManyRequests: many requests for several logs at once, those of each log racing.
func TestManyRequests(t *testing.T) {
	logs := []*testLog{newLog(t, "log.example/a"), newLog(t, "log.example/b")}
	w, _ := setup(t, logs...)
	tr := newTree().grow("a", 30)
	var wg sync.WaitGroup
	for _, l := range logs {
		var bodies []string
		for size := range int64(30) {
			bodies = append(bodies, l.grow(t, tr, size, size+1))
		}
		for range 3 {
			wg.Go(func() {
				for _, body := range bodies {
					if rec := post(w, body); rec.Code != 200 && rec.Code != 409 {
						t.Errorf("%d %s", rec.Code, rec.Body)
					}
					get(w, "/"+originHash(l.origin)+"/checkpoint")
					get(w, "/metrics")
				}
			})
		}
	}
	wg.Wait()
	for _, l := range logs {
		h := notes(t, logFile(w, l, "history"))
		if len(h) != 30 || size(t, w, l) != 30 {
			t.Fatalf("%d in history, size %d, want 30", len(h), size(t, w, l))
		}
		for i, cp := range h {
			if cp.size != int64(i)+1 || cp.root != tr.root(cp.size) {
				t.Errorf("history %d has size %d", i, cp.size)
			}
		}
	}
}

func TestTime(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	w, c := setup(t, l)
	stamp := func(cosig string, n string) int64 {
		t.Helper()
		_, time, ok := w.cfg.Key.cosigned(mustParse(t, n+cosig))
		if !ok {
			t.Fatalf("bad cosignature %s", cosig)
		}
		return time
	}
	start := c.sec.Load()
	first := must(t, w, l.grow(t, tr, 0, 5))
	written := func() string {
		s, err := os.Stat(logFile(w, l, "checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(s.ModTime().UnixNano(), s.Sys())
	}

	// In the same second the answer has the same bytes, and nothing is written.
	before := written()
	if again := must(t, w, l.grow(t, tr, 5, 5)); again != first || written() != before {
		t.Errorf("the same second gave %s after %s", again, first)
	}
	// Later it is a fresh one, which is recorded, but the history stays.
	c.sec.Add(3600)
	if got := stamp(must(t, w, l.grow(t, tr, 5, 5)), l.at(t, tr, 5)); got != start+3600 {
		t.Errorf("cosigned again at %d, want %d", got, start+3600)
	}
	if !strings.Contains(read(t, logFile(w, l, "checkpoint")), "\n5\n") || written() == before {
		t.Error("the fresh cosignature was not recorded")
	}
	if h := notes(t, logFile(w, l, "history")); len(h) != 1 {
		t.Errorf("%d lines of history, want 1", len(h))
	}
	// A clock that went back has no effect, not even after a restart.
	c.sec.Add(-7200)
	if got := stamp(must(t, w, l.grow(t, tr, 5, 9)), l.at(t, tr, 9)); got != start+3600 {
		t.Errorf("after the clock went back: %d, want %d", got, start+3600)
	}
	w.Close()
	w = open(t, w.cfg)
	if got := stamp(must(t, w, l.grow(t, tr, 9, 12)), l.at(t, tr, 12)); got != start+3600 {
		t.Errorf("after a restart: %d, want %d", got, start+3600)
	}

	// Without a clock there is no cosignature.
	w, c = setup(t, l)
	for _, sec := range []int64{0, -5} {
		c.sec.Store(sec)
		want(t, w, l.grow(t, tr, 0, 5), 500, "internal error\n")
	}
	if size(t, w, l) != -1 {
		t.Error("recorded without a time")
	}
	c.sec.Store(1)
	must(t, w, l.grow(t, tr, 0, 5))
}

var errFault = errors.New("no space left on device")

// faultAt fails the nth step, before it is done or after; all later ones too if the disk stays
// broken.
type faultAt struct {
	n, calls int
	stays    bool
	steps    []string
}

func (f *faultAt) step(name string, done bool) error {
	f.calls++
	f.steps = append(f.steps, fmt.Sprint(name, " done:", done))
	if f.n != 0 && (f.calls == f.n || f.stays && f.calls > f.n) {
		return errFault
	}
	return nil
}

// TestWriteFailures: every step of writing fails, both ways: not done, and done but reported as
// failed. The client receives 500. The record is the old one or, after the commit point, the
// new one. In either case the witness continues from what is on disk and signs nothing that
// contradicts it.
func TestWriteFailures(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	other := newTree().grow("a", 5).grow("b", 12)
	for _, stays := range []bool{false, true} {
		for n := 1; ; n++ {
			f := &faultAt{}
			c := newClock()
			w := open(t, Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Logs: []Log{{VKey: l.vkey}}, Now: c.now, faults: f.step})
			must(t, w, l.grow(t, tr, 0, 5))
			*f = faultAt{n: n, stays: stays}
			rec := post(w, l.grow(t, tr, 5, 9))
			if f.calls < n {
				if rec.Code != 200 || n < 12 {
					t.Fatalf("only %d steps, answer %d", f.calls, rec.Code)
				}
				break
			}
			failed := f.steps[n-1]
			t.Run(fmt.Sprint(failed, " stays:", stays), func(t *testing.T) {
				if rec.Code != 500 || rec.Body.String() != "internal error\n" {
					t.Fatalf("answer %d %s", rec.Code, rec.Body)
				}
				if got := size(t, w, l); got != 5 {
					t.Fatalf("record moved to %d in memory", got)
				}
				if stays {
					want(t, w, l.grow(t, tr, 5, 9), 500, "internal error\n")
					if got := get(w, "/healthz").Code; got != http.StatusServiceUnavailable {
						t.Errorf("healthz: %d", got)
					}
				}
				*f = faultAt{} // space is found
				if got := get(w, "/healthz").Code; got != 200 {
					t.Errorf("healthz: %d", got)
				}
				// The commit point: before it the record has not changed.
				committed := size(t, w, l) == 9
				if wantCommitted := failed == "rename checkpoint done:true" || strings.Contains(failed, "folder of checkpoint") ||
					strings.Contains(failed, "history"); committed != wantCommitted {
					t.Fatalf("committed %v, want %v", committed, wantCommitted)
				}
				if committed {
					want(t, w, l.grow(t, other, 5, 9), 409, "9\n")
					want(t, w, l.grow(t, other, 9, 9), 422, "")
					must(t, w, l.grow(t, tr, 9, 9))
				} else {
					must(t, w, l.grow(t, tr, 5, 9))
				}
				consistent(t, w, l, tr, 9)
				w.Close()
				consistent(t, open(t, w.cfg), l, tr, 9)
			})
			w.Close()
		}
	}
}

// consistent checks that a witness is at a size of a tree, that its files say nothing else, and
// that it refuses what contradicts them.
func consistent(t *testing.T, w *Witness, l *testLog, tr *tree, at int64) {
	t.Helper()
	if got := size(t, w, l); got != at {
		t.Fatalf("size %d, want %d", got, at)
	}
	if left, err := filepath.Glob(filepath.Join(w.cfg.Dir, "*", "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	history := notes(t, logFile(w, l, "history"))
	var before int64
	for _, cp := range history {
		if _, _, ok := w.cfg.Key.cosigned(cp); !ok {
			t.Error("history holds a note without our cosignature")
		}
		if cp.size < before || cp.root != tr.root(cp.size) {
			t.Errorf("history goes from %d to %d, root %s", before, cp.size, cp.root)
		}
		before = cp.size
	}
	if len(history) == 0 || before != at {
		t.Errorf("history ends at %d, want %d", before, at)
	}
	rival := newTree().grow("c", at)
	want(t, w, ask(at, nil, l.at(t, rival, at)), 422, "")
	want(t, w, ask(at-1, nil, l.at(t, rival, at)), 409, fmt.Sprintf("%d\n", at))
	want(t, w, ask(at-1, nil, l.at(t, tr, at-1)), 409, fmt.Sprintf("%d\n", at))
	want(t, w, ask(0, nil, l.at(t, tr, at)), 409, fmt.Sprintf("%d\n", at))
}

// TestOldRecordPutBack: an old checkpoint file is refused in a folder whose history has a newer
// one.
func TestOldRecordPutBack(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	l2 := newLog(t, "log.example/b")
	w, _ := setup(t, l, l2)
	must(t, w, l2.grow(t, tr, 0, 12))
	foreign := read(t, logFile(w, l2, "checkpoint"))
	must(t, w, l.grow(t, tr, 0, 5))
	old := read(t, logFile(w, l, "checkpoint"))
	must(t, w, l.grow(t, tr, 5, 9))
	newest := read(t, logFile(w, l, "checkpoint"))
	w.Close()
	path := logFile(w, l, "checkpoint")
	for name, damage := range map[string]func() error{
		"old":       func() error { return os.WriteFile(path, []byte(old), 0o644) },
		"missing":   func() error { return os.Remove(path) },
		"empty":     func() error { return os.WriteFile(path, nil, 0o644) },
		"altered":   func() error { return os.WriteFile(path, []byte(strings.Replace(newest, "\n9\n", "\n8\n", 1)), 0o644) },
		"truncated": func() error { return os.WriteFile(path, []byte(newest[:len(newest)-3]), 0o644) },
		"foreign":   func() error { return os.WriteFile(path, []byte(foreign), 0o644) },
		"unsigned":  func() error { return os.WriteFile(path, []byte(l.at(t, tr, 12)), 0o644) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(w.cfg); err == nil || !strings.Contains(err.Error(), "checkpoint") {
			t.Errorf("%s record: opened, %v", name, err)
		}
	}
	if err := os.WriteFile(path, []byte(newest), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, w.cfg).Close()
}

func TestClosed(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	w, _ := setup(t, l)
	must(t, w, l.grow(t, tr, 0, 5))
	w.Close()
	want(t, w, l.grow(t, tr, 5, 9), 500, "internal error\n")
	want(t, w, l.grow(t, tr, 5, 5), 500, "internal error\n")
	if cp := read(t, logFile(w, l, "checkpoint")); !strings.Contains(cp, "\n5\n") {
		t.Error("wrote after Close")
	}
}

func TestMetrics(t *testing.T) {
	l := newLog(t, `log.example/"a\`)
	tr := newTree().grow("a", 12)
	w, c := setup(t, l)
	must(t, w, l.grow(t, tr, 0, 5))
	must(t, w, l.grow(t, tr, 5, 9))
	want(t, w, l.grow(t, tr, 5, 9), 409, "")
	want(t, w, ask(9, nil, l.at(t, newTree().grow("b", 9), 9)), 422, "")
	want(t, w, "x", 400, "")
	got := get(w, "/metrics").Body.String()
	for _, line := range []string{
		"# TYPE trialwitness_answers_total counter",
		`trialwitness_answers_total{status="200"} 2`,
		`trialwitness_answers_total{status="400"} 1`,
		`trialwitness_answers_total{status="409"} 1`,
		`trialwitness_answers_total{status="422"} 1`,
		`trialwitness_size{origin="log.example/\"a\\"} 9`,
		fmt.Sprintf(`trialwitness_cosignature_time_seconds{origin="log.example/\"a\\"} %d`, c.sec.Load()),
		`trialwitness_cosigned_total{origin="log.example/\"a\\"} 2`,
		`trialwitness_refused_total{origin="log.example/\"a\\"} 2`,
		`trialwitness_write_failures_total{origin="log.example/\"a\\"} 0`,
		`trialwitness_forks{origin="log.example/\"a\\"} 1`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("metrics lack %s in\n%s", line, got)
		}
	}
}

// TestDefaultClock: Config's clock is optional.
func TestDefaultClock(t *testing.T) {
	l := newLog(t, "log.example/a")
	w, err := Open(Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Logs: []Log{{VKey: l.vkey}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	tr, before := newTree().grow("a", 5), time.Now().Unix()
	n := l.at(t, tr, 5)
	_, at, ok := w.cfg.Key.cosigned(mustParse(t, n+must(t, w, ask(0, nil, n))))
	if !ok || at < before || at > time.Now().Unix() {
		t.Errorf("cosigned at %d", at)
	}
}

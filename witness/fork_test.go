package witness

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func forksOf(t *testing.T, w *Witness) [][]byte {
	t.Helper()
	lines, err := Forks(w.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestForksAreKept: in whatever way the two halves of a fork come in, the pair is kept, and
// proves the fork to somebody who has only the log's key.
func TestForksAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l, ml := newLog(t, "log.example/a"), newMLDSALog(t, "log.example/m")
	tr := newTree().grow("a", 12)
	other := newTree().grow("a", 4).grow("b", 12)
	third := newTree().grow("c", 12)
	type step struct {
		old, new int64
		tr       *tree
		status   int
	}
	for _, tt := range []struct {
		name  string
		steps []step
		forks int
	}{
		{"none", []step{{0, 5, tr, 200}, {5, 5, tr, 200}, {3, 9, tr, 409}, {5, 9, tr, 200}, {5, 9, tr, 409}, {0, 5, tr, 409}, {0, 12, tr,
			409}}, 0},
		{"at the record", []step{{0, 5, tr, 200}, {5, 5, other, 422}}, 1},
		{"at the record, wrong old", []step{{0, 5, tr, 200}, {0, 5, other, 409}}, 1},
		{"at the record, old above size", []step{{0, 5, tr, 200}, {9, 5, other, 400}}, 1},
		{"at an older size", []step{{0, 5, tr, 200}, {5, 7, tr, 200}, {7, 12, tr, 200}, {4, 7, other, 409}}, 1},
		{"at an older size, never cosigned", []step{{0, 5, tr, 200}, {5, 12, tr, 200}, {4, 7, other, 409}}, 0},
		{"at the oldest size", []step{{0, 5, tr, 200}, {5, 7, tr, 200}, {7, 12, tr, 200}, {0, 5, other, 409}}, 1},
		{"refused before it is cosigned", []step{{0, 5, tr, 200}, {4, 9, other, 409}, {5, 9, tr, 200}}, 1},
		{"both refused", []step{{0, 5, tr, 200}, {5, 9, other, 422}, {4, 9, tr, 409}}, 1},
		{"both refused, one cosigned later", []step{{0, 5, tr, 200}, {5, 9, other, 422}, {4, 9, tr, 409}, {5, 9, tr, 200}}, 1},
		{"sent again and again", []step{{0, 5, tr, 200}, {5, 5, other, 422}, {5, 5, other, 422}, {0, 5, other, 409}}, 1},
		{"three roots", []step{{0, 5, tr, 200}, {5, 5, other, 422}, {5, 5, third, 422}}, 2},
		{"at another size each", []step{{0, 5, tr, 200}, {5, 9, tr, 200}, {4, 5, other, 409}, {9, 9, other, 422}}, 2},
		{"roots that agree", []step{{0, 4, tr, 200}, {4, 4, other, 200}, {0, 4, other, 409}}, 0},
	} {
		for _, restart := range []bool{false, true} {
			for _, log := range []*testLog{l, ml} {
				t.Run(fmt.Sprint(tt.name, " restart:", restart, " ", log.origin), func(t *testing.T) {
					w, c := setup(t, log)
					for _, s := range tt.steps {
						var body string
						if s.old <= s.new {
							body = log.grow(t, s.tr, s.old, s.new)
						} else {
							body = ask(s.old, nil, log.at(t, s.tr, s.new))
						}
						want(t, w, body, s.status, "")
						c.sec.Add(1)
						if restart {
							w.Close()
							w = open(t, w.cfg)
						}
					}
					lines := forksOf(t, w)
					if len(lines) != tt.forks {
						t.Fatalf("%d forks kept, want %d", len(lines), tt.forks)
					}
					for _, line := range lines {
						if err := CheckFork([]string{l.vkey, ml.vkey}, line); err != nil {
							t.Errorf("%v in %s", err, line)
						}
					}
				})
			}
		}
	}
}

func TestCheckFork(t *testing.T) {
	l, second, stranger := newLog(t, "log.example/a"), newLog(t, "log.example/a"), newLog(t, "log.example/x")
	tr, other := newTree().grow("a", 9), newTree().grow("b", 9)
	good := string(forkLine([]byte(l.at(t, tr, 9)), []byte(l.at(t, other, 9))))
	if !strings.HasPrefix(good, `{"kind":"fork","checkpoints":["log.example/a\n9\n`) {
		t.Errorf("evidence is %s", good)
	}
	pair := func(a, b string) string { return string(forkLine([]byte(a), []byte(b))) }
	vkeys := []string{l.vkey}
	for _, tt := range []struct {
		name, line string
		vkeys      []string
		want       string // "" if proven
	}{
		{"good", good, vkeys, ""},
		{"with line feed", good + "\n", vkeys, ""},
		{"keys of other logs, too", good, []string{stranger.vkey, l.vkey}, ""},
		{"by two keys of the log", pair(l.at(t, tr, 9), second.at(t, other, 9)), []string{l.vkey, second.vkey}, ""},
		{"size 0", pair(l.at(t, tr, 0), l.sign(t, text(l.origin, 0, tr.root(1)))), vkeys, ""},
		{"no key", good, nil, "add -log"},
		{"another log's key", good, []string{stranger.vkey}, "add -log"},
		{"another key of the name", good, []string{second.vkey}, "first checkpoint"},
		{"one half by another key", pair(l.at(t, tr, 9), second.at(t, other, 9)), vkeys, "second checkpoint"},
		{"malformed key", good, []string{"x"}, "log key"},
		{"same checkpoint", pair(l.at(t, tr, 9), l.at(t, tr, 9)), vkeys, "same root"},
		{"same root, other extension", pair(l.at(t, tr, 9), l.sign(t, text(l.origin, 9, tr.root(9), "x"))), vkeys, "same root"},
		{"two sizes", pair(l.at(t, tr, 9), l.at(t, other, 8)), vkeys, "two sizes"},
		{"two logs", pair(l.at(t, tr, 9), stranger.at(t, other, 9)), []string{l.vkey, stranger.vkey}, "two logs"},
		{"altered", strings.Replace(good, `\n9\n`, `\n8\n`, 2), vkeys, "signature"},
		{"unsigned", pair(text(l.origin, 9, tr.root(9)), l.at(t, other, 9)), vkeys, "no signatures"},
		{"other kind", strings.Replace(good, "fork", "spoon", 1), vkeys, "kind"},
		{"one checkpoint", `{"kind":"fork","checkpoints":["x"]}`, vkeys, "two checkpoints"},
		{"unknown member", strings.Replace(good, `{`, `{"x":1,`, 1), vkeys, "not a line"},
		{"something behind", good + "{}", vkeys, "there is something after it"},
		{"no JSON", "x", vkeys, "not a line"},
		{"empty", "", vkeys, "not a line"},
	} {
		err := CheckFork(tt.vkeys, []byte(tt.line))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := Forks(t.TempDir()); err == nil {
		t.Error("an empty folder has no forks, instead of being no witness's")
	}
}

// TestRefusalsAreBounded: a log that signs anything can neither fill the disk nor push out the
// first evidence against it.
func TestRefusalsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	other := newTree().grow("b", 12)
	w, _ := setup(t, l)
	must(t, w, l.grow(t, tr, 0, 5))
	want(t, w, ask(5, nil, l.at(t, other, 5)), 422, "")
	first := string(forksOf(t, w)[0])

	// A stranger sends what the log signed once, each time with other signatures.
	for range 20 {
		n := l.at(t, tr, 9)
		want(t, w, ask(5, nil, l.sign(t, n[:strings.Index(n, "\n\n")+1], newLog(t, "x").signer)), 422, "")
	}
	if kept := notes(t, logFile(w, l, "refused")); len(kept) != 1 || len(kept[0].sigs) != 1 {
		t.Fatalf("%d refused checkpoints kept of one", len(kept))
	}
	for i := range 2*maxRefused + 10 {
		want(t, w, ask(5, nil, l.sign(t, text(l.origin, 9, tr.root(9), fmt.Sprint("extension ", i)))), 422, "")
	}
	count := func() (n int) {
		for _, name := range []string{"refused", "refused.old"} {
			n += len(notes(t, logFile(w, l, name)))
		}
		return n
	}
	if n := count(); n < maxRefused || n > 2*maxRefused {
		t.Errorf("%d refused checkpoints kept, want %d to %d", n, maxRefused, 2*maxRefused)
	}
	all := read(t, logFile(w, l, "refused"))
	if !strings.Contains(all, fmt.Sprint("extension ", 2*maxRefused+9)) {
		t.Error("the newest refusal is not kept")
	}
	// The limit in bytes.
	for i := range 60 {
		w.ledgers[l.origin].keepText(&checkpoint{text: fmt.Sprint(i)}, strings.Replace(l.at(t, tr, 5), "\n5\n",
			"\n5\n"+strings.Repeat("x", 60_000)+"\n", 1))
	}
	for _, name := range []string{"refused", "refused.old"} {
		if s, err := os.Stat(logFile(w, l, name)); err != nil || s.Size() > maxRefusedBytes {
			t.Errorf("%s holds %d bytes", name, s.Size())
		}
	}
	if got := forksOf(t, w); len(got) != 1 || string(got[0]) != first {
		t.Errorf("%d forks, want the first", len(got))
	}

	// The number of forks is limited too, and they stay when it is reached.
	x := &w.ledgers[l.origin].refused
	for i := len(x.forks); i < maxForks; i++ {
		x.forks[textHash{byte(i), byte(i >> 8), 1}] = true
	}
	late := newTree().grow("late", 5)
	want(t, w, ask(5, nil, l.at(t, late, 5)), 422, "")
	if got := forksOf(t, w); len(got) != 1 || string(got[0]) != first {
		t.Errorf("%d forks, want the first", len(got))
	}
	if !strings.Contains(read(t, logFile(w, l, "refused")), late.root(5).String()) {
		t.Error("a fork beyond the limit is not even kept as refused")
	}
}

// TestRefusalNotWritten: evidence that cannot be written changes no answer.
func TestRefusalNotWritten(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	f := &faultAt{}
	w := open(t, Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Logs: []Log{{VKey: l.vkey}}, faults: f.step})
	must(t, w, l.grow(t, tr, 0, 5))
	*f = faultAt{n: 1, stays: true}
	rival := ask(5, nil, l.at(t, newTree().grow("b", 5), 5))
	want(t, w, rival, 422, "")
	want(t, w, ask(3, nil, l.at(t, tr, 9)), 409, "5\n")
	*f = faultAt{}
	want(t, w, rival, 422, "")
	must(t, w, l.grow(t, tr, 5, 9))
	if got := forksOf(t, w); len(got) != 1 {
		t.Errorf("%d forks kept once there was space", len(got))
	}
}

// TestTornEvidence: a torn last line of any file is cut off by the next write.
func TestTornEvidence(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	w, _ := setup(t, l)
	must(t, w, l.grow(t, tr, 0, 5))
	for _, name := range []string{"forks", "refused"} {
		if err := os.WriteFile(logFile(w, l, name), []byte(`{"kind":"fo`+strings.Repeat("x", 10_000)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	w = open(t, w.cfg)
	want(t, w, ask(5, nil, l.at(t, newTree().grow("b", 5), 5)), 422, "")
	want(t, w, ask(5, nil, l.at(t, tr, 9)), 422, "")
	for _, line := range forksOf(t, w) {
		if !json.Valid(line) {
			t.Errorf("forks holds %s", line)
		}
	}
	for _, name := range []string{"forks", "refused"} {
		if got := read(t, logFile(w, l, name)); !strings.HasSuffix(got, "\n") || strings.Contains(got, "xxx") {
			t.Errorf("%s still holds the torn line", name)
		}
	}
	if len(forksOf(t, w)) != 1 || len(notes(t, logFile(w, l, "refused"))) != 1 {
		t.Error("evidence behind a torn line is not kept")
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A badLog serves over HTTP whatever entries and checkpoint it is given.
type badLog struct {
	*httptest.Server
	t      *testing.T
	l      *trialtest.Log
	dir    string // of the policy
	policy string

	mu         sync.Mutex // guards what follows
	checkpoint []byte
	stall      chan struct{} // if set, bundles behind the first wait for its end
}

var badLogKey = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}

// newBadLog serves a log of n documents of one trial, and more trees.
func newBadLog(t *testing.T, n int) *badLog {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	l.Close()
	for i := range n {
		l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", fmt.Sprint(i)))
		if i%8 == 7 {
			l.Close()
		}
	}
	l.Close()
	b := &badLog{t: t, l: l, dir: t.TempDir()}
	b.policy = filepath.Join(b.dir, "policy")
	if err := os.WriteFile(b.policy, fmt.Appendf(nil, "log %s\nquorum none\n", badLogKey.VKey()), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	b.publish(l.Tree(l.Size()))
	return b
}

func (b *badLog) signed(tree checkpoint.Tree) []byte {
	return trialtest.Checkpoint(b.t, tree, note.Signer(badLogKey))
}

func (b *badLog) publish(tree checkpoint.Tree) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.checkpoint = b.signed(tree)
}

// breach puts an entry behind the log that is none, and ends the tree.
func (b *badLog) breach() (index uint64) {
	b.mu.Lock()
	index = b.l.Size()
	b.l.Append([]byte("\xffx"))
	b.l.State.Skip(index)
	b.l.Close()
	b.mu.Unlock()
	b.publish(b.l.Tree(b.l.Size()))
	return index
}

func (b *badLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "checkpoint" {
		w.Write(b.checkpoint)
		return
	}
	name, entries := strings.CutPrefix(path, "tile/entries/")
	if !entries {
		name = strings.TrimPrefix(path, "tile/")
	} else {
		name = "data/" + name
	}
	tile, err := tlog.ParseTilePath("tile/8/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if entries {
		if stall := b.stall; stall != nil && tile.N > 0 {
			b.mu.Unlock()
			select {
			case <-stall:
			case <-r.Context().Done():
			}
			b.mu.Lock()
		}
		w.Write(b.l.Bundle(uint64(tile.N), tile.W))
		return
	}
	data, err := tlog.ReadTileData(tile, b.l)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Write(data)
}

// trial runs a command and returns its status, what it printed and what it said.
func (b *badLog) trial(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, words bytes.Buffer
	status = run(ctx, args, nil, &out, &words)
	return status, out.String(), words.String()
}

// want runs a command that must end with a status and say all of the texts.
func (b *badLog) want(status int, args []string, texts ...string) (stdout string) {
	b.t.Helper()
	got, stdout, stderr := b.trial(b.t.Context(), args...)
	if got != status {
		b.t.Fatalf("%v: status %d, want %d\n%s%s", args, got, status, stdout, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stdout+stderr, text) {
			b.t.Fatalf("%v: %q is not in\n%s%s", args, text, stdout, stderr)
		}
	}
	return stdout
}

func TestEvidenceCommand(t *testing.T) {
	t.Parallel()
	b := newBadLog(t, 20)
	file := filepath.Join(b.dir, "x.evidence")
	onlog := func(args ...string) []string {
		return append(args, "-log", b.URL, "-policy", b.policy)
	}
	b.want(exitDone, onlog("audit", "-evidence", file), "clean: ")
	if _, err := os.Stat(file); err == nil {
		t.Fatal("evidence of an honest log")
	}
	index := b.breach()
	b.want(exitInvalid, onlog("audit"), fmt.Sprintf("rule at %d: R1", index), "-evidence FILE")
	b.want(exitInvalid, onlog("audit", "-evidence", file), "trial evidence -policy")
	check := []string{"evidence", "-policy", b.policy, file}
	b.want(exitDone, check, fmt.Sprintf("proven: the log %s signed a tree of size %d whose entry %d breaks a rule of the log: R1",
		trialtest.Origin, index+2, index))
	var v struct {
		Kind, Rule, Origin string
		Index              uint64
	}
	if err := json.Unmarshal([]byte(b.want(exitDone, append(check, "-json"))), &v); err != nil || v.Kind != "rule" || v.Rule != "R1" ||
		v.Index != index {
		t.Errorf("%+v, %v", v, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) string {
		t.Helper()
		name = filepath.Join(b.dir, name)
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	evidence := func(file string) []string { return []string{"evidence", "-policy", b.policy, file} }
	b.want(exitInvalid, evidence(put("altered", bytes.Replace(data, []byte(`"index":"`), []byte(`"index":"1`), 1))), "proves nothing")
	b.want(exitInvalid, evidence(put("empty", nil)), "is empty")
	b.want(exitInvalid, evidence(put("two", append(data[:len(data):len(data)], "{}\n"...))), "line 2: ", "proven: ")
	b.want(exitDone, evidence(put("twice", append(data[:len(data):len(data)], data...))), "proven: ")
	b.want(exitInvalid, []string{"evidence", "-policy", put("other", []byte("log "+trialtest.Cosigner{Key: "other.example",
		Alg: 1}.VKey()+"\nquorum none\n")), file}, "no key of the log")
	b.want(exitUsage, []string{"evidence", file}, "-policy")
	b.want(exitUsage, []string{"evidence", "-policy", b.policy}, "one file")
	b.want(exitUsage, evidence(filepath.Join(b.dir, "nowhere")))

	// A rule set that this program does not know is nobody's breach.
	newer := newBadLog(t, 3)
	g := *trialtest.Genesis()
	g.Rules = 1000
	raw, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	newer.l.Truncate(0)
	newer.l.Append(raw)
	newer.l.Append([]byte("x"))
	type entry struct {
		Index string   `json:"index"`
		Entry []byte   `json:"entry"`
		Path  []string `json:"path"`
	}
	located := func(i int) entry {
		e := entry{strconv.Itoa(i), newer.l.Leaves[i], nil}
		for _, h := range newer.l.Path(uint64(i), 2) {
			e.Path = append(e.Path, tlog.Hash(h).String())
		}
		return e
	}
	line, err := json.Marshal(struct {
		Kind        string   `json:"kind"`
		Checkpoints []string `json:"checkpoints"`
		Entries     []entry  `json:"entries"`
	}{"rule", []string{string(newer.signed(newer.l.Tree(2)))}, []entry{located(0), located(1)}})
	if err != nil {
		t.Fatal(err)
	}
	newer.want(exitPending, []string{"evidence", "-policy", newer.policy, put("newer", line)}, "needs a newer trialproof")
}

// TestAuditIsKilled stalls the log's second bundle: by then what was replayed is
// saved, and the next audit goes on from there.
func TestAuditIsKilled(t *testing.T) {
	t.Parallel()
	defer func(d time.Duration) { saveEvery = d }(saveEvery)
	saveEvery = 0
	b := newBadLog(t, 400)
	b.stall = make(chan struct{})
	state := filepath.Join(b.dir, "state")
	args := []string{"audit", "-log", b.URL, "-policy", b.policy, "-state", state}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		status, _, _ := b.trial(ctx, args...)
		ended <- status
	}()
	waitFor(t, func() bool {
		data, err := os.ReadFile(state)
		return err == nil && bytes.Contains(data, []byte(`\"size\":2`)) // a state entry far in the first bundle
	})
	cancel()
	if status := <-ended; status == exitDone {
		t.Fatal("the audit ended well")
	}
	close(b.stall)
	out := b.want(exitDone, args, "clean: ")
	if !strings.Contains(out, "from entry 2") || strings.Contains(out, "from entry 0 ") {
		t.Errorf("it began again: %s", out)
	}
	whole := filepath.Join(b.dir, "whole")
	b.want(exitDone, []string{"audit", "-log", b.URL, "-policy", b.policy, "-state", whole})
	one, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(whole)
	if err != nil || !bytes.Equal(one, other) {
		t.Errorf("it ends elsewhere than a whole audit: %v", err)
	}
}

// waitFor waits for a condition.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to that")
		}
	}
}

func TestMonitorCommand(t *testing.T) {
	t.Parallel()
	b := newBadLog(t, 20)
	state := filepath.Join(b.dir, "monitor.state")
	args := func(more ...string) []string {
		return append([]string{"monitor", "-log", b.URL, "-policy", b.policy, "-state", state, "-far", "87600h"},
			more...) // its entries are of another day
	}
	b.want(exitUsage, []string{"monitor", "-log", b.URL, "-policy", b.policy}, "-state must be given")
	b.want(exitUsage, args("-interval", "0s"))
	b.want(exitUsage, args("-also", "here"))
	b.want(exitUsage, args("-trial", "NCT1"))
	if out := b.want(exitDone, args("-once", "-org", "acme", "-trial", "log", "-also", b.URL+"/checkpoint")); out != "" {
		t.Errorf("it says %s", out)
	}
	// It is an audit's state, and an audit's is one for it.
	b.want(exitDone, []string{"audit", "-log", b.URL, "-policy", b.policy, "-state", state}, "from entry "+fmt.Sprint(b.l.Size()))

	index := b.breach()
	var a audit.Alarm
	out := b.want(exitInvalid, args("-once"), "alarm: rule: R1")
	if err := json.Unmarshal([]byte(out), &a); err != nil || a.Alarm != "rule" || *a.Index != index {
		t.Fatalf("%s: %v", out, err)
	}
	b.want(exitDone, []string{"evidence", "-policy", b.policy, filepath.Join(b.dir, a.Evidence)}, "proven: ")
	if out := b.want(exitInvalid, args("-once")); out != "" {
		t.Errorf("it is raised again: %s", out)
	}

	// For ever, until it is told to end.
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ended := make(chan int, 1)
	go func() {
		defer w.Close()
		ended <- run(ctx, args("-interval", "5ms"), nil, w, &bytes.Buffer{})
	}()
	b.publish(b.l.Tree(3))
	lines := json.NewDecoder(r)
	if err := lines.Decode(&a); err != nil || a.Alarm != "rollback" {
		t.Errorf("%+v, %v", a, err)
	}
	b.publish(b.l.Tree(b.l.Size()))
	if a = (audit.Alarm{}); lines.Decode(&a) != nil || a.Alarm != "rollback" || !a.Ended {
		t.Errorf("%+v", a)
	}
	cancel()
	if status := <-ended; status != exitDone {
		t.Errorf("status %d", status)
	}
	b.Close()
	b.want(exitInvalid, args("-once"), "cannot be audited") // the breach is remembered
	other := newBadLog(t, 3)
	other.Close()
	other.want(exitPending, []string{"monitor", "-log", other.URL, "-policy", other.policy, "-once", "-state", filepath.Join(other.dir,
		"s")}, "could not be audited")
}

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// TestLargeLog takes over a log that was made elsewhere, has two replaying witnesses
// join it, and reads histories of it as a client does: 50 of a log of 4,000 entries
// about 500 trials, and where TRIALPROOF_TEST_LARGE is set 200 of one of 100,000
// entries about 5,000 trials.
func TestLargeLog(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	entries, trials, histories := 4000, 500, 50
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		entries, trials, histories = 100_000, 5000, 200
	}
	w := &town{t: t, dir: t.TempDir()}
	env := append(os.Environ(), "PATH="+binDir)
	biglog := exec.Command("go", "run", "../../deploy/biglog", "-n", fmt.Sprint(entries), "-trials", fmt.Sprint(trials), "-dir",
		filepath.Join(w.dir, "web"))
	if out, err := biglog.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"log.key", "log.vkey", "policy"} {
		data, err := os.ReadFile(filepath.Join(w.dir, "web", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(w.dir, "log"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, "log", name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	w.ok("triallog", "restore", "-from", "file://"+filepath.Join(w.dir, "web"), "-dir", "log", "-unwitnessed")
	t.Logf("restored in %s", time.Since(began).Round(time.Second))

	vkey, err := os.ReadFile(filepath.Join(w.dir, "log", "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	logLine, addr := "log "+strings.TrimSpace(string(vkey)), freeAddress()
	text, plain := logLine+"\n", ""
	for _, name := range []string{"r1", "r2", "p1"} {
		args := []string{"trialwitness", "keygen", "-name", name + ".example", "-key", name + ".key"}
		log := strings.TrimSpace(string(vkey))
		if name != "p1" {
			args = []string{"trialwitness", "keygen", "-replay", "-name", name + ".example/replay", "-key", name + ".key"}
			log += "=http://" + addr
		}
		wkey := w.ok(args...)
		p, err := startProcess(w.dir, env, "trialwitness", "serve", "-key", name+".key", "-dir", name, "-listen", "127.0.0.1:0", "-log",
			log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.cmd.Process.Kill() })
		text += "witness " + name + " " + wkey + " " + p.url + "\n"
		plain = logLine + "\nwitness p1 " + wkey + "\nquorum p1\n"
	}
	for name, text := range map[string]string{"policy": text + "group g 2 r1 r2\nquorum g\n", "log/policy": text +
		"group g all r1 r2 p1\nquorum g\n", "plain": plain} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	began = time.Now()
	server, err := startProcess(w.dir, env, "triallog", "serve", "-dir", "log", "-listen", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.cmd.Process.Kill() })
	flags := []string{"-log", server.url, "-policy", "policy"}

	// Nothing is published before the witnesses have replayed it all.
	for deadline := time.Now().Add(6 * patience); ; {
		_, out, status := w.run(append([]string{"trial", "history", "sponsor:big-pharma/BIG-0"}, flags...)...)
		if status == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the witnesses did not join: %d %s", status, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("two witnesses replayed %d entries in %s", entries, time.Since(began).Round(time.Second))
	w.largeHistories(server.url, trials, histories)

	// The command line: proven, absent, and stated by the operator under plain witnesses.
	_, out, status := w.run(append([]string{"trial", "history", "NCT00000001"}, flags...)...)
	if status != 0 || !strings.Contains(out, "nothing was logged") {
		t.Errorf("absence: %d %s", status, out)
	}
	_, out, status = w.run("trial", "history", "-log", server.url, "-policy", "plain", "sponsor:big-pharma/BIG-7")
	if status != 3 || !strings.Contains(out, "complete as stated by the operator") {
		t.Errorf("under a plain witness: %d %s", status, out)
	}
	_, out, status = w.run("trial", "history", "-log", server.url, "-policy", "plain", "NCT00000001")
	if status != 3 || !strings.Contains(out, "complete as stated by the operator") {
		t.Errorf("absence under a plain witness: %d %s", status, out)
	}
}

// largeHistories verifies the histories of a sample of the trials, and that none holds
// with an entry withheld, invented or swapped, nor the absence of one that is there.
func (w *town) largeHistories(url string, trials, sample int) {
	t := w.t
	data, err := os.ReadFile(filepath.Join(w.dir, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.ParsePolicy(data)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(url)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key trial.RecordKey) *history.History {
		t.Helper()
		r := &remote{client: c, policy: policy, keep: true}
		p, err := r.history(t.Context(), key, 0)
		if err != nil {
			t.Fatal(err)
		}
		return p.Proof
	}
	absent := get(trial.RecordKey{Kind: "trial", ID: trial.Hash{1}.String()})
	if v, err := absent.Verify(policy); err != nil || v.Record != nil || !v.Replayed {
		t.Fatalf("absence of a trial: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	total := 0
	for _, n := range random.Perm(trials)[:sample] {
		number := get(trial.RecordKey{Kind: "identifier", ID: trial.SponsorNumber("big-pharma", fmt.Sprint("BIG-", n))})
		v, err := number.Verify(policy)
		if err != nil || v.Record == nil {
			t.Fatalf("number %d: %v", n, err)
		}
		key := trial.RecordKey{Kind: "trial", ID: v.Record.(*trial.IdentifierRecord).Trial().String()}
		h := get(key)
		if v, err = h.Verify(policy); err != nil || !v.Replayed || len(v.Entries) < 2 || len(v.Entries) != int(v.Record.EntryTree().Count) {
			t.Fatalf("trial %d: %v", n, err)
		}
		total += len(v.Entries)
		last := len(h.Entries) - 1
		for words, lie := range map[string]func(h *history.History){
			"some are withheld":     func(h *history.History) { h.Entries = h.Entries[:last] },
			"the order was changed": func(h *history.History) { h.Entries[last], h.Entries[0] = h.Entries[0], h.Entries[last] },
			"some are about something else": func(h *history.History) {
				h.Entries = append(h.Entries, number.State) // of the same tree, about nobody
			},
			"inclusion proof": func(h *history.History) {
				h.Entries[last].Entry = h.Entries[0].Entry
			},
			"map proof does not verify": func(h *history.History) { h.Record, h.Entries, h.Map = "", nil, absent.Map },
		} {
			l := *h
			l.Entries = append([]history.Entry(nil), h.Entries...)
			lie(&l)
			if l.Map.Key == h.Map.Key && l.Record == "" { // where the absent trial's path ends, this one stands
				words = "but it is withheld"
			}
			if _, err := l.Verify(policy); err == nil || !strings.Contains(err.Error(), words) {
				t.Fatalf("trial %d: %v, want it to say %q", n, err, words)
			}
		}
	}
	t.Logf("%d histories with %d entries verified", sample, total)
}

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// operatorAttacks are what an operator can try with its log's key, each staged
// against real witnesses and read by the commands that readers have. Those of
// sponsors, competitors and thieves are in testdata/attacks.txtar. docs/threats.md
// has a table of all of them.
var operatorAttacks = []struct {
	name  string
	stage func(t *testing.T)
}{
	{"an operator invents a sponsor", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		signer := trial.Signer{Key: trialtest.Public("mallory"), Org: "registrar", Role: "registrar"}
		p, s := trialtest.Org("ghost", "Ghost Pharma", "mallory")
		o.force(o.forged("mallory", signer, p, s))
		o.noQuorum(old, "R3")
		o.reads(1, "R3", "audit")
	}},
	{"an operator inserts an unsigned entry", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.document("1.0")
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		o.force(corrupt(t, o.log.Leaves[6], `"version":"1.0"`, `"version":"9.9"`))
		o.noQuorum(old, "R4")
		o.reads(1, "R4", "audit")
	}},
	{"an operator names another organisation as the signer", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.admit("registrar")(trialtest.Org("beta", "Beta", "mallory"))
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		signer := trial.Signer{Key: trialtest.Public("mallory"), Org: "acme", Role: "administrator", Enrolled: 2}
		p := &trial.Document{Common: trialtest.Common(), Trial: o.trial()}
		o.force(o.forged("mallory", signer, p, trialtest.Documents("document", "x")))
		o.noQuorum(old, "R13")
		o.reads(1, "R13", "audit")
	}},
	{"an operator leaves an entry out of a record", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		// An honest statement is logged, and the state entry behind it says that it
		// was not: it has the map of a log without it.
		without := o.fork(old)
		o.document("1.0")
		without.force(o.log.Leaves[old])
		lie := without
		lie.noQuorum(old, "R15")
		lie.reads(1, "R15", "audit")
	}},
	{"entries backdated by the operator", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		// Before the last entry is refused; not before it is the operator's to say,
		// and the witnesses' clocks contradict it.
		signer := trial.Signer{Key: trialtest.Public("ada"), Org: "acme", Role: "administrator", Enrolled: 2}
		raw := o.forged("ada", signer, &trial.Document{Common: trialtest.Common(), Trial: o.trial()}, trialtest.Documents("document", "x"))
		early := strings.Replace(string(raw), `"time":"2026`, `"time":"2025`, 1)
		o.force([]byte(early))
		o.noQuorum(old, "R14")
		honest := o.fork(old)
		honest.agree(old, "r1", "r2")
		watch := []string{"trial", "monitor", "-log", honest.http.URL, "-policy", honest.policy, "-state", "m", "-once"}
		if out, status := honest.run(watch...); status != 0 {
			t.Fatalf("the monitor begins with %d\n%s", status, out)
		}
		honest.document("1.0") // stamped on 2026-03-01, as the log's clock says
		honest.agree(old, "r1", "r2")
		honest.reads(0, "clean", "audit")
		out, status := honest.run(watch...)
		if status != 1 || !strings.Contains(out, `"alarm":"admission"`) {
			t.Fatalf("the monitor does not see that admission and cosigning are far apart: %d\n%s", status, out)
		}
	}},
	{"an operator admits a rule-breaking entry", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2", "w3")
		o.admit("ada")(&trial.Protocol{Common: trialtest.Common(), Trial: o.trial(), Scope: "global", Version: "1.0"},
			trialtest.Documents("protocol", "a"))
		o.agree(0, "r1", "r2", "w3")
		old := o.log.Size()
		signer := trial.Signer{Key: trialtest.Public("ada"), Org: "acme", Role: "administrator", Enrolled: 2}
		second := &trial.Protocol{Common: trialtest.Common(), Trial: o.trial(), Scope: "global", Version: "1.0 otherwise"}
		o.force(o.forged("ada", signer, second, trialtest.Documents("protocol", "b")))
		o.noQuorum(old, "R10")
		o.reads(1, "R10", "audit", "-evidence", "second-head.json")
		o.evidence("second-head.json", "R10")
		// The sponsor goes on: the log without that entry is cosigned.
		good := o.fork(old)
		good.document("1.0")
		good.agree(old, "r1", "r2")
		good.reads(0, "clean", "audit")
	}},
	{"split view", func(t *testing.T) {
		o := newOperator(t, 2, "w1", "w2", "w3")
		o.agree(0, "w1", "w2", "w3")
		old := o.log.Size()
		other := o.fork(old)
		o.document("1.0")
		other.document("1.0 otherwise")
		o.agree(old, "w1", "w2")
		for _, name := range []string{"w1", "w2"} { // they cosigned the other tree of this size
			if status, said := other.ask(name, old); status == http.StatusOK {
				t.Fatalf("%s cosigns two trees of one size: %s", name, said)
			}
		}
		status, said := other.ask("w3", old)
		if status != http.StatusOK {
			t.Fatalf("w3, who saw neither, answers %d: %s", status, said)
		}
		other.publish(said)
		other.reads(1, "quorum", "audit")
		o.reads(0, "clean", "audit")
		// A reader of both has evidence; so has the witness that was asked for both.
		out, status := o.run("trial", "monitor", "-log", o.http.URL, "-policy", o.policy, "-state", "m", "-once", "-also", other.http.URL)
		if status != 1 || !strings.Contains(out, `"alarm":"fork"`) {
			t.Fatalf("the monitor does not see the fork: %d\n%s", status, out)
		}
		files, _ := filepath.Glob(filepath.Join(o.dir, "m.*evidence*"))
		if len(files) != 1 {
			t.Fatalf("the monitor left the evidence %v", files)
		}
		o.evidence(files[0], "two different trees")
		out, status = o.run("trialwitness", "forks", "-dir", "w1")
		if status != 1 || out == "" {
			t.Fatalf("w1 kept no evidence: %d %s", status, out)
		}
		if err := os.WriteFile(filepath.Join(o.dir, "w1.evidence"), []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		o.evidence("w1.evidence", "two different trees")
	}},
	{"rollback and regrowth", func(t *testing.T) {
		o := newOperator(t, 2, "w1", "w2", "w3")
		o.agree(0, "w1", "w2", "w3")
		first := o.log.Size()
		o.document("1.0", "2.0")
		o.agree(first, "w1", "w2", "w3")
		o.reads(0, "clean", "audit", "-state", "a")
		seen := o.log.Size()
		old := o.fork(first) // the database of yesterday, and another history from there
		old.document("1.0 otherwise")
		if status, said := old.ask("w1", first); status != http.StatusConflict || said != fmt.Sprintf("%d\n", seen) {
			t.Fatalf("asked to go back, w1 answers %d %q", status, said)
		}
		old.publish()
		old.reads(1, "rollback", "audit", "-state", "a")
		old.document("2.0 otherwise", "3.0")
		if status, _ := old.ask("w1", seen); status != http.StatusUnprocessableEntity {
			t.Fatalf("asked to cosign what does not follow, w1 answers %d", status)
		}
		old.publish()
		old.reads(1, "", "audit", "-state", "a")
	}},
	{"k-1 colluding witnesses", func(t *testing.T) {
		o := newOperator(t, 2, "c1", "w2", "w3")
		o.agree(0, "c1", "w2", "w3")
		old := o.log.Size()
		other := o.fork(old)
		o.document("1.0")
		other.document("1.0 otherwise")
		o.agree(old, "c1", "w2", "w3")
		_, said := other.ask("c1", old)
		for _, name := range []string{"w2", "w3"} {
			if status, _ := other.ask(name, old); status == http.StatusOK {
				t.Fatalf("%s cosigns another tree", name)
			}
		}
		other.publish(said)
		other.reads(1, "quorum", "audit")
		other.reads(1, "quorum", "history", other.trial().String())
	}},
	{"a history with an entry withheld, invented or swapped", func(t *testing.T) {
		o := newOperator(t, 2, "r1", "r2")
		o.document("1.0", "2.0")
		o.agree(0, "r1", "r2")
		id := o.trial().String()
		o.reads(0, "these 3 entries are all", "history", id)
		o.reads(0, "nothing was logged", "history", "NCT00000001")
		for words, lie := range map[string]func(h *history.History){
			"some are withheld":     func(h *history.History) { h.Entries = h.Entries[:2] },
			"the order was changed": func(h *history.History) { h.Entries[1], h.Entries[2] = h.Entries[2], h.Entries[1] },
			"inclusion proof": func(h *history.History) {
				h.Entries[1].Entry = string(corrupt(t, []byte(h.Entries[1].Entry), `"version":"1.0"`, `"version":"9.9"`))
			},
			"does not have": func(h *history.History) {
				*h = *o.history(trial.RecordKey{Kind: "identifier", ID: "nct:NCT00000001"})
				h.Record = o.history(trial.RecordKey{Kind: "trial", ID: id}).Record
			},
			"they are invented": func(h *history.History) {
				entries := h.Entries
				*h = *o.history(trial.RecordKey{Kind: "identifier", ID: "nct:NCT00000001"})
				h.Entries = entries
			},
		} {
			o.lie = lie
			o.reads(1, words, "history", id)
		}
	}},
}

func TestOperatorAttacks(t *testing.T) {
	text, err := os.ReadFile("../../docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/attacks.txtar")
	if err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile(`(?m)^# attack: (.*)$`).FindAllStringSubmatch(string(script), -1)
	if len(told) < 8 {
		t.Fatalf("the script tells %d attacks", len(told))
	}
	names := []string{}
	for _, m := range told {
		names = append(names, m[1])
	}
	for _, a := range operatorAttacks {
		names = append(names, a.name)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "| "+name+" |") {
			t.Errorf("docs/threats.md has no line for %q", name)
		}
	}
	for _, a := range operatorAttacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.stage(t)
		})
	}
}

// noQuorum wants the replaying witnesses to refuse the log's tree by a rule, the
// plain one to see nothing wrong, and publishes what that one cosigned: what
// readers then see.
func (o *operator) noQuorum(old uint64, rule string) {
	o.t.Helper()
	for _, name := range []string{"r1", "r2"} {
		status, said := o.ask(name, old)
		if status != http.StatusUnprocessableEntity || !strings.HasPrefix(said, rule+" ") {
			o.t.Fatalf("%s answers %d %q, not 422 %s", name, status, said, rule)
		}
	}
	status, said := o.ask("w3", old)
	if status != http.StatusOK {
		o.t.Fatalf("the plain witness answers %d: %s", status, said)
	}
	o.publish(said)
	o.reads(1, "quorum", "history", o.trial().String())
}

// evidence wants a file of evidence to hold, and to hold no more with one byte
// altered.
func (o *operator) evidence(name, words string) {
	o.t.Helper()
	out, status := o.run("trial", "evidence", "-policy", o.policy, name)
	if status != 0 || !strings.Contains(out, words) {
		o.t.Fatalf("trial evidence %s: %d, want %q\n%s", name, status, words, out)
	}
}

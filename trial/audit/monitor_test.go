package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestMonitorQuiet(t *testing.T) {
	w := watch(t, nil)
	state := string(w.state)
	for range 5 {
		w.pass(time.Hour)
		if o := w.round(); o != (audit.Outcome{}) {
			t.Errorf("%+v", o)
		}
		if string(w.state) != state {
			t.Error("the state was stored again though nothing had changed")
		}
		w.document()
		w.publish(w1, w2)
		w.round()
		state = string(w.state)
	}
	// The state is an audit's.
	a, err := audit.Resume(w.src.policy, w.src, w.state)
	if err != nil || a.Size() != w.l.Size() {
		t.Error(err)
	}
	if len(w.warned) > 0 {
		t.Error(w.warned)
	}
}

// TestMonitorBreach: a broken rule is raised once, with its evidence, whatever comes after it,
// and also after a restart.
func TestMonitorBreach(t *testing.T) {
	for name, bend := range map[string]func(w *watched) trial.Rule{
		"entry": func(w *watched) trial.Rule { w.l.Append([]byte("x")); return trial.RuleMalformed },
		"map": func(w *watched) trial.Rule {
			w.document()
			last := w.l.Leaves[w.l.Size()-1]
			w.l.Truncate(w.l.Size() - 1)
			w.l.Append([]byte(strings.Replace(string(last), `"root":"`, `"root":"00`, 1)[:len(last)+2]))
			w.l.Truncate(w.l.Size() - 1)
			at := strings.Index(string(last), `"root":"`) + 8
			w.l.Append([]byte(string(last[:at]) + strings.Repeat("0", 64) + string(last[at+64:])))
			return trial.RuleState
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, nil)
			rule := bend(w)
			index := w.l.Size() - 1
			w.l.State.Skip(index)
			w.l.Close()
			w.publish(w1, w2)
			if o := w.round("rule " + string(rule)); !o.Alarms {
				t.Error("no alarms")
			}
			a := w.raised[0]
			x := w.files[a.Evidence]
			if a.Index == nil || *a.Index != index || a.Size != w.l.Size() || x == nil {
				t.Fatalf("%+v", a)
			}
			if v, err := x.Verify(w.src.policy); err != nil || v.Rule != rule || v.Index != index {
				t.Errorf("%+v, %v", v, err)
			}
			clear(w.files)
			for range 3 {
				w.pass(time.Hour)
				w.document()
				w.publish(w1, w2)
				w.round()
				w.restart(nil)
			}
			if len(w.files) > 0 {
				t.Error("evidence is made again")
			}
		})
	}
}

func TestMonitorTrees(t *testing.T) {
	w := watch(t, nil)
	old := w.src.checkpoint
	w.document()
	w.publish(w1, w2)
	w.round()
	good := w.src.checkpoint
	w.src.checkpoint = old
	w.round("rollback")
	w.round()
	w.restart(nil)
	w.round()
	w.src.checkpoint = good
	w.round("ended rollback")

	fork := w.l.Tree(w.l.Size())
	fork.Root[3] ^= 1
	w.publishTree(fork, w1, w2)
	w.round("fork")
	if x := w.files[w.raised[0].Evidence]; x == nil || x.Kind != evidence.Fork {
		t.Fatalf("%+v", w.raised)
	}
	w.round()
	w.src.checkpoint = good
	w.round() // a proven alarm does not end
	w.restart(nil)
	w.publishTree(fork, w1, w2)
	w.round()

	// It continues with another past.
	w = watch(t, nil)
	w.document()
	w.publish(w1, w2)
	w.round()
	w.document()
	w.src.log = rewritten(t, w.l, 3)
	w.publishTree(w.src.log.Tree(w.src.log.Size()), w1, w2)
	w.round("root")
	if x := w.files[w.raised[0].Evidence]; x == nil || x.Kind != evidence.Inconsistent {
		t.Fatalf("%+v", w.raised)
	}
	w.src.log = w.l
	w.publish(w1)
	w.round("quorum")
	w.publish(w1, w2)
	w.round("ended quorum")
}

func TestMonitorSilence(t *testing.T) {
	w := watch(t, nil)
	w.pass(2 * time.Hour)
	w.round()
	w.pass(time.Second)
	w.round("silence")
	w.pass(time.Hour)
	w.round()
	w.restart(nil)
	w.round() // not raised again
	w.publish(w1, w2)
	w.round("ended silence")
	w.round()

	// A log is also silent if it or its entries cannot be reached.
	w.down = errors.New("no route")
	if o := w.round(); !o.Blind || len(w.warned) == 0 {
		t.Errorf("%+v, warned %q", o, w.warned)
	}
	w.pass(2*time.Hour + time.Second)
	w.round("silence")
	w.down = nil
	w.round()
	w.document()
	w.src.fail = func(context.Context, string) error { return errors.New("no tile") }
	w.publish(w1, w2)
	w.round()
	w.src.fail = nil
	w.round("ended silence")

	// A first round that never comes.
	w = watch(t, nil)
	w.state, w.memory, w.down = nil, nil, errors.New("no route")
	w.restart(nil)
	w.round()
	w.pass(3 * time.Hour)
	w.restart(nil)
	w.round("silence")

	// No other alarm ends while the log cannot be seen.
	w = watch(t, nil)
	w.publish(w1)
	w.round("quorum")
	w.down = errors.New("no route")
	w.round()
	w.down = nil
	w.round()
	w.publish(w1, w2)
	w.round("ended quorum")
}

func TestMonitorLate(t *testing.T) {
	set := func(m *audit.Monitor) { m.Limits.Late, m.Limits.Silence = 3*time.Hour, 1000*time.Hour }
	w := watch(t, set)
	third := trialtest.Cosigner{Key: "w3.example", Alg: 0x04}
	p, err := checkpoint.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\ngroup g 2 w1 w2 w3\nquorum "+
		"g\n", logKey.VKey(), w1.VKey(), w2.VKey(), third.VKey()))
	if err != nil {
		t.Fatal(err)
	}
	w.src.policy, w.state, w.memory = p, nil, nil
	w.restart(set)
	for range 4 {
		w.round()
		w.pass(time.Hour)
		w.publish(w1, w2)
	}
	w.round("late")
	if w.raised[0].Subject != "w3.example" {
		t.Errorf("%+v", w.raised)
	}
	w.restart(set)
	w.round()
	w.publish(w2, third)
	w.round("ended late")
	for range 3 {
		w.pass(time.Hour)
		w.publish(w2, third)
		w.round()
	}
	w.pass(time.Second)
	w.round("late")
	if w.raised[0].Subject != w1.Key {
		t.Errorf("%+v", w.raised)
	}
}

func TestMonitorAdmission(t *testing.T) {
	w := watch(t, nil)
	statement := func() *trial.Signed {
		return trialtest.Check(t, "ada", &trial.Document{Common: trialtest.Common(), Trial: w.id, Version: fmt.Sprint(w.l.Size())},
			trialtest.Documents("document", "x"))
	}
	// The log claims that an entry was there all along, but it was not.
	w.pass(10*time.Minute + time.Second)
	w.publish(w1, w2)
	w.round() // without it
	w.pass(time.Minute)
	w.admit(statement(), w.now.Add(-11*time.Minute))
	w.publish(w1, w2)
	w.round()
	w.pass(10 * time.Minute)
	w.round()
	w.admit(statement(), w.now.Add(-10*time.Minute-time.Second))
	w.publish(w1, w2)
	w.round("admission")
	if a := w.raised[0]; *a.Index != w.l.Size()-2 || !strings.Contains(a.Text, "without it") {
		t.Errorf("%+v", a)
	}
	w.round()
	// The monitor was away for a day, so entries that are older than the round are not the
	// log's fault.
	w.pass(time.Hour)
	w.admit(statement(), w.now)
	w.pass(24 * time.Hour)
	w.publish(w1, w2)
	w.round()
}

func TestMonitorAhead(t *testing.T) {
	w := watch(t, func(m *audit.Monitor) { m.Limits.Far = 4 * time.Minute })
	s := trialtest.Check(t, "ada", &trial.Document{Common: trialtest.Common(), Trial: w.id}, trialtest.Documents("document", "x"))
	w.admit(s, w.now.Add(4*time.Minute+time.Second))
	w.publish(w1, w2)
	w.round("admission")
	if a := w.raised[0]; *a.Index != w.l.Size()-1 || !strings.Contains(a.Text, "witnesses saw it") {
		t.Errorf("%+v", a)
	}
	w.pass(time.Hour)
	s = trialtest.Check(t, "ada", &trial.Document{Common: trialtest.Common(), Trial: w.id, Version: "2"}, trialtest.Documents("document",
		"x"))
	w.admit(s, w.now.Add(time.Hour))
	w.publish(w1, w2)
	w.round("admission", "clock")
	w.round()
	w.pass(time.Hour)
	w.publish(w1, w2)
	w.round("ended clock")
}

func TestMonitorNews(t *testing.T) {
	var w *watched
	set := func(m *audit.Monitor) {
		m.Orgs = []string{"acme"}
		if w != nil {
			m.Trials = []trial.RecordKey{{Kind: "trial", ID: w.id.String()}, {Kind: "identifier", ID: "nct:NCT03421379"}}
		}
	}
	w = watch(t, set) // entries from before the monitor began are not news
	w.restart(set)
	w.round()
	admit := func(who string, p trial.Predicate, s []trial.Subject) {
		t.Helper()
		w.admit(trialtest.Check(t, who, p, s), w.now)
		w.publish(w1, w2)
	}
	p, s := trialtest.Org("beta", "Beta", "ben")
	admit("registrar", p, s)
	w.round()
	p, s = trialtest.Enrol("acme", "gus", "signer")
	admit("ada", p, s)
	w.round("key")
	if a := w.raised[0]; a.Subject != "acme" || *a.Index != w.l.Size()-2 || !strings.Contains(a.Text,
		trialtest.Public("gus").ID().String()) {
		t.Errorf("%+v", a)
	}
	w.document()
	w.publish(w1, w2)
	w.round("entry", "entry") // under the organisation, and under the trial
	p, s = trialtest.Register("Y-1", "beta")
	admit("ben", p, s)
	w.round()
	admit("ada", &trial.Identifier{Common: trialtest.Common(), Identifier: "nct:NCT03421379", Trial: w.id}, trial.NamedSubject("trial",
		w.id))
	w.round("entry", "entry", "entry")
	// Another organisation's statement on the number, with two entries in one round. It is
	// raised once, also if the round is interrupted and the monitor begins again.
	w.m.Orgs = nil
	admit("ben", &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT03421379", SeenAt: "2026-03-01", Source: "registry"},
		trialtest.Documents("observation", "x"))
	admit("ben", &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT03421379", SeenAt: "2026-03-02", Source: "registry"},
		trialtest.Documents("observation", "y"))
	w.deaf = errors.New("closed")
	if _, err := w.m.Round(t.Context()); !errors.Is(err, w.deaf) {
		t.Fatal(err)
	}
	w.deaf = nil
	w.restart(func(m *audit.Monitor) { set(m); m.Orgs = nil })
	w.round("entry", "entry")
	w.round()
	w.restart(set)
	w.round()
}

// TestMonitorNewsOfAnotherTree: entries that are not in the tree that the log signed are not
// news, but entries after a breach are.
func TestMonitorNewsOfAnotherTree(t *testing.T) {
	w := watch(t, func(m *audit.Monitor) { m.Orgs = []string{"acme"} })
	w.document()
	tree := w.l.Tree(w.l.Size())
	tree.Root[1] ^= 1
	w.publishTree(tree, w1, w2)
	w.round("root")
	w.publish(w1, w2)
	w.round("ended root", "entry")
	w.l.Append([]byte("x"))
	w.l.State.Skip(w.l.Size() - 1)
	w.document()
	w.publish(w1, w2)
	w.round("entry", "rule R1")
	w.round()
	w.document()
	w.publish(w1, w2)
	w.round("entry")
}

// TestMonitorAlso: other places have other trees than the monitor.
func TestMonitorAlso(t *testing.T) {
	var there []byte
	var down error
	also := func(m *audit.Monitor) {
		m.Also = []audit.Place{{Name: "mirror", Fetch: func(context.Context) ([]byte, error) { return there, down }}}
	}
	begin := func() *watched {
		down, there = nil, nil
		w := watch(t, nil)
		for range 3 {
			w.document()
		}
		w.publish(w1, w2)
		there = w.src.checkpoint
		w.restart(also)
		w.round()
		return w
	}
	w := begin()
	for size := uint64(1); size <= w.l.Size(); size++ { // whatever its size, and whoever cosigned it
		there = w.cosigned(w.l.Tree(size))
		w.round()
	}
	if len(w.warned) > 0 {
		t.Error(w.warned)
	}
	n := w.l.Size()
	w.document()
	larger := w.l.Size()
	for _, c := range []struct {
		size uint64
		kind string
	}{{n, evidence.Fork}, {n - 3, evidence.Inconsistent}, {1, evidence.Inconsistent}} {
		w := begin()
		tree := w.l.Tree(c.size)
		tree.Root[9] ^= 1
		there = w.cosigned(tree)
		w.round(c.kind)
		a := w.raised[0]
		if x := w.files[a.Evidence]; a.Subject != "mirror" || x == nil {
			t.Fatalf("%+v", a)
		} else if v, err := x.Verify(w.src.policy); err != nil || v.Size != n {
			t.Errorf("%+v, %v", v, err)
		}
		w.round()
		w.restart(also)
		w.round()
		there = w.src.checkpoint
		w.round()
	}
	// A larger tree with another past, whose tiles the log serves or not.
	w = begin()
	w.document()
	other := rewritten(t, w.l, 3)
	there = w.cosigned(other.Tree(larger), w1)
	w.src.log = other
	w.round(evidence.Inconsistent)
	w = begin()
	w.document()
	there = w.cosigned(rewritten(t, w.l, 3).Tree(larger), w1)
	w.l.Truncate(n)
	w.round()
	if len(w.warned) == 0 {
		t.Error("that it cannot be compared is not said")
	}
	w.pass(2 * time.Hour)
	w.publish(w1, w2)
	w.round()
	w.pass(time.Second)
	w.round("behind")
	down = errors.New("no route")
	w.round()
	down, there = nil, w.src.checkpoint
	w.round() // it was seen: the log must still reach it
	// A larger tree of the log itself: the log is behind until it publishes that tree.
	w = begin()
	w.document()
	there = w.cosigned(w.l.Tree(larger), w1)
	w.round()
	w.pass(2*time.Hour + time.Second)
	w.round("behind", "silence")
	w.publish(w1, w2)
	w.round("admission", "ended behind", "ended silence")
	// A checkpoint of another log, or of nobody.
	there = signedBy(t, checkpoint.Tree{Origin: trialtest.Origin, Size: 3}, trialtest.Cosigner{Key: trialtest.Origin, Alg: 1,
		Seed: "mallory"})
	w.warned = nil
	w.round()
	if len(w.warned) != 1 {
		t.Error(w.warned)
	}
}

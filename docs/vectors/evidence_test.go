package vectors

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// evidenceFacts are what evidence proves.
type evidenceFacts struct {
	Kind      string     `json:"kind"`
	Origin    string     `json:"origin"`
	Size      uint64     `json:"size"`      // of the tree; the larger one of two
	Index     uint64     `json:"index"`     // of the entry that breaks a rule; 0 of the other kinds
	Rule      trial.Rule `json:"rule"`      // "" of the other kinds
	Witnesses []string   `json:"witnesses"` // that cosigned the tree of a rule's evidence and say that they replay
}

func (v *vectors) evidence() {
	add := func(name, shows, policy string, line []byte) *vector {
		c := &vector{Name: "evidence/" + name, Shows: shows, Kind: "evidence", Policy: v.policy(policy),
			Evidence: v.file("evidence", name+".json", line)}
		v.add(c)
		return c
	}
	good := func(name, shows string, e *evidence.Evidence, f evidenceFacts) {
		f.Kind, f.Origin = e.Kind, trialtest.Origin
		if f.Witnesses == nil {
			f.Witnesses = []string{}
		}
		c := add(name, shows, "two-of-three", e.Marshal())
		c.Verdict, c.Facts = valid, f
	}
	bad := func(name, shows string, line []byte) { add(name, shows, "two-of-three", line).Verdict = invalid }

	l := newSmallLog(v.t)
	altered := func(size uint64) []byte {
		tree := l.Tree(size)
		tree.Root[0] ^= 1
		return l.signed(tree, w1)
	}
	fork := evidence.NewFork(l.signed(l.Tree(8)), altered(8))
	good("fork", "two roots for one size", fork, evidenceFacts{Size: 8})
	tree := l.Tree(8)
	good("fork-extension", "the same; one of the checkpoints has an extension line", evidence.NewFork(
		noted(v.t, tree.String()+"an extension\n", logKey), altered(8)), evidenceFacts{Size: 8})
	v.cases = append(v.cases, &vector{Name: "evidence/fork-policy", Kind: "evidence", Policy: v.policy("none"),
		Shows: "evidence needs the log's key and no witness", Evidence: "evidence/fork.json", Verdict: valid,
		Facts: evidenceFacts{Kind: "fork", Origin: trialtest.Origin, Size: 8, Witnesses: []string{}}})
	inconsistent := func(small uint64, smaller []byte) *evidence.Evidence {
		e, err := evidence.NewInconsistent(smaller, l.signed(l.Tree(11)), small, 11, l)
		if err != nil {
			v.t.Fatal(err)
		}
		return e
	}
	good("inconsistent", "a tree that does not contain an earlier one", inconsistent(7, altered(7)), evidenceFacts{Size: 11})
	good("inconsistent-power-of-two", "the same; the smaller size is a power of two", inconsistent(8, altered(8)), evidenceFacts{Size: 11})
	good("inconsistent-empty", "the smaller tree is empty, and its root is not that of the empty tree", inconsistent(0, altered(0)),
		evidenceFacts{Size: 11})

	bad("same-root", "two checkpoints with the same root", evidence.NewFork(l.signed(l.Tree(8)), l.signed(l.Tree(8), w1)).Marshal())
	bad("two-sizes", "two checkpoints of different sizes as a fork", evidence.NewFork(l.signed(l.Tree(7)), altered(8)).Marshal())
	bad("consistent", "a proof that the larger tree contains the smaller", inconsistent(7, l.signed(l.Tree(7))).Marshal())
	wrong := inconsistent(7, altered(7))
	wrong.Proof[1] = wrong.Proof[2]
	bad("proof-wrong", "the proof does not lead to the root of the larger tree: anyone can make one", wrong.Marshal())
	swapped := inconsistent(7, altered(7))
	slices.Reverse(swapped.Checkpoints)
	bad("larger-first", "the larger tree stands first", swapped.Marshal())
	unsigned := noted(v.t, string(bytes.SplitAfter(altered(8), []byte("\n\n"))[0][:len(tree.String())]), w1)
	bad("unsigned", "one of the checkpoints is signed by a witness alone", evidence.NewFork(l.signed(l.Tree(8)), unsigned).Marshal())
	sig := cosignature(string(altered(8)), logKey.Key)
	bad("signature-altered", "one character of the log's signature on one of the checkpoints is altered", evidence.NewFork(
		l.signed(l.Tree(8)), alter(v.t, altered(8), sig, sig[:40]+flip(sig[40:41])+sig[41:])).Marshal())
	other := l.Tree(8)
	other.Origin = others.Key
	add("two-logs", "the checkpoints are of two logs, both of which the policy names", "two-logs",
		evidence.NewFork(l.signed(l.Tree(8)), noted(v.t, other.String(), others)).Marshal()).Verdict = invalid
	add("other-policy", "a policy with the key of another log", "another-log", fork.Marshal()).Verdict = invalid
	bad("one-checkpoint", "one checkpoint alone", (&evidence.Evidence{Kind: evidence.Fork,
		Checkpoints: []string{string(l.signed(l.Tree(8)))}}).Marshal())
	unknownKind := *fork
	unknownKind.Kind = "spoon"
	bad("kind-unknown", "an unknown kind", unknownKind.Marshal())
	more := *fork
	more.Proof = []string{b64.EncodeToString(make([]byte, 32))}
	bad("fork-with-proof", "a fork with a proof, which it does not need", more.Marshal())
	bad("white-space", "a space behind a colon", alter(v.t, fork.Marshal(), `"kind":`, `"kind": `))
	bad("unknown-member", "a member that evidence does not have", alter(v.t, fork.Marshal(), `{"kind":`, `{"note":"","kind":`))
	bad("empty", "a file of no bytes", nil)
	bad("second-line", "two lines, of which the second proves nothing", append(fork.Marshal(), "{}\n"...))
	v.ruleEvidence(good, bad, func(name, shows string, line []byte) { add(name, shows, "two-of-three", line).Verdict = unknown })
}

// ruleEvidence is evidence of entries that break a rule.
func (v *vectors) ruleEvidence(good func(string, string, *evidence.Evidence, evidenceFacts), bad, unknown func(string, string, []byte)) {
	// begun returns a log of which the last tree ends with a state entry.
	begun := func() *smallLog {
		l := newSmallLog(v.t)
		l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: l.trial, Version: "late"}, subjects("document", "sap.txt"))
		return l
	}
	// rule returns the evidence that the last entry of a log breaks a rule, after a state entry.
	rule := func(l *smallLog, state uint64, signers ...note.Signer) *evidence.Evidence {
		size := l.Size()
		s := new(trial.State)
		var since []*trial.Entry
		for i, raw := range l.Leaves {
			e, err := trial.ParseEntry(raw)
			if err == nil {
				err = e.Verify()
			}
			if err != nil {
				break
			}
			if uint64(i) > state {
				since = append(since, e)
				continue
			}
			if err := s.Apply(e); err != nil {
				v.t.Fatal(err)
			}
		}
		s.Commit()
		known, err := s.Consulted(since)
		if err != nil {
			v.t.Fatal(err)
		}
		e, err := evidence.NewRule(l.signed(l.Tree(size), signers...), l.Leaves[0], l.Leaves[state], state+1, l.Leaves[state+1:], known,
			func(i uint64) ([][32]byte, error) { return l.Path(i, size), nil })
		if err != nil {
			v.t.Fatal(err)
		}
		return e
	}
	l := begun()
	state := l.Size() - 2 // the state entry before the last statement
	honest := l.Leaves[l.Size()-1]
	broken := l.with(alter(v.t, honest, `"role":"administrator"`, `"role":"signer"`))
	index := broken.Size() - 1
	e := rule(broken, state, w1, w2)
	good("rule", "an entry names another role of its signer than the records have (R13); a witness that replays cosigned", e,
		evidenceFacts{Size: broken.Size(), Index: index, Rule: trial.RuleSigner, Witnesses: []string{w1.Key}})
	good("rule-signature", "the signature of an entry does not verify (R4)", rule(l.with(repay(v.t, honest, func(p []byte) []byte {
		return alter(v.t, p, `"version":"late"`, `"version":"Late"`)
	})), state), evidenceFacts{Size: broken.Size(), Index: index, Rule: trial.RuleSignature})
	good("rule-no-entry", "an entry that is none (R1)", rule(l.with([]byte("no entry")), state),
		evidenceFacts{Size: broken.Size(), Index: index, Rule: trial.RuleMalformed})
	good("rule-no-state", "a tree that does not end with a state entry (R15)", rule(l, state),
		evidenceFacts{Size: l.Size(), Index: l.Size() - 1, Rule: trial.RuleState})
	l.Close()
	falseRoot := alter(v.t, l.Leaves[l.Size()-1], `"root":"`+string(rootOf(l.Leaves[l.Size()-1])), `"root":"`+strings.Repeat("ab", 32))
	kept := rule(l, state)
	kept.Entries = kept.Entries[:1]
	bad("rule-kept", "the entry shown keeps the rules", kept.Marshal())
	l.Truncate(l.Size() - 1)
	good("rule-root", "a state entry with a false root of the map (R15)", rule(l.with(falseRoot), state),
		evidenceFacts{Size: l.Size() + 1, Index: l.Size(), Rule: trial.RuleState})
	few := *e
	few.Records = nil
	bad("rule-no-records", "the records that the rule consults are not shown", few.Marshal())
	gap := rule(broken, state)
	gap.Entries = slices.Delete(gap.Entries, 0, 1)
	bad("rule-gap", "an entry between the state entry and the one that breaks a rule is not shown", gap.Marshal())
	elsewhere := rule(broken, state)
	elsewhere.Checkpoints = []string{string(l.signed(l.Tree(l.Size()), w1))}
	bad("rule-other-tree", "the entries are of another tree than the checkpoint", elsewhere.Marshal())
	newer := newSmallLog(v.t)
	at := newer.Size() - 1
	newerState := alter(v.t, newer.Leaves[at], `"rules":1`, `"rules":2`)
	newer.Truncate(at)
	x := rule(begun().with(nil), state)
	unknown("rule-newer", "the state entry names a rule set that no verifier of today knows",
		newerRules(v, newer.with(newerState), at, x, honest))
}

// newerRules returns evidence after a state entry of a newer rule set.
func newerRules(v *vectors, l *smallLog, state uint64, e *evidence.Evidence, entry []byte) []byte {
	l = l.with(entry)
	size := l.Size()
	known := *e
	n, err := evidence.NewRule(l.signed(l.Tree(size)), l.Leaves[0], l.Leaves[state], state+1, l.Leaves[state+1:], nil,
		func(i uint64) ([][32]byte, error) { return l.Path(i, size), nil })
	if err != nil {
		v.t.Fatal(err)
	}
	n.Records = known.Records
	return n.Marshal()
}

// rootOf returns the map root of a state entry.
func rootOf(raw []byte) []byte {
	_, after, _ := bytes.Cut(raw, []byte(`"root":"`))
	root, _, _ := bytes.Cut(after, []byte(`"`))
	return root
}

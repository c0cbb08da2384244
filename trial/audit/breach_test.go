package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// grow adds n documents of the trial to l, in trees of a few.
func grow(l *trialtest.Log, id trial.Hash, n int) {
	for i := range n {
		l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(l.Size())},
			trialtest.Documents("document", fmt.Sprint(i)))
		if i%7 == 6 {
			l.Close()
		}
	}
	l.Close()
}

func run(t testing.TB, s *source) *audit.Report {
	t.Helper()
	r, err := audit.New(s.policy, s).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClean(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 600)
	s := newSource(t, l)
	var progress []uint64
	a := audit.New(s.policy, s)
	a.Progress = func(done, total uint64) {
		if total != l.Size() {
			t.Errorf("progress of %d", total)
		}
		progress = append(progress, done)
	}
	r, err := a.Run(t.Context())
	if err != nil || len(r.Findings) > 0 || r.From != 0 || r.Incomplete != nil || r.Checkpoint.Size != l.Size() {
		t.Fatal(r, err)
	}
	if a.Size() != l.Size() || a.State().MapRoot() != l.State.MapRoot() || a.State().Size() != l.Size() {
		t.Errorf("the replay leads to size %d and map root %s", a.Size(), a.State().MapRoot())
	}
	if len(progress) != 3 || progress[2] != l.Size() || !slices.IsSorted(progress) {
		t.Errorf("progress %v", progress)
	}
	for path, n := range s.tiles {
		if n != 1 {
			t.Errorf("%s was fetched %d times", path, n)
		}
	}
	// If there is nothing new, nothing is fetched.
	s.tiles = map[string]int{}
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 || len(s.tiles) != 0 || r.From != l.Size() {
		t.Errorf("%+v, %v, fetched %v", r, err, s.tiles)
	}
}

// entry writes a statement's entry as a log's operator might, without the rules.
func entry(t testing.TB, s *trial.Signed, signer trial.Signer, at trial.Time) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Envelope trial.Envelope `json:"envelope"`
		Signer   trial.Signer   `json:"signer"`
		Time     trial.Time     `json:"time"`
		Type     string         `json:"type"`
	}{s.Envelope, signer, at, "statement"})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// TestBreaches puts one entry into a clean log that its rules forbid. The audit names it, its
// rule and its index, and goes on after it.
func TestBreaches(t *testing.T) {
	type world struct {
		l      *trialtest.Log
		id     trial.Hash // of ada's trial
		other  trial.Hash // of ben's
		ada    trial.Signer
		ben    trial.Signer
		gone   trial.Signer // whose key is revoked
		head   trial.Hash   // of the protocol
		common trial.Common
	}
	build := func(t *testing.T) *world {
		l := trialtest.NewLog(t)
		w := &world{l: l, common: trialtest.Common()}
		w.id = open(l)
		w.ada = trial.Signer{Enrolled: 2, Key: trialtest.Public("ada"), Org: "acme", Role: "administrator"}
		p, s := trialtest.Org("beta", "Beta", "ben")
		l.Admit("registrar", p, s)
		w.ben = trial.Signer{Enrolled: l.Size() - 1, Key: trialtest.Public("ben"), Org: "beta", Role: "administrator"}
		p, s = trialtest.Register("Y-1", "beta")
		w.other = l.Admit("ben", p, s).ID
		p, s = trialtest.Enrol("acme", "gus", "signer")
		l.Admit("ada", p, s)
		w.gone = trial.Signer{Enrolled: l.Size() - 1, Key: trialtest.Public("gus"), Org: "acme", Role: "signer"}
		l.Admit("ada", &trial.Key{Common: w.common, Action: "revoke", Org: "acme", Revoke: w.gone.Key.ID()}, trial.NamedSubject("key",
			w.gone.Key.ID()))
		w.head = l.Admit("ada", &trial.Protocol{Common: w.common, Scope: "global", Trial: w.id, Version: "1"},
			trialtest.Documents("protocol", "a")).ID
		l.Close()
		return w
	}
	documents := func(w *world, c trial.Common, id trial.Hash) (trial.Predicate, []trial.Subject) {
		return &trial.Document{Common: c, Trial: id, Version: "breach"}, trialtest.Documents("document", "x")
	}
	by := func(who string, signer func(w *world) trial.Signer, make func(w *world) (trial.Predicate, []trial.Subject)) func(t *testing.T,
		w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			p, s := make(w)
			return entry(t, trialtest.Check(t, who, p, s), signer(w), w.l.State.Time())
		}
	}
	ada := func(w *world) trial.Signer { return w.ada }
	ben := func(w *world) trial.Signer { return w.ben }
	plain := func(w *world) (trial.Predicate, []trial.Subject) { return documents(w, w.common, w.id) }
	edit := func(old, new string) func(t *testing.T, w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			raw := by("ada", ada, plain)(t, w)
			if !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("%s is not in %s", old, raw)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
	state := func(t *testing.T, w *world) []byte { // the true state entry
		s := new(trial.State)
		for _, raw := range w.l.Leaves {
			e, err := trial.ParseEntry(raw)
			if err == nil {
				if err = e.Verify(); err == nil {
					err = s.Apply(e)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		raw, err := s.Close(s.Time())
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	editState := func(old, new string) func(t *testing.T, w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			raw := state(t, w)
			if !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("%s is not in %s", old, raw)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
	for _, c := range []struct {
		name string
		rule trial.Rule
		make func(t *testing.T, w *world) []byte
	}{
		{"nothing wrong", "", by("ada", ada, plain)},
		{"no entry", trial.RuleMalformed, func(*testing.T, *world) []byte { return []byte("hello") }},
		{"an empty leaf", trial.RuleMalformed, func(*testing.T, *world) []byte { return nil }},
		{"another spelling", trial.RuleMalformed, edit(`"time":`, `"time": `)},
		{"an unsigned entry", trial.RuleMalformed, edit(`"signatures":[{`, `"signatures":[],"x":[{`)},
		{"too many subjects", trial.RuleMalformed, edit(`"sig":"`, `"sig":"A`)},
		{"a key that is not enrolled", trial.RuleNotEnrolled, by("mallory",
			func(w *world) trial.Signer { s := w.ada; s.Key = trialtest.Public("mallory"); return s }, plain)},
		{"a signature by another key", trial.RuleSignature, func(t *testing.T, w *world) []byte {
			p, s := plain(w)
			good, bad := trialtest.Check(t, "ada", p, s), trialtest.Check(t, "mallory", p, s)
			bad.Envelope.Signatures[0].KeyID = good.Envelope.Signatures[0].KeyID
			return entry(t, bad, w.ada, w.l.State.Time())
		}},
		{"another log's statement", trial.RuleLog, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			c := w.common
			c.Log = "other.example/log"
			return documents(w, c, w.id)
		})},
		{"a revoked key", trial.RuleRevoked, by("gus", func(w *world) trial.Signer { return w.gone }, plain)},
		{"a role that does not entitle", trial.RuleRole, by("ada", ada, func(w *world) (trial.Predicate,
			[]trial.Subject) {
			return trialtest.Org("gamma", "Gamma", "gil")
		})},
		{"another's trial", trial.RuleHolder, by("ben", ben, plain)},
		{"no trial", trial.RuleUnknown, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			return documents(w, w.common,
				trial.Hash{9})
		})},
		{"a second head", trial.RulePredecessor, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			return &trial.Protocol{Common: w.common, Scope: "global", Trial: w.id, Version: "2"}, trialtest.Documents("protocol", "b")
		})},
		{"a number that is taken", trial.RuleTaken, by("ada", ada, func(w *world) (trial.Predicate,
			[]trial.Subject) {
			return trialtest.Register("X-1")
		})},
		{"a signature from the future", trial.RuleSignedAt, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			c := w.common
			c.SignedAt += 3_600_000
			return documents(w, c, w.id)
		})},
		{"another organisation as signer", trial.RuleSigner, edit(`"org":"acme","role"`, `"org":"beta","role"`)},
		{"another role as signer", trial.RuleSigner, edit(`"role":"administrator"}`, `"role":"signer"}`)},
		{"another enrolment as signer", trial.RuleSigner, edit(`"enrolled":2`, `"enrolled":3`)},
		{"time backwards", trial.RuleTime, edit(`"time":"2026-03-01`, `"time":"2026-02-28`)},
		{"a genesis", trial.RuleOrder, func(t *testing.T, w *world) []byte { return w.l.Leaves[0] }},
		{"a state entry of another size", trial.RuleState, editState(`"size":10`, `"size":11`)},
		{"a state entry of another root", trial.RuleState, editState(`"root":"`,
			`"root":"0000000000000000000000000000000000000000000000000000000000000001","x":"`)},
		{"a newer rule set at another size", trial.RuleState, editState(`"rules":1,"size":10`, `"rules":2,"size":11`)},
		{"a newer rule set before its time", trial.RuleTime, editState(`"rules":1,"size":10,"time":"2026-03-01`,
			`"rules":2,"size":10,"time":"2026-02-28`)},
		{"a state entry announcing no rule set", trial.RuleMalformed, editState(`"rules":1`, `"rules":0`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t)
			index := w.l.Size()
			raw := c.make(t, w)
			if i := bytes.Index(raw, []byte(`,"x":"`)); i >= 0 { // drop the old root
				raw = append(raw[:i:i], raw[i+len(`,"x":"`)+64+1:]...)
			}
			w.l.Append(raw)
			w.l.State.Skip(index)
			if c.rule == "" {
				e, err := trial.ParseEntry(raw)
				if err == nil {
					if err = e.Verify(); err == nil {
						w.l.State.Rollback()
						err = w.l.State.Apply(e)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			w.l.Close()
			grow(w.l, w.id, 3) // the entries after it are judged too
			r := run(t, newSource(t, w.l))
			if c.rule == "" {
				if len(r.Findings) > 0 {
					t.Fatalf("findings %v", r.Findings)
				}
				return
			}
			if len(r.Findings) != 1 || r.Findings[0].Index != index || r.Findings[0].Kind != "rule" || r.Findings[0].Rule != c.rule {
				t.Fatalf("findings %v, want one at %d by %s", r.Findings, index, c.rule)
			}
			if !strings.Contains(r.Findings[0].String(), fmt.Sprintf("rule at %d: %s", index, c.rule)) {
				t.Errorf("it says %q", r.Findings[0])
			}
			proves(t, newSource(t, w.l), evidence.Verdict{Kind: "rule", Origin: trialtest.Origin, Size: w.l.Size(), Index: index,
				Rule: c.rule})
		})
	}
}

// TestAlteredEntry alters single bytes of what the log serves, under the checkpoint of what it
// served before.
func TestAlteredEntry(t *testing.T) {
	l := trialtest.NewLog(t)
	grow(l, open(l), 20)
	s := newSource(t, l)
	for index := range l.Size() {
		raw := l.Leaves[index]
		for _, at := range []int{0, len(raw) / 3, len(raw) / 2, len(raw) - 2} {
			altered := slices.Clone(raw)
			altered[at] ^= 1
			l.Leaves[index] = altered
			r := run(t, s)
			l.Leaves[index] = raw
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == "root" && f.Index == l.Size() }) {
				t.Fatalf("entry %d byte %d: no finding of the root in %v", index, at, r.Findings)
			}
			if f := r.Findings[0]; f.Kind == "rule" && f.Index < index {
				t.Fatalf("entry %d byte %d: the first finding is %v", index, at, f)
			}
		}
	}
}

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// What the operator of a log can try with packs, each attack against real replaying witnesses.
var custodyOperatorAttacks = []struct {
	name  string
	stage func(t *testing.T)
}{
	{"an old ship is logged again", func(t *testing.T) { loggedAgain(t, "ship") }},
	{"an old receipt is logged again", func(t *testing.T) { loggedAgain(t, "receive") }},
	{"an old end of a hold is logged again", func(t *testing.T) { loggedAgain(t, "free") }},
	{"an old opening is logged again", func(t *testing.T) { loggedAgain(t, "open") }},
	{"a receipt that the receiver did not sign", receiptOfAnother},
	{"a recall is hidden from one site", hiddenRecall},
	{"a rival sends a hundred false reports", hundredReports},
}

func TestCustodyOperatorAttacks(t *testing.T) {
	for _, a := range custodyOperatorAttacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.stage(t)
		})
	}
}

// A warehouse is an operator whose log has packs: of acme, whose delegate is the depot.
type warehouse struct {
	*operator
	said []admitted
}

// An admitted is a statement that the log has.
type admitted struct {
	who      string
	p        *trial.Custody
	subjects []trial.Subject
	id       trial.Hash
}

// The people who sign for the organisations with packs.
var handlers = map[string]string{"acme": "ada", "depot": "dora", "site-a": "sara", "site-b": "ben", "rival": "mallory"}

// packCode returns what the label of a pack of the tests says.
func packCode(serial string) custody.Code {
	token := [16]byte(sha256.New().Sum([]byte(serial + "               ."))[:16])
	return custody.Code{Serial: serial, Token: &token}
}

func packHandle(serial string) trial.Hash {
	return trial.UnitHandle(serial, *packCode(serial).Token)
}

func newWarehouse(t *testing.T) *warehouse {
	t.Helper()
	w := &warehouse{operator: newOperator(t, 2, "r1", "r2", "w3")}
	for _, org := range []string{"depot", "site-a", "site-b", "rival"} {
		w.admit("registrar")(trialtest.Org(org, org, handlers[org]))
	}
	w.admit("ada")(&trial.Delegation{Common: trialtest.Common(), Kinds: []string{"custody"}, To: "depot", Trial: w.trial()},
		trial.NamedSubject("trial", w.trial()))
	return w
}

func (w *warehouse) unit(serial string) trial.Hash {
	return trial.UnitID(w.trial(), trial.UnitCommitment(packHandle(serial)))
}

func (w *warehouse) record(serial string) *trial.UnitRecord {
	w.t.Helper()
	r, ok := w.log.State.Record(trial.RecordKey{Kind: "unit", ID: w.unit(serial).String()}).(*trial.UnitRecord)
	if !ok {
		w.t.Fatalf("no unit %s", serial)
	}
	return r
}

// statement returns an act of an organisation with packs as they are now.
func (w *warehouse) statement(p trial.Custody, serials ...string) (*trial.Custody, []trial.Subject) {
	w.t.Helper()
	p.Common, p.Trial, p.Units = trialtest.Common(), w.trial(), nil
	for _, serial := range serials {
		u := trial.Unit{Unit: w.unit(serial)}
		switch p.Action {
		case "issue":
			u.Unit = trial.UnitCommitment(packHandle(serial))
			if inside, ok := strings.CutPrefix(serial, "case-of-"); ok {
				u.Contents, u.Packs = trial.CaseContents(commitments(inside)), uint64(len(commitments(inside)))
			}
		case "suspect":
			u.Handle = packHandle(serial)
		default:
			u.N = w.record(serial).N
		}
		p.Units = append(p.Units, u)
	}
	sortUnits(p.Units)
	subjects := trial.NamedSubject("trial", w.trial())
	if p.Action == "dispense" {
		subjects = []trial.Subject{{Name: "subject-1", Digest: trial.Digest{Salted256: trial.Hash{1}}}}
	}
	return &p, subjects
}

// commitments returns those of packs such as u1+u2, sorted.
func commitments(serials string) (list []trial.Hash) {
	for _, serial := range strings.Split(serials, "+") {
		list = append(list, trial.UnitCommitment(packHandle(serial)))
	}
	slices.SortFunc(list, func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// act logs an act, which the rules admit, and returns the statement's identity.
func (w *warehouse) act(org string, p trial.Custody, serials ...string) trial.Hash {
	w.t.Helper()
	said, subjects := w.statement(p, serials...)
	w.admit(handlers[org])(said, subjects)
	id := w.log.IDs[w.log.Size()-2]
	w.said = append(w.said, admitted{org, said, subjects, id})
	return id
}

// try returns why the rules refuse a statement, as an honest log asks them.
func (w *warehouse) try(org string, p *trial.Custody, subjects []trial.Subject) error {
	w.t.Helper()
	_, _, err := w.log.State.Admit(trialtest.Check(w.t, handlers[org], p, subjects), w.log.State.Time())
	return err
}

func (w *warehouse) wantRefused(org string, p *trial.Custody, subjects []trial.Subject, rule trial.Rule) {
	w.t.Helper()
	if err := w.try(org, p, subjects); trial.RuleOf(err) != rule {
		w.t.Fatalf("%s by %s: %v, want %s", p.Action, org, err, rule)
	}
}

// loggedAgain has the operator log an act again, with the very envelope that its signer made, after
// the unit was where the act would be true once more.
func loggedAgain(t *testing.T, action string) {
	w := newWarehouse(t)
	w.act("depot", trial.Custody{Action: "issue"}, "u1", "case-of-u8+u9")
	ship := w.act("depot", trial.Custody{Action: "ship", To: "site-a"}, "u1", "case-of-u8+u9")
	w.act("site-a", trial.Custody{Action: "receive", Condition: "excursion", Ship: ship}, "u1", "case-of-u8+u9")
	w.act("depot", trial.Custody{Action: "free"}, "u1")
	w.act("site-a", trial.Custody{Action: "open", Packs: commitments("u8+u9")}, "case-of-u8+u9")
	w.act("site-a", trial.Custody{Action: "hold"}, "u1")
	if action == "ship" || action == "receive" { // it is at the depot once more, and is freed
		back := w.act("site-a", trial.Custody{Action: "ship", To: "depot"}, "u1")
		w.act("depot", trial.Custody{Action: "receive", Condition: "ok", Ship: back}, "u1")
	}
	if action == "receive" {
		w.act("depot", trial.Custody{Action: "ship", To: "site-a"}, "u1")
	}
	old := w.log.Size()
	w.agree(0, "r1", "r2", "w3")
	at := slices.IndexFunc(w.said, func(s admitted) bool { return s.p.Action == action })
	s := w.said[at]
	w.wantRefused(s.who, s.p, s.subjects, trial.RulePredecessor)
	w.force(w.forged(handlers[s.who], w.signer(handlers[s.who]), s.p, s.subjects))
	w.refused(old, trial.RulePredecessor)
	w.noQuorum(old, "R10")
	w.reads(1, "R10", "audit")
}

// receiptOfAnother: what is under way is not received because another site, the sender or the holder
// says so.
func receiptOfAnother(t *testing.T) {
	w := newWarehouse(t)
	w.act("depot", trial.Custody{Action: "issue"}, "u1")
	ship := w.act("depot", trial.Custody{Action: "ship", To: "site-a"}, "u1")
	old := w.log.Size()
	w.agree(0, "r1", "r2", "w3")
	p, subjects := w.statement(trial.Custody{Action: "receive", Condition: "ok", Ship: ship}, "u1")
	for _, org := range []string{"depot", "site-b", "acme"} {
		w.wantRefused(org, p, subjects, trial.RuleRole)
	}
	for _, c := range []struct {
		org, action string
		rule        trial.Rule
	}{{"depot", "dispense", trial.RulePredecessor}, {"depot", "destroy", trial.RulePredecessor}, {"site-a", "dispense", trial.RuleHolder},
		{"site-a", "lost", trial.RuleHolder}} {
		p, subjects := w.statement(trial.Custody{Action: c.action}, "u1")
		w.wantRefused(c.org, p, subjects, c.rule)
	}
	w.checks(exitDone, "under way from depot to site-a since", "u1")
	w.force(w.forged("dora", w.signer("dora"), p, subjects))
	w.refused(old, trial.RuleRole)
	w.noQuorum(old, "R7")
	w.reads(1, "R7", "audit")
}

// checks runs trial custody check on a pack, and wants its status and words.
func (w *warehouse) checks(status int, words, serial string, more ...string) string {
	w.t.Helper()
	args := slices.Concat([]string{"trial", "custody", "check", "-log", w.http.URL, "-policy", w.policy, "-trial", w.trial().String()},
		more, []string{packCode(serial).Human()})
	out, got := w.run(args...)
	if got != status || !strings.Contains(out, words) {
		w.t.Fatalf("check %s: status %d, want %d and %q\n%s", serial, got, status, words, out)
	}
	return out
}

// hiddenRecall: no witness that replays cosigns a second tree without the recall, a history without
// it does not verify, and the tree of before says of when it is.
func hiddenRecall(t *testing.T) {
	w := newWarehouse(t)
	w.act("depot", trial.Custody{Action: "issue"}, "u1", "u2")
	ship := w.act("depot", trial.Custody{Action: "ship", To: "site-a"}, "u1", "u2")
	w.act("site-a", trial.Custody{Action: "receive", Condition: "ok", Ship: ship}, "u1", "u2")
	old := w.log.Size()
	w.agree(0, "r1", "r2", "w3")
	shown := w.published
	hiding := &warehouse{operator: w.fork(old)}
	w.act("acme", trial.Custody{Action: "recall"}, "u1")
	w.agree(old, "r1", "r2", "w3")
	w.checks(exitInvalid, "RECALLED", "u1")
	// The history without the recall, and with another record beside it.
	for what, lie := range map[string]func(*history.History){
		"the entry is left out": func(h *history.History) { h.Entries = h.Entries[:len(h.Entries)-1] },
		"the record is another": func(h *history.History) {
			h.Record, h.Entries = string(must(trial.MarshalRecord(hiding.record("u1")))), h.Entries[:len(h.Entries)-1]
		},
		"there is no such unit": func(h *history.History) { h.Record, h.Entries = "", nil },
	} {
		w.lie = lie
		if out := w.checks(exitInvalid, "history", "u1"); strings.Contains(out, "MAY BE GIVEN OUT") {
			t.Errorf("%s: %s", what, out)
		}
	}
	w.lie = nil
	// Another tree of that size for the site alone: it has something else in the recall's place.
	hiding.act("acme", trial.Custody{Action: "hold"}, "u2")
	for _, name := range []string{"r1", "r2", "w3"} {
		if status, said := hiding.ask(name, old); status == http.StatusOK {
			t.Fatalf("%s cosigns a tree without the recall: %s", name, said)
		}
	}
	hiding.publish()
	hiding.checks(exitInvalid, "quorum", "u1")
	// The tree of before is one that witnesses saw, and check says when.
	before := &warehouse{operator: w.fork(old)}
	before.published = shown
	out := before.checks(exitDone, fmt.Sprintf("as of the tree of size %d, seen by witnesses on ", old), "u1")
	if !strings.Contains(out, "MAY BE GIVEN OUT") || !strings.Contains(out, "proven by replaying witnesses") {
		t.Errorf("%s", out)
	}
}

// hundredReports: what strangers report is told and blocks no act. Each organisation reports a unit
// once, and who has it and who holds the trial always can.
func hundredReports(t *testing.T) {
	w := newWarehouse(t)
	w.act("depot", trial.Custody{Action: "issue"}, "u1")
	report := trial.Custody{Action: "suspect", Reason: "duplicate"}
	w.act("rival", report, "u1")
	p, subjects := w.statement(report, "u1")
	w.wantRefused("rival", p, subjects, trial.RuleTaken)
	for i := range 100 {
		org, who := fmt.Sprintf("rival-%d", i), fmt.Sprintf("mallory-%d", i)
		w.mu.Lock()
		e, s := trialtest.Org(org, org, who)
		w.log.Admit("registrar", e, s)
		if i < 99 {
			w.log.Admit(who, p, subjects)
		} else if _, _, err := w.log.State.Admit(trialtest.Check(t, who, p, subjects), w.log.State.Time()); trial.RuleOf(err) !=
			trial.RuleLimit {
			t.Errorf("the 101st: %v", err)
		}
		w.mu.Unlock()
	}
	if r := w.record("u1"); r.N != 1 || len(r.Reports) != 100 {
		t.Fatalf("%d acts, %d reports", r.N, len(r.Reports))
	}
	own, subjects := w.statement(report, "u1")
	own.Units[0].N = 1
	w.admit("dora")(own, subjects)
	own.Units[0].N = 2
	w.admit("ada")(own, subjects)
	w.act("depot", trial.Custody{Action: "dispense"}, "u1")
	w.agree(0, "r1", "r2", "w3")
	out := w.checks(exitDone, "REPORTED as suspicious by depot, rival, rival-0, rival-1, rival-2, and 97 more\n", "u1")
	for _, want := range []string{"issue     by depot", "suspect   by rival: duplicate", "suspect   by depot", "suspect   by acme",
		"dispense  by depot",
		"... and 97 more reports by others"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

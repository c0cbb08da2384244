package dossier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/study"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// Two witnesses that replay, so that completeness is proven.
var (
	r1 = trialtest.Cosigner{Key: "r1.example/replay", Alg: 0x04, Time: 1_800_000_000}
	r2 = trialtest.Cosigner{Key: "r2.example/replay", Alg: 0x04, Time: 1_800_000_001}
)

func policy(t *testing.T) *checkpoint.Policy {
	t.Helper()
	return trialtest.ParsePolicy(t, fmt.Sprintf("log %s\nwitness a %s\nwitness b %s\nwitness p %s\ngroup g 2 a b p\nquorum g\n",
		trialtest.LogKey.VKey(), r1.VKey(), r2.VKey(), trialtest.W2.VKey()))
}

// record returns a register's record of a trial, with its plan only or with results.
func record(day, outcome string, results bool) []byte {
	more := ""
	if results {
		more = fmt.Sprintf(`,"hasResults":true,"resultsSection":{"outcomeMeasuresModule":{"outcomeMeasures":[{"type":"PRIMARY","title":%q,"timeFrame":"12 weeks"}]}}`, outcome)
	}
	return fmt.Appendf(nil, `{"protocolSection":{"identificationModule":{"nctId":"NCT09990001","briefTitle":"Examplinib in Pain"},
"statusModule":{"overallStatus":"COMPLETED","startDateStruct":{"date":"2020-01-10","type":"ACTUAL"},
"primaryCompletionDateStruct":{"date":"2021-01-10","type":"ACTUAL"},"studyFirstSubmitDate":"2019-12-01","lastUpdateSubmitDate":%q},
"sponsorCollaboratorsModule":{"leadSponsor":{"name":"Acme"}},"oversightModule":{"isFdaRegulatedDrug":true,"isFdaRegulatedDevice":false},
"designModule":{"studyType":"INTERVENTIONAL","phases":["PHASE3"]},
"outcomesModule":{"primaryOutcomes":[{"measure":%q,"timeFrame":"12 weeks"}]}}%s}`, day, outcome, more)
}

// A scene is a log with one trial, its number, its protocol and two copies of a register's
// record. The facts of the second copy are logged.
type scene struct {
	log            *trialtest.Log
	trial          trial.Hash
	planned, final []byte
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{log: trialtest.NewLog(t), planned: record("2019-12-01", "Pain at rest", false), final: record("2021-06-01",
		"Sleep quality", true)}
	admit := func(name string, p trial.Predicate, subjects []trial.Subject) *trial.Signed {
		t.Helper()
		return s.log.Admit(name, p, subjects)
	}
	p, subjects := trialtest.Org("acme", "Acme", "admin")
	admit("registrar", p, subjects)
	p, subjects = trialtest.Enrol("acme", "ada", "signer")
	admit("admin", p, subjects)
	p, subjects = trialtest.Register("T-1")
	s.trial = admit("ada", p, subjects).ID
	p = &trial.Identifier{Common: trialtest.Common(), Identifier: "nct:NCT09990001", Trial: s.trial}
	admit("ada", p, trial.NamedSubject("trial", s.trial))
	p = &trial.Protocol{Common: trialtest.Common(), Scope: "global", Trial: s.trial, Version: "1.0"}
	admit("ada", p, trialtest.Documents("protocol", "the protocol"))
	for i, data := range [][]byte{s.planned, s.final} {
		o := &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT09990001", Source: "registry", Dated: "2021-01-01",
			SeenAt: "2021-07-01"}
		if i == 1 {
			x, err := study.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			o.Facts, _ = x.Facts()
		}
		admit("ada", o, trialtest.Documents("observation", string(data)))
	}
	s.log.Close()
	return s
}

// histories returns the histories of the trial, its number and its organisation, each checked.
func (s *scene) histories(t *testing.T, cosigners ...note.Signer) *dossier.Histories {
	t.Helper()
	get := func(key trial.RecordKey) *dossier.History {
		h := s.log.History(key, cosigners...)
		v, err := h.Verify(policy(t))
		if err != nil {
			t.Fatal(err)
		}
		return &dossier.History{Verdict: v, Proof: h}
	}
	h := &dossier.Histories{Trial: get(trial.RecordKey{Kind: "trial", ID: s.trial.String()})}
	for _, key := range dossier.Numbers(h.Trial.Verdict) {
		h.Numbers = append(h.Numbers, get(key))
	}
	for _, key := range dossier.Organisations(h.Trial.Verdict) {
		h.Orgs = append(h.Orgs, get(key))
	}
	return h
}

// documents returns the documents given.
func documents(list ...[]byte) dossier.Documents {
	return func(yield func([]byte, error) bool) {
		for _, data := range list {
			if !yield(data, nil) {
				return
			}
		}
	}
}

func TestDossier(t *testing.T) {
	s := newScene(t)
	h := s.histories(t, r1, r2)
	d, err := dossier.New("NCT09990001", h, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Versions) != 1 || d.Versions[0].Study.Number("nct") != "NCT09990001" || !d.Replayed() {
		t.Fatalf("from facts alone: %d versions", len(d.Versions))
	}
	if notes := d.Notes(); len(notes) != 3 || !strings.Contains(notes[2], "give its file with -files") {
		t.Fatalf("notes: %q", notes)
	}
	unlogged := record("2021-09-01", "Sleep quality", true)
	other := bytes.ReplaceAll(unlogged, []byte("NCT09990001"), []byte("NCT09990002"))
	d, err = dossier.New("NCT09990001", h, documents(s.planned, unlogged, other, []byte("no record")), nil)
	if err != nil || len(d.Versions) != 3 || len(d.Files) != 2 {
		t.Fatalf("with files: %v, %d versions of %d files", err, len(d.Versions), len(d.Files))
	}
	if v := d.Versions[2]; v.File == "" || v.Whose != study.ByReader || v.Claimed != "2021-09-01" {
		t.Errorf("the reader's own record: %+v", v)
	}
	broken := errors.New("the disk broke")
	if _, err := dossier.New("NCT09990001", h, func(yield func([]byte, error) bool) { yield(nil, broken) }, nil); err != broken {
		t.Errorf("unreadable documents: %v", err)
	}
	standing := h.Standing(policy(t))
	if standing.Trial != s.trial || standing.Holder != "acme" || len(standing.Numbers) != 1 || len(standing.Heads) != 1 ||
		!standing.Replayed {
		t.Errorf("standing: %+v", standing)
	}
}

// TestReplayedByAll: several histories prove that nothing is left out only if each of them
// does.
func TestReplayedByAll(t *testing.T) {
	s := newScene(t)
	h := s.histories(t, r1, r2)
	h.Orgs = s.histories(t, r1, trialtest.W2).Orgs
	if h.Replayed() || h.Standing(policy(t)).Replayed {
		t.Error("one history is the operator's word, and the whole is said to be proven")
	}
}

// TestVerifyReport: a report is valid only if all of it follows from its proofs and documents.
func TestVerifyReport(t *testing.T) {
	s, p := newScene(t), policy(t)
	draw := func(docs dossier.Documents) []byte {
		t.Helper()
		d, err := dossier.New("NCT09990001", s.histories(t, r1, r2), docs, []string{"watchdog"})
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.Report(p, "2023-01-01", []byte("primary: Sleep quality [12 weeks]\n"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := x.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	bare, filed := draw(nil), draw(documents(s.planned))
	for _, c := range []struct {
		name    string
		data    []byte
		docs    dossier.Documents
		lacking bool
	}{
		{"from facts", bare, nil, false},
		{"a document that it was not drawn from", bare, documents(s.planned), false},
		{"with its document", filed, documents(s.final, s.planned), false},
		{"without its document", filed, documents(s.final), true},
	} {
		v, err := dossier.VerifyReport(p, c.data, c.docs)
		if err != nil || !v.Replayed() || v.Lacking.IsZero() == c.lacking {
			t.Errorf("%s: %v, %+v", c.name, err, v)
		} else if c.lacking && v.Lacking != sha256.Sum256(s.planned) {
			t.Errorf("%s: lacking %s", c.name, v.Lacking)
		}
	}
	other := trialtest.ParsePolicy(t, trialtest.PolicyText())
	if _, err := dossier.VerifyReport(other, bare, nil); err == nil {
		t.Error("valid under a policy whose quorum its proofs do not meet")
	}
	if !dossier.IsReport(bare) || dossier.IsReport([]byte(`{"kind":"trial"}`)) || dossier.IsReport([]byte("x")) {
		t.Error("IsReport")
	}
	if _, err := dossier.VerifyReport(p, []byte(`{"format":"trialproof-report/v9"}`), nil); err == nil {
		t.Error("a format of tomorrow was checked")
	}
	alter := func(name string, f func(map[string]json.RawMessage), wants string) {
		t.Helper()
		var m map[string]json.RawMessage
		if err := json.Unmarshal(filed, &m); err != nil {
			t.Fatal(err)
		}
		f(m)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		v, err := dossier.VerifyReport(p, data, documents(s.planned))
		if err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("%s: %v, want %q", name, err, wants)
		}
		if (v != nil) != strings.Contains(wants, "in the report") {
			t.Errorf("%s: the dossier of proofs that hold: %v", name, v != nil)
		}
	}
	swap := func(member, old, new string) func(map[string]json.RawMessage) {
		return func(m map[string]json.RawMessage) {
			if !bytes.Contains(m[member], []byte(old)) {
				t.Fatalf("%s has no %s", member, old)
			}
			m[member] = bytes.Replace(m[member], []byte(old), []byte(new), 1)
		}
	}
	cut := func(member string, from, to int) func(map[string]json.RawMessage) {
		return func(m map[string]json.RawMessage) {
			var list []json.RawMessage
			json.Unmarshal(m[member], &list)
			m[member], _ = json.Marshal(slices.Delete(list, from, to))
		}
	}
	alter("a deadline", swap("deadlines", `"verdict": "`, `"verdict": "not `), "the deadlines in the report is not what follows")
	alter("the comparison", swap("comparison", "Pain at rest", "Sleep quality"), "the comparison in the report is not what follows")
	alter("the study", swap("study", "Examplinib", "Otherinib"), "the study in the report is not what follows")
	alter("an entry", swap("entries", "author", "approval"), "the entries that the report lists are not those")
	alter("an entry left out", cut("entries", 0, 1), "the entries that the report lists are not those")
	alter("a proof", swap("proofs", "acme", "umbr"), "")
	alter("no history of the number", cut("proofs", 1, 2), "the report has no history of identifier nct:NCT09990001")
	alter("no history of the organisation", func(m map[string]json.RawMessage) { delete(m, "organisationProofs") },
		"the report has no history of org acme")
	alter("a document with no digest", func(m map[string]json.RawMessage) {
		m["files"], m["comparison"] = json.RawMessage(`["`+trial.Hash{}.String()+`"]`), json.RawMessage(`{}`)
	}, "a document with no digest")
	alter("a history that has nothing to do with the trial", func(m map[string]json.RawMessage) {
		var list []json.RawMessage
		json.Unmarshal(m["organisationProofs"], &list)
		m["organisationProofs"], _ = json.Marshal(append(list, list[0]))
	}, "which has nothing to do with the trial")
	alter("a history of a later tree", func(m map[string]json.RawMessage) {
		p, subjects := trialtest.Org("later", "Later", "olga")
		s.log.Admit("registrar", p, subjects)
		s.log.Close()
		later, _ := json.Marshal(s.log.History(trial.RecordKey{Kind: "org", ID: "acme"}, r1, r2))
		m["organisationProofs"] = slices.Concat(json.RawMessage("["), later, json.RawMessage("]"))
	}, "is of the tree of size")
	alter("no proofs", cut("proofs", 0, 2), "or it has no proofs")
	alter("another question", swap("asked", "NCT09990001", "NCT09990002"), "asked for")
	alter("a member twice in a history", swap("proofs", `"kind": "trial"`, `"kind": "trial","kind":"trial"`), "a member twice")
	whole := bytes.Replace(filed, []byte("replaying witnesses checked"), []byte("everybody checked"), 1)
	if v, err := dossier.VerifyReport(p, whole, documents(s.planned)); v == nil || err == nil || !strings.Contains(err.Error(),
		"the report is not what follows") {
		t.Errorf("who vouches for it, altered: %v", err)
	}
	twice := bytes.Replace(filed, []byte(`"asked":`), []byte(`"asked": "NCT1", "asked":`), 1)
	if _, err := dossier.VerifyReport(p, twice, documents(s.planned)); err == nil {
		t.Error("a member twice, and valid")
	}
}

// TestNumberAlone: a number that no trial claims has a dossier, and a report, of its
// observations.
func TestNumberAlone(t *testing.T) {
	l := trialtest.NewLog(t)
	p, subjects := trialtest.Org("acme", "Acme", "admin")
	l.Admit("registrar", p, subjects)
	p, subjects = trialtest.Enrol("acme", "ada", "signer")
	l.Admit("admin", p, subjects)
	x, err := study.Parse(record("2019-12-01", "Pain", false))
	if err != nil {
		t.Fatal(err)
	}
	o := &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT09990001", Source: "registry", Dated: "2019-12-01",
		SeenAt: "2021-07-01"}
	o.Facts, _ = x.Facts()
	l.Admit("ada", o, trialtest.Documents("observation", "x"))
	l.Close()
	key := trial.RecordKey{Kind: "identifier", ID: "nct:NCT09990001"}
	proof := l.History(key, r1, r2)
	v, err := proof.Verify(policy(t))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.New("NCT09990001", &dossier.Histories{Numbers: []*dossier.History{{Verdict: v, Proof: proof}}}, nil, nil)
	if err != nil || d.Timeline != nil || len(d.Versions) != 1 {
		t.Fatalf("%v, %+v", err, d)
	}
	r, err := d.Report(policy(t), "2023-01-01", nil)
	if err != nil || r.Standing != nil {
		t.Fatal(err, r)
	}
	data, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dossier.VerifyReport(policy(t), data, nil); err != nil {
		t.Error(err)
	}
	for _, at := range []string{"", "2023", "2023-99-99", "a day"} { // also where no deadline is judged
		if _, err := d.Report(policy(t), at, nil); err == nil {
			t.Errorf("a report as of %q", at)
		}
	}
}

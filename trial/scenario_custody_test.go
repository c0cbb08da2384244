package trial_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// custody builds what a line such as
//
//	dora: custody ship T1 u1 u2 to=site-a as S1
//
// says. A unit is a name; case:p1,p2 issues a case of two packs. Each has as many acts as its record
// says, unless the option n says otherwise. The name of each unit is given to its id.
func (s *scenario) custody(c trial.Common, action string, of trial.Hash, names []string, option map[string]string) (trial.Predicate,
	[]trial.Subject) {
	s.t.Helper()
	commitment := func(name string) trial.Hash { return trial.UnitCommitment(handleOf(name)) }
	p := &trial.Custody{Common: c, Action: action, Condition: option["condition"], Deviation: option["deviation"], Reason: option["reason"],
		Ship: s.id(option["ship"]), To: option["to"], Trial: of}
	for _, name := range names {
		name, packs, _ := strings.Cut(name, ":")
		id := trial.UnitID(of, commitment(name))
		s.names[name] = id
		u := trial.Unit{Unit: id}
		if rec, ok := s.log.State.Record(trial.RecordKey{Kind: "unit", ID: id.String()}).(*trial.UnitRecord); ok {
			u.N = rec.N
		} else if action != "issue" {
			u.N = 1
		}
		if action == "issue" {
			u = trial.Unit{Unit: commitment(name)}
		}
		if n, ok := option["n"]; ok {
			u.N, _ = strconv.ParseUint(n, 10, 64)
		}
		if action == "suspect" {
			u.Handle = handleOf(cmp.Or(option["handle"], name))
		}
		var list []trial.Hash
		if packs != "" {
			for _, pack := range strings.Split(packs, ",") {
				list = append(list, commitment(pack))
				s.names[pack] = trial.UnitID(of, commitment(pack))
			}
		}
		slices.SortFunc(list, func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) })
		switch {
		case action == "issue" && len(list) > 0:
			u.Contents, u.Packs = trial.CaseContents(list), uint64(len(list))
		case action == "open":
			p.Packs = list
		}
		p.Units = append(p.Units, u)
	}
	slices.SortFunc(p.Units, func(a, b trial.Unit) int { return bytes.Compare(a.Unit[:], b.Unit[:]) })
	switch option["order"] {
	case "reversed":
		slices.Reverse(p.Units)
	case "twice":
		p.Units = append(p.Units, p.Units[0])
	}
	if action != "dispense" {
		if option["documents"] != "" {
			return p, salted(trialtest.Documents("custody", fmt.Sprint(s.number)))
		}
		return p, trial.NamedSubject("trial", of)
	}
	var subjects []trial.Subject
	for i := range p.Units {
		subjects = append(subjects, trial.Subject{Name: fmt.Sprintf("subject-%d", i+1),
			Digest: trial.Digest{Salted256: sha256.Sum256([]byte(fmt.Sprint(s.number, i)))}})
	}
	return p, subjects
}

// handleOf returns the handle of the unit that a name stands for.
func handleOf(name string) trial.Hash { return trial.UnitHandle(name, [16]byte{1}) }

// custodySamples admits statements about packs of a masked trial that acme holds. beta receives them.
func custodySamples(statements map[string][]byte, admit func(string, trial.Predicate, []trial.Subject) trial.Hash, of trial.Hash) {
	documents := salted(trialtest.Documents("custody", "list"))
	commitment := func(name string) trial.Hash { return trial.UnitCommitment(handleOf(name)) }
	unit := func(name string, n uint64) trial.Unit {
		return trial.Unit{N: n, Unit: trial.UnitID(of, commitment(name))}
	}
	act := func(who string, p *trial.Custody, subjects []trial.Subject) trial.Hash {
		p.Trial = of
		slices.SortFunc(p.Units, func(a, b trial.Unit) int { return bytes.Compare(a.Unit[:], b.Unit[:]) })
		if subjects == nil {
			subjects = trial.NamedSubject("trial", of)
		}
		id := admit(who, p, subjects)
		statements["custody, "+p.Action] = statements["custody"]
		return id
	}
	packs := []trial.Hash{commitment("p1"), commitment("p2")}
	slices.SortFunc(packs, func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) })
	act("ada", &trial.Custody{Action: "issue", Units: []trial.Unit{{Unit: commitment("u1")},
		{Contents: trial.CaseContents(packs), Packs: 2, Unit: commitment("c1")}}}, documents)
	ship := act("ada", &trial.Custody{Action: "ship", To: "beta", Units: []trial.Unit{unit("u1", 1), unit("c1", 1)}}, nil)
	act("ben", &trial.Custody{Action: "receive", Condition: "excursion", Ship: ship, Units: []trial.Unit{unit("u1", 2), unit("c1", 2)}}, nil)
	act("ben", &trial.Custody{Action: "open", Packs: packs, Units: []trial.Unit{unit("c1", 3)}}, nil)
	act("ben", &trial.Custody{Action: "dispense", Deviation: "emergency", Units: []trial.Unit{unit("u1", 3)}},
		[]trial.Subject{{Name: "subject-1", Digest: trial.Digest{Salted256: trial.Hash{5}}}})
	act("ben", &trial.Custody{Action: "return", Units: []trial.Unit{unit("u1", 4)}}, nil)
	act("ben", &trial.Custody{Action: "lost", Units: []trial.Unit{unit("u1", 5)}}, nil)
	act("ada", &trial.Custody{Action: "recall", Units: []trial.Unit{unit("u1", 6)}}, nil)
	reported := unit("u1", 7)
	reported.Handle = handleOf("u1")
	act("ben", &trial.Custody{Action: "suspect", Reason: "seal", Units: []trial.Unit{reported}}, nil)
	act("ben", &trial.Custody{Action: "ship", To: "acme", Units: []trial.Unit{unit("u1", 8)}}, nil)
	admit("ada", &trial.CodeBreak{Reason: "emergency", Trial: of}, salted(trialtest.Documents("codebreak", "u1")))
}

package timeline

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// A chronicler makes up histories of one trial.
type chronicler struct {
	r       *rand.Rand
	trial   trial.Hash
	now     trial.Time
	entries []trial.Located
	ids     []trial.Hash
	voids   bool // also voids of milestones
}

func pick[T any](c *chronicler, from ...T) T { return from[c.r.IntN(len(from))] }

func (c *chronicler) log(org string, p trial.Predicate) trial.Hash {
	var id trial.Hash
	binary.BigEndian.PutUint64(id[:], uint64(len(c.entries)))
	id[31] = 1
	if len(c.entries) == 0 {
		id = c.trial
	}
	c.now += trial.Time(c.r.IntN(3)) * 12 * 60 * 60 * 1000
	*trial.CommonOf(&trial.Statement{Predicate: p}) = trial.Common{Meaning: "author", SignedAt: c.now}
	signed := &trial.Signed{ID: id, Statement: &trial.Statement{Predicate: p}}
	c.entries = append(c.entries, trial.Located{Index: uint64(2*len(c.entries) + 2), Entry: &trial.Entry{Statement: signed, Time: c.now,
		Signer: trial.Signer{Org: org, Role: trial.RoleSigner}}})
	c.ids = append(c.ids, id)
	return id
}

// date returns a day, month or year not far from now.
func (c *chronicler) date() string {
	day := c.now.Std().Add(time.Duration(c.r.IntN(80)-60) * 24 * time.Hour)
	return day.Format(pick(c, time.DateOnly, time.DateOnly, time.DateOnly, "2006-01", "2006"))
}

func (c *chronicler) analysis() string { return pick(c, "primary", "final", "interim-1") }

// act logs one statement of any kind that can set marks.
func (c *chronicler) act() {
	org := pick(c, "acme", "acme", "acme", "cro")
	last := func() trial.Hash { return c.ids[c.r.IntN(len(c.ids))] }
	switch c.r.IntN(16) {
	case 0, 1, 2, 3, 4, 5:
		event := pick(c, trial.EventNames()...)
		m := &trial.Milestone{Country: pick(c, "", "", "DE", "FR"), Date: c.date(), Event: event, Trial: c.trial}
		if trial.Events[event] {
			m.Analysis = c.analysis()
		}
		c.log(org, m)
	case 6:
		p := &trial.Protocol{Scope: trial.ScopeGlobal, Trial: c.trial, Version: "1"}
		if c.r.IntN(2) == 0 {
			p.Previous = last()
		}
		c.log(org, p)
	case 7, 8:
		c.log(org, &trial.SAP{Analysis: c.analysis(), Trial: c.trial, Version: "1"})
	case 9:
		p := &trial.Results{Analysis: c.analysis(), Trial: c.trial}
		if c.r.IntN(2) == 0 {
			p.Updates = last()
		}
		c.log(org, p)
	case 10, 11, 12:
		of := c.entries[c.r.IntN(len(c.entries))]
		p := of.Statement.Statement.Predicate
		x := &trial.Correction{Of: p.Kind(), Statement: of.Statement.ID, Trial: c.trial}
		switch p := p.(type) {
		case *trial.Milestone:
			x.Field, x.Old, x.New = "date", p.Date, c.date()
			if trial.Events[p.Event] && c.r.IntN(2) == 0 {
				x.Field, x.Old, x.New = "analysis", p.Analysis, c.analysis()
			} else if c.r.IntN(3) == 0 {
				x.Field, x.Old, x.New = "country", p.Country, pick(c, "", "DE", "FR")
			}
		case *trial.SAP:
			x.Field, x.Old, x.New = "analysis", p.Analysis, c.analysis()
		case *trial.Results:
			x.Field, x.Old, x.New = "analysis", p.Analysis, c.analysis()
		default:
			return
		}
		c.log(org, x)
	case 13:
		of := c.entries[c.r.IntN(len(c.entries))]
		if kind := of.Statement.Statement.Predicate.Kind(); slices.Contains(trial.VoidableKinds, kind) && (c.voids || kind != "milestone") {
			c.log(org, &trial.Correction{Of: kind, Statement: of.Statement.ID, Trial: c.trial, Void: "duplicate"})
		}
	case 14:
		number := pick(c, "nct:NCT00000001", "nct:NCT00000002")
		if c.r.IntN(2) == 0 {
			c.log("acme", &trial.Identifier{Identifier: number, Trial: c.trial})
		} else {
			c.log("rival", &trial.Identifier{Identifier: number, Trial: trial.Hash{9}})
		}
	case 15:
		switch c.r.IntN(3) {
		case 0: // the operator logs a statement again
			e := c.entries[c.r.IntN(len(c.entries))]
			e.Index, e.Entry = uint64(2*len(c.entries)+2), &trial.Entry{Statement: e.Statement, Time: c.now, Signer: e.Signer}
			c.entries, c.ids = append(c.entries, e), append(c.ids, e.Statement.ID)
		case 1:
			c.log("cro", &trial.CoSignature{Statement: last(), Trial: c.trial})
		default:
			c.log("registrar", &trial.Transfer{Action: "order", Ground: "merger", To: pick(c, "acme", "cro"), Trial: c.trial})
		}
	}
}

func chronicle(seed uint64, acts int, voids bool) *chronicler {
	c := &chronicler{r: rand.New(rand.NewPCG(seed, 1)), trial: trial.Hash{7}, now: trial.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0,
		time.UTC)), voids: voids}
	c.log("acme", &trial.Registration{Masked: c.r.IntN(2) == 0, Number: "X-1", Org: "acme"})
	for range acts {
		c.act()
	}
	return c
}

// told writes every mark of a timeline on a line, in an order of its own.
func told(t *Timeline) string {
	var lines []string
	for _, m := range t.Marks() {
		lines = append(lines, fmt.Sprintf("entry %d %s by %d struck %v: %s", m.Index, m.ID, m.Cause, m.Struck, m.Text))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestMarksOfAnyHistory: the marks of 10,000 histories are the same as those found by comparing
// each entry with every other. Half of the histories have no void of a milestone.
func TestMarksOfAnyHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	seen := map[trial.MarkID]int{}
	for seed := range uint64(10_000) {
		acts := 5 + int(seed%60)
		if seed%500 == 0 {
			acts = 600 // more than the marks of one sort that an entry may bear
		}
		c := chronicle(seed, acts, seed%2 == 1)
		fast, slow := New(c.trial, c.entries), newNaive(c.trial, c.entries)
		if a, b := told(fast), told(slow); a != b {
			t.Fatalf("seed %d, %d entries:\n%s", seed, len(c.entries), difference(a, b))
		}
		if fast.Holder != slow.Holder || fast.Masked != slow.Masked {
			t.Fatalf("seed %d: held by %s and %s", seed, fast.Holder, slow.Holder)
		}
		for _, m := range fast.Marks() {
			seen[m.ID]++
		}
	}
	for _, id := range []trial.MarkID{MarkLateRegistration, MarkLateProtocol, MarkAmendment, MarkLateSAP, MarkUnblindedSAP, MarkNoSAP,
		MarkNoLock, MarkOtherDate, MarkOrder,
		MarkBranch, MarkRepeated, MarkCorrected, MarkVoid, MarkDisputed, trial.MarkUnlocked, MarkUnfounded, MarkAfterEnd, MarkEmptiedDate} {
		if seen[id] < 100 {
			t.Errorf("%s was set %d times: these histories say nothing of it", id, seen[id])
		}
	}
}

// difference returns the lines that only one of two texts has.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range x {
		if !slices.Contains(y, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range y {
		if !slices.Contains(x, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}

// milestones makes a history of milestones that contradict each other, with every tenth
// a SAP or a correction.
func milestones(n int) *chronicler {
	c := &chronicler{r: rand.New(rand.NewPCG(3, 1)), trial: trial.Hash{7}, now: trial.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	c.log("acme", &trial.Registration{Masked: true, Number: "X-1", Org: "acme"})
	for k := range n {
		switch k % 10 {
		case 3:
			c.log("acme", &trial.SAP{Analysis: "final", Trial: c.trial, Version: "1"})
		case 7:
			m := c.entries[c.r.IntN(len(c.entries))]
			if p, ok := m.Statement.Statement.Predicate.(*trial.Milestone); ok {
				c.log("acme", &trial.Correction{Field: "date", Of: "milestone", Old: p.Date, New: c.date(), Statement: m.Statement.ID,
					Trial: c.trial})
			}
		default:
			event := pick(c, "first-enrolment", "database-lock", "database-unlock", "unblinding", "end-of-trial")
			m := &trial.Milestone{Date: c.date(), Event: event, Trial: c.trial}
			if trial.Events[event] {
				m.Analysis = "final"
			}
			c.log("acme", m)
		}
	}
	return c
}

// BenchmarkTimeline reads a trial of 10,000 and of 100,000 milestones, SAPs and
// corrections that contradict each other.
func BenchmarkTimeline(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		c := milestones(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				New(c.trial, c.entries)
			}
		})
	}
}

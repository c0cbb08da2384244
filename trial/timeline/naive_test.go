package timeline

import (
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/trial"
)

// A naive timeline reads a history as docs/spec.md describes it, each entry against every other
// one. Timeline is compared with it; it is much slower.
type naive struct{ *Timeline }

func newNaive(id trial.Hash, entries []trial.Located) *Timeline {
	t := &naive{&Timeline{Trial: id, byID: map[trial.Hash]*Item{}}}
	seen := map[trial.Hash]*Item{}
	for _, e := range entries {
		if e.Entry.Statement == nil {
			continue
		}
		i := &Item{Located: e}
		i.ID, i.Statement = e.Entry.Statement.Effective()
		i.values = valuesOf(i.Statement.Predicate)
		t.Items = append(t.Items, i)
		if first := seen[e.Entry.Statement.ID]; first != nil {
			i.Repeats = first
			t.mark(i, first, MarkRepeated, "entry %d has the same statement; only the log's operator can do that", first.Index)
			continue
		}
		seen[e.Entry.Statement.ID] = i
		if t.byID[i.ID] == nil {
			t.byID[i.ID] = i
		}
		t.read(i)
	}
	t.strike()
	return t.Timeline
}

// shares reports whether two items ever had one value of a member.
func shares(a, b *Item, member string) bool {
	return slices.ContainsFunc(a.values[member], func(v string) bool { return b.ever(member, v) })
}

// read reads one item: it sets marks on the item, and on earlier items because of it.
func (t *naive) read(i *Item) {
	if of := trial.TrialOf(i.Statement); of != t.Trial && i.ID != t.Trial {
		i.Foreign = true
		switch p := i.Statement.Predicate.(type) {
		case *trial.Identifier:
			t.disputed(i, p.Identifier, "is claimed")
		case *trial.Ruling:
			t.disputed(i, p.Identifier, "is ruled to be another trial's, on the ground of "+p.Ground+",")
		}
		return
	}
	t.markAny(i)
	switch p := i.Statement.Predicate.(type) {
	case *trial.Registration:
		t.holder(i, p.Org)
		t.Masked = p.Masked
	case *trial.Transfer:
		if p.Action == "accept" || p.Action == "order" {
			t.holder(i, p.To)
		}
		if p.Action == "order" {
			t.mark(i, i, trial.MarkOrdered, "ground: %s", p.Ground)
		}
	case *trial.Milestone:
		t.milestone(i, p, p.Date)
	case *trial.Protocol:
		Each(t.Timeline, func(m *Item, e *trial.Milestone) { t.protocolBy(i, m, e) })
	case *trial.SAP:
		Each(t.Timeline, func(m *Item, e *trial.Milestone) { t.sapBy(i, m, e) })
	case *trial.Results:
		t.results(i, p)
	case *trial.CoSignature:
		if of := t.byID[p.Statement]; of != nil && of != i {
			of.Signatures = append(of.Signatures, i)
		} else {
			t.mark(i, i, MarkUnfounded, "it signs the statement %s, which is not logged for this trial before it", p.Statement)
		}
	case *trial.Correction:
		t.correction(i, p)
	}
}

func (t *naive) holder(i *Item, org string) {
	t.Holder = org
	t.holders = append(t.holders, holding{i.Index, org})
}

// markAny sets the marks that any kind of item may bear.
func (t *naive) markAny(i *Item) {
	if signed := trial.CommonOf(i.Located.Statement.Statement).SignedAt; trial.DayOf(i.Time)-trial.DayOf(signed) > delayedDays {
		t.mark(i, i, MarkDelayed, "signed %s by the signer's clock, logged %s", signed, i.Time)
	}
	if u, ok := i.Located.Statement.Statement.Predicate.(*trial.Unseal); ok {
		t.mark(i, i, trial.MarkUnsealed, "sealed by entry %d, %s; opened %s", u.Sealed.Index, u.Sealed.Time, i.Time)
	}
	if d := i.Value("dated"); d != "" {
		t.mark(i, i, MarkAfterTheFact, "the date %s is claimed; logged %s", d, i.Time)
	}
	kind := i.Statement.Predicate.Kind()
	if t.Holder != "" && i.Signer.Org != t.Holder && slices.Contains(trial.DelegableKinds, kind) {
		t.mark(i, i, MarkDelegated, "%s is of %s, %s holds the trial", kind, i.Signer.Org, t.Holder)
	}
	if kind == "protocol" || kind == "sap" {
		Each(t.Timeline, func(m *Item, e *trial.Milestone) {
			if e.Event == "end-of-trial" && e.Country == "" && after(trial.DayOf(i.Time), m) {
				t.mark(i, m, MarkAfterEnd, "the trial ended %s", m.Value("date"))
			}
		})
	}
}

// disputed marks a number because of an entry of another trial's history that concerns it. An
// organisation that claims a number after another reads about that in the number's own history.
func (t *naive) disputed(i *Item, identifier, how string) {
	t.mark(i, i, MarkDisputed, "%s %s by %s", identifier, how, i.Signer.Org)
	Each(t.Timeline, func(own *Item, p *trial.Identifier) {
		if p.Identifier == identifier {
			t.mark(own, i, MarkDisputed, "%s %s by %s, entry %d", identifier, how, i.Signer.Org, i.Index)
		}
	})
}

// protocolBy marks a protocol version because of a milestone, whichever was logged first.
func (t *naive) protocolBy(i, m *Item, e *trial.Milestone) {
	if e.Event != "first-enrolment" || !after(trial.DayOf(i.Time), m) {
		return
	}
	if i.Statement.Predicate.(*trial.Protocol).Previous.IsZero() {
		t.mark(i, m, MarkLateProtocol, "logged %s, the first enrolment was %s", i.Time, m.Value("date"))
	} else {
		t.mark(i, m, MarkAmendment, "logged %s, the first enrolment was %s", i.Time, m.Value("date"))
	}
}

// sapBy marks a SAP because of a milestone of its analysis.
func (t *naive) sapBy(i, m *Item, e *trial.Milestone) {
	if !sameAnalysis(i, m) || !after(trial.DayOf(i.Time), m) {
		return
	}
	switch {
	case e.Event == "database-lock":
		t.mark(i, m, MarkLateSAP, "logged %s, the lock for %s was %s", i.Time, i.Value("analysis"), m.Value("date"))
	case e.Event == "unblinding" && t.Masked:
		t.mark(i, m, MarkUnblindedSAP, "logged %s, unblinded for %s %s", i.Time, i.Value("analysis"), m.Value("date"))
	}
}

// results marks results because of what was logged before them, for the analysis that they name
// now.
func (t *naive) results(i *Item, p *trial.Results) {
	analysis := i.Value("analysis")
	planned, locked := false, false
	var before *Item
	Each(t.Timeline, func(s *Item, _ *trial.SAP) { planned = planned || s.Index < i.Index && s.ever("analysis", analysis) })
	Each(t.Timeline, func(m *Item, e *trial.Milestone) {
		locked = locked || m.Index < i.Index && e.Event == "database-lock" && m.ever("analysis", analysis)
	})
	Each(t.Timeline, func(r *Item, _ *trial.Results) {
		if r.Index < i.Index && r.Value("analysis") == analysis {
			before = r
		}
	})
	if !planned {
		t.mark(i, i, MarkNoSAP, "no SAP for the %s analysis is logged before it", analysis)
	}
	if !locked {
		t.mark(i, i, MarkNoLock, "no database lock for the %s analysis is logged before it", analysis)
	}
	if before != nil && p.Updates.IsZero() {
		t.mark(i, before, MarkBranch, "entry %d has results of the %s analysis, and this one does not name them", before.Index, analysis)
	}
}

// milestone reads a date of an event: as logged, or as corrected later.
func (t *naive) milestone(i *Item, p *trial.Milestone, date string) {
	logged := trial.DayOf(i.Time)
	first, last := trial.DaysOf(date)
	if logged-last > 30 {
		t.mark(i, i, trial.MarkLateEvent, "%s was %s, logged %d days after", p.Event, date, logged-last)
	}
	if first > logged {
		t.mark(i, i, trial.MarkFuture, "%s is dated %s, logged %s", p.Event, date, i.Time)
	}
	if p.Event == "database-unlock" {
		t.mark(i, i, trial.MarkUnlocked, "for %s, %s", p.Analysis, date)
	}
	Each(t.Timeline, func(other *Item, q *trial.Milestone) {
		if other == i {
			return
		}
		if q.Event == p.Event && other.Value("country") == i.Value("country") && other.Value("analysis") == i.Value("analysis") &&
			!slices.Contains(Recurring, p.Event) && !t.relocked(p, other, i) {
			t.otherDate(i, other, other.Value("date"), date, other.Value("date"))
		}
		t.order(i, other, p, q)
		t.order(other, i, q, p)
	})
	t.judgeBy(i, p, date)
}

// judgeBy marks earlier items because of a milestone.
func (t *naive) judgeBy(i *Item, p *trial.Milestone, date string) {
	for _, other := range t.Items {
		if !other.InEffect() {
			continue
		}
		switch other.Statement.Predicate.(type) {
		case *trial.Registration:
			if p.Event == "first-enrolment" && after(trial.DayOf(other.Time), i) {
				t.mark(other, i, MarkLateRegistration, "logged %s, the first enrolment was %s", other.Time, date)
			}
		case *trial.Protocol:
			t.protocolBy(other, i, p)
		case *trial.SAP:
			t.sapBy(other, i, p)
		}
	}
}

// relocked reports whether a second lock follows an unlock.
func (t *naive) relocked(p *trial.Milestone, first, second *Item) bool {
	unlocked := false
	if p.Event == "database-lock" {
		Each(t.Timeline, func(u *Item, q *trial.Milestone) {
			unlocked = unlocked || q.Event == "database-unlock" && sameAnalysis(u, second) && u.Index > first.Index &&
				u.Index < second.Index
		})
	}
	return unlocked
}

// otherDate marks a date that differs from an earlier one, unless it is only more precise, such
// as a day within the month.
func (t *naive) otherDate(i, cause *Item, old, date, told string) {
	of, ol := trial.DaysOf(old)
	nf, nl := trial.DaysOf(date)
	if nf >= of && nl <= ol {
		return
	}
	t.mark(i, cause, MarkOtherDate, "%s, and %s before", date, told)
}

// order marks the later logged of two milestones if a is certainly after b by its date, and
// cannot come after it.
func (t *naive) order(a, b *Item, p, q *trial.Milestone) {
	if !slices.Contains(eventOrder, [2]string{p.Event, q.Event}) || q.Event == "unblinding" && !t.Masked {
		return
	}
	if p.Analysis != "" && q.Analysis != "" && !sameAnalysis(a, b) || !shares(a, b, "country") {
		return
	}
	first, _ := trial.DaysOf(a.Value("date"))
	_, last := trial.DaysOf(b.Value("date"))
	if first <= last {
		return
	}
	later, cause := a, b
	if b.Index > a.Index {
		later, cause = b, a
	}
	t.mark(later, cause, MarkOrder, "%s %s is after %s %s", p.Event, a.Value("date"), q.Event, b.Value("date"))
}

func (t *naive) correction(i *Item, p *trial.Correction) {
	of := t.byID[p.Statement]
	if of == nil || of.Foreign || of.Statement.Predicate.Kind() != p.Of {
		t.mark(i, i, MarkUnfounded, "it names a %s %s, which is not logged for this trial before it", p.Of, p.Statement)
		return
	}
	if p.Void != "" {
		if of.Void == nil {
			of.Void = i
		}
		t.mark(of, i, MarkVoid, "%s, by entry %d", p.Void, i.Index)
		if m, ok := of.Statement.Predicate.(*trial.Milestone); ok && of.Void == i {
			t.mark(i, of, MarkEmptiedDate, "%s %s, logged by %s in entry %d, emptied by %s: %s", m.Event, of.Value("date"), of.Signer.Org,
				of.Index, i.Signer.Org, p.Void)
		}
		return
	}
	if old := of.Value(p.Field); old != p.Old {
		t.mark(i, i, MarkUnfounded, "it says that the %s of entry %d was %q, but it was %q", p.Field, of.Index, p.Old, old)
		return
	}
	of.Corrections = append(of.Corrections, i)
	of.values[p.Field] = append(slices.DeleteFunc(of.values[p.Field], func(v string) bool { return v == p.New }), p.New) // each value once
	t.mark(of, i, MarkCorrected, "%s", correctedText(i, p))
	if of.Void != nil {
		return
	}
	switch m := of.Statement.Predicate.(type) {
	case *trial.Milestone:
		if p.Field == "date" && !slices.Contains(Recurring, m.Event) {
			t.otherDate(of, i, p.Old, p.New, p.Old)
		}
		t.milestone(of, m, of.Value("date"))
	case *trial.SAP:
		Each(t.Timeline, func(e *Item, q *trial.Milestone) { t.sapBy(of, e, q) })
	case *trial.Results:
		if p.Field == "analysis" {
			t.results(of, m)
		}
	}
}

// sameAnalysis reports whether two items ever named one analysis.
func sameAnalysis(a, b *Item) bool {
	return slices.ContainsFunc(a.values["analysis"], func(v string) bool { return v != "" && b.ever("analysis", v) })
}

// after reports whether a day is certainly after an event, by any date that it
// ever had.
func after(day int64, event *Item) bool {
	for _, date := range event.values["date"] {
		if _, last := trial.DaysOf(date); day > last {
			return true
		}
	}
	return false
}

// mark sets a mark on an item, once for each cause.
func (t *naive) mark(i, cause *Item, id trial.MarkID, format string, args ...any) {
	n := 0
	for _, x := range i.Marks {
		if x.ID == id {
			n++
			if x.Cause == cause.Index {
				return
			}
		}
	}
	if n < maxMarks {
		i.Marks = append(i.Marks, Mark{Cause: cause.Index, Index: i.Index, ID: id, Text: fmt.Sprintf(format, args...)})
	}
}

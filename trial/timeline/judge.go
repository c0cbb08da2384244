package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/trialproof/trialproof/trial"
)

// read reads one item: it sets marks on the item, and on earlier items because of it.
func (t *Timeline) read(i *Item) {
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
	t.bySelf(i, i.Statement.Predicate)
	switch p := i.Statement.Predicate.(type) {
	case *trial.Registration:
		t.holder(i, p.Org)
		t.Masked = p.Masked
		t.registrations = append(t.registrations, i)
	case *trial.Transfer:
		if p.Action == "accept" || p.Action == "order" {
			t.holder(i, p.To)
		}
	case *trial.Milestone:
		t.dated(i, p)
		t.milestone(i, p, p.Date)
	case *trial.Protocol:
		t.protocols = append(t.protocols, i)
		merged(those(t.dates.ever, slot{event: "first-enrolment"}), 0, trial.DayOf(i.Time), never,
			func(m *Item) bool { return t.protocolBy(i, m) })
	case *trial.SAP:
		t.sap(i)
	case *trial.Results:
		t.results(i, p)
		t.reported = append(t.reported, i)
	case *trial.Identifier:
		t.claims[p.Identifier] = append(t.claims[p.Identifier], i)
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

func (t *Timeline) holder(i *Item, org string) {
	t.Holder = org
	t.holders = append(t.holders, holding{i.Index, org})
}

// markAny sets the marks that any kind of item may bear.
func (t *Timeline) markAny(i *Item) {
	if signed := trial.CommonOf(i.Located.Statement.Statement).SignedAt; trial.DayOf(i.Time)-trial.DayOf(signed) > delayedDays {
		t.mark(i, i, MarkDelayed, "signed %s by the signer's clock, logged %s", signed, i.Time)
	}
	if logged := i.Located.Statement.Statement; logged != i.Statement { // it opens the statement that takes effect
		t.bySelf(i, logged.Predicate)
	}
	if d := i.Value("dated"); d != "" {
		t.mark(i, i, MarkAfterTheFact, "the date %s is claimed; logged %s", d, i.Time)
	}
	kind := i.Statement.Predicate.Kind()
	if t.Holder != "" && i.Signer.Org != t.Holder && slices.Contains(trial.DelegableKinds, kind) {
		t.mark(i, i, MarkDelegated, "%s is of %s, %s holds the trial", kind, i.Signer.Org, t.Holder)
	}
	if kind == "protocol" || kind == "sap" {
		merged(those(t.dates.ever, slot{event: "end-of-trial"}), 0, trial.DayOf(i.Time), never, func(m *Item) bool {
			return t.mark(i, m, MarkAfterEnd, "the trial ended %s", m.Value("date"))
		})
	}
}

// bySelf sets the marks that a statement bears because of what it says itself.
func (t *Timeline) bySelf(i *Item, p trial.Predicate) {
	for _, r := range trial.RemarksOf(p, i.Time, i.Value) {
		t.mark(i, i, r.ID, "%s", r.Text)
	}
}

// disputed marks a number because of an entry of another trial's history that concerns it. An
// organisation that claims a number after another reads about that in the number's own history.
func (t *Timeline) disputed(i *Item, identifier, how string) {
	t.mark(i, i, MarkDisputed, "%s %s by %s", identifier, how, i.Signer.Org)
	for _, own := range t.claims[identifier] {
		if own.InEffect() {
			t.mark(own, i, MarkDisputed, "%s %s by %s, entry %d", identifier, how, i.Signer.Org, i.Index)
		}
	}
}

// protocolBy marks a protocol version that was logged after the day of a first enrolment,
// whichever of the two was logged first. It returns false once the version bears all such marks
// that it may bear.
func (t *Timeline) protocolBy(i, m *Item) bool {
	if i.Statement.Predicate.(*trial.Protocol).Previous.IsZero() {
		return t.mark(i, m, MarkLateProtocol, "logged %s, the first enrolment was %s", i.Time, m.Value("date"))
	}
	return t.mark(i, m, MarkAmendment, "logged %s, the first enrolment was %s", i.Time, m.Value("date"))
}

// sapEvents are the events before which a SAP should be logged.
var sapEvents = []string{"database-lock", "unblinding"} // the second for masked trials

// sapBy marks a SAP that was logged after the day of an event of its analysis. It returns false
// once the SAP bears all such marks that it may bear.
func (t *Timeline) sapBy(i, m *Item, event string) bool {
	if event == "database-lock" {
		return t.mark(i, m, MarkLateSAP, "logged %s, the lock for %s was %s", i.Time, i.Value("analysis"), m.Value("date"))
	}
	return t.mark(i, m, MarkUnblindedSAP, "logged %s, unblinded for %s %s", i.Time, i.Value("analysis"), m.Value("date"))
}

// sap reads a SAP, as logged or as corrected later.
func (t *Timeline) sap(i *Item) {
	for _, analysis := range i.values["analysis"] {
		insert(t.plans, analysis, i)
	}
	for _, event := range sapEvents {
		if event == "unblinding" && !t.Masked {
			continue
		}
		var slots []slot
		for _, analysis := range i.values["analysis"] {
			key := slot{event: event, analysis: analysis}
			insert(t.saps, key, i)
			slots = append(slots, key)
		}
		merged(those(t.dates.ever, slots...), 0, trial.DayOf(i.Time), never, func(m *Item) bool { return t.sapBy(i, m, event) })
	}
}

// results marks results because of what was logged before them, for the analysis that they name
// now.
func (t *Timeline) results(i *Item, p *trial.Results) {
	analysis := i.Value("analysis")
	earlier := func(x *Item) bool { return x.Index < i.Index && x.InEffect() }
	if !slices.ContainsFunc(t.plans[analysis], earlier) {
		t.mark(i, i, MarkNoSAP, "no SAP for the %s analysis is logged before it", analysis)
	}
	locked := false
	merged(those(t.dates.ever, slot{event: "database-lock", analysis: analysis}), 0, never, never, func(m *Item) bool {
		locked = earlier(m)
		return false // the first one is enough
	})
	if !locked {
		t.mark(i, i, MarkNoLock, "no database lock for the %s analysis is logged before it", analysis)
	}
	for _, before := range slices.Backward(t.reported) {
		if earlier(before) && before.Value("analysis") == analysis {
			if p.Updates.IsZero() {
				t.mark(i, before, MarkBranch, "entry %d has results of the %s analysis, and this one does not name them",
					before.Index, analysis)
			}
			break
		}
	}
}

// Recurring has the events that may have several dates.
var Recurring = []string{"halt", "restart", "database-unlock"}

// eventOrder has pairs of events of which the second cannot come first. Events with an analysis
// are compared with those of the same analysis.
var eventOrder = [][2]string{
	{"first-enrolment", "primary-completion"},
	{"first-enrolment", "last-visit"},
	{"first-enrolment", "end-of-trial"},
	{"first-enrolment", "database-lock"},
	{"data-cut-off", "database-lock"},
	{"database-lock", "unblinding"}, // in masked trials
}

// milestone reads a date of an event: as logged, or as corrected later.
func (t *Timeline) milestone(i *Item, p *trial.Milestone, date string) {
	first, last := trial.DaysOf(date)
	if same := t.dates.same[slot{p.Event, i.Value("country"), i.Value("analysis")}]; !slices.Contains(Recurring, p.Event) {
		place := 0
		if unlock, ok := t.unlockBefore(i); ok && p.Event == "database-lock" { // this is a second lock after the unlock
			place = same.from(unlock)
		}
		same.apart(place, last, first, func(other *Item) bool {
			return other == i || t.otherDate(i, other, other.Value("date"), date, other.Value("date"))
		})
	}
	t.inOrder(i, p)
	t.judgeBy(i, p, date)
}

// dated reads the dates of a milestone, as logged or as corrected later.
func (t *Timeline) dated(i *Item, p *trial.Milestone) {
	t.dates.put(i, p)
	if p.Event == "database-unlock" {
		for _, analysis := range i.values["analysis"] {
			insert(t.unlocks, analysis, i)
		}
	}
}

// insert puts an item into a list that is in the order of the log, unless it is there already.
func insert[K comparable](lists map[K][]*Item, key K, i *Item) {
	n, found := slices.BinarySearchFunc(lists[key], i, func(a, b *Item) int { return cmp.Compare(a.Index, b.Index) })
	if !found {
		lists[key] = slices.Insert(lists[key], n, i)
	}
}

// judgeBy marks earlier items because of a milestone: those that were logged after its day, by
// any date that it ever had.
func (t *Timeline) judgeBy(i *Item, p *trial.Milestone, date string) {
	day := earliestEnd(i)
	switch p.Event {
	case "first-enrolment":
		for _, r := range t.registrations {
			if trial.DayOf(r.Time) > day && r.InEffect() {
				t.mark(r, i, MarkLateRegistration, "logged %s, the first enrolment was %s", r.Time, date)
			}
		}
		t.protocols = sweep(t.protocols, day, func(x *Item) bool { return t.protocolBy(x, i) })
	case "database-lock", "unblinding":
		for _, analysis := range i.values["analysis"] {
			key := slot{event: p.Event, analysis: analysis}
			t.saps[key] = sweep(t.saps[key], day, func(x *Item) bool { return t.sapBy(x, i, p.Event) })
		}
	}
}

// sweep calls f with the items that are in effect and were logged after a day. It returns the
// list without the items that are void, and without those for which f returned false because
// they bear all the marks that they may bear. Times never decrease from entry to entry.
func sweep(list []*Item, day int64, f func(*Item) bool) []*Item {
	n, _ := slices.BinarySearchFunc(list, day, func(x *Item, day int64) int {
		if trial.DayOf(x.Time) > day {
			return 1
		}
		return -1
	})
	kept := list[:n]
	for _, x := range list[n:] {
		if x.InEffect() && f(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// unlockBefore returns the last entry before a milestone that unlocks the database of its
// analysis.
func (t *Timeline) unlockBefore(i *Item) (index uint64, ok bool) {
	for _, analysis := range i.values["analysis"] {
		for _, u := range slices.Backward(t.unlocks[analysis]) {
			if u.Index < i.Index && u.InEffect() {
				index, ok = max(index, u.Index), true
				break
			}
		}
	}
	return index, ok
}

// otherDate marks a date that differs from an earlier one, unless it is only more precise, such
// as a day within the month.
func (t *Timeline) otherDate(i, cause *Item, old, date, told string) bool {
	of, ol := trial.DaysOf(old)
	nf, nl := trial.DaysOf(date)
	if nf >= of && nl <= ol {
		return true
	}
	return t.mark(i, cause, MarkOtherDate, "%s, and %s before", date, told)
}

// inOrder marks milestones that are out of order with this one. Of two such milestones the one
// that was logged later is marked.
func (t *Timeline) inOrder(i *Item, p *trial.Milestone) {
	var earlier, later []*Item
	first, last := trial.DaysOf(i.Value("date"))
	for _, pair := range eventOrder {
		other, before, after := pair[1], first, int64(never) // p should come first: what ends before it is out of order
		switch {
		case pair[1] == "unblinding" && !t.Masked:
			continue
		case pair[0] == p.Event:
		case pair[1] == p.Event:
			other, before, after = pair[0], -never, last
		default:
			continue
		}
		analyses := []string{anyAnalysis}
		if trial.Events[other] && trial.Events[p.Event] {
			analyses = i.values["analysis"]
		}
		keys := slots(other, i.values["country"], analyses)
		n := 0
		merged(those(t.dates.near, keys...), 0, before, after, func(m *Item) bool {
			if m.Index > i.Index {
				return false
			}
			earlier = append(earlier, m)
			n++
			return n < 2*maxMarks // at most maxMarks of them are marked already
		})
		merged(those(t.dates.open, keys...), i.Index, before, after, func(m *Item) bool {
			later = append(later, m)
			return true
		})
	}
	slices.SortFunc(earlier, func(a, b *Item) int { return cmp.Compare(a.Index, b.Index) })
	for _, m := range earlier {
		t.outOfOrder(i, m)
	}
	for _, m := range later {
		t.outOfOrder(m, i)
	}
}

// outOfOrder marks the one of two milestones that was logged later.
func (t *Timeline) outOfOrder(i, earlier *Item) {
	p := i.Statement.Predicate.(*trial.Milestone)
	a, b := earlier, i // in the order in which their events should come
	if !slices.Contains(eventOrder, [2]string{eventOf(a), eventOf(b)}) {
		a, b = b, a
	}
	if !t.mark(i, earlier, MarkOrder, "%s %s is after %s %s", eventOf(a), a.Value("date"), eventOf(b), b.Value("date")) {
		t.dates.full(i, p)
	}
}

func eventOf(i *Item) string { return i.Statement.Predicate.(*trial.Milestone).Event }

func (t *Timeline) correction(i *Item, p *trial.Correction) {
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
			t.dates.remove(of, m)
			t.mark(i, of, MarkEmptiedDate, "%s %s, logged by %s in entry %d, emptied by %s: %s",
				m.Event, of.Value("date"), of.Signer.Org, of.Index, i.Signer.Org, p.Void)
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
	if m, ok := of.Statement.Predicate.(*trial.Milestone); ok {
		t.dated(of, m)
		if p.Field == "date" && !slices.Contains(Recurring, m.Event) {
			t.otherDate(of, i, p.Old, p.New, p.Old)
		}
	}
	t.bySelf(of, of.Statement.Predicate)
	switch m := of.Statement.Predicate.(type) {
	case *trial.Milestone:
		t.milestone(of, m, of.Value("date"))
	case *trial.SAP:
		t.sap(of)
	case *trial.Results:
		if p.Field == "analysis" {
			t.results(of, m)
		}
	}
}

// correctedText says what was corrected, by whom, when and why: a correction must not obscure
// what was recorded before (21 CFR 11.10(e)).
func correctedText(i *Item, p *trial.Correction) string {
	return fmt.Sprintf("%s from %s to %s by entry %d of %s, by %s of %s with key %.12s (%s)",
		p.Field, strconv.Quote(p.Old), strconv.Quote(p.New),
		i.Index, i.Time, i.Signer.Role, i.Signer.Org, i.Signer.Key.ID(), p.Reason)
}

// mark sets a mark on an item, once for each cause. It returns false once the item bears as
// many of these marks as it may.
func (t *Timeline) mark(i, cause *Item, id trial.MarkID, format string, args ...any) bool {
	n := i.counts[id]
	if n >= maxMarks {
		return false
	}
	if n > 0 && slices.ContainsFunc(i.Marks, func(x Mark) bool { return x.ID == id && x.Cause == cause.Index }) {
		return true
	}
	if i.counts == nil {
		i.counts = map[trial.MarkID]int{}
	}
	i.counts[id]++
	i.Marks = append(i.Marks, Mark{Cause: cause.Index, Index: i.Index, ID: id, Text: fmt.Sprintf(format, args...)})
	return n+1 < maxMarks
}

// maxMarks is how many causes of one mark are shown for an entry. The first one tells the
// reader enough, and a history of thousands of milestones stays readable.
const maxMarks = 20

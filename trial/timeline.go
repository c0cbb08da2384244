package trial

import (
	"fmt"
	"slices"
	"strconv"
)

// A Located entry is an entry with its index in the log.
type Located struct {
	Index uint64
	*Entry
}

// A Timeline is a trial's history as it reads: what each entry says today, what
// was said before, and the marks.
type Timeline struct {
	Trial  Hash
	Holder string // organisation id
	Masked bool
	Items  []*Item // in the order of the log

	byID map[Hash]*Item // by effective identity, the first of each
}

// An Item is one entry of a trial's history.
type Item struct {
	Located
	ID          Hash       // identity of the statement that takes effect
	Statement   *Statement // that takes effect: of an unseal, what it opens
	Marks       []Mark
	Corrections []*Item // of it
	Signatures  []*Item // other signatures on it
	Void        *Item   // that emptied its effect
	Foreign     bool    // about another trial; it is here for a number that both claim
	Repeats     *Item   // the entry that had the same statement before

	values map[string][]string // by member: as logged, and as corrected since
}

// InEffect reports whether the item still says what it says.
func (i *Item) InEffect() bool { return i.Void == nil && i.Repeats == nil && !i.Foreign }

// Value returns a member's text as corrected last; "" for what no correction can
// name.
func (i *Item) Value(member string) string {
	if v := i.values[member]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// NewTimeline reads the entries of a trial's record, in the order of the log.
// They are all of it or, for the history as of an earlier tree, a prefix.
func NewTimeline(trial Hash, entries []Located) *Timeline {
	t := &Timeline{Trial: trial, byID: map[Hash]*Item{}}
	seen := map[Hash]*Item{}
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
	return t
}

// Marks returns all marks, by the entries marked.
func (t *Timeline) Marks() []Mark {
	var all []Mark
	for _, i := range t.Items {
		all = append(all, i.Marks...)
	}
	return all
}

// Find returns the item of a statement, by its effective identity.
func (t *Timeline) Find(id Hash) *Item { return t.byID[id] }

// About returns the item that a signature or correction names, nil if there is
// none.
func (t *Timeline) About(i *Item) *Item {
	switch p := i.Statement.Predicate.(type) {
	case *CoSignature:
		return t.byID[p.Statement]
	case *Correction:
		return t.byID[p.Statement]
	}
	return nil
}

// Each calls f with each item in effect that has a predicate of type P.
func Each[P Predicate](t *Timeline, f func(*Item, P)) {
	for _, i := range t.Items {
		if p, ok := i.Statement.Predicate.(P); ok && i.InEffect() {
			f(i, p)
		}
	}
}

// InForce returns the protocol version of a scope that was in force at a moment,
// by the log's clock: the last one admitted by then that is not void. Where the
// scope had none of its own yet, the global one holds there. A claimed date counts
// for nothing here. It is nil if there was none.
func (t *Timeline) InForce(scope string, at Time) *Item {
	var own, global *Item
	Each(t, func(i *Item, p *Protocol) {
		switch {
		case i.Time > at:
		case p.Scope == scope:
			own = i
		case p.Scope == ScopeGlobal:
			global = i
		}
	})
	if own != nil {
		return own
	}
	return global
}

// EventDate returns the earliest date that was ever logged for a global event.
func (t *Timeline) EventDate(event string) string { return t.EarliestDate(event, "") }

// EarliestDate returns the earliest date that was ever logged for an event in a
// country ("" for global ones), "" if none was: a date that was moved, or emptied by a
// void, clears nothing.
func (t *Timeline) EarliestDate(event, country string) string {
	earliest := ""
	t.eachDate(func(i *Item, p *Milestone) {
		if p.Event != event || !i.ever("country", country) {
			return
		}
		for _, date := range i.values["date"] {
			_, last := days(date)
			if _, l := days(earliest); earliest == "" || last < l {
				earliest = date
			}
		}
	})
	return earliest
}

// eachDate calls f with each milestone of the trial, and with those that are void and
// were logged anew: what was once said of when something happened goes on counting.
func (t *Timeline) eachDate(f func(*Item, *Milestone)) {
	for _, i := range t.Items {
		if p, ok := i.Statement.Predicate.(*Milestone); ok && (i.InEffect() || t.again(i) != nil) {
			f(i, p)
		}
	}
}

// again returns the milestone in effect that says anew what a void one said, nil if
// there is none: a void of what belongs elsewhere accuses nobody.
func (t *Timeline) again(void *Item) (anew *Item) {
	p, ok := void.Statement.Predicate.(*Milestone)
	if !ok || void.Void == nil || void.Repeats != nil || void.Foreign {
		return nil
	}
	Each(t, func(i *Item, q *Milestone) {
		if q.Event == p.Event && i.Index > void.Index && shares(i, void, "country") && shares(i, void, "analysis") {
			anew = i
		}
	})
	return anew
}

// shares reports whether two items ever had one value of a member.
func shares(a, b *Item, member string) bool {
	return slices.ContainsFunc(a.values[member], func(v string) bool { return b.ever(member, v) })
}

// ever reports whether a member ever had a value.
func (i *Item) ever(member, value string) bool { return slices.Contains(i.values[member], value) }

// told gives an event's date, and that it was emptied since.
func told(m *Item) string {
	if m.Void != nil {
		return fmt.Sprintf("%s (void since entry %d)", m.Value("date"), m.Void.Index)
	}
	return m.Value("date")
}

// mark sets a mark on an item, once for each cause.
func (t *Timeline) mark(i, cause *Item, id MarkID, format string, args ...any) {
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
		i.Marks = append(i.Marks, Mark{cause.Index, i.Index, id, fmt.Sprintf(format, args...)})
	}
}

// maxMarks is how many causes of one mark are told of an entry: a reader is told by
// the first, and a history of thousands of milestones stays readable.
const maxMarks = 20

// valuesOf returns the members that a correction may name.
func valuesOf(p Predicate) map[string][]string {
	switch p := p.(type) {
	case *Protocol:
		return map[string][]string{"version": {p.Version}, "dated": {p.Dated}}
	case *SAP:
		return map[string][]string{"version": {p.Version}, "dated": {p.Dated}, "analysis": {p.Analysis}}
	case *Results:
		return map[string][]string{"version": {p.Version}, "dated": {p.Dated}, "analysis": {p.Analysis}}
	case *Document:
		return map[string][]string{"version": {p.Version}, "dated": {p.Dated}}
	case *Milestone:
		return map[string][]string{"date": {p.Date}, "country": {p.Country}, "analysis": {p.Analysis}}
	}
	return nil
}

// read takes in one item: it marks it, and earlier items by it.
func (t *Timeline) read(i *Item) {
	if of := TrialOf(i.Statement); of != t.Trial && i.ID != t.Trial {
		i.Foreign = true
		switch p := i.Statement.Predicate.(type) {
		case *Identifier:
			t.disputed(i, p.Identifier, "is claimed")
		case *Ruling:
			t.disputed(i, p.Identifier, "is ruled to be another trial's, on the ground of "+p.Ground+",")
		}
		return
	}
	t.markAny(i)
	switch p := i.Statement.Predicate.(type) {
	case *Registration:
		t.Holder, t.Masked = p.Org, p.Masked
	case *Transfer:
		if p.Action == "accept" || p.Action == "order" {
			t.Holder = p.To
		}
		if p.Action == "order" {
			t.mark(i, i, MarkOrdered, "ground: %s", p.Ground)
		}
	case *Milestone:
		t.milestone(i, p, p.Date)
	case *Protocol:
		t.eachDate(func(m *Item, e *Milestone) { t.protocolBy(i, m, e) })
	case *SAP:
		t.eachDate(func(m *Item, e *Milestone) { t.sapBy(i, m, e) })
	case *Results:
		t.results(i, p)
	case *CoSignature:
		if of := t.byID[p.Statement]; of != nil && of != i {
			of.Signatures = append(of.Signatures, i)
		} else {
			t.mark(i, i, MarkUnfounded, "it signs the statement %s, which is not logged for this trial before it", p.Statement)
		}
	case *Correction:
		t.correction(i, p)
	}
}

// markAny sets the marks that any kind of item may bear.
func (t *Timeline) markAny(i *Item) {
	if signed := CommonOf(i.Located.Statement.Statement).SignedAt; dayOf(i.Time)-dayOf(signed) > delayedDays {
		t.mark(i, i, MarkDelayed, "signed %s by the signer's clock, logged %s", signed, i.Time)
	}
	if u, ok := i.Located.Statement.Statement.Predicate.(*Unseal); ok {
		t.mark(i, i, MarkUnsealed, "sealed by entry %d, %s; opened %s", u.Sealed.Index, u.Sealed.Time, i.Time)
	}
	if d := i.Value("dated"); d != "" {
		t.mark(i, i, MarkAfterTheFact, "the date %s is claimed; logged %s", d, i.Time)
	}
	kind := i.Statement.Predicate.Kind()
	if t.Holder != "" && i.Signer.Org != t.Holder && slices.Contains(DelegableKinds, kind) {
		t.mark(i, i, MarkDelegated, "%s is of %s, %s holds the trial", kind, i.Signer.Org, t.Holder)
	}
	if kind == "protocol" || kind == "sap" {
		Each(t, func(m *Item, e *Milestone) {
			if e.Event == "end-of-trial" && e.Country == "" && after(dayOf(i.Time), m) {
				t.mark(i, m, MarkAfterEnd, "the trial ended %s", m.Value("date"))
			}
		})
	}
}

// disputed marks a number by an entry of another trial's history that concerns it.
// Who claims a number after another reads of it in the identifier's history.
func (t *Timeline) disputed(i *Item, identifier, how string) {
	t.mark(i, i, MarkDisputed, "%s %s by %s", identifier, how, i.Signer.Org)
	Each(t, func(own *Item, p *Identifier) {
		if p.Identifier == identifier {
			t.mark(own, i, MarkDisputed, "%s %s by %s, entry %d", identifier, how, i.Signer.Org, i.Index)
		}
	})
}

// protocolBy marks a protocol version by a milestone, whichever was logged first.
func (t *Timeline) protocolBy(i, m *Item, e *Milestone) {
	if e.Event != "first-enrolment" || !after(dayOf(i.Time), m) {
		return
	}
	if i.Statement.Predicate.(*Protocol).Previous.IsZero() {
		t.mark(i, m, MarkLateProtocol, "logged %s, the first enrolment was %s", i.Time, told(m))
	} else {
		t.mark(i, m, MarkAmendment, "logged %s, the first enrolment was %s", i.Time, told(m))
	}
}

// sapBy marks a SAP by a milestone of its analysis.
func (t *Timeline) sapBy(i, m *Item, e *Milestone) {
	if !sameAnalysis(i, m) || !after(dayOf(i.Time), m) {
		return
	}
	switch {
	case e.Event == "database-lock":
		t.mark(i, m, MarkLateSAP, "logged %s, the lock for %s was %s", i.Time, i.Value("analysis"), told(m))
	case e.Event == "unblinding" && t.Masked:
		t.mark(i, m, MarkUnblindedSAP, "logged %s, unblinded for %s %s", i.Time, i.Value("analysis"), told(m))
	}
}

// results marks results by what stands before them, for the analysis that they name
// by now.
func (t *Timeline) results(i *Item, p *Results) {
	analysis := i.Value("analysis")
	planned, locked := false, false
	var before *Item
	Each(t, func(s *Item, _ *SAP) { planned = planned || s.Index < i.Index && s.ever("analysis", analysis) })
	Each(t, func(m *Item, e *Milestone) {
		locked = locked || m.Index < i.Index && e.Event == "database-lock" && m.ever("analysis", analysis)
	})
	Each(t, func(r *Item, _ *Results) {
		if r.Index < i.Index && r.Value("analysis") == analysis {
			before = r
		}
	})
	if !planned {
		t.mark(i, i, MarkNoSAP, "no SAP for %s is logged before it", analysis)
	}
	if !locked {
		t.mark(i, i, MarkNoLock, "no database lock for %s is logged before it", analysis)
	}
	if before != nil && p.Updates.IsZero() {
		t.mark(i, before, MarkBranch, "results for %s are in entry %d, which it does not name", analysis, before.Index)
	}
}

// recurring events may have several dates.
var recurring = []string{"halt", "restart", "database-unlock"}

// inOrder are pairs of events of which the second cannot come first. Those with
// an analysis are compared within it.
var inOrder = [][2]string{
	{"first-enrolment", "primary-completion"},
	{"first-enrolment", "last-visit"},
	{"first-enrolment", "end-of-trial"},
	{"first-enrolment", "database-lock"},
	{"data-cut-off", "database-lock"},
	{"database-lock", "unblinding"}, // of masked trials
}

// milestone takes in a date of an event: as logged, or as corrected later.
func (t *Timeline) milestone(i *Item, p *Milestone, date string) {
	logged := dayOf(i.Time)
	first, last := days(date)
	if logged-last > lateEventDays {
		t.mark(i, i, MarkLateEvent, "%s was %s, logged %d days after", p.Event, date, logged-last)
	}
	if first > logged {
		t.mark(i, i, MarkFuture, "%s is dated %s, logged %s", p.Event, date, i.Time)
	}
	if p.Event == "database-unlock" {
		t.mark(i, i, MarkUnlocked, "for %s, %s", p.Analysis, date)
	}
	t.eachDate(func(other *Item, q *Milestone) {
		if other == i {
			return
		}
		if q.Event == p.Event && other.Value("country") == i.Value("country") && other.Value("analysis") == i.Value("analysis") &&
			!slices.Contains(recurring, p.Event) && !t.relocked(p, other, i) {
			t.otherDate(i, other, other.Value("date"), date, told(other))
		}
		if other.Void == nil {
			t.order(i, other, p, q)
			t.order(other, i, q, p)
		}
	})
	t.judgeBy(i, p, date)
	for _, void := range t.Items { // that says anew what was emptied: what came between is judged by that too
		if q, ok := void.Statement.Predicate.(*Milestone); ok && t.again(void) == i {
			t.judgeBy(void, q, void.Value("date"))
		}
	}
}

// judgeBy marks what stands there by a milestone.
func (t *Timeline) judgeBy(i *Item, p *Milestone, date string) {
	for _, other := range t.Items {
		if !other.InEffect() {
			continue
		}
		switch other.Statement.Predicate.(type) {
		case *Registration:
			if p.Event == "first-enrolment" && after(dayOf(other.Time), i) {
				t.mark(other, i, MarkLateRegistration, "logged %s, the first enrolment was %s", other.Time, date)
			}
		case *Protocol:
			t.protocolBy(other, i, p)
		case *SAP:
			t.sapBy(other, i, p)
		}
	}
}

// relocked reports whether a second lock follows an unlock.
func (t *Timeline) relocked(p *Milestone, first, second *Item) bool {
	unlocked := false
	if p.Event == "database-lock" {
		Each(t, func(u *Item, q *Milestone) {
			unlocked = unlocked || q.Event == "database-unlock" && sameAnalysis(u, second) && u.Index > first.Index && u.Index < second.Index
		})
	}
	return unlocked
}

// otherDate marks a date that differs from one before, unless it only says more
// precisely when: a day within the month.
func (t *Timeline) otherDate(i, cause *Item, old, date, told string) {
	of, ol := days(old)
	nf, nl := days(date)
	if nf >= of && nl <= ol {
		return
	}
	t.mark(i, cause, MarkOtherDate, "%s, and %s before", date, told)
}

// order marks the later logged of two milestones if a, by its date, is certainly
// after b, which cannot come before it.
func (t *Timeline) order(a, b *Item, p, q *Milestone) {
	if !slices.Contains(inOrder, [2]string{p.Event, q.Event}) || q.Event == "unblinding" && !t.Masked {
		return
	}
	if p.Analysis != "" && q.Analysis != "" && !sameAnalysis(a, b) || !shares(a, b, "country") {
		return
	}
	first, _ := days(a.Value("date"))
	_, last := days(b.Value("date"))
	if first <= last {
		return
	}
	later, cause := a, b
	if b.Index > a.Index {
		later, cause = b, a
	}
	t.mark(later, cause, MarkOrder, "%s %s is after %s %s", p.Event, a.Value("date"), q.Event, b.Value("date"))
}

func (t *Timeline) correction(i *Item, p *Correction) {
	of := t.byID[p.Statement]
	if of == nil || of.Foreign || of.Statement.Predicate.Kind() != p.Of {
		t.mark(i, i, MarkUnfounded, "it names a %s %s, which is not logged for this trial before it", p.Of, p.Statement)
		return
	}
	if p.Void != "" {
		if of.Void == nil {
			of.Void = i
		}
		t.mark(of, i, MarkVoid, "%s, said entry %d", p.Void, i.Index)
		return
	}
	if old := of.Value(p.Field); old != p.Old {
		t.mark(i, i, MarkUnfounded, "it says that %s of entry %d was %q, which was %q", p.Field, of.Index, p.Old, old)
		return
	}
	of.Corrections = append(of.Corrections, i)
	of.values[p.Field] = append(slices.DeleteFunc(of.values[p.Field], func(v string) bool { return v == p.New }), p.New) // each once
	t.mark(of, i, MarkCorrected, "%s from %s to %s by entry %d (%s)", p.Field, strconv.Quote(p.Old), strconv.Quote(p.New), i.Index, p.Reason)
	switch m := of.Statement.Predicate.(type) {
	case *Milestone:
		if p.Field == "date" && !slices.Contains(recurring, m.Event) {
			t.otherDate(of, i, p.Old, p.New, p.Old)
		}
		t.milestone(of, m, of.Value("date"))
	case *SAP:
		t.eachDate(func(e *Item, q *Milestone) { t.sapBy(of, e, q) })
	case *Results:
		if p.Field == "analysis" {
			t.results(of, m)
		}
	}
}

// sameAnalysis reports whether two items ever named one analysis.
func sameAnalysis(a, b *Item) bool {
	for _, x := range a.values["analysis"] {
		if x != "" && slices.Contains(b.values["analysis"], x) {
			return true
		}
	}
	return false
}

// after reports whether a day is certainly after an event, by any date that it
// ever had.
func after(day int64, event *Item) bool {
	for _, date := range event.values["date"] {
		if _, last := days(date); day > last {
			return true
		}
	}
	return false
}

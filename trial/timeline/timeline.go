// Package timeline reads a trial's history: what each entry says now, what it said before it
// was corrected, which protocol version was in force when, and the marks that a reader must be
// told. Package trial decides what is admitted. This package decides nothing, and nothing that
// is admitted depends on it.
package timeline

import (
	"slices"

	"github.com/trialproof/trialproof/trial"
)

// A Timeline is a trial's history as it reads: what each entry says now, what it said before,
// and the marks.
type Timeline struct {
	Trial  trial.Hash
	Holder string // organisation id
	Masked bool
	Items  []*Item // in the order of the log

	byID          map[trial.Hash]*Item // by effective identity, the first item of each
	holders       []holding
	dates         *calendar // of the milestones in effect
	registrations []*Item
	protocols     []*Item            // protocol versions that may bear more marks
	saps          map[slot][]*Item   // SAPs, by sapEvents and analysis
	plans         map[string][]*Item // SAPs, by each analysis that they ever had
	unlocks       map[string][]*Item // of the database, by each analysis that they ever had
	reported      []*Item            // results
	claims        map[string][]*Item // of the trial's own identifiers
}

// A holding says since which entry an organisation holds the trial.
type holding struct {
	since uint64
	org   string
}

// HolderAt returns the organisation that held the trial when an entry was logged, or "" before
// its registration.
func (t *Timeline) HolderAt(index uint64) (org string) {
	for _, h := range t.holders {
		if h.since <= index {
			org = h.org
		}
	}
	return org
}

// An Item is one entry of a trial's history.
type Item struct {
	trial.Located
	ID          trial.Hash       // identity of the statement that takes effect
	Statement   *trial.Statement // the statement that takes effect; for an unseal, the one that it opens
	Marks       []Mark
	Corrections []*Item // of it
	Signatures  []*Item // other signatures on it
	Void        *Item   // the item that made it void
	Foreign     bool    // about another trial; it is here because both claim a number
	Repeats     *Item   // the entry that had the same statement before

	values map[string][]string  // by member: the values as logged and as corrected later
	counts map[trial.MarkID]int // how many of Marks have each id
}

// InEffect reports whether the item counts: it is not void, repeated or about another trial.
func (i *Item) InEffect() bool { return i.Void == nil && i.Repeats == nil && !i.Foreign }

// Value returns a member's text as it was last corrected, or "" if corrections cannot name the
// member.
func (i *Item) Value(member string) string {
	if v := i.values[member]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// New reads the entries of a trial's record, in the order of the log. They are all the entries
// or, for the history as of an earlier tree, the first of them.
func New(id trial.Hash, entries []trial.Located) *Timeline {
	return newTimeline(id, entries, (*Timeline).read)
}

// OfRecord reads the entries of a record that is not a trial's, for example a consent's. Only
// the marks that need nothing else than the entry itself, and repeats, apply.
func OfRecord(entries []trial.Located) *Timeline {
	return newTimeline(trial.Hash{}, entries, func(t *Timeline, i *Item) {
		t.markAny(i)
		t.bySelf(i, i.Statement.Predicate)
	})
}

func newTimeline(id trial.Hash, entries []trial.Located, read func(*Timeline, *Item)) *Timeline {
	t := &Timeline{
		Trial: id, byID: map[trial.Hash]*Item{}, dates: newCalendar(), saps: map[slot][]*Item{},
		plans: map[string][]*Item{}, unlocks: map[string][]*Item{}, claims: map[string][]*Item{},
	}
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
		read(t, i)
	}
	t.strike()
	return t
}

// strike marks as struck the marks that rest on an entry which is void by now. Such a mark was
// right when it was set, and it stays. It is not part of the trial's summary.
func (t *Timeline) strike() {
	void := map[uint64]bool{}
	for _, i := range t.Items {
		if i.Void != nil {
			void[i.Index] = true
		}
	}
	for _, i := range t.Items {
		for k := range i.Marks {
			m := &i.Marks[k]
			m.Struck = m.ID != MarkVoid && m.ID != MarkEmptiedDate && (void[m.Cause] || i.Void != nil)
		}
	}
}

// Marks returns all marks, in the order of the marked entries.
func (t *Timeline) Marks() []Mark {
	var all []Mark
	for _, i := range t.Items {
		all = append(all, i.Marks...)
	}
	return all
}

// Find returns the item of a statement by its effective identity, or nil if there is none.
func (t *Timeline) Find(id trial.Hash) *Item { return t.byID[id] }

// About returns the item that a signature or correction names, or nil if there is none.
func (t *Timeline) About(i *Item) *Item {
	switch p := i.Statement.Predicate.(type) {
	case *trial.CoSignature:
		return t.byID[p.Statement]
	case *trial.Correction:
		return t.byID[p.Statement]
	}
	return nil
}

// Each calls f with each item in effect that has a predicate of type P.
func Each[P trial.Predicate](t *Timeline, f func(*Item, P)) {
	for _, i := range t.Items {
		if p, ok := i.Statement.Predicate.(P); ok && i.InEffect() {
			f(i, p)
		}
	}
}

// InForce returns the protocol version of a scope that was in force at a moment by the log's
// clock: the last one that was admitted by then and is not void. If the scope had no version of
// its own yet, the global version applies. A claimed date does not count. It returns nil if
// there was no version.
func (t *Timeline) InForce(scope string, at trial.Time) *Item {
	var own, global *Item
	Each(t, func(i *Item, p *trial.Protocol) {
		switch {
		case i.Time > at:
		case p.Scope == scope:
			own = i
		case p.Scope == trial.ScopeGlobal:
			global = i
		}
	})
	if own != nil {
		return own
	}
	return global
}

// EventDate returns the earliest date that was ever logged for a global event, or "" if there
// is none.
func (t *Timeline) EventDate(event string) string {
	if i := t.EarliestEvent(event, ""); i != nil {
		return i.Earliest("date")
	}
	return ""
}

// EarliestEvent returns the milestone in effect of an event in a country ("" for global ones)
// that ever had the earliest date, or nil if there is none: moving a date does not hide the
// earlier one.
func (t *Timeline) EarliestEvent(event, country string) (earliest *Item) {
	Each(t, func(i *Item, p *trial.Milestone) {
		if p.Event != event || !i.ever("country", country) {
			return
		}
		if date := i.Earliest("date"); earliest == nil || earlierOf(earliest.Earliest("date"), date) != earliest.Earliest("date") {
			earliest = i
		}
	})
	return earliest
}

// Earliest returns the earliest date that a member ever had, or "" if it had none.
func (i *Item) Earliest(member string) (earliest string) {
	for _, date := range i.values[member] {
		earliest = earlierOf(earliest, date)
	}
	return earliest
}

// earlierOf returns the date that ends first; "" is no date.
func earlierOf(a, b string) string {
	_, x := trial.DaysOf(a)
	if _, y := trial.DaysOf(b); a == "" || b != "" && y < x {
		return b
	}
	return a
}

// Emptied returns the milestones of an event in a country that are void.
func (t *Timeline) Emptied(event, country string) (list []*Item) {
	for _, i := range t.Items {
		p, ok := i.Statement.Predicate.(*trial.Milestone)
		if ok && i.Void != nil && i.Repeats == nil && !i.Foreign && p.Event == event && i.ever("country", country) {
			list = append(list, i)
		}
	}
	return list
}

// ever reports whether a member ever had a value.
func (i *Item) ever(member, value string) bool { return slices.Contains(i.values[member], value) }

// valuesOf returns the members that a correction may name, with their texts.
func valuesOf(p trial.Predicate) map[string][]string {
	values := map[string][]string{}
	for name, text := range trial.MembersOf(p) {
		values[name] = []string{text}
	}
	return values
}

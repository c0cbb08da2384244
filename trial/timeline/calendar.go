package timeline

import (
	"cmp"
	"slices"

	"github.com/trialproof/trialproof/trial"
)

// A calendar finds the milestones in effect by their dates, so that a history of many thousands
// of milestones is read in little more than linear time.
type calendar struct {
	same map[slot]*series // by event, country and analysis as they are now; with the date as it is now
	near map[slot]*series // by event, and each country and analysis that it ever had ("*" for any); with the date as it is now
	open map[slot]*series // those of near that may bear more marks of their order
	ever map[slot]*series // by event and each analysis that it ever had, with the earliest date that it ever had
}

// A slot is where a calendar keeps the milestones that are compared with each other.
type slot struct{ event, country, analysis string }

// never is a day that is after every other.
const never = 1<<63 - 1

// anyAnalysis in a slot stands for every analysis.
const anyAnalysis = "*"

func newCalendar() *calendar {
	return &calendar{map[slot]*series{}, map[slot]*series{}, map[slot]*series{}, map[slot]*series{}}
}

// put adds a milestone as it is now. It is called again after the milestone was corrected.
func (c *calendar) put(i *Item, p *trial.Milestone) {
	first, last := trial.DaysOf(i.Value("date"))
	c.remove(i, p)
	at(c.same, slot{p.Event, i.Value("country"), i.Value("analysis")}).set(i, first, last)
	for _, key := range slots(p.Event, i.values["country"], append([]string{anyAnalysis}, i.values["analysis"]...)) {
		at(c.near, key).set(i, first, last)
		if i.counts[MarkOrder] < maxMarks {
			at(c.open, key).set(i, first, last)
		}
	}
	if p.Event == "end-of-trial" && p.Country != "" {
		return // only the end of the whole trial counts as the end for what is logged after it
	}
	for _, analysis := range i.values["analysis"] {
		at(c.ever, slot{event: p.Event, analysis: analysis}).set(i, -never, earliestEnd(i))
	}
}

// remove takes a milestone out, because it is void or is about to be added again.
func (c *calendar) remove(i *Item, p *trial.Milestone) {
	for _, key := range slots(p.Event, i.values["country"], append([]string{anyAnalysis}, i.values["analysis"]...)) {
		c.same[key].unset(i)
		c.near[key].unset(i)
		c.open[key].unset(i)
		c.ever[slot{event: key.event, analysis: key.analysis}].unset(i)
	}
}

// full notes that a milestone bears all the marks of its order that it may bear.
func (c *calendar) full(i *Item, p *trial.Milestone) {
	for _, key := range slots(p.Event, i.values["country"], append([]string{anyAnalysis}, i.values["analysis"]...)) {
		c.open[key].unset(i)
	}
}

// slots returns the slots of an event in each of the countries, for each of the analyses.
func slots(event string, countries, analyses []string) (list []slot) {
	for _, country := range countries {
		for _, analysis := range analyses {
			list = append(list, slot{event, country, analysis})
		}
	}
	return list
}

func at(m map[slot]*series, key slot) *series {
	if m[key] == nil {
		m[key] = new(series)
	}
	return m[key]
}

// earliestEnd returns the earliest of the last days that an event's dates may mean: its date as
// it is now, and those from before a correction.
func earliestEnd(event *Item) int64 {
	earliest := int64(never)
	for _, date := range event.values["date"] {
		_, last := trial.DaysOf(date)
		earliest = min(earliest, last)
	}
	return earliest
}

// A series has items in the order of the log, each with a first and a last day, and finds those
// that lie outside a span of days. tree[1] covers all items, and tree[n] covers what tree[2n]
// and tree[2n+1] cover.
type series struct {
	items []*Item
	tree  []extent
	leaf  int // place in tree of the first item
}

// An extent is the least last day and the greatest first day of some items.
type extent struct{ last, first int64 }

var nowhere = extent{never, -never}

// place returns where an item is or belongs, and whether it is there.
func (s *series) place(i *Item) (int, bool) {
	return slices.BinarySearchFunc(s.items, i.Index, func(x *Item, index uint64) int { return cmp.Compare(x.Index, index) })
}

// from returns the place of the first item after an entry.
func (s *series) from(index uint64) int {
	n, found := s.place(&Item{Located: trial.Located{Index: index}})
	if found {
		n++
	}
	return n
}

func (s *series) set(i *Item, first, last int64) {
	n, found := s.place(i)
	if !found {
		s.insert(n, i)
	}
	s.update(n, extent{last, first})
}

func (s *series) unset(i *Item) {
	if s == nil {
		return
	}
	if n, found := s.place(i); found {
		s.update(n, nowhere)
	}
}

// insert makes room for an item. Most items come after all others; for these the tree is
// rebuilt only when it is full.
func (s *series) insert(n int, i *Item) {
	s.items = slices.Insert(s.items, n, i)
	if n == len(s.items)-1 && s.leaf+n < len(s.tree) {
		return
	}
	old := slices.Clone(s.tree[s.leaf:min(len(s.tree), s.leaf+len(s.items)-1)])
	size := 1
	for size < 2*len(s.items) {
		size *= 2
	}
	s.leaf = size
	s.tree = slices.Repeat([]extent{nowhere}, 2*size)
	copy(s.tree[size:], slices.Insert(old, n, nowhere))
	for k := size - 1; k > 0; k-- {
		s.tree[k] = joined(s.tree[2*k], s.tree[2*k+1])
	}
}

func (s *series) update(n int, x extent) {
	k := s.leaf + n
	s.tree[k] = x
	for k /= 2; k > 0; k /= 2 {
		s.tree[k] = joined(s.tree[2*k], s.tree[2*k+1])
	}
}

func joined(a, b extent) extent { return extent{min(a.last, b.last), max(a.first, b.first)} }

// next returns the place of the first item from n on that ends before the day before or begins
// after the day after, or len(items) if there is none.
func (s *series) next(n int, before, after int64) int {
	apart := func(x extent) bool { return x.last < before || x.first > after }
	if n >= len(s.items) {
		return len(s.items)
	}
	// Go up until something to the right may have one, then down to the first that does.
	k := s.leaf + n
	for !apart(s.tree[k]) {
		for k&1 == 1 { // k is a right child: what lies to its right begins further up
			if k == 1 {
				return len(s.items)
			}
			k /= 2
		}
		k++
	}
	for k < s.leaf {
		if k *= 2; !apart(s.tree[k]) {
			k++
		}
	}
	return min(k-s.leaf, len(s.items))
}

// apart calls f, in order, with the items from place n on that end before the day before or
// begin after the day after, until f returns false.
func (s *series) apart(n int, before, after int64, f func(*Item) bool) {
	if s == nil {
		return
	}
	for n = s.next(n, before, after); n < len(s.items); n = s.next(n+1, before, after) {
		if !f(s.items[n]) {
			return
		}
	}
}

// merged calls f as apart does with the items of several series that come after an entry, in
// the order of the log, each item once.
func merged(list []*series, behind uint64, before, after int64, f func(*Item) bool) {
	if len(list) == 1 {
		list[0].apart(list[0].from(behind), before, after, f)
		return
	}
	places := make([]int, len(list))
	for k, s := range list {
		places[k] = s.next(s.from(behind), before, after)
	}
	for {
		var least *Item
		for k, s := range list {
			if places[k] < len(s.items) && (least == nil || s.items[places[k]].Index < least.Index) {
				least = s.items[places[k]]
			}
		}
		if least == nil || !f(least) {
			return
		}
		for k, s := range list {
			if places[k] < len(s.items) && s.items[places[k]] == least {
				places[k] = s.next(places[k]+1, before, after)
			}
		}
	}
}

// those returns the series that exist among those of slots.
func those(m map[slot]*series, slots ...slot) (list []*series) {
	for _, key := range slots {
		if s := m[key]; s != nil && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

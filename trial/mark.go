package trial

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// The marks of a history as a whole. Those that statements of a kind bear by what they say
// themselves are in the files of the kinds.
const (
	MarkLateRegistration MarkID = "M1"
	MarkLateProtocol     MarkID = "M2"
	MarkAmendment        MarkID = "M3"
	MarkLateSAP          MarkID = "M4"
	MarkUnblindedSAP     MarkID = "M5"
	MarkNoSAP            MarkID = "M6"
	MarkNoLock           MarkID = "M7"
	MarkOtherDate        MarkID = "M9"
	MarkOrder            MarkID = "M10"
	MarkBranch           MarkID = "M11"
	MarkRepeated         MarkID = "M12"
	MarkCorrected        MarkID = "M13"
	MarkVoid             MarkID = "M14"
	MarkAfterTheFact     MarkID = "M15"
	MarkDisputed         MarkID = "M16"
	MarkDelayed          MarkID = "M18"
	MarkUnfounded        MarkID = "M19"
	MarkAfterEnd         MarkID = "M22"
	MarkDelegated        MarkID = "M23"
	MarkEmptiedDate      MarkID = "M25"
)

// historyMarks are the marks of a history as a whole.
var historyMarks = []MarkMeaning{
	{MarkLateRegistration, "registered after the first enrolment", WeightBears},
	{MarkLateProtocol, "first protocol version of its scope logged after the first enrolment", WeightBears},
	{MarkAmendment, "protocol amended after the first enrolment", WeightExplain},
	{MarkLateSAP, "SAP after the lock it serves", WeightBears},
	{MarkUnblindedSAP, "SAP after the unblinding of its analysis", WeightBears},
	{MarkNoSAP, "results without a SAP logged before them", WeightExplain},
	{MarkNoLock, "results without a database lock logged before them", WeightExplain},
	{MarkOtherDate, "another date for an event that has one", WeightBears},
	{MarkOrder, "dates of events out of order", WeightBears},
	{MarkBranch, "results that do not name those they follow", WeightExplain},
	{MarkRepeated, "the same statement logged again", WeightBears},
	{MarkCorrected, "corrected", WeightExplain},
	{MarkVoid, "void", WeightExplain},
	{MarkAfterTheFact, "logged after the fact, with a claimed date", WeightInform},
	{MarkDisputed, "number claimed for another trial too", WeightExplain},
	{MarkDelayed, "signed more than 7 days before it was logged", WeightInform},
	{MarkUnfounded, "names a statement or value that this trial's history does not have", WeightExplain},
	{MarkAfterEnd, "logged after the end of the trial", WeightExplain},
	{MarkDelegated, "by an organisation that does not hold the trial", WeightInform},
	{MarkEmptiedDate, "empties the date of an event", WeightBears},
}

// marks are all marks, by their ids.
var marks = sync.OnceValue(func() map[MarkID]MarkMeaning {
	all := map[MarkID]MarkMeaning{}
	for _, m := range append(KindMarks(), historyMarks...) {
		all[m.ID] = m
	}
	return all
})

// WeightText is the heading under which marks of a weight stand.
var WeightText = map[int]string{
	WeightBears:   "bears on what the trial can show",
	WeightExplain: "to be explained",
	WeightInform:  "for information",
}

// MarkWeight returns a mark's weight.
func MarkWeight(id MarkID) int {
	if m, ok := marks()[id]; ok {
		return m.Weight
	}
	return WeightExplain
}

// A MarkGroup is one mark on one entry, with everything that caused it.
type MarkGroup struct {
	ID    MarkID
	Index uint64 // the entry marked
	Texts []string
}

// GroupMarks returns marks once for each entry, the heaviest first, and of one weight by
// number and entry. Struck ones are left out, or are all there is.
func GroupMarks(marks []Mark, struck bool) (list []MarkGroup) {
	place := map[Mark]int{}
	for _, m := range marks {
		if m.Struck != struck {
			continue
		}
		key := Mark{ID: m.ID, Index: m.Index}
		i, found := place[key]
		if !found {
			i = len(list)
			place[key] = i
			list = append(list, MarkGroup{ID: m.ID, Index: m.Index})
		}
		list[i].Texts = append(list[i].Texts, m.Text)
	}
	slices.SortStableFunc(list, func(a, b MarkGroup) int {
		return cmp.Or(cmp.Compare(MarkWeight(a.ID), MarkWeight(b.ID)), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Index, b.Index))
	})
	return list
}

// Text returns what caused the mark, in one line.
func (g MarkGroup) Text() string { return strings.Join(g.Texts, "; ") }

// MarkText returns a mark in a few words.
func MarkText(id MarkID) string { return marks()[id].Text }

// MarkIDs returns the ids of all marks, sorted as text.
func MarkIDs() []MarkID { return slices.Sorted(maps.Keys(marks())) }

// A Mark says what a reader of an entry must be told.
type Mark struct {
	Cause uint64 `json:"cause"` // the entry that made it so; itself, if no other
	Index uint64 `json:"entry"` // the entry marked
	ID    MarkID `json:"mark"`
	// Struck says that the mark rests on an entry whose effect was emptied since, or is on
	// one: it stays with the entry and is no part of a summary.
	Struck bool   `json:"struck,omitempty"`
	Text   string `json:"text"`
}

func (m Mark) String() string { return fmt.Sprintf("%s: %s", m.ID, m.Text) }

// delayedDays pass between a signature and its entry before the mark is set.
const delayedDays = 7

package timeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/trial"
)

// The marks that follow from a history as a whole. The marks that a statement bears because of
// what it says itself are in the files of the kinds.
const (
	MarkLateRegistration trial.MarkID = "M1"
	MarkLateProtocol     trial.MarkID = "M2"
	MarkAmendment        trial.MarkID = "M3"
	MarkLateSAP          trial.MarkID = "M4"
	MarkUnblindedSAP     trial.MarkID = "M5"
	MarkNoSAP            trial.MarkID = "M6"
	MarkNoLock           trial.MarkID = "M7"
	MarkOtherDate        trial.MarkID = "M9"
	MarkOrder            trial.MarkID = "M10"
	MarkBranch           trial.MarkID = "M11"
	MarkRepeated         trial.MarkID = "M12"
	MarkCorrected        trial.MarkID = "M13"
	MarkVoid             trial.MarkID = "M14"
	MarkAfterTheFact     trial.MarkID = "M15"
	MarkDisputed         trial.MarkID = "M16"
	MarkDelayed          trial.MarkID = "M18"
	MarkUnfounded        trial.MarkID = "M19"
	MarkAfterEnd         trial.MarkID = "M22"
	MarkDelegated        trial.MarkID = "M23"
	MarkEmptiedDate      trial.MarkID = "M25"
)

// historyMarks are the marks that follow from a history as a whole.
var historyMarks = []trial.MarkMeaning{
	{ID: MarkLateRegistration, Text: "registered after the first enrolment", Weight: trial.WeightBears},
	{ID: MarkLateProtocol, Text: "first protocol version of its scope logged after the first enrolment", Weight: trial.WeightBears},
	{ID: MarkAmendment, Text: "protocol amended after the first enrolment", Weight: trial.WeightExplain},
	{ID: MarkLateSAP, Text: "SAP after the lock it serves", Weight: trial.WeightBears},
	{ID: MarkUnblindedSAP, Text: "SAP after the unblinding of its analysis", Weight: trial.WeightBears},
	{ID: MarkNoSAP, Text: "results without a SAP logged before them", Weight: trial.WeightExplain},
	{ID: MarkNoLock, Text: "results without a database lock logged before them", Weight: trial.WeightExplain},
	{ID: MarkOtherDate, Text: "another date for an event that has one", Weight: trial.WeightBears},
	{ID: MarkOrder, Text: "dates of events out of order", Weight: trial.WeightBears},
	{ID: MarkBranch, Text: "results that do not name the results they follow", Weight: trial.WeightExplain},
	{ID: MarkRepeated, Text: "the same statement logged again", Weight: trial.WeightBears},
	{ID: MarkCorrected, Text: "corrected", Weight: trial.WeightExplain},
	{ID: MarkVoid, Text: "void", Weight: trial.WeightExplain},
	{ID: MarkAfterTheFact, Text: "logged after the fact, with a claimed date", Weight: trial.WeightInform},
	{ID: MarkDisputed, Text: "number claimed for another trial too", Weight: trial.WeightExplain},
	{ID: MarkDelayed, Text: "signed more than 7 days before it was logged", Weight: trial.WeightInform},
	{ID: MarkUnfounded, Text: "names a statement or value that this trial's history does not have", Weight: trial.WeightExplain},
	{ID: MarkAfterEnd, Text: "logged after the end of the trial", Weight: trial.WeightExplain},
	{ID: MarkDelegated, Text: "by an organisation that does not hold the trial", Weight: trial.WeightInform},
	{ID: MarkEmptiedDate, Text: "empties the date of an event", Weight: trial.WeightBears},
}

// marks are all marks, by their ids.
var marks = sync.OnceValue(func() map[trial.MarkID]trial.MarkMeaning {
	all := map[trial.MarkID]trial.MarkMeaning{}
	for _, m := range append(trial.KindMarks(), historyMarks...) {
		all[m.ID] = m
	}
	return all
})

// WeightText has the headings for marks of each weight.
var WeightText = map[int]string{
	trial.WeightBears:   "bears on what the trial can show",
	trial.WeightExplain: "to be explained",
	trial.WeightInform:  "for information",
}

// MarkWeight returns a mark's weight.
func MarkWeight(id trial.MarkID) int {
	if m, ok := marks()[id]; ok {
		return m.Weight
	}
	return trial.WeightExplain
}

// A MarkGroup is one mark on one entry, with everything that caused it.
type MarkGroup struct {
	ID    trial.MarkID
	Index uint64 // the entry marked
	Texts []string
}

// Group returns marks grouped by entry: the heaviest first, then by the mark's number and the
// entry. It returns only the struck marks, or only the others.
func Group(marks []Mark, struck bool) (list []MarkGroup) {
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
		return cmp.Or(cmp.Compare(MarkWeight(a.ID), MarkWeight(b.ID)), cmp.Compare(len(a.ID), len(b.ID)),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Index, b.Index))
	})
	return list
}

// Text returns the causes of the mark, in one line.
func (g MarkGroup) Text() string { return strings.Join(g.Texts, "; ") }

// MarkText returns a mark in a few words.
func MarkText(id trial.MarkID) string { return marks()[id].Text }

// MarkIDs returns the ids of all marks, sorted as text.
func MarkIDs() []trial.MarkID { return slices.Sorted(maps.Keys(marks())) }

// A Mark says something that a reader of an entry must be told.
type Mark struct {
	Cause uint64       `json:"cause"` // the entry that caused it, which may be the marked one itself
	Index uint64       `json:"entry"` // the entry marked
	ID    trial.MarkID `json:"mark"`
	// Struck says that the mark is on an entry that is void by now, or was caused by one. It
	// stays with the entry and is not part of a summary.
	Struck bool   `json:"struck,omitempty"`
	Text   string `json:"text"`
}

func (m Mark) String() string { return fmt.Sprintf("%s: %s", m.ID, m.Text) }

// delayedDays may pass between a signature and its entry before MarkDelayed is set.
const delayedDays = 7

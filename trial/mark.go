package trial

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A MarkID is the stable id of something that a reader of a trial's history must
// be told. Nothing that a sponsor may truthfully have to say is refused; what is
// late, changed, out of order or missing is marked, for ever: marks are a function
// of the trial's complete history, so whoever has that computes the same ones, and
// no later entry takes one away.
type MarkID string

// The marks.
const (
	MarkLateRegistration MarkID = "M1"
	MarkLateProtocol     MarkID = "M2"
	MarkAmendment        MarkID = "M3"
	MarkLateSAP          MarkID = "M4"
	MarkUnblindedSAP     MarkID = "M5"
	MarkNoSAP            MarkID = "M6"
	MarkNoLock           MarkID = "M7"
	MarkLateEvent        MarkID = "M8"
	MarkOtherDate        MarkID = "M9"
	MarkOrder            MarkID = "M10"
	MarkBranch           MarkID = "M11"
	MarkRepeated         MarkID = "M12"
	MarkCorrected        MarkID = "M13"
	MarkVoid             MarkID = "M14"
	MarkAfterTheFact     MarkID = "M15"
	MarkDisputed         MarkID = "M16"
	MarkUnlocked         MarkID = "M17"
	MarkDelayed          MarkID = "M18"
	MarkUnfounded        MarkID = "M19"
	MarkUnsealed         MarkID = "M20"
	MarkFuture           MarkID = "M21"
	MarkAfterEnd         MarkID = "M22"
	MarkDelegated        MarkID = "M23"
	MarkOrdered          MarkID = "M24"
	MarkEmptiedDate      MarkID = "M25"
)

var markText = map[MarkID]string{
	MarkLateRegistration: "registered after the first enrolment",
	MarkLateProtocol:     "first protocol version of its scope logged after the first enrolment",
	MarkAmendment:        "protocol amended after the first enrolment",
	MarkLateSAP:          "SAP after the lock it serves",
	MarkUnblindedSAP:     "SAP after the unblinding of its analysis",
	MarkNoSAP:            "results without a SAP logged before them",
	MarkNoLock:           "results without a database lock logged before them",
	MarkLateEvent:        "logged more than 30 days after the event",
	MarkOtherDate:        "another date for an event that has one",
	MarkOrder:            "dates of events out of order",
	MarkBranch:           "results that do not name those they follow",
	MarkRepeated:         "the same statement logged again",
	MarkCorrected:        "corrected",
	MarkVoid:             "void",
	MarkAfterTheFact:     "logged after the fact, with a claimed date",
	MarkDisputed:         "number claimed for another trial too",
	MarkUnlocked:         "database unlocked",
	MarkDelayed:          "signed more than 7 days before it was logged",
	MarkUnfounded:        "names a statement or value that this trial's history does not have",
	MarkUnsealed:         "was sealed, and opened later",
	MarkFuture:           "event dated after it was logged",
	MarkAfterEnd:         "logged after the end of the trial",
	MarkDelegated:        "by an organisation that does not hold the trial",
	MarkOrdered:          "transferred by a registrar's order",
	MarkEmptiedDate:      "empties the date of an event",
}

// Weights of marks, by which they are told: what bears on what the trial can show, what
// its sponsor should be able to explain, and what is for information.
const (
	WeightBears   = 1
	WeightExplain = 2
	WeightInform  = 3
)

// WeightText is the heading under which marks of a weight stand.
var WeightText = map[int]string{
	WeightBears:   "bears on what the trial can show",
	WeightExplain: "to be explained",
	WeightInform:  "for information",
}

var markWeight = map[MarkID]int{
	MarkLateRegistration: WeightBears, MarkLateProtocol: WeightBears, MarkLateSAP: WeightBears, MarkUnblindedSAP: WeightBears,
	MarkOtherDate: WeightBears, MarkOrder: WeightBears, MarkRepeated: WeightBears, MarkEmptiedDate: WeightBears,
	MarkLateEvent: WeightInform, MarkAfterTheFact: WeightInform, MarkDelayed: WeightInform, MarkUnsealed: WeightInform, MarkDelegated: WeightInform,
}

// MarkWeight returns a mark's weight.
func MarkWeight(id MarkID) int {
	if w, ok := markWeight[id]; ok {
		return w
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
func MarkText(id MarkID) string { return markText[id] }

// MarkIDs returns the ids of all marks, sorted as text.
func MarkIDs() []MarkID { return slices.Sorted(maps.Keys(markText)) }

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

// Days that pass before marks are set.
const (
	lateEventDays = 30
	delayedDays   = 7
)

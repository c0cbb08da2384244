// Package outcome joins the outcomes that a registry or protocol promises with
// those that an article or results section reports, each in its own words.
//
// It proposes and never convicts: a pair that it joins, or fails to join, is for a
// person to look at. Two texts are brought to one spelling, abbreviations are
// expanded by a table of clinical terms and by what the texts define themselves,
// time frames are set apart, the words of trial prose lose their weight, and what is
// left is compared by how much of the shorter text the longer one holds. Nothing is
// learnt from labelled pairs but the one Threshold.
//
// The package is pure: no clock, file or network, the same answer on every machine.
// It must know nothing of registries' formats, of statements, or of the log.
package outcome

// An Outcome is an outcome measure or endpoint as one source words it. Level is "primary",
// "secondary" or "other", and empty where the source does not state it. Any part may be
// empty; the time frame may stand within the measure ("PFS at 9 months"). Of a part longer
// than 10,000 bytes only the first 10,000 are read. What the texts say is compared without
// the level.
type Outcome struct {
	Level       string
	Measure     string
	TimeFrame   string
	Description string
}

// Threshold is the similarity at or above which two texts are proposed as the same
// outcome. It stands in the middle of those that the labelled pairs allow; see
// docs/outcomes.md for the figures.
const Threshold float64 = 0.45

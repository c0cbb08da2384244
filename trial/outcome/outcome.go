// Package outcome joins the outcomes that a registry or protocol specifies with those that an
// article or results section reports, each in its own words.
//
// It proposes and never convicts: a person must look at every pair that it joins or fails to
// join. The comparison brings two texts to a normal form, expands abbreviations by a table of
// clinical terms and by what the texts define themselves, separates time frames, and gives the
// common words of trial prose little weight. It then measures how much of the shorter text the
// longer one has. Only the one Threshold was chosen with labelled pairs.
//
// The package is pure: no clock, file or network, and the same answer on every machine. It must
// know nothing of registries' formats, of statements, or of the log.
package outcome

// An Outcome is an outcome measure or endpoint as one source words it. Level is "primary",
// "secondary" or "other", and empty if the source does not state it. Any part may be empty; the
// time frame may be within the measure ("PFS at 9 months"). Of a part longer than 10,000 bytes
// only the first 10,000 are read. The level is not part of what is compared.
type Outcome struct {
	Level       string
	Measure     string
	TimeFrame   string
	Description string
}

// Threshold is the similarity from which on two texts are proposed as the same outcome. It is
// in the middle of the values that the labelled pairs allow; docs/outcomes.md has the figures.
const Threshold float64 = 0.45

package trial

// A MarkID is the stable id of something that a reader of a trial's history must
// be told. Nothing that a sponsor may truthfully have to say is refused; what is
// late, changed, out of order or missing is marked, for ever: marks are a function
// of the trial's complete history, so whoever has that computes the same ones, and
// no later entry takes one away.
type MarkID string

// Weights of marks, by which they are told: what bears on what the trial can show, what
// its sponsor should be able to explain, and what is for information.
const (
	WeightBears   = 1
	WeightExplain = 2
	WeightInform  = 3
)

// A MarkMeaning says a mark in a few words, and its weight.
type MarkMeaning struct {
	ID     MarkID
	Text   string
	Weight int
}

// A Remark is a mark that a statement bears by what it says itself, whatever else the
// history has.
type Remark struct {
	ID   MarkID
	Text string // what caused it, in one line
}

// remarkable is a kind with such marks.
type remarkable interface {
	// meanings returns all that statements of the kind may bear.
	meanings() []MarkMeaning
	// remarks returns those that a statement bears that was logged at a time, where text
	// returns a member as it was corrected last.
	remarks(logged Time, text func(member string) string) []Remark
}

// RemarksOf returns the marks that a statement bears by what it says itself.
func RemarksOf(p Predicate, logged Time, text func(member string) string) []Remark {
	if r, ok := p.(remarkable); ok {
		return r.remarks(logged, text)
	}
	return nil
}

// KindMarks returns the marks of all kinds that RemarksOf may return.
func KindMarks() (list []MarkMeaning) {
	for _, newPredicate := range kindTable {
		if r, ok := newPredicate().(remarkable); ok {
			list = append(list, r.meanings()...)
		}
	}
	return list
}

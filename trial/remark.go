package trial

// A MarkID is the stable id of a mark: something that a reader of a trial's history must be
// told. Nothing that a sponsor may truthfully have to say is refused; what is late, changed,
// out of order or missing is marked. Marks are a function of the trial's complete history, so
// everyone who has it computes the same marks, and no later entry takes one away.
type MarkID string

// Weights of marks, by which they are sorted for a reader: marks that bear on what the trial
// can show, marks that its sponsor should be able to explain, and marks for information.
const (
	WeightBears   = 1
	WeightExplain = 2
	WeightInform  = 3
)

// A MarkMeaning says what a mark means in a few words, and its weight.
type MarkMeaning struct {
	ID     MarkID
	Text   string
	Weight int
}

// A Remark is a mark that a statement bears because of what it says itself, whatever else is in
// the history.
type Remark struct {
	ID   MarkID
	Text string // what caused it, in one line
}

// remarkable is a kind with such marks.
type remarkable interface {
	// meanings returns all the marks that statements of the kind may bear.
	meanings() []MarkMeaning
	// remarks returns the marks of a statement that was logged at a time; text returns a member
	// as it was last corrected.
	remarks(logged Time, text func(member string) string) []Remark
}

// RemarksOf returns the marks that a statement bears because of what it says itself.
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

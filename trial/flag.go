package trial

import "slices"

// A Form says how a person fills in a statement of one kind on a command line. The values are
// checked when the statement is marshalled.
type Form struct {
	Trial      *Hash   // the member for the trial that the statement is about, or
	Identifier *string // the member for the registry's number that it is about
	Flags      []Flag
	NoFiles    bool // documents may be left out; the subject is then the trial
}

// A Flag is a member of a statement that a person gives on a command line. Kinds that share a
// flag share its description.
type Flag struct {
	Name, Default string
	Help          string // the word for its value is in backquotes
	Missing       string // the error if it is not given; empty if it may be left out

	Text      *string // the member, or
	Statement *Hash   // the member that names another statement, whose receipt is given
}

// The flags that several kinds share.
var (
	analysisFlag = Flag{Name: "analysis", Help: "of a SAP, results, lock, cut-off or unblinding: `primary`, final, interim-1, follow-up-1"}
	dateFlag     = Flag{Name: "date", Help: "of a milestone, or when an observation was seen: `date` such as 2026-03-01 or 2026-03"}
	datedFlag    = Flag{Name: "dated", Help: "`date` on the document, if it is logged later: a claim, and marked as one"}
	previousFlag = Flag{Name: "previous", Help: "`receipt` of the protocol version (or results) that this one follows"}
	versionFlag  = Flag{Name: "version", Help: "`version` as printed on the document"}
)

// to returns the flag for the member given.
func (f Flag) to(member *string) Flag {
	f.Text = member
	return f
}

// naming returns the flag for a member that names another statement.
func (f Flag) naming(member *Hash) Flag {
	f.Statement = member
	return f
}

// needed returns the flag as one that must be given; missing is the error if it is not.
func (f Flag) needed(missing string) Flag {
	f.Missing = missing
	return f
}

// submittable is a kind that is filled in by flags alone.
type submittable interface{ form() Form }

// NewForm returns an empty predicate of a kind, and its form. It returns false for kinds
// without a form, which have commands of their own.
func NewForm(kind string) (Predicate, Form, bool) {
	newPredicate := kinds[kind]
	if newPredicate == nil {
		return nil, Form{}, false
	}
	p := newPredicate()
	f, ok := p.(submittable)
	if !ok {
		return nil, Form{}, false
	}
	return p, f.form(), true
}

// FormKinds returns the kinds that have a form, in the order of the table of kinds.
func FormKinds() (list []string) {
	for _, newPredicate := range kindTable {
		if p, ok := newPredicate().(submittable); ok {
			list = append(list, p.(Predicate).Kind())
		}
	}
	return list
}

// Has reports whether a form has a flag.
func (f Form) Has(name string) bool {
	return slices.ContainsFunc(f.Flags, func(x Flag) bool { return x.Name == name })
}

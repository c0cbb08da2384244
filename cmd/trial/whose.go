package main

import (
	"flag"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// A trusted is what a reader takes for the truth beside what the trial's holder and the
// registrar logged: documents of his own, and the word of organisations that he names.
type trusted struct {
	files frame.Words
	from  orgs
}

func (t *trusted) flags(fs *flag.FlagSet) {
	fs.Var(&t.files, "files", "`file` or folder with documents of the trial, to be read in place of their logged facts; they decide, whoever logged them; may be repeated")
	fs.Var(&t.from, "from", "take the word of these `organisations` (ids, with commas) for what a registry showed, like that of the trial's holder")
}

// orgs collects the organisations of a flag, sorted and without repetition.
type orgs []string

func (o *orgs) String() string { return strings.Join(*o, ",") }

func (o *orgs) Set(typed string) error {
	for _, org := range strings.Split(typed, ",") {
		if err := trial.CheckOrgID(org); err != nil {
			return err
		}
		*o = append(*o, org)
	}
	slices.Sort(*o)
	*o = slices.Compact(*o)
	return nil
}

// loggedBy says who logged something, and whose word that is.
func loggedBy(org, whose string) string {
	switch whose {
	case "":
		return "logged by " + org
	case study.ByReader:
		if org == "" {
			return "the reader's own file, which nobody logged"
		}
		return "logged by " + org + ", read from the reader's own file"
	case study.ByNamed:
		return "logged by " + org + ", which the reader named"
	case study.ByOther:
		return "logged by " + org + ", a third party"
	case study.ByDelegate:
		return "logged by " + org + ", delegated by the trial's holder"
	}
	return "logged by " + org + ", " + whose
}

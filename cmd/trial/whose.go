package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// A trusted is what a reader takes for the truth beside what the trial's holder and the
// registrar logged: documents of his own, and the word of organisations that he names.
type trusted struct {
	files words
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

// whose returns whose word a statement is. A statement of the trial itself was admitted
// because its signer held the trial or was delegated this; an observation of one of the
// trial's numbers may be anybody's.
func (d *dossier) whose(e trial.Located, st *trial.Statement) string {
	switch org := e.Signer.Org; {
	case e.Signer.Role == trial.RoleRegistrar:
		return study.ByRegistrar
	case d.timeline != nil && (org == d.timeline.Holder || org == d.timeline.HolderAt(e.Index)):
		return study.ByHolder
	case slices.Contains(d.from, org):
		return study.ByNamed
	case d.timeline != nil && trial.TrialOf(st) == d.timeline.Trial:
		return study.ByDelegate
	}
	return study.ByOther
}

// unheard names the organisations that the reader named and that logged nothing read here.
func (d *dossier) unheard() (notes []string) {
	for _, org := range d.from {
		if !slices.ContainsFunc(d.versions, func(v study.Version) bool { return v.Org == org }) {
			notes = append(notes, fmt.Sprintf("-from names %s, which logged nothing of this trial that could be read", org))
		}
	}
	return notes
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

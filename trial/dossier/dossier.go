package dossier

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A Dossier is everything that a log has about one trial, and what its documents say.
type Dossier struct {
	*Histories
	Asked    string             // the trial or number, as it was typed
	Timeline *timeline.Timeline // nil: only observations on a number are logged
	Versions []study.Version    // in the order of their days
	Files    []trial.Hash       // documents that versions were read from in place of logged facts
	From     []string           // organisations that the reader trusts, see New

	unread    []string // documents that were not read, for lack of facts and of a file
	unchained []string // observations whose predecessor is not logged for their number
	withdrawn []string // observations that were withdrawn
}

// Documents are the bytes of each record in the reader's files; nil if there are none. An error
// ends them.
type Documents = iter.Seq2[[]byte, error]

// New returns the dossier of a trial. The documents that statements commit to are read from the
// reader's documents if they are among them, and otherwise from the facts that were logged with
// the statement. The organisations in from are those that the reader trusts for what a registry
// showed. All errors are errors of documents.
func New(asked string, h *Histories, documents Documents, from []string) (*Dossier, error) {
	d := &Dossier{Histories: h, Asked: asked, From: from}
	if h.Trial != nil {
		d.Timeline = h.Trial.Timeline(0)
	}
	found, unlogged, err := d.find(documents)
	if err != nil {
		return nil, err
	}
	d.read(found, unlogged)
	return d, nil
}

// statements calls f with each statement that is in effect, once.
func (d *Dossier) statements(f func(e trial.Located, id trial.Hash, st *trial.Statement)) {
	seen := map[uint64]bool{}
	void := map[trial.Hash]bool{}
	if d.Timeline != nil {
		for _, i := range d.Timeline.Items {
			seen[i.Index] = true
			if i.InEffect() {
				f(i.Located, i.ID, i.Statement)
			} else {
				void[i.ID] = true
			}
		}
	}
	d.observations(func(e trial.Located, o *trial.Observation) {
		if !o.Withdraw.IsZero() {
			void[o.Withdraw] = true
		}
	})
	for _, h := range d.Own() {
		for _, e := range h.Entries {
			if e.Statement == nil || seen[e.Index] {
				continue
			}
			seen[e.Index] = true
			if id, st := e.Statement.Effective(); !void[id] {
				f(e, id, st)
			}
		}
	}
}

// observations calls f with each observation, and each withdrawal of one, in the order of the
// log.
func (d *Dossier) observations(f func(trial.Located, *trial.Observation)) {
	for _, h := range d.Own() {
		for _, e := range h.Entries {
			if e.Statement == nil {
				continue
			}
			if o, ok := e.Statement.Statement.Predicate.(*trial.Observation); ok {
				f(e, o)
			}
		}
	}
}

// find reads the documents and facts that the statements commit to. It returns separately the
// reader's own records of the trial's numbers that nobody has logged.
func (d *Dossier) find(documents Documents) (found, unlogged map[trial.Hash]*study.Study, err error) {
	found, unlogged = map[trial.Hash]*study.Study{}, map[trial.Hash]*study.Study{}
	wanted := map[trial.Hash]bool{}
	facts := map[trial.Hash]bool{}
	d.statements(func(_ trial.Located, _ trial.Hash, st *trial.Statement) {
		for _, s := range st.Subjects {
			if !s.Digest.SHA256.IsZero() {
				wanted[s.Digest.SHA256] = true
			}
		}
		if c := trial.ContentOf(st); c != nil && !c.FactsDigest.IsZero() {
			facts[c.FactsDigest] = true
		}
	})
	if documents == nil {
		return found, unlogged, nil
	}
	for record, err := range documents {
		if err != nil {
			return nil, nil, err
		}
		h := trial.Hash(sha256.Sum256(record))
		switch {
		case found[h] != nil:
		case wanted[h]:
			if s, err := study.Parse(record); err == nil {
				found[h] = s
			}
		case facts[h]:
			if f, err := trial.ParseFacts(record); err == nil {
				found[h] = study.FromFacts(f)
			}
		case unlogged[h] == nil:
			if s, err := study.Parse(record); err == nil && d.isOf(s) {
				unlogged[h] = s
			}
		}
	}
	return found, unlogged, nil
}

// read makes versions from the statements and from the reader's own records.
func (d *Dossier) read(found, unlogged map[trial.Hash]*study.Study) {
	observed := map[trial.Hash]trial.Located{}
	d.observations(func(e trial.Located, o *trial.Observation) {
		if o.Withdraw.IsZero() {
			observed[e.Statement.ID] = e
		} else if of, ok := observed[o.Withdraw]; ok {
			d.withdrawn = append(d.withdrawn, fmt.Sprintf("entry %d, an observation by %s, was withdrawn by entry %d (%s) and is not read",
				of.Index, of.Signer.Org, e.Index, o.Reason))
		}
	})
	var list []study.Version
	d.statements(func(e trial.Located, id trial.Hash, st *trial.Statement) {
		v := study.Version{
			Entry: e.Index, ID: id, Kind: st.Predicate.Kind(), Org: e.Signer.Org,
			Whose: d.whose(e, st), Logged: e.Time.Std().Format(time.DateOnly),
		}
		if o, ok := st.Predicate.(*trial.Observation); ok {
			if !o.Withdraw.IsZero() {
				return
			}
			v.Claimed = o.Dated
			if _, known := observed[o.Previous]; !o.Previous.IsZero() && !known {
				d.unchained = append(d.unchained,
					fmt.Sprintf("entry %d names a previous observation that is not logged for this number", e.Index))
			}
		}
		if d.Timeline != nil {
			if i := d.Timeline.Find(id); i != nil && v.Claimed == "" {
				v.Claimed = i.Value("dated")
			}
		}
		if d.fromFile(&v, st, found) || v.Study == nil && d.fromFacts(&v, st, found) {
			list = append(list, v)
		}
	})
	for _, h := range slices.SortedFunc(maps.Keys(unlogged), byBytes) {
		s := unlogged[h]
		name := fmt.Sprintf("your file of SHA-256 %.12s", h)
		if s.Dated == "" {
			d.unread = append(d.unread, name+" declares no day, so it cannot be placed among the versions")
			continue
		}
		d.Files = append(d.Files, h)
		list = append(list, study.Version{Study: s, File: name, Kind: "observation", Whose: study.ByReader, Digest: h, Claimed: s.Dated})
	}
	slices.SortFunc(d.Files, byBytes)
	slices.SortFunc(list, func(a, b study.Version) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), strings.Compare(a.File, b.File))
	})
	d.Versions = study.NewVersions(list)
}

// fromFile reads a version from the reader's file of a document that the statement commits to,
// and reports whether it did. It sets the version's study even if the study is not to be read.
func (d *Dossier) fromFile(v *study.Version, st *trial.Statement, found map[trial.Hash]*study.Study) bool {
	for _, s := range st.Subjects {
		v.Digest = s.Digest.SHA256
		if v.Study = found[v.Digest]; v.Study == nil {
			continue
		}
		d.Files = append(d.Files, v.Digest)
		if v.Kind == "observation" { // its day is the one in the record, whatever day its logger gave it
			if !d.isOf(v.Study) {
				d.unread = append(d.unread,
					fmt.Sprintf("entry %d of %s commits to a file that is not a record of this number: it is not read", v.Entry, v.Org))
				return false
			}
			v.Claimed = v.Study.Dated
		}
		v.Whose = study.ByReader
		return true
	}
	return false
}

// fromFacts reads a version from the facts that were logged with a statement, and reports
// whether it did.
func (d *Dossier) fromFacts(v *study.Version, st *trial.Statement, found map[trial.Hash]*study.Study) bool {
	content := trial.ContentOf(st)
	if content == nil {
		return false
	}
	v.Digest = st.Subjects[0].Digest.SHA256
	switch {
	case content.Facts != nil:
		v.Study = study.FromFacts(content.Facts)
	case content.FactsDigest.IsZero():
		d.unread = append(d.unread, fmt.Sprintf("entry %d (%s) has no facts: give its file with -files to have it read", v.Entry, v.Kind))
		return false
	case found[content.FactsDigest] == nil:
		d.unread = append(d.unread, fmt.Sprintf("entry %d (%s) commits to facts of SHA-256 %s: "+
			"give them or its file with -files to have it read",
			v.Entry, v.Kind, content.FactsDigest))
		return false
	default:
		d.Files = append(d.Files, content.FactsDigest)
		v.Study = found[content.FactsDigest]
	}
	if v.Kind == "observation" && v.Study.Number("nct") != "" && !d.isOf(v.Study) {
		d.unread = append(d.unread,
			fmt.Sprintf("entry %d of %s is logged for this number, but its facts are those of another one: it is not read", v.Entry, v.Org))
		return false
	}
	return true
}

func byBytes(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) }

// isOf reports whether a study has one of the numbers that the histories are about.
func (d *Dossier) isOf(s *study.Study) bool {
	return slices.ContainsFunc(s.Identifiers, func(id study.Identifier) bool {
		number, err := trial.ParseIdentifier(id.Value)
		return err == nil && slices.ContainsFunc(d.Numbers, func(h *History) bool { return h.Key.ID == number })
	})
}

// whose returns who stands behind a statement. A statement of the trial itself was admitted
// because its signer held the trial or had a delegation for it. An observation of one of the
// trial's numbers may come from anybody.
func (d *Dossier) whose(e trial.Located, st *trial.Statement) string {
	switch org := e.Signer.Org; {
	case e.Signer.Role == trial.RoleRegistrar:
		return study.ByRegistrar
	case d.Timeline != nil && (org == d.Timeline.Holder || org == d.Timeline.HolderAt(e.Index)):
		return study.ByHolder
	case slices.Contains(d.From, org):
		return study.ByNamed
	case d.Timeline != nil && trial.TrialOf(st) == d.Timeline.Trial:
		return study.ByDelegate
	}
	return study.ByOther
}

// Compare compares the reported outcomes, also those of an article, with the prespecified ones.
func (d *Dossier) Compare(article []outcome.Outcome) *compare.Report {
	report := compare.Weigh(d.Versions, article)
	report.Notes = slices.Concat(report.Notes, d.unread, d.unchained, d.obsolete(), d.withdrawn, d.unheard())
	return report
}

// Notes says which of the trial's documents were not read, and why.
func (d *Dossier) Notes() []string { return slices.Concat(d.unread, d.withdrawn, d.unheard()) }

// obsolete says that the number asked for is an obsolete number of a record, and whose copy
// says so.
func (d *Dossier) obsolete() (notes []string) {
	typed, err := trial.ParseIdentifier(d.Asked)
	if err != nil {
		return nil
	}
	for _, v := range d.Versions {
		number, err := trial.ParseIdentifier(v.Number("nct"))
		if err != nil || number == typed || !strings.HasPrefix(typed, "nct:") {
			continue
		}
		note := fmt.Sprintf("by %s's copy %s is an obsolete number of %s: ask for that",
			v.Org, strings.TrimPrefix(typed, "nct:"), v.Number("nct"))
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// unheard returns the organisations that the reader named and that logged nothing that was read
// here.
func (d *Dossier) unheard() (notes []string) {
	for _, org := range d.From {
		if !slices.ContainsFunc(d.Versions, func(v study.Version) bool { return v.Org == org }) {
			notes = append(notes, fmt.Sprintf("-from names %s, which logged nothing about this trial that could be read", org))
		}
	}
	return notes
}

package dossier

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
	"github.com/trialproof/trialproof/trial/timeline"
)

// reportFormat is the format member of a report for programs.
const reportFormat = "trialproof-report/v1"

// A Report is the contents of an inspector's report. It is written to a file for programs, with
// the proofs, and to one for people.
type Report struct {
	Format     string             `json:"format"`
	Asked      string             `json:"asked"` // as the trial was typed
	Log        string             `json:"log"`
	Size       uint64             `json:"size"`             // of the tree that everything here is about
	SeenBy     string             `json:"seenBy,omitempty"` // when witnesses saw it
	Complete   string             `json:"complete"`         // who states or proves that nothing is left out
	Policy     string             `json:"policy"`           // SHA-256
	Quorum     string             `json:"quorum"`
	At         string             `json:"at"`                 // day of the deadlines
	Standing   *Standing          `json:"standing,omitempty"` // nil if only a registry's record is logged
	Entries    []ReportEntry      `json:"entries"`
	Article    string             `json:"article,omitempty"` // which article's outcomes were given
	From       []string           `json:"from,omitempty"`    // organisations that the reader trusts
	Files      []trial.Hash       `json:"files,omitempty"`   // SHA-256 of the documents that were read in place of facts
	Study      *StudyHead         `json:"study,omitempty"`   // what the last version says about the trial
	Comparison *compare.Report    `json:"comparison"`
	Deadlines  []deadline.Verdict `json:"deadlines"`
	Unread     string             `json:"unread,omitempty"` // why there are no deadlines
	NotProven  []string           `json:"notProven"`
	Proofs     []json.RawMessage  `json:"proofs"`                       // complete histories of the trial and of its numbers
	OrgProofs  []json.RawMessage  `json:"organisationProofs,omitempty"` // the same for the holder, then for the other organisations
}

// A StudyHead says which study a report is about.
type StudyHead struct {
	Title   string   `json:"title"`
	Sponsor string   `json:"sponsor"`
	Type    string   `json:"type"`
	Phases  []string `json:"phases"`
	Status  string   `json:"status"`
	Entry   uint64   `json:"entry"`
	File    string   `json:"file,omitempty"` // in place of an entry, if nobody logged it
	Org     string   `json:"org"`            // the organisation that logged it
	Whose   string   `json:"whose"`          // who stands behind it, in the words of package study
}

// A ReportEntry is one entry of a report. The histories have the entry itself at its index,
// with its statement and its signature, and prove it.
type ReportEntry struct {
	Index     uint64          `json:"index"`
	Time      trial.Time      `json:"time"`
	Kind      string          `json:"kind"`
	Says      string          `json:"says"`
	Statement trial.Hash      `json:"statement"` // identity
	Leaf      trial.Hash      `json:"leaf"`      // RFC 6962 leaf hash of the entry, which is at Index in the tree
	Digests   []string        `json:"digests"`   // of its documents, or commitments to them
	Org       string          `json:"org"`
	Role      string          `json:"role"`
	Key       string          `json:"key"` // key id
	Meaning   string          `json:"meaning"`
	About     *uint64         `json:"about,omitempty"` // the entry that a signature or correction is about
	InEffect  bool            `json:"inEffect"`
	Marks     []timeline.Mark `json:"marks"`
}

// noDates is the text if no version says anything about a trial.
const noDates = "nothing that is logged says anything about the trial's dates: import the registry's record, or submit with -facts"

// Report returns the inspector's report of a trial, with its deadlines judged as of a day, such
// as "2026-03-01", and with the outcomes that an article reports; article may be empty. The
// dossier's histories must have their proofs, and so must those of the organisations.
func (d *Dossier) Report(p *checkpoint.Policy, at string, article []byte) (*Report, error) {
	if _, err := trial.ParseDate(at); err != nil || len(at) != len(time.DateOnly) {
		return nil, fmt.Errorf("%.40q is no day such as 2026-03-01", at)
	}
	v := d.Main()
	x := &Report{
		Format: reportFormat, Asked: d.Asked, Log: v.Checkpoint.Origin, Size: v.Checkpoint.Size,
		Complete: "replaying witnesses checked that nothing is left out",
		Policy:   p.Digest(), Quorum: p.QuorumText(), At: at, Entries: d.entries(), Article: string(article), From: d.From, Files: d.Files,
		Deadlines: []deadline.Verdict{},
		NotProven: []string{
			"that what the documents say is true, or that they were followed: the proof is that these are the documents, unaltered, " +
				"and when they were logged",
			"days marked as claimed by the source or by the signer: only days marked as the log's come from the log, " +
				"and the witnesses' times bound those",
			"who the people behind the keys are: the registrar enrolled the organisations, and they enrolled their people",
			"that outcomes joined by likeness are the same: such matches are proposals, and none is a finding of misconduct",
			"that the page is what was written: it bears no signature. The file beside it is checked by its proofs, " +
				"and the conclusions here can be worked out again from them",
			"that a regulation was broken: deadlines are worked out from what the record states; " +
				"what depends on something that it does not state is not determinable",
		},
	}
	if d.Trial != nil {
		x.Standing = d.Standing(p)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		x.SeenBy = t.Format(time.RFC3339)
	}
	if !d.Replayed() {
		x.Complete = "as stated by the operator: too few replaying witnesses cosigned to prove that nothing is left out"
		x.NotProven = slices.Insert(x.NotProven, 0,
			"that nothing is left out: too few replaying witnesses cosigned, but an audit of the whole log (trial audit) would prove it")
	}
	if err := x.conclude(d, article); err != nil {
		return nil, err
	}
	var err error
	if x.Proofs, err = proofs(d.Own()); err != nil {
		return nil, err
	}
	x.OrgProofs, err = proofs(d.Orgs)
	return x, err
}

// Empty returns what a report says where nothing is logged: of which tree that is proven.
func Empty(asked string, h *Histories, p *checkpoint.Policy) *Report {
	v := h.Main()
	x := &Report{Asked: asked, Log: v.Checkpoint.Origin, Size: v.Checkpoint.Size, Complete: "replaying witnesses checked it",
		Policy: p.Digest(), Quorum: p.QuorumText()}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		x.SeenBy = t.Format(time.RFC3339)
	}
	if !h.Replayed() {
		x.Complete = "that is the operator's statement, because too few replaying witnesses cosigned to prove it"
	}
	return x
}

// proofs returns the files of histories.
func proofs(list []*History) (files []json.RawMessage, err error) {
	for _, h := range list {
		data, err := json.Marshal(h.Proof)
		if err != nil {
			return nil, err
		}
		files = append(files, data)
	}
	return files, nil
}

// conclude works out what follows from the versions of a dossier.
func (x *Report) conclude(d *Dossier, article []byte) (err error) {
	var outcomes []outcome.Outcome
	if len(article) > 0 {
		if outcomes, err = outcome.ParseArticle(article); err != nil {
			return fmt.Errorf("the article: %w", err)
		}
	}
	x.Comparison = d.Compare(outcomes)
	if len(d.Versions) == 0 {
		x.Unread = noDates
		return nil
	}
	last := &d.Versions[len(d.Versions)-1]
	if deciding, _ := study.Part(d.Versions); len(deciding) > 0 {
		last = &deciding[len(deciding)-1]
	}
	x.Study = &StudyHead{last.Title, last.Sponsor.Name, last.Type, last.Phases, last.Status, last.Entry, last.File, last.Org, last.Whose}
	if x.Deadlines, err = d.Deadlines(x.At); err != nil {
		return fmt.Errorf("the deadlines: %w", err)
	}
	return nil
}

// entries returns all entries, in the order of the log.
func (d *Dossier) entries() []ReportEntry {
	items := map[uint64]*timeline.Item{}
	if d.Timeline != nil {
		for _, i := range d.Timeline.Items {
			items[i.Index] = i
		}
	}
	list := []ReportEntry{}
	seen := map[uint64]bool{}
	for _, h := range d.Own() {
		for _, entry := range h.Entries {
			if entry.Statement != nil && !seen[entry.Index] {
				seen[entry.Index] = true
				list = append(list, d.inspectEntry(entry, items[entry.Index]))
			}
		}
	}
	slices.SortFunc(list, func(a, b ReportEntry) int { return cmp.Compare(a.Index, b.Index) })
	return list
}

// inspectEntry describes an entry. The item is its place in the trial's timeline, or nil if the
// entry is only about one of the trial's numbers.
func (d *Dossier) inspectEntry(entry trial.Located, i *timeline.Item) ReportEntry {
	id, st := entry.Statement.Effective()
	x := ReportEntry{
		Index: entry.Index, Time: entry.Time, Kind: st.Predicate.Kind(), Says: trial.Describe(entry.Statement.Statement), Statement: id,
		Leaf: entry.LeafHash(), Digests: []string{}, Org: entry.Signer.Org, Role: entry.Signer.Role, Key: entry.Signer.Key.ID().String(),
		Meaning: trial.CommonOf(entry.Statement.Statement).Meaning, InEffect: true, Marks: []timeline.Mark{},
	}
	for _, s := range st.Subjects {
		if s.Digest.SHA256.IsZero() {
			x.Digests = append(x.Digests, "salted "+s.Digest.Salted256.String())
		} else {
			x.Digests = append(x.Digests, "sha256 "+s.Digest.SHA256.String())
		}
	}
	if i != nil {
		x.InEffect = i.InEffect()
		x.Marks = append(x.Marks, i.Marks...)
		if of := d.Timeline.About(i); of != nil {
			x.About = &of.Index
		}
	}
	return x
}

// Marshal returns the bytes of a report's file.
func (x *Report) Marshal() ([]byte, error) {
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(x)
	return data.Bytes(), err
}

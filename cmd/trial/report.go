package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

// reportFormat is the format member of a report for programs.
const reportFormat = "trialproof-report/v1"

// An inspection is what an inspector's report says. It goes into a file for
// programs, with the proofs, and into one for people.
type inspection struct {
	Format     string             `json:"format"`
	Asked      string             `json:"asked"` // as the trial was typed
	Log        string             `json:"log"`
	Size       uint64             `json:"size"`             // of the tree that all this is about
	SeenBy     string             `json:"seenBy,omitempty"` // when witnesses saw it
	Complete   string             `json:"complete"`         // who vouches that nothing is left out
	Policy     string             `json:"policy"`           // SHA-256
	Quorum     string             `json:"quorum"`
	At         string             `json:"at"`                 // day of the deadlines
	Standing   *standing          `json:"standing,omitempty"` // none if only a registry's record is logged
	Entries    []inspectedEntry   `json:"entries"`
	Article    string             `json:"article,omitempty"` // what was given as an article's outcomes
	From       []string           `json:"from,omitempty"`    // organisations whose word the reader took
	Files      []trial.Hash       `json:"files,omitempty"`   // SHA-256 of the documents that were read in place of facts
	Study      *studyHead         `json:"study,omitempty"`   // what the last version says of the trial
	Comparison *compare.Report    `json:"comparison"`
	Deadlines  []deadline.Verdict `json:"deadlines"`
	Unread     string             `json:"unread,omitempty"` // why there are no deadlines
	NotProven  []string           `json:"notProven"`
	Proofs     []json.RawMessage  `json:"proofs"`                       // complete histories of the trial and of its numbers, each checked by trial verify-history
	OrgProofs  []json.RawMessage  `json:"organisationProofs,omitempty"` // the same of who holds the trial, then of the others that have to do with it
}

// A studyHead says which study a report is about.
type studyHead struct {
	Title   string   `json:"title"`
	Sponsor string   `json:"sponsor"`
	Type    string   `json:"type"`
	Phases  []string `json:"phases"`
	Status  string   `json:"status"`
	Entry   uint64   `json:"entry"`
	File    string   `json:"file,omitempty"` // in place of an entry, where nobody logged it
	Org     string   `json:"org"`            // that logged it
	Whose   string   `json:"whose"`          // whose word it is, as package study names it
}

// An inspectedEntry is one entry with what proves it: the histories hold the entry
// itself at its index, its statement and its signature.
type inspectedEntry struct {
	Index     uint64       `json:"index"`
	Time      trial.Time   `json:"time"`
	Kind      string       `json:"kind"`
	Says      string       `json:"says"`
	Statement trial.Hash   `json:"statement"` // identity
	Leaf      trial.Hash   `json:"leaf"`      // RFC 6962 leaf hash of the entry, which is at Index in the tree
	Digests   []string     `json:"digests"`   // of its documents, or commitments to them
	Org       string       `json:"org"`
	Role      string       `json:"role"`
	Key       string       `json:"key"` // key id
	Meaning   string       `json:"meaning"`
	About     *uint64      `json:"about,omitempty"` // entry that a signature or correction is on
	InEffect  bool         `json:"inEffect"`
	Marks     []trial.Mark `json:"marks"`
}

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"short":   func(s string) string { return s[:min(len(s), 16)] },
	"mark":    trial.MarkText,
	"marks":   func(list []trial.Mark) []trial.MarkGroup { return trial.GroupMarks(list, false) },
	"struck":  func(list []trial.Mark) []trial.MarkGroup { return trial.GroupMarks(list, true) },
	"weight":  func(id trial.MarkID) string { return trial.WeightText[trial.MarkWeight(id)] },
	"finding": findingText,
	"source":  sourceText,
	"logged":  loggedBy,
	"at":      linked,
	"moment":  inWords,
	"class":   class,
}).Parse(reportHTML))

// linked links to an entry of the page, or names the file that nobody has logged.
func linked(entry uint64, file string) template.HTML {
	if file != "" {
		return template.HTML(template.HTMLEscapeString(printable(file)))
	}
	return template.HTML(fmt.Sprintf(`<a href="#entry-%d">entry %d</a>`, entry, entry))
}

// class returns the style of a verdict: of a conditional one, that of the verdict in it.
func class(verdict string) string {
	if _, in, ok := strings.Cut(verdict, " copies alone: "); ok {
		verdict = in
	}
	return strings.ReplaceAll(verdict, " ", "-")
}

func reportCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var at, article, out string
	var word trusted
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "write the report to `FILE.html`, and with its proofs to FILE.json; neither over another")
		fs.StringVar(&at, "at", time.Now().UTC().Format(time.DateOnly), "judge deadlines as of this `day`")
		fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text, one a line, or JSON")
		word.flags(fs)
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || filepath.Ext(out) != ".html" {
		return usagef("one trial, and -o FILE.html for its report, must be given")
	}
	twin := strings.TrimSuffix(out, ".html") + ".json"
	for _, name := range []string{out, twin} {
		if exists(name) {
			return usagef("%s is there already and is not overwritten", name)
		}
	}
	text, outcomes, err := readArticle(article)
	if err != nil {
		return err
	}
	r.keep = true
	d, err := r.dossier(ctx, rest[0], &word, numbersAndOrganisations)
	if err != nil {
		return err
	}
	x := d.inspect(r.policy, at)
	x.Article, x.Files, x.From = string(text), d.files, d.from
	if err := x.conclude(d, outcomes); err != nil {
		return usageError{err}
	}
	for _, p := range d.histories {
		x.Proofs = append(x.Proofs, p.data)
	}
	for _, p := range d.orgs {
		x.OrgProofs = append(x.OrgProofs, p.data)
	}
	data, err := x.marshal()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := reportPage.Execute(&page, struct {
		*inspection
		Twin, Digest string
	}{x, filepath.Base(twin), fmt.Sprintf("%x", sha256.Sum256(data))}); err != nil {
		return err
	}
	if err := writeNew(twin, data, 0o644); err != nil {
		return err
	}
	if err := writeNew(out, visible(page.Bytes()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "%s is to be read, %s has the same with its proofs: trial verify-history -policy %s %s\n",
		out, twin, quoted(r.policyFile), quoted(twin))
	return d.stated()
}

// inspect says what the entries are and what they rest on.
func (d *dossier) inspect(p *checkpoint.Policy, at string) *inspection {
	v := d.histories[0]
	x := &inspection{
		Format: reportFormat, Asked: d.id, Log: v.Checkpoint.Origin, Size: v.Checkpoint.Size, Complete: "replaying witnesses checked that nothing is left out",
		Policy: p.Digest(), Quorum: p.QuorumText(), At: at, Entries: d.entries(), Deadlines: []deadline.Verdict{},
		NotProven: []string{
			"that what the documents say is true, or that they were followed: what is proven is that these are the documents, unaltered, and when they were logged",
			"days marked as claimed by the source, or by the signer: only days marked as the log's are the log's, and those are bounded by what witnesses saw",
			"who the people behind the keys are: the registrar enrolled the organisations, and they enrolled their people",
			"that outcomes joined by likeness are the same: such matches are proposals, and none is a finding of misconduct",
			"that the page is what was written: it bears no signature. The file beside it is checked by its proofs, and what is concluded here is worked out anew from them",
			"that a regulation was broken: deadlines are worked out from what the record states, and what it does not state is said to be not determinable",
		},
	}
	if len(d.orgs) > 0 {
		x.Standing = stand(p, v.Verdict, d.histories[1:], d.orgs)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		x.SeenBy = t.Format(time.RFC3339)
	}
	if d.stated() != nil {
		x.Complete = "as stated by the operator: too few replaying witnesses cosigned to prove that nothing is left out"
		x.NotProven = slices.Insert(x.NotProven, 0, "that nothing is left out: too few replaying witnesses cosigned, and a trial audit of the whole log would prove it")
	}
	return x
}

// conclude works out what follows from the versions of a dossier.
func (x *inspection) conclude(d *dossier, article []outcome.ArticleOutcome) (err error) {
	x.Comparison = d.compare(article)
	if len(d.versions) == 0 {
		x.Unread = "nothing that is logged says anything of the trial's dates: import the registry's record, or submit with -facts"
		return nil
	}
	last := &d.versions[len(d.versions)-1]
	if deciding, _ := study.Part(d.versions); len(deciding) > 0 {
		last = &deciding[len(deciding)-1]
	}
	x.Study = &studyHead{last.Title, last.Sponsor.Name, last.Type, last.Phases, last.Status, last.Entry, last.File, last.Org, last.Whose}
	versions, emptied := d.withMilestones()
	x.Deadlines, err = deadline.Weigh(versions, emptied, x.At)
	return err
}

// entries returns all entries, in the order of the log.
func (d *dossier) entries() []inspectedEntry {
	items := map[uint64]*trial.Item{}
	if d.timeline != nil {
		for _, i := range d.timeline.Items {
			items[i.Index] = i
		}
	}
	list := []inspectedEntry{}
	seen := map[uint64]bool{}
	for _, v := range d.histories {
		for _, entry := range v.Entries {
			if entry.Statement != nil && !seen[entry.Index] {
				seen[entry.Index] = true
				list = append(list, d.inspectEntry(entry, items[entry.Index]))
			}
		}
	}
	slices.SortFunc(list, func(a, b inspectedEntry) int { return cmp.Compare(a.Index, b.Index) })
	return list
}

// inspectEntry says what an entry is. The item is its place in the trial's
// timeline, nil for what is only about one of the trial's numbers.
func (d *dossier) inspectEntry(entry trial.Located, i *trial.Item) inspectedEntry {
	id, st := entry.Statement.Effective()
	x := inspectedEntry{
		Index: entry.Index, Time: entry.Time, Kind: st.Predicate.Kind(), Says: receipt.Describe(entry.Statement.Statement), Statement: id,
		Leaf: entry.LeafHash(), Digests: []string{}, Org: entry.Signer.Org, Role: entry.Signer.Role, Key: entry.Signer.Key.ID().String(),
		Meaning: trial.CommonOf(entry.Statement.Statement).Meaning, InEffect: true, Marks: []trial.Mark{},
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
		if of := d.timeline.About(i); of != nil {
			x.About = &of.Index
		}
	}
	return x
}

// verifyReport checks the proofs in a report for programs, and that the report is
// what follows from them and from the documents given, to the letter. It returns
// false if the data is no such report.
func (e *env) verifyReport(p *checkpoint.Policy, data []byte, w view, files []string) (bool, error) {
	x := new(inspection)
	if json.Unmarshal(data, x) != nil || x.Format == "" {
		return false, nil
	}
	if x.Format != reportFormat || len(x.Proofs) == 0 {
		return true, fmt.Errorf("%w: its format is not %s, or it has no proofs", errInvalid, reportFormat)
	}
	var list []proven
	for _, proof := range slices.Concat(x.Proofs, x.OrgProofs) {
		h, err := history.Parse(proof)
		if err != nil {
			return true, fmt.Errorf("%w: %w", errInvalid, err)
		}
		if !sameJSON(proof, h) {
			return true, fmt.Errorf("%w: a history in the report has a member twice, or more than a history has: it was altered", errInvalid)
		}
		v, err := verified(p, h)
		if err != nil {
			return true, err
		}
		list = append(list, proven{proof, v})
	}
	provenByAll(list)
	d := newDossier(x.Asked, list)
	if err := d.whole(); err != nil {
		return true, fmt.Errorf("%w: %w", errInvalid, err)
	}
	again := d.inspect(p, x.At)
	again.Article, again.Files, again.From, again.Proofs, again.OrgProofs = x.Article, x.Files, x.From, x.Proofs, x.OrgProofs
	d.from = x.From
	if !sameJSON(x.Entries, again.Entries) {
		return true, fmt.Errorf("%w: the entries that the report lists are not those that its proofs hold", errInvalid)
	}
	for _, v := range d.histories {
		if err := e.printHistory(p, v.Verdict, w); err != nil {
			return true, err
		}
	}
	lacking, err := again.redraw(d, x, files)
	if err != nil {
		return true, err
	}
	var said bytes.Buffer
	now, err := again.marshal()
	if err != nil {
		return true, err
	}
	if json.Indent(&said, data, "", " ") != nil || !bytes.Equal(bytes.TrimSpace(said.Bytes()), bytes.TrimSpace(now)) {
		return true, fmt.Errorf("%w: the report is not what follows from its entries: it was altered, or drawn by a program of another version", errInvalid)
	}
	if !lacking.IsZero() {
		fmt.Fprintln(e.stdout, "the report lists these entries, and where the trial stands follows from them")
		return true, fmt.Errorf("its comparison and deadlines were not checked, for they rest on a document too: give it with -files (SHA-256 %s)", lacking)
	}
	fmt.Fprintln(e.stdout, "the report lists these entries, and where the trial stands, its comparison and its deadlines follow from them")
	return true, d.stated()
}

// whole returns an error where a dossier's histories are not all that a report on
// the trial has: of one tree, the trial's first, then each of its numbers', then those
// of the organisations that have to do with it.
func (d *dossier) whole() error {
	first := d.histories[0]
	if rec, ok := first.Record.(*trial.IdentifierRecord); ok {
		if id, err := theTrial(rec); err != nil || !id.IsZero() {
			return fmt.Errorf("the report has no history of trial %s, which claims %s", id, rec.ID)
		}
	}
	rec, ok := first.Record.(*trial.TrialRecord)
	if !d.asks(first.Key.ID) && (!ok || !slices.ContainsFunc(rec.Identifiers, d.asks)) {
		return fmt.Errorf("the report says that it was asked for %.60q, which its histories are not of", d.id)
	}
	all := slices.Concat(d.histories, d.orgs)
	keys := append([]trial.RecordKey{first.Key}, numbersAndOrganisations(first.Verdict)...)
	for i, key := range keys {
		if i >= len(all) || all[i].Key != key {
			return fmt.Errorf("the report has no history of %s %s, which has to do with the trial", key.Kind, key.ID)
		}
	}
	if len(all) > len(keys) {
		return fmt.Errorf("the report has a history of %s %s, which has nothing to do with the trial", all[len(keys)].Key.Kind, all[len(keys)].Key.ID)
	}
	return sameTree(all)
}

// asks reports whether what was typed is an id or number.
func (d *dossier) asks(id string) bool {
	typed := strings.TrimPrefix(d.id, ownPrefix)
	number, err := trial.ParseIdentifier(typed)
	return typed == id || err == nil && number == id
}

// redraw draws the conclusions of the report x again. It leaves them as they are,
// and returns the document that is lacking, where one is.
func (x *inspection) redraw(d *dossier, said *inspection, files []string) (lacking trial.Hash, err error) {
	found, err := d.find(files)
	if err != nil {
		return lacking, err
	}
	for h := range found { // the report is drawn from its own documents, whatever else is given
		if !slices.Contains(said.Files, h) {
			delete(found, h)
		}
	}
	for h := range d.own {
		if !slices.Contains(said.Files, h) {
			delete(d.own, h)
		}
	}
	d.read(found)
	for _, f := range said.Files {
		if !slices.Contains(d.files, f) {
			x.Study, x.Comparison, x.Deadlines, x.Unread = said.Study, said.Comparison, said.Deadlines, said.Unread
			return f, nil
		}
	}
	x.Files = d.files
	var article []outcome.ArticleOutcome
	if said.Article != "" {
		if article, err = outcome.ParseArticle([]byte(said.Article)); err != nil {
			return lacking, fmt.Errorf("%w: the report's article: %w", errInvalid, err)
		}
	}
	if err := x.conclude(d, article); err != nil {
		return lacking, fmt.Errorf("%w: the report's deadlines: %w", errInvalid, err)
	}
	for _, part := range []struct {
		what      string
		said, now any
	}{{"comparison", said.Comparison, x.Comparison}, {"deadlines", said.Deadlines, x.Deadlines}, {"study", said.Study, x.Study}} {
		if !sameJSON(part.said, part.now) {
			return lacking, fmt.Errorf("%w: the %s in the report is not what follows from its entries: it was altered, or drawn by a program of another version", errInvalid, part.what)
		}
	}
	return lacking, nil
}

// sameJSON reports whether two values are written alike; of raw JSON, white space aside.
func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// marshal returns the bytes of a report's file.
func (x *inspection) marshal() ([]byte, error) {
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(x)
	return data.Bytes(), err
}

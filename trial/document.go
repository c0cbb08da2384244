package trial

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// This file has the kinds that say "these documents belong to the trial", and what such kinds
// share.

// Document is any document of a trial that is no other kind: an investigator's
// brochure, a monitoring plan, a letter.
type Document struct {
	Common
	Content
	Dated   string `json:"dated,omitempty"`   // the document's own date, as claimed
	Trial   Hash   `json:"trial"`             // identity of the registration
	Version string `json:"version,omitempty"` // as printed on the document
}

func (*Document) Kind() string { return "document" }

func (d *Document) trialID() Hash { return d.Trial }

func (*Document) allows() allows { return allows{delegation: true, seal: true, void: true} }

func (d *Document) members() map[string]member {
	return map[string]member{"dated": {d.Dated, checkDated}, "version": {d.Version, optionalVersion}}
}

func (d *Document) form() Form {
	return Form{Trial: &d.Trial, Flags: []Flag{versionFlag.to(&d.Version), datedFlag.to(&d.Dated)}}
}

func (d *Document) describe([]Subject) string {
	return fmt.Sprintf("document %sof trial %s", spaced(d.Version), d.Trial)
}

func (d *Document) check(subjects []Subject) error {
	if err := checkVersion(d.Version, false); err != nil {
		return err
	}
	if err := checkDated(d.Dated); err != nil {
		return err
	}
	if err := d.Content.check(); err != nil {
		return err
	}
	return checkDocuments(subjects, "document")
}

func (d *Document) apply(t *tx, s *Signed) *Refusal {
	return t.remembered(s, d.Trial, "document", "")
}

// SAP is a statistical analysis plan.
type SAP struct {
	Common
	Analysis string `json:"analysis"`        // the analysis it serves, see checkAnalysis
	Dated    string `json:"dated,omitempty"` // see Document
	Trial    Hash   `json:"trial"`
	Version  string `json:"version"`
}

func (*SAP) Kind() string { return "sap" }

func (p *SAP) trialID() Hash { return p.Trial }

func (*SAP) allows() allows { return allows{delegation: true, seal: true, void: true} }

func (p *SAP) members() map[string]member {
	return map[string]member{"analysis": {p.Analysis, checkAnalysis}, "dated": {p.Dated, checkDated}, "version": {p.Version, versionText}}
}

func (p *SAP) form() Form {
	return Form{Trial: &p.Trial, Flags: []Flag{
		versionFlag.to(&p.Version).needed("a sap has a version: give it with -version, as it is printed on the document"),
		analysisFlag.to(&p.Analysis), datedFlag.to(&p.Dated),
	}}
}

func (p *SAP) describe([]Subject) string {
	return fmt.Sprintf("statistical analysis plan %s for the %s analysis of trial %s", p.Version, p.Analysis, p.Trial)
}

func (p *SAP) check(subjects []Subject) error {
	if err := checkVersion(p.Version, true); err != nil {
		return err
	}
	if err := checkAnalysis(p.Analysis); err != nil {
		return err
	}
	if err := checkDated(p.Dated); err != nil {
		return err
	}
	return checkDocuments(subjects, "sap")
}

func (p *SAP) apply(t *tx, s *Signed) *Refusal {
	return t.remembered(s, p.Trial, "sap", "")
}

// Results are the results of one analysis. Later ones name the results that they update.
type Results struct {
	Common
	Content
	Analysis string `json:"analysis"`
	Dated    string `json:"dated,omitempty"` // see Document
	Trial    Hash   `json:"trial"`
	Updates  Hash   `json:"updates,omitzero"` // identity of earlier results of the trial
	Version  string `json:"version,omitempty"`
}

func (*Results) Kind() string { return "results" }

func (p *Results) trialID() Hash { return p.Trial }

func (*Results) allows() allows { return allows{seal: true, void: true} }

func (p *Results) members() map[string]member {
	return map[string]member{
		"analysis": {p.Analysis, checkAnalysis},
		"dated":    {p.Dated, checkDated},
		"version":  {p.Version, optionalVersion},
	}
}

func (p *Results) form() Form {
	return Form{Trial: &p.Trial, Flags: []Flag{
		versionFlag.to(&p.Version), analysisFlag.to(&p.Analysis), datedFlag.to(&p.Dated), previousFlag.naming(&p.Updates),
	}}
}

func (p *Results) describe([]Subject) string {
	return fmt.Sprintf("results %sof the %s analysis of trial %s%s", spaced(p.Version), p.Analysis, p.Trial, following(p.Updates))
}

func (p *Results) check(subjects []Subject) error {
	if err := checkVersion(p.Version, false); err != nil {
		return err
	}
	if err := checkAnalysis(p.Analysis); err != nil {
		return err
	}
	if err := checkDated(p.Dated); err != nil {
		return err
	}
	if err := p.Content.check(); err != nil {
		return err
	}
	return checkDocuments(subjects, "results")
}

func (p *Results) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.heldTrial(p.Trial)
	if r != nil {
		return r
	}
	if !p.Updates.IsZero() && !contains(tr.Results, p.Updates) {
		return refuse(RuleUnknown, "the results %s, which these would update, are not logged for this trial", p.Updates)
	}
	if tr.Shares.acted(voidAct("results", s.ID)) {
		return voided(s.ID)
	}
	if contains(tr.Results, s.ID) {
		return refuse(RuleTaken, "the results %s are logged already", s.ID)
	}
	if len(tr.Results) >= maxPerTrial {
		return tooMany("results", len(tr.Results))
	}
	tr.Results = appended(tr.Results, s.ID)
	return nil
}

// author returns the organisation that holds the trial, even if another held it when the
// results were logged.
func (*Results) author(tr *TrialRecord, id Hash) string {
	if contains(tr.Results, id) {
		return tr.Holder
	}
	return ""
}

func (*Results) empty(_ *tx, tr *TrialRecord, id Hash) *Refusal {
	tr.Results = without(tr.Results, id)
	return nil
}

// maxPerTrial bounds the statements of one sort in a trial's record: every tree that touches
// the record hashes the whole record.
const maxPerTrial = 1000

func tooMany(what string, n int) *Refusal {
	return refuse(RuleLimit, "the trial has %d %s; the most is %d", n, what, maxPerTrial)
}

// voided refuses to log a statement again that is void.
func voided(id Hash) *Refusal {
	return refuse(RuleTaken, "the statement %s was logged and is void", id)
}

func contains(ids []Hash, id Hash) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

// appended returns list with x at its end. It leaves list's own array alone, because records of
// earlier sizes share it.
func appended[T any](list []T, x T) []T { return append(list[:len(list):len(list)], x) }

var appendix = regexp.MustCompile(`^appendix-[1-9][0-9]{0,2}$`)

// checkDocuments checks that one subject is named like the kind and any others are named
// appendix-1, appendix-2 and so on. These are roles: no file name enters the log.
func checkDocuments(subjects []Subject, kind string) error {
	found := false
	for _, s := range subjects {
		if s.Name == kind {
			found = true
		} else if !appendix.MatchString(s.Name) {
			return fmt.Errorf("subject %s is neither %s nor an appendix such as appendix-1", s.Name, kind)
		}
	}
	if !found {
		return fmt.Errorf("no subject is named %s", kind)
	}
	return nil
}

// checkNamed checks the one subject of a statement that is about no document. Its digest is the
// SHA-256 of the thing that its name stands for.
func checkNamed(subjects []Subject, name string, digest Hash) error {
	if len(subjects) != 1 || subjects[0].Name != name || subjects[0].Digest.SHA256 != digest {
		return fmt.Errorf("a statement without documents has one subject, %s with the digest %s", name, digest)
	}
	return nil
}

// checkTrialOrDocuments checks that the subjects are the trial alone, or documents of a kind.
func checkTrialOrDocuments(subjects []Subject, kind string, trial Hash) error {
	if len(subjects) == 1 && subjects[0].Name == "trial" {
		return checkNamed(subjects, "trial", trial)
	}
	return checkDocuments(subjects, kind)
}

// NamedSubject returns the subject of a statement that is about no document.
func NamedSubject(name string, digest Hash) []Subject {
	return []Subject{{Digest{SHA256: digest}, name}}
}

func sha256Text(s string) Hash { return sha256.Sum256([]byte(s)) }

func checkVersion(v string, required bool) error {
	if v == "" && !required {
		return nil
	}
	return checkText("version", v, 40)
}

// checkDated checks the date that a document bears, if one is given.
func checkDated(s string) error {
	if s == "" {
		return nil
	}
	return checkDate("dated", s)
}

// checkAnalysis checks the name of an analysis: primary, final, interim-1, interim-2 and so on,
// or follow-up-1, follow-up-2 and so on.
func checkAnalysis(s string) error {
	if analysis.MatchString(s) {
		return nil
	}
	return fmt.Errorf("analysis is %.40q; it is primary, final, interim-1 or follow-up-1 (or a higher number)", strings.TrimSpace(s))
}

var analysis = regexp.MustCompile(`^(primary|final|(interim|follow-up)-[1-9][0-9]{0,2})$`)

// Package dossier works out what follows about one trial from its checked histories and
// its documents: where the trial stands, how what it reports compares with what it
// planned, what was due by when, and the inspector's report of all that.
//
// Everything here is a function of its arguments: histories that were checked, the
// bytes of documents, a policy and a day. There is no clock, no network and no file, so
// a report can be worked out anew anywhere, also in a browser, and comes out the same.
package dossier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// OwnPrefix goes before a number whose own history is meant, and not that of the trial
// that claims it: who claims it, and what was observed of it.
const OwnPrefix = "identifier:"

// A History is the history of one record, checked under a policy.
type History struct {
	*history.Verdict
	Proof *history.History // what was checked; nil where nobody needs it again
}

// Histories are what a log has about one trial: each is checked, and all are of one
// tree. An older tree for one of them would hide what was logged since.
type Histories struct {
	Trial   *History   // nil if no trial claims the number that was asked for
	Numbers []*History // of the trial's registry numbers, or of the number that was asked for
	Orgs    []*History // of the trial's holder, then of the others that have to do with it
	Log     *History   // of the log itself, for whoever asks for it
}

// Main returns the history that was asked for: the trial's or, without a trial, the
// number's own.
func (h *Histories) Main() *History {
	if h.Trial != nil {
		return h.Trial
	}
	return h.Numbers[0]
}

// Own returns the histories that have the trial's entries and the observations on its numbers.
func (h *Histories) Own() []*History {
	if h.Trial == nil {
		return h.Numbers
	}
	return append([]*History{h.Trial}, h.Numbers...)
}

// All returns all histories, in the order of the fields.
func (h *Histories) All() []*History {
	all := slices.Concat(h.Own(), h.Orgs)
	if h.Log != nil {
		all = append(all, h.Log)
	}
	return all
}

// Replayed reports whether it is proven that nothing is left out: a conclusion from
// several histories is proven only if each history is.
func (h *Histories) Replayed() bool {
	return !slices.ContainsFunc(h.All(), func(h *History) bool { return !h.Verdict.Replayed })
}

// SameTree returns an error where histories are not all of one tree.
func SameTree(list []*History) error {
	for _, h := range list[1:] {
		if h.Checkpoint.Tree != list[0].Checkpoint.Tree {
			return fmt.Errorf("the history of %s is of the tree of size %d, that of %s of the tree of size %d",
				list[0].Key.ID, list[0].Checkpoint.Size, h.Key.ID, h.Checkpoint.Size)
		}
	}
	return nil
}

// Numbers returns the records of a trial's registry numbers, whose histories have what
// was observed of it; none for records that are no trial.
func Numbers(v *history.Verdict) (keys []trial.RecordKey) {
	rec, ok := v.Record.(*trial.TrialRecord)
	if !ok {
		return nil
	}
	for _, id := range rec.Identifiers[1:] { // the first is the sponsor's own
		keys = append(keys, trial.RecordKey{Kind: "identifier", ID: id})
	}
	return keys
}

// Organisations returns the records of the organisations that have to do with a trial:
// its holder, then whoever signed for it or may sign, because their unopened seals may be
// about it. It returns none for records that are no trial.
func Organisations(v *history.Verdict) (keys []trial.RecordKey) {
	rec, ok := v.Record.(*trial.TrialRecord)
	if !ok {
		return nil
	}
	var others []string
	for _, g := range rec.Delegations {
		others = append(others, g.To)
	}
	for _, e := range v.Entries {
		if e.Statement == nil || e.Signer.Role == trial.RoleRegistrar {
			continue
		}
		id, st := e.Statement.Effective()
		if trial.TrialOf(st) == rec.ID || id == rec.ID { // and no claim of another trial to its number
			others = append(others, e.Signer.Org)
		}
	}
	slices.Sort(others)
	for _, org := range append([]string{rec.Holder}, slices.Compact(others)...) {
		if len(keys) == 0 || org != rec.Holder {
			keys = append(keys, trial.RecordKey{Kind: "org", ID: org})
		}
	}
	return keys
}

// TheTrial returns the trial that a number belongs to, zero if no trial claims it. A
// number that several claim is an error.
func TheTrial(rec *trial.IdentifierRecord) (trial.Hash, error) {
	if rec.Disputed() {
		var claims []string
		for _, c := range rec.Claims {
			claims = append(claims, fmt.Sprintf("%s as trial %s by entry %d", c.Org, c.Trial, c.Index))
		}
		return trial.Hash{}, fmt.Errorf("%s is disputed, claimed by %s: name the trial by its id", rec.ID, strings.Join(claims, " and by "))
	}
	return rec.Trial(), nil
}

// Formerly says which trials other than the given one have claimed a number, and how
// that ended: what is shown by the number is not theirs.
func Formerly(number *history.Verdict, of trial.Hash) (lines []string) {
	for _, e := range number.Entries {
		if e.Statement == nil {
			continue
		}
		id, st := e.Statement.Effective()
		p, ok := st.Predicate.(*trial.Identifier)
		if !ok || p.Trial == of {
			continue
		}
		line := fmt.Sprintf("%s was claimed for trial %s by entry %d (%s)", number.Key.ID, p.Trial, e.Index, e.Signer.Org)
		for _, x := range number.Entries {
			if x.Statement == nil {
				continue
			}
			_, st := x.Statement.Effective()
			if c, ok := st.Predicate.(*trial.Correction); ok && c.Void != "" && c.Statement == id {
				line += fmt.Sprintf(", which entry %d emptied (%s): that trial's history is its own", x.Index, c.Void)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

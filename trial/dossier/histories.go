// Package dossier works out what follows about one trial from its checked histories and its
// documents: where the trial stands, how its reported outcomes compare with the prespecified
// ones, what was due when, and the inspector's report of all that.
//
// Everything here is a function of its arguments: histories that were checked, the bytes of
// documents, a policy and a day. There is no clock, no network and no file. A report can
// therefore be worked out again anywhere, also in a browser, and the result is the same.
package dossier

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// OwnPrefix before a number asks for the number's own history: who claims it, and what was
// observed of it. Without the prefix the number stands for the trial that claims it.
const OwnPrefix = "identifier:"

// A History is the history of one record, checked under a policy.
type History struct {
	*history.Verdict
	Proof *history.History // what was checked; nil if nobody needs it again
}

// Histories are what a log has about one trial. Each is checked, and all are of one tree: an
// older tree for one of them would hide what was logged since.
type Histories struct {
	Trial   *History   // nil if no trial claims the number that was asked for
	Numbers []*History // of the trial's registry numbers, or of the number that was asked for
	Orgs    []*History // of the trial's holder, then of the other organisations concerned with it
	Log     *History   // of the log itself, if it was asked for
}

// Main returns the history that was asked for: the trial's or, if there is no trial, the
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

// Replayed reports whether it is proven that nothing is left out. A conclusion from several
// histories is proven only if each history is.
func (h *Histories) Replayed() bool {
	return !slices.ContainsFunc(h.All(), func(h *History) bool { return !h.Verdict.Replayed })
}

// SameTree returns an error if the histories are not all of one tree.
func SameTree(list []*History) error {
	for _, h := range list[1:] {
		if h.Checkpoint.Tree != list[0].Checkpoint.Tree {
			return fmt.Errorf("the history of %s is of the tree of size %d, but that of %s is of the tree of size %d",
				list[0].Key.ID, list[0].Checkpoint.Size, h.Key.ID, h.Checkpoint.Size)
		}
	}
	return nil
}

// Numbers returns the records of a trial's registry numbers, whose histories have the
// observations. It returns none if the record is not a trial's.
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

// Organisations returns the records of the organisations concerned with a trial: its holder,
// then those that signed for it or may sign, because their unopened seals may be about it. It
// returns none if the record is not a trial's.
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
		if trial.TrialOf(st) == rec.ID || id == rec.ID { // but not another trial's claim to its number
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

// ErrDisputed says that several trials claim a number. It says nothing against the log.
var ErrDisputed = errors.New("disputed")

// TheTrial returns the trial that a number belongs to, or zero if no trial claims it. It
// returns an error that wraps ErrDisputed if several trials claim the number.
func TheTrial(rec *trial.IdentifierRecord) (trial.Hash, error) {
	if rec.Disputed() {
		var claims []string
		for _, c := range rec.Claims {
			claims = append(claims, fmt.Sprintf("%s as trial %s by entry %d", c.Org, c.Trial, c.Index))
		}
		return trial.Hash{}, fmt.Errorf("%s is %w, claimed by %s: name the trial by its id", rec.ID, ErrDisputed,
			strings.Join(claims, " and by "))
	}
	return rec.Trial(), nil
}

// Formerly says which trials other than the given one have claimed a number, and how that
// ended. They are not the trials that the number stands for.
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
				line += fmt.Sprintf(", which entry %d emptied (%s): that trial has its own history", x.Index, c.Void)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

package dossier

import (
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
)

// EmptiedVersions returns the protocol versions of a scope that were logged by a moment and
// made void later: on that day they were in force as far as anybody could know. A nil timeline
// has none.
func EmptiedVersions(t *timeline.Timeline, scope string, at trial.Time) (list []*timeline.Item) {
	if t == nil {
		return nil
	}
	for _, i := range t.Items {
		p, ok := i.Statement.Predicate.(*trial.Protocol)
		if ok && i.Void != nil && i.Time <= at && (p.Scope == scope || p.Scope == trial.ScopeGlobal) {
			list = append(list, i)
		}
	}
	return list
}

// WhyNotInForce says which protocol version a document is and why it was not in force at a
// moment. It returns "" if the document is not a version of the protocol.
func WhyNotInForce(t *timeline.Timeline, digest trial.Hash, at trial.Time) (why string) {
	if t == nil {
		return ""
	}
	for n, i := range t.Items {
		p, ok := i.Statement.Predicate.(*trial.Protocol)
		if !ok || !slices.ContainsFunc(i.Statement.Subjects, func(s trial.Subject) bool { return s.Digest.SHA256 == digest }) {
			continue
		}
		why = fmt.Sprintf("it is protocol version %s (%s), entry %d, logged %s", i.Value("version"), p.Scope, i.Index, i.Time)
		switch {
		case i.Time > at:
			return why + ", which is later"
		case i.Void != nil:
			return why + fmt.Sprintf(", which entry %d of %s emptied", i.Void.Index, i.Void.Time)
		}
		for _, next := range t.Items[n+1:] {
			q, ok := next.Statement.Predicate.(*trial.Protocol)
			if ok && q.Scope == p.Scope && next.Void == nil && next.Time <= at {
				why += fmt.Sprintf("; version %s, entry %d, superseded it on %s", next.Value("version"), next.Index, next.Time)
				break
			}
		}
	}
	return why
}

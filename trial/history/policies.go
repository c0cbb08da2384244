package history

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A PastPolicy is a policy that a registrar announced by an entry of the log, and the bounds of
// the receipts that it may still verify. An announcement is only a registrar's claim. Without
// these bounds, whoever has a registrar's key could make any receipt valid by announcing
// witnesses of their own.
type PastPolicy struct {
	Announced uint64 // index of the entry
	Verifier  *receipt.Verifier

	last     uint64 // the largest tree size that it applies to
	from, to time.Time
	keys     []trial.LogKeyState
}

// ErrPeriod is wrapped by errors of PastPolicy.Verify which say that a receipt holds under the
// policy but is not of its period.
var ErrPeriod = errors.New("the receipt is not of the period of this policy")

// batchTail is how many entries may come after an announcement in its own tree: the rest of a
// batch of at most 256 entries, and the state entry.
const batchTail = 256

// PastPolicies returns the policies that the log's own history announces, the newest first.
// Each applies to trees from the one with its announcement to the one with the next
// announcement; the last one applies up to the tree of this history. A policy that asks for no
// witness verifies nothing here, because its receipts are only the operator's claim.
func (v *Verdict) PastPolicies() ([]PastPolicy, error) {
	rec, ok := v.Record.(*trial.LogRecord)
	if !ok {
		return nil, fmt.Errorf("it is the history of %s %s, not the log's own", v.Key.Kind, v.Key.ID)
	}
	seen, ok := v.Checkpoint.ProvenTime()
	if !ok || len(v.Entries) == 0 {
		return nil, errors.New("no witness saw this history: what it announces is the operator's word alone")
	}
	begin := v.Entries[0].Time.Std().Add(-checkpoint.MaxSkew) // the time of the genesis
	var list []PastPolicy
	for _, e := range v.Entries {
		if e.Statement == nil {
			continue
		}
		p, ok := e.Statement.Statement.Predicate.(*trial.Policy)
		if !ok {
			continue
		}
		at := e.Time.Std()
		if n := len(list); n > 0 {
			list[n-1].last, list[n-1].to = min(list[n-1].last, e.Index+1+batchTail), at.Add(checkpoint.MaxSkew)
		}
		policy, err := checkpoint.ParsePolicy(p.File())
		if err != nil {
			list = append(list, PastPolicy{Announced: e.Index}) // nothing can be verified by it
			continue
		}
		policy.Logs = slices.DeleteFunc(slices.Clone(policy.Logs), func(k checkpoint.LogKey) bool {
			return !slices.ContainsFunc(rec.Keys, func(x trial.LogKeyState) bool { return x.VKey == k.VKey })
		})
		from := at.Add(-checkpoint.MaxSkew)
		if from.Before(begin) {
			from = begin
		}
		list = append(list, PastPolicy{
			Announced: e.Index, Verifier: receipt.NewVerifier(policy), last: v.Checkpoint.Size,
			from: from, to: seen.Add(checkpoint.MaxSkew), keys: rec.Keys,
		})
	}
	slices.Reverse(list)
	return slices.DeleteFunc(list, func(p PastPolicy) bool { return p.Verifier == nil }), nil
}

// Verify verifies a receipt under a past policy, within its period.
func (p *PastPolicy) Verify(data []byte, docs ...receipt.Document) (*receipt.Verdict, error) {
	v, err := p.Verifier.Verify(data, docs...)
	if err != nil {
		return nil, err
	}
	proven, ok := v.ProvenTime()
	size := v.Checkpoint.Size
	switch {
	case !ok:
		err = errors.New("the policy asks for no witness")
	case size <= p.Announced:
		err = fmt.Errorf("its tree of size %d is older than entry %d, which announced the policy", size, p.Announced)
	case size > p.last:
		err = fmt.Errorf("its tree of size %d is newer than the policy, which applies up to size %d", size, p.last)
	case proven.Before(p.from), proven.After(p.to):
		err = fmt.Errorf("its cosignatures are of %s, but the policy applies from %s to %s",
			trial.Moment(proven), trial.Moment(p.from), trial.Moment(p.to))
	case !p.keyAt(v.Checkpoint.Log.VKey, size):
		err = fmt.Errorf("the log's key that signed it was not one of the log's at size %d", size)
	}
	if err != nil {
		return nil, fmt.Errorf("%w, SHA-256 %s, which entry %d announced: %w", ErrPeriod, v.Policy.Digest(), p.Announced, err)
	}
	return v, nil
}

// keyAt reports whether, by the log's own history, a key signed checkpoints for the log at a
// size.
func (p *PastPolicy) keyAt(vkey string, size uint64) bool {
	return slices.ContainsFunc(p.keys, func(k trial.LogKeyState) bool {
		return k.VKey == vkey && k.Added < size && (k.Retired == 0 || size <= k.Retired+1+batchTail)
	})
}

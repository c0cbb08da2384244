package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// A Verified is a report that was worked out again from its proofs.
type Verified struct {
	*Dossier
	// Lacking is a document that the report's comparison and deadlines also rest on and that
	// was not among the documents, so that these parts were not checked. It is zero if there is
	// none.
	Lacking trial.Hash
}

// errAltered says that a report does not follow from its entries.
var errAltered = errors.New("is not what follows from its entries: it was altered, or made by another version of the program")

// IsReport reports whether data looks like a report for programs.
func IsReport(data []byte) bool {
	var x struct{ Format string }
	return json.Unmarshal(data, &x) == nil && x.Format != ""
}

// VerifyReport checks the proofs in a report for programs under a policy. It also checks that
// everything in the report follows, to the letter, from them and from the documents that it was
// made from. Other documents change nothing. If the proofs hold but the report does not follow
// from them, it returns both the dossier of the proofs and an error. Errors of documents are
// returned as they are; [trial.NewerRules] says that a newer program must judge; any other
// error means that the report is invalid.
func VerifyReport(p *checkpoint.Policy, data []byte, documents Documents) (*Verified, error) {
	said := new(Report)
	if err := json.Unmarshal(data, said); err != nil {
		return nil, fmt.Errorf("it is not a report: %w", err)
	}
	if said.Format != reportFormat || len(said.Proofs) == 0 {
		return nil, fmt.Errorf("its format is not %s, or it has no proofs", reportFormat)
	}
	if slices.Contains(said.Files, trial.Hash{}) {
		return nil, errors.New("the report names a document with no digest")
	}
	h, err := said.histories(p)
	if err != nil {
		return nil, err
	}
	if err := h.whole(said.Asked); err != nil {
		return nil, err
	}
	d, err := New(said.Asked, h, only(documents, said.Files), said.From)
	if err != nil {
		return nil, err
	}
	if !sameJSON(said.Entries, d.entries()) {
		return nil, errors.New("the entries that the report lists are not those in its proofs")
	}
	v := &Verified{Dossier: d}
	now, err := d.Report(p, said.At, []byte(said.Article))
	if err != nil {
		return v, fmt.Errorf("the report: %w", err)
	}
	// The proofs were checked above; they may differ in white space only.
	now.Proofs, now.OrgProofs = said.Proofs, said.OrgProofs
	if i := slices.IndexFunc(said.Files, func(f trial.Hash) bool { return !slices.Contains(d.Files, f) }); i >= 0 {
		v.Lacking = said.Files[i]
		now.Files, now.Study = said.Files, said.Study
		now.Comparison, now.Deadlines, now.Unread = said.Comparison, said.Deadlines, said.Unread
	}
	for _, part := range []struct {
		what      string
		said, now any
	}{{"comparison", said.Comparison, now.Comparison}, {"deadlines", said.Deadlines, now.Deadlines}, {"study", said.Study, now.Study}} {
		if !sameJSON(part.said, part.now) {
			return v, fmt.Errorf("the %s in the report %w", part.what, errAltered)
		}
	}
	again, err := now.Marshal()
	if err != nil {
		return v, err
	}
	var spaced bytes.Buffer
	if json.Indent(&spaced, data, "", " ") != nil || !bytes.Equal(bytes.TrimSpace(spaced.Bytes()), bytes.TrimSpace(again)) {
		return v, fmt.Errorf("the report %w", errAltered)
	}
	return v, nil
}

// histories checks each of a report's proofs.
func (x *Report) histories(p *checkpoint.Policy) (*Histories, error) {
	var list []*History
	for _, proof := range slices.Concat(x.Proofs, x.OrgProofs) {
		h, err := history.Parse(proof)
		if err != nil {
			return nil, err
		}
		if !sameJSON(proof, h) {
			return nil, errors.New("a history in the report has a member twice, or one that no history has: it was altered")
		}
		v, err := h.Verify(p)
		if err != nil {
			return nil, err
		}
		list = append(list, &History{v, h})
	}
	h := &Histories{Numbers: list[:len(x.Proofs)], Orgs: list[len(x.Proofs):]}
	switch kind := list[0].Key.Kind; kind {
	case "trial":
		h.Trial, h.Numbers = list[0], h.Numbers[1:]
	case "identifier":
	default:
		return nil, fmt.Errorf("the report's first history is of kind %s, not of a trial or a number", kind)
	}
	if h.Main().Record == nil {
		return nil, errors.New("the report's first history is about something that was never logged")
	}
	return h, nil
}

// whole returns an error if the histories are not exactly those of a report on the trial. They
// are of one tree, the trial's first, then those of its numbers, then those of the
// organisations concerned with it.
func (h *Histories) whole(asked string) error {
	first := h.Main()
	if rec, ok := first.Record.(*trial.IdentifierRecord); ok {
		if id, err := TheTrial(rec); err != nil || !id.IsZero() {
			return fmt.Errorf("the report has no history of trial %s, which claims %s", id, rec.ID)
		}
	}
	asks := func(id string) bool {
		typed := strings.TrimPrefix(asked, OwnPrefix)
		number, err := trial.ParseIdentifier(typed)
		return typed == id || err == nil && number == id
	}
	rec, ok := first.Record.(*trial.TrialRecord)
	short := ok && (asked == rec.Number || rec.ID.Named(asked))
	if !short && !asks(first.Key.ID) && (!ok || !slices.ContainsFunc(rec.Identifiers, asks)) {
		return fmt.Errorf("the report says that it was asked for %.60q, but its histories are not about that", asked)
	}
	all := h.All()
	keys := slices.Concat([]trial.RecordKey{first.Key}, Numbers(first.Verdict), Organisations(first.Verdict))
	for i, key := range keys {
		if i >= len(all) || all[i].Key != key {
			return fmt.Errorf("the report has no history of %s %s, which is concerned with the trial", key.Kind, key.ID)
		}
	}
	if len(all) > len(keys) {
		return fmt.Errorf("the report has a history of %s %s, which has nothing to do with the trial",
			all[len(keys)].Key.Kind, all[len(keys)].Key.ID)
	}
	return SameTree(all)
}

// only returns the documents with the digests given.
func only(documents Documents, digests []trial.Hash) Documents {
	if documents == nil {
		return nil
	}
	return func(yield func([]byte, error) bool) {
		for record, err := range documents {
			if (err != nil || slices.Contains(digests, sha256.Sum256(record))) && !yield(record, err) {
				return
			}
		}
	}
}

// sameJSON reports whether two values have the same JSON; white space in raw JSON is ignored.
func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

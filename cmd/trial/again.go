package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

// already returns the verdict on the receipt that lies where the draft's receipt would be
// written, if that receipt is valid and for the same statement: of the same kind, with the
// same members, by the same key, about the same files, and equally private. It returns nil
// otherwise.
func (d *draft) already(p *checkpoint.Policy, st *trial.Statement) *receipt.Verdict {
	if len(d.Digests) == 0 {
		return nil
	}
	data, err := readReceipt(d.Receipts[0])
	if err != nil {
		return nil
	}
	var docs []receipt.Document
	for i, digest := range d.Digests {
		if there, err := os.ReadFile(d.Receipts[i]); err != nil || string(there) != string(data) {
			return nil
		}
		docs = append(docs, receipt.Document{Name: d.Receipts[i], Digest: digest})
	}
	v, err := receipt.Verify(p, data, docs...)
	if err != nil || len(v.Missing) > 0 || v.Entry.Signer.Key.ID() != d.Key.ID() {
		return nil
	}
	logged := v.Entry.Statement.Statement
	if len(logged.Subjects) != len(st.Subjects) {
		return nil
	}
	for i, s := range st.Subjects {
		was := logged.Subjects[i]
		if s.Name != was.Name || s.Digest.SHA256 != was.Digest.SHA256 { // a private file has none
			return nil
		}
	}
	before, err1 := said(logged)
	now, err2 := said(st)
	if errors.Join(err1, err2) != nil || !reflect.DeepEqual(before, now) {
		return nil
	}
	return v
}

// said returns the members of a statement without those that differ each time it is made.
func said(st *trial.Statement) (map[string]any, error) {
	payload, err := st.Marshal()
	if err != nil {
		return nil, err
	}
	var s struct {
		PredicateType string         `json:"predicateType"`
		Predicate     map[string]any `json:"predicate"`
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, err
	}
	delete(s.Predicate, "signedAt")
	delete(s.Predicate, "printedName")
	s.Predicate[""] = s.PredicateType
	return s.Predicate, nil
}

// loggedText says what was logged, where, and by when witnesses had seen it.
func loggedText(v *receipt.Verdict) string {
	seen := "no witness is asked for"
	if t, ok := v.ProvenTime(); ok {
		seen = fmt.Sprintf("seen by witnesses no later than %s UTC", t.UTC().Format(time.DateTime))
	}
	return fmt.Sprintf("entry %d: %s, %s", v.Index, trial.Describe(v.Entry.Statement.Statement), seen)
}

// receiptsText names receipts.
func receiptsText(names []string) string {
	if len(names) == 1 {
		return "the receipt is " + names[0]
	}
	return "the receipts are " + strings.Join(names, ", ")
}

// Package history has everything that was logged about one trial, identifier, organisation or
// key, with the proof that nothing is left out, or the proof that nothing was logged. A history
// is one JSON file that is checked offline.
//
// The proof rests on this: the state entry that ends the published tree has the root of the
// Merkle map; the map has the digest of the subject's record; the record commits to every entry
// about the subject, in order. The log's operator writes the state entry. Replaying witnesses
// cosign only trees whose state entries follow from the entries. If they satisfy the quorum,
// completeness is proven. Otherwise it is the operator's signed claim, and the verdict says so.
//
// The package is pure: it compiles to js/wasm.
package history

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/smap"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A History is a subject's entries with their proofs, as a file.
type History struct {
	Kind       string  `json:"kind"` // of record, see trial.RecordKinds
	ID         string  `json:"id"`
	Checkpoint string  `json:"checkpoint"`
	State      Entry   `json:"state"`            // the state entry that ends the tree
	Map        Map     `json:"map"`              // the proof of the record under the state entry
	Record     string  `json:"record,omitempty"` // canonical JSON; empty if nothing was logged
	Entries    []Entry `json:"entries"`          // all entries about the subject, in order
}

// An Entry is a leaf with its RFC 6962 inclusion proof.
type Entry struct {
	Index uint64   `json:"index,string"`
	Entry string   `json:"entry"`
	Path  []string `json:"path"` // base64
}

// A Map is a smap.Proof in JSON.
type Map struct {
	Siblings []string `json:"siblings"`      // base64, from the root's child down
	Key      string   `json:"key,omitempty"` // of the leaf where the path ends; base64
	Value    string   `json:"value,omitempty"`
}

// A Verdict is what a history proves. Verify returns one only if everything holds.
type Verdict struct {
	Key        trial.RecordKey
	Checkpoint *checkpoint.Checkpoint
	Record     trial.Record // nil: nothing was logged
	Entries    []trial.Located
	// Replayed says that replaying witnesses alone satisfy the quorum, so it is proven that
	// nothing is left out. Otherwise that is the operator's claim.
	Replayed bool
}

// Timeline reads the history of a trial, or of a consent, request, recipient or unit, as of an earlier
// size, or all of it if size is 0. It returns nil for the history of anything else.
func (v *Verdict) Timeline(size uint64) *timeline.Timeline {
	read := timeline.OfRecord
	switch v.Key.Kind {
	case "trial":
		id, err := trial.ParseHash(v.Key.ID)
		if err != nil {
			return nil
		}
		read = func(entries []trial.Located) *timeline.Timeline { return timeline.New(id, entries) }
	case "consent", "request", "recipient", "unit":
	default:
		return nil
	}
	entries := v.Entries
	for i, e := range entries {
		if size > 0 && e.Index >= size {
			entries = entries[:i]
			break
		}
	}
	return read(entries)
}

// ErrHistory is wrapped by every error of Verify except a *trial.NewerRules.
var ErrHistory = errors.New("history does not hold")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrHistory, fmt.Sprintf(format, args...))
}

// Parse parses a history file.
func Parse(data []byte) (*History, error) {
	h := new(History)
	if err := json.Unmarshal(data, h); err != nil {
		return nil, wrong("not a history: %v", err)
	}
	return h, nil
}

// MaxPage is how many entries one page of a history may have.
const MaxPage = 5000

// ParsePage parses a page of a history as a server gives it. It counts the entries before it
// reads them, because a server may send millions of empty ones.
func ParsePage(data []byte) (*History, error) {
	var page struct {
		History
		Entries json.RawMessage `json:"entries"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, wrong("not a history: %v", err)
	}
	h := page.History
	if len(page.Entries) == 0 {
		return &h, nil
	}
	dec := json.NewDecoder(bytes.NewReader(page.Entries))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		if t == nil && err == nil {
			return &h, nil // null
		}
		return nil, wrong("not a history: its entries are not a list")
	}
	for dec.More() {
		var e Entry
		if len(h.Entries) == MaxPage {
			return nil, wrong("a page has more than %d entries", MaxPage)
		}
		if err := dec.Decode(&e); err != nil {
			return nil, wrong("not a history: %v", err)
		}
		h.Entries = append(h.Entries, e)
	}
	return &h, nil
}

// Verify checks a whole history under a policy.
func (h *History) Verify(p *checkpoint.Policy) (*Verdict, error) {
	r, err := NewReader(p, h)
	if err != nil {
		return nil, err
	}
	return r.Verdict()
}

// A Reader checks a history page by page. Of the entries it keeps only the compact range and
// what the verdict needs. It returns no verdict before all entries are there.
type Reader struct {
	v    *Verdict
	got  trial.Entries
	next uint64 // one more than the index of the last entry
}

// NewReader checks the first page of a history, except for the entries on the other pages.
func NewReader(p *checkpoint.Policy, h *History) (*Reader, error) {
	cp, err := p.Open([]byte(h.Checkpoint))
	if err != nil {
		return nil, wrong("%v", err)
	}
	if !cp.Quorum() {
		return nil, wrong("the checkpoint lacks the quorum of %s", p.QuorumText())
	}
	if h.State.Index+1 != cp.Size {
		return nil, wrong("the state entry is at index %d, not at the end of the tree of size %d", h.State.Index, cp.Size)
	}
	end, err := h.State.verify(cp.Tree)
	if err != nil {
		return nil, wrong("state entry: %v", err)
	}
	if end.State == nil || end.State.Size != h.State.Index {
		return nil, wrong("the tree does not end with a state entry")
	}
	if end.State.Rules > trial.RuleSet {
		return nil, &trial.NewerRules{From: cp.Size, Set: end.State.Rules}
	}
	v := &Verdict{Key: trial.RecordKey{Kind: h.Kind, ID: h.ID}, Checkpoint: cp, Replayed: cp.ReplayQuorum()}
	if err := v.Key.Check(); err != nil { // the absence of a key that no record can have would prove nothing
		return nil, wrong("%v", err)
	}
	if h.Kind == "log" && h.ID != cp.Origin {
		return nil, wrong("it is of the log %.80q, but the checkpoint is of %q", h.ID, cp.Origin)
	}
	if v.Record, err = h.record(v.Key, end.State); err != nil {
		return nil, err
	}
	r := &Reader{v: v}
	if v.Record == nil {
		if len(h.Entries) > 0 {
			return nil, wrong("it shows entries (%d) although the map has no record of the subject: they are invented", len(h.Entries))
		}
		return r, nil
	}
	return r, r.Add(h.Entries)
}

// More returns the tree's size and the index from which on entries are missing; more is false
// if none are missing.
func (r *Reader) More() (size, from uint64, more bool) {
	return r.v.Checkpoint.Size, r.next, r.v.Record != nil && r.got.Count < r.v.Record.EntryTree().Count
}

// Add checks the entries of a further page.
func (r *Reader) Add(entries []Entry) error {
	v, want := r.v, r.v.Record.EntryTree().Count
	for _, e := range entries {
		if e.Index < r.next {
			return wrong("entry %d comes after entry %d: the order was changed", e.Index, r.next-1)
		}
		if r.got.Count == want {
			return wrong("%s logged about %s %s, but more are shown: some are about something else",
				trial.Count(want, "entry was", "entries were"), v.Key.Kind, v.Key.ID)
		}
		parsed, err := e.verify(v.Checkpoint.Tree)
		if err != nil {
			return wrong("entry %d: %v", e.Index, err)
		}
		r.got.Add(e.Index, parsed.LeafHash())
		r.next = e.Index + 1
		v.Entries = append(v.Entries, trial.Located{Index: e.Index, Entry: parsed})
	}
	return nil
}

// Verdict returns what the history proves, after its last entry was added.
func (r *Reader) Verdict() (*Verdict, error) {
	if r.v.Record == nil {
		return r.v, nil
	}
	want := r.v.Record.EntryTree()
	switch {
	case r.got.Count < want.Count:
		return nil, wrong("%s logged about %s %s, but only %s shown: some are withheld",
			trial.Count(want.Count, "entry was", "entries were"), r.v.Key.Kind, r.v.Key.ID, trial.Count(r.got.Count, "is", "are"))
	case r.got.Root() != want.Root():
		return nil, wrong("the number of entries shown about %s %s is right, but they are not the same as those logged: "+
			"one is withheld and another put in its place", r.v.Key.Kind, r.v.Key.ID)
	}
	return r.v, nil
}

// record checks the map proof and returns the record, or nil if it is absent.
func (h *History) record(key trial.RecordKey, state *trial.StateEntry) (trial.Record, error) {
	proof, err := h.Map.Proof()
	if err != nil {
		return nil, wrong("map proof: %v", err)
	}
	value, present, err := proof.Verify(smap.Hash(state.Map.Root), key.Hash())
	if err != nil {
		return nil, wrong("%v", err)
	}
	if !present {
		if h.Record != "" {
			return nil, wrong("it shows a record of %s %s, which the map does not have", key.Kind, key.ID)
		}
		return nil, nil
	}
	if h.Record == "" {
		return nil, wrong("the map has a record of %s %s, but it is withheld", key.Kind, key.ID)
	}
	if trial.RecordValue([]byte(h.Record)) != trial.Hash(value) {
		return nil, wrong("the record shown is not the one in the map")
	}
	r, err := trial.ParseRecord(key.Kind, []byte(h.Record))
	if err != nil {
		return nil, wrong("%v", err)
	}
	if r.RecordKey() != key {
		return nil, wrong("the record is about another subject")
	}
	return r, nil
}

func (e Entry) verify(tree checkpoint.Tree) (*trial.Entry, error) {
	path, err := Hashes(e.Path)
	if err != nil {
		return nil, err
	}
	parsed, err := trial.ParseEntry([]byte(e.Entry))
	if err != nil {
		return nil, err
	}
	if err := tree.CheckInclusion(e.Index, parsed.LeafHash(), path); err != nil {
		return nil, fmt.Errorf("inclusion proof: %w", err)
	}
	return parsed, parsed.Verify()
}

// Proof parses the proof from its JSON form.
func (m Map) Proof() (smap.Proof, error) {
	siblings, err := Hashes(m.Siblings)
	if err != nil || m.Key == "" && m.Value == "" {
		return smap.Proof{Siblings: siblings}, err
	}
	leaf, err := Hashes([]string{m.Key, m.Value})
	if err != nil {
		return smap.Proof{}, err
	}
	return smap.Proof{Siblings: siblings, At: &smap.Leaf{Key: leaf[0], Value: leaf[1]}}, nil
}

// NewMap returns the JSON form of a proof.
func NewMap(p smap.Proof) Map {
	m := Map{Siblings: Strings(p.Siblings)}
	if p.At != nil {
		m.Key, m.Value = encode(p.At.Key), encode(p.At.Value)
	}
	return m
}

// Strings returns hashes in base64.
func Strings(list [][32]byte) []string {
	out := make([]string, len(list))
	for i, h := range list {
		out[i] = encode(h)
	}
	return out
}

func encode(h [32]byte) string { return base64.StdEncoding.EncodeToString(h[:]) }

// Hashes parses what Strings returns.
func Hashes(list []string) ([][32]byte, error) {
	out := make([][32]byte, len(list))
	for i, s := range list {
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != 32 || len(s) != 44 {
			return nil, fmt.Errorf("%.60q is not a hash in base64", s)
		}
		out[i] = [32]byte(b)
	}
	return out, nil
}

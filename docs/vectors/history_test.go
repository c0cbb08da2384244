package vectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// historyFacts are what a history that holds leads to.
type historyFacts struct {
	Origin     string   `json:"origin"`
	Size       uint64   `json:"size"`
	Kind       string   `json:"kind"`
	ID         string   `json:"id"`
	Complete   string   `json:"complete"` // proven, or stated by the operator
	ProvenTime string   `json:"provenTime"`
	Entries    []uint64 `json:"entries"` // the indexes
}

const (
	proven = "proven"
	stated = "stated by the operator"
)

func (v *vectors) history(name, shows, policy string, data []byte) *vector {
	c := &vector{Name: "history/" + name, Shows: shows, Kind: "history", Policy: v.policy(policy),
		History: v.file("histories", name+".json", data)}
	v.add(c)
	return c
}

// marshal returns a history as trial history -json prints it.
func (v *vectors) marshal(h *history.History) []byte {
	data, err := json.Marshal(h)
	if err != nil {
		v.t.Fatal(err)
	}
	return append(data, '\n')
}

func (v *vectors) histories() {
	l := newSmallLog(v.t)
	l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: l.trial, Version: "late"}, subjects("document", "sap.txt"))
	l.Close()
	ofTrial := trial.RecordKey{Kind: "trial", ID: l.trial.String()}
	good := func(name, shows string, key trial.RecordKey, cosigners []note.Signer, complete string) {
		h := l.History(key, cosigners...)
		if key.Kind == "key" {
			h.Entries = l.signedBy(key.ID, "org")
		}
		f := historyFacts{Origin: trialtest.Origin, Size: l.Size(), Kind: key.Kind, ID: key.ID, Complete: complete,
			ProvenTime: "2027-01-15T08:00:40Z", Entries: []uint64{}}
		for _, e := range h.Entries {
			f.Entries = append(f.Entries, e.Index)
		}
		c := v.history(name, shows, "replaying", v.marshal(h))
		c.Verdict, c.Facts = valid, f
	}
	replaying, plain := []note.Signer{w1, w4}, []note.Signer{w2, w4}
	good("trial", "the history of a trial; replaying witnesses satisfy the quorum", ofTrial, replaying, proven)
	good("trial-stated", "the same; they do not: that it is complete is the operator's word", ofTrial, plain, stated)
	good("number", "the history of a registry's number", trial.RecordKey{Kind: "identifier", ID: "nct:NCT01234567"}, replaying, proven)
	good("absent-number", "nothing was logged about a registry's number", trial.RecordKey{Kind: "identifier", ID: "nct:NCT07654321"},
		replaying, proven)
	good("absent-trial", "nothing was logged about a trial", trial.RecordKey{Kind: "trial", ID: strings.Repeat("ab", 32)}, plain, stated)
	good("organisation", "the history of an organisation", trial.RecordKey{Kind: "org", ID: "acme"}, replaying, proven)
	good("key", "the history of a key", trial.RecordKey{Kind: "key", ID: trialtest.Public("ada").ID().String()}, replaying, proven)
	good("log", "the log's own history", trial.RecordKey{Kind: "log", ID: trialtest.Origin}, replaying, proven)

	whole := l.History(ofTrial, replaying...)
	bad := func(name, shows string, change func(*history.History)) {
		h := *whole
		h.Entries = slices.Clone(h.Entries)
		change(&h)
		v.history(name, shows, "replaying", v.marshal(&h)).Verdict = invalid
	}
	entry := func(i uint64) history.Entry {
		return history.Entry{Index: i, Entry: string(l.Leaves[i]), Path: history.Strings(l.Path(i, l.Size()))}
	}
	bad("entry-left-out", "an entry is left out", func(h *history.History) { h.Entries = slices.Delete(h.Entries, 2, 3) })
	bad("last-entry-left-out", "the last entry is left out", func(h *history.History) { h.Entries = h.Entries[:len(h.Entries)-1] })
	bad("all-entries-left-out", "all entries are left out", func(h *history.History) { h.Entries = nil })
	bad("entry-of-another", "an entry about something else, which is in the tree, stands among them", func(h *history.History) {
		h.Entries = slices.Insert(h.Entries, 0, entry(l.named["org"]))
	})
	bad("entry-replaced", "an entry about something else stands in the place of one", func(h *history.History) {
		h.Entries[0] = entry(l.named["key"])
	})
	bad("entry-invented", "an entry that is not in the tree stands behind the others", func(h *history.History) {
		e := h.Entries[len(h.Entries)-1]
		e.Index++
		h.Entries = append(h.Entries, e)
	})
	bad("entry-altered", "the version in an entry is altered", func(h *history.History) {
		e := &h.Entries[1]
		e.Entry = string(repay(v.t, []byte(e.Entry), func(p []byte) []byte { return alter(v.t, p, `"version":"1.0"`, `"version":"1.1"`) }))
	})
	bad("entry-twice", "an entry is there twice", func(h *history.History) { h.Entries = slices.Insert(h.Entries, 1, h.Entries[0]) })
	bad("order", "two entries are swapped", func(h *history.History) { h.Entries[1], h.Entries[2] = h.Entries[2], h.Entries[1] })
	bad("index-altered", "the index of an entry is altered", func(h *history.History) { h.Entries[1].Index++ })
	bad("path-altered", "a hash of an entry's inclusion proof is another's", func(h *history.History) {
		h.Entries[1].Path = slices.Clone(h.Entries[1].Path)
		h.Entries[1].Path[0] = h.Entries[2].Path[0]
	})
	bad("record-altered", "the holder in the record is altered", func(h *history.History) {
		h.Record = strings.Replace(h.Record, `"holder":"acme"`, `"holder":"beta"`, 1)
	})
	bad("record-left-out", "the record is left out", func(h *history.History) { h.Record, h.Entries = "", nil })
	bad("record-of-another", "record, proof and entries are those of another record", func(h *history.History) {
		o := l.History(trial.RecordKey{Kind: "org", ID: "acme"}, replaying...)
		h.Record, h.Map, h.Entries = o.Record, o.Map, o.Entries
	})
	bad("record-invented", "a record and entries are shown of what the map has nothing of", func(h *history.History) {
		h.ID = strings.Repeat("ab", 32)
		h.Map = l.History(trial.RecordKey{Kind: "trial", ID: h.ID}, replaying...).Map
	})
	bad("absence-claimed", "the proof that another number is absent is shown for this one", func(h *history.History) {
		o := l.History(trial.RecordKey{Kind: "identifier", ID: "nct:NCT07654321"}, replaying...)
		o.ID = "nct:NCT01234567"
		*h = *o
	})
	bad("absence-cut", "the proof of the map is cut, so that it would seem to end in nothing", func(h *history.History) {
		h.Map.Siblings, h.Map.Key, h.Map.Value, h.Record, h.Entries = h.Map.Siblings[:1], "", "", "", nil
	})
	bad("number-not-canonical", "the absence of a number that is not in its canonical form, which says nothing", func(h *history.History) {
		*h = *l.History(trial.RecordKey{Kind: "identifier", ID: "nct:nct01234567"}, replaying...)
	})
	bad("kind-unknown", "the absence of a record of a kind that there is not", func(h *history.History) {
		*h = *l.History(trial.RecordKey{Kind: "trials", ID: strings.Repeat("ab", 32)}, replaying...)
	})
	bad("sibling-altered", "a hash of the proof of the map is altered", func(h *history.History) {
		h.Map.Siblings = slices.Clone(h.Map.Siblings)
		h.Map.Siblings[0] = history.Strings([][32]byte{{1}})[0]
	})
	bad("state-of-before", "the state entry is an earlier one", func(h *history.History) { h.State = entry(1) })
	bad("state-not", "the tree ends with a statement", func(h *history.History) {
		size := l.Size() - 1
		h.Checkpoint = string(l.signed(l.Tree(size), replaying...))
		h.State = history.Entry{Index: size - 1, Entry: string(l.Leaves[size-1]), Path: history.Strings(l.Path(size-1, size))}
	})
	bad("size", "the checkpoint is of a smaller tree than the state entry ends", func(h *history.History) {
		h.Checkpoint = string(l.signed(l.Tree(l.Size()-1), replaying...))
	})
	bad("quorum", "one cosignature where two are needed", func(h *history.History) {
		h.Checkpoint = string(l.signed(l.Tree(l.Size()), w1))
	})
	bad("cosignature-altered", "one character of a cosignature is altered", func(h *history.History) {
		sig := cosignature(h.Checkpoint, w4.Key)
		h.Checkpoint = string(alter(v.t, []byte(h.Checkpoint), sig, sig[:40]+flip(sig[40:41])+sig[41:]))
	})
	v.history("other-policy", "a policy with the key of another log", "another-log", v.marshal(whole)).Verdict = invalid

	// The file.
	data := v.marshal(whole)
	file := func(name, shows string, data []byte) { v.history(name, shows, "replaying", data).Verdict = invalid }
	file("member-twice", "a member is there twice: programs may read another one", alter(v.t, data, `{"kind":"trial"`,
		`{"kind":"org","kind":"trial"`))
	file("unknown-member", "a member that no history has", alter(v.t, data, `{"kind":`, `{"note":"checked","kind":`))
	file("capital-member", "a member whose name begins with a capital letter", alter(v.t, data, `{"kind":`, `{"Kind":`))
	file("cut", "the file is cut short", data[:len(data)/2])
	file("behind", "a second object behind the first", append(bytes.Clone(data), "{}\n"...))
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, data, "", "\t"); err != nil {
		v.t.Fatal(err)
	}
	c := v.history("white-space", "white space between the members is free", "replaying", spaced.Bytes())
	c.Verdict, c.Facts = valid, v.cases[slices.IndexFunc(v.cases, func(c *vector) bool { return c.Name == "history/trial" })].Facts

	// A rule set that a verifier does not know.
	newer := l.with(nil)
	newer.Truncate(l.Size() - 1)
	newer.Append(alter(v.t, l.Leaves[l.Size()-1], `"rules":1`, `"rules":2`))
	h := *whole
	h.State = history.Entry{Index: l.Size() - 1, Entry: string(newer.Leaves[l.Size()-1]),
		Path: history.Strings(newer.Path(l.Size()-1, l.Size()))}
	h.Checkpoint = string(l.signed(newer.Tree(l.Size()), replaying...))
	v.history("newer-rules", "the tree ends under a rule set that no verifier of today knows", "replaying", v.marshal(&h)).Verdict = unknown
}

// signedBy returns the entries about a key: one that enrolled it, and all that it signed.
func (l *smallLog) signedBy(keyID, enrolled string) (entries []history.Entry) {
	for i, raw := range l.Leaves {
		e, err := trial.ParseEntry(raw)
		if err != nil {
			l.t.Fatal(err)
		}
		if uint64(i) == l.named[enrolled] || e.Statement != nil && e.Signer.Key.ID().String() == keyID {
			entries = append(entries, history.Entry{Index: uint64(i), Entry: string(raw), Path: history.Strings(l.Path(uint64(i), l.Size()))})
		}
	}
	return entries
}

// flip returns another character of base64.
func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// cosignature returns the base64 of the signature by a name in a signed note.
func cosignature(signed, name string) string {
	_, after, ok := strings.Cut(signed, fmt.Sprintf("— %s ", name))
	if !ok {
		panic(name + " did not sign")
	}
	sig, _, _ := strings.Cut(after, "\n")
	return sig
}

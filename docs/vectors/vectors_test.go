// Package vectors makes and checks the test vectors in this folder: receipts, histories and
// evidence, good and bad, each with the verdict that it must have. They are for whoever writes
// another verifier. The README beside this file says what each file is.
//
// What is expected of a case is written by hand where the case is made. The package then asks
// this repository's own verifiers, and the second one in verify.py, for their verdicts.
package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

var update = flag.Bool("update", false, "write the test vectors anew")

// The verdicts.
const (
	valid   = "valid"
	invalid = "invalid"
	unknown = "cannot be checked"
)

// A vector is one case of the index.
type vector struct {
	Name      string   `json:"name"`
	Shows     string   `json:"shows"`
	Kind      string   `json:"kind"` // receipt, history or evidence
	Policy    string   `json:"policy"`
	Receipt   string   `json:"receipt,omitempty"`
	History   string   `json:"history,omitempty"`
	Evidence  string   `json:"evidence,omitempty"`
	Documents []string `json:"documents,omitempty"`
	Verdict   string   `json:"verdict"`
	Part      string   `json:"part,omitempty"`  // of an invalid receipt
	Facts     any      `json:"facts,omitempty"` // of what is valid: facts, historyFacts or evidenceFacts
}

// facts are what a valid receipt leads to.
type facts struct {
	Index        uint64     `json:"index"`
	Origin       string     `json:"origin"`
	Size         uint64     `json:"size"`
	Kind         string     `json:"kind"`
	ID           trial.Hash `json:"id"`
	ProvenTime   string     `json:"provenTime"` // "" if there is none
	Saw          int        `json:"saw"`        // witnesses of the policy that cosigned; 0 if it asks for none
	Replayed     int        `json:"replayed"`   // those of them that say that they replay
	ReplayQuorum bool       `json:"replayQuorum"`
	Ignored      int        `json:"ignored"` // signatures by keys that the policy does not name
	ClockAhead   bool       `json:"clockAhead"`
	Name         string     `json:"name"`     // the signer's printed name, "" if it is not opened
	Subjects     []string   `json:"subjects"` // of the documents, in their order
	Missing      []string   `json:"missing"`  // subjects without a document
}

// vectors collects the cases and their files.
type vectors struct {
	t     *testing.T
	cases []*vector
	files map[string][]byte // by path in this folder
	first map[string]string // by contents: the first file that has them
}

// folders are those that the vectors' files are in.
var folders = []string{"policies", "documents", "receipts", "histories", "evidence"}

// file adds a file, or finds the one with the same contents in the same folder, and returns its
// path.
func (v *vectors) file(folder, name string, data []byte) string {
	key := folder + "\x00" + string(data)
	if at, ok := v.first[key]; ok {
		return at
	}
	at := path.Join(folder, name)
	if _, ok := v.files[at]; ok {
		v.t.Fatalf("two files are named %s", at)
	}
	v.files[at], v.first[key] = data, at
	return at
}

func (v *vectors) add(c *vector) {
	for _, o := range v.cases {
		if o.Name == c.Name {
			v.t.Fatalf("two cases are named %s", c.Name)
		}
	}
	v.cases = append(v.cases, c)
}

// index returns vectors.json.
func (v *vectors) index() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"cases": v.cases}); err != nil {
		v.t.Fatal(err)
	}
	return b.Bytes()
}

// TestVectors makes all test vectors anew. With -update it writes them; without, each file must
// be what it was, and no other file may be there.
func TestVectors(t *testing.T) {
	v := &vectors{t: t, files: map[string][]byte{}, first: map[string]string{}}
	v.receipts()
	v.histories()
	v.evidence()
	v.files["vectors.json"] = v.index()
	if *update {
		for _, f := range folders {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
		for name, data := range v.files {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, data := range v.files {
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is not what the test makes (%v): look at what go test ./docs/vectors -update changes", name, err)
		}
	}
	for _, f := range folders {
		err := filepath.WalkDir(f, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if _, ok := v.files[filepath.ToSlash(name)]; !ok {
					t.Errorf("%s belongs to no case", name)
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	v.count()
}

// count checks that there are enough cases of each kind and verdict, and that every part of a
// receipt is the reason of some.
func (v *vectors) count() {
	n := map[string]int{}
	for _, c := range v.cases {
		n[c.Kind]++
		n[c.Kind+" "+c.Verdict]++
		n["part "+c.Part]++
		if c.Shows == "" || strings.HasSuffix(c.Shows, ".") {
			v.t.Errorf("%s does not say what it shows", c.Name)
		}
	}
	for what, least := range map[string]int{
		"receipt": 40, "receipt valid": 15, "receipt cannot be checked": 3, "history": 10, "history valid": 3, "history invalid": 5,
		"evidence": 6, "evidence valid": 3, "evidence invalid": 3,
		"receipt invalid": 25, "part file": 1, "part receipt": 1, "part entry": 1, "part openings": 1, "part inclusion proof": 1,
		"part checkpoint": 1, "part quorum": 1,
	} {
		if n[what] < least {
			v.t.Errorf("%d cases of %s, want %d at least", n[what], what, least)
		}
	}
	v.t.Log(n)
}

//go:build !wasm

package receipt_test

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

var update = flag.Bool("update", false, "write the worked example of docs/spec.md anew")

const specFile = "../../docs/spec.md"

// TestExample compares the worked example of docs/spec.md with what the code makes of the same
// keys and statements, byte by byte.
func TestExample(t *testing.T) {
	x := newExample(t)
	x.seed()
	want := x.text()
	data, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), "## 18 Worked example")
	got, after, ok2 := strings.Cut("## 18 Worked example"+rest, "\n## 19 ")
	if !ok || !ok2 {
		t.Fatal("docs/spec.md has no section 18 or no section 19")
	}
	if *update {
		// Section 6 shows the state entry that ends the example's log.
		before = regexp.MustCompile(`(?m)^{"map":.*"size":4,.*$`).ReplaceAllLiteralString(before, string(x.log.Leaves[4]))
		if err := os.WriteFile(specFile, []byte(before+want+"\n## 19 "+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got != want {
		t.Error("section 18 is not what the code makes; look at what go test ./trial/receipt -run TestExample -update changes")
	}
}

// TestSpec reads the worked example from docs/spec.md as a stranger would, and checks it by
// hand: every entry replays and every hash comes out.
func TestSpec(t *testing.T) {
	text, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	var policyText, proof, mapProof string
	entries := map[uint64]string{}
	records := map[trial.RecordKey]string{}
	for _, m := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		block := m[1]
		line, rest, _ := strings.Cut(block, "\n")
		switch {
		case strings.HasPrefix(block, "log log.example"):
			policyText = block
		case strings.HasPrefix(block, "c2sp.org/tlog-proof@v1\nextra eyJ"):
			proof = block
		case strings.HasPrefix(block, `"map":{`):
			mapProof = "{" + block + "}"
		case strings.HasPrefix(rest, "key   "):
			var key trial.RecordKey
			if err := json.Unmarshal([]byte(line), &key); err != nil {
				t.Fatal(err)
			}
			if want := "key   " + trial.Hash(key.Hash()).String() + "\nvalue " + trial.RecordValue([]byte(line)).String() +
				"\n"; !strings.HasPrefix(rest, want) {
				t.Errorf("the record of %v leads to\n%s, printed is\n%s", key, want, rest)
			}
			records[key] = line
		case strings.HasPrefix(block, `{"limits"`):
			entries[0] = line
		case strings.HasPrefix(block, `{"map"`):
			e, err := trial.ParseEntry([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			entries[e.State.Size] = line
		case strings.HasPrefix(block, `{"envelope"`):
			e, err := trial.ParseEntry([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			entries[map[string]uint64{"org": 2, "registration": 3}[e.Statement.Statement.Predicate.Kind()]] = line
		}
	}
	if len(entries) != 5 || len(records) != 6 {
		t.Fatalf("%d entries and %d records were found, want 5 and 6", len(entries), len(records))
	}
	state := new(trial.State)
	for i := range uint64(5) {
		e, err := trial.ParseEntry([]byte(entries[i]))
		if err == nil {
			err = e.Verify()
		}
		if err == nil {
			err = state.Apply(e)
		}
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		if !strings.Contains(string(text), e.LeafHash().String()) {
			t.Errorf("the leaf hash %s of entry %d is not printed", e.LeafHash(), i)
		}
	}
	p, err := checkpoint.ParsePolicy([]byte(policyText))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), p.Digest()) {
		t.Errorf("the policy's digest %s is not printed", p.Digest())
	}
	v, err := receipt.Verify(p, []byte(proof), receipt.Document{Name: "f", Digest: sha256.Sum256([]byte("the synopsis\n"))})
	if err != nil || v.Index != 3 {
		t.Fatalf("the receipt: %v", err)
	}
	r, err := receipt.Parse([]byte(proof))
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Parse([]byte(mapProof))
	if err != nil {
		t.Fatal(err)
	}
	key := trial.RecordKey{Kind: "trial", ID: v.Entry.Statement.ID.String()}
	proofOfMap, err := h.Map.Proof()
	if err != nil {
		t.Fatal(err)
	}
	value, present, err := proofOfMap.Verify(state.Map().Root(), key.Hash())
	if err != nil || !present || trial.Hash(value) != trial.RecordValue([]byte(records[key])) {
		t.Fatalf("the map proof: %v, present %v", err, present)
	}
	if string(r.Entry) != entries[3] {
		t.Error("the receipt is not for the registration shown")
	}
}

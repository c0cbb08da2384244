package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A testVector is a case of docs/vectors/vectors.json.
type testVector struct {
	Name, Kind, Policy, Receipt, History, Evidence, Verdict, Part string
	Documents                                                     []string
	Facts                                                         map[string]any
}

// TestVectors: trial verify -json, verify-history and evidence -json judge every published test
// vector as docs/vectors/vectors.json says.
func TestVectors(t *testing.T) {
	t.Parallel()
	const dir = "../../docs/vectors"
	data, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Cases []testVector }
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range index.Cases {
		t.Run(c.Name, func(t *testing.T) {
			args := map[string][]string{
				"receipt":  {"verify", "-json", "-proof", filepath.Join(dir, c.Receipt)},
				"history":  {"verify-history"},
				"evidence": {"evidence", "-json"},
			}[c.Kind]
			args = append(args, "-policy", filepath.Join(dir, c.Policy))
			if file := cmp.Or(c.History, c.Evidence); file != "" {
				args = append(args, filepath.Join(dir, file))
			}
			for _, d := range c.Documents {
				args = append(args, filepath.Join(dir, d))
			}
			var stdout, stderr bytes.Buffer
			status := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr)
			if status == exitUsage {
				if c.Verdict != "cannot be checked" || !strings.Contains(stderr.String(), "policy") {
					t.Fatalf("wrong usage: %s", &stderr)
				}
				return // the policy is refused
			}
			switch c.Kind {
			case "receipt":
				c.judgeReceipt(t, status, stdout.String())
			case "history":
				c.judgeHistory(t, status, stdout.String(), stderr.String())
			case "evidence":
				c.judgeEvidence(t, status, stdout.String())
			default:
				t.Errorf("unknown kind %q", c.Kind)
			}
			if t.Failed() {
				t.Logf("the command says: %s%s", &stdout, &stderr)
			}
		})
	}
}

func (c *testVector) judgeReceipt(t *testing.T, status int, stdout string) {
	want := map[string]int{"valid": exitDone, "invalid": exitInvalid, "cannot be checked": exitPending}[c.Verdict]
	if status != want {
		t.Errorf("exit status %d, want %d", status, want)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if len(lines) != max(len(c.Documents), 1) {
		t.Fatalf("%d verdicts of %d documents", len(lines), len(c.Documents))
	}
	verdict, part := "valid", ""
	subjects, missing := []any{}, []any{}
	for i, text := range lines {
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if v["valid"] != (v["verdict"] == "valid") {
			t.Errorf("valid is %v, and the verdict is %v", v["valid"], v["verdict"])
		}
		if v["verdict"] != "valid" {
			// What is invalid outweighs what could not be checked.
			if verdict != "invalid" {
				verdict, part = v["verdict"].(string), v["part"].(string)
			}
			continue
		}
		if c.Verdict != "valid" {
			continue
		}
		for member, want := range c.Facts {
			var got any
			switch member {
			case "subjects", "missing":
				continue // compared below
			case "saw":
				got, _ = witnessCounts(t, v["witnesses"].(string))
			case "replayed":
				_, got = witnessCounts(t, v["witnesses"].(string))
			case "replayQuorum":
				got = v["replayed"]
			case "ignored":
				got = v["ignoredSignatures"]
			default:
				got = v[member]
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s is %v, want %v", member, got, want)
			}
		}
		if docs, ok := v["documents"].([]any); ok {
			for _, d := range docs {
				subjects = append(subjects, d.(map[string]any)["subject"])
			}
		}
		// With several documents, each line names the others' subjects as missing.
		list, _ := v["missing"].([]any)
		if i == 0 {
			missing = append(missing, list...)
		}
		missing = slices.DeleteFunc(missing, func(m any) bool { return !slices.Contains(list, m) })
	}
	if verdict != c.Verdict || part != c.Part {
		t.Errorf("%s, %q, want %s, %q", verdict, part, c.Verdict, c.Part)
	}
	if c.Verdict == "valid" && (!reflect.DeepEqual(subjects, c.Facts["subjects"]) || !reflect.DeepEqual(missing, c.Facts["missing"])) {
		t.Errorf("the subjects are %v without %v, want %v without %v", subjects, missing, c.Facts["subjects"], c.Facts["missing"])
	}
}

var witnessesText = regexp.MustCompile(`^(\d+) saw it grow, (\d+) of them replayed the rules: `)

// witnessCounts reads the numbers of witnesses in a verdict.
func witnessCounts(t *testing.T, text string) (saw, replayed float64) {
	if text == "no witness: the operator's word alone" {
		return 0, 0
	}
	m := witnessesText.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("it says %q of the witnesses", text)
	}
	s, _ := strconv.Atoi(m[1])
	r, _ := strconv.Atoi(m[2])
	return float64(s), float64(r)
}

func (c *testVector) judgeHistory(t *testing.T, status int, stdout, stderr string) {
	switch c.Verdict {
	case "invalid":
		if status != exitInvalid || stdout != "" {
			t.Errorf("exit status %d", status)
		}
		return
	case "cannot be checked":
		if status != exitPending || stdout != "" {
			t.Errorf("exit status %d", status)
		}
		return
	}
	isStated := strings.Contains(stderr, errStated.Error())
	want := map[string]int{"proven": exitDone, "stated by the operator": exitPending}[c.Facts["complete"].(string)]
	if status != want || isStated != (want == exitPending) {
		t.Errorf("exit status %d, want %d for what is %s", status, want, c.Facts["complete"])
	}
	entries := c.Facts["entries"].([]any)
	all := fmt.Sprintf("these %d entries are all that was", len(entries))
	switch len(entries) {
	case 0:
		all = "nothing was"
	case 1:
		all = "this 1 entry is all that was"
	}
	about := fmt.Sprintf("%s logged for %s %s up to size %v\n", all, c.Facts["kind"], c.Facts["id"], c.Facts["size"])
	proven := strings.NewReplacer("T", " ", "Z", "").Replace(c.Facts["provenTime"].(string))
	for _, text := range []string{about, fmt.Sprintf("witnesses saw the tree of size %v by %s", c.Facts["size"], proven)} {
		if !strings.Contains(stdout, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	for _, index := range entries {
		if !strings.Contains("\n"+stdout, fmt.Sprintf("\n%v 2", index)) {
			t.Errorf("it does not show entry %v", index)
		}
	}
}

func (c *testVector) judgeEvidence(t *testing.T, status int, stdout string) {
	want := map[string]int{"valid": exitDone, "invalid": exitInvalid, "cannot be checked": exitPending}[c.Verdict]
	if status != want {
		t.Errorf("exit status %d, want %d", status, want)
	}
	if c.Verdict != "valid" {
		return
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(stdout), &v); err != nil {
		t.Fatal(err)
	}
	for member, empty := range map[string]any{"index": 0.0, "rule": "", "witnesses": []any{}} {
		if _, ok := v[member]; !ok {
			v[member] = empty
		}
	}
	for member, want := range c.Facts {
		if !reflect.DeepEqual(v[member], want) {
			t.Errorf("%s is %v, want %v", member, v[member], want)
		}
	}
}

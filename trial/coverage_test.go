package trial_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
)

// TestEveryRuleHasAScenario reads the rules in refusal.go. For each there must be a scenario
// that is refused by it, beside a line with the same verb that is not refused.
func TestEveryRuleHasAScenario(t *testing.T) {
	refused, admitted := map[string]string{}, map[string]bool{}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "#")
			what, rule, isRefused := strings.Cut(strings.TrimSpace(line), " ! ")
			_, verb, _ := strings.Cut(what, ": ")
			verb, _, _ = strings.Cut(verb, " ")
			if isRefused {
				refused[rule+" "+file+" "+verb] = rule
			} else {
				admitted[file+" "+verb] = true
			}
		}
	}
	for key, rule := range refused {
		if !admitted[strings.TrimPrefix(key, rule+" ")] {
			t.Errorf("%s: the file admits nothing with the verb that it refuses", key)
		}
	}
	tested := slices.Collect(maps.Values(refused))
	f, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		n++
		rule, _ := strconv.Unquote(lit.Value)
		if !slices.Contains(tested, rule) {
			t.Errorf("%s (%s) is in no scenario", spec.Names[0].Name, rule)
		}
		if trial.RuleText(trial.Rule(rule)) == "" {
			t.Errorf("%s has no text", rule)
		}
		return true
	})
	if n < 16 {
		t.Fatalf("only %d rules found in refusal.go", n)
	}
}

// marked says which statement brings about a mark: of two scenarios with such a statement, one
// sets the mark and one does not.
var marked = map[trial.MarkID]string{
	timeline.MarkLateRegistration: "register", timeline.MarkLateProtocol: "protocol", timeline.MarkAmendment: "protocol",
	timeline.MarkLateSAP: "sap", timeline.MarkUnblindedSAP: "sap", timeline.MarkNoSAP: "results", timeline.MarkNoLock: "results",
	trial.MarkLateEvent: "milestone", timeline.MarkOtherDate: "milestone", timeline.MarkOrder: "milestone", timeline.MarkBranch: "results",
	timeline.MarkRepeated: "document", timeline.MarkCorrected: "correct", timeline.MarkVoid: "void", timeline.MarkAfterTheFact: "document",
	timeline.MarkDisputed: "identify", trial.MarkUnlocked: "milestone", timeline.MarkDelayed: "document", timeline.MarkUnfounded: "cosign",
	trial.MarkUnsealed: "seal", trial.MarkFuture: "milestone", timeline.MarkAfterEnd: "sap", timeline.MarkDelegated: "document",
	trial.MarkOrdered: "accept", timeline.MarkEmptiedDate: "void",
	trial.MarkErasureAsked: "end", trial.MarkDeviation: "custody dispense", trial.MarkCondition: "custody receive",
	trial.MarkSuspect: "custody", trial.MarkRecalled: "custody", trial.MarkLost: "custody", trial.MarkCodeBroken: "break",
}

// TestEveryMarkHasAScenario: each mark is set for one trial and not for another one, about
// which the statement that could have set it is logged too.
func TestEveryMarkHasAScenario(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	set, unset := map[trial.MarkID]bool{}, map[trial.MarkID]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{} // "VERB TRIAL", admitted so far
		for _, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "#")
			name, list, ok := strings.Cut(line, " has ")
			if !ok {
				words := strings.Fields(line)
				switch {
				case strings.Contains(line, " ! ") || strings.Contains(line, " / ") || len(words) < 3:
				case words[1] == "register" && words[len(words)-2] == "as":
					told["register "+words[len(words)-1]] = true
				case words[1] == "custody":
					for _, unit := range words[4:] {
						told["custody "+unit], told["custody "+words[2]+" "+unit] = true, true
					}
				case words[1] == "seal":
					told["seal "+words[5]] = true
				default:
					told[words[1]+" "+words[2]] = true
				}
				continue
			}
			for _, id := range timeline.MarkIDs() {
				if slices.Contains(strings.Fields(list), string(id)) {
					set[id] = true
				} else if told[marked[id]+" "+name] {
					unset[id] = true
				}
			}
		}
	}
	for _, id := range timeline.MarkIDs() {
		if id == timeline.MarkVoid || id == trial.MarkEmergency || id == trial.MarkCodeBroken { // every one that is admitted sets it
			unset[id] = true
		}
		if !set[id] || !unset[id] {
			t.Errorf("%s (%s): set in a scenario %v, not set in another with the statement %q %v", id, timeline.MarkText(id), set[id],
				marked[id], unset[id])
		}
	}
	if len(timeline.MarkIDs()) < 27 {
		t.Fatalf("only %d marks", len(timeline.MarkIDs()))
	}
}

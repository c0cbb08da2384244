package trial_test

import (
	"slices"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
)

// TestKinds: flags of one name have the same description in all kinds, a flag fills exactly one
// member, and no two kinds have the same mark.
func TestKinds(t *testing.T) {
	flags := map[string]trial.Flag{}
	for _, kind := range trial.FormKinds() {
		p, form, ok := trial.NewForm(kind)
		if !ok || p.Kind() != kind || (form.Trial == nil) == (form.Identifier == nil) {
			t.Errorf("%s: the form of %s is about neither a trial nor a number, or about both", kind, p.Kind())
		}
		for _, f := range form.Flags {
			if (f.Text == nil) == (f.Statement == nil) || f.Help == "" {
				t.Errorf("%s: -%s fills no member, or two, or has no help", kind, f.Name)
			}
			if g, seen := flags[f.Name]; seen && (g.Help != f.Help || g.Default != f.Default) {
				t.Errorf("%s: -%s is described as %q and as %q", kind, f.Name, f.Help, g.Help)
			}
			flags[f.Name] = f
		}
	}
	if _, _, ok := trial.NewForm("org"); ok || len(flags) < 10 {
		t.Errorf("an org has a form, or there are only %d flags", len(flags))
	}
	var ids []trial.MarkID
	for _, m := range trial.KindMarks() {
		if slices.Contains(ids, m.ID) || m.Text == "" || timeline.WeightText[m.Weight] == "" {
			t.Errorf("%+v: the mark is another kind's, or has no text or weight", m)
		}
		ids = append(ids, m.ID)
	}
}

package page

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/timeline"
)

//go:embed trial.html
var trialHTML string

var trialTemplate = template.Must(template.New("trial").Funcs(template.FuncMap{
	"short":   func(s string) string { return s[:min(len(s), 12)] },
	"mark":    timeline.MarkText,
	"marks":   func(list []timeline.Mark) []timeline.MarkGroup { return timeline.Group(list, false) },
	"struck":  func(list []timeline.Mark) []timeline.MarkGroup { return timeline.Group(list, true) },
	"weight":  func(id trial.MarkID) string { return timeline.WeightText[timeline.MarkWeight(id)] },
	"heavy":   isHeavy,
	"outcome": Outcome,
	"grounds": Grounds,
	"source":  Source,
	"logged":  LoggedBy,
	"named":   Named,
	"moment":  InWords,
	"time":    func(t trial.Time) string { return trial.Moment(t.Std()) },
	"class":   class,
	"words":   words,
	"notes":   notes,
	"differs": func(f compare.Finding) bool {
		return f.Specified != nil && f.Reported != nil && *f.Specified != *f.Reported
	},
	"arg": func(a, b any) any { return struct{ A, B any }{a, b} },
}).Parse(trialHTML))

// A View is what is shown of a trial.
type View struct {
	*dossier.Report
	// Print is the report on paper: all entries, what follows in full, and the digests in an
	// appendix. Without it, it is a page of a log.
	Print   bool
	Twin    string // name of the file for programs beside a print
	Before  uint64 // show the entries before this one; 0: the newest
	On      string // day for the documents in force; empty: none asked for
	InForce []dossier.HeadStanding

	// Comparing shows only the comparison of outcomes, for an editor.
	Comparing bool

	Nothing bool // nothing is logged, which is all that is shown

	replayed bool
}

// Replayed reports whether it is proven that nothing is left out.
func (v *View) Replayed() bool { return v.replayed }

// maxShown is how many entries a page shows at once.
const maxShown = 200

// Trial returns what a page or a print shows of a trial, between its header and its footer.
func Trial(v *View) (template.HTML, error) {
	var b bytes.Buffer
	if err := trialTemplate.Execute(&b, v); err != nil {
		return "", err
	}
	return template.HTML(Visible(b.Bytes())), nil
}

// isHeavy reports whether a mark bears on what the trial can show.
func isHeavy(id trial.MarkID) bool { return timeline.MarkWeight(id) == trial.WeightBears }

// Title returns the trial's title, or what it is called by.
func (v *View) Title() string {
	if v.Study != nil && v.Study.Title != "" {
		return v.Study.Title
	}
	return "Trial " + v.Name()
}

// Name returns what people call the trial: a registry's number or else the sponsor's.
func (v *View) Name() string {
	if v.Standing == nil {
		return strings.TrimPrefix(v.Asked, dossier.OwnPrefix)
	}
	for _, n := range v.Standing.Numbers {
		_, number, _ := strings.Cut(n.Identifier, ":")
		return number
	}
	return v.Standing.Number
}

// A Row is one line of the panel that a page opens with.
type Row struct {
	Name, Text, Class string // class: ok, bad, warn or none
}

// Panel sums up where the trial stands. It says nothing that does not stand below with its
// grounds.
func (v *View) Panel() (rows []Row) {
	replayed := v.Standing != nil && v.Standing.Replayed || v.Standing == nil && strings.HasPrefix(v.Complete, "replaying")
	rows = append(rows, Row{"Record", v.Complete, "warn"})
	if replayed {
		rows[0].Class = "ok"
	}
	if s := v.Standing; s != nil {
		rows = append(rows, Row{"In force", headsText(s.Heads), ""})
		if s.Unopened > 0 {
			rows = append(rows, Row{"Sealed", fmt.Sprintf("%s by %s not opened: for which trial nobody can tell", trial.Count(s.Unopened, "statement", "statements"), s.Holder), "warn"})
		}
	}
	results := Row{"Results", "none are logged", ""}
	for _, e := range v.Entries {
		if e.Kind == "results" && e.InEffect {
			results = Row{"Results", fmt.Sprintf("%s (entry %d)", e.Says, e.Index), ""}
		}
	}
	rows = append(rows, results)
	due := map[string][]string{}
	for _, d := range v.Deadlines {
		due[class(d.Verdict)] = append(due[class(d.Verdict)], d.Rule)
	}
	for _, x := range []struct{ verdict, name, class string }{{deadline.Overdue, "Overdue", "bad"}, {deadline.Late, "Late", "warn"},
		{deadline.Contested, "Contested", "warn"}, {deadline.NotDeterminable, "Cannot be told", ""}} {
		if list := due[class(x.verdict)]; len(list) > 0 {
			rows = append(rows, Row{x.name, strings.Join(list, ", ") + " (deadlines, as of " + v.At + ")", x.class})
		}
	}
	if c := v.Comparison; c != nil {
		counts := map[string]int{}
		for _, f := range c.Outcomes {
			counts[f.Status]++
		}
		var parts []string
		for _, status := range slices.Sorted(maps.Keys(counts)) {
			parts = append(parts, fmt.Sprintf("%d %s", counts[status], status))
		}
		if len(parts) > 0 {
			rows = append(rows, Row{"Outcomes", strings.Join(parts, ", "), ""})
		}
	}
	if v.Standing != nil {
		byWeight := map[string]int{}
		for _, m := range timeline.Group(v.Standing.Marks, false) {
			byWeight[timeline.WeightText[timeline.MarkWeight(m.ID)]]++
		}
		var parts []string
		for _, w := range []int{trial.WeightBears, trial.WeightExplain, trial.WeightInform} {
			if n := byWeight[timeline.WeightText[w]]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, timeline.WeightText[w]))
			}
		}
		if len(parts) > 0 {
			rows = append(rows, Row{"Marks", strings.Join(parts, ", "), ""})
		}
	}
	return rows
}

func headsText(heads []dossier.HeadStanding) string {
	if len(heads) == 0 {
		return "no protocol version is logged"
	}
	var parts []string
	for _, h := range heads {
		parts = append(parts, fmt.Sprintf("protocol version %s (%s), logged %s", cmp.Or(h.Version, "without a number"), h.Scope,
			trial.Moment(h.Logged.Std())))
	}
	return strings.Join(parts, "; ")
}

// Says returns what an entry says, without the name of the trial whose page this is.
func (v *View) Says(e dossier.ReportEntry) string {
	if v.Standing == nil {
		return e.Says
	}
	return strings.ReplaceAll(e.Says, " of trial "+v.Standing.Trial.String(), "")
}

// Keys returns the keys that signed, each once.
func (v *View) Keys() (list []string) {
	for _, e := range v.Entries {
		if !slices.Contains(list, e.Key) {
			list = append(list, e.Key)
		}
	}
	return list
}

// unread is the note of an entry that was not read, as package dossier says it to those who type
// commands.
var unread = regexp.MustCompile(`^entry ([0-9]+) \(([a-z]+)\) has no facts: `)

// notes joins the notes of entries that were not read into one for each kind.
func notes(list []string) (out []string) {
	entries := map[string][]string{}
	var kinds []string
	for _, n := range list {
		m := unread.FindStringSubmatch(n)
		if m == nil {
			out = append(out, n)
			continue
		}
		if entries[m[2]] == nil {
			kinds = append(kinds, m[2])
		}
		entries[m[2]] = append(entries[m[2]], m[1])
	}
	for _, k := range kinds {
		of := "entry"
		if len(entries[k]) > 1 {
			of = "entries"
		}
		out = append(out, fmt.Sprintf("not read, because no facts were logged with it and its file is not here: %s %s (%s)", of,
			strings.Join(entries[k], ", "), k))
	}
	return out
}

// Shown returns the entries that are shown: of observations or of others.
func (v *View) Shown(observed bool) (list []dossier.ReportEntry) {
	for _, e := range v.window() {
		if (e.Kind == "observation") == observed {
			list = append(list, e)
		}
	}
	return list
}

// window returns the entries of one page.
func (v *View) window() []dossier.ReportEntry {
	if v.Print {
		return v.Entries
	}
	end := len(v.Entries)
	if v.Before > 0 {
		end, _ = slices.BinarySearchFunc(v.Entries, v.Before, func(e dossier.ReportEntry, i uint64) int { return cmp.Compare(e.Index, i) })
	}
	return v.Entries[max(0, end-maxShown):end]
}

// Older returns the index before which older entries stand, or 0 if none do.
func (v *View) Older() uint64 {
	if w := v.window(); len(w) > 0 && w[0].Index != v.Entries[0].Index {
		return w[0].Index
	}
	return 0
}

// class returns the style of a verdict: of a conditional one, that of the verdict in it.
func class(verdict string) string {
	if _, in, ok := strings.Cut(verdict, " copies alone: "); ok {
		verdict = in
	}
	return strings.ReplaceAll(verdict, " ", "-")
}

// Tone returns ok, bad, warn or soft for a verdict or a finding. A word in a colour never says
// more than the word.
func (v *View) Tone(verdict string) string {
	switch class(verdict) {
	case "overdue":
		return "bad"
	case "late", "contested", "not-determinable", "unclear", "promoted", "demoted", "not-reported", "new-and-undeclared":
		return "warn"
	case "ok", "reported-as-specified":
		return "ok"
	}
	return "soft"
}

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
	"spoken":  spoken,
	"rule":    RuleText,
	"number":  numberText,
	"inputs":  inputs,
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

	// Claims are those of a number that several trials claim: nothing is said of a trial then.
	Claims []trial.Claim

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
	if v.Study != nil && v.Study.Title != "" && len(v.Claims) == 0 {
		return v.Study.Title
	}
	if len(v.Claims) > 0 {
		return "Number " + v.Name()
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

// A Row is one question that the panel answers, in one line or more.
type Row struct {
	Name  string
	Lines []Line
}

// A Line may open with a tag in a colour: ok, bad, warn or soft.
type Line struct{ Tag, Class, Text string }

// Panel sums up where the trial stands, what asks for a look first. It says nothing that does not
// stand below with its grounds.
func (v *View) Panel() (rows []Row) {
	add := func(name string, lines ...Line) {
		if len(lines) > 0 {
			rows = append(rows, Row{name, lines})
		}
	}
	add("Number", v.numberLines()...)
	if v.Comparing && len(v.Claims) == 0 {
		add("Outcomes", v.outcomeLines()...)
	}
	if len(v.Claims) == 0 {
		add("Deadlines, as of "+v.At, v.deadlineLines()...)
		if !v.Comparing {
			add("Outcomes", v.outcomeLines()...)
		}
		add("Marks", v.markLines()...)
	}
	if len(v.Claims) == 0 && !v.Comparing {
		results := Line{Text: "none are logged here"}
		for _, e := range v.Entries {
			if e.Kind == "results" && e.InEffect {
				results.Text = fmt.Sprintf("%s (entry %d)", v.Says(e), e.Index)
			}
		}
		add("Results", results)
	}
	if s := v.Standing; s != nil && !v.Comparing {
		add("Protocol in force", Line{Text: headsText(s.Heads)})
		if s.Unopened > 0 {
			add("Sealed", Line{"not opened", "warn", fmt.Sprintf("%s by %s: for which trial nobody can tell",
				trial.Count(s.Unopened, "statement", "statements"), s.Holder)})
		}
	}
	record := Line{"not proven", "warn", v.Complete}
	if v.Standing != nil && v.Standing.Replayed || v.Standing == nil && v.replayed || strings.HasPrefix(v.Complete, "replaying") {
		record.Tag, record.Class = "proven", "ok"
	}
	add("Completeness", record)
	return rows
}

// PanelClass is the gravest colour of the panel. It is never that of a good verdict: that a record is
// proven says nothing good or bad of the trial.
func (v *View) PanelClass() string {
	gravest := ""
	for _, r := range v.Panel() {
		for _, l := range r.Lines {
			if l.Class == "bad" || l.Class == "warn" && gravest == "" {
				gravest = l.Class
			}
		}
	}
	return gravest
}

// numberLines names the numbers that other trials claim too.
func (v *View) numberLines() (lines []Line) {
	if n := len(v.Claims); n > 0 {
		return []Line{{"contested", "warn", fmt.Sprintf("claimed for %d trials: it cannot be told which of them is meant", n)}}
	}
	if v.Standing == nil {
		return nil
	}
	for _, n := range v.Standing.Numbers {
		if n.Disputed {
			lines = append(lines, Line{"contested", "warn", numberText(n.Identifier) + " is claimed for another trial too: by " +
				strings.Join(n.ClaimedBy, " and by ")})
		}
	}
	return lines
}

// deadlineLines sums up the deadlines. What third parties' copies alone say is told apart.
func (v *View) deadlineLines() (lines []Line) {
	if v.Unread != "" {
		return []Line{{"cannot be told", "soft", spoken(v.Unread)}}
	}
	due := map[string][]string{}
	var verdicts []string
	for _, d := range v.Sorted() {
		if due[d.Verdict] == nil {
			verdicts = append(verdicts, d.Verdict)
		}
		due[d.Verdict] = append(due[d.Verdict], RuleText(d.Rule))
	}
	for _, verdict := range verdicts {
		switch class(verdict) {
		case class(deadline.Overdue), class(deadline.Late), class(deadline.Contested):
			lines = append(lines, Line{verdict, v.Tone(verdict), strings.Join(due[verdict], ", ")})
		case class(deadline.NotDeterminable):
			lines = append(lines, Line{"cannot be told", "soft", strings.Join(due[verdict], ", ")})
		}
	}
	if len(lines) == 0 && len(v.Deadlines) > 0 {
		lines = append(lines, Line{Text: "none is overdue or late"})
	}
	return lines
}

// noneReported opens the note of package compare that planned outcomes stand for what is reported.
const noneReported = "no results are logged and no article is given"

// outcomeLines sums up the comparison, and says what was compared.
func (v *View) outcomeLines() (lines []Line) {
	c := v.Comparison
	if c == nil {
		return nil
	}
	counts := map[string]int{}
	line := Line{"as specified", "ok", ""}
	planned := slices.ContainsFunc(c.Notes, func(n string) bool { return strings.HasPrefix(n, noneReported) })
	if planned {
		line.Tag = "unchanged"
	}
	for _, f := range c.Outcomes {
		counts[f.Status]++
		if v.Tone(f.Status) != "ok" {
			line.Tag, line.Class = "look", "warn"
		}
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		says := status
		if planned { // nothing is reported yet, so nothing is said to be
			says = strings.ReplaceAll(says, "reported as specified", "as planned")
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[status], says))
	}
	if len(parts) > 0 {
		line.Text = strings.Join(parts, ", ")
		switch {
		case planned:
			line.Text += " (the registry's last version beside the planned one; no results and no article were compared)"
		case c.Reported == nil:
		case c.Reported.Kind == "article":
			line.Text += " (the article beside what was planned)"
		case c.Reported.Kind == "observation" || c.Reported.Kind == "registration":
			line.Text += " (the registry's last version beside what was planned)"
		default:
			line.Text += " (" + c.Reported.Kind + " beside what was planned)"
		}
		lines = append(lines, line)
	}
	changes := 0
	for _, s := range c.AfterStart {
		changes += len(s.Changes)
	}
	if changes > 0 {
		lines = append(lines, Line{"changed", "warn",
			"after the start: " + trial.Count(changes, "change", "changes") + " of outcomes in the record"})
	}
	return lines
}

// markLines sums up the marks, and names those that bear on what the trial can show.
func (v *View) markLines() (lines []Line) {
	if v.Standing == nil {
		return nil
	}
	var serious, rest []string
	count := map[int]int{}
	for _, m := range timeline.Group(v.Standing.Marks, false) {
		w := timeline.MarkWeight(m.ID)
		count[w]++
		if text := timeline.MarkText(m.ID); w == trial.WeightBears && !slices.Contains(serious, text) {
			serious = append(serious, text)
		}
	}
	if len(serious) > 0 {
		lines = append(lines, Line{"serious", "warn", "by the times of this log: " + strings.Join(serious, "; ")})
	}
	for _, w := range []int{trial.WeightExplain, trial.WeightInform} {
		if count[w] > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", count[w], timeline.WeightText[w]))
		}
	}
	if len(rest) > 0 {
		lines = append(lines, Line{Text: "also: " + strings.Join(rest, ", ")})
	}
	return lines
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
			out = append(out, spoken(n))
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
// more than the word. What rests on third parties' copies alone is never as grave as the rest.
func (v *View) Tone(verdict string) string {
	switch class(verdict) {
	case "overdue":
		if class(verdict) != verdict {
			return "warn"
		}
		return "bad"
	case "late", "contested", "not-determinable", "unclear", "promoted", "demoted", "not-reported", "new-and-undeclared":
		return "warn"
	case "ok", "reported-as-specified":
		return "ok"
	}
	if strings.HasPrefix(verdict, "contested") {
		return "warn"
	}
	return "soft"
}

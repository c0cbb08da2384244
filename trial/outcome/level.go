package outcome

import (
	"fmt"
	"regexp"
	"strings"
)

// levelForm is how people write a level: "Primary", "Secondary Outcome Measures", "The
// co-primary efficacy endpoints", "Primary outcome 1".
var levelForm = regexp.MustCompile(`^(?:the |our )?(?:(?:one|two|three|four|five|six|\d{1,2}) )?` +
	`(co ?primary|primary|key secondary|secondary|tertiary|exploratory|other|other prespecified|` +
	`other pre specified|post hoc|additional|not stated)` +
	`(?: (?:clinical|composite|efficacy|safety|study|trial|efficacy and safety))*` +
	`( outcomes?| end ?points?| outcome measures?| outcome variables?| measures?| variables?)?(?: \d{1,2})?$`)

// levels has the levels by the words for them; "" is for an article that states none.
var levels = map[string]string{
	"co primary": "primary", "coprimary": "primary", "primary": "primary", "key secondary": "secondary", "secondary": "secondary",
	"tertiary": "other", "exploratory": "other",
	"other": "other", "other prespecified": "other", "other pre specified": "other", "post hoc": "other", "additional": "other",
	"not stated": "",
}

// A heading is a level as it was written.
type heading struct {
	level  string
	noun   bool // it says outcome, endpoint, ...
	plural bool
}

// headingOf reads a level. It returns false if the text is not a level that is understood.
func headingOf(s string) (heading, bool) {
	plural := strings.Contains(s, "(s)")
	s = strings.ReplaceAll(s, "(s)", "")
	s = strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" \t-‐‑–_*#[]", r) }), " ")
	m := levelForm.FindStringSubmatch(strings.TrimRight(s, " :."))
	if m == nil {
		return heading{}, false
	}
	return heading{level: levels[m[1]], noun: m[2] != "", plural: plural || strings.HasSuffix(m[2], "s")}, true
}

const groupNouns = `(?:outcomes?|end[- ]?points?|measures?|variables?|analys[ei]s|objectives?|aims?|parameters?|` +
	`assessments?|results?|findings?|evaluations?|criteri(?:a|on)|hypothes[ei]s|efficacy)\b`

var (
	// groupFirst matches a line that begins with the name of a group of outcomes.
	groupFirst = regexp.MustCompile(`(?i)^(?:(?:the|our|pre-?specified|planned|key|main|further|all)\s+|[^\p{L}\p{N}]+|\d{1,2}[.) ]+)*` +
		`(?:secondary|tertiary|exploratory|safety|tolerability|additional|others?|post[- ‐‑–]?hoc|` +
		`ancillary|supportive|supplementa(?:ry|l))\b`)
	// groupWithin matches a line that names one further on, or a level in brackets at its end.
	groupWithin = regexp.MustCompile(`(?i)\b(?:co-?primary|primary|secondary|tertiary|exploratory|post[- ‐‑–]?hoc)\s+` +
		`(?:[\p{L}-]+\s+){0,3}?` +
		groupNouns + `|[(\[][^()\[\]]*\b(?:co-?primary|primary|secondary|tertiary|exploratory|post[- ‐‑–]?hoc)\b[^()\[\]]*[)\]]\W*$`)
	// levelAlone matches a level and nothing else.
	levelAlone = regexp.MustCompile(`(?i)^\W*(?:co-?)?primary\W*$`)
	// nothing matches a line that says that there is no outcome.
	nothing = regexp.MustCompile(`(?i)^[\s("'-]*(?:none|nil|n\.?/?a|no|nothing|null|unknown|tbd|` +
		`not (?:applicable|reported|specified|stated|given|available|defined)|` +
		`none (?:reported|stated|specified|given|defined)|` +
		`no (?:primary |secondary |other )?(?:outcomes?|end ?points?)(?: (?:reported|stated|specified|given|defined))?|[-–—?]+)[\s)."'-]*$`)
)

// unread reports whether a line that was not read as a heading or a level may be one: it names a
// level or a group of outcomes. "Primary patency at 12 months" does not.
func unread(line string) bool {
	return groupFirst.MatchString(line) || groupWithin.MatchString(line) || levelAlone.MatchString(line)
}

// levelOf reads a text that must be a level.
func levelOf(s string) (string, error) {
	h, ok := headingOf(s)
	if !ok {
		return "", fmt.Errorf("level is %.40q; it is primary, secondary or other (or not stated)", s)
	}
	return h.level, nil
}

// columns has the members of an outcome by the names in tables and JSON.
var columns = map[string]string{
	"level": "level", "type": "level", "outcome type": "level", "outcome level": "level", "category": "level",
	"measure": "measure", "outcome": "measure", "outcome measure": "measure", "title": "measure", "name": "measure",
	"endpoint": "measure", "end point": "measure", "outcome measure title": "measure",
	"time frame": "time", "timeframe": "time", "time point": "time", "timepoint": "time", "time": "time", "measure time frame": "time",
	"description": "description", "measure description": "description", "definition": "description",
	"outcome measure description": "description",
}

// columnOf returns which member a column is, or "" if its name is not understood.
func columnOf(name string) string {
	var b strings.Builder
	for i, r := range strings.Trim(name, " \"'*\ufeff") {
		switch {
		case r == '_' || r == '-':
			b.WriteByte(' ')
		case r >= 'A' && r <= 'Z' && i > 0 && strings.ToUpper(name) != name:
			b.WriteString(" " + strings.ToLower(string(r)))
		default:
			b.WriteString(strings.ToLower(string(r)))
		}
	}
	return columns[strings.Join(strings.Fields(b.String()), " ")]
}

// set puts a value into the member of an outcome.
func (o *Outcome) set(column, value string) error {
	value = strings.TrimSpace(value)
	var err error
	switch column {
	case "level":
		o.Level, err = levelOf(value)
	case "measure":
		o.Measure = value
	case "time":
		o.TimeFrame = value
	case "description":
		o.Description = value
	}
	if column == "measure" && nothing.MatchString(value) {
		err = fmt.Errorf("%.40q is not an outcome: leave out a level that has none", value)
	}
	if err == nil && len(value) > textLimit {
		err = fmt.Errorf("%d bytes; at most %d are read of an outcome", len(value), textLimit)
	}
	return err
}

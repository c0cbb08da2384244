package outcome

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// A textReader reads a list of outcomes line by line.
type textReader struct {
	list    []Outcome
	heading *heading // of the lines below it
	begun   int      // its line
	before  int      // outcomes before it
	columns []string // of a table below a heading
	framed  bool     // the last outcome's time frame was on a line of its own: the text after it is its description
}

// parseText reads a list or a table.
func parseText(s string) ([]Outcome, error) {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	first, _, _ := strings.Cut(strings.TrimLeft(s, " \t\n"), "\n")
	for _, comma := range []rune{'\t', ',', ';', '|'} {
		if header(cells(first, comma), true) {
			return parseTable(s, comma)
		}
	}
	var t textReader
	n := 0
	for line := range strings.Lines(s) {
		n++
		for _, sentence := range sentences(strings.TrimSpace(line)) {
			if err := t.line(sentence); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if t.heading != nil && t.begun == 0 {
			t.begun = n
		}
	}
	if err := t.empty(); err != nil {
		return nil, err
	}
	return t.list, nil
}

// empty refuses a heading with no outcome below it.
func (t *textReader) empty() error {
	if t.heading != nil && len(t.list) == t.before {
		return fmt.Errorf("line %d: a level without an outcome", t.begun)
	}
	return nil
}

var (
	bullet   = regexp.MustCompile(`^(?:#+\s*|[-*•·–—‣◦▪▫●○■]\s+|o\t|\(?\d{1,3}[.)]\s+|\(?[a-z][.)]\s+)`)
	rule     = regexp.MustCompile(`^[-=*_#|+: ]+$`)
	inFrame  = regexp.MustCompile(`(?i)^(.*?)\s*\[\s*time frame\s*:\s*(.*?)\s*\]\s*(.*)$`)
	ownFrame = regexp.MustCompile(`(?i)^time frame\s*:\s*(.*)$`)
	inProse  = regexp.MustCompile(`(?i)^(.{3,80}?) (?:was|were|is|are|included|includes|include|comprised|consisted of|consist of)` +
		`(?: the)?(?:\s*:)? (.+)$`)
	atStart   = regexp.MustCompile(`^[(\[]([^()\[\]]{3,40})[)\]]\s*(.+)$`)
	atTheEnd  = regexp.MustCompile(`^(.+?)\s*[(\[]([^()\[\]]{3,40})[)\]]\.?$`)
	levelWord = regexp.MustCompile(`(?i)^(?:the |our )?(?:co-?primary|primary|key secondary|secondary|tertiary|exploratory)\b`)
	nounEnd   = regexp.MustCompile(`(?i)\b(?:outcomes?|end[- ]?points?|outcome measures?|outcomes? variables?)(?:\(s\))?\s*:?$`)
	// nextLevel matches the end of a sentence and the beginning of one with another level.
	nextLevel = regexp.MustCompile(`(?i)[.;]\s+((?:the |our )?(?:co-?primary|primary|key secondary|secondary|tertiary|` +
		`exploratory|other)\b[^.:;]{0,60}?\b(?:outcomes?|end[- ]?points?|measures?)\b)`)
	// newSentence matches the end of a sentence within a text.
	newSentence = regexp.MustCompile(`[a-z)\d]\.\s+[A-Z]`)
)

// sentences divides a line before each sentence that names a level.
func sentences(line string) []string {
	var list []string
	for {
		m := nextLevel.FindStringSubmatchIndex(line)
		if m == nil {
			return append(list, line)
		}
		list, line = append(list, line[:m[0]+1]), line[m[2]:]
	}
}

// line reads one line: a heading, a level and its outcomes, an outcome below a heading, or more text
// for the last outcome.
func (t *textReader) line(line string) error {
	if line == "" || rule.MatchString(line) {
		return nil
	}
	bare := strings.TrimSpace(strings.ReplaceAll(bullet.ReplaceAllString(line, ""), "**", ""))
	if h, ok := headingOf(bare); ok && (h.noun || h.level != "" || strings.HasSuffix(bare, ":")) {
		if err := t.empty(); err != nil {
			return fmt.Errorf("a heading follows a heading: %w", err)
		}
		t.heading, t.columns, t.framed, t.begun, t.before = &h, nil, false, 0, len(t.list)
		return nil
	}
	if names := cells(bare, '\t'); t.heading != nil && header(names, false) {
		t.columns = names
		return nil
	}
	if t.columns != nil {
		return t.row(cells(line, '\t'))
	}
	if m := ownFrame.FindStringSubmatch(strings.Trim(bare, "[]")); m != nil {
		return t.frame(m[1])
	}
	if h, rest, sentence, ok := labelled(bare); ok {
		if sentence && newSentence.MatchString(rest) {
			return fmt.Errorf("more than one sentence follows %q: give each outcome a line of its own", h.level)
		}
		if err := t.empty(); err != nil {
			return err
		}
		t.heading, t.framed = nil, false
		return t.several(h, strings.TrimSuffix(rest, "."))
	}
	for _, m := range [][]string{swap(atStart.FindStringSubmatch(bare)), atTheEnd.FindStringSubmatch(bare)} {
		if m == nil {
			continue
		}
		if _, two := headingOf(m[1]); two || unread(m[1]) {
			break // "SECONDARY ENDPOINTS (exploratory)"
		}
		if h, ok := headingOf(m[2]); ok {
			return t.add(h.level, m[1])
		}
	}
	switch {
	case nounEnd.MatchString(bare) || strings.HasSuffix(bare, ":"), levelWord.MatchString(bare) && strings.Contains(bare, ":"):
		return fmt.Errorf("%.60q is a heading or a level that is not understood: write primary, secondary or other, with a colon", bare)
	case unread(bare):
		return fmt.Errorf("%.60q may be a heading, and is not understood: write primary, secondary or other with a colon "+
			"if it is a level, or the level before it if it is an outcome", bare)
	case t.heading == nil:
		return fmt.Errorf(`%.60q has no level: write "primary: " or "secondary: " before it, or a heading above it `+
			`("not stated: " if the article does not say)`, bare)
	case t.framed && bare == line: // the registry's print, where only outcomes have numbers
		o := &t.list[len(t.list)-1]
		return o.set("description", strings.TrimSpace(o.Description+" "+bare))
	}
	return t.several(*t.heading, bare)
}

func swap(m []string) []string {
	if m != nil {
		m[1], m[2] = m[2], m[1]
	}
	return m
}

// labelled reads a level and the outcomes after it: "primary: pain", "Secondary outcomes were ...".
// The level is the text before the first separator that follows a level.
func labelled(s string) (h heading, rest string, sentence, ok bool) {
	for _, separator := range []string{":", "\t", " - ", " – ", " — "} {
		head, rest, found := strings.Cut(s, separator)
		if !found {
			continue
		}
		if h, ok := headingOf(head); ok && strings.TrimSpace(rest) != "" && !(separator == "\t" && strings.Contains(rest, "\t")) {
			return h, strings.TrimSpace(rest), false, true
		}
	}
	if m := inProse.FindStringSubmatch(s); m != nil {
		if h, ok := headingOf(m[1]); ok && h.noun {
			return h, strings.TrimSpace(m[2]), true, true
		}
	}
	return heading{}, "", false, false
}

// several reads the outcomes of a line, separated by semicolons. If a heading speaks of several and
// only commas or "and" may separate them, it does not guess.
func (t *textReader) several(h heading, s string) error {
	parts := atSemicolons(s)
	switch {
	case len(parts) > 1 && h.noun && !h.plural && t.heading == nil:
		return errors.New("one outcome or several? give each a line of its own, or write outcomes")
	case len(parts) == 1 && h.noun && h.plural && t.heading == nil && (strings.Contains(s, ",") || strings.Contains(s, " and ")):
		return errors.New("one outcome or several? put semicolons between them, or give each a line of its own")
	}
	for i, p := range parts {
		if _, _, _, ok := labelled(p); i > 0 && (ok || unread(p)) {
			return fmt.Errorf("%.60q may have another level than the text before it: give it a line of its own", p)
		}
		if err := t.add(h.level, p); err != nil {
			return err
		}
	}
	return nil
}

// atSemicolons divides a text at its semicolons, except within brackets and before a part that only
// details an outcome ("measured by ...").
func atSemicolons(s string) []string {
	var list []string
	depth, start := 0, 0
	part := func(end int) {
		p := strings.TrimSpace(s[start:end])
		p = strings.TrimSpace(strings.TrimPrefix(p, "and "))
		if p == "" {
			return
		}
		if n := len(list); n > 0 && opens(words(p), tailOpeners) {
			list[n-1] += "; " + p
			return
		}
		list = append(list, p)
	}
	for i, r := range s {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			depth = max(0, depth-1)
		case ';':
			if depth == 0 {
				part(i)
				start = i + 1
			}
		}
	}
	part(len(s))
	return list
}

// add appends an outcome, whose time frame may be in brackets, as the registry prints it.
func (t *textReader) add(level, s string) error {
	o := Outcome{Level: level}
	frame, description := "", ""
	if m := inFrame.FindStringSubmatch(s); m != nil {
		s, frame, description = m[1], m[2], m[3]
	}
	t.framed = frame != "" && t.heading != nil
	if strings.TrimSpace(s) == "" {
		return errors.New("a level or a time frame without an outcome")
	}
	t.list = append(t.list, o)
	last := &t.list[len(t.list)-1]
	return errors.Join(last.set("measure", s), last.set("time", frame), last.set("description", description))
}

// frame reads the time frame of the last outcome, from a line of its own.
func (t *textReader) frame(s string) error {
	if len(t.list) == 0 || t.list[len(t.list)-1].TimeFrame != "" {
		return errors.New("a time frame without an outcome before it")
	}
	t.framed = t.heading != nil
	return t.list[len(t.list)-1].set("time", strings.Trim(s, " []"))
}

// cells divides a line of a table.
func cells(line string, comma rune) []string {
	if comma == '|' {
		line = strings.Trim(strings.TrimSpace(line), "|")
	}
	list := strings.Split(line, string(comma))
	for i := range list {
		list[i] = strings.Trim(strings.TrimSpace(list[i]), `"`)
	}
	return list
}

// header reports whether cells are the names of columns, with one for the measure and, if level is
// set, one for the level.
func header(names []string, level bool) bool {
	var found []string
	for _, n := range names {
		found = append(found, columnOf(n))
	}
	return len(names) > 1 && slices.Contains(found, "measure") && slices.Contains(found, "level") == level
}

// row reads a line of a table below a heading.
func (t *textReader) row(values []string) error {
	if len(values) != len(t.columns) {
		return fmt.Errorf("%d columns, but the table has %d", len(values), len(t.columns))
	}
	o := Outcome{Level: t.heading.level}
	if err := o.fill(t.columns, values); err != nil {
		return err
	}
	t.list = append(t.list, o)
	return nil
}

// fill sets the members of an outcome from a row.
func (o *Outcome) fill(names, values []string) error {
	seen := map[string]bool{}
	for i, n := range names {
		c := columnOf(n)
		if c == "" {
			return fmt.Errorf("the column %.40q is not understood: level, measure, time frame and description are; remove it", n)
		}
		if seen[c] {
			return fmt.Errorf("two columns are the %s", c)
		}
		seen[c] = true
		if err := o.set(c, values[i]); err != nil {
			return err
		}
	}
	if o.Measure == "" {
		return errors.New("a row without an outcome")
	}
	return nil
}

// parseTable reads a table whose first line names its columns.
func parseTable(s string, comma rune) ([]Outcome, error) {
	if comma == '|' {
		return parsePipes(s)
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = comma, -1, true
	names, err := r.Read()
	if err != nil {
		return nil, err
	}
	var list []Outcome
	for {
		values, err := r.Read()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if !slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) != "" }) {
			continue
		}
		var o Outcome
		if len(values) != len(names) {
			err = fmt.Errorf("%d columns, but the table has %d: put quotes around a text with the separator in it", len(values), len(names))
		} else {
			err = o.fill(names, values)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		list = append(list, o)
	}
}

// parsePipes reads a table as Markdown writes it.
func parsePipes(s string) ([]Outcome, error) {
	var list []Outcome
	var names []string
	n := 0
	for line := range strings.Lines(s) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || rule.MatchString(line) {
			continue
		}
		values := cells(line, '|')
		if names == nil {
			names = values
			continue
		}
		var o Outcome
		err := fmt.Errorf("%d columns, but the table has %d", len(values), len(names))
		if len(values) == len(names) {
			err = o.fill(names, values)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, o)
	}
	return list, nil
}

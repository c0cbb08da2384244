package sensor

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// stamp writes a time in whole seconds, in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// day writes a time for people.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// duration writes seconds for people: "90 minutes", "1 minute 30 seconds".
func duration(seconds int64) string {
	unit := func(n int64, name string) string {
		if n != 1 {
			name += "s"
		}
		return fmt.Sprintf("%d %s", n, name)
	}
	switch m, s := seconds/60, seconds%60; {
	case s == 0:
		return unit(m, "minute")
	case m == 0:
		return unit(s, "second")
	default:
		return unit(m, "minute") + " " + unit(s, "second")
	}
}

// degrees writes milli-degrees for people: "-0.5 °C".
func degrees(m int64) string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	s := fmt.Sprintf("%d.%03d", m/1000, m%1000)
	for strings.HasSuffix(s, "0") && !strings.HasSuffix(s, ".0") {
		s = s[:len(s)-1]
	}
	return sign + s + " °C"
}

// String returns a band for people: "2.0 °C to 8.0 °C".
func (b Band) String() string { return degrees(b.Min) + " to " + degrees(b.Max) }

// Lines returns an assessment for people.
func (a Assessment) Lines(p Profile) []string {
	if a.From.IsZero() {
		return append([]string{"condition: " + p.Condition(a)}, a.Reasons...)
	}
	list := []string{
		"condition: " + p.Condition(a),
		fmt.Sprintf("from %s to %s: %s", day(a.From), day(a.To), duration(a.To.Unix()-a.From.Unix())),
	}
	for i, seconds := range a.Bands {
		name, most := fmt.Sprintf("band %d", i+1), ""
		if len(a.Bands) == len(p.Bands) {
			if name = p.Bands[i].String(); p.Bands[i].Minutes != nil {
				most = " of at most " + duration(*p.Bands[i].Minutes*60)
			}
		}
		list = append(list, name+": "+duration(seconds)+most)
	}
	list = append(list, "outside all bands: "+duration(a.Out), "unknown: "+duration(a.Unknown))
	if a.Seen {
		list = append(list, "lowest "+degrees(a.Min)+", highest "+degrees(a.Max))
	}
	for _, g := range a.Gaps {
		list = append(list, fmt.Sprintf("gap from %s to %s: %s", day(g.From), day(g.To), duration(g.seconds())))
	}
	if a.MoreGaps > 0 {
		list = append(list, fmt.Sprintf("further gaps: %d", a.MoreGaps))
	}
	for _, r := range a.Reasons {
		list = append(list, "reason: "+r)
	}
	return list
}

// The JSON of an assessment: times are "2026-03-01T09:30:00Z", durations seconds, temperatures
// milli-degrees Celsius, gaps pairs of times. All members are always there.
type wireAssessment struct {
	From     string      `json:"from"`
	To       string      `json:"to"`
	Bands    []int64     `json:"bands"`
	Out      int64       `json:"out"`
	Unknown  int64       `json:"unknown"`
	Longest  int64       `json:"longest"`
	Gaps     [][2]string `json:"gaps"`
	MoreGaps int64       `json:"moreGaps"`
	Seen     bool        `json:"seen"`
	SeenOut  bool        `json:"seenOut"`
	Min      int64       `json:"min"`
	Max      int64       `json:"max"`
	Starts   int64       `json:"starts"`
	Ends     int64       `json:"ends"`
	Doubts   []string    `json:"doubts"`
	Reasons  []string    `json:"reasons"`
}

var wireMembers = strings.Fields("from to bands out unknown longest gaps moreGaps seen seenOut min max starts ends doubts reasons")

// MarshalJSON returns an assessment as JSON, as it travels with a shipment.
func (a Assessment) MarshalJSON() ([]byte, error) {
	w := wireAssessment{"", "", a.Bands, a.Out, a.Unknown, a.Longest, [][2]string{}, a.MoreGaps, a.Seen, a.SeenOut, a.Min, a.Max, a.Starts,
		a.Ends, a.Doubts, a.Reasons}
	if !a.From.IsZero() {
		w.From, w.To = stamp(a.From), stamp(a.To)
	}
	for _, g := range a.Gaps {
		w.Gaps = append(w.Gaps, [2]string{stamp(g.From), stamp(g.To)})
	}
	if w.Bands == nil {
		w.Bands = []int64{}
	}
	if w.Doubts == nil {
		w.Doubts = []string{}
	}
	if w.Reasons == nil {
		w.Reasons = []string{}
	}
	return json.Marshal(w)
}

// UnmarshalJSON is ParseAssessment.
func (a *Assessment) UnmarshalJSON(data []byte) error {
	parsed, err := ParseAssessment(data)
	if err == nil {
		*a = parsed
	}
	return err
}

// The bounds of an assessment that is read: seconds of a hundred years, and texts.
const (
	maxSeconds = maxMinutes * 60
	maxReasons = 2*MaxGaps + MaxBands + 10
)

// ParseAssessment reads what MarshalJSON wrote. It refuses unknown and missing members, members
// that occur twice, fractions, and numbers that cannot belong together.
func ParseAssessment(data []byte) (Assessment, error) {
	a, err := parseAssessment(data)
	if err != nil {
		return Assessment{}, fmt.Errorf("temperature assessment: %w", err)
	}
	return a, nil
}

func parseAssessment(data []byte) (a Assessment, err error) {
	if len(data) > 1<<20 {
		return a, errors.New("it has more than 1048576 bytes")
	}
	t, root, err := parse(string(data), nil)
	if err != nil {
		return a, err
	}
	if err := t.members(root, wireMembers, nil); err != nil {
		return a, err
	}
	from, to := root.get("from"), root.get("to")
	if a.From, err = t.stamp(from); err != nil {
		return a, err
	}
	if a.To, err = t.stamp(to); err != nil {
		return a, err
	}
	for _, m := range []struct {
		name      string
		low, high int64
		to        *int64
	}{{"out", 0, maxSeconds, &a.Out}, {"unknown", 0, maxSeconds, &a.Unknown}, {"longest", 0, maxSeconds, &a.Longest},
		{"moreGaps", 0, MaxReadings, &a.MoreGaps}, {"min", lowest, highest, &a.Min}, {"max", lowest, highest, &a.Max},
		{"starts", -1, MaxBands, &a.Starts}, {"ends", -1, MaxBands, &a.Ends}} {
		if *m.to, err = t.integer(root, m.name, m.low, m.high); err != nil {
			return a, err
		}
	}
	for name, to := range map[string]*bool{"seen": &a.Seen, "seenOut": &a.SeenOut} {
		n := root.get(name)
		if n.kind != 'b' {
			return a, t.errorf(n, "%s is not true or false", name)
		}
		*to = n.text != ""
	}
	bands := root.get("bands")
	if bands.kind != '[' || len(bands.kids) > MaxBands {
		return a, t.errorf(bands, "bands is not a list of at most %d numbers", MaxBands)
	}
	for _, n := range bands.kids {
		v, err := t.integer(&node{kind: '{', keys: []string{"bands"}, kids: []*node{n}, end: n.end}, "bands", 0, maxSeconds)
		if err != nil {
			return a, err
		}
		a.Bands = append(a.Bands, v)
	}
	if a.Gaps, err = t.gaps(root.get("gaps")); err != nil {
		return a, err
	}
	if a.Doubts, err = t.texts(root.get("doubts"), MaxGaps); err != nil {
		return a, err
	}
	if a.Reasons, err = t.texts(root.get("reasons"), maxReasons); err != nil {
		return a, err
	}
	if wrong := a.inconsistent(); wrong != "" {
		return a, t.errorf(root, "%s", wrong)
	}
	return a, nil
}

// inconsistent says what of an assessment cannot belong together, "" if all does.
func (a Assessment) inconsistent() string {
	total := a.Out + a.Unknown
	for _, seconds := range a.Bands {
		total += seconds
	}
	bands := int64(len(a.Bands))
	switch {
	case a.From.IsZero() != a.To.IsZero() || a.To.Before(a.From):
		return "from and to do not belong together"
	case a.From.IsZero() && total != 0, total < a.To.Unix()-a.From.Unix():
		return "the seconds do not add up to the time from from to to"
	case a.Min > a.Max, !a.Seen && (a.Min != 0 || a.Max != 0 || a.SeenOut):
		return "min and max do not belong together, or nothing was seen"
	case a.Starts > bands, a.Ends > bands:
		return "starts or ends is no band"
	case (a.Longest > 0) != (a.Unknown > 0) && bands > 0 && len(a.Doubts) == 0, a.Longest > a.Unknown, len(a.Gaps) > 0 && a.Unknown == 0:
		return "the gaps and the unknown time do not belong together"
	}
	return ""
}

// stamp reads a time that stamp wrote, or zero.
func (t *tree) stamp(n *node) (time.Time, error) {
	if n.kind == '"' && n.text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", n.text)
	if n.kind != '"' || err != nil || stamp(at) != n.text || at.Year() < 1970 {
		return at, t.errorf(n, "%q is no time such as 2026-03-01T09:30:00Z", short(n.text))
	}
	return at, nil
}

func (t *tree) gaps(n *node) (list []Gap, err error) {
	if n.kind != '[' || len(n.kids) > MaxGaps {
		return nil, t.errorf(n, "gaps is not a list of at most %d pairs of times", MaxGaps)
	}
	for _, pair := range n.kids {
		if pair.kind != '[' || len(pair.kids) != 2 {
			return nil, t.errorf(pair, "a gap is not a pair of times")
		}
		var g Gap
		if g.From, err = t.stamp(pair.kids[0]); err != nil {
			return nil, err
		}
		if g.To, err = t.stamp(pair.kids[1]); err != nil {
			return nil, err
		}
		if g.From.IsZero() || !g.To.After(g.From) {
			return nil, t.errorf(pair, "a gap does not end after it starts")
		}
		list = append(list, g)
	}
	return list, nil
}

func (t *tree) texts(n *node, most int) (list []string, err error) {
	if n.kind != '[' || len(n.kids) > most {
		return nil, t.errorf(n, "this is not a list of at most %d texts", most)
	}
	for _, s := range n.kids {
		if s.kind != '"' || len(s.text) > 1000 {
			return nil, t.errorf(s, "this is not a text of at most 1000 bytes")
		}
		list = append(list, s.text)
	}
	return list, nil
}

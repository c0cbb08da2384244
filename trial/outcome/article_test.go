package outcome

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseArticle(t *testing.T) {
	one := func(level, measure string, frame ...string) Outcome {
		o := outcomeOf(measure)
		o.Level = level
		for i, s := range frame {
			if i == 0 {
				o.TimeFrame = s
			} else {
				o.Description = s
			}
		}
		return o
	}
	switched := []Outcome{one("primary", "Sleep at 12 weeks"), one("secondary", "Pain (NRS) at 12 weeks"), one("secondary",
		"Quality of life")}
	framed := []Outcome{one("primary", "Sleep", "12 weeks"), one("secondary", "Pain, NRS", "12 weeks")}
	for _, c := range []struct {
		name, in string
		want     []Outcome
	}{
		{"lines", "primary: stroke at 90 days\n\nSecondary outcome: quality of life\r\nother: Pain: worst in the day\n",
			[]Outcome{one("primary", "stroke at 90 days"), one("secondary", "quality of life"), one("other", "Pain: worst in the day")}},
		{"headings", "Primary outcome\n- Sleep at 12 weeks\nSecondary outcomes\n- Pain (NRS) at 12 weeks\n- Quality of life\n", switched},
		{"headings of Markdown", "# Primary Outcome Measure(s)\n\nSleep at 12 weeks\n\n## **Key secondary end points:**\n* Pain (NRS) " +
			"at 12 weeks\n* Quality of life", switched},
		{"old line ends", "\ufeffPRIMARY OUTCOMES\rSleep at 12 weeks\rSECONDARY OUTCOMES\rPain (NRS) at 12 weeks\rQuality of life",
			switched},
		{"the registry's print", "Primary Outcome Measures:\n1. Sleep at 12 weeks\n\nSecondary Outcome Measures:\n1. Pain (NRS) at 12 " +
			"weeks\n2. Quality of life\n", switched},
		{"its time frames", "Primary Outcome Measures:\n1. Sleep [Time Frame: 12 weeks]\nSecondary Outcome Measures:\n1. Pain, NRS\n   " +
			"[Time Frame: 12 weeks]", framed},
		{"its descriptions", "Primary Outcome Measures:\n1. Sleep [ Time Frame: 12 weeks ]\nAs the diary has it.\nEach day.\n2. Pain " +
			"[Time Frame: 4 weeks]", []Outcome{one("primary", "Sleep", "12 weeks", "As the diary has it. Each day."), one("primary",
			"Pain", "4 weeks")}},
		{"its table", "Primary Outcome Measures\nOutcome Measure\tMeasure Description\tTime Frame\nSleep\tdiary\t12 weeks\nSecondary " +
			"Outcome Measures\n1. Pain", []Outcome{one("primary", "Sleep", "12 weeks", "diary"), one("secondary", "Pain")}},
		{"semicolons", "Primary outcome: Sleep at 12 weeks\nSecondary outcomes: Pain (NRS) at 12 weeks; and Quality of life", switched},
		{"semicolons within", "primary: Sleep (0-10; 10 is best); measured by diary", []Outcome{one("primary",
			"Sleep (0-10; 10 is best); measured by diary")}},
		{"co-primary", "Co-primary outcomes: Sleep at 12 weeks; Pain at 12 weeks\nThe co-primary endpoint 3: Falls",
			[]Outcome{one("primary", "Sleep at 12 weeks"), one("primary", "Pain at 12 weeks"), one("primary", "Falls")}},
		{"numbers", "Primary outcome 1: Sleep at 12 weeks\nSecondary outcome 1 - Pain (NRS) at 12 weeks\nSecondary outcome #2: Quality " +
			"of life", switched},
		{"brackets", "Sleep at 12 weeks (primary)\n[secondary outcome] Pain (NRS) at 12 weeks\nQuality of life (secondary outcome).",
			switched},
		{"prose", "The primary outcome was Sleep at 12 weeks. Key secondary outcomes were Pain (NRS) at 12 weeks; Quality of life.",
			switched},
		{"a measure that begins with a level", "Primary outcomes\nPrimary patency at 12 months", []Outcome{one("primary",
			"Primary patency at 12 months")}},
		{"not stated", "not stated: stroke", []Outcome{one("", "stroke")}},
		{"time points", "primary: pain at 6 and 12 weeks", []Outcome{one("primary", "pain at 6 weeks"), one("primary",
			"pain at 12 weeks")}},
		{"CSV", "level,measure,time frame\nprimary,Sleep,12 weeks\r\n\nSecondary outcome,\"Pain, NRS\",12 weeks\n", framed},
		{"semicolons as in Excel", "\ufeffOutcome type;Outcome measure;Time frame\nPrimary;Sleep;12 weeks\nSecondary;Pain, NRS;12 weeks",
			framed},
		{"tabs", "Time point\tLevel\tTitle\n12 weeks\tprimary\tSleep\n12 weeks\tsecondary\tPain, NRS", framed},
		{"pipes", "| Level | Outcome | Time frame |\n|---|---|---|\n| primary | Sleep | 12 weeks |\n| secondary | Pain, NRS | 12 weeks |",
			framed},
		{"objects", `[{"level":"secondary","measure":"falls","timeFrame":"weeks 4 and 8"}]`, []Outcome{one("secondary", "falls",
			"4 weeks"), one("secondary", "falls", "8 weeks")}},
		{"lists", `{"primary":[{"measure":"Sleep","timeFrame":"12 weeks"}],"secondary":[{"title":"Pain, NRS","time_frame":"12 weeks","description":null}]}`, framed},
		{"the registry's JSON",
			`{"primaryOutcomes":[{"measure":"Sleep","timeFrame":"12 weeks"}],"secondaryOutcomes":[{"measure":"Pain, NRS","timeFrame":"12 weeks"}],"otherOutcomes":[]}`, framed},
		{"one of each", `{"primary_outcome":"Sleep at 12 weeks","secondary":["Pain (NRS) at 12 weeks",{"level":"secondary","outcome":"Quality of life"}]}`, switched},
		{"levels in objects", `{"outcomes":[{"type":"PRIMARY","measure":"pain"},{"measure":"falls","level":"not stated"}]}`,
			[]Outcome{one("primary", "pain"), one("", "falls")}},
	} {
		got, err := ParseArticle([]byte(c.in))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestParseArticleErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"not UTF-8", "pain \xff", "not UTF-8"},
		{"a PDF", "%PDF-1.7\nx", "a PDF"},
		{"empty", " \n\t", "empty"},
		{"too long", strings.Repeat("pain\n", 1<<18), "at most 1048576"},
		{"cut off", `["pain"`, "ends too early"},
		{"no JSON", `[{pain}]`, "read JSON"},
		{"more", `{"primary":["pain"]} ["falls"]`, "more follows"},
		{"number", `{"primary":[1]}`, "outcome 1 (line 1): read JSON"},
		{"unknown field", `{"primary":[{"measure":"pain","population":"all"}]}`, `unknown field "population"`},
		{"unknown list", `{"main":["pain"]}`, `"main" is not understood`},
		{"a registry's record", `{"protocolSection":{}}`, "an article's own list"},
		{"a list twice", `{"primary":["pain"],"primary":["falls"]}`, "twice"},
		{"unknown level", "[\n{\"measure\":\"pain\",\"level\":\"main\"}]",
			"(line 2): level is \"main\"; it is primary, secondary or other"},
		{"no level", "\n[\n\"pain\"]", "outcome 1 (line 3): no level"},
		{"level against list", `{"primary":[{"measure":"pain","level":"secondary"}]}`, "in the list of primary"},
		{"no measure", `{"primary":["pain", {"timeFrame":"6 weeks"}]}`, "outcome 2 (line 1): no measure"},
		{"no outcome", `[]`, "the list has none"},
		{"null", `[null]`, "no measure"},
		{"level alone", "primary:", "line 1: a level without an outcome"},
		{"heading alone", "Primary outcome\n\nSecondary outcomes\n- pain", "line 1: a level without an outcome"},
		{"a line without level", "\nprimary: pain\nfalls", `line 3: "falls" has no level`},
		{"prose without level", "We randomised 200 patients.", "line 1"},
		{"unknown heading", "Primary outcome\n- pain\nSafety outcomes\n- falls",
			`line 3: "Safety outcomes" is a heading or a level that is not understood`},
		{"main outcome", "Main outcome: pain", "line 1"}, {"a heading of two levels", "Primary and secondary outcomes:\n- pain",
			"line 1"}, {"a level with more", "Primary outcome (amended): pain", "line 1"},
		{"a list with commas", "Secondary outcomes: pain, sleep and falls", "line 1: one outcome or several?"}, {"a list in prose",
			"Secondary outcomes were pain and sleep.", "line 1: one outcome or several?"},
		{"one and several", "Primary outcome: pain; sleep", "line 1: one outcome or several?"}, {"two sentences",
			"The primary outcome was pain. Sleep was measured too.", "line 1: more than one sentence"},
		{"level without colon", "primary, pain, 12 weeks", "line 1"}, {"columns without names",
			"primary,pain,12 weeks\nsecondary,falls,12 weeks", "line 1"},
		{"cells without names", "primary\tpain\t12 weeks", "line 1"}, {"a table without levels", "measure,time frame\npain,12 weeks",
			"line 1"}, {"a row without level", "level,measure\nprimary,pain\n,falls", "line 3: level is"}, {"an unknown " +
			"column", "level,measure,population\nprimary,pain,all", `line 2: the column "population"`},
		{"too many columns", "level,measure\nprimary,pain,12 weeks", "line 2: 3 columns"}, {"open quotes",
			"level,measure\nprimary,\"pain", "line 2"},
		{"a time frame of nothing", "Primary outcome\n[Time Frame: 12 weeks]", "line 2: a time frame without an outcome"},
		{"long line", "primary: falls\nprimary: " + strings.Repeat("1h ", 4000), "line 2: 11999 bytes"},
		{"long measure", `{"primary":["` + strings.Repeat("p", 10_001) + `"]}`, "outcome 1 (line 1): 10001 bytes"},
		{"too many", "Primary outcomes\n" + strings.Repeat("p\n", 10_001), "more than 10000"},
	} {
		got, err := ParseArticle([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %d outcomes, error %v; want one with %q", c.name, len(got), err, c.want)
		}
	}
}

// TestHeadingsNotUnderstood: a line that names a level or a group and is not understood is not an
// outcome, and the lines after it do not have the level before it.
func TestHeadingsNotUnderstood(t *testing.T) {
	for _, x := range []string{"Secondary efficacy analyses", "Safety", "SECONDARY ENDPOINTS (exploratory)", "Exploratory", "Secondary",
		"Tertiary analyses", "Additional analyses", "Other", "Others",
		"Post hoc", "Post-hoc analyses", "- Safety and tolerability", "## Safety", "**Key secondary efficacy**", "1. Exploratory " +
			"analyses", "Other secondary efficacy measures at 12 weeks", "Pre-specified secondary analyses",
		"Efficacy (secondary)x (exploratory analyses)", "Analyses of secondary endpoints (all patients)", "falls; Secondary efficacy " +
			"analyses", "falls; secondary: fractures"} {
		in := "Primary outcomes:\nsleep\n" + x + "\npain intensity at 12 weeks"
		list, err := ParseArticle([]byte(in))
		understood := err == nil && len(list) > 1 && list[len(list)-1].Level != "primary"
		if !understood && (err == nil || !strings.Contains(err.Error(), "line 3: ")) {
			t.Errorf("%q: %+v, %v", x, list, err)
		}
	}
	for _, x := range []string{"Primary patency at 12 months", "Participants with other infections", "Drug safety score",
		"primary: Secondary infections", "Number of additional doses"} {
		if _, err := ParseArticle([]byte("Primary outcomes:\nsleep\n" + x)); err != nil {
			t.Errorf("%q: %v", x, err)
		}
	}
	for _, in := range []string{"primary: none", "primary: none; pain", "primary: pain; none.", "Primary outcomes:\nNone", "primary: N/A",
		"primary: not reported", `{"primary":["none"]}`, "level,measure\nprimary,none"} {
		if list, err := ParseArticle([]byte(in)); err == nil || !strings.Contains(err.Error(), "is not an outcome") ||
			!strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %+v, %v", in, list, err)
		}
	}
}

func FuzzParseArticle(f *testing.F) {
	for _, s := range []string{"primary: pain at 6 and 12 weeks", "Primary outcomes\n1. a [Time Frame: 1 day]\nb; c (d; e)",
		"level,measure\nprimary,\"a, b\"", "|level|outcome|\n|primary|a|", "The primary outcome was a. Secondary outcomes were b; " +
			"c.", `["a",{"measure":"b","timeFrame":"week 4, 8 to 12"}]`, `{"primary":["x"]}`,
		"day 1 to day 28 0-24h", "İ baseline, week 4, 8", "AUC 0 - 336h (a [B] c)", "1e9 weeks, 3.4.5 days"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseArticle(data)
		if (err == nil) != (len(list) > 0) {
			t.Fatalf("%d outcomes and error %v", len(list), err)
		}
		for i, o := range list {
			if i == 20 {
				break
			}
			if o.Measure == "" || !utf8.ValidString(o.Measure+o.TimeFrame) {
				t.Fatalf("outcome %+v", o)
			}
			if len(o.Measure) > 2000 {
				continue
			}
			if s := Similarity(o, list[0]); s != Similarity(list[0], o) || !(s >= 0 && s <= 1) {
				t.Fatalf("similarity %v of %+v and %+v", s, o, list[0])
			}
			if TimeFrames(o, o) == Contradicting {
				t.Fatalf("%+v contradicts itself", o)
			}
		}
	})
}

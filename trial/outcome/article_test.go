package outcome

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseArticle(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []ArticleOutcome
	}{
		{"lines", "primary: stroke at 90 days\n\nSecondary outcome: quality of life\r\nPain: worst in the day\n", []ArticleOutcome{
			{"primary", Text{Measure: "stroke at 90 days"}}, {"secondary", Text{Measure: "quality of life"}}, {"", Text{Measure: "Pain: worst in the day"}}}},
		{"time points", "primary: pain at 6 and 12 weeks", []ArticleOutcome{
			{"primary", Text{Measure: "pain at 6 weeks"}}, {"primary", Text{Measure: "pain at 12 weeks"}}}},
		{"strings", `["stroke", "falls"]`, []ArticleOutcome{{"", Text{Measure: "stroke"}}, {"", Text{Measure: "falls"}}}},
		{"objects", `[{"level":"secondary","measure":"falls","timeFrame":"weeks 4 and 8"}]`, []ArticleOutcome{
			{"secondary", Text{Measure: "falls", TimeFrame: "4 weeks"}}, {"secondary", Text{Measure: "falls", TimeFrame: "8 weeks"}}}},
		{"levels", `{"secondary":["falls"],"primary":["stroke"],"outcomes":[{"measure":"pain","level":"other"}]}`, []ArticleOutcome{
			{"primary", Text{Measure: "stroke"}}, {"secondary", Text{Measure: "falls"}}, {"other", Text{Measure: "pain"}}}},
		{"mark of UTF-8", "\ufeffstroke", []ArticleOutcome{{"", Text{Measure: "stroke"}}}},
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
		{"empty", " \n\t", "empty"},
		{"too long", strings.Repeat("pain\n", 1<<18), "at most 1048576"},
		{"cut off", `["pain"`, "ends too early"},
		{"no JSON", `[pain]`, "read JSON"},
		{"more", `["pain"] ["falls"]`, "more follows"},
		{"number", `[1]`, "outcome 1: read JSON"},
		{"unknown field", `[{"measure":"pain","time":"6 weeks"}]`, `unknown field "time"`},
		{"unknown list", `{"tertiary":["pain"]}`, `unknown field "tertiary"`},
		{"unknown level", `[{"measure":"pain","level":"main"}]`, "it is primary, secondary or other"},
		{"level against list", `{"primary":[{"measure":"pain","level":"secondary"}]}`, "in the list of primary"},
		{"no measure", `["pain", {"timeFrame":"6 weeks"}]`, "outcome 2: no measure"},
		{"no outcome", `[]`, "holds none"},
		{"null", `[null]`, "no measure"},
		{"level alone", "primary:", "line 1: a level and no outcome"},
		{"long line", "falls\n" + strings.Repeat("1h ", 4000), "line 2: 11999 bytes"},
		{"long measure", `["` + strings.Repeat("p", 10_001) + `"]`, "outcome 1: 10001 bytes"},
		{"too many", strings.Repeat("p\n", 10_001), "more than 10000"},
	} {
		got, err := ParseArticle([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %d outcomes, error %v; want one with %q", c.name, len(got), err, c.want)
		}
	}
}

func FuzzParseArticle(f *testing.F) {
	for _, s := range []string{"primary: pain at 6 and 12 weeks", `["a",{"measure":"b","timeFrame":"week 4, 8 to 12"}]`, `{"primary":["x"]}`,
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
			if s := Similarity(o.Text, list[0].Text); s != Similarity(list[0].Text, o.Text) || !(s >= 0 && s <= 1) {
				t.Fatalf("similarity %v of %+v and %+v", s, o.Text, list[0].Text)
			}
			if TimeFrames(o.Text, o.Text) == Contradicting {
				t.Fatalf("%+v contradicts itself", o.Text)
			}
		}
	})
}

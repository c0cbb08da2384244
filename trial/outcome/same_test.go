package outcome

import "testing"

// TestNotSameWords: pairs that mean different things, and differ only in a sign, a number, a
// letter or the order of times.
func TestNotSameWords(t *testing.T) {
	for _, c := range [][2]string{
		{"Grade Ⅲ-Ⅳ toxicity", "Grade Ⅰ-Ⅱ toxicity"}, {"Reduction by ½", "Reduction by ¼"}, {"Domain ① score", "Domain ② score"},
		{"lipoprotein(a)", "lipoprotein"}, {"Lp(a)", "Lp"}, {"vitamin a", "vitamin"}, {"Vitamin a level", "Vitamin level"},
		{"change of .5 points", "change of 5 points"}, {"ratio 0·5", "ratio 0 5"}, {"T-score below - 2.5", "T-score below 2.5"},
		{"Pain [4 weeks after surgery and 12 weeks after discharge]", "Pain [12 weeks after surgery and 4 weeks after discharge]"},
		{"Pain [Day -1]", "Pain [Day 1]"}, {"Pain [Day -28 to Day 0]", "Pain [Day 28 to Day 0]"},
		{"HER2(-)", "HER2"}, {"CD4–", "CD4"}, {"5‰", "5"}, {"loss of 5％", "loss of 5"}, {"score ‹50", "score ›50"}, {"A<b and b>c", "Ac"},
		{"Pain [5 years]", "Pain [1800 days]"},
		// Of the same kinds.
		{"Stage Ⅳ", "Stage"}, {"1½ tablets", "1 tablets"}, {"Hepatitis a", "Hepatitis"}, {"Influenza a virus",
			"Influenza virus"}, {"Apolipoprotein (a) and B", "Apolipoprotein and B"},
		{"Ratio 1:2", "Ratio 1 2"}, {"dose of 1,5 mg", "dose of 1 5 mg"}, {"120/80", "120 80"}, {"mg/kg", "mg kg"}, {"CYP2D6*4",
			"CYP2D6 4"},
		{"Pain [week -2]", "Pain [week 2]"}, {"Pain at day -7", "Pain at day 7"}, {"Change [-5 to 5]", "Change [5 to 5]"}, {"Pain, day-1",
			"Pain, day 1"},
		{"ER - patients", "ER patients"}, {"Rh(−) mothers", "Rh mothers"}, {"CD4—", "CD4"}, {"A<b>c", "Ac"}, {"p<i and i>q", "pq"},
		{"10⁻⁹", "10⁹"}, {"10<sub>2</sub>", "102"}, {"10₂", "10²"}, {"CD4⁺", "CD4"}, {"«50", "»50"}, {"5′", "5"}, {`height 5"`,
			"height 5"}, {"10 μ/L", "10 U/L"},
		{"Pain [12 months]", "Pain [365 days]"}, {"Pain [1 month]", "Pain [30 days]"}, {"Pain [2 years]",
			"Pain [104 weeks]"}, {"Pain [3 months]", "Pain [90 days]"}, {"Pain [6 months]", "Pain [24 weeks]"},
		{"Pain [1 year 6 months]", "Pain [1 year, 6 months]"}, {"Pain [Cycle 7 day 1]", "Pain [Cycle 1 week 1]"}, {"Pain [4 or 12 weeks]",
			"Pain [4 and 12 weeks]"},
		{"Pain [.5 years]", "Pain [5 years]"}, {"Pain [½ year]", "Pain [1 year]"}, {"Pain [1½ years]",
			"Pain [1 years]"}, {"Pain [>12 weeks]", "Pain [12 weeks]"}, {"Pain [4–12 weeks]", "Pain [4, 12 weeks]"},
		{"Pain [12 weeks after surgery]", "Pain [12 weeks]"}, {"Baseline pain [Baseline, week 12]",
			"Baseline pain [week 12]"}, {"Deaths after THE", "Deaths after"}, {"A => B", "A ≥ B"}, {"x = y̸", "x = y"},
		{"Pain [week 4, 8 weeks after surgery]", "Pain [week 8, 4 weeks after surgery]"}, {"Score ٣", "Score ٤"}, {"Score?",
			"Score"}, {"# 5", "5 of"}, {"0,125 mg", "125 mg"},
	} {
		a, b := outcomeOf(c[0]), outcomeOf(c[1])
		if SameWords(a, b) || SameWords(b, a) || SameWords(Outcome{Measure: "x", Description: c[0]}, Outcome{Measure: "x",
			Description: c[1]}) && a.TimeFrame == "" {
			t.Errorf("%q and %q are in the same words", c[0], c[1])
		}
		for _, x := range SplitTimePoints(a) {
			for _, y := range SplitTimePoints(b) {
				if SameWords(x, y) && c != [2]string{"Pain [4–12 weeks]", "Pain [4, 12 weeks]"} &&
					c != [2]string{"Pain [1 year 6 months]", "Pain [1 year, 6 months]"} {
					t.Errorf("%q and %q, split: %+v and %+v are in the same words", c[0], c[1], x, y)
				}
			}
		}
	}
}

// TestSameTimes: times that are written differently and are the same by the published list.
func TestSameTimes(t *testing.T) {
	for _, c := range [][2]string{
		{"1 year", "52 weeks"}, {"3 months", "13 weeks"}, {"9 months", "week 39"}, {"24h", "1 day"}, {"90 minutes",
			"1.5 hours"}, {"18 months", "1.5 years"},
		{"weeks 4, 8 and 12", "4, 8 and 12 weeks"}, {"week 4, week 8, week 12", "weeks 4, 8, 12"}, {"at week 4 and at week 8",
			"4 and 8 weeks"}, {"24-26 weeks", "24 to 26 weeks"}, {"Day 1 to Day 28", "day 1-28"},
		{"up to 12 weeks", "up to 84 days"}, {"4 weeks after surgery and 12 weeks after discharge",
			"day 28 after surgery and day 84 after discharge"}, {"Day -7", "day −7"},
	} {
		if a, b := (Outcome{Measure: "Pain", TimeFrame: c[0]}), (Outcome{Measure: "Pain", TimeFrame: c[1]}); !SameWords(a, b) ||
			!SameWords(b, a) {
			t.Errorf("%q and %q are not the same: %v, %v", c[0], c[1], frameMarks(c[0]), frameMarks(c[1]))
		}
	}
	for _, s := range []string{"<b>Pain</b>", "<span class=\"x\">Pain</span>", "Pain<br>", "&lt;i&gt;Pain&lt;/i&gt;", "- Pain", "“Pain”",
		"The pain"} {
		if !SameWords(Outcome{Measure: s}, Outcome{Measure: "Pain"}) {
			t.Errorf("%q is not Pain: %v", s, marks(s))
		}
	}
	if !SameWords(Outcome{Measure: "Participants with a response - ACR50, in μmol"},
		Outcome{Measure: "participants with response (ACR50); in µmol"}) {
		t.Error("an article, a dash or a letter is taken for a difference")
	}
}

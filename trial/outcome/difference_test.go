package outcome

import (
	"strings"
	"testing"
)

// outcomeOf reads "measure [time frame]".
func outcomeOf(s string) Outcome {
	measure, frame, _ := strings.Cut(strings.TrimSuffix(s, "]"), " [")
	return Outcome{Measure: measure, TimeFrame: frame}
}

// TestSameWords: what differs in nothing but case, punctuation, HTML, escaping, units
// of time and the published list is in the same words.
func TestSameWords(t *testing.T) {
	for _, c := range [][2]string{
		{"Overall survival", "overall  survival."}, {"Change in FEV<sub>1</sub> (L) &ge; 12% [12 weeks]",
			"Change in FEV1 (L) ≥ 12% [week 12]"}, {"HbA1c &lt; 7%", `HbA1c \< 7 %`}, {"Score &amp;lt;&#x2F;= 2", `score \</= 2`},
		{"Relapse [Day 28]", "Relapse [4 weeks]"}, {"Pain [1 year]", "Pain [12 months]"}, {"Pain at 12 weeks",
			"Pain [12 weeks]"}, {"Pain (week 12)", "Pain [12 weeks]"}, {"Pain, at week 12 [week 12]", "Pain [12 weeks]"}, {"Pain [6 " +
			"months]", "Pain [26 weeks]"},
		{"Follow-up haemoglobin", "Follow up hemoglobin"}, {"non-fatal stroke", "nonfatal stroke"}, {"The tumour response",
			"Tumor response"}, {"Progression-free survival (PFS)", "Progression free survival"}, {"Percent of participants, 1,000 " +
			"steps", "per cent of participants: 1000 steps"},
		{"One-year survival", "1-year survival"}, {"50mg dose", "50 mg dose"}, {"Change in pain [Baseline, 12 weeks]",
			"Change in pain [week 12]"}, {"Reduction of at least 50%", "Reduction of ≥50 percent"}, {"Café-au-lait spots", "Cafe au " +
			"lait spots"}, {"Cells, 10<sup>9</sup>/L", "Cells, 10⁹/L"},
	} {
		for _, p := range [][2]string{c, {c[1], c[0]}} {
			if !SameWords(outcomeOf(p[0]), outcomeOf(p[1])) {
				class, why := Differences(outcomeOf(p[0]), outcomeOf(p[1]))
				t.Errorf("%q and %q are not in the same words: %s %q", p[0], p[1], class, why)
			}
		}
	}
}

// TestDifferences tells outcomes that are alike and not one: none is in the same
// words, and what differs is named.
func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		earlier, later string
		class          Class // "": any but the same words
		why            string
	}{
		{"All-cause mortality", "Cardiovascular mortality", Replaced, `"All-cause" against "Cardiovascular"`},
		{"Time to death from any cause", "Time to death from cardiovascular causes", Replaced, "another cause"},
		{"Relapse rate in the intention-to-treat population", "Relapse rate in the per-protocol population", Replaced,
			"another population"},
		{"MACE", "Major adverse cardiac events (MACE)", Reworded, "abbreviation"},
		{"Self-reported smoking abstinence", "Biochemically verified smoking abstinence", Replaced, "another source"},
		{"Overall survival", "Overall survival in PD-L1 positive participants", Narrowed, `"in PD-L1 positive participants"`},
		{"Overall survival in women", "Overall survival", Broadened, "a part of the participants"},
		{"Response in men", "Response in women", Replaced, "another sex"},
		{"Adverse events", "Adverse events in patients with diabetes", Narrowed, "participants"},
		{"Number of participants with adverse events", "Number of participants without adverse events", Replaced,
			`"with" against "without"`},
		{"Progression", "No progression", Replaced, "denies"}, {"Patients who relapse", "Patients who did not relapse", Replaced, "denies"},
		{"Depression, Hamilton scale (HAM-D)", "Depression, Montgomery-Asberg scale (MADRS)", Replaced, "another instrument"},
		{"Pain (VAS)", "Pain (NRS)", Replaced, "another instrument"}, {"Quality of life (SF-36)", "Quality of life (EQ-5D)", Replaced,
			"another instrument"},
		{"Reduction of at least 50%", "Reduction of at least 30%", Replaced, `"50" against "30"`}, {"PASI 90 response",
			"PASI 75 response", Replaced, "90"}, {"PASI90", "PASI75", Replaced, "75"}, {"HbA1c < 7%", "HbA1c > " +
			"7%", Replaced, `"<" against ">"`},
		{"Temperature above 38.5", "Temperature above 385", Replaced, "38.5"}, {"T-score < -2.5", "T-score < 2.5", "",
			"-"}, {"Cells, 10<sup>2</sup>", "Cells, 102", "", "102"},
		{"Pain [12 weeks]", "Pain [12 months]", Replaced, "contradict"}, {"Pain [1 month]", "Pain [4 weeks]", Replaced,
			"contradict"}, {"Pain [12 weeks]", "Pain", Reworded, "only the earlier one states such a time"}, {"Pain", "Pain at 6 " +
			"weeks", Reworded, "only the later one"},
		{"Pain [12 weeks]", "Pain [up to 12 weeks]", Reworded, "other words"}, {"Pain [12 weeks after randomisation]",
			"Pain [12 weeks after surgery]", Reworded, "surgery"}, {"Pain [Baseline, 12 weeks]", "Pain [12 weeks]", Reworded, "other " +
			"words"},
		{"Serious adverse events", "Adverse events", Broadened, "Serious"}, {"Adverse events", "Serious adverse events", Narrowed,
			"Serious"}, {"Myocardial infarction", "Fatal myocardial infarction", Narrowed, "Fatal"}, {"SAE", "Adverse events", "", "SAE"},
		{"Death, MI or stroke", "Death, MI, stroke or revascularization", Broadened, "revascularization"}, {"Death, MI or stroke",
			"Death or stroke", Narrowed, "MI"}, {"Mortality", "Mortality or transfer to intensive care", Broadened, "transfer"},
		{"Time to relapse", "Relapse rate", Replaced, "another statistic"}, {"Change from baseline in pain", "Pain", Reworded,
			"a change"}, {"Severe hypoglycaemia", "Hypoglycaemia", Broadened, "Severe"},
		{"ORR by blinded independent central review", "ORR by investigator assessment", Replaced,
			"another reader"}, {"Left ventricular ejection fraction", "Right ventricular ejection fraction", Replaced, "another " +
			"side"}, {"Pain at rest", "Pain on movement", Replaced, "another state"},
		{"Maternal mortality", "Neonatal mortality", Replaced, "another person"}, {"First relapse", "Total relapses", Replaced,
			"another order"}, {"Seizure freedom", "Seizure frequency", Replaced, ""}, {"CD4+ count", "CD4- count", Replaced, "another " +
			"sign"}, {"HER2- patients", "HER2 patients", "", "-"},
		{"HFH", "Hospitalization for heart failure", Reworded, "abbreviation"}, {"28-day mortality", "Mortality [28 days]", Reworded,
			"28-day"}, {"Weight loss ≥ 5%", "Weight loss", Broadened, "5"},
		{"Hepatitis A antibodies", "Hepatitis antibodies", "", "A"}, {"Atypical response", "A typical response", "",
			"typical"}, {"Asymptomatic infection", "A symptomatic infection", "", "symptomatic"}, {"Complete " +
			"response", "Response", Broadened, ""}, {"AUC0-24", "AUC0-72", Replaced, "72"}, {"Systolic blood pressure", "Diastolic " +
			"blood pressure", Replaced, "pressure"},
	} {
		class, why := Differences(outcomeOf(c.earlier), outcomeOf(c.later))
		if back, _ := Differences(outcomeOf(c.later), outcomeOf(c.earlier)); back == EqualWords || class == EqualWords || c.class != "" &&
			class != c.class || !strings.Contains(strings.Join(why, ", "), c.why) {
			t.Errorf("%q, later %q: %s %q; back %s; want %s %q", c.earlier, c.later, class, why, back, c.class, c.why)
		}
	}
}

// TestDescriptions: a description that both have is a part of the words.
func TestDescriptions(t *testing.T) {
	a := Outcome{Measure: "Responders", Description: "At least 50% less pain"}
	for b, want := range map[string]Class{"≥ 50 % less pain.": EqualWords, "": EqualWords, "At least 30% less pain": Replaced,
		"By diary": Reworded} {
		if class, why := Differences(a, Outcome{Measure: "responders", Description: b}); class != want ||
			(class == EqualWords) != (len(why) == 0) {
			t.Errorf("%q: %s %q, want %s", b, class, why, want)
		}
	}
	long := strings.Repeat("pain ", 3000)
	if SameWords(Outcome{Measure: long + "left"}, Outcome{Measure: long + "right"}) || !SameWords(Outcome{Measure: long},
		Outcome{Measure: long}) {
		t.Error("texts of which not all is read are taken for the same")
	}
	if SameWords(Outcome{Measure: "Pain", Description: long + "left"}, Outcome{Measure: "Pain", Description: long + "right"}) {
		t.Error("descriptions of which not all is read are taken for the same")
	}
}

func FuzzDifferences(f *testing.F) {
	for _, s := range []string{"Pain at 12 weeks", "MACE", "Major adverse cardiac events (MACE)", "<b>10<sup>9</sup></b> &amp;lt; \\> −5",
		"pre- and post-dose (a [B] c)", "in women in women", "1,000,000.5 ±"} {
		f.Add(s, "Pain (NRS) in PD-L1 positive participants", "12 weeks")
	}
	f.Fuzz(func(t *testing.T, a, b, frame string) {
		if len(a)+len(b)+len(frame) > 2000 {
			return
		}
		x, y := Outcome{Measure: a, TimeFrame: frame}, Outcome{Measure: b}
		if !SameWords(x, x) && a != "" {
			t.Fatalf("%q is not in its own words", a)
		}
		class, why := Differences(x, y)
		if back, _ := Differences(y, x); (class == EqualWords) != (back == EqualWords) || (class == EqualWords) != (len(why) == 0) {
			t.Fatalf("%q and %q: %s %q, back %s", a, b, class, why, back)
		}
		if SameWords(x, y) && Read(x).Measure != Read(y).Measure {
			t.Fatalf("%q and %q are the same and have other keys", a, b)
		}
	})
}

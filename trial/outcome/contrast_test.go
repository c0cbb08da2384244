package outcome

import "testing"

// TestContrast tells outcomes that are alike and not one from those that are one.
func TestContrast(t *testing.T) {
	for _, c := range [][2]string{
		{"Serious adverse events", "Adverse events"}, {"SAE", "Adverse events"}, {"Death, MI or stroke", "Death, MI, stroke or revascularization"}, {"Mortality", "Mortality or transfer to intensive care"},
		{"Severe hypoglycaemia", "Hypoglycaemia"}, {"PASI 90 response", "PASI 75 response"}, {"PASI90", "PASI75"}, {"Weight loss of at least 10%", "Weight loss of at least 5%"},
		{"Myocardial infarction", "Fatal myocardial infarction"}, {"CIN 2 or worse", "CIN 3 or worse"}, {"Left ventricular ejection fraction", "Right ventricular ejection fraction"},
		{"ORR by blinded independent central review", "ORR by investigator assessment"}, {"Seizure freedom", "Seizure frequency"}, {"Pain at rest", "Pain on movement"},
		{"Maternal mortality", "Neonatal mortality"}, {"Complete response", "Response"}, {"AUC0-24", "AUC0-72"},
	} {
		for _, p := range [][2]string{c, {c[1], c[0]}} {
			if Contrast(Text{Measure: p[0]}, Text{Measure: p[1]}) == "" {
				t.Errorf("%q and %q are taken for one", p[0], p[1])
			}
		}
	}
	for _, c := range [][2]string{
		{"Nausea or vomiting", "Nausea and vomiting"}, {"Change from baseline in pain intensity on the 0-10 numeric rating scale", "change in pain intensity on a 0-10 numeric rating scale at 12 weeks"},
		{"Pain intensity", "Pain intensity on the 0-10 numeric rating scale"}, {"Sleep quality on the Pittsburgh Sleep Quality Index", "sleep quality (Pittsburgh Sleep Quality Index)"},
		{"HbA1c", "Change in HbA1c from baseline"}, {"Overall survival", "OS"}, {"Progression-free survival (PFS) by RECIST 1.1", "PFS"},
		{"Number of participants with adverse events", "Adverse events"}, {"Quality of life (EQ-5D)", "EQ-5D-5L quality of life"}, {"Pain at 6 weeks", "Pain at 12 weeks"},
	} {
		if why := Contrast(Text{Measure: c[0]}, Text{Measure: c[1]}); why != "" {
			t.Errorf("%q and %q: %s", c[0], c[1], why)
		}
	}
}

package study

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
)

// TestPrivacyNames: a text that has a person's name is withheld however it is written, and a
// text that only has a word in common with a name is not.
func TestPrivacyNames(t *testing.T) {
	for _, c := range []struct {
		people   string // one a line
		withheld []string
		shown    []string
	}{
		{"Jane M. Doe, MD, PhD", []string{
			"A study by Jane Doe", "JANE DOE's trial", "Doe, Jane: sleep", "Jane Mary Doe", "Dr. Jane M Doe", "Jan\u200be " +
				"Doe", "Ja\u00adne Doe", "Jane&nbsp;Doe", "Jane\nDoe",
			"Jane-Doe score", "Jané Döe", norm.NFD.String("Jané Doé"), "Ｊａｎｅ Doe",
			"J. Doe", "J. M. Doe", "Doe J",
		}, []string{"Jane's scale", "Doe", "Janet Doeman", "A doe and a hare; Jane is far away from it"}},
		{"Cindy H. T. Pau", []string{"Assessment by Cindy H. T. Pau", "Cindy Pau"}, nil},
		{"Juan P Sanabria-Mazo", []string{"Juan P Sanabria-Mazo", "Juan Sanabria Mazo"}, nil},
		{"Vikas Sharma (PI)", []string{"Vikas Sharma"}, nil},
		{"Vikas Sharma Director", []string{"Vikas Sharma"}, []string{"Director"}},
		{"Maria L. Corpuz\nCharitos Nikos\nPharmacis Peter", []string{"Maria Corpuz", "Nikos Charitos", "Peter Pharmacis"}, nil},
		{"王伟\n李 小龙", []string{"王伟", "由李小龙主持"}, []string{"王"}},
		{"Doe, Jane", []string{"Jane Doe", "Doe Jane"}, []string{"Jane", "doe"}},
		{"Dr. med. Jane Doe", []string{"Jane Doe"}, []string{"med Jane"}},
		{"Assoc. Prof. Jane Doe", []string{"Jane Doe"}, nil},
		{"Jane Doe MBBS", []string{"Jane Doe"}, nil},
		{"Lee, Jane", []string{"Leeds study by Jane Lee", "Lee Jane"}, []string{"Leeds study", "Jane", "Lee"}},
		{"Li, Wei", []string{"Wei Li", "Li Wei"}, []string{"Li", "Wei"}},
		{"José Pérez-Núñez", []string{"Jose Perez-Nunez", "Jose Perez Nunez"}, nil},
		{"Conor O’Brien", []string{"Conor O'Brien", "Conor OBrien"}, nil},
		{"Søren Ægir", []string{"Soren Aegir"}, nil},
		{"Lovelace", []string{"The Lovelace index", "LOVELACE"}, []string{"Lovelaces"}},
		{"Example Pharma", []string{"Example Pharma"}, []string{"Pharma", "An example of pharma"}},
		{"Clinical Trials Information Desk", []string{"Clinical Trials Information Desk"}, []string{"Information on clinical trials",
			"A clinical desk"}},
		{"Study Director", []string{"Study Director"}, []string{"A study by its director"}},
		{"[Redacted]\nA\n,", nil, []string{"[Redacted]", "A", "Vitamin A"}},
	} {
		p := newPrivacy(strings.Split(c.people, "\n"))
		for _, s := range c.withheld {
			if got, ok := p.text(s); ok || got != Withheld {
				t.Errorf("%q: %q becomes the fact %q", c.people, s, got)
			}
			if got, ok := p.number(s); ok {
				t.Errorf("%q: the identifier %q becomes the fact %q", c.people, s, got)
			}
		}
		for _, s := range c.shown {
			if got, ok := p.text(s); !ok || got != s {
				t.Errorf("%q: %q becomes %q", c.people, s, got)
			}
		}
	}
}

// TestPrivacySpellings: a text is withheld if it has a name in another spelling, run together,
// with particles or titles, or if it names somebody whom the document does not list. Words of
// the language that are also names, scales and diseases are shown.
func TestPrivacySpellings(t *testing.T) {
	for _, c := range []struct {
		people   string // one a line
		withheld []string
		shown    []string
	}{
		{"Jürgen Müßterlich, MD", []string{
			"Pain by the Muessterlich scale, rated by Juergen Muessterlich", "Juergen Muessterlich", "Jurgen Mussterlich", "JÜRGEN " +
				"MÜSSTERLICH", "rated by Müßterlich", "the Muesterlich score",
			"MuessterlichJuergen", "juergenmuessterlich", "j.muessterlich", "Mueßterlich-Skala", norm.NFD.String("Müßterlich"), "M u e " +
				"s s t e r l i c h", "Muess-terlich", "Juergen Muesterlisch",
		}, []string{"Muster", "Pain on the numeric scale"}},
		{"Jane Sample", []string{
			"Pain, assessed by Dr Sample", "PAIN, ASSESSED BY DR SAMPLE", "Examplinib trial (PI: " +
				"J.Sample)", "JaneSample2020", "Sample, Dr. Jane", "Sample J", "Dr. med. Sample", "Jane van Sample", "JSample", "Prof. " +
				"Sample's score",
			"Jane (the chief investigator of the trial) Sample", "Jone Sample", "Jane Smaple", "janesample", "trialjanesample",
		}, []string{"A sample of blood", "Sample size", "Blood Sample at Week 4", "Samples", "MS sample", "Jane's " +
			"scale", "Janet", "sampled"}},
		{"Søren Ødegård-Øst", []string{"Soeren Oedegaard", "the Odegard test", "Ødegaard", "Oedegaard-Oest"}, []string{"Test"}},
		{"Amal Bint Example", []string{"Amal Example", "Amal bint Example", "Example, Amal"}, []string{"Example", "for example",
			"Amalgam"}},
		{"Abdullah Al-Hassani\nOmar El Sherbini", []string{"Alhassani", "Hassani index", "Al Hassani", "Elsherbini",
			"Sherbini technique"}, nil},
		{"Ludwig van der Muster", []string{"Ludwig Muster", "van der Muster score", "vandermuster@", "Muster"}, []string{"van der Waals"}},
		{"DUPONTEL Jean-Marie", []string{"Dupontel", "Jean Marie Dupontel"}, nil},
		{"Doe-Musterfrau, Jane", []string{"Musterfrau", "Jane Doe", "DoeMusterfrau"}, nil},
		{"Rose Green", []string{"Rose Green", "R. Green", "Green R", "Dr Green", "Green, Rose", "RoseGreen"},
			[]string{"Rose Bengal and green dye staining", "Green and rose", "rose green dye"}},
		{"Mark Young\nWill Long", []string{"Mark Young", "Dr Long"}, []string{"Mark on a line in young adults", "Long-term survival",
			"will be followed long"}},
		{"John Hamilton\nPaul Meier", []string{"J. Hamilton", "John Hamilton", "Prof Hamilton", "assessed by Hamilton", "Hamilton",
			"Meier's view"}, []string{"Hamilton Depression Rating Scale", "Survival by Kaplan-Meier"}},
		{"Jane Roebuck Study Coordinator", []string{"Roebuck", "Jane Roebuck"}, []string{"Study coordinator"}},
		{"", []string{
			"Assessed by Dr. Jane Roe", "Prof. Roe", "rated by Jane Roe, MD", "PI: Jane Roe", "Principal Investigator: J. Roe", "Jane " +
				"Roe PhD", "Mr. Roe", "Contact: Jane Roe",
			"0000-0002-1825-0097",
		}, []string{
			"Drug use", "DR capsules", "Professional help", "mean difference, MD", "PI: 12", "M.D. Anderson Symptom " +
				"Inventory", "MRI", "Mrs", "Drop-out", "Dry eye", "Problems in daily life", "Proficiency", "Msec",
			"Physician's Global Assessment", "Investigator: masked",
		}},
	} {
		p := newPrivacy(strings.Split(c.people, "\n"))
		for _, s := range c.withheld {
			if got, ok := p.text(s); ok {
				t.Errorf("%q: %q becomes the fact %q", c.people, s, got)
			}
		}
		for _, s := range c.shown {
			if _, ok := p.text(s); !ok {
				t.Errorf("%q: %q is withheld", c.people, s)
			}
		}
	}
}

// TestPrivacyNumbers: a sponsor's number that contains a name, misspelt or run together, is
// withheld.
func TestPrivacyNumbers(t *testing.T) {
	for _, c := range []struct{ person, withheld, shown string }{
		{"Jane Sample, MS-OMPT", "Jone Sample " +
			"00379|JaneSample2020|jonesample00379|SAMPLE-001|2020sampleJ|JSample-01|janesmple7|REC/Sample/12|J-SAMPLE-3|SampleJane",
			"EX-1|AZD2693|NCT01234567|2005-001234-12|JS-2020|2020-0379|REC/LHR/12"},
		{"Amina Mustermann", "Musterman/2020|RIU-mustermann|Amina-Mustermann-3|REC Amina Mustermann 0012|MUSTERMNAN-1",
			"MUST-1|AM-12|I8R-JE-IGBJ"},
		{"Wei Li", "WeiLi-2020|LiWei01|Li 2020", "LIVER-1|WEIGHT-2"},
	} {
		p := newPrivacy([]string{c.person})
		for s := range strings.SplitSeq(c.withheld, "|") {
			if got, ok := p.number(s); ok {
				t.Errorf("%q: the number %q becomes %q", c.person, s, got)
			}
		}
		for s := range strings.SplitSeq(c.shown, "|") {
			if _, ok := p.number(s); !ok {
				t.Errorf("%q: the number %q is withheld", c.person, s)
			}
		}
	}
}

// TestPrivacyAddresses: addresses and telephone numbers are withheld; doses, days, ranges and
// the numbers of trials are shown.
func TestPrivacyAddresses(t *testing.T) {
	p := newPrivacy(nil)
	for _, s := range []string{
		"jane@x.org", "Write to " +
			"jane@example.org.", "jane＠example.org", "jane\u200b@example.org", "josé@example.org", "jane@exämple.org", "jane (at) " +
			"example.org", "jane [at] example.org",
		"jane at site dot org", "jane.roe AT site DOT org", "jane at example.org", "jane[at]example[dot]org", "jane {at} example {dot} " +
			"org", "jane_at_example.org", "jane@example dot org", "jane ＠ example ． org", "jane﹫example.org",
		"jane(at)example(dot)org", "jane arroba example punto es", "jane at mail.example.co.uk", "jane&#64;example.org", "j a n e @ " +
			"example.org", "jane -at- example -dot- org", "jane @ example . org", "jane <at> example <dot> org",
		"1-800-555-1212", "(800) 555-1212", "800.555.1212", "+1 (5) 551 234 567", "+44 20 7946 0958", "0044 20 7946 0958", "0 800 123 " +
			"4567", "020 7946 0958", "+49\u201130\u20111234567",
		"+49–30–1234567", "020·7946·0958", "٠٢٠ ٧٩٤٦ ٠٩٥٨", "+44\u200b20 7946\u200b0958", "Tel. 555 1234", "call: 5551234", "Phone " +
			"(030) 1234567", "01 48 95 70 51", "13970038386", "02074059200", "0086-0512-67781139", "phone number 12345678", "Telefon " +
			"30 12 34 56 78", "030 1234567",
	} {
		if got, ok := p.text(s); ok {
			t.Errorf("%q becomes the fact %q", s, got)
		}
	}
	for _, s := range []string{"jane@x.org", "020 7946 0958", "+44 20 7946 0958", "Tel. 555 1234"} {
		if got, ok := p.number(s); ok {
			t.Errorf("the identifier %q becomes the fact %q", s, got)
		}
	}
	for _, s := range []string{
		"0-10 numeric rating scale", "Days 1, 8, 15, 22 and 29", "2016-2018", "2016-01-31 to 2018-02-28", "0, 30, 60, 90, 120 " +
			"minutes", "10 000 - 20 000 cells", "PD 0299685 30mg",
		"0.5 1.0 1.5 2.0 mg", "HEART@Home", "1 000 000 IU", "100-200-300 mg", "Phase 1/2", "EORTC QLQ-C30", "NCT01234567", "between " +
			"00:00 and 06:00", "12 weeks (84 days)",
		"1-2-3-4-5-6-7-8-9-10", "600-800-1000 mg", "100 200 300 4000 mg", "800-1200 800-1200 kcal", "2019 - 2020 - 2021", "0 15 30 45 " +
			"60 90 120 min", "1000000000000 vg/kg", "Telephone visits at 30, 90 and 180 days", "5 mg/kg every 3 weeks", "AZD2693",
		"Pain at rest.Number of falls", "Change at week 12.", "pain at rest, dot plot", "dose at site of injection", "Measured at " +
			"baseline and at 12 weeks", "transplantation at the point of engraftment", "pain at 0.5 h", "at home",
	} {
		if got, ok := p.text(s); !ok {
			t.Errorf("%q is withheld", s)
		} else if got != s && !strings.Contains(s, "@") {
			t.Errorf("%q becomes %q", s, got)
		}
	}
	for _, s := range []string{"2005-001234-12", "U1111-1111-1111", "NCT01234567", "I8R-JE-IGBJ", "000123456789", "0123-456-789",
		"2011-001234-56-DE", "ISRCTN12345678"} {
		if got, ok := p.number(s); !ok || got != s {
			t.Errorf("the identifier %q becomes %q", s, got)
		}
	}
}

// TestCoded: without free texts, facts have codes, dates, numbers of registries and outcomes,
// and are otherwise the same.
func TestCoded(t *testing.T) {
	s := parse(t, recordV2)
	s.Version, s.Eligibility.MinimumAge, s.Eligibility.MaximumAge = "2.0 by the board", "18 years", "until Jane Doe says so"
	s.Amendments = []Amendment{{Number: "3"}, {Number: "the third, of Jane Doe"}}
	s.Identifiers = append(s.Identifiers, Identifier{"example-pharma", "X/1"}, Identifier{"eudract", "2017-001234-12"})
	f, _ := s.Facts()
	before, err := f.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	coded, free := Coded(f)
	data, err := coded.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range free {
		if x.Text == "" || x.Text == Withheld || strings.Contains(string(data), x.Text) {
			t.Errorf("%s: %q is in %s", x.Member, x.Text, data)
		}
	}
	if after, err := f.Marshal(); err != nil || string(after) != string(before) {
		t.Errorf("the facts themselves were changed: %s", after)
	}
	if coded.MinimumAge != "18 years" || coded.MaximumAge != Withheld || coded.Version != Withheld || coded.Amendments[0].Number != "3" ||
		coded.Amendments[1].Number != Withheld ||
		coded.Outcomes[1] != f.Outcomes[1] || coded.Identifiers[len(coded.Identifiers)-1].Value != "2017-001234-12" ||
		coded.Identifiers[len(coded.Identifiers)-2] != (trial.FactIdentifier{Value: Withheld}) {
		t.Errorf("coded: %s", data)
	}
	if changes := Diff(s, FromFacts(coded)); len(changes) > 0 {
		t.Errorf("what is withheld is a change: %v", changes)
	}
	if again, free := Coded(coded); len(free) > 0 {
		t.Errorf("not all was withheld: %v of %+v", free, again)
	}
}

// TestWithheldOutcomes: no outcome is said to be new, gone or moved if its words, or those of
// another, are withheld.
func TestWithheldOutcomes(t *testing.T) {
	pain, sleep := outcome.Outcome{Level: Primary, Measure: "Pain intensity on the numeric scale",
		TimeFrame: "12 weeks"}, outcome.Outcome{Level: Secondary, Measure: "Sleep quality", TimeFrame: "4 weeks"}
	hidden, untimed := outcome.Outcome{Level: Primary, Measure: Withheld, TimeFrame: "12 weeks"}, outcome.Outcome{Level: Primary,
		Measure: "Pain intensity on the scale", TimeFrame: Withheld}
	for _, c := range []struct {
		a, b []outcome.Outcome
		want string
	}{
		{[]outcome.Outcome{pain, sleep}, []outcome.Outcome{hidden, sleep}, ""},
		{[]outcome.Outcome{hidden, sleep}, []outcome.Outcome{pain, sleep}, ""},
		{[]outcome.Outcome{hidden}, []outcome.Outcome{hidden}, ""},
		{[]outcome.Outcome{pain}, []outcome.Outcome{{Level: Primary, Measure: pain.Measure, TimeFrame: Withheld}}, ""},
		{[]outcome.Outcome{pain}, []outcome.Outcome{untimed},
			`primary outcome reworded: "Pain intensity on the numeric scale" -> "Pain intensity on the scale"`},
		{[]outcome.Outcome{pain, sleep}, []outcome.Outcome{pain}, `secondary outcome removed: "Sleep quality [4 weeks]"`},
	} {
		var said []string
		for _, x := range Diff(&Study{Format: CTGovV2, Type: "x", Outcomes: c.a, Eligibility: Eligibility{Sex: "all"}},
			&Study{Format: CTGovV2, Type: "x", Outcomes: c.b, Eligibility: Eligibility{Sex: "all"}}) {
			said = append(said, x.String())
		}
		if got := strings.Join(said, "; "); got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%v to %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

// TestPrivacyWords: some formats have free text where others have a code.
func TestPrivacyWords(t *testing.T) {
	s := &Study{
		Format: FHIRR5, People: []string{"Jane Doe"}, Type: word("by Jane Doe"), Purpose: word("treatment"),
		Identifiers: []Identifier{{word("Jane Doe jane@x.org"), "X-1"}, {"", "\u200b"}},
		Arms:        []Arm{{Label: "A", Type: word("Jane Doe +44 20 7946 0958")}, {Label: "B", Type: "experimental"}},
	}
	f, withheld := s.Facts()
	if f.Type != "" || f.Purpose != "treatment" || len(f.Identifiers) != 1 || f.Identifiers[0].Type != "" || f.Arms[0].Type != "" ||
		f.Arms[1].Type != "experimental" {
		t.Errorf("facts %+v", f)
	}
	if got := strings.Join(withheld, " "); got != "arms identifiers type" {
		t.Errorf("withheld %s", got)
	}
	if _, err := f.Marshal(); err != nil {
		t.Error(err)
	}
}

// TestPrivacyFHIR: a sponsor that the resource also has as an investigator, and does not call
// an organisation, is a person.
func TestPrivacyFHIR(t *testing.T) {
	for name, c := range map[string]struct{ resource, sponsor, title string }{
		"R4":           {`"sponsor":{"display":"Jane Doe"},"principalInvestigator":{"display":"Jane Doe"}`, Individual, Withheld},
		"practitioner": {`"associatedParty":[{"name":"Jane Doe","role":{"coding":[{"code":"sponsor"}]},"party":{"reference":"Practitioner/1"}}]`, Individual, Withheld},
		"organisation": {`"sponsor":{"display":"Jane Doe Institute","reference":"Organization/1"},"contact":[{"name":"Jane Doe Institute"}]`, "Jane Doe Institute", "A Trial of Jane Doe"},
	} {
		s := parse(t, `{"resourceType":"ResearchStudy","status":"active","title":"A Trial of Jane Doe",`+c.resource+`}`)
		f, _ := s.Facts()
		if f.Sponsor == nil || f.Sponsor.Name != c.sponsor || f.Title != c.title {
			t.Errorf("%s: sponsor %+v, title %q, people %q", name, f.Sponsor, f.Title, s.People)
		}
	}
}

package study

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// FuzzPrivacy: whatever a name and a text are, the name at the beginning of the text, in
// capitals, run together or in the other order is withheld, and what is published is in the
// form of facts.
func FuzzPrivacy(f *testing.F) {
	for _, s := range [][2]string{
		{"Jürgen Müßterlich, MD", "Pain, rated by Juergen Muessterlich"}, {"Roebuck, Jane", "J.Roebuck (jane at site dot org)"}, {"王伟",
			"由王伟主持"}, {"van der Muster Ludwig", "Dr. Muster"},
		{"Study Director", "a study"}, {"Abdullah Al-Hassani", "AlHassani2020"}, {"O’Brien-Roe, C. J.",
			"+44 20 7946 0958"}, {"[Redacted]", "\xff\x00"}, {"İıŁß æØ", "ﬀ ﬁ"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		p := newPrivacy([]string{name})
		for _, s := range []string{name, text} {
			for how, publish := range map[string]func(string) (string, bool){
				"text": p.text, "number": p.number, "organisation": func(s string) (string, bool) { return p.organisation(s, true) },
			} {
				got, ok := publish(s)
				if !ok && got != Withheld || got != "" && trial.CheckText(got, maxText) != nil {
					t.Errorf("%s: %q becomes %q, %v", how, s, got, ok)
				}
			}
			p.word(s)
			addressee(s, "example", text)
			authorsOf(s)
		}
		n, _ := readName(name, nil)
		if len(n.words) != 2 || len(n.last) != 1 || utf8.RuneCountInString(name) > 60 || common[n.words[0]] || common[n.words[1]] ||
			commonKeys[n.words[0]] || commonKeys[n.words[1]] || len(n.words[0]) < 4 || len(n.words[1]) < 4 {
			return
		}
		first, last := n.words[0], n.words[1]
		if first == n.last[0] {
			first, last = last, first
		}
		for _, s := range []string{first + " " + last, last + ", " + first, strings.ToUpper(first + " " + last), first + last, last +
			first, "Dr " + last, first + " M. " + last} {
			if got, ok := p.text(s + ". " + text); ok {
				t.Errorf("%q: %q becomes %q", name, s+". "+text, got)
			}
			if got, ok := p.number(s + "-2020"); ok {
				t.Errorf("%q: the number %q becomes %q", name, s+"-2020", got)
			}
		}
	})
}

// TestPrivacyBounded: a document that was made to take long to search is not searched for long,
// and what was not searched is withheld.
func TestPrivacyBounded(t *testing.T) {
	trialtest.Long(t)
	var people []string
	for i := range 20_000 {
		people = append(people, "Amina "+string(rune('B'+i%24))+strings.Repeat(string(rune('a'+i/24%26)),
			2+i/600%7)+string(rune('a'+i%26))+"esk")
	}
	s := &Study{Format: CTGovV2, People: people, Enrolment: Enrolment{Count: -1}}
	for range 3000 {
		s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: Primary, Measure: strings.Repeat("Amina Baker ", 30)})
		s.Identifiers = append(s.Identifiers, Identifier{"", strings.Repeat("ab", 90)})
	}
	began := time.Now()
	f, _ := s.Facts()
	t.Logf("%d people, %d outcomes and numbers in %s", len(people), len(f.Outcomes)+len(f.Identifiers), time.Since(began))
	if f.Outcomes[len(f.Outcomes)-1].Measure != Withheld || f.Identifiers[len(f.Identifiers)-1].Value != Withheld {
		t.Error("what was not searched is published")
	}
}

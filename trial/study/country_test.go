package study

import (
	"fmt"
	"strings"
	"testing"
)

// TestSites: a country is known by codes, long names and territories. Nothing follows from one
// that is not known, and certainly not "no".
func TestSites(t *testing.T) {
	for _, c := range []struct {
		countries string
		us, eu    string
	}{
		{"United States", "yes", "no"}, {"US", "yes", "no"}, {"usa", "yes", "no"}, {"United States of America", "yes",
			"no"}, {"the United States of America", "yes", "no"}, {"U.S.A.", "yes", "no"},
		{"Puerto Rico", "yes", "no"}, {"PR", "yes", "no"}, {"Guam", "yes", "no"}, {"American Samoa", "yes",
			"no"}, {"Virgin Islands (U.S.)", "yes", "no"}, {"Northern Mariana Islands", "yes", "no"}, {"British Virgin " +
			"Islands", "no", "no"},
		{"DE", "no", "yes"}, {"FRA", "no", "yes"}, {"Czech Republic", "no", "yes"}, {"Czechia", "no", "yes"}, {"The Netherlands", "no",
			"yes"}, {"Slovak Republic", "no", "yes"}, {"Federal Republic of " +
			"Germany", "no", "yes"}, {"Norway", "no", "yes"}, {"Iceland", "no", "yes"}, {"Liechtenstein", "no", "yes"},
		{"Réunion", "no", "yes"}, {"Reunion", "no", "yes"}, {"Martinique", "no", "yes"}, {"Guadeloupe", "no", "yes"}, {"French Guiana",
			"no", "yes"}, {"Mayotte", "no", "yes"}, {"Åland Islands", "no", "yes"}, {"French Polynesia", "no", "no"}, {"New " +
			"Caledonia", "no", "no"}, {"Greenland", "no", "no"},
		{"United Kingdom", "no", "no"}, {"Switzerland", "no", "no"}, {"Turkey (Türkiye)", "no", "no"}, {"Korea, Republic of", "no",
			"no"}, {"Côte D'Ivoire", "no", "no"}, {"Iran, Islamic Republic of", "no", "no"}, {"Macedonia, The Former Yugoslav Republic " +
			"of", "no", "no"}, {"Taiwan", "no", "no"}, {"Bosnia & Herzegovina", "no", "no"},
		{"Freedonia", "", ""}, {"", "", ""}, {"Japan;Freedonia", "", ""}, {"Freedonia;US;DE", "yes", "yes"}, {"Freedonia;US", "yes",
			""}, {"Japan;Germany", "no", "yes"},
	} {
		s := &Study{}
		if c.countries != "" {
			s.Countries = strings.Split(c.countries, ";")
		}
		if us, eu := s.USSite(), s.EUSite(); us != c.us || eu != c.eu {
			t.Errorf("%s: US %q, EU %q; want %q, %q", c.countries, us, eu, c.us, c.eu)
		}
	}
	if n := len(countriesByName); n < 900 {
		t.Errorf("%d names", n)
	}
}

// TestPhases reads phases as registers, HL7, CDISC and NCI write them.
func TestPhases(t *testing.T) {
	for in, want := range map[string]string{
		"PHASE1": "[phase1]", "Phase I Trial": "[phase1]", "phase-1": "[phase1]", "C15600": "[phase1]", "c15693": "[phase1 " +
			"phase2]", "phase-1-phase-2": "[phase1 phase2]", "Phase 1/Phase 2": "[phase1 phase2]", "Phase II/III": "[phase2 " +
			"phase3]", "C15694": "[phase2 phase3]",
		"Phase IIa": "[phase2]", "C49688": "[phase2]", "Phase IIIb " +
			"Trial": "[phase3]", "PHASE4": "[phase4]", "C15603": "[phase4]", "Early Phase " +
			"1": "[early-phase1]", "EARLY_PHASE1": "[early-phase1]", "Phase " +
			"0": "[early-phase1]", "C54721": "[early-phase1]", "N/A": "[not-applicable]", "NA": "[not-applicable]",
		"C48660": "[not-applicable]",
		"C99999": "[]", "phase-x": "[]", "Phase 7": "[]", "pivotal": "[]", "Phase 2/pivotal": "[]", "": "[]",
	} {
		if got := fmt.Sprint(phases(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

package study

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// This file has the words for coded values, and reads dates.

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

// yesNoText reads the registry's Yes and No.
func yesNoText(s string) string {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes", "true", "accepts healthy volunteers":
		return "yes"
	case "no", "false":
		return "no"
	}
	return ""
}

// phaseCodes has the phases by the codes of NCI's Thesaurus that CDISC, HL7 and ICH M11 use.
var phaseCodes = map[string]string{
	"c54721": "early-phase1", "c15600": "phase1", "c15693": "phase1/phase2", "c198366": "phase1/phase2/phase3",
	"c198367": "phase1/phase3", "c15601": "phase2", "c49686": "phase2", "c49688": "phase2",
	"c15694": "phase2/phase3", "c217024": "phase2/phase3/phase4", "c15602": "phase3", "c49687": "phase3", "c49689": "phase3",
	"c217025": "phase3/phase4", "c15603": "phase4", "c48660": "not-applicable",
}

// phase returns the code of a phase: PHASE1, "Phase 1", "Phase IIa" and "Phase I Trial" are
// phase1, phase1, phase2 and phase1. It returns "" if the phase is not known.
func phase(s string) string {
	w := strings.TrimSuffix(word(s), "-trial")
	switch w {
	case "na", "n-a", "not-applicable":
		return "not-applicable"
	case "early-phase1", "early-phase-1", "early-phase-i", "phase-0", "phase0":
		return "early-phase1"
	}
	n, ok := strings.CutPrefix(w, "phase")
	if !ok {
		return ""
	}
	n = strings.TrimRight(strings.TrimPrefix(n, "-"), "abc")
	if d, ok := map[string]string{"i": "1", "ii": "2", "iii": "3", "iv": "4"}[n]; ok {
		n = d
	}
	if len(n) != 1 || n < "1" || n > "4" {
		return ""
	}
	return "phase" + n
}

// phases returns the codes of a text that may name several phases: "Phase 1/Phase 2", "Phase
// II/III", "phase-1-phase-2" and C15693. If a part of it is not known, it returns none.
func phases(s string) []string {
	if known, ok := phaseCodes[word(s)]; ok {
		return strings.Split(known, "/")
	}
	if word(s) == "n-a" {
		return []string{"not-applicable"}
	}
	if w := word(s); strings.HasPrefix(w, "phase-") && strings.Contains(w, "-phase-") {
		s = strings.ReplaceAll(w, "-phase-", "/phase-")
	}
	var list []string
	for p := range strings.SplitSeq(s, "/") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		w := phase(p)
		if w == "" && len(list) > 0 {
			w = phase("phase " + p)
		}
		if w == "" {
			return nil
		}
		list = append(list, w)
	}
	return list
}

func allocation(s string) string {
	if w := word(s); w != "na" && w != "n-a" {
		return strings.ReplaceAll(w, "randomised", "randomized")
	}
	return "not-applicable"
}

// designModel returns the code of a design: "Crossover Assignment" is crossover.
func designModel(s string) string {
	w := strings.TrimSuffix(strings.TrimSuffix(word(s), "-assignment"), "-study")
	if w == "cross-over" {
		return "crossover"
	}
	return w
}

// setMasking sets masking and who is masked. Older records name both in one text: "Double Blind
// (Subject, Investigator)".
func (s *Study) setMasking(masking string, who []string) {
	head, rest, _ := strings.Cut(masking, "(")
	w := word(strings.NewReplacer("Blind", "", "blind", "", "BLIND", "").Replace(head))
	switch {
	case strings.HasPrefix(w, "open") || w == "no-masking" || w == "none":
		w = "none"
	case rest != "" && len(who) == 0:
		who = strings.Split(strings.TrimSuffix(rest, ")"), ",")
	case w != "" && !slices.Contains(maskings, w): // of 2017: who is masked, in place of how many
		named := strings.Split(masking, ",")
		w = ""
		if !slices.ContainsFunc(named, func(x string) bool { return !slices.Contains(roles, masked(x)) }) {
			who, w = named, maskings[min(len(named), len(maskings)-1)]
		}
	}
	s.Masking = w
	for _, x := range who {
		if x = masked(x); x != "" && !slices.Contains(s.Masked, x) {
			s.Masked = append(s.Masked, x)
		}
	}
	slices.Sort(s.Masked)
}

// maskings are the words for how many are masked.
var maskings = []string{"none", "single", "double", "triple", "quadruple"}

// roles are those who may be masked.
var roles = []string{"participant", "care-provider", "investigator", "outcomes-assessor"}

func masked(s string) string {
	w := word(s)
	switch w {
	case "subject":
		return "participant"
	case "caregiver":
		return "care-provider"
	}
	return w
}

// level returns the level of an outcome. What is neither primary nor secondary, such as
// post-hoc and exploratory, is other.
func level(s string) string {
	switch w := word(s); {
	case strings.HasPrefix(w, Primary):
		return Primary
	case strings.HasPrefix(w, Secondary):
		return Secondary
	}
	return Other
}

// dateKind returns whether a date or count is actual or planned.
func dateKind(s string) string {
	switch word(s) {
	case "actual":
		return Actual
	case "estimated", "anticipated", "planned":
		return Planned
	}
	return ""
}

// status returns the code of a trial's status.
func status(s string) string {
	if w := word(s); w != "unknown-status" {
		return w
	}
	return "unknown"
}

// studyType returns the code of a type of study; a withheld record has none.
func studyType(s string) string {
	w := strings.TrimSuffix(word(s), "-study")
	for _, known := range []string{"interventional", "observational", "expanded-access"} {
		if strings.HasPrefix(w, known) { // "observational [patient registry]" is one too
			return w
		}
	}
	return ""
}

// age returns an age: "18 Years" is "18 years", and "N/A" is none.
func age(s string) string {
	s = strings.ToLower(text(s))
	if s == "n/a" || s == "none" {
		return ""
	}
	return s
}

// registryDate reads the registry's older form of dates: "January 18, 2017", "January 2017". It
// returns a text that it cannot read unchanged, for checkDates to refuse.
func registryDate(s string) string {
	s = text(s)
	for _, f := range []struct{ in, out string }{
		{"January 2, 2006", "2006-01-02"}, {"January 2006", "2006-01"}, {"2006-01-02", "2006-01-02"}, {"2006-01", "2006-01"},
	} {
		if t, err := time.Parse(f.in, s); err == nil {
			return t.Format(f.out)
		}
	}
	return s
}

// checkDates refuses a study with a date that does not exist.
func (s *Study) checkDates() error {
	for _, d := range s.Dates {
		if _, err := trial.ParseDate(d.Date); err != nil {
			return fmt.Errorf("the date %s: %w", d.Event, err)
		}
	}
	for _, d := range s.Documents {
		if _, err := trial.ParseDate(d.Date); d.Date != "" && err != nil {
			return fmt.Errorf("the date of the document %.60q: %w", d.Label, err)
		}
	}
	if s.Dated != "" {
		if _, err := trial.ParseDate(s.Dated); err != nil {
			return fmt.Errorf("the date of the version: %w", err)
		}
	}
	return s.checkReview()
}

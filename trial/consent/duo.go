package consent

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Codes of the Data Use Ontology that are understood (github.com/EBISPOT/DUO).
const (
	duoNRES   = "DUO:0000004" // no restriction
	duoHMB    = "DUO:0000006" // health, medical or biomedical research
	duoDS     = "DUO:0000007" // research on a disease; the disease follows, as in DUO:0000007/MONDO:0005148
	duoNPUNCU = "DUO:0000018" // not-for-profit organisations, non-commercial use only
	duoPS     = "DUO:0000027" // one project
	duoIS     = "DUO:0000028" // one institution
	duoGRU    = "DUO:0000042" // general research
	duoNCU    = "DUO:0000046" // non-commercial use only
)

// The permissions, the wider first, and the modifiers.
var (
	permissions = []string{duoNRES, duoGRU, duoHMB, duoDS}
	modifiers   = []string{duoIS, duoNCU, duoNPUNCU, duoPS}
)

var duoNames = map[string]string{
	duoNRES: "no restriction", duoGRU: "general research", duoHMB: "health, medical or biomedical research", duoDS: "research on a disease",
	duoIS: "one institution", duoNCU: "non-commercial use", duoNPUNCU: "not-for-profit and non-commercial use", duoPS: "one project",
}

// UseText returns a code of use in words.
func UseText(code string) string {
	base, disease, _ := strings.Cut(code, "/")
	name := duoNames[base]
	if name == "" {
		return code
	}
	if disease != "" {
		name += " " + disease
	}
	return name + " (" + code + ")"
}

var mondo = regexp.MustCompile(`^MONDO:[0-9]{7}$`)

// CheckUse refuses codes of use that are not understood.
func CheckUse(codes []string) error { return checkUse("the consent", codes) }

// checkUse refuses codes that are not understood: no one may guess what they restrict.
func checkUse(whose string, codes []string) error {
	found := false
	for _, code := range codes {
		base, disease, ds := strings.Cut(code, "/")
		switch {
		case (base == duoDS) != ds || ds && !mondo.MatchString(disease):
			return fmt.Errorf("%s: %s: %s, and it alone, names a disease, as in %s/MONDO:0005148", whose, code, duoDS, duoDS)
		case slices.Contains(permissions, base):
			found = true
		case !slices.Contains(modifiers, base):
			return fmt.Errorf("%s: the code %s is not understood here: nobody can tell whether it permits this", whose, code)
		}
	}
	if !found {
		return fmt.Errorf("%s: no code names a use such as %s or %s", whose, duoGRU, duoHMB)
	}
	return nil
}

// Match returns why a consent for some uses does not permit others, or nil. General research
// contains health research, which contains research on a disease; without restriction all is
// permitted. Limits to an institution, a project or a commercial interest must be in the request
// too.
func Match(consented, requested []string) error {
	if err := checkUse("the terms", consented); err != nil {
		return err
	}
	if err := checkUse("the request", requested); err != nil {
		return err
	}
	for _, want := range requested {
		if slices.Contains(modifiers, want) {
			continue
		}
		if !slices.ContainsFunc(consented, func(have string) bool { return contains(have, want) }) {
			return fmt.Errorf("the terms allow %s, and the request is for %s", texts(consented), UseText(want))
		}
	}
	for _, limit := range consented {
		if !slices.Contains(modifiers, limit) || slices.Contains(requested, limit) {
			continue
		}
		if limit == duoNCU && slices.Contains(requested, duoNPUNCU) {
			continue // that is narrower
		}
		return fmt.Errorf("the terms limit the use to %s, and the request does not say that it keeps to it", UseText(limit))
	}
	return nil
}

// contains reports whether one permission contains another.
func contains(wide, narrow string) bool {
	if wide == narrow {
		return true
	}
	base := func(code string) int { b, _, _ := strings.Cut(code, "/"); return slices.Index(permissions, b) }
	w, n := base(wide), base(narrow)
	return w >= 0 && w < n
}

func texts(codes []string) string {
	var list []string
	for _, c := range codes {
		list = append(list, UseText(c))
	}
	return strings.Join(list, ", ")
}

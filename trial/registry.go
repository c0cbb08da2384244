package trial

import (
	"fmt"
	"regexp"
	"strings"
)

// A scheme is a registry's form of number. Its pattern matches what people type, in upper case
// and without surrounding space; value is the template of the canonical form.
type scheme struct {
	name    string
	pattern *regexp.Regexp
	value   string // template for Regexp.Expand
}

// numberWord is what people may write between the name of a register and a number.
const numberWord = `(?: (?:NUMBER|NO\.?|NR\.?))?`

// schemes are tried in this order. A EU CT number differs from a EudraCT number in its second
// group, which begins with 5; EudraCT numbers never reached that. WHO's portal writes JPRN-,
// EUCTR and CTIS before numbers, and people write a space or a hyphen after a registry's
// letters.
var schemes = []scheme{
	{"nct", regexp.MustCompile(`^(NCT\d{8})$`), "$1"},
	// without the trailing sequence
	{"euct", regexp.MustCompile(`^(?:(?:CTIS|EUCT|EU CT)` + numberWord + `)?[ :]*(20[2-9]\d-5\d{5}-\d{2})(-\d{2})?$`), "$1"},
	{"eudract", regexp.MustCompile(`^(?:EUCTR|EUDRACT` + numberWord + `)?[ :]*(20\d{2}-0\d{5}-\d{2})` +
		`(?:-[A-Z]{2}|-3RD|-OUTSIDE-EU/EEA)?$`), "$1"},
	{"isrctn", regexp.MustCompile(`^ISRCTN[ -]?(\d{8})$`), "ISRCTN$1"},
	{"utn", regexp.MustCompile(`^(?:UTN[ :]*)?(U1111-\d{4}-\d{4})$`), "$1"},
	{"jrct", regexp.MustCompile(`^(?:JPRN-)?JRCT(\d{10})$`), "jRCT$1"},
	{"jrct", regexp.MustCompile(`^(?:JPRN-)?JRCTS(\d{9})$`), "jRCTs$1"},
	{"umin", regexp.MustCompile(`^(?:JPRN-|UMIN-CTR )?(UMIN\d{9}|C\d{9})$`), "$1"}, // begins with C in numbers before about 2010
	{"japiccti", regexp.MustCompile(`^(?:JPRN-)?JAPICCTI-(\d{6})$`), "JapicCTI-$1"},
	{"jma", regexp.MustCompile(`^(?:JPRN-)?(JMA-IIA\d{5})$`), "$1"},
	{"actrn", regexp.MustCompile(`^ACTRN[ -]?0?(\d{14})P?$`), "ACTRN$1"}, // ends in P while the number is provisional
	{"chictr", regexp.MustCompile(`^CHICTR[ -]?(\d{8,10})$`), "ChiCTR$1"},
	{"chictr", regexp.MustCompile(`^CHICTR[ -]?([A-Z]{2,4}-\d{8,10})$`), "ChiCTR-$1"},
	{"ctri", regexp.MustCompile(`^(CTRI/\d{4}/\d{2,3}/\d{6})$`), "$1"},
	{"drks", regexp.MustCompile(`^DRKS[ -]?(\d{8})$`), "DRKS$1"},
	{"kct", regexp.MustCompile(`^KCT[ -]?(\d{7})$`), "KCT$1"},
	{"irct", regexp.MustCompile(`^IRCT[ -]?(\d{8,14}N\d{1,3})$`), "IRCT$1"},
	{"nl", regexp.MustCompile(`^(NL-OMON|NL|NTR) ?(\d{1,6})$`), "$1$2"},
	{"pactr", regexp.MustCompile(`^PACTR[ -]?(\d{15,16})$`), "PACTR$1"},
	{"rebec", regexp.MustCompile(`^(RBR-[0-9A-Z]{5,8})$`), "$1"},
	{"rpcec", regexp.MustCompile(`^RPCEC[ -]?(\d{8})$`), "RPCEC$1"},
	{"slctr", regexp.MustCompile(`^(SLCTR/\d{4}/\d{3})$`), "$1"},
	{"tctr", regexp.MustCompile(`^TCTR[ -]?(\d{11})$`), "TCTR$1"},
	{"repec", regexp.MustCompile(`^PER[ -](\d{3}-\d{2})$`), "PER-$1"},
	{"lbctr", regexp.MustCompile(`^LBCTR[ -]?(\d{10})$`), "LBCTR$1"},
	{"itmctr", regexp.MustCompile(`^ITMCTR[ -]?(\d{10})$`), "ITMCTR$1"},
	{"phrr", regexp.MustCompile(`^(PHRR\d{6}-\d{6})$`), "$1"},
	{"snctp", regexp.MustCompile(`^SNCTP[ -]?(\d{9})$`), "SNCTP$1"},
	{"ctr", regexp.MustCompile(`^(CTR20\d{6})$`), "$1"},
}

// placeholder matches texts that stand for a number that nobody has yet: all digits are zero,
// or all digits that the registry counts with.
var placeholder = regexp.MustCompile(`^(?:\D*0+\D*|U1111-0000-0000|20\d{2}-0{6}-\d{2}|20\d{2}-50{5}-\d{2}|(?:CTRI|SLCTR)/.*/0+)$`)

// ParseIdentifier recognises a registry's number by its form and returns its canonical form,
// scheme:value, such as nct:NCT03421379. It also accepts that form. A placeholder, such as
// NCT00000000, is not a number.
func ParseIdentifier(s string) (string, error) {
	typed := strings.TrimSpace(s)
	want := ""
	if name, value, ok := strings.Cut(typed, ":"); ok && !strings.Contains(name, " ") {
		want, typed = strings.ToLower(name), value
	}
	upper := strings.ToUpper(typed)
	for _, sc := range schemes {
		m := sc.pattern.FindStringSubmatchIndex(upper)
		if m == nil || want != "" && want != sc.name {
			continue
		}
		value := string(sc.pattern.ExpandString(nil, sc.value, upper, m))
		if placeholder.MatchString(value) {
			return "", fmt.Errorf("%.60q is a placeholder, not a registry's number: give the number itself, or none", s)
		}
		return sc.name + ":" + value, nil
	}
	return "", fmt.Errorf("%.60q does not have the form of a known registry's number (NCT01234567, 2022-501234-12, "+
		"ISRCTN12345678, U1111-1234-5678, jRCT2031200001, ...; see docs/spec.md)", s)
}

func checkIdentifier(s string) error {
	id, err := ParseIdentifier(s)
	if err == nil && id != s {
		err = fmt.Errorf("identifier %.60q must be written %s", s, id)
	}
	return err
}

// SponsorNumber returns the identifier that a registration binds by itself: the sponsor's own
// number for the trial.
func SponsorNumber(org, number string) string { return "sponsor:" + org + "/" + number }

package trial

import (
	"fmt"
	"regexp"
	"strings"
)

// A scheme is a registry's form of number. Its pattern matches what people
// type, upper-cased and without surrounding space; value spells it.
type scheme struct {
	name    string
	pattern *regexp.Regexp
	value   string // template for Regexp.Expand
}

// schemes are tried in this order; a EU CT number is told from a EudraCT number
// by its second group, which begins with 5 and which EudraCT never reached.
var schemes = []scheme{
	{"nct", regexp.MustCompile(`^(NCT\d{8})$`), "$1"},
	{"euct", regexp.MustCompile(`^(20[2-9]\d-5\d{5}-\d{2})(-\d{2})?$`), "$1"}, // without the trailing sequence
	{"eudract", regexp.MustCompile(`^(?:EUCTR)?(20\d{2}-0\d{5}-\d{2})(?:-[A-Z]{2}|-3RD)?$`), "$1"},
	{"isrctn", regexp.MustCompile(`^(ISRCTN\d{8})$`), "$1"},
	{"utn", regexp.MustCompile(`^(U1111-\d{4}-\d{4})$`), "$1"},
	{"jrct", regexp.MustCompile(`^JRCT(\d{10})$`), "jRCT$1"},
	{"jrct", regexp.MustCompile(`^JRCTS(\d{9})$`), "jRCTs$1"},
	{"umin", regexp.MustCompile(`^(?:JPRN-)?(UMIN\d{9})$`), "$1"},
	{"japiccti", regexp.MustCompile(`^JAPICCTI-(\d{6})$`), "JapicCTI-$1"},
	{"actrn", regexp.MustCompile(`^(ACTRN\d{14})$`), "$1"},
	{"chictr", regexp.MustCompile(`^CHICTR-?(\d{8,10})$`), "ChiCTR$1"},
	{"chictr", regexp.MustCompile(`^CHICTR-?([A-Z]{2,4}-\d{8,10})$`), "ChiCTR-$1"},
	{"ctri", regexp.MustCompile(`^(CTRI/\d{4}/\d{2,3}/\d{6})$`), "$1"},
	{"drks", regexp.MustCompile(`^(DRKS\d{8})$`), "$1"},
	{"kct", regexp.MustCompile(`^(KCT\d{7})$`), "$1"},
	{"irct", regexp.MustCompile(`^(IRCT\d{8,14}N\d{1,3})$`), "$1"},
	{"nl", regexp.MustCompile(`^((?:NL-OMON|NL|NTR)\d{1,6})$`), "$1"},
	{"pactr", regexp.MustCompile(`^(PACTR\d{15,16})$`), "$1"},
	{"rebec", regexp.MustCompile(`^(RBR-[0-9A-Z]{5,8})$`), "$1"},
	{"rpcec", regexp.MustCompile(`^(RPCEC\d{8})$`), "$1"},
	{"slctr", regexp.MustCompile(`^(SLCTR/\d{4}/\d{3})$`), "$1"},
	{"tctr", regexp.MustCompile(`^(TCTR\d{11})$`), "$1"},
	{"repec", regexp.MustCompile(`^(PER-\d{3}-\d{2})$`), "$1"},
	{"lbctr", regexp.MustCompile(`^(LBCTR\d{10})$`), "$1"},
	{"itmctr", regexp.MustCompile(`^(ITMCTR\d{10})$`), "$1"},
}

// ParseIdentifier recognises a registry's number by its form and returns it as
// scheme:value in its one spelling, such as nct:NCT03421379. It also takes that
// spelling.
func ParseIdentifier(s string) (string, error) {
	typed := strings.TrimSpace(s)
	want := ""
	if name, value, ok := strings.Cut(typed, ":"); ok {
		want, typed = strings.ToLower(name), value
	}
	upper := strings.ToUpper(typed)
	for _, sc := range schemes {
		if m := sc.pattern.FindStringSubmatchIndex(upper); m != nil && (want == "" || want == sc.name) {
			return sc.name + ":" + string(sc.pattern.ExpandString(nil, sc.value, upper, m)), nil
		}
	}
	return "", fmt.Errorf("%.60q is not in the form of a registry's number that is known (NCT01234567, 2022-501234-12, ISRCTN12345678, U1111-1234-5678, jRCT2031200001, ...; see docs/spec.md)", s)
}

func checkIdentifier(s string) error {
	id, err := ParseIdentifier(s)
	if err == nil && id != s {
		err = fmt.Errorf("identifier %.60q has the one spelling %s", s, id)
	}
	return err
}

// SponsorNumber returns the identifier that a registration binds by itself: the
// sponsor's own number for the trial.
func SponsorNumber(org, number string) string { return "sponsor:" + org + "/" + number }

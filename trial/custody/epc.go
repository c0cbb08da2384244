package custody

import (
	"net/url"
	"strings"
)

// An epcScheme says how an EPC URI writes a GS1 key: GS1 Tag Data Standard, section 6.3.
type epcScheme struct {
	ai     string // of the key
	digits int    // of the company prefix and the reference together, without the check digit; 0 if the reference is text
	lead   bool   // the reference's first digit comes before the company prefix in the key
	zero   bool   // a 0 comes before the key
	check  bool   // the key has a check digit
	part   string // the AI of the part after the key, "+" if that is a part of the key, or ""
}

var epcSchemes = map[string]epcScheme{
	"id:sgtin:":    {"01", 13, true, false, true, "21"},
	"id:upui:":     {"01", 13, true, false, true, "235"},
	"class:lgtin:": {"01", 13, true, false, true, "10"},
	"id:sscc:":     {"00", 17, true, false, true, ""},
	"id:sgln:":     {"414", 12, false, false, true, "254"},
	"id:pgln:":     {"417", 12, false, false, true, ""},
	"id:grai:":     {"8003", 12, false, true, true, "+"},
	"id:gdti:":     {"253", 12, false, false, true, "+"},
	"id:sgcn:":     {"255", 12, false, false, true, "+"},
	"id:gsrn:":     {"8018", 17, false, false, true, ""},
	"id:gsrnp:":    {"8017", 17, false, false, true, ""},
	"id:gsin:":     {"402", 16, false, false, true, ""},
	"id:giai:":     {"8004", 0, false, false, false, ""},
	"id:ginc:":     {"401", 0, false, false, false, ""},
	"id:cpi:":      {"8010", 0, false, false, false, "8011"},
	"id:itip:":     {"8006", 13, true, false, true, "21"},
}

// resolveEPC returns the elements of an EPC URI, an EPC class URI or an EPC pattern URI.
func resolveEPC(s string) ([]element, bool) {
	s = s[len("urn:epc:"):]
	pattern := strings.HasPrefix(s, "idpat:")
	if pattern {
		// urn:epc:idpat:sgtin:0614141.107346.* means every serial of that GTIN.
		s = strings.TrimSuffix("id:"+s[len("idpat:"):], ".*")
	}
	at := strings.LastIndexByte(s, ':') + 1
	scheme, ok := epcSchemes[s[:at]]
	if !ok {
		return nil, false
	}
	parts := strings.Split(s[at:], ".")
	if scheme.ai == "8006" {
		parts = joinITIP(parts)
	}
	if len(parts) < 2 || len(parts[0]) < 6 || len(parts[0]) > 12 || !allDigits(parts[0]) {
		return nil, false
	}
	if scheme.digits == 0 {
		return resolveText(scheme, parts, pattern)
	}
	prefix, ref := parts[0], parts[1]
	tail := ""
	if scheme.ai == "8006" && len(ref) >= 4 {
		ref, tail = ref[:len(ref)-4], ref[len(ref)-4:]
	}
	if len(prefix)+len(ref) != scheme.digits || !allDigits(ref+tail) {
		return nil, false
	}
	key := prefix + ref
	if scheme.lead {
		key = ref[:1] + prefix + ref[1:]
	}
	if scheme.zero {
		key = "0" + key
	}
	list := []element{{scheme.ai, key + string(checkDigit(key)) + tail}}
	switch rest, err := url.PathUnescape(strings.Join(parts[2:], ".")); {
	case err != nil || (rest == "") != (scheme.part == "" || pattern):
		return nil, false
	case scheme.part == "+":
		list[0].value += rest
	case rest != "" && !(scheme.part == "254" && rest == "0"): // an SGLN's extension 0 is none
		list = append(list, element{scheme.part, rest})
	}
	return list, valid(list)
}

// joinITIP joins the piece and the total of an ITIP with its item reference.
func joinITIP(parts []string) []string {
	if len(parts) < 4 || len(parts[2]) != 2 || len(parts[3]) != 2 {
		return nil
	}
	return append([]string{parts[0], parts[1] + parts[2] + parts[3]}, parts[4:]...)
}

// resolveText returns the elements of an EPC URI whose key is text: the company prefix and a
// reference, in the case of a CPI with a serial after it.
func resolveText(scheme epcScheme, parts []string, pattern bool) ([]element, bool) {
	serial := ""
	if scheme.part != "" && !pattern {
		parts, serial = parts[:len(parts)-1], parts[len(parts)-1]
	}
	ref, err := url.PathUnescape(strings.Join(parts[1:], "."))
	if err != nil || ref == "" {
		return nil, false
	}
	list := []element{{scheme.ai, parts[0] + ref}}
	if serial != "" {
		list = append(list, element{scheme.part, serial})
	}
	return list, valid(list)
}

// valid reports whether every element has the format of its application identifier.
func valid(list []element) bool {
	for _, e := range list {
		if _, a, ok := lookup(e.ai); !ok || a.check(e.ai, e.value) != nil {
			return false
		}
	}
	return true
}

package custody

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// linkKeys has, for each primary key of a Digital Link, the key qualifiers that a constrained
// link keeps, the finest first.
//
// SPEC: CBV 2.0, section 8.9: it SHALL only contain the most fine-granular level of
// identification, i.e. contain the following GS1 keys/key qualifiers only: 00 / 01 / 01 21 / 01 10
// / 01 235 / 253 / 255 / 401 / 402 / 414 / 414 254 / 417 / 8003 / 8004 / 8006 / 8006 21 / 8006 10 /
// 8010 / 8010 8011 / 8017 / 8018.
var linkKeys = map[string][]string{
	"00": nil, "01": {"21", "235", "10"}, "253": nil, "255": nil, "401": nil, "402": nil, "414": {"254"}, "417": nil,
	"8003": nil, "8004": nil, "8006": {"21", "10"}, "8010": {"8011"}, "8017": nil, "8018": nil,
}

// linkNames are the names that links may have in place of application identifiers.
var linkNames = map[string]string{
	"sscc": "00", "gtin": "01", "gdti": "253", "gcn": "255", "ginc": "401", "gsin": "402", "gln": "414", "party": "417",
	"grai": "8003", "giai": "8004", "itip": "8006", "cpid": "8010", "gsrnp": "8017", "gsrn": "8018",
	"cpv": "22", "lot": "10", "ser": "21", "exp": "17",
}

// isURI reports whether s begins as a web or EPC URI does.
func isURI(s string) bool {
	for _, scheme := range []string{"http://", "https://", "urn:epc:"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// parseURI returns the elements of a Digital Link or an EPC URI, of its query too.
func parseURI(s string) ([]element, error) {
	list, query, ok := resolve(s)
	if !ok {
		return nil, fmt.Errorf("%.80q is no GS1 Digital Link with a GTIN, such as https://id.gs1.org/01/09506000134352/21/A1: "+
			"scan the DataMatrix of the label", s)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the link's query is not well formed: scan again")
	}
	for name, all := range values {
		if id := linkNames[name]; id != "" {
			name = id
		}
		if id, _, ok := lookup(name); !ok || id != name {
			continue // such as linkType
		}
		for _, value := range all {
			list = append(list, element{name, value})
		}
	}
	for _, e := range list {
		_, a, _ := lookup(e.ai)
		if err := a.check(e.ai, e.value); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// resolve returns the elements of the path of a Digital Link or of an EPC URI, the primary key
// first, and the link's query. Other URIs are not ok. Check digits are not checked.
func resolve(s string) (list []element, query string, ok bool) {
	if len(s) > 8 && strings.EqualFold(s[:8], "urn:epc:") {
		list, ok := resolveEPC(s)
		return list, "", ok
	}
	if !isURI(s) {
		return nil, "", false
	}
	s, _, _ = strings.Cut(s, "#")
	s, query, _ = strings.Cut(s, "?")
	_, s, _ = strings.Cut(s, "://")
	parts := strings.Split(strings.TrimSuffix(s, "/"), "/")[1:]
	for i := range len(parts) - 1 {
		if list, ok := resolvePath(parts[i:]); ok {
			return list, query, true
		}
	}
	return nil, "", false
}

// resolvePath returns the elements of a path that begins with a primary key.
func resolvePath(parts []string) ([]element, bool) {
	var list []element
	if len(parts)%2 != 0 {
		return nil, false
	}
	for i := 0; i < len(parts); i += 2 {
		id := parts[i]
		if linkNames[id] != "" {
			id = linkNames[id]
		}
		value, err := url.PathUnescape(parts[i+1])
		if err != nil {
			return nil, false
		}
		if n := len(value); id == "01" && (n == 8 || n == 12 || n == 13) && allDigits(value) {
			value = strings.Repeat("0", 14-n) + value
		}
		name, a, ok := lookup(id)
		if !ok || name != id || a.check(id, value) != nil {
			return nil, false
		}
		if _, ok := linkKeys[id]; !ok && i == 0 {
			return nil, false
		}
		list = append(list, element{id, value})
	}
	return list, true
}

// canonicalLink returns the constrained canonical Digital Link of elements, as event hashes
// have it.
func canonicalLink(list []element) string {
	link := "https://id.gs1.org/" + list[0].ai + "/" + escapeLink(list[0].value)
	for _, id := range linkKeys[list[0].ai] {
		at := slices.IndexFunc(list, func(e element) bool { return e.ai == id })
		if at > 0 {
			return link + "/" + list[at].ai + "/" + escapeLink(list[at].value)
		}
	}
	return link
}

// escapeLink writes the characters of a value that a path of a Digital Link must not have as
// %XX: Digital Link standard, section 4.10, and RFC 3986.
func escapeLink(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(" !\"#%&()*+,/:<>?", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

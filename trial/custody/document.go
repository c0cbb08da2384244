package custody

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A document is the events of an EPCIS document and its JSON-LD prefixes.
type document struct {
	events   []node
	prefixes map[string]string // the namespace by the prefix
}

// epcisPrefixes are those of the EPCIS context, which every document has. cbvmda has no colon at
// its end, as in XML, so that both hash alike.
var epcisPrefixes = map[string]string{
	"epcis": "https://ref.gs1.org/epcis/", "cbv": "https://ref.gs1.org/cbv/", "gs1": "https://gs1.org/voc/",
	"cbvmda": "urn:epcglobal:cbv:mda", "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "owl": "http://www.w3.org/2002/07/owl#",
	"xsd": "http://www.w3.org/2001/XMLSchema#", "dcterms": "http://purl.org/dc/terms/",
}

// parseDocument reads an EPCISDocument, an EPCISQueryDocument, an event or an array of events.
func parseDocument(data []byte) (document, error) {
	top, err := parseJSON(data)
	if err != nil {
		return document{}, err
	}
	d := document{prefixes: withContext(epcisPrefixes, top)}
	typ := localName(top.word("type"))
	switch {
	case top.kind == '[':
		d.events = top.list
	case typ == "EPCISDocument" || typ == "EPCISQueryDocument":
		body, _ := top.get("epcisBody")
		if results, ok := body.get("queryResults"); ok {
			body, _ = results.get("resultsBody")
		}
		list, ok := body.get("eventList")
		if !ok {
			if list, ok = body.get("event"); !ok {
				return document{}, fmt.Errorf("%s has no eventList in its epcisBody: export the events, not the master data", typ)
			}
		}
		d.events = list.items()
	case strings.HasSuffix(typ, "Event"):
		d.events = []node{top}
	default:
		return document{}, errors.New("the JSON is no EPCIS 2.0 document: its type is none of EPCISDocument, EPCISQueryDocument " +
			"and the events, such as ObjectEvent")
	}
	for i, e := range d.events {
		if e.word("type") == "" {
			return document{}, fmt.Errorf("EPCIS event %d is no object with a type", i+1)
		}
	}
	return d, nil
}

// withContext returns prefixes and those that n's @context adds.
func withContext(prefixes map[string]string, n node) map[string]string {
	context, ok := n.get("@context")
	if !ok {
		return prefixes
	}
	prefixes = maps.Clone(prefixes)
	for _, c := range context.items() {
		for i, name := range c.names {
			if v := c.list[i]; v.kind == 's' && !strings.HasPrefix(name, "@") {
				prefixes[name] = v.text
			}
		}
	}
	return prefixes
}

// localName returns what follows the namespace or prefix of a term.
func localName(term string) string { return term[strings.LastIndexAny(term, "/:#")+1:] }

// A vocabulary is a list of the CBV. Its terms are written as bare words, as URNs, as web URIs or
// with the prefix of one of those.
type vocabulary struct{ urn, web string }

var (
	bizSteps     = vocabulary{"urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"}
	dispositions = vocabulary{"urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"}
	transactions = vocabulary{"urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-"}
	parties      = vocabulary{"urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-"}
	errorReasons = vocabulary{"urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-"}
	components   = vocabulary{"", "https://ref.gs1.org/cbv/Comp-"}
	measures     = vocabulary{"", "https://gs1.org/voc/"} // of sensors: types of measurement and alarms
)

// expand returns a value with its prefix expanded, and a bare word or a URN of the CBV as a web
// URI. v is the vocabulary of the value's field, if it has one.
//
// SPEC: CBV 2.0, section 8.9: any URN-based standard vocabulary value (starting with
// 'urn:epcglobal:cbv') SHALL be expressed in its corresponding CBV Web URI term. Any Compact URI
// Expression (CURIE) SHALL be expanded to its full URI equivalent. All standard vocabulary elements
// expressed in bare string notation SHALL be expanded to their corresponding GS1 Web URI.
func expand(s string, v vocabulary, prefixes map[string]string) string {
	if s != "" && v.web != "" && !strings.Contains(s, ":") {
		return v.web + s
	}
	if prefix, rest, ok := strings.Cut(s, ":"); ok && prefixes[prefix] != "" && !strings.HasPrefix(rest, "//") {
		s = prefixes[prefix] + rest
	}
	for _, v := range []vocabulary{bizSteps, dispositions, transactions, parties, errorReasons} {
		if rest, ok := strings.CutPrefix(s, v.urn); ok {
			return v.web + rest
		}
	}
	return s
}

// words returns the texts of an array, or of one text in its place.
func words(n node) ([]string, error) {
	var list []string
	for _, v := range n.items() {
		if v.kind != 's' || strings.TrimSpace(v.text) == "" {
			return nil, errors.New("has something else than a text in a list of identifiers")
		}
		list = append(list, strings.TrimSpace(v.text))
	}
	return slices.Clip(list), nil
}

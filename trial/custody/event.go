package custody

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Event is a shipping or a receiving of an EPCIS 2.0 document.
type Event struct {
	Action  string    // "ship" or "receive"
	Time    time.Time // eventTime, in the zone of eventTimeZoneOffset
	Serials []string  // as Code.Serial, in the order of the document: epcList, or childEPCs of an AggregationEvent
	Parent  string    // the case of an AggregationEvent, as Code.Serial, or ""
	// From and To are the GLNs, 13 digits, of the source and the destination: of the possessing
	// party, else the owning party, else the location; "" where none of them has a GLN.
	From, To string
	Hash     string // as EventHashes has it
	Sensors  bool   // it carries a sensorElementList
}

// ParseEvents reads the events of an EPCIS 2.0 document in JSON, at most 16 MB: an EPCISDocument,
// an EPCISQueryDocument, an event or an array of events. They are ObjectEvents and
// AggregationEvents with the business step shipping or receiving. Anything else is refused by
// name, and so is an event that declares an error. Quantities are not read: custody is of packs
// with serials.
func ParseEvents(doc []byte) ([]Event, error) {
	d, err := parseDocument(doc)
	if err != nil {
		return nil, fmt.Errorf("read EPCIS document: %w", err)
	}
	list := make([]Event, len(d.events))
	for i, n := range d.events {
		if list[i], err = d.event(n); err != nil {
			return nil, fmt.Errorf("read EPCIS document: EPCIS event %d %w", i+1, err)
		}
	}
	return list, nil
}

// event reads one event. Its errors go on after "EPCIS event 3".
func (d document) event(n node) (e Event, err error) {
	prefixes := withContext(d.prefixes, n)
	typ := localName(n.word("type"))
	step := expand(n.word("bizStep"), bizSteps, prefixes)
	name := strings.TrimPrefix(step, bizSteps.web)
	if name == "" {
		name = "(none)"
	}
	what := fmt.Sprintf("is %s %.60s with bizStep %.80s", article(typ), typ, name)
	switch step {
	case bizSteps.web + "shipping":
		e.Action = "ship"
	case bizSteps.web + "receiving":
		e.Action = "receive"
	default:
		return e, errors.New(what + ": only shipping and receiving are read")
	}
	epcs := "epcList"
	switch typ {
	case "ObjectEvent":
	case "AggregationEvent":
		epcs = "childEPCs"
	default:
		return e, errors.New(what + ": only ObjectEvents and AggregationEvents are read as a handover")
	}
	if _, ok := n.get("errorDeclaration"); ok {
		return e, errors.New(what + " and an errorDeclaration: an event that declares an error is not a handover")
	}
	if action := n.word("action"); action != "OBSERVE" && action != "ADD" {
		return e, fmt.Errorf("%s and action %.40q: a handover has the action OBSERVE or ADD", what, action)
	}
	if e.Time, err = eventTime(n); err != nil {
		return e, err
	}
	if list, ok := n.get(epcs); ok {
		if e.Serials, err = serials(list, prefixes); err != nil {
			return e, err
		}
	}
	if typ == "AggregationEvent" && n.word("parentID") != "" {
		if e.Parent, err = serialOf(n.word("parentID"), prefixes); err != nil {
			return e, err
		}
	}
	if len(e.Serials) == 0 && e.Parent == "" {
		return e, errors.New(what + " and names no pack or case by serial: custody needs the serials, not quantities")
	}
	if e.From, err = party(n, "source", prefixes); err != nil {
		return e, err
	}
	if e.To, err = party(n, "destination", prefixes); err != nil {
		return e, err
	}
	sensors, _ := n.get("sensorElementList")
	e.Sensors = len(sensors.list) > 0
	e.Hash, err = d.hash(n)
	return e, err
}

// article returns the article before a word.
func article(word string) string {
	if word != "" && strings.Contains("AEIOU", word[:1]) {
		return "an"
	}
	return "a"
}

// eventTime returns eventTime in the zone of eventTimeZoneOffset.
func eventTime(n node) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, n.word("eventTime"))
	if err != nil {
		return t, fmt.Errorf("has the eventTime %.40q, which is no time with its zone, such as 2026-03-01T12:00:00+01:00", n.word("eventTime"))
	}
	offset := n.word("eventTimeZoneOffset")
	zone, err := time.Parse("Z07:00", offset)
	if err != nil {
		return t, fmt.Errorf("has the eventTimeZoneOffset %.40q, which is no offset such as +01:00", offset)
	}
	_, seconds := zone.Zone()
	return t.In(time.FixedZone("", seconds)), nil
}

// serials returns the serials of a list of EPCs, each once.
func serials(n node, prefixes map[string]string) ([]string, error) {
	epcs, err := words(n)
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(epcs))
	seen := map[string]bool{}
	for _, epc := range epcs {
		s, err := serialOf(epc, prefixes)
		if err != nil {
			return nil, err
		}
		if seen[s] {
			return nil, fmt.Errorf("names %s twice: a handover has each pack once", s)
		}
		seen[s] = true
		list = append(list, s)
	}
	return list, nil
}

// serialOf returns the serial of an EPC, which is an SGTIN or an SSCC.
func serialOf(epc string, prefixes map[string]string) (string, error) {
	epc = expand(epc, vocabulary{}, prefixes)
	list, _, ok := resolve(epc)
	if !ok || list[0].ai != "01" && list[0].ai != "00" {
		return "", fmt.Errorf("names %.120q, which is neither an SGTIN nor an SSCC: only packs with a GTIN and serial and cases "+
			"with an SSCC are read", epc)
	}
	list = slices.DeleteFunc(list, func(e element) bool { return e.ai != "00" && e.ai != "01" && e.ai != "21" })
	c, err := newCode(list, 2000)
	if err != nil {
		return "", fmt.Errorf("names %.120q: %w", epc, err)
	}
	return c.Serial, nil
}

// party returns the GLN of the source or the destination of an event.
func party(n node, name string, prefixes map[string]string) (string, error) {
	glns := map[string]string{} // by the kind of party
	list, ok := n.get(name + "List")
	if !ok {
		return "", nil
	}
	for _, v := range list.items() {
		kind := strings.TrimPrefix(expand(v.word("type"), parties, prefixes), parties.web)
		elements, _, ok := resolve(expand(v.word(name), vocabulary{}, prefixes))
		if !ok || elements[0].ai != "414" && elements[0].ai != "417" {
			continue
		}
		gln := elements[0].value
		if err := checkKey("GLN", gln); err != nil {
			return "", fmt.Errorf("has a %sList that is wrong: %w", name, err)
		}
		if old := glns[kind]; old != "" && old != gln {
			return "", fmt.Errorf("has in its %sList two of the type %.60s, %s and %s: a handover has one", name, kind, old, gln)
		}
		glns[kind] = gln
	}
	for _, kind := range []string{"possessing_party", "owning_party", "location"} {
		if glns[kind] != "" {
			return glns[kind], nil
		}
	}
	return "", nil
}

package custody

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EventHashes returns the event hash ID of every event of an EPCIS 2.0 document in JSON, as
// "ni:///sha-256;…?ver=CBV2.0": GS1 CBV 2.0, section 8.9. The document is an EPCISDocument, an
// EPCISQueryDocument, an event or an array of events of any type.
func EventHashes(doc []byte) ([]string, error) {
	d, err := parseDocument(doc)
	if err != nil {
		return nil, fmt.Errorf("read EPCIS document: %w", err)
	}
	list := make([]string, len(d.events))
	for i, e := range d.events {
		if list[i], err = d.hash(e); err != nil {
			return nil, fmt.Errorf("read EPCIS document: EPCIS event %d %w", i+1, err)
		}
	}
	return list, nil
}

// hash returns the event hash ID of an event.
func (d document) hash(e node) (string, error) {
	text, err := d.prehash(e)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ni:///sha-256;%x?ver=CBV2.0", sha256.Sum256([]byte(text))), nil
}

// A field is a member of an event that has its place in the pre-hash string.
type field struct {
	name   string
	item   string     // the name of each element of a list: it follows name, which is written once
	vocab  vocabulary // of bare words
	time   bool
	fields []field // of an object
}

var quantityFields = []field{{name: "epcClass"}, {name: "quantity"}, {name: "uom"}}

// eventFields is the canonical property order. The section's table has neither
// certificationInfo, nor parentID before epcList; its author's implementation has both, and the
// published vectors are of that.
var eventFields = []field{
	{name: "eventTime", time: true},
	{name: "eventTimeZoneOffset"},
	{name: "certificationInfo"},
	{name: "parentID"},
	{name: "epcList", item: "epc"},
	{name: "inputEPCList", item: "epc"},
	{name: "childEPCs", item: "epc"},
	{name: "quantityList", item: "quantityElement", fields: quantityFields},
	{name: "childQuantityList", item: "quantityElement", fields: quantityFields},
	{name: "inputQuantityList", item: "quantityElement", fields: quantityFields},
	{name: "outputEPCList", item: "epc"},
	{name: "outputQuantityList", item: "quantityElement", fields: quantityFields},
	{name: "action"},
	{name: "transformationID"},
	{name: "bizStep", vocab: bizSteps},
	{name: "disposition", vocab: dispositions},
	{name: "persistentDisposition", fields: []field{{name: "set", vocab: dispositions}, {name: "unset", vocab: dispositions}}},
	{name: "readPoint", fields: []field{{name: "id"}}},
	{name: "bizLocation", fields: []field{{name: "id"}}},
	{name: "sensorElementList", item: "sensorElement", fields: []field{
		{name: "sensorMetadata", fields: []field{
			{name: "time", time: true}, {name: "startTime", time: true}, {name: "endTime", time: true}, {name: "deviceID"},
			{name: "deviceMetadata"}, {name: "rawData"}, {name: "dataProcessingMethod"}, {name: "bizRules"},
		}},
		{name: "sensorReport", fields: []field{
			{name: "type", vocab: measures}, {name: "exception", vocab: measures}, {name: "deviceID"}, {name: "deviceMetadata"},
			{name: "rawData"}, {name: "dataProcessingMethod"}, {name: "time", time: true}, {name: "microorganism"},
			{name: "chemicalSubstance"}, {name: "value"}, {name: "component", vocab: components}, {name: "stringValue"},
			{name: "booleanValue"}, {name: "hexBinaryValue"}, {name: "uriValue"}, {name: "minValue"}, {name: "maxValue"},
			{name: "meanValue"}, {name: "sDev"}, {name: "percRank"}, {name: "percValue"}, {name: "uom"}, {name: "coordinateReferenceSystem"},
		}},
	}},
}

// pairFields are the lists of values with a type. The section puts them before the sensors and
// the type after the value; the published vectors have them among the extensions, type first.
var pairFields = []field{
	{name: "bizTransactionList", fields: []field{{name: "type", vocab: transactions}, {name: "bizTransaction"}}},
	{name: "destinationList", fields: []field{{name: "type", vocab: parties}, {name: "destination"}}},
	{name: "sourceList", fields: []field{{name: "type", vocab: parties}, {name: "source"}}},
}

// notHashed are members that say nothing of what happened. A comment is for people.
var notHashed = []string{"recordTime", "eventID", "errorDeclaration", "@context", "rdfs:comment", "comment"}

// prehash returns the pre-hash string of an event.
//
// SPEC: data elements SHALL be extracted according to the canonical property order. All elements
// SHALL be concatenated without separators between successive elements. If a field contains a
// value (i.e. is not a parent element), each value SHALL be assigned its key through an equal sign.
func (d document) prehash(e node) (string, error) {
	p := prehasher{withContext(d.prefixes, e)}
	body, err := p.object(eventFields, e, true)
	return "eventType=" + localName(e.word("type")) + body, err
}

// A prehasher writes the parts of a pre-hash string.
type prehasher struct{ prefixes map[string]string }

// object returns the fields of an object in their order, and sorted after them what else it has.
func (p prehasher) object(fields []field, n node, event bool) (string, error) {
	var b strings.Builder
	known := slices.Clone(notHashed)
	for _, f := range fields {
		known = append(known, f.name)
		v, ok := n.get(f.name)
		if !ok {
			continue
		}
		text, err := p.field(f, v)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	var rest []string
	if event {
		known = append(known, "type")
		for _, f := range pairFields {
			known = append(known, f.name)
			v, _ := n.get(f.name)
			pairs, err := p.pairs(f, v)
			if err != nil {
				return "", err
			}
			rest = append(rest, pairs)
		}
	}
	for i, name := range n.names {
		if !slices.Contains(known, name) {
			rest = append(rest, p.extension(name, n.list[i])...)
		}
	}
	slices.Sort(rest)
	return b.String() + strings.Join(rest, ""), nil
}

// field returns a field with its value, or with each of its values.
//
// SPEC: all child elements as part of a list SHALL be sequenced according to their case-sensitive
// lexical ordering. A field name denoting a list SHALL only appear once in the pre-hash string.
func (p prehasher) field(f field, n node) (string, error) {
	name := f.name
	if f.item != "" {
		name = f.item
	}
	var parts []string
	for _, v := range n.items() {
		text := ""
		var err error
		switch {
		case f.fields != nil && v.kind == '{':
			text, err = p.object(f.fields, v, false)
		case f.time:
			text, err = hashTime(f.name, v)
		default:
			if text = p.value(v, f.vocab); text != "" {
				text = "=" + text
			}
		}
		if err != nil {
			return "", err
		}
		if text != "" {
			parts = append(parts, name+text)
		}
	}
	slices.Sort(parts)
	text := strings.Join(parts, "")
	if f.item != "" && text != "" {
		text = f.name + text
	}
	return text, nil
}

// pairs returns a list of values with a type, sorted.
func (p prehasher) pairs(f field, n node) (string, error) {
	var parts []string
	for _, v := range n.items() {
		text, err := p.object(f.fields, v, false)
		if err != nil {
			return "", err
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return "", nil
	}
	return f.name + strings.Join(parts, ""), nil
}

// extension returns a member that the standard does not name, one string for each value.
//
// SPEC: user extension elements SHALL comprise their key names (full namespace embraced by curly
// brackets and the respective local name), as well as, if present, the contained value, prefixed by
// an equal sign. The resulting substrings SHALL be sorted.
func (p prehasher) extension(name string, n node) []string {
	if prefix, local, ok := strings.Cut(name, ":"); ok && p.prefixes[prefix] != "" {
		name = "{" + p.prefixes[prefix] + "}" + local
	}
	switch n.kind {
	case '[':
		var list []string
		for _, v := range n.list {
			list = append(list, p.extension(name, v)...)
		}
		return list
	case '{':
		var list []string
		for i, member := range n.names {
			switch {
			case member == "#text":
				name += "=" + p.value(n.list[i], vocabulary{})
			case !slices.Contains(notHashed[3:], member):
				list = append(list, p.extension(member, n.list[i])...)
			}
		}
		slices.Sort(list)
		return []string{name + strings.Join(list, "")}
	case 'n':
		return nil
	}
	if text := p.value(n, vocabulary{}); text != "" {
		name += "=" + text
	}
	return []string{name}
}

// value returns a value in its canonical form.
//
// SPEC: whitespace characters at the beginning or end of values SHALL be truncated. EPC URIs, EPC
// Class URIs or EPC Pattern URIs SHALL be converted into the corresponding canonical GS1 Digital
// Link URI. If a GS1 Digital Link URI is present, it SHALL take the form of a constrained canonical
// GS1 Digital Link URI: a custom domain SHALL be replaced by https://id.gs1.org, the query string
// SHALL be stripped off.
func (p prehasher) value(n node, v vocabulary) string {
	s := hashNumber(expand(strings.TrimSpace(n.text), v, p.prefixes))
	if list, _, ok := resolve(s); ok {
		return canonicalLink(list)
	}
	return s
}

// decimal matches numbers, also where they stand in texts: XML knows no other.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)

// hashNumber returns a number as the section's author writes it: 26, 0.5, 1e-05. It has the
// precision of a float64, also where the text was none of a measurement: the published vectors
// have 111100001111000003641344 for a stringValue of 111100001111000011110000.
//
// SPEC: quantitative values SHALL NOT have trailing zeros. (For example, a quantity of one SHALL
// be expressed as '1', and SHALL NOT be expressed as '1.0'.)
func hashNumber(s string) string {
	if !decimal.MatchString(s) {
		return s
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	switch {
	case x == 0:
		return "0"
	case -1e-4 < x && x < 1e-4:
		return strconv.FormatFloat(x, 'e', -1, 64)
	case -1e16 < x && x < 1e16:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// hashTime returns a time as "=" and its canonical form.
//
// SPEC: all timestamps SHALL be expressed in UTC. All timestamps SHALL be expressed with
// millisecond precision. The 3rd decimal place SHALL be rounded up if the 4th decimal place is a
// digit in the range 5-9.
func hashTime(name string, n node) (string, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(n.text))
	if err != nil {
		return "", fmt.Errorf("has the %s %.40q, which is no time with its zone, such as 2026-03-01T12:00:00+01:00", name, n.text)
	}
	return "=" + t.Add(time.Millisecond/2).Truncate(time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z"), nil
}

package sensor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReadEPCIS reads the temperatures of an EPCIS 2.0 document, query document, event or list of
// events in JSON (GS1 EPCIS 2.0, section 7.3.7, and its JSON schema). Other measurements are
// noted and skipped.
func ReadEPCIS(data []byte, o Options) (Series, error) {
	text, err := decode(data)
	if err != nil {
		return Series{}, err
	}
	return readEPCIS(text, o)
}

// An epcis is a document that is read.
type epcis struct {
	*tree
	builder
	prefix map[string]string // from @context, to the addresses that they stand for
}

// Where the terms of the standard are: a member or a type may be written with them.
const epcisTerms = "https://ref.gs1.org/epcis/"

var gs1Terms = []string{"https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "https://ref.gs1.org/voc/"}

// The members that are read, or that say what is read. GS1's own examples have others twice.
var members = set("@context|epcisBody|eventList|event|queryResults|resultsBody|type|eventTime|errorDeclaration|sensorElementList|" +
	"sensorMetadata|" +
	"sensorReport|time|startTime|endTime|deviceID|dataProcessingMethod|exception|value|component|booleanValue|minValue|maxValue|" +
	"meanValue|percValue|uom")

// plain returns the name of a member without the standard's own prefix, "" if it is not read.
func plain(name string) string {
	for _, p := range []string{"epcis:", epcisTerms, "@"} {
		if rest, ok := strings.CutPrefix(name, p); ok && rest != "context" {
			name = rest
		}
	}
	if strings.HasPrefix(name, "http") || !members[name] {
		return ""
	}
	return name
}

func readEPCIS(text string, o Options) (Series, error) {
	if err := o.check(); err != nil {
		return Series{}, err
	}
	t, root, err := parse(text, plain)
	if err != nil {
		return Series{}, err
	}
	e := &epcis{tree: t, builder: builder{o: o}, prefix: map[string]string{"gs1": gs1Terms[0]}}
	e.context(root.get("@context"))
	events, ok := eventsOf(root)
	if !ok {
		return Series{}, t.errorf(root, "this JSON is no EPCIS document: it has neither epcisBody.eventList nor an event")
	}
	for _, event := range events {
		if err := e.event(event); err != nil {
			return Series{}, err
		}
	}
	return e.finish()
}

// eventsOf returns the events of a document, of an array, or the one event that n is.
func eventsOf(n *node) ([]*node, bool) {
	if n.kind == '[' {
		return n.kids, true
	}
	body := n.get("epcisBody")
	for _, m := range []*node{body.get("eventList"), body.get("event"), body.get("queryResults").get("resultsBody").get("eventList"),
		n.get("eventList"), n.get("resultsBody").get("eventList"), n.get("queryResults").get("resultsBody").get("eventList")} {
		if m != nil {
			return m.list(), true
		}
	}
	if n.get("eventTime") != nil || n.get("sensorElementList") != nil {
		return []*node{n}, true
	}
	return nil, body != nil
}

// context collects the prefixes that @context defines.
func (e *epcis) context(n *node) {
	for _, c := range n.list() {
		for i, key := range c.keys {
			if c.kids[i].kind == '"' {
				e.prefix[key] = c.kids[i].text
			}
		}
	}
}

// event reads the sensor elements of an event.
func (e *epcis) event(n *node) error {
	if n.kind != '{' {
		return e.errorf(n, "an event is not an object")
	}
	e.context(n.get("@context"))
	elements := n.get("sensorElementList").list()
	if len(elements) == 0 {
		return nil
	}
	at, err := e.time(n, "eventTime")
	if err != nil {
		return err
	}
	before := len(e.series.Readings)
	for _, element := range elements {
		if err := e.element(element, at); err != nil {
			return err
		}
	}
	d, added := n.get("errorDeclaration"), e.series.Readings[before:]
	if d == nil || len(added) == 0 {
		return nil
	}
	from, to := added[0].From, added[0].To
	for _, r := range added {
		if r.From.Before(from) {
			from = r.From
		}
		if r.To.After(to) {
			to = r.To
		}
	}
	e.doubt(e.lineAt(d.end), from, to, "an event was declared wrong (errorDeclaration); its readings are counted even so")
	return nil
}

// element reads a sensor element of an event at a time.
func (e *epcis) element(element *node, at time.Time) error {
	if element.kind != '{' {
		return e.errorf(element, "a sensor element is not an object")
	}
	reports := element.get("sensorReport").list()
	if len(reports) == 0 {
		return e.errorf(element, "a sensor element has no sensorReport")
	}
	m, err := e.metadata(element.get("sensorMetadata"), at)
	if err != nil {
		return err
	}
	for _, report := range reports {
		if err := e.report(report, m); err != nil {
			return err
		}
	}
	return nil
}

// A metadata is what holds for all reports of an element.
type metadata struct {
	node        *node
	at          time.Time // time, zero if there is none
	start, end  time.Time // both or none
	event       time.Time
	device      string
	half        bool // only one of startTime and endTime is there
	processedBy string
}

func (e *epcis) metadata(n *node, event time.Time) (m metadata, err error) {
	m = metadata{node: n, event: event}
	if n == nil {
		return m, nil
	}
	if n.kind != '{' {
		return m, e.errorf(n, "sensorMetadata is not an object")
	}
	for name, to := range map[string]*time.Time{"time": &m.at, "startTime": &m.start, "endTime": &m.end} {
		if *to, err = e.time(n, name); err != nil {
			return m, err
		}
	}
	if m.start.IsZero() != m.end.IsZero() {
		m.half, m.start, m.end = true, time.Time{}, time.Time{}
	}
	if m.end.Before(m.start) {
		return m, e.errorf(n, "endTime is before startTime")
	}
	if m.device, err = e.str(n, "deviceID"); err != nil {
		return m, err
	}
	m.processedBy, err = e.str(n, "dataProcessingMethod")
	return m, err
}

// time returns the time of a member, zero if there is none.
func (e *epcis) time(n *node, name string) (time.Time, error) {
	s, err := e.str(n, name)
	if err != nil || n.get(name) == nil {
		return time.Time{}, err
	}
	c, err := parseClock(s, isoOrder)
	if err != nil {
		return time.Time{}, e.errorf(n.get(name), "%s: %w", name, err)
	}
	t, err := c.only(e.o.Zone)
	if err != nil {
		return time.Time{}, e.errorf(n.get(name), "%s: %w", name, err)
	}
	return t, nil
}

// kind returns the local name of a measurement type, and whether it is one of GS1's.
func (e *epcis) kind(s string) (string, bool) {
	if prefix, rest, ok := strings.Cut(s, ":"); ok && e.prefix[prefix] != "" && !strings.HasPrefix(rest, "//") {
		s = e.prefix[prefix] + rest
	}
	for _, p := range gs1Terms {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return strings.TrimPrefix(strings.TrimPrefix(rest, "MeasurementType-"), "MT-"), true
		}
	}
	return s, !strings.Contains(s, ":")
}

// report reads one sensor report.
func (e *epcis) report(n *node, m metadata) error {
	if n.kind != '{' {
		return e.errorf(n, "a sensor report is not an object")
	}
	written, err := e.str(n, "type")
	if err != nil {
		return err
	}
	if written == "" {
		return e.errorf(n, "a sensor report has no type")
	}
	line := e.lineAt(n.end)
	device, err := e.str(n, "deviceID")
	if err != nil {
		return err
	}
	if device == "" {
		device = m.device
	}
	at, err := e.time(n, "time")
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = m.at
	}
	from, to := m.start, m.end
	switch {
	case from.IsZero() && !at.IsZero():
		from, to = at, at
	case from.IsZero() && m.half:
		return e.errorf(m.node, "startTime and endTime belong together: one is missing, and there is no time")
	case from.IsZero():
		from, to = m.event, m.event
		e.note(line, "a report without a time stands at its event's time")
	}
	if from.IsZero() {
		return e.errorf(n, "a sensor report has no time, and its event none either")
	}
	if kind, own := e.kind(written); kind != "Temperature" || !own {
		if !strings.Contains(strings.ToLower(kind), "temperature") {
			e.note(line, short(written)+" is no temperature and was skipped")
		} else if e.wanted(line, device) {
			e.doubt(line, from, to, "the measurement "+short(written)+" may be a temperature and is not understood")
		}
		return nil
	}
	if !e.wanted(line, device) {
		return nil
	}
	return e.temperature(n, line, at, from, to, m)
}

// temperature reads a report of a temperature: its value at a time, zero if it has none, or over
// the period, and its minimum and maximum over the period.
func (e *epcis) temperature(n *node, line int, at, from, to time.Time, m metadata) error {
	unit, err := e.unit(n)
	if err != nil {
		return err
	}
	v := map[string]*[2]int64{}
	for _, name := range []string{"value", "minValue", "maxValue", "meanValue", "percValue"} {
		x := n.get(name)
		if x == nil {
			continue
		}
		if x.kind != '0' {
			return e.errorf(x, "%s is not a number", name)
		}
		if unit == "" {
			return e.errorf(n, "a temperature has no uom: add CEL, FAH or KEL, or name the unit with -unit")
		}
		low, high, err := milli(x.text, unit)
		if err != nil {
			return e.errorf(x, "%s: %w", name, err)
		}
		v[name] = &[2]int64{low, high}
	}
	if err := e.exception(n, line, from, to, len(v) > 0); err != nil {
		return err
	}
	if component, _ := e.str(n, "component"); component != "" {
		e.note(line, "the component "+short(component)+" of a temperature is not considered")
	}
	if by, _ := e.str(n, "dataProcessingMethod"); by != "" || m.processedBy != "" {
		if by == "" {
			by = m.processedBy
		}
		e.note(line, "the readings were processed by "+short(by))
	}
	if value := v["value"]; value != nil {
		first, last := at, at
		if at.IsZero() {
			first, last = from, to
			if !from.Equal(to) {
				e.note(line, "a single value stands for its whole period")
			}
		}
		if err := e.add(first, last, value[0], value[1]); err != nil {
			return e.errorf(n, "%w", err)
		}
	}
	low, high := v["minValue"], v["maxValue"]
	rest := slices.DeleteFunc([]*[2]int64{v["meanValue"], v["percValue"]}, func(x *[2]int64) bool { return x == nil })
	switch {
	case low != nil && high != nil:
		if low[0] > high[1] {
			return e.errorf(n, "minValue is above maxValue")
		}
		a, z := low[0], high[1]
		for _, x := range rest {
			if x[0] < a || x[1] > z {
				e.note(line, "a mean or percentile lies outside the minimum and maximum, which were widened by it")
			}
			a, z = min(a, x[0]), max(z, x[1])
		}
		if err := e.add(from, to, a, z); err != nil {
			return e.errorf(n, "%w", err)
		}
	case low != nil || high != nil:
		if low == nil {
			low = high
		}
		e.doubt(line, from, to, "a period has a minimum or a maximum alone: it counts as one reading at the end")
		if err := e.add(to, to, low[0], low[1]); err != nil {
			return e.errorf(n, "%w", err)
		}
	case len(rest) > 0 && v["value"] == nil:
		e.doubt(line, from, to, "a mean or percentile alone does not say how warm or cold it was")
	case len(v) == 0 && n.get("exception") == nil:
		e.doubt(line, from, to, "a report of a temperature has no value")
	}
	return nil
}

// unit returns the unit of a report, "" if neither it nor the options have one.
func (e *epcis) unit(n *node) (string, error) {
	uom, err := e.str(n, "uom")
	if err != nil {
		return "", err
	}
	if uom == "" {
		return e.o.Unit, nil
	}
	unit := unitOf(uom)
	if unit == "" {
		return "", e.errorf(n.get("uom"), "%q is no unit of temperature: use CEL, FAH or KEL", short(uom))
	}
	if e.o.Unit != "" && e.o.Unit != unit {
		return "", e.errorf(n.get("uom"), "the file says %s, -unit says %s: leave out -unit", uom, e.o.Unit)
	}
	return unit, nil
}

// exception judges the alarm or error of a report of a temperature.
func (e *epcis) exception(n *node, line int, from, to time.Time, valued bool) error {
	what, err := e.str(n, "exception")
	if err != nil || what == "" {
		return err
	}
	name := what[strings.LastIndexAny(what, ":/#")+1:]
	set := n.get("booleanValue")
	switch {
	case name == "ALARM_CONDITION" && set != nil && set.kind == 'b' && set.text == "":
		e.note(line, "an alarm is reported as not set")
		if !valued {
			return nil
		}
	case name == "ALARM_CONDITION" && valued:
		e.note(line, "the sensor reported an alarm; its value is counted")
	case name == "ALARM_CONDITION":
		e.doubt(line, from, to, "the sensor reported an alarm without a value")
	case name == "ERROR_CONDITION":
		e.doubt(line, from, to, "the sensor reported an error")
	default:
		e.doubt(line, from, to, fmt.Sprintf("the sensor reported %q, which is not understood", short(what)))
	}
	return nil
}

package sensor_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// document wraps sensor elements in an event at 12:00 UTC in a document.
func document(elements string) string {
	return `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",` +
		`{"g":"https://gs1.org/voc/","ex":"https://example.org/"}],` + "\n" +
		`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-01T12:00:00Z","epcisBody":{"eventList":[` + "\n" +
		`{"type":"ObjectEvent","eventTime":"2026-03-01T12:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE",` +
		`"sensorElementList":[` + elements + `]}]}}`
}

// element is one sensor element with a report of a temperature.
func element(metadata, report string) string {
	return fmt.Sprintf(`{"sensorMetadata":{%s},"sensorReport":[{"type":"Temperature",%s}]}`, metadata, report)
}

const (
	noon   = `"time":"2026-03-01T11:00:00Z"`
	period = `"startTime":"2026-03-01T10:00:00Z","endTime":"2026-03-01T11:00:00Z"`
	five   = `"value":5,"uom":"CEL"`
)

// TestEPCIS reads sensor elements.
func TestEPCIS(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          sensor.Options
		want       string
		doubts     int
		note       string
	}{
		{"the element's time", element(noon, five), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"the report's time first", element(noon, `"time":"2026-03-01T10:30:00+01:00",`+five), sensor.Options{},
			": 2026-03-01T09:30:00Z 5000", 0, ""},
		{"the event's time last", element(``, five), sensor.Options{}, ": 2026-03-01T12:00:00Z 5000", 0, "stands at its event's time"},
		{"a period", element(period, `"minValue":2.5,"maxValue":7.5,"meanValue":5,"uom":"CEL"`), sensor.Options{},
			": 2026-03-01T10:00:00Z 2026-03-01T11:00:00Z 2500 7500", 0, ""},
		{"one value over a period", element(period, five), sensor.Options{}, ": 2026-03-01T10:00:00Z 2026-03-01T11:00:00Z 5000", 0,
			"a single value stands for its whole period"},
		{"a value at a time and extremes over a period", element(period+`,`+noon, `"minValue":2,"maxValue":7,`+five), sensor.Options{},
			": 2026-03-01T10:00:00Z 2026-03-01T11:00:00Z 2000 7000; 2026-03-01T11:00:00Z 5000", 0, ""},
		{"extremes at a time", element(noon, `"minValue":2,"maxValue":7,"uom":"CEL"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 2000 7000", 0, ""},
		{"a mean outside", element(period, `"minValue":2,"maxValue":7,"meanValue":9,"uom":"CEL"`), sensor.Options{},
			": 2026-03-01T10:00:00Z 2026-03-01T11:00:00Z 2000 9000", 0, "widened"},
		{"a percentile outside", element(period, `"minValue":2,"maxValue":7,"percRank":5,"percValue":1,"uom":"CEL"`), sensor.Options{},
			": 2026-03-01T10:00:00Z 2026-03-01T11:00:00Z 1000 7000", 0, "widened"},
		{"a mean alone", element(period, `"meanValue":5,"uom":"CEL"`), sensor.Options{}, ": ", 1, "a mean or percentile alone"},
		{"a mean and its deviation beside a value", element(noon, `"meanValue":9,"sDev":1,`+five), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"a maximum alone", element(period, `"maxValue":9,"uom":"CEL"`), sensor.Options{}, ": 2026-03-01T11:00:00Z 9000", 1, "alone"},
		{"Fahrenheit", element(noon, `"value":41.9,"uom":"FAH"`), sensor.Options{}, ": 2026-03-01T11:00:00Z 5500", 0, ""},
		{"Kelvin", element(noon, `"value":2.7815e2,"uom":"KEL"`), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"exactly", element(noon, `"value":8.00000000000000000001,"uom":"CEL"`), sensor.Options{}, ": 2026-03-01T11:00:00Z 8000 8001",
			0, ""},
		{"a unit by option", element(noon, `"value":41`), sensor.Options{Unit: "F"}, ": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"a zone by option", element(`"time":"2026-03-01T11:00:00"`, five), sensor.Options{Zone: time.FixedZone("", 3600)},
			": 2026-03-01T10:00:00Z 5000", 0, ""},
		{"gs1:Temperature", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"gs1:Temperature"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"an address", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"https://gs1.org/voc/Temperature"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"a prefix of the document", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"g:Temperature"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"members with a prefix", strings.ReplaceAll(element(noon, five), `"value"`, `"epcis:value"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000", 0, ""},
		{"somebody's temperature", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"ex:CoreTemperature"`), sensor.Options{},
			": ", 1,
			"may be a temperature"},
		{"somebody's Temperature", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"ex:Temperature"`), sensor.Options{}, ": ", 1,
			"may be a temperature"},
		{"humidity", strings.ReplaceAll(element(noon, five), `"Temperature"`, `"RelativeHumidity"`), sensor.Options{}, ": ", 0,
			"RelativeHumidity is no temperature and was skipped (line 3)"},
		{"an alarm alone", element(noon, `"exception":"ALARM_CONDITION","booleanValue":true`), sensor.Options{}, ": ", 1,
			"an alarm without a value"},
		{"an alarm by its address", element(noon, `"exception":"https://gs1.org/voc/ALARM_CONDITION"`), sensor.Options{}, ": ", 1,
			"an alarm without a value"},
		{"an alarm that is not set", element(noon, `"exception":"ALARM_CONDITION","booleanValue":false`), sensor.Options{}, ": ", 0,
			"as not set"},
		{"an alarm with a value", element(noon, `"exception":"ALARM_CONDITION",`+five), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 0,
			"reported an alarm; its value is counted"},
		{"an error with a value", element(noon, `"exception":"ERROR_CONDITION",`+five), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 1,
			"reported an error"},
		{"an exception of somebody", element(noon, `"exception":"ex:door",`+five), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 1,
			"ex:door"},
		{"no value", element(noon, `"stringValue":"NC"`), sensor.Options{}, ": ", 1, "has no value"},
		{"the device of the element", element(noon+`,"deviceID":"urn:a"`, five), sensor.Options{}, "urn:a: 2026-03-01T11:00:00Z 5000",
			0, ""},
		{"the device of the report first", element(noon+`,"deviceID":"urn:a"`, `"deviceID":"urn:b",`+five), sensor.Options{},
			"urn:b: 2026-03-01T11:00:00Z 5000", 0, ""},
		{"one of two devices", element(noon+`,"deviceID":"urn:a"`, five) + "," + element(noon+`,"deviceID":"urn:b"`,
			`"value":6,"uom":"CEL"`),
			sensor.Options{Device: "urn:b"}, "urn:b: 2026-03-01T11:00:00Z 6000", 0, `the logger "urn:a" was skipped`},
		{"two reports at one time", element(noon, five) + "," + element(noon, `"value":9,"uom":"CEL"`), sensor.Options{},
			": 2026-03-01T11:00:00Z 5000; 2026-03-01T11:00:00Z 9000", 0, "readings that differ at the same time"},
		{"a component", element(noon, `"component":"x",`+five), sensor.Options{}, ": 2026-03-01T11:00:00Z 5000", 0, "the component x"},
		{"an element that is no list", `{"sensorReport":{"type":"Temperature",` + five + `}}`, sensor.Options{},
			": 2026-03-01T12:00:00Z 5000", 0, ""},
	} {
		s, err := sensor.ReadEPCIS([]byte(document(c.text)), c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Device + ": " + showAll(s); got != c.want || len(s.Doubts) != c.doubts {
			t.Errorf("%s: %s with %d doubts, not %s with %d; notes %q", c.name, got, len(s.Doubts), c.want, c.doubts, s.Notes)
		}
		if !strings.Contains(strings.Join(s.Notes, "\n"), c.note) {
			t.Errorf("%s: no note %q in %q", c.name, c.note, s.Notes)
		}
		p := profile(t, design)
		if condition := p.Condition(p.Assess(s, time.Time{}, time.Time{})); c.doubts > 0 && condition == sensor.OK {
			t.Errorf("%s: a doubt reads as ok", c.name)
		}
	}
}

// TestEnvelopes reads the same element in each document that may hold it.
func TestEnvelopes(t *testing.T) {
	event := `{"type":"ObjectEvent","eventTime":"2026-03-01T12:00:00Z","sensorElementList":[` + element(noon, five) + `]}`
	for _, text := range []string{event, `[` + event + `]`, ` [ ` + event + `]`, "\ufeff" + event,
		`{"epcisBody":{"eventList":[` + event + `]}}`,
		`{"epcisBody":{"eventList":` + event + `}}`, `{"epcisBody":{"event":` + event + `}}`, `{"eventList":[` + event + `]}`,
		`{"type":"EPCISQueryDocument","epcisBody":{"queryResults":{"queryName":"x","resultsBody":{"eventList":[` + event + `]}}}}`} {
		s, err := sensor.Read("x", []byte(text), sensor.Options{})
		if err != nil || showAll(s) != "2026-03-01T11:00:00Z 5000" {
			t.Errorf("%s: %s, %v", text, showAll(s), err)
		}
	}
}

// TestRefusedEPCIS reads elements that are refused, and says why.
func TestRefusedEPCIS(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no unit", element(noon, `"value":5`), "line 3: a temperature has no uom"},
		{"another unit", element(noon, `"value":5,"uom":"A93"`), "line 3: \"A93\" is no unit of temperature"},
		{"a text", element(noon, `"value":"5","uom":"CEL"`), "line 3: value is not a number"},
		{"too warm", element(noon, `"value":1001,"uom":"CEL"`), "line 3: value: 1001 C is no temperature"},
		{"a huge exponent", element(noon, `"value":1e400,"uom":"CEL"`), "line 3: value:"},
		{"a tiny exponent", element(noon, `"value":1e-999999999,"uom":"CEL"`), "line 3: value:"},
		{"a small exponent", element(noon, `"value":1e-100,"uom":"CEL"`), "is not a decimal number"},
		{"upside down", element(period, `"minValue":7,"maxValue":2,"uom":"CEL"`), "line 3: minValue is above maxValue"},
		{"no offset", element(`"time":"2026-03-01T11:00:00"`, five), "line 3: time: 2026-03-01 11:00:00 has no time zone"},
		{"no time", element(`"time":"noon"`, five), "line 3: time: \"noon\" is no date and time"},
		{"a date of three numbers", element(`"time":"03/04/2026 11:00:00Z"`, five), "may be day or month first"},
		{"half a period", element(`"startTime":"2026-03-01T10:00:00Z"`, five), "startTime and endTime belong together"},
		{"a period that ends first", element(`"endTime":"2026-03-01T10:00:00Z","startTime":"2026-03-01T11:00:00Z"`, five),
			"endTime is before startTime"},
		{"no type", `{"sensorReport":[{` + five + `}]}`, "line 3: a sensor report has no type"},
		{"no report", `{"sensorReport":[]}`, "line 3: a sensor element has no sensorReport"},
		{"a value twice", element(noon, `"value":9,`+five), `line 3: the member "value" occurs twice`},
		{"a value twice, once with a prefix", element(noon, `"epcis:value":9,`+five), `line 3: the member "value" occurs twice`},
		{"two devices", element(noon+`,"deviceID":"urn:a"`, five) + "," + element(noon, five),
			`several loggers ("urn:a", one without a name)`},
		{"a number as device", element(noon+`,"deviceID":5`, five), "line 3: deviceID is not a text"},
		{"a list as element", `[1]`, "line 3: a sensor element is not an object"},
	} {
		s, err := sensor.ReadEPCIS([]byte(document(c.text)), sensor.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v (%s), not %s", c.name, err, showAll(s), c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{document(element(noon, five)) + "{}", "line 3: more follows"}, {`{"a":1}`, "line 1: this JSON is no EPCIS"},
		{strings.Repeat("[", 100), "line 1"}, {`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
			"nested more than 64 deep"},
		{"[1]", "an event is not an object"}, {`{"epcisBody":`, "it is cut"},
	} {
		if s, err := sensor.ReadEPCIS([]byte(c.text), sensor.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v (%s), not %s", c.text, err, showAll(s), c.want)
		}
	}
	o := sensor.Options{Unit: "F"}
	if _, err := sensor.ReadEPCIS([]byte(document(element(noon, five))), o); err == nil || !strings.Contains(err.Error(), "-unit says F") {
		t.Errorf("another unit by option: %v", err)
	}
}

// TestMutateReal cuts each real file in many places, and takes out or doubles each member of it:
// no cut file is read, no change panics, and a file without one of its times, values or units
// never gives a reading that the whole file does not have but at another time.
func TestMutateReal(t *testing.T) {
	for name, data := range realFiles(t) {
		end := len(strings.TrimRight(string(data), " \t\r\n"))
		for i := 0; i < end; i += 11 {
			if s, err := sensor.Read(name, data[:i], sensor.Options{}); err == nil {
				t.Errorf("%s is read if cut after %d of %d bytes: %s", name, i, end, showAll(s))
				break
			}
		}
		whole, err := sensor.Read(name, data, sensor.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		mutate(tree, func() {
			changed, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sensor.Read(name, changed, sensor.Options{})
			if err == nil && len(s.Readings) > len(whole.Readings) {
				t.Errorf("%s: %s of %s", name, showAll(s), showAll(whole))
			}
		})
	}
}

// mutate takes each member of each object out, and makes each null, a list and a text, in turn.
func mutate(n any, try func()) {
	switch v := n.(type) {
	case map[string]any:
		for key, was := range v {
			delete(v, key)
			try()
			for _, other := range []any{nil, []any{}, "x", 1e9, map[string]any{}} {
				v[key] = other
				try()
			}
			v[key] = was
			mutate(was, try)
		}
	case []any:
		for _, kid := range v {
			mutate(kid, try)
		}
	}
}

package sensor_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/custody/sensor"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const shared = "../../../../shared/data/epcis-2.0"

// realFiles returns the EPCIS files with sensor data, by their path below shared.
func realFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*.jsonld", "*/*.jsonld"} {
		paths, err := filepath.Glob(filepath.Join(shared, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(filepath.ToSlash(path), "/schema/") {
				files[filepath.ToSlash(strings.TrimPrefix(path, shared+string(filepath.Separator)))] = data
			}
		}
	}
	if len(files) == 0 {
		trialtest.Skip(t, "no ../shared/data")
	}
	return files
}

// TestRealFiles reads all real files. What is in them was read off by eye.
func TestRealFiles(t *testing.T) {
	type want struct {
		device   string
		readings []string
		doubts   int
	}
	const giai = "urn:epc:id:giai:4000001.111"
	three := func(day string) []string {
		return []string{day + "T13:05:00Z 26000", day + "T13:35:00Z 26100", day + "T13:55:00Z 26200"}
	}
	// All possible fields: the value 26 at the report's own time, 26 to 26.2 from startTime to
	// endTime. The mean 13.2 and the percentile 12.7 lie outside, so they widen that to 12.7. The
	// event was declared wrong.
	all := want{device: giai, readings: []string{"2019-04-02T12:55:01Z 2019-04-02T13:55:00Z 12700 26200", "2019-07-19T13:00:00Z 26000"},
		doubts: 1}
	wants := map[string]want{
		"sensor/SensorDataExample1.jsonld":  {device: giai, readings: three("2019-04-02")},
		"sensor/SensorDataExample1b.jsonld": {device: giai, readings: three("2019-04-02")},
		"sensor/SensorDataExample3.jsonld":  {readings: []string{"2019-04-01T14:00:00Z 2019-04-02T13:59:59.999Z 12400 13800"}},
		"sensor/SensorDataExample5.jsonld": {device: giai, readings: []string{"2019-04-02T13:05:00Z 26000", "2019-04-02T13:15:00Z 26100",
			"2019-04-02T13:25:00Z 26200", "2019-04-02T13:35:00Z 26300", "2019-04-02T13:45:00Z 26400", "2019-04-02T13:55:00Z 26500"}},
		"sensor/SensorDataExample7.jsonld": {device: giai, readings: []string{"2019-07-19T13:00:00Z 26000"}},
		"sensor/SensorDataExample9.jsonld": {doubts: 1},
		"sensor/SensorDataExample13.jsonld": {readings: []string{"2021-04-27T14:00:00Z 20700",
			"2021-04-27T14:00:00Z 20900"}},
		"event-hash-vectors/epcisDocWithSensorDataObjectEvent.jsonld": {device: giai, readings: three("2022-02-16")},
		"event-hash-vectors/ReferenceEventHashAlgorithm2.jsonld":      {device: giai, readings: []string{"2020-04-01T14:00:00Z 26000"}},
		"object_event_all_possible_fields.jsonld":                     all,
		"aggregation_event_all_possible_fields.jsonld":                all,
		"association_event_all_possible_fields.jsonld":                all,
		"transaction_event_all_possible_fields.jsonld":                all,
		"transformation_event_all_possible_fields.jsonld":             all,
	}
	files := realFiles(t)
	for name := range wants {
		if files[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
	for name, data := range files {
		s, err := sensor.Read(name, data, sensor.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		var readings []string
		for _, r := range s.Readings {
			readings = append(readings, show(r))
		}
		got := want{device: s.Device, readings: readings, doubts: len(s.Doubts)}
		if !reflect.DeepEqual(got, wants[name]) {
			t.Errorf("%s:\n got %v\nwant %v\nnotes %q", name, got, wants[name], s.Notes)
		}
		if len(readings)+len(s.Doubts) == 0 && !slices.Contains(s.Notes, "the file has no temperature") {
			t.Errorf("%s: no temperature, and no note of it: %q", name, s.Notes)
		}
	}
}

package custody_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const epcisData = "../../../shared/data/epcis-2.0"

// read returns a file of the real EPCIS data, or skips the test.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(epcisData, name))
	if err != nil {
		trialtest.Skip(t, "no ../shared/data")
	}
	return data
}

// TestHashVectors computes the published vectors.
func TestHashVectors(t *testing.T) {
	for _, name := range []string{"CertificationInfoAndSensorReportWithCRS", "ReferenceEventHashAlgorithm", "ReferenceEventHashAlgorithm2",
		"ReferenceEventHashAlgorithm3", "TimeStampRoundOff", "epcisDocWithSensorComponent", "epcisDocWithSensorDataObjectEvent"} {
		want := strings.Fields(string(read(t, "event-hash-vectors/"+name+".hashes")))
		got, err := custody.EventHashes(read(t, "event-hash-vectors/"+name+".jsonld"))
		if err != nil || len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

// TestSensorVectors computes those vectors that are published as XML alone. The real JSON files
// say the same but for words that changed before the standard was final.
func TestSensorVectors(t *testing.T) {
	words := strings.NewReplacer(`"Temperature"`, `"gs1:MT-Temperature"`, `"AbsoluteHumidity"`, `"gs1:MT-Humidity"`,
		`"Speed"`, `"gs1:MT-Speed"`, `"Illuminance"`, `"gs1:MT-Illuminance"`, `"DoseEquivalentRate"`, `"gs1:MT-EffectiveDoseRate"`,
		`"example":`, `"unused":`, "example:Abc", "rail:Abc", "example:Def", "rail:Def", "example:Mno", "rail:Mno",
		"F0F0F0", "f0f0f0", "org/example/", "org/rail/")
	want := strings.Fields(string(read(t, "event-hash-vectors/SensorDataExamples.hashes")))
	for name, i := range map[string]int{"1": 0, "3": 2, "5": 4, "7": 6, "11": 10} {
		doc := words.Replace(string(read(t, "sensor/SensorDataExample"+name+".jsonld")))
		got, err := custody.EventHashes([]byte(doc))
		if err != nil || len(got) != 1 || got[0] != want[i] {
			t.Errorf("SensorDataExample%s: %q, %v; want %s", name, got, err, want[i])
		}
	}
	// These have no JSON file: they are what the pre-hash strings say.
	for i, doc := range map[int]string{
		3: `{"type":"ObjectEvent","eventTime":"2019-04-02T14:00:00Z","eventTimeZoneOffset":"+01:00","action":"OBSERVE",
"bizStep":"inspecting","quantityList":[{"epcClass":"urn:epc:class:lgtin:4023333.002000.2019-10-07","quantity":150.0,"uom":"KGM"}],
"readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0"},"sensorElementList":[{"sensorMetadata":{"time":"2019-04-02T13:55:00Z"},
"sensorReport":[` + report("Temperature", "1111", "26", "CEL") + "," + report("Humidity", "1222", "12.1", "A93") + "," +
			report("Speed", "1333", "160", "KMH") + "," + report("Illuminance", "1444", "800", "LUX") + `]}]}`,
		11: `{"type":"TransformationEvent","@context":{"e":"https://ns.example.com/epcis/","e2":"https://ns.example2.com/epcis",
"e4":"https://ns.example4.com/epcis"},"eventTime":"2020-09-29T12:00:00Z","eventTimeZoneOffset":"+02:00","bizStep":"commissioning",
"inputQuantityList":[{"epcClass":"urn:epc:class:lgtin:4023333.055555.ABC123","quantity":25,"uom":"KGM"}],
"outputEPCList":["urn:epc:id:sgtin:4012345.012345.988","urn:epc:id:sgtin:4012345.012345.987"],
"readPoint":{"id":"urn:epc:id:sgln:4023333.00000.0","e:gs1ES":"(414)4023333000000"},
"bizLocation":{"id":"urn:epc:id:sgln:4023333.00001.12","e:gs1ES":"(414)4023333000017 (254)12"},
"sensorElementList":[{"sensorMetadata":{"startTime":"2019-04-01T14:00:00Z","endTime":"2019-04-02T13:59:59.999Z",
"e:someFurtherMetadata":"someText"},"sensorReport":[{"type":"gs1:MT-Temperature","minValue":12.4,"maxValue":13.8,"meanValue":13.2,
"sDev":0.41,"percRank":50,"percValue":12.7,"uom":"CEL","e:cv":123,"e:furtherSensorData":{"e:measure1":"123.5","e:measure2":"0.987"}},
{"type":"example:someSensorProperty","stringValue":"someSensorOutput"}],"e:someUserField":"abc123"}],
"ilmd":{"e:grading":"A","e2:userMasterData":{"e2:sizeCode":"B-2"},"cbvmda:lotNumber":"LOTABC"},
"e4:otherThings":"some text","e:internalData":{"e:machine":"https://id.gs1.org/8004/4012345ABC","e:procedure":"A-1"},
"e2:furtherData":{"e2:workingShift":1,"e2:assemblyLine":"2"}}`,
	} {
		got, err := custody.EventHashes([]byte(doc))
		if err != nil || len(got) != 1 || got[0] != want[i] {
			t.Errorf("vector %d: %q, %v; want %s", i+1, got, err, want[i])
		}
	}
}

// report returns a sensorReport of the fourth vector.
func report(kind, device, value, uom string) string {
	return `{"type":"gs1:MT-` + kind + `","deviceID":"urn:epc:id:giai:4000001.` + strings.TrimPrefix(device, "1") +
		`","deviceMetadata":"https://id.gs1.org/8004/400000` + device + `","rawData":"https://id.gs1.org/8004/401234599999",` +
		`"value":` + value + `,"uom":"` + uom + `"}`
}

// TestPrehash compares with a pre-hash string that was written by hand.
func TestPrehash(t *testing.T) {
	const doc = `{"type":"ObjectEvent","eventTime":"2026-03-01T12:00:00Z","eventTimeZoneOffset":"+01:00","action":"OBSERVE",
"@context":{"e":"https://e/"},"epcList":["urn:epc:id:sgtin:9506000.013435.A%22%3C%3E%3F(%2F"],"e:z":"  b ","e:y":0.00001}`
	const text = "eventType=ObjectEventeventTime=2026-03-01T12:00:00.000ZeventTimeZoneOffset=+01:00epcList" +
		"epc=https://id.gs1.org/01/09506000134352/21/A%22%3C%3E%3F%28%2Faction=OBSERVE{https://e/}y=1e-05{https://e/}z=b"
	want := fmt.Sprintf("ni:///sha-256;%x?ver=CBV2.0", sha256.Sum256([]byte(text)))
	if got, err := custody.EventHashes([]byte(doc)); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%q, %v; want %s", got, err, want)
	}
}

// TestSameHash writes one event in other ways that mean the same.
func TestSameHash(t *testing.T) {
	hash := func(doc string) string {
		t.Helper()
		got, err := custody.EventHashes([]byte(doc))
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %q, %v", doc, got, err)
		}
		return got[0]
	}
	const base = `{"type":"ObjectEvent","eventTime":"2026-03-01T12:00:00Z","@context":[{"https":"x"}],` +
		`"eventTimeZoneOffset":"+01:00","action":"OBSERVE",` +
		`"bizStep":"shipping","disposition":"in_transit","epcList":[EPC],"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"}],` +
		`"ilmd":{"cbvmda:lotNumber":"L"},"x:n":2,"x:b":true}`
	for _, same := range [][]string{
		{"EPC", `"urn:epc:id:sgtin:0614141.107346.A%2F1"`, `"https://id.gs1.org/01/10614141073464/21/A%2F1"`,
			`"http://example.com/x/gtin/10614141073464/lot/L/ser/A%2F1/?17=271231#f"`},
		{"EPC", `"urn:epc:id:sscc:0614141.1234567890"`, `"https://example.com/sscc/106141412345678908"`},
		{"EPC", `"urn:epc:idpat:sgtin:0614141.107346.*"`, `"https://id.gs1.org/01/10614141073464"`},
		{"EPC", `"urn:epc:id:grai:0614141.12345.400"`, `"https://id.gs1.org/8003/00614141123452400"`},
		{"EPC", `"urn:epc:id:itip:4012345.012345.01.02.987"`, `"https://id.gs1.org/8006/040123451234560102/21/987"`},
		{"EPC", `"urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345"`, `"https://id.gs1.org/8010/06141415PQ7%2FZ43/8011/12345"`},
		{"EPC", `"urn:epc:id:gsrn:0614141.1234567890"`, `"https://id.gs1.org/8018/061414112345678902"`},
		{"EPC", `"https://id.gs1.org/01/10614141073464/21/%22%23%3C%3E%3F%28%29"`,
			`"urn:epc:id:sgtin:0614141.107346.%22%23%3C%3E%3F()"`},
		{"EPC", `"a","b"`, `"b","a"`, `"b"," a "`},
		{`"shipping"`, `"shipping"`, `"urn:epcglobal:cbv:bizstep:shipping"`, `"cbv:BizStep-shipping"`,
			`"https://ref.gs1.org/cbv/BizStep-shipping"`},
		{`"in_transit"`, `"in_transit"`, `"urn:epcglobal:cbv:disp:in_transit"`},
		{`"po"`, `"po"`, `"urn:epcglobal:cbv:btt:po"`},
		{"12:00:00Z", "12:00:00Z", "13:00:00+01:00", "12:00:00.0004Z", "11:59:59.9995Z"},
		{`"x:n":2`, `"x:n":2`, `"x:n":"2"`, `"x:n":2.0`, `"x:n":"2.00"`, `"x:n":2,"recordTime":"x"`, `"x:n":2,"rdfs:comment":"c"`},
		{`"x:n":2`, `"x:n":0.00001`, `"x:n":"1e-05"`, `"x:n":"1E-5"`},
		{`"x:b":true`, `"x:b":true`, `"x:b":"true"`, `"x:b":"true","y":null`, `"x:b":{"#text":"true"}`},
	} {
		fill := func(s string) string {
			return strings.Replace(strings.Replace(base, same[0], s, 1), "EPC", `"urn:y:1"`, 1)
		}
		want := hash(fill(same[1]))
		for _, s := range same[2:] {
			if got := hash(fill(s)); got != want {
				t.Errorf("%s and %s have other hashes", same[1], s)
			}
		}
		if other := hash(strings.Replace(fill(same[1]), "OBSERVE", "ADD", 1)); other == want {
			t.Error("an event with another action has the same hash")
		}
	}
}

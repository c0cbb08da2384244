package custody_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// shipping is an event with every member that is read.
const shipping = `{"type":"ObjectEvent","eventTime":"2026-03-01T12:00:00.5Z","eventTimeZoneOffset":"+02:00","action":"OBSERVE",
"bizStep":"shipping","epcList":["urn:epc:id:sgtin:9506000.013435.A1","https://example.com/01/09506000134352/10/L/21/A2?x=1",
"urn:epc:id:sscc:9506000.0134352000"],"sourceList":[{"type":"location","source":"urn:epc:id:sgln:9506000.00001.0"},
{"type":"owning_party","source":"urn:epc:id:pgln:9506000.00002"},{"type":"possessing_party","source":"urn:epc:id:pgln:9506000.00003"}],
"destinationList":[{"type":"location","destination":"https://id.gs1.org/414/9506000000046/254/ward"}],
"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":5,"uom":"CEL"}]}]}`

func TestParseEvents(t *testing.T) {
	hashes, err := custody.EventHashes([]byte(shipping))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []string{
		shipping,
		"[" + shipping + "]",
		`{"type":"EPCISDocument","epcisBody":{"eventList":[` + shipping + `]}}`,
		`{"type":"EPCISDocument","epcisBody":{"event":` + shipping + `}}`,
		`{"type":"EPCISQueryDocument","epcisBody":{"queryResults":{"resultsBody":{"eventList":[` + shipping + `]}}}}`,
		strings.Replace(shipping, `"shipping"`, `"urn:epcglobal:cbv:bizstep:shipping"`, 1),
		strings.Replace(shipping, `"shipping"`, `"https://ref.gs1.org/cbv/BizStep-shipping"`, 1),
		strings.Replace(shipping, `"shipping"`, `"cbv:BizStep-shipping"`, 1),
		strings.ReplaceAll(shipping, `"owning_party"`, `"urn:epcglobal:cbv:sdt:owning_party"`),
		"\ufeff" + shipping,
	} {
		list, err := custody.ParseEvents([]byte(doc))
		if err != nil || len(list) != 1 {
			t.Errorf("%.60s: %d events, %v", doc, len(list), err)
			continue
		}
		e := list[0]
		if e.Action != "ship" || e.Time.Format(time.RFC3339Nano) != "2026-03-01T14:00:00.5+02:00" || e.Parent != "" || !e.Sensors ||
			e.From != "9506000000039" || e.To != "9506000000046" || e.Hash != hashes[0] ||
			!slices.Equal(e.Serials, []string{serial, "(01)09506000134352(21)A2", "(00)095060001343520000"}) {
			t.Errorf("%.60s: %+v", doc, e)
		}
	}
	owner := strings.Replace(shipping, `"possessing_party"`, `"other"`, 1)
	if list, err := custody.ParseEvents([]byte(owner)); err != nil || list[0].From != "9506000000022" {
		t.Errorf("the owner is not the source where nobody else possesses: %+v, %v", list, err)
	}
}

// TestAggregation reads the children and the parent of an AggregationEvent apart.
func TestAggregation(t *testing.T) {
	doc := strings.NewReplacer(`"ObjectEvent"`, `"AggregationEvent"`, `"epcList"`,
		`"parentID":"urn:epc:id:sscc:9506000.0134352001","childEPCs"`,
		`"shipping"`, `"receiving"`, `"sensorElementList"`, `"x:sensors"`).Replace(shipping)
	list, err := custody.ParseEvents([]byte(doc))
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	e := list[0]
	if e.Action != "receive" || e.Parent != "(00)095060001343520017" || len(e.Serials) != 3 || e.Serials[0] != serial || e.Sensors {
		t.Errorf("%+v", e)
	}
}

func TestParseEventsRefuses(t *testing.T) {
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(shipping) }
	for _, c := range []struct{ doc, why string }{
		{"[" + shipping + "," + replace(`"ObjectEvent"`, `"TransformationEvent"`, `"shipping"`, `"commissioning"`) + "]",
			"EPCIS event 2 is a TransformationEvent with bizStep commissioning: only shipping and receiving are read"},
		{replace(`"ObjectEvent"`, `"TransactionEvent"`), "is a TransactionEvent with bizStep shipping: only ObjectEvents"},
		{replace(`"bizStep":"shipping"`, `"disposition":"in_transit"`), "is an ObjectEvent with bizStep (none)"},
		{replace(`"bizStep":"shipping"`, `"bizStep":"https://example.com/shipping"`), "only shipping and receiving"},
		{replace(`"OBSERVE"`, `"DELETE"`), `action "DELETE"`},
		{replace(`"action"`, `"errorDeclaration":{},"action"`), "declares an error"},
		{replace(`12:00:00.5Z`, `12:00:00`), "no time with its zone"},
		{replace(`+02:00`, `2`), "no offset"},
		{replace("A1", "A*", ":sgtin:", ":giai:"), "neither an SGTIN nor an SSCC"},
		{replace("/21/A2", ""), "names a product and not a pack"},
		{replace("/01/09506000134352", "/01/09506000134353"), "but 2 is right"},
		{replace("/21/A2", "/21/A1"), "twice"},
		{replace("9506000000046", "9506000000041"), "but 6 is right"},
		{replace(`"owning_party"`, `"possessing_party"`), "two of the type possessing_party"},
		{replace("epcList", "epclist"), "names no pack"},
		{replace(`"action"`, `"eventTime":"x","action"`), `"eventTime" twice`},
		{replace("A1", `A1\ud800`), "U+FFFD"},
		{replace("A1", "A1\xff"), "not UTF-8"},
		{shipping + shipping, "more after the end"},
		{shipping[:100], "not JSON"},
		{strings.Repeat("[", 70), "64 objects and arrays"},
		{`{"type":"EPCISDocument"}`, "no eventList"},
		{`{"type":"EPCISMasterDataDocument"}`, "no EPCIS 2.0 document"},
		{`[1]`, "EPCIS event 1 is no object"},
		{`"` + strings.Repeat("x", 16<<20) + `"`, "16 MB"},
	} {
		list, err := custody.ParseEvents([]byte(c.doc))
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.80s: %+v, %v; want an error with %q", c.doc, list, err, c.why)
		}
	}
}

// TestRealEvents reads GS1's examples: each is read or refused for a reason that is known.
func TestRealEvents(t *testing.T) {
	read := map[string]int{ // events
		"EPCISQueryDocument.jsonld": 2, "Example_9.6.1-ObjectEvent.jsonld": 2,
		"Example_9.6.1-ObjectEventWithDigitalLink.jsonld": 2, "Example_9.6.1-with-comment.jsonld": 2,
		"Example_9.6.1-ObjectEvent-with-pseudo-SBDH-headers.jsonld": 2, "Example_9.6.3-AggregationEvent.jsonld": 1,
		"Example_9.6.3-AggregationEventWithDigitalLink.jsonld": 1,
	}
	files, err := filepath.Glob(epcisData + "/*.jsonld")
	if err != nil || len(files) == 0 {
		trialtest.Skip(t, "no ../shared/data")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := custody.ParseEvents(data)
		want := read[filepath.Base(file)]
		if len(list) != want || (err == nil) != (want > 0) {
			t.Errorf("%s: %d events, %v; want %d", filepath.Base(file), len(list), err, want)
		}
		t.Logf("%s: %+v %v", filepath.Base(file), list, err)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(shipping))
	f.Add([]byte(`{"type":"EPCISDocument","@context":["x",{"e":"https://e/"}],"epcisBody":{"eventList":[` + shipping + `]}}`))
	f.Add([]byte(`[{"type":"AggregationEvent","eventTime":"2026-03-01T12:00:00Z","eventTimeZoneOffset":"+00:00","action":"ADD",` +
		`"bizStep":"receiving","parentID":"urn:epc:id:sscc:9506000.0134352000","e:x":{"y":[1.50,null,{"#text":"a"}]}}]`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		list, err := custody.ParseEvents(doc)
		hashes, hashErr := custody.EventHashes(doc)
		if err != nil {
			return
		}
		if hashErr != nil || len(hashes) != len(list) {
			t.Fatalf("%d events, but %d hashes, %v", len(list), len(hashes), hashErr)
		}
		for i, e := range list {
			if e.Hash != hashes[i] {
				t.Errorf("hash %s, but event %+v", hashes[i], e)
			}
			for _, s := range append(slices.Clone(e.Serials), e.Parent) {
				if s == "" {
					continue
				}
				if c, err := custody.Parse(s, year); err != nil || c.Serial != s {
					t.Errorf("serial %q is read as %q, %v", s, c.Serial, err)
				}
			}
		}
	})
}

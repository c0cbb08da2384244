package consent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// realConsents says of each real Consent at which path it is refused, or "grants" and who is
// excluded. Each row was compared with its file by hand.
var realConsents = map[string]string{
	// Eleven of the twelve examples of HL7 have no type in their root provision. Two have a permit
	// below it: one by codes of documents, one for 30 minutes of a program.
	"fhir-r4/Consent-consent-example-Emergency.json":                      "provision.type", // no type; one nested deny
	"fhir-r4/Consent-consent-example-Out.json":                            "provision.type",
	"fhir-r4/Consent-consent-example-basic.json":                          "provision.type",
	"fhir-r4/Consent-consent-example-grantor.json":                        "provision.type",
	"fhir-r4/Consent-consent-example-notAuthor.json":                      "provision.type",
	"fhir-r4/Consent-consent-example-notOrg.json":                         "provision.type", // deny
	"fhir-r4/Consent-consent-example-notThem.json":                        "provision.type",
	"fhir-r4/Consent-consent-example-notThis.json":                        "provision.type",
	"fhir-r4/Consent-consent-example-notTime.json":                        "provision.type",
	"fhir-r4/Consent-consent-example-pkb.json":                            "provision.provision[0].type", // none of its provisions has a type
	"fhir-r4/Consent-consent-example-signature.json":                      "provision.provision[0].code",
	"fhir-r4/Consent-consent-example-smartonfhir.json":                    "provision.period.end",
	"fhir-r5/consent-example.json":                                        "provision.type", // R4 in its form
	"fhir-consent/gics/Consent-example-1.json":                            "provision.code", // permits to collect data, by a policy's code
	"fhir-consent/r4/consent-boris-deny-practitioner.json":                "grants, not to Practitioner/001, 2019-11-01 to 2029-01-01",
	"fhir-consent/r4/consent-boris-expired.json":                          "provision.period.end",
	"fhir-consent/r4/consent-boris-optin.json":                            "grants, not to Organization/54, 2019-11-01 to 2029-01-01",
	"fhir-consent/r4/consent-boris-optout.json":                           "provision.type",
	"fhir-consent/r4/consent-boris-provision-array.json":                  "provision.provision[0].securityLabel",
	"fhir-consent/r4/consent-boris-research.json":                         "status",
	"fhir-consent/r4/consent-boris-optin-with-pou-in-root-provision.json": "provision.purpose", // treatment
	"fhir-consent/r5/consent-boris-deny-restricted-label.json":            "provision[0].securityLabel",
	"fhir-consent/r5/consent-boris-expired.json":                          "period.end",
	"fhir-consent/r5/consent-boris-optin.json":                            "grants, not to Organization/54, 2019-11-01 to 2029-01-01",
	"fhir-consent/r5/consent-boris-optout.json":                           "decision",
}

var today = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// granted says what a FHIR Consent grants today, or at which path it is refused.
func granted(data []byte) string {
	p, err := consent.ReadFHIR(data)
	if err == nil {
		err = p.Current(today)
	}
	if refused, ok := errors.AsType[*consent.Refused](err); ok {
		return refused.Path
	}
	if err != nil {
		return "error: " + err.Error()
	}
	said := "grants"
	for what, list := range map[string][]string{", to ": p.Actors, ", not to ": p.NotActors} {
		if len(list) > 0 {
			said += what + strings.Join(list, " ")
		}
	}
	if len(p.Data) > 0 {
		said += ", data " + strings.Join(p.Data, " ")
	}
	if len(p.Use) > 0 {
		said += ", for " + strings.Join(p.Use, " ")
	}
	if p.Period != nil {
		said += ", " + p.Period.Start + " to " + p.Period.End
	}
	return said
}

// TestRealConsents reads the Consents of HL7, LEAP and gICS.
func TestRealConsents(t *testing.T) {
	root := "../../../shared/data"
	if _, err := os.Stat(root); err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	var names []string
	for _, pattern := range []string{"fhir-r4/Consent-*.json", "fhir-r5/consent-*.json", "fhir-consent/*/*.json"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) < 20 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		short := strings.TrimPrefix(filepath.ToSlash(name), root+"/")
		if want, ok := realConsents[short]; !ok || granted(data) != want {
			t.Errorf("%s: %s, want %q", short, granted(data), want)
		}
		for n := range len(data) {
			if n%7 == 0 && !strings.HasPrefix(granted(data[:n]), "error: ") && len(bytes.TrimSpace(data[n:])) > 0 {
				t.Errorf("%s: of %d bytes: %s", short, n, granted(data[:n]))
			}
		}
	}
}

const plainR4 = `{"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope",
"code":"research"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/1"},
"provision":{"type":"permit","period":{"start":"2026-01","end":"2027"}}}`

const plainR5 = `{"resourceType":"Consent","status":"active","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope",
"code":"research"}]}],"subject":{"reference":"Patient/1"},"period":{"start":"2026-01-01"},"decision":"permit"}`

// TestConsentForms changes one thing of a Consent that grants.
func TestConsentForms(t *testing.T) {
	for _, c := range []struct{ base, old, new, want string }{
		{plainR4, "", "", "grants, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR5, "", "", "grants, for DUO:0000006, 2026-01-01 to "},
		{plainR4, `"research"`, `"treatment"`, "scope"},
		{plainR4, `"research"`, `"patient-privacy"`, "grants, 2026-01-01 to 2027-12-31"},
		{plainR4, `"active"`, `"proposed"`, "status"},
		{plainR4, `"status":"active"`, `"status":"active","status":"active"`, "status"},
		{plainR4, `"status":"active"`, `"status":"active","modifierExtension":[{"url":"x"}]`, "modifierExtension"},
		{plainR4, `"status":"active"`, `"status":"active","implicitRules":"x"`, "implicitRules"},
		{plainR4, `"status":"active"`, `"status":"active","_status":{"extension":[]}`, "_status"},
		{plainR4, `"status":"active"`, `"status":"active","verification":[{"verified":false}]`, "verification[0].verified"},
		{plainR4, `"status":"active"`, `"status":"active","verification":[{"verified":true}]`, "grants, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"deny"`, "provision.type"},
		{plainR4, `"type":"permit",`, ``, "provision.type"},
		{plainR4, `"type":"permit"`, `"type":"allow"`, "provision.type"},
		{plainR4, `"type":"permit"`, `"type":"permit","data":[]`, "provision.data"},
		{plainR4, `"type":"permit"`, `"type":"permit","dataPeriod":{"start":"2020"}`, "provision.dataPeriod"},
		{plainR4, `"type":"permit"`, `"type":"permit","modifierExtension":[]`, "provision.modifierExtension"},
		{plainR4, `"type":"permit"`, `"type":"permit","extension":[{"url":"x"}]`, "grants, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}]`,
			"grants, data Observation, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","class":[{"system":"urn:ietf:bcp:13","code":"application/pdf"}]`, "provision.class[0]"},
		{plainR4, `"type":"permit"`, `"type":"permit","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HRESCH"}]`,
			"grants, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"CLINTRCH"}]`,
			"provision.purpose[0]"},
		{plainR4, `"type":"permit"`, `"type":"permit","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]`,
			"provision.purpose"},
		{plainR4, `"type":"permit"`, `"type":"permit","purpose":[{"system":"http://purl.obolibrary.org/obo/duo.owl","code":"DUO_0000042"}]`,
			"grants, for DUO:0000042, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
"code":"IRCP"}]},"reference":{"reference":"Organization/9"}}]`, "grants, to Organization/9, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
"code":"AUT"}]},"reference":{"reference":"Organization/9"}}]`, "provision.actor[0].role"},
		{plainR4, `"type":"permit"`, `"type":"permit","action":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":"collect"}]}]`,
			"provision.action"},
		{plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"permit"}]`, "provision.provision[0].type"},
		{plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"deny"}]`, "provision.provision[0]"},
		{plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"deny","provision":[{"type":"permit"}]}]`, "provision.provision[0].provision"},
		{plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"deny","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason",
"code":"HMARKT"}]}]`, "grants, for DUO:0000006, 2026-01-01 to 2027-12-31"},
		{plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"deny","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason",
"code":"HRESCH"}]}]`, "provision.provision[0].purpose"},
		{plainR4, `"type":"permit"`, `"type":"deny","provision":[{"type":"permit","period":{"end":"2026-12-24"}}]`,
			"grants, for DUO:0000006, 2026-01-01 to 2026-12-24"},
		{plainR4, `"type":"permit"`, `"type":"deny","provision":[{"type":"permit"},{"type":"permit"}]`, "provision.provision[1]"},
		{plainR4, `"end":"2027"`, `"end":"2026-10"`, "provision.period.end"},
		{plainR4, `"end":"2027"`, `"end":"2025"`, "provision.period.end"},
		{plainR4, `"end":"2027"`, `"end":"soon"`, "provision.period.end"},
		{plainR4, `{"resourceType"`, `// a comment
{"resourceType"`, "error: it is not JSON"},
		{plainR5, `"permit"`, `"deny"`, "decision"},
		{plainR5, `,"decision":"permit"`, ``, "decision"},
		{plainR5, `"decision":"permit"`, `"decision":"permit","provision":[{"expression":{"language":"x"}}]`, "provision[0].expression"},
		{plainR5, `"decision":"permit"`, `"decision":"permit","grantee":[{"reference":"Organization/1"}]`, "grantee"},
		{plainR5, `"decision":"permit"`, `"decision":"permit","provision":[{"provision":[]}]`, "provision[0].provision"},
	} {
		text := strings.Replace(c.base, c.old, c.new, 1)
		if c.old != "" && text == c.base {
			t.Fatalf("%q is not in the base", c.old)
		}
		if got := granted([]byte(text)); got != c.want && !(strings.HasPrefix(c.want, "error: ") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s for %s: %s, want %s", c.new, c.old, got, c.want)
		}
	}
}

// TestConsentActors: who is named or excluded is compared with who is to receive.
func TestConsentActors(t *testing.T) {
	p := &consent.Permission{Actors: []string{"Organization/9"}, NotActors: []string{"Organization/54"}}
	if _, err := p.For("lab"); !errors.Is(err, consent.ErrActor) {
		t.Errorf("an organisation that nothing names: %v", err)
	}
	if terms, err := p.For("lab", "Organization/9"); err != nil || terms.Recipient != "lab" || len(terms.Not) != 1 {
		t.Errorf("the organisation that is named: %v %v", terms, err)
	}
	if _, err := p.For("lab", "Organization/9", "Organization/54"); err == nil {
		t.Error("an organisation that is excluded is taken")
	}
	if _, err := (&consent.Permission{NotActors: []string{"Organization/lab"}}).For("lab"); err == nil {
		t.Error("an organisation that is excluded by its id is taken")
	}
}

func FuzzReadFHIR(f *testing.F) {
	f.Add([]byte(plainR4))
	f.Add([]byte(plainR5))
	f.Add([]byte(strings.Replace(plainR4, `"type":"permit"`, `"type":"permit","provision":[{"type":"deny","actor":[]}]`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := consent.ReadFHIR(data)
		if err != nil {
			return
		}
		var v struct{ Status string }
		if json.Unmarshal(data, &v) != nil || v.Status != "active" {
			t.Errorf("granted without the status active: %s", data)
		}
		if !bytes.Contains(data, []byte("permit")) {
			t.Errorf("granted without a permit: %s", data)
		}
		if terms, err := p.For("lab", p.Actors...); err == nil {
			if _, err := terms.Marshal(); err != nil {
				t.Logf("terms that are refused: %v", err)
			}
		}
	})
}

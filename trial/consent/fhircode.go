package consent

import (
	"slices"
	"strings"
)

// Vocabularies that are understood.
const (
	consentScope    = "http://terminology.hl7.org/CodeSystem/consentscope"
	consentCategory = "http://terminology.hl7.org/CodeSystem/consentcategorycodes"
	consentAction   = "http://terminology.hl7.org/CodeSystem/consentaction"
	actCode         = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	actReason       = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	participation   = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	resourceTypes   = "http://hl7.org/fhir/resource-types"
	duoSystem       = "http://purl.obolibrary.org/obo/duo.owl"
)

// sameSystem has the other names that engines give to these vocabularies: those of STU3, and the
// OIDs under which HL7 registers them.
var sameSystem = map[string]string{
	"http://hl7.org/fhir/consentscope":         consentScope,
	"http://hl7.org/fhir/consentcategorycodes": consentCategory,
	"http://hl7.org/fhir/consentaction":        consentAction,
	"http://hl7.org/fhir/v3/ActCode":           actCode,
	"http://hl7.org/fhir/v3/ActReason":         actReason,
	"http://hl7.org/fhir/v3/ParticipationType": participation,
	"urn:oid:2.16.840.1.113883.5.4":            actCode,
	"urn:oid:2.16.840.1.113883.5.8":            actReason,
	"urn:oid:2.16.840.1.113883.5.90":           participation,
	"http://purl.obolibrary.org/obo":           duoSystem,
	"http://purl.obolibrary.org/obo/":          duoSystem,
	"https://github.com/EBISPOT/DUO":           duoSystem,
	"http://hl7.org/fhir/fhir-types":           resourceTypes,
}

// in reports whether a code is of a vocabulary.
func (c coding) in(system string) bool {
	return c.system == system || sameSystem[c.system] == system
}

// purposeUse says what purposes of use of HL7's v3-ActReason permit in the words of the Data Use
// Ontology. Only what both vocabularies' definitions say for certain is here.
//
//   - HRESCH is "conducting scientific investigations to obtain health care knowledge". That is
//     health research, HMB. It is not general research, GRU, which is "any research purpose".
//   - BIORCH, biomedical research, stands below HRESCH and is named in HMB's definition.
//   - CLINTRCH, and the two below it, are health research within a clinical trial, and no other:
//     HMB limited to one project, PS. Which trial it is the terms or the form say.
//
// Other research purposes are understood, but DUO's words for them need more than the purpose says:
// DSRCH is research on a disease, and does not name it; POARCH is on ancestry, which HMB excludes;
// PREHRCH and TRANSRCH have no code.
var purposeUse = map[string][]string{
	"HRESCH": {duoHMB}, "BIORCH": {duoHMB},
	"CLINTRCH": {duoHMB, duoPS}, "CLINTRCHNPC": {duoHMB, duoPS}, "CLINTRCHPC": {duoHMB, duoPS},
}

// otherResearch are purposes of research that no code here says. CLINTRL is care as part of a
// trial: to permit it does not permit research, and to deny it may deny that.
var otherResearch = []string{"CLINTRL", "DSRCH", "POARCH", "PREHRCH", "TRANSRCH"}

// noResearch are the other purposes of use of the value set v3-PurposeOfUse. A permission for them
// is none here, and to deny them takes nothing away.
var noResearch = strings.Fields("TREAT ETREAT BTG ERTREAT POPHLTH COC HPAYMT CLMATTCH COVAUTH COVERAGE ELIGDTRM ELIGVER ENROLLM " +
	"MILDCRG REMITADV HMARKT HOPERAT CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP " +
	"HSYSADMIN LABELING METAMGT MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV HTEST TRAIN PATRQT FAMRQT PWATRNY " +
	"SUPNWK PUBHLTH DISASTER THREAT")

// purposeOf says whether a purpose is of research, and which codes of use it is; use is empty if
// it is research that no code here says.
func purposeOf(concept []coding) (research bool, use []string, err error) {
	for _, c := range concept {
		switch {
		case c.in(duoSystem):
			code := strings.Replace(c.code, "_", ":", 1)
			if err := checkUse("it", withPermission(code)); err != nil {
				return false, nil, c.refuse("the code %.40q of the Data Use Ontology is not understood here, or needs more than it says", c.code)
			}
			return true, []string{code}, nil
		case !c.in(actReason):
			continue
		case purposeUse[c.code] != nil:
			return true, purposeUse[c.code], nil
		case slices.Contains(otherResearch, c.code):
			return true, nil, nil
		case slices.Contains(noResearch, c.code):
			return false, nil, nil
		}
	}
	return false, nil, concept[0].refuse("the purpose %.60q of %.100q is not understood here", concept[0].code, concept[0].system)
}

// withPermission adds a permission to a code that only limits one.
func withPermission(code string) []string {
	if slices.Contains(modifiers, code) {
		return []string{duoGRU, code}
	}
	return []string{code}
}

// ruleMembers says of members of a provision why they are not understood.
var ruleMembers = map[string]string{
	"code":          "a provision for some content only",
	"data":          "a provision for single records only",
	"dataPeriod":    "a provision for the data of some time only",
	"documentType":  "a provision for some kinds of documents only",
	"expression":    "a provision with a condition to be computed",
	"extension":     "an extension in a provision",
	"provision":     "a provision inside a provision inside a provision",
	"securityLabel": "a provision for data with some labels only",
}

func notUnderstood(name string) string {
	if why := ruleMembers[name]; why != "" {
		return why + " is not understood here, so nobody can tell whether it permits a release"
	}
	return "this element is not understood here, so nobody can tell whether it permits a release"
}

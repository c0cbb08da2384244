package study

import (
	"strings"
	"testing"
)

// TestSponsorPerson: a sponsor who is a person is "individual" in each of the formats, whatever
// the record says about a responsible party. Organisations keep their names.
func TestSponsorPerson(t *testing.T) {
	v2 := func(party, name, class string) string {
		return `{"protocolSection":{"identificationModule":{"nctId":"NCT09999991","briefTitle":"A"},"sponsorCollaboratorsModule":{` +
			party + `"leadSponsor":{"name":"` + name + `","class":"` + class + `"}}}}`
	}
	xml := func(party, name, class string) string {
		return strings.Replace(recordXML,
			`<lead_sponsor><agency>Example Pharma</agency><agency_class>Industry</agency_class></lead_sponsor></sponsors>`,
			`<lead_sponsor><agency>`+name+`</agency><agency_class>`+class+`</agency_class></lead_sponsor></sponsors>`+party, 1)
	}
	v1 := func(party, name, class string) string {
		return `{"Study":{"ProtocolSection":{"IdentificationModule":{"NCTId":"NCT09999991","BriefTitle":"A"},"SponsorCollaboratorsModule":{` + party + `"LeadSponsor":{"LeadSponsorName":"` + name + `","LeadSponsorClass":"` + class + `"}}}}}`
	}
	isrctn := func(name string) string { return strings.Replace(recordISRCTN, "Example University<", name+"<", 1) }
	ictrp := func(name string) string {
		return strings.NewReplacer("Example University<", name+"<", "<br>", "").Replace(recordICTRP)
	}
	investigator := `"responsibleParty":{"type":"SPONSOR_INVESTIGATOR","investigatorFullName":"Amina Roebuck"},`
	principal := strings.Replace(investigator, "SPONSOR_INVESTIGATOR", "PRINCIPAL_INVESTIGATOR", 1)
	for _, c := range []struct{ record, want string }{
		{v2("", "Amal Bint Example", "OTHER"), Individual},
		{v2("", "Roebuck, Amina", "OTHER"), Individual},
		{v2("", "Prof. Roebuck", "OTHER"), Individual},
		{v2("", "Roebuck", "INDIV"), Individual},
		{v2(investigator, "Amina Roebuck", "OTHER"), Individual},
		{v2(investigator, "Roebuck", "OTHER"), Individual},
		{v2(investigator, "A. Roebuck", "INDUSTRY"), Individual},
		{v2(principal, "Roebuck Amina", "INDUSTRY"), Individual},
		{v2(principal, "Example University Hospital", "OTHER"), "Example University Hospital"},
		{v2(principal, "Example Pharma", "INDUSTRY"), "Example Pharma"},
		{v2(principal, "Roebuck Pharma", "INDUSTRY"), "Roebuck Pharma"},
		{v2(principal, "Roebuck Medical Practice", "OTHER"), Withheld},
		{v2("", "Fundació Sant Joan de Déu", "OTHER"), "Fundació Sant Joan de Déu"},
		{v2("", "Dr. Example Pharma GmbH", "INDUSTRY"), "Dr. Example Pharma GmbH"},
		{v2("", "Sangath", "OTHER"), "Sangath"},
		{xml("", "Amal Bint Example", "Other"), Individual},
		{xml("<responsible_party><responsible_party_type>Sponsor-Investigator</responsible_party_type><investigator_full_name>Amina "+
			"Roebuck</investigator_full_name></responsible_party>", "Roebuck", "Other"), Individual},
		{xml("", "Example Pharma", "Industry"), "Example Pharma"},
		{v1("", "Amal Bint Example", "OTHER"), Individual},
		{v1(`"ResponsibleParty":{"ResponsiblePartyType":"Sponsor-Investigator","ResponsiblePartyInvestigatorFullName":"Amina Roebuck"},`,
			"Roebuck", "OTHER"), Individual},
		{v1("", "Example Hospital", "OTHER"), "Example Hospital"},
		{isrctn("Amina Roebuck"), Individual},
		{isrctn("Example University"), "Example University"},
		{ictrp("Amina Roebuck"), Individual},
		{ictrp("Dr Amina Roebuck"), Individual},
		{ictrp("Example University"), "Example University"},
	} {
		s := parse(t, c.record)
		f, _ := s.Facts()
		if f.Sponsor == nil || f.Sponsor.Name != c.want {
			t.Errorf("%s: the sponsor %+v becomes %+v, want %q", s.Format, s.Sponsor, f.Sponsor, c.want)
		}
		data, err := f.Marshal()
		if err != nil || c.want == Individual && strings.Contains(strings.ToLower(string(data)), "roebuck") {
			t.Errorf("%s, %v", data, err)
		}
	}
}

// TestMentioned: people whom a document names in passing are found.
func TestMentioned(t *testing.T) {
	for _, c := range []struct{ member, text string }{
		{`"referencesModule":{"references":[{"citation":"Roebuck JA, van der Quux B, et al. A score. J Ex. 2001;1:2."}]}`,
			"Pain, rated by J. Roebuck|rated by Roebuck|Quux B|van der Quux's view"},
		{`"contactsLocationsModule":{"centralContacts":[{"name":"Study Contact","email":"amina.roebuck@example.org"}]}`,
			"rated by Amina Roebuck|ROEBUCK|A. Roebuck"},
		{`"contactsLocationsModule":{"centralContacts":[{"name":"Study Contact","email":"aroebuck7@example.org"}]}`, "by aroebuck"},
		{`"contactsLocationsModule":{"overallOfficials":[{"name":"Study Director","affiliation":"Praxis Dr. Roebuck"}]}`,
			"rated by Roebuck"},
		{`"descriptionModule":{"briefSummary":"Led by Prof. Amina Roebuck of the clinic. Contact: Quentin Quux"}`,
			"rated by Roebuck|Amina Roebuck|by Quux"},
		{`"eligibilityModule":{"eligibilityCriteria":"In the opinion of Amina Roebuck, MD, fit"}`, "rated by Roebuck"},
		{`"armsInterventionsModule":{"armGroups":[{"label":"A","description":"given by Dr. Roebuck"}]}`, "by Roebuck"},
	} {
		s := parse(t, `{"protocolSection":{"identificationModule":{"nctId":"NCT09999991","briefTitle":"A"},`+c.member+`}}`)
		p := s.privacy()
		for text := range strings.SplitSeq(c.text, "|") {
			if got, ok := p.text(text); ok {
				t.Errorf("%s: %q becomes %q", c.member, text, got)
			}
		}
		for _, text := range []string{"Pain at 12 weeks", "Roebuck's disease", "Contact time", "Clinical trials at example"} {
			if _, ok := p.text(text); !ok && !(text == "Roebuck's disease" && !strings.Contains(c.member, "citation")) {
				t.Errorf("%s: %q is withheld", c.member, text)
			}
		}
	}
	for address, want := range map[string]string{
		"jane.doe@example": "jane " +
			"doe", "jdoe@example": "", "jroebuck@example": "jroebuck", "clinicaltrials@example": "", "info@example": "",
		"example.trials@example": "", "study-nurse@x": "", "j.roebuck2@example": "j roebuck", "ctgov@x": "", "abc.acronym@x": "",
	} {
		local, host, _ := strings.Cut(address, "@")
		if got := addressee(local, host, "ACRONYM"); got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
}

// TestOrganisations: names of bodies in many languages are recognised, and names of people are
// not taken for them.
func TestOrganisations(t *testing.T) {
	for name := range strings.SplitSeq(`Mayo Clinic|Karolinska Institutet|Assistance Publique - Hôpitaux de Paris|Hospices Civils de Lyon|UNICANCER|Rigshospitalet, Denmark|Region Skåne|Helse Stavanger HF|Inselspital Bern|Kantonsspital Aarau|
UMC Utrecht|CHU de Reims|IRCCS San Raffaele|Fondazione Policlinico Gemelli|Azienda USL Modena|Consorci Sanitari de Terrassa|Secretaría de Salud|T.C. ORDU ÜNİVERSİTESİ|Technische Universität Dresden|Medicines for Malaria Venture|Friends of Examples|
Royal Example Trust|Sykehuset Innlandet HF|Example AG|Example A/S|Example S.p.A.|Universidade Federal de São Paulo|Szpital Example|Arbeitsgemeinschaft Example|FHI 360|Example & Sons|Sangath|Women's Example Society|Ziekenhuis Example|Nemours Children's Clinic|
Ministry of Health|Ankara Hastanesi|Example Biotech Co.|King Saud Medical City`, "|") {
		if name = strings.TrimSpace(name); mayBePerson(name) {
			t.Errorf("%s is taken for a person", name)
		}
	}
	for name := range strings.SplitSeq(`Amal Bint Example|Jane Sample|Roebuck, Amina|Rose Green|María José Núñez Quux|Li Wei|Ludwig van der Muster|Jean-Marie DUPONTEL|Mark Young|Abdullah Al-Hassani|Charitos Nikos|J. Sample|Ada de la Quux y Muster|王伟`, "|") {
		if !mayBePerson(name) {
			t.Errorf("%s is taken for an organisation", name)
		}
	}
}

// TestTwoSpellings: a record may have one name in two spellings that differ only in a doubled
// letter. A misspelling of either one is not published.
func TestTwoSpellings(t *testing.T) {
	for _, names := range [][2]string{{"Jacek Quiniarski", "Jacek Quiniaarski"}, {"Jacek Quiniaarski", "Jacek Quiniarski"}} {
		s := parse(t, `{"protocolSection":{"identificationModule":{"nctId":"NCT09999991","briefTitle":"A"},"contactsLocationsModule":{"overallOfficials":[{"name":"`+names[0]+`"},{"name":"`+names[1]+`"}]}}}`)
		for _, number := range []string{"Jacek Quiiaarski 00379", "Jacek Quiiarski 00379"} {
			if got, ok := s.privacy().number(number); ok {
				t.Errorf("%q beside %q becomes %q", number, names, got)
			}
		}
	}
}

package trial_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestRefusedMemberIsNamed: if a member's own type refuses its value, the refusal names the
// member and does not say that the text is not JSON.
func TestRefusedMemberIsNamed(t *testing.T) {
	s := trial.Statement{Subjects: trialtest.Documents("document", "a"), Predicate: &trial.Document{Common: trialtest.Common(),
		Trial: trial.Hash{1}, Version: "1.0"}}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	id := trial.Hash{1}.String()
	for with, want := range map[string]string{
		id[:62]: "predicate of document: member trial: not 64 hexadecimal digits",
		"\\n":   "predicate of document: member trial: not 64 hexadecimal digits",
	} {
		altered := bytes.Replace(payload, []byte(id), []byte(with), 1)
		if bytes.Equal(altered, payload) {
			t.Fatal("nothing is altered")
		}
		_, err := trial.ParseStatement(altered)
		if trial.RuleOf(err) != trial.RuleMalformed || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "not JSON") {
			t.Errorf("%q: %v", with, err)
		}
	}
}

// TestSubjectsAreWhatTheStatementSays: a statement that is about no document has exactly the
// subject and digest that its kind prescribes.
func TestSubjectsAreWhatTheStatementSays(t *testing.T) {
	c, id, other := trialtest.Common(), trial.Hash{1}, trial.Hash{2}
	org, orgSubjects := trialtest.Org("acme", "Acme", "ada", "bob")
	enrol, enrolSubjects := trialtest.Enrol("acme", "bob", "signer")
	elsewhere, _ := trialtest.Enrol("acme", "bob", "signer")
	beta := trialtest.Enrolment("beta", "bob") // bob asked to join beta, and acme uses his request
	elsewhere.(*trial.Key).Enrol = &beta
	swapped := []trial.Subject{orgSubjects[1], orgSubjects[0]}
	twice, twiceSubjects := trialtest.Org("acme", "Acme", "ada", "ada")
	nobody, _ := trialtest.Org("acme", "Acme")
	both := trial.NamedSubject("trial", id)
	both[0].Digest.Salted256 = id
	sealed := []trial.Subject{{Digest: trial.Digest{Salted256: id}, Name: "trial"}}
	for what, s := range map[string]trial.Statement{
		"a number's digest": {Subjects: trial.NamedSubject("number", other), Predicate: &trial.Registration{Common: c,
			Number: "X-1", Org: "acme"}},
		"a number's name": {Subjects: trial.NamedSubject("trial", trial.NumberSubject("X-1")[0].Digest.SHA256),
			Predicate: &trial.Registration{Common: c, Number: "X-1", Org: "acme"}},
		"a trial's digest": {Subjects: trial.NamedSubject("trial", other), Predicate: &trial.Identifier{Common: c,
			Identifier: "nct:NCT01234567", Trial: id}},
		"a milestone's trial": {Subjects: trial.NamedSubject("trial", other), Predicate: &trial.Milestone{Common: c, Date: "2026",
			Event: "halt", Trial: id}},
		"a milestone's kind": {Subjects: trialtest.Documents("document", "a"), Predicate: &trial.Milestone{Common: c, Date: "2026",
			Event: "halt", Trial: id}},
		"two for one": {Subjects: append(trial.NamedSubject("trial", id), trialtest.Documents("x", "a")...),
			Predicate: &trial.Identifier{Common: c, Identifier: "nct:NCT01234567", Trial: id}},
		"two digests":    {Subjects: both, Predicate: &trial.Identifier{Common: c, Identifier: "nct:NCT01234567", Trial: id}},
		"a sealed trial": {Subjects: sealed, Predicate: &trial.Identifier{Common: c, Identifier: "nct:NCT01234567", Trial: id}},
		"no digest":      {Subjects: []trial.Subject{{Name: "document"}}, Predicate: &trial.Document{Common: c, Trial: id}},
		"one name twice": {Subjects: append(trialtest.Documents("document", "a"), trialtest.Documents("document", "b")...),
			Predicate: &trial.Document{Common: c, Trial: id}},
		"another kind's document": {Subjects: trialtest.Documents("protocol", "a"), Predicate: &trial.Document{Common: c, Trial: id}},
		"appendices alone": {Subjects: trialtest.Documents("document", "a", "b")[1:], Predicate: &trial.Document{Common: c,
			Trial: id}},
		"appendix-0": {Subjects: append(trialtest.Documents("document", "a"), trialtest.Documents("appendix-0", "b")...),
			Predicate: &trial.Document{Common: c, Trial: id}},
		"administrators swapped":                     {Subjects: swapped, Predicate: org},
		"an administrator less":                      {Subjects: orgSubjects[:1], Predicate: org},
		"an administrator twice":                     {Subjects: twiceSubjects, Predicate: twice},
		"no administrator":                           {Subjects: orgSubjects, Predicate: nobody},
		"another key":                                {Subjects: trial.NamedSubject("key", other), Predicate: enrol},
		"an enrolment made for another organisation": {Subjects: enrolSubjects, Predicate: elsewhere},
		"a revocation of another": {Subjects: trial.NamedSubject("key", other), Predicate: &trial.Key{Common: c,
			Action: "revoke", Org: "acme", Revoke: id}},
		"an action of no name": {Subjects: enrolSubjects, Predicate: &trial.Key{Common: c, Action: "limit",
			Org: "acme", Revoke: id}},
		"both actions": {Subjects: enrolSubjects, Predicate: &trial.Key{Common: c, Action: "enrol",
			Org: "acme", Revoke: id, Role: "signer", Enrol: enrol.(*trial.Key).Enrol}},
		"a role that is revoked": {Subjects: trial.NamedSubject("key", id), Predicate: &trial.Key{Common: c,
			Action: "revoke", Org: "acme", Revoke: id, Role: "signer"}},
		"no origin": {Subjects: trialtest.Documents("document", "a"),
			Predicate: &trial.Document{Common: trial.Common{Meaning: "author"}, Trial: id}},
	} {
		if data, err := s.Marshal(); err == nil || trial.RuleOf(err) == "" {
			t.Errorf("%s is taken: %v, %s", what, err, data)
		}
	}
	for what, s := range map[string]trial.Statement{
		"registration by documents": {Subjects: trialtest.Documents("registration", "a"), Predicate: &trial.Registration{Common: c,
			Number: "X-1", Org: "acme"}},
		"milestone by documents": {Subjects: trialtest.Documents("milestone", "a", "b"), Predicate: &trial.Milestone{Common: c,
			Date: "2026", Event: "halt", Trial: id}},
		"two administrators": {Subjects: orgSubjects, Predicate: org},
	} {
		if _, err := s.Marshal(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestLimits: the byte limits are checked before anything is parsed.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		n    int
		what func([]byte) error
	}{
		{trial.MaxStatement, func(b []byte) error { _, err := trial.ParseStatement(b); return err }},
		{trial.MaxEntry, func(b []byte) error { _, err := trial.ParseEntry(b); return err }},
		{trial.MaxEntry, func(b []byte) error { _, err := trial.Check(b, trialtest.Public("ada").SPKI()); return err }},
	} {
		if err := c.what(bytes.Repeat([]byte{'x'}, c.n)); trial.RuleOf(err) != trial.RuleMalformed {
			t.Errorf("%d bytes of nonsense: %v", c.n, err)
		}
		if err := c.what(bytes.Repeat([]byte{'x'}, c.n+1)); trial.RuleOf(err) != trial.RuleLimit {
			t.Errorf("%d bytes: %v", c.n+1, err)
		}
	}
	// What passes as a statement fits into an entry, whoever signs it.
	if n := (trial.MaxStatement+2)/3*4 + 1000; n > trial.MaxEntry {
		t.Errorf("a statement of the largest size makes an entry of %d bytes", n)
	}
}

func TestTimes(t *testing.T) {
	for _, bad := range []string{
		"", "2026-03-01", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.00Z", "2026-03-01T09:30:00.0000Z", "2026-03-01T09:30:00,000Z",
		"2026-03-01 09:30:00.000Z", "2026-03-01t09:30:00.000z",
		"2026-03-01T09:30:00.000+00:00", "2026-03-01T09:30:00.000", "2026-03-01T24:00:00.000Z", "2026-03-01T23:59:60.000Z",
		"2026-02-29T00:00:00.000Z", "2026-3-1T09:30:00.000Z",
		"1969-12-31T23:59:59.999Z", "10000-01-01T00:00:00.000Z", "-001-01-01T00:00:00.000Z", "2026-03-01T9:30:00.000Z",
		"２０２６-03-01T09:30:00.000Z", " 2026-03-01T09:30:00.000Z",
	} {
		var at trial.Time
		if err := at.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken as %s", bad, at)
		}
	}
	for text, want := range map[string]trial.Time{"1970-01-01T00:00:00.000Z": 0, "1970-01-01T00:00:01.001Z": 1001,
		"9999-12-31T23:59:59.999Z": 253402300799999, "2024-02-29T12:00:00.000Z": 1709208000000} {
		var at trial.Time
		err := at.UnmarshalText([]byte(text))
		again, err2 := at.MarshalText()
		if err != nil || err2 != nil || at != want || string(again) != text || at.String() != strings.NewReplacer("T", " ", "Z",
			" UTC").Replace(text) {
			t.Errorf("%s is read as %d, %v", text, at, err)
		}
	}
	for _, at := range []trial.Time{-1, 253402300800000} {
		if text, err := at.MarshalText(); err == nil {
			t.Errorf("%d is written %s", at, text)
		}
	}
	c := trialtest.Common()
	for date, want := range map[string]bool{
		"2026": true, "2026-03": true, "2026-03-01": true, "1900": true, "9999-12-31": true,
		"": false, "26": false, "2026-3": false, "2026-13": false, "2026-02-30": false, "2026-03-01T00": false, "2026/03/01": false,
		"01.03.2026": false, "1899": false, "0000": false, "March 2026": false, "2026-03-": false, " 2026": false,
	} {
		s := trial.Statement{Subjects: trial.NamedSubject("trial", trial.Hash{1}), Predicate: &trial.Milestone{Common: c, Date: date,
			Event: "halt", Trial: trial.Hash{1}}}
		if _, err := s.Marshal(); (err == nil) != want {
			t.Errorf("the date %q: %v", date, err)
		}
	}
}

// TestRecordsSayTheirKind: a record of one kind is not accepted as one of another.
func TestRecordsSayTheirKind(t *testing.T) {
	_, _, records, _ := samples(t)
	for kind, data := range records {
		for other := range records {
			altered := bytes.Replace(data, []byte(`"kind":"`+kind+`"`), []byte(`"kind":"`+other+`"`), 1)
			if r, err := trial.ParseRecord(kind, altered); (err == nil) != (other == kind) {
				t.Errorf("a record of %s that says %s: %v, %v", kind, other, r, err)
			}
			if r, err := trial.ParseRecord(other, data); (err == nil) != (other == kind) {
				t.Errorf("a record of %s read as %s: %v, %v", kind, other, r, err)
			}
		}
	}
	if _, err := trial.ParseRecord("consent", []byte("{}")); err == nil {
		t.Error("a kind that there is not is read")
	}
}

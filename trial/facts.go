package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// MaxFacts bounds the facts of a statement, in bytes of canonical JSON.
const MaxFacts = 32_000

// Content is what a statement may say of what is in its documents.
type Content struct {
	Elements    Hash   `json:"elements,omitzero"` // root of the document's parts, each provable alone (package element)
	Facts       *Facts `json:"facts,omitempty"`
	FactsDigest Hash   `json:"factsDigest,omitzero"` // SHA-256 of the facts' canonical JSON, in place of facts of over MaxFacts bytes
}

func (c *Content) content() *Content { return c }

func (c *Content) check() error {
	if c.Facts == nil {
		return nil
	}
	if !c.FactsDigest.IsZero() {
		return errors.New("facts are either shown or committed to by factsDigest, not both")
	}
	data, err := c.Facts.Marshal()
	if err == nil && len(data) > MaxFacts {
		err = fmt.Errorf("facts have %d bytes, the most is %d: commit to them by factsDigest", len(data), MaxFacts)
	}
	return err
}

// SetFacts shows facts, or commits to them where they have more than MaxFacts
// bytes. Then it returns their canonical JSON, which is to be kept and given to
// whoever is to read them; else nil.
func (c *Content) SetFacts(f *Facts) (apart []byte, err error) {
	data, err := f.Marshal()
	if err != nil {
		return nil, err
	}
	if len(data) <= MaxFacts {
		c.Facts = f
		return nil, nil
	}
	c.FactsDigest = sha256.Sum256(data)
	return data, nil
}

// ParseFacts reads facts that a statement commits to by their digest.
func ParseFacts(data []byte) (*Facts, error) {
	f := new(Facts)
	if err := decode(data, f); err != nil {
		return nil, err
	}
	return f, f.check()
}

// ContentOf returns what a statement says of its documents' content, nil for the
// kinds that cannot say any.
func ContentOf(s *Statement) *Content {
	if p, ok := s.Predicate.(interface{ content() *Content }); ok {
		return p.content()
	}
	return nil
}

// Facts are what a document says of a trial, made public at its signer's request.
// The members below are all there are, an allow-list: nobody's name, contact or
// address, no place, no reference and no reason in free text has a member here. Texts have at
// most 200 characters; a longer one is cut, with an ellipsis at its end. What the
// words mean is package study's; a rule holds them to their form alone.
type Facts struct {
	Acronym           string            `json:"acronym,omitempty"`
	Allocation        string            `json:"allocation,omitempty"`
	Amendments        []FactAmendment   `json:"amendments,omitempty"`
	Arms              []FactArm         `json:"arms,omitempty"`
	Conditions        []string          `json:"conditions,omitempty"`
	Dated             string            `json:"dated,omitempty"` // day of this version, as the document declares it
	Dates             []FactDate        `json:"dates,omitempty"`
	DMC               string            `json:"dmc,omitempty"` // yes or no, like the following
	Documents         []FactDocument    `json:"documents,omitempty"`
	Enrolment         *FactEnrolment    `json:"enrolment,omitempty"`
	EUSite            string            `json:"euSite,omitempty"` // a site in a state of the EU or EEA
	FDADevice         string            `json:"fdaDevice,omitempty"`
	FDADrug           string            `json:"fdaDrug,omitempty"`
	FDARegulated      string            `json:"fdaRegulated,omitempty"`
	Format            string            `json:"format"`
	HealthyVolunteers string            `json:"healthyVolunteers,omitempty"`
	Identifiers       []FactIdentifier  `json:"identifiers,omitempty"`
	Interventions     []FactArm         `json:"interventions,omitempty"`
	Masked            []string          `json:"masked,omitempty"`
	Masking           string            `json:"masking,omitempty"`
	MaximumAge        string            `json:"maximumAge,omitempty"`
	MinimumAge        string            `json:"minimumAge,omitempty"`
	Model             string            `json:"model,omitempty"`
	OfficialTitle     string            `json:"officialTitle,omitempty"`
	Outcomes          []FactOutcome     `json:"outcomes,omitempty"`
	Phases            []string          `json:"phases,omitempty"`
	PPSD              string            `json:"ppsd,omitempty"` // a paediatric postmarket surveillance of a device
	Purpose           string            `json:"purpose,omitempty"`
	Reported          []FactOutcome     `json:"reported,omitempty"` // as the document's own results have them
	Results           bool              `json:"results,omitempty"`
	ResultsElsewhere  bool              `json:"resultsElsewhere,omitempty"` // the register has results, and the document does not
	ResultsReview     []FactReview      `json:"resultsReview,omitempty"`    // of results that are not posted, in order
	ResultsWaived     bool              `json:"resultsWaived,omitempty"`
	Sex               string            `json:"sex,omitempty"`
	Sponsor           *FactOrganisation `json:"sponsor,omitempty"`
	Status            string            `json:"status,omitempty"`
	Title             string            `json:"title,omitempty"`
	Type              string            `json:"type,omitempty"`
	UnapprovedDevice  string            `json:"unapprovedDevice,omitempty"`
	USExport          string            `json:"usExport,omitempty"`
	USSite            string            `json:"usSite,omitempty"`
	Version           string            `json:"version,omitempty"`
}

// A FactAmendment is an amendment that made this version. Reasons are codes.
type FactAmendment struct {
	Number  string   `json:"number,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
}

// A FactArm is an arm or an intervention.
type FactArm struct {
	Label string `json:"label,omitempty"`
	Type  string `json:"type,omitempty"`
}

// A FactDate is an event's date, to the precision that the document gives.
type FactDate struct {
	Date  string `json:"date"`
	Event string `json:"event"`
	Kind  string `json:"kind,omitempty"` // actual or planned
}

// A FactReview is a step of the results on their way into a register. The date is absent
// where the register does not know it.
type FactReview struct {
	Date  string `json:"date,omitempty"`
	Event string `json:"event"` // submitted, returned or canceled; another word is not understood
}

// A FactDocument is a document that the record lists.
type FactDocument struct {
	Date  string   `json:"date,omitempty"`
	Kinds []string `json:"kinds,omitempty"`
}

// A FactEnrolment is the number of participants.
type FactEnrolment struct {
	Count uint64 `json:"count"`
	Kind  string `json:"kind,omitempty"`
}

// A FactIdentifier is a number of the trial as the document gives it.
type FactIdentifier struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value"`
}

// A FactOutcome is an outcome measure.
type FactOutcome struct {
	Level     string `json:"level"` // primary, secondary or other
	Measure   string `json:"measure,omitempty"`
	TimeFrame string `json:"timeFrame,omitempty"`
}

// A FactOrganisation is a sponsor; a natural person as sponsor is "individual".
type FactOrganisation struct {
	Class string `json:"class,omitempty"`
	Name  string `json:"name,omitempty"`
}

var factWord = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,79}$`)

func (f *Facts) check() error {
	var err error
	word := func(member, s string) {
		if err == nil && s != "" && !factWord.MatchString(s) {
			err = fmt.Errorf("facts: %s is %.60q, not a word of lower-case letters, digits and hyphens", member, s)
		}
	}
	text := func(member, s string) {
		if err == nil && s != "" {
			err = checkText("facts: "+member, s, 200)
		}
	}
	date := func(member, s string) {
		if err == nil && s != "" {
			err = checkDate("facts: "+member, s)
		}
	}
	yesNo := func(member, s string) {
		if err == nil && s != "" && s != "yes" && s != "no" {
			err = fmt.Errorf("facts: %s is %.20q, not yes or no", member, s)
		}
	}
	kind := func(member, s string) {
		if err == nil && s != "" && s != "actual" && s != "planned" {
			err = fmt.Errorf("facts: %s is %.20q, not actual or planned", member, s)
		}
	}
	if f.Format == "" {
		return fmt.Errorf("facts: format is empty")
	}
	for _, m := range []struct{ member, value string }{
		{"allocation", f.Allocation}, {"format", f.Format}, {"masking", f.Masking}, {"model", f.Model}, {"purpose", f.Purpose},
		{"sex", f.Sex}, {"status", f.Status}, {"type", f.Type},
	} {
		word(m.member, m.value)
	}
	for _, m := range []struct{ member, value string }{
		{"acronym", f.Acronym}, {"maximumAge", f.MaximumAge}, {"minimumAge", f.MinimumAge}, {"officialTitle", f.OfficialTitle},
		{"title", f.Title}, {"version", f.Version},
	} {
		text(m.member, m.value)
	}
	for _, m := range []struct{ member, value string }{
		{"dmc", f.DMC}, {"euSite", f.EUSite}, {"fdaDevice", f.FDADevice}, {"fdaDrug", f.FDADrug}, {"fdaRegulated", f.FDARegulated},
		{"healthyVolunteers", f.HealthyVolunteers}, {"ppsd", f.PPSD}, {"unapprovedDevice", f.UnapprovedDevice}, {"usExport", f.USExport}, {"usSite", f.USSite},
	} {
		yesNo(m.member, m.value)
	}
	date("dated", f.Dated)
	for _, list := range []struct {
		member string
		words  []string
	}{{"masked", f.Masked}, {"phases", f.Phases}} {
		for _, s := range list.words {
			if s == "" {
				return fmt.Errorf("facts: %s has an empty word", list.member)
			}
			word(list.member, s)
		}
	}
	for _, a := range f.Amendments {
		text("amendments", a.Number)
		for _, r := range a.Reasons {
			word("reasons", r)
		}
	}
	for _, c := range f.Conditions {
		if c == "" {
			return fmt.Errorf("facts: conditions has an empty text")
		}
		text("conditions", c)
	}
	for _, a := range slices.Concat(f.Arms, f.Interventions) {
		text("label", a.Label)
		word("type", a.Type)
	}
	for _, d := range f.Dates {
		if d.Date == "" || d.Event == "" {
			return fmt.Errorf("facts: a date lacks its date or event")
		}
		date(d.Event, d.Date)
		word("event", d.Event)
		kind("kind", d.Kind)
	}
	for _, e := range f.ResultsReview {
		if e.Event == "" {
			return fmt.Errorf("facts: a step of resultsReview lacks its event")
		}
		date("resultsReview", e.Date)
		word("event", e.Event)
	}
	for _, d := range f.Documents {
		date("documents", d.Date)
		for _, k := range d.Kinds {
			word("kinds", k)
		}
	}
	if f.Enrolment != nil {
		kind("enrolment", f.Enrolment.Kind)
		if f.Enrolment.Count > maxIndex {
			return fmt.Errorf("facts: enrolment is over 2^53")
		}
	}
	for _, i := range f.Identifiers {
		word("type", i.Type)
		if i.Value == "" {
			return fmt.Errorf("facts: an identifier is empty")
		}
		text("identifiers", i.Value)
	}
	for _, o := range slices.Concat(f.Outcomes, f.Reported) {
		if o.Level != "primary" && o.Level != "secondary" && o.Level != "other" {
			return fmt.Errorf("facts: an outcome's level is %.20q, not primary, secondary or other", o.Level)
		}
		text("measure", o.Measure)
		text("timeFrame", o.TimeFrame)
	}
	if f.Sponsor != nil {
		text("sponsor", f.Sponsor.Name)
		word("class", f.Sponsor.Class)
	}
	return err
}

// Marshal checks the facts and returns their canonical JSON.
func (f *Facts) Marshal() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return encode(f)
}

// CheckText says why a text can be no member of an entry, nil if it can.
func CheckText(s string, max int) error { return checkText("text", s, max) }

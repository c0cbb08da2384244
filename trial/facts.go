package trial

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// MaxFacts bounds the facts of a statement, in bytes of canonical JSON.
const MaxFacts = 32_000

// Content is what a statement may say about the contents of its documents.
type Content struct {
	Elements    Hash   `json:"elements,omitzero"` // root of the document's parts, each of which can be proven alone (package element)
	Facts       *Facts `json:"facts,omitempty"`
	FactsDigest Hash   `json:"factsDigest,omitzero"` // SHA-256 of the facts' canonical JSON, if they have over MaxFacts bytes
}

func (c *Content) content() *Content { return c }

func (c *Content) check() error {
	if c.Facts == nil {
		return nil
	}
	if !c.FactsDigest.IsZero() {
		return errors.New("facts are either shown or committed to by factsDigest, not both")
	}
	if most, err := c.Facts.measure(); err != nil || most <= MaxFacts {
		return err
	}
	data, err := encode(c.Facts)
	if err == nil && len(data) > MaxFacts {
		err = fmt.Errorf("facts have %d bytes; the most is %d: commit to them by factsDigest", len(data), MaxFacts)
	}
	return err
}

// SetFacts shows facts, or commits to them if they have more than MaxFacts bytes. In that case
// it returns their canonical JSON, which must be kept and given to whoever should read them;
// otherwise apart is nil.
func (c *Content) SetFacts(f *Facts) (apart []byte, err error) {
	most, err := f.measure()
	if err != nil {
		return nil, err
	}
	var data []byte
	if most > MaxFacts {
		if data, err = encode(f); err != nil {
			return nil, err
		}
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

// ContentOf returns what a statement says about the contents of its documents, or nil if its
// kind cannot say anything about them.
func ContentOf(s *Statement) *Content {
	if p, ok := s.Predicate.(interface{ content() *Content }); ok {
		return p.content()
	}
	return nil
}

// ElementsOf returns what a statement's entry commits to as its document's parts, which package
// element shows; zero if nothing.
func ElementsOf(e *Entry) Hash {
	_, st := e.Statement.Effective()
	switch p := st.Predicate.(type) {
	case *Consent:
		return p.Elements
	case *Access:
		return p.Elements
	}
	if c := ContentOf(st); c != nil {
		return c.Elements
	}
	return Hash{}
}

// Facts are what a document says about a trial, made public at its signer's request. The
// members below are an allow-list. There is no member for a person's name, contact or address,
// for a place, a reference, or a reason in free text. Texts have at most 200 characters; a
// longer one is cut, with an ellipsis at its end. Package study defines what the words mean;
// the rules check only their form.
type Facts struct {
	Acronym           string            `json:"acronym,omitempty"`
	Allocation        string            `json:"allocation,omitempty"`
	Amendments        []FactAmendment   `json:"amendments,omitempty"`
	Arms              []FactArm         `json:"arms,omitempty"`
	Conditions        []string          `json:"conditions,omitempty"`
	Dated             string            `json:"dated,omitempty"` // day of this version, as the document declares it
	Dates             []FactDate        `json:"dates,omitempty"`
	DMC               string            `json:"dmc,omitempty"` // yes or no, as the members like it
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
	Reported          []FactOutcome     `json:"reported,omitempty"` // as in the document's own results
	Results           bool              `json:"results,omitempty"`
	ResultsElsewhere  bool              `json:"resultsElsewhere,omitempty"` // the register has results, but the document does not
	ResultsReview     []FactReview      `json:"resultsReview,omitempty"`    // of results that are not posted yet, in order
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

// A FactDate is the date of an event, as precise as in the document.
type FactDate struct {
	Date  string `json:"date"`
	Event string `json:"event"`
	Kind  string `json:"kind,omitempty"` // actual or planned
}

// A FactReview is a step of the results on their way into a register. The date is empty if the
// register does not know it.
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

// A FactOrganisation is a sponsor. A sponsor who is a natural person has the name "individual".
type FactOrganisation struct {
	Class string `json:"class,omitempty"`
	Name  string `json:"name,omitempty"`
}

// isFactWord reports whether a text is a word: a lower-case letter or digit, and up to 79 of these, dots
// and hyphens.
func isFactWord(s string) bool {
	if s == "" || len(s) > 80 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// A factForm returns an error if the value of a member does not have a form. A value that the
// document does not give is empty, which every form accepts.
type factForm func(member, s string) error

func factIsWord(member, s string) error {
	if !isFactWord(s) {
		return fmt.Errorf("facts: %s is %.60q, not a word of lower-case letters, digits and hyphens", member, s)
	}
	return nil
}

func factIsText(member, s string) error {
	err := checkText(member, s, 200)
	if err != nil {
		err = fmt.Errorf("facts: %w", err)
	}
	return err
}

func factIsDate(member, s string) error { return checkDate("facts: "+member, s) }

// factIs returns the form of a member that is one of two words.
func factIs(a, b string) factForm {
	return func(member, s string) error {
		if s != a && s != b {
			return fmt.Errorf("facts: %s is %.20q, not %s or %s", member, s, a, b)
		}
		return nil
	}
}

// A factValue is a value with the name of its member and its form.
type factValue struct {
	form   factForm
	member string
	value  string
}

// values lists every value of the facts that has a form.
func (f *Facts) values() []factValue {
	word, text, date := factForm(factIsWord), factForm(factIsText), factForm(factIsDate)
	yesNo, kind := factIs("yes", "no"), factIs("actual", "planned")
	list := append(make([]factValue, 0, 100), []factValue{
		{word, "allocation", f.Allocation}, {word, "format", f.Format}, {word, "masking", f.Masking}, {word, "model", f.Model},
		{word, "purpose", f.Purpose}, {word, "sex", f.Sex}, {word, "status", f.Status}, {word, "type", f.Type},
		{text, "acronym", f.Acronym}, {text, "maximumAge", f.MaximumAge}, {text, "minimumAge", f.MinimumAge},
		{text, "officialTitle", f.OfficialTitle}, {text, "title", f.Title}, {text, "version", f.Version},
		{yesNo, "dmc", f.DMC}, {yesNo, "euSite", f.EUSite}, {yesNo, "fdaDevice", f.FDADevice}, {yesNo, "fdaDrug", f.FDADrug},
		{yesNo, "fdaRegulated", f.FDARegulated}, {yesNo, "healthyVolunteers", f.HealthyVolunteers}, {yesNo, "ppsd", f.PPSD},
		{yesNo, "unapprovedDevice", f.UnapprovedDevice}, {yesNo, "usExport", f.USExport}, {yesNo, "usSite", f.USSite},
		{date, "dated", f.Dated},
	}...)
	add := func(form factForm, member string, values ...string) {
		for _, v := range values {
			list = append(list, factValue{form, member, v})
		}
	}
	add(word, "masked", f.Masked...)
	add(word, "phases", f.Phases...)
	for _, a := range f.Amendments {
		add(text, "amendments", a.Number)
		add(word, "reasons", a.Reasons...)
	}
	add(text, "conditions", f.Conditions...)
	for _, a := range slices.Concat(f.Arms, f.Interventions) {
		add(text, "label", a.Label)
		add(word, "type", a.Type)
	}
	for _, d := range f.Dates {
		add(date, d.Event, d.Date)
		add(word, "event", d.Event)
		add(kind, "kind", d.Kind)
	}
	for _, e := range f.ResultsReview {
		add(date, "resultsReview", e.Date)
		add(word, "event", e.Event)
	}
	for _, d := range f.Documents {
		add(date, "documents", d.Date)
		add(word, "kinds", d.Kinds...)
	}
	if f.Enrolment != nil {
		add(kind, "enrolment", f.Enrolment.Kind)
	}
	for _, i := range f.Identifiers {
		add(word, "type", i.Type)
		add(text, "identifiers", i.Value)
	}
	for _, o := range slices.Concat(f.Outcomes, f.Reported) {
		add(text, "measure", o.Measure)
		add(text, "timeFrame", o.TimeFrame)
	}
	if f.Sponsor != nil {
		add(text, "sponsor", f.Sponsor.Name)
		add(word, "class", f.Sponsor.Class)
	}
	return list
}

// needed returns an error if the facts lack a necessary member, or have a number or level that
// is not possible.
func (f *Facts) needed() error {
	lacks := func(say string, is bool) error {
		if is {
			return errors.New("facts: " + say)
		}
		return nil
	}
	err := cmp.Or(
		lacks("format is empty", f.Format == ""),
		lacks("masked has an empty word", slices.Contains(f.Masked, "")),
		lacks("phases has an empty word", slices.Contains(f.Phases, "")),
		lacks("conditions has an empty text", slices.Contains(f.Conditions, "")),
		lacks("a date lacks its date or event",
			slices.ContainsFunc(f.Dates, func(d FactDate) bool { return d.Date == "" || d.Event == "" })),
		lacks("a step of resultsReview lacks its event",
			slices.ContainsFunc(f.ResultsReview, func(e FactReview) bool { return e.Event == "" })),
		lacks("enrolment is over 2^53", f.Enrolment != nil && f.Enrolment.Count > maxIndex),
		lacks("an identifier is empty", slices.ContainsFunc(f.Identifiers, func(i FactIdentifier) bool { return i.Value == "" })),
	)
	for _, o := range slices.Concat(f.Outcomes, f.Reported) {
		if err == nil && o.Level != "primary" && o.Level != "secondary" && o.Level != "other" {
			err = fmt.Errorf("facts: an outcome's level is %.20q, not primary, secondary or other", o.Level)
		}
	}
	return err
}

func (f *Facts) check() error {
	_, err := f.measure()
	return err
}

// measure checks the facts and returns a number of bytes that their canonical JSON does not exceed. It is far above
// what most have, but found without writing it.
func (f *Facts) measure() (most int, err error) {
	if err := f.needed(); err != nil {
		return 0, err
	}
	const (
		escaped = 6   // bytes of the longest escape
		around  = 100 // more than the names, quotation marks and brackets around a value, and an outcome's level beside it
		apart   = 500 // more than what has no form: numbers and the names of the lists
	)
	most = apart
	for _, v := range f.values() {
		most += escaped*len(v.value) + around
		if v.value == "" {
			continue
		}
		if err := v.form(v.member, v.value); err != nil {
			return 0, err
		}
	}
	return most, nil
}

// Marshal checks the facts and returns their canonical JSON.
func (f *Facts) Marshal() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return encode(f)
}

// CheckText returns an error that says why a text cannot be a member of an entry, or nil if it
// can.
func CheckText(s string, max int) error { return checkText("text", s, max) }

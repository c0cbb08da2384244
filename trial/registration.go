package trial

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Registration opens a trial, which is held by the organisation that signs it. The identity of
// the statement is the trial's id for ever. Its subjects are documents, or else the one subject
// number, whose digest is the SHA-256 of the number's text.
type Registration struct {
	Common
	Content
	Masked bool   `json:"masked,omitempty"` // the trial is masked (blinded)
	Number string `json:"number"`           // the sponsor's protocol number
	Org    string `json:"org"`              // the organisation that will hold the trial: the signer's
}

func (*Registration) Kind() string { return "registration" }

func (g *Registration) describe([]Subject) string {
	masked := ""
	if g.Masked {
		masked = ", masked"
	}
	return fmt.Sprintf("registration of the trial with the sponsor's number %s%s", g.Number, masked)
}

func (g *Registration) check(subjects []Subject) error {
	if err := checkText("number", g.Number, 60); err != nil {
		return err
	}
	if err := CheckOrgID(g.Org); err != nil {
		return err
	}
	if err := g.Content.check(); err != nil {
		return err
	}
	if len(subjects) == 1 && subjects[0].Name == "number" {
		return checkNamed(subjects, "number", sha256Text(g.Number))
	}
	return checkDocuments(subjects, "registration")
}

// NumberSubject returns the subject of a registration without documents.
func NumberSubject(number string) []Subject {
	return NamedSubject("number", sha256Text(number))
}

func (g *Registration) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role == RoleRegistrar {
		return refuse(RuleRole, "a registrar cannot hold trials: sign with a key of the sponsor")
	}
	// The identity of a statement does not depend on who signs it. A signature by somebody else
	// over a sponsor's registration must not take the id of its trial.
	if g.Org != t.signer.Org {
		return refuse(RuleRole, "the registration is for %s, but the signer's organisation is %s", g.Org, t.signer.Org)
	}
	own := SponsorNumber(t.signer.Org, g.Number)
	num, found := edit[*IdentifierRecord](t, RecordKey{"identifier", own})
	if found {
		return refuse(RuleTaken, "%s has already registered the number %q, as trial %s", t.signer.Org, g.Number, num.Claims[0].Trial)
	}
	num = &IdentifierRecord{ID: own, Kind: "identifier", Claims: []Claim{{s.ID, t.index, t.signer.Org, s.ID}}}
	rec := &TrialRecord{
		Holder: t.signer.Org, ID: s.ID, Identifiers: []string{own}, Kind: "trial",
		Masked: g.Masked, Number: g.Number, Registered: t.index,
	}
	if !t.create(num) || !t.create(rec) {
		return refuse(RuleTaken, "this registration is logged already")
	}
	return nil
}

// Identifier binds a registry's number to a trial. Its subject is the trial.
type Identifier struct {
	Common
	Identifier string `json:"identifier"` // scheme:value in the canonical form of ParseIdentifier
	Trial      Hash   `json:"trial"`
}

func (*Identifier) Kind() string { return "identifier" }

func (i *Identifier) trialID() Hash { return i.Trial }

func (*Identifier) allows() allows { return allows{void: true} }

func (i *Identifier) describe([]Subject) string {
	return fmt.Sprintf("identifier %s of trial %s", i.Identifier, i.Trial)
}

func (i *Identifier) check(subjects []Subject) error {
	if err := checkIdentifier(i.Identifier); err != nil {
		return err
	}
	return checkNamed(subjects, "trial", i.Trial)
}

func (i *Identifier) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.heldTrial(i.Trial)
	if r != nil {
		return r
	}
	if tr.Shares.acted(voidAct("identifier", s.ID)) {
		return voided(s.ID)
	}
	rec := t.identifier(i.Identifier)
	for _, c := range rec.Claims {
		if c.Org == t.signer.Org || c.Trial == i.Trial {
			return refuse(RuleTaken, "%s has already bound %s to trial %s, at index %d", c.Org, i.Identifier, c.Trial, c.Index)
		}
	}
	if len(tr.Identifiers) >= maxPerTrial {
		return tooMany("identifiers", len(tr.Identifiers))
	}
	// A claim enters the history of every trial that claims the number, also those of others,
	// and so does its void. That is why the number of claims is limited.
	share := rec.Shares.share(t.signer.Org)
	if share.Claims >= maxOwnClaims {
		return refuse(RuleLimit, "%s has claimed %s %d times; the most is %d: ask a registrar for a ruling",
			t.signer.Org, i.Identifier, share.Claims, maxOwnClaims)
	}
	// Another organisation's claim makes the number disputed and refuses nothing: a squatter
	// must not be able to keep the sponsor out.
	if r := t.tellClaimants(rec); r != nil {
		return r
	}
	rec.Claims = appended(rec.Claims, Claim{s.ID, t.index, t.signer.Org, i.Trial})
	share.Claims++
	rec.Shares = rec.Shares.with(share)
	tr.Identifiers = appended(tr.Identifiers, i.Identifier)
	return nil
}

// author returns the holder, whose identifier it is. Method empty finds it by its claim.
func (*Identifier) author(tr *TrialRecord, _ Hash) string { return tr.Holder }

func (*Identifier) empty(t *tx, tr *TrialRecord, statement Hash) *Refusal {
	for _, id := range tr.Identifiers[1:] { // the first is the registration's own
		rec, ok := t.s.get(RecordKey{"identifier", id}).(*IdentifierRecord)
		mine := func(x Claim) bool { return x.ID == statement && x.Trial == tr.ID }
		if !ok || !slices.ContainsFunc(rec.Claims, mine) {
			continue
		}
		rec = t.identifier(id)
		if r := t.tellClaimants(rec); r != nil {
			return r
		}
		rec.Claims = slices.DeleteFunc(slices.Clone(rec.Claims), mine)
		if rec.Ruling == tr.ID {
			rec.Ruling = Hash{}
		}
		tr.Identifiers = slices.DeleteFunc(slices.Clone(tr.Identifiers), func(x string) bool { return x == id })
		return nil
	}
	return refuse(RuleUnknown, "no claim %s of this trial is in force", statement)
}

// maxOwnClaims is how often one organisation may ever claim one number.
const maxOwnClaims = 5

// Observation records what a registry, a journal or another source showed on a day. Any
// enrolled key may log one on any identifier. It is never the sponsor's own statement and
// blocks nothing. What it says is the source's claim, and so is the day that the source
// declares. The organisation that logged an observation may withdraw it: it stays and is still
// shown, but no longer counts.
type Observation struct {
	Common
	Content
	Dated      string `json:"dated,omitempty"` // day of this version, as the source declares it
	Identifier string `json:"identifier"`
	Previous   Hash   `json:"previous,omitzero"` // identity of the observation of the version before, if its signer knew one
	Reason     string `json:"reason,omitempty"`  // of a withdrawal: one of VoidReasons
	SeenAt     string `json:"seenAt,omitempty"`  // date
	Source     string `json:"source,omitempty"`  // registry, journal, website or other
	Withdraw   Hash   `json:"withdraw,omitzero"` // identity of an observation; beside it there are only Identifier and Reason
}

var sources = []string{"registry", "journal", "website", "other"}

func (*Observation) Kind() string { return "observation" }

func (o *Observation) describe([]Subject) string {
	if !o.Withdraw.IsZero() {
		return fmt.Sprintf("withdrawal of the observation %.12s of %s: %s", o.Withdraw, o.Identifier, o.Reason)
	}
	return fmt.Sprintf("observation of %s in a %s on %s%s", o.Identifier, o.Source, o.SeenAt, said(", of the version of ", o.Dated))
}

func (o *Observation) form() Form {
	return Form{Identifier: &o.Identifier, Flags: []Flag{
		{Name: "source", Default: "registry", Help: "of an observation: `registry`, journal, website or other", Text: &o.Source},
		dateFlag.to(&o.SeenAt),
		datedFlag.to(&o.Dated),
	}}
}

func (o *Observation) check(subjects []Subject) error {
	if err := checkIdentifier(o.Identifier); err != nil {
		return err
	}
	if !o.Withdraw.IsZero() {
		if o.Dated != "" || !o.Previous.IsZero() || o.SeenAt != "" || o.Source != "" || o.Content != (Content{}) {
			return errors.New("a withdrawal has only the members identifier, reason and withdraw")
		}
		if !slices.Contains(VoidReasons, o.Reason) {
			return fmt.Errorf("reason is %.40q; it is one of %s", o.Reason, strings.Join(VoidReasons, ", "))
		}
		return checkNamed(subjects, "observation", o.Withdraw)
	}
	if o.Reason != "" {
		return errors.New("only a withdrawal has a reason")
	}
	if err := checkDate("seenAt", o.SeenAt); err != nil {
		return err
	}
	if !slices.Contains(sources, o.Source) {
		return errors.New("source is one of registry, journal, website, other")
	}
	if err := checkDated(o.Dated); err != nil {
		return err
	}
	if err := o.Content.check(); err != nil {
		return err
	}
	return checkDocuments(subjects, "observation")
}

// maxObservations is how many observations of one number an organisation may log. A register
// changes a record some hundred times at most, and whoever reads the history of the number or
// of its trial reads them all.
const maxObservations = 1000

func (o *Observation) apply(t *tx, s *Signed) *Refusal {
	rec := t.identifier(o.Identifier)
	share := rec.Shares.share(t.signer.Org)
	const kind = "observation"
	if !o.Withdraw.IsZero() {
		switch author := rec.Shares.author(kind, o.Withdraw); author {
		case t.signer.Org:
		case "":
			return refuse(RuleUnknown, "no observation %s of %s is logged", o.Withdraw, o.Identifier)
		default:
			return refuse(RuleHolder, "the observation %s was logged by %s: only %s can withdraw it", o.Withdraw, author, author)
		}
		if contains(share.Acts, voidAct(kind, o.Withdraw)) {
			return refuse(RuleTaken, "the observation %s is withdrawn already", o.Withdraw)
		}
		share.Acts = appended(share.Acts, voidAct(kind, o.Withdraw))
		rec.Shares = rec.Shares.with(share)
		return nil
	}
	if rec.Shares.acted(voidAct(kind, s.ID)) {
		return voided(s.ID)
	}
	if n := share.Observations.count(); n >= maxObservations && !share.Observations.has(s.ID) {
		return refuse(RuleLimit, "%s has logged %d observations of %s; the most is %d", t.signer.Org, n, o.Identifier, maxObservations)
	}
	rec.Shares = rec.Shares.logged(t.signer.Org, kind, s.ID)
	return nil
}

package consent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/vault"
)

// A Grant is how a consent's terms, and the files that belong to it, reach its agents. HANDLE.grant
// has it, encrypted to them.
type Grant struct {
	Handle    trial.Hash
	Terms     *Terms
	Protected [][]byte // FILE.protected files

	statement *trial.Statement
	tree      *element.Tree
	digest    trial.Hash // of the terms
}

// wireGrant is the JSON of a grant.
type wireGrant struct {
	Protected [][]byte   `json:"protected"` // base64
	Salt      trial.Salt `json:"salt"`      // of the statement's subject
	Secret    []byte     `json:"secret"`    // of the elements; base64
	Statement []byte     `json:"statement"` // the payload; base64
	Terms     []byte     `json:"terms"`     // the file; base64
	Type      string     `json:"type"`      // grantType
}

const grantType = "trialproof/grant/v1"

// MaxGrant bounds a grant file, in bytes.
const MaxGrant = 4 << 20

// SealGrant returns the bytes of HANDLE.grant: payload is the statement, salt that of its subject,
// and secret that of its elements.
func SealGrant(payload []byte, salt trial.Salt, secret element.Secret, terms *Terms, protected [][]byte, recipients ...string) ([]byte,
	error) {
	file, err := terms.Marshal()
	if err != nil {
		return nil, err
	}
	if protected == nil {
		protected = [][]byte{}
	}
	w := wireGrant{protected, salt, secret[:], payload, file, grantType}
	if _, err := w.open(); err != nil {
		return nil, err
	}
	data, err := vault.Canonical(w)
	if err != nil {
		return nil, err
	}
	return vault.Encrypt(data, recipients...)
}

// OpenGrant opens a grant file. The terms in it are those that its statement commits to; that
// the statement is logged, and whether the consent stands, only its history shows. The error
// wraps vault.ErrNotForUs if it is encrypted to others.
func OpenGrant(data []byte, identities vault.Identities) (*Grant, error) {
	if len(data) > MaxGrant {
		return nil, fmt.Errorf("a grant has at most %d bytes, not %d", MaxGrant, len(data))
	}
	plain, err := vault.Decrypt(data, MaxGrant, identities)
	if err != nil {
		return nil, err
	}
	var w wireGrant
	if err := vault.ParseCanonical(plain, &w); err != nil {
		return nil, err
	}
	return w.open()
}

func (w *wireGrant) open() (*Grant, error) {
	if w.Type != grantType || len(w.Secret) != len(element.Secret{}) || w.Protected == nil {
		return nil, errors.New("it is no grant of a consent")
	}
	st, err := trial.ParseStatement(w.Statement)
	if err != nil {
		return nil, err
	}
	p, ok := st.Predicate.(*trial.Consent)
	if !ok || p.Action != "grant" {
		return nil, errors.New("its statement grants no consent")
	}
	g := &Grant{Handle: trial.StatementID(w.Statement), Protected: w.Protected, statement: st}
	if g.Terms, err = ParseTerms(w.Terms); err != nil {
		return nil, fmt.Errorf("terms: %w", err)
	}
	tree, digest, err := g.Terms.Tree(element.Secret(w.Secret))
	if err != nil {
		return nil, err
	}
	g.tree, g.digest = tree, digest
	if tree.Root() != p.Elements || trial.Commit(w.Salt, digest) != st.Subjects[0].Digest.Salted256 {
		return nil, errors.New("its terms are not those that the statement commits to: they were exchanged")
	}
	if g.Terms.Recipient != p.To {
		return nil, fmt.Errorf("its terms are for %s, and the statement is for %s", g.Terms.Recipient, p.To)
	}
	return g, nil
}

// Consent returns the statement that grants.
func (g *Grant) Consent() *trial.Consent { return g.statement.Predicate.(*trial.Consent) }

// Tree returns the tree of the terms' parts, and the SHA-256 of the terms.
func (g *Grant) Tree() (*element.Tree, trial.Hash) { return g.tree, g.digest }

// Shown is one part of the terms, with the proof that it is of those that the grant commits to.
type Shown struct {
	Path  string      `json:"path"`
	Proof history.Map `json:"proof"`
	Salt  trial.Salt  `json:"salt"`
	Text  string      `json:"text"`
}

// ShowIn puts into a package what its recipient is shown of the terms: everything but whose data
// it is, and the signature.
func (g *Grant) ShowIn(p *vault.Package) (err error) {
	list := []Shown{}
	for _, part := range g.Terms.Parts() {
		if !slices.Contains([]string{"subject/1", "signature/1"}, part.Path) {
			salt, proof := g.tree.Prove(part.Path)
			list = append(list, Shown{part.Path, proof, salt, part.Text})
		}
	}
	if p.Terms, err = json.Marshal(list); err == nil {
		p.Grant, err = g.statement.Marshal()
	}
	return err
}

// ShownIn returns what a package shows of its consent's terms, and the consent. It refuses parts
// that are not of the terms that were agreed to. Whether the agent left parts out nobody can tell.
func ShownIn(p *vault.Package) ([]Shown, *trial.Consent, error) {
	if len(p.Terms) == 0 {
		return nil, nil, errors.New("it shows no terms")
	}
	var list []Shown
	if err := strict(p.Terms, &list); err != nil {
		return nil, nil, fmt.Errorf("its terms: %w", err)
	}
	s, err := trial.ParseStatement(p.Grant)
	if err != nil {
		return nil, nil, fmt.Errorf("the statement of its consent: %w", err)
	}
	c, ok := s.Predicate.(*trial.Consent)
	if !ok || c.Action != "grant" || trial.StatementID(p.Grant) != p.Consent {
		return nil, nil, errors.New("the statement of its consent is another one")
	}
	for _, part := range list {
		d := element.Disclosure{Path: part.Path, Text: part.Text, Salt: part.Salt, Proof: part.Proof}
		if err := d.Check(c.Elements); err != nil {
			return nil, nil, fmt.Errorf("its terms are not those of the consent: %w", err)
		}
	}
	return list, c, nil
}

// VerifySignature checks the patient's own signature, if the terms have one. It covers the lock,
// so that nobody can grant the terms of an ended consent again under another lock.
func (g *Grant) VerifySignature(origin string) error {
	if g.Terms.Signature == nil {
		return nil
	}
	p := g.Consent()
	return g.Terms.verify(SignedTerms(g.Terms, origin, p.Lock, p.To, p.Agents, p.Until))
}

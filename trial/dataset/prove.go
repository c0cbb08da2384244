package dataset

import (
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial/smap"
)

// Show says how much a proof about a subject reveals of it.
type Show int

const (
	// ShowHandle shows the handle alone: it names the subject in this dataset, and no person.
	ShowHandle Show = iota
	// ShowToken shows the token as well: whoever has it finds the subject in every dataset under
	// this key of which he sees proofs, and no person.
	ShowToken
	// ShowID shows the id and the subject's secret: they show that the handle is that of the id.
	ShowID
)

// A SubjectProof shows that a dataset has a subject, or that it has none. If the subject is there,
// it reveals neither how many rows it has nor which. If it is not, it reveals at most one other
// handle. It has a handle, or a token, or an id and a secret.
type SubjectProof struct {
	At       *MapLeaf `json:"at,omitempty"` // where the handle's path ends; none: nothing is there
	Dataset  Hash     `json:"dataset"`      // ID of the commitment
	Handle   Hash     `json:"handle,omitzero"`
	ID       Value    `json:"id,omitempty"`
	Secret   Hash     `json:"secret,omitzero"`
	Siblings []Hash   `json:"siblings"` // from the root's child down
	Token    Hash     `json:"token,omitzero"`
	Type     string   `json:"type"` // subjectType
}

// A MapLeaf is a leaf of the map of subjects.
type MapLeaf struct {
	Body   Hash `json:"body"`
	Handle Hash `json:"handle"`
}

const subjectType = "trialproof/dataset/subject/v1"

// Marshal returns the proof in canonical JSON (RFC 8785) and a line feed.
func (p *SubjectProof) Marshal() ([]byte, error) { return marshal(p) }

// ParseSubjectProof parses exactly what Marshal returns. Nothing in it is verified yet.
func ParseSubjectProof(data []byte) (*SubjectProof, error) {
	p := new(SubjectProof)
	if err := unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("proof about a subject: %w", err)
	}
	if p.Type != subjectType || p.Siblings == nil {
		return nil, errors.New("it is not a proof about a subject")
	}
	return p, nil
}

// token returns what the proof says of the subject's token; it is zero if it shows a handle alone.
func (p *SubjectProof) token() (Hash, error) {
	shows := 0
	for _, there := range []bool{!p.Handle.IsZero(), !p.Token.IsZero(), len(p.ID) > 0} {
		if there {
			shows++
		}
	}
	if shows != 1 || p.Secret.IsZero() != (len(p.ID) == 0) {
		return Hash{}, errors.New("the proof has not one of handle, token, or id and secret")
	}
	if len(p.ID) > 0 {
		return tokenOf(&p.Secret, p.ID), nil
	}
	return p.Token, nil
}

// Verify checks the proof against the commitment that was logged. It returns whether the dataset
// has the subject.
func (p *SubjectProof) Verify(c *Commitment) (present bool, err error) {
	fail := func(format string, args ...any) (bool, error) {
		return false, fmt.Errorf("the proof about a subject does not hold for %s: %w", c.Name, fmt.Errorf(format, args...))
	}
	if err := c.Check(); err != nil {
		return fail("%w", err)
	}
	if p.Type != subjectType || p.Dataset != c.ID() {
		return fail("it is of another dataset")
	}
	token, err := p.token()
	if err != nil {
		return fail("%w", err)
	}
	handle := p.Handle
	if !token.IsZero() {
		handle = c.Handle(token)
	}
	var m smap.Proof
	for _, s := range p.Siblings {
		m.Siblings = append(m.Siblings, smap.Hash(s))
	}
	if p.At != nil {
		m.At = &smap.Leaf{Key: smap.Hash(p.At.Handle), Value: smap.Hash(p.At.Body)}
	}
	if _, present, err = m.Verify(smap.Hash(c.Subjects), smap.Hash(handle)); err != nil {
		return fail("%w", err)
	}
	return present, nil
}

// ProveHandle proves that a dataset has, or does not have, a subject with this handle.
func (ix *Index) ProveHandle(handle Hash) (*SubjectProof, error) {
	m, err := ix.proveSubject(handle)
	if err != nil {
		return nil, err
	}
	p := &SubjectProof{Dataset: ix.c.ID(), Handle: handle, Siblings: []Hash{}, Type: subjectType}
	for _, s := range m.Siblings {
		p.Siblings = append(p.Siblings, Hash(s))
	}
	if m.At != nil {
		p.At = &MapLeaf{Hash(m.At.Value), Hash(m.At.Key)}
	}
	if _, err := p.Verify(&ix.c); err != nil {
		return nil, fmt.Errorf("the index is damaged: %w", err)
	}
	return p, nil
}

// ProveSubject proves that a dataset has, or does not have, the subject with this id.
func (ix *Index) ProveSubject(k *Key, id []byte, show Show) (*SubjectProof, error) {
	if len(id) == 0 || len(id) > MaxID {
		return nil, fmt.Errorf("the id of a subject has 1 to %d bytes, not %d", MaxID, len(id))
	}
	secret, err := k.secret(id)
	if err != nil {
		return nil, err
	}
	token := tokenOf(&secret, id)
	p, err := ix.ProveHandle(ix.c.Handle(token))
	if err != nil {
		return nil, err
	}
	switch show {
	case ShowToken:
		p.Handle, p.Token = Hash{}, token
	case ShowID:
		p.Handle, p.ID, p.Secret = Hash{}, append(Value(nil), id...), secret
	}
	return p, nil
}

// A Pair is two proofs about one subject in two datasets under one key.
type Pair struct {
	New  SubjectProof `json:"new"`
	Old  SubjectProof `json:"old"`
	Type string       `json:"type"` // pairType
}

const pairType = "trialproof/dataset/pair/v1"

// ProvePair proves of one subject whether each of two datasets has it: that it was removed, or
// added, or is in both, or in neither. It shows the subject's token, or with ShowID its id.
func ProvePair(k *Key, before, after *Index, id []byte, show Show) (*Pair, error) {
	if show == ShowHandle {
		show = ShowToken
	}
	o, err := before.ProveSubject(k, id, show)
	if err != nil {
		return nil, err
	}
	n, err := after.ProveSubject(k, id, show)
	if err != nil {
		return nil, err
	}
	return &Pair{New: *n, Old: *o, Type: pairType}, nil
}

// Marshal returns the pair in canonical JSON (RFC 8785) and a line feed.
func (p *Pair) Marshal() ([]byte, error) { return marshal(p) }

// ParsePair parses exactly what Marshal returns. Nothing in it is verified yet.
func ParsePair(data []byte) (*Pair, error) {
	p := new(Pair)
	if err := unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("proofs about a subject in two datasets: %w", err)
	}
	if p.Type != pairType || p.Old.Siblings == nil || p.New.Siblings == nil {
		return nil, errors.New("it is not a pair of proofs about a subject in two datasets")
	}
	return p, nil
}

// Verify checks both proofs and that they are about one subject. It returns which of the datasets
// has it. The subject was removed if inOld and not inNew.
func (p *Pair) Verify(before, after *Commitment) (inOld, inNew bool, err error) {
	o, err := p.Old.token()
	if err != nil {
		return false, false, err
	}
	n, err := p.New.token()
	if err != nil {
		return false, false, err
	}
	if p.Type != pairType || o.IsZero() || o != n {
		return false, false, errors.New("the two proofs are not about one subject")
	}
	if inOld, err = p.Old.Verify(before); err != nil {
		return false, false, err
	}
	if inNew, err = p.New.Verify(after); err != nil {
		return false, false, err
	}
	return inOld, inNew, nil
}

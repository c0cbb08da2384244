package trial

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Elements commit to the parts of a document: sections, objectives, endpoints.
// Each is a leaf of an RFC 6962 tree behind a salt of its own, so that one part
// can be shown and no other is given away or can be guessed.
type Elements struct {
	Count uint64 `json:"count"`
	Root  Hash   `json:"root"`
}

// maxElements bounds the parts of one document.
const maxElements = 100_000

func (e *Elements) check() error {
	if e.Count == 0 || e.Count > maxElements {
		return fmt.Errorf("elements: count is %d, it is 1 to %d", e.Count, maxElements)
	}
	if e.Root.IsZero() {
		return errors.New("elements: root is zero")
	}
	return nil
}

// An Element is one part of a document. Path says which, such as
// endpoints/3; Text is what it says.
type Element struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// ElementSalt returns the salt of the element at an index, from the key that its
// signer keeps: HMAC-SHA256(key, "trialproof/element/v1" LF index in 8 bytes).
func ElementSalt(key Salt, index uint64) Salt {
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte("trialproof/element/v1\n"))
	m.Write(binary.BigEndian.AppendUint64(nil, index))
	return Salt(m.Sum(nil))
}

// elementLeaf returns RFC 6962's leaf hash of salt || canonical JSON of the element.
func elementLeaf(salt Salt, e Element) (Hash, error) {
	data, err := encode(e)
	if err != nil {
		return Hash{}, err
	}
	return leafHash(append(salt[:], data...)), nil
}

// CommitElements returns the commitment to a document's elements, in order, with
// the key that their salts come from.
func CommitElements(key Salt, elements []Element) (*Elements, error) {
	tree, err := elementTree(key, elements)
	if err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(int64(len(elements)), tree)
	if err != nil {
		return nil, err
	}
	c := &Elements{uint64(len(elements)), Hash(root)}
	return c, c.check()
}

// elementTree returns the hashes of the tree over a document's elements.
func elementTree(key Salt, elements []Element) (tlog.HashReaderFunc, error) {
	var stored []tlog.Hash
	reader := func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	}
	for i, e := range elements {
		if e.Path == "" {
			return nil, fmt.Errorf("element %d has no path", i)
		}
		h, err := elementLeaf(ElementSalt(key, uint64(i)), e)
		if err != nil {
			return nil, err
		}
		more, err := tlog.StoredHashesForRecordHash(int64(i), tlog.Hash(h), tlog.HashReaderFunc(reader))
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return reader, nil
}

// A Disclosure shows one element of a commitment, and that it is one.
type Disclosure struct {
	Element Element `json:"element"`
	Index   uint64  `json:"index"`
	Path    []Hash  `json:"path"` // RFC 6962 inclusion proof, the leaf's sibling first
	Salt    Salt    `json:"salt"`
}

// Disclose shows the element at an index.
func Disclose(key Salt, elements []Element, index int) (*Disclosure, error) {
	if index < 0 || index >= len(elements) {
		return nil, fmt.Errorf("there is no element %d of %d", index, len(elements))
	}
	tree, err := elementTree(key, elements)
	if err != nil {
		return nil, err
	}
	proof, err := tlog.ProveRecord(int64(len(elements)), int64(index), tree)
	if err != nil {
		return nil, err
	}
	d := &Disclosure{Element: elements[index], Index: uint64(index), Salt: ElementSalt(key, uint64(index))}
	for _, h := range proof {
		d.Path = append(d.Path, Hash(h))
	}
	return d, nil
}

// Verify checks the disclosure against a commitment.
func (d *Disclosure) Verify(c *Elements) error {
	if d.Index >= c.Count {
		return fmt.Errorf("element %d is not one of %d", d.Index, c.Count)
	}
	leaf, err := elementLeaf(d.Salt, d.Element)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, h := range d.Path {
		path = append(path, tlog.Hash(h))
	}
	if tlog.CheckRecord(path, int64(c.Count), tlog.Hash(c.Root), int64(d.Index), tlog.Hash(leaf)) != nil {
		return fmt.Errorf("the element %q is not what was committed to", d.Element.Path)
	}
	return nil
}

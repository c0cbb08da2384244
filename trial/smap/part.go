package smap

import "errors"

// Part returns as much of the map with the given root as proofs show of it, one
// for each key. Its Root is the given one, and Set works for the keys alone: so
// the root of the map after changes follows from proofs of what is changed. No
// other method may be called on it, and Set panics for another key.
func Part(root Hash, keys []Hash, proofs []Proof) (Map, error) {
	var top *node
	if root != emptyHash {
		top = &node{hash: root, hashed: true, stub: true}
	}
	for i, p := range proofs {
		if _, _, err := p.Verify(root, keys[i]); err != nil {
			return Map{}, err
		}
		if err := graft(&top, keys[i], p); err != nil {
			return Map{}, err
		}
	}
	return Map{root: top}, nil
}

// errShape says that two proofs under one root show different trees: neither is
// of a map that Set makes.
var errShape = errors.New("two map proofs do not fit together")

// graft puts what a verified proof shows in the place of stubs.
func graft(at **node, key Hash, p Proof) error {
	for depth, sibling := range p.Siblings {
		n := *at
		switch {
		case n == nil:
			return errShape
		case n.stub:
			n = &node{left: stub(sibling), right: stub(sibling)}
			path := &node{stub: true} // its hash follows from what is put there
			if bit(&key, depth) == 0 {
				n.left = path
			} else {
				n.right = path
			}
			*at = n
		case n.leaf():
			return errShape
		}
		if bit(&key, depth) == 0 {
			at = &n.left
		} else {
			at = &n.right
		}
	}
	switch n := *at; {
	case n != nil && !n.stub:
		if p.At == nil || !n.leaf() || n.key != p.At.Key || n.value != p.At.Value {
			return errShape
		}
	case p.At != nil:
		if n == nil {
			return errShape
		}
		*at = &node{key: p.At.Key, value: p.At.Value}
	default:
		*at = nil
	}
	return nil
}

func stub(h Hash) *node {
	if h == emptyHash {
		return nil
	}
	return &node{hash: h, hashed: true, stub: true}
}

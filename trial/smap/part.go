package smap

import "errors"

// Part returns the part of the map with the given root that the proofs show, one proof for each
// key. Its Root is the given one, and Set works for these keys alone. So the root of the map
// after changes follows from proofs of what is changed. No other method may be called on it,
// and Set panics for another key.
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

// errShape says that two proofs under one root show different trees. Set never makes a map with
// such proofs.
var errShape = errors.New("two map proofs do not fit together")

// graft replaces stubs by what a verified proof shows.
func graft(at **node, key Hash, p Proof) error {
	for depth, sibling := range p.Siblings {
		n := *at
		switch {
		case n == nil:
			return errShape
		case n.stub:
			n = &node{left: stub(sibling), right: stub(sibling)}
			path := &node{stub: true} // its hash follows from its children
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

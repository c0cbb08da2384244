package smap

import "errors"

// Part returns the part of the map with the given root that the proofs show, one proof for each
// key. Its Root is the given one, and Set works for these keys alone. So the root of the map
// after changes follows from proofs of what is changed. No other method may be called on it,
// and Set panics for another key.
func Part(root Hash, keys []Hash, proofs []Proof) (Map, error) {
	var top node
	if root != emptyHash {
		top = &stub{root}
	}
	for i, p := range proofs {
		if _, _, err := p.Verify(root, keys[i]); err != nil {
			return Map{}, err
		}
		var err error
		if top, err = graft(top, 0, &keys[i], p); err != nil {
			return Map{}, err
		}
	}
	return Map{root: top}, nil
}

// errShape says that two proofs under one root show different trees. Set never makes a map with
// such proofs.
var errShape = errors.New("two map proofs do not fit together")

// graft returns the subtree n at a depth with its stubs replaced by what a verified proof shows.
func graft(n node, depth int, key *Hash, p Proof) (node, error) {
	if depth == len(p.Siblings) {
		return graftEnd(n, p.At)
	}
	b := bit(key, depth)
	in, ok := n.(*inner)
	if !ok {
		if _, ok := n.(*stub); !ok {
			return nil, errShape
		}
		in = new(inner)
		if h := p.Siblings[depth]; h != emptyHash {
			in = in.with(1-b, &stub{h})
		}
		in = in.with(b, &stub{}) // its hash follows from its children
	}
	child, err := graft(in.child(b), depth+1, key, p)
	if err != nil {
		return nil, err
	}
	return in.with(b, child), nil
}

// graftEnd returns the end of a proof's path, where n was.
func graftEnd(n node, at *Leaf) (node, error) {
	_, fresh := n.(*stub)
	have, _ := n.(*Leaf)
	switch {
	case at == nil && (n == nil || fresh):
		return nil, nil
	case at != nil && (fresh || have != nil && *have == *at):
		return &Leaf{at.Key, at.Value}, nil
	}
	return nil, errShape
}

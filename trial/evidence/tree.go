package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// Open parses a checkpoint that a log of the policy signed. It accepts extension lines, as
// tlog-checkpoint has them: a log cannot escape evidence of a second tree by adding one.
// Cosignatures are ignored: the evidence rests on the log's own signature.
func Open(p *checkpoint.Policy, signed []byte) (checkpoint.Tree, error) {
	origin, _, _ := strings.Cut(string(signed), "\n")
	var known []note.Verifier
	for _, l := range p.Logs {
		if l.Name() == origin {
			known = append(known, l)
		}
	}
	if len(known) == 0 {
		return checkpoint.Tree{}, fmt.Errorf("the policy has no key of the log %.100q: check it with a policy that has one", origin)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return checkpoint.Tree{}, err
	}
	lines := strings.SplitAfterN(n.Text, "\n", 4)
	if len(lines) < 4 {
		return checkpoint.Tree{}, errors.New("the text is not origin, size and root")
	}
	return checkpoint.ParseTree(strings.Join(lines[:3], ""))
}

// replayers returns the names of the policy's witnesses that cosigned and say that they cosign
// only what they have replayed.
func replayers(p *checkpoint.Policy, signed []byte) []string {
	cp, err := p.Open(signed)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range cp.Cosignatures {
		if w := p.Witnesses[c.Witness]; w.Replays() {
			names = append(names, w.Name())
		}
	}
	return names
}

// roots returns the roots of the first m entries and of all n, m < n, to which the hashes of
// perfect subtrees lead. The hashes are those of RFC 6962's consistency proof, and always begin
// with the one that m ends in, which RFC 6962 leaves out if m is a power of two. For m = 0
// there are no hashes, and the root of n is not computed.
//
// SPEC (RFC 9162 2.1.4.2): "If first is an exact power of 2, then prepend first_hash to the
// consistency_path array." Here it is there already.
func roots(m, n uint64, proof [][32]byte) (small, large [32]byte, err error) {
	if m == 0 {
		if len(proof) > 0 {
			return small, large, errors.New("hashes where none are needed")
		}
		return sha256.Sum256(nil), large, nil
	}
	if len(proof) == 0 {
		return small, large, errors.New("it has no hashes")
	}
	fn, sn := m-1, n-1
	shift := bits.TrailingZeros64(^fn)
	fn, sn = fn>>shift, sn>>shift
	small, large = proof[0], proof[0]
	for _, c := range proof[1:] {
		if sn == 0 {
			return small, large, errors.New("it has too many hashes")
		}
		if fn&1 == 1 || fn == sn {
			small, large = node(c, small), node(c, large)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			large = node(large, c)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 {
		return small, large, errors.New("it has too few hashes")
	}
	return small, large, nil
}

func node(l, r [32]byte) [32]byte { return tlog.NodeHash(l, r) }

// NewFork returns the evidence from two signed checkpoints of one size.
func NewFork(a, b []byte) *Evidence {
	return &Evidence{Kind: Fork, Checkpoints: []string{string(a), string(b)}}
}

// NewInconsistent returns the evidence from two signed checkpoints of sizes m < n, m > 0, with
// the hashes of the larger tree, which r has verified.
func NewInconsistent(m, n []byte, small, large uint64, r tlog.HashReader) (*Evidence, error) {
	var list [][32]byte
	if small > 0 {
		p, err := tlog.ProveTree(int64(large), int64(small), r)
		if err != nil {
			return nil, err
		}
		if small&(small-1) == 0 {
			h, err := tlog.TreeHash(int64(small), r)
			if err != nil {
				return nil, err
			}
			p = slices.Insert(p, 0, h)
		}
		for _, h := range p {
			list = append(list, h)
		}
	}
	return &Evidence{Kind: Inconsistent, Checkpoints: []string{string(m), string(n)}, Proof: history.Strings(list)}, nil
}

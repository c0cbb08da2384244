// Package checkpoint reads what a log and its witnesses sign. A policy says whose keys count
// and how many witnesses must agree; a checkpoint is opened under a policy.
//
// The package uses no clock, network or file: it compiles to js/wasm.
package checkpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Tree is the text of a checkpoint: the log's origin, size and root. Source:
// c2sp.org/tlog-checkpoint, without extension lines.
type Tree struct {
	Origin string
	Size   uint64
	Root   [32]byte
}

// String returns the checkpoint's text.
func (t Tree) String() string {
	return fmt.Sprintf("%s\n%d\n%s\n", t.Origin, t.Size, base64.StdEncoding.EncodeToString(t.Root[:]))
}

// ParseTree parses a checkpoint's text strictly: three lines, in their canonical encoding.
func ParseTree(text string) (Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Tree{}, errors.New("the text is not the three lines origin, size and root")
	}
	size, err := ParseDecimal(lines[1])
	if err != nil {
		return Tree{}, fmt.Errorf("size: %w", err)
	}
	root, err := ParseHash(lines[2])
	if err != nil {
		return Tree{}, fmt.Errorf("root: %w", err)
	}
	if lines[0] == "" {
		return Tree{}, errors.New("the origin is empty")
	}
	return Tree{lines[0], size, root}, nil
}

// ParseDecimal parses an ASCII decimal below 2^62 without leading zeros or sign. With larger
// sizes package tlog would never return.
func ParseDecimal(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 62)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%.30q is not a decimal number in its canonical form", s)
	}
	return n, nil
}

// ParseHash parses 32 bytes in base64 with zero spare bits.
func ParseHash(s string) ([32]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(data) != 32 || len(s) != 44 {
		return [32]byte{}, fmt.Errorf("%.60q is not a SHA-256 hash in base64", s)
	}
	return [32]byte(data), nil
}

// A Checkpoint is a checkpoint that a log of the policy signed, with those cosignatures by the
// policy's witnesses that verify.
type Checkpoint struct {
	Tree
	Log          *LogKey
	Cosignatures []Cosignature // by time
	Unknown      int           // signatures by keys that the policy does not name

	policy *Policy
}

// A Cosignature says that a witness saw the log grow to this tree.
type Cosignature struct {
	Witness int // index in Policy.Witnesses
	Time    time.Time
}

// Open verifies a signed checkpoint: a log of the policy signed it, and every
// signature by a key of the policy verifies. It does not ask for the quorum.
func (p *Policy) Open(signed []byte) (*Checkpoint, error) {
	if bytes.Contains(signed, []byte{'\r'}) {
		return nil, errors.New("checkpoint: it has carriage returns, but its lines must end in a line feed alone")
	}
	var known []note.Verifier
	for _, l := range p.Logs {
		known = append(known, l)
	}
	for _, w := range p.Witnesses {
		// The same ML-DSA-44 key may be a log's and a witness's: one verifier with two roles.
		if !slices.ContainsFunc(p.Logs, func(l LogKey) bool { return l.VKey == w.VKey }) {
			known = append(known, w)
		}
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return nil, p.explain(signed, err)
	}
	tree, err := ParseTree(n.Text)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	cp := &Checkpoint{Tree: tree, Unknown: len(n.UnverifiedSigs), policy: p}
	for _, s := range append(slices.Clone(n.Sigs), n.UnverifiedSigs...) {
		// The note library accepts any spare bits.
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, fmt.Errorf("checkpoint: the signature of %s is not in strict base64", s.Name)
		}
	}
	for _, s := range n.Sigs {
		if i := slices.IndexFunc(p.Logs, func(l LogKey) bool { return l.Name() == s.Name && l.KeyHash() == s.Hash }); i >= 0 {
			// SPEC (tlog-policy): the key name "MUST correspond to the log's origin line".
			if s.Name == tree.Origin {
				cp.Log = &p.Logs[i]
			}
		}
		i := slices.IndexFunc(p.Witnesses, func(w WitnessKey) bool { return w.Name() == s.Name && w.KeyHash() == s.Hash })
		if i < 0 {
			continue
		}
		t, err := CosignatureTime(s)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: the cosignature of %s: %w", s.Name, err)
		}
		cp.Cosignatures = append(cp.Cosignatures, Cosignature{i, t})
	}
	if cp.Log == nil {
		return nil, fmt.Errorf("checkpoint: no log key of the policy signed it as %q", tree.Origin)
	}
	slices.SortStableFunc(cp.Cosignatures, func(a, b Cosignature) int { return a.Time.Compare(b.Time) })
	return cp, nil
}

// explain says which key's signature failed, or that no known key signed.
func (p *Policy) explain(signed []byte, err error) error {
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		origin, _, _ := strings.Cut(string(signed), "\n")
		return fmt.Errorf("checkpoint: it is for the log %.100q and has no signature by a key of the policy: "+
			"is this the policy of that log?", origin)
	}
	if e, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return fmt.Errorf("checkpoint: the signature of %s does not verify: the signed text or the signature was altered", e.Name)
	}
	return fmt.Errorf("checkpoint: %w", err)
}

// CosignatureTime returns the time that a verified cosignature was made over.
//
//	SPEC: "timestamp is the time at which the cosignature was generated, as a
//	POSIX timestamp. It MUST NOT exceed 2^63 - 1"; a checkpoint's "MUST NOT be zero".
func CosignatureTime(s note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(raw) < 12 {
		return time.Time{}, errors.New("it has no time")
	}
	t := binary.BigEndian.Uint64(raw[4:])
	if t == 0 || t > 253402300799 { // the year 9999 ends what can be printed
		return time.Time{}, errors.New("its time is zero or after the year 9999")
	}
	return time.Unix(int64(t), 0).UTC(), nil
}

// Quorum reports whether the cosignatures satisfy the policy's quorum.
func (c *Checkpoint) Quorum() bool { return c.quorum(len(c.Cosignatures), false) }

// ReplayQuorum reports whether the cosignatures of replaying witnesses alone satisfy the
// policy's quorum.
func (c *Checkpoint) ReplayQuorum() bool {
	return !c.policy.Unwitnessed() && c.quorum(len(c.Cosignatures), true)
}

func (c *Checkpoint) quorum(first int, replayed bool) bool {
	return c.policy.Satisfied(func(w int) bool {
		return slices.ContainsFunc(c.Cosignatures[:first], func(s Cosignature) bool {
			return s.Witness == w && (!replayed || c.policy.Witnesses[w].Replays())
		})
	})
}

// ProvenTime returns the earliest time such that the cosignatures stamped up to then satisfy
// the quorum: the tree existed no later. It returns false if the quorum is not met or asks for
// no witness.
func (c *Checkpoint) ProvenTime() (time.Time, bool) {
	if c.policy.Unwitnessed() {
		return time.Time{}, false
	}
	for i := range c.Cosignatures {
		if c.quorum(i+1, false) {
			return c.Cosignatures[i].Time, true
		}
	}
	return time.Time{}, false
}

// CheckInclusion checks an RFC 6962 inclusion proof of a leaf in the tree.
func (t Tree) CheckInclusion(index uint64, leaf [32]byte, path [][32]byte) error {
	if index >= t.Size {
		return fmt.Errorf("index %d is not in a tree of size %d", index, t.Size)
	}
	if err := tlog.CheckRecord(toTlog(path), int64(t.Size), t.Root, int64(index), leaf); err != nil {
		return errors.New("it does not lead from the entry to the checkpoint's root")
	}
	return nil
}

func toTlog(path [][32]byte) []tlog.Hash {
	p := make([]tlog.Hash, len(path))
	for i, h := range path {
		p[i] = h
	}
	return p
}

// WitnessText names the witnesses that cosigned, by their names in the policy.
func (c *Checkpoint) WitnessText() string {
	if len(c.Cosignatures) == 0 {
		return "no witness that it names"
	}
	var names []string
	for _, s := range c.Cosignatures {
		names = append(names, c.policy.Witnesses[s.Witness].Label)
	}
	return strings.Join(names, ", ")
}

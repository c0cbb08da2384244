package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// A Policy says whose checkpoints to trust: the logs' keys, the witnesses' keys, and which
// witnesses must agree. Source: c2sp.org/tlog-policy.
type Policy struct {
	Logs      []LogKey
	Witnesses []WitnessKey

	text    []byte
	members map[string]member // by name: witnesses and groups
	used    map[string]string // by name: the group that the name is a member of
	quorum  string            // "none", or the name of a witness or group
}

// A LogKey is one log line.
type LogKey struct {
	note.Verifier        // its name is the log's origin
	VKey          string // as written
	URL           string // may be empty
}

// A WitnessKey is one witness line.
type WitnessKey struct {
	note.Verifier
	Label string // the name within the policy
	VKey  string
	URL   string // the submission prefix; may be empty
}

// Replays reports whether the key's owner says that it cosigns only what it has replayed. The
// names of such keys end in /replay, and the keys serve nothing else.
func (w WitnessKey) Replays() bool { return strings.HasSuffix(w.Name(), "/replay") }

// A member is a witness (need 0), or a group of which need members must agree.
type member struct {
	witness int // index in Witnesses
	need    int
	of      []string
}

const (
	algEd25519      = 0x01
	algCosignature  = 0x04
	algMLDSA        = 0x06
	maxPolicyBytes  = 1 << 20
	maxPolicyWords  = 256 // names in one group line
	maxGroupNesting = 64
)

// ParsePolicy parses a policy file.
func ParsePolicy(text []byte) (*Policy, error) {
	if len(text) > maxPolicyBytes {
		return nil, fmt.Errorf("policy: %d bytes; the most is %d", len(text), maxPolicyBytes)
	}
	if err := Mangled(text); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	// SPEC: "the allowed octet values are 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF."
	for i, c := range text {
		if c != '\t' && c != '\n' && (c < 0x20 || c == 0x7f) {
			return nil, fmt.Errorf("policy: the byte %#02x at offset %d is not allowed (lines end in a line feed alone)", c, i)
		}
	}
	p := &Policy{text: bytes.Clone(text), members: map[string]member{}, used: map[string]string{}}
	keys := map[string]bool{}
	// SPEC: "each line is terminated by ASCII newline"; a last line without one is accepted
	// too.
	for i, line := range strings.Split(string(text), "\n") {
		// SPEC: "whitespace", which in this specification means sequences of
		// ASCII space and tab characters only.
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		// SPEC: comment lines (lines starting with "#", possibly preceded by whitespace)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := p.line(words, keys); err != nil {
			return nil, fmt.Errorf("policy line %d: %w", i+1, err)
		}
	}
	// SPEC: "A policy file must include exactly one quorum line."
	if p.quorum == "" {
		return nil, errors.New("policy: no quorum line: add `quorum NAME`, or `quorum none` to ask for no witness")
	}
	return p, nil
}

func (p *Policy) line(words []string, keys map[string]bool) error {
	switch words[0] {
	case "log":
		if len(words) != 2 && len(words) != 3 {
			return errors.New("it is `log VKEY [URL]`")
		}
		v, raw, err := parseVKey(words[1], algEd25519, algMLDSA)
		if err != nil {
			return err
		}
		// SPEC: "Duplicate logs, i.e., multiple log lines with the same public key, are not allowed."
		if keys["log "+raw] {
			return errors.New("the log's key is on an earlier line already")
		}
		keys["log "+raw] = true
		p.Logs = append(p.Logs, LogKey{v, words[1], rest(words, 2)})
	case "witness":
		if len(words) != 3 && len(words) != 4 {
			return errors.New("it is `witness NAME VKEY [URL]`")
		}
		if err := p.newName(words[1]); err != nil {
			return err
		}
		v, raw, err := parseVKey(words[2], algCosignature, algMLDSA)
		if err != nil {
			return err
		}
		if keys["witness "+raw] {
			return errors.New("the witness's key is on an earlier line already")
		}
		keys["witness "+raw] = true
		p.members[words[1]] = member{witness: len(p.Witnesses)}
		p.Witnesses = append(p.Witnesses, WitnessKey{v, words[1], words[2], rest(words, 3)})
	case "group":
		return p.group(words)
	case "quorum":
		if len(words) != 2 {
			return errors.New("it is `quorum NAME`")
		}
		if p.quorum != "" {
			return errors.New("a second quorum line")
		}
		if _, ok := p.members[words[1]]; !ok && words[1] != "none" {
			return fmt.Errorf("no line above defines %q", words[1])
		}
		p.quorum = words[1]
	default:
		return fmt.Errorf("%q is not log, witness, group or quorum", words[0])
	}
	return nil
}

func rest(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// newName checks that witnesses and groups share one namespace and that none has the predefined
// name.
func (p *Policy) newName(name string) error {
	if _, taken := p.members[name]; taken || name == "none" {
		return fmt.Errorf("the name %q is taken", name)
	}
	return nil
}

func (p *Policy) group(words []string) error {
	if len(words) < 4 || len(words) > maxPolicyWords {
		return errors.New("it is `group NAME all|any|K NAME...`")
	}
	if err := p.newName(words[1]); err != nil {
		return err
	}
	g := member{of: words[3:]}
	switch words[2] {
	case "all":
		g.need = len(g.of)
	case "any":
		g.need = 1
	default:
		// SPEC: "If k is given numerically, it must be written in decimal, and
		// it is required that 1 <= k <= n."
		k, err := strconv.ParseUint(words[2], 10, 16)
		if err != nil || k < 1 || k > uint64(len(g.of)) {
			return fmt.Errorf("%q is not all, any or a number from 1 to %d", words[2], len(g.of))
		}
		g.need = int(k)
	}
	// SPEC: "Each defined name can be listed as a group member at most once."
	for _, m := range g.of {
		if _, ok := p.members[m]; !ok {
			return fmt.Errorf("no line above defines %q", m)
		}
		if group, ok := p.used[m]; ok {
			return fmt.Errorf("%q is a member of group %q already", m, group)
		}
		p.used[m] = words[1]
	}
	if p.depth(g) > maxGroupNesting {
		return errors.New("groups are nested too deeply")
	}
	p.members[words[1]] = g
	return nil
}

func (p *Policy) depth(m member) int {
	d := 0
	for _, name := range m.of {
		d = max(d, 1+p.depth(p.members[name]))
	}
	return d
}

// parseVKey parses a verifier key and returns it with its algorithm byte and public key, raw.
// The two libraries do not check that the base64 is canonical and that the key id belongs to
// name and key.
func parseVKey(vkey string, algs ...byte) (v note.Verifier, raw string, err error) {
	_, rest, _ := strings.Cut(vkey, "+")
	id16, key64, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.Strict().DecodeString(key64)
	if err != nil || len(key) == 0 {
		return nil, "", fmt.Errorf("%.80q is not a vkey", vkey)
	}
	ok := false
	for _, alg := range algs {
		ok = ok || key[0] == alg
	}
	if !ok {
		return nil, "", fmt.Errorf("vkey %.80q has the signature type %#02x, which is not allowed here", vkey, key[0])
	}
	if key[0] == algEd25519 {
		v, err = note.NewVerifier(vkey)
	} else {
		v, err = fnote.NewVerifierForCosignatureV1(vkey)
	}
	if err != nil {
		return nil, "", fmt.Errorf("vkey %.80q: %w", vkey, err)
	}
	// SPEC (tlog-cosignature): opaque cosigner_name<1..2^8-1>.
	if key[0] == algMLDSA && len(v.Name()) > 255 {
		return nil, "", fmt.Errorf("vkey %.80q: the name of an ML-DSA-44 key has at most 255 bytes", vkey)
	}
	if fmt.Sprintf("%08x", v.KeyHash()) != id16 {
		return nil, "", fmt.Errorf("vkey %.80q: the key id does not belong to the name and key", vkey)
	}
	return v, string(key), nil
}

// Digest returns the SHA-256 of the policy file in hexadecimal. Verdicts name it, because a
// verdict can be trusted only as far as its policy.
func (p *Policy) Digest() string {
	d := sha256.Sum256(p.text)
	return hex.EncodeToString(d[:])
}

// Unwitnessed reports whether the policy asks for no witness.
func (p *Policy) Unwitnessed() bool { return p.quorum == "none" }

// Satisfied reports whether the witnesses for which agreed returns true satisfy the quorum;
// witness is an index in Witnesses.
func (p *Policy) Satisfied(agreed func(witness int) bool) bool {
	return p.quorum == "none" || p.satisfied(p.quorum, agreed)
}

func (p *Policy) satisfied(name string, agreed func(int) bool) bool {
	m := p.members[name]
	if m.need == 0 {
		return agreed(m.witness)
	}
	n := 0
	for _, of := range m.of {
		if p.satisfied(of, agreed) {
			n++
		}
	}
	return n >= m.need
}

// Split reports whether two sets of witnesses with no common member both satisfy the quorum.
// Each set could then be shown another log without any witness being dishonest. It is false for
// a quorum of none, and is not computed for more than 16 witnesses.
func (p *Policy) Split() bool {
	n := len(p.Witnesses)
	if p.Unwitnessed() || n > 16 {
		return false
	}
	for set := range 1 << n {
		if p.Satisfied(func(w int) bool { return set>>w&1 == 1 }) && p.Satisfied(func(w int) bool { return set>>w&1 == 0 }) {
			return true
		}
	}
	return false
}

// Log returns the log line for an origin, or nil if there is none.
func (p *Policy) Log(origin string) *LogKey {
	for i := range p.Logs {
		if p.Logs[i].Name() == origin {
			return &p.Logs[i]
		}
	}
	return nil
}

// QuorumText returns the quorum in words, such as "2 of (w1, w2, w3)".
func (p *Policy) QuorumText() string {
	if p.quorum == "none" {
		return "no witness"
	}
	return p.memberText(p.quorum)
}

func (p *Policy) memberText(name string) string {
	m := p.members[name]
	if m.need == 0 {
		return name
	}
	var of []string
	for _, o := range m.of {
		of = append(of, p.memberText(o))
	}
	return fmt.Sprintf("%d of (%s)", m.need, strings.Join(of, ", "))
}

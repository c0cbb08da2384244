// Package element makes the parts of a document provable one by one: "endpoint 3 was changed by
// amendment 2", without revealing anything else of either version.
//
// A statement's member elements is the root of a Merkle map (package smap) that has, for each
// part of a document,
//
//	key   = SHA-256("trialproof/map/v1" LF "element" LF path)
//	value = SHA-256(salt || SHA-256(text))
//	salt  = HMAC-SHA256(secret, "trialproof/element/v1" LF path LF || SHA-256 of the document)
//
// where a path is a list and a place in it, counted from 1, such as endpoints/3. A map has one
// value for a key, so nobody can show two texts for one part. It can also prove that there is
// no such part. The secret, 32 bytes, stays with the sponsor. Together with the document it
// gives every salt again. Without it a commitment reveals nothing, not even that two versions
// have a text in common.
//
// Until the document is shown, only the signer claims that the parts are those of the document.
// Whoever has the document and the secret computes the same root (see New). The package does no
// I/O.
package element

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/smap"
	"github.com/trialproof/trialproof/trial/study"
)

// A Secret is the key that a sponsor keeps: 32 random bytes.
type Secret [32]byte

// ParseSecret parses what String returns, followed by a line feed.
func ParseSecret(data []byte) (s Secret, err error) {
	text, ok := strings.CutSuffix(string(data), "\n")
	b, err := hex.DecodeString(text)
	if !ok || err != nil || len(b) != len(s) || hex.EncodeToString(b) != text {
		return s, fmt.Errorf("not %d hex digits in lower case and a line feed: this is not a secret of elements", 2*len(s))
	}
	return Secret(b), nil
}

func (s Secret) String() string { return hex.EncodeToString(s[:]) }

func (s Secret) salt(document trial.Hash, path string) trial.Salt {
	h := hmac.New(sha256.New, s[:])
	h.Write([]byte("trialproof/element/v1\n" + path + "\n"))
	h.Write(document[:])
	return trial.Salt(h.Sum(nil))
}

// A Part is one part of a document.
type Part struct {
	Path string // such as endpoints/3
	Text string
}

// Of returns the parts of a study: its endpoints, objectives and sections. White space is
// folded. Each item of a part is on a line of its own: of an endpoint its level, measure, time
// frame and description; of an objective its level and text; of a section its number, title and
// text.
func Of(s *study.Study) []Part {
	var parts []Part
	add := func(list string, i int, lines ...string) {
		for k, l := range lines {
			lines[k] = strings.Join(strings.Fields(l), " ")
		}
		parts = append(parts, Part{list + "/" + strconv.Itoa(i+1), strings.Join(lines, "\n")})
	}
	for i, o := range s.Outcomes {
		add("endpoints", i, o.Level, o.Measure, o.TimeFrame, o.Description)
	}
	for i, o := range s.Objectives {
		add("objectives", i, o.Level, o.Text)
	}
	for i, n := range s.Sections {
		add("sections", i, n.Number, n.Title, n.Text)
	}
	return parts
}

var pathForm = regexp.MustCompile(`^[a-z]{1,32}/[1-9][0-9]{0,5}$`)

// CheckPath returns an error that says what is wrong with a path, or nil.
func CheckPath(path string) error {
	if !pathForm.MatchString(path) {
		return fmt.Errorf("%.60q is not a part of a document: write a list and a place in it, such as endpoints/3", path)
	}
	return nil
}

func key(path string) smap.Hash { return trial.RecordKey{Kind: "element", ID: path}.Hash() }

// A Tree has the parts of one document.
type Tree struct {
	m     smap.Map
	salts map[string]trial.Salt
	texts map[string]string
}

// New returns the tree of the parts of the document with this SHA-256.
func New(secret Secret, document trial.Hash, parts []Part) (*Tree, error) {
	if len(parts) == 0 {
		return nil, errors.New("the document has no endpoint, objective or section that could be proven alone")
	}
	t := &Tree{salts: map[string]trial.Salt{}, texts: map[string]string{}}
	for _, p := range parts {
		if err := CheckPath(p.Path); err != nil {
			return nil, err
		}
		if err := checkText(p.Text); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Path, err)
		}
		if _, twice := t.texts[p.Path]; twice {
			return nil, fmt.Errorf("%s is given twice", p.Path)
		}
		salt := secret.salt(document, p.Path)
		t.texts[p.Path], t.salts[p.Path] = p.Text, salt
		t.m = t.m.Set(key(p.Path), value(salt, p.Text))
	}
	return t, nil
}

func value(salt trial.Salt, text string) smap.Hash {
	return smap.Hash(trial.Commit(salt, sha256.Sum256([]byte(text))))
}

// maxText bounds the text of a part, in bytes.
const maxText = 1 << 20

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("the text is not UTF-8")
	}
	if len(s) > maxText {
		return fmt.Errorf("the text has %d bytes; the most is %d", len(s), maxText)
	}
	return nil
}

// Root returns the value of a statement's member elements.
func (t *Tree) Root() trial.Hash { return t.m.Root() }

// A Disclosure shows one part of a logged document, or that it has no such part, to whoever has
// a policy. It is a JSON object.
type Disclosure struct {
	Type    string      `json:"type"` // disclosureType
	Path    string      `json:"path"`
	Absent  bool        `json:"absent,omitempty"` // there is no such part; then text and salt are empty
	Text    string      `json:"text,omitempty"`
	Salt    trial.Salt  `json:"salt,omitzero"`
	Proof   history.Map `json:"proof"`
	Receipt string      `json:"receipt"` // of the statement, without its openings
}

const disclosureType = "trialproof/element/v1"

// Disclose returns what shows the part at path, whether there is one or not. It leaves out the
// receipt's openings: the signer's printed name and the salts of other commitments are not part
// of it. A proof that a part is absent reveals that one other path exists.
func (t *Tree) Disclose(path string, r *receipt.Receipt) (*Disclosure, error) {
	if err := CheckPath(path); err != nil {
		return nil, err
	}
	bare := *r
	bare.Openings = nil
	text, ok := t.texts[path]
	salt, proof := t.Prove(path)
	return &Disclosure{
		Type: disclosureType, Path: path, Absent: !ok, Text: text, Salt: salt, Proof: proof, Receipt: string(bare.Marshal()),
	}, nil
}

// Prove returns the salt of the part at path, zero if there is none, and its proof.
func (t *Tree) Prove(path string) (trial.Salt, history.Map) {
	return t.salts[path], history.NewMap(t.m.Prove(key(path)))
}

// Marshal returns the bytes of a disclosure's file: canonical JSON (RFC 8785) and a
// line feed.
func (d *Disclosure) Marshal() ([]byte, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	if data, err = jcs.Transform(data); err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// MaxSize bounds a disclosure: a text whose every byte is escaped, and a receipt.
const MaxSize = 6*maxText + 2*receipt.MaxSize

// Parse parses exactly what Marshal returns: all programs read the same in a disclosure.
// Nothing in it is verified yet.
func Parse(data []byte) (*Disclosure, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d bytes; the most is %d", len(data), MaxSize)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	d := new(Disclosure)
	if err := json.Unmarshal(data, d); err != nil || d.Type != disclosureType {
		return nil, errors.New("it is not what trial disclose makes")
	}
	if again, err := d.Marshal(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("it is not in the form that trial disclose writes: it was altered")
	}
	if err := CheckPath(d.Path); err != nil {
		return nil, err
	}
	if d.Absent && (d.Text != "" || !d.Salt.IsZero()) {
		return nil, errors.New("it says that there is no such part, and yet it gives one")
	}
	return d, checkText(d.Text)
}

// Check checks a disclosure against the elements of the statement that its receipt is for. The
// receipt must have been verified. A *receipt.Problem says what does not hold.
func (d *Disclosure) Check(elements trial.Hash) error {
	problem := func(format string, args ...any) error {
		return &receipt.Problem{Part: "element", Detail: fmt.Sprintf(format, args...)}
	}
	if elements.IsZero() {
		return problem("the statement was logged without elements: no part of its document can be proven alone")
	}
	proof, err := d.Proof.Proof()
	if err != nil {
		return problem("its proof: %v", err)
	}
	got, present, err := proof.Verify(smap.Hash(elements), key(d.Path))
	switch {
	case err != nil:
		return problem("its proof does not lead to the elements that were logged: %v", err)
	case d.Absent && present:
		return problem("the document has a part %s, but the file says that it has none", d.Path)
	case d.Absent:
		return nil
	case !present:
		return problem("the document has no part %s", d.Path)
	case got != value(d.Salt, d.Text):
		return problem("the text is not the one that was logged as %s", d.Path)
	}
	return nil
}

package trial

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Limits of rule set 1, in bytes.
const (
	MaxStatement = 47_000
	MaxEntry     = 65_535
)

const (
	statementType   = "https://in-toto.io/Statement/v1"
	predicatePrefix = "https://github.com/trialproof/trialproof/"
	predicateSuffix = "@v1"
	maxSubjects     = 200
)

// A Statement is what a signer says: an in-toto Statement v1 in canonical JSON. Its subjects
// are the documents that it is about. If it is about no document, the subject is what its kind
// names (see each kind).
//
// Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
type Statement struct {
	Subjects  []Subject
	Predicate Predicate
}

// A Subject is a document, named by its role in the statement and never by its file name.
type Subject struct {
	Digest Digest `json:"digest"`
	Name   string `json:"name"`
}

// A Digest has exactly one of its members: the SHA-256 of the document, or a
// commitment to it (see Salt).
type Digest struct {
	SHA256    Hash `json:"sha256,omitzero"`
	Salted256 Hash `json:"trialproofSalted256,omitzero"`
}

// Common has the members that every predicate has beside those of its kind.
type Common struct {
	Log         string `json:"log"`                  // origin of the log it is meant for
	Meaning     string `json:"meaning"`              // of the signature: one of Meanings
	PrintedName Hash   `json:"printedName,omitzero"` // commitment to the signer's name, see Openings
	SignedAt    Time   `json:"signedAt"`             // by the signer's clock
}

func (c *Common) common() *Common { return c }

// Meanings are what a signature may mean (21 CFR 11.50).
var Meanings = []string{"author", "review", "approval", "responsibility"}

// wireStatement is the JSON of a Statement.
type wireStatement struct {
	Type          string          `json:"_type"`
	Predicate     json.RawMessage `json:"predicate"`
	PredicateType string          `json:"predicateType"`
	Subject       []Subject       `json:"subject"`
}

// Marshal checks the statement and returns it in canonical JSON, the payload
// to be signed.
func (s *Statement) Marshal() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p, err := encodePredicate(s.Predicate)
	if err != nil {
		return nil, refuse(RuleMalformed, "predicate: %v", err)
	}
	data, err := encode(wireStatement{statementType, p, predicatePrefix + s.Predicate.Kind() + predicateSuffix, s.Subjects})
	if err != nil {
		return nil, refuse(RuleMalformed, "statement: %v", err)
	}
	if len(data) > MaxStatement {
		return nil, refuse(RuleLimit, "the statement has %d bytes; the most is %d: submit fewer files at once", len(data), MaxStatement)
	}
	return data, nil
}

// encodePredicate also sorts the members, because those of Common stand between a kind's own.
func encodePredicate(v any) ([]byte, error) {
	data, err := encode(v)
	if err != nil {
		return nil, err
	}
	return sortMembers(data), nil
}

// sortMembers sorts the members of an object that encoding/json has written and whose names are
// plain ASCII. The values of the members are in order already.
func sortMembers(object []byte) []byte {
	var members [][]byte
	depth, start, text := 0, 1, false
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 1:
			members = append(members, object[start:i])
			start = i + 1
		}
	}
	members = append(members, object[start:len(object)-1])
	slices.SortFunc(members, bytes.Compare) // a name ends in a quote, which sorts before letters and digits
	sorted := make([]byte, 0, len(object))
	sorted = append(append(append(sorted, '{'), bytes.Join(members, []byte{','})...), '}')
	return sorted
}

// ParseStatement parses a payload and checks that it has the form of its kind.
func ParseStatement(payload []byte) (*Statement, error) {
	if len(payload) > MaxStatement {
		return nil, refuse(RuleLimit, "the statement has %d bytes; the most is %d", len(payload), MaxStatement)
	}
	if s := quickStatement(payload); s != nil {
		return s, s.check()
	}
	return parseStatement(payload)
}

func parseStatement(payload []byte) (*Statement, error) {
	var w wireStatement
	if err := decode(payload, &w); err != nil {
		return nil, refuse(RuleMalformed, "statement: %v", err)
	}
	if w.Type != statementType {
		return nil, refuse(RuleMalformed, "_type is %.80q, not %q", w.Type, statementType)
	}
	kind := kindOf(w.PredicateType)
	newPredicate := kinds[kind]
	if newPredicate == nil {
		return nil, refuse(RuleMalformed, "predicateType %.100q is not known; the kinds are %s",
			w.PredicateType, strings.Join(Kinds(), ", "))
	}
	s := &Statement{Subjects: w.Subject, Predicate: newPredicate()}
	if err := decodeWith(encodePredicate, w.Predicate, s.Predicate); err != nil {
		return nil, refuse(RuleMalformed, "predicate of %s: %v", kind, err)
	}
	return s, s.check()
}

// kindOf returns the kind that a predicateType names, or "" if it is none of ours.
func kindOf(predicateType string) string {
	kind, ok := strings.CutPrefix(predicateType, predicatePrefix)
	kind, ok2 := strings.CutSuffix(kind, predicateSuffix)
	if !ok || !ok2 {
		return ""
	}
	return kind
}

func (s *Statement) check() error {
	c := s.Predicate.common()
	if err := checkText("log", c.Log, 200); err != nil {
		return refuse(RuleMalformed, "%v", err)
	}
	if !slices.Contains(Meanings, c.Meaning) {
		return refuse(RuleMalformed, "meaning is %.40q; it is one of %s", c.Meaning, strings.Join(Meanings, ", "))
	}
	if len(s.Subjects) == 0 || len(s.Subjects) > maxSubjects {
		return refuse(RuleLimit, "%d subjects; a statement has 1 to %d", len(s.Subjects), maxSubjects)
	}
	seen := map[string]bool{}
	for _, sub := range s.Subjects {
		if !isName(sub.Name) {
			return refuse(RuleMalformed, "subject name %.80q is not a role such as protocol or appendix-2: "+
				"lower-case letters, digits and hyphens, at most 40 characters", sub.Name)
		}
		if seen[sub.Name] {
			return refuse(RuleMalformed, "two subjects are named %s", sub.Name)
		}
		seen[sub.Name] = true
		if sub.Digest.SHA256.IsZero() == sub.Digest.Salted256.IsZero() {
			return refuse(RuleMalformed, "subject %s does not have exactly one digest", sub.Name)
		}
	}
	if err := s.Predicate.check(s.Subjects); err != nil {
		return refuse(RuleMalformed, "%s: %v", s.Predicate.Kind(), err)
	}
	return nil
}

// isName reports whether s has the form of names of roles, analyses and the like.
func isName(s string) bool {
	if s == "" || len(s) > 40 || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// CommonOf returns the members that s has whatever its kind is.
func CommonOf(s *Statement) *Common { return s.Predicate.common() }

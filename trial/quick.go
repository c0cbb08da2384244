package trial

import "strconv"

// Entries, envelopes and statements are read in one pass where they have the form that nearly all
// have: their members in order, and texts of plain ASCII without escapes. Such a form is
// canonical, and so nothing need be written again to compare. Anything else, and so everything that
// is refused, is left to decode, which says why.

// A quickReader reads JSON of a known form. After the first difference from it, failed is set.
type quickReader struct {
	rest   string
	failed bool
}

// expect reads exactly what is given.
func (r *quickReader) expect(s string) {
	if len(r.rest) < len(s) || r.rest[:len(s)] != s {
		r.failed = true
		return
	}
	r.rest = r.rest[len(s):]
}

// peek reports whether a text is next.
func (r *quickReader) peek(s string) bool {
	return !r.failed && len(r.rest) >= len(s) && r.rest[:len(s)] == s
}

// text reads a text of plain ASCII and the quotation mark behind it.
func (r *quickReader) text() string {
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '"':
			s := r.rest[:i]
			r.rest = r.rest[i+1:]
			return s
		case c < ' ' || c > '~' || c == '\\':
			r.failed = true
			return ""
		}
	}
	r.failed = true
	return ""
}

func (r *quickReader) hash() Hash {
	h, err := ParseHash(r.text())
	r.failed = r.failed || err != nil
	return h
}

// end reports whether everything was read, and was as it should be.
func (r *quickReader) end() bool { return !r.failed && r.rest == "" }

func (r *quickReader) envelope() (e Envelope) {
	r.expect(`{"payload":"`)
	e.Payload = r.text()
	r.expect(`,"payloadType":"`)
	e.PayloadType = r.text()
	r.expect(`,"signatures":[{"keyid":"`)
	id := r.hash()
	r.expect(`,"sig":"`)
	e.Signatures = []Signature{{id, r.text()}}
	r.expect(`}]}`)
	return e
}

func quickEnvelope(data []byte) (Envelope, bool) {
	r := quickReader{rest: string(data)}
	e := r.envelope()
	return e, r.end()
}

func quickEntry(data []byte) (w statementEntry, ok bool) {
	r := quickReader{rest: string(data)}
	r.expect(`{"envelope":`)
	w.Envelope = r.envelope()
	r.expect(`,"signer":{"enrolled":`)
	w.Signer.Enrolled = r.number()
	r.expect(`,"key":"`)
	key := r.text()
	r.expect(`,"org":"`)
	w.Signer.Org = r.text()
	r.expect(`,"role":"`)
	w.Signer.Role = r.text()
	r.expect(`},"time":"`)
	at := r.text()
	r.expect(`,"type":"`)
	w.Type = r.text()
	r.expect(`}`)
	ok = r.end() && w.Signer.Key.UnmarshalText([]byte(key)) == nil && w.Time.UnmarshalText([]byte(at)) == nil
	return w, ok
}

// number reads an index.
func (r *quickReader) number() uint64 {
	n := 0
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseUint(r.rest[:n], 10, 53)
	if err != nil || strconv.FormatUint(v, 10) != r.rest[:n] {
		r.failed = true
	}
	r.rest = r.rest[n:]
	return v
}

// object reads an object and returns it. That it is one, and canonical, is for decode to say.
func (r *quickReader) object() string {
	depth, text := 0, false
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				s := r.rest[:i+1]
				r.rest = r.rest[i+1:]
				return s
			}
		}
	}
	r.failed = true
	return ""
}

// quickStatement returns nil if the statement does not have the usual form, or is refused.
func quickStatement(payload []byte) *Statement {
	r := quickReader{rest: string(payload)}
	r.expect(`{"_type":"` + statementType + `","predicate":`)
	if !r.peek(`{`) {
		return nil
	}
	predicate := r.object()
	r.expect(`,"predicateType":"`)
	newPredicate := kinds[kindOf(r.text())]
	r.expect(`,"subject":[`)
	var subjects []Subject
	for more := true; more && !r.failed; more = r.peek(`,`) {
		if len(subjects) > 0 {
			r.expect(`,`)
		}
		subjects = append(subjects, r.subject())
	}
	r.expect(`]}`)
	if !r.end() || newPredicate == nil {
		return nil
	}
	s := &Statement{Subjects: subjects, Predicate: newPredicate()}
	if quickPredicate(predicate, s.Predicate) {
		return s
	}
	s.Predicate = newPredicate() // a part of the other may be filled in
	if decodeWith(encodePredicate, []byte(predicate), s.Predicate) != nil {
		return nil
	}
	return s
}

func (r *quickReader) subject() (s Subject) {
	digest := &s.Digest.SHA256
	if r.peek(`{"digest":{"sha256":"`) {
		r.expect(`{"digest":{"sha256":"`)
	} else {
		r.expect(`{"digest":{"trialproofSalted256":"`)
		digest = &s.Digest.Salted256
	}
	*digest = r.hash()
	r.failed = r.failed || digest.IsZero() // which stands for none, and is left out
	r.expect(`},"name":"`)
	s.Name = r.text()
	r.expect(`}`)
	return s
}

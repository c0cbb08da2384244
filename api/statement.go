package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/trialproof/trialproof/trial"
)

// statement serves POST /v1/statements: it splits the body into envelope and key, and passes
// both to the function that gRPC also calls. Only package trial parses the envelope.
func (s *Server) statement(w http.ResponseWriter, r *http.Request) {
	body, err := s.submitted(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	envelope, key, err := readStatement(body)
	if err != nil {
		s.metrics.Refused(trial.RuleOf(err))
		s.fail(w, r, err)
		return
	}
	m, err := s.service.submit(r.Context(), envelope, key)
	s.answer(w, r, m, err)
}

// submitted returns the body of a request that would log something.
func (s *Server) submitted(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	// A page elsewhere can make a browser send other types without asking.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		p := badRequest("the content type of a statement is application/json")
		p.status = http.StatusUnsupportedMediaType
		return nil, p
	}
	if err := checkQuery(r, nil); err != nil {
		return nil, err
	}
	if err := s.service.countAddress(r.Context()); err != nil { // before the body is read, so that garbage counts
		return nil, err
	}
	return http.MaxBytesReader(w, r.Body, maxBody), nil
}

// readBody reads a body that is bounded. Every error is a refusal.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(r)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, &trial.Refusal{Rule: trial.RuleLimit, Detail: fmt.Sprintf("the request has more than %d bytes", maxBody)}
	}
	if err != nil {
		return nil, malformed("the request ends too early")
	}
	return body, nil
}

// readStatement returns the envelope exactly as it was sent, because its bytes are logged, and
// the DER key. The JSON around the envelope has the two members envelope and key, once each.
// Every error is a refusal.
func readStatement(r io.Reader) (envelope, key []byte, err error) {
	body, err := readBody(r)
	if err != nil {
		return nil, nil, err
	}
	return parseStatement(body)
}

// parseStatement is readStatement for a body that was read.
func parseStatement(body []byte) (envelope, key []byte, err error) {
	if envelope, key, ok := quickStatement(body); ok {
		return envelope, key, nil
	}
	members, err := splitObject(body, "envelope", "key")
	if err != nil {
		return nil, nil, malformed("request: %v", err)
	}
	var text string
	if err := json.Unmarshal(members["key"], &text); err != nil {
		return nil, nil, malformed("request: key is not a string")
	}
	if key, err = decodeKey(text); err != nil {
		return nil, nil, err
	}
	return members["envelope"], key, nil
}

// quickStatement reads a body in its usual form in one pass: no white space, no escapes, the envelope first
// and as this package writes it. ok is false where it has another form, which may be right too.
func quickStatement(body []byte) (envelope, key []byte, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte(`{"envelope":`))
	if !ok || !bytes.HasPrefix(rest, []byte(`{"payload":"`)) {
		return nil, nil, false
	}
	depth, text, end := 0, false, 0
	for i, c := range rest {
		switch {
		case c == '"':
			text = !text
		case c < ' ' || c > '~' || c == '\\' || c == ' ' && !text:
			return nil, nil, false
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 {
			end = i + 1
			break
		}
	}
	envelope = rest[:end]
	rest, ok1 := bytes.CutPrefix(rest[end:], []byte(`,"key":"`))
	encoded, ok2 := bytes.CutSuffix(rest, []byte(`"}`))
	if !ok1 || !ok2 || !json.Valid(envelope) {
		return nil, nil, false
	}
	key, err := decodeKey(string(encoded))
	return envelope, key, err == nil
}

// splitObject returns the members of a JSON object. It must have exactly those named, in the
// same case, once each.
func splitObject(data []byte, names ...string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, describeJSON(err, "not a JSON object")
	}
	members := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, describeJSON(err, "not JSON")
		}
		name := t.(string) // the decoder accepts no other type
		if members[name] != nil {
			return nil, fmt.Errorf("member %.40q is there twice", name)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, describeJSON(err, "not JSON")
		}
		members[name] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, describeJSON(err, "not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is something after the JSON object")
	}
	for _, name := range names {
		if members[name] == nil {
			return nil, fmt.Errorf("member %s is missing", name)
		}
	}
	if len(members) > len(names) {
		return nil, fmt.Errorf("it has members other than %q", names)
	}
	return members, nil
}

func describeJSON(err error, otherwise string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("JSON ends too early")
	}
	return errors.New(otherwise)
}

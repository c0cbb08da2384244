package trial

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A Request is an enrolment request as a person gives it to an administrator or a registrar, in
// a .pub file. Only the Enrolment is ever logged; the name tells people whose key it is.
type Request struct {
	Name string // printed name of the key's owner
	Org  string // organisation id
	Enrolment
}

const requestHeader = "trialproof enrolment request"

// Marshal returns the text of a request: a header and one member a line.
func (r Request) Marshal() ([]byte, error) {
	key, err := r.Key.MarshalText()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s\nname: %s\norganisation: %s\nkey: %s\nproof: %s\n", requestHeader, r.Name, r.Org, key, r.Proof), nil
}

// ParseRequest parses what Marshal returns and verifies that the key signed it.
func ParseRequest(text []byte) (Request, error) {
	// An editor or a mail program may change line ends and the like. That does no harm: what
	// counts is signed.
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	if !strings.HasPrefix(string(text), requestHeader+"\n") {
		return Request{}, errors.New("not an enrolment request: trial keygen makes one, and its file name ends in .pub")
	}
	m := Members(string(text))
	r := Request{Name: m["name"], Org: m["organisation"]}
	if err := r.Key.UnmarshalText([]byte(m["key"])); err != nil {
		return Request{}, fmt.Errorf("key: %w", err)
	}
	r.Proof = m["proof"]
	return r, r.Verify(r.Org)
}

// Members reads the `member: value` lines of a key file or request.
func Members(text string) map[string]string {
	m := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if k, v, ok := strings.Cut(line, ": "); ok {
			m[k] = strings.TrimSuffix(v, "\r")
		}
	}
	return m
}

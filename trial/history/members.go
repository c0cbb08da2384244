package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// members are those of a history and of what is in it, by where they stand.
var members = map[string][]string{
	"":         {"kind", "id", "checkpoint", "state", "map", "record", "entries"},
	".state":   {"index", "entry", "path"},
	".entries": {"index", "entry", "path"},
	".map":     {"siblings", "key", "value"},
}

// CheckMembers refuses a history file that has a member twice, or one that no
// history has, or in another case. Two programs may read such a file differently:
// one takes the first of two members, one the last, and a reader may take for
// proven what nothing checks.
func CheckMembers(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := checkValue(dec, "", 0); err != nil {
		return wrong("%v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return wrong("something stands behind it")
	}
	return nil
}

// maxDepth is more than how deep objects and lists of a history stand in each other.
const maxDepth = 8

// checkValue reads one value, which stands at a place, so deep in others.
func checkValue(dec *json.Decoder, place string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("not a history: objects or lists stand more than %d deep in each other", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return fmt.Errorf("not a history: %w", err)
	}
	switch token {
	case json.Delim('['):
		for dec.More() {
			if err := checkValue(dec, place, depth+1); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return err
	case json.Delim('{'):
		known := members[place]
		seen := map[string]bool{}
		for dec.More() {
			token, err := dec.Token()
			if err != nil {
				return fmt.Errorf("not a history: %w", err)
			}
			name, _ := token.(string)
			switch {
			case seen[name]:
				return fmt.Errorf("it has the member %.60q twice: it was altered, and programs may read it differently", name)
			case !slices.Contains(known, name):
				return fmt.Errorf("it has the member %.60q, which no history has: nothing would check it", name)
			}
			seen[name] = true
			if err := checkValue(dec, place+"."+name, depth+1); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return err
	}
	return nil
}

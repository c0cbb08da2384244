package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// members are the allowed members of each object in a history, by the object's place.
var members = map[string][]string{
	"":         {"kind", "id", "checkpoint", "state", "map", "record", "entries"},
	".state":   {"index", "entry", "path"},
	".entries": {"index", "entry", "path"},
	".map":     {"siblings", "key", "value"},
}

// CheckMembers refuses a history file that has a member twice, or a member that no history has,
// or one in another case. Two programs may read such a file differently: one takes the first of
// two members, another the last, and a reader may believe something that nothing checks.
func CheckMembers(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := checkValue(dec, "", 0); err != nil {
		return wrong("%v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return wrong("there is something after its end")
	}
	return nil
}

// maxDepth is more than the depth to which objects and lists are nested in a history.
const maxDepth = 8

// checkValue reads one value at a place and a depth.
func checkValue(dec *json.Decoder, place string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("not a history: objects or lists are nested more than %d deep", maxDepth)
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

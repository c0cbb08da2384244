package study

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An openObject is an object or list that is being read.
type openObject struct {
	list  bool
	names []string          // as they are written
	lower []string          // the same in lower case
	seen  map[string]string // the names by their lower case, once there are many
}

// manyNames is how many names are compared one by one.
const manyNames = 16

// add notes a member. It returns the one that is there already with that name in any case.
func (o *openObject) add(name string) (other string, twice bool) {
	lower := strings.ToLower(name)
	if o.seen != nil {
		if other, twice = o.seen[lower]; !twice {
			o.seen[lower] = name
		}
		return other, twice
	}
	for i, l := range o.lower {
		if l == lower {
			return o.names[i], true
		}
	}
	o.names, o.lower = append(o.names, name), append(o.lower, lower)
	if len(o.names) > manyNames {
		o.seen = map[string]string{}
		for i, l := range o.lower {
			o.seen[l] = o.names[i]
		}
	}
	return "", false
}

// readNames returns the names of an object's members, exactly as they are written. It refuses an
// object, also within it, with a member twice, in any case: one reader would take the first,
// another the last. The data is valid JSON.
func readNames(data []byte) (map[string]bool, error) {
	members := map[string]bool{}
	var open []openObject
	member := false // the next text is a member's name
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			member = data[i] == '{'
			if len(open) < cap(open) { // with the memory of one before
				open = open[:len(open)+1]
				o := &open[len(open)-1]
				o.list, o.names, o.lower, o.seen = !member, o.names[:0], o.lower[:0], nil
			} else {
				open = append(open, openObject{list: !member})
			}
		case '}', ']':
			open, member = open[:len(open)-1], false
		case ',':
			member = !open[len(open)-1].list
		case '"':
			from := i
			plain := true
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
					plain = false
				}
			}
			if !member {
				continue
			}
			member = false
			name := string(data[from+1 : i])
			if !plain {
				if err := json.Unmarshal(data[from:i+1], &name); err != nil {
					return nil, notJSON(err)
				}
			}
			if other, twice := open[len(open)-1].add(name); twice {
				return nil, fmt.Errorf("not JSON that all read alike: an object has the member %.40q twice (%.40q)", other, name)
			}
			if len(open) == 1 {
				members[name] = true
			}
		}
	}
	return members, nil
}

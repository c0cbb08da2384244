package study

import (
	"fmt"
	"strings"
	"testing"
)

// TestCrowded: JSON with more members or values than any record has is refused before it is
// read; commas inside texts do not count.
func TestCrowded(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"a%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for name, c := range map[string]struct {
		json string
		ok   bool
	}{
		"members":            {members(maxMembers), true},
		"a member too many":  {members(maxMembers + 1), false},
		"nested":             {`{"a":[` + members(maxMembers+1) + `]}`, false},
		"a list":             {"[" + strings.Repeat("0,", maxMembers+1) + "0]", true},
		"values":             {"[" + strings.Repeat("0,", maxValues) + "0]", false},
		"values in lists":    {"[" + strings.Repeat("[0,0],", maxValues/2) + "0]", false},
		"commas in a text":   {`{"a":"` + strings.Repeat(",", maxValues+1) + `"}`, true},
		"an escaped quote":   {`{"a":"\"` + strings.Repeat(",", maxValues+1) + `\\"}`, true},
		"not closed, no end": {strings.Repeat("{", 100), true},
	} {
		if err := crowded([]byte(c.json)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(members(maxMembers + 1))); err == nil || !strings.Contains(err.Error(), "no register's record") {
		t.Errorf("Parse: %v", err)
	}
}

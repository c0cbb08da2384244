package study

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkNames does what readNames does, by another reader: it refuses an object with a member twice,
// in any case.
func checkNames(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]string{}
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return notJSON(err)
			}
			name := t.(string)
			lower := strings.ToLower(name)
			if other, twice := seen[lower]; twice {
				return fmt.Errorf("not JSON that all read alike: an object has the member %.40q twice (%.40q)", other, name)
			}
			seen[lower] = name
		}
		if err := checkNames(d); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the end of it
		return notJSON(err)
	}
	return nil
}

// FuzzNames: the names of members are read as another reader reads them.
func FuzzNames(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1,"A":2}`, `{"a":[{"b":{},"c":"\"}"},{"b":1}],"d":"{"}`, `{"a\u0062":1,"ab":2}`, `{"ſ":1,"s":2,"K":3,"k":4}`,
		`{"":[],"a":{"x":[[],{"y":1,"Y":2}]}}`, `{"` + strings.Repeat(`a":1,"b`, 20) + `":2}`, `{"\ud800":1,"\udfff":2}`,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":1,"k":2,"l":3,"m":4,"n":5,"o":6,"p":7,"q":8,"r":9,"Q":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || !utf8.Valid(data) || bytes.TrimSpace(data)[0] != '{' {
			return
		}
		want, _ := memberNames(data)
		werr := checkNames(json.NewDecoder(bytes.NewReader(data)))
		got, err := readNames(data)
		if fmt.Sprint(err) != fmt.Sprint(werr) || err == nil && !maps.Equal(got, want) {
			t.Errorf("%s\n%v, %v\nwant %v, %v", data, got, err, want, werr)
		}
	})
}

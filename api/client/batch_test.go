package client

import (
	"encoding/json"
	"testing"
)

// FuzzParseAnswer: what is read in one pass of a batch's answer is what encoding/json reads.
func FuzzParseAnswer(f *testing.F) {
	const id = "4c1747f38eac286e09dda0b6f6cc347093f57ef1ec31d0cbc0d1673f19a05027"
	for _, s := range []string{
		`{"result":{"id":"` + id + `","index":"6","receipt":"c2sp.org/tlog-proof@v1\nextra e\n\n— log\n"}}`,
		`{"result":{"id":"` + id + `","index":"6","receipt":"a\\n\u000a\"}}`, `{"result":{"id":"` + id + `"}}`,
		`{"result":{"id":"` + id + `","index":"06","receipt":"a"}}`, `{"result":{"id":"` + id + `","index":"6","receipt":"a","receipt":"b"}}`,
		`{"error":{"code":"INVALID_ARGUMENT","rule":"R1","message":"R1: malformed"}}`, `{}`, `{"result":{},"error":{}}`, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		parseAnswer([]byte(line))
		got, ok := parseResult(line)
		if !ok {
			return
		}
		var want struct{ Result Result }
		if err := json.Unmarshal([]byte(line), &want); err != nil || want.Result != got {
			t.Errorf("%q: read as %+v, want %+v, %v", line, got, want.Result, err)
		}
	})
}

// TestParseResult: a receipt as the log writes it is read in one pass.
func TestParseResult(t *testing.T) {
	const line = `{"result":{"id":"4c1747f38eac286e09dda0b6f6cc347093f57ef1ec31d0cbc0d1673f19a05027","index":"6","receipt":"a\n\n— b\n"}}`
	if r, ok := parseResult(line); !ok || r.Receipt != "a\n\n— b\n" || r.Index != 6 {
		t.Errorf("%+v, %v", r, ok)
	}
}

package history_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/history"
)

// TestCheckMembers puts into each object of a history a member twice, one in another case, and
// one that no history has.
func TestCheckMembers(t *testing.T) {
	h := history.History{
		Kind: "trial", ID: "x", Record: "{}", State: history.Entry{Index: 1, Entry: `{"kind":"kind"}`, Path: []string{"a"}},
		Map: history.Map{Siblings: []string{"b"}, Key: "c", Value: "d"}, Entries: []history.Entry{{Path: []string{}}, {Path: []string{}}},
	}
	good, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := history.CheckMembers(good); err != nil {
		t.Fatalf("a history: %v", err)
	}
	for name, deep := range map[string]string{"lists": strings.Repeat("[", 1<<20), "members": strings.Repeat(`{"entries":`, 1<<16)} {
		if err := history.CheckMembers([]byte(deep)); !errors.Is(err, history.ErrHistory) || !strings.Contains(err.Error(),
			"nested more than") && !strings.Contains(err.Error(), "no history has") {
			t.Errorf("%s in each other: %v", name, err)
		}
	}
	text := string(good)
	for i := range text {
		if text[i] != '{' || strings.Contains(text[max(0, i-12):i], `\`) || text[max(0, i-1)] == '"' {
			continue
		}
		rest := text[i+1:]
		first := rest[:strings.Index(rest, ":")]
		for member, want := range map[string]string{
			first + `:null,`: "twice", strings.ToUpper(first) +
				`:null,`: "no history has", `"note":"proven",`: "no history has", `"note":{"a":1},`: "no history has",
		} {
			if err := history.CheckMembers([]byte(text[:i+1] + member + rest)); !errors.Is(err, history.ErrHistory) ||
				!strings.Contains(err.Error(), want) {
				t.Errorf("%s in %.40s: %v", member, text[i:], err)
			}
		}
	}
	for _, bad := range []string{"", "{", text + "{}", text[:len(text)-1], "[" + text} {
		if err := history.CheckMembers([]byte(bad)); !errors.Is(err, history.ErrHistory) {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}

func FuzzCheckMembers(f *testing.F) {
	f.Add([]byte(`{"kind":"trial","entries":[{"index":"1"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if history.CheckMembers(data) == nil && !json.Valid(data) {
			t.Errorf("%q is taken, and is no JSON", data)
		}
	})
}

// TestParsePage: a page is read like a history, and one with millions of empty entries is
// refused.
func TestParsePage(t *testing.T) {
	h, err := history.ParsePage([]byte(`{"kind":"trial","entries":[{"index":"1","entry":"x","path":["y"]},{"index":"2"}]}`))
	if err != nil || h.Kind != "trial" || len(h.Entries) != 2 || h.Entries[0].Entry != "x" || h.Entries[1].Index != 2 {
		t.Errorf("%+v, %v", h, err)
	}
	for _, empty := range []string{`{"kind":"trial"}`, `{"kind":"trial","entries":null}`, `{"kind":"trial","entries":[]}`} {
		if h, err := history.ParsePage([]byte(empty)); err != nil || len(h.Entries) != 0 || h.Kind != "trial" {
			t.Errorf("%s: %+v, %v", empty, h, err)
		}
	}
	for _, bad := range []string{``, `[]`, `{"entries":{}}`, `{"entries":[1]}`, `{"entries":[{}`, `{"entries":[` + strings.Repeat("{},",
		history.MaxPage) + `{}]}`} {
		if _, err := history.ParsePage([]byte(bad)); !errors.Is(err, history.ErrHistory) {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
}

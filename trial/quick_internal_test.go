package trial

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// quickCases are an entry, its envelope and its statement, and what nearly is one.
func quickCases(t testing.TB) (list [][]byte) {
	t.Helper()
	files, err := filepath.Glob("../docs/vectors/receipts/*.tlog-proof")
	if err != nil || len(files) == 0 {
		t.Fatal("no receipts")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), "\nextra ")
		line, _, _ := strings.Cut(rest, "\n")
		extra, err := b64.DecodeString(line)
		if err != nil {
			continue
		}
		entry, _, _ := bytes.Cut(extra, []byte{'\n'})
		list = append(list, entry)
		w, ok := quickEntry(entry)
		if !ok {
			continue
		}
		envelope, err := encode(w.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := b64.DecodeString(w.Envelope.Payload)
		if err != nil {
			continue
		}
		list = append(list, envelope, payload)
	}
	return list
}

// agree asserts that what is read in one pass is what decode reads, and reports how much was read
// so.
func agree(t *testing.T, data []byte) (n int) {
	t.Helper()
	if e, ok := quickEnvelope(data); ok {
		n++
		var slow Envelope
		if err := decode(data, &slow); err != nil || !reflect.DeepEqual(e, slow) {
			t.Errorf("envelope %s\nquick %+v\nslow %+v, %v", data, e, slow, err)
		}
	}
	if e, ok := quickEntry(data); ok {
		n++
		var slow statementEntry
		if err := decode(data, &slow); err != nil || !reflect.DeepEqual(e, slow) {
			t.Errorf("entry %s\nquick %+v\nslow %+v, %v", data, e, slow, err)
		}
	}
	if s := quickStatement(data); s != nil {
		n++
		slow, err := parseStatement(data)
		if qerr := s.check(); slow == nil || !reflect.DeepEqual(s, slow) || !reflect.DeepEqual(qerr, err) {
			t.Errorf("statement %s\nquick %+v\nslow %+v, %v", data, s, slow, err)
		}
	}
	return n
}

// TestQuick: entries, envelopes and statements are read in one pass, and each change of a byte leads to
// what decode says.
func TestQuick(t *testing.T) {
	read := 0
	cases := quickCases(t)
	for _, data := range cases {
		read += agree(t, data)
	}
	if read < len(cases)*9/10 {
		t.Errorf("%d of %d are read in one pass", read, len(cases))
	}
	for _, data := range cases[:3] {
		for i := range data {
			for _, c := range []byte("\"\\{}[],: 0aA\x00\x7f\xc3") {
				changed := bytes.Clone(data)
				changed[i] = c
				agree(t, changed)
				agree(t, append(append(bytes.Clone(data[:i]), c), data[i:]...))
			}
			agree(t, append(bytes.Clone(data[:i]), data[i+1:]...))
		}
	}
	for _, odd := range []string{
		`{"_type":"https://in-toto.io/Statement/v1","predicate":{},` +
			`"predicateType":"https://github.com/trialproof/trialproof/document@v1","subject":[]}`,
		`{"_type":"https://in-toto.io/Statement/v1","predicate":{"log":"a","meaning":"author","signedAt":"2026-03-01T09:00:00.000Z",` +
			`"trial":"` + strings.Repeat("0", 63) + `1"},"predicateType":"https://github.com/trialproof/trialproof/document@v1","subject":[` +
			`{"digest":{"sha256":"` + strings.Repeat("0", 64) + `"},"name":"document"}]}`,
	} {
		agree(t, []byte(odd))
	}
}

// TestQuickPredicate: a predicate of texts, hashes and times is read in one pass, and none that decode refuses.
func TestQuickPredicate(t *testing.T) {
	const hash = "00000000000000000000000000000000000000000000000000000000000000ff"
	const rest = `"log":"a.example/log","meaning":"author","signedAt":"2026-03-01T09:00:00.000Z","trial":"` + hash + `"`
	for object, want := range map[string]bool{
		`{` + rest + `}`: true,
		`{"dated":"2026-03",` + rest + `,"version":"1.0"}`:        true,
		`{"elements":"` + hash + `",` + rest + `}`:                true,
		`{"dated":"",` + rest + `}`:                               false,
		`{` + rest + `,"version":"1.0","version":"1.0"}`:          false,
		`{` + rest + `,"dated":"2026-03"}`:                        false,
		`{` + rest + `,"unknown":"1.0"}`:                          false,
		`{` + strings.Replace(rest, "2026-03", "2026-3", 1) + `}`: false,
		`{,` + rest + `}`:                                         false,
		`{}`:                                                      false,
		`{"facts":{},` + rest + `}`:                               false,
	} {
		var quick, slow Document
		got := quickPredicate(object, &quick)
		if got != want {
			t.Errorf("%s: %t", object, got)
		}
		if err := decodeWith(encodePredicate, []byte(object), &slow); got && (err != nil || quick != slow) {
			t.Errorf("%s: %+v, decode reads %+v, %v", object, quick, slow, err)
		}
	}
	for kind, newPredicate := range kinds {
		for _, m := range membersOf(reflect.TypeOf(newPredicate()).Elem()) {
			if !strings.HasPrefix(m.key, `"`) || m.key == `"":` || m.key == `"-":` {
				t.Errorf("%s has a member %s", kind, m.key)
			}
		}
	}
}

func FuzzQuick(f *testing.F) {
	for _, data := range quickCases(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, data) })
}

// BenchmarkParseEntry reads an entry without verifying its signature.
func BenchmarkParseEntry(b *testing.B) {
	entry := quickCases(b)[0]
	b.SetBytes(int64(len(entry)))
	for b.Loop() {
		if _, err := ParseEntry(entry); err != nil {
			b.Fatal(err)
		}
	}
}

package vault

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
)

const someHash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func FuzzParseProtected(f *testing.F) {
	f.Add([]byte(`{"ciphertext":"` + someHash + `","data":["Observation"],"grantors":["site-a"],"org":"site-a","owner":"` +
		someHash + `","plaintext":"` + someHash + `","shares":[{"commitment":"` + someHash + `","encrypted":"YWdl","org":"site-a",` +
		`"recipient":"` + someHash +
		`"}],"subject":"Patient/p1","type":"trialproof/protected/v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseProtected(data)
		if err != nil {
			mustBeClear(t, err)
			return
		}
		if again, err := Canonical(p); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
		if _, err := p.Open("site-a", nil); err == nil {
			t.Fatal("a share is opened without an identity")
		}
	})
}

func FuzzParsePackage(f *testing.F) {
	share := make([]byte, keySize)
	p := &Package{Consent: trial.Hash{1}, Org: "site-a", Type: packageType, Terms: json.RawMessage(`[{"path":"use/1"}]`),
		Files: []Opened{{Commitments: map[string]trial.Hash{"site-a": commitment(trial.Salt{}, share)}, Share: share}}}
	data, err := Canonical(p)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := parsePackage(data); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePackage(data)
		if err != nil {
			mustBeClear(t, err)
			return
		}
		if again, err := Canonical(p); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
		file := "age-encryption.org/v1\n-> x\n\n--- " + strings.Repeat("A", 43) + "\n"
		if err := OpenFile(io.Discard, strings.NewReader(file), []*Package{p}); err == nil {
			t.Fatal("no file is opened")
		}
	})
}

func FuzzKeyFiles(f *testing.F) {
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("# public key: x\n" + i.String() + "\n"))
	f.Add([]byte(i.Recipient().String() + "\r\n\n#"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, err := ParseRecipients(data); err != nil {
			mustBeClear(t, err)
		} else if theirs, err := age.ParseRecipients(bytes.NewReader(data)); err == nil && len(theirs) != len(list) {
			t.Fatalf("%d recipients, age has %d", len(list), len(theirs))
		}
		if list, err := ParseIdentities(data); err != nil {
			mustBeClear(t, err)
		} else if theirs, err := age.ParseIdentities(bytes.NewReader(data)); err == nil && len(theirs) != len(list) {
			t.Fatalf("%d identities, age has %d", len(list), len(theirs))
		}
	})
}

// FuzzAgeFile: whatever stands for FILE.age, a share or a package, only what was encrypted opens.
func FuzzAgeFile(f *testing.F) {
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := Encrypt([]byte("x"), i.Recipient().String())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAA 22\nAAAA\n--- AAAA\n"))
	share := make([]byte, keySize)
	p := &Package{Consent: trial.Hash{1}, Org: "site-a",
		Files: []Opened{{Commitments: map[string]trial.Hash{"site-a": commitment(trial.Salt{}, share)}, Share: share}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := Decrypt(data, 10, Identities{i}); err != nil {
			mustBeClear(t, err)
		} else if string(got) != "x" || !bytes.Equal(data, sealed) {
			t.Fatalf("opened: %q", got)
		}
		if err := OpenFile(io.Discard, bytes.NewReader(data), []*Package{p}); err == nil {
			t.Fatal("opened by a share that is not its own")
		} else {
			mustBeClear(t, err)
		}
	})
}

// FuzzContent: the scanner takes what encoding/json takes and nothing else, however the bytes
// arrive; and what it looks for in it stays within bounds.
func FuzzContent(f *testing.F) {
	for _, seed := range []string{`{"resourceType":"Patient","id":"p1"}`,
		`[1,-0.5e+3,"\u00e9\ud83d\ude00",true,false,null,{}]`, "{}\n{}\n", `"a`,
		"\xef\xbb\xbf[]", `{"a":[{"b":"c"}],"subject":{"reference":"Patient/1"}}`, "1 2", "01", "-", "1.e", "tru", `{"a"}`, "[1,]", "\"\xff\""} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		c := newContent()
		for rest := data; len(rest) > 0; {
			n := len(rest)
			if step > 0 {
				n = min(n, step)
			}
			if _, err := c.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if len(c.levels) > maxDepth || len(c.refs) > maxRefs || len(c.types) > maxRefs || len(c.scan.text) > maxText+utf8.UTFMax {
			t.Fatal("too much is kept")
		}
		err := c.scan.end()
		if bare := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")); utf8.Valid(data) && !strings.Contains(textOf(err), "deep") {
			dec := json.NewDecoder(bytes.NewReader(bare))
			var theirs error
			for theirs == nil {
				var v json.RawMessage
				theirs = dec.Decode(&v)
			}
			if (theirs == io.EOF) != (err == nil) {
				t.Fatalf("%q: %v, encoding/json says %v", data, err, theirs)
			}
		} else if !utf8.Valid(data) && err == nil {
			t.Fatalf("%q is not UTF-8", data)
		}
		if _, _, err := c.found(&Options{}); err != nil {
			mustBeClear(t, err)
		}
	})
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// mustBeClear fails if a message is no message, or repeats its input at length.
func mustBeClear(t *testing.T, err error) {
	t.Helper()
	if n := len(err.Error()); n < 10 || n > 1000 || !utf8.ValidString(err.Error()) {
		t.Fatalf("no clear error: %q", err)
	}
}

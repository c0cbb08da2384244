package element

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

var (
	secret   = Secret{1, 2, 3}
	document = trial.Hash(sha256.Sum256([]byte("a protocol")))
	parts    = []Part{
		{"endpoints/1", "primary\nPain intensity\n12 weeks\n"},
		{"endpoints/2", "secondary\nSleep quality\n12 weeks\n"},
		{"objectives/1", "primary\nTo compare pain"},
	}
	someReceipt = &receipt.Receipt{Entry: []byte("{}"), Openings: []byte(`{"name":"Ada Lovelace"}`), Checkpoint: []byte("c\n1\nr\n\n— s\n")}
)

func tree(t *testing.T, s Secret, doc trial.Hash, parts ...Part) *Tree {
	t.Helper()
	tr, err := New(s, doc, parts)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func disclosed(t *testing.T, tr *Tree, path string) *Disclosure {
	t.Helper()
	d, err := tr.Disclose(path, someReceipt)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	d, err = Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestVector compares the tree with figures that were worked out separately from this package,
// with Python's hashlib and hmac. docs/spec.md prints them.
func TestVector(t *testing.T) {
	tr := tree(t, secret, document, parts...)
	if got, want := tr.salts["endpoints/2"].String(), "41c04fe84027348f6cf962852275ff3be1dd89c3183b046414589a245ff07393"; got != want {
		t.Errorf("salt %s, want %s", got, want)
	}
	if got, want := tr.Root().String(), "53bbe9350be3fbd4283520b996688f7f1749546d5e1038db59e892dd8153aca6"; got != want {
		t.Errorf("root %s, want %s", got, want)
	}
}

func TestDisclose(t *testing.T) {
	tr := tree(t, secret, document, parts...)
	for _, p := range parts {
		d := disclosed(t, tr, p.Path)
		if err := d.Check(tr.Root()); err != nil || d.Text != p.Text || d.Absent {
			t.Errorf("%s: %+v, %v", p.Path, d, err)
		}
		data, _ := d.Marshal()
		for _, other := range parts {
			if words := strings.Fields(other.Text); other.Path != p.Path && strings.Contains(string(data), words[len(words)-1]+`\n`) &&
				!strings.Contains(p.Text, words[len(words)-1]) {
				t.Errorf("the disclosure of %s shows %s", p.Path, other.Path)
			}
		}
		if strings.Contains(d.Receipt, "Ada") || strings.Contains(d.Receipt, string(someReceipt.Marshal())) {
			t.Errorf("the disclosure of %s has the receipt's openings", p.Path)
		}
	}
	d := disclosed(t, tr, "endpoints/3")
	if err := d.Check(tr.Root()); err != nil || !d.Absent {
		t.Errorf("absent: %+v, %v", d, err)
	}
	if _, err := tr.Disclose("endpoint 3", someReceipt); err == nil {
		t.Error("a path of another form is disclosed")
	}
}

// TestHiding: equal texts in two documents have different commitments, and nothing can be
// guessed without the secret.
func TestHiding(t *testing.T) {
	a, b := tree(t, secret, document, parts...), tree(t, secret, trial.Hash{9}, parts...)
	c := tree(t, Secret{4}, document, parts...)
	if a.Root() == b.Root() || a.Root() == c.Root() {
		t.Error("the root depends on the texts alone")
	}
	seen := map[trial.Salt]bool{}
	for _, tr := range []*Tree{a, b, c} {
		for _, s := range tr.salts {
			if seen[s] || s.IsZero() {
				t.Errorf("salt %s twice", s)
			}
			seen[s] = true
		}
	}
}

func TestLies(t *testing.T) {
	tr := tree(t, secret, document, parts...)
	other := tree(t, secret, document, append([]Part{{"endpoints/3", "other\nFalls\n\n"}}, parts...)...)
	for _, c := range []struct {
		what string
		lie  func(d *Disclosure)
		says string
	}{
		{"another text", func(d *Disclosure) { d.Text = strings.Replace(d.Text, "12", "52", 1) }, "the text is not the one"},
		{"another salt", func(d *Disclosure) { d.Salt[0] ^= 1 }, "the text is not the one"},
		{"another place", func(d *Disclosure) { d.Path = "endpoints/1" }, "element"},
		{"a place that is not there", func(d *Disclosure) { d.Path = "endpoints/7" }, "element"},
		{"said to be absent", func(d *Disclosure) { d.Absent, d.Text, d.Salt = true, "", trial.Salt{} }, "the file says that it has none"},
		{"another document's proof", func(d *Disclosure) { d.Proof = disclosed(t, other, d.Path).Proof }, "does not lead to"},
		{"no proof", func(d *Disclosure) { d.Proof.Siblings = nil }, "does not lead to"},
		{"a proof of other form", func(d *Disclosure) { d.Proof.Siblings[0] = "x" }, "is not a hash"},
	} {
		d := disclosed(t, tr, "endpoints/2")
		c.lie(d)
		err := d.Check(tr.Root())
		if _, ok := errors.AsType[*receipt.Problem](err); !ok || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.what, err, c.says)
		}
	}
	absent := disclosed(t, tr, "endpoints/3")
	absent.Absent, absent.Text = false, "other\nFalls\n\n"
	if err := absent.Check(tr.Root()); err == nil || !strings.Contains(err.Error(), "has no part endpoints/3") {
		t.Errorf("an invented part: %v", err)
	}
	if err := disclosed(t, tr, "endpoints/2").Check(trial.Hash{}); err == nil || !strings.Contains(err.Error(), "logged without elements") {
		t.Errorf("a statement without elements: %v", err)
	}
}

// TestToTheLetter: a file that two programs could read in two ways is refused.
func TestToTheLetter(t *testing.T) {
	tr := tree(t, secret, document, parts...)
	d, err := tr.Disclose("endpoints/2", someReceipt)
	if err != nil {
		t.Fatal(err)
	}
	good, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ old, new string }{
		{`"text":`, `"text": "Falls", "text":`}, {`"text":`, `"Text": "Falls", "text":`}, {"{", "{\"more\":1,"}, {"}\n",
			"}\n]garbage"}, {"}\n", "}"}, {`,"text"`, `, "text"`},
	} {
		bad := strings.Replace(string(good), r.old, r.new, 1)
		if bad == string(good) {
			t.Fatalf("%q is not there", r.old)
		}
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%q for %q is taken", r.new, r.old)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		parts []Part
		says  string
	}{
		{nil, "no endpoint"},
		{[]Part{{"endpoints/0", "x"}}, "is not a part"},
		{[]Part{{"endpoints/1", "x"}, {"endpoints/1", "y"}}, "given twice"},
		{[]Part{{"endpoints/1", "\xff"}}, "not UTF-8"},
		{[]Part{{"endpoints/1", strings.Repeat("x", maxText+1)}}, "the most is"},
	} {
		if _, err := New(secret, document, c.parts); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40v: %v, want %q", c.parts, err, c.says)
		}
	}
	good := secret.String() + "\n"
	if s, err := ParseSecret([]byte(good)); err != nil || s != secret {
		t.Fatal(s, err)
	}
	for _, bad := range []string{"", secret.String(), strings.ToUpper(Secret{0xab}.String()) + "\n", good + "\n", good[2:], "x" +
		good[1:]} {
		if _, err := ParseSecret([]byte(bad)); err == nil {
			t.Errorf("the secret %q is taken", bad)
		}
	}
}

// TestOf compares the texts of parts with the form that docs/spec.md gives.
func TestOf(t *testing.T) {
	got := Of(&study.Study{
		Outcomes: []outcome.Outcome{{Level: "primary", Measure: " Pain\n intensity ", TimeFrame: "12 weeks", Description: "NRS"},
			{Level: "other", Measure: "Falls"}},
		Objectives: []study.Objective{{Level: "secondary", Text: "To  compare"}},
		Sections:   []study.Section{{Number: "1.1", Title: "Synopsis", Text: "A\tB"}},
	})
	want := []Part{
		{"endpoints/1", "primary\nPain intensity\n12 weeks\nNRS"}, {"endpoints/2", "other\nFalls\n\n"},
		{"objectives/1", "secondary\nTo compare"}, {"sections/1", "1.1\nSynopsis\nA B"},
	}
	if len(got) != len(want) {
		t.Fatalf("parts %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("part %q, want %q", got[i], want[i])
		}
	}
}

func FuzzParse(f *testing.F) {
	tr, err := New(secret, document, parts)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{"endpoints/1", "sections/9"} {
		d, err := tr.Disclose(path, someReceipt)
		if err != nil {
			f.Fatal(err)
		}
		data, err := d.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	// Whatever the input is, only the texts that were committed to pass.
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil || d.Check(tr.Root()) != nil {
			return
		}
		if text, ok := tr.texts[d.Path]; ok == d.Absent || text != d.Text {
			t.Errorf("%s is shown as %q", d.Path, d.Text)
		}
	})
}

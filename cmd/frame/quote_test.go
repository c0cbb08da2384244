package frame

import "testing"

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"a/b-1.pdf": "a/b-1.pdf", "": "''", "my paper.pdf": "'my paper.pdf'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "-rf": "./-rf", "é": "'é'",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "a;b": "'a;b'",
	} {
		if got := Quoted(name); got != want {
			t.Errorf("%q is quoted as %s, want %s", name, got, want)
		}
	}
}

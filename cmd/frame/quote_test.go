package frame

import "testing"

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"a/b-1.pdf": "a/b-1.pdf", "": "''", "my paper.pdf": "'my " +
			"paper.pdf'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "-rf": "./-rf", "é": "'é'",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "a;b": "'a;b'", "-a b": "'./-a b'",
	} {
		if got := quotedOn("linux", name); got != want {
			t.Errorf("%q is quoted as %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		`C:\trials\a-1.pdf`: `C:\trials\a-1.pdf`, "": `""`, `C:\my trials\a.pdf`: `"C:\my trials\a.pdf"`, "it's": `"it's"`, "a&b": `"a&b"`,
		"$(x)": "'$(x)'", "a`b's": "'a`b''s'", "-rf": `.\-rf`, "é": `"é"`, "http://127.0.0.1:8080": "http://127.0.0.1:8080",
		"a,b": `"a,b"`, "@x": `"@x"`, "100%": `"100%"`, `C:\my trials\`: `"C:\my trials\\"`, `say "x"`: `'say "x"'`,
	} {
		if got := quotedOn("windows", name); got != want {
			t.Errorf("on Windows %q is quoted as %s, want %s", name, got, want)
		}
	}
}

package checkpoint_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// logVKey and witnessVKey make vkeys of logs and witnesses that have no other purpose.
func logVKey(n int) string {
	return trialtest.Cosigner{Key: fmt.Sprintf("log%d.example", n), Alg: 0x01}.VKey()
}

func witnessVKey(n int) string {
	return trialtest.Cosigner{Key: fmt.Sprintf("w%d.example", n), Alg: 0x04}.VKey()
}

// TestPolicyLines goes through tlog-policy.md. L1, L2, W1, ... stand for vkeys.
func TestPolicyLines(t *testing.T) {
	keys := map[string]string{
		"RENAMED": trialtest.Cosigner{Key: "other.example", Alg: 0x04,
			Seed: "w1.example"}.VKey(), "RELOGGED": trialtest.Cosigner{Key: "other.example", Alg: 0x01, Seed: "log1.example"}.VKey(),
		"MLDSA": w3.VKey(), "MLLOG": trialtest.Cosigner{Key: "log9.example", Alg: 0x06}.VKey(), "W1A": witnessVKey(1) +
			"A", "W1=": witnessVKey(1) + "=",
	}
	for n := range 9 {
		keys[fmt.Sprintf("L%d", n)], keys[fmt.Sprintf("W%d", n)] = logVKey(n), witnessVKey(n)
	}
	expand := func(text string) []byte {
		return regexp.MustCompile(`[^ \t\n]+`).ReplaceAllFunc([]byte(text), func(word []byte) []byte {
			if key, ok := keys[string(word)]; ok {
				return []byte(key)
			}
			return word
		})
	}
	some := "log L1\nwitness a W1\nwitness b W2\nwitness c W3\n"
	for _, good := range []string{
		"quorum none\n",
		"quorum none", // "each line is terminated": we accept a last line that is not
		"log L1\nquorum none\n",
		"log L1 https://log.example/\nquorum none\n",
		"log L1\nlog L2\nquorum none\n",
		"log MLLOG\nquorum none\n",
		"witness a W1\nquorum a\n",
		"witness a W1 https://w.example/\nquorum a\n",
		"witness m MLDSA\nquorum m\n",
		" \t witness\t a \t W1 \t\n\tquorum a  \n",
		"# comment\n \t# comment\n#\n\n \t \nquorum none\n",
		"# \xc3\xa9 \xff comment\nquorum none\n",
		"witness \xe2\x84\xaa W1\nwitness K W2\ngroup g all \xe2\x84\xaa K\nquorum g\n", // the Kelvin sign is not a K
		"witness \xff W1\nquorum \xff\n",
		"witness # W1\ngroup g all #\nquorum g\n", // a comment is a line that starts with #
		"witness a# W1 #b\nquorum a#\n",
		"log L1 #url\nquorum none\n",
		some + "group g all a b c\nquorum g\n",
		some + "group g any a b c\nquorum g\n",
		some + "group g 1 a b c\nquorum g\n",
		some + "group g 3 a b c\nquorum g\n",
		some + "group g 1 a\nquorum g\n",
		some + "group g any a\ngroup h all g b\nquorum h\n",
		some + "group g any a\nquorum b\n",
		some + "quorum none\n",
		some + "quorum a\ngroup g any a\nwitness d W4\nlog L2\n", // lines after the quorum line
		"quorum none\nlog L1\n",
		"witness all W1\nwitness any W2\ngroup 2 all all any\nquorum 2\n",
		"witness log W1\nquorum log\n",
		"witness W W1\nwitness w W2\ngroup g 2 W w\nquorum g\n", // names are octets
	} {
		if _, err := checkpoint.ParsePolicy(expand(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                                                  "no quorum line",
		"log L1\n":                                          "no quorum line",
		"quorum none\nquorum none\n":                        "second quorum line",
		some + "quorum a\nquorum b\n":                       "second quorum line",
		"quorum\n":                                          "quorum NAME",
		"quorum none none\n":                                "quorum NAME",
		"quorum none # no comment\n":                        "quorum NAME",
		"quorum a\nwitness a W1\n":                          `defines "a"`,
		some + "quorum d\n":                                 `defines "d"`,
		"quorum None\n":                                     `defines "None"`,
		"log\nquorum none\n":                                "log VKEY",
		"log L1 url more\nquorum none\n":                    "log VKEY",
		"log W1\nquorum none\n":                             "signature type 0x04",
		"log L1\nlog L1\nquorum none\n":                     "earlier line",
		"log L1\nlog RELOGGED\nquorum none\n":               "earlier line",
		"witness a\nquorum none\n":                          "witness NAME VKEY",
		"witness a W1 url more\nquorum none\n":              "witness NAME VKEY",
		"witness a L1\nquorum a\n":                          "signature type 0x01",
		"witness a W1\nwitness b W1\nquorum a\n":            "earlier line",
		"witness a W1\nwitness b RENAMED\nquorum a\n":       "earlier line",
		"witness a W1\nwitness a W2\nquorum a\n":            "taken",
		"witness none W1\nquorum none\n":                    "taken",
		some + "group none any a\nquorum none\n":            "taken",
		some + "group a any b\nquorum a\n":                  "taken",
		some + "group g any a\ngroup g any b\nquorum g\n":   "taken",
		some + "group g any g\nquorum g\n":                  `defines "g"`,
		some + "group g any h\ngroup h any a\nquorum g\n":   `defines "h"`,
		some + "group g any none\nquorum g\n":               `defines "none"`,
		some + "group g any a a\nquorum g\n":                "already",
		some + "group g any a\ngroup h all a b\nquorum h\n": "already",
		some + "group g any\nquorum g\n":                    "group NAME",
		some + "group g a b\nquorum g\n":                    "not all, any or a number",
		some + "group g 0 a b\nquorum g\n":                  "not all, any or a number",
		some + "group g 3 a b\nquorum g\n":                  "not all, any or a number",
		some + "group g -1 a b\nquorum g\n":                 "not all, any or a number",
		some + "group g +1 a b\nquorum g\n":                 "not all, any or a number",
		some + "group g 0x1 a b\nquorum g\n":                "not all, any or a number",
		some + "group g 1.0 a b\nquorum g\n":                "not all, any or a number",
		some + "group g 4294967297 a b\nquorum g\n":         "not all, any or a number",
		some + "group g ALL a b\nquorum g\n":                "not all, any or a number",
		some + "group g any a # b\nquorum g\n":              `defines "#"`,
		"Log L1\nquorum none\n":                             `"Log" is not`,
		"threshold 1\nquorum none\n":                        `"threshold" is not`,
		"quorum none\r\n":                                   "CRLF",
		"# \r\nquorum none\n":                               "CRLF",
		"quorum none\x00\n":                                 "byte 0x00",
		"quorum\vnone\n":                                    "byte 0x0b",
		"# \x7f\nquorum none\n":                             "byte 0x7f",
		"quorum\u00a0none\n":                                `is not log`,
		"quorum\u2003none\n":                                `is not log`,
		"log example.com+00000000+AAAA\nquorum none\n":      "signature type 0x00",
		"log nonsense\nquorum none\n":                       "not a vkey",
		"log " + strings.Replace(logVKey(1), "log1", "log2", 1) + "\nquorum none\n":                "vkey",
		"witness a " + strings.Replace(witnessVKey(1), "w1", "w2", 1) + "\nquorum a\n":             "does not belong",
		"witness a " + strings.ToUpper(witnessVKey(1)[:20]) + witnessVKey(1)[20:] + "\nquorum a\n": "does not belong",
		"witness a W1A\nquorum a\n": "vkey",
		"witness a W1=\nquorum a\n": "vkey",
		"witness a " + trialtest.Cosigner{Key: strings.Repeat("x", 256), Alg: 0x06}.VKey() + "\nquorum a\n": "at most 255",
	} {
		_, err := checkpoint.ParsePolicy(expand(bad))
		if err == nil {
			t.Errorf("%q is taken", bad)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", bad, err, want)
		}
	}
}

// TestPolicySize: "at least up to 32 logs, 32 witnesses, and 32 groups".
func TestPolicySize(t *testing.T) {
	var b strings.Builder
	for n := range 32 {
		fmt.Fprintf(&b, "log %s\nwitness w%d %s\n", logVKey(n), n, witnessVKey(n))
	}
	for n := range 31 { // each group has the one before it as a member
		if n == 0 {
			b.WriteString("group g0 all w0 w1\n")
		} else {
			fmt.Fprintf(&b, "group g%d all g%d w%d\n", n, n-1, n+1)
		}
	}
	b.WriteString("group g31 1 g30\nquorum g31\n")
	p := parsePolicy(t, b.String())
	if len(p.Logs) != 32 || len(p.Witnesses) != 32 {
		t.Fatalf("%d logs, %d witnesses", len(p.Logs), len(p.Witnesses))
	}
	if !p.Satisfied(func(int) bool { return true }) {
		t.Error("all agree, and the quorum is not met")
	}
	for n := range 32 {
		if p.Satisfied(func(w int) bool { return w != n }) {
			t.Errorf("without w%d the quorum is met", n)
		}
	}
	deep := "witness w W\nwitness x X\ngroup g0 all w\n"
	for n := range 70 {
		deep += fmt.Sprintf("group g%d all g%d\n", n+1, n)
	}
	deep = strings.NewReplacer("W\n", witnessVKey(1)+"\n", "X\n", witnessVKey(2)+"\n").Replace(deep)
	if _, err := checkpoint.ParsePolicy([]byte(deep + "quorum g70\n")); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("70 groups in each other: %v", err)
	}
	if _, err := checkpoint.ParsePolicy([]byte(strings.Repeat("#", 1<<20) + "\nquorum none\n")); err == nil {
		t.Error("a policy of more than a mebibyte is taken")
	}
}

// TestQuorums compares Satisfied with the definition for every set of six witnesses.
func TestQuorums(t *testing.T) {
	var b strings.Builder
	for n := range 6 {
		fmt.Fprintf(&b, "witness %c %s\n", 'a'+n, witnessVKey(n))
	}
	base := b.String()
	count := func(set int, who string) (n int) {
		for _, c := range who {
			n += set >> (c - 'a') & 1
		}
		return n
	}
	for text, want := range map[string]func(set int) bool{
		"quorum none\n":                 func(int) bool { return true },
		"quorum c\n":                    func(s int) bool { return count(s, "c") == 1 },
		"group g all a b c\nquorum g\n": func(s int) bool { return count(s, "abc") == 3 },
		"group g any a b c\nquorum g\n": func(s int) bool { return count(s, "abc") > 0 },
		"group g 2 a b c\nquorum g\n":   func(s int) bool { return count(s, "abc") >= 2 },
		"group g 02 a b c\nquorum g\n":  func(s int) bool { return count(s, "abc") >= 2 },
		"group x 2 a b c\ngroup y any d e f\ngroup g all x y\nquorum g\n": func(s int) bool {
			return count(s, "abc") >= 2 && count(s,
				"def") > 0
		},
		"group x all a b\ngroup y all c d\ngroup g any x y f\nquorum g\n": func(s int) bool {
			return count(s, "ab") == 2 || count(s,
				"cd") == 2 || count(s, "f") == 1
		},
	} {
		p := parsePolicy(t, base+text)
		for set := range 64 {
			if got := p.Satisfied(func(w int) bool { return set>>w&1 == 1 }); got != want(set) {
				t.Errorf("%q with the set %06b: %v", text, set, got)
			}
		}
	}
}

func TestPolicyDigest(t *testing.T) {
	text := []byte(policyText())
	p := parsePolicy(t, string(text))
	q, err := checkpoint.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-2] = 'x' // the caller's own
	if p.Digest() != q.Digest() || p.Digest() == parsePolicy(t, policyText()+"# x\n").Digest() {
		t.Error("the digest is not that of the text")
	}
	if p.QuorumText() != "2 of (w1, w2, w3)" || p.Log(trialtest.Origin) == nil || p.Log("other") != nil {
		t.Errorf("%s, %v", p.QuorumText(), p.Log(trialtest.Origin))
	}
}

// TestSplit: quorums that two sets without a common member satisfy.
func TestSplit(t *testing.T) {
	head := "witness a " + w1.VKey() + "\nwitness b " + w2.VKey() + "\nwitness c " + w3.VKey() + "\n"
	for quorum, want := range map[string]bool{
		"quorum none": false, "quorum a": false, "group g any a b\nquorum g": true, "group g 1 a b c\nquorum g": true,
		"group g 2 a b c\nquorum g": false, "group g all a b c\nquorum g": false,
		"group h any b c\ngroup g all a h\nquorum g": false, "group h all b c\ngroup g any a h\nquorum g": true,
	} {
		if got := parsePolicy(t, head+quorum+"\n").Split(); got != want {
			t.Errorf("%s: %v, want %v", quorum, got, want)
		}
	}
}

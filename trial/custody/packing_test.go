package custody

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

const someList = `serial,lot,expiry,arm,case
K-2,L1,2027-03-31,active,
P-1,L1,2027-03-31,active,C-1
P-2,L2,,placebo,C-1
K-1,L2,2027-03-31,placebo,
`

// stream is a source of randomness that is the same every time.
type stream struct{ n int }

func (s *stream) Read(p []byte) (int, error) {
	s.n++
	sum := sha256.Sum256(fmt.Append(nil, s.n))
	return copy(p, sum[:]), nil
}

func TestPacking(t *testing.T) {
	list, err := ParsePacking([]byte(someList))
	if err != nil {
		t.Fatal(err)
	}
	var serials []string
	for _, p := range list.All() {
		serials = append(serials, p.Serial)
	}
	if got := strings.Join(serials, " "); got != "C-1 P-1 P-2 K-1 K-2" {
		t.Errorf("packs behind their case, then by serial: %s", got)
	}
	if err := list.MakeTokens(&stream{}); err != nil {
		t.Fatal(err)
	}
	if err := list.MakeTokens(&stream{}); err == nil {
		t.Error("tokens are made twice")
	}
	again, err := ParsePacking(list.Marshal(true))
	if err != nil || !bytes.Equal(again.Marshal(true), list.Marshal(true)) {
		t.Fatalf("%v\n%s\n%s", err, list.Marshal(true), again.Marshal(true))
	}
	site := string(list.Marshal(false))
	for _, secret := range []string{"L1", "L2", "active", "placebo", "lot", "arm"} {
		if strings.Contains(site, secret) {
			t.Errorf("what a site gets has %s:\n%s", secret, site)
		}
	}
	box := &list.Packs[0]
	u := box.Unit()
	if u.Packs != 2 || u.Contents != trial.CaseContents([]trial.Hash{box.Packs[1].Commitment(), box.Packs[0].Commitment()}) {
		t.Errorf("the case: %+v", u)
	}
	if other, err := ParsePacking([]byte(strings.ReplaceAll(someList, ",", ";"))); err != nil || len(other.All()) != 5 {
		t.Errorf("with semicolons: %v", err)
	}
	if other, err := ParsePacking([]byte("\ufeffGTIN,Serial\n09506000134352,A1\n")); err != nil || other.Packs[0].Serial != "(01)09506000134352(21)A1" {
		t.Errorf("with a GTIN: %v", err)
	}
}

func TestPackingRefused(t *testing.T) {
	for name, c := range map[string][2]string{
		"nothing":             {"", "no first line"},
		"no packs":            {"serial\n", "no packs"},
		"no serial":           {"lot\nL1\n", "no column serial"},
		"an odd column":       {"serial,colour\nK-1,red\n", "column 2"},
		"a column twice":      {"serial,lot,lot\nK-1,a,b\n", "column 3"},
		"a pack twice":        {"serial\nK-1\nK-1\n", "line 3: K-1 is there already"},
		"an empty serial":     {"serial,lot\n,L1\n", "line 2: it has no serial"},
		"an odd expiry":       {"serial,expiry\nK-1,31.03.2027\n", "line 2: expiry"},
		"an odd token":        {"serial,token\nK-1,abc\n", "line 2: token"},
		"a whole label":       {"serial\n(91)K-1(17)270331\n", "more than a serial"},
		"a case in a case":    {"serial,case\nC-1,C-2\nK-1,C-1\n", "itself in a case"},
		"a row too long":      {"serial\nK-1,L1\n", "wrong number of fields"},
		"no UTF-8":            {"serial\nK-\xff\n", "UTF-8"},
		"a wrong check digit": {"gtin,serial\n09506000134353,A1\n", "check digit"},
	} {
		if _, err := ParsePacking([]byte(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v does not say %q", name, err, c[1])
		}
	}
	var many strings.Builder
	many.WriteString("serial,case\n")
	for i := range trial.MaxCase + 1 {
		fmt.Fprintf(&many, "P-%d,C-1\n", i)
	}
	if _, err := ParsePacking([]byte(many.String())); err == nil || !strings.Contains(err.Error(), "251 packs") {
		t.Errorf("a case of too many: %v", err)
	}
}

// FuzzPacking: what is parsed reads back as it is written.
func FuzzPacking(f *testing.F) {
	f.Add([]byte(someList))
	f.Add([]byte("serial;token\nK-1;AAAAAAAAAAAAAAAAAAAAAA\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParsePacking(data)
		if err != nil {
			return
		}
		text := list.Marshal(true)
		again, err := ParsePacking(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !bytes.Equal(again.Marshal(true), text) {
			t.Fatalf("%s\nreads back as\n%s", text, again.Marshal(true))
		}
	})
}

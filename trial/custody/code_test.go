package custody_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/custody"
)

const (
	year   = 2026
	serial = "(01)09506000134352(21)A1"
)

// token is EncodeToken's text of the bytes 0 to 15.
const token = "AAECAwQFBgcICQoLDA0ODw"

func tokenOf(t testing.TB) *[16]byte {
	t.Helper()
	b, err := custody.DecodeToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return &b
}

func same(a, b custody.Code) bool {
	return a.Serial == b.Serial && a.Expiry == b.Expiry && a.Lot == b.Lot && (a.Token == nil) == (b.Token == nil) &&
		(a.Token == nil || *a.Token == *b.Token)
}

func TestParse(t *testing.T) {
	tok := tokenOf(t)
	full := custody.Code{Serial: serial, Expiry: "2027-12-31", Token: tok}
	for _, c := range []struct {
		in   string
		want custody.Code
	}{
		{"010950600013435221A1\x1d1727123199" + token, full},
		{"\x1d010950600013435221A1\x1d1727123199" + token, full},
		{"]d2010950600013435221A1\x1d1727123199" + token + "\r\n", full},
		{"]Q3010950600013435221A1{GS}1727123199" + token, full},
		{"]C1010950600013435221A1<GS>1727123199" + token, full},
		{"]e0010950600013435221A1^]1727123199" + token, full},
		{`010950600013435221A1\x1d1727123199` + token, full},
		{"^]010950600013435221A1^]1727123199" + token, full},
		{"010950600013435221A1\x1d17271231\x1d99" + token + "\x1d", full}, // GS after AI 17 is not needed and not wrong
		{"010950600013435217271200" + "21A1\x1d99" + token, full},         // day 00
		{"(01)09506000134352(21)A1(17)271231(99)" + token, full},
		{"(01) 09506000134352 (21) A1 (17) 271231 (99) " + token, full},
		{"https://id.gs1.org/01/09506000134352/21/A1?17=271231&99=" + token, full},
		{"HTTPS://EXAMPLE.COM/some/path/01/9506000134352/21/A1?99=" + token + "&17=271231&linkType=gs1:pip", full},
		{"http://example.com/gtin/09506000134352/ser/A1?exp=271231&99=" + token + "#x", full},
		{"]Q1https://id.gs1.org/01/09506000134352/21/A1?17=271231&99=" + token, full},
		{"https://id.gs1.org/01/09506000134352/10/L%2F1/21/A%2B1", custody.Code{Serial: "(01)09506000134352(21)A+1", Lot: "L/1"}},
		{"urn:epc:id:sgtin:9506000.013435.A1", custody.Code{Serial: serial}},
		{"urn:epc:id:sgtin:9506000.013435.A%2F1.2", custody.Code{Serial: "(01)09506000134352(21)A/1.2"}},
		{"010950600013435210L-1\x1d21A1\x1d11250101" + "7240NCT1\x1d3103000123", custody.Code{Serial: serial, Lot: "L-1"}},
		// without FNC1, but to be read in one way
		{"01095060001343521727123121A1", custody.Code{Serial: serial, Expiry: "2027-12-31"}},
		{"01095060001343521727123121A199" + token, full},
		{"]d201095060001343521727123121A1", custody.Code{Serial: serial, Expiry: "2027-12-31"}},
		{"00095060001343520000", custody.Code{Serial: "(00)095060001343520000"}},
		{"https://id.gs1.org/00/095060001343520000", custody.Code{Serial: "(00)095060001343520000"}},
		// kits
		{"K-00017", custody.Code{Serial: "K-00017"}},
		{"]d1K-00017", custody.Code{Serial: "K-00017"}},
		{"100017", custody.Code{Serial: "100017"}},
		{"910017", custody.Code{Serial: "910017"}},
		{"(91)K-00017(17)271231", custody.Code{Serial: "K-00017", Expiry: "2027-12-31"}},
		{"]d291K-00017", custody.Code{Serial: "K-00017"}},
		{"91K-00017\x1d99" + token, custody.Code{Serial: "K-00017", Token: tok}},
		{"91K-0001799" + token, custody.Code{Serial: "K-00017", Token: tok}},
	} {
		got, err := custody.Parse(c.in, year)
		if err != nil || !same(got, c.want) {
			t.Errorf("%q: %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ in, why string }{
		{"", "empty"},
		{"010950600013435310A\x1d21A1", "GTIN 09506000134353 has the check digit 3, but 2 is right"},
		{"https://id.gs1.org/01/09506000134353/21/A1", "but 2 is right"},
		{"010950600013435321A1", "but 2 is right"},
		{"00095060001343520005", "but 0 is right"},
		{"010950600013435221A117271231", "configure the scanner to send FNC1 as GS"},
		{"]d2010950600013435221A117271231", "configure the scanner to send FNC1 as GS"},
		{"010950600013435221A11727123199" + token, "configure the scanner"},
		{"010950600013435221A110LOT", "configure the scanner"},
		{"91K-0001717271231", "configure the scanner"},
		{"9191A17500506", "configure the scanner"}, // 91A with an expiry, or the kit number as a whole
		{"https://id.gs1.org/01/09506000134352/21", "no GS1 Digital Link"},
		{"https://id.gs1.org/01/09506000134352/00/095060001343520000", "scan one label"},
		{"urn:epc:id:sgtin:9506000.13435.A1", "no GS1 Digital Link"},
		{"010950600013435221A1\x1d30x", "where digits belong"},
		{"urn:epc:id:sgtin:950600013435..A1", "no GS1 Digital Link"},
		{"010950600013435221A1\x1d240a\x01b", "no GS1 label has"},
		{"0109506000134352", "no serial"},
		{"(01)09506000134352(10)A", "no serial"},
		{"(21)A1", "names no pack"},
		{"010950600013435221A1\x1d17271301", "no day"},
		{"010950600013435221A1\x1d17270230", "no day"},
		{"010950600013435221A1\x1d1727123", "AI 17 is followed by 5 characters, not 6"},
		{"010950600013435221A1\x1d99short", "AI 99"},
		{"010950600013435221A1\x1d99AAECAwQFBgcICQoLDA0ODx", "AI 99"}, // bits after the last byte
		{"010950600013435221A1\x1d21A2", "twice"},
		{"010950600013435221A1\x1d00095060001343520000", "scan one label"},
		{"\x1d010950600013435221123456789012345678901", "AI 21 is followed by 21 characters, not 1 to 20"},
		{"010950600013435221\x1d17271231", "AI 21 is followed by 0 characters"},
		{"010950600013435221A1\x1d0X1", "no application identifier"},
		{"010950600013435221A B\x1d17271231", "does not allow"},
		{"(1)09506000134352", "type the label"},
		{"https://example.com/about", "no GS1 Digital Link"},
		{"https://id.gs1.org/01/09506000134352/21/A1?17=%zz", "query"},
		{"a kit number that is too long", "at most 20"},
		{"k\u00e4se", "not printable ASCII"},
		{"urn:epc:id:giai:4000001.111", "names no pack"},
		{strings.Repeat("9", 2000), "no label has more"},
	} {
		got, err := custody.Parse(c.in, year)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%q: %+v, %v; want an error with %q", c.in, got, err, c.why)
		}
	}
}

// TestCentury follows the example of the General Specifications, section 7.12.
func TestCentury(t *testing.T) {
	for _, c := range []struct {
		year     int
		yy, want string
	}{
		{2026, "76", "2076-01-02"}, {2026, "77", "1977-01-02"}, {2026, "00", "2000-01-02"}, {2026, "99", "1999-01-02"},
		{2051, "01", "2101-01-02"}, {2051, "02", "2002-01-02"}, {1999, "49", "2049-01-02"}, {1999, "50", "1950-01-02"},
	} {
		got, err := custody.Parse("(01)09506000134352(21)A1(17)"+c.yy+"0102", c.year)
		if err != nil || got.Expiry != c.want {
			t.Errorf("%s in %d: %q, %v; want %s", c.yy, c.year, got.Expiry, err, c.want)
		}
	}
	for in, want := range map[string]string{"280200": "2028-02-29", "270200": "2027-02-28", "271200": "2027-12-31"} {
		if got, err := custody.Parse("(01)09506000134352(21)A1(17)"+in, year); err != nil || got.Expiry != want {
			t.Errorf("%s: %q, %v; want %s", in, got.Expiry, err, want)
		}
	}
}

func TestElements(t *testing.T) {
	tok := tokenOf(t)
	for _, c := range []struct {
		code            custody.Code
		elements, human string
	}{
		{custody.Code{Serial: serial, Expiry: "2027-12-31", Lot: "L1", Token: tok},
			"010950600013435221A1\x1d1727123110L1\x1d99" + token, "(01)09506000134352(21)A1(17)271231(10)L1(99)" + token},
		{custody.Code{Serial: serial}, "010950600013435221A1", serial},
		{custody.Code{Serial: "(01)09506000134352(21)123410567"}, "010950600013435221123410567\x1d", "(01)09506000134352(21)123410567"},
		{custody.Code{Serial: "(00)095060001343520000"}, "00095060001343520000", "(00)095060001343520000"},
		{custody.Code{Serial: "K-00017"}, "K-00017", "K-00017"},
		{custody.Code{Serial: "K-00017", Token: tok}, "91K-00017\x1d99" + token, "(91)K-00017(99)" + token},
	} {
		if got := c.code.Elements(); got != c.elements {
			t.Errorf("Elements %q, want %q", got, c.elements)
		}
		if got := c.code.Human(); got != c.human {
			t.Errorf("Human %q, want %q", got, c.human)
		}
		for _, text := range []string{c.elements, c.human} {
			if got, err := custody.Parse(text, year); err != nil || !same(got, c.code) {
				t.Errorf("%q: %+v, %v", text, got, err)
			}
		}
	}
}

func TestToken(t *testing.T) {
	b, err := custody.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := custody.DecodeToken(custody.EncodeToken(b)); err != nil || got != b || b == [16]byte{} {
		t.Errorf("%x, %v; want %x", got, err, b)
	}
	if _, err := custody.NewToken(bytes.NewReader(make([]byte, 15))); err == nil {
		t.Error("a token of 15 bytes")
	}
	for _, s := range []string{"", token + "=", token[:21], token[:21] + "x", token[:21] + "\n", token[:10] + "+" + token[11:], token + "\n"} {
		if _, err := custody.DecodeToken(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"010950600013435221A1\x1d1727123110L1\x1d99" + token, "]d201095060001343521727123121A1", serial, "K-00017",
		"https://id.gs1.org/01/09506000134352/21/A1?17=271231&99=" + token, "urn:epc:id:sgtin:9506000.013435.A1", "00095060001343520000",
		"91K-00017\x1d17271231", "^]010950600013435221A<GS>B", "010950600013435221(10)\x1d", "9191K17271231", "91\x1d0109506000134352"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := custody.Parse(s, year)
		if err != nil {
			return
		}
		for _, text := range []string{c.Elements(), c.Human()} {
			if got, err := custody.Parse(text, year); err != nil || !same(got, c) {
				t.Errorf("%q is %+v, but %q is %+v, %v", s, c, text, got, err)
			}
		}
	})
}

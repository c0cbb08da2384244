package trial

import (
	"strings"
	"testing"
)

// TestQuickEncode: what quickEncode writes is what encoding/json writes, also of texts and members that no
// record has.
func TestQuickEncode(t *testing.T) {
	texts := []string{"", "a", `"`, `\`, "<&>", "Søren", "\u2028", "\x00", "\x7f", "a\xffb", strings.Repeat("x", 2000)}
	for _, text := range texts {
		for _, v := range []any{
			&OrgRecord{Administrators: []Hash{{1}, {}}, Entries: Entries{3, []Hash{{2}, {0xff}}}, ID: text, Name: text},
			&OrgRecord{},
			&TrialRecord{Scopes: map[string][]Version{"b" + text: {{ID: Hash{1}, Version: text}}, "a": nil}, Offer: &Offer{To: text}, Masked: true,
				Identifiers: []string{text, "x"}, Registered: 1 << 53, Shares: Shares{{Acts: []Hash{{7}}, Claims: -1, Documents: IDs("12345678"), Org: text}}},
			&IdentifierRecord{Claims: []Claim{{Org: text}}, Ruling: Hash{1}},
			&SealRecord{Time: 1_700_000_000_123, Org: text},
		} {
			quick := quickEncode(v)
			slow, err := slowEncode(v)
			if err != nil {
				t.Fatal(err)
			}
			if string(quick) != string(slow) {
				t.Errorf("%T: quick\n%s\nnot\n%s", v, quick, slow)
			}
		}
	}
	for _, r := range recordKinds {
		if quickEncode(r()) == nil {
			t.Errorf("%T is not written quickly", r())
		}
	}
}

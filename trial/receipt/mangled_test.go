package receipt

import (
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// TestMangled: if an editor changed a receipt or a policy, the error says what it did.
func TestMangled(t *testing.T) {
	text := header + "\nextra AAAA\n"
	for _, test := range []struct{ text, want string }{
		{"\xef\xbb\xbf" + text, "BOM"},
		{strings.ReplaceAll(text, "\n", "\r\n"), "CRLF"},
		{"\xff\xfec\x002\x00", "UTF-16"},
	} {
		if _, err := Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("receipt %q: %v", test.text, err)
		}
		if _, err := checkpoint.ParsePolicy([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("policy %q: %v", test.text, err)
		}
	}
}

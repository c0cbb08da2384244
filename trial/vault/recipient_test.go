package vault_test

import (
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

const (
	classic   = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	howToMake = "make one with age-keygen -pq; its recipient file is what age-keygen -y prints"
)

// TestRecipientFiles: what age reads is read, if it is one hybrid recipient; and everything else
// is named, with what to do.
func TestRecipientFiles(t *testing.T) {
	r := newParty(t).recipient
	for _, file := range []string{r, r + "\n", "# Alice\n\n" + r + "\n\n# end", "# Alice\r\n" + r + "\r\n"} {
		if got, err := vault.ParseRecipient([]byte(file)); err != nil || got != r {
			t.Errorf("%.20q: %v", file, err)
		}
		if _, err := age.ParseRecipients(strings.NewReader(file)); err != nil {
			t.Errorf("age refuses %.20q: %v", file, err)
		}
	}
	for file, want := range map[string]string{
		"":                   "it has no recipient: " + howToMake,
		"# only a comment\n": "it has no recipient: " + howToMake,
		classic: "line 1: this is a classic recipient, which a quantum computer could open later, or a plugin's, " +
			"not a hybrid recipient (age1pq1...): " + howToMake,
		"#\nssh-ed25519 AAAAC3Nz a":               "line 2: this is an SSH key, not a hybrid recipient (age1pq1...): " + howToMake,
		"ssh-rsa AAAA":                            howToMake,
		"age1tagpq1qqqqqq":                        "a key in hardware",
		"age-encryption.org/v1\n-> scrypt x 18\n": "perhaps with a passphrase",
		"-----BEGIN AGE ENCRYPTED FILE-----":      "perhaps with a passphrase",
		"-----BEGIN OPENSSH PRIVATE KEY-----":     "such as SSH",
		r + "\n" + r:                              "it has 2 recipients, not one",
		r[:len(r)-1]:                              howToMake,
		" " + r:                                   howToMake,
		trialtest.Recipient("nobody"):             "mistyped or cut",
		strings.ToUpper(r):                        howToMake,
		strings.Repeat("#\n", 1<<19) + "#":        "too many",
	} {
		_, err := vault.ParseRecipient([]byte(file))
		wants(t, file[:min(len(file), 20)], err, want)
	}
	changed := []byte(r)
	for i := range changed {
		old := changed[i]
		if changed[i] = 'q'; old == 'q' {
			changed[i] = 'p'
		}
		if _, err := vault.ParseRecipient(changed); err == nil {
			t.Fatalf("a recipient with another character %d is taken", i)
		}
		changed[i] = old
	}
}

// TestIdentityFiles: no message repeats a secret.
func TestIdentityFiles(t *testing.T) {
	p, q := newParty(t), newParty(t)
	if ids, err := vault.ParseIdentities([]byte(p.file + "\r\n" + q.file)); err != nil || len(ids) != 2 {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	old, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Split(p.file, "\n")[2]
	for file, want := range map[string]string{
		"": "it has no identity: " + howToMake,
		old.String(): "this is a classic secret identity, which a quantum computer could open later, " +
			"not a hybrid identity (AGE-SECRET-KEY-PQ-1...): " + howToMake,
		secret[:40]:                         "mistyped or cut",
		secret + "Q":                        "mistyped or cut",
		strings.ToLower(secret):             "not a hybrid identity",
		p.recipient:                         "this is a hybrid recipient",
		"AGE-PLUGIN-YUBIKEY-1QQ":            "this is a plugin's identity",
		"-----BEGIN OPENSSH PRIVATE KEY---": "such as SSH",
		"age-encryption.org/v1\n-> scrypt":  "perhaps with a passphrase",
	} {
		_, err := vault.ParseIdentities([]byte(file))
		wants(t, file[:min(len(file), 20)], err, want)
		if err != nil && len(file) > 30 && strings.Contains(err.Error(), file[20:30]) {
			t.Errorf("the message repeats what may be secret: %v", err)
		}
	}
	if _, err := vault.ParseRecipient([]byte(p.file)); err == nil || !strings.Contains(err.Error(), "this is a secret identity") ||
		strings.Contains(err.Error(), secret[20:40]) {
		t.Errorf("an identity as recipient: %v", err)
	}
}

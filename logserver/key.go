package logserver

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A log has one key, or two while one replaces the other. Both have the origin as their name
// and a log line in the policy. What either signed binds the log, and so does what a retired
// key signed, as long as the policy has its line.

// signers returns the keys that sign each checkpoint.
func (c *Config) signers() []note.Signer {
	if c.Next == nil {
		return []note.Signer{c.Signer}
	}
	return []note.Signer{c.Signer, c.Next}
}

// checkKeys checks that whoever has the policy can verify what we sign.
func (c *Config) checkKeys() error {
	for _, s := range c.signers() {
		if s.Name() != c.Signer.Name() {
			return fmt.Errorf("the log's keys have two names: %s and %s", c.Signer.Name(), s.Name())
		}
		known := func(l checkpoint.LogKey) bool { return l.Name() == s.Name() && l.KeyHash() == s.KeyHash() }
		if !slices.ContainsFunc(c.Policy.Logs, known) {
			return fmt.Errorf("the policy has no log line for the key %s+%08x", s.Name(), s.KeyHash())
		}
	}
	return nil
}

// logKeys returns every key that the policy knows for an origin.
func logKeys(p *checkpoint.Policy, origin string) []note.Verifier {
	var keys []note.Verifier
	for _, l := range p.Logs {
		if l.Name() == origin {
			keys = append(keys, l)
		}
	}
	return keys
}

// signTree makes the checkpoint of a tree.
func (c *Config) signTree(tree checkpoint.Tree) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: tree.String()}, c.signers()...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// ownLines returns a checkpoint with only the signatures of the log's keys.
func ownLines(p *checkpoint.Policy, signed []byte) ([]byte, error) {
	origin, _, _ := strings.Cut(string(signed), "\n")
	n, err := note.Open(signed, note.VerifierList(logKeys(p, origin)...))
	if err != nil {
		return nil, err
	}
	own := n.Text + "\n"
	for _, s := range n.Sigs {
		own += fmt.Sprintf("— %s %s\n", s.Name, s.Base64)
	}
	return []byte(own), nil
}

// resign signs the newest stored tree with the present keys, so that a log which is idle while
// its key changes shows their signatures too. What is stored stays as it was: it is the same
// tree, and says nothing new.
func (l *Log) resign() error {
	signed, err := l.cfg.signTree(l.signed.Tree)
	if err != nil {
		return err
	}
	l.signed.note = signed
	return nil
}

// Package vault encrypts files for their owner and divides the power to open them among agents,
// so that none of two can open one alone.
//
// A file is encrypted with age v1 (filippo.io/age) to hybrid post-quantum recipients only:
// health data is worth recording today for whoever breaks today's keys later. FILE.age is
// encrypted to its owner, so that the age program opens it with the owner's identity. An owner's
// identity is made for one person's files alone: to destroy it and its copies is to erase them.
// A backup's key serves many people, so FILE.age is never encrypted to it. With a backup, FILE.age
// has a second recipient, made for this file alone, whose identity is encrypted to the backup as
// FILE.backup.age. Destroying that file too, with its copies, erases what the backup could open,
// and nothing of anybody else.
//
// The file key is divided by exclusive or into one share for each agent. FILE.protected has each
// share, encrypted to its agent, with a salted commitment to it, and is signed by whoever
// protected the file. A release is a small package, encrypted to its recipient: an agent's shares
// and what they open.
//
// The package does no I/O of its own: files are streams that the caller opens. Nothing counts as
// written before a function has returned nil, so the caller writes beside the name and renames.
package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
)

const howMade = "make one with age-keygen -pq; its recipient file is what age-keygen -y prints"

// ParseRecipient returns the one recipient of a recipient file, as age-keygen -y prints it.
func ParseRecipient(file []byte) (string, error) {
	found, err := ParseRecipients(file)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("it has %s, not one", trial.Count(len(found), "recipient", "recipients"))
	}
	return found[0], nil
}

// ParseRecipients returns the recipients of a recipient file, at least one. Empty lines, and those
// that begin with #, are left out, as age does.
func ParseRecipients(file []byte) (found []string, err error) {
	err = lines(file, "recipient", func(line string) error {
		found = append(found, line)
		_, err := recipient(line)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// recipient parses a hybrid recipient.
func recipient(s string) (*age.HybridRecipient, error) {
	if trial.CheckRecipient(s) != nil {
		return nil, fmt.Errorf("%s, not a hybrid recipient (age1pq1...): %s", whatIs(s), howMade)
	}
	r, err := age.ParseHybridRecipient(s)
	if err != nil {
		return nil, fmt.Errorf("the recipient %.20s... is mistyped or cut: copy it again, or %s", s, howMade)
	}
	return r, nil
}

// whatIs says what was given instead of a hybrid recipient or identity. It never repeats what
// may be a secret.
func whatIs(s string) string {
	for _, k := range []struct{ prefix, what string }{
		{"age1pq1", "this is a hybrid recipient, or a part of one"},
		{"age1tag", "this is a recipient of a key in hardware"},
		{"age1", "this is a classic recipient, which a quantum computer could open later, or a plugin's"},
		{"AGE-SECRET-KEY-PQ-1", "this is a secret identity, or a part of one"},
		{"AGE-SECRET-KEY-1", "this is a classic secret identity, which a quantum computer could open later"},
		{"AGE-PLUGIN-", "this is a plugin's identity"},
		{"ssh-", "this is an SSH key"},
		{"ecdsa-", "this is an SSH key"},
		{"-----BEGIN AGE", "this is a file that age encrypted, perhaps with a passphrase"},
		{"age-encryption.org/", "this is a file that age encrypted, perhaps with a passphrase"},
		{"-----BEGIN", "this is a private key of another kind, such as SSH"},
	} {
		if strings.HasPrefix(s, k.prefix) {
			return k.what
		}
	}
	return "this is something else"
}

// Identities are the secret keys of somebody who receives.
type Identities []age.Identity

// ParseIdentities returns the identities of an identity file, as age-keygen -pq prints it.
func ParseIdentities(file []byte) (list Identities, err error) {
	err = lines(file, "identity", func(line string) error {
		if !strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1") {
			return fmt.Errorf("%s, not a hybrid identity (AGE-SECRET-KEY-PQ-1...): %s", whatIs(line), howMade)
		}
		i, err := age.ParseHybridIdentity(line)
		if err != nil {
			return errors.New("the identity is mistyped or cut: copy it again from where it was made")
		}
		list = append(list, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// maxKeyFile bounds files of recipients and identities, in bytes.
const maxKeyFile = 1 << 20

// lines calls parse with each line of a file of keys that is not empty and no comment. There
// must be one at least.
func lines(file []byte, what string, parse func(string) error) error {
	if len(file) > maxKeyFile {
		return fmt.Errorf("it has %d bytes, which is too many for a file of age keys", len(file))
	}
	n, some := 0, false
	for line := range strings.Lines(string(file)) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		some = true
		if err := parse(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if !some {
		return fmt.Errorf("it has no %s: %s", what, howMade)
	}
	return nil
}

// Encrypt returns data encrypted to recipients.
func Encrypt(data []byte, to ...string) ([]byte, error) {
	var recipients []age.Recipient
	for _, s := range to {
		r, err := recipient(s)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, r)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ErrNotForUs says that none of the identities given opens something.
var ErrNotForUs = errors.New("it is not encrypted to this identity")

// Decrypt returns what Encrypt encrypted, of at most max bytes. The error wraps ErrNotForUs if it
// is not encrypted to one of the identities.
func Decrypt(data []byte, max int, identities Identities) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(data), identities...)
	if err != nil {
		return nil, explain(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	if len(plain) > max {
		return nil, fmt.Errorf("what is encrypted in it has more than %d bytes", max)
	}
	return plain, nil
}

// explain says what an error of age's decryption means.
func explain(err error) error {
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return ErrNotForUs
	}
	return fmt.Errorf("it is damaged, or was not written by age: %w", short{err})
}

// short cuts the text of an error in which age repeats a line of what it read.
type short struct{ error }

func (s short) Unwrap() error { return s.error }

func (s short) Error() string {
	if text := s.error.Error(); len(text) > 200 {
		return strings.ToValidUTF8(text[:200], "") + "..."
	}
	return s.error.Error()
}

// Package vault encrypts files for their owner and divides the power to open them among agents,
// so that none of two can open one alone.
//
// A file is encrypted with age v1 (filippo.io/age) to hybrid post-quantum recipients only:
// health data is worth recording today for whoever breaks today's keys later. FILE.age is
// encrypted to its owner, so that the age program opens it with the owner's identity. An owner's
// identity is made for one person's files alone: to destroy it and its copies is to erase them.
// A backup's key serves many people, so FILE.age is never encrypted to it. With a backup, FILE.age
// has a second recipient, made for this file alone, whose identity is encrypted to the backup.
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
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
)

const howMade = "make an identity with age-keygen -pq, and its recipient file with age-keygen -y"

// ParseRecipient returns the one recipient of a recipient file, as age-keygen -y prints it. Empty
// lines, and those that begin with #, are left out.
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

// ParseRecipients returns the recipients of a recipient file, at least one.
func ParseRecipients(file []byte) ([]string, error) {
	found, err := lines(file, "recipient")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it has no recipient: %s", howMade)
	}
	for _, line := range found {
		if _, err := recipient(line); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// recipient parses a hybrid recipient.
func recipient(s string) (*age.HybridRecipient, error) {
	if err := trial.CheckRecipient(s); err != nil {
		return nil, fmt.Errorf("%.20q is not a recipient of a hybrid key: %s", s, howMade)
	}
	r, err := age.ParseHybridRecipient(s)
	if err != nil {
		return nil, fmt.Errorf("recipient %.20q is mistyped or cut short: %s", s, howMade)
	}
	return r, nil
}

// Identities are the secret keys of somebody who receives.
type Identities []age.Identity

// ParseIdentities returns the identities of an identity file, as age-keygen -pq prints it.
func ParseIdentities(file []byte) (Identities, error) {
	found, err := lines(file, "identity")
	if err != nil {
		return nil, err
	}
	var list Identities
	for _, line := range found {
		i, err := age.ParseHybridIdentity(line)
		if err != nil {
			return nil, fmt.Errorf("it has a line that is not the identity of a hybrid key: %s", howMade)
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("it has no identity: %s", howMade)
	}
	return list, nil
}

// maxKeyFile bounds files of recipients and identities, in bytes.
const maxKeyFile = 1 << 20

func lines(file []byte, what string) (found []string, err error) {
	if len(file) > maxKeyFile {
		return nil, fmt.Errorf("%d bytes are too many for a file with one %s", len(file), what)
	}
	for line := range strings.Lines(string(file)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return found, nil
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
	in := bufio.NewReader(bytes.NewReader(data))
	r, err := age.Decrypt(in, identities...)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, ErrNotForUs
	}
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or was not written by age: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	if len(plain) > max {
		return nil, fmt.Errorf("it has more than %d bytes", max)
	}
	return plain, nil
}

package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/vault"
)

// indexVariable names the folder of a site's index.
const indexVariable = "TRIALPROOF_INDEX"

// An index is a folder that says which consent is whose. It has a file named recipients, with the
// recipients of the site and of its backup, and an encrypted file for each consent.
type index struct{ dir string }

func (x *index) flags(fs *flag.FlagSet) {
	fs.StringVar(&x.dir, "index", os.Getenv(indexVariable), "`folder` of the site's index, which says whose consent is whose: its file "+
		"recipients has the "+
		"site's own recipient and a backup's; default: what "+indexVariable+" names")
}

// recipients returns who can read the index.
func (x *index) recipients() ([]string, error) {
	name := filepath.Join(x.dir, "recipients")
	text, err := readSmall(name)
	if err != nil {
		return nil, fmt.Errorf("the index needs the file %s, with the recipient of the site and of a backup, one a line: %w", name, err)
	}
	list, err := vault.ParseRecipients(text)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	return list, nil
}

// add adds an entry, and returns its file; "" if there is no index. The names of the files say
// nothing.
func (x *index) add(e *consent.Entry) (name string, err error) {
	if x.dir == "" {
		return "", nil
	}
	to, err := x.recipients()
	if err != nil {
		return "", err
	}
	data, err := e.Seal(to...)
	if err != nil {
		return "", err
	}
	name = filepath.Join(x.dir, rand.Text()+".entry")
	return name, writeNew(name, data, 0o600)
}

// of returns the entries of a person, or all if subject is empty, and why files of the index could
// not be read.
func (x *index) of(subject string, ids vault.Identities) (list []*consent.Entry, damaged []error, err error) {
	if info, err := os.Stat(x.dir); err != nil || !info.IsDir() {
		return nil, nil, frame.Usagef("%s is no folder: name that of the index", x.dir)
	}
	names, err := matching(x.dir, "*.entry")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		var e *consent.Entry
		data, err := readSmall(name)
		if err == nil {
			e, err = consent.OpenEntry(data, ids)
		}
		switch {
		case errors.Is(err, vault.ErrNotForUs):
			return nil, nil, frame.Usagef("%s is not encrypted to this identity: give that of the site or of its backup", name)
		case err != nil:
			damaged = append(damaged, fmt.Errorf("%s: %w", name, err))
		case subject == "" || e.Subject == subject:
			list = append(list, e)
		}
	}
	return list, damaged, nil
}

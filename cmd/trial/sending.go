package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

// A sendingFile keeps the statements of an import that are signed and have no receipt yet, so
// that whatever ends the import, the same statements are sent again: signed anew they would be
// others. Each line is what a batch sends. The lock of the receipts' file is this one's too.
type sendingFile struct {
	name   string
	append appendFile

	mu   sync.Mutex // guards the fields below
	live map[trial.Hash][]byte
	size int // of the file, in bytes
}

// maxSending is the size, in bytes, after which statements that have their receipts are left out.
const maxSending = 16 << 20

// openSending opens the file or makes it. keep says which statements still have no receipt and
// are of this import. A file with others, or with lines that cannot be read, is kept aside; a
// last line that is not whole was never sent.
func openSending(name string, keep func(*draft) (mine, done bool), say func(format string, args ...any)) (*sendingFile, []*draft, error) {
	s := &sendingFile{name: name, live: map[trial.Hash][]byte{}}
	s.append.before = func() error {
		if !s.large() {
			return nil
		}
		return s.rewrite()
	}
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, frame.AsUsage(err)
	}
	var list []*draft
	odd := 0
	for line := range bytes.Lines(data) {
		d, err := parseSending(line)
		if err != nil {
			if bytes.HasSuffix(line, []byte{'\n'}) {
				odd++
			}
			continue
		}
		switch mine, done := keep(d); {
		case !mine:
			odd++
		case !done && s.live[d.id] == nil:
			s.live[d.id] = line
			list = append(list, d)
		}
	}
	if odd > 0 {
		to := fmt.Sprintf("%s.aside-%.12s", name, rand.Text())
		if err := durable.Create(to, data, 0o600); err != nil {
			return nil, nil, err
		}
		say("%d lines of %s are no statements of this import, and are put aside in %s", odd, name, filepath.Base(to))
	}
	return s, list, s.rewrite()
}

// parseSending parses a line of the file, as it was written.
func parseSending(line []byte) (*draft, error) {
	d := &draft{Openings: new(trial.Openings)}
	var x struct {
		Envelope json.RawMessage `json:"envelope"`
		Key      trial.PublicKey `json:"key"`
	}
	if err := json.Unmarshal(line, &x); err != nil {
		return nil, err
	}
	signed, err := trial.Check(x.Envelope, x.Key.SPKI())
	if err != nil {
		return nil, err
	}
	if len(signed.Statement.Subjects) != 1 {
		return nil, errors.New("it is no observation of one document")
	}
	d.Envelope, d.Key, d.id, d.statement = bytes.Clone(x.Envelope), x.Key, signed.ID, signed.Statement
	d.Digests = []trial.Hash{signed.Statement.Subjects[0].Digest.SHA256}
	if !bytes.Equal(line, sendingLine(d)) {
		return nil, errors.New("it is not written as it should be")
	}
	return d, nil
}

func sendingLine(d *draft) []byte {
	key, _ := json.Marshal(d.Key) // a text, which always encodes
	return fmt.Appendf(nil, "{\"envelope\":%s,\"key\":%s}\n", d.Envelope, key)
}

// rewrite leaves only the statements that have no receipt. The file is not being written.
func (s *sendingFile) rewrite() error {
	s.mu.Lock()
	var data []byte
	for _, line := range s.live {
		data = append(data, line...)
	}
	s.size = len(data)
	s.mu.Unlock()
	if s.append.file != nil {
		if err := s.append.file.Close(); err != nil {
			return err
		}
	}
	if err := durable.ReplaceAlone(s.name, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", s.name, err)
	}
	var err error
	s.append.file, err = os.OpenFile(s.name, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// add keeps a statement before it is sent; it returns once that is durable.
func (s *sendingFile) add(d *draft) error {
	line := sendingLine(d)
	s.mu.Lock()
	s.live[d.id] = line
	s.size += len(line)
	s.mu.Unlock()
	err := s.append.add(line)
	if err != nil {
		err = fmt.Errorf("keep a statement in %s: %w", s.name, err)
	}
	return err
}

// done forgets a statement that has its receipt or was refused.
func (s *sendingFile) done(id trial.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, id)
}

// large reports whether most of the file is of statements that have their receipts.
func (s *sendingFile) large() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size > maxSending
}

// close ends the use of the file, which is removed if every statement has its receipt.
func (s *sendingFile) close() error {
	if err := s.append.file.Close(); err != nil || len(s.live) > 0 {
		return err
	}
	return durable.Remove(s.name)
}

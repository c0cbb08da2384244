package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/study"
)

// addContent puts what a document says of a study into a statement: its facts, a
// commitment to its parts, or both.
func (e *env) addContent(p trial.Predicate, doc file, f *submitFlags, how sending) error {
	s, err := readStudy(doc)
	if err != nil {
		return fmt.Errorf("%w: submit it without -facts and -elements, it is proven all the same", err)
	}
	if err := sameNumber(s, f.trial); err != nil {
		return usagef("%s %w", doc.name, err)
	}
	c := trial.ContentOf(&trial.Statement{Predicate: p})
	if f.elements != "" {
		secret, err := e.makeSecret(f.elements)
		if err != nil {
			return err
		}
		tree, err := element.New(secret, doc.digest, element.Of(s))
		if err != nil {
			return usagef("%s: %w", doc.name, err)
		}
		c.Elements = tree.Root()
	}
	if !f.facts {
		return nil
	}
	return e.addFacts(c, s, beside(doc.name, how.outDir)+".facts.json", how.dry)
}

// sameNumber refuses a document that has numbers of the register that was typed,
// and not the one that was typed.
func sameNumber(s *study.Study, typed string) error {
	number, err := trial.ParseIdentifier(typed)
	if err != nil {
		return nil // an id, or a sponsor's number: what a document calls its sponsor's is not known
	}
	scheme, _, _ := strings.Cut(number, ":")
	var others []string
	for _, id := range s.Identifiers {
		other, err := trial.ParseIdentifier(id.Value)
		if err == nil && other == number {
			return nil
		}
		if err == nil && strings.HasPrefix(other, scheme+":") {
			others = append(others, other)
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("is of %s, not of %s", strings.Join(others, ", "), number)
	}
	return nil
}

// readStudy reads a document that has been digested.
func readStudy(doc file) (*study.Study, error) {
	data, err := os.ReadFile(doc.name)
	if err != nil {
		return nil, usageError{err}
	}
	if sha256.Sum256(data) != doc.digest {
		return nil, usagef("%s was altered while it was read", doc.name)
	}
	s, err := study.Parse(data)
	if err != nil {
		return nil, usagef("%s: %w", doc.name, err)
	}
	return s, nil
}

// addFacts puts facts into a statement, or their digest and themselves into a
// file, and says what was withheld.
func (e *env) addFacts(c *trial.Content, s *study.Study, file string, dry bool) error {
	facts, withheld := s.Facts()
	apart, err := c.SetFacts(facts)
	if err != nil {
		return err
	}
	if len(withheld) > 0 {
		fmt.Fprintf(e.stderr, "withheld, for they name a person or hold an address: %s\n", strings.Join(withheld, ", "))
	}
	if apart == nil {
		return nil
	}
	fmt.Fprintf(e.stderr, "the facts have %d bytes, more than an entry takes (%d): their digest is logged, and they are in %s to be given to readers\n", len(apart), trial.MaxFacts, file)
	if dry {
		fmt.Fprintf(e.stdout, "%s\n", apart)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return usageError{err}
	}
	return keepFacts(file, apart)
}

// keepFacts writes facts that an entry only commits to. They follow from the
// document, so what is there is either the same or another file of that name.
func keepFacts(file string, facts []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, facts) {
		return nil
	}
	return writeNew(file, facts, 0o644)
}

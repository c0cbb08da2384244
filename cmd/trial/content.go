package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/study"
)

// addContent puts what a document says of a study into a statement: its facts, a
// commitment to its parts, or both.
//
// The document must have one of the numbers, if it has any of their registers.
func (e *env) addContent(p trial.Predicate, doc file, numbers []string, f *submitFlags, how sending) error {
	s, err := readStudy(doc)
	if err != nil {
		return fmt.Errorf("%w: submit it without -facts and -elements, it is proven all the same", err)
	}
	if err := sameNumber(s, numbers); err != nil {
		return fmt.Errorf("%w: %s %w: submit it without -facts and -elements if it is meant", errInvalid, doc.name, err)
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

// sameNumber refuses a document that has numbers of the registers that have the
// trial, and none of the trial's.
func sameNumber(s *study.Study, numbers []string) error {
	var others []string
	for _, id := range s.Identifiers {
		other, err := trial.ParseIdentifier(id.Value)
		if err != nil {
			continue
		}
		if slices.Contains(numbers, other) {
			return nil
		}
		scheme, _, _ := strings.Cut(other, ":")
		if slices.ContainsFunc(numbers, func(n string) bool { return strings.HasPrefix(n, scheme+":") }) {
			others = append(others, other)
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("is of %s, not of %s", strings.Join(others, ", "), strings.Join(numbers, ", "))
	}
	return nil
}

// numbersOf returns the registry numbers of the trial that was typed, as the log
// has them; a number that was typed is one.
func (r *remote) numbersOf(ctx context.Context, typed string) ([]string, error) {
	if number, err := trial.ParseIdentifier(typed); err == nil {
		return []string{number}, nil
	}
	about, err := r.client.Trial(ctx, typed)
	if err != nil {
		return nil, fmt.Errorf("trial %s: %w", typed, err)
	}
	var numbers []string
	for _, e := range about.Entries {
		entry, err := trial.ParseEntry([]byte(e.Entry))
		if err != nil {
			return nil, fmt.Errorf("trial %s: entry %d: %w", typed, e.Index, err)
		}
		if entry.Statement == nil {
			continue
		}
		if p, ok := entry.Statement.Statement.Predicate.(*trial.Identifier); ok && p.Trial.String() == about.Trial {
			numbers = append(numbers, p.Identifier)
		}
	}
	return numbers, nil
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
	return parseOne(doc.name, data)
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

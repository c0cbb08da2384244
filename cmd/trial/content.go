package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
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
		return fmt.Errorf("%w: submit it without -facts and -elements; what is proven stays the same", err)
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
			return frame.Usagef("%s: %w", doc.name, err)
		}
		c.Elements = tree.Root()
	}
	if !f.facts {
		return nil
	}
	return e.addFacts(c, s, f.confirm, beside(doc.name, how.outDir)+".facts.json", how.dry)
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

// readStudy reads a document that has been digested.
func readStudy(doc file) (*study.Study, error) {
	data, err := readWhole(doc)
	if err != nil {
		return nil, err
	}
	return parseOne(doc.name, data)
}

// readWhole reads a document that has been digested.
func readWhole(doc file) ([]byte, error) {
	data, err := os.ReadFile(doc.name)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	if sha256.Sum256(data) != doc.digest {
		return nil, frame.Usagef("%s was altered while it was read", doc.name)
	}
	return data, nil
}

// addFacts puts facts into a statement, or their digest and themselves into a
// file, and says what was withheld. Free texts are among them only where the sponsor has
// confirmed them, as a preview has shown them.
func (e *env) addFacts(c *trial.Content, s *study.Study, confirmed, file string, dry bool) error {
	facts, withheld := s.Facts()
	coded, free := study.Coded(facts)
	code, err := confirmation(facts)
	if err != nil {
		return err
	}
	switch {
	case len(free) == 0 && confirmed != "":
		return frame.Usagef("-confirm %s: the document has no free text to be confirmed: leave -confirm away", confirmed)
	case len(free) == 0:
	case confirmed == "":
		facts = coded
		e.unconfirmed(free, code, dry)
	case confirmed != code:
		return frame.Usagef("-confirm %s is not for what would be published of this document as it is read now: look at it with -n and "+
			"without -confirm, which says what to give", confirmed)
	}
	apart, err := c.SetFacts(facts)
	if err != nil {
		return err
	}
	if len(withheld) > 0 {
		fmt.Fprintf(e.Stderr, "withheld because they name a person or contain an address: %s\n", strings.Join(withheld, ", "))
	}
	if apart == nil {
		return nil
	}
	fmt.Fprintf(e.Stderr, "the facts have %d bytes, more than an entry takes (%d): their digest is logged, and they are in %s to be "+
		"given to readers\n", len(apart), trial.MaxFacts, file)
	if dry {
		fmt.Fprintf(e.Stdout, "%s\n", apart)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return frame.AsUsage(err)
	}
	return keepFacts(file, apart)
}

// confirmation is what a sponsor repeats of a preview to confirm that these facts, and no
// others, may be public: the first six bytes of the SHA-256 of their canonical JSON.
func confirmation(facts *trial.Facts) (string, error) {
	data, err := facts.Marshal()
	digest := sha256.Sum256(data)
	return fmt.Sprintf("%x", digest[:6]), err
}

// unconfirmed says which free texts are not published, and in a preview what they are and
// how to confirm them.
func (e *env) unconfirmed(free []study.FreeText, code string, dry bool) {
	if dry {
		fmt.Fprintf(e.Stderr, "this is the free text of the document; it is published only if you confirm it. Read it first: anyone "+
			"whom it names would be named in public for ever.\n")
		for _, t := range free {
			fmt.Fprintf(e.Stderr, "  %s: %s\n", t.Member, frame.Printable(t.Text))
		}
		fmt.Fprintf(e.Stderr, "to publish it with the rest, add -confirm %s; without it, codes, dates, counts, registry numbers and "+
			"outcomes are published\n", code)
		return
	}
	var members []string
	for _, t := range free {
		if !slices.Contains(members, t.Member) {
			members = append(members, t.Member)
		}
	}
	fmt.Fprintf(e.Stderr, "free text was not confirmed and is not published: %s. The same command with -n shows it, and how to confirm "+
		"it\n", strings.Join(members, ", "))
}

// keepFacts writes facts that an entry only commits to. They follow from the document, so a
// file that is already there has either the same facts or happens to have the same name.
func keepFacts(file string, facts []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, facts) {
		return nil
	}
	return writeNew(file, facts, 0o644)
}

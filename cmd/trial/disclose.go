package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/receipt"
)

func readSecret(name string) (element.Secret, error) {
	data, err := readSmall(name)
	if err != nil {
		return element.Secret{}, err
	}
	s, err := element.ParseSecret(data)
	if err != nil {
		return s, frame.Usagef("%s: %w", name, err)
	}
	return s, nil
}

// makeSecret reads a secret, or makes one where there is none.
func (e *env) makeSecret(name string) (element.Secret, error) {
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		return readSecret(name)
	}
	var s element.Secret
	rand.Read(s[:]) // never fails
	if err := writeNew(name, []byte(s.String()+"\n"), 0o600); err != nil {
		return s, err
	}
	fmt.Fprintf(e.Stderr, "made %s: keep it with the documents, for only who has both can show a part of one alone\n", name)
	return s, nil
}

func disclose(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	secretFile := fs.String("elements", "", "`file` with the secret that the document was submitted with")
	part := fs.String("part", "", "the `part` to show, such as endpoints/3, objectives/1, sections/12")
	proof := fs.String("proof", "", "`receipt` of the document (DOCUMENT.tlog-proof if not given)")
	out := fs.String("o", "", "`file` to write (standard output if not given)")
	names, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if *secretFile == "" || len(names) != 1 {
		return frame.Usagef("-elements and one document must be given")
	}
	secret, err := readSecret(*secretFile)
	if err != nil {
		return err
	}
	docs, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	data, err := readSmall(cmp.Or(*proof, names[0]+".tlog-proof"))
	if err != nil {
		return err
	}
	r, root, err := elementsOf(data, docs[0])
	if err != nil {
		return err
	}
	s, err := readStudy(docs[0])
	if err != nil {
		return err
	}
	parts := element.Of(s)
	tree, err := element.New(secret, docs[0].digest, parts)
	if err != nil {
		return frame.Usagef("%s: %w", names[0], err)
	}
	if tree.Root() != root {
		return frame.Usagef("%s: with the secret in %s its parts are not those that were logged: it was submitted with another secret, "+
			"or as an appendix, or by a program that read it otherwise", names[0], *secretFile)
	}
	if *part == "" {
		for _, p := range parts {
			fmt.Fprintf(e.Stdout, "%s\t%s\n", p.Path, frame.Printable(p.Text))
		}
		return nil
	}
	d, err := tree.Disclose(*part, r)
	if err != nil {
		return frame.AsUsage(err)
	}
	if d.Absent {
		fmt.Fprintf(e.Stderr, "the document has no %s: the file proves that\n", *part)
	}
	if data, err = d.Marshal(); err != nil {
		return err
	}
	if *out == "" {
		_, err = e.Stdout.Write(data)
		return err
	}
	return writeNew(*out, data, 0o644)
}

// elementsOf returns the elements that a document's receipt logged. Whoever reads
// the disclosure verifies the receipt.
func elementsOf(data []byte, doc file) (*receipt.Receipt, trial.Hash, error) {
	var root trial.Hash
	r, err := parseReceipt(data)
	if err != nil {
		return nil, root, err
	}
	entry, err := trial.ParseEntry(r.Entry)
	if err == nil && entry.Statement == nil {
		err = errors.New("the receipt is not for a statement")
	}
	if err != nil {
		return nil, root, &receipt.Problem{Part: "entry", Detail: err.Error()}
	}
	openings, err := trial.ParseOpenings(r.Openings, entry.Statement.Statement)
	if err != nil {
		return nil, root, &receipt.Problem{Part: "openings", Detail: err.Error()}
	}
	if subject := entry.Statement.Statement.Subjects[0]; !openings.Matches(subject, doc.digest) {
		return nil, root, &receipt.Problem{Part: "file", Detail: fmt.Sprintf("%s is not the %s that the receipt is for", doc.name,
			subject.Name)}
	}
	if root = loggedElements(entry); root.IsZero() {
		return nil, root, frame.Usagef("%s was submitted without -elements: no part of it can be shown alone", doc.name)
	}
	return r, root, nil
}

// loggedElements returns what an entry commits to as its document's parts, zero
// if nothing.
func loggedElements(e *trial.Entry) trial.Hash {
	_, st := e.Statement.Effective()
	if c := trial.ContentOf(st); c != nil {
		return c.Elements
	}
	return trial.Hash{}
}

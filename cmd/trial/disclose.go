package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
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
	secretFile := fs.String("elements", "", "`file` with the secret that the document was submitted with; for a HANDLE.grant, with the "+
		"identity that opens it")
	part := fs.String("part", "", "the `part` to show, such as endpoints/3, objectives/1, sections/12; of a consent's terms use/1, "+
		"recipient/1, period/1")
	proof := fs.String("proof", "", "`receipt` of the document (DOCUMENT.tlog-proof if not given)")
	out := fs.String("o", "", "`file` to write (standard output if not given)")
	names, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if *secretFile == "" || len(names) != 1 {
		return frame.Usagef("-elements and one document must be given")
	}
	docs, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	content, err := readWhole(docs[0])
	if err != nil {
		return err
	}
	doc, beside := docs[0], names[0]+".tlog-proof"
	var parts []element.Part
	var tree *element.Tree
	if bytes.HasPrefix(content, []byte("age-encryption.org/v1\n")) {
		ids, err := readIdentities(*secretFile)
		if err != nil {
			return err
		}
		g, err := consent.OpenGrant(content, ids)
		if err != nil {
			return frame.Usagef("%s: %w", names[0], err)
		}
		tree, doc.digest = g.Tree()
		parts, beside = g.Terms.Parts(), filepath.Join(filepath.Dir(names[0]), fmt.Sprintf("consent-%.12s.tlog-proof", g.Handle))
	}
	data, err := readSmall(cmp.Or(*proof, beside))
	if err != nil {
		return err
	}
	r, root, err := elementsOf(data, doc)
	if err != nil {
		return err
	}
	if tree == nil {
		secret, err := readSecret(*secretFile)
		if err != nil {
			return err
		}
		if parts, err = partsOf(names[0], content); err != nil {
			return err
		}
		if tree, err = element.New(secret, doc.digest, parts); err != nil {
			return frame.Usagef("%s: %w", names[0], err)
		}
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

// partsOf returns the parts of a document: of a study, or of the terms of a consent or of a disclosure
// without one.
func partsOf(name string, data []byte) ([]element.Part, error) {
	if t, err := consent.ParseTerms(data); err == nil {
		return t.Parts(), nil
	}
	if d, err := consent.ParseDisclosure(data); err == nil {
		return d.Parts(), nil
	}
	s, err := parseOne(name, data)
	if err != nil {
		return nil, err
	}
	return element.Of(s), nil
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
	if root = trial.ElementsOf(entry); root.IsZero() {
		return nil, root, frame.Usagef("%s was submitted without -elements: no part of it can be shown alone", doc.name)
	}
	return r, root, nil
}

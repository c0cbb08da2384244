package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

func show(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one receipt, or the URL of a log with an index behind it, must be given")
	}
	if strings.HasPrefix(rest[0], "http://") || strings.HasPrefix(rest[0], "https://") {
		return e.showEntry(ctx, rest[0])
	}
	data, err := readSmall(rest[0])
	if err != nil {
		return err
	}
	r, err := parseReceipt(data)
	if err != nil {
		return err
	}
	return e.print(r.Index, r.Entry, r.Openings, r.Checkpoint)
}

// parseReceipt parses a receipt. What it refuses is a problem of the receipt, unless a
// program mangled it.
func parseReceipt(data []byte) (*receipt.Receipt, error) {
	r, err := receipt.Parse(data)
	if err != nil && !errors.Is(err, receipt.ErrMangled) {
		err = &receipt.Problem{Part: "receipt", Detail: err.Error()}
	}
	return r, err
}

func (e *env) showEntry(ctx context.Context, typed string) error {
	index, entry, err := fetchEntry(ctx, typed)
	if err != nil {
		return err
	}
	return e.print(index, []byte(entry.Entry.Entry), nil, []byte(entry.Checkpoint))
}

// fetchEntry returns the entry that URL/INDEX names, held to the checkpoint that
// came with it.
func fetchEntry(ctx context.Context, typed string) (uint64, client.ProvedEntry, error) {
	i := strings.LastIndex(typed, "/")
	index, err := strconv.ParseUint(typed[i+1:], 10, 63)
	if err != nil {
		return 0, client.ProvedEntry{}, frame.Usagef("%s does not end in /INDEX", typed)
	}
	c, err := client.New(typed[:i])
	if err != nil {
		return 0, client.ProvedEntry{}, frame.AsUsage(err)
	}
	entry, err := c.Entry(ctx, index)
	if err != nil {
		return 0, client.ProvedEntry{}, err
	}
	if err := checkProof(entry); err != nil {
		return 0, client.ProvedEntry{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return index, entry, nil
}

// checkProof holds an entry to the checkpoint that came with it. Whose
// checkpoint it is, only a policy can say.
func checkProof(e client.ProvedEntry) error {
	text, _, _ := strings.Cut(e.Checkpoint, "\n\n")
	tree, err := checkpoint.ParseTree(text + "\n")
	if err != nil {
		return err
	}
	var path [][32]byte
	for _, s := range e.Proof {
		h, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(h) != 32 {
			return fmt.Errorf("%q is no hash", s)
		}
		path = append(path, [32]byte(h))
	}
	leaf := (&trial.Entry{Raw: []byte(e.Entry.Entry)}).LeafHash()
	return tree.CheckInclusion(e.Index, leaf, path)
}

func (e *env) print(index uint64, raw, openings, signed []byte) error {
	entry, err := trial.ParseEntry(raw)
	if err != nil {
		return err
	}
	if err := entry.Verify(); err != nil {
		return err
	}
	text, signatures, _ := strings.Cut(string(signed), "\n\n")
	tree, err := checkpoint.ParseTree(text + "\n")
	if err != nil {
		return &receipt.Problem{Part: "checkpoint", Detail: err.Error()}
	}
	fmt.Fprintf(e.Stdout, "entry %d: %s\n", index, whole(entry))
	if s := entry.Statement; s != nil {
		c := trial.CommonOf(s.Statement)
		fmt.Fprintf(e.Stdout, "statement %s for %s, signed %s, meaning %s\n", s.ID, c.Log, c.SignedAt, c.Meaning)
		for _, sub := range s.Statement.Subjects {
			if sub.Digest.SHA256.IsZero() {
				fmt.Fprintf(e.Stdout, "  %s: salted commitment %s\n", sub.Name, sub.Digest.Salted256)
			} else {
				fmt.Fprintf(e.Stdout, "  %s: SHA-256 %s\n", sub.Name, sub.Digest.SHA256)
			}
		}
		o, err := trial.ParseOpenings(openings, s.Statement)
		if err != nil {
			return &receipt.Problem{Part: "openings", Detail: err.Error()}
		}
		if o.Name != "" {
			fmt.Fprintf(e.Stdout, "  signed by %s (in the receipt, not in the log)\n", o.Name)
		}
	}
	fmt.Fprintf(e.Stdout, "checkpoint of %s, size %d, root %x, not checked here (trial verify -proof does, with a policy)\n",
		frame.Printable(tree.Origin), tree.Size, tree.Root)
	for line := range strings.Lines(signatures) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		fmt.Fprintf(e.Stdout, "  signed by %s\n", frame.Printable(strings.TrimSpace(name)))
	}
	return nil
}

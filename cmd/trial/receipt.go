package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

func fetchReceipt(ctx context.Context, e *env, args []string) error {
	var r remote
	var out, from string
	fs := e.Flags()
	r.flags(fs, false)
	fs.StringVar(&out, "o", "", "`file` to write the receipt to")
	fs.StringVar(&from, "from", "", "take the receipt out of the `file` with an import's receipts, such as receipts/ctgov.receipts; this "+
		"needs no log and no policy")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if from != "" {
		return takeReceipt(ctx, e, from, out, rest)
	}
	if err := r.open(e, false); err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("a statement must be given: its document, its .statement file, its id, the first %d digits of its id, or "+
			"its entry's index",
			trial.ShortDigits)
	}
	d, err := r.draftOf(ctx, e, rest[0])
	if err != nil {
		return err
	}
	if out == "" && d.filed(r.policy) {
		fmt.Fprintf(e.Stderr, "%s is there already, and is a valid receipt of this statement\n", d.Receipts[0])
		fmt.Fprintln(e.Stdout, d.Receipts[0])
		return nil
	}
	res, err := r.client.Receipt(ctx, d.id)
	if errors.Is(err, client.ErrPending) {
		fmt.Fprintf(e.Stdout, "pending %s\n", d.id)
		return err
	}
	if errors.Is(err, client.ErrNotFound) && d.file != "" {
		// It never arrived: a statement is never logged twice, so send it now.
		res, err = r.client.Submit(ctx, d.envelope(), d.Key.SPKI())
	}
	if err != nil {
		return err
	}
	if out != "" {
		d.Receipts = []string{out}
	}
	if len(d.Receipts) == 0 {
		d.Receipts = []string{fmt.Sprintf("%.12s.tlog-proof", d.id)}
	}
	v, err := d.finish(r.policy, res)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "logged as %s\n", loggedText(v))
	for _, name := range d.Receipts {
		fmt.Fprintln(e.Stdout, name)
	}
	return d.saltless(e)
}

// takeReceipt takes a receipt out of a file of many. Whether it holds, trial verify says.
func takeReceipt(ctx context.Context, e *env, from, out string, rest []string) error {
	if len(rest) != 1 {
		return frame.Usagef("a document must be given, or the id of a statement or the first %d digits of it", trial.ShortDigits)
	}
	if !isReceipts(from) {
		if _, err := regular(from); err != nil {
			return err
		}
		return frame.Usagef("%s is no file of many receipts, as trial import makes it", from)
	}
	typed := rest[0]
	what, document := typed, trial.Hash{}
	if exists(typed) {
		files, err := e.digestFiles(ctx, []string{typed})
		if err != nil {
			return err
		}
		document = files[0].digest
		what = fmt.Sprintf("%s, SHA-256 %s", typed, document)
	} else if _, err := trial.ParseHash(typed); err != nil && !trial.IsShort(typed) {
		return frame.Usagef("%s is no file here, and neither an id nor the first %d digits of one", typed, trial.ShortDigits)
	}
	p, err := pickReceipts(from, func(r receipt.Filed) bool {
		return r.Document == document && !document.IsZero() || document.IsZero() && r.ID.Named(typed)
	})
	if err != nil {
		return err
	}
	var list []receipt.Filed
	var ids []string
	for _, x := range p.list {
		if !slices.Contains(ids, x.ID.String()) {
			list, ids = append(list, x), append(ids, x.ID.String())
		}
	}
	switch {
	case len(list) == 0:
		return p.missing(from, what)
	case len(list) > 1:
		return frame.Usagef("%s has %d receipts of %s: name one by its id: %s", from, len(list), what, strings.Join(ids, ", "))
	}
	switch {
	case out != "":
	case !document.IsZero():
		out = beside(typed, "") + ".tlog-proof"
	default:
		out = fmt.Sprintf("%.12s.tlog-proof", list[0].ID)
	}
	if err := writeNew(out, list[0].Receipt, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(e.Stdout, out)
	return nil
}

// draftOf returns the statement that was typed, as far as it is known here: by its id, its
// .statement file, the index of its entry, the first digits of its id, or a document.
func (r *remote) draftOf(ctx context.Context, e *env, typed string) (*draft, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return &draft{id: id}, nil
	}
	if exists(typed) {
		if d, err := readDraft(typed); err == nil || strings.HasSuffix(typed, ".statement") {
			return d, err
		}
		return r.draftOfDocument(ctx, e, typed)
	}
	if index, err := strconv.ParseUint(typed, 10, 64); err == nil && len(typed) < trial.ShortDigits {
		return r.draftAt(ctx, index)
	}
	if !trial.IsShort(typed) {
		return nil, frame.Usagef("%s is no file here, and neither an id, the first %d digits of one, nor the index of an entry",
			typed, trial.ShortDigits)
	}
	return r.searchID(ctx, typed)
}

// searchID finds the statement whose id begins with the digits.
func (r *remote) searchID(ctx context.Context, digits string) (*draft, error) {
	return r.search(ctx, "statement", digits, "an id that begins with "+digits, func(s *trial.Signed) bool {
		id, _ := s.Effective()
		return s.ID.Named(digits) || id.Named(digits)
	})
}

// draftOfDocument finds the statement of a document by its digest.
func (r *remote) draftOfDocument(ctx context.Context, e *env, name string) (*draft, error) {
	files, err := e.digestFiles(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	f := files[0]
	if left := f.stem() + ".statement"; exists(left) { // it has the salts, which are nowhere else
		if d, err := readDraft(left); err != nil || slices.Contains(d.Digests, f.digest) {
			return d, err
		}
	}
	d, err := r.search(ctx, "document", f.digest.String(), "the digest of "+name+", SHA-256 "+f.digest.String(),
		func(s *trial.Signed) bool {
			_, st := s.Effective()
			return showsDigest(st, f) || showsDigest(s.Statement, f)
		})
	if errors.Is(err, client.ErrNotFound) {
		return nil, fmt.Errorf("%w; a file that was logged privately cannot be found by its digest: give its .statement file or its id",
			err)
	}
	if err != nil {
		return nil, err
	}
	d.Receipts, d.Digests = []string{beside(name, "") + ".tlog-proof"}, []trial.Hash{f.digest}
	return d, nil
}

// draftAt returns the statement of the entry at an index.
func (r *remote) draftAt(ctx context.Context, index uint64) (*draft, error) {
	proved, err := r.client.Entry(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	entry, err := trial.ParseEntry([]byte(proved.Entry.Entry))
	if err != nil {
		return nil, fmt.Errorf("%w: entry %d: %w", errInvalid, index, err)
	}
	if entry.Statement == nil {
		return nil, frame.Usagef("entry %d is no statement but the log's own: it has no receipt", index)
	}
	return &draft{id: entry.Statement.ID, at: &index}, nil
}

// search returns the one statement that fits, among those that the log finds. Its receipt
// is then verified like any other, so the log cannot pass off another statement as this.
func (r *remote) search(ctx context.Context, kind, id, what string, fits func(*trial.Signed) bool) (*draft, error) {
	about, err := r.client.Record(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	d := new(draft)
	var list []string
	for _, x := range about.Entries {
		entry, err := trial.ParseEntry([]byte(x.Entry))
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", errInvalid, x.Index, err)
		}
		if entry.Statement != nil && fits(entry.Statement) {
			d.id = entry.Statement.ID
			list = append(list, fmt.Sprintf("%.12s, entry %d (%s)", d.id, x.Index, short(trial.Describe(entry.Statement.Statement))))
		}
	}
	switch len(list) {
	case 0:
		return nil, fmt.Errorf("%w: by the log's word, no statement with %s is logged", client.ErrNotFound, what)
	case 1:
		return d, nil
	}
	return nil, frame.Usagef("%d statements have %s: name one of them by its digits or entry: %s", len(list), what, strings.Join(list,
		"; "))
}

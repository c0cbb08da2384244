package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A receiptsFile is the file to which an import adds its receipts. It is locked until it is
// closed.
type receiptsFile struct {
	name   string
	append appendFile

	mu   sync.Mutex // guards has
	has  map[trial.Hash]bool
	done map[trial.Hash]logged // by digest: the documents whose receipts were there at the beginning
}

// openReceipts opens a file of receipts, or makes it. Of a receipt that was not written in full,
// as when the machine failed, the file's end is freed; its statement has no receipt then. say
// says what is damaged.
func openReceipts(name string, head receipt.FileHead, perm fs.FileMode, say func(format string, args ...any)) (*receiptsFile, error) {
	if err := durable.Create(name, head.Marshal(), perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, frame.AsUsage(err)
	}
	if _, err := regular(name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	r := &receiptsFile{name: name, append: appendFile{file: f}, has: map[trial.Hash]bool{}, done: map[trial.Hash]logged{}}
	if err := r.begin(head, say); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (r *receiptsFile) begin(head receipt.FileHead, say func(format string, args ...any)) error {
	if err := durable.TryLock(r.append.file); errors.Is(err, durable.ErrLocked) {
		return frame.Usagef("another program is adding to %s: end it first, or give another folder with -out", r.name)
	} else if err != nil {
		return err
	}
	in, err := receipt.NewFileReader(r.append.file)
	if err != nil {
		return frame.Usagef("%s: %w: give another folder with -out", r.name, err)
	}
	if in.Head() != head {
		return frame.Usagef("%s has the receipts of %s in the log %s, not of %s in %s: give another folder with -out", r.name,
			in.Head().Org, in.Head().Log, head.Org, head.Log)
	}
	var damaged []*receipt.Damage // behind the last whole receipt
	whole := in.At()
	err = eachReceipt(in, func(f receipt.Filed) {
		r.has[f.ID] = true
		if index, ok := indexOf(f.Receipt); ok {
			r.done[f.Document] = logged{id: f.ID, index: index}
		}
		whole = in.At()
		for _, d := range damaged {
			say("%s: %v: it is fetched again when its record is imported", r.name, d)
		}
		damaged = nil
	}, func(d *receipt.Damage) { damaged = append(damaged, d) })
	if err != nil || len(damaged) == 0 {
		return err
	}
	say("%s: the last %d bytes are a receipt that was not written in full, and are removed", r.name, in.At()-whole)
	return errors.Join(r.append.file.Truncate(whole), r.append.file.Sync())
}

// indexOf returns the index that a receipt has on its third line, without reading the rest.
func indexOf(text []byte) (uint64, bool) {
	lines := bytes.SplitN(text, []byte{'\n'}, 4)
	if len(lines) != 4 {
		return 0, false
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(string(lines[2]), "index "), 10, 64)
	return index, err == nil
}

// eachReceipt passes every receipt and every damage to a function.
func eachReceipt(in *receipt.FileReader, filed func(receipt.Filed), damaged func(*receipt.Damage)) error {
	for {
		f, err := in.Next()
		d, bad := errors.AsType[*receipt.Damage](err)
		switch {
		case err == io.EOF:
			return nil
		case bad:
			damaged(d)
		case err != nil:
			return err
		default:
			filed(f)
		}
	}
}

// holds reports whether the receipt of a statement is there.
func (r *receiptsFile) holds(id trial.Hash) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.has[id]
}

// add adds a receipt, for its document and again for each of others that it is of too, and returns once
// it is durable.
func (r *receiptsFile) add(f receipt.Filed, others ...trial.Hash) error {
	if r.holds(f.ID) {
		return nil
	}
	data, err := f.AppendTo(nil)
	for _, f.Document = range others {
		if err == nil {
			data, err = f.AppendTo(data)
		}
	}
	if err != nil {
		return err
	}
	if err := r.append.add(data); err != nil {
		return fmt.Errorf("add a receipt to %s: %w", r.name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.has[f.ID] = true
	return nil
}

func (r *receiptsFile) close() error { return r.append.file.Close() }

// isReceipts reports whether a file is one of many receipts.
func isReceipts(name string) bool { return beginsAs(name, receipt.FileHeader) }

// A picked is what was picked out of a file of receipts.
type picked struct {
	list    []receipt.Filed
	all     int // how many receipts the file has
	damaged []*receipt.Damage
}

// pickReceipts reads a file of receipts and returns those that are wanted.
func pickReceipts(name string, wanted func(receipt.Filed) bool) (p picked, err error) {
	f, err := os.Open(name)
	if err != nil {
		return p, frame.AsUsage(err)
	}
	defer f.Close()
	in, err := receipt.NewFileReader(f)
	if err != nil {
		return p, frame.Usagef("%s: %w", name, err)
	}
	err = eachReceipt(in, func(r receipt.Filed) {
		p.all++
		if wanted(r) {
			r.Receipt = bytes.Clone(r.Receipt)
			p.list = append(p.list, r)
		}
	}, func(d *receipt.Damage) { p.damaged = append(p.damaged, d) })
	return p, err
}

// of returns those receipts that are of a document, each statement's once.
func (p *picked) of(document trial.Hash) (list []receipt.Filed) {
	for _, r := range p.list {
		if r.Document == document && !slices.ContainsFunc(list, func(x receipt.Filed) bool { return x.ID == r.ID }) {
			list = append(list, r)
		}
	}
	return list
}

// missing is the error for a document or statement that has no receipt in the file.
func (p *picked) missing(name, what string) error {
	if n := len(p.damaged); n > 0 {
		return fmt.Errorf("%s holds no receipt of %s among the %d that can be read, and %d parts of it are damaged, the first: %w", name, what,
			p.all, n, p.damaged[0])
	}
	return &receipt.Problem{Part: "file", Detail: fmt.Sprintf("%s holds %d receipts, none of them of %s", name, p.all, what)}
}

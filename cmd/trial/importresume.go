package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// open opens the file of receipts and that of statements without one.
func (m *importer) open() error {
	say := func(format string, args ...any) {
		m.progress.End()
		fmt.Fprintf(m.e.Stderr, "trial import: %s\n", frame.Printable(fmt.Sprintf(format, args...)))
	}
	name := filepath.Join(m.out, m.register)
	head := receipt.FileHead{Log: m.remote.log.Name(), Org: cmp.Or(m.key.Org, m.key.Public.ID().String())}
	receipts, err := openReceipts(name+".receipts", head, 0o644, say)
	if err != nil {
		return err
	}
	m.receipts = receipts
	var list []*draft
	if m.sending, list, err = openSending(name+".sending", func(d *draft) (mine, done bool) {
		o, ok := d.statement.Predicate.(*trial.Observation)
		return ok && o.Log == m.remote.log.Name(), receipts.holds(d.id)
	}, say); err != nil {
		return err
	}
	m.left = map[string]*draft{}
	for _, d := range list {
		d.Receipts = []string{m.kept(d.statement.Predicate.(*trial.Observation).Identifier, d.Digests[0]) + ".tlog-proof"}
		m.keepLeft(d)
	}
	return nil
}

// takeLeft returns the statement that an earlier run has signed of a record, or nil.
func (m *importer) takeLeft(name string) *draft {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.left[name]
	delete(m.left, name)
	return d
}

func (m *importer) keepLeft(d *draft) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left[strings.TrimSuffix(d.Receipts[0], ".tlog-proof")] = d
}

func (m *importer) close() {
	if m.sending != nil {
		m.sending.close()
	}
	if m.receipts != nil {
		m.receipts.close()
	}
}

// resume carries statements that an earlier run has signed to their receipts. What cannot be
// carried there stays, and is tried again with its record.
func (m *importer) resume(ctx context.Context) error {
	var mu sync.Mutex
	n := 0
	for _, name := range sortedKeys(m.left) {
		if err := m.flight.start(ctx, name, func(ctx context.Context) error {
			d := m.takeLeft(name)
			r := m.leftover(d)
			err := m.post(ctx, r, d)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && r.Status != importPending {
				n++
			}
			return err
		}); err != nil {
			return errors.Join(err, m.flight.land())
		}
	}
	if err := m.flight.land(); err != nil {
		return err
	}
	if n > 0 {
		m.progress.End()
		fmt.Fprintf(m.e.Stderr, "trial import: %d statements of an earlier run, which did not finish, were answered now\n", n)
	}
	return nil
}

// leftover returns the record of a statement that an earlier run has signed.
func (m *importer) leftover(d *draft) *importRecord {
	o := d.statement.Predicate.(*trial.Observation)
	r := &importRecord{Status: importNew, Identifier: o.Identifier, Dated: o.Dated, SHA256: d.Digests[0], ID: d.id, File: m.sending.name,
		Record: 1, Notes: []string{"it was signed by an earlier run, which did not finish"}}
	if !o.Previous.IsZero() {
		r.Status = importChanged
	}
	return r
}

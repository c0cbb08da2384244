package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/registry"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// maxTold bounds what a follow remembers of what it has reported.
const maxTold = 100_000

// A mirror is what a follow remembers while it runs. It decides on nothing that is logged.
type mirror struct {
	json    bool
	checked bool                  // the log is the policy's
	left    bool                  // statements may be left over from before
	told    map[trial.Hash]string // status that was reported of a record, by its digest
	counts  map[string]int        // of this round, by status
	page    *registry.Page        // that is being taken
	counted map[trial.Hash]string // its records

	mu      sync.Mutex
	refused map[string]string // guarded by mu: files of statements that the log refused, by the names of their receipts
}

// round begins a round.
func (f *mirror) round() {
	f.left, f.counts, f.page = true, map[string]int{}, nil
}

func (f *mirror) total() (n int) {
	for _, c := range f.counts {
		n += c
	}
	return n
}

// refusedBefore reports whether the log refused a record before, by the file that was kept of
// it, and says so in the record. It is not sent again: nothing would be different.
func (f *mirror) refusedBefore(r *importRecord, kept string) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name, ok := f.refused[filepath.Base(kept)]
	if ok {
		r.Status, r.Reason = importRefused, fmt.Sprintf("the log refused it before: remove %s to have it sent again", name)
	}
	return ok
}

// refuse remembers that a statement was refused.
func (f *mirror) refuse(file string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused == nil {
		f.refused = map[string]string{}
	}
	stem, _, _ := strings.Cut(filepath.Base(file), ".statement")
	f.refused[stem] = file
}

// aboutRecord reports whether a refusal is about one record. Any other is about the key or the
// machine's clock: it would be the answer to every record.
func aboutRecord(r *trial.Refusal) bool {
	return r.Rule == trial.RuleMalformed || r.Rule == trial.RuleLimit || r.Rule == trial.RuleTaken
}

// take logs the records of a page. It returns nil when each has its receipt, or was refused. No
// page is begun while a statement of an earlier one waits: the log would not yet say that it is
// there, and the next version would not name it.
func (m *importer) take(ctx context.Context, p *registry.Page, where string) error {
	f := m.mirror
	now := time.Now().UTC()
	m.verifier, m.today = receipt.NewVerifier(m.policy), now.Format(time.DateOnly)
	if f.page != p {
		f.page, f.counted = p, map[trial.Hash]string{}
	}
	err := m.sameOnce(ctx)
	if err == nil {
		err = m.leftovers(ctx)
	}
	if err == nil {
		m.window, m.report = nil, nil
		for i, x := range p.Records {
			m.window = append(m.window, &importRecord{File: where, Record: i + 1, bytes: x.Bytes})
		}
		m.readAll(m.window)
		tomorrow := now.AddDate(0, 0, 1).Format(time.DateOnly)
		for _, r := range m.window {
			if r.Status == "" && max(r.Dated, r.seen) > tomorrow {
				r.Status, r.Reason = importRefused, fmt.Sprintf("it says that it is of %s, which is to come", max(r.Dated, r.seen))
			}
		}
		m.progress.Show("%s", where)
		err = errors.Join(m.flush(ctx), m.flight.land())
		err = errors.Join(err, m.tell())
	}
	switch refusal, refused := errors.AsType[*trial.Refusal](err); {
	case err == nil:
		f.add()
		return nil
	case ctx.Err() != nil || refused && !aboutRecord(refusal):
	case isInvalid(err):
		return registry.Stop{Err: err} // the log shows what it must not: asking again makes it no better
	}
	f.left = true
	return err
}

// sameOnce checks once that the log is the policy's.
func (m *importer) sameOnce(ctx context.Context) error {
	if m.mirror.checked {
		return nil
	}
	err := m.sameLog(ctx)
	m.mirror.checked = err == nil
	return err
}

// tell reports what became of a page's records, each once, and returns an error if some wait.
func (m *importer) tell() error {
	f := m.mirror
	if len(f.told) > maxTold || f.told == nil {
		f.told = map[trial.Hash]string{}
	}
	waits, unsent := 0, ""
	for _, r := range m.report {
		if r.Status == "" {
			continue // not reached
		}
		if r.waits {
			waits++
		}
		if r.unsent {
			unsent = r.Reason
		}
		if was := f.counted[r.SHA256]; was == "" || was == importPending {
			f.counted[r.SHA256] = r.Status
		}
		if r.Status == importUnchanged || f.told[r.SHA256] == r.Status {
			continue
		}
		f.told[r.SHA256] = r.Status
		m.progress.End()
		if !f.json {
			r.print(m.e.Stdout)
		} else if err := json.NewEncoder(m.e.Stdout).Encode(r); err != nil {
			return err
		}
	}
	m.report = nil
	if unsent != "" {
		return fmt.Errorf("a statement could not be kept: %s", unsent)
	}
	if waits > 0 {
		return fmt.Errorf("%w: %d records wait for witnesses", client.ErrPending, waits)
	}
	return nil
}

// add adds a page that is taken to the counts.
func (f *mirror) add() {
	for _, status := range f.counted {
		f.counts[status]++
	}
}

// leftovers carries statements that an earlier run has signed to their receipts, and remembers
// which the log has refused.
func (m *importer) leftovers(ctx context.Context) error {
	f := m.mirror
	if !f.left {
		return nil
	}
	list, err := os.ReadDir(m.out)
	if err != nil {
		return err
	}
	refused := map[string]string{}
	for _, e := range list {
		if stem, _, ok := strings.Cut(e.Name(), ".statement.refused-"); ok {
			refused[stem] = filepath.Join(m.out, e.Name())
		}
	}
	f.mu.Lock()
	f.refused = refused
	f.mu.Unlock()
	for _, name := range sortedKeys(m.left) {
		if err := m.carry(ctx, m.takeLeft(name)); err != nil {
			return err
		}
	}
	f.left = false
	return nil
}

// carry carries one statement to its receipt. One that another key has signed, from which the log
// takes nothing, is put aside, so that its record can be logged.
func (m *importer) carry(ctx context.Context, d *draft) error {
	r := m.leftover(d)
	err := m.post(ctx, r, d)
	if refusal, refused := errors.AsType[*trial.Refusal](err); refused && d.Key.ID() != m.key.Public.ID() {
		m.takeLeft(strings.TrimSuffix(d.Receipts[0], ".tlog-proof"))
		name, kerr := m.aside(d, "aside")
		if kerr != nil {
			return errors.Join(err, kerr)
		}
		m.progress.End()
		fmt.Fprintf(m.e.Stderr, "trial import: %s is signed with another key, from which the log takes nothing (%v), and is put aside as %s\n",
			frame.Printable(r.Identifier), refusal, frame.Printable(name))
		return nil
	}
	if err != nil {
		return err
	}
	m.report = []*importRecord{r}
	return m.tell()
}

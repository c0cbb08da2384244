package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"

	"github.com/trialproof/trialproof/api/client"
)

// An importReport says what became of each record, in the order of the records, as soon as that is
// known of it and of those before it. It holds only those that are on their way.
type importReport struct {
	w      io.Writer
	json   bool
	before func() // called before each writing

	list   []*importRecord
	counts map[string]int
	all    int
	listed int
}

func newImportReport(w io.Writer, json bool, before func()) *importReport {
	return &importReport{w: w, json: json, before: before, counts: map[string]int{}}
}

// add adds records, and writes those of which it is known by now.
func (p *importReport) add(list []*importRecord) error {
	p.list = append(p.list, list...)
	n := 0
	for n < len(p.list) && atomic.LoadInt32(&p.list[n].done) != 0 {
		n++
	}
	return p.write(n)
}

// write writes the first n records of the list. One that was not reached is left out.
func (p *importReport) write(n int) error {
	p.before()
	var err error
	for _, r := range p.list[:n] {
		if r.Status == "" {
			continue
		}
		p.all++
		p.counts[r.Status]++
		if !p.json {
			r.print(p.w)
			continue
		}
		data, merr := json.MarshalIndent(r, "  ", " ")
		_, werr := fmt.Fprintf(p.w, "%s  %s", p.opening(), data)
		err = errors.Join(err, merr, werr)
	}
	p.list = p.list[n:]
	return err
}

// opening returns what stands before the next record in JSON.
func (p *importReport) opening() string {
	p.listed++
	if p.listed == 1 {
		return "{\n \"list\": [\n"
	}
	return ",\n"
}

// end writes what is left and how many records have which status. failed says why there are no
// more; the JSON is whole all the same.
func (p *importReport) end(failed error) error {
	if failed != nil && !p.json {
		return failed
	}
	err := p.write(len(p.list))
	if !p.json {
		fmt.Fprintf(p.w, "records %d:%s\n", p.all, countsText(p.counts))
	} else {
		if p.listed == 0 {
			fmt.Fprint(p.w, p.opening())
		}
		counts, _ := json.MarshalIndent(p.counts, " ", " ") // texts and numbers, which always encode
		_, werr := fmt.Fprintf(p.w, "\n ],\n \"records\": %d,\n \"counts\": %s\n}\n", p.all, counts)
		err = errors.Join(err, werr)
	}
	switch {
	case failed != nil || err != nil:
		return errors.Join(failed, err)
	case p.counts[importPending] > 0:
		return fmt.Errorf("%w: %d receipts: import again to fetch them", client.ErrPending, p.counts[importPending])
	case p.counts[importRefused] > 0:
		return fmt.Errorf("%w: %d of %d records are refused", errInvalid, p.counts[importRefused], p.all)
	}
	return nil
}

// refusals says on standard error, after what would become public, what would not.
func (m *importer) refusals() error {
	n := 0
	for _, r := range m.report {
		for _, note := range r.Notes {
			fmt.Fprintf(m.e.Stderr, "%s %s record %d: %s\n", r.Status, frame.Printable(r.File), r.Record, frame.Printable(note))
		}
		if r.Status == importRefused {
			n++
			fmt.Fprintf(m.e.Stderr, "refused %s record %d: %s\n", frame.Printable(r.File), r.Record, frame.Printable(r.Reason))
		}
	}
	if n > 0 {
		return fmt.Errorf("%w: %d of %d records are refused", errInvalid, n, len(m.report))
	}
	return nil
}

// countsText says how many records have which status.
func countsText(counts map[string]int) string {
	var b strings.Builder
	for i, s := range importStatuses {
		fmt.Fprintf(&b, "%s %d %s", map[bool]string{true: ",", false: ""}[i > 0], counts[s], s)
	}
	return b.String()
}

// print says what became of a record.
func (r *importRecord) print(w io.Writer) {
	where := fmt.Sprintf("%s record %d", r.File, r.Record)
	if r.Status == importRefused {
		fmt.Fprintf(w, "refused %s: %s\n", frame.Printable(where), frame.Printable(r.Reason))
		return
	}
	fmt.Fprintf(w, "%s %s of %s sha256 %s entry %d, %s\n", r.Status, r.Identifier, dated(r.Dated), r.SHA256, r.Index,
		frame.Printable(where))
	if r.Reason != "" {
		fmt.Fprintf(w, "  %s\n", frame.Printable(r.Reason))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", frame.Printable(n))
	}
	for _, c := range r.Conflicts {
		fmt.Fprintf(w, "  conflicts with sha256 %s, which declares the same day: both stand\n", c)
	}
	for _, c := range r.Changes {
		fmt.Fprintf(w, "  %s\n", frame.Printable(c))
	}
	if r.FactsFile != "" {
		fmt.Fprintf(w, "  facts of over %d bytes: the entry has their digest, they are in %s\n", trial.MaxFacts,
			frame.Printable(r.FactsFile))
	}
	if len(r.Withheld) > 0 {
		fmt.Fprintf(w, "  withheld because they name a person or contain an address: %s\n", strings.Join(r.Withheld, ", "))
	}
}

func dated(day string) string {
	if day == "" {
		return "no declared day"
	}
	return day
}

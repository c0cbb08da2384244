package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dataset"
	"github.com/trialproof/trialproof/trial/dataset/table"
)

// tableKinds are the ends of the names of files with tables.
var tableKinds = []string{".csv", ".dsjc", ".json", ".ndjson", ".xpt"}

// A commit is what commitDataset is asked for.
type commit struct {
	secret                   datasetSecret
	typed, subject, analysis string
	lock, results, sap       string
	options                  dataset.Options
	key                      *dataset.Key
	fresh                    bool // the key is new
	extract                  dataset.Extract
	tables                   []dataset.Commitment
	names                    map[string]string // file by table
}

// commitDataset commits to all tables of an extract in one statement.
func commitDataset(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var c commit
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		c.secret.flag(fs)
		fs.StringVar(&c.typed, "trial", "", "the `trial`: its id, a number bound to it, or its sponsor's number")
		fs.StringVar(&c.subject, "subject", "USUBJID", "the `column` with the participant's id, where a table has it")
		fs.StringVar(&c.analysis, "analysis", "", "the `analysis` that used the data: primary, final, interim-1, follow-up-1")
		fs.StringVar(&c.lock, "lock", "", "`receipt` of the milestone database-lock that the data belongs to")
		fs.StringVar(&c.sap, "sap", "", "`receipt` of the statistical analysis plan")
		fs.StringVar(&c.results, "results", "", "`receipt` of the results drawn from the data")
		fs.BoolVar(&c.options.Cells, "cells", false, "chosen columns of a row can be shown later, not only whole rows; it takes longer")
		fs.BoolVar(&c.options.Private, "private", false, "nobody can guess the names of the columns")
	})
	if err != nil {
		return err
	}
	if c.typed == "" || len(names) == 0 {
		return frame.Usagef("-trial, and files with tables or a folder of them, must be given")
	}
	if names, err = tablesIn(names); err != nil {
		return err
	}
	files, err := e.finishedFiles(ctx, machine, 0, names)
	if err != nil {
		return err
	}
	p := &trial.Dataset{Analysis: c.analysis}
	if p.Trial, err = r.resolve(ctx, c.typed); err != nil {
		return err
	}
	for to, typed := range map[*trial.Hash]string{&p.Lock: c.lock, &p.Results: c.results, &p.SAP: c.sap} {
		if *to, err = r.statementOf(ctx, typed); err != nil {
			return err
		}
	}
	if err := c.open(); err != nil {
		return err
	}
	progress := e.Progress("committing to")
	defer progress.End()
	for _, f := range files {
		if isDefine(f.name) {
			continue
		}
		if err := c.table(ctx, e, f.name, progress); err != nil {
			c.abandon()
			return err
		}
	}
	progress.End()
	if len(c.tables) == 0 {
		return frame.Usagef("no file has a table: their names end in %s", strings.Join(tableKinds, ", "))
	}
	slices.SortFunc(c.tables, func(a, b dataset.Commitment) int { return strings.Compare(a.Name, b.Name) })
	if c.fresh && !how.dry {
		if err := durable.Create(c.secret.name, c.key.Marshal(), 0o600); err != nil { // before anything is sent
			c.abandon()
			return err
		}
	}
	o := new(trial.Openings)
	p.Common, p.Tables = r.common("author", o), c.tables
	id, err := r.send(ctx, e, how, &trial.Statement{Predicate: p, Subjects: subjects("dataset", files, true, o)}, o, files)
	// What was refused, or never sent, leaves nothing behind: it is committed to anew.
	if _, usage := errors.AsType[frame.UsageError](err); how.dry || usage || trial.RuleOf(err) != "" {
		c.abandon()
	}
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s, and the index beside each table, are all that can show rows later: keep them as secret as the data\n",
		c.secret.name)
	fmt.Fprintln(e.Stdout, id)
	return nil
}

// tablesIn returns the files that are named, and those of folders that are: tables first, then
// define.xml.
func tablesIn(names []string) (files []string, err error) {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, frame.AsUsage(err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		list, err := os.ReadDir(name)
		if err != nil {
			return nil, frame.AsUsage(err)
		}
		for _, x := range list {
			if slices.Contains(tableKinds, strings.ToLower(filepath.Ext(x.Name()))) || isDefine(x.Name()) {
				files = append(files, filepath.Join(name, x.Name()))
			}
		}
	}
	slices.SortStableFunc(files, func(a, b string) int {
		switch x, y := isDefine(a), isDefine(b); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	if len(files) == 0 {
		return nil, frame.Usagef("no file has a table: their names end in %s", strings.Join(tableKinds, ", "))
	}
	return files, nil
}

// isDefine reports whether a file describes tables: its digest is part of the statement.
func isDefine(name string) bool {
	base := strings.ToLower(filepath.Base(name))
	return strings.HasPrefix(base, "define") && strings.HasSuffix(base, ".xml")
}

// open reads the key, or makes one, which is not written yet, and draws the name of the extract.
func (c *commit) open() (err error) {
	c.names = map[string]string{}
	if c.extract, err = dataset.NewExtract(rand.Reader); err != nil {
		return err
	}
	if _, err := os.Lstat(c.secret.name); !errors.Is(err, fs.ErrNotExist) {
		c.key, err = c.secret.read()
		return err
	}
	c.fresh = true
	c.key, err = dataset.NewKey(rand.Reader)
	return err
}

// table commits to one table, and writes its index beside it.
func (c *commit) table(ctx context.Context, e *env, name string, progress *frame.Progress) error {
	index := name + ".index"
	if _, err := os.Lstat(index); err == nil {
		return frame.Usagef("%s is there already and is never overwritten: a table is committed to once", index)
	}
	t, err := openTable(name)
	if err != nil {
		return err
	}
	defer t.close()
	x := t.Table()
	h := dataset.Header{Name: x.Name, Extract: c.extract, Subject: -1}
	for i, column := range x.Columns {
		h.Columns = append(h.Columns, describeColumn(column))
		if column.Name == c.subject {
			h.Subject = i
		}
	}
	if h.Name == "" {
		h.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	if other := c.names[h.Name]; other != "" {
		return frame.Usagef("%s and %s are both of the table %s: commit to one of them", other, name, h.Name)
	}
	out, err := os.OpenFile(index, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return frame.AsUsage(err)
	}
	c.names[h.Name] = name
	w := bufio.NewWriterSize(out, 1<<20)
	options := c.options
	options.Index = w
	commitment, err := c.rows(ctx, t, h, options, func(n int) { progress.Show("%s, row %d", name, n) })
	err = errors.Join(err, w.Flush(), out.Sync(), out.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, note := range x.Notes {
		fmt.Fprintf(e.Stderr, "%s: %s\n", name, frame.Printable(note))
	}
	c.tables = append(c.tables, *commitment)
	return nil
}

func (c *commit) rows(ctx context.Context, t table.Reader, h dataset.Header, o dataset.Options,
	told func(int)) (*dataset.Commitment, error) {
	b, err := dataset.NewBuilder(c.key, h, o)
	if err != nil {
		return nil, err
	}
	var memory []byte
	var row [][]byte
	for n := 1; ; n++ {
		values, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, frame.AsUsage(err)
		}
		row = cells(&memory, row, values, h.Subject)
		if err := b.Add(row); err != nil {
			return nil, err
		}
		if n%100_000 == 0 {
			told(n)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	commitment, _, err := b.Finish()
	return commitment, err
}

// abandon removes the indexes of a commitment that did not come about.
func (c *commit) abandon() {
	for _, name := range c.names {
		os.Remove(name + ".index")
	}
}

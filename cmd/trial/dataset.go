package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dataset"
	"github.com/trialproof/trialproof/trial/dataset/table"
	"github.com/trialproof/trialproof/trial/receipt"
)

// datasetCommand commits to tables, and shows rows of them.
func datasetCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"commit", commitDataset}, verb{"disclose", discloseDataset}, verb{"verify", verifyDataset},
		verb{"equal", equalTables}, verb{"diff", diffTables})
}

// A tableFile is a file with a table that is read.
type tableFile struct {
	table.Reader
	file   *os.File
	source *bufio.Reader
}

func openTable(name string) (*tableFile, error) {
	if _, err := regular(name); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	t := &tableFile{file: f, source: bufio.NewReaderSize(f, 1<<20)}
	if t.Reader, err = table.Open(name, t.source); err != nil {
		f.Close()
		return nil, frame.Usagef("%s: %w", name, err)
	}
	return t, nil
}

func (t *tableFile) close() { t.file.Close() }

// describeColumn returns the description of a column to which a commitment commits.
func describeColumn(c table.Column) string {
	if c.Numeric() {
		return c.Name + "\nnumber"
	}
	return c.Name + "\ntext"
}

// nameOfColumn is the inverse of describeColumn.
func nameOfColumn(description string) string {
	name, _, _ := strings.Cut(description, "\n")
	return name
}

// cells returns the canonical cells of a row, with an empty one for a participant that is missing. They
// are good until the next call with the same memory.
func cells(memory *[]byte, to [][]byte, row []table.Value, subject int) [][]byte {
	*memory, to = (*memory)[:0], to[:0]
	var ends []int
	for _, v := range row {
		*memory = table.AppendCell(*memory, v)
		ends = append(ends, len(*memory))
	}
	at := 0
	for _, end := range ends {
		to = append(to, (*memory)[at:end:end])
		at = end
	}
	if subject >= 0 && row[subject].Kind == table.Missing {
		to[subject] = nil
	}
	return to
}

// A shownRows is a file that shows rows of a dataset to others: complete in itself, with the receipt of
// the statement that commits to it.
type shownRows struct {
	Disclosure json.RawMessage `json:"disclosure"`
	Receipt    string          `json:"receipt"`
	Type       string          `json:"type"`
}

const shownRowsType = "trialproof/dataset/shown/v1"

// verifyDataset checks a file that shows rows, offline.
func verifyDataset(ctx context.Context, e *env, args []string) error {
	var policyFile string
	fs := e.Flags()
	policyFlag(fs, &policyFile)
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one file that trial dataset disclose wrote must be given")
	}
	p, err := e.trustedPolicy(&policyFile)
	if err != nil {
		return err
	}
	data, err := readAtMost(rest[0], maxLarge)
	if err != nil {
		return err
	}
	var x shownRows
	if err := json.Unmarshal(data, &x); err != nil || x.Type != shownRowsType {
		return frame.Usagef("%s is no file that trial dataset disclose wrote", rest[0])
	}
	v, err := receipt.Verify(p, []byte(x.Receipt))
	if err != nil {
		return err
	}
	_, st := v.Entry.Statement.Effective()
	said, ok := st.Predicate.(*trial.Dataset)
	if !ok {
		return fmt.Errorf("%w: the receipt is of a %s, not of a dataset", errInvalid, st.Predicate.Kind())
	}
	d, err := dataset.ParseDisclosure(append(x.Disclosure, '\n'))
	if err != nil {
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	for i := range said.Tables {
		c := &said.Tables[i]
		if c.ID() != d.Dataset {
			continue
		}
		if err := d.Verify(c); err != nil {
			return fmt.Errorf("%w: %w", errInvalid, err)
		}
		e.printRows(c, d)
		fmt.Fprintf(e.Stdout, "valid: these rows stand so in table %s of what was logged:\n%s", frame.Printable(c.Name), v.Details())
		fmt.Fprintln(e.Stdout, "That the table is what the trial found, or what an analysis used, is its signer's word.")
		return nil
	}
	return fmt.Errorf("%w: the rows are of a dataset that this statement does not commit to", errInvalid)
}

// printRows shows rows for people, each value with its column.
func (e *env) printRows(c *dataset.Commitment, d *dataset.Disclosure) {
	for _, row := range d.Rows {
		if !row.Shown() {
			fmt.Fprintf(e.Stdout, "row %d of %d: erased\n", row.Row+1, c.RowCount)
			continue
		}
		fmt.Fprintf(e.Stdout, "row %d of %d\n", row.Row+1, c.RowCount)
		for i, cell := range row.Cells {
			text := "(missing .)"
			if v, err := table.ParseCell(cell.Value); err == nil {
				text = v.Text
				if v.Kind == table.Missing {
					text = "(missing " + string(v.Missing) + ")"
				}
			}
			name := fmt.Sprintf("column %d", i+1)
			if i < len(d.Columns) {
				name = nameOfColumn(d.Columns[i].Text)
			}
			fmt.Fprintf(e.Stdout, "  %s: %s\n", frame.Printable(name), frame.Printable(text))
		}
	}
}

// equalTables says whether two files have the same rows in the same order, in whatever format.
func equalTables(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return frame.Usagef("two files with a table each must be given")
	}
	var list [2]*tableFile
	for i, name := range rest {
		if list[i], err = openTable(name); err != nil {
			return err
		}
		defer list[i].close()
	}
	a, b := list[0].Table(), list[1].Table()
	names := func(t *table.Table) (out []string) {
		for _, c := range t.Columns {
			out = append(out, c.Name)
		}
		return out
	}
	if !slices.Equal(names(a), names(b)) {
		return negative{fmt.Errorf("the columns differ: %s, and %s", strings.Join(names(a), " "), strings.Join(names(b), " "))}
	}
	differ := map[string]int{}
	rows := 0
	for ; ctx.Err() == nil; rows++ {
		x, errA := list[0].Next()
		y, errB := list[1].Next()
		if errA == io.EOF && errB == io.EOF {
			break
		}
		for i, err := range []error{errA, errB} {
			if err != nil && err != io.EOF {
				return frame.Usagef("%s: %w", rest[i], err)
			}
		}
		if errA != errB {
			return negative{fmt.Errorf("one has %d rows, the other has more", rows)}
		}
		for i := range x {
			if x[i] != y[i] {
				differ[a.Columns[i].Name]++
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, t := range []*table.Table{a, b} {
		for _, note := range t.Notes {
			fmt.Fprintf(e.Stderr, "%s: %s\n", rest[i], frame.Printable(note))
		}
	}
	if len(differ) > 0 {
		var parts []string
		for _, name := range sortedKeys(differ) {
			parts = append(parts, fmt.Sprintf("%s in %s", name, trial.Count(differ[name], "row", "rows")))
		}
		return negative{errors.New("they differ: " + strings.Join(parts, ", "))}
	}
	fmt.Fprintf(e.Stdout, "equal: %d rows of %d columns\n", rows, len(a.Columns))
	return nil
}

// A datasetSecret is the file with the key of datasets.
type datasetSecret struct{ name string }

func (s *datasetSecret) flag(fs *flag.FlagSet) {
	fs.StringVar(&s.name, "secret", "dataset.key", "`file` with the key of your datasets, made if it is not there: without it nothing can be shown, "+
		"and with it everything can")
}

func (s *datasetSecret) read() (*dataset.Key, error) {
	data, err := readAtMost(s.name, 1<<30)
	if err != nil {
		return nil, err
	}
	k, err := dataset.ParseKey(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", s.name, err)
	}
	return k, nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/dataset"
	"github.com/trialproof/trialproof/trial/dataset/table"
)

// discloseDataset writes a file that shows one row, or all rows of a participant, to somebody else.
func discloseDataset(ctx context.Context, e *env, args []string) error {
	var secret datasetSecret
	var row uint64
	var subject, columns, out, proof string
	fs := e.Flags()
	secret.flag(fs)
	fs.Uint64Var(&row, "row", 0, "`number` of the row, from 1")
	fs.StringVar(&subject, "subject", "", "all rows of this participant, by the `id` in the table")
	fs.StringVar(&columns, "columns", "", "show only these `columns`, with commas; the table must have been committed to with -cells")
	fs.StringVar(&proof, "proof", "", "`receipt` of the dataset; default: the file's name with .tlog-proof behind it")
	fs.StringVar(&out, "o", "", "the `file` to write; never over another")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || out == "" || (row == 0) == (subject == "") {
		return frame.Usagef("-row or -subject, -o FILE and one file with a table must be given")
	}
	key, err := secret.read()
	if err != nil {
		return err
	}
	if proof == "" {
		proof = rest[0] + ".tlog-proof"
	}
	r, err := readReceipt(proof)
	if err != nil {
		return err
	}
	f, err := os.Open(rest[0] + ".index")
	if err != nil {
		return frame.Usagef("%w: trial dataset commit writes it beside the table", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	ix, err := dataset.OpenIndex(f, info.Size())
	if err != nil {
		return frame.Usagef("%s.index: %w", rest[0], err)
	}
	chosen, err := columnsOf(ix, columns)
	if err != nil {
		return err
	}
	d, err := e.disclosure(ix, key, rest[0], row, subject, chosen)
	if err != nil {
		return err
	}
	text, err := d.Marshal()
	if err != nil {
		return err
	}
	data, err := json.Marshal(shownRows{Disclosure: bytes.TrimSuffix(text, []byte("\n")), Receipt: string(r), Type: shownRowsType})
	if err != nil {
		return err
	}
	if err := writeNew(out, append(data, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "whoever has %s can check it with trial dataset verify: it shows what you chose, and of other rows only hashes that "+
		"nobody can guess\n", out)
	fmt.Fprintln(e.Stdout, out)
	return nil
}

// columnsOf returns the places of columns that were typed, nil for all.
func columnsOf(ix *dataset.Index, typed string) (list []int, err error) {
	if typed == "" {
		return nil, nil
	}
	if !ix.Commitment().Cells {
		return nil, frame.Usagef("this table was committed to without -cells: a row can be shown whole, and not by columns")
	}
	var names []string
	for _, d := range ix.Columns() {
		names = append(names, nameOfColumn(d))
	}
	for _, name := range strings.Split(typed, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, frame.Usagef("there is no column %q; there are %s", name, strings.Join(names, ", "))
		}
		list = append(list, i)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// disclosure reads the rows that are shown from the table's file.
func (e *env) disclosure(ix *dataset.Index, key *dataset.Key, name string, row uint64, subject string,
	columns []int) (*dataset.Disclosure, error) {
	c := ix.Commitment()
	if subject == "" {
		if row > c.RowCount {
			return nil, frame.Usagef("the table has %d rows", c.RowCount)
		}
		found, err := e.rowsOf(name, c.Subject, []uint64{row - 1})
		if err != nil {
			return nil, err
		}
		d, err := ix.Disclose(key, []dataset.RowCells{{Row: row - 1, Cells: found[row-1]}}, columns)
		return d, wrongTable(name, err)
	}
	if c.Subject < 0 {
		return nil, frame.Usagef("the table was committed to without a column of participants")
	}
	id := table.AppendCell(nil, table.Value{Kind: table.Text, Text: strings.TrimRight(subject, " ")})
	token, err := key.Token(id)
	if err != nil {
		return nil, err
	}
	numbers, err := ix.Rows(c.Handle(token))
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, frame.Usagef("the table has no row of the participant %q", subject)
	}
	found, err := e.rowsOf(name, c.Subject, numbers)
	if err != nil {
		return nil, err
	}
	d, err := ix.DiscloseSubject(key, id, dataset.ShowID, func(n uint64) ([][]byte, error) { return found[n], nil }, columns)
	return d, wrongTable(name, err)
}

func wrongTable(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s is not what was committed to, or its row was erased: %w", name, err)
}

// rowsOf reads the cells of rows, which are counted from 0 and sorted.
func (e *env) rowsOf(name string, subject int, numbers []uint64) (map[uint64][][]byte, error) {
	t, err := openTable(name)
	if err != nil {
		return nil, err
	}
	defer t.close()
	found := map[uint64][][]byte{}
	last := numbers[len(numbers)-1]
	progress := e.Progress("reading")
	defer progress.End()
	for n := uint64(0); n <= last; n++ {
		values, err := t.Next()
		if err == io.EOF {
			return nil, frame.Usagef("%s has only %d rows now: it is not what was committed to", name, n)
		}
		if err != nil {
			return nil, frame.Usagef("%s: %w", name, err)
		}
		if _, wanted := slices.BinarySearch(numbers, n); wanted {
			var memory []byte
			found[n] = cells(&memory, nil, values, subject)
		}
		if n%100_000 == 0 {
			progress.Show("row %d", n)
		}
	}
	return found, nil
}

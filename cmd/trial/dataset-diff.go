package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dataset/table"
)

// shownDifferences is how many of each sort a comparison names.
const shownDifferences = 20

// A rowHash stands for the values of a row's columns.
type rowHash [16]byte

// A tableDiff compares two extracts of a table. The order of rows does not count.
type tableDiff struct {
	names    [2]string
	by       []string // columns that name a row; none: rows are compared whole
	subject  string   // the column with the participant
	common   []string // columns that both have
	rows     [2]map[rowHash][]placed
	subjects [2]map[string]int // rows of each participant
	read     [2]int
	order    [2]rowHash // of all rows in order
}

// A placed is a row by its number, from 0, and the hash of all its common columns.
type placed struct {
	row  int
	hash rowHash
}

// diffTables says what changed from one extract of a table to another.
func diffTables(ctx context.Context, e *env, args []string) error {
	d := &tableDiff{}
	var by string
	fs := e.Flags()
	fs.StringVar(&by, "by", "", "`columns` that together name a row, with commas, such as USUBJID,AESEQ; default: what the file says, or rows "+
		"are compared whole")
	fs.StringVar(&d.subject, "subject", "USUBJID", "the `column` with the participant's id")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return frame.Usagef("two files with a table each must be given: the old and the new one")
	}
	d.names = [2]string(rest)
	if err := d.columns(e, by); err != nil {
		return err
	}
	progress := e.Progress("reading")
	defer progress.End()
	for side := range rest {
		if err := d.side(ctx, side, func(n int) { progress.Show("%s, row %d", rest[side], n) }); err != nil {
			return err
		}
	}
	progress.End()
	return d.tell(e)
}

// columns finds the columns that both tables have, and says which only one has.
func (d *tableDiff) columns(e *env, by string) error {
	var has [2][]string
	var keys []string
	for side, name := range d.names {
		t, err := openTable(name)
		if err != nil {
			return err
		}
		for _, c := range t.Table().Columns {
			has[side] = append(has[side], c.Name)
		}
		if side == 0 {
			for _, i := range t.Table().Keys() {
				keys = append(keys, t.Table().Columns[i].Name)
			}
		}
		t.close()
	}
	for _, name := range has[0] {
		if slices.Contains(has[1], name) {
			d.common = append(d.common, name)
		} else {
			fmt.Fprintf(e.Stdout, "column %s is gone, or has another name\n", frame.Printable(name))
		}
	}
	for _, name := range has[1] {
		if !slices.Contains(has[0], name) {
			fmt.Fprintf(e.Stdout, "column %s is new, or had another name\n", frame.Printable(name))
		}
	}
	if len(d.common) == 0 {
		return frame.Usagef("the two tables have no column in common")
	}
	d.by = keys
	if by != "" {
		d.by = strings.Split(by, ",")
	}
	for _, name := range d.by {
		if !slices.Contains(d.common, name) {
			if by == "" { // the file's own key does not fit both
				d.by = nil
				break
			}
			return frame.Usagef("-by names %s, which is not a column of both", name)
		}
	}
	return nil
}

// side reads one table.
func (d *tableDiff) side(ctx context.Context, side int, told func(int)) error {
	d.rows[side], d.subjects[side] = map[rowHash][]placed{}, map[string]int{}
	order := sha256.New()
	err := d.each(ctx, side, func(n int, values map[string]table.Value) {
		hash := rowHashOf(d.common, values)
		key := hash
		if len(d.by) > 0 {
			key = rowHashOf(d.by, values)
		}
		d.rows[side][key] = append(d.rows[side][key], placed{n, hash})
		if v, ok := values[d.subject]; ok {
			d.subjects[side][v.Text]++
		}
		order.Write(hash[:])
		d.read[side] = n + 1
		if n%100_000 == 0 {
			told(n)
		}
	})
	copy(d.order[side][:], order.Sum(nil))
	return err
}

// each calls f with each row of a table; the map is used again.
func (d *tableDiff) each(ctx context.Context, side int, f func(n int, values map[string]table.Value)) error {
	t, err := openTable(d.names[side])
	if err != nil {
		return err
	}
	defer t.close()
	columns, values := t.Table().Columns, map[string]table.Value{}
	for n := 0; ctx.Err() == nil; n++ {
		row, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return frame.Usagef("%s: %w", d.names[side], err)
		}
		for i, v := range row {
			values[columns[i].Name] = v
		}
		f(n, values)
	}
	return ctx.Err()
}

func rowHashOf(names []string, values map[string]table.Value) (h rowHash) {
	var b []byte
	for _, name := range names {
		cell := table.AppendCell(nil, values[name])
		b = fmt.Appendf(b, "%d:", len(cell))
		b = append(b, cell...)
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

// tell prints what changed.
func (d *tableDiff) tell(e *env) error {
	differ := 0
	say := func(n int, one, many string, names []string) {
		if n == 0 {
			return
		}
		differ += n
		more := ""
		if len(names) < n {
			more = " and others"
		}
		fmt.Fprintf(e.Stdout, "%s: %s%s\n", trial.Count(n, one, many), frame.Printable(strings.Join(names, ", ")), more)
	}
	var gone, fresh []string
	for id := range d.subjects[0] {
		if d.subjects[1][id] == 0 {
			gone = append(gone, id)
		}
	}
	for id := range d.subjects[1] {
		if d.subjects[0][id] == 0 {
			fresh = append(fresh, id)
		}
	}
	slices.Sort(gone)
	slices.Sort(fresh)
	say(len(gone), "participant is gone", "participants are gone", gone[:min(len(gone), shownDifferences)])
	say(len(fresh), "participant is new", "participants are new", fresh[:min(len(fresh), shownDifferences)])
	removed, added, changed := d.rowsThatDiffer()
	say(len(removed), "row is gone, in the old file", "rows are gone, in the old file", numbersOf(removed))
	say(len(added), "row is new, in the new file", "rows are new, in the new file", numbersOf(added))
	if len(changed) > 0 {
		columns, err := d.changedColumns(changed)
		if err != nil {
			return err
		}
		say(len(changed), "row has changed", "rows have changed", columns)
	}
	if differ == 0 {
		order := ""
		if d.order[0] != d.order[1] {
			order = ", in another order"
		}
		fmt.Fprintf(e.Stdout, "no difference in %d rows of the %d columns that both have%s\n", d.read[0], len(d.common), order)
		return nil
	}
	return negative{errors.New("the tables differ")}
}

func numbersOf(rows []int) (list []string) {
	for _, n := range rows[:min(len(rows), shownDifferences)] {
		list = append(list, fmt.Sprintf("row %d", n+1))
	}
	return list
}

// rowsThatDiffer returns the rows of the old table that the new one lacks, those that it has besides,
// and the pairs of old and new rows with one key and other values. Rows that occur several times are
// counted.
func (d *tableDiff) rowsThatDiffer() (removed, added []int, changed [][2]int) {
	keys := map[rowHash]bool{}
	for side := range d.rows {
		for key := range d.rows[side] {
			keys[key] = true
		}
	}
	for key := range maps.Keys(keys) {
		old, now := slices.Clone(d.rows[0][key]), slices.Clone(d.rows[1][key])
		for i := 0; i < len(old); i++ { // equal rows are no difference
			if j := slices.IndexFunc(now, func(x placed) bool { return x.hash == old[i].hash }); j >= 0 {
				old, now = slices.Delete(old, i, i+1), slices.Delete(now, j, j+1)
				i--
			}
		}
		for len(old) > 0 && len(now) > 0 {
			changed = append(changed, [2]int{old[0].row, now[0].row})
			old, now = old[1:], now[1:]
		}
		for _, x := range old {
			removed = append(removed, x.row)
		}
		for _, x := range now {
			added = append(added, x.row)
		}
	}
	slices.Sort(removed)
	slices.Sort(added)
	slices.SortFunc(changed, func(a, b [2]int) int { return a[0] - b[0] })
	return removed, added, changed
}

// changedColumns names the columns of the first changed rows, which are read again.
func (d *tableDiff) changedColumns(changed [][2]int) (list []string, err error) {
	changed = changed[:min(len(changed), shownDifferences)]
	var found [2]map[int]map[string]table.Value
	for side := range found {
		found[side] = map[int]map[string]table.Value{}
		wanted := map[int]bool{}
		for _, pair := range changed {
			wanted[pair[side]] = true
		}
		if err := d.each(context.Background(), side, func(n int, values map[string]table.Value) {
			if wanted[n] {
				found[side][n] = maps.Clone(values)
			}
		}); err != nil {
			return nil, err
		}
	}
	for _, pair := range changed {
		var columns []string
		for _, name := range d.common {
			if found[0][pair[0]][name] != found[1][pair[1]][name] {
				columns = append(columns, name)
			}
		}
		list = append(list, fmt.Sprintf("row %d (%s)", pair[1]+1, strings.Join(columns, " ")))
	}
	return list, nil
}

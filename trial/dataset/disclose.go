package dataset

import (
	"errors"
	"fmt"
	"slices"
)

// A RowCells is a row to disclose: its number, counted from 0, and all its cells as they were
// added.
type RowCells struct {
	Row   uint64
	Cells [][]byte
}

// Disclose shows rows, in any order, and of them the columns, counted from 0, or all if columns is
// nil. Without trees of cells rows are shown whole. What it returns is verified.
func (ix *Index) Disclose(k *Key, rows []RowCells, columns []int) (*Disclosure, error) {
	d, err := ix.begin(k, columns)
	if err != nil {
		return nil, err
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b RowCells) int {
		if a.Row < b.Row {
			return -1
		}
		return int(flag(a.Row > b.Row))
	})
	for _, r := range rows {
		if r.Row >= ix.c.RowCount {
			return nil, ix.noRow(r.Row)
		}
		shown, err := ix.show(k, d, r)
		if err != nil {
			return nil, fmt.Errorf("disclose row %d of %s: %w", r.Row, ix.c.Name, err)
		}
		d.Rows = append(d.Rows, shown)
	}
	return ix.end(d)
}

// DiscloseSubject shows a subject and all its rows. It calls read for the cells of each row. Of
// rows that were erased it shows the leaf hash. The rest is as for Disclose.
func (ix *Index) DiscloseSubject(k *Key, id []byte, show Show, read func(row uint64) ([][]byte, error),
	columns []int) (*Disclosure, error) {
	d, err := ix.begin(k, columns)
	if err != nil {
		return nil, err
	}
	p, err := ix.ProveSubject(k, id, show)
	if err != nil {
		return nil, err
	}
	if p.At == nil {
		return nil, ix.noSubject()
	}
	pos, ok, err := ix.find(p.At.Handle)
	if err != nil {
		return nil, err
	}
	if present, _ := p.Verify(&ix.c); !present || !ok {
		return nil, ix.noSubject()
	}
	d.Subject = p
	if d.SubjectSalt, err = k.seed(ix.c.path().branch(branchSubjects).then(pos, subjectBits)); err != nil {
		return nil, fmt.Errorf("disclose the subject: %w", err)
	}
	rows, err := ix.rowsAt(pos)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		shown := Row{Row: row}
		if _, err := k.seed(ix.rowPath(row)); err != nil {
			if shown.Leaf, _, _, err = ix.record(row); err != nil {
				return nil, err
			}
			d.Rows = append(d.Rows, shown)
			continue
		}
		cells, err := read(row)
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", row, err)
		}
		if shown, err = ix.show(k, d, RowCells{row, cells}); err != nil {
			return nil, fmt.Errorf("disclose row %d of %s: %w", row, ix.c.Name, err)
		}
		d.Rows = append(d.Rows, shown)
	}
	if !slices.ContainsFunc(d.Rows, func(r Row) bool { return r.Shown() }) {
		return nil, fmt.Errorf("disclose the subject: all its %d rows were erased from this key", len(d.Rows))
	}
	return ix.end(d)
}

func (ix *Index) noSubject() error { return fmt.Errorf("%s does not have the subject", ix.c.Name) }

func (ix *Index) rowPath(row uint64) path { return ix.c.path().branch(branchRows).then(row, rowBits) }

// begin returns a disclosure that has the columns alone.
func (ix *Index) begin(k *Key, columns []int) (*Disclosure, error) {
	if columns == nil {
		for i := range ix.c.Columns {
			columns = append(columns, i)
		}
	}
	columns = slices.Clone(columns)
	slices.Sort(columns)
	columns = slices.Compact(columns)
	if len(columns) == 0 || columns[0] < 0 || columns[len(columns)-1] >= ix.c.Columns {
		return nil, fmt.Errorf("choose columns from 0 to %d", ix.c.Columns-1)
	}
	if !ix.c.Cells && len(columns) < ix.c.Columns {
		return nil, fmt.Errorf("%s was committed without trees of cells: its rows are shown whole or not at all", ix.c.Name)
	}
	d := &Disclosure{Dataset: ix.c.ID(), HeaderProof: []Hash{}, RowProof: []Hash{}, Type: disclosureType}
	places := make([]uint64, len(columns))
	for i, col := range columns {
		salt, err := k.columnSalt(&ix.c, col)
		if err != nil {
			return nil, fmt.Errorf("disclose column %d of %s: %w", col, ix.c.Name, err)
		}
		d.Columns = append(d.Columns, Column{col, salt, ix.columns[col]})
		places[i] = uint64(col)
	}
	leaves, err := k.columnLeaves(&ix.c, ix.columns)
	if err != nil {
		return nil, err
	}
	proof, err := prove(uint64(ix.c.Columns), places, subOf(leaves))
	d.HeaderProof = append(d.HeaderProof, proof...)
	return d, err
}

// show returns a row with the cells of the disclosure's columns and their salts.
func (ix *Index) show(k *Key, d *Disclosure, r RowCells) (Row, error) {
	c := &ix.c
	if len(r.Cells) != c.Columns {
		return Row{}, fmt.Errorf("it has %d cells; the header has %d columns", len(r.Cells), c.Columns)
	}
	seed, err := k.seed(ix.rowPath(r.Row))
	if err != nil {
		return Row{}, err
	}
	x := c.contexts()
	out := Row{Row: r.Row}
	var leaf Hash
	if !c.Cells {
		out.Salt = seed
		for _, cell := range r.Cells {
			out.Cells = append(out.Cells, Cell{Value: Value(cell)})
		}
		leaf = x.rowLeaf(&seed, r.Row, r.Cells)
	} else {
		var w walker
		w.reset(seed, columnBits(c.Columns))
		leaves := make([]Hash, c.Columns)
		salts := make([]Hash, c.Columns)
		for i, cell := range r.Cells {
			salts[i] = *w.leaf(uint64(i))
			leaves[i] = x.cellLeaf(&salts[i], r.Row, i, cell)
		}
		places := make([]uint64, len(d.Columns))
		for i, col := range d.Columns {
			places[i] = uint64(col.Column)
			out.Cells = append(out.Cells, Cell{salts[col.Column], Value(r.Cells[col.Column])})
		}
		if out.Proof, err = prove(uint64(c.Columns), places, subOf(leaves)); err != nil {
			return Row{}, err
		}
		root := treeRoot(leaves)
		leaf = x.cellsLeaf(&root, r.Row)
	}
	if known, _, _, err := ix.record(r.Row); err != nil {
		return Row{}, err
	} else if known != leaf {
		return Row{}, errors.New("these are not the cells that were committed, or it is not the key they were committed under")
	}
	return out, nil
}

// end adds the proof of the rows and verifies all.
func (ix *Index) end(d *Disclosure) (*Disclosure, error) {
	if len(d.Rows) == 0 {
		return nil, errors.New("choose at least one row")
	}
	places := make([]uint64, len(d.Rows))
	for i := range d.Rows {
		places[i] = d.Rows[i].Row
	}
	proof, err := prove(ix.c.RowCount, slices.Compact(places), ix.rowsRoot)
	if err != nil {
		return nil, err
	}
	d.RowProof = append(d.RowProof, proof...)
	if err := d.Verify(&ix.c); err != nil {
		return nil, fmt.Errorf("the index is damaged, or a row was given twice: %w", err)
	}
	return d, nil
}

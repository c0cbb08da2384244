package dataset

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A Disclosure shows rows of a dataset, all or chosen columns of them, or a subject with all its
// rows. It is JSON, complete in itself, and is verified with the commitment that was logged.
// Rows and columns are counted from 0. It must not be trusted before Verify.
type Disclosure struct {
	Columns     []Column      `json:"columns"` // that are shown, in order
	Dataset     Hash          `json:"dataset"` // ID of the commitment
	HeaderProof []Hash        `json:"headerProof"`
	RowProof    []Hash        `json:"rowProof"`
	Rows        []Row         `json:"rows"` // in order
	Subject     *SubjectProof `json:"subject,omitempty"`
	SubjectSalt Hash          `json:"subjectSalt,omitzero"` // with Subject: Rows are all the rows of it
	Type        string        `json:"type"`                 // disclosureType
}

// A Column is the description of a column.
type Column struct {
	Column int    `json:"column"`
	Salt   Hash   `json:"salt,omitzero"` // if descriptions are private
	Text   string `json:"text"`
}

// A Row is a row that is shown, or of which only the leaf hash is.
type Row struct {
	Cells []Cell `json:"cells,omitempty"` // one for each of the Columns
	Leaf  Hash   `json:"leaf,omitzero"`   // of a row that is not shown
	Proof []Hash `json:"proof,omitempty"` // of the cells that are not shown
	Row   uint64 `json:"row"`
	Salt  Hash   `json:"salt,omitzero"` // of the row, if it has no tree of cells
}

// Shown reports whether the row's cells are there.
func (r *Row) Shown() bool { return len(r.Cells) > 0 }

// A Cell is a cell that is shown.
type Cell struct {
	Salt  Hash  `json:"salt,omitzero"` // if the row has a tree of cells
	Value Value `json:"value"`
}

// A Value is a string in JSON if it is UTF-8, and otherwise an array with one string, base64.
type Value []byte

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	if utf8.Valid(v) {
		return encode(string(v))
	}
	return encode([]string{base64.StdEncoding.EncodeToString(v)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("[")) {
		var s string
		err := decode(data, &s)
		*v = Value(s)
		return err
	}
	var s []string
	if err := decode(data, &s); err != nil || len(s) != 1 {
		return errors.New("a value is a string, or an array with one")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s[0])
	if err != nil || utf8.Valid(b) {
		return errors.New("a value in an array is base64 of what is not UTF-8")
	}
	*v = b
	return nil
}

const disclosureType = "trialproof/dataset/disclosure/v1"

// MaxDisclosure bounds the bytes of a disclosure.
const MaxDisclosure = 1 << 27

// Marshal returns the disclosure in canonical JSON (RFC 8785) and a line feed.
func (d *Disclosure) Marshal() ([]byte, error) { return marshal(d) }

func marshal(v any) ([]byte, error) {
	data, err := encode(v)
	return append(data, '\n'), err
}

// unmarshal parses exactly what marshal returns.
func unmarshal(data []byte, v any) error {
	if len(data) > MaxDisclosure {
		return fmt.Errorf("%d bytes; the most is %d", len(data), MaxDisclosure)
	}
	text, ok := bytes.CutSuffix(data, []byte("\n"))
	if !ok {
		return errors.New("it does not end with a line feed: it was cut off")
	}
	return decode(text, v)
}

// ParseDisclosure parses exactly what Marshal returns. Nothing in it is verified yet.
func ParseDisclosure(data []byte) (*Disclosure, error) {
	d := new(Disclosure)
	if err := unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("disclosure of a dataset: %w", err)
	}
	if d.Type != disclosureType || d.Columns == nil || d.HeaderProof == nil || d.RowProof == nil || d.Rows == nil ||
		d.Subject != nil && d.Subject.Siblings == nil {
		return nil, errors.New("it is not a disclosure of a dataset")
	}
	return d, nil
}

// Verify checks all that the disclosure shows against the commitment that was logged.
func (d *Disclosure) Verify(c *Commitment) error {
	if err := d.verify(c); err != nil {
		return fmt.Errorf("the disclosure does not hold for %s: %w", c.Name, err)
	}
	return nil
}

func (d *Disclosure) verify(c *Commitment) error {
	if err := c.Check(); err != nil {
		return err
	}
	if d.Type != disclosureType || d.Dataset != c.ID() {
		return errors.New("it is of another dataset")
	}
	columns, err := d.verifyColumns(c)
	if err != nil {
		return fmt.Errorf("its columns: %w", err)
	}
	x := c.contexts()
	places := make([]uint64, len(d.Rows))
	leaves := make([]Hash, len(d.Rows))
	shown := 0
	for i := range d.Rows {
		r := &d.Rows[i]
		if r.Shown() {
			shown++
		} else if d.Subject == nil {
			return fmt.Errorf("row %d is not shown", r.Row)
		}
		places[i] = r.Row
		if leaves[i], err = r.leaf(c, x, columns); err != nil {
			return fmt.Errorf("row %d: %w", r.Row, err)
		}
	}
	if shown == 0 {
		return errors.New("it shows no row")
	}
	root, err := proven(c.RowCount, places, leaves, d.RowProof)
	if err != nil {
		return fmt.Errorf("the proof of its rows: %w", err)
	}
	if root != c.Rows {
		return errors.New("the proof of its rows does not lead to the rows that were logged")
	}
	return d.verifySubject(c, x, columns, leaves)
}

// verifyColumns returns the numbers of the columns that are shown.
func (d *Disclosure) verifyColumns(c *Commitment) ([]uint64, error) {
	places := make([]uint64, len(d.Columns))
	leaves := make([]Hash, len(d.Columns))
	for i := range d.Columns {
		k := &d.Columns[i]
		if k.Column < 0 || k.Column >= c.Columns || !c.Private && !k.Salt.IsZero() {
			return nil, fmt.Errorf("column %d", k.Column)
		}
		places[i], leaves[i] = uint64(k.Column), columnLeaf(&k.Salt, k.Column, k.Text)
	}
	if !c.Cells && len(places) != c.Columns {
		return nil, errors.New("the dataset has no trees of cells: a row is shown whole or not at all")
	}
	root, err := proven(uint64(c.Columns), places, leaves, d.HeaderProof)
	if err == nil && root != c.Header {
		err = errors.New("they are not those that were logged")
	}
	return places, err
}

// leaf returns the leaf hash of a row.
func (r *Row) leaf(c *Commitment, x *contexts, columns []uint64) (Hash, error) {
	if !r.Shown() {
		if !r.Salt.IsZero() || r.Proof != nil || r.Cells != nil {
			return Hash{}, errors.New("it is shown and not shown")
		}
		return r.Leaf, nil
	}
	if !r.Leaf.IsZero() || len(r.Cells) != len(columns) {
		return Hash{}, fmt.Errorf("it shows %d cells of %d columns", len(r.Cells), len(columns))
	}
	if !c.Cells {
		cells := make([][]byte, len(r.Cells))
		for i := range r.Cells {
			if !r.Cells[i].Salt.IsZero() {
				return Hash{}, errors.New("a cell has a salt, and its row has no tree of cells")
			}
			cells[i] = r.Cells[i].Value
		}
		if r.Proof != nil {
			return Hash{}, errors.New("it has a proof of cells, and no tree of cells")
		}
		return x.rowLeaf(&r.Salt, r.Row, cells), nil
	}
	if !r.Salt.IsZero() {
		return Hash{}, errors.New("the row has a salt, and a tree of cells")
	}
	leaves := make([]Hash, len(columns))
	for i, col := range columns {
		leaves[i] = x.cellLeaf(&r.Cells[i].Salt, r.Row, int(col), r.Cells[i].Value)
	}
	root, err := proven(uint64(c.Columns), columns, leaves, r.Proof)
	if err != nil {
		return Hash{}, fmt.Errorf("the proof of its cells: %w", err)
	}
	return x.cellsLeaf(&root, r.Row), nil
}

// verifySubject checks that the rows are all those of the subject.
func (d *Disclosure) verifySubject(c *Commitment, x *contexts, columns []uint64, leaves []Hash) error {
	p := d.Subject
	if p == nil {
		if !d.SubjectSalt.IsZero() {
			return errors.New("it has the salt of a subject, and no subject")
		}
		return nil
	}
	present, err := p.Verify(c)
	if err != nil {
		return err
	}
	if !present {
		return errors.New("the dataset does not have the subject")
	}
	root := treeRoot(leaves)
	if x.bodyOf(&d.SubjectSalt, uint64(len(leaves)), &root) != p.At.Body {
		return errors.New("its rows are not all the rows of the subject")
	}
	// Where the rows show the subject's id, it is the one that the proof names, or at least one.
	id := p.ID
	for i, col := range columns {
		for k := range d.Rows {
			r := &d.Rows[k]
			if int(col) != c.Subject || !r.Shown() {
				continue
			}
			if id == nil {
				id = r.Cells[i].Value
			}
			if !bytes.Equal(id, r.Cells[i].Value) || len(id) == 0 {
				return fmt.Errorf("row %d has the id of another subject", r.Row)
			}
		}
	}
	return nil
}

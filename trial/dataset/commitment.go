package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// A Hash is a SHA-256 digest, a salt or a seed: 64 lower-case hexadecimal digits in JSON.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is unset; such a member is left out of JSON.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it takes lower case only.
func (h *Hash) UnmarshalText(text []byte) error { return unhex(h[:], text) }

func unhex(to, text []byte) error {
	if len(text) != 2*len(to) || bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("not %d lower-case hexadecimal digits", 2*len(to))
	}
	if _, err := hex.Decode(to, text); err != nil {
		return fmt.Errorf("not %d lower-case hexadecimal digits", 2*len(to))
	}
	return nil
}

// An Extract names one extract of data: 16 random bytes, public. All tables of an extract may have
// the same. No two tables may have the same extract, name and key: their salts would be the same,
// and a salt that is disclosed of one would open the other to guessing. Draw another extract
// whenever a table is committed again after anything of it has left the house.
type Extract [16]byte

// NewExtract draws the name of an extract.
func NewExtract(random io.Reader) (e Extract, err error) {
	_, err = io.ReadFull(random, e[:])
	return e, err
}

func (e Extract) String() string { return hex.EncodeToString(e[:]) }

// MarshalText implements encoding.TextMarshaler.
func (e Extract) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, e[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it takes lower case only.
func (e *Extract) UnmarshalText(text []byte) error { return unhex(e[:], text) }

// Limits of what can be committed to.
const (
	MaxRows    = 1<<rowBits - 1
	MaxColumns = 1 << maxColumnBits
	MaxCell    = 1 << 20 // bytes of a cell
	MaxRow     = 1 << 24 // bytes of a row's cells
	MaxID      = 1 << 10 // bytes of a subject's id
	MaxName    = 200     // bytes of a dataset's name
	MaxColumn  = 1 << 14 // bytes of a column's description

	maxColumns    = 1 << 24 // bytes of all descriptions
	maxColumnBits = 12
)

// A Header says what a table is.
type Header struct {
	Name    string   // such as AE; it is public
	Extract Extract  // of which the table is part; see NewExtract
	Columns []string // the columns' descriptions in canonical form
	Subject int      // the column with the subject's id, counted from 0; -1: there is none
}

func (h *Header) check() error {
	if h.Extract == (Extract{}) {
		return errors.New("the extract has no name: draw one with NewExtract")
	}
	total := 0
	for i, c := range h.Columns {
		if len(c) > MaxColumn || !utf8.ValidString(c) {
			return fmt.Errorf("column %d: its description is not UTF-8 of at most %d bytes", i, MaxColumn)
		}
		total += len(c)
	}
	if total > maxColumns {
		return fmt.Errorf("the columns' descriptions have %d bytes; the most is %d", total, maxColumns)
	}
	return checkForm(h.Name, len(h.Columns), h.Subject)
}

func checkForm(name string, columns, subject int) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return fmt.Errorf("the name %.40q is not a text of 1 to %d bytes", name, MaxName)
	}
	if columns < 1 || columns > MaxColumns {
		return fmt.Errorf("%d columns; there are 1 to %d", columns, MaxColumns)
	}
	if subject < -1 || subject >= columns {
		return fmt.Errorf("the subject's column is %d of %d", subject, columns)
	}
	return nil
}

// A Commitment is what is logged of a dataset. Verifiers need nothing else.
type Commitment struct {
	Cells        bool    `json:"cells"`   // there is a tree of cells under each row
	Columns      int     `json:"columns"` // how many
	Extract      Extract `json:"extract"`
	Header       Hash    `json:"header"` // root of the columns' descriptions
	Name         string  `json:"name"`
	Private      bool    `json:"private"` // the columns' descriptions are salted
	RowCount     uint64  `json:"rowCount"`
	Rows         Hash    `json:"rows"`    // root of the rows in order
	Subject      int     `json:"subject"` // the column with the subject's id; -1: none
	SubjectCount uint64  `json:"subjectCount"`
	Subjects     Hash    `json:"subjects"` // root of the map of subjects
}

// Check returns what no dataset's commitment can be like, or nil.
func (c *Commitment) Check() error {
	if c.RowCount > MaxRows || c.SubjectCount > c.RowCount || c.SubjectCount > 1<<subjectBits-2 || c.Subject < 0 && c.SubjectCount > 0 {
		return fmt.Errorf("a table cannot have %d rows and %d subjects", c.RowCount, c.SubjectCount)
	}
	return checkForm(c.Name, c.Columns, c.Subject)
}

// Marshal returns the commitment in canonical JSON (RFC 8785).
func (c *Commitment) Marshal() ([]byte, error) { return encode(c) }

// ParseCommitment parses exactly what Marshal returns.
func ParseCommitment(data []byte) (*Commitment, error) {
	c := new(Commitment)
	if err := decode(data, c); err != nil {
		return nil, fmt.Errorf("commitment to a dataset: %w", err)
	}
	return c, c.Check()
}

// ID returns the digest that disclosures name the commitment by: SHA-256 of
// "trialproof/dataset/commitment/v1", a line feed and the canonical JSON.
func (c *Commitment) ID() Hash {
	data, err := c.Marshal()
	if err != nil { // no value of these types fails to encode
		panic(err)
	}
	return sum(sha256.New(), "trialproof/dataset/commitment/v1\n", data)
}

// contexts begin every hash of one dataset, so that no part of it passes for one of another
// dataset, or of another kind.
type contexts struct {
	row, cell, subject, handle Hash
}

func (c *Commitment) contexts() *contexts {
	var b []byte
	b = append(b, c.Extract[:]...)
	b = append(b, c.Header[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Columns))
	b = binary.BigEndian.AppendUint32(b, uint32(c.Subject+1))
	b = append(b, flag(c.Cells), flag(c.Private))
	b = append(b, c.Name...)
	d := sum(sha256.New(), "trialproof/dataset/v1\n", b)
	of := func(kind string) Hash { return sum(sha256.New(), "trialproof/dataset/"+kind+"/v1\n", d[:]) }
	return &contexts{row: of("row"), cell: of("cell"), subject: of("subject"), handle: of("handle")}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func sum(h hash.Hash, domain string, parts ...[]byte) (out Hash) {
	io.WriteString(h, domain)
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}

var columnContext = sum(sha256.New(), "trialproof/dataset/column/v1\n")

// columnLeaf returns the leaf hash of a column's description. The salt is zero unless the
// descriptions are private.
func columnLeaf(salt *Hash, column int, text string) Hash {
	return sum(sha256.New(), "\x00", columnContext[:], salt[:], binary.BigEndian.AppendUint32(nil, uint32(column)), []byte(text))
}

// columnBits is the depth of the key tree below a row with cells, and of the columns.
func columnBits(columns int) int { return bits.Len(uint(columns - 1)) }

// columnSalt returns the salt of a column's description: zero if it is not private.
func (k *Key) columnSalt(c *Commitment, column int) (Hash, error) {
	if !c.Private {
		return Hash{}, nil
	}
	return k.seed(c.path().branch(branchColumns).then(uint64(column), columnBits(c.Columns)))
}

// columnLeaves returns the leaf hashes of the columns' descriptions.
func (k *Key) columnLeaves(c *Commitment, columns []string) ([]Hash, error) {
	leaves := make([]Hash, len(columns))
	for i, text := range columns {
		salt, err := k.columnSalt(c, i)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", i, err)
		}
		leaves[i] = columnLeaf(&salt, i, text)
	}
	return leaves, nil
}

// The bytes that precede what is hashed of a row or a cell.
const (
	rowPrefix    = 1 + 32 + 32 + 8     // 0x00, context, salt or root of the cells, number of the row
	cellPrefix   = 1 + 32 + 32 + 8 + 4 // 0x00, context, salt, number of the row, of the column
	maxLenPrefix = 3                   // of the length of a cell
)

// putRow fills in the prefix of a row in b. The value is the row's salt, or the root of its cells.
func putRow(b []byte, context, value *Hash, row uint64) {
	_ = b[rowPrefix-1]
	b[0] = 0
	copy(b[1:], context[:])
	copy(b[33:], value[:])
	binary.BigEndian.PutUint64(b[65:], row)
}

// putCell fills in the prefix of a cell in b.
func putCell(b []byte, context, salt *Hash, row uint64, column int) {
	putRow(b, context, salt, row)
	binary.BigEndian.PutUint32(b[rowPrefix:], uint32(column))
}

// rowLeaf returns the leaf hash of a row without a tree of cells.
func (x *contexts) rowLeaf(salt *Hash, row uint64, cells [][]byte) Hash {
	b := make([]byte, rowPrefix, rowPrefix+64)
	putRow(b, &x.row, salt, row)
	for _, c := range cells {
		b = append(binary.AppendUvarint(b, uint64(len(c))), c...)
	}
	return sha256.Sum256(b)
}

// cellsLeaf returns the leaf hash of a row with a tree of cells.
func (x *contexts) cellsLeaf(root *Hash, row uint64) Hash {
	var b [rowPrefix]byte
	putRow(b[:], &x.row, root, row)
	return sha256.Sum256(b[:])
}

// cellLeaf returns the leaf hash of a cell.
func (x *contexts) cellLeaf(salt *Hash, row uint64, column int, cell []byte) Hash {
	b := make([]byte, cellPrefix, cellPrefix+len(cell))
	putCell(b, &x.cell, salt, row, column)
	return sha256.Sum256(append(b, cell...))
}

// encode returns v in canonical JSON (RFC 8785).
func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(data)
}

// decode parses exactly what encode returns: all programs read the same in it.
func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errors.New("it is not the JSON that is expected")
	}
	if again, err := encode(v); err != nil || !bytes.Equal(again, data) {
		return errors.New("it is not in the form in which it is written: it was altered")
	}
	return nil
}

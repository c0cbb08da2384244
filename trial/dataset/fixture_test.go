package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/trialproof/trialproof/trial/smap"
)

// stream is a source of bytes that follow from a name.
type stream struct {
	name string
	n    uint64
	rest []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.rest) == 0 {
			h := sha256.Sum256(fmt.Appendf(nil, "%s %d", s.name, s.n))
			s.n, s.rest = s.n+1, h[:]
		}
		p[i], s.rest = s.rest[0], s.rest[1:]
	}
	return len(p), nil
}

func (s *stream) below(n int) int {
	var b [8]byte
	io.ReadFull(s, b[:])
	return int(binary.BigEndian.Uint64(b[:]) % uint64(n))
}

func testKey(t testing.TB, name string) *Key {
	t.Helper()
	k, err := NewKey(&stream{name: name})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testExtract(name string) Extract {
	e, _ := NewExtract(&stream{name: name})
	return e
}

// A table is what tests commit to.
type table struct {
	Header
	rows [][][]byte
}

// newTable returns a table of rows of about as many subjects as given; every eighth row or so is
// not beside others of its subject. The third column is coded: it has one of four values.
func newTable(name string, rows, subjects int) *table {
	s := &stream{name: name}
	columns := []string{"STUDYID", "USUBJID", "AESEV", "AETERM", "X"}
	t := &table{Header: Header{Name: name, Extract: testExtract(name), Columns: columns, Subject: 1}}
	for i := range rows {
		of := i * subjects / max(rows, 1)
		if s.below(8) == 0 {
			of = s.below(subjects)
		}
		row := [][]byte{[]byte("CDISC01"), fmt.Appendf(nil, "01-%05d", of), []byte(codes[s.below(len(codes))]),
			fmt.Appendf(nil, "term %d", s.below(50)), nil}
		switch s.below(20) {
		case 0:
			row[1] = nil
		case 1:
			row[4] = []byte{0xff, 0, byte(i)}
		case 2:
			row[3] = bytes.Repeat([]byte("long <é> "), 30)
		}
		t.rows = append(t.rows, row)
	}
	return t
}

var codes = []string{"MILD", "MODERATE", "SEVERE", ""}

// commit returns the table's commitment and index.
func (tb *table) commit(t testing.TB, k *Key, o Options) (*Commitment, *Index) {
	t.Helper()
	b, err := NewBuilder(k, tb.Header, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range tb.rows {
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	c, ix, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return c, ix
}

// rowsOf returns the numbers of a subject's rows.
func (tb *table) rowsOf(id []byte) (rows []uint64) {
	for i, r := range tb.rows {
		if bytes.Equal(r[tb.Subject], id) {
			rows = append(rows, uint64(i))
		}
	}
	return rows
}

// ids returns the subjects in order of appearance.
func (tb *table) ids() (ids [][]byte) {
	seen := map[string]bool{"": true}
	for _, r := range tb.rows {
		if id := string(r[tb.Subject]); !seen[id] {
			seen[id] = true
			ids = append(ids, r[tb.Subject])
		}
	}
	return ids
}

func (tb *table) read(row uint64) ([][]byte, error) { return tb.rows[row], nil }

// The second implementation follows the package comment, and shares no code with the first.

func nHash(parts ...any) []byte {
	h := sha256.New()
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			h.Write([]byte(p))
		case []byte:
			h.Write(p)
		case Hash:
			h.Write(p[:])
		default:
			binary.Write(h, binary.BigEndian, p)
		}
	}
	return h.Sum(nil)
}

func nSeed(seed []byte, number uint64, depth int) []byte {
	for i := depth - 1; i >= 0; i-- {
		seed = nHash(byte(number>>i&1), seed)
	}
	return seed
}

func nTree(leaves [][]byte) []byte {
	switch n := len(leaves); n {
	case 0:
		return nHash()
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return nHash(byte(1), nTree(leaves[:k]), nTree(leaves[k:]))
	}
}

func nDepth(n int) (d int) {
	for 1<<d < n {
		d++
	}
	return d
}

// naive returns the commitment to a table under a root seed.
func naive(root []byte, tb *table, cells, private bool) *Commitment {
	base := nSeed(nSeed(root, 0, 1), binary.BigEndian.Uint64(nHash("trialproof/dataset/seed/v1\n", tb.Extract[:], tb.Name)), 64)
	rowSeed, colSeed, subSeed := nSeed(base, 0, 2), nSeed(base, 1, 2), nSeed(base, 2, 2)
	n := len(tb.Columns)
	var cols [][]byte
	for i, text := range tb.Columns {
		salt := make([]byte, 32)
		if private {
			salt = nSeed(colSeed, uint64(i), nDepth(n))
		}
		cols = append(cols, nHash(byte(0), nHash("trialproof/dataset/column/v1\n"), salt, uint32(i), text))
	}
	header := nTree(cols)
	d := nHash("trialproof/dataset/v1\n", tb.Extract[:], header, uint32(n), uint32(tb.Subject+1), cells, private, tb.Name)
	of := func(kind string) []byte { return nHash("trialproof/dataset/"+kind+"/v1\n", d) }
	var leaves [][]byte
	groups := map[string][][]byte{}
	for i, r := range tb.rows {
		seed := nSeed(rowSeed, uint64(i), 40)
		var leaf []byte
		if cells {
			var cs [][]byte
			for j, c := range r {
				cs = append(cs, nHash(byte(0), of("cell"), nSeed(seed, uint64(j), nDepth(n)), uint64(i), uint32(j), c))
			}
			leaf = nHash(byte(0), of("row"), nTree(cs), uint64(i))
		} else {
			var enc []byte
			for _, c := range r {
				l := len(c)
				for ; l >= 128; l >>= 7 {
					enc = append(enc, byte(l&127|128))
				}
				enc = append(append(enc, byte(l)), c...)
			}
			leaf = nHash(byte(0), of("row"), seed, uint64(i), enc)
		}
		leaves = append(leaves, leaf)
		if tb.Subject >= 0 && len(r[tb.Subject]) > 0 {
			id := string(r[tb.Subject])
			groups[id] = append(groups[id], leaf)
		}
	}
	handles := map[string]string{}
	for id := range groups {
		secret := nSeed(nSeed(root, 1, 1), binary.BigEndian.Uint64(nHash("trialproof/dataset/link/v1\n", id)), 64)
		handles[string(nHash(of("handle"), nHash("trialproof/dataset/token/v1\n", secret, id)))] = id
	}
	var m smap.Map
	for h, id := range handles {
		place := uint64(0)
		for other := range handles {
			if other < h {
				place++
			}
		}
		rows := groups[id]
		body := nHash(of("subject"), nSeed(subSeed, place, 32), uint64(len(rows)), nTree(rows))
		m = m.Set(smap.Hash([]byte(h)), smap.Hash(body))
	}
	return &Commitment{Cells: cells, Columns: n, Extract: tb.Extract, Header: Hash(header), Name: tb.Name, Private: private,
		RowCount: uint64(len(tb.rows)), Rows: Hash(nTree(leaves)), Subject: tb.Subject, SubjectCount: uint64(len(handles)),
		Subjects: Hash(m.Root())}
}

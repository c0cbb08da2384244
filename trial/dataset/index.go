package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/trialproof/trialproof/trial/smap"
)

// An Index has what is needed, besides the key and the cells themselves, to disclose any row or
// subject: the rows' leaf hashes, which row is of which subject, and the subjects' leaves. It has
// no salt and no cell. It does have the columns' descriptions, and which rows are of one subject.
// It reads what it needs and keeps only the hashes of chunks and of parts of the map.
type Index struct {
	r       io.ReaderAt
	size    int64
	c       Commitment
	columns []string
	chunks  []Hash
	m       *subjectMap
}

const (
	indexMagic  = "trialproof/dataset/index/v1\n"
	recordSize  = 32 + 4 + 5
	subjectSize = 32 + 32 + 8 + 8
	placeSize   = 4
	bucketSize  = 8 + 32
	maxHead     = 1 << 27
)

// head is the JSON at the end of an index.
type head struct {
	Columns    []string   `json:"columns"`
	Commitment Commitment `json:"commitment"`
}

// The places of the parts of an index, as offsets.
type layout struct {
	rows, chunks, subjects, places, buckets, head int64
}

func layoutOf(c *Commitment) layout {
	var l layout
	l.rows = int64(len(indexMagic))
	l.chunks = l.rows + int64(c.RowCount)*recordSize
	l.subjects = l.chunks + int64((c.RowCount+chunkRows-1)/chunkRows)*32
	l.places = l.subjects + int64(c.SubjectCount)*subjectSize
	l.buckets = l.places + int64(c.SubjectCount)*placeSize
	l.head = l.buckets + bucketSize<<mapDepth(c.SubjectCount)
	return l
}

// writeTail writes what follows the rows in an index.
func (b *Builder) writeTail(records []subject, places []uint32, m *subjectMap) error {
	var buf []byte
	var err error
	put := func(more []byte) {
		buf = more
		if len(buf) >= 1<<16 && err == nil {
			_, err = b.out.Write(buf)
			buf = buf[:0]
		}
	}
	for _, h := range b.chunks {
		put(append(buf, h[:]...))
	}
	for i := range records {
		s := &records[i]
		buf = append(append(buf, s.handle[:]...), s.body[:]...)
		put(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(buf, s.count), s.last))
	}
	for _, p := range places {
		put(binary.BigEndian.AppendUint32(buf, p))
	}
	for _, k := range m.buckets {
		put(append(binary.BigEndian.AppendUint64(buf, k.start), k.hash[:]...))
	}
	data, fault := encode(&head{b.header.Columns, b.c})
	if fault != nil {
		return fault
	}
	put(binary.BigEndian.AppendUint64(append(buf, data...), uint64(len(data))))
	if err == nil {
		_, err = b.out.Write(buf)
	}
	return err
}

// OpenIndex opens an index of size bytes. It checks its form, not its hashes: what is disclosed
// from it is verified before it is returned.
func OpenIndex(r io.ReaderAt, size int64) (*Index, error) {
	ix := &Index{r: r, size: size}
	if err := ix.open(); err != nil {
		return nil, fmt.Errorf("open an index of a dataset: %w", err)
	}
	return ix, nil
}

func (ix *Index) open() error {
	least := int64(len(indexMagic) + bucketSize + 8)
	if ix.size < least {
		return fmt.Errorf("it has %d bytes; the least is %d", ix.size, least)
	}
	if b, err := ix.read(0, int64(len(indexMagic))); err != nil {
		return err
	} else if string(b) != indexMagic {
		return errors.New("it does not begin as an index does")
	}
	b, err := ix.read(ix.size-8, 8)
	if err != nil {
		return err
	}
	n := binary.BigEndian.Uint64(b)
	if n > maxHead || int64(n) > ix.size-least {
		return errors.New("the length of its head is wrong: it was cut off or altered")
	}
	if b, err = ix.read(ix.size-8-int64(n), int64(n)); err != nil {
		return err
	}
	var h head
	if err := decode(b, &h); err != nil {
		return fmt.Errorf("its head: %w", err)
	}
	if err := h.Commitment.Check(); err != nil {
		return fmt.Errorf("its commitment: %w", err)
	}
	ix.c, ix.columns = h.Commitment, h.Columns
	l := layoutOf(&ix.c)
	if l.head != ix.size-8-int64(n) || len(h.Columns) != ix.c.Columns {
		return errors.New("its parts do not have the sizes that its commitment asks for: it was cut off or altered")
	}
	if b, err = ix.read(l.chunks, l.subjects-l.chunks); err != nil {
		return err
	}
	ix.chunks = make([]Hash, len(b)/32)
	for i := range ix.chunks {
		ix.chunks[i] = Hash(b[32*i:])
	}
	if b, err = ix.read(l.buckets, l.head-l.buckets); err != nil {
		return err
	}
	ix.m = &subjectMap{depth: mapDepth(ix.c.SubjectCount), n: ix.c.SubjectCount, buckets: make([]bucket, len(b)/bucketSize)}
	last := uint64(0)
	for i := range ix.m.buckets {
		start := binary.BigEndian.Uint64(b[bucketSize*i:])
		if start < last || start > ix.m.n || i == 0 && start > 0 {
			return errors.New("its subjects are not in order")
		}
		ix.m.buckets[i] = bucket{start, Hash(b[bucketSize*i+8:])}
		last = start
	}
	return nil
}

func (ix *Index) read(off, n int64) ([]byte, error) {
	b := make([]byte, n)
	if n == 0 {
		return b, nil
	}
	if k, err := ix.r.ReadAt(b, off); k < len(b) {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	return b, nil
}

// Commitment returns the commitment that the index belongs to.
func (ix *Index) Commitment() *Commitment { c := ix.c; return &c }

// Columns returns the columns' descriptions.
func (ix *Index) Columns() []string { return append([]string(nil), ix.columns...) }

// WriteTo writes the index as OpenIndex reads it.
func (ix *Index) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(ix.r, 0, ix.size))
}

// record returns a row's leaf hash, its subject's ordinal from 1, or 0, and 1 more than the number
// of the row of that subject before it, or 0.
func (ix *Index) record(row uint64) (leaf Hash, ord uint32, before uint64, err error) {
	b, err := ix.rowRecords(row, row+1)
	if err != nil {
		return leaf, 0, 0, err
	}
	return ix.parseRecord(b, row)
}

// rowRecords returns the bytes of the records of rows.
func (ix *Index) rowRecords(lo, hi uint64) ([]byte, error) {
	return ix.read(layoutOf(&ix.c).rows+int64(lo)*recordSize, int64(hi-lo)*recordSize)
}

func (ix *Index) parseRecord(b []byte, row uint64) (leaf Hash, ord uint32, before uint64, err error) {
	before = uint64(b[36])<<32 | uint64(binary.BigEndian.Uint32(b[37:]))
	ord = binary.BigEndian.Uint32(b[32:])
	if before > row || uint64(ord) > ix.c.SubjectCount {
		return leaf, 0, 0, fmt.Errorf("the index is damaged at row %d", row)
	}
	return Hash(b), ord, before, nil
}

// rowsRoot returns the root of the rows from lo up to hi, a subtree of the rows' tree.
func (ix *Index) rowsRoot(lo, hi uint64) (Hash, error) {
	if hi-lo > chunkRows {
		return treeRoot(ix.chunks[lo/chunkRows : (hi+chunkRows-1)/chunkRows]), nil
	}
	b, err := ix.rowRecords(lo, hi)
	if err != nil {
		return Hash{}, err
	}
	leaves := make([]Hash, hi-lo)
	for i := range leaves {
		leaves[i] = Hash(b[recordSize*i:])
	}
	return treeRoot(leaves), nil
}

// load returns the records of subjects from lo up to hi, which are all of one bucket.
func (ix *Index) load(lo, hi uint64) ([]subject, error) {
	b, err := ix.read(layoutOf(&ix.c).subjects+int64(lo)*subjectSize, int64(hi-lo)*subjectSize)
	if err != nil {
		return nil, err
	}
	records := make([]subject, hi-lo)
	for i := range records {
		p := b[subjectSize*i:]
		s := subject{Hash(p), Hash(p[32:]), binary.BigEndian.Uint64(p[64:]), binary.BigEndian.Uint64(p[72:])}
		if s.last >= ix.c.RowCount || s.count > ix.c.RowCount ||
			i > 0 && (bytes.Compare(records[i-1].handle[:], s.handle[:]) >= 0 ||
				prefix(&s.handle, ix.m.depth) != prefix(&records[0].handle, ix.m.depth)) {
			return nil, fmt.Errorf("the index is damaged at subject %d", lo+uint64(i))
		}
		records[i] = s
	}
	return records, nil
}

// find returns the place of a handle among the subjects.
func (ix *Index) find(handle Hash) (pos uint64, ok bool, err error) {
	lo, hi := ix.m.records(prefix(&handle, ix.m.depth), ix.m.depth)
	records, err := ix.load(lo, hi)
	if err != nil {
		return 0, false, err
	}
	for i := range records {
		if records[i].handle == handle {
			return lo + uint64(i), true, nil
		}
	}
	return 0, false, nil
}

// rowsAt returns the rows of the subject at a place, in order.
func (ix *Index) rowsAt(pos uint64) ([]uint64, error) {
	s, err := ix.load(pos, pos+1)
	if err != nil {
		return nil, err
	}
	var rows []uint64
	for next := s[0].last + 1; next > 0; {
		row := next - 1
		if uint64(len(rows)) == s[0].count {
			return nil, fmt.Errorf("the index is damaged: subject %d has more rows than it says", pos)
		}
		rows = append(rows, row)
		if _, _, next, err = ix.record(row); err != nil {
			return nil, err
		}
	}
	if uint64(len(rows)) != s[0].count {
		return nil, fmt.Errorf("the index is damaged: subject %d has fewer rows than it says", pos)
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, nil
}

// own checks that the rows are those of the subject at a place, by its salt.
func (ix *Index) own(k *Key, pos uint64, rows []uint64) error {
	salt, err := k.seed(ix.c.path().branch(branchSubjects).then(pos, subjectBits))
	if err != nil {
		return err
	}
	s, err := ix.load(pos, pos+1)
	if err != nil {
		return err
	}
	var leaves span
	for _, row := range rows {
		leaf, _, _, err := ix.record(row)
		if err != nil {
			return err
		}
		leaves.add(leaf)
	}
	root := leaves.root()
	if ix.c.contexts().bodyOf(&salt, leaves.count, &root) != s[0].body {
		return errors.New("the index is damaged, or it is of another key")
	}
	_, err = ix.ProveHandle(s[0].handle)
	return err
}

// Rows returns the numbers of the rows of the subject with a handle, in order, and none if there
// is no such subject.
func (ix *Index) Rows(handle Hash) ([]uint64, error) {
	pos, ok, err := ix.find(handle)
	if err != nil || !ok {
		return nil, err
	}
	return ix.rowsAt(pos)
}

// HandleAt returns the handle of the subject of a row. It is zero if the row has no subject.
func (ix *Index) HandleAt(row uint64) (Hash, error) {
	if row >= ix.c.RowCount {
		return Hash{}, ix.noRow(row)
	}
	_, ord, _, err := ix.record(row)
	if err != nil || ord == 0 {
		return Hash{}, err
	}
	b, err := ix.read(layoutOf(&ix.c).places+int64(ord-1)*placeSize, placeSize)
	if err != nil {
		return Hash{}, err
	}
	pos := uint64(binary.BigEndian.Uint32(b))
	if pos >= ix.c.SubjectCount {
		return Hash{}, fmt.Errorf("the index is damaged at the subject of row %d", row)
	}
	s, err := ix.load(pos, pos+1)
	if err != nil {
		return Hash{}, err
	}
	return s[0].handle, nil
}

func (ix *Index) noRow(row uint64) error {
	return fmt.Errorf("%s has no row %d: it has %d rows, counted from 0", ix.c.Name, row, ix.c.RowCount)
}

// proveSubject returns the map's proof for a handle.
func (ix *Index) proveSubject(handle Hash) (smap.Proof, error) { return ix.m.prove(handle, ix.load) }

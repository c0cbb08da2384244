package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Options of a Builder.
type Options struct {
	Cells   bool // a tree of cells under each row, so that chosen columns can be shown
	Private bool // the columns' descriptions are salted
	// Index takes the index as it is made, 41 bytes for each row and more for each subject. If
	// it is nil, the index is kept in memory, and Finish returns it. Otherwise Finish returns
	// no index: open what was written with OpenIndex.
	Index io.Writer

	batchRows, workers int // tests: 0 is the default
}

const (
	chunkRows  = 1 << chunkBits // of one hash in the index
	chunkBits  = 10
	batchBytes = 8 << 20 // a batch is hashed when it has more
)

// A Builder commits to a table whose rows are added in order. Its memory is bounded by the number
// of subjects, and by 32 bytes for each 1,024 rows. It is for one goroutine, and hashes in others.
type Builder struct {
	key    *Key
	c      Commitment
	ctx    *contexts
	seed   Hash // of the rows
	header Header
	opts   Options
	err    error // sticks

	rows    uint64
	batch   *batch
	ids     map[string]uint32 // ordinal of a subject, from 1; 0 is no subject
	names   []string          // by ordinal - 1
	lastID  []byte
	lastOrd uint32

	slots  chan struct{} // bounds the batches in work
	done   chan struct{} // closed when the batches before the next one are collected
	pool   sync.Pool     // of *batch
	out    io.Writer
	memory *bytes.Buffer // the index, if it is kept

	// Owned by the batch that is being collected. Batches are collected in order.
	chunk    span   // rows after the last full chunk
	chunks   []Hash // roots of full chunks
	subjects []subjectRows
	failed   atomic.Pointer[error] // of a write to the index
}

// subjectRows is what is kept of the rows of a subject.
type subjectRows struct {
	span
	last uint64 // the last row's number + 1
}

// NewBuilder begins a commitment under a key. It fails if rows of the same extract and name were
// erased from the key.
func NewBuilder(key *Key, header Header, opts Options) (*Builder, error) {
	fail := func(err error) (*Builder, error) { return nil, fmt.Errorf("commit to a dataset: %w", err) }
	if err := header.check(); err != nil {
		return fail(err)
	}
	header.Columns = append([]string(nil), header.Columns...)
	b := &Builder{key: key, header: header, opts: opts, ids: map[string]uint32{}, out: opts.Index}
	b.c = Commitment{Cells: opts.Cells, Columns: len(header.Columns), Extract: header.Extract, Name: header.Name,
		Private: opts.Private, Subject: header.Subject}
	leaves, err := key.columnLeaves(&b.c, header.Columns)
	if err != nil {
		return fail(err)
	}
	b.c.Header = treeRoot(leaves)
	b.ctx = b.c.contexts()
	if b.seed, err = key.seed(b.c.path().branch(branchRows)); err != nil {
		return fail(fmt.Errorf("rows of %s of this extract are committed already: %w", header.Name, err))
	}
	if b.opts.workers == 0 {
		b.opts.workers = runtime.GOMAXPROCS(0)
	}
	if b.opts.batchRows == 0 {
		b.opts.batchRows = 4 * chunkRows
	}
	if b.out == nil {
		b.memory = new(bytes.Buffer)
		b.out = b.memory
	}
	b.slots = make(chan struct{}, b.opts.workers+1)
	b.done = make(chan struct{})
	close(b.done)
	if _, err := io.WriteString(b.out, indexMagic); err != nil {
		return fail(fmt.Errorf("write the index: %w", err))
	}
	return b, nil
}

// Add commits to the next row. It has one cell for each column, in the canonical form of the
// caller. A row whose subject's cell is empty has no subject. Nothing of cells is kept. After an
// error nothing more can be added.
func (b *Builder) Add(cells [][]byte) error {
	if b.err == nil {
		b.err = b.add(cells)
	}
	return b.err
}

func (b *Builder) add(cells [][]byte) error {
	if len(cells) != b.c.Columns {
		return fmt.Errorf("row %d has %d cells; the header has %d columns", b.rows, len(cells), b.c.Columns)
	}
	if b.rows == MaxRows {
		return fmt.Errorf("there are more than %d rows", uint64(MaxRows))
	}
	size := 0
	for i, c := range cells {
		if len(c) > MaxCell {
			return fmt.Errorf("row %d, column %d: the cell has %d bytes; the most is %d", b.rows, i, len(c), MaxCell)
		}
		size += len(c)
	}
	if size > MaxRow {
		return fmt.Errorf("row %d has %d bytes; the most is %d", b.rows, size, MaxRow)
	}
	ord := uint32(0)
	if b.c.Subject >= 0 {
		var err error
		if ord, err = b.ordinal(cells[b.c.Subject]); err != nil {
			return err
		}
	}
	if b.batch == nil {
		b.batch = b.newBatch()
	}
	b.batch.add(cells, ord, b.c.Cells)
	b.rows++
	if len(b.batch.ords) == b.opts.batchRows || len(b.batch.data) > batchBytes {
		b.flush()
		if err := b.failed.Load(); err != nil {
			return *err
		}
	}
	return nil
}

func (b *Builder) ordinal(id []byte) (uint32, error) {
	if len(id) == 0 {
		return 0, nil
	}
	if bytes.Equal(id, b.lastID) {
		return b.lastOrd, nil
	}
	ord, ok := b.ids[string(id)]
	if !ok {
		if len(id) > MaxID {
			return 0, fmt.Errorf("row %d: the subject's id has %d bytes; the most is %d", b.rows, len(id), MaxID)
		}
		if len(b.names) == 1<<subjectBits-2 {
			return 0, errors.New("there are too many subjects")
		}
		name := string(id)
		b.names = append(b.names, name)
		ord = uint32(len(b.names))
		b.ids[name] = ord
	}
	b.lastID, b.lastOrd = append(b.lastID[:0], id...), ord
	return ord, nil
}

// flush hands the batch to a goroutine, which hashes it, waits for the one before it and collects.
func (b *Builder) flush() {
	w, before := b.batch, b.done
	if w == nil {
		return
	}
	b.batch, b.done = nil, make(chan struct{})
	mine := b.done
	b.slots <- struct{}{}
	go func() {
		w.hash(b.ctx, &b.seed, &b.c)
		<-before
		b.collect(w)
		close(mine)
		w.reset()
		b.pool.Put(w)
		<-b.slots
	}()
}

// collect takes the hashes of a batch over, after those of all the batches before it.
func (b *Builder) collect(w *batch) {
	roots := w.roots
	for i := 0; i < len(w.leaves); {
		if b.chunk.count == 0 && len(w.leaves)-i >= chunkRows {
			b.chunks = append(b.chunks, roots[0])
			roots = roots[1:]
			i += chunkRows
			continue
		}
		b.chunk.add(w.leaves[i])
		i++
		if b.chunk.count == chunkRows {
			b.chunks = append(b.chunks, b.chunk.root())
			b.chunk = span{peaks: b.chunk.peaks[:0]}
		}
	}
	w.records = w.records[:0]
	for i, ord := range w.ords {
		last := uint64(0)
		if ord > 0 {
			for uint32(len(b.subjects)) < ord {
				b.subjects = append(b.subjects, subjectRows{})
			}
			s := &b.subjects[ord-1]
			last, s.last = s.last, w.first+uint64(i)+1
			s.add(w.leaves[i])
		}
		w.records = appendRecord(w.records, &w.leaves[i], ord, last)
	}
	if b.failed.Load() == nil {
		if _, err := b.out.Write(w.records); err != nil {
			err = fmt.Errorf("write the index: %w", err)
			b.failed.Store(&err)
		}
	}
}

// Finish returns the commitment, and the index unless it went to Options.Index. Nothing can be
// added afterwards.
func (b *Builder) Finish() (*Commitment, *Index, error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	b.flush()
	<-b.done
	if err := b.failed.Load(); err != nil {
		b.err = *err
		return nil, nil, b.err
	}
	b.err = errors.New("the commitment is finished")
	if b.chunk.count > 0 {
		b.chunks = append(b.chunks, b.chunk.root())
	}
	b.c.RowCount, b.c.Rows = b.rows, treeRoot(b.chunks)
	records, places, err := b.finishSubjects()
	if err != nil {
		return nil, nil, fmt.Errorf("commit to the subjects of %s: %w", b.c.Name, err)
	}
	m := mapOf(records)
	b.c.SubjectCount, b.c.Subjects = uint64(len(records)), m.root()
	if err := b.writeTail(records, places, m); err != nil {
		return nil, nil, fmt.Errorf("write the index: %w", err)
	}
	c := b.c
	if b.memory == nil {
		return &c, nil, nil
	}
	data := b.memory.Bytes()
	ix, err := OpenIndex(bytes.NewReader(data), int64(len(data)))
	return &c, ix, err
}

func appendRecord(b []byte, leaf *Hash, ord uint32, last uint64) []byte {
	b = append(b, leaf[:]...)
	b = binary.BigEndian.AppendUint32(b, ord)
	return append(b, byte(last>>32), byte(last>>24), byte(last>>16), byte(last>>8), byte(last))
}

package receipt

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// FileHeader is the first line of a file that holds many receipts.
const FileHeader = "github.com/trialproof/trialproof/receipts@v1"

// A FileHead says whose receipts a file holds: those of one organisation's statements in one log.
type FileHead struct {
	Log string // origin
	Org string // the organisation or, where it is not known, the id of its key
}

// Marshal formats the head.
func (h FileHead) Marshal() []byte {
	return fmt.Appendf(nil, "%s\nlog %s\norg %s\n\n", FileHeader, h.Log, h.Org)
}

// maxHead bounds a head, in bytes.
const maxHead = 1 << 10

// A Filed is one receipt in a file.
type Filed struct {
	ID       trial.Hash // identity of the statement
	Document trial.Hash // SHA-256 of the statement's document
	Receipt  []byte
}

const frameWord = "receipt"

// maxFrameLine bounds the line before a receipt, in bytes, with its line feed.
const maxFrameLine = len(frameWord) + 3*65 + 1 + 7 + 1

// AppendTo appends the receipt to the bytes of a file, with the line before it:
//
//	receipt ID DOCUMENT LENGTH SUM
//
// LENGTH is that of the receipt, which ends with a line feed. SUM is the SHA-256 of what stands
// before it in the line, and of the receipt.
func (f Filed) AppendTo(file []byte) ([]byte, error) {
	if n := len(f.Receipt); n == 0 || n > MaxSize || f.Receipt[n-1] != '\n' {
		return file, fmt.Errorf("a receipt of %d bytes that does not end with a line feed cannot be filed", n)
	}
	from := len(file)
	file = fmt.Appendf(file, "%s %s %s %d ", frameWord, f.ID, f.Document, len(f.Receipt))
	return append(fmt.Appendf(file, "%s\n", frameSum(file[from:], f.Receipt)), f.Receipt...), nil
}

func frameSum(line, receipt []byte) (sum trial.Hash) {
	h := sha256.New()
	h.Write(line)
	h.Write(receipt)
	h.Sum(sum[:0])
	return sum
}

// A frame is what the line before a receipt says.
type frame struct {
	id, document, sum trial.Hash
	length            int
}

// parseFrame parses the line before a receipt, which ends with a line feed.
func parseFrame(line []byte) (f frame, ok bool) {
	text, whole := strings.CutSuffix(string(line), "\n")
	parts := strings.Split(text, " ")
	if !whole || len(parts) != 5 || parts[0] != frameWord {
		return f, false
	}
	n, err := checkpoint.ParseDecimal(parts[3])
	if err != nil || n == 0 || n > MaxSize {
		return f, false
	}
	f.length = int(n)
	for to, part := range map[*trial.Hash]string{&f.id: parts[1], &f.document: parts[2], &f.sum: parts[4]} {
		if *to, err = trial.ParseHash(part); err != nil {
			return f, false
		}
	}
	return f, true
}

// A Damage is a part of a file that holds no whole receipt.
type Damage struct {
	From, To int64      // bytes of the file
	ID       trial.Hash // of the statement whose receipt it was; zero if that cannot be read
}

func (d *Damage) Error() string {
	what := "a receipt that cannot be told"
	if !d.ID.IsZero() {
		what = "the receipt of " + d.ID.String()
	}
	return fmt.Sprintf("bytes %d to %d are damaged: %s", d.From, d.To, what)
}

// A FileReader reads a file of receipts from its beginning to its end, in bounded memory.
type FileReader struct {
	head FileHead
	r    *bufio.Reader
	at   int64
}

// NewFileReader reads the head of a file.
func NewFileReader(r io.Reader) (*FileReader, error) {
	f := &FileReader{r: bufio.NewReaderSize(r, 2*maxFrameLine+MaxSize)}
	begin, err := f.r.Peek(maxHead)
	if err != nil && err != io.EOF {
		return nil, err
	}
	text, _, whole := strings.Cut(string(begin), "\n\n")
	lines := strings.Split(text, "\n")
	if lines[0] != FileHeader {
		return nil, fmt.Errorf("the first line is not %s: this is no file of receipts", FileHeader)
	}
	if whole && len(lines) == 3 {
		log, ok1 := strings.CutPrefix(lines[1], "log ")
		org, ok2 := strings.CutPrefix(lines[2], "org ")
		if f.head = (FileHead{log, org}); ok1 && ok2 && log != "" && org != "" {
			f.skip(len(text) + 2)
			return f, nil
		}
	}
	return nil, errors.New("the lines `log` and `org` and the empty line behind them are damaged: this is no file of receipts")
}

// Head returns the file's head.
func (f *FileReader) Head() FileHead { return f.head }

// At returns where in the file the next part begins.
func (f *FileReader) At() int64 { return f.at }

func (f *FileReader) skip(n int) {
	f.r.Discard(n) // of what was peeked at
	f.at += int64(n)
}

// Next returns the next receipt, in memory that the next call uses again. A *Damage stands for
// bytes that hold none; after it the reader goes on with the next line that begins one. io.EOF is
// the end. What a receipt proves is another question: Verify answers it.
func (f *FileReader) Next() (Filed, error) {
	line, fr, ok, err := f.frame()
	if err != nil {
		return Filed{}, err
	}
	d := &Damage{From: f.at}
	if ok {
		all := line + fr.length
		data, err := f.r.Peek(all + maxFrameLine)
		if err != nil && err != io.EOF {
			return Filed{}, err
		}
		if len(data) >= all && frameSum(data[:line-65], data[line:all]) == fr.sum {
			f.skip(all)
			return Filed{fr.id, fr.document, data[line:all]}, nil
		}
		d.ID = fr.id
		if len(data) >= all {
			next := data[all:]
			if _, ok := parseFrame(next[:bytes.IndexByte(next, '\n')+1]); ok || len(next) == 0 {
				f.skip(all) // the damage is within the receipt
				d.To = f.at
				return Filed{}, d
			}
		}
	}
	for { // to the next line that begins a receipt
		if err := f.skipLine(); err != nil {
			return Filed{}, err
		}
		_, _, ok, err := f.frame()
		if err != nil && err != io.EOF {
			return Filed{}, err
		}
		if ok || err == io.EOF {
			d.To = f.at
			return Filed{}, d
		}
	}
}

// frame looks at the line that is next; ok says that it begins a receipt. io.EOF is the end.
func (f *FileReader) frame() (length int, fr frame, ok bool, err error) {
	data, err := f.r.Peek(maxFrameLine)
	if err != nil && (err != io.EOF || len(data) == 0) {
		return 0, fr, false, err
	}
	length = bytes.IndexByte(data, '\n') + 1
	fr, ok = parseFrame(data[:length])
	return length, fr, ok, nil
}

// skipLine skips to the end of a line, or of the file.
func (f *FileReader) skipLine() error {
	for {
		part, err := f.r.ReadSlice('\n')
		f.at += int64(len(part))
		switch {
		case err == nil || err == io.EOF:
			return nil
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

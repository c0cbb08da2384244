// Package receipt checks, offline, the receipt that a sponsor files: a document, its receipt
// and a policy lead to a verdict. The server checks every receipt with this package before it
// answers. The command line, the auditor and the browser use the same code.
//
// A receipt is a c2sp.org/tlog-proof. Its extra data is base64 of the entry, a line feed, and
// the openings (canonical JSON, or nothing). So documents, receipt and policy are all that a
// verifier needs.
//
// The package uses no clock, network or file: it compiles to js/wasm.
package receipt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// MaxSize bounds a receipt, in bytes: an entry and openings in base64, a path of 63 hashes and
// a checkpoint with many cosignatures.
const MaxSize = 1 << 20

const header = "c2sp.org/tlog-proof@v1"

// A Receipt is a tlog-proof that was parsed and is not yet verified.
type Receipt struct {
	Entry      []byte // the leaf
	Openings   []byte // canonical JSON, may be empty
	Index      uint64
	Path       [][32]byte // RFC 6962 inclusion proof, from the leaf's sibling up
	Checkpoint []byte     // signed note
}

// Marshal formats the receipt.
func (r *Receipt) Marshal() []byte {
	extra := make([]byte, 0, len(r.Entry)+1+len(r.Openings))
	extra = append(append(append(extra, r.Entry...), '\n'), r.Openings...)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", header, base64.StdEncoding.EncodeToString(extra), r.Index)
	for _, h := range r.Path {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.Write(r.Checkpoint)
	return b.Bytes()
}

// ErrMangled is wrapped if an editor, a mail program or a transfer changed a receipt. It cannot
// be read, and that says nothing about what it proves.
var ErrMangled = errors.New("the receipt cannot be read")

var errCut = errors.New("the file is cut short: ask for it again, or fetch it with trial receipt")

// Parse parses a receipt strictly, in its canonical encoding.
func Parse(data []byte) (*Receipt, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d bytes; the most is %d", len(data), MaxSize)
	}
	if err := checkpoint.Mangled(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMangled, err)
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty: this is no receipt, ask for it again")
	}
	next := func() (line string, ok bool) {
		l, r, ok := bytes.Cut(data, []byte{'\n'})
		data = r
		return string(l), ok
	}
	// SPEC: "The first line MUST be the string c2sp.org/tlog-proof@v1."
	if line, whole := next(); !whole && strings.HasPrefix(header, line) {
		return nil, errCut
	} else if line != header {
		return nil, fmt.Errorf("the first line is not %s: this is no receipt", header)
	}
	line, whole := next()
	if !whole {
		return nil, errCut
	}
	extra64, ok := strings.CutPrefix(line, "extra ")
	if !ok {
		return nil, errors.New("the second line is not `extra ...`: this is no receipt of a trialproof log")
	}
	extra, err := base64.StdEncoding.Strict().DecodeString(extra64)
	if err != nil || len(extra64) != base64.StdEncoding.EncodedLen(len(extra)) {
		return nil, errors.New("the extra data is not strict base64")
	}
	r := new(Receipt)
	if r.Entry, r.Openings, ok = bytes.Cut(extra, []byte{'\n'}); !ok {
		return nil, errors.New("the extra data is not an entry, a line feed and openings")
	}
	line, ok = next()
	if !ok {
		return nil, errCut
	}
	index, ok := strings.CutPrefix(line, "index ")
	if !ok {
		return nil, errors.New("the third line is not `index N`")
	}
	if r.Index, err = checkpoint.ParseDecimal(index); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	for {
		line, ok := next()
		if !ok {
			return nil, errCut
		}
		if line == "" {
			break
		}
		if len(r.Path) == 63 {
			return nil, errors.New("the inclusion proof has more than 63 hashes")
		}
		h, err := checkpoint.ParseHash(line)
		if err != nil {
			return nil, fmt.Errorf("inclusion proof, hash %d: %w", len(r.Path)+1, err)
		}
		r.Path = append(r.Path, h)
	}
	r.Checkpoint = data
	return r, nil
}

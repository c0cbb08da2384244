package witness

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is the limit of the specification: no tree of less than 2^63 leaves needs more.
const maxProof = 63

// maxSigs is the number at which golang.org/x/mod/sumdb/note stops reading too.
const maxSigs = 100

// strict64 refuses spare bits that are not zero. It still skips CR and LF, so its input must
// have neither.
var strict64 = base64.StdEncoding.Strict()

// A request is a parsed add-checkpoint request, before anything is verified.
type request struct {
	old   int64
	proof tlog.TreeProof
	cp    *checkpoint
}

// A checkpoint is a parsed signed note that has the form of a checkpoint. None of its
// signatures has been verified.
type checkpoint struct {
	origin   string
	size     int64
	root     tlog.Hash
	extended bool   // has extension lines
	text     string // what Ed25519 signs: all lines before the signatures
	sigs     []sigLine
}

type sigLine struct {
	name string
	id   uint32 // key ID
	sig  []byte // what follows the key ID
	line string // as it was, with its LF
}

// parseRequest accepts exactly one encoding of each request. All its errors wrap ErrMalformed.
func parseRequest(body []byte) (*request, error) {
	// SPEC: The old size line MUST consist of the string `old`, a single space
	// (0x20), and the tree size of the previous checkpoint encoded as an ASCII
	// decimal with no leading zeroes.
	line, rest, ok := bytes.Cut(body, []byte("\n"))
	size, hasOld := strings.CutPrefix(string(line), "old ")
	if !ok || !hasOld {
		return nil, malformed("the first line is not `old SIZE`")
	}
	req := &request{}
	if req.old, ok = parseDecimal(size); !ok {
		return nil, malformed("old size %q is not a plain decimal below 2^63", clip(size))
	}
	for {
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok {
			return nil, malformed("no empty line before the checkpoint")
		}
		if len(line) == 0 {
			break
		}
		// SPEC: The client MUST NOT send more than 63 consistency proof lines.
		if len(req.proof) == maxProof {
			return nil, malformed("more than %d proof lines", maxProof)
		}
		// SPEC: Each consistency proof line MUST encode a single hash in base64.
		h, ok := parseHash(string(line))
		if !ok {
			return nil, malformed("proof line %d is not the base64 of 32 bytes", len(req.proof)+1)
		}
		req.proof = append(req.proof, h)
	}
	var err error
	req.cp, err = parseCheckpoint(rest)
	return req, err
}

// parseCheckpoint parses a c2sp.org/tlog-checkpoint with its signatures. It
// accepts no note that golang.org/x/mod/sumdb/note would not. All its errors
// wrap ErrMalformed.
func parseCheckpoint(msg []byte) (*checkpoint, error) {
	if !utf8.Valid(msg) {
		return nil, malformed("checkpoint is not UTF-8")
	}
	if bytes.ContainsFunc(msg, func(r rune) bool { return r < 0x20 && r != '\n' }) {
		return nil, malformed("checkpoint has control characters: end each line by a line feed alone")
	}
	text, sigs, ok := strings.Cut(string(msg), "\n\n")
	if !ok {
		return nil, malformed("checkpoint has no signatures")
	}
	// SPEC: The note text is a sequence of at least three non-empty lines,
	// separated by newlines (U+000A).
	//
	// So the first empty line ends the text. A second one would be read as a
	// signature line below and refused there.
	lines := strings.Split(text, "\n")
	if len(lines) < 3 || lines[0] == "" {
		return nil, malformed("checkpoint has fewer than three lines")
	}
	cp := &checkpoint{origin: lines[0], extended: len(lines) > 3, text: text + "\n"}
	if cp.size, ok = parseDecimal(lines[1]); !ok {
		return nil, malformed("checkpoint size %q is not a plain decimal below 2^63", clip(lines[1]))
	}
	if cp.root, ok = parseHash(lines[2]); !ok {
		return nil, malformed("checkpoint root is not the base64 of 32 bytes")
	}
	for sigs != "" {
		line, rest, ok := strings.Cut(sigs, "\n")
		if !ok {
			return nil, malformed("the last signature line does not end in a line feed")
		}
		if len(cp.sigs) == maxSigs {
			return nil, malformed("more than %d signature lines", maxSigs)
		}
		s, ok := parseSigLine(line)
		if !ok {
			return nil, malformed("signature line %d is not `— NAME BASE64`", len(cp.sigs)+1)
		}
		cp.sigs = append(cp.sigs, s)
		sigs = rest
	}
	if len(cp.sigs) == 0 {
		return nil, malformed("checkpoint has no signatures")
	}
	return cp, nil
}

func parseSigLine(line string) (sigLine, bool) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, b64, _ := strings.Cut(rest, " ")
	if !ok || !validName(name) {
		return sigLine{}, false
	}
	raw, err := strict64.DecodeString(b64)
	if err != nil || len(raw) < 5 {
		return sigLine{}, false
	}
	return sigLine{name: name, id: binary.BigEndian.Uint32(raw), sig: raw[4:], line: line + "\n"}, true
}

func formatSigLine(name string, id uint32, sig []byte) string {
	raw := append(binary.BigEndian.AppendUint32(nil, id), sig...)
	return "— " + name + " " + strict64.EncodeToString(raw) + "\n"
}

// parseDecimal accepts 0 and numbers without a sign or a leading zero, up to the largest int64.
func parseDecimal(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == s
}

func parseHash(s string) (h tlog.Hash, ok bool) {
	if len(s) != strict64.EncodedLen(tlog.HashSize) {
		return h, false
	}
	raw, err := strict64.DecodeString(s)
	if err != nil || len(raw) != tlog.HashSize {
		return h, false
	}
	return tlog.Hash(raw), true
}

// validName reports whether a key name has the form that signed-note requires.
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsSpace) < 0 && !strings.Contains(name, "+")
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// clip shortens a stranger's bytes for messages.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}

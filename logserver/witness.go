package logserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A witness is the log's side of c2sp.org/tlog-witness, for one witness. Only one goroutine
// uses it, its worker.
type witness struct {
	key    checkpoint.WitnessKey
	origin string
	logs   []note.Verifier // all keys of the log: a signature by any of them is ours
	client *http.Client
	last   uint64 // size it last cosigned, as far as is known
	known  bool   // whether last is more than a guess
}

// errAhead says that a witness has cosigned a larger tree than the largest that this log has
// stored: the log's database is an old copy.
type errAhead struct {
	label string
	size  uint64
}

func (e errAhead) Error() string {
	return fmt.Sprintf("witness %s has cosigned size %d, which this log does not know: its database is an old copy, or another "+
		"server has logged more; restore the newest, or have triallog restore make it from the log's tiles", e.label, e.size)
}

// ahead checks a witness's claim that it has cosigned a larger tree, which anyone can claim.
// The proof is a checkpoint of that size with our own signature.
func (w *witness) ahead(ctx context.Context, size, newest uint64) error {
	unproven := fmt.Errorf("witness %s claims to have cosigned size %d, larger than any that we signed, "+
		"and shows no checkpoint of ours to prove it", w.key.Label, size)
	tree, err := w.newest(ctx)
	if err != nil {
		return errors.Join(unproven, err)
	}
	if tree.Size <= newest {
		return unproven
	}
	return errAhead{w.key.Label, tree.Size}
}

// newest returns the checkpoint that the witness shows as its last one of our log, which one of
// our keys signed.
func (w *witness) newest(ctx context.Context) (signedTree, error) {
	url := fmt.Sprintf("%s/%x/checkpoint", strings.TrimSuffix(w.key.URL, "/"), sha256.Sum256([]byte(w.origin)))
	resp, err := w.send(ctx, http.MethodGet, url, nil)
	if err != nil {
		return signedTree{}, err
	}
	if resp.status != http.StatusOK {
		return signedTree{}, fmt.Errorf("witness %s answers status %d when asked for its last checkpoint", w.key.Label, resp.status)
	}
	n, err := note.Open(resp.body, note.VerifierList(w.logs...))
	if err != nil {
		return signedTree{}, fmt.Errorf("witness %s: its last checkpoint: %w", w.key.Label, err)
	}
	tree, err := checkpoint.ParseTree(n.Text)
	if err != nil {
		return signedTree{}, fmt.Errorf("witness %s: its last checkpoint: %w", w.key.Label, err)
	}
	if tree.Origin != w.origin {
		return signedTree{}, fmt.Errorf("witness %s shows a checkpoint of %s as ours", w.key.Label, tree.Origin)
	}
	return signedTree{tree, resp.body}, nil
}

// errRefused says that a witness refused a checkpoint for good: it may have seen a fork. text
// is its answer.
type errRefused struct {
	label  string
	status int
	text   string
}

// brokenRule matches the answer of a replaying witness that names a rule and the entry that
// breaks it.
var brokenRule = regexp.MustCompile(`^(R\d+) (\d+)\n$`)

func (e errRefused) Error() string {
	if m := brokenRule.FindStringSubmatch(e.text); m != nil {
		return fmt.Sprintf("witness %s refuses the checkpoint: entry %s breaks rule %s", e.label, m[2], m[1])
	}
	return fmt.Sprintf("witness %s refuses the checkpoint with status %d: %.200q: this may be a fork", e.label, e.status, e.text)
}

// maxWitnessAnswer bounds what is read of an answer.
const maxWitnessAnswer = 64 << 10

// cosign asks for a cosignature on a stored checkpoint and returns its note line and the time
// it was made for. newest is the largest size stored.
func (w *witness) cosign(ctx context.Context, hashes *hashTree, tree signedTree, newest uint64) (line string, at time.Time, err error) {
	old := tree.Size // a first guess that needs no proof; the answer has the correct size
	if w.known && w.last <= tree.Size {
		old = w.last
	}
	for try := 0; ; try++ {
		body, err := w.request(ctx, hashes, tree, old)
		if err != nil {
			return "", time.Time{}, err
		}
		resp, err := w.post(ctx, body)
		if err != nil {
			return "", time.Time{}, err
		}
		switch {
		case resp.status == http.StatusOK:
			line, at, err := w.accept(tree, resp.body)
			if err == nil {
				w.last, w.known = tree.Size, true
			}
			return line, at, err
		case resp.status == http.StatusConflict && resp.contentType == "text/x.tlog.size":
			size, err := parseSize(resp.body)
			if err != nil {
				return "", time.Time{}, fmt.Errorf("witness %s answers 409 without a size", w.key.Label)
			}
			if size > newest {
				return "", time.Time{}, w.ahead(ctx, size, newest)
			}
			w.last, w.known = size, true
			if size > tree.Size || try == 2 {
				return "", time.Time{}, fmt.Errorf("witness %s is at size %d already", w.key.Label, size)
			}
			old = size
		case resp.status == http.StatusConflict, resp.status == http.StatusUnprocessableEntity:
			return "", time.Time{}, errRefused{w.key.Label, resp.status, string(resp.body)}
		default:
			return "", time.Time{}, fmt.Errorf("witness %s answers status %d: %.200q", w.key.Label, resp.status, resp.body)
		}
	}
}

// parseSize reads the body of a 409.
//
//	SPEC: "The response body MUST consist of the tree size of the latest cosigned
//	checkpoint in decimal, followed by a newline".
func parseSize(body []byte) (uint64, error) {
	return strconv.ParseUint(strings.TrimSuffix(string(body), "\n"), 10, 63)
}

// request builds the body of add-checkpoint.
func (w *witness) request(ctx context.Context, hashes *hashTree, tree signedTree, old uint64) ([]byte, error) {
	proof, err := hashes.consistency(ctx, old, tree.Size)
	if err != nil {
		return nil, fmt.Errorf("prove consistency of %d and %d: %w", old, tree.Size, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(tree.note)
	return b.Bytes(), nil
}

type answer struct {
	status      int
	contentType string
	body        []byte
}

func (w *witness) post(ctx context.Context, body []byte) (answer, error) {
	return w.send(ctx, http.MethodPost, strings.TrimSuffix(w.key.URL, "/")+"/add-checkpoint", body)
}

func (w *witness) send(ctx context.Context, method, url string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("witness %s: %w", w.key.Label, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxWitnessAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("witness %s: %w", w.key.Label, err)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return answer{resp.StatusCode, mediaType, data}, nil
}

// accept finds the witness's own signature in its answer and verifies it.
//
// SPEC: "To parse the response, the client MAY concatenate it to the checkpoint, and use a note
// verification function configured with the witness keys it trusts."
func (w *witness) accept(tree signedTree, lines []byte) (string, time.Time, error) {
	n, err := note.Open(append(bytes.Clone(tree.note), lines...), note.VerifierList(append([]note.Verifier{w.key}, w.logs...)...))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("witness %s: its answer does not verify: %w", w.key.Label, err)
	}
	for _, s := range n.Sigs {
		if s.Name == w.key.Name() && s.Hash == w.key.KeyHash() {
			at, err := checkpoint.CosignatureTime(s)
			if err != nil {
				return "", time.Time{}, fmt.Errorf("witness %s: %w", w.key.Label, err)
			}
			return fmt.Sprintf("— %s %s\n", s.Name, s.Base64), at, nil
		}
	}
	return "", time.Time{}, errors.New("witness " + w.key.Label + " answers without a signature by its key")
}

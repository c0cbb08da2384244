package witness

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A tree is a Merkle tree whose leaf i is "BRANCH i", so that two branches are
// one tree up to where one of them changes its name.
type tree struct {
	hashes []tlog.Hash
	n      int64
}

func newTree() *tree { return &tree{} }

func (t *tree) grow(branch string, to int64) *tree {
	u := &tree{hashes: t.hashes[:len(t.hashes):len(t.hashes)], n: t.n}
	for ; u.n < to; u.n++ {
		h, err := tlog.StoredHashes(u.n, fmt.Appendf(nil, "%s %d", branch, u.n), u)
		if err != nil {
			panic(err)
		}
		u.hashes = append(u.hashes, h...)
	}
	return u
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, t.hashes[i])
	}
	return out, nil
}

func (t *tree) root(n int64) tlog.Hash {
	if n == 0 {
		return emptyRoot
	}
	h, err := tlog.TreeHash(n, t)
	if err != nil {
		panic(err)
	}
	return h
}

func (t *tree) proof(old, new int64) tlog.TreeProof {
	if old == 0 {
		return nil
	}
	p, err := tlog.ProveTree(new, old, t)
	if err != nil {
		panic(err)
	}
	return p
}

// A testLog signs whatever it is told to.
type testLog struct {
	origin string
	vkey   string
	signer note.Signer
}

func newLog(t testing.TB, origin string) *testLog {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{origin, vkey, s}
}

func newMLDSALog(t testing.TB, origin string) *testLog {
	t.Helper()
	skey, vkey, err := fnote.GenerateMLDSAKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := fnote.NewMLDSASigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{origin, vkey, s}
}

func text(origin string, size int64, root tlog.Hash, extensions ...string) string {
	s := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	for _, e := range extensions {
		s += e + "\n"
	}
	return s
}

func (l *testLog) sign(t testing.TB, text string, more ...note.Signer) string {
	t.Helper()
	b, err := note.Sign(&note.Note{Text: text}, append([]note.Signer{l.signer}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at is the signed checkpoint of a tree at a size.
func (l *testLog) at(t testing.TB, tr *tree, size int64) string {
	t.Helper()
	return l.sign(t, text(l.origin, size, tr.root(size)))
}

// ask writes an add-checkpoint body.
func ask(old any, proof tlog.TreeProof, checkpoint string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "old %v\n", old)
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	return b.String() + "\n" + checkpoint
}

// grow is the honest request.
func (l *testLog) grow(t testing.TB, tr *tree, old, new int64) string {
	t.Helper()
	return ask(old, tr.proof(old, new), l.at(t, tr, new))
}

// A clock stands still until it is told to move.
type clock struct{ sec atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.sec.Store(1_800_000_000)
	return c
}

func (c *clock) now() time.Time { return time.Unix(c.sec.Load(), 0) }

func testKey(t testing.TB, alg Algorithm) *Key {
	t.Helper()
	k, err := NewKey("witness.example/w1", alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t testing.TB, cfg Config) *Witness {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = newClock().now
	}
	w, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// setup opens a witness of one log in a new folder.
func setup(t testing.TB, logs ...*testLog) (*Witness, *clock) {
	t.Helper()
	c := newClock()
	cfg := Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Now: c.now}
	for _, l := range logs {
		cfg.Logs = append(cfg.Logs, Log{VKey: l.vkey})
	}
	return open(t, cfg), c
}

func post(w *Witness, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(body)))
	return rec
}

func get(w *Witness, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	return rec
}

func must(t testing.TB, w *Witness, body string) string {
	t.Helper()
	rec := post(w, body)
	if rec.Code != http.StatusOK {
		t.Fatalf("add-checkpoint: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func want(t testing.TB, w *Witness, body string, status int, answer string) {
	t.Helper()
	rec := post(w, body)
	if rec.Code != status || answer != "" && rec.Body.String() != answer {
		t.Fatalf("add-checkpoint: %d %q, want %d %q", rec.Code, rec.Body, status, answer)
	}
}

// size is that of the checkpoint that is served, -1 if there is none.
func size(t testing.TB, w *Witness, l *testLog) int64 {
	t.Helper()
	rec := get(w, "/"+originHash(l.origin)+"/checkpoint")
	if rec.Code == http.StatusNotFound {
		return -1
	}
	cp, err := parseCheckpoint(rec.Body.Bytes())
	if rec.Code != http.StatusOK || err != nil {
		t.Fatalf("checkpoint: %d %s %v", rec.Code, rec.Body, err)
	}
	return cp.size
}

func logFile(w *Witness, l *testLog, name string) string {
	return filepath.Join(w.cfg.Dir, originHash(l.origin), name)
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// notes returns the checkpoints of a journal.
func notes(t testing.TB, path string) []*checkpoint {
	t.Helper()
	var out []*checkpoint
	err := journal{path: path, files: machine{}}.each(func(line []byte) error {
		cp, _, err := parseNoteLine(line)
		out = append(out, cp)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

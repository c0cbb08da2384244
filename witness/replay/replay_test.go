package replay_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/tile/fetch"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
	"github.com/trialproof/trialproof/witness/replay"
)

// A stage is a log in memory whose tiles are served, and a replaying witness.
type stage struct {
	t   *testing.T
	log *trialtest.Log
	id  trial.Hash // of a trial
	n   int

	mu     sync.Mutex // guards the log's leaves and the fields below
	down   bool       // tiles cannot be read
	served int        // entry bundles
	now    time.Time

	dir  string
	key  *witness.Key
	w    *witness.Witness
	http *httptest.Server // the log's
	last uint64           // size cosigned
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, log: trialtest.NewLog(t), now: trialtest.Start.Std(), dir: t.TempDir()}
	p, subjects := trialtest.Org("acme", "Acme", "ada")
	s.log.Admit("registrar", p, subjects)
	p, subjects = trialtest.Register("X-1")
	s.id = s.log.Admit("ada", p, subjects).ID
	s.log.Close()
	s.http = httptest.NewServer(http.HandlerFunc(s.tile))
	t.Cleanup(s.http.Close)
	var err error
	if s.key, err = witness.NewKey("w.example/replay", witness.Ed25519); err != nil {
		t.Fatal(err)
	}
	s.open()
	t.Cleanup(func() { s.w.Close() })
	return s
}

// set changes what the served log and the clock are like.
func (s *stage) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) open() {
	s.t.Helper()
	logs := []witness.Log{{VKey: trialtest.LogKey.VKey(), URL: s.http.URL}}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	tiles := func(url string) (tile.Source, error) { return fetch.New(url, fetch.Options{Wait: replay.Time}) }
	r, err := replay.New(replay.Config{Logs: logs, Tiles: tiles, Files: replay.Folder(s.dir), Now: s.clock, Logger: logger})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.w, err = witness.Open(witness.Config{Dir: filepath.Join(s.dir), Key: s.key, Logs: logs, Now: s.clock,
		Replay: r.Replay}); err != nil {
		s.t.Fatal(err)
	}
}

// tile serves the log's entry bundles.
func (s *stage) tile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	s.served++
	name, part, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/tile/entries/"), ".p/")
	n, err := strconv.ParseUint(strings.NewReplacer("x", "", "/", "").Replace(name), 10, 64)
	width := tile.Width
	if part != "" {
		width, _ = strconv.Atoi(part)
	}
	if err != nil || n*tile.Width+uint64(width) > s.log.Size() {
		http.NotFound(w, r)
		return
	}
	w.Write(s.log.Bundle(n, width))
}

// grow admits documents and ends the tree.
func (s *stage) grow(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.n++
		s.log.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: s.id, Version: fmt.Sprint(s.n)},
			trialtest.Documents("document", fmt.Sprint(s.n)))
	}
	s.log.Close()
}

// ask has the witness asked for the log's present tree, as a log does.
func (s *stage) ask() (status int, body string) {
	s.t.Helper()
	size := s.log.Size()
	req := fmt.Sprintf("old %d\n", s.last)
	if s.last > 0 && s.last < size {
		p, err := tlog.ProveTree(int64(size), int64(s.last), s.log)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, h := range p {
			req += base64.StdEncoding.EncodeToString(h[:]) + "\n"
		}
	}
	req += "\n" + string(trialtest.Checkpoint(s.t, s.log.Tree(size), trialtest.LogKey))
	rec := httptest.NewRecorder()
	s.w.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(req)))
	if rec.Code == 200 {
		s.last = size
	}
	if rec.Code == 503 && rec.Header().Get("Retry-After") == "" {
		s.t.Error("503 without Retry-After")
	}
	return rec.Code, rec.Body.String()
}

func (s *stage) want(status int, body string) {
	s.t.Helper()
	if got, said := s.ask(); got != status || !strings.Contains(said, body) {
		s.t.Fatalf("status %d %q, want %d %q", got, said, status, body)
	}
}

// TestReplayCosignsWhatIsClean follows a growing log, over a restart, through a time in which
// tiles cannot be read, and over days.
func TestReplayCosignsWhatIsClean(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	s := newStage(t)
	s.want(200, "w.example/replay")
	for range 5 {
		s.grow(3)
		s.want(200, "w.example/replay")
	}
	s.grow(600)
	s.set(func() { s.down = true })
	s.want(503, "not replayed yet")
	if s.w.Close() != nil {
		t.Fatal("close")
	}
	s.open()
	s.want(503, "not replayed yet")
	s.set(func() { s.down = false })
	s.want(200, "w.example/replay")
	// The witness is down for two days, in which the log makes a tree every hour. That entries
	// are old is not a reason to refuse.
	if s.w.Close() != nil {
		t.Fatal("close")
	}
	before := s.last
	for range 48 {
		s.set(func() {
			s.now = s.now.Add(time.Hour)
			p := &trial.Document{Common: trialtest.Common(), Trial: s.id}
			signed := trialtest.Check(t, "ada", p, trialtest.Documents("document", s.now.String()))
			raw, _, err := s.log.State.Admit(signed, trial.TimeOf(s.now))
			if err != nil {
				t.Fatal(err)
			}
			s.log.Append(raw)
			s.log.Close()
		})
	}
	s.open()
	s.want(200, "w.example/replay")
	if s.last != before+96 {
		t.Fatalf("cosigned %d entries, of %d", s.last, before+96)
	}
	s.grow(1)
	s.set(func() { s.now = s.now.Add(-6 * time.Minute) }) // the clock still matters for the entries of the last hour
	s.want(503, "ahead of this witness's clock")
}

// TestReplayJoinsLate: a witness that joins a log of 10,000 old entries replays
// them all and cosigns.
func TestReplayJoinsLate(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	s := newStage(t)
	for range 40 {
		s.grow(250)
	}
	for {
		status, body := s.ask()
		if status == 200 {
			break
		}
		if status != 503 {
			t.Fatalf("status %d %q", status, body)
		}
	}
	if s.served < 40 {
		t.Fatalf("cosigned after reading %d bundles of %d entries", s.served, s.log.Size())
	}
}

// TestReplayRefusesBrokenRules: an operator that admits what the rules refuse receives no
// cosignature, and is told the rule and the entry.
func TestReplayRefusesBrokenRules(t *testing.T) {
	s := newStage(t)
	s.want(200, "")
	// The operator patches its server and logs a document of a key that nobody
	// enrolled, as acme's.
	env, key := trialtest.Sign(t, "mallory", &trial.Document{Common: trialtest.Common(), Trial: s.id, Version: "1"},
		trialtest.Documents("document", "x"))
	index := s.log.Size()
	forged := fmt.Sprintf(`{"envelope":%s,"signer":{"enrolled":2,"key":"%s","org":"acme","role":"signer"},"time":"%s","type":"statement"}`,
		env, base64.StdEncoding.EncodeToString(key), trialtest.InJSON(s.log.State.Time()))
	if _, err := trial.ParseEntry([]byte(forged)); err != nil {
		t.Fatalf("the forgery is malformed: %v", err)
	}
	s.set(func() {
		s.log.Append([]byte(forged))
		s.log.State.Skip(index)
		s.log.Close()
	})
	for range 2 { // asking again changes nothing
		s.want(422, fmt.Sprintf("R3 %d\n", index))
	}
	if note, ok := s.w.Checkpoint(fmt.Sprintf("%x", sha256.Sum256([]byte(trialtest.Origin)))); !ok || strings.Contains(string(note),
		fmt.Sprintf("\n%d\n", s.log.Size())) {
		t.Fatal("the broken tree is the witness's checkpoint")
	}
}

// TestReplayClock: a tree with an entry stamped more than five minutes ahead is not cosigned
// until the witness's clock is there.
func TestReplayClock(t *testing.T) {
	s := newStage(t)
	s.want(200, "")
	s.grow(1)
	s.set(func() { s.now = s.now.Add(-6 * time.Minute) })
	s.want(503, "ahead of this witness's clock")
	s.set(func() { s.now = s.now.Add(2 * time.Minute) })
	s.want(200, "")
}

// TestReplayHoldsEntriesToTheRoot: bundles that the checkpoint does not commit to never lead to
// a cosignature, nor to an accusation.
func TestReplayHoldsEntriesToTheRoot(t *testing.T) {
	s := newStage(t)
	s.want(200, "")
	s.grow(2)
	real := s.log.Leaves
	lied := append([][]byte(nil), real...)
	// One entry is exchanged on the way for one that breaks a rule.
	lied[len(lied)-2] = lied[len(lied)-4]
	s.set(func() { s.log.Leaves = lied })
	s.want(503, "root")
	s.set(func() { s.log.Leaves = real })
	s.want(200, "")
}

package logserver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A mirror is a copy of a log's checkpoint and entry bundles.
type mirror struct {
	checkpoint []byte
	files      map[string][]byte
	fail       func(path string) error
}

// mirrorOf copies what a log serves, up to a size.
func mirrorOf(t testing.TB, l *logserver.Log, size uint64) *mirror {
	t.Helper()
	m := &mirror{files: map[string][]byte{}}
	var err error
	if m.checkpoint, err = l.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	for n := uint64(0); n*tile.Width < size; n++ {
		for _, width := range []uint64{min(size-n*tile.Width, tile.Width), min(l.Size()-min(l.Size(), n*tile.Width), tile.Width)} {
			if width == 0 {
				continue
			}
			path := tile.Path(tile.Entries, n, int(width))
			if m.files[path], err = l.Tile(t.Context(), path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m
}

func (m *mirror) Checkpoint(context.Context) ([]byte, error) { return m.checkpoint, nil }

func (m *mirror) Tile(ctx context.Context, path string) ([]byte, error) {
	if m.fail != nil {
		if err := m.fail(path); err != nil {
			return nil, err
		}
	}
	data, ok := m.files[path]
	if !ok {
		return nil, logserver.ErrNotFound
	}
	return data, nil
}

// twin returns the log on another machine: its key and policy, and nothing else.
func (f *fixture) twin() *fixture {
	g := *f
	g.dir, g.mysql, g.wrap = f.t.TempDir(), testDatabase(f.t), nil
	return &g
}

func (f *fixture) plan(src tile.Source) (*logserver.Plan, error) {
	return logserver.PlanRestore(f.t.Context(), logserver.Config{Signer: f.signer, Policy: f.parsePolicy(),
		CheckpointFile: f.path("checkpoint")}, src)
}

func (f *fixture) restore(src tile.Source) error {
	f.t.Helper()
	plan, err := f.plan(src)
	if err != nil {
		return err
	}
	cfg, closeAll, err := f.backends(f.t.Context(), true)
	if err != nil {
		f.t.Fatal(err)
	}
	defer closeAll()
	j := cfg.Journal
	if own, ok := j.(ownClock); ok {
		j = own.Journal
	}
	return plan.Restore(f.t.Context(), cfg, j.(logserver.Restorer), nil)
}

// TestRestore: a log that is restored from the tiles alone cannot be told from the one that was
// lost.
func TestRestore(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	f.grow(l, id, 600)
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	was, err := l.Submit(t.Context(), env, key)
	if err != nil {
		t.Fatal(err)
	}
	m := mirrorOf(t, l, l.Size())
	record := trial.RecordKey{Kind: "trial", ID: id.String()}
	about, err := l.About(t.Context(), record, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop()

	g := f.twin()
	if err := g.restore(m); err != nil {
		t.Fatal(err)
	}
	if problems := g.check(); problems != "" {
		t.Fatalf("the restored log:\n%s", problems)
	}
	cfg, closeAll, err := g.backends(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if size, records, err := cfg.Journal.LoadSnapshot(t.Context()); err != nil || size <= was.Index || len(records) == 0 {
		t.Fatalf("a snapshot of size %d with %d records: %v", size, len(records), err)
	}
	closeAll()
	l, stop = g.open()
	waitReady(t, l)
	cp, err := g.parsePolicy().Open(m.checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	now, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.parsePolicy().Open(now); err != nil || got.Tree != cp.Tree {
		t.Fatalf("the restored log's tree is %v, was %v: %v", got, cp.Tree, err)
	}
	again, err := l.About(t.Context(), record, 0, 0)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(about) {
		t.Fatalf("%d entries about the trial, were %d: %v", len(again), len(about), err)
	}
	// The same statement is the same entry.
	if out, err := l.Submit(t.Context(), env, key); err != nil || out.Index != was.Index {
		t.Fatalf("the same statement stands at %d, stood at %d: %v", out.Index, was.Index, err)
	} else if _, err := receipt.Verify(g.parsePolicy(), out.Receipt); err != nil {
		t.Fatal(err)
	}
	p, s, _ = g.document(id)
	out := g.submit(l, "ada", p, s)
	if out.Index != cp.Size {
		t.Fatalf("the next entry stands at %d, the tree's size was %d", out.Index, cp.Size)
	}
	stop()
	if problems := g.check(); problems != "" {
		t.Fatalf("the log that went on:\n%s", problems)
	}
}

// TestRestoreUnpublished: when the database was lost, one witness had cosigned a tree that the
// quorum had not. If the tiles reach that far, it is restored; if they do not, going on would
// fork the log.
func TestRestoreUnpublished(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	f.wrap = func(c *logserver.Config) { c.QuorumWait = time.Second }
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	published := l.Size()
	ws[1].down.Store(true)
	ws[2].down.Store(true)
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	pending, err := l.Submit(t.Context(), env, key)
	if !errors.Is(err, logserver.ErrPending) {
		t.Fatalf("submit: %v", err)
	}
	whole, short := mirrorOf(t, l, published+2), mirrorOf(t, l, published)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.Close(ctx)
	stop()

	g := f.twin()
	if _, err := g.plan(whole); err == nil || !strings.Contains(err.Error(), "too few witnesses") {
		t.Fatalf("restored while two of three witnesses were silent: %v", err)
	}
	ws[1].down.Store(false)
	ws[2].down.Store(false)
	if err := g.restore(short); err == nil || !strings.Contains(err.Error(),
		"witness w1 has size 8 with this log's signature, and the URL serves 6: to go on from there would fork the log") {
		t.Fatalf("restored a smaller tree than a witness has cosigned: %v", err)
	}
	if err := g.restore(whole); err != nil {
		t.Fatal(err)
	}
	if problems := g.check(); problems != "" {
		t.Fatalf("the restored log:\n%s", problems)
	}
	l, stop = g.open()
	defer stop()
	waitReady(t, l)
	if _, err := l.Await(t.Context(), published); err != nil {
		t.Fatal(err)
	}
	if out, err := l.Submit(t.Context(), env, key); err != nil || out.Index != pending.Index {
		t.Fatalf("the pending statement stands at %d, stood at %d: %v", out.Index, pending.Index, err)
	}
}

// TestRestoreRefuses: anything but exactly this log is refused, and nothing is left that could
// be served.
func TestRestoreRefuses(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	for range 130 { // one at a time: two entries each
		p, s, _ := f.document(id)
		f.submit(l, "ada", p, s)
	}
	m := mirrorOf(t, l, l.Size())
	size := l.Size()
	stop()
	// Another log of the same key, with other entries, of the same size.
	other := f.twin()
	other.policy = "quorum none\n"
	other.create()
	l, stop = other.open()
	waitReady(t, l)
	id = other.enrol(l)
	for range 130 {
		p, s, _ := other.document(id)
		other.submit(l, "ada", p, s)
	}
	fork := mirrorOf(t, l, l.Size())
	if l.Size() != size {
		t.Fatalf("the fork's size is %d, want %d", l.Size(), size)
	}
	stop()

	alter := func(at int) *mirror {
		c := *m
		c.files = map[string][]byte{}
		for path, data := range m.files {
			if data = bytes.Clone(data); path == "tile/entries/000" {
				data[at%len(data)] ^= 1
			}
			c.files[path] = data
		}
		return &c
	}
	unsigned := *m
	unsigned.checkpoint = bytes.Replace(m.checkpoint, []byte("— w"), []byte("— x"), 3)
	type attempt struct {
		what string
		src  *mirror
		kept []byte // DIR/checkpoint
		want string
	}
	attempts := []attempt{
		{"another tree's entries", &mirror{checkpoint: m.checkpoint, files: fork.files}, nil, "the entries lead to the root"},
		{"too few cosignatures", &unsigned, nil, "lacks the quorum"},
		{"a kept checkpoint of another tree", m, fork.checkpoint, "the log signed two trees of size"},
		{"a bundle out of reach", &mirror{checkpoint: m.checkpoint, files: m.files, fail: func(path string) error {
			if path != "tile/entries/000" {
				return errInjected
			}
			return nil
		}}, nil, "injected fault"},
		{"no checkpoint at all", &mirror{checkpoint: []byte("x"), files: m.files}, nil, "malformed"},
	}
	for i := range 12 {
		attempts = append(attempts, attempt{fmt.Sprintf("altered byte %d", i), alter(i * 7919), nil, ""})
	}
	for _, a := range attempts {
		g := f.twin()
		if a.kept != nil {
			if err := os.WriteFile(g.path("checkpoint"), a.kept, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := g.restore(a.src)
		if err == nil || !strings.Contains(err.Error(), a.want) {
			t.Errorf("%s: %v, want %q", a.what, err, a.want)
		}
		if _, _, err := g.tryOpen(); err == nil {
			t.Errorf("%s: the log was opened", a.what)
		}
	}
	// A restore that ended early is named so.
	g := f.twin()
	if err := g.restore(attempts[3].src); err == nil {
		t.Fatal("restored without all entries")
	}
	if _, _, err := g.tryOpen(); err == nil || !strings.Contains(err.Error(), "if a restore was interrupted, run triallog restore again") {
		t.Fatalf("opened an unfinished restore: %v", err)
	}
	// Witnesses that have seen another tree of the size say so.
	g = f.twin()
	g.policy = strings.Replace(g.policy, "quorum g", "quorum none", 1)
	if err := g.restore(fork); err == nil || !strings.Contains(err.Error(), "this may be a fork") {
		t.Fatalf("restored a fork of what witnesses have seen: %v", err)
	}
}

// TestRestoreReplays: an operator that admitted what the rules refuse signed the tree, and its
// entries lead to the root. The log is not restored all the same.
func TestRestoreReplays(t *testing.T) {
	key := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}
	whole := func(l *trialtest.Log) *mirror {
		size := l.Size()
		return &mirror{trialtest.Checkpoint(t, l.Tree(size), key), map[string][]byte{tile.Path(tile.Entries, 0, int(size)): l.Bundle(0,
			int(size))}, nil}
	}
	f := newFixture(t)
	f.signer, f.vkey = key, key.VKey()
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	l.Close()
	if err := f.twin().restore(whole(l)); err != nil {
		t.Fatal(err)
	}
	// Without a state entry at its end.
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	if err := f.twin().restore(whole(l)); err == nil || !strings.Contains(err.Error(), "does not end with a state entry") {
		t.Fatalf("restored a tree that ends within a batch: %v", err)
	}
	l.Close()
	// As acme's, by a key that nobody enrolled.
	env, spki := trialtest.Sign(t, "mallory", &trial.Document{Common: trialtest.Common(), Trial: id, Version: "1"},
		trialtest.Documents("document", "x"))
	index := l.Size()
	l.Append(fmt.Appendf(nil,
		`{"envelope":%s,"signer":{"enrolled":2,"key":"%s","org":"acme","role":"signer"},"time":"%s","type":"statement"}`,
		env, base64.StdEncoding.EncodeToString(spki), trialtest.InJSON(l.State.Time())))
	l.State.Skip(index)
	l.Close()
	if err := f.twin().restore(whole(l)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("entry %d: R3", index)) {
		t.Fatalf("restored a log that breaks a rule: %v", err)
	}
}

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/witness"
	"github.com/trialproof/trialproof/witness/replay"
)

// A server is what can be started, stopped and killed: a replica of the log, or a witness.
type server struct {
	name  string
	clock *clock
	lives int

	mu sync.Mutex // guards p
	p  *process   // its present life; nil if it is stopped
}

// born begins another life, unless one goes on.
func (s *server) born(w *world) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p != nil && !s.p.gone() {
		return nil
	}
	s.lives++
	s.p = w.process(fmt.Sprintf("%s/%d", s.name, s.lives))
	return s.p
}

func (s *server) life() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil || s.p.gone() {
		return nil
	}
	return s.p
}

func (s *server) kill() {
	if p := s.life(); p != nil {
		p.kill()
	}
}

// A replica is a server of the log.
type replica struct {
	server
	c    *cluster
	copy copyDisk

	mu   sync.Mutex // guards the fields below
	log  *logserver.Log
	link *link
}

// A copyDisk keeps a replica's copy of the checkpoint, outside the database.
type copyDisk struct {
	w    *world
	name string

	mu      sync.Mutex // guards the fields below
	data    []byte
	full    bool
	writing bool
}

func (d *copyDisk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// A copyOf is the disk as one process has it.
type copyOf struct {
	*copyDisk
	p *process
}

func (c copyOf) Read() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.data, nil
}

// Write takes its time. If the process dies meanwhile, the file is the old or the new one.
func (c copyOf) Write(signed []byte) error {
	c.mu.Lock()
	if c.writing {
		c.w.fail("%s writes its copy of the checkpoint twice at once", c.p.name)
	}
	c.writing = true
	c.mu.Unlock()
	r := c.w.draw(c.p.name + " copies " + brief(signed))
	survives := r.IntN(2) == 0
	c.w.sleep(time.Duration(r.Int64N(int64(2 * time.Millisecond))))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	switch {
	case c.full:
		return errFull
	case c.p.gone() && !survives:
		return errDead
	case !c.p.gone() && c.w.chance(r, c.w.plan.diskFails):
		return errInjected
	}
	c.data = append([]byte(nil), signed...)
	return nil
}

// A seenSigner records everything that the log signs.
type seenSigner struct {
	note.Signer
	c *cluster
}

func (s seenSigner) Sign(text []byte) ([]byte, error) {
	s.c.saw("signed", string(text))
	return s.Signer.Sign(text)
}

// start starts the replica and returns when it is up, or dead.
func (r *replica) start() {
	w := r.c.w
	p := r.born(w)
	if p == nil {
		return
	}
	w.event("%s starts", p.name)
	for !p.gone() {
		k := &link{p: p, db: r.c.db}
		ctx := context.Background()
		// As a supervisor does that starts a server again until it runs.
		l, err := logserver.Open(ctx, r.config(p, k))
		if err == nil {
			r.mu.Lock()
			r.log, r.link = l, k
			r.mu.Unlock()
			w.event("%s is up", p.name)
			r.c.net.listen(r.name, p, door{l})
			go r.bury(p, l)
			return
		}
		w.event("%s does not start: %s", p.name, outcome(err))
		if !faulty(err) {
			w.fail("%s does not start: %v", p.name, err)
			return
		}
		w.rest(context.Background(), p.name, 500*time.Millisecond)
	}
}

// bury ends what is left of a log in the memory of a process that was killed.
func (r *replica) bury(p *process, l *logserver.Log) {
	select {
	case <-p.died:
	case <-r.c.over:
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.Close(ctx)
}

func (r *replica) config(p *process, k *link) logserver.Config {
	w := r.c.w
	return logserver.Config{
		Signer: seenSigner{r.c.signer, r.c}, Policy: r.c.policy, Tree: linkedTree{k}, Journal: linkedJournal{k}, Tiles: linkedTiles{k},
		Replica: &logserver.Replica{URL: r.name, Lease: w.plan.lease}, Copy: copyOf{&r.copy, p},
		Client:        &http.Client{Timeout: 10 * time.Second, Transport: sender{r.c.net, p, r.name}},
		Now:           r.clock.now,
		SnapshotEvery: w.plan.snapshots, Recosign: time.Minute, Logger: w.logger(p.name),
	}
}

// stop stops the replica in order, as far as it gets within some seconds.
func (r *replica) stop() {
	p := r.life()
	l, _ := r.running()
	if p == nil || l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		r.c.w.fail("%s: close: %v", p.name, err)
	}
	p.kill()
}

// running returns the log that runs, or nil.
func (r *replica) running() (*logserver.Log, *link) {
	if r.life() == nil {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link == nil || r.link.p != r.life() {
		return nil, nil
	}
	return r.log, r.link
}

// A door is how others reach a log. Messages to it are calls and not HTTP, so that their errors
// arrive as they are.
type door struct{ *logserver.Log }

func (door) ServeHTTP(http.ResponseWriter, *http.Request) {}

// A witnessHost is a witness with its machine.
type witnessHost struct {
	server
	c    *cluster
	key  *witness.Key
	disk *disk

	mu   sync.Mutex // guards replayed
	kept map[string][]byte
}

// Read implements replay.Files.
func (h *witnessHost) Read(origin string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	data, ok := h.kept[origin]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// Write implements replay.Files.
func (h *witnessHost) Write(origin string, data []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[origin] = data
	return nil
}

// start starts the witness and returns when it is up, or dead.
func (h *witnessHost) start() {
	w := h.c.w
	p := h.born(w)
	if p == nil {
		return
	}
	w.event("%s starts", p.name)
	for !p.gone() {
		impl, err := h.open(p)
		if err == nil {
			h.c.net.listen(h.name, p, impl.Handler())
			w.event("%s is up", p.name)
			return
		}
		w.event("%s does not start: %s", p.name, outcome(err))
		if !faulty(err) {
			w.fail("%s does not start: %v", p.name, err)
			return
		}
		w.rest(context.Background(), p.name, 500*time.Millisecond)
	}
}

func (h *witnessHost) open(p *process) (*witness.Witness, error) {
	logger := h.c.w.logger(p.name)
	logs := []witness.Log{{VKey: h.c.vkey, URL: "http://log"}}
	cfg := witness.Config{Dir: "/" + h.name, Key: h.key, Logs: logs, Files: mount{h.disk, p}, Now: h.clock.now, Logger: logger}
	if h.key.Replays() {
		r, err := replay.New(replay.Config{Logs: logs, Files: h, Now: h.clock.now, Logger: logger,
			Tiles: func(string) (tile.Source, error) { return anyReplica{sender{h.c.net, p, h.name}, h.c, ""}, nil }})
		if err != nil {
			return nil, err
		}
		cfg.Replay = r.Replay
	}
	return witness.Open(cfg)
}

// anyReplica reads tiles from a replica, another one each time, as by one address for all of
// them; or always from the same one.
type anyReplica struct {
	sender
	c    *cluster
	only string
}

func (a anyReplica) get(ctx context.Context, what string, f func(context.Context, *logserver.Log) ([]byte, error)) ([]byte, error) {
	to := a.only
	if to == "" {
		to = a.c.replicas[a.n.w.draw(a.p.name+" reads "+what+callerOf(ctx)).IntN(len(a.c.replicas))].name
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := ask(ctx, a.sender, to, what, func(ctx context.Context, h http.Handler) (r result[[]byte]) {
		r.v, r.err = f(ctx, h.(door).Log)
		return r
	})
	if err != nil {
		return nil, err
	}
	return res.v, res.err
}

func (a anyReplica) Checkpoint(ctx context.Context) ([]byte, error) {
	return a.get(ctx, "checkpoint", func(ctx context.Context, l *logserver.Log) ([]byte, error) { return l.Checkpoint() })
}

func (a anyReplica) Tile(ctx context.Context, path string) ([]byte, error) {
	return a.get(ctx, path, func(ctx context.Context, l *logserver.Log) ([]byte, error) { return l.Tile(ctx, path) })
}

// keyText returns the text of a witness's key file, which follows from its name and the seed.
func keyText(name string, seed uint64) []byte {
	secret := seedBytes("witness "+name, seed)
	raw := append([]byte{byte(witness.Ed25519)}, secret...)
	id := keyID(name, raw)
	return fmt.Appendf(nil, "PRIVATE+KEY+%s+%08x+%s\n", name, id, base64.StdEncoding.EncodeToString(raw))
}

// logger writes what a process logs into the loud trace.
func (w *world) logger(name string) *slog.Logger {
	if w.loud == nil {
		return slog.New(slog.DiscardHandler)
	}
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(lineWriter{w, name}, &slog.HandlerOptions{ReplaceAttr: drop}))
}

type lineWriter struct {
	w    *world
	name string
}

func (l lineWriter) Write(b []byte) (int, error) {
	l.w.loud(fmt.Sprintf("%12.6f     %s: %s", l.w.now().Seconds(), l.name, strings.TrimSuffix(string(b), "\n")))
	return len(b), nil
}

// refusal returns the rule by which a statement was refused, and whether err is a refusal.
func refusal(err error) (rule trial.Rule, ok bool) {
	_, ok = errors.AsType[*trial.Refusal](err)
	return trial.RuleOf(err), ok
}

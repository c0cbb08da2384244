package api

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// A fixture is a log on SQLite, served over HTTP and gRPC.
type fixture struct {
	t      testing.TB
	vkey   string
	policy *checkpoint.Policy
	text   string // of the policy
	log    *logserver.Log
	close  func() // of the log; called at the end in any case
	api    *Server
	http   *httptest.Server
	client *client.Client
	grpc   trialpb.LogClient
	conn   *grpc.ClientConn
	lines  *logLines
	clock  *fakeClock
	n      int
}

// A setup changes what a fixture uses.
type setup struct {
	witness *testWitness            // in the policy, if set
	log     func(*logserver.Config) // changes the log's configuration
	limits  Limits
	relay   crypto.Signer
	secret  string             // that the log's servers share
	server  func(*http.Server) // changes the server of HTTP
}

// A fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logLines are lines of JSON that a logger wrote.
type logLines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// find returns the lines in which a member has a value.
func (l *logLines) find(t testing.TB, member, value string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.buf.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if m[member] == value {
			found = append(found, m)
		}
	}
	return found
}

// A testWitness is a witness that can be silenced.
type testWitness struct {
	key    *witness.Key
	silent atomic.Bool
	now    func() time.Time // if it has a clock of its own
}

func (w *testWitness) start(t testing.TB, vkey string, now func() time.Time) (policyLines string) {
	t.Helper()
	var err error
	if w.key, err = witness.NewKey("w1.example", witness.Ed25519); err != nil {
		t.Fatal(err)
	}
	if w.now != nil {
		now = w.now
	}
	impl, err := witness.Open(witness.Config{Dir: t.TempDir(), Key: w.key, Logs: []witness.Log{{VKey: vkey}}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	h := impl.Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.silent.Load() {
			http.Error(rw, "silent", http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { srv.Close(); impl.Close() })
	return fmt.Sprintf("witness w1 %s %s\nquorum w1\n", w.key.VKey(), srv.URL)
}

func newFixture(t testing.TB, s setup) *fixture {
	t.Helper()
	skey, vkey, err := note.GenerateKey(strings.NewReader("the key of the log in every test"), trialtest.Origin)
	fatal(t, err)
	signer, err := note.NewSigner(skey)
	fatal(t, err)
	f := &fixture{t: t, vkey: vkey, lines: new(logLines), clock: &fakeClock{now: trialtest.Start.Std()}}
	f.text = "log " + vkey + "\nquorum none\n"
	if s.witness != nil {
		f.text = "log " + vkey + "\n" + s.witness.start(t, vkey, f.clock.Now)
	}
	f.policy, err = checkpoint.ParsePolicy([]byte(f.text))
	fatal(t, err)

	dir := t.TempDir()
	ctx := context.Background()
	ec := engine.Config{SQLite: filepath.Join(dir, "tree.db"), Now: f.clock.Now}
	db, err := sqlite.OpenDB(filepath.Join(dir, "log.db"))
	fatal(t, err)
	ec.TreeID, err = engine.Create(ctx, ec)
	fatal(t, err)
	store, err := sqlstore.Create(ctx, db, sqlstore.SQLite, ec.TreeID)
	fatal(t, err)
	tree, err := engine.Open(ctx, ec)
	fatal(t, err)
	metrics := NewMetrics()
	cfg := logserver.Config{
		Signer: signer, Policy: f.policy, Tree: tree, Journal: store, Tiles: logserver.NewTileDir(filepath.Join(dir, "tiles")),
		Now: f.clock.Now, RetryDelay: time.Millisecond, Metrics: metrics, QuorumWait: 45 * time.Second, // machines are slow
	}
	if s.log != nil {
		s.log(&cfg)
	}
	g := trial.NewGenesis(trialtest.Origin, vkey, []trial.PublicKey{trialtest.Public("registrar")}, trialtest.Start)
	fatal(t, logserver.Create(ctx, cfg, g))
	f.log, err = logserver.Open(ctx, cfg)
	fatal(t, err)
	f.close = sync.OnceFunc(func() {
		if s.witness != nil {
			s.witness.silent.Store(false)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := f.log.Close(ctx); err != nil {
			t.Error(err)
		}
		tree.Close()
		db.Close()
	})
	_, err = f.log.Await(t.Context(), 0) // genesis is published: the witnesses have been heard
	fatal(t, err)

	logger := slog.New(slog.NewJSONHandler(f.lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f.api, err = New(Config{Log: f.log, Policy: f.text, Logger: logger, Metrics: metrics, Limits: s.limits, Relay: s.relay, Secret: s.secret,
		Now: f.clock.Now})
	fatal(t, err)
	f.http = httptest.NewUnstartedServer(nil)
	f.http.Config = f.api.HTTPServer()
	if s.server != nil {
		s.server(f.http.Config)
	}
	f.http.Start()
	f.client, err = client.New(f.http.URL)
	fatal(t, err)
	gs := f.api.GRPC()
	ln := bufconn.Listen(1 << 20)
	go gs.Serve(ln)
	f.conn, err = grpc.NewClient("passthrough:log", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return ln.DialContext(ctx) }))
	fatal(t, err)
	f.grpc = trialpb.NewLogClient(f.conn)
	t.Cleanup(func() { f.close(); f.http.CloseClientConnections(); f.http.Close(); f.conn.Close(); gs.Stop() })
	return f
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// submit gets a statement logged, over HTTP.
func (f *fixture) submit(who string, p trial.Predicate, subjects []trial.Subject) client.Result {
	f.t.Helper()
	envelope, key := trialtest.Sign(f.t, who, p, subjects)
	r, err := f.client.Submit(f.t.Context(), envelope, key)
	if err != nil {
		f.t.Fatalf("submit %s: %v", p.Kind(), err)
	}
	return r
}

// enrol makes the organisation acme with the administrator ada, and returns the id of a trial
// that it registers.
func (f *fixture) enrol() trial.Hash {
	f.t.Helper()
	p, s := trialtest.Org("acme", "Acme", "ada")
	f.submit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	return f.submit("ada", p, s).ID
}

// document returns the next document of a trial.
func (f *fixture) document(id trial.Hash) (trial.Predicate, []trial.Subject) {
	f.n++
	return &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(f.n)}, trialtest.Documents("document",
		fmt.Sprint("document ", f.n))
}

// An answer is an answer over HTTP.
type answer struct {
	status int
	header http.Header
	body   string
}

type wireProblem struct{ Code, Rule, Message string }

// send sends a request over HTTP; headers are name, value, name, value...
func (f *fixture) send(method, path, body string, headers ...string) (a answer) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.http.URL+path, strings.NewReader(body))
	fatal(f.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	fatal(f.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	fatal(f.t, err)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(data)}
}

func (f *fixture) get(path string, headers ...string) answer {
	f.t.Helper()
	return f.send(http.MethodGet, path, "", headers...)
}

func (f *fixture) post(body string) answer {
	f.t.Helper()
	return f.send(http.MethodPost, "/v1/statements", body, "Content-Type", "application/json")
}

// wire returns the problem in an answer.
func (a answer) wire(t testing.TB) (p wireProblem) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(a.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Code == "" || p.Message == "" || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s: not a problem: %q", a.status, a.header.Get("Content-Type"), a.body)
	}
	return p
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// brokenTiles fail to be read when err is set.
type brokenTiles struct {
	logserver.TileStore
	err atomic.Pointer[error]
}

func (b *brokenTiles) Get(ctx context.Context, path string) ([]byte, error) {
	if err := b.err.Load(); err != nil {
		return nil, *err
	}
	return b.TileStore.Get(ctx, path)
}

// TestInternalError: an error that is not the application's own shows "internal error" and no
// more, and a failing database that it fails. The server's log has the rest, under the id that the
// caller was given.
func TestInternalError(t *testing.T) {
	tiles := new(brokenTiles)
	f := newFixture(t, setup{log: func(c *logserver.Config) { tiles.TileStore, c.Tiles = c.Tiles, tiles }})
	g := newGolden(t, "internal")
	for _, c := range []struct {
		err     error
		status  int
		code    codes.Code
		message string
		told    string // in the server's log
	}{
		{errors.New("secret of the disk"), 503, codes.Unavailable, "the log could not read its database: send it again later", "secret of the disk"},
		{logserver.ErrNotFound, 500, codes.Internal, "internal error", "tile/entries/000 is damaged: it is missing"},
	} {
		tiles.err.Store(&c.err)
		for _, path := range []string{"/v1/entries/0", "/v1/records/entries?kind=org&id=acme"} {
			a := f.get(path)
			g.add(path, a)
			if strings.Contains(path, "records") {
				if a.status != 200 { // this reads no tile
					t.Errorf("%s: status %d", path, a.status)
				}
				continue
			}
			if a.status != c.status || a.wire(t).Message != c.message || (a.header.Get("Retry-After") != "") != (c.status == 503) {
				t.Errorf("%s: status %d, %s", path, a.status, a.body)
			}
			lines := f.lines.find(t, "id", a.header.Get("X-Request-Id"))
			if len(lines) != 1 || lines[0]["level"] != "ERROR" || !strings.Contains(lines[0]["error"].(string), c.told) ||
				lines[0]["route"] != "/v1/entries/{index}" {
				t.Errorf("log: %v", lines)
			}
		}
		_, got := f.grpc.GetEntry(t.Context(), &trialpb.GetEntryRequest{})
		if st := status.Convert(got); st.Code() != c.code || st.Message() != c.message {
			t.Errorf("gRPC: %v", got)
		}
		stream, got := f.grpc.StreamEntries(t.Context(), &trialpb.StreamEntriesRequest{})
		fatal(t, got)
		if _, got := stream.Recv(); status.Code(got) != c.code || status.Convert(got).Message() != c.message {
			t.Errorf("gRPC stream: %v", got)
		}
		a := f.get("/v1/stream")
		g.add("/v1/stream", a)
		if a.status != c.status || a.wire(t).Message != c.message {
			t.Errorf("stream: status %d, %s", a.status, a.body)
		}
		tiles.err.Store(nil)
	}
	if a := f.get("/v1/entries/0"); a.status != 200 {
		t.Errorf("mended: status %d", a.status)
	}
	// A damaged file is named until the log is started again.
	if a := f.get("/readyz"); a.status != 200 || !strings.HasPrefix(a.body,
		"ready\nwarning: tile/entries/000 is damaged: it is missing: stop the log and run triallog fsck -repair\n") {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
	if a := f.get("/metrics"); !strings.Contains(a.body, "\ntrialproof_damaged_files 1\n") {
		t.Errorf("metrics do not count the damaged file")
	}
}

func TestRequestLog(t *testing.T) {
	f := newFixture(t, setup{})
	a := f.get("/v1/entries/77")
	lines := f.lines.find(t, "id", a.header.Get("X-Request-Id"))
	if len(lines) != 1 || lines[0]["level"] != "DEBUG" || lines[0]["status"] != "404" || lines[0]["method"] != "GET" ||
		lines[0]["address"] != "127.0.0.1" {
		t.Errorf("log: %v", lines)
	}
	if b := f.get("/v1/entries/77"); b.header.Get("X-Request-Id") == a.header.Get("X-Request-Id") {
		t.Error("two requests have one id")
	}
}

func TestPanic(t *testing.T) {
	f := newFixture(t, setup{})
	h := f.api.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic("secret of the program") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	var p wireProblem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 500 || p.Message != "internal error" || p.Code != "INTERNAL" {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	lines := f.lines.find(t, "id", w.Header().Get("X-Request-Id"))
	if len(lines) != 1 || lines[0]["level"] != "ERROR" || !strings.Contains(lines[0]["error"].(string), "secret of the program") {
		t.Errorf("log: %v", lines)
	}

	// Half an answer cannot be taken back, so the connection is closed.
	h = f.api.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("half")); panic("later") }))
	func() {
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("recovered %v", v)
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()

	_, err := f.api.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: trialpb.Log_GetLog_FullMethodName},
		func(context.Context, any) (any, error) { panic("secret of the program") })
	if st := status.Convert(err); st.Code() != codes.Internal || st.Message() != "internal error" {
		t.Errorf("gRPC: %v", err)
	}
}

func TestClosedLog(t *testing.T) {
	f := newFixture(t, setup{})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	f.close()
	a := f.post(body(envelope, key))
	if a.status != 503 || a.header.Get("Retry-After") == "" || a.wire(t).Code != "UNAVAILABLE" {
		t.Errorf("status %d, %s", a.status, a.body)
	}
	if _, err := f.grpc.Submit(t.Context(), message(t, envelope, key)); status.Code(err) != codes.Unavailable {
		t.Errorf("gRPC: %v", err)
	}
}

func TestHealth(t *testing.T) {
	f := newFixture(t, setup{})
	h := grpc_health_v1.NewHealthClient(f.conn)
	check := func(service string) string {
		r, err := h.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			return status.Code(err).String()
		}
		return r.Status.String()
	}
	if a, b, c := check(""), check("trialproof.v1.Log"), check("x"); a != "SERVING" || b != "SERVING" || c != "NotFound" {
		t.Errorf("%s, %s, %s", a, b, c)
	}
	watch, err := h.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	fatal(t, err)
	if r, err := watch.Recv(); err != nil || r.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("watch: %v, %v", r, err)
	}
	f.close()
	if a := check(""); a != "NOT_SERVING" {
		t.Errorf("closed: %s", a)
	}
	if r, err := watch.Recv(); err != nil || r.Status != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("watch: %v, %v", r, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable { // it does not delay a graceful stop
		t.Errorf("watch: %v", err)
	}
}

func TestReflection(t *testing.T) {
	f := newFixture(t, setup{})
	stream, err := grpc_reflection_v1.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	fatal(t, err)
	fatal(t, stream.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}))
	r, err := stream.Recv()
	fatal(t, err)
	if !strings.Contains(r.String(), "trialproof.v1.Log") {
		t.Errorf("services: %v", r)
	}
}

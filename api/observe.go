package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/trialproof/trialproof/logserver"
)

// A call is what is known about a request apart from its message. Only the request's goroutine
// uses it.
type call struct {
	id   string // told to the caller, who can quote it
	addr string // see addressOf
	err  error  // the error that was answered with a problem

	passedOn bool // by another server of the log, or so it says: it is not passed on again
	replica  bool // another server of the log has shown that it is one
	failed   bool // something failed through no fault of the caller, whatever the status says
}

type callKey struct{}

func newCall(ctx context.Context, remote string) (context.Context, *call) {
	c := &call{id: rand.Text(), addr: addressOf(remote)}
	return context.WithValue(ctx, callKey{}, c), c
}

// callOf returns the call of ctx. Every request has one.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return new(call)
}

// fail answers a request with what callers may see of err, and keeps err for the server's log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	callOf(r.Context()).err = err
	s.service.problem(r.Context(), err).write(w)
}

// observe gives each request its call, counts and logs it, and sets the headers that all
// answers have. A panic becomes status 500.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ctx, c := newCall(r.Context(), r.RemoteAddr)
		s.service.leader.recognise(c, r)
		r = r.WithContext(ctx)
		w := &statusWriter{ResponseWriter: rw}
		h := w.Header()
		h.Set("X-Request-Id", c.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			// What can be read here is public and the same for everybody. To submit, a page
			// must come from this origin.
			h.Set("Access-Control-Allow-Origin", "*")
		}
		defer func() {
			v := recover()
			if v != nil && v != http.ErrAbortHandler {
				err := panicError(v)
				c.err = err
				if w.status == 0 {
					problemOf(ctx, err).write(w)
					v = nil
				}
			}
			failed := w.code() == http.StatusInternalServerError || v != nil || c.failed
			s.record(ctx, c, "http", r.Method, routeOf(r.Pattern), strconv.Itoa(w.code()), failed, start)
			if v != nil {
				panic(http.ErrAbortHandler) // ends an answer that was sent in part
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// record counts a request and writes its line to the server's log: as an error if it failed
// through no fault of the caller, otherwise for debugging.
func (s *Server) record(ctx context.Context, c *call, protocol, method, route, status string, failed bool, start time.Time) {
	took := time.Since(start)
	s.metrics.request(protocol, route, status, took, slices.Contains(streamed, route))
	level := slog.LevelDebug
	if failed || errors.Is(c.err, logserver.ErrStore) {
		level = slog.LevelError
	}
	if !s.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", c.id), slog.String("protocol", protocol), slog.String("method", method),
		slog.String("route", route), slog.String("status", status), slog.Duration("took", took), slog.String("address", c.addr),
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("error", c.err.Error()))
	}
	s.logger.LogAttrs(ctx, level, "request", attrs...)
}

// streamed are the routes of which a request lasts as long as its caller likes.
var streamed = []string{streamPath, streamMethod, batchPath, batchMethod}

func panicError(v any) error { return fmt.Errorf("panic: %v\n%s", v, debug.Stack()) }

// failedCode reports whether a gRPC code says that the fault is not the caller's.
func failedCode(c codes.Code) bool {
	return c == codes.Internal || c == codes.Unknown || c == codes.DataLoss
}

// A statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int // 0 if none was written yet
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap makes http.ResponseController work.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK // what net/http sends for a handler that wrote nothing
	}
	return w.status
}

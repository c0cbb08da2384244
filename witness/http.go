package witness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxBody is what a request may take: 63 proof lines (2,835 bytes), an old size
// line, and a checkpoint, whose lines are a few hundred bytes and whose
// signatures take about 100 bytes each by Ed25519 and 3,300 by ML-DSA-44. That
// leaves room for 17 of the latter.
const maxBody = 64 << 10

// Handler serves the witness's whole HTTP interface, the submission and the
// monitoring prefix being one:
//
//	POST /add-checkpoint
//	GET  /<hex SHA-256 of origin>/checkpoint
//	GET  /           a page for people: the witness, its key, its logs
//	GET  /healthz    200, or 503 if a write failed and the record cannot be read again
//	GET  /metrics    Prometheus text format
//
// It translates and decides nothing. Other methods get 405, other paths 404.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.serveAdd)
	mux.HandleFunc("GET /{$}", w.servePage)
	mux.HandleFunc("GET /{hash}/checkpoint", w.serveCheckpoint)
	mux.HandleFunc("GET /healthz", w.serveHealth)
	mux.HandleFunc("GET /metrics", w.serveMetrics)
	return mux
}

func (w *Witness) serveAdd(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		w.answer(rw, http.StatusRequestEntityTooLarge, fmt.Sprintf("request of more than %d bytes\n", maxBody))
		return
	}
	if err != nil {
		w.answer(rw, http.StatusBadRequest, "request body ended early\n")
		return
	}
	cosigs, err := w.AddCheckpoint(body)
	var conflict *ConflictError
	var broken *RuleError
	switch {
	case err == nil:
		w.answer(rw, http.StatusOK, string(cosigs))
	case errors.As(err, &conflict):
		// SPEC: The response body MUST consist of the tree size of the latest
		// cosigned checkpoint in decimal, followed by a newline (U+000A). The
		// response MUST have a `Content-Type` of `text/x.tlog.size`.
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		w.answer(rw, http.StatusConflict, fmt.Sprintf("%d\n", conflict.Size))
	case errors.Is(err, ErrMalformed):
		w.answer(rw, http.StatusBadRequest, err.Error()+"\n")
	case errors.Is(err, ErrUnknownLog):
		w.answer(rw, http.StatusNotFound, err.Error()+"\n")
	case errors.Is(err, ErrSignature):
		w.answer(rw, http.StatusForbidden, err.Error()+"\n")
	case errors.As(err, &broken):
		// Not a fork: the log tells the two apart by this body.
		w.answer(rw, http.StatusUnprocessableEntity, fmt.Sprintf("%s %d\n", broken.Rule, broken.Index))
	case errors.Is(err, ErrNotReplayed):
		rw.Header().Set("Retry-After", "1")
		w.answer(rw, http.StatusServiceUnavailable, err.Error()+"\n")
	case errors.Is(err, ErrInconsistent):
		w.answer(rw, http.StatusUnprocessableEntity, err.Error()+"\n")
	default:
		w.cfg.Logger.Error("add-checkpoint failed", "err", err)
		w.answer(rw, http.StatusInternalServerError, "internal error\n")
	}
}

func (w *Witness) answer(rw http.ResponseWriter, status int, body string) {
	w.answers.add(status)
	h := rw.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	rw.WriteHeader(status)
	io.WriteString(rw, body)
}

func (w *Witness) serveCheckpoint(rw http.ResponseWriter, r *http.Request) {
	// SPEC: The origin hash is the SHA-256 hash of the log's origin, hex
	// encoded, in lowercase. [...] If the witness has never cosigned a
	// checkpoint for that log, it MUST respond with a "404 Not Found".
	note, ok := w.Checkpoint(r.PathValue("hash"))
	if !ok {
		http.Error(rw, "no checkpoint cosigned for that origin", http.StatusNotFound)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Write(note)
}

func (w *Witness) serveHealth(rw http.ResponseWriter, r *http.Request) {
	for origin, l := range w.ledgers {
		if err := l.recover(); err != nil {
			w.cfg.Logger.Error("health check failed", "origin", origin, "err", err)
			http.Error(rw, "the record of "+origin+" cannot be read", http.StatusServiceUnavailable)
			return
		}
	}
	io.WriteString(rw, "ok\n")
}

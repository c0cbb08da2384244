package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/logserver"
)

// checkpoint serves the published checkpoint.
//
//	SPEC (tlog-tiles): "with Content-Type: text/plain; charset=utf-8. This
//	endpoint is mutable, so its headers SHOULD prevent caching beyond a few
//	seconds."
func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) {
	cp, err := s.service.log.Checkpoint()
	if err == logserver.ErrNotFound {
		err = notFound("no checkpoint is published yet")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=1")
	w.Write(cp)
}

// immutable is the header for URLs whose answer never changes.
const immutable = "public, max-age=31536000, immutable"

// tile serves tiles and entry bundles.
//
//	SPEC (tlog-tiles): "This endpoint is immutable, so its caching headers SHOULD
//	be long-lived." "Entry bundles SHOULD be compressed at the HTTP layer. Logs
//	MAY use [...] any compression algorithm requested by the client with
//	Accept-Encoding."
func (s *Server) tile(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	var data []byte
	err := logserver.ErrTilePath
	if !strings.HasPrefix(path, "tile/data/") { // x/mod's name for tile/entries
		data, err = s.service.log.Tile(r.Context(), path)
	}
	if err == logserver.ErrNotFound {
		err = notFound("no tree that was signed has this tile")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", immutable)
	if strings.HasPrefix(r.PathValue("path"), "entries/") { // hashes do not compress
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			data = compress(data)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data)
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3).
func acceptsGzip(values []string) bool {
	for v := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, weight, _ := strings.Cut(v, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(weight, " ", "")), "q=")
		n, err := strconv.ParseFloat(q, 64)
		return !ok || err == nil && n > 0
	}
	return false
}

var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid, so there is no error
	return w
}}

func compress(data []byte) []byte {
	var b bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) { answerText(w, http.StatusOK, "ok") }

// readyz gives the log's reasons in full. They may name machines and files. If others should
// not see them, block the path at the proxy in front.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.service.log.Ready(); err != nil {
		w.Header().Set("Retry-After", "2")
		answerText(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	answerText(w, http.StatusOK, strings.Join(append([]string{"ready"}, s.service.log.Warnings()...), "\nwarning: "))
}

func answerText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n")
}

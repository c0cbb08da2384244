package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/trialproof/trialproof/api/trialpb"
)

// stream serves StreamEntries as lines of JSON: {"result":{...}} for each entry and, if it ends
// for another reason than that the caller left, {"error":{...}}.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	err := checkQuery(r, []string{"from"})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	// A stream may stay open for ever; it ends only if its reader accepts nothing.
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Time{})
	line := func(name string, value []byte) error {
		rc.SetWriteDeadline(time.Now().Add(requestTimeout))
		_, err := fmt.Fprintf(w, "{%q:%s}\n", name, value)
		return err
	}
	started := false
	err = s.service.stream(r.Context(), &trialpb.StreamEntriesRequest{From: number(r, "from")}, func(e *trialpb.Entry) error {
		started = true
		data, err := marshal(e)
		if err != nil {
			return err
		}
		return line("result", data)
	}, func() error {
		started = true
		err := rc.Flush() // the first sends the header: the stream is open
		rc.SetWriteDeadline(time.Time{})
		return err
	})
	switch {
	case !started:
		s.fail(w, r, err)
	case r.Context().Err() == nil:
		callOf(r.Context()).err = err
		value, _ := json.Marshal(problemOf(r.Context(), err).wire())
		line("error", value)
	}
}

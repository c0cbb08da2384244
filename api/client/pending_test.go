package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// TestPendingSaysWhy: the reason for a missing receipt is the one that the log gives, and
// witnesses are named only if it says that it is ready.
func TestPendingSaysWhy(t *testing.T) {
	for _, test := range []struct {
		status    int
		body      string
		want, not string
	}{
		{200, "ready\n", "too few witnesses", "readyz"},
		{503, "the log is not ready: the step \"store tiles\" has failed since 2026-05-01 10:00:00 UTC and is tried again: no space " +
			"left on device\n", "no space left on device", "witnesses"},
		{404, "page not found\n", "not there yet", "witnesses"}, // a proxy blocks it
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/readyz" {
				w.WriteHeader(test.status)
				w.Write([]byte(test.body))
				return
			}
			w.WriteHeader(http.StatusAccepted)
			w.Write([]byte(`{"id":"` + strings.Repeat("0", 64) + `","index":"0","receipt":""}`))
		}))
		c, err := New(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Receipt(t.Context(), trial.Hash{})
		if !errors.Is(err, ErrPending) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.not) {
			t.Errorf("%d %q: %v", test.status, test.body, err)
		}
		srv.Close()
	}
}

package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
)

func serve(t *testing.T, f http.HandlerFunc) *client.Client {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	c, err := client.New(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRedirectsAreNotFollowed: a signed statement is sent only where it was meant to go.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent elsewhere", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Submit(t.Context(), []byte("{}"), nil); err == nil {
		t.Error("a redirect passed for an answer")
	}
}

// TestRefusals: only an answer with a known rule is a refusal.
func TestRefusals(t *testing.T) {
	for rule, want := range map[string]trial.Rule{"R10": trial.RulePredecessor, "R99": "", "\x1b[31m": "", "": ""} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, `{"rule":%q,"message":"lies"}`, strings.ReplaceAll(rule, "\x1b", ""))
		})
		if _, err := c.Submit(t.Context(), []byte("{}"), nil); err == nil || trial.RuleOf(err) != want {
			t.Errorf("rule %q: %v", rule, err)
		}
	}
}

// TestEndlessPages: reading from a log that always has one more entry ends at the size that it
// said first.
func TestEndlessPages(t *testing.T) {
	n := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"size":"%d","entries":[{"index":"%d","entry":"x"}]}`, 20+n, n)
		n++
	})
	about, err := c.Record(t.Context(), "trial", "x")
	if err != nil || len(about.Entries) != 20 || about.Size != 20 {
		t.Errorf("%d entries, size %d, %v", len(about.Entries), about.Size, err)
	}
}

// TestUnavailable: a log that cannot be reached is told from one that refuses.
func TestUnavailable(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Checkpoint(t.Context()); !errors.Is(err, client.ErrUnavailable) {
		t.Error(err)
	}
}

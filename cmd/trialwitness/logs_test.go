package main

import (
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// TestReplayerOfTwoKeys: a log whose key is followed by another is one log, read
// at one URL, which either key brings.
func TestReplayerOfTwoKeys(t *testing.T) {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	old := logKey.VKey()
	next := newVKey(t, trialtest.Origin)
	other := newVKey(t, "other.example/log")
	for _, c := range []struct {
		logs []witness.Log
		want string // "" if they are taken
	}{
		{[]witness.Log{{VKey: old}, {VKey: next, URL: "http://new"}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://new"}, {VKey: next}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://new"}, {VKey: next, URL: "http://new"}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://old"}, {VKey: next, URL: "http://new"}}, "two URLs"},
		{[]witness.Log{{VKey: old, URL: "http://old"}, {VKey: other}}, "give the log's URL"},
		{[]witness.Log{{VKey: old, URL: "log.example"}}, "is not the URL of tiles"},
	} {
		r, err := newReplayer(t.TempDir(), c.logs, time.Now, logger)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: %v, want %q", c.logs, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", c.logs, err)
			continue
		}
		p := r.logs[trialtest.Origin]
		if len(r.logs) != 1 || p.source.URL() != "http://new" || len(p.policy.Logs) != 2 {
			t.Errorf("%v: %d logs, URL %s, %d keys", c.logs, len(r.logs), p.source.URL(), len(p.policy.Logs))
		}
	}
}

func newVKey(t *testing.T, origin string) string {
	t.Helper()
	_, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	return vkey
}

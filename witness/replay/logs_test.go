package replay

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/tile/fetch"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// TestReplayerOfTwoKeys: a log with an old and a new key is one log, read at one URL, which
// either key may name.
func TestReplayerOfTwoKeys(t *testing.T) {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	old := trialtest.LogKey.VKey()
	next := newVKey(t, trialtest.Origin)
	other := newVKey(t, "other.example/log")
	for _, c := range []struct {
		logs []witness.Log
		want string // "" if they are accepted
	}{
		{[]witness.Log{{VKey: old}, {VKey: next, URL: "http://new"}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://new"}, {VKey: next}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://new"}, {VKey: next, URL: "http://new"}}, ""},
		{[]witness.Log{{VKey: old, URL: "http://old"}, {VKey: next, URL: "http://new"}}, "two URLs"},
		{[]witness.Log{{VKey: old, URL: "http://old"}, {VKey: other}}, "give the log's URL"},
		{[]witness.Log{{VKey: old, URL: "log.example"}}, "is not the URL of tiles"},
	} {
		var read []string
		r, err := New(Config{Logs: c.logs, Files: Folder(t.TempDir()), Now: time.Now, Logger: logger,
			Tiles: func(url string) (tile.Source, error) {
				read = append(read, url)
				return fetch.New(url, fetch.Options{})
			}})
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
		if len(r.logs) != 1 || !slices.Equal(read, []string{"http://new"}) || len(p.policy.Logs) != 2 {
			t.Errorf("%v: %d logs, URLs %s, %d keys", c.logs, len(r.logs), read, len(p.policy.Logs))
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

// TestIncompleteAccusesNobody: a rule that seems broken in a tree that was not read to its
// end, or whose entries do not lead to the signed root, is no ground to accuse the log.
func TestIncompleteAccusesNobody(t *testing.T) {
	broken := audit.Finding{Kind: "rule", Rule: trial.RuleNotEnrolled, Index: 3}
	root := audit.Finding{Kind: "root", Index: 5}
	cp := &checkpoint.Checkpoint{}
	for _, c := range []struct {
		report audit.Report
		want   string
	}{
		{audit.Report{Checkpoint: cp, Findings: []audit.Finding{broken}}, "rule"},
		{audit.Report{Checkpoint: cp, Findings: []audit.Finding{broken}, Incomplete: errors.New("cut")}, "incomplete"},
		{audit.Report{Checkpoint: cp, Findings: []audit.Finding{broken, root}}, "root"},
	} {
		if got := verdict(&c.report); got.Kind != c.want {
			t.Errorf("%+v decides by %q, want %q", c.report, got.Kind, c.want)
		}
	}
}

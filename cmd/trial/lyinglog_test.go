//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestReceiptOfALyingLog: a log that names another statement than the one asked for, with a
// valid receipt of that other one, gets no receipt written.
func TestReceiptOfALyingLog(t *testing.T) {
	t.Parallel()
	l := trialtest.NewLog(t)
	p, subjects := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, subjects)
	p, subjects = trialtest.Register("X-1")
	id := l.Admit("ada", p, subjects).ID
	var logged [2]trial.Hash
	for i, text := range []string{"asked for", "another"} {
		p := &trial.Document{Common: trialtest.Common(), Trial: id}
		logged[i] = l.Admit("ada", p, trialtest.Documents("document", text)).ID
	}
	l.Close()
	asked, other := l.Size()-3, l.Size()-2
	signed := trialtest.Checkpoint(t, l.Tree(l.Size()), trialtest.LogKey, trialtest.W1, trialtest.W2)
	lies := true
	which := func() uint64 {
		if lies {
			return other
		}
		return asked
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := map[string]any{"index": fmt.Sprint(which()), "entry": string(l.Leaves[which()])}
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/entries/"):
			json.NewEncoder(w).Encode(entry)
		case r.URL.Path == "/v1/records/entries":
			list := []any{entry}
			if r.URL.Query().Get("from") != "0" {
				list = nil
			}
			json.NewEncoder(w).Encode(map[string]any{"entries": list, "size": fmt.Sprint(l.Size())})
		case strings.HasPrefix(r.URL.Path, "/v1/receipts/"):
			index := asked
			if strings.HasSuffix(r.URL.Path, logged[1].String()) {
				index = other
			}
			json.NewEncoder(w).Encode(map[string]any{
				"id": logged[index-asked].String(), "index": fmt.Sprint(index), "receipt": string(l.Receipt(index, l.Size(), signed, nil)),
			})
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	policy, file, out := filepath.Join(dir, "policy"), filepath.Join(dir, "file"), filepath.Join(dir, "out")
	for name, text := range map[string]string{policy: trialtest.PolicyText(), file: "asked for"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		typed, says string
		status      int
	}{
		{fmt.Sprint(asked), "the log gives the statement of entry", exitInvalid},
		{logged[0].String()[:trial.ShortDigits], "not found", exitPending},
		{file, "not found", exitPending},
	} {
		for _, lies = range []bool{true, false} {
			os.Remove(out)
			status, said := ends(t, dir, "receipt", "-log", srv.URL, "-policy", policy, "-o", out, c.typed)
			if lies && (status != c.status || !strings.Contains(said, c.says) || exists(out)) {
				t.Errorf("%s, of a lying log: %d %s", c.typed, status, said)
			}
			if !lies && (status != exitDone || !exists(out)) {
				t.Errorf("%s, of an honest log: %d %s", c.typed, status, said)
			}
		}
	}
}

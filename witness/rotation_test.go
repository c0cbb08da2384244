package witness

import (
	"net/http"
	"testing"
)

// TestLogKeyRotation follows a log from one key over both to the other, over restarts at which
// the witness learns and forgets keys. What it cosigned before stays its record.
func TestLogKeyRotation(t *testing.T) {
	const origin = "log.example/x"
	first, second, stranger := newLog(t, origin), newLog(t, origin), newLog(t, origin)
	tr := newTree().grow("a", 40)
	cfg := Config{Dir: t.TempDir(), Key: testKey(t, Ed25519)}
	reopen := func(w *Witness, keys ...*testLog) *Witness {
		t.Helper()
		if w != nil {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		cfg.Logs = nil
		for _, k := range keys {
			cfg.Logs = append(cfg.Logs, Log{VKey: k.vkey})
		}
		return open(t, cfg)
	}
	both := func(old, new int64) string {
		return ask(old, tr.proof(old, new), first.sign(t, text(origin, new, tr.root(new)), second.signer))
	}

	w := reopen(nil, first)
	must(t, w, first.grow(t, tr, 0, 5))
	want(t, w, second.grow(t, tr, 5, 7), http.StatusForbidden, "")
	// A second signature does not matter to a witness that does not know its key.
	must(t, w, both(5, 8))

	w = reopen(w, first, second)
	if got := size(t, w, first); got != 8 {
		t.Fatalf("the record is of size %d, want 8", got)
	}
	must(t, w, both(8, 13))
	must(t, w, second.grow(t, tr, 13, 17))
	must(t, w, first.grow(t, tr, 17, 19))
	want(t, w, stranger.grow(t, tr, 19, 20), http.StatusForbidden, "")
	// One key's signature does not make up for the other's being wrong.
	broken := first.sign(t, text(origin, 21, tr.root(21)), second.signer)
	i := len(broken) - 8
	want(t, w, ask(19, tr.proof(19, 21), broken[:i]+flip(broken[i:i+1])+broken[i+1:]), http.StatusForbidden, "")

	// The old key is forgotten; what it signed stays what was cosigned.
	w = reopen(w, second)
	if got := size(t, w, first); got != 19 {
		t.Fatalf("the record is of size %d, want 19", got)
	}
	want(t, w, first.grow(t, tr, 19, 23), http.StatusForbidden, "")
	want(t, w, second.grow(t, tr, 0, 9), http.StatusConflict, "19\n")
	must(t, w, second.grow(t, tr, 19, 23))
	// Another tree under the new key is as inconsistent as one under the old key.
	other := newTree().grow("b", 40)
	want(t, w, ask(23, other.proof(23, 30), second.at(t, other, 30)), http.StatusUnprocessableEntity, "")
}

// flip returns another character of the base64 alphabet.
func flip(s string) string {
	if s == "A" {
		return "B"
	}
	return "A"
}

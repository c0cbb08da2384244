package witness

import (
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/witness/bastion"
)

func TestPage(t *testing.T) {
	l, other := newLog(t, "log.example/<a>"), newLog(t, "log.example/b")
	tr := newTree().grow("a", 12)
	w, _ := setup(t, l, other)
	must(t, w, l.grow(t, tr, 0, 5))
	page := func() string {
		t.Helper()
		rec := get(w, "/")
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%d %v", rec.Code, rec.Header())
		}
		return rec.Body.String()
	}
	got := page()
	for _, want := range []string{
		"This is the witness witness.example/w1 (",
		"\n" + w.cfg.Key.VKey() + "\n",
		"\nlog.example/&lt;a&gt;\n  5 entries, cosigned 2027-01-15 08:00:00 UTC\n",
		originHash(l.origin) + "/checkpoint",
		"\nlog.example/b\n  none yet\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "<a>") || strings.Contains(got, "<script") || strings.Contains(got, "bastion") {
		t.Errorf("%s", got)
	}
	must(t, w, l.grow(t, tr, 5, 9))
	if got := page(); !strings.Contains(got, "\n  9 entries, cosigned ") {
		t.Errorf("%s", got)
	}
	key, err := w.cfg.Key.BastionKey()
	if err != nil {
		t.Fatal(err)
	}
	w.Bastion = &bastion.Backend{Addr: "bastion.example:443", Key: key}
	if got := page(); !strings.Contains(got, "\n"+w.Bastion.URL()+"\n") || !strings.Contains(got, "not been connected yet") {
		t.Errorf("%s", got)
	}
	if rec := get(w, "/other"); rec.Code != http.StatusNotFound {
		t.Errorf("another path: %d", rec.Code)
	}
}

// TestBastionKey: the key for the bastion follows from the witness's secret, and is not the
// witness's key.
func TestBastionKey(t *testing.T) {
	for _, alg := range []Algorithm{Ed25519, MLDSA44} {
		k := testKey(t, alg)
		first, err := k.BastionKey()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKey([]byte(k.text()))
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.BastionKey(); err != nil || !second.Equal(first) {
			t.Errorf("%x: another key after reading it again: %v", alg, err)
		}
		if k.ed != nil && k.ed.Equal(first) || first.Equal(ed25519.NewKeyFromSeed(k.seed)) {
			t.Errorf("%x: it is the key that cosigns", alg)
		}
	}
}

// TestFirstContactIsNoRefusal: a log that does not know yet where to start is not counted as
// refused; a refused checkpoint is.
func TestFirstContactIsNoRefusal(t *testing.T) {
	var logged strings.Builder
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	w := open(t, Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Logs: []Log{{VKey: l.vkey}},
		Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	took := func() string {
		s := logged.String()
		logged.Reset()
		return s
	}
	want(t, w, l.grow(t, tr, 3, 5), 409, "0\n") // never seen
	if got := took(); strings.Contains(got, "refused") || !strings.Contains(got,
		`level=INFO msg="told the log the size to start from" origin=log.example/a start=0 size=5`) {
		t.Errorf("at first contact it logged %s", got)
	}
	must(t, w, l.grow(t, tr, 0, 5))
	if got := took(); got != "" {
		t.Errorf("at the first cosignature it logged %s", got)
	}
	want(t, w, l.grow(t, tr, 2, 4), 409, "5\n") // behind
	if got := took(); strings.Contains(got, "refused") || !strings.Contains(got, "start=5 size=4") {
		t.Errorf("of a log that is behind it logged %s", got)
	}
	want(t, w, ask(5, newTree().grow("b", 9).proof(5, 9), l.at(t, newTree().grow("b", 9), 9)), 422, "")
	if got := took(); !strings.Contains(got, `level=WARN msg="refused a checkpoint the log signed"`) {
		t.Errorf("of another history it logged %s", got)
	}
}

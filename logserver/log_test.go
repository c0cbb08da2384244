package logserver_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestOneLog(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	var outs []logserver.Outcome
	for range 20 {
		p, s, text := f.document(id)
		out := f.submit(l, "ada", p, s)
		v, err := receipt.Verify(f.parsePolicy(), out.Receipt, receipt.Document{Name: "doc", Digest: sha256.Sum256(text)})
		if err != nil {
			t.Fatal(err)
		}
		if v.Index != out.Index {
			t.Fatalf("index %d, receipt says %d", out.Index, v.Index)
		}
		outs = append(outs, out)
	}
	stop()
	l, stop = f.open()
	defer stop()
	waitReady(t, l)
	for _, out := range outs {
		r, err := l.Receipt(t.Context(), out.ID)
		if err != nil {
			t.Fatal(err)
		}
		if string(r) != string(out.Receipt) {
			t.Fatal("another receipt after the restart")
		}
	}
	cp, _ := l.Checkpoint()
	if !strings.HasPrefix(string(cp), trialtest.Origin+"\n") {
		t.Fatalf("checkpoint %q", cp)
	}
}

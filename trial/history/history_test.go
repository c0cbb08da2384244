package history_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	logKey = trialtest.LogKey
	plain  = trialtest.Cosigner{Key: "plain.example", Alg: 0x04, Time: 1_800_000_000}
	first  = trialtest.Cosigner{Key: "first.example/replay", Alg: 0x04, Time: 1_800_000_000}
	second = trialtest.Cosigner{Key: "second.example/replay", Alg: 0x06, Time: 1_800_000_001}
)

func policy(t *testing.T) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness p %s\nwitness a %s\nwitness b %s\ngroup g 2 p a b\nquorum g\n",
		trialtest.LogKey.VKey(), plain.VKey(), first.VKey(), second.VKey()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestReplayed: completeness is proven only by replaying witnesses, and is otherwise the
// operator's claim. Without the quorum there is no verdict.
func TestReplayed(t *testing.T) {
	l := trialtest.NewLog(t)
	absent := trial.RecordKey{Kind: "identifier", ID: "nct:NCT00000001"}
	for _, c := range []struct {
		signers  []note.Signer
		ok       bool
		replayed bool
	}{
		{[]note.Signer{first, second}, true, true},
		{[]note.Signer{plain, first, second}, true, true},
		{[]note.Signer{plain, first}, true, false},
		{[]note.Signer{second, plain}, true, false},
		{[]note.Signer{first}, false, false},
		{nil, false, false},
	} {
		v, err := l.History(absent, c.signers...).Verify(policy(t))
		if (err == nil) != c.ok || err == nil && v.Replayed != c.replayed {
			t.Errorf("%d cosigners: %v, %+v", len(c.signers), err, v)
		}
	}
}

// TestAbsenceIsOfWhatCouldBe: the map has no record under a wrong name either. A history of
// such a name would seem to prove that nothing was logged.
func TestAbsenceIsOfWhatCouldBe(t *testing.T) {
	l := trialtest.NewLog(t)
	id := trial.Hash{1}.String()
	for key, ok := range map[trial.RecordKey]bool{
		{Kind: "identifier", ID: "nct:NCT00000001"}:              true,
		{Kind: "identifier", ID: "sponsor:acme/X/1"}:             true,
		{Kind: "trial", ID: id}:                                  true,
		{Kind: "seal", ID: id}:                                   true,
		{Kind: "key", ID: id}:                                    true,
		{Kind: "org", ID: "acme"}:                                true,
		{Kind: "identifier", ID: "NCT00000001"}:                  false,
		{Kind: "identifier", ID: "nct:nct00000001"}:              false,
		{Kind: "identifier", ID: "nct:NCT00000001\u200b"}:        false,
		{Kind: "identifier", ID: "sponsor:Acme/X-1"}:             false,
		{Kind: "identifier", ID: "sponsor:acme"}:                 false,
		{Kind: "identifier", ID: "sponsor:acme/"}:                false,
		{Kind: "identifier", ID: "sponsor:acme/X-1 "}:            false,
		{Kind: "identifiers", ID: "nct:NCT00000001"}:             false,
		{Kind: "", ID: ""}:                                       false,
		{Kind: "trial", ID: "NCT00000001"}:                       false,
		{Kind: "trial", ID: strings.Repeat("A", 64)}:             false,
		{Kind: "seal", ID: ""}:                                   false,
		{Kind: "key", ID: id[1:]}:                                false,
		{Kind: "org", ID: "Acme"}:                                false,
		{Kind: "org", ID: "acme up to size 99\nthese 0 entries"}: false,
		{Kind: "log", ID: "another.example"}:                     false,
		{Kind: "log", ID: ""}:                                    false,
	} {
		v, err := l.History(key, first, second).Verify(policy(t))
		if (err == nil) != ok || ok && v.Record != nil || !ok && !errors.Is(err, history.ErrHistory) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// TestInForce: versions of two scopes, with a question after each.
func TestInForce(t *testing.T) {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	begin := l.State.Time()
	version := func(scope, name string, previous, base trial.Hash) trial.Hash {
		p := &trial.Protocol{Common: trialtest.Common(), Base: base, Previous: previous, Scope: scope, Trial: id, Version: name}
		return l.Admit("ada", p, trialtest.Documents("protocol", scope+name)).ID
	}
	none := trial.Hash{}
	one := version("global", "1", none, none) // begin+1
	version("DE", "1-DE", none, one)          // begin+2
	two := version("global", "2", one, none)  // begin+3
	version("FR", "2-FR", none, two)          // begin+4
	l.Close()
	h := l.History(trial.RecordKey{Kind: "trial", ID: id.String()}, first, second)
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = history.Parse(data); err != nil {
		t.Fatal(err)
	}
	v, err := h.Verify(policy(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scope string
		after trial.Time
		want  string
	}{
		{"global", 0, ""}, {"global", 1, "1"}, {"global", 2, "1"}, {"global", 3, "2"}, {"global", 1000, "2"},
		{"DE", 0, ""}, {"DE", 1, "1"}, {"DE", 2, "1-DE"}, {"DE", 3, "1-DE"}, {"DE", 1000, "1-DE"},
		{"FR", 2, "1"}, {"FR", 3, "2"}, {"FR", 4, "2-FR"}, {"JP", 4, "2"},
	} {
		got := ""
		if i := v.Timeline(0).InForce(c.scope, begin+c.after); i != nil {
			got = i.Value("version")
		}
		if got != c.want {
			t.Errorf("%s %d ms after: %q, want %q", c.scope, c.after, got, c.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"kind":"trial","id":"x","checkpoint":"","state":{"index":"0"},"map":{"siblings":["A"]}}`))
	p, err := checkpoint.ParsePolicy([]byte("log " + trialtest.LogKey.VKey() + "\nquorum none\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := history.Parse(data)
		if err != nil {
			return
		}
		if _, err := h.Verify(p); err == nil {
			t.Fatal("a made-up history was believed")
		}
	})
}

package logserver_test

import (
	"os"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestReleaseRacesEnd has the end of a consent and a release under it come at the same moment, a
// thousand times, so that they meet in one batch in either order. No release stands behind an
// end, every end is logged once, and whichever comes second is told so.
func TestReleaseRacesEnd(t *testing.T) {
	n := 100
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 1000
	}
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	for org, who := range map[string]string{"acme": "ada", "lab": "leo"} {
		p, s := trialtest.Org(org, org, who)
		f.submit(l, "registrar", p, s)
	}
	recipient := &trial.Recipient{Common: trialtest.Common(), Action: "add", Org: "lab", Recipient: trialtest.Recipient("lab")}
	f.submit(l, "leo", recipient, trial.NamedSubject("recipient", recipient.ID()))

	consents := make([]trial.Hash, n)
	var wg sync.WaitGroup
	for i := range consents {
		wg.Go(func() {
			salted := trial.Commit(trial.Salt{1}, trial.Hash{byte(i), byte(i >> 8)})
			p := &trial.Consent{Common: trialtest.Common(), Action: "grant", Agents: []string{"acme"}, Elements: trial.Hash{1},
				Lock: trial.ConsentLock("A"), Org: "acme", To: "lab"}
			consents[i] = f.submit(l, "ada", p, []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: salted}}}).ID
		})
	}
	wg.Wait()

	type answer struct {
		out logserver.Outcome
		err error
	}
	ends, releases := make([]answer, n), make([]answer, n)
	ask := func(a *answer, p trial.Predicate, subjects []trial.Subject) {
		env, key := trialtest.Sign(t, "ada", p, subjects)
		a.out, a.err = l.Submit(t.Context(), env, key)
	}
	start := make(chan struct{})
	for i, id := range consents {
		both := []func(){
			func() {
				list := []trial.Released{{Consent: id, Package: trial.Hash{byte(i), byte(i >> 8), 1}}}
				ask(&releases[i], &trial.Access{Common: trialtest.Common(), Action: "release", Consents: list, Recipient: recipient.ID()},
					trial.NamedSubject("release", trial.ReleaseDigest(list)))
			},
			func() {
				ask(&ends[i], &trial.Consent{Common: trialtest.Common(), Action: "end", Consent: id}, trial.NamedSubject("consent", id))
			},
		}
		for k := range both {
			wg.Go(func() {
				<-start
				both[(i+k)%2]()
			})
		}
	}
	close(start)
	wg.Wait()

	before, after := 0, 0
	for i, id := range consents {
		if ends[i].err != nil {
			t.Fatalf("the end of consent %d is lost: %v", i, ends[i].err)
		}
		switch err := releases[i].err; {
		case trial.RuleOf(err) == trial.RuleNotInForce:
			after++
		case err != nil:
			t.Fatalf("release %d: %v", i, err)
		case releases[i].out.Index > ends[i].out.Index:
			t.Errorf("consent %d ended by entry %d and data was released by entry %d", i, ends[i].out.Index, releases[i].out.Index)
		default:
			before++
		}
		entries, err := l.About(t.Context(), trial.RecordKey{Kind: "consent", ID: id.String()}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := 2 // the grant and its end
		if releases[i].err == nil {
			want = 3
		}
		if len(entries) != want {
			t.Errorf("consent %d has %d entries, not %d", i, len(entries), want)
		}
	}
	t.Logf("%d releases came before the end and are logged, %d came after it and were refused", before, after)
	if before == 0 || after == 0 {
		t.Errorf("%d releases came first and %d ends: the race tells nothing", before, after)
	}
}

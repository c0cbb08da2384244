package logserver_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// tries is how many consents a race is about.
func tries() int {
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		return 1000
	}
	return 100
}

// A race has a log with consents, each about to end and to be released under at once.
type race struct {
	*fixture
	recipient trial.Hash
	consents  []trial.Hash
	ends      []answer
	releases  []answer
}

type answer struct {
	out logserver.Outcome
	err error
}

// newRace has organisations enrolled and n consents logged.
func (f *fixture) newRace(l *logserver.Log, n int) *race {
	for org, who := range map[string]string{"acme": "ada", "lab": "leo"} {
		p, s := trialtest.Org(org, org, who)
		f.submit(l, "registrar", p, s)
	}
	recipient := &trial.Recipient{Common: trialtest.Common(), Action: "add", Org: "lab", Recipient: trialtest.Recipient("lab")}
	f.submit(l, "leo", recipient, trial.NamedSubject("recipient", recipient.ID()))
	r := &race{f, recipient.ID(), make([]trial.Hash, n), make([]answer, n), make([]answer, n)}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			salted := trial.Commit(trial.Salt{1}, trial.Hash{byte(i), byte(i >> 8)})
			p := &trial.Consent{Common: trialtest.Common(), Action: "grant", Agents: []string{"acme"}, Elements: trial.Hash{1},
				Lock: trial.ConsentLock("A"), Org: "acme", To: "lab"}
			r.consents[i] = f.submit(l, "ada", p, []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: salted}}}).ID
		})
	}
	wg.Wait()
	return r
}

func (r *race) ask(l *logserver.Log, a *answer, p trial.Predicate, subjects []trial.Subject) {
	env, key := trialtest.Sign(r.t, "ada", p, subjects)
	a.out, a.err = l.Submit(r.t.Context(), env, key)
}

// end ends consent i.
func (r *race) end(l *logserver.Log, i int) {
	id := r.consents[i]
	r.ask(l, &r.ends[i], &trial.Consent{Common: trialtest.Common(), Action: "end", Consent: id}, trial.NamedSubject("consent", id))
}

// release logs a release under consent i.
func (r *race) release(l *logserver.Log, i int) {
	list := []trial.Released{{Consent: r.consents[i], Package: trial.Hash{byte(i), byte(i >> 8), 1}}}
	r.ask(l, &r.releases[i], &trial.Access{Common: trialtest.Common(), Action: "release", Consents: list, Recipient: r.recipient},
		trial.NamedSubject("release", trial.ReleaseDigest(list)))
}

// both ends consents and releases under them at the same moment, in either order.
func (r *race) both(l *logserver.Log, from, to int) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := from; i < to; i++ {
		two := []func(*logserver.Log, int){r.release, r.end}
		for k := range two {
			wg.Go(func() {
				<-start
				two[(i+k)%2](l, i)
			})
		}
	}
	close(start)
	wg.Wait()
}

// check wants each end logged once and no release behind one, and returns how many releases came
// before.
func (r *race) check(l *logserver.Log, from, to int) (before int) {
	r.t.Helper()
	for i := from; i < to; i++ {
		id := r.consents[i]
		if r.ends[i].err != nil {
			r.t.Fatalf("the end of consent %d is lost: %v", i, r.ends[i].err)
		}
		want := 2 // the grant and its end
		switch err := r.releases[i].err; {
		case trial.RuleOf(err) == trial.RuleNotInForce:
		case err != nil:
			r.t.Fatalf("release %d: %v", i, err)
		case r.releases[i].out.Index > r.ends[i].out.Index:
			r.t.Errorf("consent %d ended by entry %d and data was released by entry %d", i, r.ends[i].out.Index, r.releases[i].out.Index)
		default:
			before++
			want++
		}
		entries, err := l.About(r.t.Context(), trial.RecordKey{Kind: "consent", ID: id.String()}, 0, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(entries) != want {
			r.t.Errorf("consent %d has %d entries, not %d", i, len(entries), want)
		}
	}
	return before
}

// TestReleaseRacesEnd has the end of a consent and a release under it come at the same moment, a
// thousand times, so that they meet in one batch in either order. No release stands behind an
// end, every end is logged once, and whichever comes second is told so.
func TestReleaseRacesEnd(t *testing.T) {
	n := tries()
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	r := f.newRace(l, n)
	r.both(l, 0, n)
	before := r.check(l, 0, n)
	t.Logf("%d releases came before the end and are logged, %d came after it and were refused", before, n-before)
	if before == 0 || before == n {
		t.Errorf("%d releases came first and %d ends: the race tells nothing", before, n-before)
	}
}

// TestReleaseRacesEndAcrossLeaders has the leader stop between any two steps of logging the ends
// of consents, another server take the lead, the same ends and releases under these consents come
// there at the same moment, and the first server go on where it stopped.
func TestReleaseRacesEndAcrossLeaders(t *testing.T) {
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	n := tries()
	r := f.newRace(l, n)
	stop()

	var places []*fault
	for _, step := range []string{"Decide", "Append", "Put", "Sign", "Publish"} {
		places = append(places, &fault{step: step}, &fault{step: step, done: true})
	}
	total := 0
	for from, to := 0, 0; from < n; from = to {
		x := places[from/10%len(places)]
		to = from + 10
		name := fmt.Sprintf("%s/done=%v", x.step, x.done)
		stopped, resume := make(chan struct{}), make(chan struct{})
		x.resumes, x.on = true, func() { close(stopped); <-resume }
		f.inject(x)
		faulty := f.wrap
		f.wrap = func(cfg *logserver.Config) {
			faulty(cfg)
			cfg.QuorumWait = 100 * time.Millisecond // nobody waits for the first server
		}
		first, stopFirst := f.open()
		waitReady(t, first)
		x.arm()
		var wg sync.WaitGroup
		for i := from; i < to; i++ {
			wg.Go(func() {
				p := &trial.Consent{Common: trialtest.Common(), Action: "end", Consent: r.consents[i]}
				env, key := trialtest.Sign(t, "ada", p, trial.NamedSubject("consent", r.consents[i]))
				_, err := first.Submit(t.Context(), env, key)
				known := func(is error) bool { return errors.Is(err, is) } // the submitter knows that it may not be logged
				if err != nil && !slices.ContainsFunc([]error{logserver.ErrLost, logserver.ErrPending, logserver.ErrClosing,
					logserver.ErrNotReady}, known) {
					t.Errorf("%s: the first server answers %v", name, err)
				}
			})
		}
		<-stopped
		f.wrap = nil
		second, stopSecond := f.open()
		waitReady(t, second)
		r.both(second, from, to)
		close(resume)
		wg.Wait()
		stopFirst()
		before := r.check(second, from, to)
		t.Logf("%s: %d releases came before the end, %d were refused", name, before, to-from-before)
		total += before
		stopSecond()
	}
	if total == 0 || total == n {
		t.Errorf("%d of %d releases came first: the race tells nothing", total, n)
	}
}

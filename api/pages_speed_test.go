package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// BenchmarkPages measures, in seconds, how long the server takes for the page of a trial with 300 and
// with 10,000 entries, and for the overview of 2,000 trials, first and again:
//
//	go test ./api -bench Pages -benchtime 1x -run xxx
func BenchmarkPages(b *testing.B) {
	f := newFixture(b, setup{})
	p, s := trialtest.Org("acme", "Acme", "ada")
	f.submit("registrar", p, s)
	register := func(number string) trial.Hash {
		p, s := trialtest.Register(number)
		return f.submit("ada", p, s).ID
	}
	small, large := register("X-300"), register("X-10000")
	many := func(n int, f func(i int)) {
		var wg sync.WaitGroup
		slots := make(chan struct{}, 128)
		for i := range n {
			slots <- struct{}{}
			wg.Go(func() { f(i); <-slots })
		}
		wg.Wait()
	}
	document := func(id trial.Hash) func(int) {
		return func(i int) {
			f.submit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", fmt.Sprint(id, i)))
		}
	}
	many(299, document(small))
	many(9999, document(large))
	many(2000, func(i int) { register(fmt.Sprint("N-", i)) })
	for b.Loop() {
		for _, x := range []struct{ name, path string }{
			{"trial-300", "/trial?id=" + small.String()}, {"trial-10000", "/trial?id=" + large.String()}, {"overview", "/overview"},
			{"overview-again", "/overview"}, {"by-name", "/overview?sort=name&page=10"},
		} {
			start := time.Now()
			a := f.get(x.path)
			b.ReportMetric(time.Since(start).Seconds(), x.name+"-s")
			b.ReportMetric(float64(len(a.body))/1e3, x.name+"-kB")
			if a.status != 200 || !strings.Contains(a.body, "</html>") {
				b.Fatalf("%s: status %d", x.path, a.status)
			}
		}
	}
}

// TestPageWeight: a page of a trial with many entries, with all that it loads but the verifier, is
// below 200 kB.
func TestPageWeight(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	for range maxEntriesOnPage + 50 {
		p, s := f.document(id)
		f.submit("ada", p, s)
	}
	total := 0
	for _, path := range []string{"/trial?id=" + id.String(), "/web/style.css", "/web/mark.svg", "/web/load.js", "/web/verified.js", "/web/wasm_exec.js"} {
		a := f.get(path)
		if a.status != 200 && path != "/web/wasm_exec.js" { // which is missing where the verifier was not built
			t.Errorf("%s: status %d", path, a.status)
		}
		total += len(a.body)
	}
	if total > 200_000 {
		t.Errorf("the page weighs %d bytes", total)
	}
	t.Logf("the page weighs %d bytes", total)
	page := f.get("/trial?id=" + id.String()).body
	if n := strings.Count(page, `<li id="entry-`); n != maxEntriesOnPage || !strings.Contains(page, "Older entries") {
		t.Errorf("the page shows %d entries", n)
	}
}

const maxEntriesOnPage = 200

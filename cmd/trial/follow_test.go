package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// following returns the arguments of a follow of a server, with paths of the town.
func (w *town) following(s *registryServer, args ...string) []string {
	in := func(name string) string { return filepath.Join(w.dir, name) }
	return slices.Concat([]string{"import", "-follow", "ctgov", "-log", w.log.url, "-policy", in("policy"), "-key", in("ada.key"),
		"-out", in("receipts"), "-state", in("state"), "-since", "1999-01-01", "-api", s.url, "-pause", "0s"}, args)
}

// follow follows a server for one round in this process, and returns what it said and its
// status. It never waits: slept is told how long it would.
func (w *town) follow(s *registryServer, slept func(time.Duration), args ...string) (stdout, stderr string, status int) {
	w.t.Helper()
	was := sleep
	defer func() { sleep = was }()
	sleep = func(ctx context.Context, d time.Duration) error {
		if d > 0 && slept != nil {
			slept(d)
		}
		return ctx.Err()
	}
	var o, e bytes.Buffer
	status = run(w.t.Context(), w.following(s, append([]string{"-once"}, args...)...), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), status
}

// observations returns what the log has of each number, in the order of the log.
func (w *town) observations() map[string][]*trial.Signed {
	w.t.Helper()
	all := map[string][]*trial.Signed{}
	for line := range strings.Lines(w.payloads()) {
		line = strings.TrimSuffix(line, "\n")
		st, err := trial.ParseStatement([]byte(line))
		if err != nil {
			w.t.Fatalf("%v: %s", err, line)
		}
		if o, ok := st.Predicate.(*trial.Observation); ok {
			all[o.Identifier] = append(all[o.Identifier], &trial.Signed{ID: trial.StatementID([]byte(line)), Statement: st})
		}
	}
	return all
}

// chained asserts that the log has each record of a server as it is now, that no bytes were
// logged twice, and that every observation names the one before. It returns how many there are.
func (w *town) chained(s *registryServer, but ...string) (n int) {
	w.t.Helper()
	all := w.observations()
	has := w.receiptsOf()
	for number, list := range all {
		before := trial.Hash{}
		seen := map[trial.Hash]bool{}
		for _, x := range list {
			n++
			if o := x.Statement.Predicate.(*trial.Observation); o.Previous != before {
				w.t.Errorf("%s: an observation of %s names %s before it, want %s", number, o.Dated, o.Previous, before)
			}
			before = x.ID
			d := x.Statement.Subjects[0].Digest.SHA256
			if seen[d] {
				w.t.Errorf("%s: %s is logged twice", number, d)
			}
			seen[d] = true
			if has[x.ID].Document != d {
				w.t.Errorf("%s: no receipt of %s", number, x.ID)
			}
		}
	}
	for number, record := range s.records {
		list := all["nct:"+number]
		if slices.Contains(but, number) {
			continue
		}
		if len(list) == 0 {
			w.t.Errorf("%s is not logged", number)
			continue
		}
		// The day of the download alone may be a later one.
		last := list[len(list)-1]
		o := last.Statement.Predicate.(*trial.Observation)
		want := trial.Hash(sha256.Sum256([]byte(record)))
		if holder.MatchString(record) {
			want = sha256.Sum256([]byte(dailyCopy(record, o.Dated)))
		}
		if got := last.Statement.Subjects[0].Digest.SHA256; got != want {
			w.t.Errorf("%s: the last that is logged is %s of %s, want %s", number, got, o.Dated, want)
		}
	}
	w.nothingLeft()
	return n
}

// TestFollowReal follows a server of the real records that throttles, fails, ends in the middle
// of an answer, and changes between its pages. Everything is logged once, and every changed
// record names the one before it, days and restarts later.
func TestFollowReal(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	stores(t, func(t *testing.T, store string) {
		s := realRegistry(t)
		w := newTown(t, store)
		moved := s.numbers()[:3]
		s.before = func(rw http.ResponseWriter, _ *http.Request, n int) bool {
			switch n {
			case 2:
				rw.Header().Set("Retry-After", "77")
				rw.WriteHeader(http.StatusTooManyRequests)
			case 4:
				rw.WriteHeader(http.StatusInternalServerError)
			case 5:
				rw.Header().Set("Content-Length", "100000")
				io.WriteString(rw, `{"studies":[`)
			case 6: // a record of a page that was read goes to the end, and draws another over the edge
				for _, n := range moved {
					s.updateLocked(n, "2026-08-12")
				}
				return false
			default:
				return false
			}
			return true
		}
		var slept []time.Duration
		out, said, status := w.follow(s, func(d time.Duration) { slept = append(slept, d) })
		if status != exitDone {
			t.Fatalf("status %d\n%s", status, said)
		}
		if fmt.Sprint(slept) != "[1m17s 5s 10s 5s]" {
			t.Errorf("slept %v\n%s", slept, said)
		}
		for _, want := range []string{"status 429", "status 500", "ends early", "it gave ", "all that changed since 1999-01-01 is taken"} {
			if !strings.Contains(said, want) {
				t.Errorf("%q is not said:\n%s", want, said)
			}
		}
		n := w.chained(s)
		if got := strings.Count(out, "\nnew ") + strings.Count(out, "\nconflicting "); got < len(s.records)-1 {
			t.Errorf("%d lines of %d observations", got, n)
		}
		// The same again, and the next day: nothing is logged that did not change.
		for range 2 {
			if out, said, status := w.follow(s, nil); status != exitDone || out != "" || w.chained(s) != n {
				t.Errorf("again: status %d\n%s%s", status, out, said)
			}
			s.next("2026-08-13")
		}
		for _, number := range moved {
			s.update(number, "2026-08-13")
		}
		out, said, status = w.follow(s, nil, "-json")
		if status != exitDone || strings.Count(out, `{"status":"changed",`) != 3 || w.chained(s) != n+3 {
			t.Errorf("changed: status %d\n%s%s", status, out, said)
		}
		// A registry that goes back to what it said before shows another version.
		old := s.records[moved[0]]
		s.next("2026-08-14")
		s.update(moved[0], "2026-08-13")
		w.follow(s, nil)
		s.records[moved[0]] = old
		s.next("2026-08-15")
		if _, said, status := w.follow(s, nil); status != exitDone || w.chained(s) != n+5 {
			t.Errorf("gone back: status %d, %d observations, want %d\n%s", status, w.chained(s), n+5, said)
		}
		statements := w.payloads()
		files, err := filepath.Glob("../../../shared/data/ctgov-v2/[cs][ot]*/*.json")
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		// What was kept verifies offline, with nothing but its receipt.
		kept := matchOne(t, w.dir, "receipts/"+moved[1]+"-*.json")
		if _, out, status := w.run("trial", "verify", "-policy", "policy", "-proof", "receipts/ctgov.receipts", kept); status != exitDone {
			t.Errorf("status %d\n%s", status, out)
		}
		noPersonalData(t, statements, files)
	})
}

// matchOne returns the first file of a pattern.
func matchOne(t *testing.T, dir, pattern string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	return list[0]
}

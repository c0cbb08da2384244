// Package journaltest holds every logserver.Journal to one contract, lease included: those in
// databases, and the one in memory that the simulation runs on. What the simulation finds out
// about a log is true only if its journal does what a database does.
package journaltest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// Test runs all tests of the contract. fresh returns the journal of a log that has nothing yet.
func Test(t *testing.T, fresh func(t *testing.T) logserver.Journal) {
	for _, c := range []struct {
		name string
		test func(*testing.T, logserver.Journal)
	}{
		{"life", life}, {"one transaction", oneTransaction}, {"snapshot", snapshot}, {"lease", lease}, {"race for the lease", race},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

// sid returns the identity of the i-th statement of the batch at first.
func sid(first uint64, i int) trial.Hash {
	return trial.Hash{1, byte(first >> 8), byte(first), byte(i >> 8), byte(i)}
}

// Batch returns a batch at an index, with n statements and an entry without.
func Batch(first uint64, n int) logserver.Batch {
	b := logserver.Batch{First: first}
	for i := range n {
		id := sid(first, i)
		b.Entries = append(b.Entries, logserver.BatchEntry{
			Raw: fmt.Appendf(nil, "entry %d", first+uint64(i)), ID: id,
			Records: []trial.RecordKey{{Kind: "trial", ID: "t"}, {Kind: "identifier", ID: id.String()}},
		})
	}
	b.Entries = append(b.Entries, logserver.BatchEntry{Raw: []byte("state")})
	return b
}

// life walks through the life of a journal with two leaders.
func life(t *testing.T, s logserver.Journal) {
	ctx := t.Context()
	old, err := s.Claim(ctx)
	must(t, err)
	must(t, s.Decide(ctx, old, Batch(0, 2)))
	epoch, err := s.Claim(ctx)
	must(t, err)
	if epoch <= old {
		t.Fatalf("epoch %d after %d", epoch, old)
	}
	// Later writes of the earlier leader fail with ErrLost and leave no trace.
	lost(t, s.Decide(ctx, old, Batch(3, 1)))
	lost(t, s.Sign(ctx, old, 3, []byte("old")))
	// So does a batch at any index but the next.
	lost(t, s.Decide(ctx, epoch, Batch(2, 1)))
	lost(t, s.Decide(ctx, epoch, Batch(4, 1)))
	got, size, batches, err := s.Decided(ctx, 0)
	must(t, err)
	if got != epoch || size != 3 || len(batches) != 1 || len(batches[0].Entries) != 3 ||
		string(batches[0].Entries[1].Raw) != "entry 1" {
		t.Fatalf("decided: epoch %d, size %d, %v", got, size, batches)
	}
	if signed, published, err := s.Newest(ctx); err != nil || signed != nil || published != nil {
		t.Fatalf("newest: %q %q %v", signed, published, err)
	}
	must(t, s.Sign(ctx, epoch, 3, []byte("cp3")))
	lost(t, s.Sign(ctx, epoch, 3, []byte("another root")))
	lost(t, s.Sign(ctx, epoch, 2, []byte("smaller")))
	must(t, s.Decide(ctx, epoch, Batch(3, 300)))
	must(t, s.Sign(ctx, epoch, 304, []byte("cp304")))
	must(t, s.Decide(ctx, epoch, Batch(304, 1)))
	must(t, s.Sign(ctx, epoch, 306, []byte("cp306")))
	if _, _, batches, err := s.Decided(ctx, 306); err != nil || len(batches) != 0 {
		t.Fatalf("batches after signing: %v %v", batches, err)
	}

	// Publishing: the first one stays, and one that was passed over is gone.
	if _, err := s.Covering(ctx, 0); !errors.Is(err, logserver.ErrNotFound) {
		t.Fatalf("covering before any is published: %v", err)
	}
	for _, p := range []struct {
		size      uint64
		note, get string
	}{{3, "pub3", "pub3"}, {306, "pub306", "pub306"}, {306, "later cosignatures", "pub306"}} {
		if kept, err := s.Publish(ctx, p.size, []byte(p.note)); err != nil || string(kept) != p.get {
			t.Fatalf("publish %d: kept %q, %v", p.size, kept, err)
		}
	}
	for index, want := range map[uint64]string{0: "pub3", 2: "pub3", 3: "pub306", 305: "pub306"} {
		if cp, err := s.Covering(ctx, index); err != nil || string(cp) != want {
			t.Fatalf("covering %d: %q %v, want %q", index, cp, err, want)
		}
	}
	if _, err := s.Covering(ctx, 306); !errors.Is(err, logserver.ErrNotFound) {
		t.Fatalf("covering what is not there: %v", err)
	}
	signed, published, err := s.Newest(ctx)
	if err != nil || string(signed) != "cp306" || string(published) != "pub306" {
		t.Fatalf("newest: %q %q %v", signed, published, err)
	}

	// Indexes.
	found, err := s.Lookup(ctx, []trial.Hash{sid(0, 1), sid(3, 200), {9}})
	must(t, err)
	if len(found) != 2 || found[sid(0, 1)] != 1 || found[sid(3, 200)] != 203 {
		t.Fatalf("lookup: %v", found)
	}
	list, err := s.Entries(ctx, trial.RecordKey{Kind: "trial", ID: "t"}, 1, 3)
	must(t, err)
	if fmt.Sprint(list) != "[1 3 4]" {
		t.Fatalf("entries about the trial from 1: %v", list)
	}
	if list, err := s.Entries(ctx, trial.RecordKey{Kind: "org", ID: "t"}, 0, 10); err != nil || len(list) != 0 {
		t.Fatalf("entries about another record: %v %v", list, err)
	}
}

// oneTransaction: a batch that cannot be stored whole leaves nothing.
func oneTransaction(t *testing.T, s logserver.Journal) {
	ctx := t.Context()
	epoch, err := s.Claim(ctx)
	must(t, err)
	must(t, s.Decide(ctx, epoch, Batch(0, 2)))
	b := Batch(3, 2)
	b.Entries[1].ID = sid(0, 0) // of the first batch
	if err := s.Decide(ctx, epoch, b); err == nil || errors.Is(err, logserver.ErrLost) {
		t.Fatalf("a statement decided twice: %v", err)
	}
	if _, size, batches, err := s.Decided(ctx, 0); err != nil || size != 3 || len(batches) != 1 {
		t.Fatalf("size %d, %d batches, %v", size, len(batches), err)
	}
	if found, err := s.Lookup(ctx, []trial.Hash{b.Entries[0].ID}); err != nil || len(found) != 0 {
		t.Fatalf("half of a batch is there: %v %v", found, err)
	}
	must(t, s.Decide(ctx, epoch, Batch(3, 2)))
}

// snapshot: it is brought up to date, and never back.
func snapshot(t *testing.T, s logserver.Journal) {
	ctx := t.Context()
	if size, records, err := s.LoadSnapshot(ctx); err != nil || size != 0 || records != nil {
		t.Fatalf("an empty snapshot: %d %v %v", size, records, err)
	}
	var records []trial.Record
	for i := range 1000 {
		records = append(records, &trial.IdentifierRecord{ID: fmt.Sprintf("nct:NCT%08d", i+1), Kind: "identifier",
			Entries: trial.Entries{Peaks: []trial.Hash{}}})
	}
	must(t, s.SaveSnapshot(ctx, 10, records))
	changed := &trial.IdentifierRecord{ID: "nct:NCT00000003", Kind: "identifier", Entries: trial.Entries{Count: 1,
		Peaks: []trial.Hash{{1}}}}
	must(t, s.SaveSnapshot(ctx, 20, []trial.Record{changed}))
	lost(t, s.SaveSnapshot(ctx, 15, records))
	size, got, err := s.LoadSnapshot(ctx)
	must(t, err)
	if size != 20 || len(got) != 1000 {
		t.Fatalf("size %d, %d records", size, len(got))
	}
	for _, r := range got {
		if r.RecordKey().ID == changed.ID && r.EntryTree().Count != 1 {
			t.Fatal("the changed record is the old one")
		}
	}
}

// lease: of those who saw the same lease one takes it, and whatever a leader does to it keeps those
// out who have not seen that.
func lease(t *testing.T, s logserver.Journal) {
	ctx := t.Context()
	now := func() logserver.Lease {
		t.Helper()
		l, err := s.Lease(ctx)
		must(t, err)
		return l
	}
	first := now()
	if first.Holder != "" || first.Fresh != nil || first.Freed {
		t.Fatalf("a new log's lease: %+v", first)
	}
	epoch, err := s.Take(ctx, first, "http://a")
	must(t, err)
	_, err = s.Take(ctx, first, "http://b")
	lost(t, err)
	if l := now(); l.Epoch != epoch || l.Holder != "http://a" || l.Beat == first.Beat {
		t.Fatalf("after a has taken it: %+v", l)
	}
	lost(t, s.Decide(ctx, epoch-1, Batch(0, 1)))
	must(t, s.Decide(ctx, epoch, Batch(0, 1)))

	seen := now()
	must(t, s.Beat(ctx, epoch, []byte("fresh")))
	_, err = s.Take(ctx, seen, "http://b")
	lost(t, err)
	must(t, s.Beat(ctx, epoch, nil))
	if l := now(); string(l.Fresh) != "fresh" || l.Beat != seen.Beat+2 {
		t.Fatalf("after two beats: %+v, before %+v", l, seen)
	}
	lost(t, s.Beat(ctx, epoch-1, []byte("old")))
	lost(t, s.Free(ctx, epoch-1))

	// A leader that was replaced while it was silent.
	next, err := s.Take(ctx, now(), "http://b")
	must(t, err)
	lost(t, s.Beat(ctx, epoch, []byte("of the old leader")))
	lost(t, s.Free(ctx, epoch))
	lost(t, s.Decide(ctx, epoch, Batch(2, 1)))
	lost(t, s.Sign(ctx, epoch, 2, []byte("cp2")))
	must(t, s.Sign(ctx, next, 2, []byte("cp2")))

	// Freed, taken, and claimed by one that asks nobody.
	seen = now()
	must(t, s.Free(ctx, next))
	_, err = s.Take(ctx, seen, "http://a")
	lost(t, err)
	if l := now(); !l.Freed || string(l.Fresh) != "fresh" {
		t.Fatalf("freed: %+v", l)
	}
	_, err = s.Take(ctx, now(), "http://a")
	must(t, err)
	seen = now()
	claimed, err := s.Claim(ctx)
	must(t, err)
	_, err = s.Take(ctx, seen, "http://b")
	lost(t, err)
	if l := now(); l.Epoch != claimed || l.Holder != "" || l.Freed {
		t.Fatalf("claimed: %+v", l)
	}
}

// race: many take the same lease at once, and one gets it.
func race(t *testing.T, s logserver.Journal) {
	for range 20 {
		seen, err := s.Lease(t.Context())
		must(t, err)
		results := make(chan error)
		const rivals = 4
		for range rivals {
			go func() { _, err := s.Take(t.Context(), seen, "http://x"); results <- err }()
		}
		won := 0
		for range rivals {
			if <-results == nil {
				won++
			}
		}
		if won != 1 {
			t.Fatalf("%d have the lead", won)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lost(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, logserver.ErrLost) {
		t.Fatalf("error %v, want ErrLost", err)
	}
}

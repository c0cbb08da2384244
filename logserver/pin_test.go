package logserver

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/smap"
)

// TestPins: a record is shown as it was at every pinned size, for a while and within bounds.
func TestPins(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	v := &view{records: map[smap.Hash]trial.Record{}}
	rec := func(id string, sealed uint64) trial.Record {
		return &trial.OrgRecord{ID: id, Kind: "org", Sealed: sealed}
	}
	key := func(id string) trial.RecordKey { return trial.RecordKey{Kind: "org", ID: id} }
	grow := func(size uint64, records ...trial.Record) {
		v.add(change{size: size, records: records})
		v.advance(size)
	}
	if _, err := v.at(key("a"), 0, now); !errors.Is(err, ErrNotReady) {
		t.Fatalf("before anything is published: %v", err)
	}
	// "a" is as old as the log, "b" comes at 20, "c" changes only after the last pin.
	grow(10, rec("a", 10), rec("c", 10))
	for size := uint64(11); size <= 30; size++ {
		if m, err := v.at(key("a"), 0, now); err != nil || m.size != size-1 {
			t.Fatalf("size %d: %+v, %v", size, m, err)
		}
		list := []trial.Record{rec("a", size)}
		if size >= 20 {
			list = append(list, rec("b", size))
		}
		grow(size, list...)
	}
	grow(31, rec("c", 31))
	sealed := func(id string, size uint64) string {
		m, err := v.at(key(id), size, now)
		if err != nil {
			return err.Error()
		}
		if m.record == nil {
			return "none"
		}
		return fmt.Sprint(m.record.(*trial.OrgRecord).Sealed)
	}
	for size := uint64(10); size <= 29; size++ {
		want := "none"
		if size >= 20 {
			want = fmt.Sprint(size)
		}
		if a, b, c := sealed("a", size), sealed("b", size), sealed("c", size); a != fmt.Sprint(size) || b != want || c != "10" {
			t.Errorf("size %d: a %s, b %s, c %s", size, a, b, c)
		}
	}
	if a, c := sealed("a", 31), sealed("c", 0); a != "30" || c != "31" {
		t.Errorf("now: a %s, c %s", a, c)
	}
	for _, size := range []uint64{9, 30, 32} { // never pinned, and not there yet
		if _, err := v.at(key("a"), size, now); !errors.Is(err, ErrGone) {
			t.Errorf("size %d: %v", size, err)
		}
	}
	// Ten minutes on, all but the one that was just asked for are gone.
	now = now.Add(pinTime + time.Second)
	if _, err := v.at(key("a"), 12, now); !errors.Is(err, ErrGone) {
		t.Errorf("after %s: %v", pinTime, err)
	}
	// Readers at many sizes keep no more than so many trees, nor so many records.
	for size := uint64(40); size < 40+3*maxPins; size++ {
		v.at(key("a"), 0, now)
		grow(size, rec("a", size))
	}
	if len(v.pins) > maxPins {
		t.Errorf("%d trees are pinned", len(v.pins))
	}
	v.at(key("a"), 0, now)
	many := make([]trial.Record, maxPinned+1)
	for i := range many {
		many[i] = rec(fmt.Sprint(i), 1)
	}
	grow(1000, many...)
	if len(v.pins) > 0 {
		t.Errorf("%d trees are pinned, with over %d records", len(v.pins), maxPinned)
	}
}

// TestLacks: only of a record's key, and only once the view has reached the published tree, it is certain
// that nothing is there.
func TestLacks(t *testing.T) {
	v := new(view)
	v.begin(new(trial.State))
	there, none := trial.RecordKey{Kind: "org", ID: "acme"}, trial.RecordKey{Kind: "identifier", ID: "nct:NCT03421379"}
	if v.lacks(none, 0) {
		t.Error("nothing is published yet")
	}
	v.add(change{size: 4, records: []trial.Record{&trial.OrgRecord{ID: "acme"}}})
	v.advance(4)
	for key, want := range map[trial.RecordKey]bool{
		there: false, none: true, {Kind: "document", ID: trial.Hash{1}.String()}: false, {Kind: "statement", ID: "0123456789ab"}: false,
		{Kind: "identifier", ID: "odd"}: false, {Kind: "asked", ID: "acme"}: false,
	} {
		if got := v.lacks(key, 4); got != want {
			t.Errorf("%v: %v", key, got)
		}
	}
	if v.lacks(none, 5) {
		t.Error("the view has not reached that tree")
	}
}

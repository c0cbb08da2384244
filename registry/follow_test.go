package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRounds: a follow takes every record, and then what changed; a day that was whole is asked
// for again, and one before it is not.
func TestRounds(t *testing.T) {
	for _, mute := range []bool{false, true} {
		r := newFake(t, 1000)
		r.mute = mute
		k := newTaker(t, r, "1999-01-01")
		if err := k.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		k.complete(r, "1999-01-01")
		if s := k.State; s.Since != "2026-03-05" || s.Data != "2026-03-10T09:00:05" || s.Expect != 66*2 {
			t.Errorf("%+v", s)
		}
		for _, d := range k.slept {
			if d != 2*time.Second {
				t.Errorf("slept %v", k.slept)
			}
		}
		pages := r.pages
		if err := k.Round(t.Context()); err != nil || r.pages != pages {
			t.Errorf("the same data was asked for again: %v", err)
		}
		r.data = r.data.AddDate(0, 0, 1)
		r.update(number(3), "2026-03-11")
		if err := k.Round(t.Context()); err != nil || r.pages != pages+1 || k.State.Since != "2026-03-10" || k.State.Expect != 1 {
			t.Errorf("%v, %d pages, %+v", err, r.pages-pages, k.State)
		}
		k.complete(r, "1999-01-01")
		if len(k.said) > 0 {
			t.Error(k.said)
		}
	}
}

// TestMoving updates, adds and removes records between pages in every way, and with every
// state that is saved on the way a follow that begins there misses nothing.
func TestMoving(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := newFake(t, 400+rnd.IntN(900))
		r.mute = seed%3 == 0
		left, gone := 1+rnd.IntN(6), seed%4 == 1
		r.before = func(Ask) error {
			for left > 0 && rnd.IntN(2) == 0 {
				left--
				n := rnd.IntN(1500)
				r.update(number(n), []string{"2026-03-09", "2026-03-10"}[rnd.IntN(2)])
				if gone && !r.mute {
					delete(r.records, number(rnd.IntN(1500)))
				}
				if rnd.IntN(2) == 0 {
					r.data = r.data.Add(time.Minute)
				}
			}
			if rnd.IntN(10) == 0 {
				return errDown
			}
			return nil
		}
		k := newTaker(t, r, "2026-02-01")
		k.Tries = 50
		if err := k.Round(t.Context()); err != nil {
			t.Fatalf("seed %d: %v: %q", seed, err, k.said)
		}
		k.complete(r, "2026-02-01")
		for _, s := range k.saved { // killed there: another process goes on
			again := newTaker(t, r, "")
			*again.State = s
			again.took, again.Tries = k.took, 50
			r.data = r.data.AddDate(0, 0, 1)
			r.update(number(7), day(r.data, 0))
			again.Now = func() time.Time { return r.data }
			if err := again.Round(t.Context()); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			again.complete(r, "2026-02-01")
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestWindows: a registry with more records than are asked for at once is taken some days at a
// time, and a follow that is ended in between goes on with the days that are left.
func TestWindows(t *testing.T) {
	r := newFake(t, 0)
	for i := range 24_000 {
		r.records[number(i)] = day(at("2015-01-01T00:00:00"), i/6)
	}
	for i := range maxWindow + 1000 { // one day with more
		r.records[number(70_000+i)] = "2020-05-05"
	}
	k := newTaker(t, r, "1999-01-01")
	r.before = func(Ask) error {
		if r.pages == 90 {
			return Stop{Err: errDown}
		}
		return nil
	}
	if err := k.Round(t.Context()); !errors.Is(err, errDown) || len(k.saved) < 2 {
		t.Fatalf("%v, %d states", err, len(k.saved))
	}
	again := newTaker(t, r, "")
	*again.State = k.saved[len(k.saved)-1]
	again.took = k.took
	r.pages, r.before = 90, nil
	if err := again.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.complete(r, "1999-01-01")
	if r.pages > 90+(35_000/pageSize)*3/2 {
		t.Errorf("%d pages", r.pages)
	}
	if s := again.State; s.Since != "2025-12-12" || s.Data == "" {
		t.Errorf("%+v", s)
	}
}

// TestTrouble: whatever a registry answers is said, tried again ever more slowly, and taken when
// it is right.
func TestTrouble(t *testing.T) {
	for what, c := range map[string]struct {
		before func(r *fake, n int) error // n counts pages
		cut    func(n int, p *Page)
		said   string
		waits  []time.Duration
	}{
		"throttled": {before: func(_ *fake, n int) error {
			if n == 2 {
				return &Status{Code: 429, After: 90 * time.Second}
			}
			return nil
		}, said: "status 429", waits: []time.Duration{90 * time.Second}},
		"fails": {before: func(_ *fake, n int) error {
			if n >= 2 && n < 5 {
				return &Status{Code: 500}
			}
			return nil
		}, said: "status 500", waits: []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}},
		"forgets tokens": {before: func(_ *fake, n int) error {
			if n == 2 {
				return fmt.Errorf("%w: %w", errToken, &Status{Code: 400})
			}
			return nil
		}, said: "does not take its own page token", waits: []time.Duration{5 * time.Second}},
		"a token that leads nowhere": {before: func(_ *fake, n int) error {
			if n >= 3 && n < 3+pageTries {
				return &Status{Code: 502}
			}
			return nil
		}, said: "status 502", waits: []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second,
			80 * time.Second, 160 * time.Second}},
		"goes round": {cut: func(n int, p *Page) {
			if n == 3 {
				p.Next = "200"
			}
		}, said: "have no end", waits: []time.Duration{5 * time.Second}},
		"ends early": {cut: func(n int, p *Page) {
			if n == 2 {
				p.Next = ""
			}
		}, said: "spoke of 1000 records and gave 400", waits: []time.Duration{5 * time.Second}},
		"an older data set": {before: func(r *fake, n int) error {
			switch n {
			case 2:
				r.data = r.data.AddDate(0, 0, -20)
			case 7:
				r.data = r.data.AddDate(0, 0, 20)
			}
			return nil
		}, said: "its data changed", waits: []time.Duration{5 * time.Second}},
		"answers that are too large": {before: func(_ *fake, n int) error {
			if n == 1 {
				return ErrTooLarge
			}
			return nil
		}, said: "too large", waits: []time.Duration{5 * time.Second}},
	} {
		r := newFake(t, 1000)
		n := 0
		r.before = func(Ask) error {
			if n++; c.before == nil {
				return nil
			}
			return c.before(r, n)
		}
		r.cut = func(p *Page) {
			if c.cut != nil {
				c.cut(n, p)
			}
		}
		k := newTaker(t, r, "1999-01-01")
		if err := k.Round(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		k.complete(r, "1999-01-01")
		var waits []time.Duration
		for _, d := range k.slept {
			if d != k.Pause {
				waits = append(waits, d)
			}
		}
		if !k.heard(c.said) || fmt.Sprint(waits) != fmt.Sprint(c.waits) {
			t.Errorf("%s: waited %v, want %v; said %q", what, waits, c.waits, k.said)
		}
	}
}

// TestNeverRight: with so many tries a round ends with the error; without, only when it is told to.
func TestNeverRight(t *testing.T) {
	r := newFake(t, 10)
	r.before = func(Ask) error { return errDown }
	k := newTaker(t, r, "1999-01-01")
	if err := k.Round(t.Context()); !errors.Is(err, errDown) || r.pages != 8 {
		t.Errorf("%v after %d tries", err, r.pages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	k = newTaker(t, r, "1999-01-01")
	k.Tries, r.pages = 0, 0
	r.before = func(Ask) error {
		if r.pages == 40 {
			cancel()
		}
		return errDown
	}
	if err := k.Round(ctx); !errors.Is(err, context.Canceled) || k.slept[len(k.slept)-2] != longPause {
		t.Errorf("%v, slept %v", err, k.slept)
	}
	// What is older than before, or to come, is not taken at all.
	for data, said := range map[string]string{"2026-03-09T00:00:00": "older than the data of", "2030-01-01T00:00:00": "is to come"} {
		r := newFake(t, 10)
		k := newTaker(t, r, "1999-01-01")
		k.State.Data, r.data = "2026-03-10T00:00:00", at(data)
		if err := k.Round(t.Context()); err == nil || r.pages > 0 || !k.heard(said) {
			t.Errorf("%s: %v, %d pages, %q", data, err, r.pages, k.said)
		}
	}
}

// TestShrunk: a registry that has fewer records than before is asked again, and taken as it is
// when it answers the same.
func TestShrunk(t *testing.T) {
	r := newFake(t, 1000)
	k := newTaker(t, r, "1999-01-01")
	if err := k.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.data = r.data.AddDate(0, 0, 1)
	for n, d := range r.records {
		if d == "2026-03-06" {
			delete(r.records, n)
		}
	}
	if err := k.Round(t.Context()); err != nil || !k.heard("it has shrunk: it shows 66 records since 2026-03-05 and showed 132 before") ||
		!k.heard("taken as it is") {
		t.Errorf("%v: %q", err, k.said)
	}
	if k.State.Since != "2026-03-05" || k.State.Expect != 66 {
		t.Errorf("%+v", k.State)
	}
	// A record of a day to come does not carry the follow there.
	r.update(number(1), "9999-12-31")
	r.data = r.data.AddDate(0, 0, 1)
	if err := k.Round(t.Context()); err != nil || k.State.Since != "2026-03-11" {
		t.Errorf("%v, %+v", err, k.State)
	}
}

// TestTakeFails: a page is given again until it is taken, without asking the registry.
func TestTakeFails(t *testing.T) {
	r := newFake(t, 500)
	k := newTaker(t, r, "1999-01-01")
	take, fails, saves := k.Take, 0, 0
	k.Take = func(ctx context.Context, p *Page, where string) error {
		if fails++; fails%3 != 0 {
			return errDown
		}
		return take(ctx, p, where)
	}
	save := k.Save
	k.Save = func(s *State) error {
		if saves++; saves < 3 {
			return errDown
		}
		return save(s)
	}
	if err := k.Round(t.Context()); err != nil || r.pages != 3 {
		t.Errorf("%v, %d pages", err, r.pages)
	}
	k.complete(r, "1999-01-01")
	r.data = r.data.Add(time.Hour)
	k.Take = func(context.Context, *Page, string) error { return Stop{Err: errDown} }
	if err := k.Round(t.Context()); !errors.Is(err, errDown) || r.pages != 4 {
		t.Errorf("%v, %d pages", err, r.pages)
	}
}

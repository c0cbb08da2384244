package sensor_test

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// second returns the time a number of seconds after noon.
func second(n int64) time.Time { return day.Add(12*time.Hour + time.Duration(n)*time.Second) }

// The profile of the random tests: three bands that overlap, and a gap of more than a minute.
const overlapping = `{"bands":[{"min":2,"max":5},{"min":0,"max":4,"minutes":1},{"min":1,"max":9,"minutes":2}],"maxGap":1}`

// randomSeries makes points and periods within the 600 seconds after a time.
func randomSeries(r *rand.Rand, start int64) (s sensor.Series) {
	for range r.Intn(12) {
		from := start + r.Int63n(600)
		to := from
		if r.Intn(3) == 0 {
			to += 1 + r.Int63n(120)
		}
		low := r.Int63n(10)
		if r.Intn(3) > 0 {
			low = 2 + r.Int63n(3)
		}
		s.Readings = append(s.Readings, sensor.Reading{From: second(from), To: second(to), Min: low, Max: low + r.Int63n(3)*r.Int63n(2)})
	}
	if r.Intn(5) == 0 {
		s.Doubts = append(s.Doubts, sensor.Doubt{From: second(start + 300), To: second(start + 320), Why: "test"})
	}
	return s
}

// ends returns the times of a series' first and last reading.
func ends(s sensor.Series) (first, last time.Time) {
	for i, r := range s.Readings {
		if i == 0 || r.From.Before(first) {
			first = r.From
		}
		if r.To.After(last) {
			last = r.To
		}
	}
	return first, last
}

func total(a sensor.Assessment) int64 {
	sum := a.Out + a.Unknown
	for _, b := range a.Bands {
		sum += b
	}
	return sum
}

// naive judges each second by itself, from the rules of the package comment.
func naive(p sensor.Profile, s sensor.Series, from, to int64) (classes map[int]int64) {
	class := func(low, high int64) int {
		for i, b := range p.Bands {
			if b.Min <= low && high <= b.Max {
				return i
			}
		}
		return len(p.Bands)
	}
	worst := func(keep func(r sensor.Reading) bool) int {
		w := -1
		for _, r := range s.Readings {
			if !keep(r) {
				continue
			}
			for _, point := range s.Readings {
				if r.To.After(r.From) && point.From.Equal(point.To) && point.From.After(r.From) && point.From.Before(r.To) {
					r.Min, r.Max = min(r.Min, point.Min), max(r.Max, point.Max)
				}
			}
			w = max(w, class(r.Min, r.Max))
		}
		return w
	}
	classes = map[int]int64{}
	for n := from; n < to; n++ {
		now, next := second(n), second(n+1)
		if w := worst(func(r sensor.Reading) bool { return !r.From.After(now) && !r.To.Before(next) }); w >= 0 {
			classes[w]++
			continue
		}
		var before, after time.Time
		for _, r := range s.Readings {
			if !r.To.After(now) && (before.IsZero() || r.To.After(before)) {
				before = r.To
			}
			if !r.From.Before(next) && (after.IsZero() || r.From.Before(after)) {
				after = r.From
			}
		}
		w := max(worst(func(r sensor.Reading) bool { return r.To.Equal(before) }),
			worst(func(r sensor.Reading) bool { return r.From.Equal(after) }))
		outside := false
		if before.IsZero() {
			before, outside = second(from), true
			if after.After(second(to)) {
				w = -1
			}
		}
		if after.IsZero() {
			if after = second(to); before.Before(second(from)) || outside {
				w = -1
			}
		}
		if after.Sub(before) > time.Duration(p.MaxGap)*time.Minute {
			w = -1
		}
		classes[w]++
	}
	return classes
}

// TestProperties checks random series: seconds add up and agree with naive, a leg that is cut
// adds up to the whole, two series that follow one another too, and order does not matter.
func TestProperties(t *testing.T) {
	p := profile(t, overlapping)
	kinds := map[string]int{}
	for seed := range int64(4000) {
		r := rand.New(rand.NewSource(seed))
		s := randomSeries(r, 0)
		whole := p.Assess(s, time.Time{}, time.Time{})
		kinds[p.Condition(whole)]++
		if got, want := total(whole), whole.To.Unix()-whole.From.Unix(); len(s.Readings) > 0 && got != want {
			t.Fatalf("seed %d: %d seconds, not %d", seed, got, want)
		}
		from := r.Int63n(700) - 50
		to := from + r.Int63n(300)
		leg := p.Assess(s, second(from), second(to))
		classes := naive(p, s, from, to)
		for i, seconds := range append(leg.Bands, leg.Out) {
			if seconds != classes[i] {
				t.Fatalf("seed %d: %d seconds in band %d, not %d\n%s", seed, seconds, i, classes[i], showAll(s))
			}
		}
		if leg.Unknown != classes[-1] || total(leg) != to-from {
			t.Fatalf("seed %d: %d unknown seconds, not %d; %d of %d", seed, leg.Unknown, classes[-1], total(leg), to-from)
		}
		mixed := sensor.Series{Readings: append([]sensor.Reading(nil), s.Readings...), Doubts: s.Doubts}
		r.Shuffle(len(mixed.Readings), reflect.Swapper(mixed.Readings))
		if got := p.Assess(mixed, second(from), second(to)); !reflect.DeepEqual(got, leg) {
			t.Fatalf("seed %d: in another order %+v, not %+v", seed, got, leg)
		}
		text, err := json.Marshal(leg)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := sensor.ParseAssessment(text); err != nil || !reflect.DeepEqual(back, leg) {
			t.Fatalf("seed %d: %s parsed again is %+v, %v", seed, text, back, err)
		}
		if first, last := ends(s); last.After(first) {
			length := last.Unix() - first.Unix()
			one, two := r.Int63n(length+1), r.Int63n(length+1)
			a, b := first.Add(time.Duration(min(one, two))*time.Second), first.Add(time.Duration(max(one, two))*time.Second)
			full := p.Assess(s, whole.From, whole.To)
			sum := p.Sum(p.Assess(s, b, whole.To), p.Assess(s, whole.From, a), p.Assess(s, a, b))
			if !reflect.DeepEqual(sum, full) {
				t.Fatalf("seed %d: legs cut at %v and %v\n got %+v\nwant %+v\n%s", seed, a, b, sum, full, showAll(s))
			}
		}
		next := randomSeries(r, 730+r.Int63n(50))
		both := sensor.Series{Readings: append(append([]sensor.Reading(nil), s.Readings...), next.Readings...), Doubts: append(append(
			[]sensor.Doubt(nil), s.Doubts...), next.Doubts...)}
		if first, last := ends(s); len(s.Readings) > 0 && len(next.Readings) > 0 && len(both.Doubts) == 0 {
			sum := p.Sum(p.Assess(s, first, last), p.Assess(next, time.Time{}, time.Time{}))
			want := p.Assess(both, time.Time{}, time.Time{})
			if sum.Doubts, want.Doubts = nil, nil; !reflect.DeepEqual(sum.Bands,
				want.Bands) || sum.Out != want.Out || sum.Unknown != want.Unknown ||
				sum.Min != want.Min || sum.Max != want.Max || !reflect.DeepEqual(sum.Gaps, want.Gaps) || sum.Longest != want.Longest {
				t.Fatalf("seed %d: two series\n got %+v\nwant %+v\n%s", seed, sum, want, showAll(both))
			}
		}
	}
	for _, kind := range []string{sensor.OK, sensor.Excursion, sensor.Unknown} {
		if kinds[kind] < 40 {
			t.Errorf("only %d series are %s", kinds[kind], kind)
		}
	}
}

// TestManyGaps checks that only the longest gaps are listed, and all are counted.
func TestManyGaps(t *testing.T) {
	p := profile(t, overlapping)
	var s sensor.Series
	at := int64(0)
	for i := range int64(200) {
		s.Readings = append(s.Readings, sensor.Reading{From: second(at), To: second(at), Min: 3, Max: 3})
		at += 100 + i
	}
	a := p.Assess(s, time.Time{}, time.Time{})
	if len(a.Gaps) != sensor.MaxGaps || a.MoreGaps != 199-sensor.MaxGaps || a.Longest != 298 {
		t.Errorf("%d gaps and %d more, the longest %d", len(a.Gaps), a.MoreGaps, a.Longest)
	}
	if a.Gaps[0].To.Sub(a.Gaps[0].From) != 249*time.Second { // 298 to 249 are the 50 longest
		t.Errorf("the first gap is %v", a.Gaps[0])
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sensor.ParseAssessment(text); err != nil {
		t.Error(err)
	}
}

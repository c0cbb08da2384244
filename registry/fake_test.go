package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A fake is a registry that pages by offset, as the worst one could: whatever moves while its
// pages are read moves others over their edges.
type fake struct {
	t       *testing.T
	data    time.Time
	records map[string]string // day of update by number
	rev     map[string]int    // how often a record was updated
	pages   int               // that were asked for
	mute    bool              // it does not say how many there are
	before  func(a Ask) error // is called before each page
	cut     func(p *Page)     // changes each page
}

func newFake(t *testing.T, n int) *fake {
	r := &fake{t: t, data: at("2026-03-10T09:00:05"), records: map[string]string{}, rev: map[string]int{}}
	for i := range n {
		r.records[number(i)] = day(at("2026-02-20T00:00:00"), i%15)
	}
	return r
}

func number(i int) string { return fmt.Sprintf("NCT%08d", i) }

func at(s string) time.Time {
	t, err := time.Parse(stamp, s)
	if err != nil {
		panic(err)
	}
	return t
}

func (r *fake) update(number, day string) {
	r.records[number] = day
	r.rev[number]++
}

func (r *fake) Version(context.Context) (time.Time, error) { return r.data, nil }

func (r *fake) Page(_ context.Context, a Ask) (*Page, error) {
	r.pages++
	if r.before != nil {
		if err := r.before(a); err != nil {
			return nil, err
		}
	}
	var list []string
	for n, d := range r.records {
		if d >= a.From && (a.To == "" || d <= a.To) {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(x, y string) int {
		return cmp.Or(strings.Compare(r.records[x], r.records[y]), strings.Compare(x, y))
	})
	from := 0
	if a.Token != "" {
		from, _ = strconv.Atoi(a.Token)
	}
	p := &Page{Total: -1}
	if a.Token == "" && !r.mute {
		p.Total = len(list)
	}
	for _, n := range list[min(from, len(list)):min(from+a.Size, len(list))] {
		text := fmt.Sprintf(`{"nctId":%q,"date":%q,"rev":%d}`, n, r.records[n], r.rev[n])
		p.Records = append(p.Records, Record{Bytes: []byte(text), Number: n, Day: r.records[n]})
	}
	if from+a.Size < len(list) {
		p.Next = strconv.Itoa(from + a.Size)
	}
	if r.cut != nil {
		r.cut(p)
	}
	return p, nil
}

// A taker follows a registry and keeps the revision of each record that it took.
type taker struct {
	*Follower
	t     *testing.T
	took  map[string]string
	slept []time.Duration
	said  []string
	saved []State
}

func newTaker(t *testing.T, r Registry, since string) *taker {
	k := &taker{t: t, took: map[string]string{}}
	k.Follower = &Follower{
		Registry: r, State: &State{Since: since}, Tries: 8, Pause: 2 * time.Second,
		Now: func() time.Time { return at("2026-03-12T00:00:00") },
		Save: func(s *State) error {
			k.saved = append(k.saved, *s)
			return nil
		},
		Take: func(_ context.Context, p *Page, _ string) error {
			for _, x := range p.Records {
				k.took[x.Number] = string(x.Bytes)
			}
			return nil
		},
		Say: func(format string, args ...any) { k.said = append(k.said, fmt.Sprintf(format, args...)) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			k.slept = append(k.slept, d)
			return ctx.Err()
		},
	}
	return k
}

// complete asserts that the last version of every record of some days was taken.
func (k *taker) complete(r *fake, since string) {
	k.t.Helper()
	for n, d := range r.records {
		if want := fmt.Sprintf(`"rev":%d}`, r.rev[n]); d >= since && !strings.HasSuffix(k.took[n], want) {
			k.t.Errorf("%s of %s was not taken as it is now (%s): %q; said %q", n, d, want, k.took[n], k.said)
		}
	}
}

func (k *taker) heard(text string) bool { return strings.Contains(strings.Join(k.said, "\n"), text) }

var errDown = errors.New("down")

package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	pageSize   = 200    // records
	maxWindow  = 10_000 // records that are asked for in one paging, unless one day has more
	firstPause = 5 * time.Second
	longPause  = 15 * time.Minute
	overlap    = 1 // day before the last that is asked for again: the last one that was whole
	ahead      = 48 * time.Hour
	maxPages   = 5_000 // of one paging; the whole of ClinicalTrials.gov has 3,000
	pageTries  = 6     // for one page behind the first
)

// A Registry answers as a Client does.
type Registry interface {
	Version(ctx context.Context) (time.Time, error)
	Page(ctx context.Context, a Ask) (*Page, error)
}

// A Stop is an error that asking again would not mend. It ends a follow.
type Stop struct{ Err error }

// Error implements error.
func (s Stop) Error() string { return s.Err.Error() }

// Unwrap returns the error.
func (s Stop) Unwrap() error { return s.Err }

// A Follower takes what changes in a registry. Its fields are set before the first round. It is
// not for use by several at once.
type Follower struct {
	Registry Registry
	State    *State
	Save     func(*State) error // writes the state durably

	// Take takes the records of a page; where says which. If it fails it is called again with
	// the same page: no record may be counted twice by that. A Stop ends the follow.
	Take func(ctx context.Context, p *Page, where string) error

	Say   func(format string, args ...any) // to a person
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	Pause time.Duration // between two requests
	Tries int           // how often something is tried without any success before a round ends; 0: for ever

	failed  int // tries since the last success
	reached int // pages of the present window that were taken, at most
	rounds  int
	floor   string // the first day that this round asked for
	asked   bool   // a request was sent
	span    int    // days of the next window; 0 for all
	size    int    // records on a page
	before  pass   // the last pass over a window that left a doubt
}

// A pass is what was seen in one paging over a window of days.
type pass struct {
	from, to string
	sum      [sha256.Size]byte // of all records, in their order
}

// Round takes all that changed. It returns when the registry has no more, or the error that
// stopped it. It may be called again at any time.
func (f *Follower) Round(ctx context.Context) error {
	f.span, f.size, f.reached, f.failed, f.before = 0, pageSize, 0, 0, pass{}
	f.floor = f.State.Since
	for {
		var done bool
		err := f.attempt(ctx, func() (err error) {
			done, err = f.window(ctx)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

// attempt calls a function until it succeeds, waiting longer after each failure.
func (f *Follower) attempt(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		stop, over := Stop{}, exhausted{}
		if errors.As(err, &stop) || errors.As(err, &over) {
			return err
		}
		f.failed++
		if f.Tries > 0 && f.failed >= f.Tries {
			return exhausted{err}
		}
		wait := min(firstPause<<min(f.failed-1, 20), longPause)
		if s, ok := errors.AsType[*Status](err); ok {
			wait = max(wait, s.After)
		}
		f.Say("%v; trying again in %s", err, wait)
		if err := f.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// exhausted is the error of what was tried often enough.
type exhausted struct{ error }

func (e exhausted) Unwrap() error { return e.error }

// pause waits between two requests.
func (f *Follower) pause(ctx context.Context) error {
	if !f.asked {
		f.asked = true
		return nil
	}
	return f.Sleep(ctx, f.Pause)
}

// version asks for the time of the registry's data, until that can be.
func (f *Follower) version(ctx context.Context) (t time.Time, err error) {
	err = f.attempt(ctx, func() error {
		if err := f.pause(ctx); err != nil {
			return err
		}
		if t, err = f.Registry.Version(ctx); err != nil {
			return err
		}
		if t.After(f.Now().Add(ahead)) {
			return fmt.Errorf("the registry's data is of %s UTC, which is to come: compare its clock with this machine's", t.Format(stamp))
		}
		if f.State.Data != "" && t.Format(stamp) < f.State.Data {
			return fmt.Errorf("the registry's data is of %s UTC, older than the data of %s UTC that it showed before", t.Format(stamp), f.State.Data)
		}
		return nil
	})
	return t, err
}

// page asks for a page, until the registry gives it. If it does not take the token of the page
// before, or fails too often behind it, the paging has to begin again.
func (f *Follower) page(ctx context.Context, a Ask) (p *Page, err error) {
	var broken error
	tries := 0
	err = f.attempt(ctx, func() error {
		if err := f.pause(ctx); err != nil {
			return err
		}
		a.Size = f.size
		got, err := f.Registry.Page(ctx, a)
		if errors.Is(err, ErrTooLarge) && f.size > 1 {
			f.size = max(1, f.size/4) // SPEC: It does not have to be the same for every page.
		}
		if tries++; errors.Is(err, errToken) || err != nil && a.Token != "" && tries == pageTries {
			broken = err
			return nil
		}
		p = got
		return err
	})
	if err == nil {
		err = broken
	}
	return p, err
}

// day returns the day of a time, some days later.
func day(t time.Time, days int) string { return t.AddDate(0, 0, days).Format(time.DateOnly) }

// parseDay returns the time of a day that was checked.
func parseDay(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

// window takes the records of the next days that are not taken: as many days as have few enough
// records. It reports whether these were the last.
func (f *Follower) window(ctx context.Context) (done bool, err error) {
	s := f.State
	data, err := f.version(ctx)
	if err != nil {
		return false, err
	}
	if f.rounds > 0 && s.Data == data.Format(stamp) {
		return true, nil // all of this data was taken, by this process
	}
	since := parseDay(s.Since)
	days := int(data.Sub(since).Hours()/24) + 1 // that can have records
	a := Ask{From: s.Since}
	if f.span > 0 && f.span < days {
		days = f.span
		a.To = day(since, days-1)
	}
	w := &watch{from: a.From, to: a.To, numbers: map[string]bool{}, sum: sha256.New()}
	tokens := map[string]bool{}
	for n := 1; ; n++ {
		p, err := f.page(ctx, a)
		if err != nil {
			return false, err
		}
		if n == 1 {
			if w.total = p.Total; p.Total > maxWindow && days > 1 {
				f.span = days / 2 // more than is asked for at once
				return false, nil
			}
		}
		where := fmt.Sprintf("page %d of what changed since %s", n, a.From)
		if err := f.attempt(ctx, func() error { return f.Take(ctx, p, where) }); err != nil {
			return false, err
		}
		w.add(p)
		if n > f.reached {
			f.reached, f.failed = n, 0
		}
		if p.Next == "" {
			break
		}
		if tokens[p.Next] || n == maxPages {
			return false, fmt.Errorf("the registry's pages have no end: page %d has a token that came before, or is the last of %d that are read",
				n, maxPages)
		}
		tokens[p.Next] = true
		a.Token = p.Next
	}
	after, err := f.version(ctx)
	if err != nil {
		return false, err
	}
	if err := f.judge(w, data, after); err != nil {
		return false, err
	}
	return a.To == "", f.advance(ctx, w, after)
}

// judge returns an error if the registry may have changed while its pages were read, so that a
// record may have moved from a page that was not read yet to one that was read. Two passes that
// are the same to the letter leave no doubt: then the registry is like that.
func (f *Follower) judge(w *watch, data, after time.Time) error {
	doubts := w.doubts()
	if !after.Equal(data) {
		doubts = append(doubts, fmt.Sprintf("its data changed from that of %s UTC to that of %s UTC", data.Format(stamp), after.Format(stamp)))
	}
	if n := w.count(); w.to == "" && w.from == f.State.Since && n < f.State.Expect {
		doubts = append(doubts, fmt.Sprintf("it has shrunk: it shows %d records since %s and showed %d before", n, w.from, f.State.Expect))
	}
	if len(doubts) == 0 {
		return nil
	}
	said := "while the records since " + w.from + " were read from the registry: " + strings.Join(doubts, ", and ")
	now := pass{w.from, w.to, [sha256.Size]byte(w.sum.Sum(nil))}
	if f.before == now {
		f.Say("%s. It answered the same twice: this is taken as it is", said)
		return nil
	}
	f.before = now
	return errors.New(said + ": reading them again")
}

// advance says in the state that a window was taken, and writes it.
func (f *Follower) advance(ctx context.Context, w *watch, data time.Time) error {
	next := *f.State
	if w.to != "" {
		next.Since, next.Expect = day(parseDay(w.to), 1), 0
		if w.count() < maxWindow/4 {
			f.span *= 2
		}
	} else {
		last := min(w.last, day(data, 0)) // a day to come would be waited for
		if w.last != "" {
			next.Since = max(f.floor, day(parseDay(last), -overlap))
		}
		next.Data, next.Expect = data.Format(stamp), w.since(next.Since)
	}
	if err := f.attempt(ctx, func() error { return f.Save(&next) }); err != nil {
		return err
	}
	*f.State = next
	f.reached, f.failed, f.before = 0, 0, pass{}
	if w.to == "" {
		f.rounds++
	}
	return nil
}

package logserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A quorum watches whether the witnesses still answer in such number that something can be
// published. Without it a log whose witnesses are gone would take statements whose receipts
// nobody can have.
type quorum struct {
	asking turn // held while witnesses are asked

	mu       sync.Mutex // guards the fields below
	since    time.Time  // when the newest stored checkpoint began to wait for the quorum; zero if none waits
	size     uint64     // of the tree that waits
	answered map[int]time.Time
	asked    time.Time
	err      error // what was found when the witnesses were last asked
}

const (
	// quorumPatience is how long a checkpoint may wait for the quorum before no more
	// statements are taken.
	quorumPatience = 4 * time.Second
	// witnessRest is how long a witness that answered is believed to be there, and how often
	// the others are asked at most.
	witnessRest = 3 * time.Second
	// witnessWait is how long an answer is waited for.
	witnessWait = 1500 * time.Millisecond
)

// waits records that a stored checkpoint waits, or that none does.
func (q *quorum) waits(signed, published uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case signed <= published:
		q.since = time.Time{}
	case q.since.IsZero() || published > 0 && q.size <= published:
		q.since, q.size = time.Now(), signed
	}
}

// heard records that a witness has answered.
func (q *quorum) heard(witness int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.answered == nil {
		q.answered = map[int]time.Time{}
	}
	q.answered[witness] = time.Now()
}

// lost returns why there is no quorum, as far as that is known without asking anybody.
func (q *quorum) lost(l *Log) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if d := time.Since(q.since); !q.since.IsZero() && d > quorumPatience {
		return fmt.Errorf("%w: too few witnesses have cosigned the tree of size %d for %s; needed are %s",
			ErrNotReady, q.size, d.Round(time.Second), l.cfg.Policy.QuorumText())
	}
	if q.err != nil && time.Since(q.asked) < 2*witnessRest {
		return q.err
	}
	return nil
}

// ask asks those witnesses that have not answered lately whether they are there: by any request,
// for one that costs them nothing.
func (q *quorum) ask(l *Log) error {
	q.asking.take()
	defer q.asking.end()
	p := l.cfg.Policy
	if p.Unwitnessed() {
		return nil
	}
	if time.Since(q.asked) >= witnessRest {
		there := make([]bool, len(p.Witnesses))
		why := make([]string, len(p.Witnesses))
		var wg sync.WaitGroup
		for i, w := range p.Witnesses {
			q.mu.Lock()
			there[i] = time.Since(q.answered[i]) < witnessRest
			q.mu.Unlock()
			if there[i] || w.URL == "" {
				continue
			}
			wg.Go(func() {
				if err := knock(l.work, l.cfg.Client, w.URL); err != nil {
					why[i] = fmt.Sprintf("%s: %v", w.Label, err)
				} else {
					there[i] = true
				}
			})
		}
		wg.Wait()
		q.mu.Lock()
		q.asked, q.err = time.Now(), nil
		if !p.Satisfied(func(w int) bool { return there[w] }) {
			why = slices.DeleteFunc(why, func(s string) bool { return s == "" })
			q.err = fmt.Errorf("%w: too few witnesses can be reached; needed are %s; %s", ErrNotReady, p.QuorumText(), strings.Join(why, "; "))
		}
		q.mu.Unlock()
	}
	return q.lost(l)
}

// knock returns nil if a server at a URL answers, whatever it says, except that it is not well.
func knock(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, witnessWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 500 {
		return errors.New("it answers " + resp.Status)
	}
	return nil
}

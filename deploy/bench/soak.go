package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Soak is a log under mixed load for a long time.
type Soak struct {
	Conditions
	Clients int              `json:"clients"` // that submit
	Readers int              `json:"readers"`
	Rate    Rate             `json:"rate"`
	Reads   map[string]int64 `json:"reads"`
	Bad     int64            `json:"bad"` // reads that failed
	First   string           `json:"first_error,omitempty"`
	Samples []Sample         `json:"samples"`
}

// A Sample is what the log's process had at one time.
type Sample struct {
	At         float64 `json:"s"`
	Memory     int64   `json:"memory"`
	Goroutines int     `json:"goroutines"`
	Files      int     `json:"files"`
	Size       uint64  `json:"size"`
}

const (
	soakClients = 16
	soakReaders = 4
)

func (b *bench) soaked(ctx context.Context) error {
	length := b.soak
	if length == 0 {
		length = time.Minute
	}
	s := &Soak{Clients: soakClients, Readers: soakReaders, Reads: map[string]int64{}}
	err := measure(&s.Conditions, func() error {
		o, err := b.newLog(ctx, nil, 1)
		if err != nil {
			return err
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var wg sync.WaitGroup
		r := &reader{url: o.logs[0].url, counts: map[string]*atomic.Int64{"entries": {}, "receipts": {}, "histories": {}, "tiles": {}}}
		for range soakReaders {
			wg.Go(func() { r.run(ctx) })
		}
		start := time.Now()
		wg.Go(func() {
			for every := max(length/360, 100*time.Millisecond); ctx.Err() == nil; sleep(ctx, every) {
				if x, err := sample(ctx, o.logs[0]); err == nil {
					x.At = time.Since(start).Seconds()
					s.Samples = append(s.Samples, x)
				}
			}
		})
		s.Rate, err = o.load(ctx, soakClients, length)
		stop()
		wg.Wait()
		for name, n := range r.counts {
			s.Reads[name] = n.Load()
		}
		s.Bad, s.First = r.bad.Load(), r.first
		if err != nil {
			return err
		}
		b.tell("soak of %s: %.0f receipts/s, median %.1f ms, 99th percentile %.1f ms, %d failed; reads %v, %d failed", length,
			s.Rate.PerSecond, s.Rate.P50,
			s.Rate.P99, s.Rate.Failed, s.Reads, s.Bad)
		b.endAll(0)
		_, err = b.run(context.WithoutCancel(ctx), o.dir, filepath.Join(b.bin, "triallog"), "fsck", "-dir", "log")
		return err
	})
	b.results.Soak = s
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, resp.Status, data)
	}
	return string(data), err
}

func sample(ctx context.Context, p *process) (s Sample, err error) {
	text, err := get(ctx, p.url+"/metrics")
	if err != nil {
		return s, err
	}
	_, rest, _ := strings.Cut(text, "\ngo_goroutines ")
	line, _, _ := strings.Cut(rest, "\n")
	if s.Goroutines, err = strconv.Atoi(line); err != nil {
		return s, err
	}
	s.Size, err = sizeOf(ctx, p.url)
	s.Memory, s.Files = memoryOf(p.cmd.Process.Pid, false), openFiles(p.cmd.Process.Pid)
	return s, err
}

// sizeOf returns the size of the published checkpoint.
func sizeOf(ctx context.Context, url string) (uint64, error) {
	text, err := get(ctx, url+"/checkpoint")
	if err != nil {
		return 0, err
	}
	lines := strings.Split(text, "\n")
	return strconv.ParseUint(lines[min(1, len(lines)-1)], 10, 64)
}

// A reader reads what a log serves, at random.
type reader struct {
	url    string
	counts map[string]*atomic.Int64
	bad    atomic.Int64
	once   sync.Once
	first  string
}

func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.round(ctx)
		if err != nil && ctx.Err() == nil {
			r.bad.Add(1)
			r.once.Do(func() { r.first = err.Error() })
		}
		sleep(ctx, 20*time.Millisecond) // people read; they do not flood
	}
}

// round reads an entry, its receipt, its trial's history and the tile that it is in.
func (r *reader) round(ctx context.Context) error {
	size, err := sizeOf(ctx, r.url)
	if err != nil {
		return err
	}
	index := rand.Uint64N(size)
	text, err := get(ctx, fmt.Sprintf("%s/v1/entries/%d", r.url, index))
	if err != nil {
		return err
	}
	r.counts["entries"].Add(1)
	var answer struct{ Entry string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	e, err := trial.ParseEntry([]byte(answer.Entry))
	if err != nil {
		return err
	}
	bundle := index / tile.Width
	width := min(size-bundle*tile.Width, tile.Width)
	if _, err := get(ctx, r.url+"/"+tile.Path(tile.Entries, bundle, int(width))); err != nil {
		return err
	}
	r.counts["tiles"].Add(1)
	if e.Statement == nil {
		return nil
	}
	if _, err := get(ctx, fmt.Sprintf("%s/v1/receipts/%s", r.url, e.Statement.ID)); err != nil {
		return err
	}
	r.counts["receipts"].Add(1)
	d, ok := e.Statement.Statement.Predicate.(*trial.Document)
	if !ok {
		return nil
	}
	_, err = get(ctx, fmt.Sprintf("%s/v1/history?kind=trial&id=%s", r.url, d.Trial))
	if err == nil {
		r.counts["histories"].Add(1)
	}
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A page is docs/performance.md as it is written, with its plots.
type page struct {
	strings.Builder
	plots map[string]plot
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// table writes a table; the first row is its head.
func (p *page) table(rows ...[]string) {
	for i, r := range rows {
		p.line("| %s |", strings.Join(r, " | "))
		if i == 0 {
			p.line("|%s", strings.Repeat("---|", len(r)))
		}
	}
	p.line("")
}

func (p *page) plot(name string, pl plot) {
	p.plots[name] = pl
	p.line("![%s](performance/%s.svg)\n", pl.Title, name)
}

// write writes the results, and the page and plots made of them.
func (r *Results) write(out string) error {
	dir := filepath.Join(out, "performance")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	p := &page{plots: map[string]plot{}}
	r.page(p)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "results.json"), append(data, '\n'), 0o644),
		os.WriteFile(filepath.Join(out, "performance.md"), []byte(strings.TrimRight(p.String(), "\n")+"\n"), 0o644))
	for name, pl := range p.plots {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".svg"), []byte(pl.svg()), 0o644))
	}
	return err
}

func (r *Results) page(p *page) {
	p.line(`# Performance

What was measured, by

    go run ./deploy/bench

on one machine, with clients, log, witnesses and database on the same cores. Everything is on disk before it is answered. Each table
says when it was measured, and under what load by others. Compare figures of one table with each other only.
`)
	if r.Submissions != nil {
		r.Submissions.page(p)
	}
}

func (s *Submissions) page(p *page) {
	p.line("## Submissions\n\n%s. %.0f s for each number of clients.\n", s.Conditions, s.Length)
	rows := [][]string{{"system", "clients", "answers a second", "median", "99th percentile", "failed", "cores busy"}}
	rate := plot{Title: "Answers a second", X: "clients", Y: "a second", LogX: true}
	wait := plot{Title: "Median answer", X: "clients", Y: "ms", LogX: true, LogY: true}
	for _, sys := range s.Systems {
		var xs, rates, waits []float64
		for _, v := range sys.Rates {
			rows = append(rows, []string{sys.Name, fmt.Sprint(v.Clients), whole(v.PerSecond), ms(v.P50), ms(v.P99), fmt.Sprint(v.Failed + v.Refused),
				fmt.Sprintf("%.0f %%", 100*v.Busy)})
			xs, rates, waits = append(xs, float64(v.Clients)), append(rates, v.PerSecond), append(waits, v.P50)
		}
		rate.add(sys.Name, xs, rates)
		wait.add(sys.Name, xs, waits)
	}
	p.table(rows...)
	for _, sys := range s.Systems {
		p.line("- %s: %s.", sys.Name, sys.What)
	}
	p.line("")
	p.plot("submissions", rate)
	p.plot("latency", wait)
	p.line("### What one answer costs\n\nProcessor time in milliseconds at the most clients, by program, and bytes on disk.\n")
	rows = [][]string{{"system", "processor time", "in all", "bytes on disk", "entry"}}
	for _, sys := range s.Systems {
		if len(sys.Rates) == 0 {
			continue
		}
		last := sys.Rates[len(sys.Rates)-1]
		all := 0.0
		for _, v := range last.CPU {
			all += v
		}
		bytes := "-"
		if sys.Bytes > 0 {
			bytes = fmt.Sprint(sys.Bytes)
		}
		rows = append(rows, []string{sys.Name, rounded(last.CPU), fmt.Sprintf("%.2f ms", all), bytes, fmt.Sprintf("%d bytes", last.EntryBytes)})
	}
	p.table(rows...)
}

func rounded(cpu map[string]float64) string {
	var list []string
	for name := range cpu {
		list = append(list, name)
	}
	slices.Sort(list)
	for i, name := range list {
		list[i] = fmt.Sprintf("%s %.3f", name, cpu[name])
	}
	return strings.Join(list, ", ")
}

// whole writes a number with its thousands apart.
func whole(v float64) string {
	s := fmt.Sprintf("%.0f", math.Round(v))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func ms(v float64) string { return fmt.Sprintf("%.1f ms", v) }

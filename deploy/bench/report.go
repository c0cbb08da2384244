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
	r.targets(p)
	if r.Submissions != nil {
		r.Submissions.page(p)
	}
	if r.Audits != nil {
		r.Audits.page(p)
	}
	if r.Imports != nil {
		r.Imports.page(p)
	}
	if r.Growth != nil {
		r.Growth.page(p)
	}
	if r.Soak != nil {
		r.Soak.page(p)
	}
}

func (a *Audits) page(p *page) {
	p.line("## Audit and verification\n\n%s. Each rate stands beside the Ed25519 verifications on all cores right before and after it.\n",
		a.Conditions)
	p.table([]string{"what", "a second", "Ed25519 verifications a second", "share"},
		[]string{fmt.Sprintf("entries of a log of %s, replayed by `trial audit`: the middle of three", whole(float64(a.Entries))),
			whole(a.PerSecond), whole(a.Raw),
			fmt.Sprintf("%.2f (%s)", a.Middle, shares(a.Ratios))},
		[]string{fmt.Sprintf("receipts verified offline, of %s with %s distinct signatures", whole(float64(a.Receipts)),
			whole(float64(a.Signatures))),
			whole(a.ReceiptsPerSecond), whole(a.ReceiptRaw), fmt.Sprintf("%.2f (%.2f of what the signatures take)",
				a.ReceiptsPerSecond/a.ReceiptRaw, a.share())})
	p.line("The auditor used %.3f ms of processor time for an entry, where a verification takes %.3f ms: %.2f by processor time, which "+
		"depends less on what else runs. It had at most %d MB of memory.\n", a.CPU, a.RawCPU, a.byCPU(), a.Memory>>20)
}

func (a *Audits) byCPU() float64 { return a.RawCPU / a.CPU }

func shares(list []float64) string {
	var s []string
	for _, v := range list {
		s = append(s, fmt.Sprintf("%.2f", v))
	}
	return strings.Join(s, ", ")
}

// share is how near the verification of receipts comes to that of their signatures alone.
func (a *Audits) share() float64 {
	if a.Receipts == 0 {
		return 0
	}
	return a.ReceiptsPerSecond / a.ReceiptRaw * float64(a.Signatures) / float64(a.Receipts)
}

func (i *Imports) page(p *page) {
	p.line("## Import of a registry\n\n%s.\n", i.Conditions)
	p.table([]string{"records", "time", "records a second, with receipts", "processor time for one", "cores busy", "bytes on disk for one"},
		[]string{whole(float64(i.Records)), fmt.Sprintf("%.1f s", i.Seconds), whole(i.PerSecond), rounded(i.CPU) + " ms",
			fmt.Sprintf("%.0f %%", 100*i.Busy),
			whole(float64(i.Bytes))})
}

func (g *Growth) page(p *page) {
	p.line("## Growth\n\n%s. Each log is on SQLite with three witnesses, made again from its files by `triallog restore`.\n", g.Conditions)
	rows := [][]string{{"entries", "restored in", "restart", "memory", "at most, under load", "on disk", "median, 1 client", "64 clients",
		"a second, 64 clients",
		"a replaying witness reads it in", "with memory"}}
	one := plot{Title: "Median answer in logs of different sizes", X: "entries", Y: "ms", LogX: true}
	var xs, p1, p64 []float64
	for _, s := range g.Sizes {
		rows = append(rows, []string{whole(float64(s.Entries)), fmt.Sprintf("%.1f s", s.Restore), fmt.Sprintf("%.2f s", s.Restart),
			mb(s.Memory), mb(s.MemoryTop),
			mb(s.Bytes), ms(s.Rates[0].P50), ms(s.Rates[1].P50), whole(s.Rates[1].PerSecond), fmt.Sprintf("%.1f s", s.Replay), mb(s.ReplayMemory)})
		xs, p1, p64 = append(xs, float64(s.Entries)), append(p1, s.Rates[0].P50), append(p64, s.Rates[1].P50)
	}
	one.add("1 client", xs, p1)
	one.add("64 clients", xs, p64)
	p.table(rows...)
	p.plot("growth", one)
}

func (s *Soak) page(p *page) {
	p.line("## Soak\n\n%s. %d clients submitted and %d readers read entries, receipts, histories and tiles at random, from a log on SQLite "+
		"with three witnesses; fsck found it whole afterwards.\n", s.Conditions, s.Clients, s.Readers)
	rows := [][]string{{"", "count", "failed"}, {"submissions", whole(float64(s.Rate.Receipts)), fmt.Sprint(s.Rate.Failed + s.Rate.Refused)}}
	sum := int64(0)
	for _, n := range s.Reads {
		sum += n
	}
	rows = append(rows, []string{"reads", whole(float64(sum)), fmt.Sprint(s.Bad)})
	p.table(rows...)
	p.line("In %.0f s, median %s, 99th percentile %s.\n", s.Rate.Seconds, ms(s.Rate.P50), ms(s.Rate.P99))
	if len(s.Samples) == 0 {
		return
	}
	memory := plot{Title: "Memory of the log's program", X: "seconds", Y: "MB"}
	counts := plot{Title: "Goroutines and open files", X: "seconds", Y: "count"}
	var at, m, g, f []float64
	for _, x := range s.Samples {
		at, m = append(at, x.At), append(m, float64(x.Memory)/(1<<20))
		g, f = append(g, float64(x.Goroutines)), append(f, float64(x.Files))
	}
	memory.add("resident", at, m)
	counts.add("goroutines", at, g)
	counts.add("open files", at, f)
	p.plot("soak-memory", memory)
	p.plot("soak-counts", counts)
	quarter := len(s.Samples) / 4
	first, last := s.Samples[quarter], s.Samples[len(s.Samples)-1]
	p.table([]string{"at", "entries", "memory", "goroutines", "open files"}, first.row(), last.row())
}

func (x Sample) row() []string {
	return []string{fmt.Sprintf("%.0f s", x.At), whole(float64(x.Size)), mb(x.Memory), fmt.Sprint(x.Goroutines), fmt.Sprint(x.Files)}
}

func mb(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/(1<<20)) }

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

package main

import "fmt"

// targets says what the log is meant to reach, and by how much it does.
func (r *Results) targets(p *page) {
	rows := [][]string{{"target", "measured", ""}}
	add := func(target, measured string, share float64) {
		verdict := fmt.Sprintf("missed: %.0f %% of it", 100*share)
		if share >= 1 {
			verdict = "met"
			if share > 1.005 {
				verdict = fmt.Sprintf("met, %.2f times", share)
			}
		}
		rows = append(rows, []string{target, measured, verdict})
	}
	if s := r.Submissions; s != nil {
		maria, rekor := s.rate("MariaDB", 64), s.rate("Rekor", 64)
		if maria != nil && rekor != nil && rekor.PerSecond > 0 {
			ratio := maria.PerSecond / rekor.PerSecond
			add("MariaDB, 64 clients: 10 times Rekor in the same run", fmt.Sprintf("%s and %s a second: %.1f times", whole(maria.PerSecond),
				whole(rekor.PerSecond),
				ratio), ratio/10)
		}
		if maria != nil {
			add("MariaDB, 64 clients: 2,120 a second", whole(maria.PerSecond)+" a second", maria.PerSecond/2120)
		}
		if one := s.rate("MariaDB", 1); one != nil && one.P50 > 0 {
			add("MariaDB, one client: median under 60 ms", ms(one.P50), 60/one.P50)
		}
		if many := s.rate("MariaDB", 256); many != nil {
			share := 1.0
			if many.Failed > 0 {
				share = 0
			}
			add("MariaDB, 256 clients: none fails", fmt.Sprintf("%d failed", many.Failed), share)
		}
		if a, b := s.rate("SQLite", 64), s.rate("SQLite", 256); a != nil && b != nil {
			best := a
			if b.PerSecond > a.PerSecond {
				best = b
			}
			sum := 0.0
			for _, v := range best.CPU {
				sum += v
			}
			ceiling := 1000 * float64(s.Cores) / sum
			add("SQLite, 64 or 256 clients: 5,000 a second", whole(best.PerSecond)+" a second", best.PerSecond/5000)
			add("or 85 % of what the processors could do, at the processor time that each takes", fmt.Sprintf("%.0f %% of %s a second",
				100*best.PerSecond/ceiling,
				whole(ceiling)), best.PerSecond/ceiling/0.85)
			cpu := min(a.CPU["log"], b.CPU["log"])
			said := fmt.Sprintf("%.3f ms", cpu)
			if s.Ed25519CPU > 0 {
				said += fmt.Sprintf(", where an Ed25519 verification takes %.3f", s.Ed25519CPU)
			}
			add("SQLite: under 0.25 ms of the log's processor time for one", said, 0.25/cpu)
		}
	}
	if a := r.Audits; a != nil {
		add("audit: 0.65 of raw Ed25519 verification on all cores", fmt.Sprintf("%.2f; %.2f by processor time", a.Middle, a.byCPU()),
			a.Middle/0.65)
		add("receipts offline: 0.70 of what their signatures take", fmt.Sprintf("%.2f", a.share()), a.share()/0.70)
	}
	if i := r.Imports; i != nil {
		add("import with receipts: 2,500 records a second", whole(i.PerSecond)+" a second", i.PerSecond/2500)
	}
	if g := r.Growth; g != nil && len(g.Sizes) > 1 {
		first, last := g.Sizes[0], g.Sizes[len(g.Sizes)-1]
		for i, name := range []string{"one client", "64 clients"} {
			ratio := last.Rates[i].P50 / first.Rates[i].P50
			add(fmt.Sprintf("growth, %s: median at %s entries within 1.2 times that at %s", name, whole(float64(last.Entries)),
				whole(float64(first.Entries))),
				fmt.Sprintf("%.2f times", ratio), 1.2/ratio)
		}
		add(fmt.Sprintf("restart at %s entries under 5 s", whole(float64(last.Entries))), fmt.Sprintf("%.2f s", last.Restart), 5/last.Restart)
		if last.ReplayMemory > 0 {
			add(fmt.Sprintf("replaying witness at %s entries within 1 GB of memory", whole(float64(last.Entries))), mb(last.ReplayMemory),
				float64(1<<30)/float64(last.ReplayMemory))
		}
	}
	p.line("## Targets\n")
	p.table(rows...)
}

// rate returns what a system got at a number of clients, or nil.
func (s *Submissions) rate(system string, clients int) *Rate {
	for _, sys := range s.Systems {
		for i := range sys.Rates {
			if sys.Name == system && sys.Rates[i].Clients == clients {
				return &sys.Rates[i]
			}
		}
	}
	return nil
}

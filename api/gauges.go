package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// gauges collects what is read from the log, and from what its witnesses last answered, at the
// time that somebody asks.
type gauges struct {
	l   *logserver.Log
	m   *Metrics
	now func() time.Time
}

var (
	waitingDesc = prometheus.NewDesc("trialproof_waiting_seconds",
		"Age of the oldest entry that is decided and not published; 0 if there is none.", nil, nil)
	stoppedDesc = prometheus.NewDesc("trialproof_stopped",
		"Whether the log has stopped for good, because something does not agree.", nil, nil)
	clockDesc = prometheus.NewDesc("trialproof_clock_ahead_seconds",
		"How far this machine's clock is ahead of a witness's or of the database's.", []string{"clock"}, nil)
	witnessDesc = prometheus.NewDesc("trialproof_witness_cosigns",
		"Whether a witness of the policy cosigned when this server last asked it.", []string{"witness"}, nil)
	marginDesc = prometheus.NewDesc("trialproof_quorum_margin",
		"How many of the witnesses that cosign must be lost, at least, until there is no quorum; 0 if there is none now.", nil, nil)
	keyDesc = prometheus.NewDesc("trialproof_key_expiry_seconds",
		"When the next key of an organisation may no longer sign, by its limits, in seconds since 1970.", []string{"org"}, nil)
)

// Describe implements prometheus.Collector.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waitingDesc, stoppedDesc, clockDesc, witnessDesc, marginDesc, keyDesc} {
		to <- d
	}
}

// scrapeTime bounds what one collection may read.
const scrapeTime = 5 * time.Second

// Collect implements prometheus.Collector.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	stopped := 0.0
	if g.l.Stopped() {
		stopped = 1
	}
	gauge(stoppedDesc, stopped)
	for org, end := range g.keys() {
		gauge(keyDesc, float64(end.Unix()), org)
	}
	if g.l.Leads() { // what others knew when they last led is old
		g.lead(ctx, gauge)
	}
}

// lead adds what only the server that leads knows.
func (g gauges) lead(ctx context.Context, gauge func(d *prometheus.Desc, value float64, labels ...string)) {
	waiting := 0.0
	if since := g.l.Waiting(ctx); !since.IsZero() {
		waiting = max(g.now().Sub(since).Seconds(), 0)
	}
	gauge(waitingDesc, waiting)
	for clock, d := range g.l.ClocksAhead() {
		gauge(clockDesc, d.Seconds(), clock)
	}
	p := g.l.Policy()
	for _, w := range p.Witnesses {
		value := 0.0
		if g.m.cosigns(w.Label) {
			value = 1
		}
		gauge(witnessDesc, value, w.Label)
	}
	if !p.Unwitnessed() {
		gauge(marginDesc, float64(p.Margin(func(w int) bool { return g.m.cosigns(p.Witnesses[w].Label) })))
	}
}

// keys returns, for each organisation with a key that is limited to a day not yet over, the end
// of the first such day.
func (g gauges) keys() map[string]time.Time {
	now, first := g.now(), map[string]time.Time{}
	for _, x := range g.l.Records("key") {
		k := x.(*trial.KeyRecord)
		if k.Revoked > 0 || k.Limits == nil || k.Limits.Until == "" {
			continue
		}
		end := trial.EndOf(k.Limits.Until).Std()
		if known, ok := first[k.Org]; end.After(now) && (!ok || end.Before(known)) {
			first[k.Org] = end
		}
	}
	return first
}

// cosigns reports whether a witness cosigned when it was last asked.
func (m *Metrics) cosigns(label string) bool {
	ok, asked := m.answered.Load(label)
	return asked && ok.(bool)
}

// Disk adds the space on the disk of the log's folder. The function returns the free and the
// whole number of bytes.
func (m *Metrics) Disk(space func() (free, total uint64, err error)) {
	value := func(part func(free, total uint64) uint64) func() float64 {
		return func() float64 {
			free, total, err := space()
			if err != nil {
				return 0 // a folder that cannot be asked about is as bad as a full disk
			}
			return float64(part(free, total))
		}
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_disk_free_bytes", Help: "Free space on the disk of the log's folder.",
		}, value(func(free, _ uint64) uint64 { return free })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_disk_size_bytes", Help: "Size of the disk of the log's folder.",
		}, value(func(_, total uint64) uint64 { return total })))
}

// Backup adds the time of the last backup, which is zero if there was none.
func (m *Metrics) Backup(last func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trialproof_backup_time_seconds", Help: "When triallog backup last finished, in seconds since 1970; 0 if it never did.",
	}, func() float64 {
		if t := last(); !t.IsZero() {
			return float64(t.Unix())
		}
		return 0
	}))
}

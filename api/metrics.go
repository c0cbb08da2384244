package api

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// Metrics counts what a log and its server do, for Prometheus, in a registry of its own. It
// implements logserver.Metrics: give the same one to the log and to the server.
type Metrics struct {
	registry *prometheus.Registry

	entries   prometheus.Counter
	batches   prometheus.Histogram
	refused   *prometheus.CounterVec
	quorum    prometheus.Histogram
	witnesses *prometheus.HistogramVec
	answered  sync.Map // by witness's label (string): whether it cosigned when last asked (bool)

	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	streams  prometheus.Gauge
}

// latencyBuckets are in seconds: from one of SQLite's commits to QuorumWait.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// NewMetrics returns metrics at zero.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		entries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trialproof_entries_sequenced_total", Help: "Entries put into the log since the start, state entries included.",
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trialproof_batch_seconds", Help: "Time from taking a batch to its signed checkpoint.", Buckets: latencyBuckets,
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trialproof_refused_total", Help: "Statements refused, by rule id.",
		}, []string{"rule"}),
		quorum: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trialproof_quorum_seconds", Help: "Time from a signed checkpoint to its quorum.", Buckets: latencyBuckets,
		}),
		witnesses: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trialproof_witness_seconds", Help: "Time that requests to witnesses took, by witness and result.",
			Buckets: latencyBuckets,
		}, []string{"witness", "result"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trialproof_requests_total", Help: "Requests answered, by protocol, route and status.",
		}, []string{"protocol", "route", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trialproof_request_seconds", Help: "Time that requests other than streams took, by protocol, route and status.",
			Buckets: latencyBuckets,
		}, []string{"protocol", "route", "status"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "trialproof_streams", Help: "Streams of entries that are open.",
		}),
	}
	m.registry.MustRegister(m.entries, m.batches, m.refused, m.quorum, m.witnesses, m.requests, m.latency, m.streams,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Sequenced implements logserver.Metrics.
func (m *Metrics) Sequenced(entries int, took time.Duration) {
	m.entries.Add(float64(entries))
	m.batches.Observe(took.Seconds())
}

// Refused implements logserver.Metrics.
func (m *Metrics) Refused(rule trial.Rule) { m.refused.WithLabelValues(string(rule)).Inc() }

// Published implements logserver.Metrics.
func (m *Metrics) Published(size uint64, waited time.Duration) { m.quorum.Observe(waited.Seconds()) }

// Witness implements logserver.Metrics.
func (m *Metrics) Witness(label string, err error, took time.Duration) {
	result := "cosigned"
	if err != nil {
		result = "failed"
	}
	m.answered.Store(label, err == nil)
	m.witnesses.WithLabelValues(label, result).Observe(took.Seconds())
}

// observeLog adds metrics that are read from the log when they are asked for.
func (m *Metrics) observeLog(l *logserver.Log, now func() time.Time) error {
	for _, c := range []prometheus.Collector{
		gauges{l, m, now},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_published_size", Help: "Size of the published tree.",
		}, func() float64 { return float64(l.Size()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_damaged_files",
			Help: "Stored files found since the start that do not hold what the log signed; /readyz names them.",
		}, func() float64 { return float64(len(l.Damaged())) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_ready", Help: "Whether the log takes submissions.",
		}, func() float64 {
			if l.Ready() != nil {
				return 0
			}
			return 1
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_leader", Help: "Whether this server leads: exactly one of a log's servers does.",
		}, func() float64 {
			if l.Leads() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_epoch", Help: "How often a server has taken the lead, as this one knows.",
		}, func() float64 { return float64(l.Standing().Epoch) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trialproof_published_age_seconds",
			Help: "How long ago this server last learned what is published: 0 where there is only one server.",
		}, func() float64 { return l.Standing().Age.Seconds() }),
	} {
		if err := m.registry.Register(c); err != nil {
			return fmt.Errorf("api: the metrics are in use by another server: %w", err)
		}
	}
	return nil
}

// Certificate adds the time when the server's certificate expires.
func (m *Metrics) Certificate(notAfter func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trialproof_certificate_expiry_seconds", Help: "When the certificate that is served expires, in seconds since 1970.",
	}, func() float64 { return float64(notAfter().Unix()) }))
}

func (m *Metrics) request(protocol, route, status string, took time.Duration, stream bool) {
	m.requests.WithLabelValues(protocol, route, status).Inc()
	if !stream {
		m.latency.WithLabelValues(protocol, route, status).Observe(took.Seconds())
	}
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

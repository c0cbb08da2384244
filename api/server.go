// Package api serves a log to its callers: over gRPC, as JSON under /v1, and as the plain files
// of c2sp.org/tlog-tiles, with what an operator needs beside them (health, metrics, a
// description of all routes, a page).
//
//	POST /v1/statements -> statement.go      \
//	POST /v1/batch ------> batch.go           \
//	                                           service.submit -> logserver.Log.Submit
//	gRPC Log/SubmitBatch > batch.go           /
//	gRPC Log/Submit -----> service.Submit    /
//
// It only translates: package trial decides what a statement may say, and package logserver
// what happens to it. Three translations have one place each: messages in convert.go, errors in
// problem.go, and the list of routes in routes.go. Protocol buffer types are used only in this
// package.
//
// The package must not know Trillian, SQL or where listeners and certificates come from:
// cmd/triallog connects those.
package api

import (
	"crypto"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// Config is what a server serves. Log must be set.
type Config struct {
	Log    *logserver.Log
	Policy string // text of the policy in force, shown as it is

	// Relay signs the ends of consents for those who have their code and no key; nil means that
	// none are relayed. Its organisation is enrolled in the log.
	Relay crypto.Signer

	// Secret is known to all servers of the log and to nobody else: by it they know what one of
	// them passes on to the one that leads. It may be empty where there is only one.
	Secret string

	Logger  *slog.Logger     // nil means that nothing is logged
	Metrics *Metrics         // the one that Log was given; nil means one of its own
	Limits  Limits           // the zero value limits nobody's rate
	Now     func() time.Time // for rates and the relay; nil means time.Now
}

// Limits keep one caller from using what all share.
type Limits struct {
	// PerKey is the rate of submissions signed by one key; the zero Rate is no limit. A
	// submission that turns out not to be signed by the key does not count.
	PerKey Rate
	// PerAddress is the rate of submissions from one network address (for IPv6 from one /64);
	// the zero Rate is no limit. The address is the connection's. No header is trusted, so
	// behind a proxy this limits the proxy.
	PerAddress Rate
	// Submissions is how many may be in progress at the same time; 0 means 4096.
	Submissions int
	// Streams is how many may be open at the same time; 0 means 1000.
	Streams int
	// Batches is how many may be open at the same time; 0 means 32.
	Batches int
}

// A Rate is a mean rate, and how many may come at once.
type Rate struct {
	PerSecond float64
	Burst     int // 0 means 1
}

// maxBody bounds a request's body, in bytes. It is twice the largest entry, so that a statement
// that is too large is refused by the rule for that.
const maxBody = 2 * trial.MaxEntry

// Timeouts of HTTPServer. A submission may wait for the witnesses for as long as
// the log's QuorumWait, which must stay well below requestTimeout.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeader      = 16 << 10
)

// A Server serves one log.
type Server struct {
	service *service
	metrics *Metrics
	relay   crypto.Signer
	now     func() time.Time
	logger  *slog.Logger
	handler http.Handler
	routes  []route

	overview *overview
}

// New returns a server of a log. It starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("api: Config.Log is not set")
	}
	if err := checkRelay(cfg.Relay); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Limits.Submissions == 0 {
		cfg.Limits.Submissions = 4096
	}
	if cfg.Limits.Streams == 0 {
		cfg.Limits.Streams = 1000
	}
	if cfg.Limits.Batches == 0 {
		cfg.Limits.Batches = 32
	}
	if err := cfg.Metrics.observeLog(cfg.Log, cfg.Now); err != nil {
		return nil, err
	}
	s := &Server{service: newService(cfg), metrics: cfg.Metrics, logger: cfg.Logger, relay: cfg.Relay, now: cfg.Now,
		overview: newOverview(cfg.Log, cfg.Now)}
	s.routes = s.allRoutes()
	s.handler = s.observe(newMux(s, s.routes))
	return s, nil
}

// HTTP returns the handler of everything but gRPC.
func (s *Server) HTTP() http.Handler { return s.handler }

// HTTPServer returns an HTTP server with limits on time and size. The caller gives it an
// address and certificates, and runs it. Streams end when the log closes, so close the log
// before or during Shutdown.
func (s *Server) HTTPServer() *http.Server {
	go s.overview.rows() // so that the first reader of a large log does not wait for the list
	return &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
}

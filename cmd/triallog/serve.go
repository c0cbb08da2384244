package main

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/trialproof/trialproof/api"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/witness/guard"
)

// shutdownWait is how long serve, once told to stop, waits for the quorum on
// what is decided. Submitters still waiting then are told that they are pending.
const shutdownWait = 10 * time.Second

type serving struct {
	folder
	listen, grpc    string
	unwitnessed     bool
	tlsCert, tlsKey string
	limits          api.Limits
	debug           bool
	profile         string
	quorumWait      time.Duration
	strict          bool
	relay           string
	replica         bool
	advertise       string
}

func (s *serving) flags(fs *flag.FlagSet) {
	s.folder.flags(fs)
	fs.StringVar(&s.listen, "listen", "127.0.0.1:8080", "`address` of page, JSON, tiles and metrics")
	fs.StringVar(&s.grpc, "grpc", "", "`address` of gRPC; none if not given")
	fs.BoolVar(&s.unwitnessed, "unwitnessed", false, "serve with a policy that asks for no witness: every receipt then says that it is "+
		"the operator's word alone")
	fs.StringVar(&s.tlsCert, "tls-cert", "", "`file` with the certificate chain; HTTP and gRPC then speak TLS")
	fs.StringVar(&s.tlsKey, "tls-key", "", "`file` with the certificate's key")
	fs.Float64Var(&s.limits.PerKey.PerSecond, "key-rate", 0, "submissions a second that one key may make; 0 is no limit")
	fs.Float64Var(&s.limits.PerAddress.PerSecond, "address-rate", 0, "submissions a second that one address may make; 0 is no limit")
	fs.DurationVar(&s.quorumWait, "quorum-wait", 10*time.Second,
		"how long a submission waits for the witnesses before it is answered as pending")
	fs.BoolVar(&s.strict, "strict", false, "refuse to serve with a key file that others than its owner can use, instead of a warning")
	fs.StringVar(&s.relay, "relay", "", "signing key `file`, enrolled for an organisation: who has the code of a consent and no key can then "+
		"end it here")
	fs.BoolVar(&s.replica, "replica", false, "serve as one of several over one -mysql, of which one leads; each has a -dir of its own with "+
		"the same keys and policy")
	fs.StringVar(&s.advertise, "advertise", "", "`URL` where the other replicas reach this one; if not given, made from -listen")
	fs.StringVar(&s.profile, "cpuprofile", "", "write a processor profile to `file` until the end")
	fs.BoolVar(&s.debug, "debug", false, "log every request")
}

func serve(ctx context.Context, e *frame.Env, args []string) error {
	var s serving
	fs := e.Flags()
	s.flags(fs)
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if s.dir == "" {
		return frame.Usagef("-dir must be given")
	}
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return frame.Usagef("-tls-cert and -tls-key go together")
	}
	if s.quorumWait <= 0 || s.quorumWait > 45*time.Second {
		return frame.Usagef("-quorum-wait is above 0 and at most 45s")
	}
	if err := s.checkReplica(); err != nil {
		return err
	}
	s.limits.PerKey.Burst, s.limits.PerAddress.Burst = burst(s.limits.PerKey), burst(s.limits.PerAddress)
	level := slog.LevelInfo
	if s.debug {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewJSONHandler(e.Stderr, &slog.HandlerOptions{Level: level}))
	return s.run(ctx, e, logger)
}

// burst lets a caller use a second's share at once.
func burst(r api.Rate) int { return max(1, int(r.PerSecond)) }

func (s *serving) run(ctx context.Context, e *frame.Env, logger *slog.Logger) (err error) {
	if s.profile != "" {
		f, err := os.Create(s.profile)
		if err != nil {
			return frame.AsUsage(err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for _, name := range []string{s.path(keyName), s.path(nextKeyName), s.path(oldKeyName), s.tlsKey, s.relay} {
		if err := guard.Private(name, s.strict, logger); err != nil {
			return err
		}
	}
	relay, err := s.relaySigner()
	if err != nil {
		return err
	}
	st, err := s.folder.open(ctx, false, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	cfg, policy, err := st.config(&s.folder)
	if err != nil {
		return err
	}
	if err := s.next(&cfg); errors.Is(err, errNextUnnamed) {
		logger.Warn("the log goes on with its old key alone", "why", err)
	} else if err != nil {
		return err
	}
	if err := s.witnessed(cfg.Policy, s.unwitnessed); err != nil {
		return err
	}
	if cfg.Policy.Split() {
		logger.Warn("two sets of witnesses without a member in common satisfy the quorum: each could be shown another log", "quorum",
			cfg.Policy.QuorumText())
	}
	metrics := api.NewMetrics()
	metrics.Disk(func() (free, total uint64, err error) { return durable.Space(s.dir) })
	metrics.Backup(func() time.Time { return lastBackup(s.path(backupName)) })
	cfg.Logger, cfg.Metrics, cfg.QuorumWait, cfg.Now = logger, metrics, s.quorumWait, now
	var tlsConfig *tls.Config
	if s.tlsCert != "" {
		cert, err := guard.Read(s.tlsCert, s.tlsKey, time.Now, logger)
		if err != nil {
			return frame.AsUsage(err)
		}
		tlsConfig = cert.Config()
		tlsConfig.NextProtos = []string{"h2", "http/1.1"}
		metrics.Certificate(cert.NotAfter)
	}
	web, err := net.Listen("tcp", s.listen) // before anything that takes time
	if err != nil {
		return frame.AsUsage(err)
	}
	defer web.Close()
	ownGC := os.Getenv("GOGC") == ""
	if ownGC {
		debug.SetGCPercent(50) // what reading the log leaves behind is scattered among the state, and stays
	}
	var secret string
	if s.replica {
		url := s.url(web.Addr(), tlsConfig != nil)
		cfg.Replica = &logserver.Replica{URL: url}
		if secret, err = s.secret(); err != nil {
			return err
		}
		logger.Info("this server is one of several", "url", url)
	}
	l, err := logserver.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
		defer cancel()
		err = errors.Join(err, l.Close(wait))
	}()
	if ownGC {
		debug.SetGCPercent(gcPercent())
	}
	server, err := api.New(api.Config{
		Log: l, Policy: string(policy), Relay: relay, Secret: secret, Logger: logger, Metrics: metrics, Limits: s.limits,
	})
	if err != nil {
		return err
	}
	return s.serve(ctx, e, web, l, server, tlsConfig)
}

// gcPercent returns how much garbage there may be, in percent of what the log holds. Most of what
// a submission allocates is gone with it: to collect less often saves a tenth of the processor. But
// a log that holds much has no more than 256 MiB of garbage.
func gcPercent() int {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(max(10, min(400, 256<<20*100/m.HeapAlloc)))
}

// relaySigner reads the key of the relay; nil if there is none.
func (s *serving) relaySigner() (crypto.Signer, error) {
	if s.relay == "" {
		return nil, nil
	}
	data, err := os.ReadFile(s.relay)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	key, err := trial.ParseKeyFile(data)
	if err != nil {
		return nil, frame.Usagef("-relay %s: %w", s.relay, err)
	}
	return key.Signer, nil
}

// serve serves until ctx ends or the log stops for good.
func (s *serving) serve(ctx context.Context, e *frame.Env, web net.Listener, l *logserver.Log, server *api.Server,
	tlsConfig *tls.Config) (err error) {
	scheme := "http"
	srv := server.HTTPServer()
	if tlsConfig != nil {
		scheme, web = "https", tls.NewListener(web, tlsConfig)
	}
	ended := make(chan error, 2)
	go func() { ended <- srv.Serve(web) }()
	var rpc *grpc.Server
	if s.grpc != "" {
		ln, err := net.Listen("tcp", s.grpc)
		if err != nil {
			return errors.Join(frame.AsUsage(err), srv.Close())
		}
		var opts []grpc.ServerOption
		if tlsConfig != nil {
			opts = append(opts, grpc.Creds(credentials.NewTLS(tlsConfig)))
		}
		rpc = server.GRPC(opts...)
		go func() { ended <- rpc.Serve(ln) }()
		fmt.Fprintf(e.Stderr, "triallog: %s serves gRPC on %s\n", l.Origin(), ln.Addr())
	}
	fmt.Fprintf(e.Stderr, "triallog: %s listening on %s://%s\n", l.Origin(), scheme, web.Addr())
	stopped := make(chan error, 1)
	go func() { stopped <- waitStopped(ctx, l) }()
	select {
	case err = <-ended:
	case err = <-stopped:
	}
	// The log first: it answers or hands back every submitter, whose answers the
	// servers then still send.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait+5*time.Second)
	defer cancel()
	quorum, cancelQuorum := context.WithTimeout(wait, shutdownWait)
	defer cancelQuorum()
	err = errors.Join(err, l.Close(quorum))
	if rpc != nil {
		timer := time.AfterFunc(5*time.Second, rpc.Stop) // for callers that do not leave
		rpc.GracefulStop()
		timer.Stop()
	}
	if serr := srv.Shutdown(wait); serr != nil && !errors.Is(serr, context.DeadlineExceeded) {
		err = errors.Join(err, serr)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// waitStopped returns nil when ctx ends, or why the log has stopped for good.
func waitStopped(ctx context.Context, l *logserver.Log) error {
	for {
		size := l.Size()
		if _, err := l.Await(ctx, size); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
	}
}

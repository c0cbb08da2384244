package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/tile/fetch"
	"github.com/trialproof/trialproof/witness"
	"github.com/trialproof/trialproof/witness/bastion"
	"github.com/trialproof/trialproof/witness/guard"
	"github.com/trialproof/trialproof/witness/replay"
)

// shutdownTime is how long requests that are under way may take to end.
const shutdownTime = 10 * time.Second

// serveNotes are the paragraphs of serve -h.
const serveNotes = `A key made with -replay cosigns only trees that keep the log's rules, which it
finds out by replaying the entries: give the log's URL behind its vkey.

	trialwitness serve -key r1.key -dir r1 -listen :8090 -log "$(cat log.vkey)=https://log.example"

While a log's key is followed by another, name both: -log OLD -log NEW, or with
the URL behind either of them. What was cosigned before stays.

A machine behind a firewall is reached through a bastion (c2sp.org/https-bastion),
to which it connects by itself. Its operator has to allow the key hash in the URL
that is printed:

	trialwitness serve -key w1.key -dir w1 -bastion bastion.example:443 -log "$(cat log.vkey)"

Keep FILE and DIR together and for ever: a witness that forgets what it cosigned
could sign a rollback, so neither works without the other. After losing DIR, make
a new key. One witness runs on a folder at a time.`

func serve(ctx context.Context, e *frame.Env, args []string) error {
	f := e.Flags()
	keyFile := f.String("key", "", "key `FILE` made by keygen; the first use writes to it which folder it belongs to")
	dir := f.String("dir", "", "folder `DIR` of this key alone; made if missing")
	listen := f.String("listen", "127.0.0.1:8090", "`ADDR` to listen on; port 0 takes a free one; with -bastion, nothing listens "+
		"unless this is given")
	through := f.String("bastion", "", "`HOST:PORT` of a bastion to be reached through, for a machine that cannot be connected to")
	cert := f.String("tls-cert", "", "certificate chain `FILE` (PEM), to serve https")
	certKey := f.String("tls-key", "", "private key `FILE` (PEM) of -tls-cert")
	strict := f.Bool("strict", false, "refuse to serve with a key file that others than its owner can use, instead of a warning")
	var logs logFlags
	f.Var(&logs, "log", "a log's `VKEY[=URL]`; repeat it for several logs, or several keys of one log")
	if _, err := parse(e, f, args, 0); err != nil {
		return err
	}
	switch {
	case *keyFile == "":
		return frame.Usagef("serve needs -key: make one by `trialwitness keygen -name NAME -key FILE`")
	case *dir == "":
		return frame.Usagef("serve needs -dir: a folder for this key alone")
	case len(logs) == 0:
		return frame.Usagef("serve needs -log: the vkey of a log to witness")
	case (*cert == "") != (*certKey == ""):
		return frame.Usagef("-tls-cert and -tls-key go together")
	}
	listens := *through == "" // or -listen is given
	f.Visit(func(set *flag.Flag) { listens = listens || set.Name == "listen" })
	if *through != "" {
		if err := bastion.CheckAddr(*through); err != nil {
			return frame.Usagef("-bastion: %v", err)
		}
	}
	if !listens && *cert != "" {
		return frame.Usagef("-tls-cert needs something that listens, and with -bastion alone nothing does: add -listen, or leave " +
			"-tls-cert out")
	}
	key, err := witness.ReadKey(*keyFile)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(e.Stderr, nil))
	for _, name := range []string{*keyFile, *certKey} {
		if err := guard.Private(name, *strict, logger); err != nil {
			return err
		}
	}
	srv := newServer(logger)
	scheme := "http"
	var expires func() time.Time
	if *cert != "" {
		c, err := guard.Read(*cert, *certKey, time.Now, logger)
		if err != nil {
			return err
		}
		scheme, srv.TLSConfig, expires = "https", c.Config(), c.NotAfter
	}
	cfg := witness.Config{Dir: *dir, Key: key, Logs: logs, Logger: logger}
	if key.Replays() {
		r, err := replay.New(replay.Config{
			Logs: logs, Files: replay.Folder(*dir), Now: time.Now, Logger: logger,
			Tiles: func(url string) (tile.Source, error) {
				return fetch.New(url, fetch.Options{Wait: replay.Time, NoRedirects: true})
			},
		})
		if err != nil {
			return frame.AsUsage(err)
		}
		cfg.Replay = r.Replay
	}
	w, err := witness.Open(cfg)
	if err != nil {
		return err
	}
	w.CertificateExpires = expires
	srv.Handler = w.Handler()
	serving := func(how, url string) {
		fmt.Fprintf(e.Stderr, "trialwitness: %s %s %s\n", key.Name(), how, url)
		logger.Info("serving", "vkey", key.VKey(), "dir", *dir, "logs", len(logs))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	behind := make(chan error, 1)
	if *through == "" {
		behind <- nil
	} else {
		secret, err := key.BastionKey()
		if err != nil {
			return errors.Join(err, w.Close())
		}
		w.Bastion = &bastion.Backend{Addr: *through, Key: secret, Server: newServer(logger), Logger: logger}
		w.Bastion.Server.Handler = srv.Handler
		serving("behind a bastion as", w.Bastion.URL())
		go func() { behind <- w.Bastion.Run(ctx) }()
	}
	if listens {
		err = listenAndServe(ctx, srv, *listen, func(addr net.Addr) { serving("listening on", scheme+"://"+addr.String()) })
	} else {
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-behind, w.Close())
}

func newServer(logger *slog.Logger) *http.Server {
	return &http.Server{
		// A request is small and its answer takes a few disk writes: who needs
		// longer is broken or hostile. Idle connections are what a log keeps
		// open between checkpoints.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second, // well above replay.Time
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// listenAndServe serves until ctx ends, then lets requests that are under way
// end. It calls listening once connections are accepted.
func listenAndServe(ctx context.Context, srv *http.Server, addr string, listening func(net.Addr)) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w: choose another address by -listen", err)
	}
	served := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			served <- srv.ServeTLS(l, "", "")
			return
		}
		served <- srv.Serve(l)
	}()
	listening(l.Addr())
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return fmt.Errorf("shut down: %w", errors.Join(err, srv.Close()))
	}
	return nil
}

// logFlags collects -log VKEY[=URL].
type logFlags []witness.Log

func (l *logFlags) String() string {
	var keys []string
	for _, log := range *l {
		keys = append(keys, log.VKey)
	}
	return strings.Join(keys, ",")
}

func (l *logFlags) Set(s string) error {
	log, err := parseLog(strings.TrimRight(s, "\r\n")) // $(cat log.vkey) of a file with CRLF
	if err == nil {
		*l = append(*l, log)
	}
	return err
}

// parseLog splits VKEY[=URL]. A vkey is NAME+ID+BASE64, so it may hold and end
// in '=' itself; but neither its name nor its base64 can hold what starts a
// URL behind the second plus sign.
func parseLog(s string) (witness.Log, error) {
	fields := strings.SplitN(s, "+", 3)
	if len(fields) != 3 {
		return witness.Log{}, errors.New("want VKEY or VKEY=URL, where VKEY is NAME+ID+BASE64 as the log printed it")
	}
	for _, scheme := range []string{"=https://", "=http://"} {
		key, rest, found := strings.Cut(fields[2], scheme)
		if !found {
			continue
		}
		addr := scheme[1:] + rest
		u, err := url.Parse(addr)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return witness.Log{}, fmt.Errorf("%q is not the URL of a log: want for example https://log.example/tiles", addr)
		}
		return witness.Log{VKey: strings.Join([]string{fields[0], fields[1], key}, "+"), URL: addr}, nil
	}
	return witness.Log{VKey: s}, nil
}

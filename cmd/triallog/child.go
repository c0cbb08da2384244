package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/tile/fetch"
	"github.com/trialproof/trialproof/witness"
	"github.com/trialproof/trialproof/witness/replay"
)

// demoWitness is the environment variable by which the demo has its own binary
// run as a witness: "KEYFILE DIR VKEY LOGURL ADDRESS", one a line.
const demoWitness = "TRIALPROOF_DEMO_WITNESS"

// runWitness is what the demo's witnesses do: what trialwitness serve does with a replaying
// key, and no more. They end when their standard input does, so that none outlives the
// demo.
func runWitness() int {
	words := strings.SplitN(os.Getenv(demoWitness), "\n", 5)
	if len(words) != 5 {
		return 2
	}
	// The signals stay caught to the end: one may come when standard input has ended.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := serveWitness(ctx, words[0], words[1], witness.Log{VKey: words[2], URL: words[3]}, words[4]); err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		return 1
	}
	return 0
}

func serveWitness(ctx context.Context, keyFile, dir string, log witness.Log, listen string) (err error) {
	key, err := witness.ReadKey(keyFile)
	if err != nil {
		return err
	}
	logs, logger := []witness.Log{log}, slog.New(slog.DiscardHandler)
	r, err := replay.New(replay.Config{
		Logs: logs, Files: replay.Folder(dir), Now: time.Now, Logger: logger,
		Tiles: func(url string) (tile.Source, error) {
			return fetch.New(url, fetch.Options{Wait: replay.Time, NoRedirects: true})
		},
	})
	if err != nil {
		return err
	}
	w, err := witness.Open(witness.Config{Dir: dir, Key: key, Logs: logs, Replay: r.Replay})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: w.Handler(), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(os.Stderr, "witness %s listening on http://%s\n", key.Name(), l.Addr())
	go func() {
		<-ctx.Done()
		srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A child is a process of the demo's own binary that listens somewhere.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	url   string
	ended chan error
}

var listening = regexp.MustCompile(`listening on (https?://\S+)`)

// start runs the demo's binary and returns when it says where it listens.
func start(ctx context.Context, env []string, args ...string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	urls := make(chan string, 1)
	said := new(strings.Builder) // read after the process has ended
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case urls <- m[1]:
				default:
				}
			}
			if said.Len() < 64<<10 {
				said.WriteString(lines.Text() + "\n")
			}
		}
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, said)
		}
		c.ended <- err
	}()
	select {
	case c.url = <-urls:
		return c, nil
	case err := <-c.ended:
		return nil, fmt.Errorf("%s ended: %w", strings.Join(args, " "), err)
	case <-time.After(2 * time.Minute):
		err = errors.New("it does not listen after 2 minutes")
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, cmd.Process.Kill())
}

// stop ends the process as an operator would and waits for it.
func (c *child) stop() error {
	c.cmd.Process.Signal(syscall.SIGTERM)
	c.stdin.Close()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(2 * time.Minute):
		return errors.Join(errors.New("it does not end"), c.cmd.Process.Kill())
	}
}

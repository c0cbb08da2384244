package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A process is a server, which ends with the part that it was started for.
type process struct {
	name  string
	cmd   *exec.Cmd
	url   string // if it says where it listens
	log   string
	ended chan struct{}
}

// patience is how long anything may take to start.
const patience = 2 * time.Minute

// start starts a server; what it prints goes to a file in dir.
func (b *bench) start(name, dir string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(args[0], args[1:]...), log: filepath.Join(b.tmp, fmt.Sprintf("%s-%d.out", name,
		len(b.running))),
		ended: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	b.running = append(b.running, p)
	return p, nil
}

var listening = regexp.MustCompile(`listening on (https?://[^\s"]+)`)

// serve starts one of our servers and returns when it listens.
func (b *bench) serve(ctx context.Context, name, dir string, args ...string) (*process, error) {
	p, err := b.start(name, dir, args...)
	if err != nil {
		return nil, err
	}
	err = p.await(ctx, func() bool {
		if m := listening.FindStringSubmatch(p.words()); m != nil {
			p.url = m[1]
		}
		return p.url != ""
	})
	return p, err
}

func (p *process) words() string {
	data, _ := os.ReadFile(p.log)
	return string(data)
}

// await waits until a condition holds, or the process has ended.
func (p *process) await(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !holds() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.name, lastLines(p.words()))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, ctx.Err(), lastLines(p.words()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func lastLines(s string) string { return strings.TrimSpace(s[max(0, len(s)-2000):]) }

// answers waits until a URL is answered with 200.
func (p *process) answers(ctx context.Context, url string) error {
	return p.await(ctx, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// accepts waits until an address accepts connections.
func (p *process) accepts(ctx context.Context, addr string) error {
	return p.await(ctx, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// end ends a process in order, or by force if it does not end.
func (p *process) end() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// endAll ends what has been started since there were n processes, the last one first.
func (b *bench) endAll(n int) {
	for _, p := range slices.Backward(b.running[n:]) {
		p.end()
	}
	b.running = b.running[:n]
}

// run runs a command in dir and returns what it printed.
func (b *bench) run(ctx context.Context, dir string, args ...string) (string, error) {
	return b.runWith(ctx, dir, nil, args...)
}

func (b *bench) runWith(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var out, words bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &words
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args[:min(3, len(args))], " "), err, lastLines(out.String()+words.String()))
	}
	return out.String(), nil
}

func lastWord(s string) string {
	f := strings.Fields(s)
	if len(f) == 0 {
		return ""
	}
	return f[len(f)-1]
}

// freeAddress returns an address on this machine that nothing listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// treeSize returns the bytes of the files below a folder.
func treeSize(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

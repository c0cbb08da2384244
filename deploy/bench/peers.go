package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The peers, by exact versions. They are built outside this module.
const (
	rekorServer    = "github.com/sigstore/rekor/cmd/rekor-server@v1.4.3"
	trillianServer = "github.com/google/trillian/cmd/trillian_log_server@v1.8.0"
	trillianSigner = "github.com/google/trillian/cmd/trillian_log_signer@v1.8.0"
	tesseraServer  = "github.com/transparency-dev/tessera/cmd/conformance/posix@v1.0.4"
)

// sequencerInterval is how often Trillian's signer looks for new leaves. Its own default is
// 100ms; with this one Rekor's median is lower.
const sequencerInterval = "20ms"

// errUnbuilt says that a peer's program cannot be built here.
var errUnbuilt = errors.New("it cannot be built")

// build returns the programs of packages, and builds those that the folder of peers lacks.
func (b *bench) build(ctx context.Context, packages ...string) (programs []string, err error) {
	for _, p := range packages {
		name, _, _ := strings.Cut(path.Base(p), "@")
		program := filepath.Join(b.peers, name)
		if _, err := os.Stat(program); err != nil {
			b.tell("building %s: the first time takes minutes", p)
			if err := os.MkdirAll(b.peers, 0o755); err != nil {
				return nil, err
			}
			if _, err := b.runWith(ctx, b.tmp, []string{"GOBIN=" + b.peers, "GOFLAGS=-buildvcs=false"}, "go", "install", p); err != nil {
				return nil, fmt.Errorf("%w: %w", errUnbuilt, err)
			}
		}
		programs = append(programs, program)
	}
	return programs, nil
}

// tessera measures Tessera's conformance server on files. It takes any bytes, checks no
// signature, asks no witness, and answers with an index before the checkpoint is published.
func (b *bench) tessera(ctx context.Context, s System) (System, error) {
	n := len(b.running)
	defer b.endAll(n)
	programs, err := b.build(ctx, tesseraServer)
	if err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp(b.tmp, "tessera")
	if err != nil {
		return s, err
	}
	skey, _, err := note.GenerateKey(rand.Reader, "bench.example/tessera")
	if err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(skey), 0o600); err != nil {
		return s, err
	}
	addr, err := freeAddress()
	if err != nil {
		return s, err
	}
	p, err := b.start("tessera", dir, programs[0], "--storage_dir="+filepath.Join(dir, "log"), "--listen="+addr,
		"--private_key="+filepath.Join(dir, "key"))
	if err != nil {
		return s, err
	}
	if err := p.accepts(ctx, addr); err != nil {
		return s, err
	}
	newCaller := func() caller {
		c := newHTTPClient()
		return func(ctx context.Context) (int, error) {
			entry := make([]byte, 1300)
			rand.Read(entry)
			data, err := post(ctx, c, "http://"+addr+"/add", "application/octet-stream", entry)
			if err == nil {
				_, err = strconv.ParseUint(string(data), 10, 64)
			}
			return len(entry), err
		}
	}
	for _, c := range b.clients {
		r, err := metered([]*process{p}, func() (Rate, error) { return b.many(ctx, c, newCaller) })
		if err != nil {
			return s, fmt.Errorf("tessera: %w", err)
		}
		b.tell("%s, %d clients: %.0f/s, median %.1f ms, %d failed", s.Name, c, r.PerSecond, r.P50, r.Failed)
		s.Rates = append(s.Rates, r)
	}
	return s, nil
}

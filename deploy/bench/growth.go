package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Growth compares logs of different sizes, each made again from its files by triallog restore.
type Growth struct {
	Conditions
	Sizes []Size `json:"sizes"`
}

// A Size is what was measured of a log of some entries.
type Size struct {
	Entries   int     `json:"entries"`
	Restore   float64 `json:"restore_s"`
	Restart   float64 `json:"restart_s"` // from the start of the program until it takes statements
	Memory    int64   `json:"memory"`    // once it is ready
	MemoryTop int64   `json:"memory_top"`
	Bytes     int64   `json:"bytes"` // of the folder: database and tiles
	Rates     []Rate  `json:"rates"`
	// Replay is what a replaying witness took to read the log and cosign it.
	Replay       float64 `json:"replay_s,omitempty"`
	ReplayMemory int64   `json:"replay_memory,omitempty"`
}

func (b *bench) growth(ctx context.Context) error {
	g := &Growth{}
	err := measure(&g.Conditions, func() error {
		for _, n := range b.sizes {
			o, s, err := b.grown(ctx, n)
			if err != nil {
				return fmt.Errorf("%d entries: %w", n, err)
			}
			g.Sizes = append(g.Sizes, s)
			if err := b.replayed(ctx, o, &g.Sizes[len(g.Sizes)-1]); err != nil {
				return fmt.Errorf("%d entries: %w", n, err)
			}
			b.endAll(0)
			if err := os.RemoveAll(o.dir); err != nil {
				return err
			}
		}
		return nil
	})
	b.results.Growth = g
	return err
}

// grown measures a log of n entries on SQLite.
func (b *bench) grown(ctx context.Context, n int) (*ours, Size, error) {
	s := Size{Entries: n}
	big, err := b.bigLog(ctx, n)
	if err != nil {
		return nil, s, err
	}
	o := &ours{b: b, key: "signer.key"}
	if o.dir, err = os.MkdirTemp(b.tmp, "grown"); err != nil {
		return nil, s, err
	}
	if err := os.Mkdir(filepath.Join(o.dir, "log"), 0o700); err != nil {
		return nil, s, err
	}
	for _, name := range []string{"log.key", "log.vkey", "policy"} {
		data, err := os.ReadFile(filepath.Join(big, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(o.dir, "log", name), data, 0o600)
		}
		if err != nil {
			return nil, s, err
		}
	}
	vkey, err := os.ReadFile(filepath.Join(big, "log.vkey"))
	if err != nil {
		return nil, s, err
	}
	if err := o.signer(); err != nil {
		return nil, s, err
	}
	start := time.Now()
	if _, err := o.trial(ctx, "triallog", "restore", "-unwitnessed", "-from", "file://"+big, "-dir", "log"); err != nil {
		return nil, s, err
	}
	s.Restore = time.Since(start).Seconds()
	if err := o.startWitnesses(ctx, strings.TrimSpace(string(vkey)), "log"); err != nil {
		return nil, s, err
	}
	for i := range 2 { // the first start publishes what was restored
		start = time.Now()
		if err := o.startLogs(ctx, 1); err != nil {
			return nil, s, err
		}
		s.Restart = time.Since(start).Seconds()
		if i == 0 {
			o.logs[0].end()
			o.logs = nil
		}
	}
	pid := o.logs[0].cmd.Process.Pid
	s.Memory, s.Bytes = memoryOf(pid, false), treeSize(filepath.Join(o.dir, "log"))
	for _, c := range []int{1, 64} {
		r, err := o.load(ctx, c, b.length)
		if err != nil {
			return nil, s, err
		}
		s.Rates = append(s.Rates, r)
	}
	s.MemoryTop = memoryOf(pid, true)
	b.tell("%d entries: restored in %.1f s, restarted in %.2f s, %d MB, %d MB at most; median %.1f ms (1 client), %.1f ms (64)", n,
		s.Restore, s.Restart,
		s.Memory>>20, s.MemoryTop>>20, s.Rates[0].P50, s.Rates[1].P50)
	return o, s, nil
}

// signer writes the key file of a signer that biglog has enrolled.
func (o *ours) signer() error {
	seed := sha256.Sum256([]byte("biglog signer 0"))
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return err
	}
	text := "organisation: big-pharma\n" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return os.WriteFile(filepath.Join(o.dir, o.key), []byte(text), 0o600)
}

// replayed adds a replaying witness to the running log's policy, starts the log again, and waits
// until the witness has read everything and cosigned.
func (b *bench) replayed(ctx context.Context, o *ours, s *Size) error {
	text, err := os.ReadFile(filepath.Join(o.dir, "log", "log.vkey"))
	if err != nil {
		return err
	}
	vkey := strings.TrimSpace(string(text))
	out, err := o.trial(ctx, "trialwitness", "keygen", "-name", "r.example/replay", "-replay", "-key", "r.key")
	if err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	o.logs[0].end()
	w, err := b.serve(ctx, "witness", o.dir, filepath.Join(b.bin, "trialwitness"), "serve", "-key", "r.key", "-dir", "r", "-listen",
		"127.0.0.1:0",
		"-log", vkey+"=http://"+addr)
	if err != nil {
		return err
	}
	policy := fmt.Sprintf("log %s\nwitness r %s %s\nquorum r\n", vkey, lastWord(out), w.url)
	if err := os.WriteFile(filepath.Join(o.dir, "log", "policy"), []byte(policy), 0o644); err != nil {
		return err
	}
	l, err := b.serve(ctx, "log", o.dir, filepath.Join(b.bin, "triallog"), "serve", "-listen", addr, "-dir", "log")
	if err != nil {
		return err
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	for ctx.Err() == nil {
		if data, err := get(ctx, l.url+"/checkpoint"); err == nil && strings.Contains(data, "— r.example/replay ") {
			s.Replay, s.ReplayMemory = time.Since(start).Seconds(), memoryOf(w.cmd.Process.Pid, true)
			b.tell("a replaying witness read %d entries in %.1f s and had %d MB at most", s.Entries, s.Replay, s.ReplayMemory>>20)
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the replaying witness has not cosigned: %w: %s", ctx.Err(), lastLines(w.words()))
}

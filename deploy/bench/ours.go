package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Rate is what one number of clients got from one system.
type Rate struct {
	Clients    int     `json:"clients"`
	PerSecond  float64 `json:"per_second"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Failed     int     `json:"failed"`
	Refused    int     `json:"refused"`
	Receipts   int     `json:"receipts"` // answers that were as they should be
	ClientCPU  float64 `json:"client_cpu_s"`
	EntryBytes int     `json:"entry_bytes"`
	FirstError string  `json:"first_error,omitempty"`
	Seconds    float64 `json:"seconds"`

	// CPU is the processor time in milliseconds that one answer cost, by program.
	CPU map[string]float64 `json:"cpu_ms,omitempty"`
	// Busy is the share of all cores that these and the clients used.
	Busy float64 `json:"busy,omitempty"`
}

// A System is what was measured of one system.
type System struct {
	Name  string `json:"name"`
	What  string `json:"what"` // what one answer means
	Rates []Rate `json:"rates"`
	Bytes int64  `json:"bytes_each,omitempty"` // on disk, for one answer, by everything
}

// ours is a log with three witnesses, of which two must cosign.
type ours struct {
	b         *bench
	dir       string
	logs      []*process
	witnesses []*process
	database  *database // or nil
	key       string
}

// newLog makes a log with its organisation, on MariaDB if db is not nil, and starts its servers.
func (b *bench) newLog(ctx context.Context, db *database, servers int, flags ...string) (*ours, error) {
	o := &ours{b: b, database: db, key: "ada.key"}
	var err error
	if o.dir, err = os.MkdirTemp(b.tmp, "log"); err != nil {
		return nil, err
	}
	if _, err := o.trial(ctx, "trial", "keygen", "-name", "Rita Registrar", "-org", "registrar", "-out", "registrar"); err != nil {
		return nil, err
	}
	if _, err := o.trial(ctx, "trial", "keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", "ada"); err != nil {
		return nil, err
	}
	out, err := o.trial(ctx, append([]string{"triallog", "init", "-dir", "log", "-origin", "bench.example/trials", "-registrar",
		"registrar.pub"},
		o.mysql()...)...)
	if err != nil {
		return nil, err
	}
	if err := o.startWitnesses(ctx, lastWord(out), "log"); err != nil {
		return nil, err
	}
	if err := o.startLogs(ctx, servers, flags...); err != nil {
		return nil, err
	}
	_, err = o.trial(ctx, "trial", "org", "-log", o.logs[0].url, "-policy", "policy", "-key", "registrar.key", "-id", "acme", "-name",
		"Acme", "ada.pub")
	return o, err
}

// trial runs one of our commands in the log's folder.
func (o *ours) trial(ctx context.Context, args ...string) (string, error) {
	return o.b.run(ctx, o.dir, append([]string{filepath.Join(o.b.bin, args[0])}, args[1:]...)...)
}

func (o *ours) mysql() []string {
	if o.database == nil {
		return nil
	}
	return []string{"-mysql=" + o.database.dsn("trialproof")}
}

// startWitnesses starts three witnesses and writes the policy that asks two of them.
func (o *ours) startWitnesses(ctx context.Context, vkey, log string) error {
	policy := "log " + vkey + "\n"
	for _, name := range []string{"w1", "w2", "w3"} {
		out, err := o.trial(ctx, "trialwitness", "keygen", "-name", name+".example", "-key", name+".key")
		if err != nil {
			return err
		}
		w, err := o.b.serve(ctx, "witness", o.dir, filepath.Join(o.b.bin, "trialwitness"), "serve", "-key", name+".key", "-dir", name,
			"-listen", "127.0.0.1:0", "-log", vkey)
		if err != nil {
			return err
		}
		o.witnesses = append(o.witnesses, w)
		policy += "witness " + name + " " + lastWord(out) + " " + w.url + "\n"
	}
	policy += "group g 2 w1 w2 w3\nquorum g\n"
	return errors.Join(os.WriteFile(filepath.Join(o.dir, "policy"), []byte(policy), 0o644),
		os.WriteFile(filepath.Join(o.dir, log, "policy"), []byte(policy), 0o644))
}

// startLogs starts the servers: one on the folder log, or replicas on folders of their own.
func (o *ours) startLogs(ctx context.Context, n int, flags ...string) error {
	for i := range n {
		dir := "log"
		args := []string{filepath.Join(o.b.bin, "triallog"), "serve", "-listen", "127.0.0.1:0"}
		if n > 1 {
			addr, err := freeAddress() // the others are told it
			if err != nil {
				return err
			}
			args[len(args)-1] = addr
			dir = fmt.Sprint("log", i+1)
			if err := o.copyLog(dir); err != nil {
				return err
			}
			args = append(args, "-replica")
		}
		p, err := o.b.serve(ctx, "log", o.dir, slices.Concat(args, []string{"-dir", dir}, o.mysql(), flags)...)
		if err != nil {
			return err
		}
		o.logs = append(o.logs, p)
	}
	for _, p := range o.logs {
		if err := p.answers(ctx, p.url+"/readyz"); err != nil {
			return err
		}
	}
	return nil
}

func (o *ours) copyLog(dir string) error {
	if err := os.MkdirAll(filepath.Join(o.dir, dir), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"log.key", "log.vkey", "policy"} {
		data, err := os.ReadFile(filepath.Join(o.dir, "log", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(o.dir, dir, name), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// programs are the processes whose processor time is told apart.
func (o *ours) programs() []*process {
	list := slices.Concat(o.logs, o.witnesses)
	if o.database != nil {
		list = append(list, o.database.process)
	}
	return list
}

// load has clients submit for a time.
func (o *ours) load(ctx context.Context, clients int, length time.Duration) (Rate, error) {
	return metered(o.programs(), func() (r Rate, err error) {
		out, err := o.trial(ctx, "load", "-log", o.logs[0].url, "-key", o.key, "-c", fmt.Sprint(clients), "-d", length.String(), "-json")
		if err == nil {
			err = json.Unmarshal([]byte(out), &r)
		}
		return r, err
	})
}

// metered adds to a rate what the programs used meanwhile.
func metered(programs []*process, f func() (Rate, error)) (Rate, error) {
	before := make([]time.Duration, len(programs))
	for i, p := range programs {
		before[i] = cpuOf(p.cmd.Process.Pid)
	}
	r, err := f()
	if err != nil || r.Receipts == 0 {
		return r, err
	}
	r.CPU = map[string]float64{"clients": 1000 * r.ClientCPU / float64(r.Receipts)}
	all := r.ClientCPU
	for i, p := range programs {
		used := (cpuOf(p.cmd.Process.Pid) - before[i]).Seconds()
		all += used
		r.CPU[p.name] += 1000 * used / float64(r.Receipts)
	}
	r.Busy = all / r.Seconds / float64(cores())
	return r, nil
}

// submissions measures a log at each number of clients. Nothing of what was submitted may be
// missing afterwards: fsck says so.
func (b *bench) submissions(ctx context.Context, s System, db *database, servers int) (System, error) {
	n := len(b.running)
	defer b.endAll(n)
	o, err := b.newLog(ctx, db, servers)
	if err != nil {
		return s, err
	}
	before, answers := o.bytes(), 0
	for _, c := range b.clients {
		r, err := o.load(ctx, c, b.length)
		if err != nil {
			return s, fmt.Errorf("%s, %d clients: %w", s.Name, c, err)
		}
		b.tell("%s, %d clients: %.0f/s, median %.1f ms, 99th percentile %.1f ms, %d failed; %v ms of processor time", s.Name, c, r.PerSecond,
			r.P50,
			r.P99, r.Failed, rounded(r.CPU))
		s.Rates = append(s.Rates, r)
		answers += r.Receipts
	}
	b.endAll(n)
	if answers > 0 {
		s.Bytes = (o.bytes() - before) / int64(answers)
	}
	_, err = o.trial(ctx, append([]string{"triallog", "fsck", "-dir", "log"}, o.mysql()...)...)
	return s, err
}

// bytes returns what the log and its database have on disk.
func (o *ours) bytes() int64 {
	n := treeSize(filepath.Join(o.dir, "log"))
	if o.database != nil {
		n += treeSize(filepath.Join(o.database.dir, "data"))
	}
	return n
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/trialproof/trialproof/trial/audit"
)

func auditLog(ctx context.Context, e *env, args []string) error {
	var r remote
	var stateFile string
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&stateFile, "state", "", "`file` to resume from and to leave the state in")
		fs.BoolVar(&asJSON, "json", false, "print findings and the result as JSON, one a line")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("no arguments but flags are taken")
	}
	a := audit.New(r.policy, r.client)
	if stateFile != "" {
		data, err := os.ReadFile(stateFile)
		if err == nil {
			if a, err = audit.Resume(r.policy, r.client, data); err != nil {
				return fmt.Errorf("%s: %w (remove it to begin with the first entry)", stateFile, err)
			}
		} else if !errors.Is(err, os.ErrNotExist) {
			return usageError{err}
		}
	}
	p := e.progress("replaying")
	a.Progress = func(done, total uint64) { p.show("%d of %d entries", done, total) }
	report, err := a.Run(ctx)
	p.end()
	if err != nil {
		return err
	}
	for _, f := range report.Findings {
		if asJSON {
			json.NewEncoder(e.stdout).Encode(f)
		} else {
			fmt.Fprintln(e.stdout, f)
		}
	}
	if report.Incomplete != nil {
		fmt.Fprintf(e.stderr, "trial audit: the replay ended early, there may be more: %v\n", report.Incomplete)
	}
	if n := len(report.Findings); n > 0 {
		return fmt.Errorf("%w: %d findings up to size %d", errInvalid, n, report.Checkpoint.Size)
	}
	cp := report.Checkpoint
	if asJSON {
		json.NewEncoder(e.stdout).Encode(map[string]any{
			"ok": true, "origin": cp.Origin, "size": cp.Size, "root": fmt.Sprintf("%x", cp.Root), "from": report.From, "mapRoot": a.State().MapRoot(),
		})
	} else {
		fmt.Fprintf(e.stdout, "clean: %s keeps its rules from entry %d up to size %d; root %x\n", cp.Origin, report.From, cp.Size, cp.Root)
		if t, ok := cp.ProvenTime(); ok {
			fmt.Fprintf(e.stdout, "witnesses saw this tree by %s; what was logged since is not known\n", t.Format(time.RFC3339))
		}
		e.printPolicy(r.policy)
		if r.policy.Unwitnessed() {
			fmt.Fprintln(e.stdout, "no witness: that others are shown the same tree is the operator's word alone")
		}
	}
	if stateFile == "" {
		return nil
	}
	data, err := a.Save()
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(stateFile), "."+filepath.Base(stateFile)+".tmp")
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, stateFile)
}

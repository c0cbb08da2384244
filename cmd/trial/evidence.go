package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
)

// maxEvidence bounds a file of evidence: a witness's may have many lines.
const maxEvidence = 2 * evidence.MaxSize

func checkEvidence(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	var policyFile string
	fs.StringVar(&policyFile, "policy", "", "policy `file`, of which the log's key alone counts; default: what "+policyVariable+" names")
	asJSON := fs.Bool("json", false, "print what is proven as JSON, one a line")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one file of evidence must be given")
	}
	policy, err := e.trustedPolicy(&policyFile)
	if err != nil {
		return err
	}
	st, err := regular(rest[0])
	if err != nil {
		return err
	}
	if st.Size() > maxEvidence {
		return frame.Usagef("%s has %d bytes, far more than evidence can have", rest[0], st.Size())
	}
	data, err := os.ReadFile(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	var failed error
	n := 0
	for line := range bytes.Lines(data) {
		n++
		v, err := evidenceLine(line, policy)
		if err != nil {
			if failed = err; len(data) > len(line) {
				failed = fmt.Errorf("line %d: %w", n, err)
			}
			continue
		}
		if *asJSON {
			if err := json.NewEncoder(e.Stdout).Encode(v); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.Stdout, "proven: %s\n", frame.Printable(v.Text))
		for _, w := range v.Witnesses {
			fmt.Fprintf(e.Stdout, "also proven: the witness %s, which says that it replays the rules, cosigned that tree\n",
				frame.Printable(w))
		}
		if v.Kind == evidence.Rule {
			fmt.Fprintln(e.Stdout, "it rests on the log's signature, and on what the log itself stated of its records just before")
		} else {
			fmt.Fprintln(e.Stdout, "it rests on the log's two signatures alone")
		}
	}
	if n == 0 {
		return fmt.Errorf("%w: %s is empty", errInvalid, rest[0])
	}
	return failed
}

func evidenceLine(line []byte, policy *checkpoint.Policy) (*evidence.Verdict, error) {
	x, err := evidence.Parse(line)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	v, err := x.Verify(policy)
	if _, newer := errors.AsType[*trial.NewerRules](err); err != nil && !newer {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return v, err
}

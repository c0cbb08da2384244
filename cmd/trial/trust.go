package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// What the flags -policy and -key default to before the user's configuration. A policy is
// never read from a file beside the evidence or from the working folder: whoever hands over
// the evidence could put another trust root there.
const (
	policyVariable = "TRIALPROOF_POLICY"
	keyVariable    = "TRIALPROOF_KEY"
)

// Where the name of a policy or of a key came from.
const (
	fromEnvironment   = "named by "
	fromConfiguration = "set in your configuration (trial config)"
)

// chosen returns the file that a flag names or else the one that it defaults to, and how it
// came to be chosen: typed, named by the variable, or set in the user's configuration.
func chosen(typed, flag, variable string, c *configuration) (file, from string) {
	if typed != "" {
		return typed, "given with -" + flag
	}
	if file = os.Getenv(variable); file != "" {
		return file, fromEnvironment + variable
	}
	return c.paths[flag], fromConfiguration
}

// defaulted puts the file that a flag names or defaults to where the flag has its value,
// and returns how it came to be chosen.
func defaulted(file *string, flag, variable string) (from string, err error) {
	c := new(configuration)
	if *file == "" && os.Getenv(variable) == "" {
		if c, err = configured(); err != nil {
			return "", err
		}
	}
	if *file, from = chosen(*file, flag, variable, c); *file == "" {
		return "", frame.Usagef("-%s must be given, or the environment variable %s must name the file, or trial config set %s PATH "+
			"must have set it",
			flag, variable, flag)
	}
	return from, nil
}

// policyFlag defines the flag -policy.
func policyFlag(fs *flag.FlagSet, file *string) {
	fs.StringVar(file, "policy", "",
		"policy `file`: the log's key, the witnesses' keys, how many must agree; default: what "+policyVariable+
			" names, or trial config set policy has set")
}

// trustedPolicy reads the policy file that the flag names or defaults to, and puts the name
// where the flag has its value. It says which policy that is and where it came from: every
// verdict rests on it.
func (e *env) trustedPolicy(file *string) (*checkpoint.Policy, error) {
	from, err := defaulted(file, "policy", policyVariable)
	if err != nil {
		return nil, err
	}
	e.policyFrom = from
	p, err := readPolicy(*file)
	if err != nil {
		return nil, err
	}
	path := *file
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	fmt.Fprintf(e.Stderr, "policy %s, %s, SHA-256 %s\n", frame.Printable(path), from, p.Digest())
	return p, nil
}

// logURL returns the URL that the policy's log lines have, which is what -log defaults to.
func logURL(p *checkpoint.Policy) (string, error) {
	var urls []string
	for _, l := range p.Logs {
		if l.URL != "" && !slices.Contains(urls, l.URL) {
			urls = append(urls, l.URL)
		}
	}
	switch len(urls) {
	case 1:
		return urls[0], nil
	case 0:
		return "", frame.Usagef("-log must be given: the policy's log line has no URL behind the key")
	}
	return "", frame.Usagef("-log must be given: the policy's log lines have %d different URLs", len(urls))
}

// A trust is whom a verifier believes: the policy given and, by the log's own
// history under that policy, the policies that it replaced, each for its own period.
type trust struct {
	policy  *checkpoint.Policy
	now     *receipt.Verifier
	before  []history.PastPolicy // the newest first
	history *history.Verdict     // that announces them; nil if none was given
}

// readTrust reads a policy file and, if it is given, the history of the log that
// trial history -json log prints.
func readTrust(e *env, policyFile, historyFile string) (*trust, error) {
	policy, err := e.trustedPolicy(&policyFile)
	if err != nil {
		return nil, err
	}
	t := &trust{policy: policy, now: receipt.NewVerifier(policy)}
	if historyFile == "" {
		return t, nil
	}
	data, err := readHistory(historyFile)
	if err != nil {
		return nil, err
	}
	v, err := checkHistory(policy, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", historyFile, err)
	}
	if v.Key.Kind != "log" {
		return nil, frame.Usagef("%s is the history of a %s: trial history -json log makes the one that is meant", historyFile, v.Key.Kind)
	}
	t.history = v.Verdict
	if t.before, err = v.PastPolicies(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errInvalid, historyFile, err)
	}
	return t, nil
}

// verify verifies a receipt under the policy given or, where that names other keys
// or witnesses than those of its time, under an earlier one. It says which.
func (t *trust) verify(data []byte, docs ...receipt.Document) (*receipt.Verdict, string, error) {
	v, err := t.now.Verify(data, docs...)
	p, ok := errors.AsType[*receipt.Problem](err)
	if !ok || p.Part != "checkpoint" && p.Part != "quorum" {
		return v, "", err
	}
	if t.history == nil && p.Part == "checkpoint" && !strings.Contains(p.Detail, "key") {
		return nil, "", p // malformed under any policy
	}
	if t.history == nil {
		p.Detail += "; if the receipt is of a time when the log had another policy, give the log's own history with -policies (trial " +
			"history -json log writes it)"
		return nil, "", p
	}
	for i := range t.before {
		past := &t.before[i]
		v, perr := past.Verify(data, docs...)
		if perr == nil {
			return v, fmt.Sprintf("under an earlier policy, SHA-256 %s, which entry %d of the log's own history announced, for its own "+
				"period; that history holds under the policy given and is %s",
				v.Policy.Digest(), past.Announced, completeText(t.history.Replayed)), nil
		}
		if errors.Is(perr, history.ErrPeriod) {
			p.Detail += fmt.Sprintf("; %v", perr)
		}
	}
	return nil, "", p
}

// completeText says who vouches that a history is complete.
func completeText(replayed bool) string {
	if replayed {
		return "complete as replaying witnesses checked"
	}
	return "complete as stated by the operator"
}

// readHistory reads a history file of any size.
func readHistory(name string) ([]byte, error) {
	if _, err := regular(name); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	return data, nil
}

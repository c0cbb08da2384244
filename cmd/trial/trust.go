package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/checkpoint"
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
		return "", frame.Usagef("-%s must be given, or the environment variable %s must name the file, or trial config set %s PATH must have set it",
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

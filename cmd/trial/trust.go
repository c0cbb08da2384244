package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// What the flags -policy and -key default to. A policy is never read from a file beside
// the evidence or from the working folder: whoever hands over the evidence could put
// another trust root there.
const (
	policyVariable = "TRIALPROOF_POLICY"
	keyVariable    = "TRIALPROOF_KEY"
)

// policyFlag defines the flag -policy.
func policyFlag(fs *flag.FlagSet, file *string) {
	fs.StringVar(file, "policy", "",
		"policy `file`: the log's key, the witnesses' keys, how many must agree; default: what "+policyVariable+" names")
}

// trustedPolicy reads the policy file that the flag names or, without the flag, the one
// that the environment names: it then says which policy that is, and puts the name where
// the flag has its value.
func (e *env) trustedPolicy(file *string) (*checkpoint.Policy, error) {
	given := *file != ""
	if !given {
		*file = os.Getenv(policyVariable)
	}
	if *file == "" {
		return nil, frame.Usagef("-policy must be given, or the environment variable %s must name the policy file", policyVariable)
	}
	p, err := readPolicy(*file)
	if err == nil && !given {
		fmt.Fprintf(e.Stderr, "policy %s, named by %s, SHA-256 %s\n", frame.Printable(*file), policyVariable, p.Digest())
	}
	return p, err
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

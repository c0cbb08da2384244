package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// policyCommand shows a policy in words, compares two, or announces one.
func policyCommand(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "publish":
			return publishPolicy(ctx, e, args[1:])
		case "show", "diff":
			verb, args := args[0], args[1:]
			fs := e.Flags()
			rest, err := e.Parse(fs, args)
			if err != nil {
				return err
			}
			var policies []*checkpoint.Policy
			for _, name := range rest {
				p, err := readPolicy(name)
				if err != nil {
					return err
				}
				policies = append(policies, p)
			}
			if verb == "show" && len(policies) == 1 {
				for _, line := range policyWords(policies[0]) {
					fmt.Fprintln(e.Stdout, line)
				}
				return nil
			}
			if verb == "diff" && len(policies) == 2 {
				return diffPolicies(e.Stdout, rest, policies)
			}
			return frame.Usagef("trial policy show takes one policy file, trial policy diff two")
		}
	}
	fs := e.Flags()
	if _, err := e.Parse(fs, args); err != nil {
		return err
	}
	return frame.Usagef("show, diff or publish must be given")
}

// policyWords says a policy, one fact a line.
func policyWords(p *checkpoint.Policy) []string {
	lines := []string{fmt.Sprintf("policy SHA-256 %s", p.Digest())}
	for _, l := range p.Logs {
		lines = append(lines, fmt.Sprintf("log %s, key %08x%s", frame.Printable(l.Name()), l.KeyHash(), at(l.URL)))
	}
	replaying := 0
	for _, w := range p.Witnesses {
		does := "sees that the log only grows"
		if w.Replays() {
			replaying++
			does = "replays the rules"
		}
		lines = append(lines, fmt.Sprintf("witness %s: %s, key %08x, %s%s", frame.Printable(w.Label), frame.Printable(w.Name()),
			w.KeyHash(), does, at(w.URL)))
	}
	lines = append(lines, "quorum "+frame.Printable(p.QuorumText()))
	switch {
	case p.Unwitnessed():
		lines = append(lines, "no witness is asked for: everything is the operator's word alone")
	case p.Satisfied(func(w int) bool { return p.Witnesses[w].Replays() }):
		lines = append(lines, "the replaying witnesses can satisfy it by themselves: what they cosign keeps the rules, and histories "+
			"are proven complete")
	default:
		lines = append(lines, fmt.Sprintf("the replaying witnesses (%d) cannot satisfy it by themselves: that the rules are kept is "+
			"the operator's word, or shown by trial audit", replaying))
	}
	if p.Split() {
		lines = append(lines, "two sets of witnesses without a member in common satisfy it: each could be shown another log")
	}
	return lines
}

func at(url string) string {
	if url == "" {
		return ""
	}
	return " at " + frame.Printable(url)
}

// diffPolicies shows what one policy says and the other does not. They are told
// apart by what they mean, not by their bytes.
func diffPolicies(w io.Writer, names []string, policies []*checkpoint.Policy) error {
	a, b := policyWords(policies[0]), policyWords(policies[1])
	var lines []string
	for _, x := range []struct {
		sign      string
		have, not []string
	}{{"-", a[1:], b[1:]}, {"+", b[1:], a[1:]}} {
		for _, line := range x.have {
			if !slices.Contains(x.not, line) {
				lines = append(lines, x.sign+" "+line)
			}
		}
	}
	if len(lines) == 0 {
		fmt.Fprintln(w, "they say the same")
		if a[0] != b[0] {
			fmt.Fprintf(w, "their bytes differ: %s is %s, %s is %s\n", names[0], a[0], names[1], b[0])
		}
		return nil
	}
	fmt.Fprintf(w, "- %s: %s\n+ %s: %s\n", names[0], a[0], names[1], b[0])
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return negative{fmt.Errorf("%s and %s differ: the lines with - are of the first alone, those with + of the second alone",
		names[0], names[1])}
}

// publishPolicy announces a policy, cosigned under the one before.
func publishPolicy(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	rest, err := r.begin(e, args, true, how.flags)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("the new policy file must be given")
	}
	text, err := readSmall(rest[0])
	if err != nil {
		return err
	}
	next, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return frame.Usagef("%s: %w", rest[0], err)
	}
	if next.Log(r.log.Name()) == nil {
		return frame.Usagef("%s names no key of the log %s", rest[0], r.log.Name())
	}
	v, err := r.history(ctx, trial.RecordKey{Kind: "log", ID: r.log.Name()}, 0)
	if err != nil {
		return err
	}
	var o trial.Openings
	p := &trial.Policy{Common: r.common("responsibility", &o), Policy: base64.StdEncoding.EncodeToString(text)}
	if rec, ok := v.Record.(*trial.LogRecord); ok && len(rec.Policies) > 0 {
		p.Previous = rec.Policies[len(rec.Policies)-1].Digest
	}
	digest := sha256.Sum256(text)
	st := &trial.Statement{Subjects: trial.NamedSubject("policy", digest), Predicate: p}
	id, err := r.send(ctx, e, how, st, &o, []file{{name: rest[0], digest: digest}})
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

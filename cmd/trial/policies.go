package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A trust is whom a verifier believes: the policy given and, by the log's own
// history under that policy, the policies that it replaced, each for its own period.
type trust struct {
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
	t := &trust{now: receipt.NewVerifier(policy)}
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
		p.Detail += "; if the receipt is of a time when the log had another policy, give the log's own history with -policies (trial history -json log writes it)"
		return nil, "", p
	}
	for i := range t.before {
		past := &t.before[i]
		v, perr := past.Verify(data, docs...)
		if perr == nil {
			return v, fmt.Sprintf("under an earlier policy, SHA-256 %s, which entry %d of the log's own history announced, for its own period; that history holds under the policy given and is %s",
				v.Policy.Digest(), past.Announced, completeText(t.history.Replayed)), nil
		}
		if errors.Is(perr, history.ErrPeriod) {
			p.Detail += fmt.Sprintf("; %v", perr)
		}
	}
	return nil, "", p
}

// completeText says who vouches that a history leaves nothing out.
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

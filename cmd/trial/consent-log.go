package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

// consentLog shows what was agreed with a consent, and every access under it.
func consentLog(ctx context.Context, e *env, args []string) error {
	var r remote
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.BoolVar(&asJSON, "json", false, "print one JSON object for each consent")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one slip (slip.html, or the address that its square code has) or one handle must be given")
	}
	if err := r.eachAccount(ctx, rest[0], func(a *consent.Account) error { return e.printAccount(a, asJSON) }); err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintln(e.Stdout, "It is proven that no access in the log is left out. An access that nobody logged is not here.")
	}
	return nil
}

// printAccount shows an account.
func (e *env) printAccount(a *consent.Account, asJSON bool) error {
	if asJSON {
		data, err := json.Marshal(a)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Stdout, "%s\n", data)
		return nil
	}
	for _, line := range accountLines(a) {
		fmt.Fprintln(e.Stdout, frame.Printable(line))
	}
	return nil
}

// accountLines says an account in plain words.
func accountLines(a *consent.Account) []string {
	until := "as long as its terms say (the log has no end)"
	if a.Until != "" {
		until = "at most until the end of " + a.Until
	}
	lines := []string{fmt.Sprintf("Consent %s", a.Handle),
		fmt.Sprintf("  given at %s on %s: %s may receive the data, %s; %s may hand it out", a.Org, a.Granted.Time, a.To, until,
			strings.Join(a.Agents, " and "))}
	if len(a.Accesses) == 0 {
		lines = append(lines, "  nobody has had access")
	}
	for _, x := range a.Accesses {
		to := x.To
		if to == "" {
			to = "recipient " + x.Recipient.String()
		}
		line := fmt.Sprintf("  %s: %s handed the data out to %s", x.Time, x.Org, to)
		if len(x.Use) > 0 {
			line += ", for " + strings.Join(x.Use, ", ")
		}
		if x.Emergency != "" {
			line += ", in an EMERGENCY (" + x.Emergency + ")"
		}
		lines = append(lines, line+fmt.Sprintf(" (entry %d)", x.Index))
	}
	if a.Ended != nil {
		lines = append(lines, fmt.Sprintf("  ended on %s (entry %d): nothing can be handed out under it since", a.Ended.Time, a.Ended.Index))
	}
	if a.Erase {
		lines = append(lines, "  it was asked that the data be erased")
	}
	for _, x := range a.Erased {
		lines = append(lines, fmt.Sprintf("  %s: %s says that it has erased the %s", x.Time, x.Org, strings.Join(x.What, ", ")))
	}
	return lines
}

// handles returns the handles of a slip, or the one that was typed.
func (r *remote) handles(ctx context.Context, typed string) ([]trial.Hash, error) {
	if id, err := r.id(ctx, typed); err != nil || !id.IsZero() {
		return []trial.Hash{id}, err
	}
	slip, err := readSlip(typed)
	if err != nil {
		return nil, err
	}
	return slip.Consents, nil
}

// readSlip reads a slip: its file, or the address that its square code has.
func readSlip(typed string) (*consent.Slip, error) {
	if !strings.Contains(typed, "#") || exists(typed) {
		data, err := readSmall(typed)
		if err != nil {
			return nil, err
		}
		typed = string(data)
	}
	slip, err := consent.ParseSlip(typed)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	return slip, nil
}

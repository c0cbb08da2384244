package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

// identityVariable names the identity file that opens a site's index.
const identityVariable = "TRIALPROOF_IDENTITY"

// accounting joins what the site's index knows of a person: who had access under consents, and
// what was disclosed without consent (45 CFR 164.528).
func accounting(ctx context.Context, e *env, args []string) error {
	var r remote
	var x index
	var identity string
	var asJSON, all bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		x.flags(fs)
		fs.StringVar(&identity, "identity", os.Getenv(identityVariable), "identity `file` that opens the index; default: what "+
			""+identityVariable+" names")
		fs.BoolVar(&asJSON, "json", false, "print one JSON object for each consent and disclosure")
		fs.BoolVar(&all, "all", false, "show disclosures too whose account the law suspends: not for the person")
	})
	if err != nil {
		return err
	}
	if x.dir == "" || identity == "" || len(rest) != 1 {
		return frame.Usagef("-index, -identity and one person, as the index names them, must be given")
	}
	ids, err := readIdentities(identity)
	if err != nil {
		return err
	}
	entries, damaged, err := x.of(rest[0], ids)
	if err != nil {
		return err
	}
	for _, err := range damaged {
		e.note(err.Error())
	}
	proven, missing := true, 0
	for _, entry := range entries {
		if entry.Log != r.log.Name() {
			return frame.Usagef("an entry of the index is of the log %s: give its policy", entry.Log)
		}
		if entry.Disclosure != nil {
			if err := r.disclosed(ctx, e, entry, asJSON, all); err != nil {
				return err
			}
			continue
		}
		a, replayed, err := r.account(ctx, entry.ID)
		if isInvalid(err) {
			missing++
			e.note(fmt.Sprintf("consent %s: %v", entry.ID, err))
			continue
		}
		if err != nil {
			return err
		}
		proven = proven && replayed
		if err := e.printAccount(a, asJSON); err != nil {
			return err
		}
	}
	switch {
	case len(damaged) > 0:
		return fmt.Errorf("%s of the index cannot be read: whether one is of %s nobody can tell. Put the backup of the index in its place",
			trial.Count(len(damaged), "file", "files"), rest[0])
	case len(entries) == 0:
		return negative{fmt.Errorf("the index has nothing of %s", rest[0])}
	case missing > 0:
		return fmt.Errorf("of %s the log shows nothing: they wait in a batch, or giving them was cut off and their slips end nothing until it "+
			"is finished. A receipt of one would prove that the log hides it", trial.Count(missing, "consent of the index", "consents of the index"))
	case !proven:
		return errStated
	}
	if !asJSON {
		fmt.Fprintln(e.Stdout, "It is proven that no access under these consents that is in the log is left out. What nobody logged, and what "+
			"is not in this index, is not here.")
	}
	return nil
}

// A told is a disclosure as JSON.
type told struct {
	ID    trial.Hash          `json:"id"`
	Index uint64              `json:"index"`
	Time  trial.Time          `json:"time"`
	Org   string              `json:"org"`
	Basis string              `json:"basis"`
	Until string              `json:"until,omitempty"`
	Terms *consent.Disclosure `json:"terms"`
}

// disclosed shows a disclosure of the index, as its receipt shows it.
func (r *remote) disclosed(ctx context.Context, e *env, entry *consent.Entry, asJSON, all bool) error {
	l, err := r.logged(ctx, entry.ID.String())
	if err != nil {
		return fmt.Errorf("disclosure %s: %w", entry.ID, err)
	}
	p, ok := l.statement.Predicate.(*trial.Access)
	if !ok || p.Action != "disclose" {
		return fmt.Errorf("%w: %s is no disclosure", errInvalid, entry.ID)
	}
	if p.Until != "" && !all && trial.TimeOf(time.Now()) <= trial.EndOf(p.Until) {
		fmt.Fprintf(e.Stderr, "trial %s: a disclosure is left out, whose account the law suspends until %s (-all shows it)\n", e.Command(),
			p.Until)
		return nil
	}
	t := told{entry.ID, l.index, l.time, p.Org, p.Basis, p.Until, entry.Disclosure}
	if asJSON {
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Stdout, "%s\n", data)
		return nil
	}
	d := t.Terms
	for _, line := range []string{
		fmt.Sprintf("Disclosure without consent (%s)", t.Basis),
		fmt.Sprintf("  logged on %s by %s (entry %d)", t.Time, t.Org, t.Index),
		"  to: " + d.Recipient, "  what: " + d.Content, "  what for: " + d.Purpose,
	} {
		fmt.Fprintln(e.Stdout, frame.Printable(line))
	}
	return nil
}

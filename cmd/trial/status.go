package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/page"
	"github.com/trialproof/trialproof/trial/timeline"
)

func status(ctx context.Context, e *env, args []string) error {
	var r remote
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.BoolVar(&asJSON, "json", false, "print it as JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one trial must be given: its id or a number bound to it")
	}
	h, err := r.theTrial(ctx, rest[0], false)
	if err != nil {
		return err
	}
	s := h.Standing(r.policy)
	var packs *custody.Tally
	if s.Packs > 0 {
		units, err := r.units(ctx, s.Trial)
		if err != nil {
			return err
		}
		packs = custody.NewTally(units)
	}
	if asJSON {
		enc := json.NewEncoder(e.Stdout)
		enc.SetIndent("", " ")
		if err := enc.Encode(struct {
			*dossier.Standing
			Custody *custody.Tally `json:"custody,omitempty"`
		}{s, packs}); err != nil {
			return err
		}
	} else {
		printStanding(e.Stdout, s)
		if packs != nil {
			for _, line := range packs.Lines(trial.TimeOf(time.Now())) {
				fmt.Fprintln(e.Stdout, line)
			}
		}
		e.printPolicy(r.policy)
	}
	return stated(h)
}

// theTrial fetches and checks the histories of a trial that must be logged.
func (r *remote) theTrial(ctx context.Context, typed string, log bool) (*dossier.Histories, error) {
	h, err := r.oneTree(ctx, typed, true, log)
	if err != nil {
		return nil, err
	}
	if v := h.Main(); h.Trial == nil || v.Record == nil {
		return nil, fmt.Errorf("%w: no trial is logged as %s up to size %d", errInvalid, typed, v.Checkpoint.Size)
	}
	return h, nil
}

// printStanding shows where a trial stands.
func printStanding(w io.Writer, s *dossier.Standing) {
	masked := ""
	if s.Masked {
		masked = ", masked"
	}
	held := ""
	if s.Holder != s.Registrant {
		held = ", held by " + s.Holder
	}
	fmt.Fprintf(w, "trial %s, number %s of %s%s%s, registered by entry %d\n", s.Trial, s.Number, s.Registrant, held, masked, s.Registered)
	for _, n := range s.Numbers {
		disputed := ""
		if n.Disputed {
			disputed = ", DISPUTED: claimed by " + strings.Join(n.ClaimedBy, " and ")
		}
		fmt.Fprintf(w, "identifier %s%s\n", n.Identifier, disputed)
		for _, line := range n.Formerly {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	for _, h := range s.Heads {
		fmt.Fprintf(w, "in force: protocol version %s (%s), entry %d, logged %s\n", h.Version, h.Scope, h.Entry, h.Logged)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Kinds)) {
		fmt.Fprintf(w, "logged and in effect: %d of kind %s\n", s.Kinds[k], k)
	}
	for _, x := range s.Events {
		fmt.Fprintf(w, "event: %s on %s, entry %d, logged %s\n", strings.Join(strings.Fields(x.Event+" "+x.Analysis+" "+x.Country), " "),
			x.Date, x.Entry, x.Logged)
		for _, c := range x.Corrections {
			fmt.Fprintf(w, "  %s\n", c)
		}
	}
	for _, d := range s.Delegations {
		scope, end := "the whole trial", "until withdrawn"
		if d.Scope != "" {
			scope = d.Scope
		}
		if d.End != "" {
			end = "until " + d.End
		}
		fmt.Fprintf(w, "delegated to %s: %s, %s, %s\n", d.To, strings.Join(d.Kinds, ", "), scope, end)
	}
	if s.Offer != nil {
		fmt.Fprintf(w, "offered to %s, which has not accepted: %s\n", s.Offer.To, s.Offer.ID)
	}
	if s.Packs > 0 {
		fmt.Fprintf(w, "packs of the investigational product issued: %d\n", s.Packs)
	}
	weight := 0
	for _, m := range timeline.Group(s.Marks, false) {
		if now := timeline.MarkWeight(m.ID); now != weight {
			weight = now
			fmt.Fprintf(w, "marks, %s:\n", timeline.WeightText[weight])
		}
		fmt.Fprintf(w, "%s entry %d, %s: %s\n", m.ID, m.Index, timeline.MarkText(m.ID), frame.Printable(m.Text()))
	}
	if n := len(timeline.Group(s.Marks, true)); n > 0 {
		fmt.Fprintf(w, "struck marks, which rest on what was emptied since and are in the history: %d\n", n)
	}
	for _, m := range s.Missing {
		fmt.Fprintf(w, "missing: %s\n", m)
	}
	for _, x := range append([]dossier.SealStanding{{Org: s.Holder, Sealed: s.Sealed, Unopened: s.Unopened}}, s.OtherSeals...) {
		fmt.Fprintf(w, "seals of %s: %d, of which %d are not opened; what is in them, and for which trial, nobody can tell\n", x.Org,
			x.Sealed, x.Unopened)
	}
	seen := ""
	if s.SeenBy != "" {
		seen = ", which witnesses saw by " + page.InWords(s.SeenBy)
	}
	fmt.Fprintf(w, "as of the tree of size %d%s\n", s.Size, seen)
}

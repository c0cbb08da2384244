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

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// A standing is where a trial stands, for people and for programs.
type standing struct {
	Trial       trial.Hash       `json:"trial"`
	Number      string           `json:"number"`
	Registrant  string           `json:"registeredBy"` // whose number it is
	Holder      string           `json:"holder"`
	Masked      bool             `json:"masked"`
	Registered  uint64           `json:"registered"` // entry
	Numbers     []numberStanding `json:"identifiers"`
	Heads       []headStanding   `json:"inForce"`
	Delegations []trial.Grant    `json:"delegations"`
	Offer       *trial.Offer     `json:"offer,omitempty"`
	Events      []eventStanding  `json:"events"`
	Marks       []trial.Mark     `json:"marks"`
	Missing     []string         `json:"missing"`
	Sealed      uint64           `json:"sealed"`               // by the holder, ever
	Unopened    uint64           `json:"unopened"`             // of those
	OtherSeals  []sealStanding   `json:"otherSeals,omitempty"` // of others that signed for the trial, or may
	Size        uint64           `json:"size"`
	SeenBy      string           `json:"seenBy,omitempty"` // when witnesses saw the tree
	Replayed    bool             `json:"replayed"`
	Policy      string           `json:"policy"`
	kinds       map[string]int   // of statements in effect
}

type numberStanding struct {
	Identifier string   `json:"identifier"`
	Disputed   bool     `json:"disputed"`
	ClaimedBy  []string `json:"claimedBy"`
	Formerly   []string `json:"formerly,omitempty"` // other trials that have claimed it
}

type sealStanding struct {
	Org      string `json:"org"`
	Sealed   uint64 `json:"sealed"`
	Unopened uint64 `json:"unopened"`
}

type headStanding struct {
	Scope   string     `json:"scope"`
	Version string     `json:"version"`
	Entry   uint64     `json:"entry"`
	Logged  trial.Time `json:"logged"`
}

type eventStanding struct {
	Event       string               `json:"event"`
	Analysis    string               `json:"analysis,omitempty"`
	Country     string               `json:"country,omitempty"`
	Date        string               `json:"date"`
	Entry       uint64               `json:"entry"`
	Logged      trial.Time           `json:"logged"`
	Corrections []correctionStanding `json:"corrections,omitempty"` // of it, in the order of the log
}

// A correctionStanding keeps both values, and who changed one to the other, when and why.
type correctionStanding struct {
	Field  string     `json:"field"`
	Old    string     `json:"old"`
	New    string     `json:"new"`
	Entry  uint64     `json:"entry"`
	Logged trial.Time `json:"logged"`
	Org    string     `json:"org"`
	Role   string     `json:"role"`
	Key    string     `json:"key"` // id
	Reason string     `json:"reason"`
}

func (c correctionStanding) String() string {
	return fmt.Sprintf("%s corrected from %q to %q by entry %d of %s, by %s of %s (%s)", c.Field, c.Old, c.New, c.Entry, c.Logged, c.Role, c.Org, c.Reason)
}

func correctionsOf(i *trial.Item) (list []correctionStanding) {
	for _, c := range i.Corrections {
		if p, ok := c.Statement.Predicate.(*trial.Correction); ok {
			list = append(list, correctionStanding{p.Field, p.Old, p.New, c.Index, c.Time, c.Signer.Org, c.Signer.Role, c.Signer.Key.ID().String(), p.Reason})
		}
	}
	return list
}

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
		return usagef("one trial must be given: its id or a number bound to it")
	}
	list, err := r.theTrialHistories(ctx, rest[0])
	if err != nil {
		return err
	}
	v, n := list[0].Verdict, slices.IndexFunc(list, isOrg)
	s := stand(r.policy, v, list[1:n], list[n:])
	if asJSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", " ")
		if err := enc.Encode(s); err != nil {
			return err
		}
	} else {
		s.print(e.stdout)
		e.printPolicy(r.policy)
	}
	return stated(v)
}

// theTrialHistories fetches and checks the histories of a trial that must be logged, of its
// numbers, of who holds it, and what more is asked for.
func (r *remote) theTrialHistories(ctx context.Context, typed string, more ...trial.RecordKey) ([]proven, error) {
	key, err := r.trialKey(typed)
	if err != nil {
		return nil, err
	}
	list, err := r.oneTree(ctx, key, func(v *history.Verdict) []trial.RecordKey { return append(numbersAndOrganisations(v), more...) })
	if err != nil {
		return nil, err
	}
	if _, ok := list[0].Record.(*trial.TrialRecord); !ok {
		return nil, fmt.Errorf("%w: no trial is logged as %s up to size %d", errInvalid, typed, list[0].Checkpoint.Size)
	}
	return list, nil
}

// stand reads the histories of a trial, of its numbers and of organisations, the first
// of which holds it.
func stand(p *checkpoint.Policy, v *history.Verdict, numbers, orgs []proven) *standing {
	rec, tl := v.Record.(*trial.TrialRecord), v.Timeline(0)
	s := &standing{
		Trial: rec.ID, Number: rec.Number, Registrant: tl.Items[0].Signer.Org, Holder: rec.Holder, Masked: rec.Masked, Registered: rec.Registered,
		Delegations: rec.Delegations, Offer: rec.Offer, Marks: tl.Marks(),
		Size: v.Checkpoint.Size, Replayed: v.Replayed, Policy: p.Digest(), kinds: map[string]int{},
	}
	for _, iv := range numbers {
		n := numberStanding{Identifier: iv.Key.ID, Formerly: formerly(iv.Verdict, rec.ID)}
		if ir, ok := iv.Record.(*trial.IdentifierRecord); ok {
			n.Disputed = ir.Disputed()
			for _, c := range ir.Claims {
				n.ClaimedBy = append(n.ClaimedBy, c.Org)
			}
		}
		s.Numbers = append(s.Numbers, n)
	}
	for i, o := range orgs {
		rec, ok := o.Record.(*trial.OrgRecord)
		switch {
		case !ok:
		case i == 0:
			s.Sealed, s.Unopened = rec.Sealed, rec.Sealed-rec.Opened
		case rec.Sealed > 0:
			s.OtherSeals = append(s.OtherSeals, sealStanding{rec.ID, rec.Sealed, rec.Sealed - rec.Opened})
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(rec.Scopes)) {
		versions := rec.Scopes[scope]
		h := headStanding{Scope: scope, Version: versions[len(versions)-1].Version}
		if i := tl.Find(versions[len(versions)-1].ID); i != nil {
			h.Version, h.Entry, h.Logged = i.Value("version"), i.Index, i.Time
		}
		s.Heads = append(s.Heads, h)
	}
	for _, i := range tl.Items {
		if !i.InEffect() {
			continue
		}
		s.kinds[i.Statement.Predicate.Kind()]++
		if m, ok := i.Statement.Predicate.(*trial.Milestone); ok {
			s.Events = append(s.Events, eventStanding{m.Event, i.Value("analysis"), i.Value("country"), i.Value("date"), i.Index, i.Time, correctionsOf(i)})
		}
	}
	at := tl.Items[len(tl.Items)-1].Time
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		at = max(at, trial.TimeOf(t))
		s.SeenBy = t.Format(time.RFC3339)
	}
	s.Missing = tl.Missing(at)
	return s
}

func (s *standing) print(w io.Writer) {
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
	for _, k := range slices.Sorted(maps.Keys(s.kinds)) {
		fmt.Fprintf(w, "logged and in effect: %d of kind %s\n", s.kinds[k], k)
	}
	for _, x := range s.Events {
		fmt.Fprintf(w, "event: %s on %s, entry %d, logged %s\n", strings.Join(strings.Fields(x.Event+" "+x.Analysis+" "+x.Country), " "), x.Date, x.Entry, x.Logged)
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
	weight := 0
	for _, m := range trial.GroupMarks(s.Marks, false) {
		if now := trial.MarkWeight(m.ID); now != weight {
			weight = now
			fmt.Fprintf(w, "marks, %s:\n", trial.WeightText[weight])
		}
		fmt.Fprintf(w, "%s entry %d, %s: %s\n", m.ID, m.Index, trial.MarkText(m.ID), printable(m.Text()))
	}
	if n := len(trial.GroupMarks(s.Marks, true)); n > 0 {
		fmt.Fprintf(w, "struck marks, which rest on what was emptied since and are in the history: %d\n", n)
	}
	for _, m := range s.Missing {
		fmt.Fprintf(w, "missing: %s\n", m)
	}
	for _, x := range append([]sealStanding{{s.Holder, s.Sealed, s.Unopened}}, s.OtherSeals...) {
		fmt.Fprintf(w, "seals of %s: %d, of which %d are not opened; what is in them, and for which trial, nobody can tell\n", x.Org, x.Sealed, x.Unopened)
	}
	seen := ""
	if s.SeenBy != "" {
		seen = ", which witnesses saw by " + inWords(s.SeenBy)
	}
	fmt.Fprintf(w, "as of the tree of size %d%s\n", s.Size, seen)
}

// inWords returns a time that JSON has in RFC 3339 as people read it.
func inWords(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return trial.Moment(t)
}

package page

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
)

// A Question is what is asked about a trial.
type Question struct {
	Asked   string // the trial, as it was typed
	At      string // day as of which deadlines are judged
	On      string // day of which the documents in force are asked for; may be empty
	Before  uint64 // entries before this one; 0: the newest
	Article string // outcomes that an article reports; may be empty

	Comparing bool // show only the comparison
}

// KeyOf returns the record that a person means who types a trial's id or a registry's number.
func KeyOf(typed string) (trial.RecordKey, error) {
	typed = strings.TrimSpace(typed)
	if id, err := trial.ParseHash(typed); err == nil {
		return trial.RecordKey{Kind: "trial", ID: id.String()}, nil
	}
	typed = strings.TrimPrefix(typed, dossier.OwnPrefix)
	if strings.HasPrefix(typed, "sponsor:") {
		key := trial.RecordKey{Kind: "identifier", ID: typed}
		return key, key.Check()
	}
	id, err := trial.ParseIdentifier(typed)
	return trial.RecordKey{Kind: "identifier", ID: id}, err
}

// ErrNothing says that nothing is logged about what was asked for.
var ErrNothing = errors.New("nothing is logged about")

// Gather gets the histories of a trial, checks them, and returns what follows from them: the same
// from a log's own database, over a network, and in a browser.
func Gather(ctx context.Context, g *dossier.Gatherer, key trial.RecordKey, q Question) (*View, error) {
	return gather(ctx, g, key, q, true)
}

// GatherBrief is Gather without the histories of the trial's organisations: their seals are not
// known then. It is enough for a summary.
func GatherBrief(ctx context.Context, g *dossier.Gatherer, key trial.RecordKey, q Question) (*View, error) {
	return gather(ctx, g, key, q, false)
}

func gather(ctx context.Context, g *dossier.Gatherer, key trial.RecordKey, q Question, orgs bool) (*View, error) {
	h, err := g.OfTrial(ctx, key, orgs, "")
	disputed := errors.Is(err, dossier.ErrDisputed)
	if disputed { // what is shown is the number's own record, and whose trials claim it
		var number *dossier.History
		number, err = g.History(ctx, key, g.Size)
		h = &dossier.Histories{Numbers: []*dossier.History{number}}
	}
	if err != nil {
		return nil, err
	}
	if h.Main().Record == nil {
		return nil, fmt.Errorf("%w %s", ErrNothing, q.Asked)
	}
	d, err := dossier.New(q.Asked, h, nil, nil)
	if err != nil {
		return nil, err
	}
	x, err := d.Report(g.Policy, q.At, []byte(q.Article))
	if err != nil {
		return nil, err
	}
	v := &View{Report: x, On: q.On, Before: q.Before, Comparing: q.Comparing, replayed: h.Replayed()}
	if rec, ok := h.Main().Record.(*trial.IdentifierRecord); ok && disputed {
		v.Claims = rec.Claims
	}
	if q.On != "" {
		on, err := time.Parse(time.DateOnly, q.On)
		if err != nil {
			return nil, fmt.Errorf("%.40q is no day such as 2026-03-01", q.On)
		}
		v.InForce = inForce(d, trial.TimeOf(on.AddDate(0, 0, 1))-1)
	}
	return v, nil
}

// inForce returns the protocol versions of all scopes that were in force at a moment.
func inForce(d *dossier.Dossier, at trial.Time) (heads []dossier.HeadStanding) {
	rec, ok := d.Main().Record.(*trial.TrialRecord)
	if !ok || d.Timeline == nil {
		return nil
	}
	for _, scope := range slices.Sorted(maps.Keys(rec.Scopes)) {
		if i := d.Timeline.InForce(scope, at); i != nil {
			heads = append(heads, dossier.HeadStanding{Scope: scope, Version: i.Value("version"), Entry: i.Index, Logged: i.Time})
		}
	}
	return heads
}

package page

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/outcome"
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

// ParseQuestion returns what the query of a page's address asks: the same for the server and for the
// browser, which takes nobody's word for what was asked. A parameter that is not known, is given twice
// or is malformed is an error: to ignore it would be to answer another question.
func ParseQuestion(query string) (q Question, err error) {
	values, err := url.ParseQuery(query)
	if err != nil || !utf8.ValidString(fmt.Sprint(values)) {
		return q, errors.New("the query of the address is malformed")
	}
	for name, list := range values {
		if len(list) > 1 {
			return q, fmt.Errorf("%.40q is given twice", name)
		}
		switch value := list[0]; name {
		case "id":
			q.Asked = strings.TrimSpace(value)
		case "article":
			if _, err := outcome.ParseArticle([]byte(value)); err != nil && value != "" {
				return q, fmt.Errorf("the article: %w", err)
			}
			q.Article = value
		case "on":
			if _, err := time.Parse(time.DateOnly, value); err != nil && value != "" {
				return q, fmt.Errorf("%.40q is no day such as 2026-03-01", value)
			}
			q.On = value
		case "before":
			if q.Before, err = strconv.ParseUint(value, 10, 64); err != nil {
				return q, fmt.Errorf("%.40q is no index of an entry", value)
			}
		default:
			return q, fmt.Errorf("there is no parameter %.40q here", name)
		}
	}
	return q, nil
}

// Means reports whether what was typed can mean the trial that is shown. If it is no number or whole id
// (see KeyOf), the log has said which trial it means, and it might mean another as well.
func (v *View) Means(typed string) bool {
	s := v.Standing
	return s != nil && (s.Trial.Named(typed) || s.Number == typed && !trial.IsShort(typed))
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
// from a log's own database, over a network, and in a browser. If nothing is logged, it returns
// ErrNothing with a view that says so, which is proven like any other.
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
		return &View{Report: dossier.Empty(q.Asked, h, g.Policy), Nothing: true, replayed: h.Replayed()},
			fmt.Errorf("%w %s", ErrNothing, q.Asked)
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

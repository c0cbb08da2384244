package history

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A Plain is what a history proves, in plain words for a page. All texts are to be shown as text,
// never as markup.
type Plain struct {
	Subject  string       `json:"subject"`          // such as "trial 2b6..."
	Says     string       `json:"says"`             // the verdict in one sentence
	Complete string       `json:"complete"`         // who proves or states that nothing is left out
	Replayed bool         `json:"replayed"`         // it is proven
	SeenBy   string       `json:"seenBy,omitempty"` // when witnesses saw the tree, for people
	SeenAt   string       `json:"seenAt,omitempty"` // the same in RFC 3339
	Size     uint64       `json:"size,string"`      // of the tree
	Entries  []PlainEntry `json:"entries"`
}

// A PlainEntry is one entry of a history in words.
type PlainEntry struct {
	Index   uint64   `json:"index,string"`
	Time    string   `json:"time"`
	Says    string   `json:"says"`
	By      string   `json:"by"`
	Meaning string   `json:"meaning"`
	Marks   []string `json:"marks,omitempty"`
	Void    bool     `json:"void,omitempty"` // it is without effect
}

// Plain returns what the history proves in plain words.
func (v *Verdict) Plain() *Plain {
	p := &Plain{Subject: v.Key.Kind + " " + v.Key.ID, Size: v.Checkpoint.Size, Replayed: v.Replayed, Entries: []PlainEntry{},
		Complete: "It is proven that nothing is left out: replaying witnesses checked it.",
		Says: fmt.Sprintf("This is everything that was logged for the %s up to entry %d: %s.", v.subject(), v.Checkpoint.Size-1,
			trial.Count(len(v.Entries), "entry", "entries"))}
	if !v.Replayed {
		p.Complete = "That nothing is left out is stated by the log's operator: too few replaying witnesses cosigned to prove it."
	}
	if v.Record == nil {
		p.Says = fmt.Sprintf("Nothing was logged for the %s up to entry %d.", v.subject(), v.Checkpoint.Size-1)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		p.SeenBy, p.SeenAt = trial.Moment(t), t.UTC().Format(time.RFC3339)
	}
	items := map[uint64]*timeline.Item{}
	if tl := v.Timeline(0); tl != nil {
		for _, i := range tl.Items {
			items[i.Index] = i
		}
	}
	for _, e := range v.Entries {
		if e.Statement == nil {
			continue
		}
		st := e.Statement.Statement
		x := PlainEntry{Index: e.Index, Time: trial.Moment(e.Time.Std()), Says: trial.Describe(st), Meaning: trial.CommonOf(st).Meaning,
			By: e.Signer.Role + " of " + e.Signer.Org}
		if i := items[e.Index]; i != nil {
			x.Void = !i.InEffect()
			for _, m := range i.Marks {
				x.Marks = append(x.Marks, fmt.Sprintf("%s: %s (%s)", m.ID, timeline.MarkText(m.ID), m.Text))
			}
		}
		p.Entries = append(p.Entries, x)
	}
	return p
}

// subject names the record as people do.
func (v *Verdict) subject() string {
	switch v.Key.Kind {
	case "identifier":
		return "number " + v.Key.ID
	case "org":
		return "organisation " + v.Key.ID
	}
	return v.Key.Kind + " " + v.Key.ID
}

// A Since says what became of a statement after it was logged.
type Since struct {
	Stands   bool     `json:"stands"` // nothing that follows replaces or empties it
	Says     []string `json:"says"`
	Size     uint64   `json:"size,string"`      // of the tree up to which that is known
	Replayed bool     `json:"replayed"`         // it is proven that nothing is left out
	SeenBy   string   `json:"seenBy,omitempty"` // when witnesses saw the tree
}

// Since says what the history of its trial has about a statement, by its identity, since it was
// logged. It returns nil if the history is not that of a trial, or has no such statement.
func (v *Verdict) Since(id trial.Hash) *Since {
	tl := v.Timeline(0)
	if tl == nil {
		return nil
	}
	var item *timeline.Item
	for _, i := range tl.Items {
		if i.ID == id || i.Entry.Statement.ID == id {
			item = i
			break
		}
	}
	if item == nil {
		return nil
	}
	s := &Since{Stands: true, Size: v.Checkpoint.Size, Replayed: v.Replayed, Says: []string{}}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		s.SeenBy = trial.Moment(t)
	}
	say := func(i *timeline.Item, format string, args ...any) {
		s.Says = append(s.Says, fmt.Sprintf("%s: %s (entry %d)", trial.Moment(i.Time.Std()), fmt.Sprintf(format, args...), i.Index))
	}
	if item.Void != nil {
		s.Stands = false
		say(item.Void, "it was declared void: it is without effect")
	}
	for _, c := range item.Corrections {
		if c != item.Void {
			s.Stands = false
			say(c, "it was corrected: %s", trial.Describe(c.Statement))
		}
	}
	for _, i := range tl.Items {
		if i.Index > item.Index && i.InEffect() && follows(i.Statement.Predicate) == item.ID {
			s.Stands = false
			say(i, "superseded by %s", trial.Describe(i.Statement))
		}
	}
	return s
}

// follows returns the statement that one replaces: the version before, or the results that are
// updated.
func follows(p trial.Predicate) (id trial.Hash) {
	var x struct{ Previous, Updates trial.Hash }
	data, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(data, &x)
	}
	if err != nil {
		return trial.Hash{}
	}
	if x.Previous.IsZero() {
		return x.Updates
	}
	return x.Previous
}

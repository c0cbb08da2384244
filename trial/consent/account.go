package consent

import (
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// An Account is what a consent's history says: what was agreed, who had access, and whether it
// still stands. It is complete if the history is.
type Account struct {
	Handle   trial.Hash   `json:"consent"`
	Org      string       `json:"org"` // that granted it
	To       string       `json:"to"`
	Agents   []string     `json:"agents"`
	Until    string       `json:"until,omitempty"` // a month or a year; the exact end is in the terms
	Granted  Event        `json:"granted"`
	Ended    *Event       `json:"ended,omitempty"`
	Erase    bool         `json:"erase,omitempty"` // erasure was asked for
	Erased   []Erased     `json:"erased,omitempty"`
	Accesses []Access     `json:"accesses"`
	Record   trial.Record `json:"-"`
}

// An Event is one entry of the log.
type Event struct {
	Index uint64     `json:"index"`
	Time  trial.Time `json:"time"` // by the log's clock
	Org   string     `json:"org"`  // that signed it
}

// Erased is an organisation's claim that it has erased what it held.
type Erased struct {
	Event
	Ground string   `json:"ground"`
	What   []string `json:"what"`
}

// An Access is a release of data under the consent. A package that was logged again, for
// example because an agent was interrupted, is one access.
type Access struct {
	Event
	Package   trial.Hash `json:"package"`
	Recipient trial.Hash `json:"recipient"`           // the key that can open it
	To        string     `json:"to,omitempty"`        // organisation; "" for another than the consent's, until it is looked up
	Request   trial.Hash `json:"request,omitzero"`    // that it answers
	Use       []string   `json:"use,omitempty"`       // of the request, once it is looked up
	Emergency string     `json:"emergency,omitempty"` // the reason of an emergency; "" if there was none
}

// NewAccount reads a consent's history, which has been verified.
func NewAccount(v *history.Verdict) (*Account, error) {
	if v.Key.Kind != "consent" {
		return nil, fmt.Errorf("this is the history of a %s, not of a consent", v.Key.Kind)
	}
	rec, ok := v.Record.(*trial.ConsentRecord)
	if !ok {
		return nil, fmt.Errorf("no consent %s is logged up to size %d. If it was given with -batch, it waits until "+
			"trial consent give -batch DIR logs it", v.Key.ID, v.Checkpoint.Size)
	}
	a := &Account{Handle: rec.ID, Org: rec.Org, To: rec.To, Agents: rec.Agents, Until: rec.Until, Erase: rec.Erase, Record: rec,
		Accesses: []Access{}}
	// A repeat is the same in all that it says: another recipient, or an emergency, is another
	// access even if an agent says that it was the same package.
	type told struct {
		what, org               string
		pkg, recipient, request trial.Hash
	}
	seen := map[told]bool{}
	for _, e := range v.Entries {
		if e.Entry.Statement == nil {
			continue
		}
		at := Event{Index: e.Index, Time: e.Time, Org: e.Entry.Signer.Org}
		switch p := e.Entry.Statement.Statement.Predicate.(type) {
		case *trial.Consent:
			if p.Action == "grant" {
				a.Granted = at
			} else if a.Ended == nil {
				a.Ended = &at
			}
		case *trial.Erasure:
			a.Erased = append(a.Erased, Erased{at, p.Ground, p.What})
		case *trial.Access:
			for _, c := range p.Consents {
				same := told{p.Action + p.Reason, at.Org, c.Package, p.Recipient, p.Request}
				if c.Consent != rec.ID || seen[same] {
					continue
				}
				seen[same] = true
				access := Access{Event: at, Package: c.Package, Recipient: p.Recipient, Request: p.Request}
				if p.Action == "emergency" {
					access.Emergency = p.Reason
				} else {
					access.To = rec.To // the rules refuse a release to anyone else
				}
				a.Accesses = append(a.Accesses, access)
			}
		}
	}
	return a, nil
}

// Lacks returns the records without which the account is not whole: the recipients of
// emergencies, and the requests.
func (a *Account) Lacks() (keys []trial.RecordKey) {
	asked := map[trial.RecordKey]bool{}
	add := func(kind string, id trial.Hash) {
		if key := (trial.RecordKey{Kind: kind, ID: id.String()}); !id.IsZero() && !asked[key] {
			asked[key] = true
			keys = append(keys, key)
		}
	}
	for _, x := range a.Accesses {
		if x.To == "" {
			add("recipient", x.Recipient)
		}
		if x.Use == nil {
			add("request", x.Request)
		}
	}
	return keys
}

// Add adds what the history of a recipient or of a request says.
func (a *Account) Add(v *history.Verdict) {
	for i := range a.Accesses {
		x := &a.Accesses[i]
		switch rec := v.Record.(type) {
		case *trial.RecipientRecord:
			if x.To == "" && x.Recipient == rec.ID {
				x.To = rec.Org
			}
		case *trial.RequestRecord:
			if x.Request == rec.ID && len(v.Entries) > 0 {
				if p, ok := v.Entries[0].Entry.Statement.Statement.Predicate.(*trial.Access); ok {
					x.Use = p.Use
				}
			}
		}
	}
}

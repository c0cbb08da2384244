package custody

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// An Account is what the history of a unit says: who had it, and what became of it. It is complete if
// the history is.
type Account struct {
	ID     trial.Hash
	Record *trial.UnitRecord
	Acts   []Act
}

// An Act is an entry of a unit's history.
type Act struct {
	Index    uint64
	Time     trial.Time // by the log's clock
	SignedAt trial.Time // by the signer's
	Org      string     // that signed it
	Key      string     // id of the key
	ID       trial.Hash // of the statement
	Said     *trial.Custody
	Subjects []trial.Subject
}

// NewAccount reads a unit's history, which has been verified. Nothing logged for the unit is no error:
// Record is nil then.
func NewAccount(v *history.Verdict) (*Account, error) {
	id, err := trial.ParseHash(v.Key.ID)
	if err != nil || v.Key.Kind != "unit" {
		return nil, fmt.Errorf("this is the history of a %s, not of a unit", v.Key.Kind)
	}
	a := &Account{ID: id}
	a.Record, _ = v.Record.(*trial.UnitRecord)
	for _, e := range v.Entries {
		if e.Entry.Statement == nil {
			continue
		}
		p, ok := e.Entry.Statement.Statement.Predicate.(*trial.Custody)
		if !ok {
			continue
		}
		a.Acts = append(a.Acts, Act{Index: e.Index, Time: e.Time, SignedAt: p.SignedAt, Org: e.Entry.Signer.Org,
			Key: e.Entry.Signer.Key.ID().String(), ID: e.Entry.Statement.ID, Said: p, Subjects: e.Entry.Statement.Statement.Subjects})
	}
	return a, nil
}

// Case returns the id of the case that the unit came in, or zero.
func (a *Account) Case() trial.Hash {
	if len(a.Acts) > 0 && a.Acts[0].Said.Action == "open" && a.Acts[0].Said.Units[0].Unit != a.ID {
		return a.Acts[0].Said.Units[0].Unit
	}
	return trial.Hash{}
}

// Last returns the last act of one of the actions, or nil.
func (a *Account) Last(actions ...string) *Act {
	for i := len(a.Acts) - 1; i >= 0; i-- {
		for _, action := range actions {
			if a.Acts[i].Said.Action == action {
				return &a.Acts[i]
			}
		}
	}
	return nil
}

// The states of a unit, in the order in which they are counted.
var States = []string{"in stock", "under way", "given out", "given back", "lost", "destroyed", "opened"}

// State returns where a unit stands: one of States.
func State(r *trial.UnitRecord) string {
	switch {
	case r.Gone != 0 && r.Packs > 0:
		return "opened"
	case r.Gone != 0:
		return "destroyed"
	case r.Lost != 0:
		return "lost"
	case r.Offer != nil:
		return "under way"
	case r.Returned != 0:
		return "given back"
	case r.Dispensed != 0:
		return "given out"
	}
	return "in stock"
}

// Where says in a line where a unit is.
func (a *Account) Where() string {
	r := a.Record
	switch State(r) {
	case "under way":
		if s := a.Last("ship"); s != nil {
			return fmt.Sprintf("under way from %s to %s since %s, not received", r.Custodian, r.Offer.To, s.Time)
		}
	case "given out":
		return fmt.Sprintf("given out by %s%s", r.Custodian, since(a.Last("dispense")))
	case "given back":
		return fmt.Sprintf("given back, with %s%s", r.Custodian, since(a.Last("return")))
	case "lost":
		return fmt.Sprintf("LOST, says %s%s", r.Custodian, since(a.Last("lost")))
	case "destroyed":
		return fmt.Sprintf("destroyed, says %s%s", r.Custodian, since(a.Last("destroy")))
	case "opened":
		return fmt.Sprintf("a case that %s opened%s", r.Custodian, since(a.Last("open")))
	}
	if x := a.Last("receive", "issue", "open"); x != nil {
		return fmt.Sprintf("with %s since %s", r.Custodian, x.Time)
	}
	return "with " + r.Custodian
}

func since(a *Act) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf(" on %s", a.Time)
}

// Warnings are what a reader must be told before anything else.
func (a *Account) Warnings() (list []string) {
	r := a.Record
	if r.Recalled != 0 {
		list = append(list, fmt.Sprintf("RECALLED by entry %d", r.Recalled))
	}
	if r.Hold != 0 {
		list = append(list, fmt.Sprintf("ON HOLD since entry %d", r.Hold))
	}
	if len(r.Reports) > 0 {
		list = append(list, "REPORTED as suspicious by "+reporters(r))
	}
	return list
}

// maxNamed is how many organisations that reported a unit are named in a line.
const maxNamed = 5

// reporters names who reported a unit, its custodian first.
func reporters(r *trial.UnitRecord) string {
	list := slices.Clone(r.Reports)
	slices.SortStableFunc(list, func(a, b string) int {
		switch r.Custodian {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	if more := len(list) - maxNamed; more > 0 {
		list = append(list[:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// ByStranger reports whether an act is a report by an organisation that neither had the unit nor held
// its trial.
func (x *Act) ByStranger() bool { return x.Said.Action == "suspect" && x.Said.Units[0].N == 0 }

// MayGiveOut says whether the rules let a custodian give the unit out, and why not.
func (a *Account) MayGiveOut() (bool, string) {
	p := &trial.Custody{Action: "dispense"}
	if err := p.Judge(a.Record, a.Record.Custodian, ""); err != nil {
		return false, Plain(err, a.ID)
	}
	if len(a.Record.Reports) > 0 {
		return false, "it was reported as suspicious: ask the trial's holder"
	}
	return true, ""
}

var shipmentID = regexp.MustCompile(` with the shipment [0-9a-f]{64}`)

// Plain says why the rules refuse an act with a unit, to whoever has the pack in hand: the rule's number,
// and then what is wrong, without ids, which no label shows.
func Plain(err error, unit trial.Hash) string {
	r, ok := errors.AsType[*trial.Refusal](err)
	if !ok {
		return err.Error()
	}
	return string(r.Rule) + ": " + strings.NewReplacer("unit "+unit.String(), "it", " at index ", " by entry ", " since index ",
		" since entry ", "the signer's organisation is ", "you sign for ").Replace(shipmentID.ReplaceAllString(r.Detail, ""))
}

// Line says what an act was, in one line.
func (x *Act) Line() string {
	p := x.Said
	text := fmt.Sprintf("%s  %-9s by %s", x.Time, p.Action, x.Org)
	for _, more := range [][2]string{{" to ", p.To}, {", condition ", p.Condition}, {", all the same: ", p.Deviation}, {": ", p.Reason}} {
		if more[1] != "" {
			text += more[0] + more[1]
		}
	}
	if late := int64(x.Time-x.SignedAt) / 60_000; late > 10 {
		text += fmt.Sprintf(" (done %s)", x.SignedAt)
	}
	return text
}

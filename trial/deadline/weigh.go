package deadline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/study"
)

// Contested is the verdict if only third parties logged copies of the record, or if
// organisations that decide contradict each other, and their copies lead to different verdicts.
const Contested = "contested"

// A Copy is the verdict that a third party's copies lead to.
type Copy struct {
	Org     string `json:"org"`
	Verdict string `json:"says"` // the copy's own verdict, never that of the rule
	Due     string `json:"due,omitempty"`
	Done    string `json:"done,omitempty"`
	Why     string `json:"why,omitempty"`
}

func (c Copy) String() string {
	s := c.Verdict
	if c.Due != "" {
		s += ", due " + c.Due
	}
	if c.Done != "" {
		s += ", done " + c.Done
	}
	return s
}

func (v *Verdict) copyOf(org string) Copy { return Copy{org, v.Verdict, v.Due, v.Done, v.Why} }

// Weigh judges by the versions that decide (study.Version.Decides), and by the trial's end in
// the EU. A third party's copy never changes such a verdict. If it would, a note and Copies say
// so.
//
// If no version that decides existed on the day, the copies of each third party are judged
// separately, and so are the organisations that decide if they contradict each other about one
// day. If all lead to one verdict, it is conditional: "by example-cro's copies alone: overdue".
// Otherwise it is Contested. The number of parties that say the same does not matter.
func Weigh(versions []study.Version, end End, day string) ([]Verdict, error) {
	deciding, others := study.Part(versions)
	if len(until(deciding, day)) > 0 || len(others) == 0 {
		return beside(deciding, others, end, day)
	}
	var orgs []string
	var each [][]Verdict
	for _, o := range others {
		if len(until(o.Versions, day)) == 0 {
			continue
		}
		list, err := judge(o.Versions, end, day)
		if err != nil {
			return nil, err
		}
		orgs, each = append(orgs, o.Org), append(each, list)
	}
	if len(each) == 0 {
		return judge(versions, end, day) // it returns an error that says what is wrong
	}
	for i := range each[0] {
		of := make([]*Verdict, len(each))
		for j := range each {
			of[j] = &each[j][i]
		}
		alone(orgs, of)
	}
	return each[0], nil
}

// beside judges by the versions that decide, and notes what a third party's copies would
// change.
func beside(deciding []study.Version, others []study.Copies, end End, day string) ([]Verdict, error) {
	list, err := judge(deciding, end, day)
	if err != nil {
		return nil, err
	}
	plain := slices.Clone(list)
	if err := contest(list, study.Sides(until(deciding, day)), end, day); err != nil {
		return nil, err
	}
	for _, o := range others {
		with, err := judge(o.With(deciding), end, day)
		if err != nil {
			return nil, err
		}
		for i := range list {
			v, p, c := &list[i], &plain[i], with[i].copyOf(o.Org)
			if c.Verdict == p.Verdict && c.Due == p.Due && c.Done == p.Done {
				continue
			}
			v.Copies = append(v.Copies, c)
			v.Notes = append(v.Notes, fmt.Sprintf("%s's copy says otherwise: %s; "+
				"it is a third party and does not decide (-from %s would take its word)", o.Org, c, o.Org))
		}
	}
	return list, nil
}

// contest changes verdicts to what can be said if organisations that decide contradict each
// other.
func contest(list []Verdict, sides []study.Copies, end End, day string) error {
	each := make([][]Verdict, len(sides))
	for i, s := range sides {
		var err error
		if each[i], err = judge(s.Versions, end, day); err != nil {
			return err
		}
	}
	for i := range list {
		v, verdict, dates := &list[i], true, true
		var copies []Copy
		var notes []string // the notes of each separately: a difference between two organisations is not an edit
		for j, s := range sides {
			x := &each[j][i]
			copies = append(copies, x.copyOf(s.Org))
			notes = append(notes, x.Notes...)
			verdict = verdict && x.Verdict == each[0][i].Verdict
			dates = dates && x.Due == each[0][i].Due && x.Done == each[0][i].Done
		}
		if len(sides) == 0 {
			continue
		}
		slices.Sort(notes)
		v.Notes = slices.Compact(notes)
		if verdict && dates {
			v.Verdict, v.Due, v.Done, v.Why = each[0][i].Verdict, each[0][i].Due, each[0][i].Done, each[0][i].Why
			continue
		}
		v.Due, v.Done, v.Copies = "", "", append(v.Copies, copies...)
		if !verdict {
			v.Verdict, v.Why = Contested, "those whose word decides log different things as what the registry showed on one day"
		}
		for _, c := range copies {
			v.Notes = append(v.Notes, fmt.Sprintf("by %s's copy: %s", c.Org, c))
		}
	}
	return nil
}

// alone changes the first of several third parties' verdicts on one rule to what can be said if
// only they logged anything.
func alone(orgs []string, of []*Verdict) {
	v := of[0]
	verdict, dates := true, true // whether all have the same
	for i, x := range of {
		v.Copies = append(v.Copies, x.copyOf(orgs[i]))
		verdict = verdict && x.Verdict == v.Verdict
		dates = dates && x.Due == v.Due && x.Done == v.Done
		if i > 0 {
			v.Inputs = append(v.Inputs, x.Inputs...)
			v.Notes = append(v.Notes, x.Notes...)
		}
	}
	if len(of) > 1 {
		slices.Sort(v.Notes)
		v.Notes = slices.Compact(v.Notes)
	}
	if !dates {
		v.Due, v.Done = "", ""
	}
	if verdict {
		v.Verdict = study.Alone(orgs) + v.Verdict
	} else {
		v.Verdict, v.Why = Contested, "third parties' copies lead to different verdicts"
	}
	if len(of) > 1 {
		for _, c := range v.Copies {
			v.Notes = append(v.Notes, fmt.Sprintf("by %s's copies alone: %s", c.Org, c))
		}
	}
	v.Notes = append(v.Notes, "neither the trial's holder nor the registrar logged a record: name whom you trust with -from ("+
		strings.Join(orgs, ", ")+"), or give the record itself with -files")
}

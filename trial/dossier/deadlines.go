package dossier

import (
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/study"
)

// Deadlines judges what regulations ask of the trial as of a day, "2026-03-01". It has
// no verdicts where no version says anything of the trial.
func (d *Dossier) Deadlines(at string) ([]deadline.Verdict, error) {
	versions, emptied := d.withMilestones()
	return deadline.Weigh(versions, emptied, at)
}

// withMilestones adds to each version the date that the sponsor's milestones state
// and the record itself does not have: the end of the trial in the EU, which no
// register of the United States knows. The earliest that was ever logged counts: a
// date that was moved clears nothing. Those of milestones that were emptied are returned
// apart.
func (d *Dossier) withMilestones() (list []study.Version, emptied []deadline.Emptied) {
	if d.Timeline == nil {
		return d.Versions, nil
	}
	for _, i := range d.Timeline.Emptied("end-of-trial", "EU") {
		emptied = append(emptied, deadline.Emptied{
			Date: i.Earliest("date"), Entry: i.Index, Void: i.Void.Index, Org: i.Signer.Org, Holder: d.Timeline.HolderAt(i.Index) == i.Signer.Org,
		})
	}
	end := d.Timeline.EarliestDate("end-of-trial", "EU")
	if end == "" {
		return d.Versions, emptied
	}
	for _, v := range d.Versions {
		s := *v.Study
		s.Dates = append(s.Dates[:len(s.Dates):len(s.Dates)], study.Date{Event: deadline.EndEU, Date: end, Kind: study.Actual})
		v.Study = &s
		list = append(list, v)
	}
	return list, emptied
}

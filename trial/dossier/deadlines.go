package dossier

import (
	"time"

	"github.com/trialproof/trialproof/trial/deadline"
)

// Deadlines judges what regulations require of the trial as of a day, such as "2026-03-01". It
// returns no verdicts if no version says anything about the trial.
func (d *Dossier) Deadlines(at string) ([]deadline.Verdict, error) {
	return deadline.Weigh(d.Versions, d.endInEU(), at)
}

// endInEU returns what the sponsor's milestones say about the trial's end in the EU.
func (d *Dossier) endInEU() (end deadline.End) {
	if d.Timeline == nil {
		return end
	}
	if i := d.Timeline.EarliestEvent("end-of-trial", "EU"); i != nil {
		end = deadline.End{
			Date: i.Earliest("date"), Entry: i.Index, Logged: i.Time.Std().Format(time.DateOnly),
			Org: i.Signer.Org, Whose: d.whose(i.Located, i.Statement),
		}
	}
	for _, i := range d.Timeline.Emptied("end-of-trial", "EU") {
		end.Emptied = append(end.Emptied, deadline.Emptied{
			Date: i.Earliest("date"), Entry: i.Index, Void: i.Void.Index, Org: i.Signer.Org,
			Holder: d.Timeline.HolderAt(i.Index) == i.Signer.Org,
		})
	}
	return end
}

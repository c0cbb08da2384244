package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// news has the events of a replay, which are raised once the tree has proven to be the one that
// the log signed.
type news struct {
	alarms      []Alarm
	first, last moment // entries that were not raised before
}

type moment struct {
	index uint64
	time  trial.Time
	set   bool
}

// watch is the auditor's Watch.
func (m *Monitor) watch(index uint64, e *trial.Entry, touched []trial.Record) {
	if index < m.memory.Told {
		return
	}
	if !m.news.first.set {
		m.news.first = moment{index, e.Time, true}
	}
	m.news.last = moment{index, e.Time, true}
	if e.Statement == nil || m.memory.Told == 0 { // for a monitor that begins to watch, the past is not news
		return
	}
	id, by := e.Statement.Statement.Predicate.Kind(), e.Signer.Org
	for _, org := range m.Orgs {
		about, key := by == org, ""
		for _, r := range touched {
			switch r := r.(type) {
			case *trial.OrgRecord:
				about = about || r.ID == org
			case *trial.TrialRecord:
				about = about || r.Holder == org
			case *trial.KeyRecord:
				about = about || r.Org == org
				if r.Org == org && r.Enrolled == index {
					key = fmt.Sprintf("entry %d enrols the key %s of %s as %s", index, r.ID, org, r.Role)
				}
			}
		}
		switch {
		case key != "":
			m.news.alarms = append(m.news.alarms, Alarm{Alarm: "key", Index: &index, Subject: org, Text: key})
		case about:
			m.news.alarms = append(m.news.alarms, Alarm{Alarm: "entry", Index: &index, Subject: org,
				Text: fmt.Sprintf("entry %d of kind %s, signed by a key of %s, concerns %s", index, id, by, org)})
		}
	}
	for _, key := range m.Trials {
		about := slices.ContainsFunc(touched, func(r trial.Record) bool {
			t, ok := r.(*trial.TrialRecord)
			return r.RecordKey() == key || ok && key.Kind == "identifier" && slices.Contains(t.Identifiers, key.ID)
		})
		if about {
			m.news.alarms = append(m.news.alarms, Alarm{Alarm: "entry", Index: &index, Subject: key.ID,
				Text: fmt.Sprintf("entry %d of kind %s, signed by a key of %s, concerns the trial %s", index, id, by, key.ID)})
		}
	}
}

// tell raises the news of a tree that the log signed and that existed by a time.
//
// An entry's time is far from its publication if, by this monitor's clock, a tree without it
// was published well after its time, or if its time is well after witnesses saw it. The time
// during which the monitor itself was away does not count.
func (m *Monitor) tell(r *round, seenBy time.Time) {
	n, far := m.news, m.Limits.Far
	m.news = news{}
	if n.first.set && m.memory.Told > 0 {
		if t := n.first.time.Std(); m.memory.Without.Sub(t) > far {
			r.event(Alarm{Alarm: "admission", Index: &n.first.index, Size: r.size, Text: fmt.Sprintf(
				"the log says that it admitted entry %d at %s, but at %s it published a tree without it",
				n.first.index, n.first.time, trial.Moment(m.memory.Without))})
		}
		if t := n.last.time.Std(); t.Sub(seenBy) > far {
			r.event(Alarm{Alarm: "admission", Index: &n.last.index, Size: r.size, Text: fmt.Sprintf(
				"the log says that it admitted entry %d at %s, but witnesses saw it by %s",
				n.last.index, n.last.time, trial.Moment(seenBy))})
		}
	}
	for _, a := range n.alarms {
		a.Size = r.size
		r.event(a)
	}
	r.told = r.size
	m.memory.Without = later(m.memory.Without, r.now)
}

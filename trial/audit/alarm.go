package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// An Alarm is what a monitor says. Names of alarms do not change:
//
//	rule          an entry breaks a rule (a false map root too: R15)
//	root          the entries do not lead to the root that the log signed
//	rollback      the log publishes a smaller tree than before
//	fork          the log signed two trees of one size
//	inconsistent  the log signed a tree that does not contain an earlier one
//	quorum        the published checkpoint lacks the policy's quorum
//	clock         the last entry's time is later than the witnesses saw it, or
//	              clocks of log, witnesses and monitor differ
//	newer         a rule set is in force that this program does not know
//	silence       there is no new cosigned tree, or it cannot be read
//	late          a witness of the policy no longer cosigns
//	behind        another place knows a larger tree than the log publishes
//	admission     an entry's time is far from when it was published
//	key           a new key under a watched organisation
//	entry         any other entry under a watched organisation or trial
type Alarm struct {
	Alarm    string     `json:"alarm"`
	Time     string     `json:"time"`            // by the monitor's clock, UTC
	Index    *uint64    `json:"index,omitempty"` // of the entry
	Size     uint64     `json:"size,omitempty"`  // of the tree
	Rule     trial.Rule `json:"rule,omitempty"`
	Subject  string     `json:"subject,omitempty"` // witness, place, organisation or trial
	Text     string     `json:"text"`
	Evidence string     `json:"evidence,omitempty"` // file that proves it to others
	Ended    bool       `json:"ended,omitempty"`
}

// id tells one lasting alarm from another. It does not include the tree's size, because the
// fault remains while the log grows.
func (a *Alarm) id() string {
	index := ""
	if a.Index != nil {
		index = fmt.Sprint(*a.Index)
	}
	return fmt.Sprintf("%s %s %s %s", a.Alarm, index, a.Rule, a.Subject)
}

// A round is what one round found.
type round struct {
	now    time.Time
	size   uint64           // of the published tree, 0 if it is not known
	told   uint64           // how far the events go
	blind  bool             // the log could not be audited
	holds  map[string]Alarm // lasting alarms by id
	places []string         // the places that could not be looked at
	events []Alarm          // what just happened
}

func (r *round) hold(a Alarm) (id string) {
	a.Time = stamp(r.now)
	r.holds[a.id()] = a
	return a.id()
}

func (r *round) event(a Alarm) {
	a.Time = stamp(r.now)
	r.events = append(r.events, a)
}

// keep lets the alarms about a place last, because the place could not be looked at.
func (r *round) keep(place string) { r.places = append(r.places, place) }

// memory is what a monitor remembers beside the state of the audit.
type memory struct {
	Since    time.Time            `json:"since"`    // when it began to watch
	Heard    time.Time            `json:"heard"`    // by when the newest good tree existed
	Without  time.Time            `json:"without"`  // when the log last published no more than Told entries
	Told     uint64               `json:"told"`     // entries that were read for news
	Cosigned map[string]time.Time `json:"cosigned"` // by witness: when a published tree last had its cosignature
	Ahead    map[string]ahead     `json:"ahead"`    // by place
	Lasting  map[string]Alarm     `json:"lasting"`  // by id: the alarms that were raised and have not ended
}

// ahead is a tree that a place knew when the log published a smaller one.
type ahead struct {
	Size  uint64    `json:"size"`
	Since time.Time `json:"since"`
}

func (m *memory) resume(data []byte, now time.Time, size uint64) error {
	*m = memory{Since: now, Told: size}
	if data != nil {
		if err := json.Unmarshal(data, m); err != nil {
			return fmt.Errorf("memory of a monitor: %w", err)
		}
	}
	if m.Cosigned == nil {
		m.Cosigned = map[string]time.Time{}
	}
	if m.Ahead == nil {
		m.Ahead = map[string]ahead{}
	}
	if m.Lasting == nil {
		m.Lasting = map[string]Alarm{}
	}
	return nil
}

func (m *memory) marshal() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "\t")
	return append(data, '\n'), err
}

// ahead keeps track of how long the log stays behind a tree that a place has.
func (m *memory) ahead(r *round, place string, tree checkpoint.Tree, size uint64, limit time.Duration) {
	was, ok := m.Ahead[place]
	switch {
	case ok && size >= was.Size:
		delete(m.Ahead, place)
		ok = false
		fallthrough
	case !ok:
		if tree.Size > size {
			m.Ahead[place] = ahead{tree.Size, r.now}
		}
	case r.now.Sub(was.Since) > limit:
		r.hold(Alarm{Alarm: "behind", Size: was.Size, Subject: place, Text: fmt.Sprintf(
			"%s has had a tree of size %d signed by the log since %s, but the log publishes a tree of size %d",
			place, was.Size, trial.Moment(was.Since), size)})
	}
}

// settle raises new alarms and ends those that no longer hold. An alarm that was raised is
// remembered even if a later one cannot be raised.
func (m *memory) settle(r *round, raise func(Alarm) error) error {
	for _, a := range r.events {
		if err := raise(a); err != nil {
			return err
		}
	}
	m.Told = max(m.Told, r.told)
	for _, id := range slices.Sorted(maps.Keys(r.holds)) {
		if _, ok := m.Lasting[id]; ok {
			continue
		}
		if err := raise(r.holds[id]); err != nil {
			return err
		}
		m.Lasting[id] = r.holds[id]
	}
	for _, id := range slices.Sorted(maps.Keys(m.Lasting)) {
		a := m.Lasting[id]
		unseen := slices.Contains(r.places, a.Subject) || r.blind && a.Alarm != "silence" && a.Alarm != "behind"
		if _, ok := r.holds[id]; ok || a.Evidence != "" || unseen {
			continue
		}
		a.Time, a.Ended = stamp(r.now), true
		if err := raise(a); err != nil {
			return err
		}
		delete(m.Lasting, id)
	}
	return nil
}

// stamp returns a time as it is in JSON.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
